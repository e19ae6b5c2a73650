package io.leasehold.httpclient5;

import io.leasehold.Watching;
import io.leasehold.managed.ManagedConnections;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.client5.http.io.HttpClientConnectionOperator;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.core5.http.io.HttpConnectionFactory;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.util.TimeValue;

/** What a classic manager is made of, which has to be there before it is. */
final class ManagerParts {
    // HttpClient's own.
    static final int MAX_TOTAL = 25;
    static final int MAX_PER_ROUTE = 5;

    final HttpClientConnectionOperator operator;
    final ConnectionConfigs configs = new ConnectionConfigs();
    final LeaseholdConnPool<HttpRoute, ManagedHttpClientConnection> pool;
    /** The pool as HttpClient's code has it. */
    final ManagersPool<ManagedHttpClientConnection> asked;
    final HttpConnectionFactory<ManagedHttpClientConnection> factory;

    /** With a factory or a policy of null for HttpClient's own, and a time to live of null for one without end. */
    ManagerParts(HttpClientConnectionOperator operator, HttpConnectionFactory<ManagedHttpClientConnection> factory,
            PoolReusePolicy policy, TimeValue timeToLive) {
        pool = new LeaseholdConnPool<>(MAX_PER_ROUTE, MAX_TOTAL, timeToLive, policy, null, Watching.BOTH, new ClassicTreatment(configs),
                "LeaseholdHttpClientConnectionManager");
        this.operator = TimedOperator.of(operator, pool.managed());
        asked = new ManagersPool<>(pool);
        HttpConnectionFactory<ManagedHttpClientConnection> makes = factory != null ? factory : ManagedHttpClientConnectionFactory.INSTANCE;
        ManagedConnections<?> connections = pool.managed().connections();
        ConnectionConfigs configs = this.configs;
        LeaseholdConnPool<HttpRoute, ManagedHttpClientConnection> pool = this.pool;
        this.factory = socket -> {
            ManagedHttpClientConnection made = makes.createConnection(socket);
            return made == null ? null : new CheckedConnection(made, connections.socket(), configs, pool::opened);
        };
    }
}
