package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Loopback.keep;
import static io.leasehold.httpclient4.Loopback.lease;
import static io.leasehold.httpclient4.Loopback.leaseOpen;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.Cause;
import io.leasehold.Liveness;
import io.leasehold.Sockets;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.net.Socket;
import java.util.List;
import org.apache.http.HttpClientConnection;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.protocol.BasicHttpContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the watch does at the default, whatever is validated at the lease. */
class WatchedTest {
    @RegisterExtension
    final Loopback server = new Loopback();
    private final HttpRoute route = server.route();
    private final LeaseholdHttpClientConnectionManager manager = server.ends(new LeaseholdHttpClientConnectionManager());

    @Test
    void anIdleConnectionThatItsServerClosesIsClosedThoughValidationIsOff() throws Exception {
        manager.setValidateAfterInactivity(0);
        HttpClientConnection connection = leaseOpen(manager, route, null);
        Socket socket = ((ManagedHttpClientConnection) connection).getSocket();
        keep(manager, connection);
        server.accept().close();
        Eventually.await("our end to be closed", socket::isClosed);
        assertEquals(1, manager.getCounters().closedByPeer());
        assertEquals(0, manager.getTotalStats().getAvailable());
    }

    @Test
    void aConnectionThatItsServerClosesDuringTheLeaseIsClosedAtItsRelease() throws Exception {
        manager.setValidateAfterInactivity(0);
        HttpClientConnection other = leaseOpen(manager, route, null);
        Socket otherPeer = server.accept();
        HttpClientConnection connection = leaseOpen(manager, route, null);
        server.accept().close();
        // Events come in order, so that of the leased connection has come with that of one which closed after it.
        keep(manager, other);
        otherPeer.close();
        Eventually.await("the other to be closed", () -> manager.getCounters().closedByPeer() == 1);
        assertTrue(connection.isOpen());
        try (LogCapture log = LogCapture.of("org.apache.http.impl.conn")) {
            keep(manager, connection);
            List<String> lines = log.messages();
            lines.replaceAll(line -> line.replaceAll(".*(kept alive|by its peer|Close connection|Connection released).*", "$1"));
            lines.removeIf(line -> line.contains("set socket timeout"));
            assertEquals("[kept alive, by its peer, Close connection, Connection released]", lines.toString());
        }
        assertFalse(lease(manager, route, null).isOpen());
    }

    /** Where the watch has failed, the pool finds those with bytes that nobody asked for unfit in the same way. */
    @Test
    void onlyAConnectionThatItsPeerHasClosedIsSaidToBeClosedByIt() throws Exception {
        HttpClientConnection connection = leaseOpen(manager, route, null);
        PooledConnection pooled = LeasedConnection.of(connection).pooled();
        Socket socket = ((ManagedHttpClientConnection) connection).getSocket();
        Socket peer = server.accept();
        try (LogCapture log = LogCapture.of("org.apache.http.impl.conn.CPool")) {
            peer.getOutputStream().write('H');
            Eventually.await("the peer's byte", () -> Sockets.probe(socket) == Liveness.READABLE);
            PooledConnection.DISPOSER.letGo(pooled, Cause.PEER_CLOSED);
            assertEquals("[]", log.messages().toString());
            peer.close();
            Eventually.await("the peer's end", () -> Sockets.probe(socket) == Liveness.CLOSED);
            PooledConnection.DISPOSER.letGo(pooled, Cause.PEER_CLOSED);
            assertTrue(log.messages().toString().endsWith("closed by its peer]"), log.messages().toString());
        }
    }

    /** A connection takes the descriptor of one that was closed a moment before, and perhaps told of. */
    @Test
    void aConnectionThatReusesADescriptorIsNotTakenForTheOneBefore() throws Exception {
        for (int round = 0; round < 300; round++) {
            HttpClientConnection first = leaseOpen(manager, route, null);
            keep(manager, first);
            Socket peer = server.accept();
            peer.close();
            // Met as stale, closed by the watch, or not noticed yet: the next one is opened in that moment.
            HttpClientConnection next = lease(manager, route, null);
            if (!next.isOpen()) {
                next = open(next);
                Socket itsPeer = server.accept();
                keep(manager, next);
                HttpClientConnection again = lease(manager, route, null);
                assertTrue(again.isOpen(), "round " + round);
                again.close();
                keep(manager, again);
                itsPeer.close();
            } else {
                next.close();
                keep(manager, next);
            }
        }
        assertEquals(0, manager.getTotalStats().getLeased());
    }

    private HttpClientConnection open(HttpClientConnection connection) throws Exception {
        manager.connect(connection, route, 1000, new BasicHttpContext());
        manager.routeComplete(connection, route, new BasicHttpContext());
        return connection;
    }
}
