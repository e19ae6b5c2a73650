package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Loopback.leaseOpen;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import io.leasehold.testsupport.ScriptedServer;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.HttpResponse;
import org.apache.http.config.ConnectionConfig;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.conn.ManagedHttpClientConnectionFactory;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.message.BasicHttpRequest;
import org.apache.http.protocol.HttpContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Managers that nobody refers to go, with their sockets, and disturb nobody; so do leases that were lost. */
class CollectionTest {
    private static final String MANAGER_LOG = PoolingHttpClientConnectionManager.class.getName();

    private ScriptedServer server;
    private HttpRoute route;

    @BeforeEach
    void start() throws IOException {
        server = ScriptedServer.plain();
        route = new HttpRoute(new HttpHost("127.0.0.1", server.port()));
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    @Test
    void aManagerGoesWithItsIdleConnectionsThoughTheyLeadBackToIt() throws Exception {
        WeakReference<Object> manager = useTied();
        Eventually.awaitAfterCollection("the manager to go", () -> manager.get() == null);
        Eventually.awaitAfterCollection("its socket to be closed", this::socketIsClosed);
    }

    private boolean socketIsClosed() throws Exception {
        return server.peer(0).hasEnded();
    }

    private WeakReference<Object> useTied() throws Exception {
        Object[] tie = new Object[1];
        LeaseholdHttpClientConnectionManager manager =
                new LeaseholdHttpClientConnectionManager((HttpRoute to, ConnectionConfig config) -> {
                    assertTrue(tie[0] != null);
                    return ManagedHttpClientConnectionFactory.INSTANCE.create(to, config);
                });
        tie[0] = manager;
        HttpClientConnection connection = leaseOpen(manager, route, manager);
        ((HttpContext) connection).setAttribute("manager", manager);
        manager.releaseConnection(connection, manager, 0, null);
        assertEquals(1, manager.getTotalStats().getAvailable());
        return new WeakReference<>(manager);
    }

    @Test
    void aRequestUnderWayIsNotDisturbedWhenItsManagerGoes() throws Exception {
        HttpClientConnection[] held = new HttpClientConnection[1];
        WeakReference<Object> manager = lease(held);
        Eventually.awaitAfterCollection("the manager to go", () -> manager.get() == null);
        held[0].sendRequestHeader(new BasicHttpRequest("GET", "/ok"));
        held[0].flush();
        HttpResponse response = held[0].receiveResponseHeader();
        assertEquals(200, response.getStatusLine().getStatusCode());
        try (LogCapture log = LogCapture.of(MANAGER_LOG)) {
            held[0] = null;
            Eventually.awaitAfterCollection("its socket to be closed", this::socketIsClosed);
            Eventually.await("the warning", () -> !log.messages().isEmpty());
        }
    }

    private WeakReference<Object> lease(HttpClientConnection[] held) throws Exception {
        LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();
        held[0] = leaseOpen(manager, route, null);
        return new WeakReference<>(manager);
    }

    @Test
    void aLostLeaseGivesItsPlaceBackAndIsClosed() throws Exception {
        LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();
        try (LogCapture log = LogCapture.of(MANAGER_LOG); LogCapture pools = LogCapture.of("io.leasehold")) {
            leaseOpen(manager, route, null);
            Eventually.awaitAfterCollection("the lease to be given back", () -> manager.getTotalStats().getLeased() == 0);
            Eventually.await("its socket to be closed", this::socketIsClosed);
            String warning = "WARNING " + MANAGER_LOG + ": Connection reclaimed by garbage collector, it was never released: [id: ";
            Eventually.await("the warning", () -> log.lines().stream().anyMatch(line -> line.startsWith(warning)));
            // Where an application does not look that has its HttpClient log by commons-logging.
            assertFalse(pools.lines().stream().anyMatch(line -> line.startsWith("WARNING")), () -> pools.lines().toString());
        }
        manager.shutdown();
    }

    /** As code does that goes on with another protocol, and has no use for the connection any more. */
    @Test
    void aSocketThatItsUserHasTakenOverOutlivesTheLostLease() throws Exception {
        LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();
        try (LogCapture log = LogCapture.of(MANAGER_LOG)) {
            Socket[] taken = {((ManagedHttpClientConnection) leaseOpen(manager, route, null)).getSocket()};
            Eventually.awaitAfterCollection("the lease to be given back", () -> manager.getTotalStats().getLeased() == 0);
            Eventually.await("the warning", () -> log.messages().toString().contains(", its socket is left to whoever has asked for it"));
            awaitTheDisposer(manager);
            assertFalse(taken[0].isClosed());
            taken[0].getOutputStream().write("GET /ok HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertEquals('H', taken[0].getInputStream().read());
            // With nobody to hold it the socket goes, too, as the JDK's do.
            taken[0] = null;
            Eventually.awaitAfterCollection("its socket to be closed", this::socketIsClosed);
        }
        manager.shutdown();
    }

    /** What was lost before a connection that is lost now is dealt with before it, and on the same threads. */
    private void awaitTheDisposer(LeaseholdHttpClientConnectionManager manager) throws Exception {
        leaseOpen(manager, route, null);
        Eventually.awaitAfterCollection("another lost one to be closed", () -> server.peer(1).hasEnded());
    }

    @Test
    void aReleasedConnectionIsNotHeldByWhoStillHasItsWrapper() throws Exception {
        LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();
        HttpClientConnection wrapper = leaseOpen(manager, route, null);
        WeakReference<?>[] own = new WeakReference<?>[1];
        manager.enumLeased(entry -> own[0] = new WeakReference<Object>(entry.getConnection()));
        wrapper.close();
        manager.releaseConnection(wrapper, null, 0, null);
        Eventually.awaitAfterCollection("the connection to go", () -> own[0].get() == null);
        assertEquals("CPoolProxy{detached}", wrapper.toString());
        manager.shutdown();
    }
}
