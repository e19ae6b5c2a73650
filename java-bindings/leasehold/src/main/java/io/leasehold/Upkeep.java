package io.leasehold;

import io.leasehold.internal.natives.Effects;
import java.util.function.Consumer;

/**
 * What is done to a pool otherwise than by its leases: connections that must not stay are disposed of, limits change, and in the end it is
 * shut down. Each is one call on the engine that answers by effects alone, and they are carried out before the method returns.
 */
final class Upkeep {
    private Upkeep() {}

    /**
     * Disposes of idle connections that have expired.
     *
     * @param pool the pool
     */
    static void closeExpired(NativePool pool) {
        perform(pool, effects -> pool.engine.closeExpired(effects));
    }

    /**
     * Disposes of connections idle for a time or longer.
     *
     * @param pool the pool
     * @param millis how long
     */
    static void closeIdle(NativePool pool, long millis) {
        perform(pool, effects -> pool.engine.closeIdle(millis, effects));
    }

    /**
     * Disposes of a route's connections, of leased ones when they are released.
     *
     * @param pool the pool
     * @param route the route
     */
    static void clear(NativePool pool, RouteRef route) {
        perform(pool, effects -> pool.engine.clearRoute(route.id, effects));
    }

    /**
     * Disposes of a connection that was found unfit, when it is released if it is leased by now.
     *
     * @param pool the pool
     * @param item where it was seen
     */
    static void markDead(NativePool pool, Listing.Item item) {
        perform(pool, effects -> pool.engine.clearConnection(item.slot, item.opening, effects));
    }

    /**
     * Refuses every later request, as {@linkplain PoolState#shutDown said} before, and wakes those that wait.
     *
     * @param pool the pool
     * @param atOnce whether leased connections are disposed of too
     */
    static void shutdown(NativePool pool, boolean atOnce) {
        perform(pool, effects -> pool.engine.shutdown(atOnce, effects));
    }

    /** Makes a call, for whose effects there is an array before it begins. */
    private static void perform(NativePool pool, Consumer<Effects> call) {
        Effects effects = new Effects();
        call.accept(effects);
        pool.carryOut(effects);
    }
}
