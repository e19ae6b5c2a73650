package io.leasehold.internal.housekeeping;

import java.lang.ref.PhantomReference;

/**
 * Collected, and its finalizers have run. Nobody but the housekeeper comes to the queue.
 *
 * @param <T> the type of the referent
 */
public abstract class CollectedPhantom<T> extends PhantomReference<T> implements Collected {
    /**
     * Refers to an object.
     *
     * @param referent the object
     */
    protected CollectedPhantom(T referent) {
        super(referent, HousekeeperThread.QUEUE);
    }
}
