package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Loopback.keep;
import static io.leasehold.httpclient4.Loopback.leaseOpen;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.leasehold.testsupport.LogCapture;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import org.apache.http.HttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.junit.jupiter.api.Test;

/** The end of a manager. */
class ShutdownTest {
    private final LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();

    @Test
    void idleConnectionsAreClosedAndLeasedOnesReset() throws Exception {
        try (Loopback server = new Loopback()) {
            HttpRoute route = server.route();
            HttpClientConnection idle = leaseOpen(manager, route, null);
            Socket peerOfIdle = server.accept();
            HttpClientConnection leased = leaseOpen(manager, route, null);
            Socket peerOfLeased = server.accept();
            keep(manager, idle);
            manager.shutdown();
            assertEquals(-1, peerOfIdle.getInputStream().read());
            assertThrows(SocketException.class, () -> peerOfLeased.getInputStream().read());
            assertFalse(leased.isOpen());
            keep(manager, leased);
            assertEquals("[leased: 0; pending: 0; available: 0; max: 20]", manager.getTotalStats().toString());
            assertEquals(0, manager.getRoutes().size());
        }
    }

    @Test
    void aSecondShutdownDoesNothing() throws Exception {
        try (LogCapture log = LogCapture.of(PoolingHttpClientConnectionManager.class)) {
            manager.close();
            manager.shutdown();
            manager.close();
            assertEquals("[Connection manager is shutting down, Connection manager shut down]", log.messages().toString());
        }
    }

    @Test
    void whatIsAskedAfterwardsIsAnsweredQuietly() throws IOException {
        manager.shutdown();
        manager.closeExpiredConnections();
        manager.setMaxTotal(5);
        assertEquals(5, manager.getMaxTotal());
        manager.enumAvailable(entry -> {
            throw new AssertionError("nothing is left: " + entry);
        });
    }
}
