package io.leasehold;

import static java.util.Collections.emptyList;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** With one carrier for all virtual threads, one that kept it while it waits would stop all others: nobody could release. */
class VirtualThreadsTest {
    private static final int THREADS = 50;
    private static final int LEASES = 10;

    private static Method start() {
        try {
            return Thread.class.getMethod("startVirtualThread", Runnable.class);
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    @Test
    void noneKeepsItsCarrier() throws Exception {
        assumeTrue(start() != null, "this JDK has no virtual threads");
        String output = OwnJvm.run(Program.class, emptyList(), "-Djdk.virtualThreadScheduler.parallelism=1",
                "-Djdk.virtualThreadScheduler.maxPoolSize=1",
                // JDK 21 to 23 say where a thread that keeps its carrier parks.
                "-Djdk.tracePinnedThreads=short");
        assertTrue(output.contains("all have leased"), output);
        // JDK 24 and later warn of who loads a library, which is us.
        assertFalse(output.replaceAll("(?m)^WARNING: .*$", "").contains("io.leasehold."), output);
    }

    /** Leases, opens, attaches and releases on more virtual threads than there are connections. */
    static final class Program {
        private Program() {}

        public static void main(String[] args) throws Exception {
            AtomicReference<Throwable> failure = new AtomicReference<>();
            CountDownLatch done = new CountDownLatch(THREADS);
            try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                    ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder((socket, cause) -> {
                        try {
                            socket.close();
                        } catch (IOException e) {
                            throw new AssertionError(e);
                        }
                    }).maxTotal(2).build()) {
                // Else the system would let no more connections through than may wait here.
                Thread acceptor = new Thread(() -> accept(server));
                acceptor.setDaemon(true);
                acceptor.start();
                // What is loaded by the first use is no matter of virtual threads.
                use(pool, server, 0);
                for (int i = 0; i < THREADS; i++) {
                    start().invoke(null, (Runnable) () -> {
                        try {
                            for (int n = 0; n < LEASES; n++) {
                                use(pool, server, n);
                            }
                        } catch (Throwable e) {
                            failure.set(e);
                        } finally {
                            done.countDown();
                        }
                    });
                }
                done.await();
            }
            if (failure.get() != null) {
                throw new AssertionError(failure.get());
            }
            System.out.println("all have leased");
        }

        /** Accepts connections until the end, and keeps them. */
        private static void accept(ServerSocket server) {
            List<Socket> peers = new ArrayList<>();
            try {
                for (;;) {
                    peers.add(server.accept());
                }
            } catch (IOException e) {
                // The server was closed.
            }
        }

        private static void use(ConnectionPool<String, Socket> pool, ServerSocket server, int n) throws Exception {
            Lease<Socket> lease = pool.lease("a", 1, TimeUnit.MINUTES);
            if (lease.connection() == null) {
                lease.opened(new Socket(server.getInetAddress(), server.getLocalPort()));
                lease.attach(lease.connection());
            }
            // Leaves the carrier to others while the connection is in use.
            LockSupport.parkNanos(1_000);
            if (n % 5 == 4) {
                lease.discard();
            } else {
                lease.release();
            }
        }
    }
}
