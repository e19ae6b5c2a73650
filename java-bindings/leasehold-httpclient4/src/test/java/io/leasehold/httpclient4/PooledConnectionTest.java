package io.leasehold.httpclient4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.Cause;
import io.leasehold.ConnectionPool;
import io.leasehold.Disposer;
import io.leasehold.Lease;
import io.leasehold.managed.ManagedConnections;
import io.leasehold.managed.WeakConnection;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.Socket;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.conn.ConnectionShutdownException;
import org.apache.http.impl.conn.DefaultManagedHttpClientConnection;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What becomes of a connection that its pool lets go, and what is said of it. */
class PooledConnectionTest {
    private static final String LOST = "Connection reclaimed by garbage collector, it was never released: ";

    /** Notes how it was closed. */
    private static class Own extends DefaultManagedHttpClientConnection {
        String end = "open";

        Own() {
            super("own", 8192);
        }

        @Override
        public void close() throws IOException {
            end = "closed";
        }

        @Override
        public void shutdown() throws IOException {
            end = "reset";
        }
    }

    @RegisterExtension
    final Loopback server = new Loopback();
    private final HttpRoute route = server.route();
    private final ManagedConnections<PooledConnection> connections = new ManagedConnections<>();
    private final Loggers loggers = new Loggers();
    private final Disposer<PooledConnection> disposer = PooledConnection.DISPOSER;
    private final Own own = new Own();
    private final PooledConnection pooled = new PooledConnection(own, route, -1, connections, loggers);

    @Test
    void aPromiseIsCountedFromItsReleaseAndMayBeWithoutEnd() {
        pooled.keep(null, null, 5_000);
        assertEquals(pooled.updated() + 5_000, pooled.expiry());
        for (long promise : new long[] {0, -1, Long.MIN_VALUE, Long.MAX_VALUE, Long.MAX_VALUE - 1}) {
            pooled.keep(null, null, promise);
            assertEquals(Long.MAX_VALUE, pooled.expiry(), () -> "after " + promise);
        }
    }

    @Test
    void whatIsLetGoIsClosed() {
        pooled.showSocket();
        disposer.dispose(pooled, Cause.DISCARDED);
        assertEquals("closed", own.end);
    }

    @Test
    void whatIsLostIsClosed() {
        disposer.dispose(pooled, Cause.LEAKED);
        assertEquals("closed", own.end);
    }

    @Test
    void whatIsLostIsLeftToWhoHasSeenItsSocket() {
        pooled.showSocket();
        disposer.dispose(pooled, Cause.LEAKED);
        assertEquals("open", own.end);
    }

    @Test
    void whateverIsLetGoIsHeldByNobody() throws Exception {
        for (Cause cause : new Cause[] {Cause.DISCARDED, Cause.LEAKED}) {
            WeakReference<PooledConnection> other = letGo(cause);
            Eventually.awaitAfterCollection("it to go, " + cause, () -> other.get() == null);
        }
    }

    private WeakReference<PooledConnection> letGo(Cause cause) {
        PooledConnection other = new PooledConnection(new Own(), route, -1, connections, loggers);
        connections.hold(other);
        other.showSocket();
        disposer.dispose(other, cause);
        return new WeakReference<>(other);
    }

    @Test
    void whoseCloseMayWaitIsKnownByItsSocket() throws Exception {
        assertFalse(disposer.mayBlock(pooled));
        try (Socket socket = new Socket("127.0.0.1", route.getTargetHost().getPort())) {
            own.bind(socket);
            assertFalse(disposer.mayBlock(pooled));
            socket.setSoLinger(true, 1);
            assertTrue(disposer.mayBlock(pooled));
            // Then it is reset where it ends, which is elsewhere.
            pooled.shutDownWithoutDelay();
            assertEquals("open", own.end);
            disposer.dispose(pooled, Cause.SHUT_DOWN);
            assertEquals("reset", own.end);
        }
    }

    /** One that has ended, as leases do under whoever opens a connection, by an abort or a shutdown. */
    private Lease<WeakConnection<PooledConnection>> endedLease() {
        Lease<WeakConnection<PooledConnection>> lease =
                ConnectionPool.<HttpRoute, WeakConnection<PooledConnection>>builder((connection, cause) -> {}).build().tryLease(route);
        lease.discard();
        return lease;
    }

    @Test
    void whatFillsNothingIsClosed() {
        assertThrows(IllegalStateException.class, () -> pooled.fill(endedLease()));
        assertEquals("closed", own.end);
    }

    @Test
    void whoseLeaseHasEndedIsNotConnected() throws Exception {
        try (Socket socket = new Socket("127.0.0.1", route.getTargetHost().getPort())) {
            own.bind(socket);
            assertThrows(ConnectionShutdownException.class, () -> pooled.connected(route, endedLease()));
        }
    }

    @Test
    void whatCannotBeClosedIsSaid() {
        Own failing = new Own() {
            @Override
            public void close() throws IOException {
                throw new IOException("not today");
            }
        };
        try (LogCapture log = LogCapture.of("org.apache.http.impl.conn.CPool")) {
            disposer.dispose(new PooledConnection(failing, route, -1, connections, loggers), Cause.IDLE);
            assertEquals("[I/O error closing connection]", log.messages().toString());
        }
    }

    @Test
    void whatIsLostIsNamedAsFarAsItIsKnown() {
        assertLost(null, "[route: " + route + "]");
        assertLost(pooled, "[id: " + pooled.id() + "][route: " + route + "]");
        pooled.keep("somebody", null, 0);
        assertLost(pooled, "[id: " + pooled.id() + "][route: " + route + "][state: somebody]");
        pooled.showSocket();
        assertLost(pooled, "[id: " + pooled.id() + "][route: " + route + "][state: somebody]"
                + ", its socket is left to whoever has asked for it");
    }

    private void assertLost(PooledConnection connection, String what) {
        try (LogCapture log = LogCapture.of(PoolingHttpClientConnectionManager.class)) {
            PooledConnection.leakListener(loggers.manager).leaked(route, connection);
            assertEquals("[" + LOST + what + "]", log.messages().toString());
        }
    }
}
