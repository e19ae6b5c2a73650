package io.leasehold;

import static java.util.Collections.emptyList;
import static java.util.Collections.singletonList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.Overflow;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** A lease that was kept with its connection is used again, and is as good as a new one. */
class LeaseAgainTest {
    private static final int TRIES = 200_000;

    private final Disposals disposals = new Disposals();
    private final Queue<String> leaks = new ConcurrentLinkedQueue<>();
    private final ManualClock clock = new ManualClock();
    private final Keeper keeper = new Keeper();
    private final ConnectionPool<String, Connection> pool = pool(leaks);

    private ConnectionPool<String, Connection> pool(Queue<String> leaks) {
        return ConnectionPool.<String, Connection>builder(disposals)
                .manualClock(clock)
                .leakListener((route, connection) -> leaks.add(route + " " + connection))
                .build();
    }

    /** Keeps ended leases, until they begin again. */
    private static final class Keeper implements LeaseKeeper<Connection, Lease<Connection>> {
        final Map<Connection, Lease<Connection>> kept = new ConcurrentHashMap<>();

        @Override
        public Lease<Connection> kept(Connection connection) {
            return kept.get(connection);
        }

        @Override
        public Lease<Connection> apply(Lease<Connection> lease) {
            Connection connection = lease.connection();
            if (connection != null) {
                kept.remove(connection);
            }
            return lease;
        }

        /** As whoever keeps leases does: it keeps one before that ends. */
        void release(Lease<Connection> lease) {
            kept.put(lease.connection(), lease);
            lease.release();
        }
    }

    private Lease<Connection> opened(String route, String name) {
        Lease<Connection> lease = pool.tryLease(route);
        lease.opened(new Connection(name));
        return lease;
    }

    @Test
    void aLeaseThatWasKeptIsUsedAgain() {
        Lease<Connection> lease = opened("a", "c");
        Connection connection = lease.connection();
        long first = lease.use();
        keeper.release(lease);
        assertEquals(0, lease.use());
        assertSame(lease, pool.tryLeaseAgain("a", keeper));
        assertSame(connection, lease.connection());
        assertEquals("a", lease.route());
        assertNotEquals(first, lease.use());
        assertNotEquals(0, lease.use());
        assertFalse(lease.isEnded());
        assertEquals(1, pool.stats().leased());
        lease.release();
        assertThrows(IllegalStateException.class, lease::release);
        assertThrows(IllegalStateException.class, lease::connection);
        assertEquals(1, pool.stats().available());
    }

    /** Ends a lease that is bound to somebody or nobody, with something said of its expiry, and leases some minutes later. */
    private Lease<Connection> releaseAndComeBack(String state, Consumer<Lease<Connection>> expiry, long minutes) {
        Lease<Connection> lease = pool.tryLease("a", state);
        if (lease.isVacancy()) {
            lease.opened(new Connection("c"));
        }
        expiry.accept(lease);
        assertTrue(lease.tryRelease(state));
        assertFalse(lease.tryRelease(state));
        clock.advance(minutes, TimeUnit.MINUTES);
        return pool.tryLease("a", state);
    }

