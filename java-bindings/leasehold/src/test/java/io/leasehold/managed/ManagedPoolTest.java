package io.leasehold.managed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.Cause;
import io.leasehold.ConnectionPool;
import io.leasehold.Disposer;
import io.leasehold.LeakListener;
import io.leasehold.Lease;
import io.leasehold.LeaseHook;
import io.leasehold.LeaseRequest;
import io.leasehold.ManualClock;
import io.leasehold.PoolShutDownException;
import io.leasehold.ShutdownMode;
import io.leasehold.testsupport.Eventually;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A manager alone holds its connections, and is asked of those only that are still there. */
class ManagedPoolTest {
    /** Leads, as connections do, to all that its manager is made of. */
    private static final class Made {
        final WeakConnection<Made> cell = new WeakConnection<>(this);
        final Object pool;

        Made(Object pool) {
            this.pool = pool;
        }
    }

    // A test's own: what the one before has left is disposed of by another thread, perhaps only now. Neither leads to the test.
    private final List<String> told = Collections.synchronizedList(new ArrayList<>());
    private final Disposer<Made> disposer = disposer(told);
    private final LeakListener<String, Made> leaks = leaks(told);

    private final ManagedPool<String, Made> managed = new ManagedPool<>(ManagedPool.builder("Made", disposer, leaks));

    private static Disposer<Made> disposer(List<String> told) {
        return new Disposer<Made>() {
            @Override
            public void letGo(Made connection, Cause cause) {
                told.add("let go " + cause);
            }

            @Override
            public void dispose(Made connection, Cause cause) {
                told.add("disposed of " + cause);
            }

            @Override
            public boolean mayBlock(Made connection) {
                return true;
            }
        };
    }

    private static LeakListener<String, Made> leaks(List<String> told) {
        return (route, connection) -> told.add(route + " leaked " + (connection != null));
    }

    private static Lease<WeakConnection<Made>> open(ManagedPool<String, Made> managed) {
        Lease<WeakConnection<Made>> lease = managed.pool().tryLease("a");
        Made made = new Made(managed);
        managed.connections().fill(lease, made.cell);
        return lease;
    }

    @Test
    void aConnectionIsHeldFromItsOpeningUntilItLeaves() throws Exception {
        Lease<WeakConnection<Made>> lease = open(managed);
        WeakConnection<Made> cell = lease.connection();
        System.gc();
        Made made = cell.get();
        assertSame(managed, made.pool);
        managed.connections().leave(made);
        made = null;
        Eventually.awaitAfterCollection("it to go", () -> cell.get() == null);
        lease.discard();
    }

    @Test
    void whatCouldNotBecomeAConnectionIsNotHeld() throws Exception {
        Lease<WeakConnection<Made>> lease = managed.pool().tryLease("a");
        managed.pool().shutdown(ShutdownMode.IMMEDIATE);
        WeakReference<Made> refused = refused(lease);
        Eventually.awaitAfterCollection("it to go", () -> refused.get() == null);
    }

    private WeakReference<Made> refused(Lease<WeakConnection<Made>> lease) {
        Made made = new Made(managed);
        assertThrows(PoolShutDownException.class, () -> managed.connections().fill(lease, made.cell));
        return new WeakReference<>(made);
    }

    @Test
    void aManagerThatNobodyRefersToGoesWithItsConnections() throws Exception {
        WeakReference<Made> idle = new WeakReference<>(leaveIdle(disposer, leaks));
        Eventually.awaitAfterCollection("the connection to go", () -> idle.get() == null);
        assertEquals("[]", told.toString());
    }

    private static Made leaveIdle(Disposer<Made> disposer, LeakListener<String, Made> leaks) {
        Lease<WeakConnection<Made>> lease = open(new ManagedPool<>(ManagedPool.builder("Made", disposer, leaks)));
        Made made = lease.connection().get();
        lease.release();
        return made;
    }

    @Test
    void aDisposerIsToldOfWhatIsThere() {
        Disposer<WeakConnection<Made>> weak = WeakConnection.disposer(disposer);
        Made made = new Made(null);
        assertTrue(weak.mayBlock(made.cell));
        weak.letGo(made.cell, Cause.IDLE);
        weak.dispose(made.cell, Cause.IDLE);
        assertEquals("[let go IDLE, disposed of IDLE]", told.toString());
    }

    /** As while all threads that close are busy, and its manager is gone. */
    @Test
    void whatWasLetGoIsHeldUntilItIsDisposedOf() throws Exception {
        Disposer<WeakConnection<Made>> weak = WeakConnection.disposer(disposer);
        Made made = new Made(null);
        WeakConnection<Made> cell = made.cell;
        weak.letGo(cell, Cause.IDLE);
        made = null;
        WeakReference<Object> collected = new WeakReference<>(new Object());
        Eventually.awaitAfterCollection("a collection", () -> collected.get() == null);
        weak.dispose(cell, Cause.IDLE);
        assertEquals("[let go IDLE, disposed of IDLE]", told.toString());
        Eventually.awaitAfterCollection("it to go", () -> cell.get() == null);
    }

