package io.leasehold.httpclient5;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.io.ConnectionEndpoint;
import org.apache.hc.client5.http.io.LeaseRequest;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.util.Args;
import org.apache.hc.core5.util.Timeout;

/**
 * A request of HttpClient's classic manager, which knows the request to the pool that it comes down to. So an entry that was taken for an
 * endpoint that could not be made goes back, whatever was thrown; HttpClient's code gives it back after some exceptions. A thread that is
 * interrupted while it waits gives the request up.
 */
final class CarefulRequest implements LeaseRequest, ManagersPool.Asking<ManagedHttpClientConnection> {
    private final LeaseholdConnPool<HttpRoute, ManagedHttpClientConnection> pool;
    // Both written by the thread that asks, before anybody else knows the request.
    private LeaseRequest request;
    private Answer<HttpRoute, ManagedHttpClientConnection> answer;
    // Written by whoever has got the endpoint, which is its user's from then on.
    private volatile boolean isDelivered;

    CarefulRequest(LeaseholdConnPool<HttpRoute, ManagedHttpClientConnection> pool) {
        this.pool = pool;
    }

    @Override
    public Future<PoolEntry<HttpRoute, ManagedHttpClientConnection>> ask(HttpRoute route, Object state, Timeout timeout,
            FutureCallback<PoolEntry<HttpRoute, ManagedHttpClientConnection>> callback) {
        answer = pool.ask(route, state, timeout, callback);
        return answer;
    }

    /** As HttpClient's code has it. */
    LeaseRequest of(LeaseRequest request) {
        this.request = request;
        return this;
    }

    @Override
    public ConnectionEndpoint get(Timeout timeout) throws InterruptedException, ExecutionException, TimeoutException {
        // Before all else: who has got the endpoint and asks wrongly once more keeps it.
        Args.notNull(timeout, "Operation timeout");
        try {
            ConnectionEndpoint endpoint = request.get(timeout);
            isDelivered = true;
            return endpoint;
        } catch (InterruptedException e) {
            request.cancel();
            throw e;
        } finally {
            if (!isDelivered) {
                answer.giveBack();
            }
        }
    }

    @Override
    public boolean cancel() {
        return request.cancel();
    }
}
