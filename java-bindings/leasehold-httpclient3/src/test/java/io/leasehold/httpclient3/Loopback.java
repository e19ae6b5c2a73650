package io.leasehold.httpclient3;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.protocol.Protocol;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A listening socket on loopback, for whom a test itself is the server, and connections to it. As an extension it ends with the test. */
final class Loopback implements AfterEachCallback {
    static final String ADDRESS = "127.0.0.1";
    private static final int PATIENCE = 30_000;

    private final ServerSocket listener;
    /** The clients' sockets that {@link #http} has made, in order. */
    final List<Socket> sockets = new ArrayList<>();
    /** Leads here whatever the host is called. */
    final Protocol http = new Protocol("http", (SimpleSocketFactory) (host, port) -> {
        Socket socket = new Socket(ADDRESS, port);
        sockets.add(socket);
        return socket;
    }, 80);

    Loopback() {
        try {
            listener = new ServerSocket(0, 50, InetAddress.getByName(ADDRESS));
            listener.setSoTimeout(PATIENCE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void afterEach(ExtensionContext context) throws IOException {
        listener.close();
    }

    int port() {
        return listener.getLocalPort();
    }

    /** The server's side of the connection that was opened first of those not accepted yet. */
    Socket accept() throws IOException {
        return listener.accept();
    }

    /** Leads here by {@link #http}. */
    HostConfiguration to(String host) {
        return to(host, http);
    }

    /** Leads here by another protocol. */
    HostConfiguration to(String host, Protocol protocol) {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost(host, port(), protocol);
        return configuration;
    }

    /** Leases, and opens what is not open. */
    HttpConnection open(HttpConnectionManager manager, String host) throws IOException {
        HttpConnection connection = manager.getConnection(to(host));
        if (!connection.isOpen()) {
            connection.open();
        }
        return connection;
    }
}
