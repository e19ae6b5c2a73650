package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.commons.httpclient.params.HttpConnectionManagerParams;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** LeaseholdHttpConnectionManager for one thread: there is one connection, always the same object, turned to where it is to go. */
@SuppressWarnings("deprecation") // What 3.1 deprecates works as it does there.
class SimpleManagerTest {
    private static final int PATIENCE = 30_000;

    @RegisterExtension
    final Loopback server = new Loopback();
    private final LeaseholdHttpConnectionManager manager = new LeaseholdHttpConnectionManager();
    private LogCapture log;

    @BeforeEach
    void start() {
        log = LogCapture.of(SimpleHttpConnectionManager.class);
    }

    @AfterEach
    void stop() {
        log.close();
        manager.shutdown();
    }

    private HttpConnection open(String host) throws IOException {
        return server.open(manager, host);
    }

    private int idle() {
        return manager.getPool().stats().available();
    }

    private static <T> T elsewhere(Callable<T> call) throws Exception {
        FutureTask<T> task = new FutureTask<>(call);
        Thread thread = new Thread(task);
        thread.start();
        thread.join();
        return task.get();
    }

    private void assertWarned(int times) {
        List<String> warnings = log.lines();
        // What earlier tests have left behind is collected at any time, and that is logged, too.
        warnings.removeIf(line -> !line.startsWith("WARNING"));
        assertEquals(Collections.nCopies(times, "WARNING " + SimpleHttpConnectionManager.class.getName()
                + ": SimpleHttpConnectionManager being used incorrectly.  Be sure that HttpMethod.releaseConnection() is always called"
                + " and that only one thread and/or method is using this connection manager at a time."), warnings);
    }

    @Test
    void itIsTheSameAgainHoweverItIsAskedForAndReleased() throws Exception {
        HttpConnection first = open("a");
        manager.releaseConnection(first);
        assertSame(first, manager.getConnection(server.to("a"), 1));
        first.releaseConnection();
        assertSame(first, manager.getConnectionWithTimeout(server.to("a"), 1));
        assertTrue(first.isOpen());
        assertSame(manager, first.getHttpConnectionManager());
        first.close();
        first.releaseConnection();
        assertSame(first, manager.getConnection(server.to("a")));
        assertFalse(first.isOpen());
        assertEquals(1, server.sockets.size());
        assertWarned(0);
    }

    @Test
    void toAnotherHostItIsTheSameObjectAndAnotherSocket() throws Exception {
        HttpConnection first = open("a");
        first.getParams().setIntParameter("mine", 7);
        first.releaseConnection();
        HttpConnection second = manager.getConnection(server.to("b"));
        assertSame(first, second);
        assertEquals("b", second.getHost());
        assertFalse(second.isOpen());
        assertTrue(server.sockets.get(0).isClosed());
        assertEquals(7, second.getParams().getParameter("mine"));
        second.releaseConnection();
        assertWarned(0);
    }

    @Test
    void whoAsksForItWhileHoldingItIsWarnedAndHasItAsItIs() throws Exception {
        HttpConnection held = open("a");
        InputStream rest = new ByteArrayInputStream(new byte[0]);
        held.setLastResponseInputStream(rest);
        assertSame(held, manager.getConnection(server.to("a")));
        assertWarned(1);
        assertNull(held.getLastResponseInputStream());
        assertTrue(held.isOpen());
        held.releaseConnection();
        assertEquals(1, idle());
        assertWarned(1);
    }

    @Test
    void whatHasAResponseOutstandingIsClosedForWhoAsksForItWhileHoldingIt() throws Exception {
        HttpConnection held = open("a");
        held.print("request");
        assertSame(held, manager.getConnection(server.to("a")));
        assertWarned(1);
        assertFalse(held.isOpen());
        assertTrue(server.sockets.get(0).isClosed());
        held.releaseConnection();
    }

