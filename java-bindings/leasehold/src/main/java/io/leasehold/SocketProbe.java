package io.leasehold;

import io.leasehold.internal.natives.Descriptors;
import io.leasehold.internal.sockets.FoundSocket;
import java.net.Socket;

/**
 * Asks the operating system about one socket again and again. The answers are those of {@link Sockets#probe}; as the descriptor is looked
 * for only once, each costs little more than the system call. For whoever checks a connection before each use.
 *
 * <p>Ask only while no other thread may close the socket, as between lease and release. Otherwise safe for use by several threads.
 * It is immutable; that the operating system has said something orders nothing.
 */
public final class SocketProbe {
    private final FoundSocket found;

    private SocketProbe(Socket socket) {
        found = FoundSocket.of(socket);
    }

    /**
     * Finds the descriptor of a socket. Where it cannot be found, or not yet, as of a socket not connected, {@link #ask} says
     * {@link Liveness#UNKNOWN}.
     *
     * @param socket the socket, which the probe refers to; null is never known
     * @return the probe
     */
    public static SocketProbe of(Socket socket) {
        return new SocketProbe(socket);
    }

    /**
     * Whether this is the probe of a socket.
     *
     * @param socket the socket
     * @return whether it is the same object
     */
    public boolean isOf(Socket socket) {
        return found.socket() == socket;
    }

    FoundSocket found() {
        return found;
    }

    /**
     * Whether the idle connection is still alive. It never throws and never waits.
     *
     * @return what the operating system knows of it; {@link Liveness#CLOSED} also when this side has closed it
     */
    public Liveness ask() {
        switch (found.probe()) {
            case Descriptors.ALIVE:
                return Liveness.ALIVE;
            case Descriptors.CLOSED:
                return Liveness.CLOSED;
            case Descriptors.READABLE:
                return Liveness.READABLE;
            default:
                return Liveness.UNKNOWN;
        }
    }

    /**
     * As {@link #ask}, of a connection between two requests, where bytes that wait to be read are a verdict on a plain socket and none
     * on TLS: see {@link Liveness#betweenRequests}.
     *
     * @param isTls whether TLS runs over the connection; of TLS sockets, and of those behind a wrapper of others' making, it is known
     * @return {@link Liveness#ALIVE}, {@link Liveness#CLOSED}, or {@link Liveness#UNKNOWN}, which only the connection itself can tell
     */
    public Liveness betweenRequests(boolean isTls) {
        return ask().betweenRequests(isTls || found.isOpaque());
    }

    /**
     * Whether closing the socket may wait for its peer, as {@link Sockets#mayBlockToClose} says.
     *
     * @return true if it may
     */
    public boolean mayBlockToClose() {
        return found.mayBlockToClose();
    }
}
