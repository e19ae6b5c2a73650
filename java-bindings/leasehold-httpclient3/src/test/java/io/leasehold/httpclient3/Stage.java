package io.leasehold.httpclient3;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.io.IOException;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.HttpMethod;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.commons.httpclient.methods.GetMethod;
import org.apache.commons.httpclient.params.HttpMethodParams;
import org.apache.commons.httpclient.protocol.Protocol;
import org.apache.commons.httpclient.protocol.ProtocolSocketFactory;

/**
 * Where a script is played: one side's managers, a server, threads by name, and the transcript of all that can be observed: what
 * each step returned or threw, and what was logged meanwhile. What differs from run to run (ports, times) is made equal.
 */
final class Stage implements AutoCloseable {

    static {
        // Says once and at length what JVM it runs on.
        new HttpClient();
    }

    private final Subject subject;
    private final ScriptedServer server = ScriptedServer.plain();
    private final ScriptedServer tlsServer = ScriptedServer.tls();
    private final Protocol http = new Protocol("http", new NumberedSocketFactory(), 80);
    private final Protocol https = new Protocol("https", (ProtocolSocketFactory) new NumberedSocketFactory.Secure(), 443);
    private final LogCapture log = LogCapture.of("org.apache.commons.httpclient");
    private final List<String> transcript = new ArrayList<>();
    private boolean logInOrder = true;
    private final List<SimpleHttpConnectionManager> simples = new ArrayList<>();
    private final List<MultiThreadedHttpConnectionManager> multis = new ArrayList<>();
    // What steps returned: both sides reclaim a leased connection that nobody refers to, and when is up to the collector.
    private final List<Object> held = new ArrayList<>();

    Stage(Subject subject) throws IOException {
        this.subject = subject;
    }

    /** Sorts what each step logs: where several connections are closed at once, 3.1's order is that of a hash. */
    void logInNoOrder() {
        logInOrder = false;
    }

    List<String> transcript() {
        return new ArrayList<>(transcript);
    }

    ScriptedServer server() {
        return server;
    }

    ScriptedServer tlsServer() {
        return tlsServer;
    }

    SimpleHttpConnectionManager simple() {
        return simple(false);
    }

    SimpleHttpConnectionManager simple(boolean alwaysClose) {
        SimpleHttpConnectionManager manager = subject.simple(alwaysClose);
        simples.add(manager);
        return manager;
    }

    MultiThreadedHttpConnectionManager multi() {
        MultiThreadedHttpConnectionManager manager = subject.multi();
        multis.add(manager);
        return manager;
    }

    /** A configuration for the plain server under the given name, which is never looked up. */
    HostConfiguration to(String host) {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost(host, server.port(), http);
        return configuration;
    }

    /** A configuration for the TLS server. */
    HostConfiguration toTls(String host) {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost(host, tlsServer.port(), https);
        return configuration;
    }

    /** A configuration for a host in TLS that is reached through the plain server as its proxy. */
    HostConfiguration tunnelTo(String host) {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost(host, 443, https);
        configuration.setProxy("127.0.0.1", server.port());
        return configuration;
    }

    /** A client that goes to this configuration with this manager and never retries. */
    HttpClient client(HttpConnectionManager manager, HostConfiguration configuration) {
        HttpClient client = new HttpClient(manager);
        client.setHostConfiguration(configuration);
        client.getParams().setParameter(HttpMethodParams.RETRY_HANDLER,
                (org.apache.commons.httpclient.HttpMethodRetryHandler) (method, exception, count) -> false);
        return client;
    }

    /** Plays a step and writes down its outcome and what was logged. Null if it threw. */
    <T> T play(String name, Callable<T> step) {
        T value = null;
        String outcome;
        try {
            value = step.call();
            outcome = describe(value);
        } catch (Exception e) {
            outcome = describe(e);
        }
        held.add(value);
        write(name, outcome);
        return value;
    }

    /** Lets the collector have the connections that steps returned. */
    void forget() {
        held.clear();
    }

    /** Plays a step that returns nothing. */
    void act(String name, Action action) {
        play(name, () -> {
            action.run();
            return null;
        });
    }

    /** A step without a value. */
    interface Action {
        void run() throws Exception;
    }

    /** A GET of a path: its status and body, read to the end and released. */
    void get(HttpClient client, String path) {
        request(client, new GetMethod(path));
    }

    /** A request of any kind: its status and body, read to the end and released. */
    void request(HttpClient client, HttpMethod method) {
        play(method.getName() + " " + method.getPath(), () -> {
            try {
                int status = client.executeMethod(method);
                String body = method.getResponseBodyAsString();
                return status + " " + (body == null || body.length() < 100 ? body : body.length() + " characters");
            } finally {
                method.releaseConnection();
            }
        });
    }

    /** A step on a thread of its own, which is still under way when this returns. */
    <T> Pending<T> start(String name, Callable<T> step) {
        FutureTask<T> task = new FutureTask<>(step);
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
        return new Pending<>(name, thread, task);
    }

    /** A step that another thread plays. */
    final class Pending<T> {
        private final String name;
        private final Thread thread;
        private final FutureTask<T> task;

        private Pending(String name, Thread thread, FutureTask<T> task) {
            this.name = name;
            this.thread = thread;
            this.task = task;
        }

