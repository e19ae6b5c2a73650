package io.leasehold.internal;

import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * The daemon thread that looks after all pools of the loaded library: it puts the affairs of collected leases and pools in order,
 * closes what peers have closed, what belongs to a pool that nobody uses and, where that was asked for, what has expired or was idle for
 * long, and logs what the engine has to say.
 *
 * <p><b>When it is there.</b> A running thread keeps its class loader from being unloaded, and with that an application whose pool is in a
 * static field. So it is there only while some pool has something: an open connection, or one being opened, or somebody who waits. A pool
 * that has had nothing for a second is at {@linkplain Charge#rest rest}, and the thread ends with the last that is not. Whoever leases
 * from a pool at rest, or gives something back to it, {@linkplain Charge#resume wakes} it, and the thread comes back. Of the two, each
 * makes known what it does before it looks at what the other has done: the lease is in the engine's numbers before its thread reads
 * {@link PoolState#isResting}, and that was set a look before the engine's numbers are read for the last time.
 *
 * <p><b>What it survives.</b> All errors, thrown anywhere in its work, want of memory among them. What it has to do is in fields, and is
 * taken off only when it is done; what was cut off is done again after a pause. If the thread dies all the same it starts another one in
 * its place, and if that fails whoever leases next does, unless an idle connection is there at once.
 *
 * <p>It waits for the collector, or, as soon as a socket is watched, for the watch. Nothing waits for both at once, so it looks up every
 * second; more often as long as there is something to expire or to hurry.
 *
 * <p>It alone frees the memory of pools, so what it does to a pool before that needs nothing to keep the pool
 * reachable. Of a pool at rest it knows nothing but what it takes to free that memory.
 */
final class Housekeeper implements Runnable {
    /** Where the collector puts {@link Collected} references. */
    static final ReferenceQueue<Object> QUEUE = new ReferenceQueue<>();

    // How long it waits at most: while connections are being closed whose close may take too long, while any may expire, and otherwise.
    private static final int CLOSING_MILLIS = 50;
    private static final int EVICTING_MILLIS = 250;
    private static final int LOOKING_MILLIS = 1000;
    /** How many connections that peers have closed are closed here before it looks up again. */
    private static final int FEW = 16;
    /** What a token has room for: the largest number of a pool. */
    private static final int MOST_NUMBER = (1 << 28) - 2;

    // The steps of a round. If one fails the others are done all the same.
    private static final int TELL = 0;
    private static final int TIDY = 1;
    private static final int LOOK = 2;
    private static final int HURRY = 3;
    private static final int KEEP = 4;
    private static final int LOG = 5;
    private static final int STEPS = 6;

    // Guarded by the class's monitor: the pools whose memory is not freed yet, by their numbers, which keeps their references
    // reachable; those of them that are not at rest; how many of those evict; how many others need the thread; the last number given;
    // whether what the thread needs is loaded. The thread is read outside the monitor, too.
    private static final Map<Integer, Charge> CHARGES = new HashMap<>();
    private static final Set<Charge> ACTIVE = new LinkedHashSet<>();
    private static int evicting;
    private static int others;
    private static int lastNumber;
    private static boolean isPrepared;
    private static volatile Thread thread;

    /** Who does the work: one thread after the other, each of which finds what the one before has left. */
    private static final Housekeeper KEEPER = new Housekeeper();

    // Written by who moves a clock on, and by the housekeeper's thread.
    private static volatile boolean isTimeMoved;

    // All the rest is the thread's own. Where the next call's effects are put, and a pool's numbers.
    private final long[] effects = Effects.array();
    private final int[] numbers = new int[3];
    // What the watch has seen, from the next one to be told of to the end of them.
    private final int[] events = new int[IdleWatch.EVENTS];
    private int nextEvent;
    private int endOfEvents;
    // What came of that, a few connections at a time. Not in an array, which memory may be too short to make longer.
    private final Queue<Parting> partings = new LinkedList<>();
    // Out of the queue, and not yet done with; or null.
    private Reference<?> unfinished;
    // When all pools were looked at, and whether a request has an answer then that nobody was told.
    private long lastLook = System.nanoTime();
    private boolean isAnyOverdue;

    private Housekeeper() {}

    /** Takes charge of a new pool, which is at rest. If it throws, it has not. */
    static synchronized Charge take(NativePool pool, PoolState state) {
        prepare();
        do {
            lastNumber = lastNumber < MOST_NUMBER ? lastNumber + 1 : 1;
        } while (CHARGES.containsKey(lastNumber));
        Charge charge = new Charge(pool, state, lastNumber);
        // From here on the pool's memory is freed by the housekeeper; before, by whoever failed to make the pool.
        CHARGES.put(lastNumber, charge);
        return charge;
    }

    /**
     * Loads what the thread needs, while that is possible: an undeployed application's class loader gives nothing more, not even what is
     * the platform's.
     */
    private static void prepare() {
        if (!isPrepared) {
            Preparation.load();
            isPrepared = true;
        }
    }

    /** Has the thread stay until {@link #needNoMore} was called as often. */
    static synchronized void need() {
        if (isThere()) {
            wake();
        } else {
            start();
        }
        others++;
    }

    static synchronized void needNoMore() {
        others--;
    }

    /** Whether the thread is alive. */
    static boolean isThere() {
        Thread last = thread;
        return last != null && last.isAlive();
    }

    /** Whether this is its thread. */
    static boolean isCurrent() {
        return Thread.currentThread() == thread;
    }

    private static void start() {
        thread = Daemon.start("leasehold-housekeeper", KEEPER);
    }

    /** A clock was moved on, by which something may expire. */
    static void timeMoved() {
        isTimeMoved = true;
        wake();
    }

    /** Has the thread look up, if it is there, to see what has changed. */
    static void wake() {
        if (isThere()) {
            // Something to find in the queue.
            new WeakReference<>(QUEUE, QUEUE).enqueue();
            if (IdleWatch.isOpen()) {
                IdleWatch.wake();
            }
        }
    }

    @Override
    public void run() {
        boolean isOver = false;
        try {
            while (!isOver) {
                isOver = !round();
            }
        } finally {
            if (!isOver) {
                replace();
            }
        }
    }

    /** The thread dies of what it could not catch. */
    private static synchronized void replace() {
        thread = null;
        start();
    }

    /** Waits for something to do and does it; false if nobody needs the thread any more. */
    private boolean round() {
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
            return isNeeded();
        } catch (Throwable e) {
            return true;
        }
    }

    /** Lets the others have the time, and the memory, that it takes to go on; never throws. */
    static void pause() {
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

    private boolean isNeeded() {
        synchronized (Housekeeper.class) {
            if (!ACTIVE.isEmpty() || others > 0 || isBusy()) {
                return true;
            }
            thread = null;
            return false;
        }
    }

    /** Whether something was begun and not ended. */
    private boolean isBusy() {
        return unfinished != null || nextEvent < endOfEvents || !partings.isEmpty();
    }

    /** Waits for what the watch sees or the collector finds. */
    private void await() throws InterruptedException {
        int millis = isBusy() || isTimeMoved ? 0 : Deadlines.millisLeft(millisOfCalm());
        boolean isWatchOpen = IdleWatch.isOpen();
        if (unfinished == null) {
            unfinished = isWatchOpen || millis == 0 ? QUEUE.poll() : QUEUE.remove(millis);
        }
        if (isWatchOpen && nextEvent == endOfEvents) {
            nextEvent = 0;
            endOfEvents = 0;
            endOfEvents = IdleWatch.await(unfinished == null ? millis : 0, events) * IdleWatch.EVENT;
            if (unfinished == null) {
                unfinished = QUEUE.poll();
            }
        }
    }

    /** How long nothing need be looked at. */
    private int millisOfCalm() {
        return isAnyOverdue || Closings.isAtWork() ? CLOSING_MILLIS : mayExpire() ? EVICTING_MILLIS : LOOKING_MILLIS;
    }

    private static synchronized boolean mayExpire() {
        return evicting > 0;
    }

    /**
     * Has the engines note all that the watch has seen, so that nobody leases what is known to be closed, and then closes the next few of
     * what was noted. What is closed by peers meanwhile is noted in the next round, before the next few.
     */
    private void tellOfClosed() {
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
            int end = endOfFew();
            Charge charge = charge(events[nextEvent]);
            // An event may come late, for a pool that is gone.
            if (charge != null) {
                try {
                    charge.noteClosed(events, nextEvent, end, partings, effects);
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

    /** Where the next events of one pool end that are told of together. */
    private int endOfFew() {
        int most = Math.min(nextEvent + FEW * IdleWatch.EVENT, endOfEvents);
        int end = nextEvent + IdleWatch.EVENT;
        while (end < most && events[end] == events[nextEvent]) {
            end += IdleWatch.EVENT;
        }
        return end;
    }

    private static synchronized Charge charge(int number) {
        return CHARGES.get(number);
    }

    private void tidy() {
        // A pool's memory may be freed here, but not before what its engine has noted is carried out.
        while (unfinished != null && partings.isEmpty()) {
            if (unfinished instanceof Collected) {
                try {
                    ((Collected) unfinished).collected(effects);
                } catch (OutOfMemoryError e) {
                    // To be done again later.
                    throw e;
                } catch (Throwable e) {
                    Log.warn(Texts.TIDY_FAILED, e);
                }
            }
            unfinished = QUEUE.poll();
        }
    }

    /** Looks after the pools that are not at rest. */
    private void look() {
        long now = System.nanoTime();
        boolean isTimeForAll = isTimeMoved || isAnyOverdue || now - lastLook >= TimeUnit.MILLISECONDS.toNanos(LOOKING_MILLIS);
        if (!isTimeForAll && !mayExpire()) {
            return;
        }
        List<Charge> active = active();
        if (isTimeForAll) {
            isTimeMoved = false;
            lastLook = now;
            isAnyOverdue = false;
        }
        for (Charge charge : active) {
            if (isTimeForAll || charge.evicts) {
                try {
                    isAnyOverdue |= charge.look(now, effects, numbers);
                } catch (Throwable e) {
                    // What fails for one pool keeps nothing from the others.
                    Log.warn(Texts.LOOK_FAILED, e);
                }
            }
        }
    }

    private static synchronized List<Charge> active() {
        return new ArrayList<>(ACTIVE);
    }

    /** What a pool has to do for connections that their peers have closed, now that its engine has noted it. */
    static final class Parting {
        private final long[] effects = Effects.array();
        private final NativePool pool;

        private Parting(NativePool pool) {
            this.pool = pool;
        }

        /** A new one that was added; null if there is no memory for it. */
        static Parting addTo(Queue<Parting> partings, NativePool pool) {
            try {
                Parting added = new Parting(pool);
                partings.add(added);
                return added;
            } catch (OutOfMemoryError e) {
                return null;
            }
        }

        void carryOut() {
            pool.carryOut(effects);
        }
    }

    /** A pool in the housekeeper's care. A phantom reference, so that finalizers which use the pool come first. */
    static final class Charge extends PhantomReference<Object> implements Collected {
        /** How long a pool must have had nothing to be at rest. Not at once, as the thread of a busy pool is not to come and go. */
        private static final long LINGER = TimeUnit.SECONDS.toNanos(1);

        /** Its number in the watch. */
        final int number;

        private final long address;
        private final boolean evicts;
        private final WeakReference<PoolState> known;
        // Guarded by the housekeeper's monitor: what Java knows of the pool, unless it is at rest, when nothing of ours may lead to it.
        private PoolState state;
        // The housekeeper's thread's own: since when the pool has had nothing; when it was seen to be used, and looked at for that, both in
        // the pool's time; whether its memory was freed.
        private long emptySince;
        private long usedAt;
        private long askedAt;
        private boolean freed;

        private Charge(NativePool pool, PoolState state, int number) {
            super(pool, QUEUE);
            this.number = number;
            address = pool.address;
            evicts = state.constants.evicts();
            known = new WeakReference<>(state);
        }

        /**
         * The pool is in use, and needs the thread. Called with the pool's state, by whoever has just put something into a pool whose state
         * says that it rests, or whose thread has died. If it throws, the next one who does so tries again.
         */
        void resume(PoolState state) {
            synchronized (Housekeeper.class) {
                if (!isThere()) {
                    start();
                } else if (evicts) {
                    wake();
                }
                if (ACTIVE.add(this) && evicts) {
                    evicting++;
                }
                this.state = state;
                state.isResting = false;
            }
        }

        /** The pool needs the thread no more; its memory is freed when it is collected, by the thread of a later pool if need be. */
        private void rest() {
            state = null;
            if (ACTIVE.remove(this) && evicts) {
                evicting--;
            }
        }

        boolean isFreed() {
            return freed;
        }

        /** What Java knows of the pool; null if nobody knows it any more. */
        private PoolState state() {
            synchronized (Housekeeper.class) {
                return state != null ? state : known.get();
            }
        }

        /**
         * Has the engine note what peers have closed: what is idle of it nobody leases any more, what is leased is closed at its release.
         * What it brings about comes to the partings; while there is no memory for that, it is carried out here.
         */
        private void noteClosed(int[] events, int from, int to, Queue<Parting> partings, long[] spare) {
            PoolState state = freed ? null : state();
            if (state == null) {
                return;
            }
            NativePool pool = state.ours;
            // In its place before the engine decides anything that must not be lost.
            Parting parting = Parting.addTo(partings, pool);
            if (parting != null) {
                pool.peersClosed(pool.address, events, from, to, parting.effects);
            } else {
                pool.peersClosed(pool.address, events, from, to, spare);
                pool.carryOut(spare);
            }
        }

        /**
         * Closes what is to be closed without a call, looks after requests, and sees whether the pool needs the thread.
         *
         * @return whether a request is to be looked after again soon
         */
        private boolean look(long now, long[] effects, int[] numbers) {
            PoolState state = freed ? null : state();
            if (state == null) {
                return false;
            }
            boolean isAnyOverdue = false;
            // Not by a function: on the housekeeper's thread there may be no class loader left to make it.
            for (HookedRequest request : state.requests) {
                isAnyOverdue |= request.lookAfter(effects);
            }
            NativePool pool = state.ours;
            pool.upkeep.evict(effects);
            boolean isUnused = isUnused(state);
            if (isUnused) {
                pool.upkeep.closeIdle(state.constants.unusedMillis, effects);
            }
            pool.stats(pool.address, numbers);
            boolean isLeased = numbers[0] > 0;
            boolean isIdleOrPending = numbers[1] > 0 || numbers[2] > 0;
            settle(state, isIdleOrPending || isLeased && !isUnused || !state.requests.isEmpty(), now);
            return isAnyOverdue;
        }

        /** Twice in a row without need, the second time after having said so for a while, and the pool is at rest. */
        private void settle(PoolState state, boolean isInNeed, long now) {
            synchronized (Housekeeper.class) {
                if (isInNeed) {
                    state.isResting = false;
                } else if (!state.isResting) {
                    state.isResting = true;
                    emptySince = now;
                } else if (now - emptySince >= LINGER) {
                    rest();
                }
            }
        }

        /** Whether no lease has begun or ended for as long as the setting says. */
        private boolean isUnused(PoolState state) {
            long limit = state.constants.unusedMillis;
            if (limit == 0) {
                return false;
            }
            long time = state.millis();
            boolean isDue = time - usedAt >= limit;
            // To ask takes time in proportion to the connections.
            if (isDue || time - askedAt >= limit / 16) {
                askedAt = time;
                if (state.wasUsed()) {
                    usedAt = time;
                    isDue = false;
                }
            }
            return isDue;
        }

        @Override
        public void collected(long[] effects) {
            if (freed) {
                return;
            }
            PoolState last = state();
            if (last != null) {
                last.endLeases(effects);
            }
            // Before it is freed: who goes through the pools finds it no more.
            synchronized (Housekeeper.class) {
                rest();
                CHARGES.remove(number);
            }
            freed = true;
            try {
                if (last != null) {
                    last.poolCollected(effects);
                }
            } finally {
                Engine.free(address);
            }
        }
    }
}
