package io.leasehold.httpclient5;

import io.leasehold.ConnectionPool;
import io.leasehold.Counters;
import io.leasehold.LeaseholdManager;
import io.leasehold.LeaseholdUnavailableException;
import io.leasehold.Metrics;
import io.leasehold.Watching;
import io.leasehold.managed.ManagedPool;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.io.ConnectionEndpoint;
import org.apache.hc.client5.http.io.LeaseRequest;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.core5.function.Resolver;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/**
 * {@link PoolingHttpClientConnectionManager} of HttpClient 5.2 and later on a {@link LeaseholdConnPool}: a manager for any number of
 * threads and routes, with limits of 5 connections per route and 25 in total unless set otherwise. What it does is the code of the class
 * that it extends, of the version that is there, its log lines included; only the pool below is another.
 *
 * <p>What differs is listed in the project's {@code docs/compatibility.md}; above all:
 * <ul>
 * <li>Whether a connection is still alive is asked of the operating system, in half a microsecond instead of a millisecond, and so at
 *     every lease, unless {@link ConnectionConfig} switches validation off by a negative time.
 * <li>A connection that its server closes while it is idle is closed at once.
 * <li>An interrupt, a timeout or a cancellation never loses a place, nor does an endpoint that is garbage collected without having been
 *     released.
 * <li>No lock is held while a connection is closed.
 * <li>{@code closeExpired} looks at the time to live and at the idle timeout of {@link ConnectionConfig}, too.
 * </ul>
 *
 * <p><b>Memory effects</b>: those of {@link LeaseholdConnPool}, of which endpoints are leased and released; and what a thread did before it
 * set a configuration happens before a connection is opened or looked at by it.
 *
 * <p>{@code LeaseholdHttpClientConnectionManagerBuilder} has the options of HttpClient's builder. All methods may be called by any thread
 * at any time.
 */
public class LeaseholdHttpClientConnectionManager extends PoolingHttpClientConnectionManager implements LeaseholdManager {
    private final ConnectionConfigs configs;
    private final LeaseholdConnPool<HttpRoute, ManagedHttpClientConnection> pool;
    private final ManagersPool<ManagedHttpClientConnection> asked;

    /**
     * Creates a manager for http and https with the JDK's sockets and TLS, as HttpClient's own is by default.
     *
     * @throws LeaseholdUnavailableException if the native library could not be loaded; its message says what to do
     */
    public LeaseholdHttpClientConnectionManager() {
        this(new ManagerParts(Operators.ofVersion(null, null, false), null, null, null));
    }

    LeaseholdHttpClientConnectionManager(ManagerParts parts) {
        super(parts.operator, parts.asked, parts.factory);
        configs = parts.configs;
        pool = parts.pool;
        asked = parts.asked;
        super.setConnectionConfigResolver(configs::shown);
    }

    private ManagedPool<?, ?> managed() {
        return pool.managed();
    }

    /**
     * Sets the same configuration for all routes.
     *
     * @param config the configuration; null for {@link ConnectionConfig#DEFAULT}
     */
    @Override
    public void setDefaultConnectionConfig(ConnectionConfig config) {
        configs.set(route -> config);
    }

    /**
     * Sets the configuration of connections by route. What {@link ConnectionConfig#getValidateAfterInactivity} says counts for what only a
     * read of a millisecond can tell; what the operating system can tell is asked at every lease, unless it is negative.
     *
     * @param resolver finds a route's configuration, or null for the default; null if no route has one
     */
    @Override
    public void setConnectionConfigResolver(Resolver<HttpRoute, ConnectionConfig> resolver) {
        configs.set(resolver);
    }

    /**
     * Asks for an endpoint, as HttpClient's manager does. A thread that is interrupted while it waits gives the request up, which older
     * HttpClients leave in the queue. If an endpoint cannot be made of what was leased, its place is free again when {@code get} throws.
     *
     * @param id names the exchange in log lines
     * @param route where to
     * @param requestTimeout how long the request may wait
     * @param state for whom; null is for nobody
     * @return the request
     */
    @Override
    public LeaseRequest lease(String id, HttpRoute route, Timeout requestTimeout, Object state) {
        CarefulRequest request = new CarefulRequest(pool);
        return request.of(asked.asking(request, () -> super.lease(id, route, requestTimeout, state)));
    }

    /**
     * Ends the lease of an endpoint, as HttpClient's manager does. If the manager was closed, a connection that was opened since is closed
     * in the same way. Whatever this throws, the lease has ended; HttpClient's code does not end it if its connection fails to say whether
     * it is open, say.
     *
     * @param endpoint the endpoint
     * @param state to whom it is bound from now on; null is to nobody
     * @param keepAlive for how long it may be kept, zero and less without end; null is not at all
     */
    @Override
    public void release(ConnectionEndpoint endpoint, Object state, TimeValue keepAlive) {
        PoolEntry<HttpRoute, ManagedHttpClientConnection> entry = Endpoints.entryOf(endpoint);
        long use = pool.use(entry);
        try {
            if (pool.isShutdown() && endpoint != null) {
                endpoint.close(pool.closeMode());
            }
            super.release(endpoint, state, keepAlive);
        } catch (Throwable e) {
            pool.giveBack(entry, use);
            throw e;
        }
    }

    /**
     * Closes all connections, as HttpClient's manager does, also if a logger fails before it comes to that.
     *
     * @param mode how
     */
    @Override
    public void close(CloseMode mode) {
        try {
            super.close(mode);
        } finally {
            // Nothing, if that has come to it.
            asked.close(mode);
        }
    }

    @Override
    public String getName() {
        return managed().getName();
    }

    @Override
    public void setName(String name) {
        managed().setName(name);
    }

    @Override
    public ConnectionPool<?, ?> getPool() {
        return managed().pool();
    }

    @Override
    public void setWatching(Watching watching) {
        managed().setWatching(watching);
    }

    @Override
    public void setTcpKeepAlive(int idle, int interval, int probes) {
        managed().setTcpKeepAlive(idle, interval, probes);
    }

    @Override
    public void disableTcpKeepAlive() {
        managed().disableTcpKeepAlive();
    }

    @Override
    public Counters getCounters() {
        return managed().getCounters();
    }

    @Override
    public Metrics getMetrics() {
        return managed().getMetrics();
    }

    @Override
    public void measureHeld(boolean wanted) {
        managed().measureHeld(wanted);
    }
}
