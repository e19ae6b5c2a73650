package io.leasehold;

import static java.util.Arrays.asList;
import static java.util.Collections.emptyList;
import static java.util.Collections.singleton;
import static java.util.Collections.singletonList;
import static java.util.stream.Collectors.toList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.LogCapture;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What holds for every pool on one thread, whatever its policy and number of stripes. */
class ConnectionPoolTest {
    /** The kinds of pools that behave differently inside. */
    enum Kind {
        LIFO_ON_ONE_STRIPE,
        LIFO_ON_STRIPES,
        FIFO,
        LIFO_WITH_BARGING;

        ConnectionPool.Builder<String, Connection> builder(Disposer<Connection> disposer) {
            return ConnectionPool.<String, Connection>builder(disposer)
                    .policy(this == FIFO ? Policy.FIFO : Policy.LIFO)
                    .stripes(this == LIFO_ON_ONE_STRIPE ? 1 : 8)
                    .allowBarging(this == LIFO_WITH_BARGING)
                    .leakListener(Disposals.LEAKS_ARE_EXPECTED);
        }
    }

    private final Disposals disposals = new Disposals();
    @RegisterExtension
    final Held held = new Held();
    private final ManualClock clock = new ManualClock();
    private int opened;

    private Lease<Connection> open(ConnectionPool<String, Connection> pool, String route) {
        return open(pool, route, null);
    }

    private Lease<Connection> open(ConnectionPool<String, Connection> pool, String route, Object state) {
        Lease<Connection> lease = held.hold(pool.tryLease(route, state));
        assertNotNull(lease);
        assertNull(lease.connection(), "an idle connection was leased instead of a vacancy");
        lease.opened(new Connection(route + ++opened));
        return lease;
    }

