package io.leasehold;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/** How long one lease request waits: until its time is up, by the pool's clock, or until it is cancelled. */
final class Deadline implements Patience {
    static final Object HAD = "had";
    static final Object CANCELLED = "cancelled";

    private final boolean limited;
    private final long nanos;
    private final ManualClock clock;
    // What has become of a request that can be cancelled: one of these two, the thread that waits, or something else; null if it cannot.
    private final AtomicReference<Object> status;

    /** For a request that nobody can cancel. */
    Deadline(long timeout, TimeUnit unit, ManualClock clock) {
        this(timeout, unit, clock, null);
    }

    Deadline(long timeout, TimeUnit unit, ManualClock clock, AtomicReference<Object> status) {
        this.clock = clock;
        this.status = status;
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
