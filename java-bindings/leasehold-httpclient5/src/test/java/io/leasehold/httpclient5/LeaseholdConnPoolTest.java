package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.Metrics;
import io.leasehold.Watching;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.ConnPoolListener;
import org.apache.hc.core5.pool.ConnPoolStats;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.util.DeadlineTimeoutException;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.apache.hc.core5.util.TimeoutValueException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the pool promises beyond what HttpCore's own does, and so cannot be compared with it. */
class LeaseholdConnPoolTest {
    private static final Timeout LONG = Timeout.ofMinutes(10);

    private final LogCapture log = LogCapture.of(Conn.LOGGER);
    private final LeaseholdConnPool<String, Conn> pool = new LeaseholdConnPool<>(1, 2);
    // An entry that nobody has gives its place back.
    private final List<PoolEntry<String, Conn>> held = new ArrayList<>();

    /** Keeps what it is told. */
    private static final class Told implements FutureCallback<PoolEntry<String, Conn>> {
        final List<Object> told = Collections.synchronizedList(new ArrayList<>());

        @Override
        public void completed(PoolEntry<String, Conn> entry) {
            told.add(entry);
        }

        @Override
        public void failed(Exception e) {
            told.add(e);
        }

        @Override
        public void cancelled() {
            told.add("cancelled");
        }
    }

    @AfterEach
    void close() {
        pool.close(CloseMode.IMMEDIATE);
        log.close();
    }

    /** Leases an entry until the test ends. */
    private void occupy(String route) throws Exception {
        held.add(pool.lease(route, null).get());
    }

    private PoolEntry<String, Conn> open(LeaseholdConnPool<String, Conn> pool, String route, Conn connection) throws Exception {
        PoolEntry<String, Conn> entry = pool.lease(route, null).get();
        entry.assignConnection(connection);
        return entry;
    }

