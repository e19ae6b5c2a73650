package io.leasehold.tests.httpclient5users;

import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.io.ConnectionEndpoint;
import org.apache.hc.client5.http.io.LeaseRequest;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.util.Timeout;

/** Three connections of a manager to elsewhere that are leased, and two requests that wait for one. */
final class Occupation implements AutoCloseable {
    private static final HttpRoute ELSEWHERE = new HttpRoute(new HttpHost("elsewhere.invalid", 80));

    private final PoolingHttpClientConnectionManager manager;
    private final ConnectionEndpoint[] leased = new ConnectionEndpoint[3];
    private final LeaseRequest[] waiting = new LeaseRequest[2];

    Occupation(PoolingHttpClientConnectionManager manager) throws Exception {
        this.manager = manager;
        manager.setMaxPerRoute(ELSEWHERE, leased.length);
        for (int i = 0; i < leased.length; i++) {
            leased[i] = request().get(Timeout.ONE_MILLISECOND);
        }
        for (int i = 0; i < waiting.length; i++) {
            waiting[i] = request();
        }
    }

    private LeaseRequest request() {
        return manager.lease("occupation", ELSEWHERE, Timeout.DISABLED, null);
    }

    @Override
    public void close() {
        for (LeaseRequest request : waiting) {
            request.cancel();
        }
        for (ConnectionEndpoint endpoint : leased) {
            manager.release(endpoint, null, null);
        }
    }
}
