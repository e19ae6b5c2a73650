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
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.leasehold.testsupport.Eventually;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Requests that wait: who is served, what ends the wait, and that no slot is lost whichever comes first. */
class WaitingTest {
    private final Disposals disposals = new Disposals();
    @RegisterExtension
    final Held held = new Held();
    private final ManualClock clock = new ManualClock();

    private ConnectionPool.Builder<String, Connection> builder() {
        return ConnectionPool.<String, Connection>builder(disposals).leakListener(Disposals.LEAKS_ARE_EXPECTED);
    }

    /** A thread that runs a task, seen to wait for a connection. */
    private static final class Waiting<T> {
        final FutureTask<T> task;
        final Thread thread;

        Waiting(ConnectionPool<?, ?> pool, Callable<T> body) throws Exception {
            int before = pool.stats().pending();
            task = new FutureTask<>(body);
            thread = new Thread(task);
            thread.start();
            Eventually.await("one more waits", () -> pool.stats().pending() > before || task.isDone());
        }

        T result() throws Exception {
            return task.get(1, TimeUnit.MINUTES);
        }

        Throwable failure() {
            return assertThrows(ExecutionException.class, this::result).getCause();
        }
    }

    private Waiting<Lease<Connection>> waiting(ConnectionPool<String, Connection> pool, String route) throws Exception {
        return new Waiting<>(pool, () -> held.hold(pool.lease(route, Long.MAX_VALUE, TimeUnit.SECONDS)));
    }

    private Lease<Connection> open(ConnectionPool<String, Connection> pool, String route) {
        Lease<Connection> lease = held.hold(pool.tryLease(route));
        lease.opened(new Connection(route));
        return lease;
    }

