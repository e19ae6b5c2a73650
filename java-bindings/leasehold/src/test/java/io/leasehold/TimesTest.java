package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Times mean what they say: zero and less are no time, and the longest is without end. */
class TimesTest {
    private static final Duration ENDLESS = Duration.ofSeconds(Long.MAX_VALUE);

    private final ManualClock clock = new ManualClock();
    @RegisterExtension
    final Held held = new Held();
    private final ConnectionPool<String, Connection> pool = ConnectionPool.<String, Connection>builder(new Disposals())
            .maxTotal(1)
            .maxWaiters(0)
            .manualClock(clock)
            .leakListener(Disposals.LEAKS_ARE_EXPECTED)
            .build();

    /** Nobody may wait here: whoever tried would hear of a full queue. */
    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void noTimeDoesNotWait(long timeout) throws Exception {
        Duration duration = timeout == Long.MIN_VALUE ? Duration.ofSeconds(timeout) : Duration.ofNanos(timeout);
        held.hold(pool.pendingLease("a", null).get(duration)).discard();
        Lease<Connection> lease = held.hold(pool.lease("a", timeout, TimeUnit.DAYS));
        assertNotNull(lease, "what can be had at once is had");
        assertThrows(TimeoutException.class, () -> pool.lease("a", timeout, TimeUnit.DAYS));
        assertThrows(TimeoutException.class, () -> pool.lease("a", "state", duration));
        assertThrows(TimeoutException.class, () -> pool.leaseFor("a", null, duration, any -> any));
        assertThrows(TimeoutException.class, () -> pool.pendingLease("a", null).get(duration));
        for (CompletableFuture<?> future : new CompletableFuture<?>[] {
                pool.leaseAsync("a", timeout, TimeUnit.DAYS), pool.leaseAsync("a", null, duration)}) {
            assertTrue(future.isDone());
            assertInstanceOf(TimeoutException.class, assertThrows(ExecutionException.class, future::get).getCause());
        }
        List<Object> told = new ArrayList<>();
        LeaseRequest request = pool.requestLease("a", null, duration, new LeaseHook<Connection>() {
            @Override
            public void leased(Lease<Connection> lease) {
                told.add(lease);
            }

            @Override
            public void failed(Throwable why) {
                told.add(why.getClass());
            }
        });
        assertFalse(request.cancel(), "it was told");
        assertEquals(Arrays.asList(TimeoutException.class), told);
        assertEquals(0, pool.stats().pending());
        assertFalse(pool.awaitTermination(duration));
        lease.discard();
        assertEquals(0, pool.stats().leased());
    }

    @Test
    void aPoolsTimeIsThatOfTheClockThatItHas() {
        long before = pool.nanoTime();
        clock.advance(5, TimeUnit.SECONDS);
        assertEquals(5_000_000_000L, pool.nanoTime() - before);
        ConnectionPool<String, Connection> another = ConnectionPool.<String, Connection>builder(new Disposals()).build();
        long start = System.nanoTime();
        long now = another.nanoTime();
        assertTrue(now - start >= 0 && now - System.nanoTime() <= 0);
        another.close();
    }

    @Test
    void theLongestTimeWaitsWithoutEnd() throws Exception {
        ConnectionPool<String, Connection> pool = ConnectionPool.<String, Connection>builder(new Disposals())
                .maxTotal(1)
                .manualClock(clock)
                .build();
        Lease<Connection> lease = held.hold(pool.tryLease("a"));
        CompletableFuture<Lease<Connection>> first = pool.leaseAsync("a", Long.MAX_VALUE, TimeUnit.NANOSECONDS);
        CompletableFuture<Lease<Connection>> second = pool.leaseAsync("a", ENDLESS);
        FutureTask<Lease<Connection>> third = new FutureTask<>(() -> pool.lease("a", ENDLESS));
        new Thread(third).start();
        Eventually.await("three wait", () -> pool.stats().pending() == 3);
        clock.advance(Duration.ofDays(290 * 365));
        assertFalse(first.isDone());
        lease.discard();
        first.get().discard();
        second.get().discard();
        third.get().discard();
    }

    @Test
    void aVacancyIsAskedForByName() {
        Lease<Connection> lease = held.hold(pool.tryLease("a"));
        assertTrue(lease.isVacancy());
        lease.opened(new Connection("c"));
        assertFalse(lease.isVacancy());
        lease.reopen();
        assertTrue(lease.isVacancy());
        lease.opened(new Connection("d"));
        lease.replace();
        assertTrue(lease.isVacancy());
        lease.discard();
    }

    @Test
    void aClockGoesForwardOnlyAndOutlivesItsPools() throws Exception {
        clock.advance(0, TimeUnit.SECONDS);
        assertThrows(IllegalArgumentException.class, () -> clock.advance(-1, TimeUnit.MILLISECONDS));
        WeakReference<Object> dropped = new WeakReference<>(usedPool());
        Eventually.awaitAfterCollection("the pool is collected", () -> dropped.get() == null);
        clock.advance(1, TimeUnit.SECONDS);
        assertEquals(1, TimeUnit.NANOSECONDS.toSeconds(clock.nanoTime()));
    }

