package io.leasehold.internal;

import io.leasehold.Liveness;
import java.lang.ref.WeakReference;
import java.net.Socket;
import javax.net.ssl.SSLSocket;

/**
 * The socket of a connection, as far as the pool was told. Held weakly: a TLS socket leads to what the application gave
 * its context, and so perhaps to the pool.
 *
 * <p>The descriptor is good for as long as the socket is open: its number may be a stranger's afterwards.
 */
final class Attachment extends WeakReference<Socket> {
    private static final int NONE = -1;

    private final int descriptor;
    private final boolean isTls;

    // Both written by who attaches it to a lease, before anybody else may see it: whether its peer's close is told, and whether the
    // operating system is to be asked at each lease.
    boolean isWatched;
    boolean isProbed;

    Attachment(Socket socket) {
        super(socket);
        int own = SocketDescriptors.isOpen(socket) ? SocketDescriptors.of(socket) : NONE;
        // A socket that only passes on to another one has a descriptor that was never connected: it would be told of as hung up at once.
        descriptor = SocketDescriptors.probe(socket, own) == Liveness.UNKNOWN ? NONE : own;
        isTls = socket instanceof SSLSocket;
    }

    boolean isOf(Socket socket) {
        return get() == socket;
    }

    /** Whether the operating system can be asked about it. */
    boolean isKnown() {
        return descriptor != NONE;
    }

    int descriptor() {
        return descriptor;
    }

    /** Whether no request can be sent on it any more, as far as is known. */
    boolean isDead() {
        Socket socket = get();
        if (socket == null) {
            return false;
        }
        return SocketDescriptors.probe(socket, descriptor).betweenRequests(isTls) == Liveness.CLOSED;
    }

    /**
     * A second descriptor of the socket, by which a close that hangs can be cut short without fear that the number is a
     * stranger's by then; -1 if there is none.
     */
    int duplicate() {
        if (!isKnown() || !isOpen()) {
            return NONE;
        }
        int second = SocketDescriptors.duplicate(descriptor);
        if (second != NONE && !isInUse()) {
            // Its user closes it, too, and it may be a stranger's that was duplicated.
            SocketDescriptors.close(second);
            return NONE;
        }
        return second;
    }

    /** Has the system go on sending what is left when the socket is closed, instead of the close waiting for it. */
    void doNotLinger() {
        Socket socket = get();
        if (socket != null) {
            SocketDescriptors.doNotLinger(socket);
        }
    }

    /** Whether its socket says that it is open. */
    boolean isOpen() {
        Socket socket = get();
        return socket != null && SocketDescriptors.isOpen(socket);
    }

    /** Whether its socket has its number for certain: nobody has begun to close it. */
    boolean isInUse() {
        Socket socket = get();
        return socket != null && SocketDescriptors.isInUse(socket);
    }
}
