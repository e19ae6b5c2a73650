package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Loopback.keep;
import static io.leasehold.httpclient4.Loopback.lease;
import static io.leasehold.httpclient4.Loopback.leaseOpen;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Child;
import io.leasehold.testsupport.LogCapture;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.config.SocketConfig;
import org.apache.http.conn.ConnectionRequest;
import org.apache.http.conn.HttpClientConnectionOperator;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.impl.conn.ConnectionShutdownException;
import org.apache.http.impl.conn.DefaultHttpClientConnectionOperator;
import org.apache.http.impl.conn.DefaultManagedHttpClientConnection;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.protocol.BasicHttpContext;
import org.apache.http.protocol.HttpContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** From request to release, and the lines that are logged on the way. */
class LifecycleTest {
    @RegisterExtension
    final Loopback server = new Loopback();
    private final HttpRoute route = server.route();
    private final LeaseholdHttpClientConnectionManager manager = server.ends(new LeaseholdHttpClientConnectionManager());

    @Test
    void aReleasedConnectionServesTheNextRequest() throws Exception {
        HttpClientConnection first = leaseOpen(manager, route, null);
        String id = ((ManagedHttpClientConnection) first).getId();
        keep(manager, first);
        assertEquals("[leased: 0; pending: 0; available: 1; max: 2]", manager.getStats(route).toString());
        HttpClientConnection second = lease(manager, route, null);
        assertTrue(second.isOpen());
        assertNotSame(first, second);
        assertEquals(id, ((ManagedHttpClientConnection) second).getId());
        assertEquals("[leased: 1; pending: 0; available: 0; max: 20]", manager.getTotalStats().toString());
    }

    @Test
    void withoutTheNativeLibraryThereIsNoManagerAndItIsSaidWhy() throws Exception {
        assertEquals(Arrays.asList("LeaseholdUnavailableException true"),
                Child.run(WithoutLibrary.class, Arrays.asList("-Dio.leasehold.native.path=/nowhere/libleasehold.so")));
    }

    /** What an application sees where the library is missing. */
    static final class WithoutLibrary {
        private WithoutLibrary() {}

        /** Runs it. */
        public static void main(String[] arguments) {
            try {
                System.out.println("made " + new LeaseholdHttpClientConnectionManager().getTotalStats());
            } catch (RuntimeException e) {
                System.out.println(e.getClass().getSimpleName() + " " + e.getMessage().contains("/nowhere/libleasehold.so"));
            }
        }
    }

    @Test
    void linesAreThoseOfHttpClientUnderItsLoggersNames() throws Exception {
        manager.setMaxTotal(200);
        manager.setMaxPerRoute(route, 32);
        try (LogCapture log = LogCapture.of(PoolingHttpClientConnectionManager.class)) {
            HttpClientConnection connection = leaseOpen(manager, route, null);
            manager.releaseConnection(connection, null, 5, TimeUnit.SECONDS);
            connection = lease(manager, route, null);
            manager.releaseConnection(connection, null, 0, null);
            connection = lease(manager, route, null);
            connection.close();
            manager.releaseConnection(connection, null, 0, null);
            assertEquals(Arrays.asList(
                    "Connection request: [route: R][total available: 0; route allocated: 0 of 32; total allocated: 0 of 200]",
                    "Connection leased: [id: N][route: R][total available: 0; route allocated: 1 of 32; total allocated: 1 of 200]",
                    "Connection [id: N][route: R] can be kept alive for 5.0 seconds",
                    "Connection released: [id: N][route: R][total available: 1; route allocated: 1 of 32; total allocated: 1 of 200]",
                    "Connection request: [route: R][total available: 1; route allocated: 1 of 32; total allocated: 1 of 200]",
                    "Connection leased: [id: N][route: R][total available: 0; route allocated: 1 of 32; total allocated: 1 of 200]",
                    "Connection [id: N][route: R] can be kept alive indefinitely",
                    "Connection released: [id: N][route: R][total available: 1; route allocated: 1 of 32; total allocated: 1 of 200]",
                    "Connection request: [route: R][total available: 1; route allocated: 1 of 32; total allocated: 1 of 200]",
                    "Connection leased: [id: N][route: R][total available: 0; route allocated: 1 of 32; total allocated: 1 of 200]",
                    "Connection released: [id: N][route: R][total available: 0; route allocated: 0 of 32; total allocated: 0 of 200]"),
                    normal(log.messages()));
        }
    }

    private List<String> normal(List<String> lines) {
        List<String> normal = new ArrayList<>();
        for (String line : lines) {
            normal.add(line.replace(route.toString(), "R").replaceAll("\\[id: \\d+]", "[id: N]"));
        }
        return normal;
    }

