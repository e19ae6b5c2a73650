package io.leasehold.internal.housekeeping;

import java.lang.ref.WeakReference;

/**
 * As {@link CollectedPhantom}, and the referent can be had until then.
 *
 * @param <T> the type of the referent
 */
public abstract class CollectedWeak<T> extends WeakReference<T> implements Collected {
    /**
     * Refers to an object.
     *
     * @param referent the object
     */
    protected CollectedWeak(T referent) {
        super(referent, HousekeeperThread.QUEUE);
    }
}
