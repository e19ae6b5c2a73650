package io.leasehold.tests.httpclient5users;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.tests.servers.Nginx;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.observation.HttpClientObservationSupport;
import org.apache.hc.client5.http.observation.MetricConfig;
import org.apache.hc.client5.http.observation.ObservingOptions;
import org.apache.hc.client5.http.observation.impl.MeteredDnsResolver;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** HttpClient's own module of metrics reads the same of both managers, and gets into both. It is there from 5.6 on. */
class ObservationTest {
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    private double pool(String name) {
        return registry.get("http.client.pool." + name).gauge().value();
    }

    @ParameterizedTest
    @EnumSource
    void theModuleReadsTheManagersNumbers(Manager kind) throws Exception {
        ObservingOptions all = ObservingOptions.builder().metrics(ObservingOptions.allMetricSets()).build();
        PoolingHttpClientConnectionManager manager =
                kind.make(new MeteredDnsResolver(SystemDefaultDnsResolver.INSTANCE, registry, MetricConfig.DEFAULT, all));
        HttpClientBuilder builder = HttpClients.custom().setConnectionManager(manager);
        HttpClientObservationSupport.enable(builder, ObservationRegistry.create(), registry, all);
        try (Nginx server = Nginx.builder().start(); CloseableHttpClient client = builder.build()) {
            for (int i = 0; i < 3; i++) {
                MetricsTest.get(client, server);
            }
            assertEquals(3, registry.get("http.client.request").timer().count());
            assertEquals(1, registry.get("http.client.dns.resolutions").counter().count());
            assertEquals(3, server.requests());
            assertEquals(1, server.connections());
            try (Occupation occupation = new Occupation(manager)) {
                assertEquals(1, pool("available"));
                assertEquals(3, pool("leased"));
                assertEquals(2, pool("pending"));
            }
            assertEquals(0, pool("leased"));
            assertEquals(0, pool("pending"));
        }
        assertEquals(0, pool("available"));
    }
}
