package io.leasehold.tests.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.Counters;
import io.leasehold.LeaseholdManager;
import io.leasehold.Watching;
import io.leasehold.httpclient3.LeaseholdHttpConnectionManager;
import io.leasehold.httpclient3.LeaseholdMultiThreadedHttpConnectionManager;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the managers do at their default when servers close idle connections: they close them too, without anybody asking. */
class WatchTest {
    private static Counters counters(HttpConnectionManager manager) {
        return ((LeaseholdManager) manager).getCounters();
    }

    private static void awaitClosedByPeer(HttpConnectionManager manager, long n) throws Exception {
        Eventually.await(n + " are closed by their peer", () -> counters(manager).closedByPeer() == n);
    }

    private static int open(int port) throws Exception {
        return SocketTable.settled(port).count(Side.CLIENT, State.ESTABLISHED, State.CLOSE_WAIT);
    }

    @ParameterizedTest
    @EnumSource(names = {"LEASEHOLD", "LEASEHOLD_MULTI_THREADED"})
    void whatAServerClosesIsClosedHereWithoutALease(Manager kind) throws Exception {
        HttpConnectionManager manager = kind.make();
        Client client = new Client(manager);
        try (Nginx server = Nginx.builder().keepAlive(100).start()) {
            for (int i = 1; i <= 3; i++) {
                assertEquals(WebServer.GREETING, client.post(server.url(WebServer.HELLO)));
                awaitClosedByPeer(manager, i);
                assertEquals(0, open(server.port()));
            }
            assertEquals(0, counters(manager).stale());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"STOCK_MULTI_THREADED", "LEASEHOLD_MULTI_THREADED"})
    void aThousandConnectionsThatAServerClosesLeaveNoSocketWhereStockLeavesAll(Manager kind) throws Exception {
        int n = 1_000;
        MultiThreadedHttpConnectionManager manager = kind.makeMultiThreaded(n, n);
        try (Nginx server = Nginx.builder().start()) {
            HostConfiguration host = new HostConfiguration();
            host.setHost("127.0.0.1", server.port());
            List<HttpConnection> connections = new ArrayList<>();
            for (int i = 0; i < n; i++) {
                HttpConnection connection = manager.getConnectionWithTimeout(host, 0);
                connection.open();
                connection.printLine("HEAD / HTTP/1.1", "US-ASCII");
                connection.printLine("Host: 127.0.0.1", "US-ASCII");
                connection.printLine();
                connection.flushRequestOutputStream();
                for (String line = connection.readLine("US-ASCII"); !line.isEmpty(); ) {
                    line = connection.readLine("US-ASCII");
                }
                assertFalse(connection.isResponseAvailable());
                connections.add(connection);
            }
            connections.forEach(manager::releaseConnection);
            assertEquals(n, manager.getConnectionsInPool());
            server.reload();
            int left = kind == Manager.STOCK_MULTI_THREADED ? n : 0;
            Eventually.await(left + " sockets are left, all in CLOSE_WAIT", () -> {
                SocketTable table = SocketTable.ofPort(server.port());
                return table.count(Side.CLIENT, State.ESTABLISHED) == 0 && table.count(Side.CLIENT, State.CLOSE_WAIT) == left;
            });
            assertEquals(left, manager.getConnectionsInPool());
        } finally {
            manager.shutdown();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"LEASEHOLD", "LEASEHOLD_MULTI_THREADED"})
    void aLineSaysSoUnderTheStockManagersName(Manager kind) throws Exception {
        Class<?> stock = kind == Manager.LEASEHOLD ? SimpleHttpConnectionManager.class : MultiThreadedHttpConnectionManager.class;
        HttpConnectionManager manager = kind.make();
        try (Nginx server = Nginx.builder().keepAlive(100).start(); LogCapture log = LogCapture.of(stock)) {
            new Client(manager).post(server.url(WebServer.HELLO));
            awaitClosedByPeer(manager, 1);
            String line = "Connection closed by its peer, closing..., hostConfig=HostConfiguration[host=http://127.0.0.1:" + server.port() + "]";
            Eventually.await("the line is there", () -> log.messages().contains(line));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"LEASEHOLD", "LEASEHOLD_MULTI_THREADED"})
    void aConnectionThatIsOpenedAnewIsWatchedAnew(Manager kind) throws Exception {
        HttpConnectionManager manager = kind.make();
        // A connection object outlives its sockets: nobody but the watch looks here.
        manager.getParams().setStaleCheckingEnabled(false);
        Client client = new Client(manager);
        try (Nginx server = Nginx.builder().keepAlive(100).start()) {
            for (int i = 1; i <= 5; i++) {
                client.post(server.url(WebServer.HELLO));
                client.get(server.url(WebServer.GOODBYE));
                client.post(server.url(WebServer.HELLO));
                awaitClosedByPeer(manager, i);
            }
        }
    }

    /** How a server ends a connection on which it has answered. */
    enum End {
        CLOSED {
            @Override
            void come(FaultyServer.Connection connection) {}
        },

