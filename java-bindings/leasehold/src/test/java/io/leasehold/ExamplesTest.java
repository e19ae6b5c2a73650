package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import example.SocketGet;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** The example of {@link Lease}'s page, which is examples/sockets, run. */
class ExamplesTest {
    @Test
    void aSocketIsUsedAgainAndClosedWithItsPool() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 5, SocketsTest.LOOPBACK)) {
            InetSocketAddress address = (InetSocketAddress) server.getLocalSocketAddress();
            Future<Integer> served = CompletableFuture.supplyAsync(() -> serve(server, Integer.MAX_VALUE));
            try (ConnectionPool<InetSocketAddress, Socket> pool = SocketGet.pool()) {
                assertEquals("HTTP/1.1 200 OK, 5 bytes", SocketGet.get(pool, address, "/"));
                assertEquals("HTTP/1.1 200 OK, 5 bytes", SocketGet.get(pool, address, "/"));
                // On this thread, to which the lease comes at once.
                assertEquals("HTTP/1.1 200 OK, 5 bytes", SocketGet.getAsync(pool, address, "/", Runnable::run).get());
                assertEquals(1, pool.stats().available());
            }
            assertEquals(3, served.get(), "all requests come on the one connection, which is closed after them");
        }
    }

    @Test
    void aSocketThatTheServerClosesLeavesThePool() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 5, SocketsTest.LOOPBACK);
                ConnectionPool<InetSocketAddress, Socket> pool = SocketGet.pool()) {
            Future<Integer> served = CompletableFuture.supplyAsync(() -> serve(server, 1));
            SocketGet.get(pool, (InetSocketAddress) server.getLocalSocketAddress(), "/");
            assertEquals(1, served.get());
            // Nobody leases: without the attach in the example it would stay for ever.
            while (pool.stats().available() > 0) {
                Thread.yield();
            }
            assertTrue(pool.counters().closedByPeer() > 0);
        }
    }

    /** Answers requests on the next connection, at most so many, and closes it. Returns how many there were. */
    private static int serve(ServerSocket server, int most) {
        byte[] response = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".getBytes(StandardCharsets.US_ASCII);
        int answered = 0;
        try (Socket socket = server.accept()) {
            StringBuilder head = new StringBuilder();
            while (answered < most) {
                int c = socket.getInputStream().read();
                if (c < 0) {
                    break;
                }
                head.append((char) c);
                if (head.toString().endsWith("\r\n\r\n")) {
                    socket.getOutputStream().write(response);
                    answered++;
                    head.setLength(0);
                }
            }
            return answered;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