    /** Runs it on a thread of its own and waits for that: what waits for a lock that the caller has fails the test. */
    private static void elsewhere(Callable<?> work) {
        FutureTask<?> task = new FutureTask<>(work);
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        try {
            task.get(60, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aRequestFailsAtItsDeadlineThoughNobodyAsks() throws Exception {
        occupy("a");
        Told told = new Told();
        Future<PoolEntry<String, Conn>> future = pool.lease("a", null, Timeout.ofMilliseconds(30), told);
        Eventually.await("its failure", () -> told.told.size() == 1);
        assertTrue(future.isDone());
        assertFalse(future.isCancelled());
        assertEquals(0, pool.getTotalStats().getPending());
        Exception failure = (Exception) told.told.get(0);
        assertEquals(DeadlineTimeoutException.class, failure.getClass());
        assertTrue(failure.getMessage().startsWith("Deadline: ") && failure.getMessage().endsWith(" overdue"), failure.getMessage());
        assertSame(failure, assertThrows(ExecutionException.class, future::get).getCause());
        assertFalse(future.cancel(true));
    }

    @Test
    void whoAsksForLongerHearsOfTheDeadlineWhenItComes() throws Exception {
        occupy("a");
        Future<PoolEntry<String, Conn>> future = pool.lease("a", null, Timeout.ofMilliseconds(30), null);
        ExecutionException thrown = assertThrows(ExecutionException.class, () -> future.get(10, TimeUnit.MINUTES));
        assertEquals(DeadlineTimeoutException.class, thrown.getCause().getClass());
    }

    @Test
    void whoAsksForNoLongerThanTheRequestMayWaitIsToldThatHisTimeIsOver() throws Exception {
        occupy("a");
        for (int i = 0; i < 20; i++) {
            // Whichever of the two comes first, as managers ask so.
            Future<PoolEntry<String, Conn>> future = pool.lease("a", null, Timeout.ofMilliseconds(5), null);
            long start = System.nanoTime();
            TimeoutValueException thrown = assertThrows(TimeoutValueException.class, () -> future.get(5, TimeUnit.MILLISECONDS));
            long waited = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
            assertTrue(thrown.getMessage().startsWith("Timeout deadline: 5 MILLISECONDS, actual: "), thrown.getMessage());
            long said = thrown.getActual().toMilliseconds();
            assertTrue(said >= 5 && said <= Math.max(5, waited), thrown::getMessage);
        }
        Future<PoolEntry<String, Conn>> late = pool.lease("a", null, Timeout.ofMilliseconds(5), null);
        Eventually.await("its failure", late::isDone);
        assertThrows(TimeoutValueException.class, () -> late.get(5, TimeUnit.MILLISECONDS));
        assertThrows(TimeoutValueException.class, () -> late.get(0, TimeUnit.MILLISECONDS));
    }

    @Test
    void aClosedPoolEndsAllWhoWait() throws Exception {
        occupy("a");
        Told told = new Told();
        pool.lease("a", null, LONG, told);
        FutureTask<Object> waiter = new FutureTask<>(() -> pool.lease("a", null, Timeout.DISABLED, null).get());
        Thread thread = new Thread(waiter);
        thread.start();
        Eventually.await("both to wait", () -> pool.getTotalStats().getPending() == 2);
        pool.close();
        thread.join();
        Throwable thrown = assertThrows(ExecutionException.class, waiter::get).getCause().getCause();
        assertEquals(IllegalStateException.class, thrown.getClass());
        assertEquals("Connection pool shut down", thrown.getMessage());
        Eventually.await("the callback", () -> told.told.size() == 1);
        assertEquals("Connection pool shut down", ((IllegalStateException) told.told.get(0)).getMessage());
        assertEquals(0, pool.getTotalStats().getPending() + pool.getTotalStats().getLeased());
    }

    @Test
    void aCloseThatHangsDelaysNobody() throws Exception {
        CountDownLatch isClosing = new CountDownLatch(1);
        CountDownLatch goesOn = new CountDownLatch(1);
        class Hanging extends Conn {
            Hanging() {
                super("hanging");
            }

            @Override
            public void close(CloseMode mode) {
                isClosing.countDown();
                try {
                    goesOn.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }
        try {
            pool.setMaxTotal(1);
            pool.release(open(pool, "a", new Hanging()), true);
            // Its place is needed.
            PoolEntry<String, Conn> b = open(pool, "b", new Conn("b"));
            isClosing.await();
            pool.release(b, true);
            pool.setMaxTotal(2);
            pool.release(open(pool, "c", new Hanging()), true);
            pool.closeIdle(TimeValue.ZERO_MILLISECONDS);
            assertEquals(0, pool.getTotalStats().getAvailable());
            pool.release(open(pool, "a", new Hanging()), true);
            occupy("a");
            pool.close(CloseMode.GRACEFUL);
        } finally {
            goesOn.countDown();
        }
    }

    @Test
    void noLockIsHeldWhileACallbackIsTold() throws Exception {
        PoolEntry<String, Conn> first = open(pool, "a", new Conn("a"));
        AtomicReference<Object> told = new AtomicReference<>();
        FutureCallback<PoolEntry<String, Conn>> callback = new FutureCallback<PoolEntry<String, Conn>>() {
            @Override
            public void completed(PoolEntry<String, Conn> entry) {
                elsewhere(() -> {
                    pool.release(pool.lease("b", null, LONG, null).get(), true);
                    pool.setMaxPerRoute("c", 1);
                    return pool.getTotalStats();
                });
                told.set(entry);
            }

            @Override
            public void failed(Exception e) {}

            @Override
            public void cancelled() {
                elsewhere(() -> pool.lease("b", null, LONG, null).cancel(true));
                told.set("cancelled");
            }
        };
        pool.lease("a", null, LONG, callback);
        pool.release(first, true);
        assertSame(first, told.get());
        pool.lease("a", null, LONG, callback).cancel(true);
        assertEquals("cancelled", told.get());
    }

    @Test
    void aCallbackThatFailsOnAnothersThreadIsLoggedAndLosesNothing() throws Exception {
        PoolEntry<String, Conn> first = open(pool, "a", new Conn("a"));
        Told told = new Told();
        IllegalStateException failure = new IllegalStateException("a callback that fails");
        try (LogCapture warnings = LogCapture.of(LeaseholdConnPool.class)) {
            FutureCallback<PoolEntry<String, Conn>> failing = new FutureCallback<PoolEntry<String, Conn>>() {
                @Override
                public void completed(PoolEntry<String, Conn> entry) {
                    throw failure;
                }

                @Override
                public void failed(Exception e) {
                    throw failure;
                }

                @Override
                public void cancelled() {}
            };
            Future<PoolEntry<String, Conn>> future = pool.lease("a", null, LONG, failing);
            pool.lease("a", null, LONG, told);
            pool.release(first, true);
            assertEquals(Collections.singletonList(failure), warnings.thrown());
            assertSame(first, future.get());
            Future<PoolEntry<String, Conn>> late = pool.lease("a", null, Timeout.ofMilliseconds(1), failing);
            Eventually.await("it to be told of", () -> warnings.thrown().size() == 2);
            assertThrows(ExecutionException.class, late::get);
        }
        pool.release(first, true);
        assertEquals(Collections.singletonList(first), told.told);
    }

    @Test
    void aListenerThatFailsLosesNoPlaceAndTellsWhoAsked() throws Exception {
        RuntimeException failure = new RuntimeException("a listener that fails");
        AtomicReference<RuntimeException> fails = new AtomicReference<>(failure);
        LeaseholdConnPool<String, Conn> listened =
                new LeaseholdConnPool<>(1, 1, null, PoolReusePolicy.LIFO, new ConnPoolListener<String>() {
                    @Override
                    public void onLease(String route, ConnPoolStats<String> stats) {
                        elsewhere(stats::getTotalStats);
                        if (fails.get() != null) {
                            throw fails.get();
                        }
                    }

                    @Override
                    public void onRelease(String route, ConnPoolStats<String> stats) {
                        elsewhere(stats::getTotalStats);
                    }
                });
        assertSame(failure, assertThrows(RuntimeException.class, () -> listened.lease("a", null)));
        assertEquals(0, listened.getTotalStats().getLeased());
        fails.set(null);
        PoolEntry<String, Conn> first = open(listened, "a", new Conn("a"));
        Future<PoolEntry<String, Conn>> waits = listened.lease("a", null);
        Future<PoolEntry<String, Conn>> next = listened.lease("a", null);
        fails.set(failure);
        listened.release(first, true);
        assertSame(failure, assertThrows(ExecutionException.class, waits::get).getCause());
        Eventually.await("the next one's turn", next::isDone);
        assertSame(failure, assertThrows(ExecutionException.class, next::get).getCause());
        assertEquals(0, listened.getTotalStats().getLeased());
        listened.close();
    }

    @Test
    void theListenerHearsOfEachReleaseThoughItsConnectionCannotBeClosed() throws Exception {
        List<String> told = new ArrayList<>();
        RuntimeException failure = new RuntimeException("a connection that cannot be closed");
        LeaseholdConnPool<String, Conn> listened = new LeaseholdConnPool<>(1, 1, null, null, (connection, mode) -> {
            throw failure;
        }, new ConnPoolListener<String>() {
            @Override
            public void onLease(String route, ConnPoolStats<String> stats) {
                told.add("leased " + route);
            }

            @Override
            public void onRelease(String route, ConnPoolStats<String> stats) {
                told.add("released " + route);
            }
        });
        PoolEntry<String, Conn> entry = open(listened, "a", new Conn("a"));
        assertSame(failure, assertThrows(RuntimeException.class, () -> listened.release(entry, false)));
        assertEquals(0, listened.getTotalStats().getLeased());
        assertThrows(IllegalStateException.class, () -> listened.release(entry, true));
        assertEquals("[leased a, released a]", told.toString());
        listened.close();
    }

    @Test
    void anEntryThatIsThereForAThreadThatGivesUpIsNotLost() throws Exception {
        PoolEntry<String, Conn> first = open(pool, "a", new Conn("a"));
        Future<PoolEntry<String, Conn>> future = pool.lease("a", null);
        pool.release(first, true);
        assertTrue(future.isDone());
        assertTrue(future.cancel(true));
        assertTrue(future.isCancelled());
        assertThrows(CancellationException.class, future::get);
        assertFalse(((Cancellable) future).cancel());
        assertEquals(1, pool.getTotalStats().getAvailable());
        assertSame(first, pool.lease("a", null).get());
    }

    @Test
    void anEntryThatSomebodyHasComeForIsHis() throws Exception {
        PoolEntry<String, Conn> first = open(pool, "a", new Conn("a"));
        Future<PoolEntry<String, Conn>> waited = pool.lease("a", null);
        pool.release(first, true);
        assertSame(first, waited.get());
        assertFalse(waited.cancel(true));
        Future<PoolEntry<String, Conn>> atOnce = pool.lease("b", null);
        held.add(atOnce.get());
        assertFalse(atOnce.cancel(true));
        assertEquals(2, pool.getTotalStats().getLeased());
        assertSame(first, waited.get());
    }

    @Test
    void whoCannotUseAnEntryGivesItBackUnlessItHasGone() throws Exception {
        Answer<String, Conn> unused = pool.ask("a", null, LONG, null);
        unused.get();
        unused.giveBack();
        assertEquals(0, pool.getTotalStats().getLeased());
        assertThrows(CancellationException.class, unused::get);
        Answer<String, Conn> used = pool.ask("a", null, LONG, null);
        pool.release(used.get(), true);
        occupy("a");
        used.giveBack();
        unused.giveBack();
        assertEquals(1, pool.getTotalStats().getLeased());
    }

    /** Runs on a thread of its own, which waits for the answer by then. */
    private FutureTask<PoolEntry<String, Conn>> waiting(Callable<PoolEntry<String, Conn>> get) throws Exception {
        FutureTask<PoolEntry<String, Conn>> task = new FutureTask<>(get);
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        Eventually.await("it to wait", () -> thread.getState() == Thread.State.TIMED_WAITING);
        return task;
    }

    @Test
    void whoWaitsHearsOfItWhenAnotherCancels() throws Exception {
        occupy("a");
        Future<PoolEntry<String, Conn>> future = pool.lease("a", null);
        FutureTask<PoolEntry<String, Conn>> waiting = waiting(future::get);
        assertTrue(future.cancel(true));
        Throwable thrown = assertThrows(ExecutionException.class, () -> waiting.get(60, TimeUnit.SECONDS)).getCause();
        assertEquals(CancellationException.class, thrown.getClass());
    }

    @Test
    void whoWaitsForAWhileGetsWhatComesMeanwhile() throws Exception {
        PoolEntry<String, Conn> first = open(pool, "a", new Conn("a"));
        Future<PoolEntry<String, Conn>> future = pool.lease("a", null);
        FutureTask<PoolEntry<String, Conn>> waiting = waiting(() -> future.get(10, TimeUnit.MINUTES));
        pool.release(first, true);
        assertSame(first, waiting.get(60, TimeUnit.SECONDS));
    }

    @Test
    void anEntryThatComesForARequestThatIsJustCancelledGoesBack() throws Exception {
        AtomicReference<Future<?>> cancelled = new AtomicReference<>();
        LeaseholdConnPool<String, Conn> listened =
                new LeaseholdConnPool<>(1, 1, null, PoolReusePolicy.LIFO, new ConnPoolListener<String>() {
                    @Override
                    public void onLease(String route, ConnPoolStats<String> stats) {
                        // The entry is leased, and its request still waits.
                        Future<?> request = cancelled.get();
                        assertTrue(request == null || request.cancel(true));
                    }

                    @Override
                    public void onRelease(String route, ConnPoolStats<String> stats) {}
                });
        PoolEntry<String, Conn> first = open(listened, "a", new Conn("a"));
        Told told = new Told();
        cancelled.set(listened.lease("a", null, LONG, told));
        listened.release(first, true);
        assertEquals(Collections.singletonList("cancelled"), told.told);
        assertEquals(0, listened.getTotalStats().getLeased());
        assertEquals(1, listened.getTotalStats().getAvailable());
        listened.close();
    }

    @Test
    void aFutureSaysForWhatItIs() throws Exception {
        pool.release(open(pool, "a", new Conn("a")), true);
        Future<PoolEntry<String, Conn>> atOnce = pool.lease("a", null);
        assertEquals("[a][null]", atOnce.toString());
        assertEquals("[a][somebody]", pool.lease("a", "somebody").toString());
        assertEquals("[a][null]", pool.lease("a", null).toString());
        atOnce.cancel(true);
        assertEquals("[null][null]", atOnce.toString());
    }

    /** Not all who wait cancel then: HttpClient 5.2 does not. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aThreadThatIsInterruptedGivesItsRequestUp(boolean hasTime) throws Exception {
        PoolEntry<String, Conn> first = open(pool, "a", new Conn("a"));
        Future<PoolEntry<String, Conn>> future = pool.lease("a", null);
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> {
            if (hasTime) {
                future.get(10, TimeUnit.MINUTES);
            } else {
                future.get();
            }
        });
        assertTrue(future.isCancelled());
        assertEquals(0, pool.getTotalStats().getPending());
        pool.release(first, true);
        assertEquals(1, pool.getTotalStats().getAvailable());
    }

    @Test
    void aRequestWithACallbackOutlivesTheInterruptOfAThreadThatWaitsForIt() throws Exception {
        PoolEntry<String, Conn> first = open(pool, "a", new Conn("a"));
        Told told = new Told();
        Future<PoolEntry<String, Conn>> future = pool.lease("a", null, LONG, told);
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, future::get);
        pool.release(first, true);
        assertEquals(Collections.singletonList(first), told.told);
    }

    /** Says nothing of itself. */
    private static final class Unspeakable extends Error {
        private static final long serialVersionUID = 1;

        @Override
        public String toString() {
            throw new IllegalStateException("a failure that fails");
        }
    }

    @Test
    void aRequestIsAnsweredThoughItsFailureCannotBeTold() throws Exception {
        AtomicReference<Error> fails = new AtomicReference<>();
        LeaseholdConnPool<String, Conn> listened =
                new LeaseholdConnPool<>(1, 1, null, PoolReusePolicy.LIFO, new ConnPoolListener<String>() {
                    @Override
                    public void onLease(String route, ConnPoolStats<String> stats) {
                        if (fails.get() != null) {
                            throw fails.get();
                        }
                    }

                    @Override
                    public void onRelease(String route, ConnPoolStats<String> stats) {}
                });
        PoolEntry<String, Conn> first = open(listened, "a", new Conn("a"));
        Future<PoolEntry<String, Conn>> future = listened.lease("a", null);
        fails.set(new Unspeakable());
        listened.release(first, true);
        assertTrue(future.isDone());
        Throwable thrown = assertThrows(ExecutionException.class, future::get);
        while (thrown.getCause() != null) {
            thrown = thrown.getCause();
        }
        assertSame(fails.get(), thrown);
        assertEquals(0, listened.getTotalStats().getLeased());
        listened.close();
    }

    @Test
    void anEntryThatACallbackHasIsNotTakenBack() throws Exception {
        Told told = new Told();
        Future<PoolEntry<String, Conn>> future = pool.lease("a", null, LONG, told);
        assertFalse(future.cancel(true));
        assertEquals(1, pool.getTotalStats().getLeased());
        assertSame(told.told.get(0), future.get());
    }

    @Test
    void whatWasOpenedWhileThePoolWasClosedIsClosedAtItsRelease() throws Exception {
        PoolEntry<String, Conn> entry = pool.lease("a", null).get();
        pool.close();
        Conn late = new Conn("late");
        entry.assignConnection(late);
        pool.release(entry, true);
        assertTrue(late.isClosed());
        assertNull(entry.getConnection());
    }

    @Test
    void aLateReleaseClosesAsThePoolWasClosed() throws Exception {
        PoolEntry<String, Conn> entry = pool.lease("a", null).get();
        assertEquals(CloseMode.GRACEFUL, pool.closeMode());
        pool.close(CloseMode.IMMEDIATE);
        assertEquals(CloseMode.IMMEDIATE, pool.closeMode());
        entry.assignConnection(new Conn("late"));
        pool.release(entry, true);
        assertEquals("[late closed IMMEDIATE]", log.messages().toString());
    }

    @Test
    void whatWasOpenedInPlaceOfAnotherAfterThePoolWasClosedIsClosedAtItsRelease() throws Exception {
        pool.release(open(pool, "a", new Conn("first")), true);
        PoolEntry<String, Conn> entry = pool.lease("a", null).get();
        pool.close(CloseMode.IMMEDIATE);
        Conn late = new Conn("late");
        entry.assignConnection(late);
        pool.release(entry, true);
        assertTrue(late.isClosed());
    }

    @Test
    void aClosedPoolLeavesTheConnectionsOfOthersAlone() throws Exception {
        LeaseholdConnPool<String, Conn> closed = new LeaseholdConnPool<>(1, 1);
        closed.close();
        Conn connection = new Conn("of an open pool");
        PoolEntry<String, Conn> entry = open(pool, "a", connection);
        closed.release(entry, true);
        assertFalse(connection.isClosed());
        assertTrue(entry.hasConnection());
        pool.release(entry, true);
        assertEquals(1, pool.getTotalStats().getAvailable());
    }

    @ParameterizedTest
    @EnumSource(CloseMode.class)
    void aConnectionThatFailsToCloseKeepsNoOtherOpen(CloseMode mode) throws Exception {
        class Failing extends Conn {
            Failing() {
                super("failing");
            }

            @Override
            public void close(CloseMode mode) {
                super.close(mode);
                throw new IllegalStateException("a close that fails");
            }
        }
        List<Conn> all = Arrays.asList(new Failing(), new Failing());
        held.add(open(pool, "a", all.get(0)));
        held.add(open(pool, "b", all.get(1)));
        pool.close(mode);
        Eventually.await("both to be closed", () -> all.stream().allMatch(Conn::isClosed));
    }

    @Test
    void aConnectionWhoseCloseHangsKeepsNoOtherOpen() throws Exception {
        CountDownLatch goesOn = new CountDownLatch(1);
        class Hanging extends Conn {
            Hanging() {
                super("hanging");
            }

            @Override
            public void close(CloseMode mode) {
                super.close(mode);
                try {
                    goesOn.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }
        List<Conn> all = Arrays.asList(new Hanging(), new Hanging());
        held.add(open(pool, "a", all.get(0)));
        held.add(open(pool, "b", all.get(1)));
        try {
            elsewhere(() -> {
                pool.close(CloseMode.GRACEFUL);
                return null;
            });
            Eventually.await("both to begin", () -> all.stream().allMatch(Conn::isClosed));
        } finally {
            goesOn.countDown();
        }
    }

    @Test
    void eachConnectionIsClosedOnce() throws Exception {
        PoolEntry<String, Conn> idle = open(pool, "a", new Conn("idle"));
        pool.release(idle, true);
        PoolEntry<String, Conn> leased = open(pool, "b", new Conn("leased"));
        pool.release(leased, true);
        occupy("b");
        pool.close(CloseMode.IMMEDIATE);
        pool.release(leased, false);
        List<String> lines = log.messages();
        Collections.sort(lines);
        assertEquals("[idle closed IMMEDIATE, leased closed IMMEDIATE]", lines.toString());
    }

    @Test
    void forHowLongAConnectionIsKeptIsReadWhenItIsReleased() throws Exception {
        PoolEntry<String, Conn> entry = open(pool, "a", new Conn("c"));
        entry.updateExpiry(TimeValue.ofHours(1));
        pool.release(entry, true);
        entry.updateExpiry(TimeValue.ofMilliseconds(1));
        Eventually.await("it is past that", () -> entry.getExpiryDeadline().isBefore(System.currentTimeMillis()));
        assertSame(entry, pool.lease("a", null).get());
        entry.updateExpiry(TimeValue.ofHours(1));
        pool.release(entry, true);
        entry.updateExpiry(TimeValue.ofMilliseconds(1));
        Eventually.await("it is past that", () -> entry.getExpiryDeadline().isBefore(System.currentTimeMillis()));
        pool.closeExpired();
        assertEquals(0, pool.getTotalStats().getAvailable());
        Eventually.await("it is closed", () -> !entry.hasConnection());
    }

    @Test
    void aLeaseOfAnIdleConnectionMakesLittleGarbage() throws Exception {
        pool.release(open(pool, "a", new Conn("c")), true);
        long bytes = 0;
        int few = 1_000;
        int many = 11_000;
        for (int i = 0; i < many; i++) {
            if (i == few) {
                bytes = allocated();
            }
            pool.release(pool.lease("a", null).get(), true);
        }
        long each = (allocated() - bytes) / (many - few);
        assertTrue(each <= 64, each + " bytes");
    }

    private static long allocated() {
        return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean()).getThreadAllocatedBytes(Thread.currentThread().getId());
    }

    @Test
    void aWatchIsNeeded() {
        assertThrows(IllegalArgumentException.class,
                () -> new LeaseholdConnPool<String, Conn>(1, 1, null, null, null, null, connection -> null, null));
        new LeaseholdConnPool<String, Conn>(1, 1, null, null, null, null, null, Watching.BOTH).close();
    }

    @Test
    void whatIsNotKeptIsCountedAsClosedByItsLease() throws Exception {
        PoolEntry<String, Conn> kept = open(pool, "a", new Conn("a"));
        pool.release(kept, true);
        pool.release(pool.lease("a", null).get(), false);
        PoolEntry<String, Conn> closedByItsUser = open(pool, "a", new Conn("a"));
        closedByItsUser.discardConnection(CloseMode.IMMEDIATE);
        pool.release(closedByItsUser, true);
        Metrics metrics = pool.managed().getMetrics();
        assertEquals(2, metrics.opened());
        assertEquals(2, metrics.closedByLease());
        assertEquals(0, metrics.unopened());
    }
}
