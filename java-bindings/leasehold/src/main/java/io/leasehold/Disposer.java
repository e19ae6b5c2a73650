package io.leasehold;

/**
 * Closes connections that a pool lets go.
 *
 * <p>A pool calls it outside every lock, and a call that ends a lease does when it has woken who waits for the place. Connections whose
 * closing {@linkplain #mayBlock may block}, and those of {@link Cause#LEAKED} leases, are closed on a daemon thread {@code
 * leasehold-disposer}, all others at once: on the thread whose call caused it, the one that releases, asks, or changes a limit; on the
 * daemon thread {@code leasehold-housekeeper} for what no call caused, such as {@link Cause#POOL_COLLECTED}, and {@link
 * Cause#PEER_CLOSED} of an idle connection. There it must not block, for all pools depend on it.
 *
 * <p>It is called once for each connection, also after the pool was shut down; only the end of the JVM may come first. It may call
 * the pool.
 *
 * <p>Memory effects: what was done in a thread before it ended the connection's last lease happens before the connection is let go and
 * disposed of, on whichever thread.
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

    /**
     * A connection was let go, and will be disposed of: called before {@link #dispose}, on the thread that found the cause, also if
     * the connection is closed on another one. For what has to come in order, such as a line in a log; it must not block. Does nothing
     * unless overridden. What it throws is logged and otherwise ignored.
     *
     * @param connection the connection, no longer known to the pool
     * @param cause why it has to go
     */
    default void letGo(C connection, Cause cause) {}

    /**
     * Whether closing a connection may wait for its peer, as TLS may, which says goodbye, and a socket with {@code SO_LINGER} does.
     *
     * <p>Such connections are closed on threads of their own, so that the peer delays nobody: one as a rule, up to sixteen while all
     * wait. A second after it was to be closed, but not before a tenth of a second was given to the close itself, the socket that was told
     * by {@link Lease#attach}, if any, is shut down under it, which ends the waiting. That socket does not linger: what is left to
     * be sent the system sends. A close that hangs all the same keeps its thread.
     *
     * @param connection the connection, no longer known to the pool
     * @return false, unless overridden
     */
    default boolean mayBlock(C connection) {
        return false;
    }
}