    private ConnectionPool<String, Connection> usedPool() {
        ConnectionPool<String, Connection> used = ConnectionPool.<String, Connection>builder(new Disposals()).manualClock(clock).build();
        used.tryLease("a").discard();
        return used;
    }

    /** Who makes something of a lease as it is taken gives it to nobody if that fails. */
    @Test
    void whatIsMadeOfALeaseIsReturnedOrTheLeaseIsEnded() throws Exception {
        assertEquals("a", pool.leaseFor("a", null, 1, TimeUnit.MINUTES, TimesTest::used));
        assertEquals("a", pool.leaseFor("a", null, Duration.ofMinutes(1), TimesTest::used));
        assertEquals("a", pool.tryLeaseFor("a", null, TimesTest::used));
        Lease<Connection> lease = pool.lease("a", "state", Duration.ofMinutes(1));
        lease.opened(new Connection("c"));
        lease.release(null);
        for (int i = 0; i < 2; i++) {
            assertThrows(IllegalStateException.class, () -> pool.leaseFor("a", null, 1, TimeUnit.MINUTES, TimesTest::failed));
            assertThrows(IllegalStateException.class, () -> pool.tryLeaseFor("a", null, TimesTest::failed));
        }
        assertEquals(0, pool.stats().leased());
    }

    private static Object used(Lease<Connection> lease) {
        Object route = lease.route();
        lease.discard();
        return route;
    }

    private static Object failed(Lease<Connection> lease) {
        throw new IllegalStateException("of the test's own making");
    }

    @Test
    void whatIsIdleForTooLongOrHasExpiredIsEvictedWhereThatIsAskedFor() throws Exception {
        Disposals ofIdle = new Disposals();
        Disposals ofExpired = new Disposals();
        ConnectionPool<String, Connection> idle = ConnectionPool.<String, Connection>builder(ofIdle)
                .evictIdle(1, TimeUnit.MINUTES)
                .manualClock(clock)
                .build();
        ConnectionPool<String, Connection> expired = ConnectionPool.<String, Connection>builder(ofExpired)
                .evictExpired(true)
                .manualClock(clock)
                .build();
        for (ConnectionPool<String, Connection> each : Arrays.asList(idle, expired)) {
            Lease<Connection> lease = held.hold(each.tryLease("a"));
            lease.opened(new Connection("c"));
            lease.updateExpiry(Duration.ofMinutes(2));
            lease.release();
        }
        clock.advance(Duration.ofSeconds(90));
        Eventually.await("the idle one is closed", () -> ofIdle.count() == 1);
        assertEquals(Arrays.asList("c IDLE"), ofIdle.take());
        assertEquals(1, idle.counters().idle());
        assertEquals(1, expired.stats().available());
        clock.advance(Duration.ofSeconds(31));
        Eventually.await("the expired one is closed", () -> ofExpired.count() == 1);
        assertEquals(Arrays.asList("c EXPIRED"), ofExpired.take());
        assertEquals(1, expired.counters().expired());
    }

    private ConnectionPool<String, Connection> unusedFor(String millis, Disposals disposals) {
        System.setProperty("io.leasehold.unusedMillis", millis);
        try {
            ConnectionPool<String, Connection> pool = ConnectionPool.<String, Connection>builder(disposals).manualClock(clock).build();
            Lease<Connection> lease = held.hold(pool.tryLease("a"));
            lease.opened(new Connection("c"));
            lease.release();
            return pool;
        } finally {
            System.clearProperty("io.leasehold.unusedMillis");
        }
    }

    @Test
    void whatAPoolHasThatIsNotUsedIsClosedAfterTheTimeThatIsSetOrNever() throws Exception {
        Disposals closed = new Disposals();
        // Looked after before the other one.
        ConnectionPool<String, Connection> never = unusedFor("0", new Disposals());
        ConnectionPool<String, Connection> afterAMinute = unusedFor("60000", closed);
        Eventually.await("it is closed", () -> {
            clock.advance(20, TimeUnit.SECONDS);
            return closed.count() == 1;
        });
        assertEquals(Arrays.asList("c IDLE"), closed.take());
        assertEquals(0, afterAMinute.stats().available());
        assertEquals(1, never.stats().available());
    }

    /** A manager's constructor knows of no clock. */
    @Test
    void aClockDrivesThePoolsThatAreBuiltInItsHandsAndNoOthers() {
        ConnectionPool<String, Connection> driven = clock.driving(() -> {
            new ManualClock().driving(() -> "another one for a while");
            return ConnectionPool.<String, Connection>builder(new Disposals()).build();
        });
        ConnectionPool<String, Connection> other = ConnectionPool.<String, Connection>builder(new Disposals()).build();
        for (ConnectionPool<String, Connection> each : Arrays.asList(driven, other)) {
            Lease<Connection> lease = held.hold(each.tryLease("a"));
            lease.opened(new Connection("c"));
            lease.updateExpiry(Duration.ofHours(1));
            lease.release();
        }
        clock.advance(Duration.ofHours(2));
        driven.closeExpired();
        other.closeExpired();
        assertEquals(0, driven.stats().available());
        assertEquals(1, other.stats().available());
    }
}
