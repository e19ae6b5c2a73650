package io.leasehold.tests.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.tests.servers.Httpd;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.ServerBuilder;
import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.Threads;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.apache.commons.httpclient.DefaultHttpMethodRetryHandler;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.methods.GetMethod;
import org.apache.commons.httpclient.params.HttpMethodParams;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Many threads, many clients, and servers that come and go meanwhile. */
class LoadTest {
    /** Held, as loggers are collected otherwise and their levels with them. */
    private static final Logger REPETITIONS = Logger.getLogger("org.apache.commons.httpclient.HttpMethodDirector");

    @BeforeAll
    static void sayNothingOfRepetitions() {
        REPETITIONS.setLevel(Level.WARNING);
    }

    @AfterAll
    static void sayThemAgain() {
        REPETITIONS.setLevel(null);
    }

    static Stream<Arguments> multiThreadedManagersAndServers() {
        return Stream.of(Manager.STOCK_MULTI_THREADED, Manager.LEASEHOLD_MULTI_THREADED)
                .flatMap(manager -> Stream.of(Nginx.builder(), Httpd.builder()).map(server -> Arguments.of(manager, server)));
    }

    @ParameterizedTest
    @MethodSource("multiThreadedManagersAndServers")
    void reloadsUnderLoadLoseNoRequestAndNoSlot(Manager kind, ServerBuilder<?> builder) throws Exception {
        int threads = 12;
        int limit = 6;
        try (WebServer server = builder.start()) {
            MultiThreadedHttpConnectionManager manager = kind.makeMultiThreaded(limit, limit);
            // A server may close while a request travels: here the client repeats its GETs.
            HttpClient client = new HttpClient(manager);
            client.getParams().setParameter(HttpMethodParams.RETRY_HANDLER, new DefaultHttpMethodRetryHandler(3, true));
            AtomicBoolean done = new AtomicBoolean();
            AtomicInteger served = new AtomicInteger();
            List<Boolean> finished = Threads.run(threads + 1, thread -> () -> {
                if (thread == threads) {
                    try {
                        for (int i = 0; i < 5; i++) {
                            int before = served.get();
                            Eventually.await("requests are served between reloads", () -> served.get() >= before + 100);
                            server.reload();
                        }
                    } finally {
                        done.set(true);
                    }
                    return true;
                }
                while (!done.get()) {
                    GetMethod get = new GetMethod(server.url(WebServer.HELLO));
                    try {
                        assertEquals(200, client.executeMethod(get));
                        assertEquals(WebServer.GREETING, get.getResponseBodyAsString());
                        served.incrementAndGet();
                    } finally {
                        get.releaseConnection();
                    }
                }
                return true;
            });
            assertEquals(Collections.nCopies(threads + 1, true), finished);

            manager.closeIdleConnections(0);
            assertEquals(0, manager.getConnectionsInPool());
            assertEquals(0, SocketTable.settled(server.port()).count(Side.CLIENT, State.ESTABLISHED, State.CLOSE_WAIT));
        }
    }

    @ParameterizedTest
    @EnumSource
    void clientsThatNobodyShutsDownAreClosedWhenCollected(Manager kind) throws Exception {
        int clients = 300;
        try (Nginx server = Nginx.builder().start()) {
            for (int i = 0; i < clients; i++) {
                assertEquals(WebServer.GREETING, new Client(kind.make()).get(server.url(WebServer.HELLO)));
            }
            assertEquals(clients, server.connections());
            Eventually.awaitAfterCollection("their sockets are closed",
                    () -> server.sockets().count(Side.CLIENT, State.ESTABLISHED, State.CLOSE_WAIT) == 0);
        }
    }
}
