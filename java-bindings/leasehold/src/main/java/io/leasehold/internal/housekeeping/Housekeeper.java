package io.leasehold.internal.housekeeping;

import io.leasehold.internal.log.Log;
import io.leasehold.internal.log.Texts;
import io.leasehold.internal.natives.Effects;
import io.leasehold.internal.natives.Engine;
import io.leasehold.internal.natives.EngineLog;
import io.leasehold.internal.natives.PeerWatch;
import io.leasehold.internal.sockets.IdleWatch;
import java.lang.ref.Reference;
import java.util.LinkedList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;

/**
 * The daemon thread that looks after all pools of the loaded library: it puts the affairs of collected leases and pools in order,
 * closes what peers have closed, what belongs to a pool that nobody uses and, where that was asked for, what has expired or was idle for
 * long, and logs what the engine has to say.
 *
 * <p><b>When it is there</b> {@link HousekeeperThread} says: as long as any pool is not at {@linkplain KeptPool rest}, or connections are
 * being closed.
 *
 * <p><b>What it survives.</b> All errors, thrown anywhere in its work, want of memory among them. What it has to do is in fields, and is
 * taken off only when it is done; what was cut off is done again after a pause.
 *
 * <p>It waits for the collector, or, as soon as a socket is watched, for the watch. Nothing waits for both at once, so it looks up every
 * second; more often as long as there is something to expire or to hurry, and for a second after the collector found something: where pools
 * come and go, one a request, say, more of them follow, and what is not put in order before the next collection grows old.
 *
 * <p>It alone frees the memory of pools, so what it does to a pool before that needs nothing to keep the pool
 * reachable. Of a pool at rest it knows nothing but what it takes to free that memory.
 */
public final class Housekeeper implements HousekeeperThread.Work {
    // How long it waits at most: while connections are being closed whose close may take too long or the collector finds what is for it, while
    // any may expire, and otherwise.
    private static final int SOON_MILLIS = 50;
    private static final int EVICTING_MILLIS = 250;
    private static final int LOOKING_MILLIS = 1000;
    /** How many connections that peers have closed are closed here before it looks up again. */
    static final int FEW = 16;
    /** How many events it takes at once: a burst is to fit, of which what did not is told of after the first few closes. */
    private static final int EVENTS = 4096 * PeerWatch.EVENT;

    // The steps of a round. If one fails the others are done all the same.
    private static final int TELL = 0;
    private static final int TIDY = 1;
    private static final int LOOK = 2;
    private static final int HURRY = 3;
    private static final int KEEP = 4;
    private static final int LOG = 5;
    private static final int STEPS = 6;

    // ----- guarded by the class's monitor -----
    // Whether what the thread needs is loaded.
    private static boolean isPrepared;

    /** Who does the work: one thread after the other, each of which finds what the one before has left. */
    private static final Housekeeper KEEPER = new Housekeeper();

    // ----- written by who moves a clock on, and by the housekeeper's thread before it looks at what has changed -----
    volatile boolean isTimeMoved;

    // ----- the thread's own -----
    // Where the next call's effects are put, and a pool's numbers.
    private final Effects effects = new Effects();
    private final int[] numbers = new int[Engine.STATS];
    // What the watch has seen, from the next one to be told of to the end of them.
    final int[] events = new int[EVENTS];
    private int nextEvent;
    int endOfEvents;
    // What came of that, a few connections at a time. Not in an array, which memory may be too short to make longer.
    final Queue<Parting> partings = new LinkedList<>();
    // Out of the queue, and not yet done with; or null.
    private Reference<?> unfinished;
    // When all pools were looked at, and whether a request has an answer then that nobody was told.
    long lastLook = System.nanoTime();
    private boolean isAnyOverdue;
    // When the collector was last seen to have found something.
    long lastFound = lastLook - TimeUnit.MILLISECONDS.toNanos(LOOKING_MILLIS);

    Housekeeper() {}

