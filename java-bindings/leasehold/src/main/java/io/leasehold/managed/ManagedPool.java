package io.leasehold.managed;

import io.leasehold.ConnectionPool;
import io.leasehold.Counters;
import io.leasehold.Disposer;
import io.leasehold.LeakListener;
import io.leasehold.Metrics;
import io.leasehold.Stats;
import io.leasehold.TcpKeepAlive;
import io.leasehold.Watching;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * What a manager of somebody else's connections is made of: the pool, with the connections that the manager holds for it, and the calls
 * by which managers of all generations do the same. Whatever a generation does in its own way it does with the {@link #pool}.
 *
 * <p>Safe for use by several threads.
 *
 * @param <R> the type of the routes
 * @param <T> the type of the connections
 */
public final class ManagedPool<R, T> {
    private final ConnectionPool<R, WeakConnection<T>> pool;
    private final ManagedConnections<T> connections = new ManagedConnections<>();

    /**
     * Makes the pool.
     *
     * @param builder describes it, begun by {@link #builder}
     */
    public ManagedPool(ConnectionPool.Builder<R, WeakConnection<T>> builder) {
        pool = builder.build();
    }

    /**
     * Starts to describe a manager's pool. It watches sockets but probes none: managers ask connections where their client's own does.
     * How long openings take it learns by {@link #connected} alone.
     *
     * @param manager the simple name of the manager's class, after which the pool is named
     * @param disposer closes connections; must refer to neither the manager nor its pool
     * @param leaks is told of leases that were lost to the collector, with null for a connection that is gone; must not either
     * @param <R> the type of the routes
     * @param <T> the type of the connections
     * @return a builder with no limits
     */
    public static <R, T> ConnectionPool.Builder<R, WeakConnection<T>> builder(
            String manager, Disposer<? super T> disposer, LeakListener<? super R, ? super T> leaks) {
        return ConnectionPool.<R, WeakConnection<T>>builder(WeakConnection.disposer(disposer))
                .ownedBy(manager)
                .connectsLater()
                .watching(Watching.WATCH)
                .leakListener(WeakConnection.<R, T>leakListener(leaks));
    }

    /**
     * The pool itself.
     *
     * @return the pool
     */
    public ConnectionPool<R, WeakConnection<T>> pool() {
        return pool;
    }

    /**
     * The manager's connections, to which each of them may refer.
     *
     * @return the connections
     */
    public ManagedConnections<T> connections() {
        return connections;
    }

    /**
     * Closes idle connections that a predicate finds unfit, as {@link ConnectionPool#closeIdleIf} does.
     *
     * @param unfit whether a connection is to be closed, outside every lock
     */
    public void closeIdleIf(Predicate<? super T> unfit) {
        pool.closeIdleIf((route, cell) -> {
            T connection = cell.get();
            return connection != null && unfit.test(connection);
        });
    }

    /**
     * Shows every leased connection, as {@link ConnectionPool#forEachLeased} does.
     *
     * @param action is called outside every lock
     */
    public void forEachLeased(Consumer<? super T> action) {
        pool.forEachLeased((route, cell) -> {
            T connection = cell.get();
            if (connection != null) {
                action.accept(connection);
            }
        });
    }

    /**
     * Gives a route a limit of its own, or takes it away, in HttpClient's way.
     *
     * @param route the route
     * @param max the limit; zero lets every request wait, less makes the default hold again
     */
    public void setMaxPerRoute(R route, int max) {
        if (max < 0) {
            pool.removeMaxPerRoute(route);
        } else {
            pool.setMaxPerRoute(route, max);
        }
    }

    /**
     * The routes that have connections or waiting requests. Takes time in proportion to all routes.
     *
     * @return a copy
     */
    public Set<R> busyRoutes() {
        Set<R> routes = pool.routes();
        routes.removeIf(route -> {
            Stats stats = pool.stats(route);
            return stats.leased() + stats.pending() + stats.available() == 0;
        });
        return routes;
    }

    /**
     * As {@link io.leasehold.LeaseholdManager#getName}.
     *
     * @return the name
     */
    public String getName() {
        return pool.name();
    }

    /**
     * As {@link io.leasehold.LeaseholdManager#setName}.
     *
     * @param name the name
     * @throws IllegalArgumentException if {@code name} is null or empty
     */
    public void setName(String name) {
        pool.setName(name);
    }

    /**
     * As {@link io.leasehold.LeaseholdManager#setWatching}.
     *
     * @param watching how it is learned that peers have closed connections
     * @throws IllegalArgumentException if {@code watching} is null
     */
    public void setWatching(Watching watching) {
        connections.sockets().setWatching(watching);
    }

    /**
     * As {@link io.leasehold.LeaseholdManager#setTcpKeepAlive}.
     *
     * @param idle seconds
     * @param interval seconds
     * @param probes how many
     * @throws IllegalArgumentException if one of them is out of its range
     */
    public void setTcpKeepAlive(int idle, int interval, int probes) {
        connections.sockets().setTcpKeepAlive(TcpKeepAlive.of(idle, interval, probes));
    }

    /** As {@link io.leasehold.LeaseholdManager#disableTcpKeepAlive}. */
    public void disableTcpKeepAlive() {
        connections.sockets().setTcpKeepAlive(null);
    }

    /**
     * As {@link io.leasehold.LeaseholdManager#getCounters}.
     *
     * @return the numbers now
     */
    public Counters getCounters() {
        return pool.counters();
    }

    /**
     * As {@link io.leasehold.LeaseholdManager#getMetrics}.
     *
     * @return the numbers now
     */
    public Metrics getMetrics() {
        return pool.metrics();
    }

    /**
     * When connecting begins, for {@link #connected}.
     *
     * @return a moment by the pool's clock
     */
    public long connecting() {
        return pool.nanoTime();
    }

    /**
     * A connection was connected: how long that took is in {@link Metrics#opening()}. Never throws.
     *
     * @param began when that began, as {@link #connecting} told
     */
    public void connected(long began) {
        pool.recordOpening(pool.nanoTime() - began);
    }

    /**
     * As {@link io.leasehold.LeaseholdManager#measureHeld}.
     *
     * @param wanted whether it is to be measured
     */
    public void measureHeld(boolean wanted) {
        pool.measureHeld(wanted);
    }
}
