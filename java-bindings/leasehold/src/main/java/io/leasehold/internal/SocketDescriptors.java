package io.leasehold.internal;

import io.leasehold.Liveness;
import java.io.IOException;
import java.lang.reflect.Field;
import java.net.InetSocketAddress;
import java.net.Socket;

/** Reaches the descriptors of sockets, by private fields, which only native code may read, and asks and sets what is theirs. */
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

    /** Whether descriptors can be reached at all. */
    static boolean isUsable() {
        return NativeLibrary.failure() == null && usable;
    }

    /**
     * Asks the operating system about a connection.
     *
     * @param socket the connection's, which no other thread may close meanwhile; may be null
     * @param base the one that has the descriptor; null or the same one if that is no other
     * @param descriptor the descriptor, or -1 if none was found
     */
    static Liveness probe(Socket socket, Socket base, int descriptor) {
        if (socket == null || NativeLibrary.failure() != null) {
            return Liveness.UNKNOWN;
        }
        try {
            // Its descriptor may be another's by now.
            if (socket.isClosed() || base != socket && base != null && base.isClosed()) {
                return usable ? Liveness.CLOSED : Liveness.UNKNOWN;
            }
        } catch (RuntimeException e) {
            passOver(e);
            return Liveness.UNKNOWN;
        }
        int answer = descriptor < 0 ? -1 : ask(descriptor);
        return answer < 0 ? Liveness.UNKNOWN : ANSWERS[answer];
    }

    /** What an object has in a field that can hold objects, whoever may see it. */
    static Object field(Object holder, Field field) {
        return field(holder, field.getDeclaringClass(), field.getName(), "L" + field.getType().getName().replace('.', '/') + ";");
    }

    /** Whether a descriptor's socket is connected from this address to that one. */
    static boolean connects(int descriptor, InetSocketAddress local, InetSocketAddress peer) {
        return connects(descriptor, local.getAddress().getAddress(), local.getPort(), peer.getAddress().getAddress(), peer.getPort());
    }

    /** Whether a socket says that it is open: if it is not, its descriptor's number may be a stranger's. */
    static boolean isOpen(Socket socket) {
        try {
            return !socket.isClosed();
        } catch (Throwable e) {
            passOver(e);
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
        } catch (Throwable e) {
            passOver(e);
            return false;
        }
    }

    /** Whether closing a socket waits until its peer has everything. */
    static boolean lingers(Socket socket) {
        try {
            return socket.getSoLinger() > 0;
        } catch (Throwable e) {
            passOver(e);
            return false;
        }
    }

    /** Has a close of a socket wait for nothing. What it has sent is delivered all the same; a close that is to reset stays one. */
    static void doNotLinger(Socket socket) {
        if (lingers(socket)) {
            try {
                socket.setSoLinger(false, 0);
            } catch (Throwable e) {
                passOver(e);
            }
        }
    }

    /** Has reads of a socket, which is about to be closed, end after a time. */
    static void boundReads(Socket socket, int millis) {
        try {
            // One that was never connected itself would make itself a descriptor to set that on.
            if (overrides(socket, "setSoTimeout", int.class) || !overrides(socket, "isConnected") && socket.isConnected()) {
                socket.setSoTimeout(millis);
            }
        } catch (Throwable e) {
            passOver(e);
        }
    }

    /**
     * What asking a socket has come to, which is passed over. That it was closed meanwhile is nothing to tell of. All else is the doing of
     * somebody else's socket; it is a debug line, as it may be the same for every connection.
     */
    static void passOver(Throwable failure) {
        if (!(failure instanceof IOException)) {
            Log.debug(Texts.ASKING_FAILED, failure);
        }
    }

    private static boolean overrides(Socket socket, String method, Class<?>... parameters) throws NoSuchMethodException {
        return socket.getClass().getMethod(method, parameters).getDeclaringClass() != Socket.class;
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
    public static String setTcpKeepAlive(FoundSocket socket, int idle, int interval, int probes) {
        return socket.descriptor() < 0 ? "" : setTcpKeepAlive(socket.descriptor(), idle, interval, probes);
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

    /** A socket's own descriptor; -1 if none can be reached. */
    static native int descriptor(Socket socket);

    /** What a TLS socket of the JDK's is layered over; null if it is none, or connected by itself. */
    static native Socket below(Socket socket);

    private static native Object field(Object holder, Class<?> declaring, String name, String signature);

    private static native boolean connects(int descriptor, byte[] local, int localPort, byte[] peer, int peerPort);

    /** What the operating system says without waiting: an index into {@code ANSWERS}, or -1. */
    static native int ask(int descriptor);
}
