package io.leasehold.httpclient3;

import io.leasehold.Cause;
import io.leasehold.ConnectionPool;
import io.leasehold.Counters;
import io.leasehold.Lease;
import io.leasehold.Leasehold;
import io.leasehold.LeaseholdManager;
import io.leasehold.LeaseholdUnavailableException;
import io.leasehold.Metrics;
import io.leasehold.PoolShutDownException;
import io.leasehold.ShutdownMode;
import io.leasehold.Stats;
import io.leasehold.Watching;
import io.leasehold.managed.ManagedPool;
import io.leasehold.managed.WeakConnection;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.apache.commons.httpclient.ConnectionPoolTimeoutException;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.HttpException;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.params.HttpConnectionManagerParams;
import org.apache.commons.httpclient.util.IdleConnectionHandler;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

/**
 * {@link MultiThreadedHttpConnectionManager} on a Leasehold pool: a manager for any number of threads and hosts, with limits of 2
 * connections per host and 20 in total unless its parameters say otherwise.
 *
 * <p>It behaves as the class it extends, message texts and log lines included, and logs under that class's name. What differs, and why,
 * is listed in the project's {@code docs/compatibility.md}; above all:
 * <ul>
 * <li>Whether a connection is still alive is asked of the operating system, in half a microsecond instead of a millisecond.
 * <li>A connection that comes back closed, or with a response outstanding, never takes up a place.
 * <li>A connection is released once. Released twice, the second does nothing; one that is not of this manager is refused.
 * <li>Waiting threads are never woken by interrupts, and are woken by a raised limit.
 * <li>A connection lost to the garbage collector is closed, not only counted out.
 * </ul>
 *
 * <p><b>Memory effects</b>: what a thread did before it released a connection happens before what follows a lease, of any thread and by any
 * of the methods here, that got that connection or the place of it. What it did before it shut the manager down happens before what
 * follows, in another thread, the {@link IllegalStateException} that came of it, and what it did before it set a limit in {@link
 * #getParams()}, before what follows a lease that had room by that. A leased connection may pass from thread to thread, which takes what
 * passing any object takes. Numbers of connections order nothing.
 *
 * <p>Times are milliseconds. All methods may be called by any thread; only the three that lease wait, and a release may, for the
 * peer to end a response that was not read to its end.
 */
public class LeaseholdMultiThreadedHttpConnectionManager extends MultiThreadedHttpConnectionManager implements LeaseholdManager {
    // 3.1's own loggers by their names, so that an application's logging configuration shows ours as it did 3.1's.
    private static final Log LOG = LogFactory.getLog(MultiThreadedHttpConnectionManager.class);
    private static final Log IDLE_LOG = LogFactory.getLog(IdleConnectionHandler.class);

    // The class that this one extends makes itself known to shutdownAll() before these fields are set, so the two here have no initial
    // values, which would undo what was written before. Whether the object is complete: written by its maker, who then looks whether it
    // was shut down. Whether it was: written by who shuts it down, and then looks whether it is complete. So one of them sees what the
    // other wrote.
    private volatile boolean isMade;
    private volatile boolean wasShutDown;

    private final ManagedPool<Route, PooledHttpConnection> managed =
            new ManagedPool<>(ManagedPool.builder(LeaseholdMultiThreadedHttpConnectionManager.class.getSimpleName(),
                            PooledHttpConnection.disposer(LeaseholdMultiThreadedHttpConnectionManager::letGo),
                            PooledHttpConnection.leakListener(LOG))
                    .ownRouteFirst(true)
                    .maxTotal(DEFAULT_MAX_TOTAL_CONNECTIONS)
                    .maxPerRoute(DEFAULT_MAX_HOST_CONNECTIONS));
    private final ConnectionPool<Route, WeakConnection<PooledHttpConnection>> pool = managed.pool();
    private final Destination.Finder destinations = new Destination.Finder(false);
    private final LeasedHttpConnection pattern;
    private final FollowedParams params = new FollowedParams(pool, now -> {
        pool.setMaxTotal(now.total());
        pool.setDefaultMaxPerRoute(now.perHost());
    }, HostLimits.unset(DEFAULT_MAX_TOTAL_CONNECTIONS, DEFAULT_MAX_HOST_CONNECTIONS, 0), destinations);

