package io.leasehold.internal;

import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.lang.reflect.Constructor;
import java.util.HashSet;
import java.util.Set;

/**
 * The one daemon thread of the loaded library: it puts the affairs of collected leases and pools in order. It starts
 * with the first pool and ends with the last, for a running thread keeps its class loader from being unloaded.
 *
 * <p>It alone frees the memory of pools, so what it does to a pool before that needs nothing to keep the pool
 * reachable.
 */
final class Housekeeper implements Runnable {
    /** Where the collector puts {@link Collected} references. */
    static final ReferenceQueue<Object> QUEUE = new ReferenceQueue<>();

    // Guarded by the class's monitor: the pools whose memory is not freed yet, which keeps their references reachable;
    // how many of them still need the thread; and the thread.
    private static final Set<Charge> CHARGES = new HashSet<>();
    private static int needing;
    private static Thread thread;

    private Housekeeper() {}

    /** Takes charge of a pool that is about to be made. */
    static synchronized Charge take(NativePool pool, PoolState state) {
        Charge charge = new Charge(pool, state);
        if (thread == null) {
            Thread started = newThread(new Housekeeper());
            started.setDaemon(true);
            // It belongs to no application, and must keep none's class loader.
            started.setContextClassLoader(null);
            started.start();
            thread = started;
        }
        CHARGES.add(charge);
        needing++;
        return charge;
    }

    @Override
    public void run() {
        for (;;) {
            try {
                Reference<?> reference = QUEUE.remove();
                if (reference instanceof Collected) {
                    ((Collected) reference).collected();
                }
            } catch (InterruptedException e) {
                // Nobody has a reason to interrupt this thread; it ends when its last pool does.
            } catch (Throwable e) {
                Log.warn("the housekeeper failed to clean up after a lease or pool", e);
            }
            synchronized (Housekeeper.class) {
                if (needing == 0) {
                    thread = null;
                    return;
                }
            }
        }
    }

    /**
     * Without the maker's inheritable thread locals where the JDK (9 and later) can do that: they may hold its class
     * loader.
     */
    private static Thread newThread(Runnable task) {
        String name = "leasehold-housekeeper";
        try {
            Constructor<Thread> plain = Thread.class.getConstructor(
                    ThreadGroup.class, Runnable.class, String.class, long.class, boolean.class);
            return plain.newInstance(null, task, name, 0L, false);
        } catch (ReflectiveOperationException e) {
            return new Thread(task, name);
        }
    }

    /** A pool in the housekeeper's care. A phantom reference, so that finalizers which use the pool come first. */
    static final class Charge extends PhantomReference<Object> implements Collected {
        private final PoolState state;
        // Written once, before the pool is published.
        private long address;
        // Guarded by the housekeeper's monitor.
        private boolean ended;
        // Written and read by the housekeeper's thread only.
        private boolean freed;

        Charge(NativePool pool, PoolState state) {
            super(pool, QUEUE);
            this.state = state;
        }

        /** The pool was made, or could not be. */
        void begin(long address) {
            this.address = address;
            if (address == 0) {
                end();
                synchronized (Housekeeper.class) {
                    CHARGES.remove(this);
                }
            }
        }

        /**
         * The pool needs the thread no more; its memory is freed when it is collected, by the thread of a later pool if
         * need be.
         */
        void end() {
            synchronized (Housekeeper.class) {
                if (!ended) {
                    ended = true;
                    if (--needing == 0) {
                        // Something for the thread to find in the queue, so that it looks up.
                        new WeakReference<>(this, QUEUE).enqueue();
                    }
                }
            }
        }

        boolean isFreed() {
            return freed;
        }

        NativePool pool() {
            return new NativePool(state, address);
        }

        @Override
        public void collected() {
            try {
                state.poolCollected();
            } finally {
                freed = true;
                end();
                synchronized (Housekeeper.class) {
                    CHARGES.remove(this);
                }
            }
        }
    }
}
