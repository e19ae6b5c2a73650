package io.leasehold.tests.demo;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClientBuilder;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.util.TimeValue;

/** The asynchronous HttpClient 5 on a manager; whoever sends waits for the answer. */
final class AsyncHttpclient5 implements Sender {
    private final Supplier<? extends PoolingAsyncClientConnectionManager> managers;
    private final int connections;
    private final boolean alwaysClose;
    private PoolingAsyncClientConnectionManager manager;
    private CloseableHttpAsyncClient client;

    /** On one of the managers, with this many connections, each of which is closed after its request or kept. */
    AsyncHttpclient5(Supplier<? extends PoolingAsyncClientConnectionManager> managers, int connections, boolean alwaysClose) {
        this.managers = managers;
        this.connections = connections;
        this.alwaysClose = alwaysClose;
        start();
    }

    private void start() {
        manager = managers.get();
        manager.setDefaultMaxPerRoute(connections);
        manager.setMaxTotal(connections);
        HttpAsyncClientBuilder builder = HttpAsyncClientBuilder.create().setConnectionManager(manager).disableAutomaticRetries();
        if (alwaysClose) {
            builder.setConnectionReuseStrategy((request, response, context) -> false);
        }
        client = builder.build();
        client.start();
    }

    @Override
    public String send(String url, String body, boolean saysGoodbye) throws IOException {
        SimpleRequestBuilder request = body == null ? SimpleRequestBuilder.get(url)
                : SimpleRequestBuilder.post(url).setBody(body, ContentType.APPLICATION_FORM_URLENCODED);
        if (saysGoodbye) {
            request.addHeader(HttpHeaders.CONNECTION, "close");
        }
        try {
            SimpleHttpResponse response = client.execute(request.build(), null).get();
            return response.getCode() + " " + response.getBodyText();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException ? (IOException) e.getCause() : new IOException(e.getCause());
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    /** The answer is there a moment before its connection is idle. */
    @Override
    public void closeIdle() {
        while (manager.getTotalStats().getLeased() > 0) {
            Thread.yield();
        }
        manager.closeIdle(TimeValue.ZERO_MILLISECONDS);
    }

    @Override
    public void shutdown() throws IOException {
        client.close();
        start();
    }
}
