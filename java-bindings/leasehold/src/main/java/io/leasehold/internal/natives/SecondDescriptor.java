package io.leasehold.internal.natives;

/**
 * A second descriptor for a socket, by which its connection can be ended while somebody else closes the first. Nobody else knows its
 * number, so nobody else's file is ever closed for it.
 */
public final class SecondDescriptor {
    private static final int NONE = -1;

    // ----- guarded by the monitor: written by who makes this, and by the first to close it -----
    private int number = NONE;

    private SecondDescriptor() {}

    /**
     * Makes one.
     *
     * @param descriptor the first, of a socket that no other thread may close meanwhile
     * @return null if none can be had
     */
    public static SecondDescriptor of(int descriptor) {
        // Made first: once there is a descriptor, nothing may fail.
        SecondDescriptor made = new SecondDescriptor();
        synchronized (made) {
            made.number = duplicate(descriptor);
            return made.number == NONE ? null : made;
        }
    }

    /** Ends the connection in both directions, so that whoever waits on it is told; not after {@link #close}. */
    public synchronized void shutdown() {
        if (number != NONE) {
            shutdown(number);
        }
    }

    /** Closes this descriptor, once. */
    public void close() {
        int last;
        synchronized (this) {
            last = number;
            number = NONE;
        }
        // Outside the monitor: it waits, if the application has had the socket linger.
        if (last != NONE) {
            close(last);
        }
    }

    private static native int duplicate(int descriptor);

    private static native void shutdown(int descriptor);

    private static native void close(int descriptor);
}
