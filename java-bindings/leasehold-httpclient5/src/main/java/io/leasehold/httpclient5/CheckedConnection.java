package io.leasehold.httpclient5;

import io.leasehold.CoarseClock;
import io.leasehold.Liveness;
import io.leasehold.managed.ManagedSocket;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.Socket;
import java.net.SocketAddress;
import java.util.function.Consumer;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.ConnPoolSupport;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.EndpointDetails;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.ProtocolVersion;
import org.apache.hc.core5.http.impl.io.DefaultBHttpClientConnection;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.io.Closer;
import org.apache.hc.core5.util.Identifiable;
import org.apache.hc.core5.util.Timeout;

/**
 * What a connection factory has made, with a stale check of ours. For the holder of its lease, but for the closing methods.
 */
final class CheckedConnection implements ManagedHttpClientConnection, Identifiable {
    // Whether a class checks more than HttpCore's own, which does no more than to read.
    private static final ClassValue<Boolean> HAS_OWN_CHECK = new ClassValue<Boolean>() {
        @Override
        protected Boolean computeValue(Class<?> type) {
            try {
                return !type.getMethod("isStale").getDeclaringClass()
                        .equals(DefaultBHttpClientConnection.class.getMethod("isStale").getDeclaringClass());
            } catch (NoSuchMethodException e) {
                throw new AssertionError("it is a connection", e);
            }
        }
    };
    // Of the interface as of 5.4; null before.
    private static final Method BIND_BOTH = bindBoth();

    private final ManagedHttpClientConnection connection;
    private final ManagedSocket socket;
    private final ConnectionConfigs configs;
    private final Consumer<? super CheckedConnection> opened;
    private final boolean hasOwnCheck;
    // Written by the holder of the lease, handed on by the pool. The route of the present lease; since when it is idle, by the machine's
    // clock, or 0; whether a request was sent in this lease, so that what waits to be read is its response; whether it was said to be open.
    private HttpRoute route;
    private long idleSince;
    private boolean isUsed;
    private boolean isSaidToBeOpen;
    // Written by whoever closes it, before.
    private volatile boolean isClosed;

    /** With what is to hear, once, that it is open. */
    CheckedConnection(ManagedHttpClientConnection connection, ManagedSocket socket, ConnectionConfigs configs,
            Consumer<? super CheckedConnection> opened) {
        this.connection = connection;
        this.socket = socket;
        this.configs = configs;
        this.opened = opened;
        hasOwnCheck = HAS_OWN_CHECK.get(connection.getClass());
    }

