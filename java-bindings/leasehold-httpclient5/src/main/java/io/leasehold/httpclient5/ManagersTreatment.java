package io.leasehold.httpclient5;

import io.leasehold.Cause;
import io.leasehold.managed.ManagedSocket;
import java.net.Socket;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.ConnPoolSupport;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.DefaultDisposalCallback;
import org.apache.hc.core5.pool.PoolEntry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** That of the classic manager's pool. Logs under the name of HttpClient's manager. */
final class ManagersTreatment implements Treatment<HttpRoute, ManagedHttpClientConnection> {
    private static final Logger LOG = LoggerFactory.getLogger(PoolingHttpClientConnectionManager.class);

    private final ConnectionConfigs configs;
    // A peer that does not answer a goodbye is waited for a second.
    private final DefaultDisposalCallback<ManagedHttpClientConnection> disposal = new DefaultDisposalCallback<>();

    ManagersTreatment(ConnectionConfigs configs) {
        this.configs = configs;
    }

    @Override
    public void close(ManagedHttpClientConnection connection, CloseMode mode) {
        disposal.execute(connection, mode);
    }

    @Override
    public Socket socketOf(ManagedHttpClientConnection connection) {
        return connection.getSocket();
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

    @Override
    public boolean isExpired(PoolEntry<HttpRoute, ManagedHttpClientConnection> entry, long now) {
        return configs.isExpired(entry, now);
    }

    @Override
    public void letGo(ManagedHttpClientConnection connection, Cause cause) {
        if (cause == Cause.PEER_CLOSED && LOG.isDebugEnabled()) {
            LOG.debug("connection {} closed by its peer", ConnPoolSupport.getId(connection));
        }
    }

    @Override
    public void lost(Object route) {
        LOG.warn("Connection reclaimed by garbage collector, it was never released: [route: {}]", route);
    }
}
