package io.leasehold.testsupport;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Lets callers' code fail on demand. Such code says which place it is whenever it runs, and fails while that place is armed. Each failure
 * is an object of its own, so that it can be found again where its author would look for it. May be used from any thread.
 */
public final class Faults {
    /** What callers' code does when it is armed. */
    public enum Mode {
        /** Throws an exception. */
        EXCEPTION,
        /** Throws an error. */
        ERROR,
        /** Runs out of stack. */
        STACK_OVERFLOW,
        /** Throws what a full heap makes the JVM throw. */
        OUT_OF_MEMORY,
        /** Interrupts the thread that it runs on, and goes on. */
        INTERRUPT,
        /** Calls back, and goes on. */
        CALL_BACK,
        /** Shuts down what it serves, and goes on. */
        SHUT_DOWN
    }

    private static final class Armed {
        final String place;
        final Mode mode;
        final Runnable callBack;

        Armed(String place, Mode mode, Runnable callBack) {
            this.place = place;
            this.mode = mode;
            this.callBack = callBack;
        }
    }

    private final Queue<Throwable> thrown = new ConcurrentLinkedQueue<>();
    private final List<Thread> reached = new CopyOnWriteArrayList<>();
    // What a call back comes to is not to call back again, and what a test does itself is to succeed.
    private final ThreadLocal<Boolean> spared = ThreadLocal.withInitial(() -> false);
    // Written by the test.
    private volatile Armed armed;

    /** Arms a place: from now on its code does this. */
    public void arm(String place, Mode mode, Runnable callBack) {
        armed = new Armed(place, mode, callBack);
    }

    /** From now on nothing fails. */
    public void disarm() {
        armed = null;
    }

    /** Whether the armed place interrupts whatever thread comes to it. */
    public boolean isInterrupting() {
        Armed now = armed;
        return now != null && now.mode == Mode.INTERRUPT;
    }

    /** Sets whether callers' code does not fail on this thread. */
    public void spareThisThread(boolean spare) {
        spared.set(spare);
    }

    /** Callers' code runs at this place. */
    public void pass(String place) {
        Armed now = armed;
        if (now == null || !now.place.equals(place) || spared.get()) {
            return;
        }
        reached.add(Thread.currentThread());
        switch (now.mode) {
            case EXCEPTION:
                throw record(new IllegalStateException(place + " fails on demand"));
            case ERROR:
                throw record(new AssertionError(place + " fails on demand"));
            case OUT_OF_MEMORY:
                throw record(new OutOfMemoryError(place + " fails on demand"));
            case STACK_OVERFLOW:
                try {
                    overflow(0);
                } catch (StackOverflowError e) {
                    throw record(e);
                }
                break;
            case INTERRUPT:
                Thread.currentThread().interrupt();
                break;
            default:
                spareThisThread(true);
                try {
                    now.callBack.run();
                } finally {
                    spareThisThread(false);
                }
        }
    }

    private static int overflow(int depth) {
        return overflow(depth + 1) + 1;
    }

    private <T extends Throwable> T record(T failure) {
        thrown.add(failure);
        return failure;
    }

    /** Whether the armed place was come to. */
    public boolean isReached() {
        return !reached.isEmpty();
    }

    /** Whether the armed place was come to on this thread. */
    public boolean isReachedHere() {
        return reached.contains(Thread.currentThread());
    }

    /** What was thrown on demand. */
    public List<Throwable> thrown() {
        return new CopyOnWriteArrayList<>(thrown);
    }
}
