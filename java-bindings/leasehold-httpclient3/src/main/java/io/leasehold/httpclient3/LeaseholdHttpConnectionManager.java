package io.leasehold.httpclient3;

import io.leasehold.Cause;
import io.leasehold.ConnectionPool;
import io.leasehold.Counters;
import io.leasehold.Lease;
import io.leasehold.Leasehold;
import io.leasehold.LeaseholdManager;
import io.leasehold.LeaseholdUnavailableException;
import io.leasehold.Metrics;
import io.leasehold.Stats;
import io.leasehold.Watching;
import io.leasehold.managed.ManagedPool;
import io.leasehold.managed.WeakConnection;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.commons.httpclient.ConnectionPoolTimeoutException;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.commons.httpclient.params.DefaultHttpParams;
import org.apache.commons.httpclient.params.HttpClientParams;
import org.apache.commons.httpclient.params.HttpConnectionManagerParams;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

/**
 * {@link SimpleHttpConnectionManager} on a Leasehold pool. Used by one thread it behaves as the class it extends, and logs under its
 * name: there is one connection, always the same object, which is closed and turned elsewhere when another host is asked for. Whether it
 * is still alive is asked of the operating system, in half a microsecond instead of a millisecond.
 *
 * <p>Unlike that class it may be shared by threads: each that leases has a connection of its own, and there are never more
 * connections than were held at once. Nobody waits, unless the application has set {@code http.connection-manager.max-per-host} or
 * {@code http.connection-manager.max-total} itself, here or among the defaults of these parameters.
 *
 * <p>A thread that leases again while it holds a connection gets that one back, with 3.1's warning. A connection may be
 * released by another thread than the one that leased it; a connection that a thread left behind when it died is closed when
 * nobody refers to it any more, or when a limit would make somebody wait for its place. After its release a connection must not be
 * used; only a thread that is alone with its manager may still look at it, as 3.1 allows.
 *
 * <p><b>Memory effects</b>: what a thread did before it released a connection happens before what follows a lease, of any thread and by any
 * of the methods here, that got that connection or the place of it; so does what a thread did before it died, if its connection was closed
 * for the limit's sake. What it did before it set a limit in {@link #getParams()} happens before what follows a lease that had room by
 * that. To pass a leased connection to another thread takes what passing any object takes.
 *
 * <p>What else differs from 3.1, and why, is listed in the project's {@code docs/compatibility.md}. Times are milliseconds.
 */
public class LeaseholdHttpConnectionManager extends SimpleHttpConnectionManager implements LeaseholdManager {
    // 3.1's own logger by its name, so that an application's logging configuration shows ours as it did 3.1's.
    private static final Log LOG = LogFactory.getLog(SimpleHttpConnectionManager.class);
    // How long a thread waits, in nanoseconds, before it looks again for what dead threads have left, and then queues anew.
    private static final long SLICE = TimeUnit.SECONDS.toNanos(1);

    private final boolean alwaysClose;
    // Its total is the number of connections ever held at once: the pool grows when all are held, and not before.
    private final ManagedPool<Route, PooledHttpConnection> managed =
            new ManagedPool<>(ManagedPool.builder(LeaseholdHttpConnectionManager.class.getSimpleName(),
                            PooledHttpConnection.disposer(LeaseholdHttpConnectionManager::letGo),
                            PooledHttpConnection.leakListener(LOG))
                    .ownRouteFirst(true)
                    .maxTotal(1)
                    .maxPerRoute(Integer.MAX_VALUE));
    private final ConnectionPool<Route, WeakConnection<PooledHttpConnection>> pool = managed.pool();
    // What connections name as their manager, by which they are released: this one, or that for which it stands in.
    private final HttpConnectionManager named;
    private final LeasedHttpConnection pattern;
    // Who holds what is said by the leased object alone: it names its connection, its lease and its thread. Here it is found by a thread
    // that holds it, which puts the entry; whoever releases the connection takes it out, as does whoever finds the thread dead, for the
    // collector ends what nobody refers to. By a connection it is found as that's last holder.
    private final Map<Thread, LeasedHttpConnection> held = new ConcurrentHashMap<>();
    private final AtomicInteger shutdowns = new AtomicInteger();