    /**
     * Creates a manager with no connections.
     *
     * @throws LeaseholdUnavailableException if the native library could not be loaded; its message says what to do. 3.1's
     *     {@code HttpClient}, when it creates a manager by {@code http.connection-manager.class}, then takes its own instead
     */
    public LeaseholdMultiThreadedHttpConnectionManager() {
        this(null);
    }

    /** One that stands in for another, by which its connections are released; null for none. */
    LeaseholdMultiThreadedHttpConnectionManager(HttpConnectionManager standsInFor) {
        Leasehold.requireAvailable();
        pattern = new LeasedHttpConnection(standsInFor == null ? this : standsInFor, managed, false);
        isMade = true;
        if (wasShutDown) {
            pool.shutdown(ShutdownMode.IMMEDIATE);
        }
    }

    /**
     * Closes all connections, idle and leased, and ends all waiting with an {@link IllegalStateException}. The manager gives no
     * more connections. Calling it again does nothing.
     */
    @Override
    public void shutdown() {
        wasShutDown = true;
        // Else this is shutdownAll() while the object is being made, which then shuts the pool down itself.
        if (isMade) {
            pool.shutdown(ShutdownMode.IMMEDIATE);
        }
    }

    @Override
    public String getName() {
        return managed.getName();
    }

    @Override
    public void setName(String name) {
        managed.setName(name);
    }

    @Override
    public ConnectionPool<?, ?> getPool() {
        return managed.pool();
    }

    @Override
    public void setWatching(Watching watching) {
        managed.setWatching(watching);
    }

    @Override
    public void setTcpKeepAlive(int idle, int interval, int probes) {
        managed.setTcpKeepAlive(idle, interval, probes);
    }

    @Override
    public void disableTcpKeepAlive() {
        managed.disableTcpKeepAlive();
    }

    @Override
    public Counters getCounters() {
        return managed.getCounters();
    }

    @Override
    public Metrics getMetrics() {
        return managed.getMetrics();
    }

    @Override
    public void measureHeld(boolean wanted) {
        managed.measureHeld(wanted);
    }

    /**
     * Whether connections are checked for being stale before each request.
     *
     * @return the parameter's value
     * @deprecated as in 3.1: use {@link #getParams()}
     */
    @Override
    @Deprecated
    public boolean isConnectionStaleCheckingEnabled() {
        return params.get().isStaleCheckingEnabled();
    }

    /**
     * Sets whether connections are checked for being stale before each request.
     *
     * @param enabled the parameter's new value
     * @deprecated as in 3.1: use {@link #getParams()}
     */
    @Override
    @Deprecated
    public void setConnectionStaleCheckingEnabled(boolean enabled) {
        params.get().setStaleCheckingEnabled(enabled);
    }

    /**
     * Sets the limit for each host that is given none of its own.
     *
     * @param max the limit, at least 1
     * @throws IllegalArgumentException if it is less
     * @deprecated as in 3.1: use {@link #getParams()}
     */
    @Override
    @Deprecated
    public void setMaxConnectionsPerHost(int max) {
        params.get().setDefaultMaxConnectionsPerHost(max);
    }

    /**
     * The limit for each host that is given none of its own.
     *
     * @return the limit
     * @deprecated as in 3.1: use {@link #getParams()}
     */
    @Override
    @Deprecated
    public int getMaxConnectionsPerHost() {
        return params.get().getDefaultMaxConnectionsPerHost();
    }

    /**
     * Sets the limit in total.
     *
     * @param max the limit; zero or less makes every lease wait, as in 3.1
     * @deprecated as in 3.1: use {@link #getParams()}
     */
    @Override
    @Deprecated
    public void setMaxTotalConnections(int max) {
        params.get().setMaxTotalConnections(max);
    }

