package io.leasehold.httpclient5;

import io.leasehold.Cause;
import io.leasehold.Liveness;
import io.leasehold.managed.ManagedSocket;
import java.net.Socket;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.net.ssl.SSLSocket;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.io.ModalCloseable;
import org.apache.hc.core5.pool.DisposalCallback;
import org.apache.hc.core5.pool.PoolEntry;

/** That of a pool that belongs to no manager. */
final class OwnTreatment<T, C extends ModalCloseable> implements Treatment<T, C> {
    /** The name of the pool's class, which is above this one. */
    private static final String LOGGER = "io.leasehold.httpclient5.LeaseholdConnPool";

    private final DisposalCallback<C> callback;
    private final Function<? super C, Socket> sockets;

    /** Without a callback connections close themselves, without the function they show no socket. */
    OwnTreatment(DisposalCallback<C> callback, Function<? super C, Socket> sockets) {
        this.callback = callback;
        this.sockets = sockets;
    }

    /** Logs what can be told nobody; never throws, whatever a handler does. */
    static void warn(String message, Throwable cause) {
        try {
            Logger.getLogger(LOGGER).log(Level.WARNING, message, cause);
        } catch (Throwable e) {
            // There is nowhere left to say it.
        }
    }

    @Override
    public void close(C connection, CloseMode mode) {
        if (callback != null) {
            callback.execute(connection, mode);
        } else {
            connection.close(mode);
        }
    }

    @Override
    public Socket socketOf(C connection) {
        return sockets == null ? null : sockets.apply(connection);
    }

    @Override
    public Predicate<C> closedByOthers() {
        return null;
    }

    /** That is not known. */
    @Override
    public boolean mayBlockToClose(C connection) {
        return true;
    }

    @Override
    public boolean isStaleAtLease(T route, C connection, ManagedSocket socket) {
        Socket shown = socketOf(connection);
        return shown != null && socket.liveness(shown, shown instanceof SSLSocket) == Liveness.CLOSED;
    }

    @Override
    public boolean isExpired(PoolEntry<T, C> entry, long now) {
        return false;
    }

    @Override
    public void letGo(C connection, Cause cause) {}

    @Override
    public void lost(Object route) {
        warn("Connection reclaimed by garbage collector, it was never released: [route: " + route + "]", null);
    }
}
