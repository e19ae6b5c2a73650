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
import java.net.InetAddress;
import java.net.ServerSocket;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.protocol.Protocol;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who has a connection closed whose close waits for the peer does not wait, and goes on as if it were closed. */
class ClingingTest {
    private final ClingingSocketFactory sockets = new ClingingSocketFactory();
    private final LeaseholdMultiThreadedHttpConnectionManager manager = new LeaseholdMultiThreadedHttpConnectionManager();
    private ServerSocket listener;

    @BeforeEach
    void start() throws IOException {
        listener = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
    }

    @AfterEach
    void stop() throws IOException {
        sockets.mayClose.countDown();
        manager.shutdown();
        listener.close();
    }

    private HttpConnection lease(HttpConnectionManager by) throws IOException {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost("127.0.0.1", listener.getLocalPort(), new Protocol("http", sockets, 80));
        return by.getConnectionWithTimeout(configuration, 0);
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
        listener.accept().close();
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
