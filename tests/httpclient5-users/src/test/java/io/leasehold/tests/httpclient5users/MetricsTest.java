package io.leasehold.tests.httpclient5users;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Eventually;
import io.micrometer.core.instrument.binder.httpcomponents.hc5.ObservationExecChainHandler;
import io.micrometer.core.instrument.binder.httpcomponents.hc5.PoolingHttpClientConnectionManagerMetricsBinder;
import io.micrometer.core.instrument.observation.DefaultMeterObservationHandler;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.async.methods.SimpleHttpRequest;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.pool.ConnPoolControl;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Micrometer reads the same of our managers as of HttpClient's, and observes requests on all of them. */
class MetricsTest {
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    private double gauge(String name, String... tags) {
        return registry.get("httpcomponents.httpclient.pool." + name).tag("httpclient", "backend").tags(tags).gauge().value();
    }

    @ParameterizedTest
    @EnumSource
    void theBinderReadsTheManagersNumbers(Manager kind) throws Exception {
        PoolingHttpClientConnectionManager manager = kind.make(null);
        new PoolingHttpClientConnectionManagerMetricsBinder(manager, "backend").bindTo(registry);
        try (Nginx server = Nginx.builder().start();
                CloseableHttpClient client = HttpClients.custom().setConnectionManager(manager).build()) {
            get(client, server);
            try (Occupation occupation = Occupation.of(manager)) {
                checkOccupied();
            }
            checkFree();
            checkLimits(manager);
        }
        assertEquals(0, gauge("total.connections", "state", "available"));
    }

    @ParameterizedTest
    @EnumSource
    void theBinderReadsTheAsynchronousManagersNumbers(Manager kind) throws Exception {
        PoolingAsyncClientConnectionManager manager = kind.makeAsync(null);
        new PoolingHttpClientConnectionManagerMetricsBinder(manager, "backend").bindTo(registry);
        try (Nginx server = Nginx.builder().start();
                CloseableHttpAsyncClient client = HttpAsyncClients.custom().setConnectionManager(manager).build()) {
            client.start();
            get(client, manager, server);
            try (Occupation occupation = Occupation.of(manager)) {
                checkOccupied();
            }
            checkFree();
            checkLimits(manager);
        }
        assertEquals(0, gauge("total.connections", "state", "available"));
    }

    private void checkOccupied() {
        assertEquals(1, gauge("total.connections", "state", "available"));
        assertEquals(3, gauge("total.connections", "state", "leased"));
        assertEquals(2, gauge("total.pending"));
    }

    private void checkFree() {
        assertEquals(0, gauge("total.connections", "state", "leased"));
        assertEquals(0, gauge("total.pending"));
    }

    private void checkLimits(ConnPoolControl<HttpRoute> manager) {
        assertEquals(25, gauge("total.max"));
        assertEquals(5, gauge("route.max.default"));
        manager.setMaxTotal(100);
        manager.setDefaultMaxPerRoute(50);
        assertEquals(100, gauge("total.max"));
        assertEquals(50, gauge("route.max.default"));
    }

    @ParameterizedTest
    @EnumSource
    void eachRequestIsObserved(Manager kind) throws Exception {
        PoolingHttpClientConnectionManager manager = kind.make(null);
        ObservationRegistry observations = ObservationRegistry.create();
        observations.observationConfig().observationHandler(new DefaultMeterObservationHandler(registry));
        try (Nginx server = Nginx.builder().start();
                CloseableHttpClient client = HttpClients.custom().setConnectionManager(manager)
                        .addExecInterceptorLast("micrometer", new ObservationExecChainHandler(observations)).build()) {
            for (int i = 0; i < 3; i++) {
                get(client, server);
            }
            assertEquals(3, registry.get("httpcomponents.httpclient.request").tag("outcome", "SUCCESS").timer().count());
            assertEquals(3, server.requests());
            assertEquals(1, server.connections());
            assertEquals(1, manager.getTotalStats().getAvailable());
        }
    }

    static void get(CloseableHttpClient client, Nginx server) throws Exception {
        HttpGet request = new HttpGet(server.url(WebServer.HELLO));
        assertEquals(WebServer.GREETING, client.execute(request, response -> EntityUtils.toString(response.getEntity())));
    }

    /** The same, and waits until its connection is released. */
    static void get(CloseableHttpAsyncClient client, ConnPoolControl<HttpRoute> manager, Nginx server) throws Exception {
        SimpleHttpRequest request = SimpleRequestBuilder.get(server.url(WebServer.HELLO)).build();
        assertEquals(WebServer.GREETING, client.execute(request, null).get().getBodyText());
        Eventually.await("the connection is released", () -> manager.getTotalStats().getLeased() == 0);
    }
}
