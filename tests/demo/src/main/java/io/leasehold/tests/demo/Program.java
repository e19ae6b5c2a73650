package io.leasehold.tests.demo;

import io.leasehold.tests.servers.WebServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The program of the demo, in a JVM of its own. It is told on standard input what to do next, a command a line, and answers each with the
 * {@link Tally} of its requests; end of file ends it. Which managers it has been given is one word on the command line.
 */
public final class Program {
    /** The sender of the last command: what it leaves open stays open until the next command, to be looked at. */
    private Sender kept;
    private final Contender contender;
    private final String[] urls;

    private Program(Contender contender, String[] urls) {
        this.contender = contender;
        this.urls = urls;
    }

    /** Takes the contender and, for each port of the server, the URL of its root. */
    public static void main(String[] args) throws Exception {
        // What requests print goes elsewhere; this stream is for the answers.
        PrintStream answers = System.out;
        System.setOut(System.err);
        String[] urls = new String[args.length - 1];
        System.arraycopy(args, 1, urls, 0, urls.length);
        Program program = new Program(Contender.valueOf(args[0]), urls);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            answers.println(program.run(line.split(" ")));
            answers.flush();
        }
        // Pools may have threads of their own.
        System.exit(0);
    }

    private Tally run(String[] command) throws Exception {
        switch (command[0]) {
            case "gets":
                return gets(Long.parseLong(command[1]));
            case "posts":
                return posts(Integer.parseInt(command[1]), Integer.parseInt(command[2]), command[3].split(","));
            case "close":
                return close(Closing.valueOf(command[1]), Integer.parseInt(command[2]));
            default:
                throw new IllegalArgumentException(command[0]);
        }
    }

    /** As many GETs as fit in the time, one after the other, on one thread. */
    private Tally gets(long millis) throws IOException {
        if (kept == null) {
            keep(contender.many(1));
        }
        String url = urls[0] + WebServer.HELLO;
        Tally tally = new Tally();
        long start = System.nanoTime();
        long end = start + millis * 1_000_000;
        do {
            send(kept, url, null, false, tally, "one after the other");
        } while (System.nanoTime() < end);
        tally.nanos = System.nanoTime() - start;
        return tally;
    }

    /** Rounds of a pause, which all connections spend idle, and then some POSTs on each of many threads. */
    private Tally posts(int threads, int requests, String[] pauses) throws Exception {
        Sender sender = contender.many(threads);
        keep(sender);
        String url = urls[1] + WebServer.HELLO;
        CyclicBarrier round = new CyclicBarrier(threads);
        Callable<Tally> work = () -> {
            Tally tally = new Tally();
            String when = "at the start";
            for (int i = 0; i <= pauses.length; i++) {
                for (int n = 0; n < requests; n++) {
                    send(sender, url, "order=" + n, false, tally, when);
                }
                // All wait for the last one, so that every connection is idle for the whole pause.
                round.await();
                if (i < pauses.length) {
                    when = "after " + pauses[i] + " ms idle";
                    Thread.sleep(Long.parseLong(pauses[i]));
                }
            }
            return tally;
        };
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<Tally>> running = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                running.add(pool.submit(work));
            }
            Tally all = new Tally();
            for (Future<Tally> one : running) {
                all.add(one.get());
            }
            return all;
        } finally {
            pool.shutdownNow();
        }
    }

    /** Requests that each open a connection, because the one before came to its end. */
    private Tally close(Closing way, int requests) throws IOException {
        Sender sender = contender.single(way == Closing.ALWAYS_CLOSE);
        keep(sender);
        String url = urls[2 + way.ordinal()] + (way == Closing.SERVER_HEADER ? WebServer.GOODBYE : WebServer.HELLO);
        Tally tally = new Tally();
        for (int i = 0; i < requests; i++) {
            send(sender, url, null, way == Closing.CLIENT_HEADER, tally, "with " + way.title);
            if (way == Closing.SHUTDOWN) {
                sender.shutdown();
            } else if (way == Closing.CLOSE_IDLE) {
                sender.closeIdle();
            }
        }
        return tally;
    }

    private void keep(Sender sender) {
        if (kept != null) {
            kept.closeIdle();
        }
        kept = sender;
    }

    private static void send(Sender sender, String url, String body, boolean saysGoodbye, Tally tally, String when) {
        tally.requests++;
        try {
            String answer = sender.send(url, body, saysGoodbye);
            if (!answer.equals("200 " + WebServer.GREETING)) {
                tally.failed("status " + answer.split(" ")[0] + " " + when);
            }
        } catch (IOException e) {
            tally.failed(e.getClass().getSimpleName() + " " + when);
        }
    }
}
