package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.Watching;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.Threads;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.io.ModalCloseable;
import org.apache.hc.core5.pool.ConnPoolControl;
import org.apache.hc.core5.pool.ConnPoolListener;
import org.apache.hc.core5.pool.ConnPoolStats;
import org.apache.hc.core5.pool.DisposalCallback;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/** A {@link LeaseholdConnPool} with a state to which one of the idle connections is bound. */
final class BusyPoolStage extends BusyControlStage<Object, PoolEntry<Object, BusyPoolStage.Connection>> {
    static final String CLOSE = "ModalCloseable.close";
    static final String DISPOSE = "DisposalCallback.execute";
    static final String ON_LEASE = "ConnPoolListener.onLease";
    static final String ON_RELEASE = "ConnPoolListener.onRelease";
    static final String SOCKETS = "Function.apply";
    static final String COMPLETED = "FutureCallback.completed";
    static final String FAILED = "FutureCallback.failed";
    static final String CANCELLED = "FutureCallback.cancelled";
    static final String ROUTE_EQUALS = "a route's equals";
    static final String ROUTE_HASH_CODE = "a route's hashCode";
    static final String ROUTE_TO_STRING = "a route's toString";

    private static final Timeout LONG = Timeout.ofSeconds(20);

    /** Compared by the application's own code. */
    private final class Route {
        private final String name;

        Route(String name) {
            this.name = name;
        }

        @Override
        public boolean equals(Object other) {
            faults.pass(ROUTE_EQUALS);
            return other instanceof Route && ((Route) other).name.equals(name);
        }

        @Override
        public int hashCode() {
            faults.pass(ROUTE_HASH_CODE);
            // All meet in one bucket, so that they are compared.
            return 7;
        }

        @Override
        public String toString() {
            faults.pass(ROUTE_TO_STRING);
            return name;
        }
    }

    /** Counts how often it was closed. */
    final class Connection implements ModalCloseable {
        private final AtomicInteger closed = new AtomicInteger();

        @Override
        public void close(CloseMode mode) {
            closed.incrementAndGet();
            faults.pass(CLOSE);
        }

        @Override
        public void close() {
            close(CloseMode.GRACEFUL);
        }
    }

    private final Queue<Connection> made = new ConcurrentLinkedQueue<>();
    private final Queue<PoolEntry<Object, Connection>> held = new ConcurrentLinkedQueue<>();
    private final AtomicInteger told = new AtomicInteger();
    final Object a = new Route("a");
    final Object b = new Route("b");
    final Object c = new Route("c");
    final FailingState state = new FailingState("somebody", faults);
    final LeaseholdConnPool<Object, Connection> pool;
    /** A leased entry to "b". */
    final PoolEntry<Object, Connection> mine;

    /** With connections that close themselves, or are closed by a callback. */
    BusyPoolStage(boolean isClosedByCallback) throws Exception {
        super("io.leasehold");
        DisposalCallback<Connection> disposal = (connection, mode) -> {
            connection.closed.incrementAndGet();
            faults.pass(DISPOSE);
        };
        pool = new LeaseholdConnPool<>(PER_ROUTE, TOTAL, null, null, isClosedByCallback ? disposal : null, new ConnPoolListener<Object>() {
            @Override
            public void onLease(Object route, ConnPoolStats<Object> stats) {
                faults.pass(ON_LEASE);
            }

            @Override
            public void onRelease(Object route, ConnPoolStats<Object> stats) {
                faults.pass(ON_RELEASE);
            }
        }, connection -> {
            faults.pass(SOCKETS);
            return null;
        }, Watching.BOTH);
        PoolEntry<Object, Connection> unbound = open(a, null);
        PoolEntry<Object, Connection> bound = open(a, state);
        bound.updateState(state);
        pool.release(bound, true);
        unbound.updateExpiry(TimeValue.ofHours(1));
        pool.release(unbound, true);
        held.clear();
        mine = open(b, null);
        open(b, null);
        begin(() -> pool.lease(b, null).get(), () -> pool.getTotalStats().getPending() == 1);
    }

    @Override
    ConnPoolControl<Object> control() {
        return pool;
    }

    @Override
    Object[] routes() {
        return new Object[] {a, b};
    }

