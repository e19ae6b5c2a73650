package io.leasehold.internal;

/** A route and the id under which the engine knows it at present. */
public final class RouteRef {
    /** The engine's id. */
    public final long id;

    final Object route;
    final PoolState state;

    RouteRef(PoolState state, Object route, long id) {
        this.state = state;
        this.route = route;
        this.id = id;
    }
}