    @Test
    void forHowLongAConnectionIsKeptIsSaidByATimeOrAMomentHoweverItsLeaseEnds() {
        for (String state : new String[] {null, "somebody"}) {
            List<Consumer<Lease<Connection>>> anHour = Arrays.asList(
                    lease -> lease.updateExpiry(1, TimeUnit.HOURS),
                    lease -> lease.updateExpiryAt(System.currentTimeMillis() + TimeUnit.HOURS.toMillis(1)));
            for (Consumer<Lease<Connection>> expiry : anHour) {
                Lease<Connection> before = releaseAndComeBack(state, expiry, 59);
                assertFalse(before.isVacancy());
                before.discard();
                Lease<Connection> after = releaseAndComeBack(state, expiry, 62);
                assertTrue(after.isVacancy());
                after.discard();
            }
            List<Consumer<Lease<Connection>>> noTime = Arrays.asList(
                    lease -> lease.updateExpiry(0, TimeUnit.HOURS),
                    lease -> lease.updateExpiryAt(System.currentTimeMillis() - 60_000),
                    lease -> lease.updateExpiryAt(0),
                    lease -> lease.updateExpiryAt(-1));
            for (Consumer<Lease<Connection>> expiry : noTime) {
                Lease<Connection> after = releaseAndComeBack(state, expiry, 0);
                assertTrue(after.isVacancy());
                after.discard();
            }
            List<Consumer<Lease<Connection>>> forEver = Arrays.asList(
                    lease -> {},
                    lease -> lease.updateExpiry(Long.MAX_VALUE, TimeUnit.MILLISECONDS),
                    lease -> lease.updateExpiryAt(Long.MAX_VALUE));
            for (Consumer<Lease<Connection>> expiry : forEver) {
                Lease<Connection> after = releaseAndComeBack(state, expiry, TimeUnit.DAYS.toMinutes(100_000));
                assertFalse(after.isVacancy());
                after.discard();
            }
        }
        Lease<Connection> vacancy = pool.tryLease("a");
        assertThrows(IllegalStateException.class, () -> vacancy.tryAttach(SocketProbe.of(new Socket()), true));
        vacancy.discard();
    }

    @Test
    void onlyWhatIsIdleAndBoundToNobodyIsLeasedAgain() {
        assertNull(pool.tryLeaseAgain("a", keeper));
        keeper.release(opened("a", "c"));
        assertNull(pool.tryLeaseAgain("b", keeper));
        Lease<Connection> lease = pool.tryLeaseAgain("a", keeper);
        assertNull(pool.tryLeaseAgain("a", keeper));
        keeper.kept.put(lease.connection(), lease);
        lease.release("somebody");
        assertNull(pool.tryLeaseAgain("a", keeper));
        assertEquals(1, pool.stats().available());
    }

    @Test
    void withoutTheLastLeaseThereIsANewOne() {
        Lease<Connection> first = opened("a", "c");
        Connection connection = first.connection();
        first.release();
        Lease<Connection> second = pool.tryLeaseAgain("a", keeper);
        assertNotSame(first, second);
        assertSame(connection, second.connection());
        assertEquals("a", second.route());
        second.release();
        // Not the last one.
        keeper.kept.put(connection, first);
        Lease<Connection> third = pool.tryLeaseAgain("a", keeper);
        assertNotSame(first, third);
        assertNotSame(second, third);
        assertTrue(first.isEnded());
        assertTrue(second.isEnded());
        third.discard();
        assertEquals(singletonList("c DISCARDED"), disposals.take());
    }

    @Test
    void ofALeaseBeforeNothingIsLeft() {
        Lease<Connection> lease = opened("a", "c");
        lease.updateExpiry(1, TimeUnit.SECONDS);
        keeper.release(lease);
        assertSame(lease, pool.tryLeaseAgain("a", keeper));
        lease.updateExpiryAt(Long.MAX_VALUE);
        keeper.release(lease);
        assertSame(lease, pool.tryLeaseAgain("a", keeper));
        clock.advance(2, TimeUnit.SECONDS);
        // As before, which is without end.
        keeper.release(lease);
        clock.advance(2, TimeUnit.SECONDS);
        assertSame(lease, pool.tryLeaseAgain("a", keeper));
        assertEquals(emptyList(), disposals.take());
        lease.discard();
    }

    @Test
    void whatTheKeeperThrowsDiscardsTheLease() {
        for (boolean isAsked : new boolean[] {true, false}) {
            keeper.release(opened("a", "c"));
            assertThrows(IllegalStateException.class, () -> pool.tryLeaseAgain("a", new LeaseKeeper<Connection, Object>() {
                @Override
                public Lease<Connection> kept(Connection connection) {
                    if (isAsked) {
                        throw new IllegalStateException("a test");
                    }
                    return keeper.kept(connection);
                }

                @Override
                public Object apply(Lease<Connection> lease) {
                    throw new IllegalStateException("a test");
                }
            }));
            assertEquals(singletonList("c DISCARDED"), disposals.take());
            assertEquals(0, pool.stats().leased() + pool.stats().available());
        }
        assertThrows(IllegalArgumentException.class, () -> pool.tryLeaseAgain("a", null));
        assertThrows(IllegalArgumentException.class, () -> pool.tryLeaseAgain(null, keeper));
    }

