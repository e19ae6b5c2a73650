package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Loopback.leaseOpen;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.ScriptedServer;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpHost;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.impl.client.IdleConnectionEvictor;
import org.apache.http.util.EntityUtils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** HttpClient's own evictor, which its builder starts, evicts from this manager. */
class EvictorTest {
    private final LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();

    @AfterEach
    void stop() {
        manager.shutdown();
    }

    @Test
    void evictIdleConnectionsOfTheBuilderClosesThem() throws Exception {
        try (ScriptedServer server = ScriptedServer.plain(); CloseableHttpClient client = HttpClients.custom()
                .setConnectionManager(manager).evictExpiredConnections().evictIdleConnections(20L, TimeUnit.MILLISECONDS).build()) {
            try (CloseableHttpResponse response = client.execute(new HttpGet("http://127.0.0.1:" + server.port() + "/ok"))) {
                EntityUtils.consume(response.getEntity());
            }
            Eventually.await("the server to see the end", () -> server.peer(0).hasEnded());
            assertEquals(1, manager.getCounters().idle());
        }
        assertEquals("Connection pool shut down", assertThrows(IllegalStateException.class,
                () -> manager.requestConnection(new HttpRoute(new HttpHost("a")), null)).getMessage());
    }

    @Test
    void theEvictorClosesWhatHasExpired() throws Exception {
        IdleConnectionEvictor evictor = new IdleConnectionEvictor(manager, 20, TimeUnit.MILLISECONDS, 1, TimeUnit.HOURS);
        evictor.start();
        try (ScriptedServer server = ScriptedServer.plain()) {
            HttpRoute route = new HttpRoute(new HttpHost("127.0.0.1", server.port()));
            manager.releaseConnection(leaseOpen(manager, route, null), null, 1, TimeUnit.MILLISECONDS);
            Eventually.await("the server to see the end", () -> server.peer(0).hasEnded());
            assertEquals(1, manager.getCounters().expired());
        } finally {
            evictor.shutdown();
        }
    }
}
