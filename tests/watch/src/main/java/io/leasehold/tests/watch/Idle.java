package io.leasehold.tests.watch;

import io.leasehold.Cause;
import io.leasehold.ConnectionPool;
import io.leasehold.Disposer;
import io.leasehold.Lease;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Keeps watched connections idle, and prints what the housekeeper's thread has used of a processor meanwhile, in microseconds, and
 * how often it woke. {@code tests/watch/src/main.rs} prints the former for the Rust pool.
 */
public final class Idle {
    private Idle() {}

    /**
     * Runs it.
     *
     * @param args how many connections, and for how many seconds
     * @throws Exception if it cannot be measured
     */
    public static void main(String[] args) throws Exception {
        int count = Integer.parseInt(args[0]);
        InetAddress loopback = InetAddress.getByName("127.0.0.1");
        ConnectionPool<String, Socket> pool = ConnectionPool.<String, Socket>builder(new Closer()).build();
        List<Lease<Socket>> leases = new ArrayList<>();
        List<Socket> peers = new ArrayList<>();
        try (ServerSocket server = new ServerSocket(0, 50, loopback)) {
            for (int i = 0; i < count; i++) {
                Lease<Socket> lease = pool.tryLease("server");
                Socket socket = new Socket(loopback, server.getLocalPort());
                peers.add(server.accept());
                lease.opened(socket);
                lease.attach(socket);
                leases.add(lease);
            }
        }
        leases.forEach(Lease::release);
        // The housekeeper's work with leases that were collected is none with idle connections.
        leases.clear();
        System.gc();
        Thread.sleep(TimeUnit.SECONDS.toMillis(2));
        long before = housekeepersMicroseconds();
        long wokenBefore = housekeepersWakes();
        Thread.sleep(TimeUnit.SECONDS.toMillis(Long.parseLong(args[1])));
        long used = housekeepersMicroseconds() - before;
        long woken = housekeepersWakes() - wokenBefore;
        if (pool.stats().available() != count) {
            throw new IllegalStateException(pool.stats().available() + " of " + count + " idle connections are left");
        }
        // They are watched, and not only left alone.
        for (Socket peer : peers) {
            peer.close();
        }
        while (pool.counters().closedByPeer() < count) {
            Thread.sleep(1);
        }
        System.out.println(used + " " + woken);
        pool.close();
    }

    private static long housekeepersMicroseconds() {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().equals("leasehold-housekeeper")) {
                return TimeUnit.NANOSECONDS.toMicros(threads.getThreadCpuTime(thread.getId()));
            }
        }
        throw new IllegalStateException("there is no housekeeper's thread");
    }

    /** How often it has waited for something, as the kernel counts it. */
    private static long housekeepersWakes() throws IOException {
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(Paths.get("/proc/self/task"))) {
            for (Path thread : threads) {
                // The kernel keeps the first 15 characters.
                if (Files.readAllLines(thread.resolve("comm")).get(0).equals("leasehold-house")) {
                    for (String line : Files.readAllLines(thread.resolve("status"))) {
                        if (line.startsWith("voluntary_ctxt_switches:")) {
                            return Long.parseLong(line.substring(line.indexOf(':') + 1).trim());
                        }
                    }
                }
            }
        }
        throw new IllegalStateException("there is no housekeeper's thread");
    }

    private static final class Closer implements Disposer<Socket> {
        @Override
        public void dispose(Socket socket, Cause cause) {
            try {
                socket.close();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
