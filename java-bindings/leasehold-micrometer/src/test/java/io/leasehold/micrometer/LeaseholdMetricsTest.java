package io.leasehold.micrometer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.ConnectionPool;
import io.leasehold.Lease;
import io.leasehold.ManualClock;
import io.leasehold.ShutdownMode;
import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
import io.leasehold.testsupport.Eventually;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.httpcomponents.PoolingHttpClientConnectionManagerMetricsBinder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.conn.routing.HttpRoute;
import org.junit.jupiter.api.Test;

/** Meters say what the pool says, under Micrometer's own names where it has some, and go when the pool has ended. */
class LeaseholdMetricsTest {
    private static final HttpRoute ROUTE = new HttpRoute(new HttpHost("localhost", 1));

    private final MeterRegistry registry = new SimpleMeterRegistry();

    private static ConnectionPool<String, String> pool() {
        return ConnectionPool.<String, String>builder((connection, cause) -> {}).name("orders").maxTotal(1).build();
    }

    private double counter(String name, String... tags) {
        return registry.get("leasehold.pool." + name).tag("httpclient", "orders").tags(tags).functionCounter().count();
    }

    /** The names, and all that tells meters of one name apart. */
    private static Set<String> ids(MeterRegistry registry) {
        Set<String> ids = new TreeSet<>();
        for (Meter meter : registry.getMeters()) {
            ids.add(meter.getId().getName() + " " + new TreeSet<>(meter.getId().getTags()) + " " + meter.getId().getDescription());
        }
        return ids;
    }

    @Test
    void whatMicrometersBinderShowsIsThereUnderTheSameNamesWithTheSameTags() {
        MeterRegistry stocks = new SimpleMeterRegistry();
        try (LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager()) {
            manager.setName("orders");
            new PoolingHttpClientConnectionManagerMetricsBinder(manager, "orders", Tags.of("a", "b")).bindTo(stocks);
            new LeaseholdMetrics(manager, Tags.of("a", "b")).bindTo(registry);
            Set<String> expected = ids(stocks);
            Set<String> ours = ids(registry);
            ours.removeIf(id -> id.startsWith("leasehold.pool."));
            assertEquals(expected, ours);
            assertEquals(5, ours.size());
        }
    }

    @Test
    void bothBindersAreInOneRegistryUnderOneNameAndUnderTwo() throws Exception {
        try (LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager()) {
            manager.setName("orders");
            new LeaseholdMetrics(manager).bindTo(registry);
            int ours = registry.getMeters().size();
            new PoolingHttpClientConnectionManagerMetricsBinder(manager, "orders").bindTo(registry);
            assertEquals(ours, registry.getMeters().size());
            new PoolingHttpClientConnectionManagerMetricsBinder(manager, "others").bindTo(registry);
            assertEquals(ours + 5, registry.getMeters().size());
            HttpClientConnection leased = manager.requestConnection(ROUTE, null).get(1, TimeUnit.MINUTES);
            for (String name : new String[] {"orders", "others"}) {
                assertEquals(1, registry.get("httpcomponents.httpclient.pool.total.connections").tag("httpclient", name)
                        .tag("state", "leased").gauge().value());
                assertEquals(20, registry.get("httpcomponents.httpclient.pool.total.max").tag("httpclient", name).gauge().value());
                assertEquals(2, registry.get("httpcomponents.httpclient.pool.route.max.default").tag("httpclient", name).gauge().value());
            }
            manager.releaseConnection(leased, null, 0, TimeUnit.SECONDS);
        }
    }

    @Test
    void eachMeterSaysWhatThePoolSays() throws Exception {
        ManualClock clock = new ManualClock();
        ConnectionPool<String, String> pool = clock.driving(LeaseholdMetricsTest::pool);
        new LeaseholdMetrics(pool, Tags.empty()).bindTo(registry);
        pool.measureHeld(true);
        Lease<String> first = pool.tryLease("a");
        first.opened("connection");
        CompletableFuture<Lease<String>> late = pool.leaseAsync("a", 1, TimeUnit.SECONDS);
        clock.advance(1, TimeUnit.SECONDS);
        assertThrows(ExecutionException.class, () -> late.get(1, TimeUnit.MINUTES));
        CompletableFuture<Lease<String>> waiting = pool.leaseAsync("a", 1, TimeUnit.MINUTES);
        assertEquals(1, registry.get("httpcomponents.httpclient.pool.total.pending").gauge().value());
        first.release();
        waiting.get(1, TimeUnit.MINUTES).release();
        pool.tryLease("a").release();
        pool.softEvict();
        assertEquals(1, counter("requests", "result", "hit"));
        assertEquals(1, counter("requests", "result", "handed_over"));
        assertEquals(1, counter("requests", "result", "opening"));
        assertEquals(1, counter("requests", "result", "timed_out"));
        assertEquals(2, counter("waited"));
        assertEquals(1, counter("opened"));
        assertEquals(3, counter("kept"));
        assertEquals(1, counter("closed", "cause", "cleared"));
        assertEquals(0, counter("closed", "cause", "peer"));
        for (String name : new String[] {"waiting", "opening", "held"}) {
            FunctionTimer timer = registry.get("leasehold.pool." + name).functionTimer();
            assertEquals(name.equals("waiting") ? 2 : name.equals("opening") ? 1 : 3, timer.count(), name);
            double longest = registry.get("leasehold.pool." + name + ".max").timeGauge().value(TimeUnit.MICROSECONDS);
            double most = registry.get("leasehold.pool." + name + ".quantile").tag("quantile", "0.99").timeGauge()
                    .value(TimeUnit.MICROSECONDS);
            assertTrue(longest >= most && timer.totalTime(TimeUnit.MICROSECONDS) >= longest, name);
        }
        assertTrue(registry.get("leasehold.pool.waiting.max").timeGauge().value(TimeUnit.MICROSECONDS) >= 1000);
        pool.close();
    }

    @Test
    void theMetersGoWhenThePoolIsShutDownAndKeepNoPoolInMemory() throws Exception {
        ConnectionPool<String, String> pool = pool();
        new LeaseholdMetrics(pool, Tags.empty()).bindTo(registry);
        assertTrue(registry.getMeters().size() > 5);
        pool.shutdown(ShutdownMode.GRACEFUL);
        assertEquals(0, registry.getMeters().size());
        ConnectionPool<String, String> lost = pool();
        new LeaseholdMetrics(lost, Tags.empty()).bindTo(registry);
        // So that the housekeeper is there.
        ConnectionPool<String, String> used = ConnectionPool.<String, String>builder((connection, cause) -> {}).build();
        Lease<String> held = used.tryLease("a");
        lost = null;
        Eventually.awaitAfterCollection("the meters have gone", () -> registry.getMeters().isEmpty());
        held.discard();
        used.close();
    }
}
