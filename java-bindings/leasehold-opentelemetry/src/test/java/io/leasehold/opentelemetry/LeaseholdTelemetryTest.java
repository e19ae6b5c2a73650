package io.leasehold.opentelemetry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.ConnectionPool;
import io.leasehold.Lease;
import io.leasehold.ShutdownMode;
import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
import io.leasehold.testsupport.Eventually;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.conn.routing.HttpRoute;
import org.junit.jupiter.api.Test;

/** OpenTelemetry is given what the pool says, by the semantic conventions where they have a name for it, until the pool has ended. */
class LeaseholdTelemetryTest {
    private final InMemoryMetricReader reader = InMemoryMetricReader.create();
    private final SdkMeterProvider provider = SdkMeterProvider.builder().registerMetricReader(reader).build();
    private final OpenTelemetry openTelemetry = OpenTelemetrySdk.builder().setMeterProvider(provider).build();

    private static ConnectionPool<String, String> pool() {
        return ConnectionPool.<String, String>builder((connection, cause) -> {}).name("orders").maxTotal(3).build();
    }

    /** In the order of their names. */
    private static Map<String, Object> named(Attributes attributes) {
        Map<String, Object> named = new TreeMap<>();
        attributes.forEach((key, value) -> named.put(key.getKey(), value));
        return named;
    }

    /** Each sum's number, and each histogram's count and sum, by name, unit and attributes. */
    private Map<String, Object> read() {
        Map<String, Object> all = new TreeMap<>();
        for (MetricData metric : reader.collectAllMetrics()) {
            String name = metric.getName() + " " + metric.getUnit() + " ";
            for (LongPointData point : metric.getLongSumData().getPoints()) {
                all.put(name + named(point.getAttributes()), point.getValue());
            }
            for (HistogramPointData point : metric.getHistogramData().getPoints()) {
                all.put(name + named(point.getAttributes()), point.getCount() + " " + point.getSum() + " " + point.getBoundaries());
            }
        }
        return all;
    }

    private static Lease<String> open(ConnectionPool<String, String> pool, String route) {
        Lease<String> lease = pool.tryLease(route);
        if (lease.isVacancy()) {
            lease.opened("connection to " + route);
        }
        return lease;
    }

    @Test
    void allIsThereUnderItsNameWithItsUnitAndAttributes() throws Exception {
        ConnectionPool<String, String> pool = pool();
        new LeaseholdTelemetry(pool).register(openTelemetry);
        open(pool, "a").release();
        open(pool, "a").release();
        Lease<String> held = open(pool, "b");
        open(pool, "c").discard();
        pool.closeIdle(0, TimeUnit.SECONDS);
        pool.setMaxTotal(1);
        assertThrows(TimeoutException.class, () -> pool.lease("b", 0, TimeUnit.SECONDS));
        Map<String, Object> got = read();
        String pools = "leasehold.pool.name=orders}";
        assertEquals(1L, got.get("http.client.open_connections {connection} {http.connection.state=active, " + pools), got::toString);
        assertEquals(0L, got.get("http.client.open_connections {connection} {http.connection.state=idle, " + pools));
        String durations = got.get("http.client.connection.duration s {" + pools).toString();
        String boundaries = "[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0]";
        assertTrue(durations.startsWith("2 ") && durations.endsWith(boundaries), durations);
        assertEquals(0L, got.get("leasehold.pool.pending {request} {" + pools));
        assertEquals(1L, got.get("leasehold.pool.max {connection} {" + pools));
        assertEquals(3L, got.get("leasehold.pool.opened {connection} {" + pools));
        assertEquals(0L, got.get("leasehold.pool.unopened {connection} {" + pools));
        assertEquals(0L, got.get("leasehold.pool.waited {request} {" + pools));
        assertEquals(2L, got.get("leasehold.pool.kept {connection} {" + pools));
        assertEquals(0L, got.get("leasehold.pool.leaked {lease} {" + pools));
        for (String result : Arrays.asList("hit 1", "handed_over 0", "opening 3", "timed_out 0", "cancelled 0", "refused 0")) {
            String[] parts = result.split(" ");
            String key = "leasehold.pool.requests {request} {leasehold.pool.name=orders, result=" + parts[0] + "}";
            assertEquals(Long.valueOf(parts[1]), got.get(key), result);
        }
        for (String cause : Arrays.asList("lease 1", "shutdown 0", "peer 0", "stale 0", "expired 0", "idle 1", "evicted 0", "over_limit 0",
                "cleared 0")) {
            String[] parts = cause.split(" ");
            assertEquals(Long.valueOf(parts[1]), got.get("leasehold.pool.closed {connection} {cause=" + parts[0] + ", " + pools), cause);
        }
        assertEquals(3 + 7 + 6 + 9, got.size(), got::toString);
        held.release();
        assertEquals(1L, read().get("http.client.open_connections {connection} {http.connection.state=idle, " + pools));
        // What a shutdown closes is measured still.
        pool.shutdown(ShutdownMode.IMMEDIATE);
        assertEquals(1, read().size());
        assertTrue(read().get("http.client.connection.duration s {" + pools).toString().startsWith("3 "), () -> read().toString());
    }

