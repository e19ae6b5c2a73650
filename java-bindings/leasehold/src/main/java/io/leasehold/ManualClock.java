package io.leasehold;

import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * A clock for tests, which stands still until it is {@linkplain #advance advanced}. The pools that it {@linkplain #driving drives} take
 * their expiry, idle times and time to live from it, and the timeouts of waiting leases too.
 *
 * <p>Safe for use by several threads.
 *
 * <p>Memory effects: what a thread did before it advanced the clock happens before what follows, in another thread, the end of a wait whose
 * time was up by that. When {@link #advance} has returned, whatever is asked of the pools is answered by the new time.
 */
public final class ManualClock {
    // The clock of what is being built on a thread. Removed afterwards.
    private static final ThreadLocal<ManualClock> CURRENT = new ThreadLocal<>();

    // Pools are held weakly: a clock in a static field keeps none of them.
    private final List<WeakReference<NativePool>> pools = new ArrayList<>();
    private final Set<Thread> waiting = ConcurrentHashMap.newKeySet();
    // ----- written under this object's monitor; read without it, where a moment ago will do, as who advances unparks all afterwards -----
    private volatile long millis;

    /** Creates a clock. */
    public ManualClock() {}

    /**
     * Has the pools that are built on this thread, while something is made, take their time from this clock: the pools of managers, too,
     * whose constructors know of no clock.
     *
     * @param maker makes pools, or what has some
     * @param <T> what it makes
     * @return what it has made
     * @throws IllegalArgumentException if {@code maker} is null
     */
    public <T> T driving(Supplier<? extends T> maker) {
        Arguments.given(maker, "maker", "it makes what is to have this clock");
        ManualClock before = CURRENT.get();
        CURRENT.set(this);
        try {
            return maker.get();
        } finally {
            if (before == null) {
                CURRENT.remove();
            } else {
                CURRENT.set(before);
            }
        }
    }

    /** The clock of the pools that are built here and now, or null. */
    static ManualClock current() {
        return CURRENT.get();
    }

    /**
     * Moves the time on for every pool on this clock, and lets waiting leases see whether their time is up.
     *
     * @param time how far; not negative
     * @param unit the unit of {@code time}; what is smaller than a millisecond is dropped
     * @throws IllegalArgumentException if {@code time} is negative or {@code unit} is null
     */
    public void advance(long time, TimeUnit unit) {
        long step = Arguments.unit(unit).toMillis(time);
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

    /**
     * As {@link #advance(long, TimeUnit)}.
     *
     * @param time how far
     * @throws IllegalArgumentException if {@code time} is negative or null
     */
    public void advance(Duration time) {
        advance(Arguments.nanos(time), TimeUnit.NANOSECONDS);
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
