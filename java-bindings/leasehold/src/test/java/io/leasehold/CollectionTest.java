package io.leasehold;

import static java.util.Collections.emptyList;
import static java.util.Collections.singletonList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the garbage collector finds: leases nobody ended, pools nobody closed. */
class CollectionTest {
    private static final String HOUSEKEEPER = "leasehold-housekeeper";

    private final Disposals disposals = new Disposals();

    private final Queue<String> leaks = new ConcurrentLinkedQueue<>();

    private ConnectionPool<String, Connection> pool(int maxTotal) {
        // Apart from the test: a listener that refers to it would keep its pools.
        Queue<String> leaks = this.leaks;
        return ConnectionPool.<String, Connection>builder(disposals)
                .maxTotal(maxTotal)
                .leakListener((route, connection) -> leaks.add(route + " " + connection))
                .build();
    }

    private static void leak(ConnectionPool<String, Connection> pool, String route, String connection) {
        Lease<Connection> lease = pool.tryLease(route);
        if (lease.connection() == null && connection != null) {
            lease.opened(new Connection(connection));
        }
    }

    static long housekeepers() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals(HOUSEKEEPER))
                .count();
    }

    @Test
    void aLeaseNobodyEndedGivesItsSlotBackAndIsLogged() throws Exception {
        ConnectionPool<String, Connection> pool =
                ConnectionPool.<String, Connection>builder(disposals).maxTotal(1).build();
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            leak(pool, "leaky", "leaked");
            Eventually.awaitAfterCollection("the slot is back", () -> pool.stats().leased() == 0);
            Eventually.await("it is logged", () -> log.messages().toString().contains("a lease to leaky was garbage collected"));
            Eventually.await("it is closed", () -> disposals.count() > 0);
            assertFalse(log.messages().contains(pool.name() + ": a leak listener failed"), "there is none");
        }
        assertEquals(singletonList("leaked LEAKED"), disposals.take());
        Lease<Connection> lease = pool.tryLease("leaky");
        assertNull(lease.connection());
        lease.release();
    }

    @Test
    void aLeakIsToldToTheListenerWithItsConnectionStillOpen() throws Exception {
        Queue<String> told = new ConcurrentLinkedQueue<>();
        ConnectionPool<String, Connection> pool = ConnectionPool.<String, Connection>builder(disposals)
                .leakListener((route, connection) -> {
                    told.add(route + " " + connection + " " + (connection == null || connection.isOpen()));
                    throw new IllegalStateException("of the test's own making");
                })
                .build();
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            leak(pool, "a", "c");
            leak(pool, "vacancy", null);
            Eventually.awaitAfterCollection("both are told", () -> told.size() == 2);
            assertTrue(told.contains("a c true"), told.toString());
            assertTrue(told.contains("vacancy null true"), told.toString());
            Eventually.await("the slots are back", () -> pool.stats().leased() == 0);
            Eventually.await("it is closed", () -> disposals.count() == 1);
            assertTrue(log.messages().contains(pool.name() + ": a leak listener failed"), log.messages().toString());
            assertFalse(log.messages().toString().contains(pool.name() + ": a lease to "), "who has a listener needs no log");
        }
    }

    @Test
    void aLeakServesWhoWaits() throws Exception {
        ConnectionPool<String, Connection> pool = pool(1);
        leak(pool, "a", "leaked");
        Thread collector = new Thread(() -> {
            try {
                Eventually.awaitAfterCollection("collected", () -> disposals.count() > 0);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        collector.start();
        assertNull(pool.lease("b", 1, TimeUnit.MINUTES).connection());
        collector.join();
    }

    @Test
    void aLeaseThatEndedIsNoLeak() throws Exception {
        ConnectionPool<String, Connection> pool = pool(10);
        WeakReference<Object> last = null;
        for (int i = 0; i < 1_000; i++) {
            Lease<Connection> lease = pool.tryLease("a");
            if (lease.connection() == null) {
                lease.opened(new Connection("c"));
            }
            lease.release();
            last = new WeakReference<>(lease);
        }
        Lease<Connection> held = pool.tryLease("a");
        WeakReference<Object> lease = last;
        Eventually.awaitAfterCollection("the leases are collected", () -> lease.get() == null);
        awaitTheHousekeeper();
        assertTrue(held.connection().isOpen());
        held.release();
        assertTrue(leaks.isEmpty(), leaks.toString());
        assertEquals(emptyList(), disposals.take());
    }

    /** Whatever was collected before this call, the housekeeper has dealt with when it returns. */
    private void awaitTheHousekeeper() throws Exception {
        ConnectionPool<String, Connection> other =
                ConnectionPool.<String, Connection>builder(disposals).leakListener(Disposals.LEAKS_ARE_EXPECTED).build();
        leak(other, "other", null);
        Eventually.awaitAfterCollection("the housekeeper has looked", () -> other.stats().leased() == 0);
    }

    @Test
    void aLeaseEndedByAFinalizerIsNoLeak() throws Exception {
        ConnectionPool<String, Connection> pool = pool(10);
        holdInAFinalizer(pool);
        Eventually.awaitAfterCollection("it is idle", () -> pool.stats().available() == 1);
        awaitTheHousekeeper();
        assertTrue(leaks.isEmpty(), leaks.toString());
        assertEquals(emptyList(), disposals.take());
    }

    @Test
    @Tag("long")
    void leaksThatRaceWithReleasesLoseNoSlot() throws Exception {
        int slots = 4;
        ConnectionPool<String, Connection> pool = pool(slots);
        AtomicInteger dropped = new AtomicInteger();
        AtomicBoolean stop = new AtomicBoolean();
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Thread worker = new Thread(() -> {
                ThreadLocalRandom random = ThreadLocalRandom.current();
                while (!stop.get()) {
                    Lease<Connection> lease = pool.tryLease("r" + random.nextInt(2));
                    if (lease == null) {
                        Thread.yield();
                        continue;
                    }
                    if (lease.connection() == null && random.nextInt(8) > 0) {
                        lease.opened(new Connection("c"));
                    }
                    if (random.nextInt(1000) == 0) {
                        dropped.incrementAndGet();
                    } else if (random.nextInt(10) == 0) {
                        lease.discard();
                    } else {
                        lease.release();
                    }
                }
            });
            workers.add(worker);
            worker.start();
        }
        Eventually.awaitAfterCollection("a hundred leaks were found", () -> leaks.size() >= 100);
        stop.set(true);
        for (Thread worker : workers) {
            worker.join();
        }
        Eventually.awaitAfterCollection("all leaks were found", () -> leaks.size() == dropped.get());
        Eventually.await("all slots are back", () -> pool.stats().leased() == 0);
        pool.closeIdle(0, TimeUnit.SECONDS);
        for (int i = 0; i < slots; i++) {
            assertNotNull(pool.tryLease("a"));
        }
    }

    private static void holdInAFinalizer(ConnectionPool<String, Connection> pool) {
        Lease<Connection> lease = pool.tryLease("a");
        lease.opened(new Connection("c"));
        new Object() {
            @Override
            @SuppressWarnings({"deprecation", "removal"})
            protected void finalize() {
                lease.release();
            }
        };
    }

    @Test
    void aPoolNobodyRefersToClosesItsConnections() throws Exception {
        WeakReference<Object> pool = dropAPool();
        Eventually.awaitAfterCollection("the pool is collected", () -> pool.get() == null);
        Eventually.awaitAfterCollection("its connections are closed", () -> disposals.count() == 3);
        List<String> closed = disposals.take();
        assertTrue(closed.contains("idle POOL_COLLECTED"), closed.toString());
        assertTrue(closed.contains("bound POOL_COLLECTED"), closed.toString());
        assertTrue(closed.contains("leaked LEAKED"), closed.toString());
        assertEquals(singletonList("a leaked"), new ArrayList<>(leaks));
    }

    private WeakReference<Object> dropAPool() {
        ConnectionPool<String, Connection> pool = pool(10);
        Lease<Connection> idle = pool.tryLease("a");
        idle.opened(new Connection("idle"));
        Lease<Connection> bound = pool.tryLease("a", "joe");
        bound.opened(new Connection("bound"));
        leak(pool, "a", "leaked");
        bound.release();
        idle.release();
        return new WeakReference<>(pool);
    }

    @Test
    void aLeaseKeepsWhatItNeedsOfItsPool() throws Exception {
        Lease<Connection> lease = leaseOfADroppedPool();
        for (int i = 0; i < 5; i++) {
            System.gc();
        }
        assertTrue(lease.connection().isOpen());
        lease.release();
        lease = null;
        Eventually.awaitAfterCollection("its connection is closed", () -> disposals.count() == 1);
        assertEquals(singletonList("c POOL_COLLECTED"), disposals.take());
    }

    private Lease<Connection> leaseOfADroppedPool() {
        Lease<Connection> lease = pool(1).tryLease("a");
        lease.opened(new Connection("c"));
        return lease;
    }

    @Test
    void aStateThatNothingIsBoundToIsForgotten() throws Exception {
        ConnectionPool<String, Connection> pool = pool(1);
        WeakReference<Object> state = bindToAState(pool);
        Eventually.awaitAfterCollection("the state is forgotten", () -> state.get() == null);
        assertNotNull(pool.tryLease("a").connection());
    }

    private static WeakReference<Object> bindToAState(ConnectionPool<String, Connection> pool) {
        Object state = new Object();
        Lease<Connection> lease = pool.tryLease("a", state);
        lease.opened(new Connection("c"));
        lease.release();
        System.gc();
        Lease<Connection> again = pool.tryLease("a", state);
        assertNotNull(again.connection(), "still bound to it after a collection");
        again.release(null);
        pool.tryLease("a").release();
        return new WeakReference<>(state);
    }

    @Test
    @Tag("long")
    void aStateIsNeverTakenForAnother() throws Exception {
        ConnectionPool<String, Connection> pool = pool(100);
        for (int round = 0; round < 20; round++) {
            for (int i = 0; i < 100; i++) {
                String user = "user" + round + "." + i;
                Lease<Connection> lease = pool.tryLease("a", user);
                if (lease.connection() == null) {
                    lease.opened(new Connection(user));
                }
                assertEquals(user, lease.connection().toString(), "somebody else's connection");
                lease.release();
            }
            System.gc();
        }
    }

    @Test
    void theHousekeeperRefersToNobodysClassLoader() {
        ConnectionPool<String, Connection> pool = pool(1);
        pool.tryLease("a").release();
        Thread housekeeper = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals(HOUSEKEEPER))
                .findFirst()
                .get();
        assertTrue(housekeeper.isDaemon());
        assertNull(housekeeper.getContextClassLoader());
        pool.close();
    }

    /** A pool for every request, never closed: the idiom that must not exhaust anything. */
    @Test
    @Tag("long")
    void aHundredThousandPoolsThatAreDroppedLeaveNothingBehind() throws Exception {
        AtomicInteger closed = new AtomicInteger();
        long before = 0;
        for (int made = 5_000; made <= 100_000; made += 5_000) {
            makeAndDrop(5_000, closed);
            System.gc();
            int all = made;
            Eventually.await("all are gone", () -> closed.get() == all);
            if (made == 10_000) {
                before = kilobytesOutsideTheHeap();
            }
        }
        Eventually.awaitAfterCollection("the thread is gone with them", () -> housekeepers() == 0);
        long grown = kilobytesOutsideTheHeap() - before;
        // A pool has several KiB of native memory: had they not been freed, there would be hundreds of MiB.
        assertTrue(grown < 200_000, "memory grew by " + grown + " KiB");
    }

    private static void makeAndDrop(int pools, AtomicInteger closed) {
        for (int i = 0; i < pools; i++) {
            ConnectionPool<String, Connection> pool = ConnectionPool.<String, Connection>builder(
                            (connection, cause) -> closed.incrementAndGet())
                    .build();
            Lease<Connection> lease = pool.tryLease("a");
            lease.opened(new Connection("c"));
            lease.release();
        }
    }

    /** What the process has in memory, less what the Java heap may have of it. */
    private static long kilobytesOutsideTheHeap() throws Exception {
        for (String line : Files.readAllLines(Paths.get("/proc/self/status"), StandardCharsets.UTF_8)) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", "")) - Runtime.getRuntime().totalMemory() / 1024;
            }
        }
        throw new AssertionError("no VmRSS in /proc/self/status");
    }
}
