package io.leasehold.httpclient4;

import io.leasehold.ConnectionPool;
import io.leasehold.Counters;
import io.leasehold.Leasehold;
import io.leasehold.LeaseholdManager;
import io.leasehold.LeaseholdUnavailableException;
import io.leasehold.Metrics;
import io.leasehold.ShutdownMode;
import io.leasehold.Stats;
import io.leasehold.Watching;
import io.leasehold.managed.ManagedPool;
import io.leasehold.managed.WeakConnection;
import io.leasehold.managed.WeakInterner;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.commons.logging.Log;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.config.ConnectionConfig;
import org.apache.http.config.Registry;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.config.SocketConfig;
import org.apache.http.conn.ConnectionPoolTimeoutException;
import org.apache.http.conn.ConnectionRequest;
import org.apache.http.conn.DnsResolver;
import org.apache.http.conn.HttpClientConnectionOperator;
import org.apache.http.conn.HttpConnectionFactory;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.SchemePortResolver;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.apache.http.impl.conn.ConnectionShutdownException;
import org.apache.http.impl.conn.DefaultHttpClientConnectionOperator;
import org.apache.http.impl.conn.ManagedHttpClientConnectionFactory;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.pool.PoolEntryCallback;
import org.apache.http.pool.PoolStats;
import org.apache.http.protocol.HttpContext;
import org.apache.http.util.Args;

/**
 * {@link PoolingHttpClientConnectionManager} on a Leasehold pool: a manager for any number of threads and routes, with limits of 2
 * connections per route and 20 in total unless set otherwise. It extends that class so that code typed to it goes on working; nothing of
 * that class is left running.
 *
 * <p>It behaves as the class it extends, message texts and debug lines included, in the wording of 4.5.14, and logs under that
 * class's name. What differs, and why, is listed in the project's {@code docs/compatibility.md}; above all:
 * <ul>
 * <li>Whether a connection is still alive is asked of the operating system, in half a microsecond instead of a millisecond, and so at
 *     every lease; a stale one is replaced in its place, without waiting again.
 * <li>Waiting requests are served in order of arrival, also when a limit is raised. An interrupt, a timeout or a cancellation never loses
 *     a place.
 * <li>No lock is held while a connection is opened or closed.
 * <li>A connection lost to the garbage collector is closed, and its place given back.
 * <li>A manager that nobody refers to is collected with its idle connections; a request under way is not disturbed.
 * </ul>
 *
 * <p>Once a manager is set, {@code HttpClientBuilder} ignores what it was told itself about connections. Tell the manager instead:
 *
 * <table>
 * <caption>What takes the place of the builder's options</caption>
 * <tr><th>HttpClientBuilder</th><th>this class</th></tr>
 * <tr><td>{@code setMaxConnTotal}</td><td>{@link #setMaxTotal}</td></tr>
 * <tr><td>{@code setMaxConnPerRoute}</td><td>{@link #setDefaultMaxPerRoute}, {@link #setMaxPerRoute}</td></tr>
 * <tr><td>{@code setSSLContext}, {@code setSSLHostnameVerifier}, {@code setSSLSocketFactory}</td>
 *     <td>a registry with a {@code SSLConnectionSocketFactory} made with them, given to the constructor</td></tr>
 * <tr><td>{@code setDnsResolver}</td><td>given to the constructor</td></tr>
 * <tr><td>{@code setConnectionTimeToLive}</td><td>given to the constructor</td></tr>
 * <tr><td>{@code setDefaultSocketConfig}</td><td>{@link #setDefaultSocketConfig}, {@link #setSocketConfig}</td></tr>
 * <tr><td>{@code setDefaultConnectionConfig}</td><td>{@link #setDefaultConnectionConfig}, {@link #setConnectionConfig}</td></tr>
 * <tr><td>{@code useSystemProperties} ({@code http.maxConnections}, {@code javax.net.ssl.*}, {@code https.protocols})</td>
 *     <td>the options above; {@code SSLConnectionSocketFactory.getSystemSocketFactory()} for TLS</td></tr>
 * </table>
 *
 * <p>In Spring Boot 2.7 this bean takes the place of Boot's own and is configured as that is; {@code httpClient} is a bean too, made with
 * such a manager:
 *
 * <!-- from examples/spring-resttemplate/src/main/java/example/Http.java -->
 * <pre>
 * &#064;Bean
 * RestTemplateBuilder restTemplateBuilder(RestTemplateBuilderConfigurer configurer, CloseableHttpClient httpClient) {
 *     return configurer.configure(new RestTemplateBuilder())
 *             .requestFactory(() -&gt; new HttpComponentsClientHttpRequestFactory(httpClient));
 * }
 * </pre>
 *
 * <p><b>Memory effects</b>: what a thread did before it released a connection happens before what follows, in another thread, a {@link
 * ConnectionRequest#get} that got that connection or the place of it. What it did before it raised a limit, shut the manager down or
 * cancelled a request happens before what follows an answer that came of it; what it did before it set a configuration, before what follows
 * the getter that returns it, and before a connection is made or opened by it. To pass a leased connection to another thread takes what
 * passing any object takes. Statistics order nothing, and enumerations may see some of what holders do meanwhile.
 *
 * <p>All methods may be called by any thread at any time; only {@link ConnectionRequest#get} waits for connections. A lease and a
 * release that meet an idle connection take constant time and one short lock among several; with a state, time in proportion to the states
 * in use, which are compared by {@code equals} alone.
 */
