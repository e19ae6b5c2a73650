package io.leasehold.tests.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Eventually;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.EnumSet;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocketFactory;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.HttpMethodBase;
import org.apache.commons.httpclient.methods.GetMethod;
import org.apache.commons.httpclient.methods.PostMethod;
import org.apache.commons.httpclient.params.HttpConnectionParams;
import org.apache.commons.httpclient.protocol.Protocol;
import org.apache.commons.httpclient.protocol.ProtocolSocketFactory;
import org.apache.commons.httpclient.protocol.SecureProtocolSocketFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** https, in both versions of TLS that servers speak: their idle connections differ in what may arrive on them. */
class TlsTest {
    static Stream<Arguments> everyManagerAndVersion() {
        return EnumSet.allOf(Manager.class).stream()
                .flatMap(manager -> Stream.of("TLSv1.2", "TLSv1.3").map(version -> Arguments.of(manager, version)));
    }

    static Stream<Arguments> everyManagerOfOursAndVersion() {
        return everyManagerAndVersion()
                .filter(arguments -> EnumSet.of(Manager.LEASEHOLD, Manager.LEASEHOLD_MULTI_THREADED).contains(arguments.get()[0]));
    }

    private static Nginx.Builder nginx(String version) {
        return Nginx.builder().tls().directive("ssl_protocols " + version + ";");
    }

    private static HostConfiguration host(Nginx server) {
        return host(server, server.trust());
    }

    private static HostConfiguration host(Nginx server, SSLContext trust) {
        HostConfiguration host = new HostConfiguration();
        Protocol https = new Protocol("https", (ProtocolSocketFactory) new Trusting(trust.getSocketFactory()), server.port());
        host.setHost("127.0.0.1", server.port(), https);
        return host;
    }

    private static String send(Client client, HostConfiguration host, HttpMethodBase method) throws IOException {
        try {
            assertEquals(200, client.http.executeMethod(host, method));
            return method.getResponseBodyAsString();
        } finally {
            method.releaseConnection();
        }
    }

    @ParameterizedTest
    @MethodSource("everyManagerAndVersion")
    void aConnectionServesManyRequests(Manager kind, String version) throws Exception {
        try (Nginx server = nginx(version).document("large", new byte[100_000]).start()) {
            Client client = new Client(kind.make());
            HostConfiguration host = host(server);
            for (int i = 0; i < 20; i++) {
                assertEquals(WebServer.GREETING, send(client, host, new GetMethod(WebServer.HELLO)));
                assertEquals(WebServer.GREETING, send(client, host, new PostMethod(WebServer.HELLO)));
                assertEquals(100_000, send(client, host, new GetMethod("/large")).length());
            }
            assertEquals(1, server.connections());
        }
    }

    @ParameterizedTest
    @MethodSource("everyManagerAndVersion")
    void aConnectionClosedWhileIdleIsNotUsed(Manager kind, String version) throws Exception {
        try (Nginx server = nginx(version).keepAlive(100).start()) {
            Client client = new Client(kind.make());
            HostConfiguration host = host(server);
            for (int i = 0; i < 3; i++) {
                assertEquals(WebServer.GREETING, send(client, host, new PostMethod(WebServer.HELLO)));
                server.awaitConnectionsClosed();
            }
            assertEquals(3, server.connections());
        }
    }

    @ParameterizedTest
    @MethodSource("everyManagerAndVersion")
    void aConnectionEndedByARestartIsNotUsed(Manager kind, String version) throws Exception {
        try (Nginx server = nginx(version).start()) {
            Client client = new Client(kind.make());
            HostConfiguration host = host(server);
            for (int i = 0; i < 3; i++) {
                assertEquals(WebServer.GREETING, send(client, host, new PostMethod(WebServer.HELLO)));
                server.restart();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aServerNobodyTrustsCostsNoSlot(Manager kind) throws Exception {
        try (Nginx server = nginx("TLSv1.3").start()) {
            HttpConnectionManager manager = kind.make();
            manager.getParams().setDefaultMaxConnectionsPerHost(1);
            Client client = new Client(manager);
            HostConfiguration wrong = host(server, SSLContext.getDefault());
            for (int i = 0; i < 3; i++) {
                assertThrows(SSLException.class, () -> send(client, wrong, new GetMethod(WebServer.HELLO)));
            }
            assertEquals(WebServer.GREETING, send(client, host(server), new GetMethod(WebServer.HELLO)));
        }
    }

    @ParameterizedTest
    @MethodSource("everyManagerOfOursAndVersion")
    void aConnectionThatTheServerClosesIsClosedHereWithoutALease(Manager kind, String version) throws Exception {
        try (Nginx server = nginx(version).start()) {
            Client client = new Client(kind.make());
            HostConfiguration host = host(server);
            // Tickets that wait after a handshake cost no connection.
            assertEquals(WebServer.GREETING, send(client, host, new PostMethod(WebServer.HELLO)));
            assertEquals(WebServer.GREETING, send(client, host, new PostMethod(WebServer.HELLO)));
            assertEquals(1, server.connections());
            server.reload();
            Eventually.await("it is closed", () -> SocketTable.settled(server.port()).count(Side.CLIENT, State.ESTABLISHED, State.CLOSE_WAIT) == 0);
            assertEquals(WebServer.GREETING, send(client, host, new PostMethod(WebServer.HELLO)));
        }
    }

    /** What a program with a trust store of its own gives to HttpClient 3.1. */
    private static final class Trusting implements SecureProtocolSocketFactory {
        private final SSLSocketFactory sockets;

        Trusting(SSLSocketFactory sockets) {
            this.sockets = sockets;
        }

        @Override
        public Socket createSocket(String host, int port) throws IOException {
            return sockets.createSocket(host, port);
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress localAddress, int localPort) throws IOException {
            return sockets.createSocket(host, port, localAddress, localPort);
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress localAddress, int localPort, HttpConnectionParams params) throws IOException {
            Socket socket = sockets.createSocket();
            socket.bind(new InetSocketAddress(localAddress, localPort));
            socket.connect(new InetSocketAddress(host, port), params.getConnectionTimeout());
            return socket;
        }

        @Override
        public Socket createSocket(Socket socket, String host, int port, boolean autoClose) throws IOException {
            return sockets.createSocket(socket, host, port, autoClose);
        }
    }
}