    private final FollowedParams params = new FollowedParams(pool, this::tell,
            HostLimits.unset(Integer.MAX_VALUE, Integer.MAX_VALUE, 1), new Destination.Finder(true));
    // How far the pool may grow. Written inside this object's monitor, inside which it grows and nothing is closed.
    private volatile int most = Integer.MAX_VALUE;

    /**
     * Creates a manager that keeps connections open for the next request.
     *
     * @throws LeaseholdUnavailableException if the native library could not be loaded; its message says what to do. 3.1's
     *     {@code HttpClient}, when it creates a manager by {@code http.connection-manager.class}, then takes its own instead
     */
    public LeaseholdHttpConnectionManager() {
        this(false);
    }

    /**
     * Creates a manager.
     *
     * @param alwaysClose whether every connection is closed when it is released
     * @throws LeaseholdUnavailableException if the native library could not be loaded; its message says what to do
     */
    public LeaseholdHttpConnectionManager(boolean alwaysClose) {
        this(alwaysClose, null);
    }

    /** One that stands in for another, by which its connections are released; null for none. */
    LeaseholdHttpConnectionManager(boolean alwaysClose, HttpConnectionManager standsInFor) {
        Leasehold.requireAvailable();
        this.alwaysClose = alwaysClose;
        named = standsInFor == null ? this : standsInFor;
        pattern = new LeasedHttpConnection(named, managed, true);
    }

    /**
     * Makes every later {@code new HttpClient()} of this JVM, more exactly of this class loader's HttpClient, use this manager: sets
     * {@code http.connection-manager.class} in {@link DefaultHttpParams#getDefaultParams()}. Clients that exist, and those that are
     * given a manager of their own, keep what they have. An application that replaces the default parameters' factory
     * calls this after doing so.
     *
     * <p>Where the native library is not available it changes nothing but logs a warning, and HttpClient goes on with its own
     * manager.
     *
     * @return whether later clients use this manager
     */
    public static boolean useByDefault() {
        Throwable cause = Leasehold.unavailabilityCause();
        if (cause != null) {
            LOG.warn("Leasehold is not available, HttpClient goes on with its own connection manager: " + cause.getMessage(), cause);
            return false;
        }
        DefaultHttpParams.getDefaultParams()
                .setParameter(HttpClientParams.CONNECTION_MANAGER_CLASS, LeaseholdHttpConnectionManager.class);
        return true;
    }

    /**
     * Leases a connection, as {@link #getConnectionWithTimeout} with a timeout of zero.
     *
     * @param hostConfiguration where to
     * @return the connection, to be released
     * @throws NullPointerException if {@code hostConfiguration} is null
     * @throws IllegalArgumentException if it names no host
     */
    @Override
    public HttpConnection getConnection(HostConfiguration hostConfiguration) {
        return getConnection(hostConfiguration, 0);
    }

    /**
     * Leases a connection, as {@link #getConnectionWithTimeout}.
     *
     * @param hostConfiguration where to
     * @param timeout how many milliseconds to wait at most, if there is anything to wait for; zero is without end
     * @return the connection, to be released
     * @throws NullPointerException if {@code hostConfiguration} is null
     * @throws IllegalArgumentException if it names no host
     * @deprecated as in 3.1: use {@link #getConnectionWithTimeout}
     */
    @Override
    @Deprecated
    public HttpConnection getConnection(HostConfiguration hostConfiguration, long timeout) {
        return getConnectionWithTimeout(hostConfiguration, timeout);
    }

