package io.leasehold.httpclient5;

import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.io.ModalCloseable;
import org.apache.hc.core5.pool.ManagedConnPool;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.util.Timeout;

/**
 * A manager's pool as HttpClient's code has it. Between taking an entry and handing out its endpoint that code runs what is the
 * application's: resolvers, factories, stale checks, loggers. It does not give the entry back whatever that throws, and tells nobody but
 * itself of the entry. So the manager asks the pool in the place of that code, on the same thread and in the same call, and knows what
 * has come of it.
 */
final class ManagersPool<C extends ModalCloseable> extends PassingPool<C> {
    /** Asks for an entry on behalf of HttpClient's code. */
    interface Asking<C extends ModalCloseable> {
        /** As {@link ManagedConnPool#lease}. */
        Future<PoolEntry<HttpRoute, C>> ask(HttpRoute route, Object state, Timeout timeout,
                FutureCallback<PoolEntry<HttpRoute, C>> callback);
    }

    // What each thread that is in a manager's call asks with; null after it. Written by that thread. The arrays stay with their threads,
    // because to take something out of a thread at every lease costs a request two percent of its time. An array and the local are of the
    // JDK's own classes, so that a thread keeps nothing of ours alive.
    private final ThreadLocal<Object[]> asking = new ThreadLocal<>();

    ManagersPool(ManagedConnPool<HttpRoute, C> below) {
        super(below);
    }

    /** Has what is asked for in the course of a call asked for so. A call within it, as by an application's state, has its own way. */
    <R> R asking(Asking<C> how, Supplier<R> call) {
        Object[] mine = asking.get();
        if (mine == null) {
            mine = new Object[1];
            asking.set(mine);
        }
        Object outer = mine[0];
        mine[0] = how;
        try {
            return call.get();
        } finally {
            mine[0] = outer;
        }
    }

    @SuppressWarnings("unchecked") // Nothing else is put there.
    @Override
    public Future<PoolEntry<HttpRoute, C>> lease(HttpRoute route, Object state, Timeout requestTimeout,
            FutureCallback<PoolEntry<HttpRoute, C>> callback) {
        return ((Asking<C>) asking.get()[0]).ask(route, state, requestTimeout, callback);
    }
}
