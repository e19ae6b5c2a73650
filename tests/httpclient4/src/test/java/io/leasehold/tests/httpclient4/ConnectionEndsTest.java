package io.leasehold.tests.httpclient4;

import static io.leasehold.tests.httpclient4.PoolLog.closed;
import static io.leasehold.tests.httpclient4.PoolLog.discarded;
import static io.leasehold.tests.httpclient4.PoolLog.givenUp;
import static io.leasehold.tests.httpclient4.PoolLog.leased;
import static io.leasehold.tests.httpclient4.PoolLog.request;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.tests.servers.Httpd;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.ServerBuilder;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.Tomcat;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Eventually;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Stream;
import org.apache.http.HttpResponseInterceptor;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.junit.jupiter.api.condition.DisabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Connections that the client or the server ends, between requests or with one. */
class ConnectionEndsTest {
    private static final String[] METHODS = {"GET", "POST"};
    private static final String BEFORE_THE_LAST = "io.leasehold.tests.httpclient4.Client#isBeforeTheLast";
    private static final String LINES = "HttpClient's own lines are asserted as 4.5.14 logs them";

    private static Stream<ServerBuilder<?>> servers() {
        return Stream.of(Nginx.builder(), Httpd.builder(), Tomcat.builder());
    }

    static Stream<Arguments> everyManagerClientAndServer() {
        return EnumSet.allOf(Manager.class).stream()
                .flatMap(manager -> EnumSet.allOf(Client.Kind.class).stream()
                        .flatMap(client -> servers().map(server -> Arguments.of(manager, client, server))));
    }

    static Stream<Arguments> everyManagerAndClient() {
        return EnumSet.allOf(Manager.class).stream()
                .flatMap(manager -> EnumSet.allOf(Client.Kind.class).stream().map(client -> Arguments.of(manager, client)));
    }

    @ParameterizedTest
    @MethodSource("everyManagerClientAndServer")
    @DisabledIf(value = BEFORE_THE_LAST, disabledReason = LINES)
    void aConnectionThatTheClientEndsIsClosed(Manager kind, Client.Kind clientKind, ServerBuilder<?> builder) throws Exception {
        endsWith(kind, clientKind, builder, WebServer.HELLO, "Connection", "close");
    }

    @ParameterizedTest
    @MethodSource("everyManagerClientAndServer")
    @DisabledIf(value = BEFORE_THE_LAST, disabledReason = LINES)
    void aConnectionThatTheServerEndsIsClosed(Manager kind, Client.Kind clientKind, ServerBuilder<?> builder) throws Exception {
        endsWith(kind, clientKind, builder, WebServer.GOODBYE);
    }

    private static void endsWith(Manager kind, Client.Kind clientKind, ServerBuilder<?> builder, String path, String... headers) throws Exception {
        try (WebServer server = builder.start(); PoolLog log = new PoolLog(); PoolingHttpClientConnectionManager manager = kind.make()) {
            Client client = clientKind.on(manager);
            for (int i = 0; i < 4; i++) {
                assertEquals(WebServer.GREETING, client.send(METHODS[i % 2], server.url(path), headers));
                assertEquals(Arrays.asList(request(0, 0), leased(i), closed(i), discarded(), givenUp(i)), log.take());
            }
            Eventually.await("all connections are counted", () -> server.connections() == 4);
            assertEquals(0, SocketTable.settled(server.port()).count(Side.CLIENT, State.ESTABLISHED, State.CLOSE_WAIT));
        }
    }

    /** httpd's {@code max=} says how many requests are left after this one; the last response says {@code Connection: close} instead. */
    @ParameterizedTest
    @MethodSource("everyManagerAndClient")
    @DisabledIf(value = BEFORE_THE_LAST, disabledReason = LINES)
    void httpdEndsAConnectionAfterItsNumberOfRequests(Manager kind, Client.Kind clientKind) throws Exception {
        try (Httpd server = Httpd.builder().directive("MaxKeepAliveRequests 3").start(); PoolLog log = new PoolLog();
                PoolingHttpClientConnectionManager manager = kind.make()) {
            List<String> left = new ArrayList<>();
            Client client = clientKind.on(manager, builder -> builder.addInterceptorFirst(
                    (HttpResponseInterceptor) (response, context) -> left.add(
                            response.getFirstHeader(response.containsHeader("Keep-Alive") ? "Keep-Alive" : "Connection").getValue())));
            for (int i = 0; i < 8; i++) {
                assertEquals(i % 4 == 0 ? 0 : 1, manager.getTotalStats().getAvailable());
                assertEquals(WebServer.GREETING, client.send(METHODS[i % 2], server.url(WebServer.HELLO)));
                assertEndsAfter(i % 4 == 3, log);
            }
            List<String> ofOne = Arrays.asList("timeout=75, max=3", "timeout=75, max=2", "timeout=75, max=1", "close");
            assertEquals(ofOne, left.subList(0, 4));
            assertEquals(ofOne, left.subList(4, 8));
            Eventually.await("the requests are counted", () -> server.requestsPerConnection(0).equals(Arrays.asList(4, 4)));
        }
    }

