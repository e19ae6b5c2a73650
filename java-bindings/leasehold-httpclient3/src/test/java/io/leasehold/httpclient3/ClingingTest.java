package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.protocol.Protocol;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Who has a connection closed whose close waits for the peer does not wait, and goes on as if it were closed. */
class ClingingTest {
    @RegisterExtension
    final Loopback server = new Loopback();
    private final ClingingSocketFactory sockets = new ClingingSocketFactory();
    private final LeaseholdMultiThreadedHttpConnectionManager manager = new LeaseholdMultiThreadedHttpConnectionManager();

    @AfterEach
    void stop() {
        sockets.mayClose.countDown();
        manager.shutdown();
    }

    private HttpConnection lease(HttpConnectionManager by) throws IOException {
        return by.getConnectionWithTimeout(server.to(Loopback.ADDRESS, new Protocol("http", sockets, 80)), 0);
    }

    private HttpConnection open(HttpConnectionManager by) throws IOException {
        HttpConnection connection = lease(by);
        connection.open();
        return connection;
    }

    @Test
    void ofOneThatIsStale() throws Exception {
        HttpConnection connection = open(manager);
        WeakReference<InputStream> rest = LeasedHttpConnectionTest.respond(connection);
        server.accept().close();
        Eventually.await("the peer's end", connection::closeIfStale);
        Eventually.awaitAfterCollection("the response to go", () -> rest.get() == null);
        assertFalse(connection.isOpen());
        assertFalse(connection.closeIfStale());
        assertEquals(1, manager.getCounters().stale());
        connection.open();
        assertNull(connection.getLastResponseInputStream());
        assertTrue(connection.isOpen());
        assertEquals(1, manager.getConnectionsInPool());
        connection.releaseConnection();
        assertEquals(1, manager.getPool().stats().available());
    }

    /** What is closed by a shutdown and opened after that is kept. */
    @Test
    void ofOneThatASimpleManagersShutdownCloses() throws Exception {
        LeaseholdHttpConnectionManager simple = new LeaseholdHttpConnectionManager();
        HttpConnection connection = open(simple);
        simple.shutdown();
        assertFalse(connection.isOpen());
        connection.open();
        connection.releaseConnection();
        assertTrue(connection.isOpen());
        assertSame(connection, lease(simple));
        connection.releaseConnection();
        simple.closeIdleConnections(0);
    }

    /** As happens to who comes back to what was ended on his behalf: there is nothing to go on with. */
    @Test
    void ofOneWhoseLeaseHasEndedMeanwhile() throws Exception {
        HttpConnection connection = open(manager);
        LeasedHttpConnection leased = (LeasedHttpConnection) connection;
        assertTrue(leased.lease().tryRelease());
        leased.closeWithoutWaiting();
        assertEquals(1, manager.getPool().stats().available());
        assertFalse(connection.isOpen());
        assertNull(connection.getHttpConnectionManager());
        sockets.mayClose.countDown();
        connection.open();
        assertFalse(connection.isOpen());
    }
}
