package io.leasehold.internal.housekeeping;

import io.leasehold.internal.natives.Effects;

/**
 * What the housekeeper does for a pool, as the pool does it. Nothing of it leads to the pool's own objects, so that a pool that nobody
 * uses is collected. Called on the housekeeper's thread only, but for {@link #willTellNumbers}.
 */
public interface Chores {
    /**
     * Sees that requests for which no thread waits come to an end.
     *
     * @param effects for what calls on the engine bring about
     * @return whether one is to be looked after again soon
     */
    boolean lookAfterRequests(Effects effects);

    /**
     * Closes what is to be closed without a call.
     *
     * @param effects for what calls on the engine bring about
     * @param numbers for the pool's numbers
     * @return whether the pool needs the thread
     */
    boolean lookAfterConnections(Effects effects, int[] numbers);

    /** Tells whom it may concern that {@link #tellNumbers} will be called: the pool is in use. On the thread of whoever uses it. */
    void willTellNumbers();

    /** Tells whom it may concern what has become of requests: the pool has come to rest, or comes to its end. */
    void tellNumbers();

    /**
     * Has the engine note what peers have closed: what is idle of it nobody leases any more, what is leased is closed at its release.
     *
     * @param events the events
     * @param from where this pool's begin
     * @param to where they end
     * @param effects for what that brings about, to be {@linkplain #carryOut carried out}
     */
    void noteClosed(int[] events, int from, int to, Effects effects);

    /**
     * Does what a call on the engine brought about.
     *
     * @param effects of the call
     */
    void carryOut(Effects effects);

    /**
     * Ends the leases of a pool that was collected: they are unreachable too, though they may come up in the queue only later.
     *
     * @param effects for what calls on the engine bring about
     */
    void endLeases(Effects effects);

    /**
     * Closes what a pool has left that was collected.
     *
     * @param effects for what calls on the engine bring about
     */
    void end(Effects effects);
}
