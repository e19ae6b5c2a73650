package io.leasehold.tests.agent;

import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.testsupport.TestTls;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A server that counts the connections and requests which programs bring it. It closes a connection when nothing has come for a time,
 * without having announced that, as servers do; or all that are idle at once when a request asks for it.
 */
final class CountedServer implements Closeable {
    /** A request of this path closes the other connections, and is answered with how many sockets of clients are left in CLOSE_WAIT. */
    static final String CLOSE = "/close-idle";

    /** What was asked for. */
    static final class Request {
        final String method;
        final String target;
        /** By their names in lower case. */
        final Map<String, String> headers = new LinkedHashMap<>();
        byte[] body = {};

        Request(String method, String target) {
            this.method = method;
            this.target = target;
        }

        String path() {
            int query = target.indexOf('?');
            return query < 0 ? target : target.substring(0, query);
        }
    }

    /** What is answered. */
    static final class Response {
        final int status;
        final Map<String, String> headers = new LinkedHashMap<>();
        final byte[] body;

        Response(int status, byte[] body) {
            this.status = status;
            this.body = body;
        }

        Response(int status, String body) {
            this(status, body.getBytes(StandardCharsets.UTF_8));
        }

        Response with(String header, String value) {
            headers.put(header, value);
            return this;
        }
    }

    /** Answers requests, on any thread. */
    interface Site {
        /** The answer to a request. */
        Response answer(Request request) throws IOException;

        /** How many requests have said that they had failed before. */
        default int retried() {
            return 0;
        }
    }

    private final ServerSocket listener;
    private final Thread accepting;
    private final boolean isTls;
    private final int keepAliveMillis;
    private final Site site;
    private final Set<Served> open = ConcurrentHashMap.newKeySet();
    private final AtomicInteger connections = new AtomicInteger();
    private final AtomicInteger requests = new AtomicInteger();
    // Written by the thread that looks.
    private volatile int looks;
    private volatile long seenInCloseWait;

    /**
     * Starts one on localhost.
     *
     * @param isTls whether it speaks TLS, as the tests' own identity
     * @param keepAliveMillis after how much silence it closes a connection; zero is never
     * @param site answers
     */
    CountedServer(boolean isTls, int keepAliveMillis, Site site) throws IOException {
        this.isTls = isTls;
        this.keepAliveMillis = keepAliveMillis;
        this.site = site;
        listener = new ServerSocket(0, 500, InetAddress.getByName("127.0.0.1"));
        accepting = new Thread(this::accept, "accepts");
        accepting.setDaemon(true);
        accepting.start();
        if (keepAliveMillis > 0) {
            Thread sampling = new Thread(this::sample, "looks for CLOSE_WAIT");
            sampling.setDaemon(true);
            sampling.start();
        }
    }

    int port() {
        return listener.getLocalPort();
    }

    String url() {
        return (isTls ? "https" : "http") + "://localhost:" + port();
    }

    int retried() {
        return site.retried();
    }

    int connections() {
        return connections.get();
    }

