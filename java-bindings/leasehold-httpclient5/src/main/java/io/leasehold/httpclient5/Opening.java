package io.leasehold.httpclient5;

import java.net.SocketAddress;
import java.util.concurrent.Future;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.net.NamedEndpoint;
import org.apache.hc.core5.reactor.ConnectionInitiator;
import org.apache.hc.core5.reactor.IOSession;
import org.apache.hc.core5.util.Timeout;

/**
 * One connection's opening, which goes with the reactor from the manager to the operator: through HttpClient's code, which passes on
 * nothing else of what the manager knows. It notes the session that the connection is to run over: the last, where several addresses are
 * tried.
 */
abstract class Opening implements ConnectionInitiator {
    private final ConnectionInitiator initiator;
    // Written by whoever is told of the session, who goes on to tell of the connection.
    private volatile IOSession session;

    Opening(ConnectionInitiator initiator) {
        this.initiator = initiator;
    }

    IOSession session() {
        return session;
    }

    /** The connection is open: what HttpClient's code is to have of it. If this throws, the opening has failed. */
    abstract ManagedAsyncClientConnection opened(ReactorConnection connection);

    /** HttpClient's code was told of what it is to have, and may have had no use for it. */
    abstract void told(ManagedAsyncClientConnection connection);

    @Override
    public Future<IOSession> connect(NamedEndpoint remoteEndpoint, SocketAddress remoteAddress, SocketAddress localAddress,
            Timeout timeout, Object attachment, FutureCallback<IOSession> callback) {
        return initiator.connect(remoteEndpoint, remoteAddress, localAddress, timeout, attachment, new FutureCallback<IOSession>() {
            @Override
            public void completed(IOSession result) {
                session = result;
                callback.completed(result);
            }

            @Override
            public void failed(Exception e) {
                callback.failed(e);
            }

            @Override
            public void cancelled() {
                callback.cancelled();
            }
        });
    }
}
