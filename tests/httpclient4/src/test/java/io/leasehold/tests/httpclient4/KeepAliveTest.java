package io.leasehold.tests.httpclient4;

import static io.leasehold.tests.httpclient4.PoolLog.closed;
import static io.leasehold.tests.httpclient4.PoolLog.expired;
import static io.leasehold.tests.httpclient4.PoolLog.kept;
import static io.leasehold.tests.httpclient4.PoolLog.leased;
import static io.leasehold.tests.httpclient4.PoolLog.released;
import static io.leasehold.tests.httpclient4.PoolLog.request;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.ManualClock;
import io.leasehold.httpclient4.CautiousKeepAliveStrategy;
import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
import io.leasehold.tests.servers.Httpd;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.ServerBuilder;
import io.leasehold.tests.servers.Tomcat;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Eventually;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.http.config.Registry;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.impl.conn.DefaultHttpClientConnectionOperator;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * How long a connection may be idle is the server's word. The pool's clock is the test's, so that its time is up before the server's, which
 * closes nothing meanwhile: an expired connection is met, not a closed one.
 */
class KeepAliveTest {
    /** What applications write in the belief that it were a request. */
    private static final String[] CLIENTS_WORD = {"Connection", "keep-alive", "Keep-Alive", "timeout=60"};
    private static final String[] METHODS = {"GET", "POST"};

    private final ManualClock clock = new ManualClock();

    private PoolingHttpClientConnectionManager manager() {
        Registry<ConnectionSocketFactory> plain = RegistryBuilder.<ConnectionSocketFactory>create()
                .register("http", PlainConnectionSocketFactory.getSocketFactory())
                .build();
        PoolingHttpClientConnectionManager manager = clock.driving(() -> new LeaseholdHttpClientConnectionManager(
                new DefaultHttpClientConnectionOperator(plain, null, null), null, -1, TimeUnit.MILLISECONDS));
        manager.setMaxTotal(200);
        manager.setDefaultMaxPerRoute(32);
        return manager;
    }

    static Stream<Arguments> clientsAndServersThatSayHowLong() {
        return EnumSet.allOf(Client.Kind.class).stream()
                .flatMap(client -> Stream.of(Nginx.builder().announceKeepAlive(), Httpd.builder(), Tomcat.builder())
                        .map(server -> Arguments.of(client, server)));
    }

    static Stream<Arguments> clientsAndServersThatSayNothing() {
        return EnumSet.allOf(Client.Kind.class).stream()
                .flatMap(client -> Stream.of(Nginx.builder(), Tomcat.builder().directive("useKeepAliveResponseHeader=false"))
                        .map(server -> Arguments.of(client, server)));
    }

    @ParameterizedTest
    @MethodSource("clientsAndServersThatSayHowLong")
    void theServersWordWinsOverTheClients(Client.Kind kind, ServerBuilder<?> builder) throws Exception {
        try (WebServer server = builder.keepAlive(5_000).start()) {
            for (String method : METHODS) {
                try (PoolLog log = new PoolLog(); PoolingHttpClientConnectionManager manager = manager()) {
                    Client client = kind.on(manager);
                    client.send(method, server.url(WebServer.HELLO), CLIENTS_WORD);
                    assertEquals(Arrays.asList(request(0, 0), leased(0), kept(0, "for 5.0 seconds"), released(0)), log.take());

                    clock.advance(4_999, TimeUnit.MILLISECONDS);
                    client.send(method, server.url(WebServer.HELLO), CLIENTS_WORD);
                    assertEquals(Arrays.asList(request(1, 1), leased(0), kept(0, "for 5.0 seconds"), released(0)), log.take());

                    clock.advance(5, TimeUnit.SECONDS);
                    client.send(method, server.url(WebServer.HELLO), CLIENTS_WORD);
                    assertEquals(Arrays.asList(request(1, 1), expired(0), closed(0), leased(1), kept(1, "for 5.0 seconds"), released(1)), log.take());
                }
            }
            // httpd counts late.
            Eventually.await("two connections for each method", () -> server.connections() == 4);
        }
    }

    @ParameterizedTest
    @MethodSource("clientsAndServersThatSayHowLong")
    void aReuseInTimeStartsTheServersWordAnew(Client.Kind kind, ServerBuilder<?> builder) throws Exception {
        try (WebServer server = builder.keepAlive(60_000).start()) {
            for (String method : METHODS) {
                try (PoolLog log = new PoolLog(); PoolingHttpClientConnectionManager manager = manager()) {
                    Client client = kind.on(manager);
                    client.send(method, server.url(WebServer.HELLO));
                    for (int i = 0; i < 3; i++) {
                        log.take();
                        clock.advance(58, TimeUnit.SECONDS);
                        client.send(method, server.url(WebServer.HELLO));
                        assertEquals(Arrays.asList(request(1, 1), leased(0), kept(0, "for 60.0 seconds"), released(0)), log.take());
                    }
                    clock.advance(3, TimeUnit.MINUTES);
                    client.send(method, server.url(WebServer.HELLO));
                    assertEquals(Arrays.asList(request(1, 1), expired(0), closed(0), leased(1), kept(1, "for 60.0 seconds"), released(1)), log.take());
                }
            }
            Eventually.await("two connections for each method", () -> server.connections() == 4);
        }
    }