    @Test
    void aConnectionsDurationIsToldInSeconds() {
        ConnectionPool<String, String> pool = pool();
        new LeaseholdTelemetry(pool).register(openTelemetry);
        long before = System.nanoTime();
        Lease<String> lease = open(pool, "a");
        long opened = System.nanoTime();
        while (System.nanoTime() - opened < TimeUnit.MILLISECONDS.toNanos(20)) {
            Thread.yield();
        }
        long closing = System.nanoTime();
        lease.discard();
        long after = System.nanoTime();
        String told = read().get("http.client.connection.duration s {leasehold.pool.name=orders}").toString();
        double seconds = Double.parseDouble(told.split(" ")[1]);
        double tick = 0.001;
        assertTrue(seconds >= (closing - opened) / 1e9 - tick && seconds <= (after - before) / 1e9 + tick, told);
        pool.close();
    }

    @Test
    void routesAreToldApartWhereThatIsAskedForAndNoMoreThanThatMany() {
        ConnectionPool<String, String> pool = pool();
        new LeaseholdTelemetry(pool).perRoute(2, route -> {
            if (route.equals("nowhere")) {
                throw new IllegalStateException("no server");
            }
            return InetSocketAddress.createUnresolved(route.toString(), 80);
        }).register(openTelemetry);
        for (String route : Arrays.asList("a", "b", "nowhere")) {
            open(pool, route).release();
        }
        open(pool, "a").discard();
        String idle = "http.client.open_connections {connection} {http.connection.state=idle, leasehold.pool.name=orders";
        String duration = "http.client.connection.duration s {leasehold.pool.name=orders";
        Map<String, Object> got = read();
        assertEquals(0L, got.get(idle + ", server.address=a, server.port=80}"), got::toString);
        assertEquals(1L, got.get(idle + ", server.address=b, server.port=80}"));
        assertEquals(1L, got.get(idle + "}"));
        assertTrue(got.get(duration + ", server.address=a, server.port=80}").toString().startsWith("1 "));
        // One too many.
        open(pool, "c").release();
        got = read();
        assertEquals(2L, got.get(idle + "}"), got::toString);
        assertTrue(got.keySet().stream().noneMatch(key -> key.contains("server.address=c")), got::toString);
        pool.close();
    }

    @Test
    void aManagersConnectionsAreToldOf() throws Exception {
        try (LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager()) {
            manager.setName("orders");
            new LeaseholdTelemetry(manager).perRoute(10, route -> {
                HttpHost host = ((HttpRoute) route).getTargetHost();
                return InetSocketAddress.createUnresolved(host.getHostName(), host.getPort());
            }).register(openTelemetry);
            HttpRoute route = new HttpRoute(new HttpHost("localhost", 1));
            HttpClientConnection leased = manager.requestConnection(route, null).get(1, TimeUnit.MINUTES);
            assertEquals(1L, read().get("http.client.open_connections {connection} {http.connection.state=active, "
                    + "leasehold.pool.name=orders, server.address=localhost, server.port=1}"), () -> read().toString());
            manager.releaseConnection(leased, null, 0, TimeUnit.SECONDS);
        }
    }

    @Test
    void whatWasRegisteredCanBeTakenOutAndGoesWithThePool() throws Exception {
        ConnectionPool<String, String> pool = pool();
        LeaseholdTelemetry.Registration registration = new LeaseholdTelemetry(pool).register(openTelemetry);
        assertTrue(read().size() > 5);
        registration.close();
        open(pool, "a").discard();
        assertEquals(0, read().size());
        registration.close();
        pool.close();

        ConnectionPool<String, String> lost = pool();
        new LeaseholdTelemetry(lost).register(openTelemetry);
        assertTrue(read().size() > 5);
        // So that the housekeeper is there.
        ConnectionPool<String, String> used = ConnectionPool.<String, String>builder((connection, cause) -> {}).build();
        Lease<String> held = used.tryLease("a");
        lost = null;
        Eventually.awaitAfterCollection("nothing is shown", () -> read().isEmpty());
        held.discard();
        used.close();
    }
}
