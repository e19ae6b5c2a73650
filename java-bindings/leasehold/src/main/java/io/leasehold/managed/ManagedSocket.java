package io.leasehold.managed;

import io.leasehold.Lease;
import io.leasehold.Liveness;
import io.leasehold.SocketProbe;
import java.net.Socket;
import java.net.SocketException;

/**
 * The socket of one managed connection, as its manager probes and watches it. Connections exchange their sockets, as for TLS through a
 * proxy, so each call is told the present one, null for none; its descriptor is looked for once.
 *
 * <p>For the holder of the connection's lease. Who closes what is idle, or shuts a manager down, may ask at the same time.
 */
public final class ManagedSocket {
    private final ManagedSockets settings;
    // Of the socket that was asked for last. Written by any of those who ask, without a lock: a probe is immutable, and a lost write costs
    // a search for the descriptor.
    private SocketProbe probe;

    ManagedSocket(ManagedSockets settings) {
        this.settings = settings;
    }

    /** Of its present socket. */
    private SocketProbe probe(Socket present) {
        SocketProbe last = probe;
        if (last != null && last.isOf(present)) {
            return last;
        }
        SocketProbe found = SocketProbe.of(present);
        probe = found;
        return found;
    }

    /**
     * It was connected, or layered over: sets TCP keep-alive on it, where wanted and where its descriptor can be reached.
     *
     * @param present the socket
     * @throws SocketException if the operating system refuses
     */
    public void connected(Socket present) throws SocketException {
        settings.connected(probe(present));
    }

    /**
     * A leased connection has this socket: tells the pool, which watches it if that is wanted, and in any case can end a close of it that
     * {@linkplain io.leasehold.Disposer#mayBlock takes too long}.
     *
     * @param present the socket; null has the last one forgotten
     * @param lease the lease
     * @return false if the lease has ended, by another thread, and nothing was done
     */
    public boolean attach(Socket present, Lease<?> lease) {
        return settings.attach(lease, probe(present));
    }

    /**
     * Whether the connection is alive between two requests, as far as that can be told in half a microsecond.
     *
     * @param present the socket
     * @param isTls whether TLS runs over it; of TLS sockets it is known
     * @return {@link Liveness#ALIVE}, {@link Liveness#CLOSED}, or {@link Liveness#UNKNOWN}, which only the connection itself can
     *     tell: so too where sockets are not to be probed
     */
    public Liveness liveness(Socket present, boolean isTls) {
        return settings.liveness(probe(present), isTls);
    }

    /**
     * Whether the peer, or this side, has closed it, whatever is set.
     *
     * @param present the socket; null is not closed
     * @return true if that can be told in half a microsecond
     */
    public boolean isClosed(Socket present) {
        return probe(present).ask() == Liveness.CLOSED;
    }

    /**
     * Whether closing it may wait for its peer, for a {@link io.leasehold.Disposer#mayBlock}.
     *
     * @param present the socket
     * @return true if it may
     */
    public boolean mayBlockToClose(Socket present) {
        return probe(present).mayBlockToClose();
    }
}
