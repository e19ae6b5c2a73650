package io.leasehold.internal.natives;

/**
 * The operating system's list of sockets whose peer's close is to be told, one for the loaded library. {@link Engine#watch} puts a socket
 * on it.
 */
public final class PeerWatch {
    /** What one event takes in an array: the pool's number, the slot, the opening. As in {@code watch.rs}. */
    public static final int EVENT = 3;

    private PeerWatch() {}

    /**
     * Waits for events, for {@link #end} or for the time to be over: the only native that waits. Those of one pool come together.
     *
     * @param millis the time
     * @param events for the events
     * @return how many were written
     */
    public static int await(int millis, int[] events) {
        return awaitEvents(millis, events);
    }

    private static native int awaitEvents(int millis, int[] events);

    /** Ends the wait that is under way, or the next one. */
    public static void end() {
        wake();
    }

    private static native void wake();

    /**
     * Takes a socket off the list.
     *
     * @param descriptor its descriptor
     */
    public static void forget(int descriptor) {
        remove(descriptor);
    }

    private static native void remove(int descriptor);
}
