package io.leasehold.tests.servers;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.TestTls;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;

/**
 * A web server of this JVM's own, running until it is stopped or closed, at the latest until the JVM ends.
 *
 * <p>Whatever its kind, it answers GET and POST of {@link #HELLO} and keeps the connection, answers {@link #GOODBYE} and closes it after
 * the response (with {@code Connection: close} in it), and serves the files that its builder was given. It has one worker process. For one
 * thread at a time, except for the figures, which any thread may ask for.
 */
public abstract class WebServer implements Closeable {
    /** Answered with {@link #GREETING}; the connection stays open. */
    public static final String HELLO = "/hello";
    /** Answered with {@link #GREETING}; the server closes the connection after it. */
    public static final String GOODBYE = "/goodbye";
    /** The body of the responses to {@link #HELLO} and {@link #GOODBYE}. */
    public static final String GREETING = "hello\n";

    static final boolean ROOT = "root".equals(System.getProperty("user.name"));

    final Path directory;
    final int[] ports;
    private final int statusPort;
    private final String scheme;
    private ServerProcess process;
    private Set<String> oldWorkers = Collections.emptySet();

    /** Makes the directory and chooses the ports; the subclass's constructor fills in the configuration. */
    WebServer(ServerBuilder<?> builder) throws IOException, GeneralSecurityException {
        // Workers may run as another user, who has to get at the documents.
        directory = Files.createTempDirectory("leasehold-" + builder.name() + "-",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        Path documents = Files.createDirectory(documents());
        Files.write(documents.resolve(HELLO.substring(1)), GREETING.getBytes(StandardCharsets.US_ASCII));
        Files.write(documents.resolve(GOODBYE.substring(1)), GREETING.getBytes(StandardCharsets.US_ASCII));
        for (ServerBuilder.Document document : builder.documents) {
            Files.write(documents.resolve(document.name), document.content);
        }
        int[] free = Ports.free(builder.ports + 1);
        ports = Arrays.copyOf(free, builder.ports);
        statusPort = free[builder.ports];
        scheme = builder.tls ? "https" : "http";
        if (builder.tls) {
            TestTls.write(certificate(), certificateKey());
        }
    }

    /** For clients that trust the certificate of this server, which signed it itself, and no others. */
    public final SSLContext trust() {
        return TestTls.context();
    }

    final Path certificate() {
        return directory.resolve("certificate.pem");
    }

    final Path certificateKey() {
        return directory.resolve("key.pem");
    }

    /** The port, or the first one of several. */
    public final int port() {
        return ports[0];
    }

    /** One of the ports, counted from 0; all lead to the same documents. */
    public final int port(int index) {
        return ports[index];
    }

    /** The URL of a path on the first port. */
    public final String url(String path) {
        return url(0, path);
    }

    /** The URL of a path on a port, counted from 0. */
    public final String url(int index, String path) {
        return scheme + "://127.0.0.1:" + ports[index] + path;
    }

    /** The sockets of the first port, of both sides. */
    public final SocketTable sockets() throws IOException {
        return SocketTable.ofPort(port());
    }

    /** Starts the server, which must not be running, on its ports, and waits until it answers. */
    public final void start() throws Exception {
        if (process != null) {
            throw new IllegalStateException("the server runs already");
        }
        process = ServerProcess.start(directory.toFile(), command());
        try {
            Eventually.await("the server is ready", () -> {
                if (!process.isRunning()) {
                    throw new IOException("the server did not start:\n" + log());
                }
                return Files.exists(pidFile()) && Files.size(pidFile()) > 0 && isListening();
            });
        } catch (Throwable e) {
            stop();
            throw e;
        }
    }

    /** Stops the server; its connections are closed by it or, at the latest, by the kernel. No-op when it does not run. */
    public final void stop() throws IOException {
        if (process != null) {
            process.stop();
            process = null;
            Files.deleteIfExists(pidFile());
        }
    }

    /** Stops and starts the server, on the same ports. */
    public final void restart() throws Exception {
        stop();
        start();
    }

    /** Has the server take its configuration anew, as an administrator does: a new worker serves, the old one closes what is idle. */
    public final void reload() throws Exception {
        long before = reloads();
        oldWorkers = ServerProcess.children(pid());
        ServerProcess.signal(reloadSignal(), pid());
        Eventually.await("the server has reloaded", () -> reloads() > before);
    }

    /**
     * Waits until the workers of before the last reload have ended, and so have closed all their connections, idle or not. Until then one
     * of httpd's may accept a connection and close it without an answer.
     */
    public final void awaitOldWorkersGone() throws Exception {
        Eventually.await("the old workers have ended", () -> Collections.disjoint(oldWorkers, ServerProcess.children(pid())));
    }

    /** Stops all processes of the server in their tracks: the kernel still accepts connections, nobody answers. */
    public final void freeze() throws Exception {
        ServerProcess.signal("STOP", -pid());
        Eventually.await("the server has stopped in its tracks", () -> ServerProcess.isStopped(pid()));
    }

    /** Ends {@link #freeze()}. */
    public final void thaw() throws IOException {
        ServerProcess.signal("CONT", -pid());
    }

    /** Waits until the server has closed all connections to its first port, and the client has been told. */
    public final void awaitConnectionsClosed() throws Exception {
        Eventually.await("the server has closed its connections", () -> {
            SocketTable table = sockets();
            return table.isSettled() && table.count(SocketTable.Side.SERVER, SocketTable.State.ESTABLISHED) == 0;
        });
    }

    /**
     * How many connections to its ports the server has counted since it was started.
     */
    public abstract long connections() throws IOException;

    /** What the server and its start-up printed and logged; for messages of failing tests. */
    public final String log() throws IOException {
        StringBuilder all = new StringBuilder();
        for (String name : new String[] {"output", "error.log"}) {
            all.append(String.join("\n", lines(directory.resolve(name)))).append('\n');
        }
        return all.toString();
    }

    /** Stops the server and removes everything it has written. */
    @Override
    public final void close() throws IOException {
        stop();
        delete(directory);
    }

    abstract String[] command();

    abstract String reloadSignal();

    /** How often the server says it was ready to serve. */
    abstract long reloads() throws IOException;

    final Path pidFile() {
        return directory.resolve("pid");
    }

    final Path documents() {
        return directory.resolve("documents");
    }

    final int statusPort() {
        return statusPort;
    }

    /** Whether the status port answers, and so the others do. */
    private boolean isListening() {
        try {
            status();
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }

    /** The page at the status port. Asked without an HTTP client, so that a test of one never meets another. */
    final String status() throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), statusPort)) {
            socket.getOutputStream().write(("GET " + HELLO + " HTTP/1.0\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            ByteArrayOutputStream response = new ByteArrayOutputStream();
            byte[] buffer = new byte[4096];
            InputStream in = socket.getInputStream();
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                response.write(buffer, 0, n);
            }
            String text = response.toString("US-ASCII");
            if (!text.startsWith("HTTP/1.1 200 ")) {
                throw new IOException("the status page is: " + text);
            }
            statusAsked();
            return text;
        }
    }

    /** Told of every connection that {@link #status()} made. */
    void statusAsked() {
    }

    final long pid() throws IOException {
        return Long.parseLong(lines(pidFile()).get(0).trim());
    }

    static List<String> lines(Path file) throws IOException {
        return Files.exists(file) ? Files.readAllLines(file, StandardCharsets.ISO_8859_1) : Collections.emptyList();
    }

    static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).collect(Collectors.toList())) {
                Files.delete(file);
            }
        }
    }

    /** The program's path: servers are in the directories that only root has on the PATH. */
    static String program(String name) {
        for (String folder : (System.getenv("PATH") + ":/usr/sbin:/sbin").split(":")) {
            File file = new File(folder, name);
            if (file.canExecute()) {
                return file.getPath();
            }
        }
        throw new IllegalStateException(name + " is not installed; ./dev test installs it");
    }
}
