package io.leasehold.managed;

import io.leasehold.Lease;
import io.leasehold.Liveness;
import io.leasehold.SocketProbe;
import io.leasehold.TcpKeepAlive;
import io.leasehold.Watching;
import java.net.SocketException;

/**
 * How a manager's sockets are treated, as its user has set it: whether they are watched and probed, and how TCP keep-alive is set on them.
 * Safe for use by several threads. What is set holds for sockets that are opened from then on.
 */
final class ManagedSockets {
    // Both written by whoever sets them.
    private volatile Watching watching = Watching.BOTH;
    private volatile TcpKeepAlive tcpKeepAlive;

    void setWatching(Watching watching) {
        if (watching == null) {
            throw new IllegalArgumentException("watching must not be null: say Watching.OFF for none");
        }
        this.watching = watching;
    }

    /** Null leaves sockets as they are. */
    void setTcpKeepAlive(TcpKeepAlive tcpKeepAlive) {
        this.tcpKeepAlive = tcpKeepAlive;
    }

    void connected(SocketProbe socket) throws SocketException {
        TcpKeepAlive keepAlive = tcpKeepAlive;
        if (keepAlive != null) {
            keepAlive.setOn(socket);
        }
    }

    Liveness liveness(SocketProbe socket, boolean isTls) {
        return watching.probes() ? socket.betweenRequests(isTls) : Liveness.UNKNOWN;
    }

    boolean attach(Lease<?> lease, SocketProbe socket) {
        if (socket.isOf(null)) {
            lease.detach();
            return !lease.isEnded();
        }
        return lease.tryAttach(socket, watching.watches());
    }
}