    /**
     * Takes care of a new pool, which is at rest. If it throws, it has not, and who made the pool frees its memory.
     *
     * @param used its engine, which is freed when this object is unreachable
     * @param own the same engine, under the housekeeper's own object
     * @param chores what is done for it
     * @param evicts whether something of it may have to go by time alone
     * @param uses the classes that its chores need, which are loaded now
     * @return the pool in the housekeeper's care
     */
    public static KeptPool take(Engine used, Engine own, Chores chores, boolean evicts, Class<?>[] uses) {
        prepare(uses);
        return KeptPool.take(used, own, chores, evicts);
    }

    /**
     * Attends an object, for which something was done that is to be undone when it has gone. If this throws, it does not.
     *
     * @param attended the object
     * @param undo undoes it, on the thread that says so, or on one of the library's once the object was collected; must not lead to the
     *     object. What it throws is logged
     * @param isToStay whether the housekeeper is to stay until then; otherwise it may hear of the collection only when it is there for
     *     something else
     * @param uses the classes that chores need, which are loaded now
     * @return what ends it
     */
    public static Attendance attend(Object attended, Runnable undo, boolean isToStay, Class<?>[] uses) {
        prepare(uses);
        return Attendance.of(attended, undo, isToStay);
    }

    /**
     * Loads what the thread needs, while that is possible: an undeployed application's class loader gives nothing more, not even what is
     * the platform's.
     */
    private static synchronized void prepare(Class<?>[] uses) {
        if (!isPrepared) {
            Preparation.loadOurs();
            Preparation.load(uses);
            Preparation.load(Attendance.class, Attendance.Ending.class);
            Preparation.load(Chores.class, Closings.class, Closings.Task.class, Collected.class, CollectedPhantom.class, CollectedWeak.class,
                    Daemon.class, Deadlines.class, Deadlines.Due.class, HousekeeperThread.class, KeptPool.class, Parting.class);
            // What the engine has to say before the thread comes to this is kept only if it was asked for.
            EngineLog.drain();
            HousekeeperThread.does(KEEPER);
            isPrepared = true;
        }
    }

    /** A clock was moved on, by which something may expire. */
    public static void timeMoved() {
        KEEPER.isTimeMoved = true;
        HousekeeperThread.wake();
    }

    @Override
    public void round() {
        Throwable failure = null;
        try {
            await();
        } catch (InterruptedException e) {
            // Nobody has a reason to interrupt this thread; it ends when nobody needs it.
        } catch (Throwable e) {
            failure = e;
        }
        for (int step = 0; step < STEPS; step++) {
            try {
                perform(step);
            } catch (Throwable e) {
                failure = e;
            }
        }
        try {
            if (failure != null) {
                Log.warn(Texts.WORK_FAILED, failure);
                // What failed once may fail every time.
                pause();
            }
        } catch (Throwable e) {
            // The next round comes all the same.
        }
    }

    /** Lets the others have the time, and the memory, that it takes to go on; never throws. */
    public static void pause() {
        try {
            Thread.sleep(LOOKING_MILLIS);
        } catch (Throwable e) {
            // It goes on sooner.
        }
    }

    private void perform(int step) {
        switch (step) {
            case TELL:
                tellOfClosed();
                break;
            case TIDY:
                tidy();
                break;
            case LOOK:
                look();
                break;
            case HURRY:
                Closings.hurry();
                break;
            case KEEP:
                Deadlines.keep(effects);
                break;
            default:
                EngineLog.drain();
        }
    }

    @Override
    public boolean isBusy() {
        return unfinished != null || nextEvent < endOfEvents || !partings.isEmpty();
    }

    private void await() throws InterruptedException {
        await(IdleWatch.isOpen());
    }

    /** Waits for what the watch sees or the collector finds. */
    void await(boolean isWatchOpen) throws InterruptedException {
        pollIfNoneIsUnfinished();
        int millis = millisToWait(isWatchOpen);
        if (isWatchOpen && nextEvent == endOfEvents) {
            nextEvent = 0;
            endOfEvents = 0;
            endOfEvents = PeerWatch.await(millis, events) * PeerWatch.EVENT;
            // This may be the last round.
            pollIfNoneIsUnfinished();
        } else if (millis > 0) {
            unfinished = HousekeeperThread.QUEUE.remove(millis);
        }
    }