    @ParameterizedTest
    @MethodSource("everyManagerAndClient")
    @DisabledIf(value = BEFORE_THE_LAST, disabledReason = LINES)
    void tomcatEndsAConnectionAfterItsNumberOfRequests(Manager kind, Client.Kind clientKind) throws Exception {
        try (Tomcat server = Tomcat.builder().directive("maxKeepAliveRequests=3").start(); PoolLog log = new PoolLog();
                PoolingHttpClientConnectionManager manager = kind.make()) {
            Client client = clientKind.on(manager);
            for (int i = 0; i < 9; i++) {
                assertEquals(i % 3 == 0 ? 0 : 1, manager.getTotalStats().getAvailable());
                assertEquals(WebServer.GREETING, client.send(METHODS[i % 2], server.url(WebServer.HELLO)));
                assertEndsAfter(i % 3 == 2, log);
            }
            assertEquals(3, server.connections());
        }
    }

    /** The lines that say that a connection was closed and not kept are there after its last request, and after no other. */
    private static void assertEndsAfter(boolean last, PoolLog log) {
        List<String> ends = log.take();
        ends.removeIf(line -> !line.endsWith(": Close connection") && !line.equals(discarded()));
        assertEquals(last ? 2 : 0, ends.size(), ends.toString());
        if (last) {
            assertTrue(ends.get(0).endsWith(": Close connection"));
            assertEquals(discarded(), ends.get(1));
        }
    }

    @ParameterizedTest
    @MethodSource("everyManagerClientAndServer")
    void aConnectionServesManyRequests(Manager kind, Client.Kind clientKind, ServerBuilder<?> builder) throws Exception {
        try (WebServer server = builder.start(); PoolingHttpClientConnectionManager manager = kind.make()) {
            Client client = clientKind.on(manager);
            for (int i = 0; i < 40; i++) {
                assertEquals(WebServer.GREETING, client.send(METHODS[i % 2], server.url(WebServer.HELLO)));
            }
            assertEquals(1, server.connections());
        }
    }

    /** Stock validates only what has been idle for two seconds, and would send a request on a closed connection. */
    static Stream<Arguments> everyClientAndServer() {
        return EnumSet.allOf(Client.Kind.class).stream().flatMap(client -> servers().map(server -> Arguments.of(client, server)));
    }

    @ParameterizedTest
    @MethodSource("everyClientAndServer")
    void aConnectionEndedByARestartIsNotUsed(Client.Kind clientKind, ServerBuilder<?> builder) throws Exception {
        try (WebServer server = builder.start(); PoolingHttpClientConnectionManager manager = Manager.LEASEHOLD.make()) {
            Client client = clientKind.on(manager);
            for (int i = 0; i < 4; i++) {
                assertEquals(WebServer.GREETING, client.send(METHODS[i % 2], server.url(WebServer.HELLO)));
                server.restart();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("everyClientAndServer")
    void aConnectionClosedWhileIdleIsNotUsed(Client.Kind clientKind, ServerBuilder<?> builder) throws Exception {
        try (WebServer server = builder.keepAlive(100).start(); PoolingHttpClientConnectionManager manager = Manager.LEASEHOLD.make()) {
            Client client = clientKind.on(manager);
            for (int i = 0; i < 4; i++) {
                assertEquals(WebServer.GREETING, client.send(METHODS[i % 2], server.url(WebServer.HELLO)));
                server.awaitConnectionsClosed();
            }
            Eventually.await("all connections are counted", () -> server.connections() == 4);
        }
    }
}
