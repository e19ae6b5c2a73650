package io.leasehold.httpclient5;

import io.leasehold.managed.ManagedSocket;
import java.net.Socket;
import java.util.function.Predicate;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;

/** That of the classic manager's pool. */
final class ClassicTreatment extends ManagersTreatment<ManagedHttpClientConnection> {
    ClassicTreatment(ConnectionConfigs configs) {
        super(configs, PoolingHttpClientConnectionManager.class);
    }

    @Override
    public Socket socketOf(ManagedHttpClientConnection connection) {
        return connection.getSocket();
    }

    @Override
    public Predicate<ManagedHttpClientConnection> closedByOthers() {
        return null;
    }

    /** An entry of the manager has a connection before that is open. */
    @Override
    public boolean mayBlockToClose(ManagedHttpClientConnection connection) {
        return connection.isOpen();
    }

    /** HttpClient's code asks the connection, in a moment. */
    @Override
    public boolean isStaleAtLease(HttpRoute route, ManagedHttpClientConnection connection, ManagedSocket socket) {
        ((CheckedConnection) connection).leased(route);
        return false;
    }
}
