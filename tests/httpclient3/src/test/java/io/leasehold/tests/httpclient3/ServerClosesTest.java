package io.leasehold.tests.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.leasehold.tests.servers.Httpd;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.ServerBuilder;
import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.Threads;
import java.net.ConnectException;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.stream.Stream;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.methods.GetMethod;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Servers that close connections, politely, while nobody uses them. */
class ServerClosesTest {
    static Stream<Arguments> everyManagerAndServer() {
        return EnumSet.allOf(Manager.class).stream()
                .flatMap(manager -> Stream.of(Nginx.builder(), Httpd.builder()).map(server -> Arguments.of(manager, server)));
    }

    @ParameterizedTest
    @MethodSource("everyManagerAndServer")
    void aConnectionServesManyRequests(Manager kind, ServerBuilder<?> builder) throws Exception {
        try (WebServer server = builder.start()) {
            Client client = new Client(kind.make());
            for (int i = 0; i < 20; i++) {
                assertEquals(WebServer.GREETING, client.get(server.url(WebServer.HELLO)));
                assertEquals(WebServer.GREETING, client.post(server.url(WebServer.HELLO)));
            }
            assertEquals(1, server.connections());
        }
    }

    @ParameterizedTest
    @MethodSource("everyManagerAndServer")
    void aConnectionClosedWhileIdleIsNotUsed(Manager kind, ServerBuilder<?> builder) throws Exception {
        try (WebServer server = builder.keepAlive(100).start()) {
            Client client = new Client(kind.make());
            for (int i = 0; i < 3; i++) {
                assertEquals(WebServer.GREETING, client.post(server.url(WebServer.HELLO)));
                server.awaitConnectionsClosed();
            }
            assertEquals(3, server.connections());
        }
    }

    @ParameterizedTest
    @MethodSource("everyManagerAndServer")
    void aConnectionEndedByAReloadIsNotUsed(Manager kind, ServerBuilder<?> builder) throws Exception {
        try (WebServer server = builder.start()) {
            Client client = new Client(kind.make());
            assertEquals(WebServer.GREETING, client.post(server.url(WebServer.HELLO)));
            server.reload();
            server.awaitOldWorkersGone();
            server.awaitConnectionsClosed();
            assertEquals(WebServer.GREETING, client.post(server.url(WebServer.HELLO)));
        }
    }

    @ParameterizedTest
    @MethodSource("everyManagerAndServer")
    void aConnectionEndedByARestartIsNotUsed(Manager kind, ServerBuilder<?> builder) throws Exception {
        try (WebServer server = builder.start()) {
            Client client = new Client(kind.make());
            for (int i = 0; i < 3; i++) {
                assertEquals(WebServer.GREETING, client.post(server.url(WebServer.HELLO)));
                server.restart();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("everyManagerAndServer")
    void aServerThatIsDownCostsNoSlot(Manager kind, ServerBuilder<?> builder) throws Exception {
        HttpConnectionManager manager = kind.make();
        // With a slot lost, the next request would wait for ever.
        manager.getParams().setDefaultMaxConnectionsPerHost(1);
        Client client = new Client(manager);
        try (WebServer server = builder.start()) {
            assertEquals(WebServer.GREETING, client.post(server.url(WebServer.HELLO)));
            server.stop();
            for (int i = 0; i < 3; i++) {
                assertThrows(ConnectException.class, () -> client.post(server.url(WebServer.HELLO)));
            }
            server.start();
            assertEquals(WebServer.GREETING, client.post(server.url(WebServer.HELLO)));
        }
    }

    @ParameterizedTest
    @MethodSource("everyManagerAndServer")
    void aResponseThatSaysCloseEndsTheConnection(Manager kind, ServerBuilder<?> builder) throws Exception {
        try (WebServer server = builder.start()) {
            Client client = new Client(kind.make());
            for (int i = 0; i < 5; i++) {
                assertEquals(WebServer.GREETING, client.post(server.url(WebServer.GOODBYE)));
            }
            Eventually.await("all connections are counted", () -> server.connections() == 5);
            assertEquals(0, SocketTable.settled(server.port()).count(Side.CLIENT, State.ESTABLISHED, State.CLOSE_WAIT));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"STOCK_MULTI_THREADED", "LEASEHOLD_MULTI_THREADED"})
    void noneOfManyConnectionsClosedWhileIdleIsUsed(Manager kind) throws Exception {
        int n = 16;
        try (Nginx server = Nginx.builder().keepAlive(100).start()) {
            Client client = new Client(kind.makeMultiThreaded(n, n));
            for (int round = 1; round <= 3; round++) {
                assertEquals(Collections.nCopies(n, WebServer.GREETING), getAllAtOnce(client, server, n));
                server.awaitConnectionsClosed();
                assertEquals(n * round, server.connections());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"STOCK_MULTI_THREADED", "LEASEHOLD_MULTI_THREADED"})
    void closingIdleConnectionsLeavesNoSocket(Manager kind) throws Exception {
        int n = 8;
        try (Nginx server = Nginx.builder().keepAlive(100).start()) {
            MultiThreadedHttpConnectionManager manager = kind.makeMultiThreaded(n, n);
            getAllAtOnce(new Client(manager), server, n);
            server.awaitConnectionsClosed();
            manager.closeIdleConnections(0);
            assertEquals(0, SocketTable.settled(server.port()).count(Side.CLIENT, State.ESTABLISHED, State.CLOSE_WAIT));
            assertEquals(0, manager.getConnectionsInPool());
        }
    }

    /** GETs on n threads, each of which holds its connection until all have one. */
    private static List<String> getAllAtOnce(Client client, WebServer server, int n) throws Exception {
        CyclicBarrier allLeased = new CyclicBarrier(n);
        return Threads.run(n, i -> () -> {
            GetMethod get = new GetMethod(server.url(WebServer.HELLO));
            try {
                assertEquals(200, client.http.executeMethod(get));
                allLeased.await();
                return get.getResponseBodyAsString();
            } finally {
                get.releaseConnection();
            }
        });
    }
}