        /** Returns when the thread waits for a connection. */
        Pending<T> untilItWaits() throws Exception {
            Eventually.await(name + " waits", this::waits);
            write(name, "waits");
            return this;
        }

        private boolean waits() {
            Thread.State state = thread.getState();
            if (state != Thread.State.WAITING && state != Thread.State.TIMED_WAITING) {
                return false;
            }
            StackTraceElement[] stack = thread.getStackTrace();
            for (int i = 0; i < stack.length; i++) {
                if (stack[i].getMethodName().equals("getConnectionWithTimeout")) {
                    return stack[0].getMethodName().startsWith("wait") || stack[0].getMethodName().equals("park");
                }
            }
            return false;
        }

        boolean isDone() {
            return task.isDone();
        }

        void interrupt() {
            thread.interrupt();
        }

        /** Plays a step on this thread that lets the other one go on, and writes down both outcomes; what is logged, in no order. */
        T endAfter(String other, Action action) {
            boolean before = logInOrder;
            logInOrder = false;
            try {
                play(other, () -> {
                    action.run();
                    thread.join();
                    return null;
                });
            } finally {
                logInOrder = before;
            }
            return end();
        }

        /** Waits for the step's end and writes down its outcome. */
        T end() {
            return play(name, () -> {
                try {
                    return task.get();
                } catch (java.util.concurrent.ExecutionException e) {
                    throw (Exception) e.getCause();
                }
            });
        }
    }

    /** Waits until the server has seen a connection end, and writes down how. */
    void awaitEnd(int connection) throws Exception {
        awaitEnd(server, connection);
    }

    void awaitEnd(ScriptedServer server, int connection) throws Exception {
        Eventually.await("connection " + connection + " accepted", () -> server.peers().size() > connection);
        ScriptedServer.Peer peer = server.peers().get(connection);
        Eventually.await("end of connection " + connection, () -> peer.ended.getCount() == 0);
        write("server's view of connection " + connection, peer.end());
    }

    /** Waits until a line that contains this was logged. */
    void awaitLog(String text) throws Exception {
        Eventually.await("log line with " + text, () -> log.messages().stream().anyMatch(message -> message != null && message.contains(text)));
    }

    /** Writes down how many connections the server has accepted. The last step of a script: it makes one itself, to be sure of the order. */
    void countConnections() throws Exception {
        try (Socket last = new Socket(ScriptedServer.loopback(), server.port())) {
            Eventually.await("the last connection to be accepted",
                    () -> server.peers().stream().anyMatch(peer -> peer.clientPort == last.getLocalPort()));
        }
        write("connections accepted", String.valueOf(server.peers().size() - 1));
    }

    private void write(String name, String outcome) {
        transcript.add(plain(name + ": " + outcome));
        List<String> logged = new ArrayList<>();
        for (LogRecord record : log.records()) {
            String line = line(record);
            if (line != null) {
                logged.add(plain("    " + line));
            }
        }
        log.clear();
        if (!logInOrder) {
            Collections.sort(logged);
        }
        transcript.addAll(logged);
    }

    private static String line(LogRecord record) {
        if (record.getMessage() == null || record.getMessage().startsWith("ReferenceQueueThread")) {
            return null;
        }
        // 3.1's TRACE lines name methods as they are entered; those of methods that exist there alone have no counterpart.
        if (record.getLevel() == Level.FINEST && !record.getMessage().startsWith("enter HttpConnectionManager.get")
                && !record.getMessage().startsWith("enter HttpConnectionManager.release")) {
            return null;
        }
        String logger = record.getLoggerName();
        return record.getLevel() + " " + logger.substring(logger.lastIndexOf('.') + 1) + ": " + record.getMessage()
                + (record.getThrown() == null ? "" : " (" + describe(record.getThrown()) + ")");
    }

    private String plain(String text) {
        return text.replaceAll("\\b(" + server.port() + "|(?<=nowhere:)[0-9]+)\\b", "PORT")
                .replaceAll("\\b" + tlsServer.port() + "\\b", "TLSPORT")
                .replaceAll("\\b1[0-9]{12}\\b", "TIME")
                .replaceAll("@[0-9a-f]{5,8}", "@ID")
                .replaceAll("max-per-host = \\{.*\\}", "max-per-host = {…}")
                .replaceAll("io\\.leasehold\\.httpclient3\\.Leasehold(Simple|MultiThreaded)?(?=HttpConnectionManager)",
                        "org.apache.commons.httpclient.$1")
                .replace("httpclient.HttpConnectionManager", "httpclient.SimpleHttpConnectionManager");
    }

    private static String describe(Object value) throws IOException {
        if (value instanceof HttpConnection) {
            HttpConnection connection = (HttpConnection) value;
            return connection.isOpen() ? "connection " + NumberedSocketFactory.number(connection) + ", open" : "a connection, not open";
        }
        return value == null ? "done" : value.toString();
    }

    private static String describe(Throwable thrown) {
        // The JVM words its own NullPointerExceptions.
        String message = thrown instanceof NullPointerException ? "…" : thrown.getMessage();
        return thrown.getClass().getName() + ": " + message;
    }

    @Override
    public void close() throws IOException {
        for (MultiThreadedHttpConnectionManager manager : multis) {
            manager.shutdown();
        }
        for (SimpleHttpConnectionManager manager : simples) {
            manager.closeIdleConnections(0);
        }
        log.close();
        server.close();
        tlsServer.close();
    }
}
