package io.leasehold;

import io.leasehold.internal.sockets.FoundSocket;
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
     * <p>Plain sockets, the JDK's own TLS sockets (also layered over another socket) and sockets of socket channels can be asked. So can
     * those that pass on to one of these, TLS of others' making included, if a single field of a socket's type, or the stream that is read
     * from, leads there, and if the wrapper names the addresses that the descriptor has; they are so no more once the peer has reset the
     * connection, which a {@link SocketProbe} made before goes on telling. All others, and those not connected yet, are {@link
     * Liveness#UNKNOWN}, as is every socket where the native library is not available.
     *
     * <p>Call it only while no other thread may close the socket, as between lease and release: the number of a closed
     * descriptor may already belong to another socket. Otherwise safe for use by several threads. It never throws.
     *
     * @param socket the socket; null is {@link Liveness#UNKNOWN}
     * @return what the operating system knows of it
     */
    public static Liveness probe(Socket socket) {
        return SocketProbe.of(socket).ask();
    }

    /**
     * Whether closing a socket may wait for its peer: TLS says goodbye, and {@code SO_LINGER} waits until the peer has everything.
     * For a {@link Disposer#mayBlock}. It never throws.
     *
     * @param socket the socket; null is not
     * @return true if it may; of a socket of others' making whose descriptor cannot be found only TLS is known to
     */
    public static boolean mayBlockToClose(Socket socket) {
        return socket instanceof SSLSocket || FoundSocket.of(socket).mayBlockToClose();
    }
}
