package io.leasehold.testsupport;

/** Takes a step at every depth near the end of a stack, so that it overflows in each of its calls, the innermost first. */
public final class Overflow {
    // More than all code of ours takes, and little enough to reach its end quickly.
    private static final long STACK = 512 << 10;
    // The frames of a dive and what they start from vary, so that the ends of two dives lie differently in the stack's last page.
    private static final int DIVES = 48;
    private static final int KINDS = 3;
    // How many frames before the end the steps begin: several times what a step takes.
    private static final int NEAR = 500;

    private final int dives;
    private final Runnable step;
    // Of the dive under way, and how deep the last one of each kind went.
    private int kind;
    private int depth;
    private boolean isNearTheEnd;
    private final int[] deepest = new int[KINDS];
    private int overflows;
    private Throwable failure;

    private Overflow(int dives, Runnable step) {
        this.dives = dives;
        this.step = step;
    }

    /**
     * Takes a step at every depth near the end, on a thread of its own.
     *
     * @param step the step, which may throw a StackOverflowError and nothing else
     * @return how often it did
     */
    public static int atEveryDepth(Runnable step) throws InterruptedException {
        return atEveryDepth(DIVES, step);
    }

    /**
     * As above, with other ends than every one.
     *
     * @param dives how many ends the stack is to have; at most 48 differ
     * @param step the step, which may throw a StackOverflowError and nothing else
     * @return how often it did
     */
    public static int atEveryDepth(int dives, Runnable step) throws InterruptedException {
        Overflow overflow = new Overflow(dives, step);
        Thread thread = new Thread(null, overflow::dive, "overflow", STACK);
        thread.start();
        thread.join();
        if (overflow.failure != null) {
            throw new AssertionError("more than a stack overflow came of it", overflow.failure);
        }
        return overflow.overflows;
    }

    private void dive() {
        // Once where there is room: what is loaded and set up by the first call is not what this is about.
        step.run();
        for (int i = 0; i < dives && failure == null; i++) {
            kind = i % KINDS;
            do {
                diveTo(i);
            } while (!isNearTheEnd);
        }
    }

    /** A dive that ends before the steps begin has found where the end is now: compiled frames are smaller than others. */
    private void diveTo(int end) {
        depth = 0;
        isNearTheEnd = false;
        try {
            if (kind == 0) {
                shift(end);
            } else if (kind == 1) {
                shift(end, end);
            } else {
                shift(end, end, end, end);
            }
        } catch (StackOverflowError e) {
            // The dive's own end.
        }
        deepest[kind] = depth;
    }

    private void shift(int by) {
        if (by > 0) {
            shift(by - 1);
        } else {
            descend();
        }
    }

    private void shift(int by, long a) {
        if (by > 0) {
            shift(by - 1, a);
        } else {
            descend(a);
        }
    }

    private void shift(int by, long a, long b, long c) {
        if (by > 0) {
            shift(by - 1, a, b, c);
        } else {
            descend(a, b, c);
        }
    }

    private void descend() {
        take();
        descend();
    }

    private void descend(long a) {
        take();
        descend(a);
    }

    private void descend(long a, long b, long c) {
        take();
        descend(a, b, c);
    }

    private void take() {
        depth++;
        // The first dive of each kind finds the end.
        if (deepest[kind] == 0 || depth < deepest[kind] - NEAR) {
            return;
        }
        isNearTheEnd = true;
        try {
            step.run();
        } catch (StackOverflowError e) {
            overflows++;
        } catch (Throwable e) {
            failure = e;
        }
    }
}
