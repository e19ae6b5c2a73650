package io.leasehold.internal;

import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A pool's limits. They are kept here as well as in the engine, as there may be no engine yet and routes come and go. Whoever
 * applies one to the engine looks again afterwards, so the last one written is the last one applied.
 */
public final class Limits {
    private final PoolState state;
    private final ConcurrentHashMap<Object, Integer> own = new ConcurrentHashMap<>();
    private volatile int total;
    private volatile int ofRoutes;

    Limits(PoolState state, int total, int ofRoutes) {
        this.state = state;
        this.total = total;
        this.ofRoutes = ofRoutes;
    }

    /**
     * The limit in total.
     *
     * @return the limit
     */
    public int total() {
        return total;
    }

    /**
     * The limit of routes that have none of their own.
     *
     * @return the limit
     */
    public int ofRoutes() {
        return ofRoutes;
    }

    /**
     * A route's limit.
     *
     * @param route the route
     * @return its own, or that of all
     */
    public int of(Object route) {
        Integer its = own.get(route);
        return its == null ? ofRoutes : its;
    }

    /**
     * Changes the limit in total.
     *
     * @param max the limit
     * @param pool the engine's pool, or null if there is none yet
     */
    public void setTotal(int max, NativePool pool) {
        total = max;
        applyTotal(pool);
    }

    /**
     * Changes the limit of routes that have none of their own.
     *
     * @param max the limit
     * @param pool the engine's pool, or null if there is none yet
     */
    public void setOfRoutes(int max, NativePool pool) {
        ofRoutes = max;
        applyOfRoutes(pool);
    }

    /**
     * Changes a route's own limit.
     *
     * @param route the route
     * @param max the limit, or null for none of its own
     * @param pool the engine's pool, or null if there is none yet
     */
    public void setOf(Object route, Integer max, NativePool pool) {
        if (max == null) {
            own.remove(route);
        } else {
            own.put(route, max);
        }
        RouteRef ref = state.route(route);
        if (pool != null && ref != null) {
            applyOf(ref, pool);
        }
    }

    /**
     * Tells a new pool of limits that were changed while it was made.
     *
     * @param pool the pool
     */
    public void mayHaveChanged(NativePool pool) {
        applyTotal(pool);
        applyOfRoutes(pool);
    }

    /** Tells of the limit of a new route before it is published: whoever finds it may lease at once, and not more than that. */
    Integer tellBefore(RouteRef route, NativePool pool) {
        Integer told = own.get(route.route);
        if (told != null) {
            pool.upkeep.setMaxPerRoute(route, told);
        }
        return told;
    }

    /** Another thread was faster. The engine would keep a route with a limit of its own for ever. */
    void notPublished(RouteRef route, Integer told, NativePool pool) {
        if (told != null) {
            pool.upkeep.setMaxPerRoute(route, null);
        }
    }

    /** A route was published. Who sets its limit looks for the route afterwards: one sees the other. */
    void published(RouteRef route, Integer told, NativePool pool) {
        if (!Objects.equals(told, own.get(route.route))) {
            applyOf(route, pool);
        }
    }

    private void applyTotal(NativePool pool) {
        int applied;
        do {
            applied = total;
            if (pool != null) {
                pool.upkeep.setMaxTotal(applied);
            }
        } while (applied != total);
    }

    private void applyOfRoutes(NativePool pool) {
        int applied;
        do {
            applied = ofRoutes;
            if (pool != null) {
                pool.upkeep.setDefaultMaxPerRoute(applied);
            }
        } while (applied != ofRoutes);
    }

    private void applyOf(RouteRef route, NativePool pool) {
        Integer applied;
        do {
            applied = own.get(route.route);
            pool.upkeep.setMaxPerRoute(route, applied);
        } while (!Objects.equals(applied, own.get(route.route)));
    }
}
