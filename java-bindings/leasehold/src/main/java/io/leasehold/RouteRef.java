package io.leasehold;

import io.leasehold.internal.log.Log;

/**
 * A route, the id under which the engine knows it at present, and the limit of its own. All of it changes inside this object's monitor,
 * together with what the engine is told of it, so whoever finds the id finds the limit in force. No code but ours runs in there.
 */
final class RouteRef {
    /** In the place of an id: the engine does not know it. */
    static final long NONE = 0;

    final Object route;

    // ----- written inside the monitor, by whoever makes the route known, sets its limit, or hears that the engine has forgotten it -----
    // Race window: who reads the id outside may use one that the engine has just forgotten. It is harmless because the engine refuses it,
    // and the route is made known anew.
    volatile long id = NONE;
    volatile Integer ownLimit;
    // Whether another object is to stand for the route from now on.
    boolean isGone;

    // ----- written by whoever asks first, always with the same -----
    private volatile String shown;

    RouteRef(Object route) {
        this.route = route;
    }

    /**
     * What the route says of itself. It is asked once, so that the library's own threads need not run the route's code where somebody else
     * has asked before.
     */
    @Override
    public String toString() {
        String known = shown;
        if (known == null) {
            known = Log.shown(route);
            shown = known;
        }
        return known;
    }
}
