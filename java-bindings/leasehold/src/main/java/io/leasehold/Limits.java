package io.leasehold;

import io.leasehold.internal.natives.Effects;
import io.leasehold.internal.natives.Engine;
import java.util.function.Supplier;

/**
 * A pool's limits, whether it is suspended, and whether it measures how long connections are held. They are kept here as well as in the
 * engine, as there may be no engine yet and routes come and go.
 *
 * <p>Each is written and told to the engine in one step, inside a monitor: this object's for those of the whole pool, a {@link RouteRef}'s
 * for its own. A new engine is published in one step with its limits, inside this object's. So the last one written is the one in force,
 * from the return of its setter on, whatever happens at the same time. In there nothing is called but the engine; what that decides is
 * carried out afterwards.
 */
final class Limits {
    private final Routes routes;
    // ----- written inside this object's monitor -----
    private volatile int total;
    private volatile int ofRoutes;
    private boolean measuresHeld;
    private volatile boolean suspended;

    Limits(Routes routes, int total, int ofRoutes) {
        this.routes = routes;
        this.total = total;
        this.ofRoutes = ofRoutes;
    }

    /**
     * The limit in total.
     *
     * @return the limit
     */
    int total() {
        return total;
    }

    /**
     * The limit of routes that have none of their own.
     *
     * @return the limit
     */
    int ofRoutes() {
        return ofRoutes;
    }

    /**
     * A route's limit.
     *
     * @param route the route
     * @return its own, or that of all
     */
    int of(Object route) {
        RouteRef ref = routes.route(route);
        Integer own = ref == null ? null : ref.ownLimit;
        return own == null ? ofRoutes : own;
    }

    /**
     * Changes the limit in total.
     *
     * @param max the limit
     * @param published the pool's engine, null as long as there is none
     * @param effects for what that brings about
     */
    void setTotal(int max, Supplier<Engine> published, Effects effects) {
        synchronized (this) {
            Engine engine = published.get();
            if (engine != null) {
                engine.setMaxTotal(max, effects);
            }
            total = max;
        }
    }

    /**
     * Changes the limit of routes that have none of their own.
     *
     * @param max the limit
     * @param published the pool's engine, null as long as there is none
     * @param effects for what that brings about
     */
    void setOfRoutes(int max, Supplier<Engine> published, Effects effects) {
        synchronized (this) {
            Engine engine = published.get();
            if (engine != null) {
                engine.setDefaultMaxPerRoute(max, effects);
            }
            ofRoutes = max;
        }
    }

    /**
     * Changes a route's own limit.
     *
     * @param route the route
     * @param max the limit, or null for none of its own
     * @param published the pool's engine, null as long as there is none
     * @param effects for what that brings about
     */
    void setOf(Object route, Integer max, Supplier<Engine> published, Effects effects) {
        for (;;) {
            RouteRef ref = max == null ? routes.route(route) : routes.routeFor(route);
            if (ref == null) {
                return;
            }
            boolean isGone;
            synchronized (ref) {
                isGone = ref.isGone;
                if (!isGone) {
                    // The engine knows no route before its pool was published.
                    Engine engine = ref.id == RouteRef.NONE ? null : published.get();
                    if (engine != null) {
                        engine.setMaxPerRoute(ref.id, max == null ? -1 : max, effects);
                    }
                    ref.ownLimit = max;
                    ref.isGone = max == null && ref.id == RouteRef.NONE;
                }
            }
            routes.removeIfGone(ref);
            if (!isGone) {
                return;
            }
        }
    }

    /**
     * Whether nobody is given anything.
     *
     * @return true if the pool is suspended
     */
    boolean areSuspended() {
        return suspended;
    }

    /**
     * Gives nobody anything from now on, or serves those who have waited.
     *
     * @param wanted whether the pool is to be suspended
     * @param published the pool's engine, null as long as there is none
     * @param effects for what that brings about
     */
    void setSuspended(boolean wanted, Supplier<Engine> published, Effects effects) {
        synchronized (this) {
            Engine engine = published.get();
            if (engine != null) {
                engine.setSuspended(wanted, effects);
            }
            suspended = wanted;
        }
    }

    /**
     * Has it measured how long connections are held, or no more.
     *
     * @param wanted whether it is to be
     * @param published the pool's engine, null as long as there is none
     */
    synchronized void setMeasuresHeld(boolean wanted, Supplier<Engine> published) {
        Engine engine = published.get();
        if (engine != null) {
            engine.measureHeld(wanted);
        }
        measuresHeld = wanted;
    }

    /**
     * Publishes a new pool, with its limits in force.
     *
     * @param made the pool's engine, which nobody has used
     * @param publication publishes it
     */
    synchronized void publish(Engine made, Runnable publication) {
        // They may have changed since it was made. Nothing comes of it: it has no connections, and nobody waits.
        Effects none = new Effects();
        made.setMaxTotal(total, none);
        made.setDefaultMaxPerRoute(ofRoutes, none);
        if (measuresHeld) {
            made.measureHeld(true);
        }
        if (suspended) {
            made.setSuspended(true, none);
        }
        publication.run();
    }
}
