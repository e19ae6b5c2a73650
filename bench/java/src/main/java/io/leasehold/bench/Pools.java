package io.leasehold.bench;

import io.leasehold.ConnectionPool;
import io.leasehold.Lease;
import io.leasehold.httpclient5.LeaseholdConnPool;
import java.util.concurrent.TimeUnit;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.io.ModalCloseable;
import org.apache.hc.core5.pool.LaxConnPool;
import org.apache.hc.core5.pool.ManagedConnPool;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.pool.RouteSegmentedConnPool;
import org.apache.hc.core5.pool.StrictConnPool;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/**
 * Bare pools: lease, update of the expiry, release. Same limits, same routes, connections that do nothing, most recently released
 * first, as each is shipped otherwise.
 */
final class Pools {
    private static final int MAX_PER_ROUTE = 64;
    private static final TimeValue KEEP_ALIVE = TimeValue.ofSeconds(30);
    private static final Timeout TIMEOUT = Timeout.ofSeconds(1);

    private Pools() {
    }

    static Contender leasehold(int routes) {
        String[] names = names(routes);
        ConnectionPool<String, Connection> pool = ConnectionPool.<String, Connection>builder((connection, cause) -> connection.close())
                .maxPerRoute(MAX_PER_ROUTE)
                .maxTotal(MAX_PER_ROUTE * routes)
                .build();
        return () -> route -> {
            Lease<Connection> lease = pool.lease(names[route], 1, TimeUnit.SECONDS);
            Connection connection = lease.connection();
            if (connection == null) {
                connection = new Connection();
                lease.opened(connection);
            }
            lease.updateExpiry(30, TimeUnit.SECONDS);
            lease.release();
            return connection;
        };
    }

    /** Ours by the same calls as the other pools of HttpCore. */
    static Contender leaseholdForHttpcore5(int routes) {
        return httpcore5(new LeaseholdConnPool<>(MAX_PER_ROUTE, MAX_PER_ROUTE * routes), routes);
    }

    static Contender httpcore5Lax(int routes) {
        LaxConnPool<String, Connection> pool = new LaxConnPool<>(MAX_PER_ROUTE);
        return httpcore5(pool, routes);
    }

    static Contender httpcore5Strict(int routes) {
        return httpcore5(new StrictConnPool<>(MAX_PER_ROUTE, MAX_PER_ROUTE * routes), routes);
    }

    static Contender httpcore5Offlock(int routes) {
        return httpcore5(new RouteSegmentedConnPool<>(MAX_PER_ROUTE, MAX_PER_ROUTE * routes, TimeValue.NEG_ONE_MILLISECOND,
                PoolReusePolicy.LIFO, (connection, mode) -> connection.close(mode)), routes);
    }

    private static Contender httpcore5(ManagedConnPool<String, Connection> pool, int routes) {
        String[] names = names(routes);
        return () -> route -> {
            PoolEntry<String, Connection> entry = pool.lease(names[route], null, TIMEOUT, null).get();
            if (!entry.hasConnection()) {
                entry.assignConnection(new Connection());
            }
            Connection connection = entry.getConnection();
            entry.updateExpiry(KEEP_ALIVE);
            pool.release(entry, true);
            return connection;
        };
    }

    private static String[] names(int routes) {
        String[] names = new String[routes];
        for (int i = 0; i < routes; i++) {
            names[i] = "http://host" + i + ".example.com:80";
        }
        return names;
    }

    private static final class Connection implements ModalCloseable {
        @Override
        public void close(CloseMode mode) {
        }

        @Override
        public void close() {
        }
    }
}
