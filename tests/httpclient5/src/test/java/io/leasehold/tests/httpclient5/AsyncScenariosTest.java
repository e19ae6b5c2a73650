package io.leasehold.tests.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.httpclient5.LeaseholdAsyncClientConnectionManager;
import io.leasehold.httpclient5.LeaseholdAsyncClientConnectionManagerBuilder;
import io.leasehold.tests.servers.Httpd;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.ServerBuilder;
import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.tests.servers.Tomcat;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import io.leasehold.testsupport.TestTls;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClientBuilder;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpVersion;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.TimeValue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.MethodSource;

/** Connections of the asynchronous manager that the client or the server ends, in each way in which requests go. None is repeated. */
class AsyncScenariosTest {
    /** How requests go to an nginx. */
    enum Kind {
        PLAIN,
        TLS,
        PROXIED,
        HTTP_2;

        Nginx.Builder server() {
            switch (this) {
                case TLS:
                    return Nginx.builder().tls();
                case HTTP_2:
                    return Nginx.builder().http2();
                default:
                    return Nginx.builder();
            }
        }
    }

    private final LogCapture log = LogCapture.of(PoolingAsyncClientConnectionManager.class.getName());
    private final LeaseholdAsyncClientConnectionManager manager = LeaseholdAsyncClientConnectionManagerBuilder.create()
            .setTlsStrategy(new DefaultClientTlsStrategy(TestTls.context())).build();
    private CloseableHttpAsyncClient client;

    @AfterEach
    void close() {
        client.close(CloseMode.IMMEDIATE);
        log.close();
    }

    private void start(Kind kind, WebServer server) {
        HttpAsyncClientBuilder builder = HttpAsyncClients.custom().setConnectionManager(manager).disableAutomaticRetries();
        if (kind == Kind.PROXIED) {
            builder.setProxy(new HttpHost("http", "127.0.0.1", server.port()));
        }
        client = builder.build();
        client.start();
    }

    private SimpleHttpResponse post(String url, String... header) throws Exception {
        SimpleRequestBuilder request = SimpleRequestBuilder.post(url);
        if (header.length > 0) {
            request.addHeader(header[0], header[1]);
        }
        try {
            SimpleHttpResponse response = client.execute(request.build(), null).get();
            assertEquals(WebServer.GREETING, response.getBodyText());
            return response;
        } catch (ExecutionException e) {
            throw (Exception) e.getCause();
        }
    }

    private void awaitIdle(int connections) throws Exception {
        Eventually.await("it is released", () -> manager.getTotalStats().getAvailable() == connections
                && manager.getTotalStats().getLeased() == 0);
    }

    private static void awaitNoSocket(WebServer server) throws Exception {
        Eventually.await("its socket is gone",
                () -> SocketTable.settled(server.port()).count(Side.CLIENT, State.ESTABLISHED, State.CLOSE_WAIT) == 0);
    }

    /** For how long connections were kept, as the log says. */
    private List<String> kept() {
        return log.messages().stream().filter(line -> line.contains(" can be kept alive "))
                .map(line -> line.substring(line.indexOf(" can be kept alive ") + 19)).collect(Collectors.toList());
    }

    static Stream<ServerBuilder<?>> serversThatSayHowLong() {
        return Stream.of(Nginx.builder().announceKeepAlive(), Httpd.builder(), Tomcat.builder());
    }

    @ParameterizedTest
    @MethodSource("serversThatSayHowLong")
    void theServersWordWinsOverTheClients(ServerBuilder<?> builder) throws Exception {
        try (WebServer server = builder.keepAlive(5_000).start()) {
            start(Kind.PLAIN, server);
            post(server.url(WebServer.HELLO), "Keep-Alive", "timeout=60");
            awaitIdle(1);
            post(server.url(WebServer.HELLO));
            awaitIdle(1);
            Eventually.await("both lines", () -> kept().size() == 2);
            assertEquals("[for 5 SECONDS, for 5 SECONDS]", kept().toString());
        }
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void ofAServerThatSaysNothingConnectionsAreKeptForTheClientsOwnTime(Kind kind) throws Exception {
        try (WebServer server = kind.server().start()) {
            start(kind, server);
            for (int i = 0; i < 3; i++) {
                assertEquals(kind == Kind.HTTP_2 ? HttpVersion.HTTP_2 : HttpVersion.HTTP_1_1,
                        post(server.url(WebServer.HELLO)).getVersion());
                awaitIdle(1);
            }
            assertEquals(1, server.connections());
            Eventually.await("all lines", () -> kept().size() == 3);
            assertEquals("[for 3 MINUTES, for 3 MINUTES, for 3 MINUTES]", kept().toString());
        }
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void whatAServerClosesWhileItIsIdleIsGoneWithoutALeaseAndCostsNoRequest(Kind kind) throws Exception {
        try (WebServer server = kind.server().keepAlive(100).start()) {
            start(kind, server);
            for (int i = 1; i <= 3; i++) {
                int closed = i;
                post(server.url(WebServer.HELLO));
                Eventually.await("it is closed by its peer", () -> manager.getCounters().closedByPeer() == closed);
                assertEquals(0, manager.getTotalStats().getAvailable());
                awaitNoSocket(server);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = Kind.class, mode = Mode.EXCLUDE, names = "HTTP_2") // Which has no such header.
    void aConnectionThatTheClientEndsIsClosed(Kind kind) throws Exception {
        try (WebServer server = kind.server().start()) {
            start(kind, server);
            for (int i = 0; i < 3; i++) {
                post(server.url(WebServer.HELLO), "Connection", "close");
                awaitIdle(0);
            }
            awaitNoSocket(server);
            assertEquals(3, server.connections());
        }
    }

    /** In HTTP/2 a server does so by GOAWAY, of which {@link Http2Test} has more. */
    @ParameterizedTest
    @EnumSource(value = Kind.class, mode = Mode.EXCLUDE, names = "HTTP_2")
    void aConnectionThatTheServerEndsIsClosed(Kind kind) throws Exception {
        try (WebServer server = kind.server().start()) {
            start(kind, server);
            for (int i = 0; i < 3; i++) {
                post(server.url(WebServer.GOODBYE));
                awaitIdle(0);
            }
            awaitNoSocket(server);
            assertEquals(3, server.connections());
        }
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void whatIsClosedHereIsClosedThereInEachWay(Kind kind) throws Exception {
        try (WebServer server = kind.server().start()) {
            start(kind, server);
            post(server.url(WebServer.HELLO));
            awaitIdle(1);
            manager.closeIdle(TimeValue.ZERO_MILLISECONDS);
            awaitNoSocket(server);
            post(server.url(WebServer.HELLO));
            awaitIdle(1);
            manager.close(kind.ordinal() % 2 == 0 ? CloseMode.GRACEFUL : CloseMode.IMMEDIATE);
            awaitNoSocket(server);
        }
    }
}
