package io.leasehold.tests.closes;

import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.testsupport.Threads;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
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

    /** How the threads of a run share routes: those of a group use one, and send together. */
    enum Sharing {
        /** Each thread is a group of its own. */
        NONE,
        /** Groups of ten. */
        TENS;

        private int groups(int threads) {
            return this == NONE ? threads : (threads + 9) / 10;
        }
    }

    /**
     * Sends POSTs from many threads, each after a pause that is about the server's keep-alive, in milliseconds. Each group of threads has a
     * route of its own; they pause alike and then send at once, as otherwise the connection released last would serve them all.
     */
    void post(int threads, Sharing sharing, int postsEach, int leastKeepAlive, int mostKeepAlive, int spread) throws Exception {
        int groups = sharing.groups(threads);
        Queue<Failure> failures = new ConcurrentLinkedQueue<>();
        // The name of the last request on each connection.
        Map<Object, String> last = new ConcurrentHashMap<>();
        try (ClosingServer server = new ClosingServer(groups, leastKeepAlive, mostKeepAlive, 0)) {
            Contender.Client client = contender.client(threads);
            List<CyclicBarrier> starts = new ArrayList<>();
            for (int group = 0; group < groups; group++) {
                starts.add(new CyclicBarrier((threads - group + groups - 1) / groups));
            }
            Threads.run(threads, number -> () -> {
                int group = number % groups;
                // The same pauses for every contender.
                Random random = new Random(group);
                for (int i = 0; i < postsEach; i++) {
                    Thread.sleep(leastKeepAlive - spread + random.nextInt(mostKeepAlive - leastKeepAlive + 2 * spread + 1));
                    starts.get(group).await(30, TimeUnit.SECONDS);
                    String name = number + "." + i;
                    String[] lastBefore = new String[1];
                    long began = System.nanoTime();
                    try {
                        client.send("POST", server.url(group), name, connection -> lastBefore[0] = last.put(connection, name));
                    } catch (IOException e) {
                        failures.add(new Failure(lastBefore[0], began, e.toString()));
                    }
                }
                return null;
            });
            Map<String, Long> closes = server.closes();
            posts += threads * postsEach;
            failed += failures.size();
            long unused = closes.keySet().stream().filter(name -> name.startsWith(ClosingServer.UNUSED)).count();
            for (Failure failure : failures) {
                // One that no close explains counts too.
                if (failure.lastBefore == null) {
                    // Opened by this request, whose thread had then to wait for the processor as long as the server for the request.
                    if (--unused < 0) {
                        lost++;
                    }
                } else {
                    Long closed = closes.get(failure.lastBefore);
                    if (closed == null || closed <= failure.began - NOTICE) {
                        lost++;
                    }
                }
                if (!messages.contains(failure.message)) {
                    messages.add(failure.message);
                }
            }
        }
    }

    /** Whether it lost what was to be expected. */
    boolean lostAsExpected() {
        return lost == 0 ? !contender.mustLose() : contender.mayLose();
    }

    /** Lets a server close this many idle connections. */
    void letServerClose(int connections) throws Exception {
        // It answers when all have come, so each thread has a connection of its own.
        server = new ClosingServer(1, 0, 0, connections);
        idle = contender.client(connections);
        Threads.run(connections, number -> () -> {
            idle.send("POST", server.url(0), String.valueOf(number), connection -> { });
            return null;
        });
        server.closeConnections();
    }

    /** How many of so many connections that a server closes are to be left, as nobody uses them: all or none. */
    int leftExpected(int connections) {
        return contender.mustLose() ? connections : 0;
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
}
