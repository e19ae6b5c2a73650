package io.leasehold;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * The threads that wait until a pool has come to its end. Who may have brought that about tells them, having done it; who waits makes
 * itself known before it looks. So one of the two sees the other, and a look every second makes up for who told nobody, for want of stack,
 * say.
 *
 * <p>Race window: who tells may unpark a thread that waits no longer. It is harmless because whoever parks looks again.
 */
final class Termination {
    private static final long SLICE = TimeUnit.SECONDS.toNanos(1);

    // ----- written inside this object's monitor, once, by the first thread that waits -----
    // Few pools are ever waited for, and what a pool leaves behind when it is collected should be little.
    private volatile Set<Thread> waiting;

    Termination() {}

    /** Something has ended: whoever waits is to look. */
    void tell() {
        Set<Thread> told = waiting;
        if (told != null) {
            for (Thread thread : told) {
                LockSupport.unpark(thread);
            }
        }
    }

    /**
     * Waits until it is over.
     *
     * @param isOver whether it is
     * @param patience how long to wait
     * @return false if the time was up first
     * @throws InterruptedException if the thread was interrupted and had to wait
     */
    boolean await(BooleanSupplier isOver, Patience patience) throws InterruptedException {
        Thread self = Thread.currentThread();
        Set<Thread> waiting = waiting();
        waiting.add(self);
        patience.startWaiting(self);
        try {
            while (!isOver.getAsBoolean()) {
                long left = patience.nanosLeft();
                if (left <= 0) {
                    return false;
                }
                if (Thread.interrupted()) {
                    throw new InterruptedException("interrupted while waiting for a pool's end");
                }
                LockSupport.parkNanos(this, Math.min(left, SLICE));
            }
            return true;
        } finally {
            waiting.remove(self);
            patience.stopWaiting(self);
        }
    }

    private synchronized Set<Thread> waiting() {
        if (waiting == null) {
            waiting = ConcurrentHashMap.newKeySet();
        }
        return waiting;
    }
}
