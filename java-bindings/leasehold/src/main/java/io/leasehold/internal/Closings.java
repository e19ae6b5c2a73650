package io.leasehold.internal;

import io.leasehold.Cause;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;

/**
 * Closes the connections whose close may wait for their peer, one after the other on a daemon thread of its own, so that a
 * peer that does not answer delays nobody who leases, releases or waits. The thread starts at need and ends when there was
 * nothing to close for a while.
 *
 * <p>A close that takes longer than its bound is cut short: the housekeeper shuts the socket down under it, and the call that
 * waits for the peer fails. If that does not help, another thread goes on with the queue, and the one that hangs ends when
 * its close does. So nothing in the queue is lost, and the housekeeper stays for as long as there is a queue.
 */
final class Closings implements Runnable {
    private static final long BOUND = TimeUnit.SECONDS.toNanos(1);
    private static final long PATIENCE_MILLIS = 500;

    // Its monitor guards everything here. Inside it the housekeeper's may be taken, not the other way round.
    private static final ArrayDeque<Closing> QUEUE = new ArrayDeque<>();
    // Whose thread closes at present; null for none.
    private static Closings current;

    // What this one closes at present, since when, and whether it was cut short.
    private Closing underWay;
    private long since;
    private boolean isCutShort;

    private Closings() {}

    /** Has a connection disposed of soon. */
    static void add(Closing closing) {
        synchronized (QUEUE) {
            QUEUE.add(closing);
            if (current != null) {
                QUEUE.notify();
                return;
            }
            if (startAnother()) {
                Housekeeper.need();
                return;
            }
            QUEUE.removeLast();
        }
        // No thread to be had: better late here than never.
        closing.run();
    }

    /** Whether something is being closed, so that it must be looked at from time to time. */
    static boolean isAtWork() {
        synchronized (QUEUE) {
            return current != null;
        }
    }

    /** Sees to a close that takes too long. On the housekeeper's thread. */
    static void hurry() {
        synchronized (QUEUE) {
            Closings late = current;
            if (late == null || late.underWay == null || System.nanoTime() - late.since < BOUND) {
                return;
            }
            if (!late.isCutShort) {
                late.isCutShort = true;
                late.underWay.cutShort();
            } else {
                startAnother();
            }
        }
    }

    private static boolean startAnother() {
        Closings another = new Closings();
        try {
            Daemon.start("leasehold-disposer", another);
        } catch (OutOfMemoryError noThread) {
            return false;
        }
        current = another;
        return true;
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
            if (current != this) {
                // It took too long, and another has its work.
                return null;
            }
            if (QUEUE.isEmpty()) {
                try {
                    QUEUE.wait(PATIENCE_MILLIS);
                } catch (InterruptedException e) {
                    // Nobody has a reason to interrupt this thread; what was queued is closed all the same.
                }
            }
            underWay = QUEUE.poll();
            if (underWay == null) {
                current = null;
                Housekeeper.needNoMore();
            } else {
                since = System.nanoTime();
                isCutShort = false;
            }
            return underWay;
        }
    }

    /** One connection to be closed. */
    static final class Closing {
        private final PoolState state;
        private final Object connection;
        private final Cause cause;
        // Negative for none. Guarded by this object's monitor.
        private int descriptor;

        Closing(PoolState state, Object connection, Attachment attachment, Cause cause) {
            this.state = state;
            this.connection = connection;
            this.cause = cause;
            descriptor = attachment == null ? -1 : attachment.duplicate();
        }

        void run() {
            try {
                state.dispose(connection, cause);
            } finally {
                synchronized (this) {
                    if (descriptor >= 0) {
                        SocketDescriptors.close(descriptor);
                        descriptor = -1;
                    }
                }
            }
        }

        synchronized void cutShort() {
            if (descriptor >= 0) {
                SocketDescriptors.shutdown(descriptor);
            }
        }
    }
}
