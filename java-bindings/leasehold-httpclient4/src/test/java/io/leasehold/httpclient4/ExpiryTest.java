package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Loopback.keep;
import static io.leasehold.httpclient4.Loopback.lease;
import static io.leasehold.httpclient4.Loopback.leaseOpen;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.ManualClock;
import io.leasehold.Watching;
import io.leasehold.testsupport.LogCapture;
import io.leasehold.testsupport.ScriptedServer;
import io.leasehold.testsupport.TestTls;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.config.SocketConfig;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.apache.http.impl.conn.DefaultHttpClientConnectionOperator;
import org.apache.http.protocol.BasicHttpContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How long a connection is kept: until the server's promise, its time to live or the patience with idle ones is over. */
class ExpiryTest {
    private final ManualClock clock = new ManualClock();
    @RegisterExtension
    final Loopback server = new Loopback();
    private final HttpRoute route = server.route();
    private final ScriptedServer tls = ScriptedServer.tls();
    private LeaseholdHttpClientConnectionManager manager = server.ends(manager(-1));

    ExpiryTest() throws IOException {}

    @AfterEach
    void stop() throws IOException {
        tls.close();
    }

    private LeaseholdHttpClientConnectionManager manager(long secondsToLive) {
        DefaultHttpClientConnectionOperator operator = new DefaultHttpClientConnectionOperator(
                RegistryBuilder.<ConnectionSocketFactory>create()
                        .register("http", PlainConnectionSocketFactory.getSocketFactory())
                        .register("https", new SSLConnectionSocketFactory(TestTls.context()))
                        .build(), null, null);
        return clock.driving(() -> new LeaseholdHttpClientConnectionManager(operator, null, secondsToLive, TimeUnit.SECONDS));
    }

    @Test
    void anExpiredConnectionIsNotLeasedAndItsLineIsLogged() throws Exception {
        keepFor(5, TimeUnit.SECONDS);
        clock.advance(4999, TimeUnit.MILLISECONDS);
        HttpClientConnection connection = lease(manager, route, null);
        assertTrue(connection.isOpen());
        manager.releaseConnection(connection, "somebody", 5, TimeUnit.SECONDS);
        clock.advance(5, TimeUnit.SECONDS);
        try (LogCapture log = LogCapture.of("org.apache.http.impl.conn.CPool")) {
            assertFalse(lease(manager, route, "somebody").isOpen());
            List<String> lines = log.lines();
            assertEquals(1, lines.size());
            assertTrue(lines.get(0).matches("FINE org.apache.http.impl.conn.CPool: Connection \\[id:\\d+]\\[route:\\{}->http://127.0.0.1:"
                    + "\\d+]\\[state:somebody] expired @ \\w+ \\w+ \\d+ \\d+:\\d+:\\d+ .+"), lines.get(0));
        }
    }

    /** Their close may wait for the peer, and is left to another thread; the line is not. */
    @ParameterizedTest
    @ValueSource(strings = {"TLS", "lingering"})
    void theLineIsLoggedBetweenThatOfTheRequestAndThatOfTheLease(String kind) throws Exception {
        HttpRoute to = kind.equals("TLS") ? new HttpRoute(new HttpHost("127.0.0.1", tls.port(), "https"), null, true) : route;
        manager.setDefaultSocketConfig(SocketConfig.custom().setSoLinger(kind.equals("TLS") ? -1 : 1).build());
        manager.releaseConnection(leaseOpen(manager, to, null), null, 5, TimeUnit.SECONDS);
        clock.advance(5, TimeUnit.SECONDS);
        try (LogCapture log = LogCapture.of("org.apache.http.impl.conn")) {
            lease(manager, to, null);
            List<String> lines = log.messages();
            lines.removeIf(line -> line.contains("Close connection"));
            assertEquals("request, expired, leased", lines.stream()
                    .map(line -> line.replaceAll(".*(request|expired|leased).*", "$1")).collect(Collectors.joining(", ")));
        }
    }

    @Test
    void eachReleaseSetsTheExpiryAnew() throws Exception {
        keepFor(60, TimeUnit.SECONDS);
        clock.advance(58, TimeUnit.SECONDS);
        keepFor(60, TimeUnit.SECONDS);
        clock.advance(58, TimeUnit.SECONDS);
        assertTrue(lease(manager, route, null).isOpen());
    }

    @Test
    void noPromiseAndAHugePromiseAreWithoutEnd() throws Exception {
        for (long promise : new long[] {0, -1, Long.MIN_VALUE, Long.MAX_VALUE, Long.MAX_VALUE / 1000}) {
            keepFor(promise, TimeUnit.SECONDS);
            manager.enumAvailable(entry -> assertEquals(Long.MAX_VALUE, entry.getExpiry(), "after " + promise));
            clock.advance(3650, TimeUnit.DAYS);
            HttpClientConnection connection = lease(manager, route, null);
            assertTrue(connection.isOpen(), "after " + promise);
            keep(manager, connection);
        }
    }