    /**
     * Leases a connection: what the calling thread holds already, with a warning; or else an idle one to this host; or else a closed one,
     * to be opened by the caller.
     *
     * <p>It waits only where the application has set a limit. Then it throws, although 3.1's signature does not say so, the
     * {@link ConnectionPoolTimeoutException} that {@code HttpConnectionManager} declares, if there was no connection in time.
     *
     * @param hostConfiguration where to
     * @param timeout how many milliseconds to wait at most, if there is anything to wait for; zero is without end
     * @return the connection, to be released
     * @throws NullPointerException if {@code hostConfiguration} is null
     * @throws IllegalArgumentException if it names no host, or if it had to wait and {@code timeout} is negative
     * @throws IllegalThreadStateException if the thread was interrupted while it waited; its interrupt flag is cleared
     */
    @Override
    public HttpConnection getConnectionWithTimeout(HostConfiguration hostConfiguration, long timeout) {
        if (hostConfiguration == null) {
            throw new NullPointerException("hostConfiguration is null: say where the connection goes to");
        }
        Destination destination = params.keptTo(hostConfiguration);
        Thread thread = Thread.currentThread();
        LeasedHttpConnection mine = held.get(thread);
        boolean again = mine != null && regain(mine, hostConfiguration);
        if (again) {
            LOG.warn("SimpleHttpConnectionManager being used incorrectly.  Be sure that HttpMethod.releaseConnection() is always"
                    + " called and that only one thread and/or method is using this connection manager at a time.");
        }
        if (!again || mine.lease() == null) {
            LeasedHttpConnection holder = again ? mine : null;
            mine = obtain(destination.route(), timeout, lease -> handOver(lease, holder, hostConfiguration, destination, thread));
        }
        // A subclass may look at it, as in 3.1.
        httpConnection = mine;
        return mine;
    }

    /**
     * Prepares what its thread leases while holding it. False if it was not held any more, or is not after its last response has ended.
     * Its lease is ended if another connection is needed.
     */
    private static boolean regain(LeasedHttpConnection mine, HostConfiguration hostConfiguration) {
        PooledHttpConnection connection = mine.connection();
        // Its lease may have ended without it, as it does if it could not be handed over.
        if (mine.lease() == null || mine.lease().isEnded() || connection == null) {
            return false;
        }
        if (!hostConfiguration.hostEquals(connection) || !hostConfiguration.proxyEquals(connection)) {
            mine.endLease(false, false);
            return true;
        }
        mine.finishLastResponse();
        if (mine.lease() == null) {
            return false;
        }
        if (mine.isMidExchange()) {
            mine.close();
        }
        return true;
    }

    /** Makes a connection of a lease, held by the given object or by the one that its thread knows it by. */
    private LeasedHttpConnection handOver(Lease<WeakConnection<PooledHttpConnection>> lease, LeasedHttpConnection given,
            HostConfiguration hostConfiguration, Destination destination, Thread thread) {
        LeasedHttpConnection holder = given;
        WeakConnection<PooledHttpConnection> cell = lease.connection();
        PooledHttpConnection connection;
        if (cell == null) {
            if (holder == null) {
                holder = heldAloneBefore();
            }
            connection = fill(lease, hostConfiguration, destination, holder);
        } else {
            connection = cell.get();
            LeasedHttpConnection last = (LeasedHttpConnection) connection.lastHolder();
            if (last != null && last.connection() == connection && last != holder) {
                if (holder == null && last.owner() == thread) {
                    holder = last;
                } else {
                    last.detach();
                }
            }
        }
        if (holder == null) {
            holder = pattern.of(connection, lease, thread);
        } else {
            holder.hold(connection, lease, named);
        }
        if (connection.lastHolder() != holder) {
            connection.setLastHolder(holder);
        }
        holder.setShutdowns(shutdowns.get());
        held.put(thread, holder);
        return holder;
    }

