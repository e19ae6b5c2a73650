package io.leasehold.internal;

import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The daemon thread that looks after all pools of the loaded library: it puts the affairs of collected leases and pools in order,
 * closes what peers have closed and, where that was asked for, what has expired or was idle for long, and logs what the engine has
 * to say. It starts with the first pool and ends with the last, for a running thread keeps its class loader from being unloaded.
 *
 * <p>It waits for the collector, or, as soon as a socket is watched, for the watch. Nothing waits for both at once, so from then on it
 * looks up every second for what was collected; more often as long as there is something to expire or to hurry.
 *
 * <p>It alone frees the memory of pools, so what it does to a pool before that needs nothing to keep the pool
 * reachable.
 */
final class Housekeeper implements Runnable {
    /** Where the collector puts {@link Collected} references. */
    static final ReferenceQueue<Object> QUEUE = new ReferenceQueue<>();

    // How long it waits at most: while connections are being closed whose close may take too long, while any may expire, and otherwise.
    private static final int CLOSING_MILLIS = 50;
    private static final int EVICTING_MILLIS = 250;
    private static final int COLLECTING_MILLIS = 1000;
    private static final int NO_END = 0;
    /** What a token has room for: the largest number of a pool. */
    private static final int MOST_NUMBER = (1 << 28) - 2;

    // Guarded by the class's monitor: the pools whose memory is not freed yet, by their numbers, which keeps their references
    // reachable; those of them that evict; how many pools and others still need the thread; the last number given; the thread.
    private static final Map<Integer, Charge> CHARGES = new HashMap<>();
    private static final Set<Charge> EVICTING = new LinkedHashSet<>();
    private static int needing;
    private static int lastNumber;
    private static Thread thread;

    static {
        // Loaded now: an application's class loader may be closed while the thread still has work to do.
        IdleWatch.isOpen();
        Closings.isAtWork();
        EngineLog.drain();
        load(Closings.Closing.class, Listing.class, Listing.Item.class);
    }

    private final int[] events = new int[IdleWatch.EVENTS];

    private Housekeeper() {}

    /** Loads classes, which to name them does. */
    private static void load(Class<?>... named) {}

    /** Takes charge of a new pool. If it throws, it has not. */
    static synchronized Charge take(NativePool pool, PoolState state) {
        do {
            lastNumber = lastNumber < MOST_NUMBER ? lastNumber + 1 : 1;
        } while (CHARGES.containsKey(lastNumber));
        Charge charge = new Charge(pool, state, lastNumber);
        boolean isTaken = false;
        try {
            // The housekeeper's reference first: without it the pool's memory is freed by whoever failed to make the pool.
            CHARGES.put(lastNumber, charge);
            charge.resume();
            isTaken = true;
            return charge;
        } finally {
            if (!isTaken) {
                CHARGES.remove(lastNumber);
                charge.end();
            }
        }
    }

    /** Has the thread stay until {@link #needNoMore} was called as often. */
    static synchronized void need() {
        if (thread == null) {
            thread = Daemon.start("leasehold-housekeeper", new Housekeeper());
        } else {
            wake();
        }
        needing++;
    }

    static synchronized void needNoMore() {
        if (--needing == 0) {
            wake();
        }
    }

    /** Has the thread look up, to see what has changed. */
    static void wake() {
        // Something to find in the queue.
        new WeakReference<>(QUEUE, QUEUE).enqueue();
        if (IdleWatch.isOpen()) {
            IdleWatch.wake();
        }
    }

    @Override
    public void run() {
        do {
            try {
                tidy(next());
                for (Charge charge : evicting()) {
                    charge.evict();
                }
                Closings.hurry();
                EngineLog.drain();
            } catch (InterruptedException e) {
                // Nobody has a reason to interrupt this thread; it ends when its last pool does.
            } catch (Throwable e) {
                Log.warn("the housekeeper failed at its work, which goes on", e);
                pause();
            }
        } while (isNeeded());
    }

    /** What failed once may fail every time. */
    private static void pause() {
        try {
            Thread.sleep(COLLECTING_MILLIS);
        } catch (InterruptedException e) {
            // As above.
        }
    }

