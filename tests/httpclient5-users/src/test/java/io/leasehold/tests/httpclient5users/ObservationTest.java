package io.leasehold.tests.httpclient5users;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.tests.servers.Nginx;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClientBuilder;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.observation.HttpClientObservationSupport;
import org.apache.hc.client5.http.observation.MetricConfig;
import org.apache.hc.client5.http.observation.ObservingOptions;
import org.apache.hc.client5.http.observation.impl.MeteredDnsResolver;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** HttpClient's own module of metrics reads the same of our managers as of its own, and gets into all of them. It is there from 5.6 on. */
class ObservationTest {
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    private double pool(String name) {
        return registry.get("http.client.pool." + name).gauge().value();
    }

    @ParameterizedTest
    @EnumSource
    void theModuleReadsTheManagersNumbers(Manager kind) throws Exception {
        ObservingOptions all = ObservingOptions.builder().metrics(ObservingOptions.allMetricSets()).build();
        PoolingHttpClientConnectionManager manager = kind.make(metered(all));
        HttpClientBuilder builder = HttpClients.custom().setConnectionManager(manager);
        HttpClientObservationSupport.enable(builder, ObservationRegistry.create(), registry, all);
        try (Nginx server = Nginx.builder().start(); CloseableHttpClient client = builder.build()) {
            for (int i = 0; i < 3; i++) {
                MetricsTest.get(client, server);
            }
            checkRequests(server);
            try (Occupation occupation = Occupation.of(manager)) {
                checkOccupied();
            }
            checkFree();
        }
        assertEquals(0, pool("available"));
    }

    @ParameterizedTest
    @EnumSource
    void theModuleReadsTheAsynchronousManagersNumbers(Manager kind) throws Exception {
        ObservingOptions all = ObservingOptions.builder().metrics(ObservingOptions.allMetricSets()).build();
        PoolingAsyncClientConnectionManager manager = kind.makeAsync(metered(all));
        HttpAsyncClientBuilder builder = HttpAsyncClients.custom().setConnectionManager(manager);
        HttpClientObservationSupport.enable(builder, ObservationRegistry.create(), registry, all);
        try (Nginx server = Nginx.builder().start(); CloseableHttpAsyncClient client = builder.build()) {
            client.start();
            for (int i = 0; i < 3; i++) {
                MetricsTest.get(client, manager, server);
            }
            checkRequests(server);
            try (Occupation occupation = Occupation.of(manager)) {
                checkOccupied();
            }
            checkFree();
        }
        assertEquals(0, pool("available"));
    }

    private DnsResolver metered(ObservingOptions options) {
        return new MeteredDnsResolver(SystemDefaultDnsResolver.INSTANCE, registry, MetricConfig.DEFAULT, options);
    }

    private void checkRequests(Nginx server) throws Exception {
        assertEquals(3, registry.get("http.client.request").timer().count());
        assertEquals(1, registry.get("http.client.dns.resolutions").counter().count());
        assertEquals(3, server.requests());
        assertEquals(1, server.connections());
    }

    private void checkOccupied() {
        assertEquals(1, pool("available"));
        assertEquals(3, pool("leased"));
        assertEquals(2, pool("pending"));
    }

    private void checkFree() {
        assertEquals(0, pool("leased"));
        assertEquals(0, pool("pending"));
    }
}
