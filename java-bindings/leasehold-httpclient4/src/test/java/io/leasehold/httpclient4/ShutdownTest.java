package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Loopback.keep;
import static io.leasehold.httpclient4.Loopback.lease;
import static io.leasehold.httpclient4.Loopback.leaseOpen;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import io.leasehold.testsupport.ScriptedServer;
import io.leasehold.testsupport.Threads;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.config.SocketConfig;
import org.apache.http.conn.HttpClientConnectionOperator;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.impl.conn.ConnectionShutdownException;
import org.apache.http.impl.conn.DefaultHttpClientConnectionOperator;
import org.apache.http.impl.conn.DefaultManagedHttpClientConnection;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.protocol.BasicHttpContext;
import org.apache.http.protocol.HttpContext;
import org.apache.http.util.EntityUtils;
import org.junit.jupiter.api.Test;

/** The end of a manager. */
class ShutdownTest {
    private static final int THREADS = 4;
    private static final int ROUNDS = 60;

    private final LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();

    @Test
    void idleConnectionsAreClosedAndLeasedOnesReset() throws Exception {
        try (Loopback server = new Loopback()) {
            HttpRoute route = server.route();
            HttpClientConnection idle = leaseOpen(manager, route, null);
            Socket peerOfIdle = server.accept();
            HttpClientConnection leased = leaseOpen(manager, route, null);
            Socket peerOfLeased = server.accept();
            keep(manager, idle);
            try (LogCapture log = LogCapture.of("org.apache.http.impl.conn.DefaultManagedHttpClientConnection")) {
                manager.shutdown();
                List<String> lines = log.messages();
                lines.replaceAll(line -> line.replaceAll("http-outgoing-\\d+: ", ""));
                // 4.5's connections say so again when they are closed already.
                assertEquals("[Close connection, Shutdown connection]", lines.subList(0, 2).toString());
            }
            assertEquals(-1, peerOfIdle.getInputStream().read());
            assertThrows(SocketException.class, () -> peerOfLeased.getInputStream().read());
            assertFalse(leased.isOpen());
            keep(manager, leased);
            assertEquals("[leased: 0; pending: 0; available: 0; max: 20]", manager.getTotalStats().toString());
            assertEquals(0, manager.getRoutes().size());
        }
    }

    @Test
    void aSecondShutdownDoesNothing() throws Exception {
        try (LogCapture log = LogCapture.of(PoolingHttpClientConnectionManager.class)) {
            manager.close();
            manager.shutdown();
            manager.close();
            assertEquals("[Connection manager is shutting down, Connection manager shut down]", log.messages().toString());
        }
    }

    @Test
    void toCloseAManagerIsToShutItDown() {
        manager.close();
        assertThrows(IllegalStateException.class, () -> manager.requestConnection(new HttpRoute(new HttpHost("127.0.0.1")), null));
    }

    @Test
    void whatIsAskedAfterwardsIsAnsweredQuietly() throws IOException {
        manager.shutdown();
        manager.closeExpiredConnections();
        manager.setMaxTotal(5);
        assertEquals(5, manager.getMaxTotal());
        manager.enumAvailable(entry -> {
            throw new AssertionError("nothing is left: " + entry);
        });
    }