    /**
     * For a vacancy, what the calling thread held before, if it has been alone: then the vacancy has the only place there is, and the
     * connection of before, which may still be closing, is nobody's any more. Null otherwise.
     */
    private LeasedHttpConnection heldAloneBefore() {
        if (pool.getMaxTotal() > 1 || !(httpConnection instanceof LeasedHttpConnection)) {
            return null;
        }
        LeasedHttpConnection before = (LeasedHttpConnection) httpConnection;
        PooledHttpConnection connection = before.connection();
        boolean isMine = before.owner() == Thread.currentThread() && before.lease() == null;
        return isMine && connection != null && connection.isOf(managed.connections()) ? before : null;
    }

    /** Fills a vacancy with a connection that has the parameters of its holder's last one, as if it were the same. */
    private PooledHttpConnection fill(Lease<WeakConnection<PooledHttpConnection>> vacancy, HostConfiguration hostConfiguration,
            Destination destination, LeasedHttpConnection holder) {
        PooledHttpConnection connection = new PooledHttpConnection(hostConfiguration, destination, managed.connections());
        PooledHttpConnection before = holder == null ? null : holder.connection();
        if (before == null) {
            connection.getParams().setDefaults(params.get());
        } else {
            connection.setParams(before.getParams());
        }
        connection.fill(vacancy);
        return connection;
    }

    private LeasedHttpConnection obtain(Route route, long timeout,
            Function<Lease<WeakConnection<PooledHttpConnection>>, LeasedHttpConnection> handOver) {
        while (true) {
            LeasedHttpConnection leased = pool.tryLeaseFor(route, null, handOver);
            if (leased != null) {
                return leased;
            }
            if (grow(route)) {
                // There is room for what the dead have left: others may still read from it, and else the collector ends it.
                forgetTheDead();
            } else if (!discardForTheDead()) {
                return await(route, timeout, handOver);
            }
        }
    }

    /** Makes room for one more connection if all are held and no limit forbids it; true if it is worth trying again. */
    private synchronized boolean grow(Route route) {
        int max = pool.getMaxTotal();
        Stats ofRoute = pool.stats(route);
        if (ofRoute.leased() >= ofRoute.max() || max >= most) {
            return false;
        }
        if (pool.stats().leased() >= max) {
            pool.setMaxTotal(max + 1);
        }
        return true;
    }

    /** Ends the leases of threads that have died without doing so; true if there were any. Takes time in proportion to all connections. */
    private boolean discardForTheDead() {
        forgetTheDead();
        List<LeasedHttpConnection> left = new ArrayList<>();
        managed.forEachLeased(connection -> {
            LeasedHttpConnection holder = (LeasedHttpConnection) connection.lastHolder();
            Thread owner = holder == null ? null : holder.owner();
            if (holder != null && (owner == null || !owner.isAlive())) {
                left.add(holder);
            }
        });
        boolean any = false;
        for (LeasedHttpConnection holder : left) {
            any |= holder.endLease(false, false);
        }
        return any;
    }

    /** Refers no more to what threads hold that have died. */
    private void forgetTheDead() {
        held.keySet().removeIf(thread -> !thread.isAlive());
    }

    private LeasedHttpConnection await(Route route, long timeout,
            Function<Lease<WeakConnection<PooledHttpConnection>>, LeasedHttpConnection> handOver) {
        if (timeout < 0) {
            throw new IllegalArgumentException("timeout value is negative");
        }
        long start = System.nanoTime();
        long patience = timeout == 0 ? Long.MAX_VALUE : TimeUnit.MILLISECONDS.toNanos(timeout);
        long rest = patience;
        TimeoutException why;
        do {
            try {
                return pool.leaseFor(route, null, Math.max(1, Math.min(rest, SLICE)), TimeUnit.NANOSECONDS, handOver);
            } catch (InterruptedException e) {
                throw new IllegalThreadStateException("Interrupted while waiting in LeaseholdHttpConnectionManager");
            } catch (TimeoutException e) {
                why = e;
                rest = patience - (System.nanoTime() - start);
            }
            // A holder may have died since, and nobody says so.
        } while (discardForTheDead() || rest > 0);
        throw LeaseholdHttpConnectionManager.<RuntimeException>undeclared(
                new ConnectionPoolTimeoutException("Timeout waiting for connection", why));
    }