    private void pollIfNoneIsUnfinished() {
        if (unfinished == null) {
            unfinished = HousekeeperThread.QUEUE.poll();
        }
    }

    /** Not at all while anything is left to do. */
    int millisToWait(boolean isWatchOpen) {
        return isBusy() || isTimeMoved ? 0 : Deadlines.millisLeft(millisOfCalm(isWatchOpen));
    }

    /** How long nothing need be looked at. */
    int millisOfCalm(boolean isWatchOpen) {
        boolean isFinding = isWatchOpen && System.nanoTime() - lastFound < TimeUnit.MILLISECONDS.toNanos(LOOKING_MILLIS);
        return isAnyOverdue || isFinding || Closings.isAtWork() ? SOON_MILLIS : KeptPool.mayExpire() ? EVICTING_MILLIS : LOOKING_MILLIS;
    }

    /**
     * Has the engines note all that the watch has seen, so that nobody leases what is known to be closed, and then closes the next few of
     * what was noted. What is closed by peers meanwhile is noted in the next round, before the next few.
     */
    void tellOfClosed() {
        try {
            noteClosed();
        } finally {
            Parting next = partings.poll();
            if (next != null) {
                next.carryOut();
            }
        }
    }

    private void noteClosed() {
        while (nextEvent < endOfEvents) {
            int end = endOfFew(events, nextEvent, endOfEvents);
            KeptPool pool = KeptPool.of(events[nextEvent]);
            // An event may come late, for a pool that is gone.
            if (pool != null) {
                try {
                    pool.noteClosed(events, nextEvent, end, partings, effects);
                } catch (OutOfMemoryError e) {
                    // To be told again later.
                    throw e;
                } catch (Throwable e) {
                    Log.warn(Texts.PEER_CLOSED_FAILED, e);
                }
            }
            nextEvent = end;
        }
    }

    /** Where, of the events from one on, those of its pool end that are told of together. */
    static int endOfFew(int[] events, int from, int to) {
        int most = Math.min(from + FEW * PeerWatch.EVENT, to);
        int end = from + PeerWatch.EVENT;
        while (end < most && events[end] == events[from]) {
            end += PeerWatch.EVENT;
        }
        return end;
    }

    void tidy() {
        // A pool's memory may be freed here, but not before what its engine has noted is carried out.
        while (unfinished != null && partings.isEmpty()) {
            if (unfinished instanceof Collected) {
                lastFound = System.nanoTime();
                try {
                    ((Collected) unfinished).collected(effects);
                } catch (OutOfMemoryError e) {
                    // To be done again later.
                    throw e;
                } catch (Throwable e) {
                    Log.warn(Texts.TIDY_FAILED, e);
                }
            }
            unfinished = HousekeeperThread.QUEUE.poll();
        }
    }

    private void look() {
        long now = System.nanoTime();
        boolean isTimeForAll = isTimeForAll(now);
        if (isTimeForAll || KeptPool.mayExpire()) {
            look(KeptPool.active(), isTimeForAll, now);
        }
    }

    /** Whether it is time to look after those pools, too, of which nothing may have to go by time alone. */
    boolean isTimeForAll(long now) {
        return isTimeMoved || isAnyOverdue || now - lastLook >= TimeUnit.MILLISECONDS.toNanos(LOOKING_MILLIS);
    }

    /** Looks after the pools that are not at rest. */
    void look(List<KeptPool> active, boolean isTimeForAll, long now) {
        if (isTimeForAll) {
            isTimeMoved = false;
            lastLook = now;
            isAnyOverdue = false;
        }
        for (KeptPool pool : active) {
            if (isTimeForAll || pool.evicts()) {
                try {
                    isAnyOverdue |= pool.look(now, effects, numbers);
                } catch (Throwable e) {
                    // What fails for one pool keeps nothing from the others.
                    Log.warn(Texts.LOOK_FAILED, e);
                }
            }
        }
    }
}
