package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A limit that was set is in force from then on, also if the pool comes to be at the same time. */
class LimitsTest {
    private static final int POOLS = 3_000;

    @RegisterExtension
    final Held held = new Held();

    @Test
    @Tag("long")
    void setWhileThePoolIsMade() throws Exception {
        ExecutorService other = Executors.newSingleThreadExecutor();
        CyclicBarrier start = new CyclicBarrier(2);
        try {
            for (int i = 0; i < POOLS; i++) {
                int kind = i % 3;
                int wait = i % 50;
                ConnectionPool<String, Connection> pool = ConnectionPool.<String, Connection>builder((connection, cause) -> {})
                        .maxTotal(5)
                        .maxPerRoute(5)
                        .leakListener(Disposals.LEAKS_ARE_EXPECTED)
                        .build();
                Future<?> setter = other.submit(() -> {
                    start.await();
                    for (int n = 0; n < wait; n++) {
                        Thread.yield();
                    }
                    if (kind == 0) {
                        pool.setMaxTotal(1);
                    } else if (kind == 1) {
                        pool.setDefaultMaxPerRoute(1);
                    } else {
                        pool.setMaxPerRoute("a", 1);
                    }
                    // From the setter's return on it holds: what is leased then is the first, or was leased before.
                    return pool.stats().leased();
                });
                start.await();
                Lease<Connection> first = held.hold(pool.tryLease("a"));
                setter.get();
                assertNotNull(first);
                assertNull(pool.tryLease("a"), () -> "kind " + kind + ": " + pool.stats());
                assertEquals(1, kind == 0 ? pool.getMaxTotal() : pool.getMaxPerRoute("a"));
                first.close();
            }
        } finally {
            other.shutdown();
        }
    }

    @Test
    void takenFromARouteThatHasNone() {
        ConnectionPool<String, Connection> pool = pool(new AtomicInteger());
        pool.removeMaxPerRoute("unknown");
        assertEquals(5, pool.getMaxPerRoute("unknown"));
        assertEquals(0, pool.routes().size());
        pool.shutdown(ShutdownMode.IMMEDIATE);
    }

    @Test
    void takenFromARouteItLetsThoseInWhoWait() {
        ConnectionPool<String, Connection> pool = pool(new AtomicInteger());
        pool.setMaxPerRoute("a", 0);
        CompletableFuture<Lease<Connection>> asked = pool.leaseAsync("a", 1, TimeUnit.MINUTES);
        assertFalse(asked.isDone());
        pool.removeMaxPerRoute("a");
        assertTrue(asked.isDone(), "told before the call returns");
        asked.join().discard();
        pool.shutdown(ShutdownMode.IMMEDIATE);
    }

    @Test
    void loweredForEveryRouteOrOneItClosesWhatIsIdleBeforeItReturns() {
        AtomicInteger closed = new AtomicInteger();
        ConnectionPool<String, Connection> pool = pool(closed);
        Lease<Connection> one = pool.tryLease("a");
        Lease<Connection> two = pool.tryLease("a");
        Lease<Connection> three = pool.tryLease("a");
        one.opened(new Connection("a"));
        two.opened(new Connection("a"));
        three.opened(new Connection("a"));
        one.release();
        two.release();
        three.release();
        pool.setDefaultMaxPerRoute(2);
        assertEquals(2, pool.getDefaultMaxPerRoute());
        assertEquals(1, closed.get());
        pool.setMaxPerRoute("a", 1);
        assertEquals(2, closed.get());
        pool.shutdown(ShutdownMode.IMMEDIATE);
    }

    private static ConnectionPool<String, Connection> pool(AtomicInteger closed) {
        return ConnectionPool.<String, Connection>builder((connection, cause) -> closed.incrementAndGet()).maxPerRoute(5).build();
    }
}