    /** Whatever the class of a connection makes of being shut down before it is opened. */
    @Test
    void aConnectionThatIsOpenedAfterwardsIsClosed() throws Exception {
        LeaseholdHttpClientConnectionManager[] manager = new LeaseholdHttpClientConnectionManager[1];
        HttpClientConnectionOperator plain = new DefaultHttpClientConnectionOperator(
                RegistryBuilder.<ConnectionSocketFactory>create().register("http", PlainConnectionSocketFactory.getSocketFactory()).build(),
                null, null);
        manager[0] = new LeaseholdHttpClientConnectionManager(new HttpClientConnectionOperator() {
            @Override
            public void connect(ManagedHttpClientConnection connection, HttpHost host, InetSocketAddress local, int timeout,
                    SocketConfig config, HttpContext context) throws IOException {
                manager[0].shutdown();
                plain.connect(connection, host, local, timeout, config, context);
            }

            @Override
            public void upgrade(ManagedHttpClientConnection connection, HttpHost host, HttpContext context) {
                throw new AssertionError("no tunnel was asked for");
            }
        }, (to, config) -> new DefaultManagedHttpClientConnection("forgetful", 8192) {
            @Override
            public void shutdown() throws IOException {
                close();
            }
        }, -1, TimeUnit.MILLISECONDS);
        try (Loopback server = new Loopback()) {
            HttpClientConnection connection = lease(manager[0], server.route(), null);
            assertThrows(ConnectionShutdownException.class,
                    () -> manager[0].connect(connection, server.route(), 1000, new BasicHttpContext()));
            assertEquals(-1, server.accept().getInputStream().read());
            keep(manager[0], connection);
            assertEquals(0, manager[0].getTotalStats().getLeased());
        }
    }

    @Test
    void whatIsReleasedAndCollectedWhileOthersAreResetIsPassedOver() throws Exception {
        HttpRoute route = new HttpRoute(new HttpHost("127.0.0.1"));
        HttpClientConnection[] held = new HttpClientConnection[2];
        List<WeakReference<Object>> own = new ArrayList<>();
        AtomicInteger resets = new AtomicInteger();
        LeaseholdHttpClientConnectionManager[] manager = new LeaseholdHttpClientConnectionManager[1];
        manager[0] = new LeaseholdHttpClientConnectionManager((to, config) -> {
            DefaultManagedHttpClientConnection made = new DefaultManagedHttpClientConnection("one of two", 8192) {
                @Override
                public void shutdown() throws IOException {
                    super.shutdown();
                    if (resets.incrementAndGet() == 1) {
                        keep(manager[0], held[0]);
                        keep(manager[0], held[1]);
                        try {
                            Eventually.awaitAfterCollection("the other to go", () -> own.stream().anyMatch(each -> each.get() == null));
                        } catch (Exception e) {
                            throw new AssertionError(e);
                        }
                    }
                }
            };
            own.add(new WeakReference<>(made));
            return made;
        });
        held[0] = lease(manager[0], route, null);
        held[1] = lease(manager[0], route, null);
        manager[0].shutdown();
        assertEquals(1, resets.get());
    }

    @Test
    void atAnyMomentItLeavesNoSocketOpenAndEndsAllRequests() throws Exception {
        try (ScriptedServer server = ScriptedServer.plain()) {
            for (int round = 0; round < ROUNDS; round++) {
                LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();
                CloseableHttpClient client = HttpClients.custom().setConnectionManager(manager).disableAutomaticRetries().build();
                long spin = 50_000L * round;
                Threads.run(THREADS + 1, thread -> () -> {
                    if (thread == THREADS) {
                        long end = System.nanoTime() + spin;
                        while (System.nanoTime() < end) {
                            Thread.yield();
                        }
                        manager.shutdown();
                        return null;
                    }
                    while (true) {
                        HttpGet get = new HttpGet("http://127.0.0.1:" + server.port() + (thread == 0 ? "/close" : "/ok"));
                        try (CloseableHttpResponse response = client.execute(get)) {
                            EntityUtils.consume(response.getEntity());
                        } catch (IOException e) {
                            // Its connection was closed under it. The next one is told why.
                        } catch (IllegalStateException e) {
                            if (Stage.isClosedInTheWordsOfTheFirst(e)) {
                                continue;
                            }
                            assertEquals("Connection pool shut down", e.getMessage());
                            return null;
                        }
                    }
                });
                assertEquals("[leased: 0; pending: 0; available: 0; max: 20]", manager.getTotalStats().toString());
            }
            Eventually.await("the server to see every connection end",
                    () -> server.peers().stream().allMatch(ScriptedServer.Peer::hasEnded));
        }
    }
}