    int requests() {
        return requests.get();
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = listener.accept();
                connections.incrementAndGet();
                Thread thread = new Thread(() -> serve(socket), "serves");
                thread.setDaemon(true);
                thread.start();
            }
        } catch (IOException e) {
            // It is closed.
        }
    }

    private void serve(Socket accepted) {
        Served served = new Served(accepted);
        open.add(served);
        try {
            accepted.setTcpNoDelay(true);
            Socket socket = isTls ? TestTls.server(accepted) : accepted;
            InputStream in = new BufferedInputStream(socket.getInputStream());
            OutputStream out = socket.getOutputStream();
            // The first request may take its time: it comes after a handshake.
            for (Request request = read(in, out); request != null && served.begin(); request = next(accepted, in, out)) {
                Response response;
                if (request.path().equals(CLOSE)) {
                    connections.decrementAndGet();
                    response = new Response(200, closeIdle()).with("Connection", "close");
                } else {
                    requests.incrementAndGet();
                    response = site.answer(request);
                }
                if (!served.answer(out, request, response) || response.headers.containsKey("Connection")) {
                    break;
                }
            }
        } catch (IOException e) {
            // Its client has gone.
        } finally {
            open.remove(served);
            served.close();
        }
    }

    private Request next(Socket accepted, InputStream in, OutputStream out) throws IOException {
        accepted.setSoTimeout(keepAliveMillis);
        try {
            Request request = read(in, out);
            accepted.setSoTimeout(0);
            return request;
        } catch (SocketTimeoutException e) {
            return null;
        }
    }

    /** Closes what is idle, and says how many sockets are in CLOSE_WAIT on the clients' side after a second at most. */
    private String closeIdle() throws IOException {
        for (Served each : open) {
            each.closeIfIdle();
        }
        long start = System.nanoTime();
        int left;
        do {
            left = closeWaits();
        } while (left > 0 && System.nanoTime() - start < TimeUnit.SECONDS.toNanos(1));
        return String.valueOf(left);
    }

    /** How many sockets of clients are in CLOSE_WAIT now. */
    int closeWaits() throws IOException {
        return SocketTable.ofPort(port()).count(Side.CLIENT, State.CLOSE_WAIT);
    }

    /** How many sockets of clients were in CLOSE_WAIT so far, on average over the looks from the first connection on. */
    double averageCloseWaits() {
        return looks == 0 ? 0 : (double) seenInCloseWait / looks;
    }

    private void sample() {
        try {
            while (!listener.isClosed()) {
                if (connections() > 0) {
                    seenInCloseWait += closeWaits();
                    looks++;
                }
                Thread.sleep(10);
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Request read(InputStream in, OutputStream out) throws IOException {
        String line = line(in);
        if (line == null) {
            return null;
        }
        String[] words = line.split(" ");
        Request request = new Request(words[0], words[1]);
        for (line = line(in); line != null && !line.isEmpty(); line = line(in)) {
            int colon = line.indexOf(':');
            request.headers.put(line.substring(0, colon).trim().toLowerCase(Locale.ROOT), line.substring(colon + 1).trim());
        }
        if ("100-continue".equalsIgnoreCase(request.headers.get("expect"))) {
            out.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            out.flush();
        }
        if ("chunked".equalsIgnoreCase(request.headers.get("transfer-encoding"))) {
            request.body = chunks(in);
        } else if (request.headers.containsKey("content-length")) {
            request.body = exactly(in, Integer.parseInt(request.headers.get("content-length")));
        }
        return request;
    }

    /** A body that came in chunks. */
    static byte[] chunks(InputStream in) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        while (true) {
            int length = Integer.parseInt(line(in).split(";")[0].trim(), 16);
            body.write(exactly(in, length));
            String end = line(in);
            if (length == 0) {
                while (end != null && !end.isEmpty()) {
                    end = line(in);
                }
                return body.toByteArray();
            }
        }
    }

    private static byte[] exactly(InputStream in, int length) throws IOException {
        byte[] content = new byte[length];
        for (int done = 0; done < length; ) {
            int n = in.read(content, done, length - done);
            if (n < 0) {
                throw new EOFException();
            }
            done += n;
        }
        return content;
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c >= 0; c = in.read()) {
            if (c == '\n') {
                return line.toString();
            }
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return null;
    }

    private static void write(OutputStream out, Request request, Response response) throws IOException {
        StringBuilder head = new StringBuilder("HTTP/1.1 ").append(response.status).append(" Whatever\r\n");
        response.headers.forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
        boolean hasBody = response.status != 204 && response.status != 304;
        if (hasBody && !response.headers.containsKey("Content-Length")) {
            head.append("Content-Length: ").append(response.body.length).append("\r\n");
        }
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.write(head.append("\r\n").toString().getBytes(StandardCharsets.US_ASCII));
        if (hasBody && !request.method.equals("HEAD")) {
            all.write(response.body);
        }
        out.write(all.toByteArray());
        out.flush();
    }

    @Override
    public void close() throws IOException {
        listener.close();
        try {
            // Until then it goes on listening.
            accepting.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        open.forEach(Served::close);
    }

    /** A connection: idle, or in the middle of a request. */
    private static final class Served {
        private final Socket socket;
        // Inside this object's monitor.
        private boolean isBusy;
        private boolean isClosed;

        Served(Socket socket) {
            this.socket = socket;
        }

        synchronized boolean begin() {
            isBusy = true;
            return !isClosed;
        }

        /** Whoever has read all of the answer and asks for idle connections to be closed, has this one closed, too. */
        synchronized boolean answer(OutputStream out, Request request, Response response) throws IOException {
            write(out, request, response);
            isBusy = false;
            return !isClosed;
        }

        synchronized void closeIfIdle() {
            if (!isBusy) {
                close();
            }
        }

        synchronized void close() {
            isClosed = true;
            try {
                socket.close();
            } catch (IOException e) {
                // It is closed, then.
            }
        }
    }
}
