package io.leasehold.internal;

import io.leasehold.Liveness;
import java.net.Socket;
import java.net.SocketException;

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
        return probe(socket, of(socket));
    }

    /**
     * As {@link #probe(Socket)}, of a socket whose descriptor was found before.
     *
     * @param socket the socket, which no other thread may close meanwhile; may be null
     * @param descriptor what {@link #of} said of it
     * @return what the operating system says
     */
    public static Liveness probe(Socket socket, int descriptor) {
        if (socket == null || NativeLibrary.failure() != null) {
            return Liveness.UNKNOWN;
        }
        try {
            // Its descriptor may be another's by now.
            if (socket.isClosed()) {
                return usable ? Liveness.CLOSED : Liveness.UNKNOWN;
            }
        } catch (RuntimeException e) {
            // A socket of somebody else's making.
            return Liveness.UNKNOWN;
        }
        int answer = descriptor < 0 ? -1 : ask(descriptor);
        return answer < 0 ? Liveness.UNKNOWN : ANSWERS[answer];
    }

    /**
     * Finds the descriptor of a socket, which stays the same for as long as the socket is connected.
     *
     * @param socket the socket, which no other thread may close meanwhile; may be null
     * @return the descriptor, or -1 if none can be reached
     */
    public static int of(Socket socket) {
        return socket == null || NativeLibrary.failure() != null || !usable ? -1 : descriptor(socket);
    }

    /** Whether a socket says that it is open: if it is not, its descriptor's number may be a stranger's. */
    static boolean isOpen(Socket socket) {
        try {
            return !socket.isClosed();
        } catch (RuntimeException e) {
            // A socket of somebody else's making.
            return false;
        }
    }

    /**
     * Whether no thread has begun to close a socket: then what was done by its descriptor's number before this call was done to it. One
     * that only {@linkplain #isOpen says} that it is open may have given its number back already: a TLS socket does so first. Where the
     * close under way lingers, this waits for it.
     */
    static boolean isInUse(Socket socket) {
        try {
            // Asked under the lock that a close takes before anything else.
            socket.getSoLinger();
            return true;
        } catch (SocketException | RuntimeException e) {
            // Closed, being closed, or of somebody else's making.
            return false;
        }
    }

    /**
     * Whether closing a socket waits until its peer has everything.
     *
     * @param socket the socket
     * @return true if it does
     */
    public static boolean lingers(Socket socket) {
        try {
            return socket.getSoLinger() > 0;
        } catch (SocketException | RuntimeException e) {
            // Closed meanwhile, or of somebody else's making.
            return false;
        }
    }

    /** Has a close of a socket wait for nothing. What it has sent is delivered all the same; a close that is to reset stays one. */
    static void doNotLinger(Socket socket) {
        if (lingers(socket)) {
            try {
                socket.setSoLinger(false, 0);
            } catch (SocketException | RuntimeException e) {
                // As above.
            }
        }
    }

    /**
     * Sets TCP keep-alive on a socket.
     *
     * @param socket the socket, which no other thread may close meanwhile
     * @param idle seconds
     * @param interval seconds
     * @param probes how many
     * @return null if it was set, an empty text if there is no way to the descriptor, else what the operating system says
     */
    public static String setTcpKeepAlive(Socket socket, int idle, int interval, int probes) {
        int descriptor = isOpen(socket) ? of(socket) : -1;
        return descriptor < 0 ? "" : setTcpKeepAlive(descriptor, idle, interval, probes);
    }

    /** Null if it was set, else what the operating system says. */
    private static native String setTcpKeepAlive(int descriptor, int idle, int interval, int probes);

    /** A second descriptor for the same socket, to be closed by {@link #close}; negative if there is none to be had. */
    static native int duplicate(int descriptor);

    /** Ends a connection in both directions, so that whoever waits on it is told. The descriptor stays. */
    static native void shutdown(int descriptor);

    /** Closes what {@link #duplicate} made. */
    static native void close(int descriptor);

    /** The first field or class that this JDK lacks, or null. */
    private static native String findFields();

    /** The descriptor; -1 if none can be reached. */
    private static native int descriptor(Socket socket);

    /** What the operating system says without waiting: an index into {@code ANSWERS}, or -1. */
    private static native int ask(int descriptor);
}
