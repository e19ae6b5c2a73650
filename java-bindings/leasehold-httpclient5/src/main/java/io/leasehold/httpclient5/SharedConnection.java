package io.leasehold.httpclient5;

import java.net.SocketAddress;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSession;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.core5.concurrent.ComplexCancellable;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.EndpointDetails;
import org.apache.hc.core5.http.ProtocolVersion;
import org.apache.hc.core5.http.nio.command.RequestExecutionCommand;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.net.NamedEndpoint;
import org.apache.hc.core5.reactor.Command;
import org.apache.hc.core5.reactor.ProtocolIOSession;
import org.apache.hc.core5.reactor.ssl.SSLBufferMode;
import org.apache.hc.core5.reactor.ssl.SSLSessionInitializer;
import org.apache.hc.core5.reactor.ssl.SSLSessionVerifier;
import org.apache.hc.core5.reactor.ssl.TlsDetails;
import org.apache.hc.core5.reactor.ssl.TransportSecurityLayer;
import org.apache.hc.core5.util.Identifiable;
import org.apache.hc.core5.util.Timeout;

/**
 * What one endpoint has of a connection, which others may have at the same time. Closing it ends the exchange of this endpoint alone, as
 * soon as the reactor has anything to do with that; the connection is closed when nobody has it any more. Safe for use by several threads.
 */
final class SharedConnection implements ManagedAsyncClientConnection, Identifiable {
    /** Who gave it. */
    interface Lender {
        /** Its endpoint closes it. */
        void close(SharedConnection closed, CloseMode mode);
    }

    private final Lender lender;
    private final ReactorConnection connection;
    // The last exchange. Written by whoever submits one.
    private volatile ComplexCancellable exchange;
    private volatile boolean isClosed;

    SharedConnection(ReactorConnection connection, Lender lender) {
        this.lender = lender;
        this.connection = connection;
    }

    ReactorConnection connection() {
        return connection;
    }

    /** The exchange is to be heard of, so that it can be ended without the others. */
    @Override
    public void submitCommand(Command command, Command.Priority priority) {
        Command submitted = command;
        if (command instanceof RequestExecutionCommand && ((RequestExecutionCommand) command).getCancellableDependency() == null) {
            RequestExecutionCommand request = (RequestExecutionCommand) command;
            ComplexCancellable cancellable = new ComplexCancellable();
            exchange = cancellable;
            submitted = new RequestExecutionCommand(
                    request.getExchangeHandler(), request.getPushHandlerFactory(), cancellable, request.getContext());
            if (isClosed) {
                // It was closed meanwhile, and may have missed this.
                cancellable.cancel();
            }
        }
        connection.submitCommand(submitted, priority);
    }

    @Override
    public void close(CloseMode mode) {
        isClosed = true;
        lender.close(this, mode);
    }

    /** Ends the exchange of this endpoint. */
    void cancelExchange() {
        ComplexCancellable cancellable = exchange;
        if (cancellable != null) {
            cancellable.cancel();
        }
    }

    @Override
    public void close() {
        close(CloseMode.GRACEFUL);
    }

    @Override
    public boolean isOpen() {
        return !isClosed && connection.isOpen();
    }

    /** The timeout of what is idle is set when nobody has the connection any more. */
    @Override
    public void passivate() {}

    @Override
    public void activate() {
        connection.activate();
    }

    @Override
    public String getId() {
        return connection.getId();
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
    public Timeout getSocketTimeout() {
        return connection.getSocketTimeout();
    }

    @Override
    public void setSocketTimeout(Timeout timeout) {
        connection.setSocketTimeout(timeout);
    }

    @Override
    public String toString() {
        return connection.toString();
    }
}
