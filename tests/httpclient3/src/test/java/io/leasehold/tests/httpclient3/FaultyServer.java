package io.leasehold.tests.httpclient3;

import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;

/** A server for the faults that no real one can be brought to: each connection is played by a script. */
final class FaultyServer implements Closeable {
    /** What the server does on a connection, which is closed when it returns. */
    interface Script {
        void play(Connection connection) throws Exception;
    }

    /** A connection as a script sees it. */
    static final class Connection {
        final Socket socket;
        private final BufferedReader in;

        private Connection(Socket socket) throws IOException {
            this.socket = socket;
            in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
        }

        /** Reads a request without a body; false at the end of the connection. */
        boolean readRequest() throws IOException {
            String line = in.readLine();
            if (line == null) {
                return false;
            }
            while (!line.isEmpty()) {
                line = in.readLine();
            }
            return true;
        }

        void write(String text) throws IOException {
            socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
        }
    }

    static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    final AtomicInteger connections = new AtomicInteger();
    private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final Script script;

    FaultyServer(Script script) throws IOException {
        this.script = script;
        start(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    String url() {
        return "http://127.0.0.1:" + port() + "/";
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }

    private void accept() {
        while (true) {
            Socket socket;
            try {
                socket = listener.accept();
            } catch (IOException closed) {
                return;
            }
            connections.incrementAndGet();
            start(() -> play(socket));
        }
    }

    private void play(Socket socket) {
        try (Socket open = socket) {
            script.play(new Connection(open));
        } catch (IOException clientIsGone) {
            // As it may.
        } catch (Exception e) {
            throw new IllegalStateException("the script failed", e);
        }
    }

    private static void start(Runnable run) {
        Thread thread = new Thread(run, "faulty server");
        thread.setDaemon(true);
        thread.start();
    }
}
