package io.leasehold.httpclient5;

import io.leasehold.Watching;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.SchemePortResolver;
import org.apache.hc.client5.http.nio.AsyncClientConnectionOperator;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.core5.http.nio.ssl.TlsStrategy;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.util.TimeValue;

/** What an asynchronous manager is made of, which has to be there before it is. */
final class AsyncParts {
    final ConnectionConfigs configs = new ConnectionConfigs();
    final LeaseholdConnPool<HttpRoute, ManagedAsyncClientConnection> pool;
    /** What shares its connections; null if they are not shared. */
    final SharingPool sharing;
    /** The pool as HttpClient's code has it. */
    final ManagersPool<ManagedAsyncClientConnection> asked;
    final AsyncClientConnectionOperator operator;

    /** With null for HttpClient's own. */
    AsyncParts(SchemePortResolver ports, DnsResolver names, TlsStrategy tls, boolean systemProperties, PoolReusePolicy policy,
            boolean isSharing) {
        this(ReactorOperator.stock(ports, names, tls, systemProperties), policy, null, isSharing);
    }

    /** With an operator of HttpClient's, and null for its own policy and for a time to live without end. */
    AsyncParts(AsyncClientConnectionOperator operator, PoolReusePolicy policy, TimeValue timeToLive, boolean isSharing) {
        pool = new LeaseholdConnPool<>(ManagerParts.MAX_PER_ROUTE, ManagerParts.MAX_TOTAL, timeToLive, policy, null, Watching.PROBE,
                new AsyncTreatment(configs), "LeaseholdAsyncClientConnectionManager");
        sharing = isSharing ? new SharingPool(pool, configs) : null;
        asked = new ManagersPool<>(isSharing ? sharing : pool);
        this.operator = ReactorOperator.of(operator, pool.managed());
    }
}
