package io.leasehold.internal;

import io.leasehold.Liveness;
import java.net.Socket;

/** Reaches the descriptors of sockets, by their JDK classes' private fields, which only native code may read. */
public final class SocketDescriptors {
    private static final Liveness[] ANSWERS = {Liveness.ALIVE, Liveness.CLOSED, Liveness.READABLE};

    // Written once, while the library is loaded.
    private static boolean usable;

    private SocketDescriptors() {}

    /** Looks the fields up, while the library is loaded. */
    static void prepare() {
        String missing = findFields();
        if (missing == null) {
            usable = true;
        } else {
            Log.warn("this JDK's sockets cannot be asked for their descriptors (" + missing
                    + "): connections are checked by reading from them instead", null);
        }
    }

    /**
     * Asks the operating system whether a socket is alive.
     *
     * @param socket the socket, which no other thread may close meanwhile; may be null
     * @return what it says
     */
    public static Liveness probe(Socket socket) {
        if (socket == null || NativeLibrary.failure() != null || !usable) {
            return Liveness.UNKNOWN;
        }
        try {
            if (socket.isClosed()) {
                return Liveness.CLOSED;
            }
            int fd = descriptor(socket);
            int answer = fd < 0 ? -1 : poll(fd);
            return answer < 0 ? Liveness.UNKNOWN : ANSWERS[answer];
        } catch (RuntimeException e) {
            // A socket of somebody else's making.
            return Liveness.UNKNOWN;
        }
    }

    /** The first field or class that this JDK lacks, or null. */
    private static native String findFields();

    /** The descriptor, good for as long as nobody closes the socket; -1 if none can be reached. */
    private static native int descriptor(Socket socket);

    /** What {@code poll} says without waiting: an index into {@code ANSWERS}, or -1. */
    private static native int poll(int fd);
}
