package io.leasehold.tests.httpclient5users;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.io.ConnectionEndpoint;
import org.apache.hc.client5.http.io.LeaseRequest;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.pool.ConnPoolControl;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/** Three connections of a manager to elsewhere that are leased, and two requests that wait for one. */
final class Occupation implements AutoCloseable {
    private static final HttpRoute ELSEWHERE = new HttpRoute(new HttpHost("elsewhere.invalid", 80));
    private static final int LEASED = 3;
    private static final int WAITING = 2;

    /** What ends it: requests first. */
    private final Deque<Runnable> ends = new ArrayDeque<>();

    private Occupation(ConnPoolControl<HttpRoute> manager) {
        manager.setMaxPerRoute(ELSEWHERE, LEASED);
    }

    static Occupation of(PoolingHttpClientConnectionManager manager) throws Exception {
        Occupation occupation = new Occupation(manager);
        for (int i = 0; i < LEASED; i++) {
            ConnectionEndpoint endpoint = manager.lease("leased", ELSEWHERE, Timeout.DISABLED, null).get(Timeout.ONE_MILLISECOND);
            occupation.ends.push(() -> manager.release(endpoint, null, null));
        }
        for (int i = 0; i < WAITING; i++) {
            LeaseRequest request = manager.lease("waiting", ELSEWHERE, Timeout.DISABLED, null);
            occupation.ends.push(request::cancel);
        }
        return occupation;
    }

    static Occupation of(PoolingAsyncClientConnectionManager manager) throws Exception {
        Occupation occupation = new Occupation(manager);
        for (int i = 0; i < LEASED; i++) {
            AsyncConnectionEndpoint endpoint = request(manager).get(1, TimeUnit.MILLISECONDS);
            occupation.ends.push(() -> manager.release(endpoint, null, TimeValue.ZERO_MILLISECONDS));
        }
        for (int i = 0; i < WAITING; i++) {
            Future<AsyncConnectionEndpoint> request = request(manager);
            occupation.ends.push(() -> request.cancel(true));
        }
        return occupation;
    }

    private static Future<AsyncConnectionEndpoint> request(PoolingAsyncClientConnectionManager manager) {
        return manager.lease("occupation", ELSEWHERE, null, Timeout.DISABLED, null);
    }

    @Override
    public void close() {
        ends.forEach(Runnable::run);
    }
}
