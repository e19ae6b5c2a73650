package io.leasehold;

import static java.util.Arrays.asList;
import static java.util.Collections.emptyList;
import static java.util.Collections.singletonList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import io.leasehold.testsupport.Monitors;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Leases that come later: who is told, where, what ends a request otherwise, and that no slot is lost whichever comes first. */
class AsyncLeaseTest {
    private static final String DISPOSER = "leasehold-disposer";

    private final Disposals disposals = new Disposals();
    @RegisterExtension
    final Held held = new Held();
    private final ManualClock clock = new ManualClock();

    private ConnectionPool.Builder<String, Connection> builder() {
        return ConnectionPool.<String, Connection>builder(disposals).leakListener(Disposals.LEAKS_ARE_EXPECTED);
    }

    private Lease<Connection> open(ConnectionPool<String, Connection> pool, String route) {
        Lease<Connection> lease = held.hold(pool.tryLease(route));
        lease.opened(new Connection(route));
        return lease;
    }

    /** What a hook was told, and on which thread. */
    private static final class Told implements LeaseHook<Connection> {
        final Queue<Object> answers = new ConcurrentLinkedQueue<>();
        volatile Thread thread;

        @Override
        public void leased(Lease<Connection> lease) {
            tell(lease);
        }

        @Override
        public void failed(Throwable why) {
            tell(why);
        }

        private void tell(Object answer) {
            thread = Thread.currentThread();
            answers.add(answer);
        }

        @SuppressWarnings("unchecked")
        Lease<Connection> lease() {
            return (Lease<Connection>) answers.peek();
        }

        void await() throws Exception {
            Eventually.await("it is told", () -> !answers.isEmpty());
        }
    }

    private static Told request(ConnectionPool<String, Connection> pool, String route) {
        Told told = new Told();
        pool.requestLease(route, null, Long.MAX_VALUE, TimeUnit.SECONDS, told);
        return told;
    }

    private static Throwable failure(CompletableFuture<?> future) {
        return assertThrows(ExecutionException.class, () -> future.get(1, TimeUnit.MINUTES)).getCause();
    }

    private static void assertWhole(ConnectionPool<String, Connection> pool, int slots) {
        assertEquals(0, pool.stats().pending());
        assertEquals(0, pool.stats().leased());
        List<Lease<Connection>> all = new ArrayList<>();
        for (int i = 0; i < slots; i++) {
            all.add(pool.tryLease("whole"));
            assertNotNull(all.get(i), () -> "slots were lost: " + pool.stats());
        }
        assertNull(pool.tryLease("whole"));
        all.forEach(Lease::close);
    }

    @Test
    void whatIsThereAtOnceIsThereWhenTheCallReturns() throws Exception {
        ConnectionPool<String, Connection> pool = builder().build();
        Lease<Connection> vacancy = pool.leaseAsync("a", 1, TimeUnit.SECONDS).getNow(null);
        assertNull(vacancy.connection());
        Connection connection = new Connection("c");
        vacancy.opened(connection);
        vacancy.release();
        Told told = request(pool, "a");
        assertSame(Thread.currentThread(), told.thread);
        assertSame(connection, told.lease().connection());
        told.lease().release("joe");
        assertSame(connection, pool.leaseAsync("a", "joe", 1, TimeUnit.SECONDS).getNow(null).connection());
    }

