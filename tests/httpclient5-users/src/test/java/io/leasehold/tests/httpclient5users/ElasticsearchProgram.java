package io.leasehold.tests.httpclient5users;

import co.elastic.clients.transport.rest5_client.low_level.Request;
import co.elastic.clients.transport.rest5_client.low_level.Response;
import co.elastic.clients.transport.rest5_client.low_level.ResponseListener;
import co.elastic.clients.transport.rest5_client.low_level.Rest5Client;
import io.leasehold.httpclient5.LeaseholdAsyncClientConnectionManager;
import io.leasehold.httpclient5.LeaseholdAsyncClientConnectionManagerBuilder;
import java.io.IOException;
import java.net.URI;
import java.util.concurrent.CompletableFuture;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.pool.ConnPoolControl;

/** A client of Elasticsearch that has no thread wait. */
final class ElasticsearchProgram implements Program {
    private final LeaseholdAsyncClientConnectionManager manager = LeaseholdAsyncClientConnectionManagerBuilder.create()
            .setMaxConnTotal(30)
            .setMaxConnPerRoute(10)
            .build();
    private final Rest5Client client;
    private final String path;

    ElasticsearchProgram(String url) {
        URI node = URI.create(url).resolve("/");
        client = Rest5Client.builder(node).setHttpClientConfigCallback(http -> http.setConnectionManager(manager)).build();
        path = URI.create(url).getPath();
    }

    Rest5Client client() {
        return client;
    }

    @Override
    public ConnPoolControl<HttpRoute> manager() {
        return manager;
    }

    @Override
    public String post() throws Exception {
        CompletableFuture<String> body = new CompletableFuture<>();
        client.performRequestAsync(new Request("POST", path), new ResponseListener() {
            @Override
            public void onSuccess(Response response) {
                try {
                    body.complete(EntityUtils.toString(response.getEntity()));
                } catch (Exception e) {
                    body.completeExceptionally(e);
                }
            }

            @Override
            public void onFailure(Exception e) {
                body.completeExceptionally(e);
            }
        });
        return body.get();
    }

    @Override
    public void close() throws IOException {
        client.close();
    }
}