    @ParameterizedTest
    @MethodSource("clientsAndServersThatSayHowLong")
    void aServerMayKeepForMinutes(Client.Kind kind, ServerBuilder<?> builder) throws Exception {
        try (WebServer server = builder.keepAlive(180_000).start(); PoolLog log = new PoolLog();
                PoolingHttpClientConnectionManager manager = manager()) {
            Client client = kind.on(manager);
            client.send("POST", server.url(WebServer.HELLO), CLIENTS_WORD);
            log.take();
            clock.advance(179, TimeUnit.SECONDS);
            client.send("GET", server.url(WebServer.HELLO), CLIENTS_WORD);
            assertEquals(Arrays.asList(request(1, 1), leased(0), kept(0, "for 180.0 seconds"), released(0)), log.take());
            clock.advance(180, TimeUnit.SECONDS);
            client.send("POST", server.url(WebServer.HELLO), CLIENTS_WORD);
            assertEquals(Arrays.asList(request(1, 1), expired(0), closed(0), leased(1), kept(1, "for 180.0 seconds"), released(1)), log.take());
        }
    }

    @ParameterizedTest
    @MethodSource("clientsAndServersThatSayNothing")
    void aConnectionToAServerThatNamesNoLimitIsKeptIndefinitely(Client.Kind kind, ServerBuilder<?> builder) throws Exception {
        try (WebServer server = builder.start(); PoolLog log = new PoolLog(); PoolingHttpClientConnectionManager manager = manager()) {
            Client client = kind.on(manager);
            client.send("GET", server.url(WebServer.HELLO), "Keep-Alive", "timeout=30");
            assertEquals(Arrays.asList(request(0, 0), leased(0), kept(0, "indefinitely"), released(0)), log.take());
            clock.advance(1_000, TimeUnit.DAYS);
            manager.closeExpiredConnections();
            log.take();
            client.send("POST", server.url(WebServer.HELLO), "Keep-Alive", "timeout=30");
            assertEquals(Arrays.asList(request(1, 1), leased(0), kept(0, "indefinitely"), released(0)), log.take());
            assertEquals(1, server.connections());
        }
    }

    @ParameterizedTest
    @MethodSource("clientsAndServersThatSayHowLong")
    void aCautiousClientGivesAConnectionUpBeforeTheServerDoes(Client.Kind kind, ServerBuilder<?> builder) throws Exception {
        try (WebServer server = builder.keepAlive(5_000).start(); PoolLog log = new PoolLog();
                PoolingHttpClientConnectionManager manager = manager()) {
            Client client = kind.on(manager, http -> http.setKeepAliveStrategy(new CautiousKeepAliveStrategy(2, 15, TimeUnit.SECONDS)));
            client.send("GET", server.url(WebServer.HELLO));
            assertEquals(Arrays.asList(request(0, 0), leased(0), kept(0, "for 3.0 seconds"), released(0)), log.take());
            clock.advance(3, TimeUnit.SECONDS);
            client.send("POST", server.url(WebServer.HELLO));
            assertEquals(Arrays.asList(request(1, 1), expired(0), closed(0), leased(1), kept(1, "for 3.0 seconds"), released(1)), log.take());
        }
    }

    @ParameterizedTest
    @MethodSource("clientsAndServersThatSayNothing")
    void aCautiousClientKeepsNothingForEver(Client.Kind kind, ServerBuilder<?> builder) throws Exception {
        try (WebServer server = builder.start(); PoolLog log = new PoolLog(); PoolingHttpClientConnectionManager manager = manager()) {
            Client client = kind.on(manager, http -> http.setKeepAliveStrategy(new CautiousKeepAliveStrategy(2, 15, TimeUnit.SECONDS)));
            client.send("GET", server.url(WebServer.HELLO));
            assertEquals(Arrays.asList(request(0, 0), leased(0), kept(0, "for 15.0 seconds"), released(0)), log.take());
            clock.advance(15, TimeUnit.SECONDS);
            client.send("POST", server.url(WebServer.HELLO));
            assertEquals(Arrays.asList(request(1, 1), expired(0), closed(0), leased(1), kept(1, "for 15.0 seconds"), released(1)), log.take());
        }
    }

    @ParameterizedTest
    @EnumSource
    void anAnswerInChunksLeavesItsConnectionUsable(Client.Kind kind) throws Exception {
        try (Tomcat server = Tomcat.builder().keepAlive(5_000).start(); PoolLog log = new PoolLog();
                PoolingHttpClientConnectionManager manager = manager()) {
            Client client = kind.on(manager);
            for (String method : METHODS) {
                assertEquals(WebServer.GREETING, client.send(method, server.url(Tomcat.CHUNKED)));
                assertEquals(WebServer.GREETING, client.send(method, server.url(Tomcat.CHUNKED)));
            }
            assertEquals(1, server.connections());
            log.take();
            clock.advance(5, TimeUnit.SECONDS);
            assertEquals(WebServer.GREETING, client.send("GET", server.url(Tomcat.CHUNKED)));
            assertEquals(Arrays.asList(request(1, 1), expired(0), closed(0), leased(1), kept(1, "for 5.0 seconds"), released(1)), log.take());
        }
    }
}
