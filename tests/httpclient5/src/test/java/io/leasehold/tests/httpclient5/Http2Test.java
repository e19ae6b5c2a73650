package io.leasehold.tests.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.httpclient5.LeaseholdAsyncClientConnectionManager;
import io.leasehold.httpclient5.LeaseholdAsyncClientConnectionManagerBuilder;
import io.leasehold.tests.servers.Httpd;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.ServerBuilder;
import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.TestTls;
import io.leasehold.testsupport.Threads;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.impl.DefaultHttpRequestRetryStrategy;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;
import org.apache.hc.core5.http.HttpVersion;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.PoolStats;
import org.apache.hc.core5.util.TimeValue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Connections that speak HTTP/2 with real servers, agreed on by ALPN, and are shared. */
class Http2Test {
    private static final int REQUESTS = 200;

    private final LeaseholdAsyncClientConnectionManager manager = LeaseholdAsyncClientConnectionManagerBuilder.create()
            .setTlsStrategy(new DefaultClientTlsStrategy(TestTls.context()))
            .setMessageMultiplexing(true)
            .build();
    private final CloseableHttpAsyncClient client = HttpAsyncClients.custom().setConnectionManager(manager).build();

    Http2Test() {
        client.start();
    }

    static Stream<ServerBuilder<?>> servers() {
        return Stream.of(Nginx.builder().http2(), Httpd.builder().http2());
    }

    @AfterEach
    void close() {
        client.close(CloseMode.IMMEDIATE);
    }

    private Future<SimpleHttpResponse> send(String url) {
        return client.execute(SimpleRequestBuilder.get(url).build(), null);
    }

    private static void expectGreeting(Future<SimpleHttpResponse> answer) throws Exception {
        SimpleHttpResponse response = answer.get();
        assertEquals(200, response.getCode());
        assertEquals(HttpVersion.HTTP_2, response.getVersion());
        assertEquals(WebServer.GREETING, response.getBodyText());
    }

    private void sendMany(WebServer server) throws Exception {
        List<Future<SimpleHttpResponse>> all = new ArrayList<>();
        for (int i = 0; i < REQUESTS; i++) {
            all.add(send(server.url(WebServer.HELLO)));
        }
        for (Future<SimpleHttpResponse> each : all) {
            expectGreeting(each);
        }
    }

    /** Connections that were opened, as none was closed since. */
    private static int open(WebServer server) throws Exception {
        return SocketTable.settled(server.port()).count(Side.CLIENT, State.ESTABLISHED);
    }

    private static Future<?> inBackground(Callable<Void> work) {
        FutureTask<?> running = new FutureTask<>(() -> Threads.run(8, i -> work));
        new Thread(running).start();
        return running;
    }

    private void awaitNothingLeased() throws Exception {
        Eventually.await("all are released", () -> manager.getTotalStats().getLeased() == 0);
        assertEquals(0, manager.getTotalStats().getPending());
    }

    @ParameterizedTest
    @MethodSource("servers")
    void manyRequestsAtOnceStayWithinTheLimits(ServerBuilder<?> builder) throws Exception {
        manager.setDefaultMaxPerRoute(3);
        try (WebServer server = builder.start()) {
            sendMany(server);
            awaitNothingLeased();
            assertTrue(open(server) <= 3, "more than the limit");
        }
    }

    @ParameterizedTest
    @MethodSource("servers")
    void manyRequestsAtOnceShareOneConnectionColdAndWarm(ServerBuilder<?> builder) throws Exception {
        manager.setDefaultMaxPerRoute(1);
        try (WebServer server = builder.start()) {
            sendMany(server);
            sendMany(server);
            awaitNothingLeased();
            assertEquals(1, manager.getTotalStats().getAvailable());
            assertEquals(1, open(server));
        }
    }

    /** With streams that do not end, as nobody answers, it is seen who has one and who waits. */
    @Test
    void aConnectionHasAsManyStreamsAsTheServerAllowsAndCountsAsOne() throws Exception {
        manager.setDefaultMaxPerRoute(2);
        try (Nginx server = Nginx.builder().http2().directive("http2_max_concurrent_streams 3;").start()) {
            String url = server.url(WebServer.HELLO);
            expectGreeting(send(url));
            awaitNothingLeased();
            List<Future<SimpleHttpResponse>> all = new ArrayList<>();
            server.freeze();
            for (int i = 0; i < 10; i++) {
                all.add(send(url));
            }
            // Three share the connection that is there; one waits for another to be opened, which the server does not do now.
            Eventually.await("those without a stream wait", () -> manager.getTotalStats().getPending() == 6);
            assertEquals(2, manager.getTotalStats().getLeased());
            server.thaw();
            for (Future<SimpleHttpResponse> each : all) {
                expectGreeting(each);
            }
            awaitNothingLeased();
            assertTrue(server.connections() <= 2);
        }
    }

