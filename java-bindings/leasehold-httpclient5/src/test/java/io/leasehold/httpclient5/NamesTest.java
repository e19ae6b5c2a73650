package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.io.ConnectionEndpoint;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.util.DeadlineTimeoutException;
import org.apache.hc.core5.util.Timeout;
import org.apache.hc.core5.util.TimeoutValueException;
import org.junit.jupiter.api.Test;

/** A manager has a name, and what it throws for want of a connection begins with HttpCore's words and says what the pool looked like. */
class NamesTest {
    private static final HttpRoute ROUTE = new HttpRoute(new HttpHost("localhost", 1));
    private static final String LOOK = "orders: route " + ROUTE + " [leased: 1; idle: 0; waiting: 0; max: 1],"
            + " in total [leased: 1;";

    @Test
    void aManagerIsCalledByItsClassUntilItIsNamed() {
        try (LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager()) {
            assertTrue(manager.getName().matches("LeaseholdHttpClientConnectionManager-[0-9]+"), manager.getName());
            manager.setName("orders");
            assertEquals("orders", manager.getName());
        }
        try (LeaseholdHttpClientConnectionManager manager =
                LeaseholdHttpClientConnectionManagerBuilder.create().setName("orders").build()) {
            assertEquals("orders", manager.getName());
        }
        LeaseholdConnPool<String, HeldConnection> pool = new LeaseholdConnPool<>(1, 1);
        assertTrue(pool.getName().matches("LeaseholdConnPool-[0-9]+"), pool.getName());
        pool.setName("orders");
        assertEquals("orders", pool.getName());
    }

    private interface HeldConnection extends org.apache.hc.core5.io.ModalCloseable {}

    @Test
    void theClassicManagersTimeoutSaysItInItsMessage() throws Exception {
        try (LeaseholdHttpClientConnectionManager manager =
                LeaseholdHttpClientConnectionManagerBuilder.create().setName("orders").setMaxConnPerRoute(1).build()) {
            ConnectionEndpoint held = manager.lease("1", ROUTE, Timeout.ofMinutes(1), null).get(Timeout.ofMinutes(1));
            TimeoutException end = assertThrows(TimeoutException.class,
                    () -> manager.lease("2", ROUTE, Timeout.ofMinutes(1), null).get(Timeout.ofMilliseconds(1)));
            assertTrue(end instanceof TimeoutValueException, end.toString());
            assertTrue(end.getMessage().startsWith("Timeout deadline: 1 MILLISECONDS, actual: "), end.getMessage());
            assertTrue(end.getMessage().contains("; " + LOOK), end.getMessage());
            manager.release(held, null, null);
        }
    }

    @Test
    void whatMissesItsDeadlineSaysItAsTheCause() throws Exception {
        LeaseholdConnPool<HttpRoute, HeldConnection> pool = new LeaseholdConnPool<>(1, 2);
        pool.setName("orders");
        PoolEntry<HttpRoute, HeldConnection> held = pool.lease(ROUTE, null).get();
        Future<PoolEntry<HttpRoute, HeldConnection>> late = pool.lease(ROUTE, null, Timeout.ofMilliseconds(1), null);
        Eventually.await("the deadline is over", late::isDone);
        ExecutionException end = assertThrows(ExecutionException.class, () -> late.get(1, TimeUnit.MINUTES));
        assertEquals(DeadlineTimeoutException.class, end.getCause().getClass());
        assertTrue(end.getCause().getCause().getMessage().contains("; " + LOOK), end.getCause().getCause().getMessage());
        pool.release(held, false);
        pool.close();
    }
}
