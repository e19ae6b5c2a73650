package io.leasehold.httpclient5;

import java.util.concurrent.Future;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.core5.concurrent.BasicFuture;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.pool.ManagedConnPool;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.util.Timeout;

/**
 * A request of HttpClient's asynchronous manager, which knows the request to the pool that it comes down to. So an entry of which no
 * endpoint was made, whatever was thrown, goes back, and the request has failed with that. HttpClient's code leaves the request without an
 * answer then, as also if it fails while it logs that there is none.
 */
final class EndpointRequest extends BasicFuture<AsyncConnectionEndpoint> implements ManagersPool.Asking<ManagedAsyncClientConnection> {
    private final ManagedConnPool<HttpRoute, ManagedAsyncClientConnection> pool;
    // The thread that asks, as long as it does; then HttpClient's own request. Both written by that thread.
    private volatile Thread asking = Thread.currentThread();
    private volatile Future<AsyncConnectionEndpoint> request;

    EndpointRequest(ManagedConnPool<HttpRoute, ManagedAsyncClientConnection> pool, FutureCallback<AsyncConnectionEndpoint> callback) {
        super(callback);
        this.pool = pool;
    }

    /** Is told of the endpoint by HttpClient's code. */
    FutureCallback<AsyncConnectionEndpoint> told() {
        return new FutureCallback<AsyncConnectionEndpoint>() {
            @Override
            public void completed(AsyncConnectionEndpoint endpoint) {
                try {
                    EndpointRequest.this.completed(endpoint);
                } catch (Throwable e) {
                    if (Thread.currentThread() == asking) {
                        throw e;
                    }
                    // An error would end the reactor, if this is its thread.
                    Request.callbackFailed(e);
                }
            }

            @Override
            public void failed(Exception e) {
                EndpointRequest.this.failed(e);
            }

            @Override
            public void cancelled() {
                cancelledBelow();
            }
        };
    }

    /** As HttpClient's code has it. */
    EndpointRequest of(Future<AsyncConnectionEndpoint> request) {
        this.request = request;
        asking = null;
        return this;
    }

    @Override
    public Future<PoolEntry<HttpRoute, ManagedAsyncClientConnection>> ask(HttpRoute route, Object state, Timeout timeout,
            FutureCallback<PoolEntry<HttpRoute, ManagedAsyncClientConnection>> callback) {
        return pool.lease(route, state, timeout, new FutureCallback<PoolEntry<HttpRoute, ManagedAsyncClientConnection>>() {
            @Override
            public void completed(PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry) {
                try {
                    callback.completed(entry);
                } catch (Throwable e) {
                    if (isDone()) {
                        // Who asked has the endpoint, and has failed when told of it.
                        throw e;
                    }
                    try {
                        EndpointRequest.this.failed(e instanceof Exception ? (Exception) e : Request.executionException(e));
                    } finally {
                        pool.release(entry, false);
                    }
                }
            }

            @Override
            public void failed(Exception e) {
                try {
                    callback.failed(e);
                } finally {
                    EndpointRequest.this.failed(e);
                }
            }

            @Override
            public void cancelled() {
                try {
                    callback.cancelled();
                } finally {
                    cancelledBelow();
                }
            }
        });
    }

    private void cancelledBelow() {
        super.cancel(true);
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        Future<?> asked = request;
        return asked != null && asked.cancel(mayInterruptIfRunning);
    }

    @Override
    public boolean cancel() {
        return cancel(true);
    }
}