    private static synchronized boolean isNeeded() {
        if (needing == 0) {
            thread = null;
        }
        return needing > 0;
    }

    private static synchronized List<Charge> evicting() {
        return new ArrayList<>(EVICTING);
    }

    /** Waits, and tells pools what the watch has seen; the first of what was collected, or null. */
    private Reference<?> next() throws InterruptedException {
        boolean isWatchOpen = IdleWatch.isOpen();
        int millis = Closings.isAtWork() ? CLOSING_MILLIS
                : !evicting().isEmpty() ? EVICTING_MILLIS
                : isWatchOpen ? COLLECTING_MILLIS : NO_END;
        if (!isWatchOpen) {
            return QUEUE.remove(millis);
        }
        Reference<?> collected = QUEUE.poll();
        int seen = IdleWatch.await(collected == null ? millis : 0, events);
        for (int i = 0; i < seen * IdleWatch.EVENT; i += IdleWatch.EVENT) {
            Charge charge = charge(events[i]);
            // An event may come late, for a pool that is gone.
            if (charge != null) {
                charge.peerClosed(events[i + 1], events[i + 2]);
            }
        }
        return collected != null ? collected : QUEUE.poll();
    }

    private static synchronized Charge charge(int number) {
        return CHARGES.get(number);
    }

    private static void tidy(Reference<?> first) {
        for (Reference<?> reference = first; reference != null; reference = QUEUE.poll()) {
            if (reference instanceof Collected) {
                try {
                    ((Collected) reference).collected();
                } catch (Throwable e) {
                    Log.warn("the housekeeper failed to clean up after a lease or pool", e);
                }
            }
        }
    }

    /** A pool in the housekeeper's care. A phantom reference, so that finalizers which use the pool come first. */
    static final class Charge extends PhantomReference<Object> implements Collected {
        /** Its number in the watch. */
        final int number;

        private final PoolState state;
        // The pool's engine under an object of the housekeeper's own.
        private final NativePool pool;
        // Guarded by the housekeeper's monitor.
        private boolean ended = true;
        // Written and read by the housekeeper's thread only.
        private boolean freed;

        private Charge(NativePool pool, PoolState state, int number) {
            super(pool, QUEUE);
            this.state = state;
            this.number = number;
            this.pool = new NativePool(state, pool.address);
        }

        /**
         * The pool needs the thread no more, or not until it is {@linkplain #resume in use} again; its memory is freed when it is
         * collected, by the thread of a later pool if need be.
         */
        void end() {
            synchronized (Housekeeper.class) {
                if (!ended) {
                    ended = true;
                    EVICTING.remove(this);
                    needNoMore();
                }
            }
        }

        /** As {@link #end}, if the pool is still winding down and has nothing any more. */
        void endIfEmpty() {
            // One after the other with resume, which the pool that is asked here may just be about to call.
            synchronized (Housekeeper.class) {
                if (!ended && state.isWindingDown() && pool.isEmpty()) {
                    end();
                }
            }
        }

        /** The pool is in use, and needs the thread again. */
        void resume() {
            synchronized (Housekeeper.class) {
                if (ended) {
                    need();
                    ended = false;
                    if (state.constants.evicts()) {
                        EVICTING.add(this);
                    }
                }
                state.quiet = false;
            }
        }

        boolean isFreed() {
            return freed;
        }

        NativePool pool() {
            return pool;
        }

        // What fails for one pool keeps nothing from the others, and no event comes twice.

        private void peerClosed(int slot, int opening) {
            try {
                pool.upkeep.peerClosed(slot, opening);
            } catch (Throwable e) {
                Log.warn("the housekeeper failed to close what a peer had closed", e);
            }
        }

        private void evict() {
            try {
                if (!freed) {
                    pool.upkeep.evict();
                }
            } catch (Throwable e) {
                Log.warn("the housekeeper failed to close what has expired or was idle for long", e);
            }
        }

        @Override
        public void collected() {
            try {
                state.poolCollected();
            } finally {
                freed = true;
                end();
                synchronized (Housekeeper.class) {
                    CHARGES.remove(number);
                }
            }
        }
    }
}
