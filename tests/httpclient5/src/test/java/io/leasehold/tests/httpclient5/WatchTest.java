package io.leasehold.tests.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.Watching;
import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManager;
import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManagerBuilder;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.Threads;
import java.io.IOException;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the manager does when servers close idle connections: it closes them too, without anybody asking, and loses no request to them. */
class WatchTest {
    private LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();
    private CloseableHttpClient client;

    private CloseableHttpClient client() {
        client = HttpClients.custom().setConnectionManager(manager).disableAutomaticRetries().build();
        return client;
    }

    @AfterEach
    void close() throws IOException {
        client.close();
    }

    /** A request that is not retried: it is lost if its connection is. */
    private static String post(CloseableHttpClient client, String url) throws IOException {
        return client.execute(new HttpPost(url), response -> EntityUtils.toString(response.getEntity()));
    }

    private void awaitClosedByPeer(long n) throws Exception {
        Eventually.await(n + " are closed by their peer", () -> manager.getCounters().closedByPeer() == n);
    }

    private static int open(int port) throws Exception {
        return SocketTable.settled(port).count(Side.CLIENT, State.ESTABLISHED, State.CLOSE_WAIT);
    }

    @Test
    void whatAServerClosesIsClosedHereWithoutALease() throws Exception {
        try (Nginx server = Nginx.builder().keepAlive(100).start()) {
            CloseableHttpClient client = client();
            for (int i = 1; i <= 3; i++) {
                assertEquals(WebServer.GREETING, post(client, server.url(WebServer.HELLO)));
                awaitClosedByPeer(i);
                Eventually.await("its socket is gone", () -> open(server.port()) == 0);
            }
            assertEquals(0, manager.getTotalStats().getAvailable());
        }
    }

    @Test
    @SuppressWarnings("deprecation") // What all versions have.
    void aTlsConnectionIsWatchedAndTicketsKeepIt() throws Exception {
        try (Nginx server = Nginx.builder().tls().start()) {
            manager = LeaseholdHttpClientConnectionManagerBuilder.create().setSSLSocketFactory(
                    new org.apache.hc.client5.http.ssl.SSLConnectionSocketFactory(server.trust())).build();
            CloseableHttpClient client = client();
            for (int i = 0; i < 5; i++) {
                assertEquals(WebServer.GREETING, post(client, server.url(WebServer.HELLO)));
            }
            assertEquals(1, server.connections());
            server.reload();
            awaitClosedByPeer(1);
            Eventually.await("its socket is gone", () -> open(server.port()) == 0);
        }
    }

    @Test
    void unwatchedItStaysUntilALeaseFindsItClosed() throws Exception {
        manager.setWatching(Watching.PROBE);
        try (Nginx server = Nginx.builder().keepAlive(100).start()) {
            CloseableHttpClient client = client();
            post(client, server.url(WebServer.HELLO));
            server.awaitConnectionsClosed();
            assertEquals(1, SocketTable.settled(server.port()).count(Side.CLIENT, State.CLOSE_WAIT));
            // It was idle for less than the two seconds after which HttpClient would look.
            assertEquals(WebServer.GREETING, post(client, server.url(WebServer.HELLO)));
            assertEquals(0, manager.getCounters().closedByPeer());
        }
    }

    @Test
    void manyThreadsStayWithinTheLimits() throws Exception {
        manager.setMaxTotal(4);
        manager.setDefaultMaxPerRoute(4);
        try (Nginx server = Nginx.builder().start()) {
            CloseableHttpClient client = client();
            Threads.run(12, i -> () -> {
                for (int n = 0; n < 50; n++) {
                    assertEquals(WebServer.GREETING, post(client, server.url(WebServer.HELLO)));
                }
                return null;
            });
            assertTrue(server.connections() <= 4);
            assertEquals(0, manager.getTotalStats().getLeased());
        }
    }

    @Test
    void aServersRestartIsGotOver() throws Exception {
        try (Nginx server = Nginx.builder().start()) {
            CloseableHttpClient client = client();
            for (int i = 1; i <= 3; i++) {
                assertEquals(WebServer.GREETING, post(client, server.url(WebServer.HELLO)));
                server.restart();
                awaitClosedByPeer(i);
            }
            assertEquals(WebServer.GREETING, post(client, server.url(WebServer.HELLO)));
        }
    }
}
