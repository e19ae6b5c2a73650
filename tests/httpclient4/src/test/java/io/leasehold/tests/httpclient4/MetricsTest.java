package io.leasehold.tests.httpclient4;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.WebServer;
import io.micrometer.core.instrument.binder.httpcomponents.PoolingHttpClientConnectionManagerMetricsBinder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Monitoring that takes a manager as {@code ConnPoolControl<HttpRoute>} reads the same of both. */
class MetricsTest {
    @ParameterizedTest
    @EnumSource
    void micrometerReadsTheNumbers(Manager kind) throws Exception {
        try (Nginx server = Nginx.builder().start(); PoolingHttpClientConnectionManager manager = kind.make()) {
            SimpleMeterRegistry registry = new SimpleMeterRegistry();
            new PoolingHttpClientConnectionManagerMetricsBinder(manager, "backend").bindTo(registry);
            Client client = Client.Kind.REST_TEMPLATE.on(manager);
            client.send("GET", server.url(WebServer.HELLO));
            HttpClientConnection leased = manager.requestConnection(new HttpRoute(new HttpHost("elsewhere")), null).get(0, TimeUnit.SECONDS);
            assertEquals(200, gauge(registry, "total.max"));
            assertEquals(32, gauge(registry, "route.max.default"));
            assertEquals(0, gauge(registry, "total.pending"));
            assertEquals(1, gauge(registry, "total.connections", "state", "available"));
            assertEquals(1, gauge(registry, "total.connections", "state", "leased"));
            manager.releaseConnection(leased, null, 0, TimeUnit.SECONDS);
            manager.setMaxTotal(100);
            assertEquals(0, gauge(registry, "total.connections", "state", "leased"));
            assertEquals(100, gauge(registry, "total.max"));
        }
    }

    private static double gauge(SimpleMeterRegistry registry, String name, String... tags) {
        return registry.get("httpcomponents.httpclient.pool." + name).tag("httpclient", "backend").tags(tags).gauge().value();
    }
}