    private static Method bindBoth() {
        try {
            return ManagedHttpClientConnection.class.getMethod("bind", SSLSocket.class, Socket.class);
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    /** It is leased again. */
    void leased(HttpRoute route) {
        this.route = route;
    }

    /**
     * Between two requests the operating system is asked, which takes half a microsecond. What it cannot tell, and what the class of an
     * application's own checks, takes a read of a millisecond, and is asked after the time that is set, as in HttpClient.
     */
    @Override
    public boolean isStale() throws IOException {
        if (isUsed) {
            return connection.isStale();
        }
        if (!connection.isOpen()) {
            return true;
        }
        Socket present = connection.getSocket();
        Liveness seen = socket.liveness(present, present instanceof SSLSocket);
        if (seen == Liveness.CLOSED) {
            return true;
        }
        return (seen == Liveness.UNKNOWN || hasOwnCheck) && isReadDue() && connection.isStale();
    }

    private boolean isReadDue() {
        return idleSince == 0 || route == null || CoarseClock.currentTimeMillis() - idleSince > configs.millisUntilValidation(route);
    }

    @Override
    public void passivate() {
        connection.passivate();
        isUsed = false;
        idleSince = CoarseClock.currentTimeMillis();
    }

    @Override
    public void activate() {
        connection.activate();
    }

    @Override
    public void bind(Socket bound) throws IOException {
        connection.bind(bound);
        bound(bound);
    }

    /**
     * Overrides what the interface has as of 5.4.
     *
     * @param tls what is read and written
     * @param base what is below it
     * @throws IOException if it failed
     */
    public void bind(SSLSocket tls, Socket base) throws IOException {
        try {
            BIND_BOTH.invoke(connection, tls, base);
        } catch (InvocationTargetException e) {
            throw Thrown.as(e.getCause(), IOException.class);
        } catch (IllegalAccessException e) {
            throw new AssertionError("it is an interface's", e);
        }
        bound(tls);
    }

    /**
     * One that was closed while it was being opened stays closed, as HttpClient's own means to be as of 5.4, and its socket with it: nobody
     * would close it once more. Whoever closes says so first and closes what is bound then; who binds looks afterwards.
     */
    private void bound(Socket bound) throws IOException {
        if (isClosed) {
            Closer.closeQuietly(bound);
            throw new InterruptedIOException("Connection already shutdown");
        }
        if (bound.isConnected()) {
            if (!isSaidToBeOpen) {
                opened.accept(this);
                isSaidToBeOpen = true;
            }
            socket.connected(bound);
        }
    }

    @Override
    public Socket getSocket() {
        return connection.getSocket();
    }

    @Override
    public SSLSession getSSLSession() {
        return connection.getSSLSession();
    }

    @Override
    public String getId() {
        return ConnPoolSupport.getId(connection);
    }

    @Override
    public boolean isConsistent() {
        return connection.isConsistent();
    }

    @Override
    public void sendRequestHeader(ClassicHttpRequest request) throws HttpException, IOException {
        isUsed = true;
        connection.sendRequestHeader(request);
    }

    @Override
    public void terminateRequest(ClassicHttpRequest request) throws HttpException, IOException {
        connection.terminateRequest(request);
    }

    @Override
    public void sendRequestEntity(ClassicHttpRequest request) throws HttpException, IOException {
        connection.sendRequestEntity(request);
    }

    @Override
    public ClassicHttpResponse receiveResponseHeader() throws HttpException, IOException {
        return connection.receiveResponseHeader();
    }

    @Override
    public void receiveResponseEntity(ClassicHttpResponse response) throws HttpException, IOException {
        connection.receiveResponseEntity(response);
    }

    @Override
    public boolean isDataAvailable(Timeout timeout) throws IOException {
        return connection.isDataAvailable(timeout);
    }

    @Override
    public void flush() throws IOException {
        connection.flush();
    }

    @Override
    public void close() throws IOException {
        isClosed = true;
        boolean hasClosed = false;
        try {
            connection.close();
            hasClosed = true;
        } finally {
            if (!hasClosed) {
                closeSocket();
            }
        }
    }

    @Override
    public void close(CloseMode mode) {
        isClosed = true;
        boolean hasClosed = false;
        try {
            connection.close(mode);
            hasClosed = true;
        } finally {
            if (!hasClosed) {
                closeSocket();
            }
        }
    }

    /** A connection whose logger fails at its first close does nothing at the next. */
    private void closeSocket() {
        Closer.closeQuietly(connection.getSocket());
    }

    @Override
    public EndpointDetails getEndpointDetails() {
        return connection.getEndpointDetails();
    }

    @Override
    public SocketAddress getLocalAddress() {
        return connection.getLocalAddress();
    }

    @Override
    public SocketAddress getRemoteAddress() {
        return connection.getRemoteAddress();
    }

    @Override
    public ProtocolVersion getProtocolVersion() {
        return connection.getProtocolVersion();
    }

    @Override
    public boolean isOpen() {
        return connection.isOpen();
    }

    @Override
    public Timeout getSocketTimeout() {
        return connection.getSocketTimeout();
    }

    @Override
    public void setSocketTimeout(Timeout timeout) {
        connection.setSocketTimeout(timeout);
    }

    /** As HttpClient's own prints. */
    @Override
    public String toString() {
        return connection.toString();
    }
}