public class LeaseholdHttpClientConnectionManager extends PoolingHttpClientConnectionManager implements LeaseholdManager {
    // HttpClient's own.
    private static final int MAX_TOTAL = 20;
    private static final int MAX_PER_ROUTE = 2;

    private final HttpClientConnectionOperator operator;
    private final ManagedPool<HttpRoute, PooledConnection> managed;
    private final ConnectionPool<HttpRoute, WeakConnection<PooledConnection>> pool;
    private final Loggers loggers = new Loggers();
    private final Log log = loggers.manager;
    private final WeakInterner<Object> states = new WeakInterner<>();
    private final Configs<SocketConfig> socketConfigs = new Configs<>("SocketConfig", SocketConfig.DEFAULT);
    private final Configs<ConnectionConfig> connectionConfigs = new Configs<>("ConnectionConfig", ConnectionConfig.DEFAULT);
    private final Leasing leasing;
    private final AtomicBoolean isShutDown = new AtomicBoolean();

    /** Creates a manager for http and https with the JDK's sockets and TLS, without a time to live. */
    public LeaseholdHttpClientConnectionManager() {
        this(defaultRegistry());
    }

    /**
     * Creates a manager for http and https with the JDK's sockets and TLS.
     *
     * @param timeToLive how long a connection may live, counted from its opening; zero or negative is without end
     * @param timeUnit the unit of {@code timeToLive}
     */
    public LeaseholdHttpClientConnectionManager(long timeToLive, TimeUnit timeUnit) {
        this(defaultRegistry(), null, null, null, timeToLive, timeUnit);
    }

    /**
     * Creates a manager without a time to live.
     *
     * @param socketFactoryRegistry makes sockets, by scheme
     */
    public LeaseholdHttpClientConnectionManager(Registry<ConnectionSocketFactory> socketFactoryRegistry) {
        this(socketFactoryRegistry, null, null);
    }

    /**
     * Creates a manager without a time to live.
     *
     * @param socketFactoryRegistry makes sockets, by scheme
     * @param dnsResolver finds addresses; null for the system's
     */
    public LeaseholdHttpClientConnectionManager(
            Registry<ConnectionSocketFactory> socketFactoryRegistry, DnsResolver dnsResolver) {
        this(socketFactoryRegistry, null, dnsResolver);
    }

    /**
     * Creates a manager without a time to live.
     *
     * @param socketFactoryRegistry makes sockets, by scheme
     * @param connFactory makes connections, not opened yet; null for HttpClient's own
     */
    public LeaseholdHttpClientConnectionManager(
            Registry<ConnectionSocketFactory> socketFactoryRegistry,
            HttpConnectionFactory<HttpRoute, ManagedHttpClientConnection> connFactory) {
        this(socketFactoryRegistry, connFactory, null);
    }

    /**
     * Creates a manager for http and https with the JDK's sockets and TLS, without a time to live.
     *
     * @param connFactory makes connections, not opened yet; null for HttpClient's own
     */
    public LeaseholdHttpClientConnectionManager(
            HttpConnectionFactory<HttpRoute, ManagedHttpClientConnection> connFactory) {
        this(defaultRegistry(), connFactory, null);
    }