    @Test
    void aReleaseTellsTheHookOnItsOwnThreadBeforeItReturns() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        Lease<Connection> lease = open(pool, "a");
        Connection connection = lease.connection();
        Told told = request(pool, "a");
        CompletableFuture<Lease<Connection>> second = pool.leaseAsync("b", Long.MAX_VALUE, TimeUnit.SECONDS);
        assertEquals(2, pool.stats().pending());
        lease.release();
        assertSame(Thread.currentThread(), told.thread);
        assertSame(connection, told.lease().connection());
        assertFalse(second.isDone());
        told.lease().discard();
        assertNull(second.getNow(null).connection());
        second.join().close();
        assertWhole(pool, 1);
    }

    @Test
    void aReleaseThatTellsNobodyLogsNothing() throws Exception {
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
            open(pool, "a").discard();
            pool.setMaxTotal(2);
            assertEquals(0, log.lines().stream().filter(line -> line.contains("a hook failed")).count(), log.lines().toString());
        }
    }

    @Test
    void aRaisedLimitTellsTheHooksOnItsOwnThreadBeforeItReturns() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(0).build();
        List<Told> all = asList(request(pool, "a"), request(pool, "b"), request(pool, "c"));
        pool.setMaxTotal(3);
        for (Told told : all) {
            assertSame(Thread.currentThread(), told.thread);
            told.lease().close();
        }
        assertWhole(pool, 3);
    }

    @Test
    void threadsAndFuturesAreServedInOneOrderOfArrival() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        Lease<Connection> lease = open(pool, "x");
        Queue<Integer> served = new ConcurrentLinkedQueue<>();
        List<FutureTask<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            int number = i;
            if (i % 2 == 0) {
                pool.leaseAsync("r" + i % 3, Long.MAX_VALUE, TimeUnit.SECONDS).thenAccept(mine -> {
                    served.add(number);
                    mine.close();
                });
            } else {
                FutureTask<?> task = new FutureTask<Void>(() -> {
                    Lease<Connection> mine = pool.lease("r" + number % 3, Long.MAX_VALUE, TimeUnit.SECONDS);
                    served.add(number);
                    mine.close();
                    return null;
                });
                tasks.add(task);
                new Thread(task).start();
            }
            Eventually.await("it waits", () -> pool.stats().pending() == number + 1);
        }
        lease.close();
        for (FutureTask<?> task : tasks) {
            task.get();
        }
        Eventually.await("all are served", () -> served.size() == 10);
        assertEquals(asList(0, 1, 2, 3, 4, 5, 6, 7, 8, 9), new ArrayList<>(served));
        assertWhole(pool, 1);
    }

    @Test
    void aTimeoutIsThePoolsClocksAndToldOnADisposersThread() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).manualClock(clock).build();
        Lease<Connection> lease = open(pool, "a");
        Told told = new Told();
        Told later = new Told();
        pool.requestLease("a", null, 5, TimeUnit.MINUTES, told);
        pool.requestLease("a", null, 6, TimeUnit.MINUTES, later);
        clock.advance(5, TimeUnit.MINUTES);
        told.await();
        assertInstanceOf(TimeoutException.class, told.answers.peek());
        assertEquals(DISPOSER, told.thread.getName());
        assertEquals(1, pool.stats().pending());
        assertEquals(emptyList(), new ArrayList<>(later.answers));
        lease.release();
        assertSame(lease.route(), later.lease().route());
        later.lease().release();
        assertEquals(1, told.answers.size());
    }

    @Test
    void aTimeoutInRealTimeRetainsNothing() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        Lease<Connection> lease = open(pool, "a");
        CompletableFuture<Lease<Connection>> longer = pool.leaseAsync("a", 1, TimeUnit.HOURS);
        TimeoutException timeout =
                assertInstanceOf(TimeoutException.class, failure(pool.leaseAsync("a", 1, TimeUnit.MILLISECONDS)));
        assertTrue(timeout.getMessage().contains("leased: 1"), timeout.getMessage());
        assertEquals(1, pool.stats().pending());
        assertTrue(longer.cancel(false));
        assertEquals(0, pool.stats().pending());
        lease.close();
        assertWhole(pool, 1);
    }

    @Test
    void whatTheHousekeeperEndsIsToldOnADisposersThread() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        lose(pool);
        Told told = request(pool, "a");
        Eventually.awaitAfterCollection("the lost lease was given back", () -> !told.answers.isEmpty());
        assertEquals(DISPOSER, told.thread.getName());
        told.lease().close();
        assertWhole(pool, 1);
    }

    @Test
    void whatIsReleasedOnTheHousekeepersThreadIsToldOnADisposersThread() throws Exception {
        AtomicReference<Lease<Connection>> other = new AtomicReference<>();
        ConnectionPool<String, Connection> pool = ConnectionPool.<String, Connection>builder(disposals)
                .maxTotal(2)
                .leakListener((route, connection) -> other.get().release())
                .build();
        other.set(open(pool, "a"));
        lose(pool);
        Told first = request(pool, "a");
        Told second = request(pool, "a");
        Eventually.awaitAfterCollection("both are told", () -> !first.answers.isEmpty() && !second.answers.isEmpty());
        assertEquals(DISPOSER, first.thread.getName());
        assertEquals(DISPOSER, second.thread.getName());
        first.lease().close();
        second.lease().close();
        assertWhole(pool, 2);
    }

    private static void lose(ConnectionPool<String, Connection> pool) {
        pool.tryLease("a").opened(new Connection("lost"));
    }

    @Test
    void aShutdownFailsWhatWaitsAndWhatComesLater() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        Lease<Connection> lease = open(pool, "a");
        Told told = request(pool, "a");
        CompletableFuture<Lease<Connection>> future = pool.leaseAsync("b", 1, TimeUnit.HOURS);
        pool.shutdown(ShutdownMode.GRACEFUL);
        told.await();
        assertInstanceOf(PoolShutDownException.class, told.answers.peek());
        assertEquals(DISPOSER, told.thread.getName());
        assertInstanceOf(PoolShutDownException.class, failure(future));
        assertInstanceOf(PoolShutDownException.class, failure(pool.leaseAsync("a", 1, TimeUnit.HOURS)));
        assertThrows(PoolShutDownException.class, () -> request(pool, "a"));
        lease.release();
        assertEquals(0, pool.stats().pending());
        ConnectionPool<String, Connection> unused = builder().build();
        unused.close();
        assertInstanceOf(PoolShutDownException.class, failure(unused.leaseAsync("a", 1, TimeUnit.HOURS)));
    }

    @Test
    void onlySoManyMayWait() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).maxWaiters(1).build();
        Lease<Connection> lease = open(pool, "a");
        CompletableFuture<Lease<Connection>> waits = pool.leaseAsync("a", Long.MAX_VALUE, TimeUnit.SECONDS);
        assertInstanceOf(QueueFullException.class, failure(pool.leaseAsync("a", Long.MAX_VALUE, TimeUnit.SECONDS)));
        Told told = new Told();
        assertThrows(QueueFullException.class, () -> pool.requestLease("a", null, Long.MAX_VALUE, TimeUnit.SECONDS, told));
        assertEquals(emptyList(), new ArrayList<>(told.answers));
        lease.release();
        waits.join().release();
        assertWhole(pool, 1);
    }

    @Test
    void mistakesSayWhatToDo() {
        ConnectionPool<String, Connection> pool = builder().build();
        assertThrows(IllegalArgumentException.class, () -> pool.leaseAsync(null, 1, TimeUnit.SECONDS));
        assertThrows(IllegalArgumentException.class, () -> request(pool, null));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> pool.requestLease("a", null, 1, TimeUnit.SECONDS, null))
                .getMessage().contains("hook"));
    }

    /** How a future ends otherwise than by its lease. */
    private static void endOtherwise(CompletableFuture<Lease<Connection>> future, int how) {
        switch (how) {
            case 0:
                future.cancel(true);
                break;
            case 1:
                future.complete(null);
                break;
            case 2:
                future.completeExceptionally(new IllegalStateException("of the test's own making"));
                break;
            default:
                future.obtrudeException(new IllegalStateException("of the test's own making"));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void aFutureThatItsUserEndsEndsTheRequest(int how) {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        Lease<Connection> lease = open(pool, "a");
        CompletableFuture<Lease<Connection>> future = pool.leaseAsync("a", Long.MAX_VALUE, TimeUnit.SECONDS);
        CompletableFuture<Lease<Connection>> next = pool.leaseAsync("a", Long.MAX_VALUE, TimeUnit.SECONDS);
        assertEquals(2, pool.stats().pending());
        endOtherwise(future, how);
        assertEquals(1, pool.stats().pending());
        lease.release();
        next.join().release();
        assertEquals(1, pool.stats().available());
        assertWhole(pool, 1);
    }

    @Test
    void aRequestIsCancelledOnceAndItsHookNotCalled() {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        Lease<Connection> lease = open(pool, "a");
        Told told = new Told();
        LeaseRequest request = pool.requestLease("a", null, Long.MAX_VALUE, TimeUnit.SECONDS, told);
        assertFalse(request.isDone());
        assertTrue(request.cancel());
        assertFalse(request.cancel());
        assertTrue(request.isDone());
        assertEquals(0, pool.stats().pending());
        lease.release();
        assertEquals(emptyList(), new ArrayList<>(told.answers));
        LeaseRequest served = pool.requestLease("a", null, Long.MAX_VALUE, TimeUnit.SECONDS, told);
        assertTrue(served.isDone());
        assertFalse(served.cancel());
        told.lease().release();
        assertWhole(pool, 1);
    }

    @Test
    void aHookMayCancelAnotherRequestWhoseAnswerIsThereAndTheNextInLineIsServed() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(0).build();
        AtomicReference<LeaseRequest> second = new AtomicReference<>();
        AtomicReference<Boolean> isCancelled = new AtomicReference<>();
        Told told = new Told();
        CompletableFuture<Lease<Connection>> first = pool.leaseAsync("a", Long.MAX_VALUE, TimeUnit.SECONDS);
        first.thenAccept(lease -> isCancelled.set(second.get().cancel()));
        second.set(pool.requestLease("a", null, Long.MAX_VALUE, TimeUnit.SECONDS, told));
        Told third = request(pool, "a");
        pool.setMaxTotal(2);
        third.await();
        assertEquals(true, isCancelled.get());
        assertEquals(emptyList(), new ArrayList<>(told.answers));
        first.join().close();
        third.lease().close();
        assertWhole(pool, 2);
    }

    /** Each releases what it has and asks for the next, as often as a stack would not bear. */
    private static final class Chain implements LeaseHook<Connection> {
        private final ConnectionPool<String, Connection> pool;
        private int left;
        final CountDownLatch end = new CountDownLatch(1);

        Chain(ConnectionPool<String, Connection> pool, int length) {
            this.pool = pool;
            left = length;
        }

        void next() {
            pool.requestLease("a", null, Long.MAX_VALUE, TimeUnit.SECONDS, this);
        }

        @Override
        public void leased(Lease<Connection> lease) {
            if (left-- > 0) {
                // Before the release, it waits; after it, it is served at once.
                boolean isFirst = left % 2 == 0;
                if (isFirst) {
                    next();
                }
                lease.close();
                if (!isFirst) {
                    next();
                }
            } else {
                lease.close();
                end.countDown();
            }
        }

        @Override
        public void failed(Throwable why) {
            throw new AssertionError(why);
        }
    }

    @Test
    void aHookIsCalledWhenTheOneThatBroughtItAboutHasReturned() {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        List<String> order = new ArrayList<>();
        Lease<Connection> lease = open(pool, "a");
        pool.leaseAsync("a", Long.MAX_VALUE, TimeUnit.SECONDS).thenAccept(first -> {
            order.add("first begins");
            pool.leaseAsync("a", Long.MAX_VALUE, TimeUnit.SECONDS).thenAccept(third -> {
                order.add("third");
                third.close();
            });
            first.close();
            order.add("first ends");
        });
        pool.leaseAsync("a", Long.MAX_VALUE, TimeUnit.SECONDS).thenAccept(second -> {
            order.add("second begins");
            second.close();
            order.add("second ends");
        });
        lease.release();
        assertEquals(asList("first begins", "first ends", "second begins", "second ends", "third"), order);
        assertWhole(pool, 1);
    }

    private static final int CHAINED = 100_000;

    @Test
    @Tag("long")
    void aHundredThousandChainedLeasesNeedNoMoreStackThanOne() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        Chain chain = new Chain(pool, CHAINED);
        chain.next();
        assertEquals(0, chain.end.getCount(), "all ran on this thread");
        assertWhole(pool, 1);
    }

    private static void chain(ConnectionPool<String, Connection> pool, Lease<Connection> lease, int left, CompletableFuture<Void> end) {
        lease.close();
        if (left == 0) {
            end.complete(null);
        } else {
            pool.leaseAsync("a", Long.MAX_VALUE, TimeUnit.SECONDS).thenAccept(next -> chain(pool, next, left - 1, end));
        }
    }

    @Test
    @Tag("long")
    void aHundredThousandChainedFuturesNeedNoMoreStackThanOne() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        Lease<Connection> lease = open(pool, "a");
        CompletableFuture<Void> end = new CompletableFuture<>();
        pool.leaseAsync("a", Long.MAX_VALUE, TimeUnit.SECONDS).thenAccept(next -> chain(pool, next, CHAINED, end));
        lease.release();
        assertTrue(end.isDone(), "all ran on this thread");
        assertWhole(pool, 1);
    }

    @Test
    void aHookThatHangsHoldsUpNoOtherAnswer() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(0).build();
        CountDownLatch mayEnd = new CountDownLatch(1);
        Queue<Lease<Connection>> leases = new ConcurrentLinkedQueue<>();
        AtomicReference<Lease<Connection>> nested = new AtomicReference<>();
        pool.leaseAsync("a", Long.MAX_VALUE, TimeUnit.SECONDS).thenAccept(lease -> {
            leases.add(lease);
            try {
                // Its own thread would have to complete this one.
                nested.set(pool.leaseAsync("b", Long.MAX_VALUE, TimeUnit.SECONDS).get());
                mayEnd.await();
            } catch (InterruptedException | ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        List<Told> others = asList(request(pool, "b"), request(pool, "c"));
        Thread raising = new Thread(() -> pool.setMaxTotal(5));
        raising.start();
        for (Told told : others) {
            told.await();
            assertEquals(DISPOSER, told.thread.getName());
        }
        Eventually.await("its own is told, too", () -> nested.get() != null);
        assertTrue(raising.isAlive());
        mayEnd.countDown();
        raising.join();
        leases.forEach(Lease::close);
        nested.get().close();
        others.forEach(told -> told.lease().close());
        assertWhole(pool, 5);
    }

    private static <T extends Throwable> void fail(Throwable failure) throws T {
        @SuppressWarnings("unchecked") // To throw what is checked, too.
        T any = (T) failure;
        throw any;
    }

    private static void overflow() {
        overflow();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4})
    void aHookThatThrowsCostsNothing(int kind) throws Exception {
        List<Throwable> failures = asList(new IllegalStateException("on purpose"), new AssertionError("on purpose"),
                new OutOfMemoryError("on purpose"), new Exception("on purpose"));
        LeaseHook<Connection> failing = new LeaseHook<Connection>() {
            @Override
            public void leased(Lease<Connection> lease) {
                failed(null);
            }

            @Override
            public void failed(Throwable why) {
                if (kind == 4) {
                    overflow();
                }
                AsyncLeaseTest.<RuntimeException>fail(failures.get(kind));
            }
        };
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
            // At once, by a release, by a timeout.
            pool.requestLease("a", null, Long.MAX_VALUE, TimeUnit.SECONDS, failing);
            Lease<Connection> lease = open(pool, "a");
            pool.requestLease("a", null, Long.MAX_VALUE, TimeUnit.SECONDS, failing);
            Told next = request(pool, "a");
            lease.release();
            Eventually.await("the next one is told", () -> !next.answers.isEmpty());
            assertEquals(singletonList("a DISCARDED"), disposals.take(), "the connection of the lease that nobody took");
            pool.requestLease("a", null, 1, TimeUnit.MILLISECONDS, failing);
            Eventually.await("all three were logged",
                    () -> log.lines().stream().filter(line -> line.contains("a hook failed")).count() == 3);
            next.lease().close();
            assertWhole(pool, 1);
        }
    }

    @Test
    void noMonitorIsHeldWhileAHookRuns() throws Exception {
        Monitors monitors = new Monitors();
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).manualClock(clock).build();
        Lease<Connection> lease = open(pool, "a");
        AtomicInteger told = new AtomicInteger();
        for (int i = 0; i < 3; i++) {
            pool.leaseAsync("a", i == 0 ? 1 : Long.MAX_VALUE, TimeUnit.SECONDS).whenComplete((next, failure) -> {
                monitors.ask();
                told.incrementAndGet();
                if (next != null) {
                    next.close();
                }
            });
        }
        clock.advance(1, TimeUnit.SECONDS);
        Eventually.await("one is told that its time is up", () -> told.get() == 1);
        lease.release();
        Eventually.await("all are told", () -> told.get() == 3);
        assertEquals(emptyList(), monitors.held());
        assertWhole(pool, 1);
    }

    @Test
    @Tag("long")
    void whatAThreadDidBeforeItsReleaseIsSeenByTheHook() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        for (int i = 0; i < 1_000; i++) {
            Lease<Connection> lease = pool.tryLease("a");
            int[] written = new int[1];
            CompletableFuture<Integer> read = pool.leaseAsync("a", Long.MAX_VALUE, TimeUnit.SECONDS).thenApply(next -> {
                int seen = written[0];
                next.close();
                return seen;
            });
            int number = i;
            Thread releasing = new Thread(() -> {
                written[0] = number;
                lease.close();
            });
            releasing.start();
            assertEquals(i, read.get());
            releasing.join();
        }
    }

    /** Completions race with cancels, completions by others, and timeouts; afterwards every slot is there and every future complete. */
    @Test
    @Tag("long")
    void nothingIsLostWhicheverEndOfARequestComesFirst() throws Exception {
        int rounds = 100_000;
        int threads = 4;
        int slots = 3;
        ConnectionPool<String, Connection> pool = builder().maxTotal(slots).build();
        AtomicInteger served = new AtomicInteger();
        AtomicInteger timedOut = new AtomicInteger();
        AtomicInteger ended = new AtomicInteger();
        AtomicInteger started = new AtomicInteger();
        Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        Queue<CompletableFuture<Lease<Connection>>> futures = new ConcurrentLinkedQueue<>();
        Queue<Lease<Connection>> leases = new ConcurrentLinkedQueue<>();
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            Thread worker = new Thread(() -> {
                ThreadLocalRandom random = ThreadLocalRandom.current();
                while (started.getAndIncrement() < rounds) {
                    try {
                        Object state = random.nextInt(8) == 0 ? "s" : null;
                        long timeout = random.nextInt(3) == 0 ? random.nextInt(200) : Long.MAX_VALUE;
                        CompletableFuture<Lease<Connection>> future =
                                pool.leaseAsync("r" + random.nextInt(2), state, timeout, TimeUnit.MICROSECONDS);
                        futures.add(future);
                        future.whenComplete((lease, why) -> {
                            if (lease != null) {
                                served.incrementAndGet();
                                leases.add(lease);
                            } else if (why instanceof TimeoutException) {
                                timedOut.incrementAndGet();
                            } else if (why == null || why instanceof CancellationException || why instanceof IllegalStateException) {
                                ended.incrementAndGet();
                            } else {
                                failures.add(why);
                            }
                        });
                        // Its own, or one that another thread's release may be completing.
                        CompletableFuture<Lease<Connection>> other = random.nextInt(4) == 0 ? future : futures.poll();
                        if (other != null && random.nextInt(2) == 0) {
                            endOtherwise(other, random.nextInt(3));
                        }
                        if (random.nextInt(4) == 0) {
                            end(pool.tryLease("r0"), random.nextInt(10));
                        }
                        end(leases.poll(), random.nextInt(10));
                    } catch (Throwable e) {
                        failures.add(e);
                    }
                }
            });
            workers.add(worker);
            worker.start();
        }
        for (Thread worker : workers) {
            worker.join();
        }
        Eventually.await("every future is complete", () -> {
            end(leases.poll(), 1);
            return served.get() + timedOut.get() + ended.get() + failures.size() == rounds && leases.isEmpty();
        });
        assertEquals(emptyList(), new ArrayList<>(failures));
        System.out.println("of " + rounds + " requests " + served + " were served, " + timedOut + " timed out, " + ended + " were ended");
        assertTrue(served.get() > 0 && timedOut.get() > 0 && ended.get() > 0);
        Eventually.await("nothing is leased", () -> pool.stats().leased() + pool.stats().pending() == 0);
        pool.closeIdle(0, TimeUnit.SECONDS);
        assertWhole(pool, slots);
    }

    private static void end(Lease<Connection> lease, int how) {
        if (lease == null) {
            return;
        }
        if (lease.connection() == null) {
            lease.opened(new Connection("c"));
        }
        if (how == 0) {
            lease.discard();
        } else {
            lease.release();
        }
    }

    /** Though nobody comes by meanwhile who would find it. */
    @Test
    void aLeaseOfWhichNothingCouldBeMadeGoesToWhoWaits() throws Exception {
        ConnectionPool<String, Connection> one =
                ConnectionPool.<String, Connection>builder(new Disposals()).maxTotal(1).manualClock(new ManualClock()).build();
        List<Object> told = Collections.synchronizedList(new ArrayList<>());
        assertThrows(IllegalStateException.class, () -> one.tryLeaseFor("a", null, lease -> {
            one.requestLease("a", null, 10, TimeUnit.MINUTES, new LeaseHook<Connection>() {
                @Override
                public void leased(Lease<Connection> next) {
                    told.add("leased");
                    next.discard();
                }

                @Override
                public void failed(Throwable why) {
                    told.add(why);
                }
            });
            throw new IllegalStateException("a test");
        }));
        Eventually.await("an answer", () -> told.size() == 1);
        assertEquals("[leased]", told.toString());
        one.close();
    }
}
