package io.leasehold.httpclient4;

import io.leasehold.Lease;
import io.leasehold.managed.WeakConnection;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import javax.net.ssl.SSLSession;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpConnectionMetrics;
import org.apache.http.HttpEntityEnclosingRequest;
import org.apache.http.HttpException;
import org.apache.http.HttpRequest;
import org.apache.http.HttpResponse;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.impl.conn.ConnectionShutdownException;
import org.apache.http.protocol.HttpContext;

/**
 * What the user of a manager holds: a {@link PooledConnection} for as long as a lease lasts. Used after that, it answers as HttpClient's
 * own wrapper does: it is closed, it is stale, and everything else is a {@link ConnectionShutdownException}.
 *
 * <p>As HttpClient's connections, it is for one thread at a time, {@link #close()} and {@link #shutdown()} excepted.
 */
final class LeasedConnection implements ManagedHttpClientConnection, HttpContext {
    private static final AtomicIntegerFieldUpdater<LeasedConnection> DETACHED =
            AtomicIntegerFieldUpdater.newUpdater(LeasedConnection.class, "detached");

    private final Lease<WeakConnection<PooledConnection>> lease;
    // Null after the lease, written by whoever has set the next field. Not volatile, which every lease would pay for.
    PooledConnection pooled;
    // Not zero after the lease. Written once, by whoever releases; taken back if that fails.
    volatile int detached;

    LeasedConnection(PooledConnection pooled, Lease<WeakConnection<PooledConnection>> lease) {
        this.pooled = pooled;
        this.lease = lease;
    }

    /** The connection as one of ours. */
    static LeasedConnection of(HttpClientConnection connection) {
        if (!(connection instanceof LeasedConnection)) {
            throw new IllegalStateException("Unexpected connection proxy class: " + connection.getClass());
        }
        return (LeasedConnection) connection;
    }

    /** The lease, to be ended by who has detached this. */
    Lease<WeakConnection<PooledConnection>> lease() {
        return lease;
    }

    /** Lets go of the connection; null if somebody has done so before. */
    PooledConnection detach() {
        if (!DETACHED.compareAndSet(this, 0, 1)) {
            return null;
        }
        PooledConnection held = pooled;
        pooled = null;
        return held;
    }

    /** Ends a lease of which no use was made: the connection stays as it was, if it is open. */
    void giveBack() {
        PooledConnection unused = detach();
        if (unused.isOpen()) {
            lease.tryRelease(unused.key());
        } else {
            lease.tryDiscard();
        }
    }

    /** The connection while the lease lasts. */
    PooledConnection pooled() {
        PooledConnection held = held();
        if (held == null) {
            throw new ConnectionShutdownException();
        }
        return held;
    }

    /** The connection, or null after the lease. */
    private PooledConnection held() {
        return detached == 0 ? pooled : null;
    }

    private ManagedHttpClientConnection connection() {
        return pooled().connection();
    }

    @Override
    public void close() throws IOException {
        PooledConnection held = held();
        if (held != null) {
            held.close();
        }
    }

    @Override
    public void shutdown() throws IOException {
        PooledConnection held = held();
        if (held != null) {
            held.shutDown();
        }
    }

    @Override
    public boolean isOpen() {
        PooledConnection held = held();
        return held != null && held.isOpen();
    }

    @Override
    public boolean isStale() {
        PooledConnection held = held();
        return held == null || held.isStale();
    }

    @Override
    public void setSocketTimeout(int timeout) {
        pooled().setSocketTimeout(timeout);
    }

    @Override
    public int getSocketTimeout() {
        return connection().getSocketTimeout();
    }

    @Override
    public String getId() {
        return connection().getId();
    }

    @Override
    public void bind(Socket socket) throws IOException {
        pooled().showSocket();
        connection().bind(socket);
    }

    @Override
    public Socket getSocket() {
        return pooled().showSocket();
    }

    @Override
    public SSLSession getSSLSession() {
        return connection().getSSLSession();
    }

    @Override
    public boolean isResponseAvailable(int timeout) throws IOException {
        return connection().isResponseAvailable(timeout);
    }

    @Override
    public void sendRequestHeader(HttpRequest request) throws HttpException, IOException {
        pooled().beginRequest();
        connection().sendRequestHeader(request);
    }

    @Override
    public void sendRequestEntity(HttpEntityEnclosingRequest request) throws HttpException, IOException {
        connection().sendRequestEntity(request);
    }

    @Override
    public HttpResponse receiveResponseHeader() throws HttpException, IOException {
        return connection().receiveResponseHeader();
    }

    @Override
    public void receiveResponseEntity(HttpResponse response) throws HttpException, IOException {
        connection().receiveResponseEntity(response);
    }

    @Override
    public void flush() throws IOException {
        connection().flush();
    }

    @Override
    public HttpConnectionMetrics getMetrics() {
        return connection().getMetrics();
    }

    @Override
    public InetAddress getLocalAddress() {
        return connection().getLocalAddress();
    }

    @Override
    public int getLocalPort() {
        return connection().getLocalPort();
    }

    @Override
    public InetAddress getRemoteAddress() {
        return connection().getRemoteAddress();
    }

    @Override
    public int getRemotePort() {
        return connection().getRemotePort();
    }

    @Override
    public Object getAttribute(String id) {
        ManagedHttpClientConnection connection = connection();
        return connection instanceof HttpContext ? ((HttpContext) connection).getAttribute(id) : null;
    }

    @Override
    public void setAttribute(String id, Object value) {
        ManagedHttpClientConnection connection = connection();
        if (connection instanceof HttpContext) {
            ((HttpContext) connection).setAttribute(id, value);
        }
    }

    @Override
    public Object removeAttribute(String id) {
        ManagedHttpClientConnection connection = connection();
        return connection instanceof HttpContext ? ((HttpContext) connection).removeAttribute(id) : null;
    }

    /** As HttpClient's own wrapper prints. */
    @Override
    public String toString() {
        PooledConnection held = held();
        return "CPoolProxy{" + (held == null ? "detached" : held.connection()) + '}';
    }
}