    /**
     * Creates a manager without a time to live.
     *
     * @param socketFactoryRegistry makes sockets, by scheme
     * @param connFactory makes connections, not opened yet; null for HttpClient's own
     * @param dnsResolver finds addresses; null for the system's
     */
    public LeaseholdHttpClientConnectionManager(
            Registry<ConnectionSocketFactory> socketFactoryRegistry,
            HttpConnectionFactory<HttpRoute, ManagedHttpClientConnection> connFactory,
            DnsResolver dnsResolver) {
        this(socketFactoryRegistry, connFactory, null, dnsResolver, -1, TimeUnit.MILLISECONDS);
    }

    /**
     * Creates a manager.
     *
     * @param socketFactoryRegistry makes sockets, by scheme
     * @param connFactory makes connections, not opened yet; null for HttpClient's own
     * @param schemePortResolver knows the schemes' ports; null for HttpClient's own
     * @param dnsResolver finds addresses; null for the system's
     * @param timeToLive how long a connection may live, counted from its opening; zero or negative is without end
     * @param timeUnit the unit of {@code timeToLive}
     */
    public LeaseholdHttpClientConnectionManager(
            Registry<ConnectionSocketFactory> socketFactoryRegistry,
            HttpConnectionFactory<HttpRoute, ManagedHttpClientConnection> connFactory,
            SchemePortResolver schemePortResolver,
            DnsResolver dnsResolver,
            long timeToLive,
            TimeUnit timeUnit) {
        this(new DefaultHttpClientConnectionOperator(socketFactoryRegistry, schemePortResolver, dnsResolver),
                connFactory, timeToLive, timeUnit);
    }

    /**
     * Creates a manager.
     *
     * @param httpClientConnectionOperator opens connections and layers TLS over them
     * @param connFactory makes connections, not opened yet; null for HttpClient's own
     * @param timeToLive how long a connection may live, counted from its opening; zero or negative is without end
     * @param timeUnit the unit of {@code timeToLive}
     * @throws IllegalArgumentException if {@code httpClientConnectionOperator} or {@code timeUnit} is null
     * @throws LeaseholdUnavailableException if the native library could not be loaded; its message says what to do
     */
    public LeaseholdHttpClientConnectionManager(
            HttpClientConnectionOperator httpClientConnectionOperator,
            HttpConnectionFactory<HttpRoute, ManagedHttpClientConnection> connFactory,
            long timeToLive,
            TimeUnit timeUnit) {
        super(httpClientConnectionOperator, connFactory, timeToLive, timeUnit);
        Args.notNull(timeUnit, "Time unit");
        Leasehold.requireAvailable();
        operator = httpClientConnectionOperator;
        ConnectionPool.Builder<HttpRoute, WeakConnection<PooledConnection>> builder =
                ManagedPool.builder(LeaseholdHttpClientConnectionManager.class.getSimpleName(),
                                PooledConnection.DISPOSER, PooledConnection.leakListener(log))
                        .maxTotal(MAX_TOTAL)
                        .maxPerRoute(MAX_PER_ROUTE);
        if (timeToLive > 0) {
            builder.timeToLive(timeToLive, timeUnit);
        }
        managed = new ManagedPool<>(builder);
        pool = managed.pool();
        leasing = new Leasing(managed, loggers, connFactory != null ? connFactory : ManagedHttpClientConnectionFactory.INSTANCE,
                timeUnit.toMillis(timeToLive), connectionConfigs, socketConfigs);
    }

    /**
     * Asks for a connection, not open yet or idle until now. Nothing is taken before {@link ConnectionRequest#get}, which waits
     * for as long as its timeout says, without end for zero and less, and may be called again after a timeout or an interrupt. It throws
     * <ul>
     * <li>{@link ConnectionPoolTimeoutException} if there was no connection in time;
     * <li>{@link ExecutionException} with a {@link CancellationException} if the request was cancelled, or the manager shut
     *     down while it waited;
     * <li>{@link InterruptedException} if the thread was interrupted and had to wait.
     * </ul>
     *
     * @param route where to
     * @param state for whom; null is for nobody
     * @return the request
     * @throws IllegalArgumentException if {@code route} is null
     * @throws IllegalStateException if the manager was shut down
     */
    @Override
    public ConnectionRequest requestConnection(HttpRoute route, Object state) {
        Args.notNull(route, "HTTP route");
        if (log.isDebugEnabled()) {
            log.debug("Connection request: [route: " + route + "]" + (state == null ? "" : "[state: " + state + "]") + leasing.numbers(route));
        }
        if (pool.isShutDown()) {
            throw CancellableRequest.shutDownBefore();
        }
        return new CancellableRequest(pool, leasing, route, states.hold(state));
    }