    @Test
    void whatWasCollectedConcernsNobody() {
        Disposer<WeakConnection<Made>> weak = WeakConnection.disposer(disposer);
        Made made = new Made(null);
        made.cell.clear();
        assertFalse(weak.mayBlock(made.cell));
        weak.letGo(made.cell, Cause.IDLE);
        weak.dispose(made.cell, Cause.IDLE);
        assertEquals("[]", told.toString());
    }

    @Test
    void aLeakIsToldWithTheConnectionIfThereIsOne() {
        LeakListener<String, WeakConnection<Made>> weak = WeakConnection.leakListener(leaks);
        Made made = new Made(null);
        weak.leaked("a", made.cell);
        weak.leaked("b", null);
        made.cell.clear();
        weak.leaked("c", made.cell);
        assertEquals("[a leaked true, b leaked false, c leaked false]", told.toString());
    }

    @Test
    void whatIsHeldIsMeasuredWhereThatIsAskedFor() {
        open(managed).discard();
        managed.measureHeld(true);
        open(managed).discard();
        assertEquals(1, managed.getMetrics().held().count());
        managed.measureHeld(false);
        open(managed).discard();
        assertEquals(1, managed.getMetrics().held().count());
    }

    @Test
    void anOpeningIsWhatConnectingTook() {
        ManualClock clock = new ManualClock();
        ManagedPool<String, Made> timed = clock.driving(() -> new ManagedPool<>(ManagedPool.builder("Made", disposer, leaks)));
        Lease<WeakConnection<Made>> lease = open(timed);
        long began = timed.connecting();
        clock.advance(30, TimeUnit.MILLISECONDS);
        assertEquals(0, timed.getMetrics().opening().count());
        timed.connected(began);
        assertEquals(1, timed.getMetrics().opening().count());
        assertEquals(30, timed.getMetrics().opening().sum(TimeUnit.MILLISECONDS));
        lease.discard();
    }

    @Test
    void theUnfitAreClosedAndTheLeasedShown() {
        Lease<WeakConnection<Made>> unfit = open(managed);
        Lease<WeakConnection<Made>> leased = open(managed);
        Made made = unfit.connection().get();
        unfit.release();
        List<Made> shown = new ArrayList<>();
        managed.forEachLeased(shown::add);
        assertEquals(Collections.singletonList(leased.connection().get()), shown);
        managed.closeIdleIf(connection -> connection != made);
        assertEquals(1, managed.pool().stats().available());
        managed.closeIdleIf(connection -> connection == made);
        assertEquals(0, managed.pool().stats().available());
        assertEquals(1, managed.getCounters().cleared());
        assertEquals(1, managed.getMetrics().closed().cleared());
        leased.discard();
    }

    @Test
    void whatWasCollectedIsNeitherUnfitNorShown() {
        Lease<WeakConnection<Made>> idle = open(managed);
        Lease<WeakConnection<Made>> leased = open(managed);
        idle.connection().clear();
        leased.connection().clear();
        idle.release();
        List<Made> shown = new ArrayList<>();
        managed.forEachLeased(shown::add);
        managed.closeIdleIf(shown::add);
        assertEquals("[]", shown.toString());
        leased.discard();
    }

    @Test
    void aRouteIsBusyThatHasConnectionsOrWaitingRequests() {
        ConnectionPool<String, WeakConnection<Made>> pool = managed.pool();
        pool.setMaxPerRoute("b", 1);
        assertEquals(Collections.emptySet(), managed.busyRoutes());
        Lease<WeakConnection<Made>> lease = open(managed);
        assertEquals(Collections.singleton("a"), managed.busyRoutes());
        lease.release();
        assertEquals(Collections.singleton("a"), managed.busyRoutes());
        // One is leased, and one is idle.
        Lease<WeakConnection<Made>> first = pool.tryLease("a");
        Lease<WeakConnection<Made>> second = open(managed);
        first.release();
        assertEquals(Collections.singleton("a"), managed.busyRoutes());
        pool.clear("a");
        // One is leased, and one is waited for.
        pool.setMaxPerRoute("a", 1);
        PendingHook waiting = new PendingHook();
        LeaseRequest request = pool.requestLease("a", null, Long.MAX_VALUE, TimeUnit.SECONDS, waiting);
        assertEquals(Collections.singleton("a"), managed.busyRoutes());
        assertTrue(request.cancel());
        second.discard();
        assertEquals(Collections.emptySet(), managed.busyRoutes());
    }

    /** Of a request that is never served. */
    private static final class PendingHook implements LeaseHook<WeakConnection<Made>> {
        @Override
        public void leased(Lease<WeakConnection<Made>> lease) {
            lease.discard();
        }

        @Override
        public void failed(Throwable why) {
            throw new AssertionError(why);
        }
    }

    @Test
    void aNegativeLimitOfARouteMakesTheDefaultHoldAgain() {
        ConnectionPool<String, WeakConnection<Made>> pool = managed.pool();
        pool.setDefaultMaxPerRoute(7);
        managed.setMaxPerRoute("a", 0);
        assertEquals(0, pool.getMaxPerRoute("a"));
        managed.setMaxPerRoute("a", -1);
        assertEquals(7, pool.getMaxPerRoute("a"));
        pool.setDefaultMaxPerRoute(8);
        assertEquals(8, pool.getMaxPerRoute("a"));
    }
}