    @Test
    void whoWaitsForAnotherRouteIsNotPassedByNewcomers() throws Exception {
        manager.setMaxTotal(1);
        AtomicBoolean isOver = new AtomicBoolean();
        try (Nginx server = Nginx.builder().http2().ports(2).start()) {
            expectGreeting(send(server.url(0, WebServer.HELLO)));
            Future<?> busy = inBackground(() -> {
                while (!isOver.get()) {
                    expectGreeting(send(server.url(0, WebServer.HELLO)));
                }
                return null;
            });
            try {
                for (int i = 0; i < 20; i++) {
                    expectGreeting(send(server.url(1, WebServer.HELLO)));
                }
            } finally {
                isOver.set(true);
            }
            busy.get();
            awaitNothingLeased();
        }
    }

    /** Repeats whatever has not been answered. */
    private static final class Repeating extends DefaultHttpRequestRetryStrategy {
        Repeating() {
            super(10, TimeValue.ofMilliseconds(10), Collections.emptyList(), Collections.emptyList());
        }
    }

    /**
     * With a client that repeats: HttpCore lets a request that crosses the server's GOAWAY wait until the server closes the connection, and
     * HttpClient repeats none that ends so. What comes after goes to another connection.
     */
    @ParameterizedTest
    @MethodSource("servers")
    void aServerThatTakesItsLeaveUnderLoadCostsNoRequest(ServerBuilder<?> builder) throws Exception {
        AtomicInteger answered = new AtomicInteger();
        AtomicBoolean isOver = new AtomicBoolean();
        try (CloseableHttpAsyncClient repeating = HttpAsyncClients.custom()
                .setConnectionManager(manager).setConnectionManagerShared(true).setRetryStrategy(new Repeating()).build();
                WebServer server = builder.start()) {
            repeating.start();
            Future<?> load = inBackground(() -> {
                while (!isOver.get()) {
                    expectGreeting(repeating.execute(SimpleRequestBuilder.get(server.url(WebServer.HELLO)).build(), null));
                    answered.incrementAndGet();
                }
                return null;
            });
            try {
                for (int i = 0; i < 3; i++) {
                    int before = answered.get();
                    Eventually.await("some requests", () -> load.isDone() || answered.get() > before + 50);
                    server.reload();
                }
                int before = answered.get();
                Eventually.await("some more", () -> load.isDone() || answered.get() > before + 50);
            } finally {
                isOver.set(true);
            }
            load.get();
            awaitNothingLeased();
        }
    }

    /** Requests that are on their way are lost with the server; what comes after is not, and no place is. */
    @ParameterizedTest
    @MethodSource("servers")
    void aServersRestartUnderLoadIsGotOver(ServerBuilder<?> builder) throws Exception {
        AtomicInteger answered = new AtomicInteger();
        AtomicBoolean isOver = new AtomicBoolean();
        try (WebServer server = builder.start()) {
            Future<?> load = inBackground(() -> {
                while (!isOver.get()) {
                    try {
                        expectGreeting(send(server.url(WebServer.HELLO)));
                        answered.incrementAndGet();
                    } catch (ExecutionException e) {
                        PoolStats stats = manager.getTotalStats();
                        assertTrue(stats.getLeased() + stats.getAvailable() <= 5, stats::toString);
                    }
                }
                return null;
            });
            try {
                for (int i = 0; i < 2; i++) {
                    int before = answered.get();
                    Eventually.await("some requests", () -> load.isDone() || answered.get() > before + 50);
                    server.restart();
                }
                int before = answered.get();
                Eventually.await("some more", () -> load.isDone() || answered.get() > before + 50);
            } finally {
                isOver.set(true);
            }
            load.get();
            awaitNothingLeased();
            expectGreeting(send(server.url(WebServer.HELLO)));
        }
    }
}
