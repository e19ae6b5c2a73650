package io.leasehold;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * How long one lease request waits: until its time is up, by the pool's clock, or until it is cancelled. The time counts from the moment in
 * which it is seen that the request must wait: who is served at once reads no clock.
 */
final class Deadline implements Patience {
    static final Object HAD = "had";
    static final Object CANCELLED = "cancelled";

    /** For how many nanoseconds; {@link Long#MAX_VALUE} is without end. */
    private final long patience;
    private final ManualClock clock;
    // What has become of a request that can be cancelled: one of these two, the thread that waits, or something else; null if it cannot.
    private final AtomicReference<Object> status;
    // Written once, by the thread that asks, before anybody else can have the request.
    private boolean hasBegun;
    private long end;

    /** For a request that nobody can cancel. */
    Deadline(long timeout, TimeUnit unit, ManualClock clock) {
        this(timeout, unit, clock, null);
    }

    Deadline(long timeout, TimeUnit unit, ManualClock clock, AtomicReference<Object> status) {
        this.clock = clock;
        this.status = status;
        patience = Math.max(0, Arguments.unit(unit).toNanos(timeout));
    }

    /** From the first time that it is asked for on, the time counts. */
    @Override
    public long nanosLeft() {
        if (!hasBegun && patience != Long.MAX_VALUE) {
            // A sum that overflows is right all the same, as it is looked at by differences only.
            end = now() + patience;
            hasBegun = true;
        }
        return hasBegun ? end - now() : Long.MAX_VALUE;
    }

    @Override
    public boolean isCancelled() {
        return status != null && status.get() == CANCELLED;
    }

    @Override
    public void startWaiting(Thread thread) {
        if (clock != null) {
            clock.startWaiting(thread);
        }
    }

    @Override
    public void stopWaiting(Thread thread) {
        if (clock != null) {
            clock.stopWaiting(thread);
        }
    }

    /** The request of this thread is served. False if it was cancelled first. */
    boolean had() {
        return status == null || status.compareAndSet(Thread.currentThread(), HAD);
    }

    private long now() {
        return clock == null ? System.nanoTime() : clock.nanoTime();
    }
}