    /** Throws what HttpConnectionManager declares and SimpleHttpConnectionManager, which never waits, does not. */
    @SuppressWarnings("unchecked") // The compiler takes it for unchecked, which is the point.
    private static <E extends Exception> E undeclared(Exception exception) throws E {
        throw (E) exception;
    }

    private void tell(HostLimits now) {
        synchronized (this) {
            most = now.total();
        }
        // Outside the monitor, as it closes what is too much. From here on the pool does not grow beyond it.
        while (pool.getMaxTotal() > most) {
            pool.setMaxTotal(most);
        }
        pool.setDefaultMaxPerRoute(now.perHost());
    }

    /**
     * Ends the lease of a connection. What is left of its last response is read first, which may wait for the peer. The connection
     * is kept if it is open, has no response outstanding, and this manager does not always close. Released before, nothing happens.
     *
     * @param conn a connection of this manager
     * @throws IllegalStateException if it is not
     */
    @Override
    public void releaseConnection(HttpConnection conn) {
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
        if (leased.lease() != null) {
            if (alwaysClose) {
                leased.close();
            } else {
                leased.finishLastResponse();
            }
        }
        if (leased.lease() != null) {
            end(leased, connection);
        }
    }

    private void end(LeasedHttpConnection leased, PooledHttpConnection connection) {
        int shutdownsAtLease = leased.shutdowns();
        boolean reusable = !alwaysClose && connection.isReusable() && !leased.isMidExchange();
        Thread owner = leased.owner();
        if (owner != null) {
            held.remove(owner, leased);
        }
        boolean keeps = reusable && shutdowns.get() == shutdownsAtLease;
        boolean ended = leased.endLease(keeps, false);
        if (ended && keeps && shutdowns.get() != shutdownsAtLease) {
            // That shutdown may have swept before this connection was idle.
            pool.closeIdle(0, TimeUnit.MILLISECONDS);
        }
    }

    private static IllegalStateException unknown() {
        return new IllegalStateException("Unexpected release of an unknown connection.");
    }

    /** Says what the pool lets go, before it is closed. Refers to no manager. */
    private static void letGo(PooledHttpConnection connection, Cause cause) {
        if (cause == Cause.PEER_CLOSED && connection.isOpen() && LOG.isDebugEnabled()) {
            LOG.debug("Connection closed by its peer, closing..., hostConfig=" + connection.route());
        }
    }

    /**
     * Closes the connections that have been idle for a time or longer, and those that their peer has closed.
     *
     * @param idleTimeout how many milliseconds; zero or less is all
     */
    @Override
    public void closeIdleConnections(long idleTimeout) {
        pool.closeIdle(Math.max(0, idleTimeout), TimeUnit.MILLISECONDS);
        managed.closeIdleIf(PooledHttpConnection::isClosedByPeer);
    }

    /**
     * Closes the idle connections and what the calling thread holds; what other threads hold is closed when they release it. The manager
     * goes on working: whoever leases next opens a connection.
     */
    @Override
    public void shutdown() {
        int count = shutdowns.incrementAndGet();
        pool.closeIdle(0, TimeUnit.MILLISECONDS);
        Thread thread = Thread.currentThread();
        LeasedHttpConnection mine = held.get(thread);
        PooledHttpConnection connection = mine == null ? null : mine.connection();
        if (connection != null && mine.lease() != null) {
            mine.closeWithoutWaiting();
            mine.setShutdowns(count);
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
     * The parameters, which may be changed at any time.
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
