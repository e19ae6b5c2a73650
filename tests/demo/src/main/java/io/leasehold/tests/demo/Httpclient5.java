package io.leasehold.tests.demo;

import java.io.IOException;
import java.util.function.Supplier;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.support.ClassicRequestBuilder;
import org.apache.hc.core5.util.TimeValue;

/** The classic HttpClient 5 on a manager. */
final class Httpclient5 implements Sender {
    private final Supplier<? extends PoolingHttpClientConnectionManager> managers;
    private final int connections;
    private final boolean alwaysClose;
    private PoolingHttpClientConnectionManager manager;
    private CloseableHttpClient client;

    /** On one of the managers, with this many connections, each of which is closed after its request or kept. */
    Httpclient5(Supplier<? extends PoolingHttpClientConnectionManager> managers, int connections, boolean alwaysClose) {
        this.managers = managers;
        this.connections = connections;
        this.alwaysClose = alwaysClose;
        start();
    }

    private void start() {
        manager = managers.get();
        manager.setDefaultMaxPerRoute(connections);
        manager.setMaxTotal(connections);
        HttpClientBuilder builder = HttpClientBuilder.create().setConnectionManager(manager).disableAutomaticRetries();
        if (alwaysClose) {
            builder.setConnectionReuseStrategy((request, response, context) -> false);
        }
        client = builder.build();
    }

    @Override
    public String send(String url, String body, boolean saysGoodbye) throws IOException {
        ClassicRequestBuilder request = body == null ? ClassicRequestBuilder.get(url)
                : ClassicRequestBuilder.post(url).setEntity(body, ContentType.APPLICATION_FORM_URLENCODED);
        if (saysGoodbye) {
            request.addHeader(HttpHeaders.CONNECTION, "close");
        }
        return client.execute(request.build(), response -> response.getCode() + " " + EntityUtils.toString(response.getEntity()));
    }

    @Override
    public void closeIdle() {
        manager.closeIdle(TimeValue.ZERO_MILLISECONDS);
    }

    @Override
    public void shutdown() throws IOException {
        client.close();
        start();
    }
}
