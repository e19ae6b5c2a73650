package io.leasehold.tests.closes;

import io.leasehold.testsupport.TestTls;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import javax.net.ssl.SSLSocket;

/** A TLS server that answers one request on each connection, and then neither reads nor writes nor closes: a TLS close has no answer. */
final class DeafServer implements Closeable {
    private static final int SMALL = 4_096;

    private final ServerSocket listener = new ServerSocket();
    private final Queue<Socket> connections = new ConcurrentLinkedQueue<>();
    // Only to keep them: the JDK closes a TLS socket that is collected.
    private final Queue<SSLSocket> layers = new ConcurrentLinkedQueue<>();

    DeafServer() throws IOException {
        listener.setReceiveBufferSize(SMALL);
        listener.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0));
        Thread thread = new Thread(this::serve, "deaf server");
        thread.setDaemon(true);
        thread.start();
    }

    int port() {
        return listener.getLocalPort();
    }

    String url() {
        return "https://127.0.0.1:" + port() + "/";
    }

    int connections() {
        return connections.size();
    }

    /** Ends what it says on all connections, not by TLS but by TCP, and goes on not to read. */
    void hangUp() throws IOException {
        for (Socket connection : connections) {
            connection.shutdownOutput();
        }
    }

    private void serve() {
        try {
            for (;;) {
                Socket accepted = listener.accept();
                connections.add(accepted);
                SSLSocket tls = TestTls.server(accepted);
                layers.add(tls);
                ClosingServer.Listener.readRequest(tls.getInputStream());
                tls.getOutputStream().write(ClosingServer.Listener.ANSWER);
            }
        } catch (IOException e) {
            // Closed.
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (Socket connection : connections) {
            connection.close();
        }
    }
}