    /** Makes as many idle connections, released in order of their names. */
    private void idle(ConnectionPool<String, Connection> pool, String route, int count) {
        List<Lease<Connection>> leases = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            leases.add(open(pool, route));
        }
        leases.forEach(Lease::release);
    }

    private static void counts(ConnectionPool<String, Connection> pool, int leased, int available) {
        assertEquals(leased, pool.stats().leased(), "leased");
        assertEquals(available, pool.stats().available(), "available");
        assertEquals(0, pool.stats().pending(), "pending");
    }

    @ParameterizedTest
    @EnumSource
    void aFirstLeaseIsAVacancy(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        Lease<Connection> lease = held.hold(pool.tryLease("a"));
        assertNull(lease.connection());
        assertEquals("a", lease.route());
        assertFalse(lease.isEnded());
        counts(pool, 1, 0);
    }

    @ParameterizedTest
    @EnumSource
    void aReleasedConnectionIsLeasedAgain(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        Lease<Connection> lease = open(pool, "a");
        Connection connection = lease.connection();
        lease.release();
        assertTrue(lease.isEnded());
        counts(pool, 0, 1);
        Lease<Connection> again = held.hold(pool.tryLease("a"));
        assertSame(connection, again.connection());
        counts(pool, 1, 0);
        again.release();
        assertEquals(emptyList(), disposals.take());
    }

    @ParameterizedTest
    @EnumSource
    void theOrderOfReuseIsThePolicys(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        idle(pool, "a", 3);
        List<Lease<Connection>> leases = new ArrayList<>();
        List<String> order = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            leases.add(held.hold(pool.tryLease("a")));
            order.add(leases.get(i).connection().toString());
        }
        assertEquals(kind == Kind.FIFO ? asList("a1", "a2", "a3") : asList("a3", "a2", "a1"), order);
        leases.forEach(Lease::release);
    }

    @ParameterizedTest
    @EnumSource
    void aConnectionGoesOnlyToItsOwnRoute(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        idle(pool, "a", 1);
        assertNull(held.hold(pool.tryLease("b")).connection());
        assertEquals(new HashSet<>(asList("a", "b")), pool.routes());
        assertEquals(1, pool.stats("a").available());
        assertEquals(1, pool.stats("b").leased());
        assertEquals(0, pool.stats("c").leased());
    }

    @ParameterizedTest
    @EnumSource
    void equalRoutesAreOneRoute(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        idle(pool, "host", 1);
        assertNotNull(held.hold(pool.tryLease(new String("host"))).connection());
    }

    @ParameterizedTest
    @EnumSource
    void limitsPerRouteAndInTotalAreStrict(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).maxPerRoute(2).maxTotal(3).build();
        Lease<Connection> first = open(pool, "a");
        open(pool, "a");
        assertNull(held.hold(pool.tryLease("a")), "a third connection to one route");
        open(pool, "b");
        assertNull(held.hold(pool.tryLease("b")), "a fourth connection in total");
        first.discard();
        assertNotNull(held.hold(pool.tryLease("b")));
        assertEquals(3, pool.stats().max());
        assertEquals(2, pool.stats("a").max());
    }

    @ParameterizedTest
    @EnumSource
    void atTheTotalTheLongestIdleConnectionOfAnotherRouteMakesRoom(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).maxTotal(2).manualClock(clock).build();
        Lease<Connection> a = open(pool, "a");
        Lease<Connection> b = open(pool, "b");
        b.release();
        clock.advance(1, TimeUnit.SECONDS);
        a.release();
        assertNull(held.hold(pool.tryLease("c")).connection());
        assertEquals(singletonList("b2 EVICTED"), disposals.take());
    }

    @ParameterizedTest
    @EnumSource
    void aDiscardedConnectionIsDisposedOf(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        open(pool, "a").discard();
        assertEquals(singletonList("a1 DISCARDED"), disposals.take());
        counts(pool, 0, 0);
    }

    @ParameterizedTest
    @EnumSource
    void aClosedLeaseIsDiscardedUnlessItHasEnded(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        try (Lease<Connection> lease = open(pool, "a")) {
            lease.release();
        }
        assertEquals(emptyList(), disposals.take());
        try (Lease<Connection> lease = held.hold(pool.tryLease("a"))) {
            assertNotNull(lease.connection());
        }
        assertEquals(singletonList("a1 DISCARDED"), disposals.take());
    }

    @ParameterizedTest
    @EnumSource
    void aVacancyThatIsReleasedGivesItsSlotBack(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).maxTotal(1).build();
        for (int i = 0; i < 10; i++) {
            Lease<Connection> vacancy = held.hold(pool.tryLease("a"));
            if (i % 2 == 0) {
                vacancy.release();
            } else {
                vacancy.release("somebody");
            }
            counts(pool, 0, 0);
        }
        assertEquals(emptyList(), disposals.take());
    }

    @ParameterizedTest
    @EnumSource
    void aReopenedLeaseKeepsItsPlace(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).maxTotal(1).build();
        idle(pool, "a", 1);
        Lease<Connection> lease = held.hold(pool.tryLease("a"));
        Connection dead = lease.connection();
        assertSame(dead, lease.reopen());
        assertNull(lease.connection());
        assertNull(held.hold(pool.tryLease("a")), "its place was given away");
        lease.opened(new Connection("new"));
        lease.release();
        assertEquals("new", held.hold(pool.tryLease("a")).connection().toString());
        assertTrue(dead.isOpen(), "a connection taken out is the caller's");
    }

    @ParameterizedTest
    @EnumSource
    void aStaleConnectionThatIsReplacedIsCountedAndDisposedOf(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).maxTotal(1).build();
        idle(pool, "a", 1);
        Lease<Connection> lease = held.hold(pool.tryLease("a"));
        lease.replaceStale();
        assertNull(lease.connection());
        assertEquals(singletonList("a1 DISCARDED"), disposals.take());
        assertEquals(1, pool.counters().stale());
        assertThrows(IllegalStateException.class, lease::replaceStale, "it is a vacancy now");
        assertNull(held.hold(pool.tryLease("a")), "its place was given away");
        lease.opened(new Connection("new"));
        lease.release();
        assertEquals("new", held.hold(pool.tryLease("a")).connection().toString());
        assertThrows(IllegalStateException.class, lease::replaceStale, "it has ended");
    }

    @ParameterizedTest
    @EnumSource
    void anExpiredConnectionIsNotLeasedAgain(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).manualClock(clock).build();
        Lease<Connection> lease = open(pool, "a");
        lease.updateExpiry(5, TimeUnit.SECONDS);
        lease.release();
        clock.advance(4999, TimeUnit.MILLISECONDS);
        lease = held.hold(pool.tryLease("a"));
        assertNotNull(lease.connection());
        lease.updateExpiry(5, TimeUnit.SECONDS);
        lease.release();
        clock.advance(5, TimeUnit.SECONDS);
        assertNull(held.hold(pool.tryLease("a")).connection());
        assertEquals(singletonList("a1 EXPIRED"), disposals.take());
    }

    @ParameterizedTest
    @EnumSource
    void aReleaseWithoutAWordOnItLeavesTheExpiry(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).manualClock(clock).build();
        Lease<Connection> lease = open(pool, "a");
        lease.updateExpiry(5, TimeUnit.SECONDS);
        lease.release();
        clock.advance(3, TimeUnit.SECONDS);
        held.hold(pool.tryLease("a")).release();
        clock.advance(2, TimeUnit.SECONDS);
        pool.closeExpired();
        assertEquals(singletonList("a1 EXPIRED"), disposals.take());
    }

    @ParameterizedTest
    @EnumSource
    void aKeepAliveOfZeroOrLessKeepsNothing(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).manualClock(clock).build();
        for (Duration keepAlive : new Duration[] {Duration.ZERO, Duration.ofMillis(-1), Duration.ofSeconds(Long.MIN_VALUE)}) {
            Lease<Connection> lease = open(pool, "a");
            lease.updateExpiry(1, TimeUnit.HOURS);
            lease.updateExpiry(keepAlive);
            lease.release();
            counts(pool, 0, 0);
            assertEquals(1, disposals.take().size());
        }
    }

    @ParameterizedTest
    @EnumSource
    void theLongestKeepAliveHasNoEnd(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).manualClock(clock).build();
        Lease<Connection> lease = open(pool, "a");
        for (Duration keepAlive : new Duration[] {Duration.ofSeconds(Long.MAX_VALUE), Duration.ofNanos(Long.MAX_VALUE)}) {
            lease.updateExpiry(1, TimeUnit.MILLISECONDS);
            lease.updateExpiry(keepAlive);
            lease.release();
            clock.advance(Duration.ofDays(200 * 365));
            pool.closeExpired();
            counts(pool, 0, 1);
            lease = held.hold(pool.tryLease("a"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aFractionOfAMillisecondIsNotForEver(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).manualClock(clock).build();
        Lease<Connection> lease = open(pool, "a");
        lease.updateExpiry(1, TimeUnit.NANOSECONDS);
        lease.release();
        clock.advance(1, TimeUnit.MILLISECONDS);
        pool.closeExpired();
        counts(pool, 0, 0);
    }

    @ParameterizedTest
    @EnumSource
    void timeToLiveIsCountedFromTheOpening(Kind kind) {
        ConnectionPool<String, Connection> pool =
                kind.builder(disposals).manualClock(clock).timeToLive(10, TimeUnit.SECONDS).build();
        Lease<Connection> lease = held.hold(pool.tryLease("a"));
        clock.advance(1, TimeUnit.HOURS);
        lease.opened(new Connection("a1"));
        clock.advance(9, TimeUnit.SECONDS);
        lease.updateExpiry(Long.MAX_VALUE, TimeUnit.SECONDS);
        lease.release();
        Lease<Connection> again = held.hold(pool.tryLease("a"));
        assertNotNull(again.connection());
        again.release();
        clock.advance(1, TimeUnit.SECONDS);
        assertNull(held.hold(pool.tryLease("a")).connection());
    }

    @ParameterizedTest
    @EnumSource
    void closeIdleIsInclusive(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).manualClock(clock).build();
        idle(pool, "a", 1);
        clock.advance(5, TimeUnit.SECONDS);
        pool.closeIdle(5001, TimeUnit.MILLISECONDS);
        counts(pool, 0, 1);
        pool.closeIdle(Duration.ofSeconds(5));
        assertEquals(singletonList("a1 IDLE"), disposals.take());
    }

    @ParameterizedTest
    @EnumSource
    void manyConnectionsAreDisposedOfByOneCall(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        idle(pool, "a", 1000);
        counts(pool, 0, 1000);
        pool.closeIdle(0, TimeUnit.SECONDS);
        assertEquals(1000, disposals.count());
        counts(pool, 0, 0);
        idle(pool, "a", 1000);
        counts(pool, 0, 1000);
    }

    @ParameterizedTest
    @EnumSource
    void connectionsFoundUnfitAreDisposedOfAndTheOthersStayInOrder(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        idle(pool, "a", 4);
        Lease<Connection> leased = open(pool, "b");
        pool.closeIdleIf((route, connection) -> route.equals("a") && "a2 a3".contains(connection.toString()));
        assertEquals(new HashSet<>(asList("a2 CLEARED", "a3 CLEARED")), new HashSet<>(disposals.take()));
        assertEquals(2, pool.counters().cleared());
        assertEquals(0, pool.counters().closedByPeer());
        assertEquals(kind == Kind.FIFO ? "a1" : "a4", held.hold(pool.tryLease("a")).connection().toString());
        assertEquals(kind == Kind.FIFO ? "a4" : "a1", held.hold(pool.tryLease("a")).connection().toString());
        assertTrue(leased.connection().isOpen());
    }

    @ParameterizedTest
    @EnumSource
    void aConnectionFoundUnfitThatIsLeasedMeanwhileGoesAtItsRelease(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        idle(pool, "a", 1);
        AtomicReference<Lease<Connection>> lease = new AtomicReference<>();
        pool.closeIdleIf((route, connection) -> {
            lease.set(held.hold(pool.tryLease("a")));
            return true;
        });
        assertTrue(lease.get().connection().isOpen());
        lease.get().release();
        assertEquals(singletonList("a1 CLEARED"), disposals.take());
    }

    @ParameterizedTest
    @EnumSource
    void aClearedRoutesConnectionsGoTheLeasedOnesAtTheirRelease(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        Lease<Connection> leased = open(pool, "a");
        idle(pool, "a", 1);
        idle(pool, "b", 1);
        pool.clear("a");
        assertEquals(singletonList("a2 CLEARED"), disposals.take());
        leased.release();
        assertEquals(singletonList("a1 CLEARED"), disposals.take());
        counts(pool, 0, 1);
        pool.clear("never heard of");
    }

    @ParameterizedTest
    @EnumSource
    void aLoweredLimitTakesIdleConnectionsNowAndLeasedOnesAtTheirRelease(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).maxTotal(4).build();
        Lease<Connection> first = open(pool, "a");
        Lease<Connection> second = open(pool, "a");
        idle(pool, "a", 2);
        pool.setMaxTotal(1);
        assertEquals(new HashSet<>(asList("a3 OVER_LIMIT", "a4 OVER_LIMIT")), new HashSet<>(disposals.take()));
        first.release();
        assertEquals(singletonList("a1 OVER_LIMIT"), disposals.take());
        second.release();
        counts(pool, 0, 1);
        assertEquals(1, pool.getMaxTotal());
    }

    @ParameterizedTest
    @EnumSource
    void aRoutesOwnLimitStaysWhileTheRouteComesAndGoes(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).maxPerRoute(5).build();
        pool.setMaxPerRoute("a", 1);
        assertEquals(1, pool.getMaxPerRoute("a"));
        assertEquals(5, pool.getMaxPerRoute("b"));
        open(pool, "a");
        assertNull(held.hold(pool.tryLease("a")));
        pool.setMaxPerRoute("a", 2);
        open(pool, "a");
        assertNull(held.hold(pool.tryLease("a")));
        pool.removeMaxPerRoute("a");
        open(pool, "a");
        for (int i = 0; i < 1000; i++) {
            held.hold(pool.tryLease("other" + i)).discard();
        }
        pool.setDefaultMaxPerRoute(3);
        assertEquals(3, pool.getMaxPerRoute("a"));
        assertNull(held.hold(pool.tryLease("a")));
    }

    @ParameterizedTest
    @EnumSource
    @Tag("long")
    void routesThatAreNotUsedAreForgotten(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        for (int i = 0; i < 20_000; i++) {
            open(pool, "host" + i).discard();
        }
        assertTrue(pool.routes().size() < 2_000, () -> pool.routes().size() + " routes are known");
        idle(pool, "host0", 1);
        assertNotNull(held.hold(pool.tryLease("host0")).connection());
    }

    @ParameterizedTest
    @EnumSource
    void aStatefulConnectionGoesOnlyToItsOwner(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        Lease<Connection> joes = open(pool, "a", "joe");
        joes.release();
        assertNull(held.hold(pool.tryLease("a")).connection(), "to nobody");
        assertNull(held.hold(pool.tryLease("a", "jack")).connection(), "to somebody else");
        Lease<Connection> again = held.hold(pool.tryLease("a", new String("joe")));
        assertEquals("a1", again.connection().toString());
        again.release();
        assertNull(held.hold(pool.tryLease("a")).connection(), "bound by a request that found it bound");
    }

    @ParameterizedTest
    @EnumSource
    void aRequestWithAStateTakesAStatelessConnectionAndBindsIt(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        idle(pool, "a", 1);
        Lease<Connection> lease = held.hold(pool.tryLease("a", "joe"));
        assertNotNull(lease.connection());
        lease.release();
        assertNull(held.hold(pool.tryLease("a")).connection());
        lease = held.hold(pool.tryLease("a", "joe"));
        lease.release(null);
        assertNotNull(held.hold(pool.tryLease("a")).connection(), "unbound");
    }

    @ParameterizedTest
    @EnumSource
    void aStatelessLeaseCanBeBoundAtItsRelease(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        open(pool, "a").release("joe");
        assertNull(held.hold(pool.tryLease("a")).connection());
        assertNotNull(held.hold(pool.tryLease("a", "joe")).connection());
    }

    @ParameterizedTest
    @EnumSource
    void aFullRouteGivesUpAConnectionOfAnotherState(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).maxPerRoute(1).build();
        open(pool, "a", "joe").release();
        assertNull(held.hold(pool.tryLease("a", "jack")).connection());
        assertEquals(singletonList("a1 EVICTED"), disposals.take());
    }

    @ParameterizedTest
    @EnumSource
    void enumerationsShowWhatIsIdleAndWhatIsLeased(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        Lease<Connection> leased = open(pool, "a");
        held.hold(pool.tryLease("vacancy"));
        idle(pool, "b", 2);
        Map<String, String> idle = new HashMap<>();
        pool.forEachIdle((route, connection) -> idle.put(connection.toString(), route));
        Map<String, String> inUse = new HashMap<>();
        pool.forEachLeased((route, connection) -> inUse.put(connection.toString(), route));
        assertEquals(new HashSet<>(asList("b2", "b3")), idle.keySet());
        assertEquals(singleton("b"), new HashSet<>(idle.values()));
        assertEquals(singleton("a1"), inUse.keySet());
        leased.release();
    }

    @ParameterizedTest
    @EnumSource
    void aGracefulShutdownLeavesLeasedConnectionsUntilTheirRelease(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        Lease<Connection> leased = open(pool, "a");
        Lease<Connection> vacancy = held.hold(pool.tryLease("a"));
        idle(pool, "b", 1);
        assertFalse(pool.isShutDown());
        pool.close();
        assertTrue(pool.isShutDown());
        assertEquals(singletonList("b2 SHUT_DOWN"), disposals.take());
        assertThrows(PoolShutDownException.class, () -> held.hold(pool.tryLease("a")));
        assertThrows(PoolShutDownException.class, () -> pool.lease("a", 1, TimeUnit.DAYS));
        assertThrows(PoolShutDownException.class, () -> vacancy.opened(new Connection("late")));
        assertTrue(vacancy.isEnded());
        assertEquals(singletonList("late SHUT_DOWN"), disposals.take());
        assertTrue(leased.connection().isOpen());
        leased.release();
        assertEquals(singletonList("a1 SHUT_DOWN"), disposals.take());
        counts(pool, 0, 0);
        pool.close();
    }

    @ParameterizedTest
    @EnumSource
    void anImmediateShutdownTakesLeasedConnectionsToo(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        Lease<Connection> leased = open(pool, "a");
        Lease<Connection> other = open(pool, "b");
        pool.shutdown(ShutdownMode.GRACEFUL);
        assertEquals(emptyList(), disposals.take());
        pool.shutdown(ShutdownMode.IMMEDIATE);
        assertEquals(new HashSet<>(asList("a1 SHUT_DOWN", "b2 SHUT_DOWN")), new HashSet<>(disposals.take()));
        leased.release();
        assertThrows(IllegalStateException.class, leased::release);
        assertThrows(PoolShutDownException.class, other::reopen);
        counts(pool, 0, 0);
    }

    @ParameterizedTest
    @EnumSource
    void aPoolThatWasNeverUsedCanBeShutDown(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).maxTotal(7).build();
        counts(pool, 0, 0);
        assertEquals(7, pool.stats().max());
        pool.closeExpired();
        pool.closeIdle(0, TimeUnit.SECONDS);
        pool.clear("a");
        pool.forEachIdle((route, connection) -> {});
        assertEquals(new HashSet<>(), pool.routes());
        pool.setMaxTotal(9);
        assertEquals(9, pool.getMaxTotal());
        pool.close();
        assertThrows(PoolShutDownException.class, () -> held.hold(pool.tryLease("a")));
        assertTrue(pool.isShutDown());
    }

    @ParameterizedTest
    @EnumSource
    void limitsSetBeforeTheFirstLeaseHold(Kind kind) {
        ConnectionPool<String, Connection> pool = kind.builder(disposals).build();
        pool.setMaxTotal(3);
        pool.setDefaultMaxPerRoute(2);
        pool.setMaxPerRoute("a", 1);
        open(pool, "a");
        assertNull(held.hold(pool.tryLease("a")));
        open(pool, "b");
        open(pool, "b");
        assertNull(held.hold(pool.tryLease("c")));
    }

    @ParameterizedTest
    @EnumSource
    void aDisposerMayCallThePool(Kind kind) {
        AtomicReference<ConnectionPool<String, Connection>> pool = new AtomicReference<>();
        AtomicInteger calls = new AtomicInteger();
        pool.set(kind.builder((connection, cause) -> {
            if (calls.incrementAndGet() < 50) {
                Lease<Connection> lease = held.hold(pool.get().tryLease("a"));
                lease.opened(new Connection("nested"));
                pool.get().stats();
                pool.get().setMaxTotal(100 + calls.get());
                lease.discard();
                pool.get().closeIdle(0, TimeUnit.SECONDS);
            }
        }).build());
        open(pool.get(), "a").discard();
        assertEquals(50, calls.get());
        counts(pool.get(), 0, 0);
        // Its disposer refers to it, so nobody would ever collect it.
        pool.get().close();
    }

    @ParameterizedTest
    @EnumSource
    void aDisposerThatThrowsLosesNothing(Kind kind) {
        AtomicInteger calls = new AtomicInteger();
        ConnectionPool<String, Connection> pool = kind.builder((connection, cause) -> {
            if (calls.incrementAndGet() <= 50) {
                throw new IllegalStateException("of the test's own making");
            }
        }).maxTotal(50).build();
        idle(pool, "a", 50);
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            pool.closeIdle(0, TimeUnit.SECONDS);
            // Those of this pool: of an earlier test's, a lost lease may be found meanwhile.
            List<LogRecord> warnings = log.records().stream()
                    .filter(record -> record.getLevel() == Level.WARNING && record.getMessage().startsWith(pool.name() + ": "))
                    .collect(toList());
            assertEquals(50, warnings.size());
            assertEquals("of the test's own making", warnings.get(0).getThrown().getMessage());
        }
        assertEquals(50, calls.get());
        idle(pool, "a", 50);
        counts(pool, 0, 50);
    }

    @ParameterizedTest
    @EnumSource
    @Tag("long")
    void threadsNeverShareAConnectionNorPassTheLimits(Kind kind) throws Exception {
        int threads = 8;
        ConnectionPool<String, Connection> pool = kind.builder(disposals).maxPerRoute(3).maxTotal(5).build();
        Map<Connection, AtomicInteger> users = new ConcurrentHashMap<>();
        AtomicInteger inUse = new AtomicInteger();
        List<Throwable> failures = new CopyOnWriteArrayList<>();
        Thread[] all = new Thread[threads];
        for (int t = 0; t < threads; t++) {
            all[t] = new Thread(() -> {
                try {
                    ThreadLocalRandom random = ThreadLocalRandom.current();
                    for (int i = 0; i < 3_000; i++) {
                        String route = "r" + random.nextInt(3);
                        Lease<Connection> lease = pool.lease(route, 60, TimeUnit.SECONDS);
                        assertTrue(inUse.incrementAndGet() <= 5, "beyond the total");
                        if (lease.connection() == null) {
                            lease.opened(new Connection(route));
                        }
                        Connection connection = lease.connection();
                        assertEquals(route, connection.toString());
                        assertTrue(connection.isOpen());
                        AtomicInteger count = users.computeIfAbsent(connection, c -> new AtomicInteger());
                        assertEquals(1, count.incrementAndGet(), "two use one connection");
                        if (random.nextInt(8) == 0) {
                            Thread.yield();
                        }
                        count.decrementAndGet();
                        inUse.decrementAndGet();
                        if (random.nextInt(10) == 0) {
                            lease.discard();
                            users.remove(connection);
                        } else {
                            lease.updateExpiry(random.nextInt(3), TimeUnit.SECONDS);
                            lease.release();
                        }
                    }
                } catch (Throwable e) {
                    failures.add(e);
                }
            });
            all[t].start();
        }
        for (Thread thread : all) {
            thread.join();
        }
        assertEquals(emptyList(), failures);
        assertEquals(0, pool.stats().leased());
        assertEquals(0, pool.stats().pending());
        pool.close();
        counts(pool, 0, 0);
    }

    @Test
    void routesMayBeOfAnyType() {
        ConnectionPool<List<Integer>, Connection> pool =
                ConnectionPool.<List<Integer>, Connection>builder(disposals)
                        .leakListener(Disposals.LEAKS_ARE_EXPECTED)
                        .build();
        Lease<Connection> lease = held.hold(pool.tryLease(asList(1, 2)));
        lease.opened(new Connection("list"));
        lease.release();
        List<Integer> equal = new ArrayList<>(asList(1, 2));
        assertNotSame(equal, pool.routes().iterator().next());
        assertEquals("list", held.hold(pool.tryLease(equal)).connection().toString());
    }
}
