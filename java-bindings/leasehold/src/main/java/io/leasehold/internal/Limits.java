package io.leasehold.internal;

import java.util.function.Supplier;

/**
 * A pool's limits. They are kept here as well as in the engine, as there may be no engine yet and routes come and go.
 *
 * <p>Each is written and told to the engine in one step, inside a monitor: this object's for those of the whole pool, a {@link RouteRef}'s
 * for its own. A new engine is published in one step with its limits, inside this object's. So the last one written is the one in force,
 * from the return of its setter on, whatever happens at the same time. In there nothing is called but the engine; what that decides is
 * carried out afterwards.
 */
public final class Limits {
    private final PoolState state;
    // Both written inside this object's monitor.
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
        RouteRef ref = state.route(route);
        Integer own = ref == null ? null : ref.ownLimit;
        return own == null ? ofRoutes : own;
    }

    /**
     * Changes the limit in total.
     *
     * @param max the limit
     * @param published the pool, null as long as there is none
     */
    public void setTotal(int max, Supplier<NativePool> published) {
        long[] effects = Effects.array();
        NativePool pool;
        synchronized (this) {
            pool = published.get();
            if (pool != null) {
                pool.setMaxTotal(pool.address, max, effects);
            }
            total = max;
        }
        if (pool != null) {
            pool.carryOutHere(effects);
        }
    }

    /**
     * Changes the limit of routes that have none of their own.
     *
     * @param max the limit
     * @param published the pool, null as long as there is none
     */
    public void setOfRoutes(int max, Supplier<NativePool> published) {
        long[] effects = Effects.array();
        NativePool pool;
        synchronized (this) {
            pool = published.get();
            if (pool != null) {
                pool.setDefaultMaxPerRoute(pool.address, max, effects);
            }
            ofRoutes = max;
        }
        if (pool != null) {
            pool.carryOutHere(effects);
        }
    }

    /**
     * Changes a route's own limit.
     *
     * @param route the route
     * @param max the limit, or null for none of its own
     * @param published the pool, null as long as there is none
     */
    public void setOf(Object route, Integer max, Supplier<NativePool> published) {
        for (;;) {
            RouteRef ref = max == null ? state.route(route) : state.routeFor(route);
            if (ref == null) {
                return;
            }
            long[] effects = Effects.array();
            NativePool pool = null;
            boolean isGone;
            synchronized (ref) {
                isGone = ref.isGone;
                if (!isGone) {
                    // The engine knows no route before its pool was published.
                    pool = ref.id == RouteRef.NONE ? null : published.get();
                    if (pool != null) {
                        pool.setMaxPerRoute(pool.address, ref.id, max == null ? -1 : max, effects);
                    }
                    ref.ownLimit = max;
                    ref.isGone = max == null && ref.id == RouteRef.NONE;
                }
            }
            if (pool != null) {
                pool.carryOutHere(effects);
            }
            state.removeIfGone(ref);
            if (!isGone) {
                return;
            }
        }
    }

    /**
     * Publishes a new pool, with its limits in force.
     *
     * @param made the pool, which nobody has used
     * @param publication publishes it
     */
    public synchronized void publish(NativePool made, Runnable publication) {
        // They may have changed since it was made. Nothing comes of it: it has no connections, and nobody waits.
        long[] none = Effects.array();
        made.setMaxTotal(made.address, total, none);
        made.setDefaultMaxPerRoute(made.address, ofRoutes, none);
        publication.run();
    }
}
