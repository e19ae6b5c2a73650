package io.leasehold.internal.housekeeping;

import io.leasehold.internal.natives.PeerWatch;
import io.leasehold.internal.sockets.IdleWatch;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;

/**
 * The housekeeper's thread: when it is there, and what it is woken by. What it does, {@link Housekeeper} says.
 *
 * <p>A running thread keeps its class loader from being unloaded, and with that an application whose pool is in a static field. So it is
 * there only while somebody needs it: pools that have something, and connections that are being closed. Who comes to need it counts himself
 * and then has it started, if it is not there; and it ends only after it has seen, inside the monitor, that nobody does.
 *
 * <p>If the thread dies of what it could not catch it starts another one in its place, and if that fails whoever needs it next does.
 */
public final class HousekeeperThread implements Runnable {
    /** Where the collector puts {@link Collected} references. */
    static final ReferenceQueue<Object> QUEUE = new ReferenceQueue<>();

    /** What the thread does, in rounds. */
    interface Work {
        /** Waits for something to do and does it. */
        void round();

        /** Whether something was begun and not ended. */
        boolean isBusy();
    }

    // ----- guarded by the class's monitor, which may be taken with that of the disposers held, not the other way round -----
    // How many need the thread, which is written without a call by who has something else to record in the same moment; what it does, set
    // before anybody can.
    static int needs;
    static Work work;

    // ----- written inside the monitor, read by anybody -----
    // Race window: the thread may end, or die, after it was seen to be there. It is harmless because who needs it counts as such first, and
    // the thread ends only after it has seen that nobody does; if it dies, the next one who needs it starts another.
    private static volatile Thread thread;

    /** Who runs: one thread after the other. */
    private static final HousekeeperThread KEEPER = new HousekeeperThread();

    private HousekeeperThread() {}

    /** Says what the thread does, before anybody needs it. */
    static synchronized void does(Work work) {
        HousekeeperThread.work = work;
    }

    /** Has the thread stay until {@link #needNoMore} was called as often. If it throws, it need not. */
    static synchronized void need() {
        if (isThere()) {
            wake();
        } else {
            start();
        }
        needs++;
    }

    static synchronized void needNoMore() {
        needs--;
    }

    /**
     * Whether the thread is alive.
     *
     * @return true if it is
     */
    public static boolean isThere() {
        Thread last = thread;
        return last != null && last.isAlive();
    }

    /**
     * Whether this is its thread.
     *
     * @return true if it is
     */
    public static boolean isCurrent() {
        return Thread.currentThread() == thread;
    }

    /** Starts the thread. Inside the monitor. */
    static void start() {
        // Known before it runs: a caller whose stack ends in the middle of this leaves no thread that the next one would not know of. One
        // that could not be started is not alive.
        thread = Daemon.make("leasehold-housekeeper", KEEPER);
        thread.start();
    }

    /** Has the thread look up, if it is there, to see what has changed. */
    public static void wake() {
        if (isThere()) {
            // Something to find in the queue.
            new WeakReference<>(QUEUE, QUEUE).enqueue();
            if (IdleWatch.isOpen()) {
                PeerWatch.end();
            }
        }
    }

    @Override
    public void run() {
        boolean isOver = false;
        try {
            while (!isOver) {
                work.round();
                isOver = isOver();
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

    private static boolean isOver() {
        try {
            synchronized (HousekeeperThread.class) {
                if (needs > 0 || work.isBusy()) {
                    return false;
                }
                thread = null;
                return true;
            }
        } catch (Throwable e) {
            return false;
        }
    }
}
