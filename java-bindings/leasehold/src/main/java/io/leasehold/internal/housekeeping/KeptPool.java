package io.leasehold.internal.housekeeping;

import io.leasehold.internal.natives.Effects;
import io.leasehold.internal.natives.Engine;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * A pool in the housekeeper's care. A phantom reference to its engine, so that finalizers which use the pool come first.
 *
 * <p><b>Rest.</b> A pool that has had nothing for a second, no connection, open or being opened, and nobody who waits, is at rest: it needs
 * the thread no more. Whoever leases from a pool at rest, or gives something back to it, {@linkplain #resume resumes} it, and the thread
 * comes back. Of the two, each makes known what it does before it looks at what the other has done: the lease is in the engine's numbers
 * before its thread reads {@link #isResting}, and that was set a look before the engine's numbers are read for the last time.
 *
 * <p>Of a pool at rest this knows nothing but what it takes to free its memory.
 */
public final class KeptPool extends CollectedPhantom<Engine> {
    /** How long a pool must have had nothing to be at rest. Not at once, as the thread of a busy pool is not to come and go. */
    private static final long LINGER = TimeUnit.SECONDS.toNanos(1);
    /** What a token has room for: the largest number of a pool. */
    static final int MOST_NUMBER = (1 << 28) - 2;

    // ----- guarded by the monitor of the housekeeper's thread -----
    // The pools whose memory is not freed yet, by their numbers, which keeps their references reachable; those of them that are looked
    // after, all among them that count as not at rest; how many of those evict; the last number given.
    private static final Map<Integer, KeptPool> ALL = new HashMap<>();
    private static final Set<KeptPool> ACTIVE = new LinkedHashSet<>();
    static int evicting;
    static int lastNumber;

    // ----- written inside that monitor by the housekeeper's thread and by who resumes, read by whoever puts something into the pool -----
    /** Whether the housekeeper need not look after the pool, or will not soon: who puts something into it resumes that. */
    public volatile boolean isResting = true;

    private final int number;
    private final Engine engine;
    private final boolean evicts;
    private final WeakReference<Chores> known;

    // ----- guarded by that monitor -----
    // What is done for the pool, unless it is at rest, when nothing of ours may lead to it; whether it counts as not at rest.
    private Chores chores;
    private boolean isCounted;

    // ----- the housekeeper's thread's own -----
    // Since when the pool has had nothing; whether its memory was freed.
    private long emptySince;
    private boolean freed;

    private KeptPool(Engine used, Engine own, Chores chores, boolean evicts, int number) {
        super(used);
        engine = own;
        this.evicts = evicts;
        this.number = number;
        known = new WeakReference<>(chores);
    }

    static KeptPool take(Engine used, Engine own, Chores chores, boolean evicts) {
        synchronized (HousekeeperThread.class) {
            do {
                lastNumber = lastNumber < MOST_NUMBER ? lastNumber + 1 : 1;
            } while (ALL.containsKey(lastNumber));
            KeptPool taken = new KeptPool(used, own, chores, evicts, lastNumber);
            // From here on the pool's memory is freed by the housekeeper; before, by whoever failed to make the pool.
            ALL.put(lastNumber, taken);
            return taken;
        }
    }

    /** The pool of a number; null if it is gone. */
    static KeptPool of(int number) {
        synchronized (HousekeeperThread.class) {
            return ALL.get(number);
        }
    }

    /** Those that are not at rest. */
    static List<KeptPool> active() {
        synchronized (HousekeeperThread.class) {
            return new ArrayList<>(ACTIVE);
        }
    }

    /** Whether in any of those something may have to go by time alone. */
    static boolean mayExpire() {
        synchronized (HousekeeperThread.class) {
            return evicting > 0;
        }
    }

    boolean evicts() {
        return evicts;
    }

    /**
     * Its number in the watch.
     *
     * @return the number
     */
    public int number() {
        return number;
    }

    /**
     * The pool is in use, and needs the thread. Called by whoever has just put something into a pool that rests, or whose thread has died.
     * If it throws, the next one who does so tries again.
     */
    public void resume() {
        Chores used = known.get();
        if (used != null) {
            used.willTellNumbers();
        }
        synchronized (HousekeeperThread.class) {
            if (ALL.get(number) != this) {
                // That was the pool's last use, and nobody would say again that it needs the thread no more.
                return;
            }
            if (!HousekeeperThread.isThere()) {
                HousekeeperThread.start();
            } else if (evicts) {
                HousekeeperThread.wake();
            }
            ACTIVE.add(this);
            // Known as long as its pool is in use.
            chores = used;
            count();
            isResting = false;
        }
    }

    /**
     * It counts as not at rest, once. By stores alone: a caller whose stack or memory ends, be it in the middle of what comes before, has
     * counted or has not, and who has not is found by the thread, if the pool is looked after already, or tries again.
     */
    private void count() {
        if (!isCounted) {
            isCounted = true;
            HousekeeperThread.needs++;
            if (evicts) {
                evicting++;
            }
        }
    }

    /** The pool needs the thread no more; its memory is freed when it is collected, by the thread of a later pool if need be. */
    private void rest() {
        chores = null;
        ACTIVE.remove(this);
        if (isCounted) {
            isCounted = false;
            HousekeeperThread.needs--;
            if (evicts) {
                evicting--;
            }
        }
    }

    /**
     * Whether the memory was freed. On the housekeeper's thread.
     *
     * @return true if it was
     */
    public boolean isFreed() {
        return freed;
    }

    /** What is done for the pool; null if nobody knows it any more. */
    private Chores chores() {
        synchronized (HousekeeperThread.class) {
            return chores != null ? chores : known.get();
        }
    }

    /**
     * Has the engine note what peers have closed. What it brings about comes to the partings; while there is no memory for that, it is
     * carried out here.
     */
    void noteClosed(int[] events, int from, int to, Queue<Parting> partings, Effects spare) {
        Chores chores = freed ? null : chores();
        if (chores == null) {
            return;
        }
        // In its place before the engine decides anything that must not be lost.
        Parting parting = Parting.addTo(partings, chores);
        if (parting != null) {
            chores.noteClosed(events, from, to, parting.effects);
        } else {
            chores.noteClosed(events, from, to, spare);
            chores.carryOut(spare);
        }
    }

    /**
     * Closes what is to be closed without a call, looks after requests, and sees whether the pool needs the thread.
     *
     * @return whether a request is to be looked after again soon
     */
    boolean look(long now, Effects effects, int[] numbers) {
        Chores chores = freed ? null : chores();
        if (chores == null) {
            return false;
        }
        boolean isAnyOverdue = chores.lookAfterRequests(effects);
        if (settle(chores.lookAfterConnections(effects, numbers), now)) {
            // Who leases meanwhile has it looked after again.
            chores.tellNumbers();
        }
        return isAnyOverdue;
    }

    /** Twice in a row without need, the second time after having said so for a while, and the pool is at rest: true if it came to that. */
    private boolean settle(boolean isInNeed, long now) {
        synchronized (HousekeeperThread.class) {
            if (isInNeed) {
                count();
                isResting = false;
            } else if (!isResting) {
                isResting = true;
                emptySince = now;
            } else if (now - emptySince >= LINGER) {
                rest();
                return true;
            }
        }
        return false;
    }

    @Override
    public void collected(Effects effects) {
        if (freed) {
            return;
        }
        Chores last = chores();
        if (last != null) {
            last.endLeases(effects);
        }
        // Before it is freed: who goes through the pools finds it no more.
        synchronized (HousekeeperThread.class) {
            rest();
            ALL.remove(number);
        }
        freed = true;
        try {
            if (last != null) {
                last.tellNumbers();
                last.end(effects);
            }
        } finally {
            engine.free();
        }
    }
}
