package io.leasehold;

/**
 * Closes connections that a pool lets go.
 *
 * <p>A pool calls it outside every lock, on the thread whose call caused it: the one that releases, asks, or changes a
 * limit; on the daemon thread {@code leasehold-housekeeper} for {@link Cause#LEAKED} and {@link Cause#POOL_COLLECTED}.
 * It is called once for each connection. It may call the pool. It should not block for long: no other caller waits for
 * it, but its own thread does.
 *
 * <p>A disposer that refers to its pool, directly or through what it captures, keeps that pool from ever being
 * collected.
 *
 * @param <C> the type of the connections
 */
@FunctionalInterface
public interface Disposer<C> {
    /**
     * Closes a connection. What it throws is logged and otherwise ignored.
     *
     * @param connection the connection, no longer known to the pool
     * @param cause why it has to go
     */
    void dispose(C connection, Cause cause);
}