    /** An equal route that is another object. */
    Object like(Object route) {
        return new Route(((Route) route).name);
    }

    /** An entry that the stage releases at last, with a connection. */
    @Override
    PoolEntry<Object, Connection> open(Object route, Object boundTo) throws Exception {
        PoolEntry<Object, Connection> entry = lease(route, boundTo);
        if (!entry.hasConnection()) {
            entry.assignConnection(connection());
        }
        return entry;
    }

    Connection connection() {
        Connection connection = new Connection();
        made.add(connection);
        return connection;
    }

    PoolEntry<Object, Connection> lease(Object route, Object boundTo) throws Exception {
        return keep(pool.lease(route, boundTo));
    }

    /** What a future comes to, which the stage releases at last. */
    PoolEntry<Object, Connection> keep(Future<PoolEntry<Object, Connection>> future) throws Exception {
        PoolEntry<Object, Connection> entry = future.get(20, TimeUnit.SECONDS);
        held.add(entry);
        return entry;
    }

    /** An entry beyond the stage's limit that has no connection. */
    void vacancy() throws Exception {
        pool.setMaxTotal(TOTAL + 1);
        lease(c, null);
    }

    /** The entry that was leased last. */
    PoolEntry<Object, Connection> last() {
        List<PoolEntry<Object, Connection>> all = new ArrayList<>(held);
        return all.get(all.size() - 1);
    }

    /** Leases with a callback that keeps the entry and then fails on demand. */
    Future<PoolEntry<Object, Connection>> request(Object route, Timeout timeout) {
        return pool.lease(route, null, timeout, new FutureCallback<PoolEntry<Object, Connection>>() {
            @Override
            public void completed(PoolEntry<Object, Connection> entry) {
                held.add(entry);
                tell(COMPLETED);
            }

            @Override
            public void failed(Exception e) {
                surface(e);
                tell(FAILED);
            }

            @Override
            public void cancelled() {
                tell(CANCELLED);
            }
        });
    }

    private void tell(String place) {
        try {
            faults.pass(place);
        } finally {
            told.incrementAndGet();
        }
    }

    /** Leases with a callback, and ends the waiting. */
    void requestAndEnd(Runnable end) throws Exception {
        request(like(b), LONG);
        end.run();
        awaitTold();
    }

    /** Returns once a callback was told. */
    void awaitTold() throws Exception {
        Eventually.await("the callback is told", () -> told.get() > 0);
    }

    @Override
    public void callBack() {
        pool.getTotalStats();
        pool.getStats(a);
        try {
            Future<PoolEntry<Object, Connection>> future = pool.lease(a, null);
            if (!future.cancel(true)) {
                pool.release(future.get(), false);
            }
        } catch (IllegalStateException | InterruptedException | ExecutionException e) {
            assertTrue(pool.isShutdown(), e::toString);
        }
        pool.closeIdle(TimeValue.ZERO_MILLISECONDS);
        pool.setMaxTotal(pool.getMaxTotal());
    }

    @Override
    public void shutDown() {
        pool.close(CloseMode.IMMEDIATE);
    }

    @Override
    public void awaitQuiet() throws Exception {
        Threads.awaitIdle("leasehold-disposer");
    }

    @Override
    protected void endAll() {
        for (PoolEntry<Object, Connection> entry = held.poll(); entry != null; entry = held.poll()) {
            end(entry);
        }
    }

    /** If it is leased: calls may have released it. */
    @Override
    protected void end(PoolEntry<Object, Connection> entry) {
        pool.giveBack(entry, pool.use(entry));
    }

    @Override
    protected boolean isShutDown() {
        return pool.isShutdown();
    }

    @Override
    protected void assertAllIsTaken() {
        assertEquals(TOTAL, pool.getTotalStats().getLeased());
        Future<PoolEntry<Object, Connection>> future = pool.lease(c, null);
        assertTrue(!future.isDone(), "no more than the limit can be had");
        future.cancel(true);
    }

    @Override
    boolean isAllClosed() {
        return made.stream().allMatch(connection -> connection.closed.get() > 0);
    }

    @Override
    protected void assertNothingIsLeft() throws Exception {
        super.assertNothingIsLeft();
        assertTrue(made.stream().allMatch(connection -> connection.closed.get() == 1), "no connection is closed twice");
    }
}
