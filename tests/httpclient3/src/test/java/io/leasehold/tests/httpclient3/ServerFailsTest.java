package io.leasehold.tests.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.tests.servers.Httpd;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.ServerBuilder;
import io.leasehold.tests.servers.SocketTable;
import io.leasehold.tests.servers.SocketTable.Side;
import io.leasehold.tests.servers.SocketTable.State;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Eventually;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.EnumSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;
import org.apache.commons.httpclient.ConnectionPoolTimeoutException;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.methods.ByteArrayRequestEntity;
import org.apache.commons.httpclient.methods.GetMethod;
import org.apache.commons.httpclient.methods.PostMethod;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Servers that reset connections, stall, or send what nobody asked for. */
class ServerFailsTest {
    /** With a slot lost, the next request would wait for ever. */
    private static HttpConnectionManager withOneSlot(Manager kind) {
        HttpConnectionManager manager = kind.make();
        manager.getParams().setDefaultMaxConnectionsPerHost(1);
        return manager;
    }

    static Stream<Arguments> everyManagerAndServer() {
        return EnumSet.allOf(Manager.class).stream()
                .flatMap(manager -> Stream.of(Nginx.builder(), Httpd.builder()).map(server -> Arguments.of(manager, server)));
    }

    @ParameterizedTest
    @EnumSource
    void aResetInsteadOfAResponseCostsNoSlot(Manager kind) throws Exception {
        try (Nginx server = Nginx.builder().directive("reset_timedout_connection on;").location("= /reset", "return 444;").start()) {
            Client client = new Client(withOneSlot(kind));
            for (int i = 0; i < 20; i++) {
                assertThrows(IOException.class, () -> client.post(server.url("/reset")));
                assertEquals(WebServer.GREETING, client.post(server.url(WebServer.HELLO)));
            }
            // Each reset ended a connection that had served the request before.
            assertEquals(21, server.connections());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aResetDuringAnUploadCostsNoSlot(Manager kind) throws Exception {
        try (Nginx server = Nginx.builder().directive("lingering_close off;").directive("client_max_body_size 1k;").start()) {
            Client client = new Client(withOneSlot(kind));
            for (int i = 0; i < 10; i++) {
                PostMethod upload = new PostMethod(server.url(WebServer.HELLO));
                upload.setRequestEntity(new ByteArrayRequestEntity(new byte[8 << 20]));
                try {
                    // Whether the refusal is seen before the reset is the network's choice.
                    assertEquals(413, client.http.executeMethod(upload));
                } catch (IOException reset) {
                    // Neither is wrong.
                } finally {
                    upload.releaseConnection();
                }
                assertEquals(WebServer.GREETING, client.post(server.url(WebServer.HELLO)));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aConnectionResetWhileIdleIsNotUsed(Manager kind) throws Exception {
        Semaphore served = new Semaphore(0);
        try (FaultyServer server = new FaultyServer(connection -> {
            connection.readRequest();
            connection.write(FaultyServer.OK);
            served.acquire();
            // Closes with a reset.
            connection.socket.setSoLinger(true, 0);
        })) {
            Client client = new Client(withOneSlot(kind));
            for (int i = 1; i <= 3; i++) {
                assertEquals("ok", client.post(server.url()));
                served.release();
                Eventually.await("the connection is reset",
                        () -> SocketTable.ofPort(server.port()).count(Side.CLIENT, State.ESTABLISHED) == 0);
                assertEquals(i, server.connections.get());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("everyManagerAndServer")
    void aResponseThatCameTooLateIsNeverGivenToAnother(Manager kind, ServerBuilder<?> builder) throws Exception {
        try (WebServer server = builder.document("one", "one".getBytes("US-ASCII")).document("two", "two".getBytes("US-ASCII")).start()) {
            Client client = new Client(withOneSlot(kind));
            for (int i = 1; i <= 3; i++) {
                assertEquals("two", client.get(server.url("/two")));
                server.freeze();
                GetMethod tooLate = new GetMethod(server.url("/one"));
                tooLate.getParams().setSoTimeout(100);
                assertThrows(SocketTimeoutException.class, () -> client.send(tooLate));
                server.thaw();
                assertEquals("two", client.get(server.url("/two")));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"STOCK_MULTI_THREADED", "LEASEHOLD_MULTI_THREADED"})
    void aStalledServerHoldsUpItsOwnHostOnly(Manager kind) throws Exception {
        try (Nginx stalled = Nginx.builder().start(); Nginx other = Nginx.builder().start()) {
            MultiThreadedHttpConnectionManager manager = kind.makeMultiThreaded(1, 10);
            Client client = new Client(manager);
            HostConfiguration host = new HostConfiguration();
            host.setHost("127.0.0.1", stalled.port());
            stalled.freeze();
            CompletableFuture<String> waiting = new CompletableFuture<>();
            Thread thread = new Thread(() -> {
                try {
                    waiting.complete(client.get(stalled.url(WebServer.HELLO)));
                } catch (Throwable e) {
                    waiting.completeExceptionally(e);
                }
            });
            thread.start();
            Eventually.await("the request has its connection", () -> stalled.sockets().count(Side.CLIENT, State.ESTABLISHED) == 1);

            assertThrows(ConnectionPoolTimeoutException.class, () -> manager.getConnectionWithTimeout(host, 20));
            assertEquals(WebServer.GREETING, client.get(other.url(WebServer.HELLO)));

            stalled.thaw();
            assertEquals(WebServer.GREETING, waiting.get());
            assertEquals(WebServer.GREETING, client.get(stalled.url(WebServer.HELLO)));
            assertEquals(1, stalled.connections());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aConnectionWithBytesLeftBehindTheResponseIsNotUsed(Manager kind) throws Exception {
        try (FaultyServer server = new FaultyServer(connection -> {
            while (connection.readRequest()) {
                connection.write(FaultyServer.OK + "HTTP/1.1 500 Nobody asked\r\nContent-Length: 0\r\n\r\n");
            }
        })) {
            Client client = new Client(withOneSlot(kind));
            for (int i = 1; i <= 3; i++) {
                assertEquals("ok", client.get(server.url()));
                assertEquals(i, server.connections.get());
            }
        }
    }

    /**
     * Some servers announce the end of an idle connection with a response to no request. Stock takes it for the response to its next one.
     */
    @ParameterizedTest
    @EnumSource(names = {"LEASEHOLD", "LEASEHOLD_MULTI_THREADED"})
    void aResponseToNoRequestIsNotTakenForOneToTheNext(Manager kind) throws Exception {
        CountDownLatch served = new CountDownLatch(1);
        try (FaultyServer server = new FaultyServer(connection -> {
            connection.readRequest();
            connection.write(FaultyServer.OK);
            served.await();
            connection.write("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            // Left open: there is nothing to see but the bytes.
            connection.readRequest();
        })) {
            Client client = new Client(withOneSlot(kind));
            assertEquals("ok", client.get(server.url()));
            served.countDown();
            Eventually.await("the bytes have arrived", () -> SocketTable.ofPort(server.port()).unread(Side.CLIENT) > 0);
            assertEquals("ok", client.get(server.url()));
            assertEquals(2, server.connections.get());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aResponseThatIsAbortedEndsItsConnection(Manager kind) throws Exception {
        try (Nginx server = Nginx.builder().document("large", new byte[4 << 20]).start()) {
            Client client = new Client(withOneSlot(kind));
            for (int i = 1; i <= 3; i++) {
                GetMethod get = new GetMethod(server.url("/large"));
                assertEquals(200, client.http.executeMethod(get));
                assertTrue(get.getResponseBodyAsStream().read() >= 0);
                get.abort();
                get.releaseConnection();
                assertEquals(i, server.connections());
            }
            assertEquals(WebServer.GREETING, client.get(server.url(WebServer.HELLO)));
        }
    }

    @ParameterizedTest
    @MethodSource("everyManagerAndServer")
    void aResponseThatNobodyReadsIsDrainedAndItsConnectionUsed(Manager kind, ServerBuilder<?> builder) throws Exception {
        try (WebServer server = builder.document("large", new byte[1 << 20]).start()) {
            Client client = new Client(withOneSlot(kind));
            for (int i = 0; i < 5; i++) {
                GetMethod get = new GetMethod(server.url("/large"));
                assertEquals(200, client.http.executeMethod(get));
                get.releaseConnection();
                assertEquals(WebServer.GREETING, client.get(server.url(WebServer.HELLO)));
            }
            assertEquals(1, server.connections());
        }
    }
}
