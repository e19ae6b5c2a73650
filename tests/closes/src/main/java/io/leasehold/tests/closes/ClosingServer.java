package io.leasehold.tests.closes;

import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * A server that closes connections by its own rules, in a process of its own, and knows when it did: the moments are those of the
 * machine's monotonic clock, which is one for all processes.
 */
final class ClosingServer implements Closeable {
    /** The request header that names a request. */
    static final String NAME = "X-Name";
    /** Stands, before a number, for the name of the last request where a connection was closed before it had answered any. */
    static final String UNUSED = "unused-";

    private final Process process;
    private final PrintStream commands;
    private final BufferedReader answers;
    private final String address;
    private final int[] ports;

    /**
     * Starts a server.
     *
     * @param ports on how many ports it listens
     * @param leastKeepAlive after how many milliseconds of silence it closes a connection at the earliest; zero is never
     * @param mostKeepAlive and at the latest: which it is, chance decides for each connection
     * @param atOnce how many requests must have come before the first is answered
     */
    ClosingServer(int ports, int leastKeepAlive, int mostKeepAlive, int atOnce) throws IOException {
        this(Collections.emptyList(), "127.0.0.1", ports, leastKeepAlive, mostKeepAlive, atOnce);
    }

    /**
     * Starts a server that closes nothing unasked.
     *
     * @param prefix what its process is started by
     * @param address where it listens
     */
    ClosingServer(List<String> prefix, String address) throws IOException {
        this(prefix, address, 1, 0, 0, 0);
    }

    private ClosingServer(List<String> prefix, String address, int ports, int leastKeepAlive, int mostKeepAlive, int atOnce)
            throws IOException {
        this.address = address;
        List<String> command = new ArrayList<>(prefix);
        Collections.addAll(command, System.getProperty("java.home") + "/bin/java", "-cp", System.getProperty("java.class.path"),
                ClosingServer.class.getName(), address, String.valueOf(ports), String.valueOf(leastKeepAlive),
                String.valueOf(mostKeepAlive), String.valueOf(atOnce));
        process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        commands = new PrintStream(process.getOutputStream(), true, "UTF-8");
        answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        this.ports = new int[ports];
        for (int i = 0; i < ports; i++) {
            this.ports[i] = Integer.parseInt(answer());
        }
    }

    int port(int number) {
        return ports[number];
    }

    String url(int number) {
        return "http://" + address + ":" + ports[number] + "/";
    }

    /** Closes all connections, and returns when that is done. */
    void closeConnections() throws IOException {
        commands.println("close");
        answer();
    }

    /** When the connections that served silence for too long were closed, each by the name of its last request. */
    Map<String, Long> closes() throws IOException {
        commands.println("closes");
        Map<String, Long> closes = new HashMap<>();
        for (int left = Integer.parseInt(answer()); left > 0; left--) {
            String[] close = answer().split(" ");
            closes.put(close[0].equals(UNUSED) ? UNUSED + left : close[0], Long.parseLong(close[1]));
        }
        return closes;
    }

    private String answer() throws IOException {
        String line = answers.readLine();
        if (line == null) {
            throw new EOFException("the server's process has ended");
        }
        return line;
    }

    @Override
    public void close() throws IOException {
        commands.close();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    /** The server's own process. It ends with its input. */
    public static void main(String[] args) throws IOException {
        Listener listener = new Listener(args[0], Integer.parseInt(args[2]), Integer.parseInt(args[3]), Integer.parseInt(args[4]));
        for (int i = Integer.parseInt(args[1]); i > 0; i--) {
            System.out.println(listener.listen());
        }
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String command = in.readLine(); command != null; command = in.readLine()) {
            if (command.equals("close")) {
                listener.closeConnections();
                System.out.println("closed");
            } else {
                listener.awaitCloses();
                List<String> closes = new ArrayList<>(listener.closes);
                System.out.println(closes.size());
                closes.forEach(System.out::println);
            }
        }
        System.exit(0);
    }

    static final class Listener {
        static final byte[] ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".getBytes(StandardCharsets.US_ASCII);

        final Queue<String> closes = new ConcurrentLinkedQueue<>();
        private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
        private final String address;
        private final int leastKeepAlive;
        private final int mostKeepAlive;
        private final CountDownLatch atOnce;

        Listener(String address, int leastKeepAlive, int mostKeepAlive, int atOnce) {
            this.address = address;
            this.leastKeepAlive = leastKeepAlive;
            this.mostKeepAlive = mostKeepAlive;
            this.atOnce = new CountDownLatch(atOnce);
        }

        int listen() throws IOException {
            ServerSocket server = new ServerSocket(0, 2000, InetAddress.getByName(address));
            start(() -> {
                for (;;) {
                    Socket connection = server.accept();
                    connections.add(connection);
                    start(() -> serve(connection));
                }
            });
            return server.getLocalPort();
        }

        private void serve(Socket connection) throws IOException {
            String last = UNUSED;
            try {
                connection.setTcpNoDelay(true);
                connection.setSoTimeout(ThreadLocalRandom.current().nextInt(leastKeepAlive, mostKeepAlive + 1));
                InputStream in = new BufferedInputStream(connection.getInputStream());
                for (String name = readRequest(in); name != null; name = readRequest(in)) {
                    atOnce.countDown();
                    atOnce.await();
                    connection.getOutputStream().write(ANSWER);
                    last = name;
                }
                connection.close();
            } catch (SocketTimeoutException e) {
                connection.close();
                // Looked at after the close, so that the connection was closed by then at the latest.
                closes.add(last + " " + System.nanoTime());
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            } finally {
                connections.remove(connection);
            }
        }

        /** Waits until every close that has begun is written down: a client that has seen one may ask before. */
        void awaitCloses() {
            while (connections.stream().anyMatch(Socket::isClosed)) {
                LockSupport.parkNanos(1_000_000);
            }
        }

        void closeConnections() throws IOException {
            for (Socket connection : connections) {
                connection.close();
            }
        }

        /** Reads a request, and returns its name; null at the end of the connection. */
        static String readRequest(InputStream in) throws IOException {
            String name = null;
            int length = 0;
            String line = readLine(in);
            if (line == null) {
                return null;
            }
            for (; line != null && !line.isEmpty(); line = readLine(in)) {
                String value = line.substring(line.indexOf(':') + 1).trim();
                if (line.startsWith(NAME + ":")) {
                    name = value;
                } else if (line.startsWith("Content-Length:")) {
                    length = Integer.parseInt(value);
                }
            }
            for (; length > 0; length--) {
                in.read();
            }
            return name;
        }

        private static String readLine(InputStream in) throws IOException {
            StringBuilder line = new StringBuilder();
            for (int c = in.read(); c != '\n'; c = in.read()) {
                if (c < 0) {
                    return null;
                }
                if (c != '\r') {
                    line.append((char) c);
                }
            }
            return line.toString();
        }

        private static void start(Task task) {
            Thread thread = new Thread(() -> {
                try {
                    task.run();
                } catch (IOException e) {
                    // The client's reset, or our own close on another thread.
                }
            });
            thread.setDaemon(true);
            thread.start();
        }

        private interface Task {
            void run() throws IOException;
        }
    }
}
