package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Collections;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/** A program some thread of which uses up all memory for a while: what the housekeeper had to do meanwhile is done afterwards. */
class FullHeapTest {
    /** A JVM of its own. */
    public static final class Program {
        private static final int N = 5;
        private static final int CLOSED = Cause.values().length;
        /** How often each cause was told; at the end, how often a connection was closed. Nothing is allocated to count. */
        private static final AtomicInteger[] CAUSES = new AtomicInteger[CLOSED];

        private static volatile boolean isFull;
        private static volatile boolean isOver;

        private Program() {}

        /** Closes sockets, and counts. */
        private static final class Counting implements Disposer<Object> {
            @Override
            public void dispose(Object connection, Cause cause) {
                CAUSES[cause.ordinal()].incrementAndGet();
                if (connection instanceof Socket) {
                    try {
                        ((Socket) connection).close();
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                }
            }
        }

        private static ConnectionPool.Builder<String, Object> pool() {
            return ConnectionPool.<String, Object>builder(new Counting()).leakListener((route, connection) -> {});
        }

        private static int count(Cause cause) {
            return CAUSES[cause.ordinal()].get();
        }

        public static void main(String[] arguments) throws Exception {
            for (int i = 0; i < CAUSES.length; i++) {
                CAUSES[i] = new AtomicInteger();
            }
            Socket control = connect();
            useSockets();
            // Once, to have what it takes.
            control.getOutputStream().write(0);
            ConnectionPool<String, Object> watched = pool().watching(Watching.WATCH).build();
            ConnectionPool<String, Object> lossy = pool().maxTotal(N).build();
            ConnectionPool<String, Object> evicting = pool().evictIdle(1500, TimeUnit.MILLISECONDS).build();
            watch(watched);
            Lease<Object> idle = evicting.tryLease("a");
            idle.opened("idle");
            leak(lossy);
            drop();
            // Once, as above.
            lossy.forEachLeased(Program::ignore);
            fillTheHeap(control, idle, lossy);
            System.out.println("full for a while, now over");

            Eventually.await("what peers have closed is closed", () -> watched.stats().available() == 0);
            Eventually.awaitAfterCollection("what was lost is back", () -> lossy.stats().leased() == 0);
            Eventually.await("what was idle for long is closed", () -> evicting.stats().available() == 0);
            Eventually.await("what peers have closed was disposed of", () -> count(Cause.PEER_CLOSED) == N);
            Eventually.awaitAfterCollection("what was lost is closed", () -> count(Cause.LEAKED) == N);
            Eventually.awaitAfterCollection("pools that nobody refers to are ended", () -> count(Cause.POOL_COLLECTED) == N);
            // And it goes on.
            watch(watched);
            assertEquals(N, watched.stats().available());
            control.getOutputStream().write(N);
            Eventually.await("what peers close is closed", () -> watched.stats().available() == 0);
            leak(lossy);
            Eventually.awaitAfterCollection("what is lost is back", () -> lossy.stats().leased() == 0);
            System.out.println("all done");
            System.exit(0);
        }

        private static void watch(ConnectionPool<String, Object> watched) throws IOException {
            Lease<?>[] leases = new Lease<?>[N];
            for (int i = 0; i < N; i++) {
                Socket socket = connect();
                Lease<Object> lease = watched.tryLease("a");
                lease.opened(socket);
                lease.attach(socket);
                leases[i] = lease;
            }
            for (Lease<?> lease : leases) {
                lease.release();
            }
        }

        private static void leak(ConnectionPool<String, Object> lossy) {
            for (int i = 0; i < N; i++) {
                lossy.tryLease("a").opened("lost");
            }
        }

        private static void drop() {
            for (int i = 0; i < N; i++) {
                Lease<Object> lease = pool().build().tryLease("a");
                lease.opened("dropped");
                lease.release();
            }
        }

        /** What the JDK itself needs, and would lack for ever if there were no memory when it first needs it. */
        private static void useSockets() throws IOException {
            try (ServerSocket server = new ServerSocket(0);
                    Socket ours = new Socket("127.0.0.1", server.getLocalPort());
                    Socket theirs = server.accept()) {
                ours.setSoTimeout(1);
                theirs.getOutputStream().write(0);
            }
        }

        private static void ignore(String route, Object connection) {}

        private static Socket connect() throws IOException {
            return new Socket("127.0.0.1", Integer.getInteger("port"));
        }

        /** Something that can be filled to the last byte. */
        private static final class Node {
            final Node next;

            Node(Node next) {
                this.next = next;
            }
        }

        private static void fillTheHeap(Socket control, Lease<Object> idle, ConnectionPool<String, Object> lossy) throws Exception {
            BiConsumer<String, Object> ignoring = Program::ignore;
            Thread filler = new Thread(() -> {
                Node all = null;
                byte[][] much = new byte[1 << 10][];
                int size = 1 << 20;
                int n = 0;
                while (!isOver) {
                    try {
                        if (size > 256 && n < much.length) {
                            much[n] = new byte[size];
                            n++;
                        } else {
                            all = new Node(all);
                        }
                    } catch (OutOfMemoryError e) {
                        if (size > 256) {
                            size /= 2;
                        } else {
                            isFull = true;
                        }
                    }
                }
            }, "filler");
            filler.start();
            try {
                while (!isFull) {
                    Thread.yield();
                }
                // Into a full heap.
                for (boolean isDone = false; !isDone; ) {
                    try {
                        control.getOutputStream().write(N);
                        isDone = true;
                    } catch (OutOfMemoryError e) {
                        // Again.
                    }
                }
                for (boolean isDone = false; !isDone; ) {
                    try {
                        isDone = idle.tryRelease() || idle.isEnded();
                    } catch (OutOfMemoryError e) {
                        // Again.
                    }
                }
                // For longer than the housekeeper waits between two looks; and natives that make something in Java can make nothing.
                long start = System.nanoTime();
                while (System.nanoTime() - start < 5_000_000_000L) {
                    try {
                        lossy.forEachLeased(ignoring);
                    } catch (OutOfMemoryError e) {
                        // As expected.
                    }
                }
            } finally {
                isOver = true;
                filler.join();
            }
        }
    }

    /** The peer: closes as many connections as the bytes on the first one say. */
    private static void serve(ServerSocket server) {
        try {
            Socket control = server.accept();
            for (int left = control.getInputStream().read(); left >= 0; left = control.getInputStream().read()) {
                for (; left > 0; left--) {
                    server.accept().close();
                }
            }
        } catch (IOException e) {
            // The test has ended.
        }
    }

    @Test
    void whatTheHousekeeperCouldNotDoForWantOfMemoryIsDoneLater() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))) {
            Thread peer = new Thread(() -> serve(server));
            peer.start();
            String output = OwnJvm.run(Program.class, Collections.emptyList(), "-Xmx24m", "-XX:+UseSerialGC",
                    "-Dport=" + server.getLocalPort());
            assertTrue(output.contains("all done"), output);
        }
    }
}
