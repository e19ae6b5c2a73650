package io.leasehold;

import java.net.SocketException;

/**
 * What a connection manager does with the sockets it opens, as its user has set it: whether they are watched, and how TCP
 * keep-alive is set on them. For managers that own a {@link ConnectionPool}.
 *
 * <p>Safe for use by several threads. What is set holds for sockets that are opened from then on.
 */
public final class ManagedSockets {
    // Written by whoever sets them.
    private volatile Watching watching = Watching.BOTH;
    private volatile TcpKeepAlive tcpKeepAlive;

    /** Sockets that are watched and probed, without TCP keep-alive of ours. */
    public ManagedSockets() {}

    /**
     * How it is learned that peers have closed.
     *
     * @return what was set, {@link Watching#BOTH} if nothing was
     */
    public Watching watching() {
        return watching;
    }

    /**
     * Sets how it is learned that peers have closed.
     *
     * @param watching how
     * @throws IllegalArgumentException if {@code watching} is null
     */
    public void setWatching(Watching watching) {
        this.watching = Arguments.given(watching, "watching", "say Watching.OFF for none");
    }

    /**
     * Sets what TCP keep-alive is set on sockets.
     *
     * @param tcpKeepAlive the times; null leaves sockets as they are
     */
    public void setTcpKeepAlive(TcpKeepAlive tcpKeepAlive) {
        this.tcpKeepAlive = tcpKeepAlive;
    }

    /**
     * A socket was connected: sets TCP keep-alive on it, where wanted and where its descriptor can be reached.
     *
     * @param socket the socket
     * @throws SocketException if the operating system refuses
     */
    public void connected(SocketProbe socket) throws SocketException {
        TcpKeepAlive keepAlive = tcpKeepAlive;
        if (keepAlive != null) {
            keepAlive.setOn(socket.found());
        }
    }

    /**
     * Whether a connection between two requests is alive, as far as that can be told in half a microsecond.
     *
     * @param probe of its socket
     * @param isTls whether TLS runs over it; of TLS sockets it is known
     * @return {@link Liveness#ALIVE}, {@link Liveness#CLOSED}, or {@link Liveness#UNKNOWN}, which only the connection itself can
     *     tell: so too where sockets are not to be probed
     */
    public Liveness liveness(SocketProbe probe, boolean isTls) {
        return watching.probes() ? probe.ask().betweenRequests(isTls || probe.found().isOpaque()) : Liveness.UNKNOWN;
    }

    /**
     * A leased connection has this socket: tells the pool, which watches it if that is wanted, and in any case can end a close of it that
     * {@linkplain Disposer#mayBlock takes too long}.
     *
     * @param lease the lease
     * @param socket its connection's socket; the probe of null for none
     * @return false if the lease has ended, by another thread, and nothing was done
     */
    public boolean attach(Lease<?> lease, SocketProbe socket) {
        if (socket.isOf(null)) {
            lease.detach();
            return !lease.isEnded();
        }
        return lease.tryAttach(socket, watching.watches());
    }
}