    /**
     * The limit in total.
     *
     * @return the limit
     * @deprecated as in 3.1: use {@link #getParams()}
     */
    @Override
    @Deprecated
    public int getMaxTotalConnections() {
        return params.get().getMaxTotalConnections();
    }

    /**
     * Leases a connection and waits for it without end.
     *
     * @param hostConfiguration where to
     * @return the connection, to be released once
     * @throws IllegalArgumentException if {@code hostConfiguration} is null or names no host
     * @throws IllegalStateException if the manager was shut down
     * @throws IllegalThreadStateException if the thread was interrupted while it waited
     */
    @Override
    public HttpConnection getConnection(HostConfiguration hostConfiguration) {
        while (true) {
            try {
                return getConnectionWithTimeout(hostConfiguration, 0);
            } catch (ConnectionPoolTimeoutException e) {
                LOG.debug("Unexpected exception while waiting for connection", e);
            }
        }
    }

    /**
     * Leases a connection and waits for it for a time.
     *
     * @param hostConfiguration where to
     * @param timeout how many milliseconds to wait at most; zero is without end
     * @return the connection, to be released once
     * @throws HttpException if there was none in time
     * @throws IllegalArgumentException if {@code hostConfiguration} is null or names no host, or if it had to wait and
     *     {@code timeout} is negative
     * @throws IllegalStateException if the manager was shut down
     * @throws IllegalThreadStateException if the thread was interrupted while it waited
     * @deprecated as in 3.1: use {@link #getConnectionWithTimeout}
     */
    @Override
    @Deprecated
    public HttpConnection getConnection(HostConfiguration hostConfiguration, long timeout) throws HttpException {
        LOG.trace("enter HttpConnectionManager.getConnection(HostConfiguration, long)");
        try {
            return getConnectionWithTimeout(hostConfiguration, timeout);
        } catch (ConnectionPoolTimeoutException e) {
            throw new HttpException(e.getMessage(), e.getCause());
        }
    }

    /**
     * Leases a connection and waits for it for a time: the one to this host that was released last, or else a new one, not opened
     * yet, for which the least recently released one to another host makes room if need be.
     *
     * @param hostConfiguration where to
     * @param timeout how many milliseconds to wait at most; zero is without end
     * @return the connection, to be released once
     * @throws ConnectionPoolTimeoutException if there was none in time
     * @throws IllegalArgumentException if {@code hostConfiguration} is null or names no host, or if it had to wait and
     *     {@code timeout} is negative
     * @throws IllegalStateException if the manager was shut down
     * @throws IllegalThreadStateException if the thread was interrupted while it waited; its interrupt flag is cleared
     */
    @Override
    public HttpConnection getConnectionWithTimeout(HostConfiguration hostConfiguration, long timeout)
            throws ConnectionPoolTimeoutException {
        LOG.trace("enter HttpConnectionManager.getConnectionWithTimeout(HostConfiguration, long)");
        if (hostConfiguration == null) {
            throw new IllegalArgumentException("hostConfiguration is null");
        }
        boolean debug = LOG.isDebugEnabled();
        if (debug) {
            LOG.debug("HttpConnectionManager.getConnection:  config = " + hostConfiguration + ", timeout = " + timeout);
        }
        Destination destination = params.keptTo(hostConfiguration);
        Route route = destination.route();
        Function<Lease<WeakConnection<PooledHttpConnection>>, HttpConnection> handOver = lease -> {
            WeakConnection<PooledHttpConnection> cell = lease.connection();
            PooledHttpConnection connection = cell == null ? fill(lease, hostConfiguration, destination) : cell.get();
            if (debug && cell != null) {
                LOG.debug("Getting free connection, hostConfig=" + hostConfiguration);
            }
            return pattern.of(connection, lease);
        };
        try {
            HttpConnection leased = pool.tryLeaseFor(route, null, handOver);
            return leased != null ? leased : await(route, timeout, handOver);
        } catch (PoolShutDownException e) {
            throw new IllegalStateException("Connection factory has been shutdown.");
        }
    }

