package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What becomes of requests and connections is counted, once each, for the pool and for the route. */
class MetricsTest {
    private static ConnectionPool.Builder<String, Connection> builder() {
        return ConnectionPool.builder(new Disposals());
    }

    @Test
    void aPoolThatHadNoLeaseHasNothing() {
        ConnectionPool<String, Connection> pool = builder().build();
        assertEquals("[leases: 0; hits: 0; handed over: 0; openings: 0; waited: 0; timed out: 0; cancelled: 0; refused: 0; opened: 0;"
                + " unopened: 0; kept: 0; closed by lease: 0; closed by shutdown: 0; leaked: 0; closed: [closed by peer: 0; stale: 0;"
                + " expired: 0; idle: 0; evicted: 0; over limit: 0; cleared: 0]]", pool.metrics().toString());
        assertEquals(0, pool.metrics("a").leases());
        assertThrows(IllegalArgumentException.class, () -> pool.metrics(null));
    }

    @Test
    void whereConnectionsAreConnectedLaterAnOpeningIsWhatIsSaidToHaveTakenThatLong() {
        ConnectionPool<String, Connection> pool = builder().connectsLater().build();
        // Nobody has leased yet, so nobody can have opened anything.
        pool.recordOpening(1_000);
        Lease<Connection> lease = pool.tryLease("a");
        lease.opened(new Connection("a"));
        assertEquals(0, pool.metrics().opening().count());
        pool.recordOpening(1_000);
        assertEquals(1, pool.metrics().opening().count());
        lease.release();
        pool.close();
    }

    @Test
    void eachNumberCountsWhatItsNameSays() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).maxPerRoute(1).maxWaiters(1).build();
        Lease<Connection> first = pool.tryLease("a");
        first.opened(new Connection("a"));
        assertThrows(TimeoutException.class, () -> pool.lease("a", 1, TimeUnit.MILLISECONDS));
        CompletableFuture<Lease<Connection>> cancelled = pool.leaseAsync("a", null, 1, TimeUnit.MINUTES);
        assertThrows(QueueFullException.class, () -> pool.lease("a", 1, TimeUnit.MINUTES));
        cancelled.cancel(false);
        CompletableFuture<Lease<Connection>> served = pool.leaseAsync("a", null, 1, TimeUnit.MINUTES);
        first.release();
        Lease<Connection> second = served.get(1, TimeUnit.MINUTES);
        second.noteStale();
        second.release();
        pool.tryLease("a").discard();
        pool.tryLease("b").discard();
        Lease<Connection> last = pool.tryLease("b");
        last.opened(new Connection("b"));
        CompletableFuture<Lease<Connection>> refused = pool.leaseAsync("a", null, 1, TimeUnit.MINUTES);
        pool.shutdown(ShutdownMode.IMMEDIATE);
        ExecutionException end = assertThrows(ExecutionException.class, () -> refused.get(1, TimeUnit.MINUTES));
        assertTrue(end.getCause() instanceof PoolShutDownException, end.toString());

        Metrics all = pool.metrics();
        assertEquals("[leases: 5; hits: 1; handed over: 1; openings: 3; waited: 4; timed out: 1; cancelled: 1; refused: 2; opened: 2;"
                + " unopened: 1; kept: 2; closed by lease: 1; closed by shutdown: 1; leaked: 0; closed: [closed by peer: 0; stale: 1;"
                + " expired: 0; idle: 0; evicted: 0; over limit: 0; cleared: 0]]", all.toString());
        Metrics ofB = pool.metrics("b");
        assertEquals(2, ofB.openings());
        assertEquals(1, ofB.unopened());
        assertEquals(1, ofB.closedByShutdown());
        assertEquals(0, ofB.waited());
    }

    @Test
    void aLostLeaseIsCounted() throws Exception {
        ConnectionPool<String, Connection> pool = builder().leakListener((route, connection) -> {}).build();
        pool.tryLease("a").opened(new Connection("a"));
        Eventually.await("its lease is missed", () -> {
            System.gc();
            return pool.metrics().leaked() == 1;
        });
        assertEquals(1, pool.metrics("a").leaked());
        assertEquals(1, pool.metrics().closedByLease());
    }

    /** Threads that lease, wait, give up, keep and close at random count for themselves; at rest the pool has the same numbers. */
    @Test
    void theNumbersOfACrowdAreExactAtRest() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(5).maxPerRoute(3).build();
        pool.measureHeld(true);
        AtomicLong served = new AtomicLong();
        AtomicLong opened = new AtomicLong();
        AtomicLong unopened = new AtomicLong();
        AtomicLong timedOut = new AtomicLong();
        AtomicLong closed = new AtomicLong();
        AtomicLong kept = new AtomicLong();
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<Void>> ends = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                Random random = new Random(i);
                ends.add(threads.submit((Callable<Void>) () -> {
                    for (int round = 0; round < 5_000; round++) {
                        String route = random.nextBoolean() ? "a" : "b";
                        Lease<Connection> lease;
                        try {
                            lease = pool.lease(route, random.nextInt(4) == 0 ? 1 : 60_000_000, TimeUnit.MICROSECONDS);
                        } catch (TimeoutException e) {
                            timedOut.incrementAndGet();
                            continue;
                        }
                        served.incrementAndGet();
                        if (lease.isVacancy()) {
                            if (random.nextInt(5) == 0) {
                                unopened.incrementAndGet();
                                lease.discard();
                                continue;
                            }
                            opened.incrementAndGet();
                            lease.opened(new Connection(route));
                        }
                        if (random.nextInt(10) == 0) {
                            closed.incrementAndGet();
                            lease.discard();
                        } else {
                            kept.incrementAndGet();
                            lease.release();
                        }
                        Metrics before = pool.metrics();
                        assertTrue(pool.metrics().kept() >= before.kept(), "never fewer");
                    }
                    return null;
                }));
            }
            for (Future<Void> end : ends) {
                end.get();
            }
        } finally {
            threads.shutdownNow();
        }
        Metrics all = pool.metrics();
        assertEquals(served.get(), all.leases());
        assertEquals(opened.get(), all.opened());
        assertEquals(unopened.get(), all.unopened());
        // Whose time was up before it came to waiting is none of those that waited.
        assertTrue(all.timedOut() <= timedOut.get() && all.timedOut() <= all.waited(), all + ", " + timedOut);
        assertEquals(0, all.cancelled() + all.refused());
        assertEquals(closed.get(), all.closedByLease());
        // Some releases are closed, because who has waited longest wants their place for another route.
        assertTrue(all.kept() <= kept.get() && all.kept() >= kept.get() - all.closed().evicted(), all.toString());
        assertEquals(all.waited(), all.waiting().count());
        assertEquals(opened.get(), all.opening().count());
        assertEquals(kept.get() + closed.get(), all.held().count());
        assertEquals(all.leases(), pool.metrics("a").leases() + pool.metrics("b").leases());
        assertEquals(opened.get() - closed.get() - all.closed().evicted(), pool.stats().available());
    }
}
