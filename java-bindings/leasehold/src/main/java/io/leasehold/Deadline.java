package io.leasehold;

import io.leasehold.internal.Patience;
import java.util.concurrent.TimeUnit;

/** How long one lease request waits: until its time is up, by the pool's clock, or until it is cancelled. */
final class Deadline implements Patience {
    private final boolean limited;
    private final long nanos;
    private final ManualClock clock;
    private final PendingLease<?> request;

    /** For a request that nobody can cancel. */
    Deadline(long timeout, TimeUnit unit, ManualClock clock) {
        this(timeout, unit, clock, null);
    }

    Deadline(long timeout, TimeUnit unit, ManualClock clock, PendingLease<?> request) {
        this.clock = clock;
        this.request = request;
        long patience = Arguments.unit(unit).toNanos(timeout);
        limited = patience != Long.MAX_VALUE;
        // A sum that overflows is right all the same, as nanosLeft() looks at differences only.
        nanos = limited ? now() + Math.max(0, patience) : 0;
    }

    @Override
    public long nanosLeft() {
        return limited ? nanos - now() : Long.MAX_VALUE;
    }

    @Override
    public boolean isCancelled() {
        return request != null && request.isCancelled();
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

    /** The request is served. False if it was cancelled first. */
    boolean had() {
        return request == null || request.had();
    }

    private long now() {
        return clock == null ? System.nanoTime() : clock.nanoTime();
    }
}
