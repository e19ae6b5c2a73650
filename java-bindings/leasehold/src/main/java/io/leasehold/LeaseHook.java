package io.leasehold;

import java.util.concurrent.TimeoutException;

/**
 * Is told what has become of a {@link LeaseRequest}: at most one of its methods is called, once, unless the request was cancelled.
 *
 * <p><b>Threads.</b> It is called outside every lock. If the request was served at once, on the thread that asked, before {@link
 * ConnectionPool#requestLease} returns. If its wait was ended by the end of a lease, or by a raised limit, on the thread that ended the
 * lease or raised the limit, after the threads that wait were woken; a hook that is called there delays that thread. In all other cases, a
 * timeout, an eviction, a peer's close, a shutdown, a cancelled request, on a daemon thread {@code leasehold-disposer}, which has no
 * context class loader.
 *
 * <p>A hook may use the pool. What it does there may be the end of other waits: their hooks, and its own if it asks for a further lease,
 * are called when it has returned, so that a chain of leases needs no more stack than one. It may block, but should not. Hooks that would
 * have been called on its thread meanwhile, or afterwards, are called on a {@code leasehold-disposer} thread then, about a second later at
 * the latest, as are those for which their thread has not stack enough.
 *
 * <p><b>Memory effects.</b> What was done in a thread before it ended a lease happens before the hook is told of the lease that came of it;
 * so does what was done before {@code requestLease} was called.
 *
 * @param <C> the type of the connections
 */
public interface LeaseHook<C> {
    /**
     * The request is served. If this throws, that is logged and the lease is discarded, unless it was ended before.
     *
     * @param lease the lease, from now on this hook's to end
     */
    void leased(Lease<C> lease);

    /**
     * The request was not served, and nothing is retained. What this throws is logged.
     *
     * @param why a {@link TimeoutException} if there was no connection in time, a {@link PoolShutDownException} if the pool was shut down,
     *     or what else a thread that waited would have been thrown
     */
    void failed(Throwable why);
}
