package io.leasehold.internal;

/**
 * The loaded library's one watch: the operating system's list of sockets whose peer's close is to be told. It is made with the
 * first socket that is watched; the housekeeper's thread, and it alone, waits on it.
 */
final class IdleWatch {
    /** What one event takes in the array: the pool's number, the slot, the opening. */
    static final int EVENT = 3;
    /** How long an array for {@link #await} is. */
    static final int EVENTS = 64 * EVENT;

    // Written by whoever had the first socket watched.
    private static volatile boolean open;

    private IdleWatch() {}

    /** Whether any socket was ever watched, so that there is something to wait for. */
    static boolean isOpen() {
        return open;
    }

    /** A socket is watched. */
    static void opened() {
        if (!open) {
            open = true;
            Housekeeper.wake();
        }
    }

    /**
     * Waits for events, for {@link #wake} or for the time to be over: the only native that waits.
     *
     * @return how many events were written into the array
     */
    static native int await(int millis, int[] events);

    /** Ends the wait that is under way, or the next one. */
    static native void wake();

    /** Watches a socket no longer. */
    static native void remove(int descriptor);
}
