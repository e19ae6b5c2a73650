package io.leasehold.httpclient4;

import io.leasehold.Lease;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
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
    private static final AtomicReferenceFieldUpdater<LeasedConnection, PooledConnection> POOLED =
            AtomicReferenceFieldUpdater.newUpdater(LeasedConnection.class, PooledConnection.class, "pooled");

    private final Lease<PooledConnection.Cell> lease;
    // Null after the lease. Taken out once, by whoever releases.
    private volatile PooledConnection pooled;

    LeasedConnection(PooledConnection pooled, Lease<PooledConnection.Cell> lease) {
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
    Lease<PooledConnection.Cell> lease() {
        return lease;
    }

    /** Lets go of the connection; null if somebody has done so before. */
    PooledConnection detach() {
        return POOLED.getAndSet(this, null);
    }

    /** The connection while the lease lasts. */
    PooledConnection pooled() {
        PooledConnection held = pooled;
        if (held == null) {
            throw new ConnectionShutdownException();
        }
        return held;
    }

    private ManagedHttpClientConnection connection() {
        return pooled().connection();
    }

    @Override
    public void close() throws IOException {
        PooledConnection held = pooled;
        if (held != null) {
            held.close();
        }
    }

    @Override
    public void shutdown() throws IOException {
        PooledConnection held = pooled;
        if (held != null) {
            held.shutDown();
        }
    }

    @Override
    public boolean isOpen() {
        PooledConnection held = pooled;
        return held != null && held.isOpen();
    }

    @Override
    public boolean isStale() {
        PooledConnection held = pooled;
        return held == null || held.isStale();
    }

    @Override
    public void setSocketTimeout(int timeout) {
        connection().setSocketTimeout(timeout);
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
        connection().bind(socket);
    }

    @Override
    public Socket getSocket() {
        return connection().getSocket();
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
        PooledConnection held = pooled;
        return "CPoolProxy{" + (held == null ? "detached" : held.connection()) + '}';
    }
}
