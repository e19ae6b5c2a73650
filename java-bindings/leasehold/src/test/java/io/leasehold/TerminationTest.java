package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A pool has come to its end when it was shut down, no lease goes on, and everything is closed: and not before. */
class TerminationTest {
    private static final Duration LONG = Duration.ofMinutes(2);

    private final ManualClock clock = new ManualClock();
    @RegisterExtension
    final Held held = new Held();
    private final CountDownLatch mayClose = new CountDownLatch(1);
    // Written by the disposer's thread, and read without further ado.
    private int closed;

    private final ConnectionPool<String, Connection> pool = ConnectionPool.<String, Connection>builder(new Disposals())
            .leakListener(Disposals.LEAKS_ARE_EXPECTED)
            .manualClock(clock)
            .build();

    private Lease<Connection> open(ConnectionPool<String, Connection> pool) {
        Lease<Connection> lease = held.hold(pool.tryLease("a"));
        lease.opened(new Connection("c"));
        return lease;
    }

    /** A thread that was seen to wait for the pool's end. */
    private static FutureTask<Boolean> await(ConnectionPool<String, Connection> pool) throws Exception {
        FutureTask<Boolean> task = new FutureTask<>(() -> pool.awaitTermination(LONG));
        Thread thread = new Thread(task);
        thread.start();
        Eventually.await("it waits", () -> thread.getState() == Thread.State.TIMED_WAITING || task.isDone());
        return task;
    }

    @Test
    void aPoolThatWasNeverUsedEndsWithItsShutdown() throws Exception {
        assertFalse(pool.isTerminated());
        assertFalse(pool.awaitTermination(0, TimeUnit.SECONDS));
        FutureTask<Boolean> waiting = await(pool);
        pool.close();
        assertTrue(waiting.get());
        assertTrue(pool.isTerminated());
        assertTrue(pool.awaitTermination(Duration.ZERO), "also for whoever has no time");
    }

    @Test
    void whoAsksIsToldThatThereWillBeNumbersAndThenHowManyLeasesThereWere() {
        Queue<String> told = new ConcurrentLinkedQueue<>();
        pool.tellNumbers((leases, connections) -> {
            told.add(leases + " leases, " + connections + " new");
            throw new IllegalStateException("on purpose: nobody else notices");
        });
        open(pool).release();
        pool.close();
        assertEquals(Arrays.asList("null leases, null new", "1 leases, 1 new"), new ArrayList<>(told).subList(0, 2));
    }

    @Test
    void leasesGoOnUntilTheyEnd() throws Exception {
        Lease<Connection> connection = open(pool);
        Lease<Connection> vacancy = held.hold(pool.tryLease("b"));
        Lease<Connection> taken = open(pool);
        open(pool).release();
        FutureTask<Boolean> waiting = await(pool);
        pool.close();
        assertFalse(pool.isTerminated());
        connection.release();
        assertFalse(pool.isTerminated());
        taken.reopen();
        taken.discard();
        assertFalse(pool.isTerminated(), "a vacancy is left");
        assertThrows(PoolShutDownException.class, () -> vacancy.opened(new Connection("late")));
        assertTrue(waiting.get());
    }

    @Test
    void aShutdownAtOnceEndsLeases() throws Exception {
        Lease<Connection> lease = open(pool);
        pool.shutdown(ShutdownMode.IMMEDIATE);
        assertTrue(pool.isTerminated());
        assertTrue(pool.awaitTermination(Duration.ZERO));
        lease.discard();
        assertTrue(pool.isTerminated());
    }

    @Test
    void theTimeMayBeUpBefore() throws Exception {
        Lease<Connection> lease = open(pool);
        pool.close();
        FutureTask<Boolean> waiting = await(pool);
        clock.advance(LONG);
        assertFalse(waiting.get());
        lease.release();
        assertTrue(pool.isTerminated());
    }

    @Test
    void anInterruptEndsTheWait() throws Exception {
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> pool.awaitTermination(LONG));
        assertFalse(Thread.interrupted());
    }

    /** What is closed on another thread counts until that has been done, and what that thread did is seen. */
    @Test
    void whatIsClosedAsideIsWaitedFor() throws Exception {
        ConnectionPool<String, Connection> pool = ConnectionPool.<String, Connection>builder(new Disposer<Connection>() {
            @Override
            public boolean mayBlock(Connection connection) {
                return true;
            }

            @Override
            public void dispose(Connection connection, Cause cause) {
                try {
                    mayClose.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                closed++;
                throw new IllegalStateException("closed all the same");
            }
        }).manualClock(clock).build();
        open(pool).release();
        pool.close();
        assertEquals(0, pool.stats().available());
        assertFalse(pool.isTerminated(), "it is being closed");
        FutureTask<Boolean> waiting = await(pool);
        mayClose.countDown();
        assertTrue(waiting.get());
        assertEquals(1, closed);
    }
}