    /** The proxy is part of where it goes. */
    @Test
    void whoAsksForAnotherHostWhileHoldingItHasItTurned() throws Exception {
        HostConfiguration proxied = server.to("b");
        proxied.setProxy(Loopback.ADDRESS, server.port());
        HttpConnection held = open("a");
        held.getParams().setIntParameter("mine", 7);
        int made = 1;
        for (HostConfiguration other : new HostConfiguration[] {server.to("b"), proxied, server.to("b")}) {
            assertSame(held, manager.getConnection(other));
            assertWarned(made);
            assertEquals("b", held.getHost());
            assertEquals(other == proxied, held.isProxied());
            assertFalse(held.isOpen());
            assertTrue(server.sockets.get(made - 1).isClosed());
            assertEquals(7, held.getParams().getParameter("mine"));
            assertEquals(1, manager.getPool().stats().leased());
            assertEquals(0, idle());
            held.open();
            made++;
        }
        held.releaseConnection();
    }

    /** Another thread has left an open one to that host. */
    @Test
    void whoIsGivenAnOpenOneInsteadOfTheOneHeldFindsNothingOfThatOnIt() throws Exception {
        HttpConnection held = open("a");
        elsewhere(() -> open("b")).releaseConnection();
        held.setLastResponseInputStream(new ByteArrayInputStream(new byte[0]));
        held.setHttpConnectionManager(new SimpleHttpConnectionManager());
        held.print("request");
        assertSame(held, manager.getConnection(server.to("b")));
        assertTrue(held.isOpen());
        assertNull(held.getLastResponseInputStream());
        assertSame(manager, held.getHttpConnectionManager());
        held.releaseConnection();
        assertEquals(1, idle());
    }

    @Test
    void theEndOfTheLastResponseMayReleaseWhatItsThreadAsksForAgain() throws Exception {
        HttpConnection held = open("a");
        held.setLastResponseInputStream(new ByteArrayInputStream(new byte[0]) {
            @Override
            public void close() {
                held.releaseConnection();
            }
        });
        assertSame(held, manager.getConnection(server.to("a")));
        assertWarned(0);
        assertTrue(held.isOpen());
        assertEquals(1, manager.getPool().stats().leased());
        held.releaseConnection();
    }

    @Test
    void aLeaseThatHasEndedWithoutItsHolderIsNotHeldAnyMore() throws Exception {
        HttpConnection held = open("a");
        assertTrue(((LeasedHttpConnection) held).lease().tryRelease());
        assertSame(held, manager.getConnection(server.to("a")));
        assertWarned(0);
        assertEquals(1, manager.getPool().stats().leased());
        held.releaseConnection();
    }

    @Test
    void whatIsAlwaysClosedIsClosedUnreadAndNeverKept() throws Exception {
        LeaseholdHttpConnectionManager closing = new LeaseholdHttpConnectionManager(true);
        HttpConnection connection = closing.getConnection(server.to("a"));
        connection.releaseConnection();
        assertEquals(0, closing.getPool().stats().available());
        assertSame(connection, closing.getConnection(server.to("a")));
        connection.open();
        connection.setLastResponseInputStream(new ByteArrayInputStream(new byte[0]) {
            @Override
            public void close() {
                throw new AssertionError("it is read, which may take long");
            }
        });
        connection.releaseConnection();
        assertTrue(server.sockets.get(0).isClosed());
        assertEquals(0, closing.getPool().stats().available());
    }

    @Test
    void whatIsReleasedIsOfThisManager() throws Exception {
        HttpConnection others = new LeaseholdHttpConnectionManager().getConnection(server.to("a"));
        for (HttpConnection none : new HttpConnection[] {null, new HttpConnection("a", 80), others}) {
            assertEquals("Unexpected release of an unknown connection.",
                    assertThrows(IllegalStateException.class, () -> manager.releaseConnection(none)).getMessage());
        }
        others.releaseConnection();
    }

    @Test
    void whereToIsSaid() {
        for (Callable<HttpConnection> lease : Arrays.<Callable<HttpConnection>>asList(() -> manager.getConnection(null),
                () -> manager.getConnection(null, 1), () -> manager.getConnectionWithTimeout(null, 1))) {
            assertEquals("hostConfiguration is null: say where the connection goes to",
                    assertThrows(NullPointerException.class, lease::call).getMessage());
        }
    }