    @Test
    void aSubclassLogsUnderThatNameToo() throws Exception {
        LeaseholdHttpClientConnectionManager own = server.ends(new LeaseholdHttpClientConnectionManager() {});
        try (LogCapture log = LogCapture.of("io.leasehold.httpclient4");
                LogCapture stock = LogCapture.of(PoolingHttpClientConnectionManager.class)) {
            lease(own, route, null);
            assertEquals("[]", log.messages().toString());
            assertEquals(2, stock.messages().size());
        }
    }

    @Test
    void theSocketsTimeoutIsNotSetToWhatIsInForce() throws Exception {
        List<Integer> set = new ArrayList<>();
        LeaseholdHttpClientConnectionManager own = server.ends(new LeaseholdHttpClientConnectionManager((to, config) ->
                new DefaultManagedHttpClientConnection("own", 8192) {
                    @Override
                    public void setSocketTimeout(int millis) {
                        set.add(millis);
                        super.setSocketTimeout(millis);
                    }
                }));
        keep(own, leaseOpen(own, route, null));
        keep(own, lease(own, route, null));
        assertEquals("[0]", set.toString());
        own.setDefaultSocketConfig(SocketConfig.custom().setSoTimeout(5000).build());
        HttpClientConnection connection = lease(own, route, null);
        assertEquals(5000, connection.getSocketTimeout());
        keep(own, connection);
        assertEquals("[0, 5000, 0]", set.toString());
        // Who has the socket may set it too.
        connection = lease(own, route, null);
        ((ManagedHttpClientConnection) connection).getSocket().setSoTimeout(7000);
        keep(own, connection);
        assertEquals("[0, 5000, 0, 5000, 0]", set.toString());
        keep(own, lease(own, route, null));
        assertEquals("[0, 5000, 0, 5000, 0, 5000, 0]", set.toString());
    }

    @Test
    void aConnectionThatIsNotOpenOrDoesNotReachItsTargetIsNotKept() throws Exception {
        HttpClientConnection never = lease(manager, route, null);
        keep(manager, never);
        assertEquals(0, manager.getTotalStats().getAvailable());

        HttpClientConnection incomplete = lease(manager, route, null);
        manager.connect(incomplete, route, 1000, new BasicHttpContext());
        Socket socket = ((ManagedHttpClientConnection) incomplete).getSocket();
        keep(manager, incomplete);
        assertEquals(0, manager.getTotalStats().getAvailable());
        assertTrue(socket.isClosed());
    }

    @Test
    void aConnectionThatWasConnectedElsewhereIsNotKept() throws Exception {
        try (Loopback other = new Loopback()) {
            HttpClientConnection astray = lease(manager, route, null);
            manager.connect(astray, other.route(), 1000, new BasicHttpContext());
            manager.routeComplete(astray, route, new BasicHttpContext());
            keep(manager, astray);
            assertEquals(0, manager.getTotalStats().getAvailable());
        }
    }

    @Test
    void aConnectionThatWasLayeredForAnotherRouteIsNotKept() throws Exception {
        HttpClientConnectionOperator plain = new DefaultHttpClientConnectionOperator(RegistryBuilder.<ConnectionSocketFactory>create()
                .register("http", PlainConnectionSocketFactory.getSocketFactory()).build(), null, null);
        List<HttpHost> layered = new ArrayList<>();
        LeaseholdHttpClientConnectionManager layering = server.ends(new LeaseholdHttpClientConnectionManager(new HttpClientConnectionOperator() {
            @Override
            public void connect(ManagedHttpClientConnection connection, HttpHost host, InetSocketAddress local, int timeout,
                    SocketConfig config, HttpContext context) throws IOException {
                plain.connect(connection, host, local, timeout, config, context);
            }

            @Override
            public void upgrade(ManagedHttpClientConnection connection, HttpHost host, HttpContext context) {
                layered.add(host);
            }
        }, null, -1, TimeUnit.MILLISECONDS));
        HttpRoute other = new HttpRoute(new HttpHost("elsewhere", 443, "https"));
        for (HttpRoute to : new HttpRoute[] {route, other}) {
            HttpClientConnection connection = leaseOpen(layering, route, null);
            layering.upgrade(connection, to, new BasicHttpContext());
            keep(layering, connection);
            assertEquals(to == route ? 1 : 0, layering.getTotalStats().getAvailable());
        }
        assertEquals(Arrays.asList(route.getTargetHost(), other.getTargetHost()), layered);
    }

