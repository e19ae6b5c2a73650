package io.leasehold;

/**
 * Is told of each connection that a pool parts with, for whoever measures that.
 *
 * <p>Called when the connection was closed, or was given to another thread to be closed, on the thread that found the cause: the one that
 * releases, asks or changes a limit, or one of the library's own. There it must not wait for anything. What it throws is logged and
 * otherwise ignored. Like a {@link Disposer} it must not refer to the pool.
 *
 * @param <R> the type of the routes
 */
@FunctionalInterface
public interface CloseListener<R> {
    /**
     * A connection has gone.
     *
     * @param route the route that it was open to
     * @param cause why; {@link Cause#DISCARDED} also for one that its holder has {@linkplain Lease#reopen taken out}
     * @param ageMillis how long ago it was {@linkplain Lease#opened opened}, in milliseconds of the pool's time
     * @param uses how many leases had it, one that found it dead included
     */
    void closed(R route, Cause cause, long ageMillis, long uses);
}