    @Test
    void howLongAConnectionIsKeptIsLogged() throws Exception {
        try (LogCapture log = LogCapture.of("org.apache.http.impl.conn.PoolingHttpClientConnectionManager")) {
            keepFor(1500, TimeUnit.MILLISECONDS);
            keepFor(0, TimeUnit.SECONDS);
            List<String> lines = log.messages();
            lines.removeIf(line -> !line.contains("can be kept alive"));
            lines.replaceAll(line -> line.replaceAll(".*kept alive ", ""));
            assertEquals("[for 1.5 seconds, indefinitely]", lines.toString());
        }
    }

    @Test
    void aPromiseOfLessThanAMillisecondIsOne() throws Exception {
        keepFor(1, TimeUnit.NANOSECONDS);
        manager.enumAvailable(entry -> assertEquals(entry.getUpdated() + 1, entry.getExpiry()));
        assertEquals(1, manager.getTotalStats().getAvailable());
        clock.advance(1, TimeUnit.MILLISECONDS);
        assertFalse(lease(manager, route, null).isOpen());
    }

    @Test
    void timeToLiveCountsFromTheOpeningWhateverWasPromised() throws Exception {
        manager = server.ends(manager(10));
        keepFor(0, TimeUnit.SECONDS);
        clock.advance(9, TimeUnit.SECONDS);
        keepFor(60, TimeUnit.SECONDS);
        assertEquals(1, manager.getTotalStats().getAvailable());
        clock.advance(1, TimeUnit.SECONDS);
        assertFalse(lease(manager, route, null).isOpen());
    }

    @ParameterizedTest
    @EnumSource
    void timeToLiveGoesOnWhenAConnectionIsOpenedAgainDuringItsLease(Watching watching) throws Exception {
        manager = server.ends(manager(10));
        manager.setWatching(watching);
        HttpClientConnection connection = leaseOpen(manager, route, null);
        clock.advance(6, TimeUnit.SECONDS);
        connection.close();
        manager.connect(connection, route, 1000, new BasicHttpContext());
        manager.releaseConnection(connection, null, 60, TimeUnit.SECONDS);
        manager.enumAvailable(entry -> assertEquals(10_000, entry.getValidityDeadline() - entry.getCreated()));
        clock.advance(3, TimeUnit.SECONDS);
        keepFor(60, TimeUnit.SECONDS);
        assertEquals(1, manager.getTotalStats().getAvailable());
        clock.advance(1, TimeUnit.SECONDS);
        manager.closeExpiredConnections();
        assertEquals(0, manager.getTotalStats().getAvailable());
    }

    @Test
    void aConnectionWhoseTimeToLiveEndsDuringItsLeaseIsNotLeasedAgain() throws Exception {
        manager = server.ends(manager(10));
        HttpClientConnection connection = leaseOpen(manager, route, null);
        clock.advance(10, TimeUnit.SECONDS);
        assertTrue(connection.isOpen());
        keep(manager, connection);
        try (LogCapture log = LogCapture.of("org.apache.http.impl.conn.CPool")) {
            assertFalse(lease(manager, route, null).isOpen());
            assertTrue(log.messages().get(0).contains("expired @"), log.messages().toString());
        }
    }

    @Test
    void closeExpiredConnectionsClosesThoseAndNoOthers() throws Exception {
        HttpClientConnection brief = leaseOpen(manager, route, null);
        HttpClientConnection lasting = leaseOpen(manager, route, null);
        manager.releaseConnection(brief, null, 5, TimeUnit.SECONDS);
        manager.releaseConnection(lasting, null, 60, TimeUnit.SECONDS);
        clock.advance(5, TimeUnit.SECONDS);
        try (LogCapture log = LogCapture.of("org.apache.http.impl.conn.PoolingHttpClientConnectionManager")) {
            manager.closeExpiredConnections();
            assertEquals("[Closing expired connections]", log.messages().toString());
        }
        assertEquals(1, manager.getTotalStats().getAvailable());
    }

    @Test
    void closeIdleConnectionsClosesThoseIdleForThatTimeOrLonger() throws Exception {
        HttpClientConnection early = leaseOpen(manager, route, null);
        HttpClientConnection late = leaseOpen(manager, route, null);
        keep(manager, early);
        clock.advance(1, TimeUnit.SECONDS);
        keep(manager, late);
        clock.advance(9, TimeUnit.SECONDS);
        try (LogCapture log = LogCapture.of("org.apache.http.impl.conn.PoolingHttpClientConnectionManager")) {
            manager.closeIdleConnections(10, TimeUnit.SECONDS);
            assertEquals("[Closing connections idle longer than 10 SECONDS]", log.messages().toString());
        }
        assertEquals(1, manager.getTotalStats().getAvailable());
        manager.closeIdleConnections(-1, TimeUnit.SECONDS);
        assertEquals(0, manager.getTotalStats().getAvailable());
        assertTrue(manager.getRoutes().isEmpty());
    }

    private void keepFor(long keepAlive, TimeUnit unit) throws Exception {
        manager.releaseConnection(leaseOpen(manager, route, null), null, keepAlive, unit);
    }
}
