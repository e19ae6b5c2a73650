package io.leasehold.testsupport;

import java.io.IOException;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.logging.LogRecord;

/**
 * Where a script is played: two servers, threads by name, and the transcript of all that can be observed: what each step returned or
 * threw, and what was logged meanwhile. A suite's own stage adds what its scripts play with, and says how that reads in a transcript.
 */
public abstract class ScriptStage implements AutoCloseable {
    private final ScriptedServer server = ScriptedServer.plain();
    private final ScriptedServer tlsServer = ScriptedServer.tls();
    private final LogCapture log;
    private final List<String> transcript = new ArrayList<>();
    private boolean logInOrder = true;
    // What steps returned: a leased connection that nobody refers to may be reclaimed, and when is up to the collector.
    private final List<Object> held = new ArrayList<>();

    /** A stage that records what is logged under these names and below them. */
    protected ScriptStage(String... loggerNames) throws IOException {
        log = LogCapture.of(loggerNames);
    }

    /** How a value that a step returned reads in the transcript. */
    protected abstract String describe(Object value) throws IOException;

    /** How a log record reads in the transcript; null leaves it out. */
    protected abstract String line(LogRecord record);

    /** The text with all that differs from run to run made equal, ports and times for instance. */
    protected abstract String plain(String text);

    /** Whether a parked thread with this stack waits for a connection. */
    protected abstract boolean waits(StackTraceElement[] stack);

    /** How something thrown reads in the transcript. */
    protected static String describe(Throwable thrown) {
        // The JVM words its own NullPointerExceptions.
        String message = thrown instanceof NullPointerException ? "…" : thrown.getMessage();
        return thrown.getClass().getName() + ": " + message;
    }

    /** Sorts what each step logs: for steps that close several connections at once, in the order of a hash. */
    public final void logInNoOrder() {
        logInOrder = false;
    }

    /** Whether what each step logs has an order. */
    protected final boolean logsInOrder() {
        return logInOrder;
    }

    /** What was written so far. */
    public final List<String> transcript() {
        return new ArrayList<>(transcript);
    }

    /** The server without TLS. */
    public final ScriptedServer server() {
        return server;
    }

    /** The server with TLS. */
    public final ScriptedServer tlsServer() {
        return tlsServer;
    }

    /** Plays a step and writes down its outcome and what was logged. Null if it threw. */
    public final <T> T play(String name, Callable<T> step) {
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
    public final void forget() {
        held.clear();
    }

    /** Plays a step that returns nothing. */
    public final void act(String name, Action action) {
        play(name, () -> {
            action.run();
            return null;
        });
    }

    /** A step without a value. */
    public interface Action {
        /** Plays it. */
        void run() throws Exception;
    }

    /** A step on a thread of its own, which is still under way when this returns. */
    public final <T> Pending<T> start(String name, Callable<T> step) {
        FutureTask<T> task = new FutureTask<>(step);
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
        return new Pending<>(name, thread, task);
    }

    /** A step that another thread plays. */
    public final class Pending<T> {
        private final String name;
        private final Thread thread;
        private final FutureTask<T> task;

        private Pending(String name, Thread thread, FutureTask<T> task) {
            this.name = name;
            this.thread = thread;
            this.task = task;
        }

        /** Returns when the thread waits for a connection. */
        public Pending<T> untilItWaits() throws Exception {
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
            return stack.length > 0 && (stack[0].getMethodName().startsWith("wait") || stack[0].getMethodName().equals("park"))
                    && ScriptStage.this.waits(stack);
        }

        /** Whether the step has ended. */
        public boolean isDone() {
            return task.isDone();
        }

        /** Interrupts the thread. */
        public void interrupt() {
            thread.interrupt();
        }

        /** Plays a step on this thread that lets the other one go on, and writes down both outcomes; what is logged, in no order. */
        public T endAfter(String other, Action action) {
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
        public T end() {
            return play(name, () -> {
                try {
                    return task.get();
                } catch (ExecutionException e) {
                    throw (Exception) e.getCause();
                }
            });
        }
    }

    /** Waits until the server has seen a connection end, and writes down how. */
    public final void awaitEnd(int connection) throws Exception {
        awaitEnd(server, connection);
    }

    /** As {@link #awaitEnd(int)}, for either server. */
    public final void awaitEnd(ScriptedServer server, int connection) throws Exception {
        ScriptedServer.Peer peer = server.peer(connection);
        Eventually.await("end of connection " + connection, peer::hasEnded);
        peer.awaitArrival();
        write("server's view of connection " + connection, peer.end());
    }

    /** Waits until a line that contains this was logged. */
    public final void awaitLog(String text) throws Exception {
        Eventually.await("log line with " + text,
                () -> log.messages().stream().anyMatch(message -> message != null && message.contains(text)));
    }

    /** Writes down how many connections the server has accepted. A script's last step: it makes one itself, to be sure of the order. */
    public final void countConnections() throws Exception {
        try (Socket last = new Socket(ScriptedServer.loopback(), server.port())) {
            Eventually.await("the last connection to be accepted",
                    () -> server.peers().stream().anyMatch(peer -> peer.clientPort() == last.getLocalPort()));
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

    @Override
    public void close() throws Exception {
        // What closes aside logs so: not in the next stage's transcript.
        Threads.awaitIdle("leasehold-disposer");
        log.close();
        server.close();
        tlsServer.close();
    }
}
