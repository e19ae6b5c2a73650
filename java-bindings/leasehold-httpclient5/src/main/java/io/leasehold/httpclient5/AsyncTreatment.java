package io.leasehold.httpclient5;

import io.leasehold.managed.ManagedSocket;
import java.net.Socket;
import java.util.function.Predicate;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;

/**
 * That of the asynchronous manager's pool. Its connections are a reactor's, which closes their sockets when it likes: so the pool is shown
 * none, neither to be watched nor to be shut down under a close, as the number of a socket's descriptor may be another's by then.
 */
final class AsyncTreatment extends ManagersTreatment<ManagedAsyncClientConnection> {
    AsyncTreatment(ConnectionConfigs configs) {
        super(configs, PoolingAsyncClientConnectionManager.class);
    }

    @Override
    public Socket socketOf(ManagedAsyncClientConnection connection) {
        return null;
    }

    @Override
    public Predicate<ManagedAsyncClientConnection> closedByOthers() {
        return connection -> !connection.isOpen();
    }

    @Override
    public Predicate<ManagedAsyncClientConnection> needsHelp() {
        return connection -> ((ReactorConnection) connection).hasForgotten();
    }

    @Override
    public void help(ManagedAsyncClientConnection connection) {
        ((ReactorConnection) connection).cancelForgotten();
    }

    /** It may have to wait for the reactor's thread, which holds the session's lock while it encrypts. */
    @Override
    public boolean mayBlockToClose(ManagedAsyncClientConnection connection) {
        return true;
    }

    @Override
    public boolean isStaleAtLease(HttpRoute route, ManagedAsyncClientConnection connection, ManagedSocket socket) {
        return ((ReactorConnection) connection).isStale(configs.isValidationOff(route));
    }
}
