package io.leasehold;

import static io.leasehold.CollectionTest.housekeepers;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import io.leasehold.testsupport.Threads;
import java.lang.ref.WeakReference;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The library's thread is there while some pool has something, and no longer: pools that nobody uses come to rest. */
class AtRestTest {
    private final Disposals disposals = new Disposals();
    private final ManualClock clock = new ManualClock();

    private ConnectionPool<String, Connection> pool() {
        return ConnectionPool.<String, Connection>builder(disposals)
                .leakListener(Disposals.LEAKS_ARE_EXPECTED)
                .manualClock(clock)
                .build();
    }

    private static Lease<Connection> lease(ConnectionPool<String, Connection> pool) {
        Lease<Connection> lease = pool.tryLease("a");
        if (lease.connection() == null) {
            lease.opened(new Connection("c"));
        }
        return lease;
    }

    private static void awaitNoHousekeeper() throws Exception {
        Eventually.awaitAfterCollection("the thread is gone", () -> housekeepers() == 0);
    }

    /** When this returns, the housekeeper has looked after every pool since it was called. */
    private void awaitALook() throws Exception {
        for (int i = 0; i < 2; i++) {
            ConnectionPool<String, Connection> other =
                    ConnectionPool.<String, Connection>builder(disposals).leakListener(Disposals.LEAKS_ARE_EXPECTED).build();
            other.tryLease("other");
            Eventually.awaitAfterCollection("the housekeeper has tidied up", () -> {
                // Pools are looked at once a second, and when their clock was moved.
                clock.advance(0, TimeUnit.SECONDS);
                return other.stats().leased() == 0;
            });
        }
    }

    /** Lets time pass in steps in which the housekeeper sees what is used. */
    private void pass(int seconds) throws Exception {
        for (int i = 0; i < seconds; i += 20) {
            clock.advance(20, TimeUnit.SECONDS);
            awaitALook();
        }
    }

    /** Lets so much time pass without a lease that pools come to rest, and the thread ends. */
    private void comeToRest() throws Exception {
        pass(20);
        clock.advance(300, TimeUnit.SECONDS);
        awaitNoHousekeeper();
    }

    @Test
    void theHousekeeperComesWithTheFirstConnectionAndGoesWithTheLast() throws Exception {
        awaitNoHousekeeper();
        ConnectionPool<String, Connection> first = pool();
        ConnectionPool<String, Connection> second = pool();
        assertEquals(0, housekeepers());
        lease(first).release();
        Lease<Connection> held = lease(second);
        assertEquals(1, housekeepers());
        first.closeIdle(0, TimeUnit.SECONDS);
        awaitALook();
        assertEquals(1, housekeepers(), "something is leased still");
        held.release();
        awaitALook();
        assertEquals(1, housekeepers(), "something is idle still");
        second.close();
        Eventually.await("it is gone, though the pools are still referred to", () -> housekeepers() == 0);
        lease(first).release();
        assertEquals(1, housekeepers(), "it is back");
        first.closeIdle(0, TimeUnit.SECONDS);
        Eventually.await("gone again", () -> housekeepers() == 0);
        assertEquals(0, first.stats().available() + second.stats().leased());
    }

    @Test
    void whoAsksIsToldOfTheLeasesOfAPoolThatIsAtRestAndOfOneThatIsGone() throws Exception {
        List<String> told = new CopyOnWriteArrayList<>();
        ConnectionPool<String, Connection> pool = pool();
        pool.tellNumbers((leases, connections) -> told.add(leases == null ? "more" : leases + " leases, " + connections + " new"));
        assertEquals(Collections.emptyList(), told, "nobody need wait for what was not used");
        lease(pool).release();
        assertEquals(Arrays.asList("more"), told);
        lease(pool).release();
        pool.closeIdle(0, TimeUnit.SECONDS);
        Eventually.await("it is at rest", () -> told.equals(Arrays.asList("more", "2 leases, 1 new")));
        // With what it has it does not come to rest.
        lease(pool).release();
        pool = null;
        Eventually.awaitAfterCollection("it is gone", () -> told.equals(Arrays.asList("more", "2 leases, 1 new", "more", "3 leases, 2 new")));
    }

