package io.leasehold.managed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.Disposer;
import io.leasehold.Lease;
import io.leasehold.Liveness;
import io.leasehold.Watching;
import io.leasehold.testsupport.Eventually;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A managed connection's socket is probed and watched as its manager's user has said, whichever socket it has by now. */
class ManagedSocketTest {
    /** As the connections of any client: it has this socket for now. */
    private static final class Made {
        final WeakConnection<Made> cell = new WeakConnection<>(this);
        final Socket socket;

        Made(Socket socket) {
            this.socket = socket;
        }
    }

    private static final Disposer<Made> DISPOSER = (connection, cause) -> {
        try {
            connection.socket.close();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    };

    private final ManagedPool<String, Made> managed = new ManagedPool<>(ManagedPool.builder("Made", DISPOSER, (route, connection) -> {}));
    private final ManagedSocket socket = managed.connections().socket();
    private ServerSocket listener;
    private Socket ours;
    private Socket theirs;

    @BeforeEach
    void connect() throws Exception {
        listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        ours = new Socket(listener.getInetAddress(), listener.getLocalPort());
        theirs = listener.accept();
    }

    @AfterEach
    void close() throws Exception {
        theirs.close();
        ours.close();
        listener.close();
    }

    @Test
    void whatIsAskedIsThePresentSocket() throws Exception {
        try (Socket before = new Socket(listener.getInetAddress(), listener.getLocalPort())) {
            assertEquals(Liveness.ALIVE, socket.liveness(before, false));
        }
        assertEquals(Liveness.ALIVE, socket.liveness(ours, false));
        assertEquals(Liveness.UNKNOWN, socket.liveness(null, false));
        assertFalse(socket.isClosed(null));
        theirs.close();
        Eventually.await("the end", () -> socket.isClosed(ours));
        assertEquals(Liveness.CLOSED, socket.liveness(ours, false));
    }

    @Test
    void itsDescriptorIsLookedForOnce() throws Exception {
        AtomicInteger looks = new AtomicInteger();
        try (Socket wrapper = new Wrapper(ours, looks)) {
            assertEquals(Liveness.ALIVE, socket.liveness(wrapper, false));
            int first = looks.get();
            assertTrue(first > 0, "no search is seen");
            socket.liveness(wrapper, false);
            socket.mayBlockToClose(wrapper);
            assertEquals(first, looks.get());
        }
    }

    /** Leads to another one by the stream that is read from, for which it is asked when its descriptor is looked for. */
    private static final class Wrapper extends Socket {
        private final Object inner;
        private final AtomicInteger looks;

        Wrapper(Socket inner, AtomicInteger looks) {
            this.inner = inner;
            this.looks = looks;
        }

        private Socket inner() {
            return (Socket) inner;
        }

        @Override
        public InputStream getInputStream() throws IOException {
            looks.incrementAndGet();
            return inner().getInputStream();
        }

        @Override
        public boolean isConnected() {
            return true;
        }

        @Override
        public InetAddress getInetAddress() {
            return inner().getInetAddress();
        }

        @Override
        public int getPort() {
            return inner().getPort();
        }

        @Override
        public InetAddress getLocalAddress() {
            return inner().getLocalAddress();
        }

        @Override
        public int getLocalPort() {
            return inner().getLocalPort();
        }

        @Override
        public int getSoLinger() throws SocketException {
            return inner().getSoLinger();
        }
    }

    @Test
    void bytesThatWaitAreAVerdictOnPlainSockets() throws Exception {
        theirs.getOutputStream().write(1);
        Eventually.await("the byte", () -> socket.liveness(ours, true) == Liveness.UNKNOWN);
        assertEquals(Liveness.CLOSED, socket.liveness(ours, false));
        assertFalse(socket.isClosed(ours));
    }

    @Test
    void whereSocketsAreNotToBeProbedNothingIsKnown() {
        for (Watching watching : Watching.values()) {
            managed.setWatching(watching);
            assertEquals(watching.probes() ? Liveness.ALIVE : Liveness.UNKNOWN, socket.liveness(ours, false), watching::toString);
        }
        assertThrows(IllegalArgumentException.class, () -> managed.setWatching(null));
    }

    @Test
    void theTimesOfTcpKeepAliveAreSetAsLongAsTheyAreWanted() throws Exception {
        managed.setTcpKeepAlive(1, 1, 1);
        managed.disableTcpKeepAlive();
        socket.connected(ours);
        assertFalse(ours.getKeepAlive());
        managed.setTcpKeepAlive(1, 1, 1);
        socket.connected(ours);
        assertTrue(ours.getKeepAlive());
        assertThrows(IllegalArgumentException.class, () -> managed.setTcpKeepAlive(0, 1, 1));
    }

    @Test
    void whichClosesMayWaitIsKnown() throws Exception {
        assertFalse(socket.mayBlockToClose(ours));
        ours.setSoLinger(true, 1);
        assertTrue(socket.mayBlockToClose(ours));
    }

    @Test
    void aConnectionIsWatchedIfThatIsWanted() throws Exception {
        Lease<WeakConnection<Made>> lease = open();
        assertTrue(socket.attach(ours, lease));
        lease.release();
        theirs.close();
        Eventually.await("its end", () -> managed.getCounters().closedByPeer() == 1);

        managed.setWatching(Watching.PROBE);
        close();
        connect();
        lease = open();
        assertTrue(socket.attach(ours, lease));
        lease.release();
        theirs.close();
        Eventually.await("its end", () -> socket.isClosed(ours));
        lease = managed.pool().tryLease("a");
        assertFalse(lease.isVacancy());
        lease.discard();
        assertEquals(1, managed.getCounters().closedByPeer());
    }

    @Test
    void aSocketThatIsNoMoreIsForgotten() throws Exception {
        Lease<WeakConnection<Made>> lease = open();
        assertTrue(socket.attach(ours, lease));
        assertTrue(socket.attach(null, lease));
        lease.release();
        try (Socket other = new Socket(listener.getInetAddress(), listener.getLocalPort()); Socket others = listener.accept()) {
            Lease<WeakConnection<Made>> watched = managed.pool().tryLease("b");
            managed.connections().fill(watched, new Made(other).cell);
            assertTrue(managed.connections().socket().attach(other, watched));
            watched.release();
            theirs.close();
            Eventually.await("its end", () -> socket.isClosed(ours));
            // What is told of later is noted later.
            others.close();
            Eventually.await("the other's end", () -> managed.getCounters().closedByPeer() > 0);
        }
        lease = managed.pool().tryLease("a");
        assertFalse(lease.isVacancy());
        lease.discard();
        assertFalse(socket.attach(ours, lease));
        assertFalse(socket.attach(null, lease));
    }

    private Lease<WeakConnection<Made>> open() {
        Lease<WeakConnection<Made>> lease = managed.pool().tryLease("a");
        managed.connections().fill(lease, new Made(ours).cell);
        return lease;
    }
}
