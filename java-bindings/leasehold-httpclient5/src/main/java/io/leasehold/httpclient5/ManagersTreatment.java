package io.leasehold.httpclient5;

import io.leasehold.Cause;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.ConnPoolSupport;
import org.apache.hc.core5.http.HttpConnection;
import org.apache.hc.core5.http.SocketModalCloseable;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.DefaultDisposalCallback;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.util.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** That of a manager's pool, as far as the managers have it in common. Logs under the name of HttpClient's manager. */
abstract class ManagersTreatment<C extends HttpConnection> implements Treatment<HttpRoute, C> {
    /** Is closed by HttpClient's code, and takes no notice. */
    private static final class Nothing implements SocketModalCloseable {
        @Override
        public Timeout getSocketTimeout() {
            return Timeout.ofMinutes(1);
        }

        @Override
        public void setSocketTimeout(Timeout timeout) {}

        @Override
        public void close(CloseMode mode) {}

        @Override
        public void close() {}
    }

    static {
        // Loads what a close needs: the housekeeper's last closes may come after their application was undeployed, whose class loader
        // gives out no class any more.
        new DefaultDisposalCallback<>().execute(new Nothing(), CloseMode.GRACEFUL);
    }

    final ConnectionConfigs configs;
    private final Logger log;
    // A peer that does not answer a goodbye is waited for a second.
    private final DefaultDisposalCallback<C> disposal = new DefaultDisposalCallback<>();

    ManagersTreatment(ConnectionConfigs configs, Class<?> manager) {
        this.configs = configs;
        log = LoggerFactory.getLogger(manager);
    }

    /** HttpClient's code does not come to the close if it fails before, as the connection may when its timeout is set, or a logger. */
    @Override
    public final void close(C connection, CloseMode mode) {
        boolean isClosed = false;
        try {
            disposal.execute(connection, mode);
            isClosed = true;
        } finally {
            if (!isClosed) {
                connection.close(CloseMode.IMMEDIATE);
            }
        }
    }

    @Override
    public final boolean isExpired(PoolEntry<HttpRoute, C> entry, long now) {
        return configs.isExpired(entry, now);
    }

    @Override
    public final void letGo(C connection, Cause cause) {
        if (cause == Cause.PEER_CLOSED && log.isDebugEnabled()) {
            log.debug("connection {} closed by its peer", ConnPoolSupport.getId(connection));
        }
    }

    @Override
    public final void lost(Object route) {
        log.warn("Connection reclaimed by garbage collector, it was never released: [route: {}]", route);
    }
}