    private HttpConnection await(Route route, long timeout, Function<Lease<WeakConnection<PooledHttpConnection>>, HttpConnection> handOver)
            throws ConnectionPoolTimeoutException {
        if (LOG.isDebugEnabled()) {
            LOG.debug("Unable to get a connection, waiting..., hostConfig=" + route);
        }
        if (timeout < 0) {
            throw new IllegalArgumentException("timeout value is negative");
        }
        try {
            // Zero is without end in 3.1.
            return pool.leaseFor(route, null, timeout == 0 ? Long.MAX_VALUE : timeout, TimeUnit.MILLISECONDS, handOver);
        } catch (InterruptedException e) {
            LOG.debug("Interrupted while waiting for connection", e);
            throw new IllegalThreadStateException("Interrupted while waiting in MultiThreadedHttpConnectionManager");
        } catch (TimeoutException e) {
            throw new ConnectionPoolTimeoutException("Timeout waiting for connection", e);
        }
    }

    private PooledHttpConnection fill(Lease<WeakConnection<PooledHttpConnection>> vacancy, HostConfiguration hostConfiguration,
            Destination destination) {
        if (LOG.isDebugEnabled()) {
            LOG.debug("Allocating new connection, hostConfig=" + hostConfiguration);
        }
        PooledHttpConnection connection = new PooledHttpConnection(hostConfiguration, destination, managed.connections());
        connection.getParams().setDefaults(params.get());
        connection.fill(vacancy);
        return connection;
    }

    /**
     * How many connections to a host there are, leased and idle.
     *
     * @param hostConfiguration the host; null has none
     * @return their number
     */
    @Override
    public int getConnectionsInPool(HostConfiguration hostConfiguration) {
        if (hostConfiguration == null || hostConfiguration.getHost() == null) {
            return 0;
        }
        return connections(pool.stats(destinations.of(hostConfiguration).route()));
    }

    /**
     * How many connections there are, leased and idle.
     *
     * @return their number
     */
    @Override
    public int getConnectionsInPool() {
        return connections(pool.stats());
    }

    private static int connections(Stats stats) {
        return stats.leased() + stats.available();
    }

    /**
     * As {@link #getConnectionsInPool(HostConfiguration)}, as in 3.1.
     *
     * @param hostConfiguration the host; null has none
     * @return the number of connections to it
     * @deprecated as in 3.1: its name promises something else
     */
    @Override
    @Deprecated
    public int getConnectionsInUse(HostConfiguration hostConfiguration) {
        return getConnectionsInPool(hostConfiguration);
    }

    /**
     * As {@link #getConnectionsInPool()}, as in 3.1.
     *
     * @return the number of connections
     * @deprecated as in 3.1: its name promises something else
     */
    @Override
    @Deprecated
    public int getConnectionsInUse() {
        return getConnectionsInPool();
    }

    /** Deletes the idle connections that are not open, or that their peer has closed. Takes time in proportion to all connections. */
    @Override
    public void deleteClosedConnections() {
        managed.closeIdleIf(connection -> !connection.isOpen() || connection.isClosedByPeer());
    }

    /**
     * Closes the connections that have been idle for a time or longer, and deletes those that are closed.
     *
     * @param idleTimeout how many milliseconds; zero or less is all
     */
    @Override
    public void closeIdleConnections(long idleTimeout) {
        if (IDLE_LOG.isDebugEnabled()) {
            IDLE_LOG.debug("Checking for connections, idleTimeout: " + (System.currentTimeMillis() - idleTimeout));
        }
        pool.closeIdle(Math.max(0, idleTimeout), TimeUnit.MILLISECONDS);
        deleteClosedConnections();
    }

