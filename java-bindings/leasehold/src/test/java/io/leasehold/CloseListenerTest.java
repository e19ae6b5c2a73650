package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.LogCapture;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Who listens is told of each connection that a pool parts with: where to, why, how old it was, and how many leases had it. */
class CloseListenerTest {
    private final ManualClock clock = new ManualClock();
    private final ConnectionPool<String, Connection> pool =
            ConnectionPool.<String, Connection>builder(new Disposals()).manualClock(clock).name("orders").build();
    private final List<String> told = new ArrayList<>();

    private CloseListener<String> listener(String name) {
        return (route, cause, ageMillis, uses) -> told.add(name + ": " + route + " " + cause + " " + ageMillis + " " + uses);
    }

    private Lease<Connection> open(String route) {
        Lease<Connection> lease = pool.tryLease(route);
        lease.opened(new Connection(route));
        return lease;
    }

    @Test
    void itIsToldWhatBecameOfEach() {
        pool.addCloseListener(listener("one"));
        Lease<Connection> vacancy = pool.tryLease("a");
        clock.advance(5, TimeUnit.SECONDS);
        vacancy.opened(new Connection("a"));
        clock.advance(3, TimeUnit.SECONDS);
        vacancy.release();
        pool.tryLease("a").discard();
        open("b").reopen();
        open("c").replace();
        open("d").release();
        pool.shutdown(ShutdownMode.GRACEFUL);
        assertEquals(Arrays.asList(
                "one: a DISCARDED 3000 2", "one: b DISCARDED 0 1", "one: c DISCARDED 0 1", "one: d SHUT_DOWN 0 1"), told);
    }

    @Test
    void whatTakesAnothersPlaceInALeaseIsCountedFromItsOwnOpening() {
        pool.addCloseListener(listener("one"));
        open("a").release();
        Lease<Connection> lease = pool.tryLease("a");
        lease.reopen();
        clock.advance(2, TimeUnit.SECONDS);
        lease.opened(new Connection("another"));
        clock.advance(3, TimeUnit.SECONDS);
        lease.discard();
        assertEquals(Arrays.asList("one: a DISCARDED 0 2", "one: a DISCARDED 3000 1"), told);
    }

    @Test
    void whoIsTakenOutIsToldNoMoreAndTheOthersAre() {
        CloseListener<String> one = listener("one");
        CloseListener<String> two = listener("two");
        pool.addCloseListener(one);
        pool.addCloseListener(two);
        open("a").discard();
        assertTrue(pool.removeCloseListener(one));
        assertFalse(pool.removeCloseListener(one));
        open("b").discard();
        assertEquals(Arrays.asList("one: a DISCARDED 0 1", "two: a DISCARDED 0 1", "two: b DISCARDED 0 1"), told);
    }

    @Test
    void whatOneThrowsIsLoggedAndKeepsNothingFromTheNext() {
        pool.addCloseListener((route, cause, ageMillis, uses) -> {
            throw new IllegalStateException("of the test's own making");
        });
        pool.addCloseListener(listener("two"));
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            open("a").discard();
            assertTrue(log.messages().contains("orders: a listener failed that was told of a connection's end"), log.messages().toString());
        }
        assertEquals(Arrays.asList("two: a DISCARDED 0 1"), told);
    }
}