    @Test
    void whatTheKeeperHasEndedBeforeItFailsIsWhoeversHasItNow() {
        keeper.release(opened("a", "c"));
        List<Lease<Connection>> others = new ArrayList<>();
        assertThrows(IllegalStateException.class, () -> pool.tryLeaseAgain("a", new LeaseKeeper<Connection, Object>() {
            @Override
            public Lease<Connection> kept(Connection connection) {
                return null;
            }

            @Override
            public Object apply(Lease<Connection> lease) {
                lease.release();
                others.add(pool.tryLease("a"));
                throw new IllegalStateException("a test");
            }
        }));
        assertEquals(1, pool.stats().leased());
        others.get(0).release();
        assertEquals(emptyList(), disposals.take());
        assertEquals(1, pool.stats().available());
    }

    @Test
    void fromWhomALastLeaseHasEndedItIsKeptUntilThereIsAnother() {
        Lease<Connection> first = opened("a", "c");
        first.release();
        for (boolean fails : new boolean[] {false, true}) {
            LeaseKeeper<Connection, Lease<Connection>> meddler = new LeaseKeeper<Connection, Lease<Connection>>() {
                @Override
                public Lease<Connection> kept(Connection connection) {
                    assertTrue(first.isEnded());
                    assertEquals(0, first.use());
                    assertThrows(IllegalStateException.class, first::connection);
                    assertFalse(first.tryRelease());
                    assertFalse(first.tryRelease("somebody"));
                    assertFalse(first.tryAttach(new Socket()));
                    first.detach();
                    first.close();
                    assertEquals(1, pool.stats().leased());
                    if (fails) {
                        throw new IllegalStateException("a test");
                    }
                    return null;
                }

                @Override
                public Lease<Connection> apply(Lease<Connection> lease) {
                    return lease;
                }
            };
            if (fails) {
                assertThrows(IllegalStateException.class, () -> pool.tryLeaseAgain("a", meddler));
            } else {
                Lease<Connection> second = pool.tryLeaseAgain("a", meddler);
                assertTrue(first.isEnded());
                second.release();
                // So that it is the last one again.
                assertEquals(1, pool.stats().available());
            }
        }
        assertEquals(0, pool.stats().leased());
        assertEquals(singletonList("c DISCARDED"), disposals.take());
    }

    /** Who has run out of stack may be unable to. */
    @Test
    void whoseLeaseStraysEntersNoMonitorForThat() throws Exception {
        keeper.release(opened("a", "c"));
        FutureTask<?> failing = new FutureTask<>(() -> {
            assertThrows(IllegalStateException.class, () -> pool.tryLeaseAgain("a", new LeaseKeeper<Connection, Object>() {
                @Override
                public Lease<Connection> kept(Connection connection) {
                    return keeper.kept(connection);
                }

                @Override
                public Object apply(Lease<Connection> lease) {
                    throw new IllegalStateException("a test");
                }
            }));
            assertThrows(IllegalStateException.class, () -> pool.tryLeaseFor("a", null, lease -> {
                throw new IllegalStateException("a test");
            }));
            return null;
        });
        synchronized (pool.state.strays) {
            new Thread(failing).start();
            failing.get(1, TimeUnit.MINUTES);
        }
        assertEquals(singletonList("c DISCARDED"), disposals.take());
        assertEquals(0, pool.stats().leased());
    }