    /**
     * Ends the lease of a connection. What is left of its last response is read first, which may wait for the peer. The connection
     * is kept if it is open or was never tried, goes where it went, and has no response outstanding; else it is closed.
     *
     * @param conn a connection of this manager; released before, nothing happens
     * @throws IllegalStateException if it is not a connection of this manager
     * @throws NullPointerException if {@code conn} is null
     */
    @Override
    public void releaseConnection(HttpConnection conn) {
        try {
            LOG.trace("enter HttpConnectionManager.releaseConnection(HttpConnection)");
        } finally {
            // Whatever logs do: who releases has nobody to try it again.
            release(conn);
        }
    }

    private void release(HttpConnection conn) {
        if (conn == null) {
            throw new NullPointerException("conn is null: release what getConnectionWithTimeout returned");
        }
        if (!(conn instanceof LeasedHttpConnection)) {
            throw unknown();
        }
        LeasedHttpConnection leased = (LeasedHttpConnection) conn;
        PooledHttpConnection connection = leased.connection();
        if (connection == null) {
            return;
        }
        if (!connection.isOf(managed.connections())) {
            throw unknown();
        }
        leased.finishLastResponse();
        if (leased.lease() == null) {
            // The end of that response has released it already.
            return;
        }
        boolean reusable = connection.isReusable() && !leased.isMidExchange();
        String whoIsNotified = null;
        try {
            whoIsNotified = LOG.isDebugEnabled() ? freeing(connection.route()) : null;
            if (reusable && IDLE_LOG.isDebugEnabled()) {
                connection.setReleasedAt(System.currentTimeMillis());
                IDLE_LOG.debug("Adding connection at: " + connection.releasedAt());
            }
        } finally {
            leased.endLease(reusable, true);
        }
        if (whoIsNotified != null) {
            LOG.debug(whoIsNotified);
        }
    }

    private static IllegalStateException unknown() {
        return new IllegalStateException("Unexpected release of an unknown connection.");
    }

    /** Says that a connection comes back; returns what 3.1 says afterwards, or null. */
    private String freeing(Route route) {
        LOG.debug("Freeing connection, hostConfig=" + route);
        if (pool.isShutDown()) {
            return null;
        }
        if (pool.stats(route).pending() > 0) {
            return "Notifying thread waiting on host pool, hostConfig=" + route;
        }
        return pool.stats().pending() > 0
                ? "No-one waiting on host pool, notifying next waiting thread."
                : "Notifying no-one, there are no waiting threads";
    }

    /** Says what the pool lets go, and takes it from its user if that is a shutdown's doing, before it is closed. Refers to no manager. */
    private static void letGo(PooledHttpConnection connection, Cause cause) {
        if (cause == Cause.PEER_CLOSED && connection.isOpen() && LOG.isDebugEnabled()) {
            LOG.debug("Connection closed by its peer, closing..., hostConfig=" + connection.route());
        }
        if (cause == Cause.IDLE && IDLE_LOG.isDebugEnabled()) {
            IDLE_LOG.debug("Closing connection, connection time: " + connection.releasedAt());
        }
        boolean leased = connection.isLeased();
        if (!leased && cause != Cause.SHUT_DOWN && LOG.isDebugEnabled()) {
            LOG.debug("Reclaiming connection, hostConfig=" + connection.route());
        }
        if (cause == Cause.SHUT_DOWN) {
            connection.orphan();
        }
        if (leased && cause == Cause.SHUT_DOWN) {
            // As 3.1 does, which warns of each connection that a shutdown takes from its user.
            connection.releaseConnection();
        }
    }

    /**
     * The parameters, which may be changed at any time. Limits are read at every lease.
     *
     * @return the parameters themselves
     */
    @Override
    public HttpConnectionManagerParams getParams() {
        return params.get();
    }

    /**
     * Replaces the parameters. Connections that exist keep those they were made with.
     *
     * @param params the new parameters
     * @throws IllegalArgumentException if {@code params} is null
     */
    @Override
    public void setParams(HttpConnectionManagerParams params) {
        this.params.set(params);
    }
}
