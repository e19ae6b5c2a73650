package io.leasehold.tests.demo;

import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.tests.servers.WebServer;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** One contender's run: the program in a JVM of its own, a server of its own, and what was counted of both. */
final class Column implements Closeable {
    /** Sockets that a part of the run has left, and the connections it opened. */
    static final class Sockets {
        final long opened;
        final Map<Side, Integer> closeWait = new EnumMap<>(Side.class);
        final Map<Side, Integer> timeWait = new EnumMap<>(Side.class);

        Sockets(long opened, SocketTable table) {
            this.opened = opened;
            for (Side side : Side.values()) {
                closeWait.put(side, table.count(side, State.CLOSE_WAIT));
                timeWait.put(side, table.count(side, State.TIME_WAIT));
            }
        }

        @Override
        public String toString() {
            return "opened " + opened + ", CLOSE_WAIT " + closeWait + ", TIME_WAIT " + timeWait;
        }
    }

    final Contender contender;
    final WebServer server;
    /** Requests per second of each slice of the first part. */
    final List<Double> slices = new ArrayList<>();
    final Tally gets = new Tally();
    final Tally posts = new Tally();
    final Tally closings = new Tally();
    Sockets afterGets;
    Sockets afterPosts;
    final Map<Closing, Sockets> afterClosing = new EnumMap<>(Closing.class);

    private final Process jvm;
    private final BufferedReader answers;
    /** What the program wrote to its standard error. */
    private final Path messages;
    private long openedBefore;

    Column(Contender contender, WebServer server, List<String> jvmOptions) throws IOException {
        this.contender = contender;
        this.server = server;
        messages = Files.createTempFile("leasehold-demo-", ".log");
        List<String> command = new ArrayList<>();
        command.add(Paths.get(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvmOptions);
        command.addAll(Arrays.asList("-cp", System.getProperty("java.class.path"), Program.class.getName(), contender.name()));
        for (int i = 0; i < 2 + Closing.values().length; i++) {
            command.add(server.url(i, ""));
        }
        jvm = new ProcessBuilder(command).redirectError(messages.toFile()).start();
        answers = new BufferedReader(new InputStreamReader(jvm.getInputStream(), StandardCharsets.UTF_8));
    }

    /** GETs, whose speed counts if they are timed. */
    void slice(long millis, boolean timed) throws IOException {
        Tally slice = ask("gets " + millis);
        if (timed) {
            slices.add(slice.requests / (slice.nanos / 1e9));
        }
        gets.add(slice);
    }

    void endOfGets() throws Exception {
        afterGets = sockets(0);
    }

    void posts(int threads, int requests, List<Long> pauses, long rest) throws Exception {
        StringBuilder list = new StringBuilder();
        for (long pause : pauses) {
            list.append(list.length() == 0 ? "" : ",").append(pause);
        }
        posts.add(ask("posts " + threads + " " + requests + " " + list));
        // Now the server closes what is idle: what will the client do about it, unasked?
        Thread.sleep(rest);
        afterPosts = sockets(1);
    }

    void close(Closing way, int requests) throws Exception {
        closings.add(ask("close " + way.name() + " " + requests));
        afterClosing.put(way, sockets(2 + way.ordinal()));
    }

    double requestsPerSecond() {
        double[] sorted = slices.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    List<Sockets> allSockets() {
        List<Sockets> all = new ArrayList<>(Arrays.asList(afterGets, afterPosts));
        all.addAll(afterClosing.values());
        return all;
    }

    long opened() {
        return allSockets().stream().mapToLong(sockets -> sockets.opened).sum();
    }

    /** All requests of the run. */
    Tally all() {
        Tally all = new Tally();
        all.add(gets);
        all.add(posts);
        all.add(closings);
        return all;
    }

    int closeWait(Side side) {
        return allSockets().stream().mapToInt(sockets -> sockets.closeWait.get(side)).sum();
    }

    int timeWait(Side side) {
        return allSockets().stream().mapToInt(sockets -> sockets.timeWait.get(side)).sum();
    }

    /** Ends the program and stops the server. */
    @Override
    public void close() throws IOException {
        try {
            jvm.getOutputStream().close();
            jvm.waitFor();
        } catch (InterruptedException e) {
            jvm.destroyForcibly();
            Thread.currentThread().interrupt();
        } finally {
            server.close();
            Files.delete(messages);
        }
    }

    private Tally ask(String command) throws IOException {
        OutputStream out = jvm.getOutputStream();
        out.write((command + "\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
        String answer = answers.readLine();
        if (answer == null) {
            throw new IOException("the program failed on " + contender.title + ":\n" + String.join("\n", Files.readAllLines(messages)));
        }
        return Tally.parse(answer);
    }

    private Sockets sockets(int index) throws Exception {
        SocketTable table = SocketTable.settledOnBothSides(server.port(index));
        long opened = server.connections();
        long since = opened - openedBefore;
        openedBefore = opened;
        return new Sockets(since, table);
    }
}