    @Test
    void whatStandsInForAnotherIsReleasedByThat() throws Exception {
        List<HttpConnection> released = new ArrayList<>();
        HttpConnectionManager other = new SimpleHttpConnectionManager() {
            @Override
            public void releaseConnection(HttpConnection connection) {
                released.add(connection);
            }
        };
        LeaseholdHttpConnectionManager standIn = new LeaseholdHttpConnectionManager(false, other);
        for (int i = 1; i <= 2; i++) {
            HttpConnection connection = standIn.getConnection(server.to("a"));
            assertSame(other, connection.getHttpConnectionManager());
            connection.releaseConnection();
            assertEquals(i, released.size());
            standIn.releaseConnection(connection);
        }
    }

    @Test
    void itsParametersAreTheDefaultsOfWhatIsMade() throws Exception {
        assertThrows(IllegalArgumentException.class, () -> manager.setParams(null));
        HttpConnectionManagerParams params = new HttpConnectionManagerParams();
        manager.setParams(params);
        assertSame(params, manager.getParams());
        assertTrue(manager.isConnectionStaleCheckingEnabled());
        manager.setConnectionStaleCheckingEnabled(false);
        assertFalse(manager.isConnectionStaleCheckingEnabled());
        assertFalse(params.isStaleCheckingEnabled());
        params.setConnectionTimeout(1234);
        HttpConnection connection = manager.getConnection(server.to("a"));
        assertEquals(1234, connection.getParams().getConnectionTimeout());
        connection.releaseConnection();
    }

    @Test
    void aShutdownClosesWhatIsIdleAndWhatItsThreadHolds() throws Exception {
        HttpConnection connection = open("a");
        connection.releaseConnection();
        manager.shutdown();
        assertTrue(server.sockets.get(0).isClosed());
        assertSame(connection, open("a"));
        connection.releaseConnection();
        assertEquals(1, idle());
        assertSame(connection, open("a"));
        manager.shutdown();
        assertTrue(server.sockets.get(1).isClosed());
        assertFalse(connection.isOpen());
        connection.open();
        connection.releaseConnection();
        assertEquals(1, idle());
    }

    @Test
    void onlyWhatIsIdleForSoLongIsClosed() throws Exception {
        HttpConnection connection = open("a");
        manager.closeIdleConnections(0);
        assertTrue(connection.isOpen());
        connection.releaseConnection();
        manager.closeIdleConnections(Long.MAX_VALUE);
        assertTrue(connection.isOpen());
        manager.closeIdleConnections(-1);
        assertFalse(connection.isOpen());
        assertTrue(server.sockets.get(0).isClosed());
    }

    @Test
    void whatItsPeerHasClosedMeanwhileIsSaidAndReplaced() throws Exception {
        HttpConnection connection = open("a");
        connection.getParams().setIntParameter("mine", 7);
        Socket peer = server.accept();
        connection.releaseConnection();
        peer.close();
        String said = "Connection closed by its peer, closing..., hostConfig=" + server.to("a");
        Eventually.await("its end to be noticed", () -> idle() == 0 && log.messages().contains(said));
        assertSame(connection, manager.getConnection(server.to("a")));
        assertEquals(7, connection.getParams().getParameter("mine"));
        connection.releaseConnection();
    }

    @Test
    void whoWasNotAloneIsGivenAnObjectOfItsOwn() throws Exception {
        HttpConnection mine = open("a");
        HttpConnection theirs = elsewhere(() -> open("a"));
        assertNotSame(mine, theirs);
        mine.getParams().setIntParameter("mine", 7);
        mine.close();
        mine.releaseConnection();
        HttpConnection next = manager.getConnection(server.to("b"));
        assertNull(next.getParams().getParameter("mine"));
        next.releaseConnection();
        theirs.releaseConnection();
    }

    @Test
    void aResponseReadByHalfIsNobodyElses() throws Exception {
        HttpConnection held = open("a");
        held.print("request");
        server.accept().getOutputStream().write("line\r\nrest".getBytes(StandardCharsets.US_ASCII));
        assertTrue(held.isResponseAvailable(PATIENCE));
        held.readLine("US-ASCII");
        assertSame(held, manager.getConnection(server.to("a")));
        assertFalse(held.isOpen());
        held.releaseConnection();
    }
}
