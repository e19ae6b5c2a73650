package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.io.ByteArrayInputStream;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.apache.commons.httpclient.ConnectionPoolTimeoutException;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.HttpException;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.commons.httpclient.params.HttpConnectionManagerParams;
import org.apache.commons.httpclient.util.IdleConnectionHandler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What LeaseholdMultiThreadedHttpConnectionManager's methods come to, and that what it logs is what 3.1's logs. */
@SuppressWarnings("deprecation") // What 3.1 deprecates works as it does there.
class MultiThreadedManagerTest {
    @RegisterExtension
    final Loopback server = new Loopback();
    private final LeaseholdMultiThreadedHttpConnectionManager manager = new LeaseholdMultiThreadedHttpConnectionManager();

    @AfterEach
    void stop() {
        manager.shutdown();
    }

    private interface Steps {
        void on(MultiThreadedHttpConnectionManager manager) throws Exception;
    }

    /** What a manager logs at every level, but for times. */
    private List<String> logged(MultiThreadedHttpConnectionManager by, Steps steps) throws Exception {
        List<String> lines = new ArrayList<>();
        try (LogCapture log = LogCapture.of(MultiThreadedHttpConnectionManager.class.getName(), IdleConnectionHandler.class.getName());
                LogCapture quiet = LogCapture.of(HttpConnection.class)) {
            try {
                steps.on(by);
            } finally {
                by.shutdown();
            }
            for (String line : log.lines()) {
                // Only of these methods do both managers say that they are entered.
                if (isOurs(line) && (!line.startsWith("FINEST") || line.contains("enter HttpConnectionManager.get")
                        || line.contains("enter HttpConnectionManager.release"))) {
                    lines.add(line.replaceAll("[0-9]{13}", "TIME"));
                }
            }
        }
        return lines;
    }

    /** Not of what earlier tests have left behind, which is collected at any time. */
    private boolean isOurs(String line) {
        return !line.contains("ReferenceQueueThread")
                && (!line.contains("HostConfiguration[") || line.contains(":" + server.port() + "]"));
    }

    /** What a manager of 3.1's own logs, and one of ours. */
    private List<String> alike(Steps steps) throws Exception {
        List<String> lines = logged(new MultiThreadedHttpConnectionManager(), steps);
        assertEquals(String.join("\n", lines), String.join("\n", logged(new LeaseholdMultiThreadedHttpConnectionManager(), steps)));
        return lines;
    }

    @Test
    void whatIsLoggedOfLeasesAndReleasesIsWhatStockLogs() throws Exception {
        List<String> lines = alike(each -> {
            HttpConnection connection = server.open(each, "a");
            connection.releaseConnection();
            server.open(each, "a").releaseConnection();
            each.getConnection(server.to("a"), 1).releaseConnection();
            HttpConnection unopened = each.getConnectionWithTimeout(server.to("b"), 1);
            each.releaseConnection(unopened);
        });
        assertEquals(4, lines.stream().filter(line -> line.endsWith("Notifying no-one, there are no waiting threads")).count());
    }

    /** In any order: two threads log. */
    @Test
    void whatIsLoggedOfWaitsIsWhatStockLogs() throws Exception {
        for (String wanted : new String[] {"a", "b"}) {
            Steps steps = each -> {
                each.getParams().setMaxTotalConnections(1);
                HttpConnection held = server.open(each, "a");
                assertThrows(ConnectionPoolTimeoutException.class, () -> each.getConnectionWithTimeout(server.to(wanted), 1));
                FutureTask<HttpConnection> waiter = new FutureTask<>(() -> each.getConnection(server.to(wanted)));
                Thread thread = new Thread(waiter);
                thread.start();
                Eventually.await("it waits",
                        () -> thread.getState() == Thread.State.TIMED_WAITING || thread.getState() == Thread.State.WAITING);
                held.releaseConnection();
                waiter.get().releaseConnection();
            };
            List<String> stock = logged(new MultiThreadedHttpConnectionManager(), steps);
            List<String> ours = logged(new LeaseholdMultiThreadedHttpConnectionManager(), steps);
            Collections.sort(stock);
            Collections.sort(ours);
            assertEquals(String.join("\n", stock), String.join("\n", ours));
        }
    }

    @Test
    void whatIsLoggedOfAnInterruptIsWhatStockLogs() throws Exception {
        alike(each -> {
            each.getParams().setMaxTotalConnections(1);
            server.open(each, "a");
            Thread.currentThread().interrupt();
            assertEquals("Interrupted while waiting in MultiThreadedHttpConnectionManager",
                    assertThrows(IllegalThreadStateException.class, () -> each.getConnection(server.to("a"))).getMessage());
            assertFalse(Thread.interrupted());
        });
    }

