package io.leasehold;

import static java.util.Collections.emptyList;
import static java.util.Collections.singletonList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;

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

    /** All methods of the API are asked for what they say of null, so that a new one is tried, too. */
    @Test
    void whatMayNotBeNullIsRefusedAlikeEverywhereBeforeAnythingIsDone() throws Exception {
        Lease<Connection> lease = open();
        int tried = 0;
        for (Object subject : new Object[] {pool, lease, pool.pendingLease("a", null), ConnectionPool.builder(disposals), new ManualClock(),
                TcpKeepAlive.of(1, 1, 1)}) {
            for (Method method : subject.getClass().getMethods()) {
                Class<?>[] types = method.getParameterTypes();
                for (int i = 0; i < types.length; i++) {
                    if (method.getDeclaringClass() == subject.getClass() && !types[i].isPrimitive() && !mayBeNull(method, i)) {
                        Object[] arguments = Stream.of(types).map(BadInputTest::some).toArray();
                        arguments[i] = null;
                        Throwable refusal = assertThrows(InvocationTargetException.class, () -> method.invoke(subject, arguments),
                                method::toString).getCause();
                        assertEquals(IllegalArgumentException.class, refusal.getClass(), method::toString);
                        assertTrue(refusal.getMessage().contains(" must not be null: "), refusal.getMessage());
                        tried++;
                    }
                }
            }
        }
        assertTrue(tried > 50, tried + " parameters");
        assertFalse(lease.isEnded());
        assertFalse(pool.isShutDown());
        assertEquals(1, pool.stats().leased());
    }

    /** The states, which for null are nobody's. */
    private static boolean mayBeNull(Method method, int parameter) {
        String name = method.getName();
        return method.getParameterTypes()[parameter] == Object.class
                && (parameter == 1 || name.equals("release") || name.equals("tryRelease"));
    }

    private static Object some(Class<?> type) {
        if (type == long.class) {
            return 1L;
        }
        if (type == int.class) {
            return 1;
        }
        if (type == boolean.class) {
            return false;
        }
        if (type == TimeUnit.class) {
            return TimeUnit.SECONDS;
        }
        if (type == Duration.class) {
            return Duration.ofSeconds(1);
        }
        if (type.isInterface()) {
            return Proxy.newProxyInstance(BadInputTest.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> null);
        }
        return type == Object.class ? "a" : null;
    }

    @Test
    void enumsAreNeverNull() {
        illegalArgument("policy", () -> ConnectionPool.builder(disposals).policy(null));
        illegalArgument("watching", () -> ConnectionPool.builder(disposals).watching(null));
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
        illegalArgument("idleTime must be positive: 0", () -> ConnectionPool.builder(disposals).evictIdle(0, TimeUnit.SECONDS));
        illegalArgument("timeToLive", () -> ConnectionPool.builder(disposals).timeToLive(Duration.ofSeconds(-1)));
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
        illegalState("ended", lease::isVacancy);
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
    @Tag("long")
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

    @Test
    void eachStepOfABuilderIsTheBuilder() {
        ConnectionPool.Builder<String, Connection> builder = ConnectionPool.builder(disposals);
        assertSame(builder, builder.timeToLive(Duration.ofSeconds(1)));
        assertSame(builder, builder.evictIdle(Duration.ofSeconds(1)));
        assertSame(builder, builder.ownRouteFirst(true));
        assertSame(builder, builder.connectsLater());
    }
}