    @Test
    void linesHaveTheNumbersOfTheRouteAndOfThePool() throws Exception {
        HttpClientConnection idle = leaseOpen(manager, route, null);
        HttpClientConnection[] held = {leaseOpen(manager, route, null), lease(manager, new HttpRoute(new HttpHost("elsewhere")), null)};
        keep(manager, idle);
        try (LogCapture log = LogCapture.of("org.apache.http.impl.conn.PoolingHttpClientConnectionManager")) {
            manager.requestConnection(route, null);
            keep(manager, lease(manager, route, null));
            List<String> lines = log.messages();
            lines.removeIf(line -> line.contains("kept alive"));
            lines.replaceAll(line -> line.replaceAll("\\[id: \\d+]", "[id]").replace(route.toString(), "there"));
            String leased = "[total available: 0; route allocated: 2 of 2; total allocated: 3 of 20]";
            String released = "[total available: 1; route allocated: 2 of 2; total allocated: 3 of 20]";
            assertEquals(Arrays.asList("Connection request: [route: there]" + released, "Connection request: [route: there]" + released,
                    "Connection leased: [id][route: there]" + leased, "Connection released: [id][route: there]" + released), lines);
        }
        keep(manager, held[0]);
        keep(manager, held[1]);
    }

    @Test
    void aConnectionIsReleasedOnce() throws Exception {
        HttpClientConnection first = leaseOpen(manager, route, null);
        keep(manager, first);
        HttpClientConnection second = lease(manager, route, null);
        keep(manager, first);
        assertTrue(second.isOpen());
        assertEquals(1, manager.getTotalStats().getLeased());
    }

    @Test
    void afterItsReleaseAConnectionIsClosedToItsHolder() throws Exception {
        HttpClientConnection connection = leaseOpen(manager, route, null);
        assertTrue(connection.toString().matches("CPoolProxy\\{127.0.0.1:\\d+<->127.0.0.1:\\d+}"), connection.toString());
        keep(manager, connection);
        assertFalse(connection.isOpen());
        assertTrue(connection.isStale());
        assertThrows(ConnectionShutdownException.class, connection::getSocketTimeout);
        assertThrows(ConnectionShutdownException.class, () -> ((HttpContext) connection).getAttribute("a"));
        assertThrows(ConnectionShutdownException.class, () -> manager.connect(connection, route, 0, new BasicHttpContext()));
        assertThrows(ConnectionShutdownException.class, () -> manager.routeComplete(connection, route, new BasicHttpContext()));
        assertEquals("CPoolProxy{detached}", connection.toString());
        connection.close();
        connection.shutdown();
        assertTrue(lease(manager, route, null).isOpen());
    }

    @Test
    void attributesStayWithTheConnection() throws Exception {
        HttpClientConnection connection = leaseOpen(manager, route, null);
        ((HttpContext) connection).setAttribute("name", "value");
        keep(manager, connection);
        HttpContext again = (HttpContext) lease(manager, route, null);
        assertEquals("value", again.getAttribute("name"));
        assertEquals("value", again.removeAttribute("name"));
        assertEquals(null, again.getAttribute("name"));
    }

    @Test
    void aRequestAskedAgainAnswersWithTheSameConnection() throws Exception {
        ConnectionRequest request = manager.requestConnection(route, null);
        HttpClientConnection connection = request.get(0, null);
        assertSame(connection, request.get(0, null));
        assertFalse(request.cancel());
        assertEquals(1, manager.getTotalStats().getLeased());
    }

    @Test
    void whatAnotherManagerLeasedGoesBackToIt() throws Exception {
        LeaseholdHttpClientConnectionManager other = new LeaseholdHttpClientConnectionManager();
        keep(manager, leaseOpen(other, route, null));
        assertEquals(0, other.getTotalStats().getLeased());
        assertEquals(1, other.getTotalStats().getAvailable());
        assertEquals(0, manager.getTotalStats().getAvailable());
        other.close();
    }

    @Test
    void theLeastRecentlyReleasedConnectionToAnotherRouteMakesRoom() throws Exception {
        manager.setMaxTotal(1);
        HttpClientConnection first = leaseOpen(manager, route, null);
        Socket socket = ((ManagedHttpClientConnection) first).getSocket();
        keep(manager, first);
        try (Loopback other = new Loopback()) {
            HttpClientConnection second = leaseOpen(manager, other.route(), null);
            assertTrue(socket.isClosed());
            assertEquals(1, manager.getTotalStats().getLeased());
            assertNotEquals(null, second);
        }
    }

    @Test
    void aLoweredLimitClosesIdleSurplusAtOnceAndLeasedSurplusAtItsRelease() throws Exception {
        HttpClientConnection idle = leaseOpen(manager, route, null);
        Socket socket = ((ManagedHttpClientConnection) idle).getSocket();
        HttpClientConnection leased = leaseOpen(manager, route, null);
        keep(manager, idle);
        manager.setMaxTotal(1);
        assertTrue(socket.isClosed());
        manager.setMaxPerRoute(route, 0);
        assertTrue(leased.isOpen());
        keep(manager, leased);
        assertEquals("[leased: 0; pending: 0; available: 0; max: 0]", manager.getStats(route).toString());
    }
}