    @Test
    void whatIsLoggedOfWhatIsIdleIsWhatStockLogs() throws Exception {
        alike(each -> {
            each.getParams().setMaxTotalConnections(1);
            server.open(each, "a").releaseConnection();
            server.open(each, "b").releaseConnection();
            each.closeIdleConnections(3_600_000);
            each.closeIdleConnections(0);
            assertEquals(0, each.getConnectionsInPool());
            each.closeIdleConnections(0);
        });
    }

    @Test
    void sinceWhenAConnectionHasToBeIdleIsLogged() {
        try (LogCapture log = LogCapture.of(IdleConnectionHandler.class)) {
            manager.closeIdleConnections(3_600_000);
            String line = log.messages().stream().filter(each -> each.startsWith("Checking for connections")).findFirst().get();
            long since = Long.parseLong(line.substring(line.lastIndexOf(' ') + 1));
            assertTrue(since <= System.currentTimeMillis() - 3_600_000, line);
        }
    }

    @Test
    void whatIsLoggedAfterAShutdownIsWhatStockLogs() throws Exception {
        alike(each -> {
            server.open(each, "a");
            HttpConnection held = server.open(each, "a");
            each.shutdown();
            each.releaseConnection(held);
            assertEquals("Connection factory has been shutdown.",
                    assertThrows(IllegalStateException.class, () -> each.getConnection(server.to("a"))).getMessage());
        });
    }

    @Test
    void whatItsPeerHasClosedIsSaidAndReclaimed() throws Exception {
        try (LogCapture log = LogCapture.of(MultiThreadedHttpConnectionManager.class)) {
            HttpConnection connection = server.open(manager, "a");
            Socket peer = server.accept();
            connection.releaseConnection();
            log.clear();
            peer.close();
            List<String> expected = Arrays.asList("Connection closed by its peer, closing..., hostConfig=" + server.to("a"),
                    "Reclaiming connection, hostConfig=" + server.to("a"));
            Eventually.await("its end to be noticed",
                    () -> manager.getConnectionsInPool() == 0 && log.messages().containsAll(expected));
        }
    }

    @Test
    void waitsAreForATimeThatIsSaidOrWithoutEnd() throws Exception {
        manager.getParams().setMaxTotalConnections(1);
        HttpConnection held = server.open(manager, "a");
        assertEquals("timeout value is negative", assertThrows(IllegalArgumentException.class,
                () -> manager.getConnectionWithTimeout(server.to("a"), -1)).getMessage());
        assertEquals("Timeout waiting for connection",
                assertThrows(HttpException.class, () -> manager.getConnection(server.to("a"), 1)).getMessage());
        FutureTask<HttpConnection> waiter = new FutureTask<>(() -> manager.getConnectionWithTimeout(server.to("a"), 0));
        Thread thread = new Thread(waiter);
        thread.start();
        Eventually.await("it waits", () -> thread.getState() == Thread.State.TIMED_WAITING);
        held.releaseConnection();
        HttpConnection served = waiter.get();
        assertNotSame(held, served);
        assertTrue(served.isOpen());
        served.releaseConnection();
        // Who has not to wait is not asked for how long.
        manager.getConnectionWithTimeout(server.to("a"), -1).releaseConnection();
    }

    @Test
    void connectionsAreCountedInAllAndByHost() throws Exception {
        HttpConnection first = server.open(manager, "a");
        HttpConnection second = server.open(manager, "b");
        for (boolean isLeased : new boolean[] {true, false}) {
            assertEquals(2, manager.getConnectionsInPool());
            assertEquals(2, manager.getConnectionsInUse());
            assertEquals(1, manager.getConnectionsInPool(server.to("a")));
            assertEquals(1, manager.getConnectionsInUse(server.to("a")));
            assertEquals(0, manager.getConnectionsInPool(server.to("c")));
            assertEquals(0, manager.getConnectionsInPool(null));
            assertEquals(0, manager.getConnectionsInPool(new HostConfiguration()));
            if (isLeased) {
                first.releaseConnection();
            } else {
                second.releaseConnection();
            }
        }
    }

