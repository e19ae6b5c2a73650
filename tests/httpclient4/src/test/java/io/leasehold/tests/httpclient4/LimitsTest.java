package io.leasehold.tests.httpclient4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.tests.servers.Httpd;
import io.leasehold.tests.servers.LimitJudge;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.ServerBuilder;
import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.Tomcat;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Threads;
import java.net.URI;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Stream;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.client.utils.URIUtils;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.pool.PoolStats;
import org.apache.http.util.EntityUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Limits under many threads, as the server sees them. */
class LimitsTest {
    private static final int THREADS = 64;
    private static final int REQUESTS = 10;
    private static final int PORTS = 8;

    static Stream<Arguments> everyManagerAndClient() {
        return EnumSet.allOf(Manager.class).stream()
                .flatMap(manager -> EnumSet.allOf(Client.Kind.class).stream().map(client -> Arguments.of(manager, client)));
    }

    /** Sends the requests of all threads to as many of the judge's ports in turn; fails if one is refused. */
    private static void crowd(Client client, LimitJudge judge, int ports) throws Exception {
        Threads.run(THREADS, thread -> () -> {
            for (int i = 0; i < REQUESTS; i++) {
                assertEquals(LimitJudge.SERVED, client.send(i % 2 == 0 ? "GET" : "POST", judge.url((thread + i) % ports)));
            }
            return null;
        });
    }

    @ParameterizedTest
    @MethodSource("everyManagerAndClient")
    void aRouteGetsAsManyConnectionsAsItsLimit(Manager kind, Client.Kind client) throws Exception {
        try (LimitJudge judge = new LimitJudge(32, 200, 32); PoolingHttpClientConnectionManager manager = kind.make()) {
            crowd(client.on(manager), judge, 1);
            assertEquals(32, judge.mostUnderWay());
            // None was closed, so none was opened twice.
            assertEquals(32, judge.connections());
            assertEquals(32, manager.getTotalStats().getAvailable());
        }
    }

    @ParameterizedTest
    @MethodSource("everyManagerAndClient")
    void allRoutesTogetherGetAsManyConnectionsAsTheTotalLimit(Manager kind, Client.Kind client) throws Exception {
        try (LimitJudge judge = new LimitJudge(32, 40, 40); PoolingHttpClientConnectionManager manager = kind.make(32, 40)) {
            crowd(client.on(manager), judge, 2);
            assertEquals(40, judge.mostUnderWay());
            assertTrue(manager.getTotalStats().getAvailable() <= 40);
        }
    }

    static Stream<Arguments> everyManagerAndServer() {
        return EnumSet.allOf(Manager.class).stream().flatMap(manager -> Stream.of(Nginx.builder(), httpd(), tomcat())
                .map(server -> Arguments.of(manager, server.ports(PORTS))));
    }

    /** Ends no connection by itself: neither after a number of requests, nor because it runs out of threads. */
    private static ServerBuilder<?> httpd() {
        return Httpd.builder().directive("MaxKeepAliveRequests 0")
                .directive("ThreadLimit 256").directive("ThreadsPerChild 256").directive("MaxRequestWorkers 256");
    }

    private static ServerBuilder<?> tomcat() {
        return Tomcat.builder().directive("maxKeepAliveRequests=-1");
    }

    /** As applications have them: 32 a route and 200 in all, under 64 threads, before and after all idle places are taken. */
    @ParameterizedTest
    @MethodSource("everyManagerAndServer")
    void limitsHoldAgainstRealServers(Manager kind, ServerBuilder<?> builder) throws Exception {
        try (WebServer server = builder.start(); PoolingHttpClientConnectionManager manager = kind.make()) {
            Client client = Client.Kind.HTTP_CLIENT.on(manager);
            Threads.run(THREADS, thread -> () -> {
                for (int i = 0; i < PORTS * REQUESTS; i++) {
                    // All to one server after the other, so that each route wants more than it may have, and all together too.
                    int port = i / REQUESTS;
                    assertEquals(WebServer.GREETING, client.send(i % 2 == 0 ? "GET" : "POST", server.url(port, WebServer.HELLO)));
                    PoolStats total = manager.getTotalStats();
                    assertTrue(total.getLeased() + total.getAvailable() <= 200, total.toString());
                }
                return null;
            });
            int all = 0;
            for (int port = 0; port < PORTS; port++) {
                int open = SocketTable.settled(server.port(port)).count(SocketTable.Side.CLIENT, SocketTable.State.ESTABLISHED);
                assertTrue(open <= 32, open + " to port " + port);
                all += open;
            }
            assertTrue(all <= 200, all + " in all");
            assertEquals(all, manager.getTotalStats().getAvailable());
        }
    }

    @ParameterizedTest
    @MethodSource("everyManagerAndClient")
    void aRoutesOwnLimitGoesBeforeTheDefault(Manager kind, Client.Kind client) throws Exception {
        try (LimitJudge judge = new LimitJudge(3, 200, 3); PoolingHttpClientConnectionManager manager = kind.make()) {
            manager.setMaxPerRoute(new HttpRoute(URIUtils.extractHost(URI.create(judge.url(0)))), 3);
            crowd(client.on(manager), judge, 1);
            assertEquals(3, judge.mostUnderWay());
            assertEquals(3, judge.connections());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aRouteGetsTwoConnectionsUnlessToldOtherwise(Manager kind) throws Exception {
        try (LimitJudge judge = new LimitJudge(2, 2, 2); PoolingHttpClientConnectionManager manager = kind.makeAsShipped()) {
            crowd(Client.Kind.HTTP_CLIENT.on(manager), judge, 1);
            assertEquals(2, judge.connections());
        }
    }

    @Test
    void theJudgeSeesOneConnectionTooMany() throws Exception {
        try (LimitJudge judge = new LimitJudge(5, 5, 5); PoolingHttpClientConnectionManager manager = Manager.STOCK.make(6, 6);
                CloseableHttpClient client = HttpClients.custom().setConnectionManager(manager).build()) {
            List<Boolean> refused = Threads.run(THREADS, thread -> () -> {
                try (CloseableHttpResponse response = client.execute(new HttpGet(judge.url(0)))) {
                    EntityUtils.consume(response.getEntity());
                    return response.getStatusLine().getStatusCode() == LimitJudge.REFUSED;
                }
            });
            assertTrue(refused.contains(true));
        }
    }
}
