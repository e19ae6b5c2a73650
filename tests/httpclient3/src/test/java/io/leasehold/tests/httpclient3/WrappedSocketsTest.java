package io.leasehold.tests.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.DelegatingSocket;
import io.leasehold.testsupport.Eventually;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.methods.PostMethod;
import org.apache.commons.httpclient.methods.StringRequestEntity;
import org.apache.commons.httpclient.params.HttpConnectionParams;
import org.apache.commons.httpclient.protocol.DefaultProtocolSocketFactory;
import org.apache.commons.httpclient.protocol.Protocol;
import org.apache.commons.httpclient.protocol.ProtocolSocketFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Connections whose sockets somebody has wrapped, with the stale check off: the watch alone knows what their server has closed. */
class WrappedSocketsTest {
    private static final int ROUNDS = 30;

    private static final class Wrapping implements ProtocolSocketFactory {
        private final ProtocolSocketFactory own = new DefaultProtocolSocketFactory();

        @Override
        public Socket createSocket(String host, int port) throws IOException {
            return new DelegatingSocket(own.createSocket(host, port));
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress local, int localPort) throws IOException {
            return new DelegatingSocket(own.createSocket(host, port, local, localPort));
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress local, int localPort, HttpConnectionParams params) throws IOException {
            return new DelegatingSocket(own.createSocket(host, port, local, localPort, params));
        }
    }

    private static String post(Client client) throws IOException {
        PostMethod post = new PostMethod(WebServer.HELLO);
        post.setRequestEntity(new StringRequestEntity("order=1", "application/x-www-form-urlencoded", "US-ASCII"));
        return client.send(post);
    }

    /** How many of 30 POSTs fail, each on a connection that the server has closed while it was idle. */
    private static int lost(HttpConnectionManager manager, Nginx server) throws Exception {
        manager.getParams().setStaleCheckingEnabled(false);
        Client client = new Client(manager);
        client.http.getHostConfiguration().setHost("127.0.0.1", server.port(), new Protocol("http", new Wrapping(), server.port()));
        int lost = 0;
        post(client);
        for (int i = 0; i < ROUNDS; i++) {
            server.awaitConnectionsClosed();
            if (!isStock(manager)) {
                awaitClosed(server);
            }
            try {
                post(client);
            } catch (IOException e) {
                lost++;
                post(client);
            }
        }
        return lost;
    }

    private static boolean isStock(HttpConnectionManager manager) {
        return manager.getClass().getName().startsWith("org.apache");
    }

    private static void awaitClosed(Nginx server) throws Exception {
        server.awaitConnectionsClosed();
        Eventually.await("no socket is in CLOSE_WAIT", () ->
                SocketTable.settled(server.port()).count(Side.CLIENT, State.CLOSE_WAIT, State.ESTABLISHED) == 0);
    }

    @ParameterizedTest
    @EnumSource(names = {"LEASEHOLD", "LEASEHOLD_MULTI_THREADED"})
    void noRequestIsLostToAServersCloseAndNoneStaysInCloseWait(Manager kind) throws Exception {
        try (Nginx server = Nginx.builder().keepAlive(20).start()) {
            assertEquals(0, lost(kind.make(), server));
            awaitClosed(server);
        }
    }

    /** So that it is known what the test above asks for. */
    @ParameterizedTest
    @EnumSource(names = {"STOCK_SIMPLE", "STOCK_MULTI_THREADED"})
    void httpClientsOwnManagersLoseThemAll(Manager kind) throws Exception {
        try (Nginx server = Nginx.builder().keepAlive(20).start()) {
            assertEquals(ROUNDS, lost(kind.make(), server));
        }
    }
}
