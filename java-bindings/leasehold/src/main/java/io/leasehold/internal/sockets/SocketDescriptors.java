package io.leasehold.internal.sockets;

import io.leasehold.internal.log.Log;
import io.leasehold.internal.log.Texts;
import io.leasehold.internal.natives.Descriptors;
import io.leasehold.internal.natives.NativeLibrary;
import java.io.IOException;
import java.net.Socket;

/**
 * What is asked of sockets and set on them, whatever their classes make of it: a socket may be of somebody else's making, so none of its
 * exceptions gets past here.
 */
final class SocketDescriptors {
    private SocketDescriptors() {}

    /**
     * Asks the operating system about a connection.
     *
     * @param socket the connection's, which no other thread may close meanwhile; may be null
     * @param base the one that has the descriptor; null or the same one if that is no other
     * @param descriptor the descriptor, or -1 if none was found
     * @return one of the answers of {@link Descriptors#probe}
     */
    static int probe(Socket socket, Socket base, int descriptor) {
        if (socket == null || NativeLibrary.failure() != null) {
            return Descriptors.UNKNOWN;
        }
        try {
            // Its descriptor may be another's by now.
            if (socket.isClosed() || base != socket && base != null && base.isClosed()) {
                return NativeLibrary.reachesDescriptors() ? Descriptors.CLOSED : Descriptors.UNKNOWN;
            }
        } catch (RuntimeException e) {
            passOver(e);
            return Descriptors.UNKNOWN;
        }
        return Descriptors.probe(descriptor);
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
}
