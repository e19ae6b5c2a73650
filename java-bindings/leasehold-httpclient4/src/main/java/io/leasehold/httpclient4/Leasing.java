package io.leasehold.httpclient4;

import io.leasehold.CoarseClock;
import io.leasehold.Lease;
import io.leasehold.Liveness;
import io.leasehold.Stats;
import io.leasehold.managed.ManagedPool;
import io.leasehold.managed.WeakConnection;
import org.apache.http.config.ConnectionConfig;
import org.apache.http.config.SocketConfig;
import org.apache.http.conn.HttpConnectionFactory;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.util.Args;

/**
 * How a lease becomes a connection: the idle one if it is alive, or else a new one in its place. Everything here runs on the thread that
 * leases, without a lock, on an entry that is that thread's alone. What it throws is the end of the lease, by the pool's hand.
 */
final class Leasing {
    private final ManagedPool<HttpRoute, PooledConnection> managed;
    private final Loggers loggers;
    private final HttpConnectionFactory<HttpRoute, ManagedHttpClientConnection> factory;
    // Milliseconds, not positive for no end.
    private final long timeToLive;
    private final Configs<ConnectionConfig> connectionConfigs;
    private final Configs<SocketConfig> socketConfigs;
    // Milliseconds, not positive for never. Written by whoever sets it.
    private volatile int validateAfterInactivity = 2000;

    Leasing(ManagedPool<HttpRoute, PooledConnection> managed, Loggers loggers,
            HttpConnectionFactory<HttpRoute, ManagedHttpClientConnection> factory, long timeToLive,
            Configs<ConnectionConfig> connectionConfigs, Configs<SocketConfig> socketConfigs) {
        this.managed = managed;
        this.loggers = loggers;
        this.factory = factory;
        this.timeToLive = timeToLive;
        this.connectionConfigs = connectionConfigs;
        this.socketConfigs = socketConfigs;
    }

    int validateAfterInactivity() {
        return validateAfterInactivity;
    }

    void setValidateAfterInactivity(int millis) {
        validateAfterInactivity = millis;
    }

    /** Makes a connection of a lease. */
    LeasedConnection begin(Lease<WeakConnection<PooledConnection>> lease, HttpRoute route) {
        WeakConnection<PooledConnection> cell = lease.connection();
        PooledConnection connection = cell == null ? null : cell.get();
        if (connection == null || isUnfit(connection)) {
            connection = open(lease, connection, route);
        }
        return new LeasedConnection(connection, lease);
    }

    /** What can be told in half a microsecond is told at every lease; what takes a millisecond, after the period, as in HttpClient. */
    private boolean isUnfit(PooledConnection connection) {
        int period = validateAfterInactivity;
        if (period <= 0) {
            return !connection.isOpen();
        }
        Liveness seen = connection.liveness();
        if (seen != Liveness.UNKNOWN) {
            return seen == Liveness.CLOSED;
        }
        return CoarseClock.currentTimeMillis() - connection.updated() >= period && connection.isStaleByItsOwnCheck();
    }

    /** Fills a vacancy, or the place of a connection that turned out to be dead. */
    private PooledConnection open(Lease<WeakConnection<PooledConnection>> lease, PooledConnection dead, HttpRoute route) {
        if (dead != null && dead.isOpen()) {
            // Closed where no lease waits for it: TLS has something to say to a peer that may not listen.
            lease.replaceStale();
        } else if (dead != null) {
            lease.reopen();
            dead.end();
        }
        ManagedHttpClientConnection made = factory.create(route, connectionConfigs.ofProxyOrTarget(route));
        PooledConnection connection =
                new PooledConnection(Args.notNull(made, "Connection"), route, timeToLive, managed.connections(), loggers);
        connection.fill(lease);
        return connection;
    }

    /** Gets a connection ready for its user. */
    void handOver(LeasedConnection leased, HttpRoute route) {
        PooledConnection connection = leased.pooled();
        if (loggers.manager.isDebugEnabled()) {
            loggers.manager.debug("Connection leased: " + connection + numbers(route));
        }
        if (connection.isOpen()) {
            connection.setSocketTimeout(socketConfigs.ofFirstHop(route).getSoTimeout());
        }
    }

    /** As the lines of HttpClient's manager give a route's and the pool's numbers. */
    String numbers(HttpRoute route) {
        Stats total = managed.pool().stats();
        Stats ofRoute = managed.pool().stats(route);
        return "[total available: " + total.available()
                + "; route allocated: " + (ofRoute.leased() + ofRoute.available()) + " of " + ofRoute.max()
                + "; total allocated: " + (total.leased() + total.available()) + " of " + total.max() + "]";
    }
}