        RESET {
            @Override
            void come(FaultyServer.Connection connection) throws Exception {
                connection.socket.setSoLinger(true, 0);
            }
        },

        HALF_CLOSED {
            @Override
            void come(FaultyServer.Connection connection) throws Exception {
                connection.socket.shutdownOutput();
                connection.readRequest();
            }
        },

        TIMED_OUT_IN_WORDS {
            @Override
            void come(FaultyServer.Connection connection) throws Exception {
                connection.write("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            }
        };

        abstract void come(FaultyServer.Connection connection) throws Exception;
    }

    @ParameterizedTest
    @EnumSource
    void howeverAServerEndsAnIdleConnectionItIsClosedAtOnce(End end) throws Exception {
        HttpConnectionManager manager = Manager.LEASEHOLD_MULTI_THREADED.make();
        Client client = new Client(manager);
        Semaphore mayEnd = new Semaphore(0);
        try (FaultyServer server = new FaultyServer(connection -> {
            connection.readRequest();
            connection.write(FaultyServer.OK);
            mayEnd.acquire();
            end.come(connection);
        })) {
            for (int i = 1; i <= 20; i++) {
                assertEquals("ok", client.get(server.url()));
                mayEnd.release();
                awaitClosedByPeer(manager, i);
            }
            assertEquals(20, server.connections.get());
            Eventually.await("no socket is left", () -> open(server.port()) == 0);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"LEASEHOLD", "LEASEHOLD_MULTI_THREADED"})
    void noHealthyConnectionIsClosedWhereDescriptorsAreReused(Manager kind) throws Exception {
        int width = kind == Manager.LEASEHOLD ? 1 : 20;
        HttpConnectionManager manager = kind.make();
        manager.getParams().setDefaultMaxConnectionsPerHost(width);
        LeaseholdMultiThreadedHttpConnectionManager last = new LeaseholdMultiThreadedHttpConnectionManager();
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            HostConfiguration host = new HostConfiguration();
            host.setHost("127.0.0.1", server.getLocalPort());
            List<Socket> healthy = new ArrayList<>();
            for (int round = 1; round <= 200 / width; round++) {
                healthy.clear();
                List<HttpConnection> connections = new ArrayList<>();
                for (int i = 0; i < width; i++) {
                    HttpConnection connection = manager.getConnectionWithTimeout(host, 0);
                    assertEquals(round > 1, connection.isOpen());
                    connections.add(connection);
                }
                for (HttpConnection connection : connections) {
                    connection.close();
                    connection.open();
                    server.accept().close();
                    // While its peer's close is under way its number goes to a stranger, and to the socket of its next opening.
                    connection.close();
                    try (Socket stranger = new Socket(server.getInetAddress(), server.getLocalPort())) {
                        server.accept().close();
                    }
                    connection.open();
                    healthy.add(server.accept());
                    connection.releaseConnection();
                }
                // What the watch sees it tells in order.
                HttpConnection witness = last.getConnectionWithTimeout(host, 0);
                witness.open();
                witness.releaseConnection();
                server.accept().close();
                awaitClosedByPeer(last, round);
                assertEquals(0, counters(manager).closedByPeer());
            }
            for (Socket peer : healthy) {
                peer.close();
            }
            awaitClosedByPeer(manager, width);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"LEASEHOLD", "LEASEHOLD_MULTI_THREADED"})
    void switchedOffNothingHappensBetweenLeases(Manager kind) throws Exception {
        HttpConnectionManager manager = kind.make();
        ((LeaseholdManager) manager).setWatching(Watching.OFF);
        Client client = new Client(manager);
        try (Nginx server = Nginx.builder().keepAlive(100).start()) {
            client.post(server.url(WebServer.HELLO));
            server.awaitConnectionsClosed();
            assertEquals(1, SocketTable.settled(server.port()).count(Side.CLIENT, State.CLOSE_WAIT));
            client.post(server.url(WebServer.HELLO));
            assertEquals(1, counters(manager).stale());
            assertEquals(0, counters(manager).closedByPeer());
        }
    }

    @Test
    void keepAliveIsSetOnSocketsUntilItIsDisabled() throws Exception {
        LeaseholdMultiThreadedHttpConnectionManager manager = new LeaseholdMultiThreadedHttpConnectionManager();
        manager.setTcpKeepAlive(30, 5, 3);
        Client client = new Client(manager);
        try (Nginx server = Nginx.builder().start()) {
            client.get(server.url(WebServer.HELLO));
            assertTrue(SocketTable.ofPort(server.port()).hasKeepAlive(Side.CLIENT));
            manager.closeIdleConnections(0);
            manager.disableTcpKeepAlive();
            client.get(server.url(WebServer.HELLO));
            assertFalse(SocketTable.settled(server.port()).hasKeepAlive(Side.CLIENT));
        }
        assertThrows(IllegalArgumentException.class, () -> manager.setTcpKeepAlive(0, 5, 3));
        assertThrows(IllegalArgumentException.class, () -> new LeaseholdHttpConnectionManager().setTcpKeepAlive(30, -1, 3));
        assertThrows(IllegalArgumentException.class, () -> manager.setWatching(null));
    }
}
