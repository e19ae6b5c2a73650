package io.leasehold.tests.httpclient4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.Watching;
import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.util.concurrent.TimeUnit;
import org.apache.http.config.Registry;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.junit.jupiter.api.Test;

/** What the manager does at its default when servers close idle connections: it closes them too, without anybody asking. */
class WatchTest {
    private LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();

    private Client client() {
        return Client.Kind.HTTP_CLIENT.on(manager);
    }

    private void awaitClosedByPeer(long n) throws Exception {
        Eventually.await(n + " are closed by their peer", () -> manager.getCounters().closedByPeer() == n);
    }

    private static int open(int port) throws Exception {
        return SocketTable.settled(port).count(Side.CLIENT, State.ESTABLISHED, State.CLOSE_WAIT);
    }

    @Test
    void whatAServerClosesIsClosedHereWithoutALease() throws Exception {
        Client client = client();
        try (Nginx server = Nginx.builder().keepAlive(100).start()) {
            for (int i = 1; i <= 3; i++) {
                assertEquals(WebServer.GREETING, client.send("POST", server.url(WebServer.HELLO)));
                awaitClosedByPeer(i);
                Eventually.await("its socket is gone", () -> open(server.port()) == 0);
            }
            assertEquals(0, manager.getCounters().stale());
            assertEquals(0, manager.getTotalStats().getAvailable());
        }
    }

    @Test
    void aTlsConnectionIsWatchedAndTicketsKeepIt() throws Exception {
        try (Nginx server = Nginx.builder().tls().start()) {
            Registry<ConnectionSocketFactory> registry = RegistryBuilder.<ConnectionSocketFactory>create()
                    .register("https", new SSLConnectionSocketFactory(server.trust()))
                    .build();
            manager = new LeaseholdHttpClientConnectionManager(registry);
            Client client = client();
            for (int i = 0; i < 5; i++) {
                assertEquals(WebServer.GREETING, client.send("POST", server.url(WebServer.HELLO)));
            }
            assertEquals(1, server.connections());
            server.reload();
            awaitClosedByPeer(1);
            Eventually.await("its socket is gone", () -> open(server.port()) == 0);
        }
    }

    @Test
    void aLineSaysSoUnderTheNameOfTheStockPool() throws Exception {
        try (Nginx server = Nginx.builder().keepAlive(100).start(); LogCapture log = LogCapture.of("org.apache.http.impl.conn.CPool")) {
            client().send("POST", server.url(WebServer.HELLO));
            awaitClosedByPeer(1);
            Eventually.await("the line is there", () -> log.messages().stream().anyMatch(line -> line.matches(
                    "Connection \\[id:\\d+\\]\\[route:\\{\\}->http://127\\.0\\.0\\.1:\\d+\\]\\[state:null\\] closed by its peer")));
        }
    }

    @Test
    void switchedOffNothingHappensBetweenLeases() throws Exception {
        manager.setWatching(Watching.OFF);
        manager.setValidateAfterInactivity(1);
        Client client = client();
        try (Nginx server = Nginx.builder().keepAlive(100).start()) {
            client.send("POST", server.url(WebServer.HELLO));
            server.awaitConnectionsClosed();
            assertEquals(1, SocketTable.settled(server.port()).count(Side.CLIENT, State.CLOSE_WAIT));
            client.send("POST", server.url(WebServer.HELLO));
            assertEquals(1, manager.getCounters().stale());
            assertEquals(0, manager.getCounters().closedByPeer());
        }
    }

    @Test
    void withTheWatchAloneNoConnectionThatWasClosedIsUsed() throws Exception {
        manager.setWatching(Watching.WATCH);
        manager.setValidateAfterInactivity(0);
        Client client = client();
        try (Nginx server = Nginx.builder().keepAlive(100).start()) {
            for (int i = 1; i <= 3; i++) {
                client.send("POST", server.url(WebServer.HELLO));
                awaitClosedByPeer(i);
            }
        }
    }

    @Test
    void keepAliveIsSetOnSocketsUntilItIsDisabled() throws Exception {
        manager.setTcpKeepAlive(30, 5, 3);
        Client client = client();
        try (Nginx server = Nginx.builder().start()) {
            client.send("GET", server.url(WebServer.HELLO));
            assertTrue(SocketTable.ofPort(server.port()).hasKeepAlive(Side.CLIENT));
            manager.closeIdleConnections(0, TimeUnit.SECONDS);
            manager.disableTcpKeepAlive();
            client.send("GET", server.url(WebServer.HELLO));
            assertFalse(SocketTable.settled(server.port()).hasKeepAlive(Side.CLIENT));
        }
        assertThrows(IllegalArgumentException.class, () -> manager.setTcpKeepAlive(30, 5, 0));
        assertThrows(IllegalArgumentException.class, () -> manager.setWatching(null));
    }
}
