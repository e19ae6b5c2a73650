package io.leasehold.testsupport;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A raw-socket HTTP server on loopback whose misbehaviour is chosen by the request path, so that a script decides what happens on the wire:
 * <pre>
 *   /ok              200 with a length, "cN rM" (connection N, its Mth request), kept alive
 *   /big             200 with 200,000 bytes and a length
 *   /chunked         200 in two chunks
 *   /chunked-stall   200, one chunk now, the rest once {@link #proceed()} was called
 *   /chunked-cut     200, one chunk and then the end of the stream
 *   /no-length       200 without a length, ended by closing
 *   /204, /head      no body
 *   /close           200 that says Connection: close and closes
 *   /says-close      200 that says Connection: close but leaves closing to the client
 *   /keep            200 that says Connection: keep-alive
 *   /keep-alive?text 200 that says Keep-Alive: text
 *   /http10          HTTP/1.0 reply, then closes
 *   /http10-keep     HTTP/1.0 reply that says Connection: keep-alive
 *   /http10-open     HTTP/1.0 reply with a length and without a word, left open
 *   /extra           200 with more bytes than its length says
 *   /goodbye         200 kept alive; 14 more bytes (the start of a late 408) when {@link #proceed()} is called
 *   /drop            200 kept alive, then closes without having said so; /drop?later once {@link #proceed()} was called
 *   /reset           200 kept alive, then resets without having said so; /reset?later likewise
 *   /half-close      200 kept alive, then closes its own direction only; /half-close?later likewise
 *   /truncated       200 with fewer bytes than its length says, then closes
 *   /nothing         closes without an answer
 *   /garbage         something that is not HTTP, then closes
 *   /slow            answers once {@link #proceed()} was called
 *   /redirect?path   302 to that path on this server
 *   /host            200 with the Host header received
 * </pre>
 * CONNECT is answered with 200 and the connection continues in TLS; an absolute request URI (a proxied request) is served like its path.
 */
public final class ScriptedServer implements AutoCloseable {
    /** What the server saw of one connection. */
    public static final class Peer {
        private final int number;
        private final int serverPort;
        private final int clientPort;
        private final CountDownLatch ended = new CountDownLatch(1);
        private final Socket socket;
        private volatile String end = "open";
        private volatile int requests;

        Peer(int number, Socket socket) {
            this.number = number;
            this.socket = socket;
            serverPort = socket.getLocalPort();
            clientPort = socket.getPort();
        }

        /** How the connection ended as seen from here: {@code open}, {@code end of stream}, {@code reset} or {@code closed by server}. */
        public String end() {
            return end;
        }

        /** How many requests have arrived on it. */
        public int requests() {
            return requests;
        }

        /** The client's port. */
        public int clientPort() {
            return clientPort;
        }

        /** Whether the connection has ended. */
        public boolean hasEnded() {
            return ended.getCount() == 0;
        }

        /** Waits until the connection has ended, and the client's system knows. */
        public void awaitEnd() throws Exception {
            Eventually.await("connection " + number + " to end", this::hasEnded);
            awaitArrival();
        }

        /**
         * Waits until all that was sent, an end that this side has made too, is known to the client's system. That may take 200 ms: on
         * loopback, too, packets are dropped where bursts come from other tests.
         */
        public void awaitArrival() throws Exception {
            Eventually.await("what was sent to arrive", () -> !TcpState.hasUnacknowledged(serverPort, clientPort));
        }
    }

    private static final byte[] LINE_END = {'\r', '\n'};
    private static final Set<Integer> PORTS = ConcurrentHashMap.newKeySet();

    private final ServerSocket listener;
    private final Thread acceptor;
    private final boolean tls;
    private final List<Peer> peers = new CopyOnWriteArrayList<>();
    private final AtomicInteger accepted = new AtomicInteger();
    private final AtomicInteger proceeded = new AtomicInteger();
    private volatile CountDownLatch proceed = new CountDownLatch(1);

    private ScriptedServer(boolean tls) throws IOException {
        this.tls = tls;
        listener = listen();
        acceptor = startDaemon("scripted-server", this::acceptLoop);
    }

    /** On a port that no server of this JVM has had: what an earlier test has left behind may still speak of its own. */
    private static ServerSocket listen() throws IOException {
        ServerSocket socket = new ServerSocket(0, 200);
        for (int tries = 0; !PORTS.add(socket.getLocalPort()) && tries < 100; tries++) {
            ServerSocket taken = socket;
            // While that one is taken.
            socket = new ServerSocket(0, 200);
            taken.close();
        }
        return socket;
    }

    /** A server without TLS. */
    public static ScriptedServer plain() throws IOException {
        return new ScriptedServer(false);
    }

    /** A server whose connections start with TLS. */
    public static ScriptedServer tls() throws IOException {
        return new ScriptedServer(true);
    }

    /** The port it listens on. */
    public int port() {
        return listener.getLocalPort();
    }

    /** The connections accepted so far, in order. */
    public List<Peer> peers() {
        return new ArrayList<>(peers);
    }

    /** One of them, from 0 on. Waits for it: a client's connect returns before the accept that it has led to. */
    public Peer peer(int number) throws Exception {
        Eventually.await("connection " + number + " accepted", () -> peers.size() > number);
        return peers.get(number);
    }

    /** Lets everything that waits for this go on, once. */
    public void proceed() {
        CountDownLatch waiting = proceed;
        proceed = new CountDownLatch(1);
        waiting.countDown();
    }

    /** How many answers have gone on and been written to their end since. */
    public int proceeded() {
        return proceeded.get();
    }

    /** Nobody is accepted any more once this has returned, unless its thread was interrupted. */
    @Override
    public void close() throws IOException {
        listener.close();
        try {
            // A closed ServerSocket goes on listening until the thread that waits in its accept has noticed, and may accept one more.
            acceptor.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (Peer peer : peers) {
            peer.socket.close();
        }
    }

    private static Thread startDaemon(String name, Runnable body) {
        Thread thread = new Thread(body, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private void acceptLoop() {
        while (true) {
            try {
                Socket socket = listener.accept();
                Peer peer = new Peer(accepted.getAndIncrement(), socket);
                peers.add(peer);
                startDaemon("scripted-server-" + peer.number, () -> serve(peer));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Peer peer) {
        try {
            Socket socket = tls ? TestTls.server(peer.socket) : peer.socket;
            InputStream in = new BufferedInputStream(socket.getInputStream());
            while (true) {
                List<String> head = readHead(in);
                if (head == null) {
                    peer.end = "end of stream";
                    break;
                }
                peer.requests++;
                String[] requestLine = head.get(0).split(" ");
                if (requestLine[0].equals("CONNECT")) {
                    write(socket.getOutputStream(), "HTTP/1.1 200 Established", "", "");
                    socket = TestTls.server(socket);
                    in = new BufferedInputStream(socket.getInputStream());
                    continue;
                }
                skipBody(in, head);
                if (!answer(peer, socket, requestLine, head)) {
                    peer.end = "closed by server";
                    break;
                }
            }
            socket.close();
        } catch (IOException | InterruptedException e) {
            peer.end = e instanceof SocketException ? "reset" : e.toString();
        } finally {
            try {
                peer.socket.close();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            peer.ended.countDown();
        }
    }

    /** Answers one request; false when the connection is to be closed now. */
    private boolean answer(Peer peer, Socket socket, String[] requestLine, List<String> head) throws IOException, InterruptedException {
        OutputStream out = socket.getOutputStream();
        String path = requestLine[1].replaceFirst("^https?://[^/]*", "");
        String body = requestLine[0].equals("HEAD") ? "" : "c" + peer.number + " r" + peer.requests;
        String length = "Content-Length: " + body.length();
        int query = path.indexOf('?');
        switch (query < 0 ? path : path.substring(0, query)) {
            case "/ok":
                write(out, "HTTP/1.1 200 OK", length, "", body);
                return true;
            case "/big":
                StringBuilder big = new StringBuilder(200_000);
                while (big.length() < 200_000) {
                    big.append("0123456789");
                }
                write(out, "HTTP/1.1 200 OK", "Content-Length: 200000", "", big.toString());
                return true;
            case "/chunked":
                write(out, "HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "",
                      Integer.toHexString(body.length()) + "\r\n" + body + "\r\n5\r\n more\r\n0\r\n\r\n");
                return true;
            case "/chunked-stall":
                CountDownLatch rest = proceed;
                write(out, "HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "5\r\nfirst");
                rest.await();
                write(out, "", "4", "rest", "0", "", "");
                proceeded.incrementAndGet();
                return true;
            case "/chunked-cut":
                write(out, "HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "5\r\nfirst\r\n");
                return false;
            case "/no-length":
                write(out, "HTTP/1.1 200 OK", "", body);
                return false;
            case "/204":
                write(out, "HTTP/1.1 204 No Content", "", "");
                return true;
            case "/close":
                write(out, "HTTP/1.1 200 OK", "Connection: close", length, "", body);
                return false;
            case "/says-close":
                write(out, "HTTP/1.1 200 OK", "Connection: close", length, "", body);
                return true;
            case "/keep":
                write(out, "HTTP/1.1 200 OK", "Connection: keep-alive", length, "", body);
                return true;
            case "/keep-alive":
                write(out, "HTTP/1.1 200 OK", "Keep-Alive: " + path.substring(query + 1), length, "", body);
                return true;
            case "/http10":
                write(out, "HTTP/1.0 200 OK", length, "", body);
                return false;
            case "/http10-keep":
                write(out, "HTTP/1.0 200 OK", "Connection: keep-alive", length, "", body);
                return true;
            case "/http10-open":
                write(out, "HTTP/1.0 200 OK", length, "", body);
                return true;
            case "/extra":
                write(out, "HTTP/1.1 200 OK", length, "", body + "unasked for");
                return true;
            case "/goodbye":
                CountDownLatch late = proceed;
                write(out, "HTTP/1.1 200 OK", length, "", body);
                late.await();
                write(out, "HTTP/1.1 408", "");
                proceeded.incrementAndGet();
                return true;
            case "/drop":
            case "/reset":
                CountDownLatch told = proceed;
                write(out, "HTTP/1.1 200 OK", length, "", body);
                if (query >= 0) {
                    // When nobody reads any more.
                    told.await();
                }
                if (path.startsWith("/reset")) {
                    peer.socket.setSoLinger(true, 0);
                }
                return false;
            case "/half-close":
                CountDownLatch half = proceed;
                write(out, "HTTP/1.1 200 OK", length, "", body);
                if (query >= 0) {
                    half.await();
                }
                peer.socket.shutdownOutput();
                proceeded.incrementAndGet();
                return true;
            case "/truncated":
                write(out, "HTTP/1.1 200 OK", "Content-Length: 100", "", body);
                return false;
            case "/nothing":
                return false;
            case "/garbage":
                write(out, "this is not HTTP", "", "");
                return false;
            case "/slow":
                CountDownLatch go = proceed;
                go.await();
                write(out, "HTTP/1.1 200 OK", length, "", body);
                return true;
            case "/redirect":
                write(out, "HTTP/1.1 302 Found", "Location: " + path.substring(query + 1), length, "", body);
                return true;
            case "/host":
                String host = header(head, "Host");
                write(out, "HTTP/1.1 200 OK", "Content-Length: " + host.length(), "", host);
                return true;
            default:
                write(out, "HTTP/1.1 404 Not Found", length, "", body);
                return true;
        }
    }

    private static void write(OutputStream out, String... lines) throws IOException {
        out.write(String.join("\r\n", lines).getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    private static List<String> readHead(InputStream in) throws IOException {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        int matched = 0;
        while (true) {
            int next = in.read();
            if (next < 0) {
                return null;
            }
            if (next == LINE_END[matched]) {
                matched++;
                if (matched == 2) {
                    if (line.length() == 0) {
                        return lines;
                    }
                    lines.add(line.toString());
                    line.setLength(0);
                    matched = 0;
                }
            } else {
                line.append((char) next);
            }
        }
    }

    private static void skipBody(InputStream in, List<String> head) throws IOException {
        String length = header(head, "Content-Length");
        for (int left = length == null ? 0 : Integer.parseInt(length); left > 0; left--) {
            in.read();
        }
    }

    private static String header(List<String> head, String name) {
        for (String line : head) {
            if (line.regionMatches(true, 0, name + ":", 0, name.length() + 1)) {
                return line.substring(name.length() + 1).trim();
            }
        }
        return null;
    }

    /** The address that every script connects to, whatever name it uses. */
    public static InetAddress loopback() {
        return InetAddress.getLoopbackAddress();
    }
}
