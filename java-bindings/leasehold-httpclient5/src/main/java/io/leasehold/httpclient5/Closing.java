package io.leasehold.httpclient5;

import io.leasehold.Cause;
import io.leasehold.managed.ManagedConnections;
import io.leasehold.managed.ManagedSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.io.ModalCloseable;

/** How a pool's connections are closed, and which sockets they show. Entries refer to it, so it refers to no pool. */
final class Closing<C extends ModalCloseable> {
    private final Treatment<?, C> treatment;
    private final ManagedConnections<?> connections;
    // How the pool is closed; null as long as it is open. Written once, by whoever closes it.
    private final AtomicReference<CloseMode> poolsMode = new AtomicReference<>();

    Closing(Treatment<?, C> treatment, ManagedConnections<?> connections) {
        this.treatment = treatment;
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
        treatment.close(connection, mode);
    }

    /** The pool lets a connection go, which is closed by and by. */
    void letGo(C connection, Cause cause) {
        treatment.letGo(connection, cause);
    }

    /** Whether closing a connection that shows no socket may wait for somebody. */
    boolean mayBlockToClose(C connection) {
        return treatment.mayBlockToClose(connection);
    }

    /** A connection's socket; null if it shows none. */
    Socket socketOf(C connection) {
        return treatment.socketOf(connection);
    }

    /** What is known of the socket of one place's connections. */
    ManagedSocket newSocket() {
        return connections.socket();
    }
}
