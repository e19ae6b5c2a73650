package io.leasehold.httpclient4;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.conn.HttpClientConnectionManager;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.protocol.BasicHttpContext;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A listening socket on loopback, for whom a test itself is the server, and the steps that HttpClient takes with a manager. As an extension
 * it ends with the test, and the managers with it that it was told of.
 */
final class Loopback implements Closeable, AfterEachCallback {
    private final ServerSocket listener;
    private final List<HttpClientConnectionManager> managers = new ArrayList<>();

    Loopback() {
        try {
            listener = new ServerSocket(0, 200, InetAddress.getByName("127.0.0.1"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Shuts a manager down after the test. */
    <M extends HttpClientConnectionManager> M ends(M manager) {
        managers.add(manager);
        return manager;
    }

    @Override
    public void afterEach(ExtensionContext context) throws IOException {
        managers.forEach(HttpClientConnectionManager::shutdown);
        close();
    }

    HttpHost host() {
        return new HttpHost("127.0.0.1", listener.getLocalPort());
    }

    HttpRoute route() {
        return new HttpRoute(host());
    }

    /** The server's side of the connection that was opened first of those not accepted yet. */
    Socket accept() throws IOException {
        return listener.accept();
    }

    /** Leases without waiting long, and opens what is not open. */
    static HttpClientConnection leaseOpen(HttpClientConnectionManager manager, HttpRoute route, Object state) throws Exception {
        HttpClientConnection connection = lease(manager, route, state);
        if (!connection.isOpen()) {
            manager.connect(connection, route, 1000, new BasicHttpContext());
            manager.routeComplete(connection, route, new BasicHttpContext());
        }
        return connection;
    }

    static HttpClientConnection lease(HttpClientConnectionManager manager, HttpRoute route, Object state) throws Exception {
        return manager.requestConnection(route, state).get(10, TimeUnit.SECONDS);
    }

    static void keep(HttpClientConnectionManager manager, HttpClientConnection connection) {
        manager.releaseConnection(connection, null, 0, TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