    @Test
    void whatIsLeasedKeepsItsPoolFromRestThoughThereIsNothingElse() throws Exception {
        List<String> atRest = new CopyOnWriteArrayList<>();
        // Looked after before the other one.
        ConnectionPool<String, Connection> leased = pool();
        ConnectionPool<String, Connection> empty = pool();
        leased.tellNumbers((leases, connections) -> addIfTold(atRest, "leased", leases));
        empty.tellNumbers((leases, connections) -> addIfTold(atRest, "empty", leases));
        Lease<Connection> held = lease(leased);
        lease(empty).discard();
        Eventually.await("one is at rest", () -> !atRest.isEmpty());
        // The other one may have been collected meanwhile, and have told so, too.
        assertFalse(atRest.contains("leased"), atRest.toString());
        held.discard();
    }

    private static void addIfTold(List<String> names, String name, Long leases) {
        if (leases != null) {
            names.add(name);
        }
    }

    @Test
    void whoComesBackIsServedAsEver() throws Exception {
        awaitNoHousekeeper();
        ConnectionPool<String, Connection> pool =
                ConnectionPool.<String, Connection>builder(disposals)
                        .leakListener(Disposals.LEAKS_ARE_EXPECTED)
                        .manualClock(clock)
                        .evictIdle(1, TimeUnit.SECONDS)
                        .build();
        for (int round = 1; round <= 3; round++) {
            lease(pool).release();
            Lease<Connection> again = pool.tryLease("a");
            assertNotNull(again.connection());
            again.release();
            assertEquals(1, housekeepers());
            clock.advance(1, TimeUnit.SECONDS);
            Eventually.await("the thread has closed the last connection and is gone", () -> housekeepers() == 0);
            assertEquals(round, disposals.count());
        }
        lease(pool);
        Eventually.awaitAfterCollection("a leak is found", () -> pool.stats().leased() == 0);
        pool.close();
    }

    @Test
    @Tag("long")
    void theIdleConnectionsOfAPoolThatSawNoCallForFiveMinutesAreClosed() throws Exception {
        ConnectionPool<String, Connection> used = pool();
        ConnectionPool<String, Connection> unused = pool();
        for (ConnectionPool<String, Connection> pool : Arrays.asList(used, unused)) {
            Lease<Connection> first = lease(pool);
            lease(pool).release();
            first.release();
        }
        for (int minute = 1; minute <= 6; minute++) {
            pass(60);
            // One of two: the other one is idle all the time, in a pool that is used.
            lease(used).release();
            if (minute == 1) {
                lease(unused).release();
            }
            awaitALook();
            assertEquals(2, used.stats().available());
            assertEquals(2, unused.stats().available());
        }
        pass(20);
        Eventually.await("those of the unused pool are closed", () -> unused.stats().available() == 0);
        assertEquals(2, used.stats().available());
        clock.advance(300, TimeUnit.SECONDS);
        Eventually.await("so are the others, in time", () -> used.stats().available() == 0);
        // In the engine's numbers they are gone before they are closed.
        Eventually.await("all are closed", () -> disposals.count() == 4);
        assertEquals(Collections.nCopies(4, "c IDLE"), disposals.take());
        awaitNoHousekeeper();
        assertTrue(lease(used).connection().isOpen());
    }

    @Test
    void aLeaseThatIsHeldForLongKeepsNoThreadAndComesBackToOne() throws Exception {
        awaitNoHousekeeper();
        ConnectionPool<String, Connection> pool = pool();
        Lease<Connection> held = lease(pool);
        Lease<Connection> bound = pool.tryLease("a", "joe");
        bound.opened(new Connection("bound"));
        for (int round = 0; round < 2; round++) {
            comeToRest();
            // By the short way, and by the long one.
            Lease<Connection> next = round == 0 ? held : bound;
            assertTrue(next.connection().isOpen());
            next.release();
            assertEquals(1, housekeepers(), "what is idle now is looked after");
        }
        comeToRest();
        assertEquals(0, pool.stats().available(), "what came back is closed in its turn");
    }

