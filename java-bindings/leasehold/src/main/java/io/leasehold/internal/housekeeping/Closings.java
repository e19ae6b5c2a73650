package io.leasehold.internal.housekeeping;

import io.leasehold.internal.log.Log;
import io.leasehold.internal.log.Texts;
import java.util.ArrayList;
import java.util.LinkedList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;

/**
 * Closes the connections whose close may wait for their peer, on daemon threads of its own, so that a peer that does not answer delays
 * nobody who leases, releases or waits; and calls the hooks that are nobody else's to call, which may hang, too. One thread closes one
 * connection after the other; as long as all threads wait for peers and there is more to close, the housekeeper starts another one: at once
 * up to a number, and then one a second. They end when there was nothing to close for a while, and the housekeeper stays for as long as
 * there are any, or anything to close.
 *
 * <p>A close that takes longer than its bound is cut short: the housekeeper shuts the socket down under it, and the call that
 * waits for the peer fails. Where the socket's descriptor is not known, reads on it are bounded before it is closed. The time in the queue
 * counts, so that a crowd of peers that do not answer does not take a second each; what is left then is enough for a goodbye to a peer that
 * does answer. If neither helps, the thread is left to itself, and others take its place.
 *
 * <p>Whatever is thrown by a connection, its socket or a disposer, the thread goes on to the next. A thread that could not be started, or
 * has died all the same, is replaced by the housekeeper.
 */
public final class Closings implements Runnable {
    /** What a close may take before it is cut short, the time in the queue included. */
    public static final long BOUND = TimeUnit.SECONDS.toNanos(1);
    /** What a close has at least, and after which it is taken to wait for its peer. */
    private static final long GRACE = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long PATIENCE_MILLIS = 500;
    /** How many threads there are before the next one has to wait. */
    private static final int MANY_WORKERS = 16;

    // ----- guarded by the queue's monitor, a worker's fields included -----
    // Inside it the housekeeper's may be taken, not the other way round.
    private static final Queue<Task> QUEUE = new LinkedList<>();
    private static final List<Closings> WORKERS = new ArrayList<>(MANY_WORKERS);
    // Whether the housekeeper was told to stay, and when the last thread was started.
    private static boolean isAtWork;
    private static long lastStart;

    // Its thread; what this one closes at present, since when, until when it may take, and whether it was cut short.
    private Thread thread;
    private Task underWay;
    private long since;
    private long bound;
    private boolean isCutShort;

    private Closings() {}

    /**
     * Has something done soon. Whatever is thrown, it was not taken on then.
     *
     * @param task what is to be done
     */
    public static void add(Task task) {
        synchronized (QUEUE) {
            if (!isAtWork) {
                HousekeeperThread.need();
                isAtWork = true;
            }
            QUEUE.add(task);
            if (WORKERS.isEmpty()) {
                start();
            }
            QUEUE.notify();
        }
    }

    /** Whether something is being closed, so that it must be looked at from time to time. */
    static boolean isAtWork() {
        synchronized (QUEUE) {
            return isAtWork;
        }
    }

    /** Sees to closes that take too long, and to threads that are not there. On the housekeeper's thread. */
    static void hurry() {
        synchronized (QUEUE) {
            if (!isAtWork) {
                return;
            }
            long now = System.nanoTime();
            boolean isAnyFree = false;
            for (int i = WORKERS.size() - 1; i >= 0; i--) {
                Closings worker = WORKERS.get(i);
                // None, if its start failed for want of stack.
                if (worker.thread == null || !worker.thread.isAlive()) {
                    WORKERS.remove(i);
                    continue;
                }
                isAnyFree |= worker.underWay == null || now - worker.since < GRACE;
                worker.cutShortIfLate(now);
            }
            if (!QUEUE.isEmpty() && !isAnyFree && (WORKERS.size() < MANY_WORKERS || now - lastStart >= BOUND)) {
                start();
            }
            endIfDone();
        }
    }

    private void cutShortIfLate(long now) {
        if (underWay != null && !isCutShort && now - since >= bound) {
            isCutShort = true;
            underWay.cutShort();
        }
    }

    /** Starts another thread; if that cannot be had, the housekeeper tries again. */
    private static void start() {
        try {
            Closings worker = new Closings();
            WORKERS.add(worker);
            try {
                worker.thread = Daemon.start("leasehold-disposer", worker);
                lastStart = System.nanoTime();
            } finally {
                if (worker.thread == null) {
                    WORKERS.remove(worker);
                }
            }
        } catch (Throwable e) {
            Log.warn(Texts.NO_THREAD, e);
        }
    }

    private static void endIfDone() {
        if (isAtWork && WORKERS.isEmpty() && QUEUE.isEmpty()) {
            isAtWork = false;
            HousekeeperThread.needNoMore();
        }
    }

    @Override
    public void run() {
        while (closeNext()) {}
    }

    /** Closes one connection; false if there is nothing more to do for this thread. */
    private boolean closeNext() {
        try {
            Task next = next();
            if (next == null) {
                return false;
            }
            // The one before may have left its mark.
            Thread.interrupted();
            next.run();
        } catch (Throwable e) {
            // What it was about to close is closed, or was not taken.
        }
        return true;
    }

    /** What to close next; null if there is nothing more to do for this thread. */
    private Task next() {
        synchronized (QUEUE) {
            underWay = null;
            if (QUEUE.isEmpty()) {
                try {
                    QUEUE.wait(PATIENCE_MILLIS);
                } catch (InterruptedException e) {
                    // Nobody has a reason to interrupt this thread; what was queued is closed all the same.
                }
            }
            Task next = QUEUE.poll();
            if (next == null) {
                WORKERS.remove(this);
                endIfDone();
                return null;
            }
            since = System.nanoTime();
            bound = Math.max(GRACE, BOUND - (since - next.queued));
            isCutShort = false;
            underWay = next;
            return next;
        }
    }

    /** What one of the threads does. */
    public abstract static class Task {
        private final long queued = System.nanoTime();

        /** Made when it is to be done. */
        protected Task() {}

        /** Does it, on one of the threads. Whatever it throws, the thread goes on. */
        protected abstract void run();

        /** It takes too long. */
        protected void cutShort() {}
    }
}