    /**
     * For HttpClient's own use, which is never made of this class.
     *
     * @param future ignored: only the pool of the class that this one extends makes such futures, and it serves nobody here
     * @param timeout ignored
     * @param timeUnit ignored
     * @return never
     * @throws UnsupportedOperationException always
     * @throws InterruptedException never; as in the class that this one extends, as are the next two
     * @throws ExecutionException never
     * @throws ConnectionPoolTimeoutException never
     */
    @Override
    @SuppressWarnings("rawtypes") // The future's type cannot be named outside HttpClient.
    protected HttpClientConnection leaseConnection(Future future, long timeout, TimeUnit timeUnit)
            throws InterruptedException, ExecutionException, ConnectionPoolTimeoutException {
        throw new UnsupportedOperationException("no future leads to a connection here: say requestConnection(route, state).get(...)");
    }

    /**
     * Ends the lease of a connection. It is kept for reuse if it is open and its route was completed, and closed otherwise.
     * Released before, nothing happens. A connection that another manager leased goes back to that manager.
     *
     * @param managedConn the connection
     * @param state to whom it is bound from now on; null is to nobody
     * @param keepalive for how long it may be kept, zero and less without end; with {@code timeUnit}
     * @param timeUnit the unit of {@code keepalive}; null is milliseconds
     * @throws IllegalArgumentException if {@code managedConn} is null
     * @throws IllegalStateException if {@code managedConn} was not leased from a manager of this class
     */
    @Override
    public void releaseConnection(HttpClientConnection managedConn, Object state, long keepalive, TimeUnit timeUnit) {
        Args.notNull(managedConn, "Managed connection");
        LeasedConnection leased = LeasedConnection.of(managedConn);
        boolean debug = log.isDebugEnabled();
        PooledConnection connection = leased.detach();
        if (connection == null) {
            return;
        }
        // Whether it is known whose it is from now on; until then it may be kept for nobody.
        boolean isBound = false;
        try {
            if (connection.isOpen()) {
                TimeUnit unit = timeUnit != null ? timeUnit : TimeUnit.MILLISECONDS;
                long millis = unit.toMillis(keepalive);
                // As the pool has it: what is shorter than a millisecond is one, and not without end.
                connection.keep(state, states.hold(state), keepalive > 0 ? Math.max(1, millis) : 0);
                isBound = true;
                leased.lease().updateExpiry(keepalive > 0 ? keepalive : Long.MAX_VALUE, unit);
                if (debug) {
                    log.debug("Connection " + connection + " can be kept alive "
                            + (keepalive > 0 ? "for " + (double) millis / 1000 + " seconds" : "indefinitely"));
                }
                connection.setSocketTimeout(0);
            }
        } finally {
            boolean isEnded = false;
            try {
                if (isBound && connection.isReusable()) {
                    leased.lease().tryRelease(connection.key());
                } else {
                    leased.lease().tryDiscard();
                }
                isEnded = true;
            } finally {
                if (!isEnded) {
                    // For want of stack, say. Then it is as if nobody had detached it, which takes no call to bring about: it can be
                    // released again, or the collector ends the lease.
                    leased.pooled = connection;
                    leased.detached = 0;
                }
            }
            if (debug) {
                log.debug("Connection released: " + connection + leasing.numbers(connection.route()));
            }
        }
    }

    /**
     * Connects a leased connection to the route's proxy, or else its target. How long that takes, if it comes to something, is in {@link
     * Metrics#opening()}.
     *
     * @param managedConn the connection
     * @param route where to
     * @param connectTimeout how many milliseconds to try at most; zero is without end
     * @param context of the request
     * @throws IOException if it failed
     * @throws IllegalArgumentException if {@code managedConn} or {@code route} is null
     * @throws IllegalStateException if {@code managedConn} was not leased from a manager of this class
     * @throws ConnectionShutdownException if it was released
     */
    @Override
    public void connect(HttpClientConnection managedConn, HttpRoute route, int connectTimeout, HttpContext context) throws IOException {
        LeasedConnection leased = leased(managedConn, route);
        PooledConnection connection = leased.pooled();
        long began = managed.connecting();
        operator.connect(connection.connection(), Configs.firstHop(route), route.getLocalSocketAddress(), connectTimeout,
                socketConfigs.ofFirstHop(route), context);
        connection.connected(route, leased.lease());
        managed.connected(began);
    }