    @Test
    void whoWaitsForWhatWasLostAtRestIsServed() throws Exception {
        awaitNoHousekeeper();
        ConnectionPool<String, Connection> pool = pool();
        pool.setMaxTotal(1);
        AtomicReference<Lease<Connection>> lost = new AtomicReference<>(lease(pool));
        comeToRest();
        lost.set(null);
        Thread collector = new Thread(() -> {
            try {
                Eventually.awaitAfterCollection("it is closed", () -> disposals.count() > 0);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        collector.start();
        assertNull(pool.lease("b", 1, TimeUnit.MINUTES).connection());
        collector.join();
    }

    /** What a pool in a static field of a shared library's user is, as far as the library is concerned. */
    private static final class Application implements Disposer<Connection> {
        ConnectionPool<String, Connection> pool;

        @Override
        public void dispose(Connection connection, Cause cause) {}
    }

    @Test
    @Tag("long")
    void aPoolAtRestIsCollectedEvenIfWhatItKnowsRefersToIt() throws Exception {
        WeakReference<Object> application = applicationAtRest();
        Eventually.awaitAfterCollection("it is collected", () -> application.get() == null);
        // Its memory is freed by the thread of a later pool.
        awaitALook();
    }

    private WeakReference<Object> applicationAtRest() throws Exception {
        Application application = new Application();
        application.pool = ConnectionPool.<String, Connection>builder(application).manualClock(clock).build();
        lease(application.pool).release();
        lease(application.pool);
        comeToRest();
        return new WeakReference<>(application);
    }

    @Test
    @Tag("long")
    void aPoolThatIsEmptyNowAndThenIsNeverInUseWithoutTheThread() throws Exception {
        ConnectionPool<String, Connection> pool = pool();
        Threads.run(3, thread -> (Callable<Void>) () -> {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
            while (System.nanoTime() < end) {
                Lease<Connection> lease = lease(pool);
                assertTrue(housekeepers() > 0);
                lease.discard();
                // Now longer, now shorter than it takes to come to rest.
                Thread.sleep(ThreadLocalRandom.current().nextInt(2_000));
            }
            return null;
        });
        awaitNoHousekeeper();
    }

    @Test
    void whoAsksForWarningsOfAPoolAtRestIsWarnedOfWhatIsHeldThere() throws Exception {
        awaitNoHousekeeper();
        ConnectionPool<String, Connection> pool = pool();
        pool.setLeaseStacks(true);
        Lease<Connection> held = lease(pool);
        comeToRest();
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            pool.setLeakDetectionThreshold(10, TimeUnit.SECONDS);
            Eventually.await("a warning", () -> log.messages().toString().contains("has been held for longer"));
        }
        held.release();
    }

    @Test
    void whatIsToBeWarnedOfKeepsTheThreadUntilItWas() throws Exception {
        awaitNoHousekeeper();
        ConnectionPool<String, Connection> pool = pool();
        pool.setLeakDetectionThreshold(10, TimeUnit.MINUTES);
        Lease<Connection> held = lease(pool);
        pass(20);
        clock.advance(300, TimeUnit.SECONDS);
        // A pool that needs nothing has come to rest when that was seen for a second.
        for (long from = System.nanoTime(); System.nanoTime() - from < TimeUnit.MILLISECONDS.toNanos(1500);) {
            awaitALook();
        }
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            clock.advance(300, TimeUnit.SECONDS);
            Eventually.await("a warning", () -> log.messages().toString().contains("has been held for longer"));
        }
        awaitNoHousekeeper();
        held.release();
    }
}
