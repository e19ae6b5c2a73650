package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.Liveness;
import io.leasehold.Sockets;
import io.leasehold.Watching;
import io.leasehold.testsupport.Eventually;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.io.ModalCloseable;
import org.apache.hc.core5.pool.PoolEntry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a pool notices of connections that show it their sockets. */
class WatchTest {
    /** A socket, and its peer. */
    private static final class Wire implements ModalCloseable {
        final Socket socket;
        final Socket peer;

        Wire(ServerSocket server) throws IOException {
            socket = new Socket(server.getInetAddress(), server.getLocalPort());
            peer = server.accept();
        }

        @Override
        public void close(CloseMode mode) {
            try {
                socket.close();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public void close() {
            close(CloseMode.GRACEFUL);
        }
    }

    private ServerSocket server;
    private LeaseholdConnPool<String, Wire> pool;

    @BeforeEach
    void listen() throws IOException {
        server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    }

    @AfterEach
    void close() throws IOException {
        pool.close(CloseMode.IMMEDIATE);
        server.close();
    }

    private void pool(Watching watching) {
        pool = new LeaseholdConnPool<>(2, 2, null, null, null, null, wire -> wire.socket, watching);
    }

    private PoolEntry<String, Wire> open() throws Exception {
        PoolEntry<String, Wire> entry = pool.lease("a", null).get();
        assertFalse(entry.hasConnection());
        entry.assignConnection(new Wire(server));
        return entry;
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.INCLUDE, names = {"WATCH", "BOTH"})
    void whatItsPeerClosesWhileItIsIdleIsClosedAtOnce(Watching watching) throws Exception {
        pool(watching);
        PoolEntry<String, Wire> entry = open();
        Wire wire = entry.getConnection();
        pool.release(entry, true);
        // Leased again and released, it is watched still.
        pool.release(pool.lease("a", null).get(), true);
        wire.peer.close();
        Eventually.await("the connection to be closed", wire.socket::isClosed);
        assertFalse(entry.hasConnection());
        assertEquals(0, pool.getTotalStats().getAvailable());
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.INCLUDE, names = {"WATCH", "BOTH"})
    void whatTakesAClosedConnectionsPlaceUnderALeaseIsWatched(Watching watching) throws Exception {
        pool(watching);
        PoolEntry<String, Wire> entry = open();
        Wire first = entry.getConnection();
        pool.release(entry, true);
        assertSame(entry, pool.lease("a", null).get());
        entry.discardConnection(CloseMode.IMMEDIATE);
        Wire second = new Wire(server);
        entry.assignConnection(second);
        first.peer.close();
        pool.release(entry, true);
        // What is known of the first is no word on the second.
        assertSame(entry, pool.lease("a", null).get());
        assertSame(second, entry.getConnection());
        pool.release(entry, true);
        second.peer.close();
        Eventually.await("the second to be closed", second.socket::isClosed);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.INCLUDE, names = {"PROBE", "BOTH"})
    void whatItsPeerHasClosedBeforeTheLeaseIsNotLeased(Watching watching) throws Exception {
        pool(watching);
        PoolEntry<String, Wire> entry = open();
        Wire wire = entry.getConnection();
        pool.release(entry, true);
        wire.peer.close();
        Eventually.await("the close to arrive", () -> Sockets.probe(wire.socket) == Liveness.CLOSED);
        PoolEntry<String, Wire> next = pool.lease("a", null).get();
        assertNotSame(entry, next);
        assertFalse(next.hasConnection());
        Eventually.await("it to be closed", wire.socket::isClosed);
        assertEquals(1, pool.getTotalStats().getLeased());
        pool.release(next, true);
    }

    @ParameterizedTest
    @EnumSource(Watching.class)
    void whatIsAliveStays(Watching watching) throws Exception {
        pool(watching);
        PoolEntry<String, Wire> entry = open();
        pool.release(entry, true);
        for (int i = 0; i < 3; i++) {
            assertSame(entry, pool.lease("a", null).get());
            assertTrue(entry.getConnection().socket.isConnected());
            pool.release(entry, true);
        }
    }
}
