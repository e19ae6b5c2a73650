package io.leasehold;

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
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A suspended pool gives nobody anything; whoever asks waits as ever, until it is resumed. */
class SuspendTest {
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

    private static CompletableFuture<Lease<Connection>> ask(ConnectionPool<String, Connection> pool, String route) {
        CompletableFuture<Lease<Connection>> asked = pool.leaseAsync(route, Long.MAX_VALUE, TimeUnit.SECONDS);
        assertFalse(asked.isDone());
        return asked;
    }

    private Lease<Connection> served(CompletableFuture<Lease<Connection>> asked) throws Exception {
        return held.hold(asked.get(1, TimeUnit.MINUTES));
    }

    @Test
    void whoAsksWaitsThoughAConnectionIsIdleOrCouldBeOpened() throws Exception {
        ConnectionPool<String, Connection> pool = builder().name("orders").build();
        open(pool, "a").release();
        pool.suspend();
        pool.suspend();
        assertTrue(pool.isSuspended());
        for (String route : new String[] {"a", "b"}) {
            assertNull(pool.tryLease(route));
            assertNull(pool.tryLeaseFor(route, null, lease -> lease));
            Exception timeout = assertThrows(TimeoutException.class, () -> pool.lease(route, 0, TimeUnit.SECONDS));
            assertTrue(timeout.getMessage().contains("; orders, suspended: "), timeout.getMessage());
        }
        assertTrue(pool.describe("a").startsWith("orders, suspended: "), pool.describe("a"));
        CompletableFuture<Lease<Connection>> idle = ask(pool, "a");
        CompletableFuture<Lease<Connection>> vacant = ask(pool, "b");
        assertEquals(2, pool.stats().pending());
        pool.resume();
        assertFalse(pool.isSuspended());
        assertNotNull(served(idle).connection());
        assertNull(served(vacant).connection());
        pool.resume();
        assertTrue(pool.describe("a").startsWith("orders: "), pool.describe("a"));
    }

    @Test
    void aThreadThatWaitsIsServedWhenThePoolIsResumed() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        Lease<Connection> leased = open(pool, "a");
        Connection connection = leased.connection();
        pool.suspend();
        FutureTask<Connection> waiting = new FutureTask<>(() ->
                held.hold(pool.lease("a", Long.MAX_VALUE, TimeUnit.SECONDS)).connection());
        new Thread(waiting).start();
        Eventually.await("it waits", () -> pool.stats().pending() == 1);
        leased.release();
        assertEquals(1, pool.stats().available());
        assertFalse(waiting.isDone());
        pool.resume();
        assertSame(connection, waiting.get(1, TimeUnit.MINUTES));
    }

    /** There is no engine yet that could be told. */
    @Test
    void aPoolThatNobodyHasUsedIsSuspendedFromItsFirstRequestOn() throws Exception {
        ConnectionPool<String, Connection> pool = builder().build();
        pool.suspend();
        assertTrue(pool.isSuspended());
        assertNull(pool.tryLease("a"));
        CompletableFuture<Lease<Connection>> asked = ask(pool, "a");
        pool.resume();
        assertNotNull(served(asked));
        ConnectionPool<String, Connection> other = builder().build();
        other.suspend();
        other.resume();
        assertNotNull(held.hold(other.tryLease("a")));
    }

    @Test
    void thoseWhoWaitAreServedInTheOrderOfTheirArrivalWhateverTheirRoute() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        open(pool, "b").release();
        pool.suspend();
        CompletableFuture<Lease<Connection>> first = ask(pool, "a");
        CompletableFuture<Lease<Connection>> second = ask(pool, "b");
        pool.resume();
        Lease<Connection> lease = served(first);
        assertFalse(second.isDone());
        lease.discard();
        assertNull(served(second).connection());
    }

    @Test
    void whoWaitsGivesUpAsEver() throws Exception {
        ConnectionPool<String, Connection> pool = builder().manualClock(clock).maxWaiters(2).build();
        open(pool, "a").release();
        pool.suspend();
        CompletableFuture<Lease<Connection>> limited = pool.leaseAsync("a", 1, TimeUnit.SECONDS);
        CompletableFuture<Lease<Connection>> cancelled = ask(pool, "a");
        assertThrows(QueueFullException.class, () -> pool.lease("a", 1, TimeUnit.SECONDS));
        assertTrue(cancelled.cancel(false));
        clock.advance(1, TimeUnit.SECONDS);
        Throwable timeout = assertThrows(ExecutionException.class, () -> limited.get(1, TimeUnit.MINUTES)).getCause();
        assertInstanceOf(TimeoutException.class, timeout);
        assertEquals(0, pool.stats().pending());
        assertEquals(1, pool.metrics().timedOut());
        assertEquals(1, pool.metrics().cancelled());
        assertEquals(1, pool.metrics().refused());
    }

    @Test
    void whatIsIdleIsClosedAsEverLimitsMayBeChangedAndAVacancyFilled() throws Exception {
        ConnectionPool<String, Connection> pool = builder().manualClock(clock).maxTotal(2).build();
        Lease<Connection> expiring = open(pool, "a");
        Lease<Connection> vacancy = held.hold(pool.tryLease("b"));
        pool.suspend();
        expiring.updateExpiry(1, TimeUnit.SECONDS);
        expiring.release();
        vacancy.opened(new Connection("b"));
        vacancy.release();
        assertEquals(2, pool.stats().available());
        clock.advance(1, TimeUnit.SECONDS);
        pool.closeExpired();
        pool.softEvict();
        assertEquals(2, disposals.count());
        CompletableFuture<Lease<Connection>> asked = ask(pool, "a");
        pool.setMaxTotal(9);
        assertFalse(asked.isDone());
        pool.resume();
        assertNull(served(asked).connection());
    }

    @Test
    void whatIsToBeDoneOnceThePoolIsResumedIsDoneWhenThoseWhoWaitAreServed() throws Exception {
        ConnectionPool<String, Connection> pool = builder().build();
        pool.suspend();
        CompletableFuture<Lease<Connection>> asked = ask(pool, "a");
        List<Boolean> seen = new ArrayList<>();
        RuntimeException failure = new IllegalStateException("on purpose");
        pool.whenResumed(() -> {
            throw failure;
        });
        pool.whenResumed(() -> seen.add(asked.isDone() && !pool.isSuspended()));
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            pool.resume();
            assertEquals(singletonList(failure), log.thrown());
        }
        assertEquals(singletonList(true), seen);
        assertNotNull(served(asked));
    }

    @Test
    void aShutdownTellsWhoWaits() {
        ConnectionPool<String, Connection> pool = builder().build();
        open(pool, "a").release();
        pool.suspend();
        CompletableFuture<Lease<Connection>> asked = ask(pool, "a");
        pool.shutdown(ShutdownMode.GRACEFUL);
        Throwable refusal = assertThrows(ExecutionException.class, () -> asked.get(1, TimeUnit.MINUTES)).getCause();
        assertInstanceOf(PoolShutDownException.class, refusal);
        assertEquals(1, disposals.count());
        pool.resume();
        assertThrows(PoolShutDownException.class, () -> pool.tryLease("a"));
    }
}
