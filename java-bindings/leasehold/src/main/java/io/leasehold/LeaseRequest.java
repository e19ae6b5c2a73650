package io.leasehold;


/**
 * A request for a lease that is under way, and whose {@link LeaseHook} is told its answer. All methods may be called by any thread at any
 * time, and none waits.
 *
 * <p>Memory effects: what a thread did before its {@link #cancel} returned true happens before what another does after {@link #isDone} has
 * returned true to it. What a hook does is not among this: the request is done before its hook is called.
 */
public final class LeaseRequest {
    private final HookedRequest request;

    LeaseRequest(HookedRequest request) {
        this.request = request;
    }

    /**
     * Ends the request: the hook will not be called. A connection that was about to be handed over goes back to the pool.
     *
     * @return false if the hook was called, or is about to be, or the request had been cancelled
     */
    public boolean cancel() {
        return request.cancel();
    }

    /**
     * Whether nothing will come of the request any more.
     *
     * @return true if the hook was called, or is about to be, or the request was cancelled
     */
    public boolean isDone() {
        return request.isDone();
    }
}
