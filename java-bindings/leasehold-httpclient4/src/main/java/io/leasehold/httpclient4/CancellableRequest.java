package io.leasehold.httpclient4;

import io.leasehold.ConnectionPool;
import io.leasehold.Lease;
import io.leasehold.PendingLease;
import io.leasehold.PoolShutDownException;
import io.leasehold.managed.WeakConnection;
import io.leasehold.managed.WeakInterner;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import org.apache.http.HttpClientConnection;
import org.apache.http.conn.ConnectionPoolTimeoutException;
import org.apache.http.conn.ConnectionRequest;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.util.Args;

/**
 * One caller's request. It joins the pool's queue only if there is something to wait for. {@link #get} is meant for one thread at a time,
 * {@link #cancel} for any; every change of the status that the two compete for is one compare-and-set. Of several threads in {@link #get}
 * one is served; the others get the same connection, or an {@link IllegalStateException} where they would have to wait.
 */
final class CancellableRequest implements ConnectionRequest {
    private static final Object CANCELLED = "cancelled";
    private static final AtomicReferenceFieldUpdater<CancellableRequest, Object> STATUS =
            AtomicReferenceFieldUpdater.newUpdater(CancellableRequest.class, Object.class, "status");

    private final ConnectionPool<HttpRoute, WeakConnection<PooledConnection>> pool;
    private final Leasing leasing;
    private final HttpRoute route;
    private final WeakInterner.Held<Object> state;
    // Null as long as there was nothing to wait for; the request in the pool's queue, which then decides whether it is
    // cancelled; the connection, with which it answers if it is asked again; or CANCELLED.
    private volatile Object status;

    CancellableRequest(ConnectionPool<HttpRoute, WeakConnection<PooledConnection>> pool, Leasing leasing, HttpRoute route,
            WeakInterner.Held<Object> state) {
        this.pool = pool;
        this.leasing = leasing;
        this.route = route;
        this.state = state;
    }

    @Override
    public boolean cancel() {
        Object seen = status;
        while (seen == null && !STATUS.compareAndSet(this, null, CANCELLED)) {
            seen = status;
        }
        return seen == null || seen instanceof PendingLease && ((PendingLease<?>) seen).cancel();
    }

    @Override
    public HttpClientConnection get(long timeout, TimeUnit timeUnit) throws InterruptedException, ExecutionException,
            ConnectionPoolTimeoutException {
        Object before = status;
        if (before instanceof LeasedConnection) {
            return (LeasedConnection) before;
        }
        if (timeout > 0) {
            Args.notNull(timeUnit, "Time unit");
        }
        boolean wasShutDown = pool.isShutDown();
        try {
            WeakInterner.Key<Object> key = WeakInterner.key(state);
            LeasedConnection served = before == null ? pool.tryLeaseFor(route, key, lease -> serve(lease, null)) : null;
            if (served != null) {
                return served;
            }
            PendingLease<WeakConnection<PooledConnection>> pending = pending(key);
            // Zero and less are without end in HttpClient, and then there may be no unit.
            return pending == null ? servedElsewhere() : timeout > 0
                    ? pending.getFor(timeout, timeUnit, lease -> serve(lease, pending))
                    : pending.getFor(Long.MAX_VALUE, TimeUnit.NANOSECONDS, lease -> serve(lease, pending));
        } catch (TimeoutException e) {
            ConnectionPoolTimeoutException end = new ConnectionPoolTimeoutException("Timeout waiting for connection from pool");
            end.initCause(e);
            throw end;
        } catch (CancellationException e) {
            throw aborted();
        } catch (PoolShutDownException e) {
            if (wasShutDown) {
                throw shutDownBefore();
            }
            cancel();
            throw aborted();
        }
    }

    /** The request in the pool's queue, or null if another thread was served or has cancelled it. */
    @SuppressWarnings("unchecked") // Put there here and nowhere else.
    private PendingLease<WeakConnection<PooledConnection>> pending(WeakInterner.Key<Object> key) {
        if (status == null) {
            STATUS.compareAndSet(this, null, pool.pendingLease(route, key));
        }
        Object now = status;
        return now instanceof PendingLease ? (PendingLease<WeakConnection<PooledConnection>>) now : null;
    }

    /** Answers with a lease, which the pool takes back should this throw anything. */
    private LeasedConnection serve(Lease<WeakConnection<PooledConnection>> lease, Object before) {
        LeasedConnection leased = null;
        try {
            leased = leasing.begin(lease, route);
        } finally {
            if (leased == null) {
                // Not served: it may be asked again.
                STATUS.compareAndSet(this, before, null);
            }
        }
        if (!STATUS.compareAndSet(this, before, leased)) {
            leased.giveBack();
            return servedElsewhere();
        }
        leasing.handOver(leased, route);
        return leased;
    }

    /** What another thread has made of the request meanwhile. */
    private LeasedConnection servedElsewhere() {
        Object now = status;
        if (now instanceof LeasedConnection) {
            return (LeasedConnection) now;
        }
        if (now == CANCELLED || now instanceof PendingLease && ((PendingLease<?>) now).isCancelled()) {
            throw new CancellationException();
        }
        throw new IllegalStateException("another thread waits for this request's connection: make a request for each");
    }

    private static ExecutionException aborted() {
        return new ExecutionException(new CancellationException("Operation aborted"));
    }

    static IllegalStateException shutDownBefore() {
        return new IllegalStateException("Connection pool shut down");
    }
}