    @Test
    void aReleasedConnectionGoesToTheOneWhoWaits() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        Lease<Connection> lease = open(pool, "a");
        Connection connection = lease.connection();
        Waiting<Lease<Connection>> waiter = waiting(pool, "a");
        assertEquals(1, pool.stats("a").pending());
        lease.release();
        assertSame(connection, waiter.result().connection());
        assertEquals(0, pool.stats().pending());
    }

    @Test
    void whereAnybodyMayGoFirstTheOneWhoWaitsIsServedToo() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).allowBarging(true).build();
        Lease<Connection> lease = open(pool, "a");
        Connection connection = lease.connection();
        Waiting<Lease<Connection>> waiter = waiting(pool, "a");
        lease.release();
        assertSame(connection, waiter.result().connection());
        assertEquals(0, pool.stats().pending());
    }

    @Test
    void aDiscardedConnectionsPlaceGoesToTheOneWhoWaits() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        Lease<Connection> lease = open(pool, "a");
        Waiting<Lease<Connection>> waiter = waiting(pool, "b");
        lease.discard();
        assertNull(waiter.result().connection());
        assertEquals(singletonList("a DISCARDED"), disposals.take());
    }

    @Test
    void waitersAreServedInOrderOfArrivalAcrossRoutes() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        Lease<Connection> lease = open(pool, "x");
        ConcurrentLinkedQueue<String> served = new ConcurrentLinkedQueue<>();
        List<Waiting<Void>> waiters = new ArrayList<>();
        for (String name : asList("b", "a", "c", "a", "b")) {
            waiters.add(new Waiting<>(pool, () -> {
                Lease<Connection> mine = pool.lease(name, Long.MAX_VALUE, TimeUnit.SECONDS);
                served.add(name);
                mine.release();
                return null;
            }));
        }
        lease.discard();
        for (Waiting<Void> waiter : waiters) {
            waiter.result();
        }
        assertEquals(asList("b", "a", "c", "a", "b"), new ArrayList<>(served));
    }

    @Test
    void aTimeoutIsThePoolsClocks() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).manualClock(clock).build();
        open(pool, "a");
        Waiting<Lease<Connection>> waiter = new Waiting<>(pool, () -> pool.lease("a", 5, TimeUnit.MINUTES));
        clock.advance(4, TimeUnit.MINUTES);
        Waiting<Lease<Connection>> later = new Waiting<>(pool, () -> pool.lease("a", 5, TimeUnit.MINUTES));
        assertFalse(waiter.task.isDone());
        clock.advance(1, TimeUnit.MINUTES);
        assertInstanceOf(TimeoutException.class, waiter.failure());
        assertEquals(1, pool.stats().pending());
        assertFalse(later.task.isDone());
        clock.advance(4, TimeUnit.MINUTES);
        assertInstanceOf(TimeoutException.class, later.failure());
        assertEquals(0, pool.stats().pending());
    }

    @Test
    void aTimeoutInRealTimeRetainsNothing() {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        open(pool, "a");
        TimeoutException timeout =
                assertThrows(TimeoutException.class, () -> pool.lease("a", 1, TimeUnit.MILLISECONDS));
        assertTrue(timeout.getMessage().contains("leased: 1"), timeout.getMessage());
        assertEquals(0, pool.stats().pending());
    }

    @Test
    void anInterruptEndsAWaitAndClearsTheFlag() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        open(pool, "a");
        Waiting<Boolean> waiter = new Waiting<>(pool, () -> {
            assertThrows(InterruptedException.class, () -> pool.lease("a", 1, TimeUnit.HOURS));
            return Thread.currentThread().isInterrupted();
        });
        waiter.thread.interrupt();
        assertFalse(waiter.result());
        assertEquals(0, pool.stats().pending());
    }

    @Test
    void anInterruptedThreadThatNeedNotWaitIsServedAndStaysInterrupted() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        open(pool, "a").release();
        Thread.currentThread().interrupt();
        Lease<Connection> lease = pool.lease("a", 1, TimeUnit.HOURS);
        assertNotNull(lease.connection());
        assertThrows(InterruptedException.class, () -> pool.lease("a", 1, TimeUnit.HOURS));
        assertFalse(Thread.interrupted());
    }

    @Test
    void raisedLimitsServeThoseWhoWait() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxPerRoute(1).maxTotal(1).build();
        open(pool, "a");
        Waiting<Lease<Connection>> first = waiting(pool, "a");
        Waiting<Lease<Connection>> second = waiting(pool, "a");
        Waiting<Lease<Connection>> other = waiting(pool, "b");
        pool.setMaxTotal(10);
        assertNull(other.result().connection());
        assertFalse(first.task.isDone());
        pool.setDefaultMaxPerRoute(2);
        assertNull(first.result().connection());
        pool.setMaxPerRoute("a", 3);
        assertNull(second.result().connection());
        assertEquals(4, pool.stats().leased());
    }

    @Test
    void aLimitOfZeroLetsEveryRequestWaitUntilItIsRaised() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(0).build();
        assertNull(held.hold(pool.tryLease("a")));
        Waiting<Lease<Connection>> waiter = waiting(pool, "a");
        pool.setMaxTotal(1);
        assertNotNull(waiter.result());
    }

    @Test
    void aShutdownEndsEveryWait() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        open(pool, "a");
        Waiting<Lease<Connection>> first = waiting(pool, "a");
        Waiting<Lease<Connection>> second = waiting(pool, "b");
        pool.shutdown(ShutdownMode.GRACEFUL);
        assertInstanceOf(PoolShutDownException.class, first.failure());
        assertInstanceOf(PoolShutDownException.class, second.failure());
        assertEquals(0, pool.stats().pending());
    }

    @Test
    void onlySoManyMayWait() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).maxWaiters(1).build();
        Lease<Connection> lease = open(pool, "a");
        Waiting<Lease<Connection>> waiter = waiting(pool, "a");
        QueueFullException full =
                assertThrows(QueueFullException.class, () -> pool.lease("a", 1, TimeUnit.HOURS));
        assertTrue(full.getMessage().contains("maxWaiters"), full.getMessage());
        lease.release();
        waiter.result().release();
        assertNotNull(pool.lease("a", 1, TimeUnit.HOURS));
    }

    @Test
    void aBoundWaiterGetsAConnectionOfItsOwnStateOrOpensOne() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxPerRoute(1).build();
        Lease<Connection> lease = open(pool, "a");
        Waiting<Lease<Connection>> waiter =
                new Waiting<>(pool, () -> held.hold(pool.lease("a", "joe", Long.MAX_VALUE, TimeUnit.SECONDS)));
        lease.release("jack");
        assertNull(waiter.result().connection());
        assertEquals(singletonList("a EVICTED"), disposals.take());
    }

    @Test
    void aPendingLeaseCanBeCancelledWhileItWaits() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        Lease<Connection> lease = open(pool, "a");
        PendingLease<Connection> request = pool.pendingLease("a", null);
        Waiting<Lease<Connection>> waiter = new Waiting<>(pool, () -> request.get(Long.MAX_VALUE, TimeUnit.SECONDS));
        assertThrows(IllegalStateException.class, () -> request.get(Long.MAX_VALUE, TimeUnit.SECONDS), "two threads wait for one");
        assertTrue(request.cancel());
        assertInstanceOf(CancellationException.class, waiter.failure());
        assertFalse(request.cancel());
        assertTrue(request.isCancelled());
        assertEquals(0, pool.stats().pending());
        lease.release();
        assertEquals(1, pool.stats().available());
    }

    @Test
    void aPendingLeaseCancelledBeforeItIsAskedServesNobody() {
        ConnectionPool<String, Connection> pool = builder().build();
        PendingLease<Connection> request = pool.pendingLease("a", null);
        assertTrue(request.cancel());
        assertThrows(CancellationException.class, () -> request.get(1, TimeUnit.SECONDS));
        assertEquals(0, pool.stats().leased());
    }

    @Test
    void aConnectionThatACancelledRequestGivesBackIsBoundAsBefore() {
        ConnectionPool<String, Connection> pool = builder().build();
        open(pool, "a").release();
        AtomicReference<PendingLease<Connection>> request = new AtomicReference<>();
        // Looked up on the way to the lease, so that the request is cancelled when it is as good as served.
        Object state = new Object() {
            @Override
            public int hashCode() {
                request.get().cancel();
                return 1;
            }
        };
        request.set(pool.pendingLease("a", state));
        assertThrows(CancellationException.class, () -> request.get().get(Long.MAX_VALUE, TimeUnit.SECONDS));
        assertEquals(1, pool.stats().available());
        assertNotNull(held.hold(pool.tryLease("a")).connection(), "bound to nobody, as it was");
    }

    @Test
    void aPendingLeaseServesOnceAndCannotBeCancelledThen() throws Exception {
        ConnectionPool<String, Connection> pool = builder().build();
        PendingLease<Connection> request = pool.pendingLease("a", null);
        assertNotNull(request.get(1, TimeUnit.SECONDS));
        assertFalse(request.cancel());
        assertFalse(request.isCancelled());
        assertThrows(IllegalStateException.class, () -> request.get(1, TimeUnit.SECONDS));
        assertEquals(1, pool.stats().leased());
    }

    @Test
    void whatIsMadeOfAPendingLeaseIsWhatItAnswers() throws Exception {
        ConnectionPool<String, Connection> pool = builder().build();
        Lease<?>[] made = new Lease<?>[1];
        for (Duration patience : new Duration[] {null, Duration.ofSeconds(1)}) {
            PendingLease<Connection> request = pool.pendingLease("a", null);
            Function<Lease<Connection>, String> use = lease -> {
                made[0] = lease;
                return "made";
            };
            assertEquals("made", patience == null ? request.getFor(1, TimeUnit.SECONDS, use) : request.getFor(patience, use));
            made[0].discard();
        }
        assertEquals(0, pool.stats().leased());
    }

    @Test
    void aPendingLeaseMayBeAskedAgainAfterATimeout() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        Lease<Connection> lease = open(pool, "a");
        PendingLease<Connection> request = pool.pendingLease("a", null);
        assertThrows(TimeoutException.class, () -> request.get(1, TimeUnit.MILLISECONDS));
        lease.release();
        assertNotNull(request.get(1, TimeUnit.SECONDS).connection());
    }

    /** Interrupts, cancellations and timeouts race with releases and discards; afterwards every slot is there. */
    @Test
    @Tag("long")
    void noSlotIsLostWhicheverEndOfAWaitComesFirst() throws Exception {
        int slots = 3;
        ConnectionPool<String, Connection> pool = builder().maxTotal(slots).build();
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger interrupted = new AtomicInteger();
        AtomicInteger cancelled = new AtomicInteger();
        AtomicInteger timedOut = new AtomicInteger();
        AtomicInteger served = new AtomicInteger();
        List<Throwable> failures = new ArrayList<>();
        List<Thread> workers = new ArrayList<>();
        ConcurrentLinkedQueue<PendingLease<Connection>> requests = new ConcurrentLinkedQueue<>();
        for (int i = 0; i < 6; i++) {
            Thread worker = new Thread(() -> {
                ThreadLocalRandom random = ThreadLocalRandom.current();
                while (!stop.get()) {
                    try {
                        Object state = random.nextInt(4) == 0 ? "s" + random.nextInt(2) : null;
                        PendingLease<Connection> request = pool.pendingLease("r" + random.nextInt(2), state);
                        requests.add(request);
                        Lease<Connection> lease = request.get(random.nextInt(300) + 1, TimeUnit.MICROSECONDS);
                        served.incrementAndGet();
                        if (lease.connection() == null) {
                            lease.opened(new Connection("c"));
                        }
                        if (random.nextInt(2) == 0) {
                            Thread.yield();
                        }
                        if (random.nextInt(5) == 0) {
                            lease.discard();
                        } else {
                            lease.release();
                        }
                    } catch (InterruptedException e) {
                        interrupted.incrementAndGet();
                    } catch (CancellationException e) {
                        cancelled.incrementAndGet();
                    } catch (TimeoutException e) {
                        timedOut.incrementAndGet();
                    } catch (Throwable e) {
                        synchronized (failures) {
                            failures.add(e);
                        }
                        return;
                    }
                }
            });
            workers.add(worker);
            worker.start();
        }
        ThreadLocalRandom random = ThreadLocalRandom.current();
        Eventually.await("thousands of each kind of end", () -> {
            for (int i = 0; i < 200; i++) {
                workers.get(random.nextInt(workers.size())).interrupt();
                for (PendingLease<Connection> request = requests.poll(); request != null; request = requests.poll()) {
                    if (random.nextInt(2) == 0) {
                        request.cancel();
                    }
                }
                Thread.yield();
            }
            synchronized (failures) {
                return !failures.isEmpty()
                        || interrupted.get() > 3_000 && cancelled.get() > 3_000 && timedOut.get() > 1_000
                                && served.get() > 3_000;
            }
        });
        stop.set(true);
        for (Thread worker : workers) {
            worker.join();
        }
        assertEquals(emptyList(), failures);
        assertEquals(0, pool.stats().leased());
        assertEquals(0, pool.stats().pending());
        // All slots can still be had at once.
        pool.closeIdle(0, TimeUnit.SECONDS);
        for (int i = 0; i < slots; i++) {
            assertNotNull(held.hold(pool.tryLease("r0")));
        }
    }

    /** More wait than there are carriers: were a waiter to pin its carrier, nobody could release. */
    @Test
    @Tag("long")
    void virtualThreadsWaitWithoutTheirCarriers() throws Exception {
        Method start;
        try {
            start = Thread.class.getMethod("startVirtualThread", Runnable.class);
        } catch (NoSuchMethodException e) {
            System.out.println("JDK " + System.getProperty("java.version") + " has no virtual threads: not tried.");
            assumeTrue(false, "this JDK has no virtual threads");
            return;
        }
        ConnectionPool<String, Connection> pool = builder().maxTotal(2).build();
        int threads = 500;
        CountDownLatch done = new CountDownLatch(threads);
        List<Throwable> failures = new CopyOnWriteArrayList<>();
        Runnable user = () -> {
            try {
                for (int i = 0; i < 5; i++) {
                    Lease<Connection> lease = pool.lease("a", 60, TimeUnit.SECONDS);
                    if (lease.connection() == null) {
                        lease.opened(new Connection("c"));
                    }
                    // Leaves the carrier to others while the connection is in use.
                    LockSupport.parkNanos(1_000);
                    lease.release();
                }
            } catch (Throwable e) {
                failures.add(e);
            } finally {
                done.countDown();
            }
        };
        for (int i = 0; i < threads; i++) {
            start.invoke(null, user);
        }
        assertTrue(done.await(2, TimeUnit.MINUTES), () -> done.getCount() + " are still waiting");
        assertEquals(emptyList(), failures);
        assertEquals(0, pool.stats().leased());
    }

    @Test
    @Tag("long")
    void limitsMayChangeWhileRequestsWait() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        List<Throwable> failures = new ArrayList<>();
        CountDownLatch done = new CountDownLatch(6);
        for (int i = 0; i < 6; i++) {
            new Thread(() -> {
                try {
                    for (int n = 0; n < 1_000; n++) {
                        Lease<Connection> lease = pool.lease("r" + n % 3, 60, TimeUnit.SECONDS);
                        if (lease.connection() == null) {
                            lease.opened(new Connection("c"));
                        }
                        lease.release();
                    }
                } catch (Throwable e) {
                    synchronized (failures) {
                        failures.add(e);
                    }
                } finally {
                    done.countDown();
                }
            }).start();
        }
        ThreadLocalRandom random = ThreadLocalRandom.current();
        Eventually.await("all are served", () -> {
            pool.setMaxTotal(random.nextInt(4));
            pool.setMaxPerRoute("r" + random.nextInt(3), 1 + random.nextInt(2));
            pool.setMaxTotal(1 + random.nextInt(4));
            return done.getCount() == 0;
        });
        assertEquals(emptyList(), failures);
        assertEquals(0, pool.stats().leased());
        assertTrue(pool.stats().available() <= pool.getMaxTotal());
    }
}
