package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The examples of the documentation, run. */
class ExamplesTest {
    private static void close(Socket socket, Cause cause) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As on {@link Lease}'s page; returns the socket. */
    private static Socket use(ConnectionPool<InetSocketAddress, Socket> pool, InetSocketAddress address) throws Exception {
        Socket used;
        try (Lease<Socket> lease = pool.lease(address, 5, TimeUnit.SECONDS)) {
            Socket socket = lease.connection();
            if (socket == null) {
                socket = new Socket(address.getHostName(), address.getPort());
                lease.opened(socket);
            }
            used = socket;
            lease.updateExpiry(30, TimeUnit.SECONDS); // as the server promised
            lease.release();
        } // discards the connection if anything was thrown
        return used;
    }

    @Test
    void aSocketIsUsedAgainAndClosedWithItsPool() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 5, SocketsTest.LOOPBACK)) {
            InetSocketAddress address = (InetSocketAddress) server.getLocalSocketAddress();
            Socket first;
            try (ConnectionPool<InetSocketAddress, Socket> pool =
                    ConnectionPool.<InetSocketAddress, Socket>builder(ExamplesTest::close).maxPerRoute(10).build()) {
                first = use(pool, address);
                assertNotNull(first);
                assertEquals(first, use(pool, address));
                assertEquals(Liveness.ALIVE, Sockets.probe(first));
            }
            assertTrue(first.isClosed());
        }
    }
}
