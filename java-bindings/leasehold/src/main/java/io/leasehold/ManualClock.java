package io.leasehold;

import io.leasehold.internal.NativePool;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A clock for tests, which stands still until it is {@linkplain #advance advanced}. The pools built with it take their
 * expiry, idle times and time to live from it, and the timeouts of waiting leases too.
 *
 * <p>Safe for use by several threads.
 */
public final class ManualClock {
    // Pools are held weakly: a clock in a static field keeps none of them.
    private final List<WeakReference<NativePool>> pools = new ArrayList<>();
    private final Set<Thread> waiting = ConcurrentHashMap.newKeySet();
    // Written under this object's monitor.
    private volatile long millis;

    /** Creates a clock. */
    public ManualClock() {}

    /**
     * Moves the time on for every pool on this clock, and lets waiting leases see whether their time is up.
     *
     * @param time how far; not negative
     * @param unit the unit of {@code time}; what is smaller than a millisecond is dropped
     */
    public void advance(long time, TimeUnit unit) {
        long step = unit.toMillis(time);
        if (step < 0) {
            throw new IllegalArgumentException("time goes forward only: " + time + " " + unit);
        }
        synchronized (this) {
            millis += step;
            for (Iterator<WeakReference<NativePool>> all = pools.iterator(); all.hasNext(); ) {
                NativePool pool = all.next().get();
                if (pool == null) {
                    all.remove();
                } else {
                    pool.advanceClock(step);
                }
            }
        }
        for (Thread thread : waiting) {
            LockSupport.unpark(thread);
        }
    }

    synchronized void drive(NativePool pool) {
        pools.add(new WeakReference<>(pool));
    }

    long nanoTime() {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }

    void startWaiting(Thread thread) {
        waiting.add(thread);
    }

    void stopWaiting(Thread thread) {
        waiting.remove(thread);
    }
}
