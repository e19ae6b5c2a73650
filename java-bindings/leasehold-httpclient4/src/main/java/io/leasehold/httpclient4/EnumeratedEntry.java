package io.leasehold.httpclient4;

import java.util.concurrent.TimeUnit;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.pool.PoolEntry;

/**
 * A connection as an enumeration shows it: it can be looked at and closed, not changed. An idle one may be leased by another thread
 * meanwhile, so to close it is to ask the pool for it, which closes it when nobody uses it.
 */
abstract class EnumeratedEntry extends PoolEntry<HttpRoute, ManagedHttpClientConnection> {
    private final PooledConnection pooled;

    private EnumeratedEntry(PooledConnection pooled) {
        super(pooled.id(), pooled.route(), pooled.connection());
        this.pooled = pooled;
    }

    static EnumeratedEntry idle(PooledConnection pooled) {
        return new EnumeratedEntry(pooled) {
            private boolean closing;

            @Override
            public void close() {
                closing = true;
            }

            @Override
            public boolean isClosed() {
                return closing || !pooled.isOpen();
            }
        };
    }

    static EnumeratedEntry leased(PooledConnection pooled) {
        return new EnumeratedEntry(pooled) {
            @Override
            public void close() {
                pooled.closeQuietly();
            }

            @Override
            public boolean isClosed() {
                return !pooled.isOpen();
            }
        };
    }

    @Override
    public long getCreated() {
        return pooled.created();
    }

    @Override
    public long getValidityDeadline() {
        return pooled.validUntil();
    }

    @Override
    @Deprecated
    public long getValidUnit() {
        return pooled.validUntil();
    }

    @Override
    public Object getState() {
        return pooled.state();
    }

    @Override
    public void setState(Object state) {
        throw unchangeable();
    }

    @Override
    public long getUpdated() {
        return pooled.updated();
    }

    @Override
    public long getExpiry() {
        return pooled.expiry();
    }

    @Override
    public void updateExpiry(long time, TimeUnit timeUnit) {
        throw unchangeable();
    }

    /** Says so in the log, as HttpClient's entries do. */
    @Override
    public boolean isExpired(long now) {
        boolean expired = now >= pooled.expiry();
        if (expired) {
            pooled.logExpired();
        }
        return expired;
    }

    private static UnsupportedOperationException unchangeable() {
        return new UnsupportedOperationException(
                "an enumerated connection can be closed but not changed: its state and expiry are set by releaseConnection");
    }

    @Override
    public String toString() {
        return pooled.asEntry();
    }
}
