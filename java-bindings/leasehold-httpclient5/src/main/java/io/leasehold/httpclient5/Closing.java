package io.leasehold.httpclient5;

import io.leasehold.managed.ManagedConnections;
import io.leasehold.managed.ManagedSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.io.ModalCloseable;
import org.apache.hc.core5.pool.DisposalCallback;

/** How a pool's connections are closed, and which sockets they show. Entries refer to it, so it refers to no pool. */
final class Closing<C extends ModalCloseable> {
    private final DisposalCallback<C> callback;
    private final Function<? super C, Socket> sockets;
    private final ManagedConnections<?> connections;
    // How the pool is closed; null as long as it is open. Written once, by whoever closes it.
    private final AtomicReference<CloseMode> poolsMode = new AtomicReference<>();

    /** Without a callback connections close themselves, without the function they show no socket. */
    Closing(DisposalCallback<C> callback, Function<? super C, Socket> sockets, ManagedConnections<?> connections) {
        this.callback = callback;
        this.sockets = sockets;
        this.connections = connections;
    }

    /** The pool is closed from now on. False if it was closed before. */
    boolean closePool(CloseMode mode) {
        return poolsMode.compareAndSet(null, mode);
    }

    boolean isPoolClosed() {
        return poolsMode.get() != null;
    }

    /** How connections are closed that the pool lets go. */
    CloseMode mode() {
        CloseMode mode = poolsMode.get();
        return mode == null ? CloseMode.GRACEFUL : mode;
    }

    void close(C connection, CloseMode mode) {
        if (callback != null) {
            callback.execute(connection, mode);
        } else {
            connection.close(mode);
        }
    }

    /** A connection's socket; null if it shows none. */
    Socket socketOf(C connection) {
        return sockets == null ? null : sockets.apply(connection);
    }

    /** What is known of the socket of one place's connections. */
    ManagedSocket newSocket() {
        return connections.socket();
    }
}
