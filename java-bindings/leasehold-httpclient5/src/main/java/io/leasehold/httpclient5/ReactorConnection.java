package io.leasehold.httpclient5;

import io.leasehold.Liveness;
import io.leasehold.managed.ManagedSocket;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.channels.SocketChannel;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSession;
import org.apache.hc.client5.http.impl.ConnPoolSupport;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.EndpointDetails;
import org.apache.hc.core5.http.HttpVersion;
import org.apache.hc.core5.http.ProtocolVersion;
import org.apache.hc.core5.http2.nio.command.PingCommand;
import org.apache.hc.core5.http2.nio.support.BasicPingHandler;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.net.NamedEndpoint;
import org.apache.hc.core5.reactor.Command;
import org.apache.hc.core5.reactor.IOSession;
import org.apache.hc.core5.reactor.ProtocolIOSession;
import org.apache.hc.core5.reactor.ssl.SSLBufferMode;
import org.apache.hc.core5.reactor.ssl.SSLSessionInitializer;
import org.apache.hc.core5.reactor.ssl.SSLSessionVerifier;
import org.apache.hc.core5.reactor.ssl.TlsDetails;
import org.apache.hc.core5.reactor.ssl.TransportSecurityLayer;
import org.apache.hc.core5.util.Identifiable;
import org.apache.hc.core5.util.Timeout;

/**
 * A connection of a reactor's, as HttpClient's operator has opened it, with a look of ours at its socket. Safe for use by several threads,
 * as what it passes on to is.
 */
final class ReactorConnection implements ManagedAsyncClientConnection, Identifiable {
    private final ManagedAsyncClientConnection connection;
    private final ManagedSocket socket;
    // May be null, where HttpClient's operator has another way to have one.
    private final IOSession session;
    /** Null if the session runs over none. */
    final Socket shown;
    // Written by whoever was told of a ping's answer.
    private volatile boolean isProven;

    /** Over a session, which may be null; treats its socket as it is to be treated when it is opened. */
    ReactorConnection(ManagedAsyncClientConnection connection, IOSession session, ManagedSocket socket) throws IOException {
        this.connection = connection;
        this.session = session;
        this.socket = socket;
        shown = session != null && session.channel() instanceof SocketChannel ? socketOf((SocketChannel) session.channel()) : null;
        if (shown != null) {
            socket.connected(shown);
        }
    }

    private static Socket socketOf(SocketChannel channel) {
        try {
            return channel.socket();
        } catch (UnsupportedOperationException e) {
            // It is one of Unix.
            return null;
        }
    }

    /**
     * Whether it was closed, by the reactor or, as the operating system knows before the reactor has read it, by its peer. What waits to be
     * read is no verdict where the protocol or TLS has something to say between two requests.
     */
    boolean isStale(boolean isValidationOff) {
        boolean isClosed = !isValidationOff && shown != null
                && socket.liveness(shown, getTlsDetails() != null || isHttp2()) == Liveness.CLOSED;
        // At last, as the reactor may close the socket during the look, and then the answer was of another.
        return isClosed || !connection.isOpen();
    }

    /** Whether it speaks HTTP/2, as far as that is agreed on by now. */
    boolean isHttp2() {
        ProtocolVersion version = connection.getProtocolVersion();
        return version != null && version.greaterEquals(HttpVersion.HTTP_2_0);
    }

    /** Whether it has answered as HTTP/2. */
    boolean isProven() {
        return isProven;
    }

    /** It has answered as HTTP/2: the peer's settings have come before. */
    void hasProven() {
        isProven = true;
    }

    /** How many streams its peer allows at a time. */
    int streamLimit() {
        return session == null ? 1 : Http2Limit.of(session.getHandler());
    }

    /** Asks the peer for a sign of life, as HTTP/2 has it. */
    void ping(Consumer<Boolean> answer) {
        connection.submitCommand(new PingCommand(new BasicPingHandler(result -> answer.accept(Boolean.TRUE.equals(result)))),
                Command.Priority.IMMEDIATE);
    }

    /**
     * Whether there is something queued that nobody will ever look at. HttpCore before 5.3.6 fails what is queued for a connection when
     * that has failed, and closes it afterwards without another look: what is queued in between, or while TLS says goodbye, stays there.
     */
    boolean hasForgotten() {
        return session != null && !session.isOpen() && session.hasCommands();
    }

    /** Cancels what nobody will look at. Each is taken by one, by this or by a reactor that does look. */
    void cancelForgotten() {
        for (Command forgotten = session.poll(); forgotten != null; forgotten = session.poll()) {
            forgotten.cancel();
        }
    }

    @Override
    public String getId() {
        return ConnPoolSupport.getId(connection);
    }

    @Override
    public void submitCommand(Command command, Command.Priority priority) {
        connection.submitCommand(command, priority);
    }

    @Override
    public void passivate() {
        connection.passivate();
    }

    @Override
    public void activate() {
        connection.activate();
    }

    @Override
    public void switchProtocol(String protocolId, FutureCallback<ProtocolIOSession> callback) {
        connection.switchProtocol(protocolId, callback);
    }

    @Override
    public void startTls(SSLContext context, NamedEndpoint endpoint, SSLBufferMode bufferMode, SSLSessionInitializer initializer,
            SSLSessionVerifier verifier, Timeout handshakeTimeout) {
        connection.startTls(context, endpoint, bufferMode, initializer, verifier, handshakeTimeout);
    }

    @Override
    public void startTls(SSLContext context, NamedEndpoint endpoint, SSLBufferMode bufferMode, SSLSessionInitializer initializer,
            SSLSessionVerifier verifier, Timeout handshakeTimeout, FutureCallback<TransportSecurityLayer> callback) {
        connection.startTls(context, endpoint, bufferMode, initializer, verifier, handshakeTimeout, callback);
    }

    @Override
    public TlsDetails getTlsDetails() {
        return connection.getTlsDetails();
    }

    @Override
    public SSLSession getSSLSession() {
        return connection.getSSLSession();
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
    public void close() {
        close(CloseMode.GRACEFUL);
    }

    /** A connection whose logger fails at its first close does nothing at the next. */
    @Override
    public void close(CloseMode mode) {
        boolean isClosed = false;
        try {
            connection.close(mode);
            isClosed = true;
        } finally {
            if (!isClosed && session != null) {
                session.close(CloseMode.IMMEDIATE);
            }
        }
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