    /**
     * Layers the protocol of the route's target, TLS, over a connection that was connected through a tunnel.
     *
     * @param managedConn the connection
     * @param route where to
     * @param context of the request
     * @throws IOException if it failed
     * @throws IllegalArgumentException if {@code managedConn} or {@code route} is null
     * @throws IllegalStateException if {@code managedConn} was not leased from a manager of this class
     * @throws ConnectionShutdownException if it was released
     */
    @Override
    public void upgrade(HttpClientConnection managedConn, HttpRoute route, HttpContext context) throws IOException {
        LeasedConnection leased = leased(managedConn, route);
        PooledConnection connection = leased.pooled();
        operator.upgrade(connection.connection(), route.getTargetHost(), context);
        connection.connected(route, leased.lease());
    }

    /**
     * Says that a connection reaches the route's target, through all proxies and layers: from now on it may be kept.
     *
     * @param managedConn the connection
     * @param route where to
     * @param context of the request
     * @throws IOException never
     * @throws IllegalArgumentException if {@code managedConn} or {@code route} is null
     * @throws IllegalStateException if {@code managedConn} was not leased from a manager of this class
     * @throws ConnectionShutdownException if it was released
     */
    @Override
    public void routeComplete(HttpClientConnection managedConn, HttpRoute route, HttpContext context) throws IOException {
        leased(managedConn, route).pooled().completeRoute();
    }

    private static LeasedConnection leased(HttpClientConnection managedConn, HttpRoute route) {
        Args.notNull(managedConn, "Managed Connection");
        Args.notNull(route, "HTTP route");
        return LeasedConnection.of(managedConn);
    }

    /**
     * Closes all connections, leased ones with a reset, and ends all waiting with an {@link ExecutionException}. The manager gives
     * no more connections; leased ones may still be released. Those whose close may wait for the peer, as TLS does, are closed on another
     * thread, perhaps a moment after this has returned. Calling it again does nothing.
     */
    @Override
    public void shutdown() {
        if (!isShutDown.compareAndSet(false, true)) {
            return;
        }
        log.debug("Connection manager is shutting down");
        // First, so that no lease begins after the leased ones were reset.
        pool.shutdown(ShutdownMode.GRACEFUL);
        managed.forEachLeased(connection -> {
            try {
                connection.shutDownWithoutDelay();
            } catch (IOException e) {
                log.debug("I/O exception shutting down connection", e);
            }
        });
        pool.shutdown(ShutdownMode.IMMEDIATE);
        log.debug("Connection manager shut down");
    }

    /** As {@link #shutdown}. */
    @Override
    public void close() {
        shutdown();
    }

    /**
     * Does nothing, and so is not even queued by the collector: what a manager leaves behind is put in order without it.
     *
     * @throws Throwable never; as in the class it extends, so that subclasses which say so compile
     * @deprecated as in the class it extends: finalizers are
     */
    @Override
    @Deprecated
    protected void finalize() throws Throwable {}

    /**
     * Closes the connections that have been idle for a time or longer. Takes time in proportion to what it closes.
     *
     * @param idleTimeout how long; zero and less is all
     * @param timeUnit the unit of {@code idleTimeout}
     * @throws IllegalArgumentException if {@code timeUnit} is null
     */
    @Override
    public void closeIdleConnections(long idleTimeout, TimeUnit timeUnit) {
        if (log.isDebugEnabled()) {
            log.debug("Closing connections idle longer than " + idleTimeout + " " + timeUnit);
        }
        pool.closeIdle(Math.max(0, idleTimeout), Args.notNull(timeUnit, "Time unit"));
    }

    /** Closes the idle connections whose keep-alive or time to live is over. Takes time in proportion to what it closes. */
    @Override
    public void closeExpiredConnections() {
        log.debug("Closing expired connections");
        pool.closeExpired();
    }

