package io.leasehold.internal;

import java.util.function.Consumer;

/**
 * What is done to a pool otherwise than by its leases: connections that must not stay are disposed of, limits change, and in the end it is
 * shut down. Each is one call on the engine that answers by effects alone, and they are carried out before the method returns.
 */
public final class Upkeep {
    private final NativePool pool;

    Upkeep(NativePool pool) {
        this.pool = pool;
    }

    /** Disposes of idle connections that have expired. */
    public void closeExpired() {
        perform(effects -> pool.closeExpired(pool.address, effects));
    }

    /**
     * Disposes of connections idle for a time or longer.
     *
     * @param millis how long
     */
    public void closeIdle(long millis) {
        perform(effects -> pool.closeIdle(pool.address, millis, effects));
    }

    /**
     * Disposes of a route's connections, of leased ones when they are released.
     *
     * @param route the route
     */
    public void clear(RouteRef route) {
        perform(effects -> pool.clearRoute(pool.address, route.id, effects));
    }

    /**
     * Disposes of a connection that was found unfit, when it is released if it is leased by now.
     *
     * @param item where it was seen
     */
    public void markDead(Listing.Item item) {
        perform(effects -> pool.clearConnection(pool.address, item.slot, item.opening, effects));
    }

    /** Does what the builder asked for. Like the next two for the housekeeper, which has an array of effects when memory is short. */
    void evict(long[] effects) {
        PoolState.Constants constants = pool.state.constants;
        if (constants.evictExpired) {
            pool.closeExpired(pool.address, effects);
            pool.carryOut(effects);
        }
        if (constants.evictIdle > 0) {
            closeIdle(constants.evictIdle, effects);
        }
    }

    void closeIdle(long millis, long[] effects) {
        pool.closeIdle(pool.address, millis, effects);
        pool.carryOut(effects);
    }

    /** Ends a pool that was collected. */
    void shutdownCollected(long[] effects) {
        pool.shutdown(pool.address, true, effects);
        pool.carryOut(effects);
    }

    /**
     * Refuses every later request, as {@linkplain PoolState#shutDown said} before, and wakes those that wait.
     *
     * @param atOnce whether leased connections are disposed of too
     */
    public void shutdown(boolean atOnce) {
        perform(effects -> pool.shutdown(pool.address, atOnce, effects));
    }

    /** Makes a call, for whose effects there is an array before it begins. */
    private void perform(Consumer<long[]> call) {
        long[] effects = Effects.array();
        call.accept(effects);
        pool.carryOut(effects);
    }
}
