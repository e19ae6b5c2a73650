package io.leasehold.httpclient5;

import io.leasehold.ConnectionPool;
import io.leasehold.Counters;
import io.leasehold.LeaseholdManager;
import io.leasehold.LeaseholdUnavailableException;
import io.leasehold.Metrics;
import io.leasehold.Watching;
import io.leasehold.managed.ManagedPool;
import java.util.concurrent.Future;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.core5.concurrent.CallbackContribution;
import org.apache.hc.core5.concurrent.ComplexFuture;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.concurrent.FutureContribution;
import org.apache.hc.core5.function.Resolver;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.reactor.ConnectionInitiator;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/**
 * {@link PoolingAsyncClientConnectionManager} of HttpClient 5.4 and later on a {@link LeaseholdConnPool}: a manager for asynchronous
 * clients, with limits of 5 connections per route and 25 in total unless set otherwise. What it does is the code of the class that it
 * extends, of the version that is there, its log lines included; only the pool below is another.
 *
 * <p>What differs is listed in the project's {@code docs/compatibility.md}; above all:
 * <ul>
 * <li>Whether a connection is still alive is asked of the reactor and of the operating system at every lease, unless
 *     {@link ConnectionConfig} switches validation off by a negative time: then of the reactor alone.
 * <li>The place of an idle connection that the reactor has closed, as it does when its server has, is free within a second, though nobody
 *     asks for it.
 * <li>A request that cannot be served fails at its deadline, though nothing else happens.
 * <li>An endpoint that is garbage collected without having been released gives its place back, and its connection is closed.
 * <li>No lock is held while a connection is closed, or while a callback is called.
 * <li>{@code closeExpired} looks at the time to live and at the idle timeout of {@link ConnectionConfig}, too.
 * </ul>
 *
 * <p><b>Memory effects</b>: those of {@link LeaseholdConnPool}, of which endpoints are leased and released; and what a thread did before it
 * set a configuration happens before a connection is opened or looked at by it.
 *
 * <p>{@code LeaseholdAsyncClientConnectionManagerBuilder} has the options of HttpClient's builder. All methods may be called by any thread
 * at any time; none waits.
 */
public class LeaseholdAsyncClientConnectionManager extends PoolingAsyncClientConnectionManager implements LeaseholdManager {
    private final ConnectionConfigs configs;
    private final LeaseholdConnPool<HttpRoute, ManagedAsyncClientConnection> pool;
    private final ManagersPool<ManagedAsyncClientConnection> asked;
    // Null if connections are not shared.
    private final SharingPool sharing;

    /**
     * Creates a manager for http and https with the JDK's TLS, as HttpClient's own is by default.
     *
     * @throws LeaseholdUnavailableException if the native library could not be loaded; its message says what to do
     */
    public LeaseholdAsyncClientConnectionManager() {
        this(new AsyncParts(null, null, null, false, null, false));
    }

    LeaseholdAsyncClientConnectionManager(AsyncParts parts) {
        super(parts.asked, parts.operator);
        configs = parts.configs;
        pool = parts.pool;
        asked = parts.asked;
        sharing = parts.sharing;
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
        setConnectionConfigResolver(route -> config);
    }

    /**
     * Sets the configuration of connections by route. What {@link ConnectionConfig#getValidateAfterInactivity} says counts for what only
     * an exchange with the server can tell; what the operating system can tell is asked at every lease, unless it is negative.
     *
     * @param resolver finds a route's configuration, or null for the default; null if no route has one
     */
    @Override
    public void setConnectionConfigResolver(Resolver<HttpRoute, ConnectionConfig> resolver) {
        configs.set(resolver);
        super.setConnectionConfigResolver(resolver);
    }

    /**
     * Asks for an endpoint, as HttpClient's manager does. If none can be made of what was leased, its place is free again when the request
     * fails with what was thrown.
     *
     * @param id names the exchange in log lines
     * @param route where to
     * @param state for whom; null is for nobody
     * @param requestTimeout how long the request may wait; zero and negative are without end
     * @param callback is told of the endpoint, or why there is none; may be null
     * @return the endpoint to be
     */
    @Override
    public Future<AsyncConnectionEndpoint> lease(String id, HttpRoute route, Object state, Timeout requestTimeout,
            FutureCallback<AsyncConnectionEndpoint> callback) {
        EndpointRequest request = new EndpointRequest(sharing == null ? pool : sharing, callback);
        return request.of(asked.asking(request, () -> super.lease(id, route, state, requestTimeout, request.told())));
    }