    /**
     * Shows every idle connection. One that the callback closes is closed when no other thread uses it, as one may that has leased it
     * meanwhile. Takes time in proportion to all connections.
     *
     * @param callback is called outside every lock, on this thread; it must not use the connections
     * @throws IllegalArgumentException if {@code callback} is null
     */
    protected void enumAvailable(PoolEntryCallback<HttpRoute, ManagedHttpClientConnection> callback) {
        Args.notNull(callback, "Callback");
        managed.closeIdleIf(connection -> {
            EnumeratedEntry entry = EnumeratedEntry.idle(connection);
            callback.process(entry);
            return entry.isClosed();
        });
    }

    /**
     * Shows every leased connection. Takes time in proportion to all connections.
     *
     * @param callback is called outside every lock, on this thread; what it closes is closed under its user
     * @throws IllegalArgumentException if {@code callback} is null
     */
    protected void enumLeased(PoolEntryCallback<HttpRoute, ManagedHttpClientConnection> callback) {
        Args.notNull(callback, "Callback");
        managed.forEachLeased(connection -> callback.process(EnumeratedEntry.leased(connection)));
    }

    /**
     * The limit in total.
     *
     * @return the limit
     */
    @Override
    public int getMaxTotal() {
        return pool.getMaxTotal();
    }

    /**
     * Changes the limit in total, at once: raised, it lets waiting requests go on; lowered, it closes surplus idle connections, and leased
     * ones when they are released.
     *
     * @param max the limit, at least 1
     * @throws IllegalArgumentException if it is less
     */
    @Override
    public void setMaxTotal(int max) {
        pool.setMaxTotal(Args.positive(max, "Max value"));
    }

    /**
     * The limit of every route that has none of its own.
     *
     * @return the limit
     */
    @Override
    public int getDefaultMaxPerRoute() {
        return pool.getDefaultMaxPerRoute();
    }

    /**
     * Changes the limit of every route that has none of its own, as {@link #setMaxTotal} does.
     *
     * @param max the limit, at least 1
     * @throws IllegalArgumentException if it is less
     */
    @Override
    public void setDefaultMaxPerRoute(int max) {
        pool.setDefaultMaxPerRoute(Args.positive(max, "Max per route value"));
    }

    /**
     * The limit that holds for a route.
     *
     * @param route the route
     * @return its own limit, or the default
     * @throws IllegalArgumentException if {@code route} is null
     */
    @Override
    public int getMaxPerRoute(HttpRoute route) {
        return pool.getMaxPerRoute(Args.notNull(route, "Route"));
    }

    /**
     * Gives a route a limit of its own, or takes it away. Takes effect as {@link #setMaxTotal} does.
     *
     * @param route the route
     * @param max the limit; zero lets every request wait, less makes the default hold again
     * @throws IllegalArgumentException if {@code route} is null
     */
    @Override
    public void setMaxPerRoute(HttpRoute route, int max) {
        managed.setMaxPerRoute(Args.notNull(route, "Route"), max);
    }

    /**
     * The numbers of the whole manager, read without a lock.
     *
     * @return the numbers now
     */
    @Override
    public PoolStats getTotalStats() {
        return stats(pool.stats());
    }

    /**
     * The numbers of one route, read without a lock.
     *
     * @param route the route
     * @return the numbers now
     * @throws IllegalArgumentException if {@code route} is null
     */
    @Override
    public PoolStats getStats(HttpRoute route) {
        return stats(pool.stats(Args.notNull(route, "Route")));
    }

    private static PoolStats stats(Stats stats) {
        return new PoolStats(stats.leased(), stats.pending(), stats.available(), stats.max());
    }

    /**
     * The routes that have connections or waiting requests. Takes time in proportion to all routes.
     *
     * @return a copy
     */
    @Override
    public Set<HttpRoute> getRoutes() {
        return managed.busyRoutes();
    }

    /**
     * The socket configuration of hosts that have none of their own.
     *
     * @return the configuration, or null if none was set
     */
    @Override
    public SocketConfig getDefaultSocketConfig() {
        return socketConfigs.byDefault();
    }

    /**
     * Sets the socket configuration of hosts that have none of their own.
     *
     * @param defaultSocketConfig the configuration; null for {@link SocketConfig#DEFAULT}
     */
    @Override
    public void setDefaultSocketConfig(SocketConfig defaultSocketConfig) {
        socketConfigs.setDefault(defaultSocketConfig);
    }

