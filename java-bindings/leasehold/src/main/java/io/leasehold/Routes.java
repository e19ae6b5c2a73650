package io.leasehold;

import io.leasehold.internal.natives.Effects;
import io.leasehold.internal.natives.Engine;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The routes of a pool: those that the engine knows, by their ids, too, and those that have a limit of their own. Routes come and go, and
 * of one that is in no use nothing is kept.
 */
final class Routes {
    private static final int FEW = 1;

    // Both begin small: a program may make a pool for each of its requests.
    private final ConcurrentHashMap<Object, RouteRef> routes = new ConcurrentHashMap<>(FEW);
    // By id and not by the id's slot, which a new route may have before the old one was forgotten here.
    private final ConcurrentHashMap<Long, RouteRef> routesById = new ConcurrentHashMap<>(FEW);

    /** None is known. */
    Routes() {}

    /**
     * What is known of a route.
     *
     * @param route the route
     * @return null if nothing is
     */
    RouteRef route(Object route) {
        return routes.get(route);
    }

    /** What is known of a route, from now on if nothing was. */
    RouteRef routeFor(Object route) {
        RouteRef known = routes.get(route);
        if (known != null) {
            return known;
        }
        RouteRef made = new RouteRef(route);
        RouteRef first = routes.putIfAbsent(route, made);
        return first != null ? first : made;
    }

    /**
     * The routes that have an id.
     *
     * @return a copy
     */
    Set<Object> known() {
        Set<Object> known = new HashSet<>();
        for (RouteRef route : routes.values()) {
            if (route.id != RouteRef.NONE) {
                known.add(route.route);
            }
        }
        return known;
    }

    /**
     * Makes a route known to the engine, with its limit in force, unless it is.
     *
     * @param effects for what making it known brings about
     * @return anything but a positive number if the engine refuses
     */
    long makeKnown(RouteRef route, Engine engine, Effects effects) {
        Effects none = new Effects();
        synchronized (route) {
            if (route.isGone || route.id != RouteRef.NONE) {
                return 1;
            }
            long id = engine.addRoute(effects);
            if (id > 0) {
                routesById.put(id, route);
                if (route.ownLimit != null) {
                    // Nothing comes of it: the route has no connections, and nobody waits.
                    engine.setMaxPerRoute(id, route.ownLimit, none);
                }
                route.id = id;
            }
            return id;
        }
    }

    /** The engine does not know a route under this id any more; it may know it under a new one already. */
    void forget(RouteRef route, long id) {
        synchronized (route) {
            if (route.id == id) {
                route.id = RouteRef.NONE;
                route.isGone = route.ownLimit == null;
            }
        }
        routesById.remove(id);
        removeIfGone(route);
    }

    /** Lets another object stand for a route of which nothing is known any more. */
    void removeIfGone(RouteRef route) {
        boolean isGone;
        synchronized (route) {
            isGone = route.isGone;
        }
        if (isGone) {
            routes.remove(route.route, route);
        }
    }

    /** The route with an id, or null. */
    RouteRef routeOf(long id) {
        return routesById.get(id);
    }

    /** The engine does not know this id any more. */
    void forget(long id) {
        RouteRef route = routesById.get(id);
        if (route != null) {
            forget(route, id);
        }
    }
}