    @Test
    void itsParametersAreTheDefaultsOfWhatIsMade() throws Exception {
        HttpConnectionManagerParams params = new HttpConnectionManagerParams();
        manager.setParams(params);
        assertSame(params, manager.getParams());
        assertTrue(manager.isConnectionStaleCheckingEnabled());
        manager.setConnectionStaleCheckingEnabled(false);
        assertFalse(manager.isConnectionStaleCheckingEnabled());
        assertFalse(params.isStaleCheckingEnabled());
        manager.setMaxConnectionsPerHost(3);
        assertEquals(3, manager.getMaxConnectionsPerHost());
        assertEquals(3, params.getDefaultMaxConnectionsPerHost());
        manager.setMaxTotalConnections(7);
        assertEquals(7, manager.getMaxTotalConnections());
        assertEquals(7, params.getMaxTotalConnections());
        params.setConnectionTimeout(1234);
        HttpConnection connection = manager.getConnection(server.to("a"));
        assertEquals(1234, connection.getParams().getConnectionTimeout());
        connection.releaseConnection();
    }

    @Test
    void whatIsIdleAndNotOpenIsDeleted() throws Exception {
        manager.getConnection(server.to("a")).releaseConnection();
        server.open(manager, "b").releaseConnection();
        assertEquals(2, manager.getConnectionsInPool());
        manager.deleteClosedConnections();
        assertEquals(1, manager.getConnectionsInPool());
        assertEquals(1, manager.getConnectionsInPool(server.to("b")));
        manager.getConnection(server.to("a")).releaseConnection();
        manager.closeIdleConnections(3_600_000);
        assertEquals(1, manager.getConnectionsInPool());
        manager.closeIdleConnections(-1);
        assertEquals(0, manager.getConnectionsInPool());
        assertTrue(server.sockets.get(0).isClosed());
    }

    @Test
    void whatIsReleasedIsOfThisManagerAndReleasedOnce() throws Exception {
        HttpConnection mine = server.open(manager, "a");
        HttpConnection others = new LeaseholdMultiThreadedHttpConnectionManager().getConnection(server.to("a"));
        for (HttpConnection none : new HttpConnection[] {new HttpConnection("a", 80), others}) {
            assertEquals("Unexpected release of an unknown connection.",
                    assertThrows(IllegalStateException.class, () -> manager.releaseConnection(none)).getMessage());
        }
        assertEquals("conn is null: release what getConnectionWithTimeout returned",
                assertThrows(NullPointerException.class, () -> manager.releaseConnection(null)).getMessage());
        manager.releaseConnection(mine);
        manager.releaseConnection(mine);
        HttpConnection next = manager.getConnection(server.to("a"));
        manager.releaseConnection(mine);
        assertTrue(next.isOpen());
        assertEquals(1, manager.getPool().stats().leased());
        others.releaseConnection();
    }

    @Test
    void whatTheEndOfItsLastResponseReleasesIsFreedOnce() throws Exception {
        HttpConnection connection = server.open(manager, "a");
        connection.setLastResponseInputStream(new ByteArrayInputStream(new byte[0]) {
            @Override
            public void close() {
                connection.releaseConnection();
            }
        });
        try (LogCapture log = LogCapture.of(MultiThreadedHttpConnectionManager.class)) {
            connection.releaseConnection();
            assertEquals(1, log.messages().stream().filter(line -> line.startsWith("Freeing connection")).count());
        }
        assertEquals(1, manager.getPool().stats().available());
    }

    @Test
    void whereToIsSaid() {
        for (HostConfiguration none : new HostConfiguration[] {null, new HostConfiguration()}) {
            assertThrows(IllegalArgumentException.class, () -> manager.getConnection(none));
            assertThrows(IllegalArgumentException.class, () -> manager.getConnection(none, 1));
            assertThrows(IllegalArgumentException.class, () -> manager.getConnectionWithTimeout(none, 1));
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
        LeaseholdMultiThreadedHttpConnectionManager standIn = new LeaseholdMultiThreadedHttpConnectionManager(other);
        HttpConnection connection = standIn.getConnection(server.to("a"));
        assertSame(other, connection.getHttpConnectionManager());
        connection.releaseConnection();
        assertEquals(1, released.size());
        assertEquals(1, standIn.getPool().stats().leased());
        standIn.releaseConnection(connection);
        standIn.shutdown();
    }

    @Test
    void aShutdownClosesWhatIsIdleAndWhatIsLeased() throws Exception {
        HttpConnection held = server.open(manager, "a");
        server.open(manager, "a").releaseConnection();
        manager.shutdown();
        assertTrue(server.sockets.get(0).isClosed());
        assertTrue(server.sockets.get(1).isClosed());
        assertFalse(held.isOpen());
        manager.shutdown();
    }
}
