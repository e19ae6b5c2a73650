package io.leasehold.tests.httpclient4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.DelegatingSocket;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.TestTls;
import java.io.File;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import org.apache.http.HttpHost;
import org.apache.http.config.Registry;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.conn.ssl.NoopHostnameVerifier;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.protocol.HttpContext;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.jsse.provider.BouncyCastleJsseProvider;
import org.conscrypt.Conscrypt;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import software.amazon.awssdk.http.apache.internal.conn.SdkTlsSocketFactory;

/** Connections whose sockets somebody has wrapped: what their server closes is known of them as it is of any other. */
class WrappedSocketsTest {
    private static final int ROUNDS = 30;

    /** What makes the sockets. */
    enum Factory {
        THE_JDKS("http") {
            @Override
            ConnectionSocketFactory make() {
                return PlainConnectionSocketFactory.getSocketFactory();
            }
        },
        BY_HAND("http") {
            @Override
            ConnectionSocketFactory make() {
                return new PlainConnectionSocketFactory() {
                    @Override
                    public Socket connectSocket(int timeout, Socket socket, HttpHost host, InetSocketAddress remote,
                            InetSocketAddress local, HttpContext context) throws IOException {
                        return new DelegatingSocket(super.connectSocket(timeout, socket, host, remote, local, context));
                    }
                };
            }
        },
        AWS("https") {
            @Override
            ConnectionSocketFactory make() {
                return new SdkTlsSocketFactory(TestTls.context(), NoopHostnameVerifier.INSTANCE);
            }
        },
        CONSCRYPT("https") {
            @Override
            ConnectionSocketFactory make() throws Exception {
                return new SSLConnectionSocketFactory(TestTls.context(Conscrypt.newProvider()), NoopHostnameVerifier.INSTANCE);
            }
        },
        BOUNCY_CASTLE("https") {
            @Override
            ConnectionSocketFactory make() throws Exception {
                return new SSLConnectionSocketFactory(
                        TestTls.context(new BouncyCastleJsseProvider(new BouncyCastleProvider())), NoopHostnameVerifier.INSTANCE);
            }
        };

        private final String scheme;

        Factory(String scheme) {
            this.scheme = scheme;
        }

        abstract ConnectionSocketFactory make() throws Exception;

        Nginx server(int keepAliveMillis) throws Exception {
            Nginx.Builder builder = Nginx.builder().keepAlive(keepAliveMillis);
            return (scheme.equals("https") ? builder.tls() : builder).start();
        }

        Registry<ConnectionSocketFactory> registry() throws Exception {
            return RegistryBuilder.<ConnectionSocketFactory>create().register(scheme, make()).build();
        }
    }

    /** How many of 30 POSTs fail, each on a connection that the server has closed while it was idle. */
    private static int lost(Client client, Nginx server) throws Exception {
        int lost = 0;
        client.send("POST", server.url(WebServer.HELLO));
        for (int i = 0; i < ROUNDS; i++) {
            server.awaitConnectionsClosed();
            try {
                client.send("POST", server.url(WebServer.HELLO));
            } catch (IOException e) {
                lost++;
                client.send("POST", server.url(WebServer.HELLO));
            }
        }
        return lost;
    }

    @ParameterizedTest
    @EnumSource
    void noRequestIsLostToAServersCloseAndNoneStaysInCloseWait(Factory factory) throws Exception {
        try (Nginx server = factory.server(20);
                PoolingHttpClientConnectionManager manager = Manager.LEASEHOLD.make(factory.registry())) {
            assertEquals(0, lost(Client.Kind.HTTP_CLIENT.on(manager), server));
            server.awaitConnectionsClosed();
            Eventually.await("no socket is in CLOSE_WAIT", () ->
                    SocketTable.settled(server.port()).count(Side.CLIENT, State.CLOSE_WAIT, State.ESTABLISHED) == 0);
            assertEquals(0, manager.getTotalStats().getAvailable());
        }
    }

    /** So that it is known what the test above asks for. */
    @ParameterizedTest
    @EnumSource
    void httpClientsOwnManagerLosesThemAll(Factory factory) throws Exception {
        try (Nginx server = factory.server(20);
                PoolingHttpClientConnectionManager manager = Manager.STOCK.make(factory.registry())) {
            assertEquals(ROUNDS, lost(Client.Kind.HTTP_CLIENT.on(manager), server));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aLiveConnectionIsUsedAgainAndNoDescriptorIsLeftBehind(Factory factory) throws Exception {
        try (Nginx server = factory.server(60_000);
                PoolingHttpClientConnectionManager manager = Manager.LEASEHOLD.make(factory.registry())) {
            Client client = Client.Kind.HTTP_CLIENT.on(manager);
            for (int i = 0; i < ROUNDS; i++) {
                assertEquals(WebServer.GREETING, client.send("POST", server.url(WebServer.HELLO)));
            }
            assertEquals(1, server.connections());
            int before = descriptors();
            for (int i = 0; i < ROUNDS; i++) {
                client.send("POST", server.url(WebServer.HELLO), "Connection", "close");
            }
            Eventually.await("they are closed", () -> SocketTable.ofPort(server.port()).count(Side.CLIENT, State.ESTABLISHED) == 0);
            Eventually.await("as many descriptors as before", () -> descriptors() <= before);
            assertTrue(server.connections() > 1);
        }
    }

    private static int descriptors() {
        return new File("/proc/self/fd").list().length;
    }
}
