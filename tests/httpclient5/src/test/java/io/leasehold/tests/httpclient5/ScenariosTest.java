package io.leasehold.tests.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManager;
import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManagerBuilder;
import io.leasehold.tests.servers.Httpd;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.ServerBuilder;
import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.TimeValue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Connections of the classic manager that the client or the server ends, plain, in TLS, by a proxy and through its tunnel, with nginx and
 * with httpd. None is repeated.
 */
class ScenariosTest {
    /** How requests go. */
    enum Kind {
        PLAIN,
        TLS,
        PROXIED,
        TUNNELLED
    }

    /** To whom. */
    enum Program {
        NGINX {
            @Override
            ServerBuilder<?> builder() {
                return Nginx.builder();
            }
        },
        HTTPD {
            @Override
            ServerBuilder<?> builder() {
                return Httpd.builder();
            }
        };

        abstract ServerBuilder<?> builder();
    }

    private final LogCapture log = LogCapture.of(PoolingHttpClientConnectionManager.class.getName());
    // The last is the one that the client's sockets lead to.
    private final List<WebServer> servers = new ArrayList<>();
    private LeaseholdHttpClientConnectionManager manager;
    private CloseableHttpClient client;

    static Stream<Arguments> all() {
        return Arrays.stream(Program.values()).flatMap(program -> Arrays.stream(Kind.values()).map(kind -> Arguments.of(program, kind)));
    }

    /** Starts a server, a proxy where one is between, and a client. */
    @SuppressWarnings("deprecation") // What all versions have.
    private WebServer start(Kind kind, ServerBuilder<?> builder) throws Exception {
        boolean isTls = kind == Kind.TLS || kind == Kind.TUNNELLED;
        WebServer server = (isTls ? builder.tls() : builder).start();
        servers.add(server);
        LeaseholdHttpClientConnectionManagerBuilder managers = LeaseholdHttpClientConnectionManagerBuilder.create();
        manager = (isTls ? managers.setSSLSocketFactory(
                new org.apache.hc.client5.http.ssl.SSLConnectionSocketFactory(server.trust())) : managers).build();
        HttpClientBuilder clients = HttpClients.custom().setConnectionManager(manager).disableAutomaticRetries();
        if (kind == Kind.TUNNELLED) {
            String modules = "/usr/lib/apache2/modules/mod_";
            servers.add(Httpd.builder()
                    .directive("LoadModule proxy_module " + modules + "proxy.so")
                    .directive("LoadModule proxy_connect_module " + modules + "proxy_connect.so")
                    .directive("ProxyRequests On")
                    .directive("AllowCONNECT " + server.port())
                    .start());
        }
        if (kind == Kind.TUNNELLED || kind == Kind.PROXIED) {
            clients.setProxy(new HttpHost("http", "127.0.0.1", lastServer().port()));
        }
        client = clients.build();
        return server;
    }

    private WebServer lastServer() {
        return servers.get(servers.size() - 1);
    }

    @AfterEach
    void close() throws IOException {
        client.close();
        log.close();
        for (WebServer server : servers) {
            server.close();
        }
    }

    private void post(String url, String... header) throws IOException {
        HttpPost request = new HttpPost(url);
        if (header.length > 0) {
            request.addHeader(header[0], header[1]);
        }
        assertEquals(WebServer.GREETING, client.execute(request, response -> EntityUtils.toString(response.getEntity())));
    }

    private void assertIdle(int connections) {
        assertEquals(connections + " 0", manager.getTotalStats().getAvailable() + " " + manager.getTotalStats().getLeased());
    }

    private void awaitNoSocket() throws Exception {
        Eventually.await("its socket is gone",
                () -> SocketTable.settled(lastServer().port()).count(Side.CLIENT, State.ESTABLISHED, State.CLOSE_WAIT) == 0);
    }

    /** For how long connections were kept, as the log says. */
    private List<String> kept() {
        return log.messages().stream().filter(line -> line.contains(" can be kept alive "))
                .map(line -> line.substring(line.indexOf(" can be kept alive ") + 19)).collect(Collectors.toList());
    }

    @ParameterizedTest
    @MethodSource("all")
    void aServersFiveSecondsWinOverAClientsSixty(Program program, Kind kind) throws Exception {
        ServerBuilder<?> builder = program == Program.NGINX ? Nginx.builder().announceKeepAlive() : Httpd.builder();
        WebServer server = start(kind, builder.keepAlive(5_000));
        for (int i = 0; i < 2; i++) {
            post(server.url(WebServer.HELLO), "Keep-Alive", "timeout=60");
        }
        // To those who take it for a proxy httpd does not say for how long it keeps their connections.
        boolean isSilent = program == Program.HTTPD && kind == Kind.PROXIED;
        assertEquals(Collections.nCopies(2, isSilent ? "for 3 MINUTES" : "for 5 SECONDS"), kept());
    }

    @ParameterizedTest
    @MethodSource("all")
    void aConnectionServesManyRequests(Program program, Kind kind) throws Exception {
        WebServer server = start(kind, program.builder());
        for (int i = 0; i < 5; i++) {
            post(server.url(WebServer.HELLO));
            assertIdle(1);
        }
        Eventually.await("one connection was logged", () -> server.connections() == 1);
    }

    @ParameterizedTest
    @MethodSource("all")
    void whatAServerClosesWhileItIsIdleIsGoneWithoutALeaseAndCostsNoRequest(Program program, Kind kind) throws Exception {
        // The least that httpd can be told.
        WebServer server = start(kind, program.builder().keepAlive(program == Program.NGINX ? 100 : 1_000));
        for (int i = 1; i <= 2; i++) {
            int closed = i;
            post(server.url(WebServer.HELLO));
            Eventually.await("it is closed by its peer", () -> manager.getCounters().closedByPeer() == closed);
            assertIdle(0);
            awaitNoSocket();
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    void aConnectionThatTheClientEndsIsClosed(Program program, Kind kind) throws Exception {
        WebServer server = start(kind, program.builder());
        for (int i = 0; i < 3; i++) {
            post(server.url(WebServer.HELLO), "Connection", "close");
            assertIdle(0);
        }
        awaitNoSocket();
    }

    @ParameterizedTest
    @MethodSource("all")
    void aConnectionThatTheServerEndsIsClosed(Program program, Kind kind) throws Exception {
        WebServer server = start(kind, program.builder());
        for (int i = 0; i < 3; i++) {
            post(server.url(WebServer.GOODBYE));
            assertIdle(0);
        }
        awaitNoSocket();
    }

    @ParameterizedTest
    @MethodSource("all")
    void whatIsClosedHereIsClosedThereInEachWay(Program program, Kind kind) throws Exception {
        WebServer server = start(kind, program.builder());
        post(server.url(WebServer.HELLO));
        assertIdle(1);
        manager.closeIdle(TimeValue.ZERO_MILLISECONDS);
        awaitNoSocket();
        post(server.url(WebServer.HELLO));
        assertIdle(1);
        manager.close(kind.ordinal() % 2 == 0 ? CloseMode.GRACEFUL : CloseMode.IMMEDIATE);
        awaitNoSocket();
    }
}
