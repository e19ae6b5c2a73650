package io.leasehold;

/**
 * Is told of leases that were garbage collected without having been ended. Where none is set, the pool logs a
 * warning.
 *
 * <p>Called on the daemon thread {@code leasehold-housekeeper}, after the lease's slot was given back and before its
 * connection is disposed of. What it throws is logged and otherwise ignored. Like a {@link Disposer} it must not refer
 * to the pool.
 *
 * <p>Memory effects: what was done in a thread before it filled the vacancy from which the connection came, or ended an earlier lease of
 * it, happens before this is called. What the last holder did in the lease that it lost need not.
 *
 * @param <R> the type of the routes
 * @param <C> the type of the connections
 */
@FunctionalInterface
public interface LeakListener<R, C> {
    /**
     * A lease leaked.
     *
     * @param route the lease's route
     * @param connection the lease's connection, or null if none had been opened
     */
    void leaked(R route, C connection);

    /**
     * As {@link #leaked(Object, Object)}, with where the lease was taken, if the pool {@linkplain ConnectionPool#setLeaseStacks notes}
     * that. This is what the pool calls; unless it is overridden it calls the other one. Where it is known, the pool logs its warning beside.
     *
     * @param route the lease's route
     * @param connection the lease's connection, or null if none had been opened
     * @param stack where the lease was taken, or null
     */
    default void leaked(R route, C connection, LeaseStack stack) {
        leaked(route, connection);
    }
}
