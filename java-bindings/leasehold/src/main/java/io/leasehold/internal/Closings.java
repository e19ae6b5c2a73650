package io.leasehold.internal;

import io.leasehold.Cause;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Closes the connections whose close may wait for their peer, on daemon threads of its own, so that a peer that does not
 * answer delays nobody who leases, releases or waits. One thread closes one connection after the other; as long as all
 * threads wait for peers and there is more to close, the housekeeper starts another one, up to a bound. They end when there
 * was nothing to close for a while, and the housekeeper stays for as long as there are any.
 *
 * <p>A close that takes longer than its bound is cut short: the housekeeper shuts the socket down under it, and the call that
 * waits for the peer fails. The time in the queue counts, so that a crowd of peers that do not answer does not take a
 * second each; what is left then is enough for a goodbye to a peer that does answer. If to shut the socket down does not help,
 * the thread is left to itself, and only when all of them hang in such closes does the queue wait for one to come back.
 */
final class Closings implements Runnable {
    private static final long BOUND = TimeUnit.SECONDS.toNanos(1);
    /** What a close has at least, and after which it is taken to wait for its peer. */
    private static final long GRACE = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long PATIENCE_MILLIS = 500;
    private static final int MOST_WORKERS = 16;

    // Its monitor guards everything here, a worker's fields included. Inside it the housekeeper's may be taken, not the other way round.
    private static final ArrayDeque<Closing> QUEUE = new ArrayDeque<>();
    private static final List<Closings> WORKERS = new ArrayList<>(MOST_WORKERS);

    // What this one closes at present, since when, until when it may take, and whether it was cut short.
    private Closing underWay;
    private long since;
    private long bound;
    private boolean isCutShort;

    private Closings() {}

    /** Has a connection disposed of soon. Whatever is thrown, it was not taken on then. */
    static void add(Disposal disposal, Object connection, Attachment attachment, Cause cause) {
        Closing closing = new Closing(disposal, connection, attachment, cause);
        synchronized (QUEUE) {
            if (!WORKERS.isEmpty() || startFirst()) {
                QUEUE.add(closing);
                QUEUE.notify();
                return;
            }
        }
        // No thread to be had: better late here than never.
        closing.run();
    }

    /** Whether something is being closed, so that it must be looked at from time to time. */
    static boolean isAtWork() {
        synchronized (QUEUE) {
            return !WORKERS.isEmpty();
        }
    }

    /** Sees to closes that take too long. On the housekeeper's thread. */
    static void hurry() {
        synchronized (QUEUE) {
            long now = System.nanoTime();
            boolean isAnyFree = false;
            for (Closings worker : WORKERS) {
                isAnyFree |= worker.underWay == null || now - worker.since < GRACE;
                worker.cutShortIfLate(now);
            }
            if (!isAnyFree && !QUEUE.isEmpty() && WORKERS.size() < MOST_WORKERS) {
                start();
            }
        }
    }

    private void cutShortIfLate(long now) {
        if (underWay != null && !isCutShort && now - since >= bound) {
            isCutShort = true;
            underWay.cutShort();
        }
    }

    private static boolean startFirst() {
        Housekeeper.need();
        boolean isStarted = start();
        if (!isStarted) {
            Housekeeper.needNoMore();
        }
        return isStarted;
    }

    private static boolean start() {
        Closings worker = new Closings();
        WORKERS.add(worker);
        try {
            Daemon.start("leasehold-disposer", worker);
            return true;
        } catch (OutOfMemoryError noThread) {
            WORKERS.remove(worker);
            return false;
        }
    }

    @Override
    public void run() {
        for (Closing next = next(); next != null; next = next()) {
            next.run();
        }
    }

    /** What to close next; null if there is nothing more to do for this thread. */
    private Closing next() {
        synchronized (QUEUE) {
            underWay = null;
            if (QUEUE.isEmpty()) {
                try {
                    QUEUE.wait(PATIENCE_MILLIS);
                } catch (InterruptedException e) {
                    // Nobody has a reason to interrupt this thread; what was queued is closed all the same.
                }
            }
            Closing next = QUEUE.poll();
            if (next == null) {
                WORKERS.remove(this);
                if (WORKERS.isEmpty()) {
                    Housekeeper.needNoMore();
                }
                return null;
            }
            since = System.nanoTime();
            bound = Math.max(GRACE, BOUND - (since - next.queued));
            isCutShort = false;
            underWay = next;
            return next;
        }
    }

    /** One connection to be closed. */
    static final class Closing {
        private static final int NONE = -1;

        final long queued = System.nanoTime();
        private final Disposal disposal;
        private final Object connection;
        private final Attachment attachment;
        private final Cause cause;
        // A second descriptor of the socket while the close is under way. Guarded by this object's monitor.
        private int descriptor = NONE;

        Closing(Disposal disposal, Object connection, Attachment attachment, Cause cause) {
            this.disposal = disposal;
            this.connection = connection;
            this.attachment = attachment;
            this.cause = cause;
        }

        void run() {
            begin();
            try {
                disposal.close(connection, cause);
            } finally {
                end();
            }
        }

        private void begin() {
            if (attachment != null) {
                attachment.doNotLinger();
                synchronized (this) {
                    descriptor = attachment.duplicate();
                }
            }
        }

        private void end() {
            int last;
            synchronized (this) {
                last = descriptor;
                descriptor = NONE;
            }
            // Outside the monitor: it waits, if the application's own close has had the socket linger all the same.
            if (last != NONE) {
                SocketDescriptors.close(last);
            }
        }

        synchronized void cutShort() {
            if (descriptor != NONE) {
                SocketDescriptors.shutdown(descriptor);
            }
        }
    }
}
