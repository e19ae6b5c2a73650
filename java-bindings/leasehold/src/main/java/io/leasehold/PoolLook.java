package io.leasehold;

import io.leasehold.internal.log.Log;
import io.leasehold.internal.log.Texts;
import io.leasehold.internal.natives.Engine;
import java.util.List;

/**
 * What a pool looks like at the moment in which a request fails for want of a connection: the text that its exception says. It is made by
 * the request's thread when the request has ended, outside every lock. Should that fail, as the route cannot say what it is, that is
 * logged, and there is less text. Numbers are read one after the other, while others lease and release.
 */
final class PoolLook {
    private PoolLook() {}

    /**
     * Describes a pool as it looks now.
     *
     * @param why what comes first
     * @param state what Java knows of the pool
     * @param engine its engine
     * @param route where the request went
     * @param looksAtLeases whether to say who holds what for long, which takes time in proportion to the leases
     * @return the text; no more than {@code why} if that is all that there is memory or stack for
     */
    static String with(String why, PoolState state, Engine engine, Object route, boolean looksAtLeases) {
        try {
            return why + "; " + (looksAtLeases ? of(state, engine, route) : numbers(state, engine, route).toString());
        } catch (Throwable e) {
            Log.warn(Texts.LINE_FAILED, e);
            return why;
        }
    }

    /**
     * Describes a pool as it looks now.
     *
     * @param state what Java knows of the pool
     * @param engine its engine
     * @param route the route that is asked about
     * @return the text
     */
    static String of(PoolState state, Engine engine, Object route) {
        StringBuilder text = numbers(state, engine, route);
        HeldLease longest = longest(HeldLeases.of(state, engine), route);
        if (longest != null) {
            boolean isOfRoute = longest.route().equals(route);
            text.append(", the longest lease ").append(isOfRoute ? "of the route " : "").append(longest.described());
        }
        return text.toString();
    }

    private static StringBuilder numbers(PoolState state, Engine engine, Object route) {
        StringBuilder text = new StringBuilder().append(state.name);
        text.append(state.limits.areSuspended() ? ", suspended: " : ": ");
        int[] numbers = new int[Engine.STATS];
        RouteRef ref = state.routes.route(route);
        if (ref != null) {
            engine.routeStats(ref.id, numbers);
            text.append("route ").append(Log.shown(route)).append(' ').append(shown(numbers, state.limits.of(route))).append(", ");
        }
        engine.stats(numbers);
        return text.append("in total ").append(shown(numbers, state.limits.total()));
    }

    private static String shown(int[] numbers, int max) {
        return "[leased: " + numbers[0] + "; idle: " + numbers[2] + "; waiting: " + numbers[1] + "; max: "
                + (max == Integer.MAX_VALUE ? "none" : max) + "]";
    }

    /** What keeps others waiting: of the route's own leases, if there are any. */
    private static HeldLease longest(List<HeldLease> held, Object route) {
        HeldLease longest = null;
        boolean isOwn = false;
        for (HeldLease lease : held) {
            boolean isOfRoute = lease.route().equals(route);
            if (longest == null || isOfRoute && !isOwn || isOfRoute == isOwn && lease.heldMillis() > longest.heldMillis()) {
                longest = lease;
                isOwn = isOfRoute;
            }
        }
        return longest;
    }
}