    /**
     * Opens an endpoint's connection, if it has none that is open, as HttpClient's manager does.
     *
     * @param endpoint the endpoint
     * @param initiator the reactor
     * @param timeout how long that may take; null for what is configured
     * @param attachment how TLS is to be configured, where it is not by the manager
     * @param context the exchange's
     * @param callback is told when it is open, or why it is not; may be null
     * @return the endpoint to be
     * @throws NullPointerException if {@code endpoint} or {@code initiator} is null
     * @throws IllegalStateException if the endpoint is not of HttpClient's manager
     */
    @Override
    public Future<AsyncConnectionEndpoint> connect(AsyncConnectionEndpoint endpoint, ConnectionInitiator initiator, Timeout timeout,
            Object attachment, HttpContext context, FutureCallback<AsyncConnectionEndpoint> callback) {
        if (initiator == null) {
            return super.connect(endpoint, null, timeout, attachment, context, callback);
        }
        // An endpoint that has none is refused by HttpClient's code.
        PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry = Endpoints.entryOf(endpoint);
        if (sharing == null) {
            return super.connect(endpoint, opening(initiator, entry), timeout, attachment, context, callback);
        }
        Opening opening = sharedOpening(initiator, entry);
        if (sharing.hasPlace(entry)) {
            return super.connect(endpoint, opening, timeout, attachment, context, callback);
        }
        ComplexFuture<AsyncConnectionEndpoint> connected = new ComplexFuture<>(callback);
        Future<?> place = sharing.requestPlace(entry, timeout != null ? timeout : configs.connectTimeout(entry.getRoute()),
                new FutureContribution<PoolEntry<HttpRoute, ManagedAsyncClientConnection>>(connected) {
                    @Override
                    public void completed(PoolEntry<HttpRoute, ManagedAsyncClientConnection> result) {
                        connected.setDependency(connectInPlace(endpoint, opening, timeout, attachment, context,
                                new FutureContribution<AsyncConnectionEndpoint>(connected) {
                                    @Override
                                    public void completed(AsyncConnectionEndpoint result) {
                                        connected.completed(result);
                                    }
                                }));
                    }
                });
        if (!place.isDone()) {
            connected.setDependency(place);
        }
        return connected;
    }

    private Future<AsyncConnectionEndpoint> connectInPlace(AsyncConnectionEndpoint endpoint, ConnectionInitiator initiator,
            Timeout timeout, Object attachment, HttpContext context, FutureCallback<AsyncConnectionEndpoint> callback) {
        return super.connect(endpoint, initiator, timeout, attachment, context, callback);
    }

    private Opening opening(ConnectionInitiator initiator, PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry) {
        return new Opening(initiator) {
            @Override
            ManagedAsyncClientConnection opened(ReactorConnection connection) {
                return connection;
            }

            @Override
            void told(ManagedAsyncClientConnection connection) {
                // From now on it is closed should the endpoint be lost.
                pool.opened(connection);
                if (!pool.has(entry, connection)) {
                    // The endpoint was released before it had this.
                    connection.close(CloseMode.IMMEDIATE);
                }
            }
        };
    }

    private Opening sharedOpening(ConnectionInitiator initiator, PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry) {
        return new Opening(initiator) {
            @Override
            ManagedAsyncClientConnection opened(ReactorConnection connection) {
                return sharing.opened(entry, connection);
            }

            @Override
            void told(ManagedAsyncClientConnection connection) {
                if (entry.getConnection() != connection) {
                    connection.close(CloseMode.IMMEDIATE);
                }
            }
        };
    }

    /**
     * Layers TLS over an endpoint's connection, as through a tunnel, as HttpClient's manager does.
     *
     * @param endpoint the endpoint
     * @param attachment how TLS is to be configured; null for what is configured
     * @param context the exchange's
     * @param callback is told when that is done, or why it could not be; may be null
     * @throws NullPointerException if {@code endpoint} is null
     * @throws IllegalStateException if the endpoint is not of HttpClient's manager, or has no connection
     */
    @Override
    public void upgrade(AsyncConnectionEndpoint endpoint, Object attachment, HttpContext context,
            FutureCallback<AsyncConnectionEndpoint> callback) {
        if (sharing == null) {
            super.upgrade(endpoint, attachment, context, callback);
            return;
        }
        super.upgrade(endpoint, attachment, context, new CallbackContribution<AsyncConnectionEndpoint>(callback) {
            @Override
            public void completed(AsyncConnectionEndpoint upgraded) {
                PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry = Endpoints.entryOf(endpoint);
                if (entry != null) {
                    sharing.upgraded(entry);
                }
                if (callback != null) {
                    callback.completed(upgraded);
                }
            }
        });
    }

    /**
     * Ends the lease of an endpoint, as HttpClient's manager does. If the manager was closed, a connection that was opened since is closed
     * in the same way. Unless an argument is refused, the lease has ended, whatever this throws.
     *
     * @param endpoint the endpoint
     * @param state to whom it is bound from now on; null is to nobody
     * @param keepAlive for how long it may be kept, zero and less without end
     * @throws NullPointerException if {@code endpoint} or {@code keepAlive} is null
     * @throws IllegalStateException if the endpoint is not of HttpClient's manager, or of another one
     */
    @Override
    public void release(AsyncConnectionEndpoint endpoint, Object state, TimeValue keepAlive) {
        PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry = keepAlive == null ? null : Endpoints.entryOf(endpoint);
        long use = pool.use(entry);
        try {
            if (pool.isShutdown() && entry != null && entry.hasConnection()) {
                endpoint.close(pool.closeMode());
            }
            super.release(endpoint, state, keepAlive);
        } catch (Throwable e) {
            if (sharing == null) {
                pool.giveBack(entry, use);
            } else {
                sharing.giveBack(entry);
            }
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

    /**
     * Sets whether the operating system is asked at each lease whether a connection was closed: so with {@link Watching#PROBE} and
     * {@link Watching#BOTH}. Nothing is watched here, as the reactor does that.
     *
     * @param watching how; the default is {@link Watching#BOTH}
     * @throws IllegalArgumentException if {@code watching} is null
     */
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