    @Test
    void whoThrowsWhenItsLeaseIsAnothersAlreadyEndsNone() {
        keeper.release(opened("a", "c"));
        List<Lease<Connection>> others = new ArrayList<>();
        assertThrows(IllegalStateException.class, () -> pool.tryLeaseAgain("a", new LeaseKeeper<Connection, Object>() {
            @Override
            public Lease<Connection> kept(Connection connection) {
                return keeper.kept(connection);
            }

            @Override
            public Object apply(Lease<Connection> lease) {
                return releasedAndLeasedByAnother(lease, others);
            }
        }));
        goesOn(others.remove(0));
        assertThrows(IllegalStateException.class, () -> pool.tryLeaseFor("a", null, lease -> releasedAndLeasedByAnother(lease, others)));
        goesOn(others.remove(0));
        assertThrows(IllegalStateException.class,
                () -> pool.leaseFor("a", null, 1, TimeUnit.HOURS, lease -> releasedAndLeasedByAnother(lease, others)));
        goesOn(others.remove(0));
        assertEquals(emptyList(), disposals.take());
    }

    private Object releasedAndLeasedByAnother(Lease<Connection> lease, List<Lease<Connection>> others) {
        keeper.release(lease);
        others.add(pool.tryLeaseAgain("a", keeper));
        assertSame(lease, others.get(0));
        throw new IllegalStateException("a test");
    }

    private void goesOn(Lease<Connection> lease) {
        assertFalse(lease.isEnded());
        assertEquals(1, pool.stats().leased());
        keeper.release(lease);
        assertEquals(1, pool.stats().available());
    }

    @Test
    void aLeaseThatIsLostTheSecondTimeIsFound() throws Exception {
        for (int i = 0; i < 5; i++) {
            useAndLose("c" + i);
            String name = "c" + i;
            Eventually.awaitAfterCollection("it is found", () -> leaks.contains("a " + name));
            Eventually.await("its place is there again", () -> pool.stats().leased() == 0);
            Eventually.await("it is closed", () -> disposals.take().contains(name + " LEAKED"));
        }
        assertEquals(5, leaks.size());
    }

    private void useAndLose(String name) {
        keeper.release(opened("a", name));
        for (int i = 0; i < 3; i++) {
            keeper.release(pool.tryLeaseAgain("a", keeper));
        }
        pool.tryLeaseAgain("a", keeper);
    }

    @Test
    void aPoolWhoseLeasesAreUsedAgainIsUsed() {
        Lease<Connection> lease = opened("a", "c");
        Cell cell = pool.state.cells.get(Slots.of(lease.use()));
        keeper.release(lease);
        assertTrue(cell.wasUsed());
        assertFalse(cell.wasUsed());
        for (int i = 0; i < 3; i++) {
            keeper.release(pool.tryLeaseAgain("a", keeper));
            assertTrue(cell.wasUsed());
            assertFalse(cell.wasUsed());
        }
    }

    @Test
    void afterAShutdownNothingIsLeasedAgain() {
        Lease<Connection> other = opened("a", "d");
        keeper.release(opened("a", "c"));
        pool.shutdown(ShutdownMode.GRACEFUL);
        assertNull(pool.tryLeaseAgain("a", keeper));
        keeper.release(other);
        assertNull(pool.tryLeaseAgain("a", keeper));
        assertTrue(pool.isTerminated());
    }

    @Test
    void untilAMomentOfTheWallClockAConnectionIsKept() {
        Lease<Connection> lease = opened("a", "past");
        lease.updateExpiryAt(System.currentTimeMillis() - 1_000);
        lease.release();
        assertEquals(singletonList("past DISCARDED"), disposals.take());
        lease = opened("a", "past, and bound");
        lease.updateExpiryAt(0);
        lease.release("somebody");
        assertEquals(singletonList("past, and bound DISCARDED"), disposals.take());
        for (String state : new String[] {null, "somebody"}) {
            lease = opened("a", "c");
            lease.updateExpiryAt(System.currentTimeMillis() + TimeUnit.HOURS.toMillis(1));
            lease.release(state);
            clock.advance(59, TimeUnit.MINUTES);
            lease = pool.tryLease("a", state);
            assertFalse(lease.isVacancy());
            lease.release(state);
            clock.advance(2, TimeUnit.MINUTES);
            pool.closeExpired();
            assertEquals(singletonList("c EXPIRED"), disposals.take());
            lease = opened("a", "for ever");
            lease.updateExpiryAt(Long.MAX_VALUE);
            lease.release(state);
            clock.advance(1_000_000, TimeUnit.DAYS);
            pool.closeExpired();
            assertEquals(emptyList(), disposals.take());
            pool.closeIdle(0, TimeUnit.SECONDS);
            disposals.take();
        }
    }

