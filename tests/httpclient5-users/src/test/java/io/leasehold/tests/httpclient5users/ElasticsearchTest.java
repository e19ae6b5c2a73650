package io.leasehold.tests.httpclient5users;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import co.elastic.clients.elasticsearch.ElasticsearchAsyncClient;
import co.elastic.clients.elasticsearch._types.Result;
import co.elastic.clients.elasticsearch.core.IndexResponse;
import co.elastic.clients.json.SimpleJsonpMapper;
import co.elastic.clients.transport.rest5_client.Rest5ClientTransport;
import io.leasehold.LeaseholdManager;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.testsupport.Eventually;
import jakarta.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Elasticsearch's Java client over its REST client on the manager. The server says that it is one, or the client stops. */
class ElasticsearchTest {
    private static final String INDEXED = "{\"_index\":\"orders\",\"_id\":\"1\",\"_version\":1,\"result\":\"created\","
            + "\"_shards\":{\"total\":1,\"successful\":1,\"failed\":0},\"_seq_no\":0,\"_primary_term\":1}";

    private static Nginx elasticsearch() throws Exception {
        return Nginx.builder()
                .location("/orders/_doc",
                        "default_type application/json; add_header X-Elastic-Product Elasticsearch; return 201 '" + INDEXED + "';")
                .start();
    }

    @Test
    void documentsIndexedAtOnceShareTheManagersConnections() throws Exception {
        try (Nginx server = elasticsearch(); ElasticsearchProgram program = new ElasticsearchProgram(server.url("/"))) {
            program.manager().setDefaultMaxPerRoute(3);
            ElasticsearchAsyncClient client =
                    new ElasticsearchAsyncClient(new Rest5ClientTransport(program.client(), new SimpleJsonpMapper()));
            List<CompletableFuture<IndexResponse>> indexing = new ArrayList<>();
            for (int i = 0; i < 30; i++) {
                indexing.add(client.index(request -> request.index("orders").document(Json.createObjectBuilder().add("n", 1).build())));
            }
            for (CompletableFuture<IndexResponse> one : indexing) {
                assertEquals(Result.Created, one.get().result());
            }
            assertEquals(30, server.requests());
            Eventually.await("all are released", () -> program.manager().getTotalStats().getLeased() == 0);
            // The client may have given some up, as of User.givesUp.
            long givenUp = ((LeaseholdManager) program.manager()).getMetrics().closedByLease();
            assertEquals(server.connections() - givenUp, program.manager().getTotalStats().getAvailable());
            assertTrue(server.connections() - givenUp <= 3);
        }
    }
}
