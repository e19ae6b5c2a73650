package io.leasehold.tests.closes;

import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** What one contender met. */
final class Column implements Closeable {
    /** A close that is older than this at the lease must not cost a request. */
    private static final long NOTICE = TimeUnit.MILLISECONDS.toNanos(5);

    final Contender contender;
    int posts;
    int failed;
    /** Of those that failed, how many on a connection that the server had closed long enough before the lease. */
    int lost;
    /** What failed ones said, one of each. */
    final List<String> messages = new ArrayList<>();
    /** Of the connections that the server closed while nobody used them, how many are not closed here. */
    int closeWait;
    // A field, so that nothing idle is collected before it was counted.
    private Contender.Client idle;
    private ClosingServer server;

    Column(Contender contender) {
        this.contender = contender;
    }

    private static final class Failure {
        final String lastBefore;
        final long began;
        final String message;

        Failure(String lastBefore, long began, String message) {
            this.lastBefore = lastBefore;
            this.began = began;
            this.message = message;
        }
    }

    /**
     * Sends POSTs from many threads, each after a pause that is about the server's keep-alive, in milliseconds. Each thread has a port of the
     * server to itself, and so knows which request was the last on the connection that serves it.
     */
    void post(int threads, int postsEach, int leastKeepAlive, int mostKeepAlive, int spread) throws Exception {
        Queue<Failure> failures = new ConcurrentLinkedQueue<>();
        try (ClosingServer server = new ClosingServer(threads, leastKeepAlive, mostKeepAlive, 0)) {
            Contender.Client client = contender.client(threads);
            onThreads(threads, number -> {
                // The same pauses for every contender.
                Random random = new Random(number);
                String last = null;
                for (int i = 0; i < postsEach; i++) {
                    Thread.sleep(leastKeepAlive - spread + random.nextInt(mostKeepAlive - leastKeepAlive + 2 * spread + 1));
                    String name = number + "." + i;
                    long began = System.nanoTime();
                    try {
                        client.send("POST", server.url(number), name);
                    } catch (IOException e) {
                        failures.add(new Failure(last, began, e.toString()));
                    }
                    last = name;
                }
            });
            Map<String, Long> closes = server.closes();
            posts = threads * postsEach;
            failed = failures.size();
            for (Failure failure : failures) {
                Long closed = closes.get(failure.lastBefore);
                // One that no close explains counts too.
                if (closed == null || closed <= failure.began - NOTICE) {
                    lost++;
                }
                if (!messages.contains(failure.message)) {
                    messages.add(failure.message);
                }
            }
        }
    }

    /** Lets a server close this many idle connections. */
    void letServerClose(int connections) throws Exception {
        // It answers when all have come, so each thread has a connection of its own.
        server = new ClosingServer(1, 0, 0, connections);
        idle = contender.client(connections);
        onThreads(connections, number -> idle.send("POST", server.url(0), String.valueOf(number)));
        server.closeConnections();
    }

    /** How many sockets of closed connections this process still has. */
    int closeWait() throws IOException {
        return SocketTable.ofPort(server.port(0)).count(Side.CLIENT, State.CLOSE_WAIT);
    }

    @Override
    public void close() throws IOException {
        if (server != null) {
            server.close();
        }
    }

    private interface Work {
        void run(int number) throws Exception;
    }

    private static void onThreads(int count, Work work) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(count);
        try {
            List<Future<?>> done = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int number = i;
                done.add(threads.submit(() -> {
                    work.run(number);
                    return null;
                }));
            }
            for (Future<?> future : done) {
                future.get();
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException("a thread failed: " + e.getCause(), e);
        } finally {
            threads.shutdownNow();
        }
    }
}
