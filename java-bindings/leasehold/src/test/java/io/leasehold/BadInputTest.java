package io.leasehold;

import static java.util.Collections.emptyList;
import static java.util.Collections.singletonList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Mistakes are told apart, say what to do, and lose nothing. */
class BadInputTest {
    private final Disposals disposals = new Disposals();
    @RegisterExtension
    final Held held = new Held();
    private final ConnectionPool<String, Connection> pool =
            ConnectionPool.<String, Connection>builder(disposals)
                    .maxTotal(2)
                    .leakListener(Disposals.LEAKS_ARE_EXPECTED)
                    .build();

    private static void illegalArgument(String advice, Executable mistake) {
        String message = assertThrows(IllegalArgumentException.class, mistake).getMessage();
        assertTrue(message.contains(advice), message);
    }

    private static void illegalState(String advice, Executable mistake) {
        String message = assertThrows(IllegalStateException.class, mistake).getMessage();
        assertTrue(message.contains(advice), message);
    }

    private Lease<Connection> open() {
        Lease<Connection> lease = held.hold(pool.tryLease("a"));
        lease.opened(new Connection("c"));
        return lease;
    }

    @Test
    void aRouteIsNeverNull() {
        illegalArgument("route", () -> held.hold(pool.tryLease(null)));
        illegalArgument("route", () -> held.hold(pool.tryLease(null, "state")));
        illegalArgument("route", () -> pool.lease(null, 1, TimeUnit.SECONDS));
        illegalArgument("route", () -> pool.lease(null, "state", 1, TimeUnit.SECONDS));
        illegalArgument("route", () -> pool.pendingLease(null, null));
        illegalArgument("route", () -> pool.stats(null));
        illegalArgument("route", () -> pool.clear(null));
        illegalArgument("route", () -> pool.setMaxPerRoute(null, 1));
        illegalArgument("route", () -> pool.getMaxPerRoute(null));
        illegalArgument("route", () -> pool.removeMaxPerRoute(null));
    }

    @Test
    void aPoolNeedsADisposer() {
        illegalArgument("disposer", () -> ConnectionPool.builder(null));
    }

    @Test
    void enumsAreNeverNull() {
        illegalArgument("policy", () -> ConnectionPool.builder(disposals).policy(null));
        illegalArgument("profile", () -> ConnectionPool.builder(disposals).profile(null));
        illegalArgument("mode", () -> pool.shutdown(null));
    }

    @Test
    void limitsAreNotNegative() {
        illegalArgument("maxTotal must not be negative: -1", () -> ConnectionPool.builder(disposals).maxTotal(-1));
        illegalArgument("maxPerRoute", () -> ConnectionPool.builder(disposals).maxPerRoute(-1));
        illegalArgument("maxWaiters", () -> ConnectionPool.builder(disposals).maxWaiters(-1));
        illegalArgument("maxTotal", () -> pool.setMaxTotal(-1));
        illegalArgument("defaultMaxPerRoute", () -> pool.setDefaultMaxPerRoute(Integer.MIN_VALUE));
        illegalArgument("maxPerRoute", () -> pool.setMaxPerRoute("a", -1));
        illegalArgument("idleTime", () -> pool.closeIdle(-1, TimeUnit.SECONDS));
        assertEquals(2, pool.getMaxTotal());
    }

    @Test
    void timeDoesNotGoBack() {
        illegalArgument("forward", () -> new ManualClock().advance(-1, TimeUnit.SECONDS));
    }

    @Test
    void aLeaseEndsOnce() {
        Lease<Connection> lease = open();
        lease.release();
        illegalState("ended", lease::release);
        illegalState("ended", () -> lease.release("state"));
        illegalState("ended", lease::discard);
        illegalState("ended", lease::connection);
        illegalState("ended", lease::reopen);
        illegalState("ended", () -> lease.opened(new Connection("late")));
        assertFalse(lease.tryRelease());
        assertFalse(lease.tryRelease("state"));
        assertFalse(lease.tryDiscard());
        lease.close();
        assertEquals(1, pool.stats().available());
        assertEquals(emptyList(), disposals.take());
    }

    @Test
    void anEndedLeaseCannotTouchTheConnectionsNextLease() {
        Lease<Connection> ended = open();
        ended.release();
        Lease<Connection> next = held.hold(pool.tryLease("a"));
        illegalState("ended", ended::discard);
        assertTrue(next.connection().isOpen());
        next.release();
        assertEquals(0, pool.stats().leased());
    }

    @ParameterizedTest
    @EnumSource(names = {"HTTPCLIENT_3", "HTTPCLIENT_4"})
    void endingALeaseTwiceDoesNothingWhereTheProfileSaysSo(Profile profile) {
        ConnectionPool<String, Connection> pool =
                ConnectionPool.<String, Connection>builder(disposals).profile(profile).build();
        assertEquals(20, pool.getMaxTotal());
        assertEquals(2, pool.getDefaultMaxPerRoute());
        Lease<Connection> lease = held.hold(pool.tryLease("a"));
        lease.opened(new Connection("c"));
        lease.release();
        lease.release();
        lease.discard();
        assertEquals(1, pool.stats().available());
    }

    @Test
    void aVacancyIsFilledOnceAndWithSomething() {
        Lease<Connection> lease = held.hold(pool.tryLease("a"));
        illegalArgument("release", () -> lease.opened(null));
        illegalState("no connection", lease::reopen);
        lease.opened(new Connection("c"));
        Connection second = new Connection("second");
        illegalState("already", () -> lease.opened(second));
        assertTrue(second.isOpen(), "it stays the caller's");
        assertEquals("c", lease.connection().toString());
        lease.discard();
        assertEquals(singletonList("c DISCARDED"), disposals.take());
    }

    @Test
    void twoThreadsThatEndALeaseAtOnceEndItOnce() throws Exception {
        for (int i = 0; i < 2_000; i++) {
            Lease<Connection> lease = held.hold(pool.tryLease("a"));
            if (lease.connection() == null) {
                lease.opened(new Connection("c"));
            }
            boolean[] ended = new boolean[2];
            boolean bound = i % 4 == 0;
            boolean discarded = i % 3 == 0;
            Thread other = new Thread(() -> ended[1] = discarded ? lease.tryDiscard() : lease.tryRelease());
            other.start();
            ended[0] = bound ? lease.tryRelease("somebody") : lease.tryRelease();
            other.join();
            assertTrue(ended[0] ^ ended[1], "ended by both or by neither");
            assertEquals(0, pool.stats().leased());
        }
    }

    @Test
    void aStateMayBeAnythingThatHasEquals() {
        Lease<Connection> lease = held.hold(pool.tryLease("a", new int[] {1}));
        assertNull(lease.connection());
        lease.opened(new Connection("c"));
        lease.release(12L);
        assertNotNull(held.hold(pool.tryLease("a", 12L)).connection());
    }
}