    /**
     * The configuration of connections to hosts that have none of their own.
     *
     * @return the configuration, or null if none was set
     */
    @Override
    public ConnectionConfig getDefaultConnectionConfig() {
        return connectionConfigs.byDefault();
    }

    /**
     * Sets the configuration of connections to hosts that have none of their own, for connections made from now on.
     *
     * @param defaultConnectionConfig the configuration; null for {@link ConnectionConfig#DEFAULT}
     */
    @Override
    public void setDefaultConnectionConfig(ConnectionConfig defaultConnectionConfig) {
        connectionConfigs.setDefault(defaultConnectionConfig);
    }

    /**
     * A host's own socket configuration.
     *
     * @param host the target or proxy
     * @return the configuration, or null if it has none of its own
     * @throws NullPointerException if {@code host} is null
     */
    @Override
    public SocketConfig getSocketConfig(HttpHost host) {
        return socketConfigs.of(host);
    }

    /**
     * Gives a host its own socket configuration.
     *
     * @param host the target or proxy that sockets are connected to
     * @param socketConfig the configuration
     * @throws NullPointerException if {@code host} or {@code socketConfig} is null
     */
    @Override
    public void setSocketConfig(HttpHost host, SocketConfig socketConfig) {
        socketConfigs.set(host, socketConfig);
    }

    /**
     * The configuration of connections to a host alone.
     *
     * @param host the target or proxy
     * @return the configuration, or null if it has none of its own
     * @throws NullPointerException if {@code host} is null
     */
    @Override
    public ConnectionConfig getConnectionConfig(HttpHost host) {
        return connectionConfigs.of(host);
    }

    /**
     * Gives a host its own configuration, for connections made from now on; a proxy's goes before its target's.
     *
     * @param host the target or proxy
     * @param connectionConfig the configuration
     * @throws NullPointerException if {@code host} or {@code connectionConfig} is null
     */
    @Override
    public void setConnectionConfig(HttpHost host, ConnectionConfig connectionConfig) {
        connectionConfigs.set(host, connectionConfig);
    }

    /**
     * After how much idle time connections are validated, as it was set.
     *
     * @return milliseconds, 2000 if nothing was set
     */
    @Override
    public int getValidateAfterInactivity() {
        return leasing.validateAfterInactivity();
    }

    /**
     * Sets after how much idle time connections are validated when they are leased. What the operating system can tell takes half a
     * microsecond, and is asked at every lease, whatever the period. What only a connection's own check can tell, which tries to read for
     * a millisecond, is asked after the period, as in HttpClient: where a socket's descriptor cannot be reached, where bytes wait on TLS,
     * where a connection factory's class has overridden {@code isStale}, and of every connection where {@link #setWatching} has the
     * operating system not asked, with {@link Watching#WATCH} and {@link Watching#OFF}.
     *
     * @param ms milliseconds; zero and less switches validation off. That does not stop the watch: an idle connection that its server
     *     closes is closed here all the same, as soon as the library's thread has its turn on a processor (see {@link Watching#WATCH}),
     *     unless {@link #setWatching} is told otherwise
     */
    @Override
    public void setValidateAfterInactivity(int ms) {
        leasing.setValidateAfterInactivity(ms);
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

    /**
     * Sets how it is learned that servers have closed connections. The sockets that are connected from then on are watched, with
     * {@link Watching#WATCH} and {@link Watching#BOTH}: an idle connection that its server closes is closed here at once. Where
     * validation is not switched off, it asks the operating system with {@link Watching#PROBE} and {@link Watching#BOTH}, at each lease;
     * otherwise it asks the connection's own check, after the time of {@link #setValidateAfterInactivity}, as in HttpClient.
     *
     * @param watching how; the default is {@link Watching#BOTH}, and {@link Watching#OFF} is as in HttpClient
     * @throws IllegalArgumentException if {@code watching} is null
     */
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

    private static Registry<ConnectionSocketFactory> defaultRegistry() {
        return RegistryBuilder.<ConnectionSocketFactory>create()
                .register("http", PlainConnectionSocketFactory.getSocketFactory())
                .register("https", SSLConnectionSocketFactory.getSocketFactory())
                .build();
    }
}