    @Test
    void manyThreadsUseFewLeasesAgainAndNoneTwiceAtOnce() throws Exception {
        useByMany();
        // While somebody waits, releases go the long way, and what was waited for in vain is released by a lease that nobody has kept.
        AtomicBoolean isOver = new AtomicBoolean();
        Thread other = new Thread(() -> {
            while (!isOver.get()) {
                pool.requestLease("a", null, 1, TimeUnit.HOURS, GIVING_BACK).cancel();
            }
        });
        pool.setMaxPerRoute("a", 2);
        other.start();
        try {
            useByMany();
        } finally {
            isOver.set(true);
            other.join();
        }
        assertEquals(0, pool.stats().leased());
    }

    private static final LeaseHook<Connection> GIVING_BACK = new LeaseHook<Connection>() {
        @Override
        public void leased(Lease<Connection> lease) {
            if (lease.isVacancy()) {
                lease.discard();
            } else {
                lease.release();
            }
        }

        @Override
        public void failed(Throwable why) {
            throw new AssertionError(why);
        }
    };

    private void useByMany() throws Exception {
        List<Lease<Connection>> both = new ArrayList<>();
        while (both.size() < 2) {
            Lease<Connection> lease = pool.tryLease("a");
            if (lease != null) {
                both.add(lease);
            }
        }
        both.stream().filter(Lease::isVacancy).forEach(lease -> lease.opened(new Connection("c")));
        both.forEach(keeper::release);
        Map<Connection, Thread> users = new ConcurrentHashMap<>();
        AtomicInteger left = new AtomicInteger(TRIES);
        Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Thread thread = new Thread(() -> {
                try {
                    while (left.decrementAndGet() > 0 && failures.isEmpty()) {
                        Lease<Connection> lease = pool.tryLeaseAgain("a", keeper);
                        if (lease == null) {
                            Thread.yield();
                            continue;
                        }
                        Connection connection = lease.connection();
                        assertNull(users.put(connection, Thread.currentThread()));
                        assertSame(Thread.currentThread(), users.remove(connection));
                        keeper.release(lease);
                    }
                } catch (Throwable e) {
                    failures.add(e);
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(emptyList(), new ArrayList<>(failures));
        assertEquals(emptyList(), disposals.take());
        assertTrue(leaks.isEmpty());
        pool.closeIdle(0, TimeUnit.SECONDS);
        disposals.take();
    }

    @Test
    void aThreadWithoutStackLosesNone() throws Exception {
        Lease<?>[] last = new Lease<?>[1];
        int overflows = Overflow.atEveryDepth(() -> {
            Lease<?> before = last[0];
            if (before != null) {
                before.close();
                last[0] = null;
            }
            Lease<Connection> lease = pool.tryLeaseAgain("a", keeper);
            last[0] = lease == null ? lease = pool.tryLease("a") : lease;
            if (lease.isVacancy()) {
                lease.opened(new Connection("c"));
            }
            keeper.release(lease);
            last[0] = null;
        });
        assertTrue(overflows > 0);
        if (last[0] != null) {
            last[0].close();
        }
        // A lease that the test itself has lost, as its own stack was over on the way back to it, is the collector's to find. What the pool
        // had lost would stay leased: nothing refers to it.
        Eventually.awaitAfterCollection("none is leased", () -> pool.stats().leased() == 0);
    }
}
