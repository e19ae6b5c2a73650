package io.leasehold;

import io.leasehold.internal.SocketDescriptors;
import java.net.Socket;
import javax.net.ssl.SSLSocket;

/** Asks the operating system about sockets. */
public final class Sockets {
    private Sockets() {}

    /**
     * Whether an idle connection is still alive, by a system call on its descriptor that does not wait. It costs about half a
     * microsecond, where a timed read costs a millisecond. Nothing is taken from the socket and nothing is changed on
     * it.
     *
     * <p>Plain sockets, the JDK's own TLS sockets (also layered over another socket) and sockets of socket channels can
     * be asked. All others, and those not connected yet, are {@link Liveness#UNKNOWN}, as is every socket where the
     * native library is not available.
     *
     * <p>Call it only while no other thread may close the socket, as between lease and release: the number of a closed
     * descriptor may already belong to another socket. Otherwise safe for use by several threads. It never throws.
     *
     * @param socket the socket; null is {@link Liveness#UNKNOWN}
     * @return what the operating system knows of it
     */
    public static Liveness probe(Socket socket) {
        return SocketDescriptors.probe(socket);
    }

    /**
     * Whether closing a socket may wait for its peer: TLS says goodbye, and {@code SO_LINGER} waits until the peer has everything.
     * For a {@link Disposer#mayBlock}. It never throws.
     *
     * @param socket the socket; null is not
     * @return true if it may
     */
    public static boolean mayBlockToClose(Socket socket) {
        return socket != null && (socket instanceof SSLSocket || SocketDescriptors.lingers(socket));
    }
}
