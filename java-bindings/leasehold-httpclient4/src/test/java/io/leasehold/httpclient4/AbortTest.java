package io.leasehold.httpclient4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.leasehold.Watching;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.ScriptedServer;
import io.leasehold.testsupport.TestTls;
import io.leasehold.testsupport.Threads;
import java.io.IOException;
import java.net.Socket;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.config.Registry;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.impl.conn.DefaultManagedHttpClientConnection;
import org.apache.http.util.EntityUtils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A request that is aborted while its connection is opened: it fails with an IOException, as in HttpClient, and leaves nothing behind. */
class AbortTest {
    private static final int THREADS = 4;
    private static final int ROUNDS = 400;
    private static final int ROUTE_LIMIT = 8;

    private final Registry<ConnectionSocketFactory> registry = RegistryBuilder.<ConnectionSocketFactory>create()
            .register("http", PlainConnectionSocketFactory.getSocketFactory())
            .register("https", new SSLConnectionSocketFactory(TestTls.context()))
            .build();
    private LeaseholdHttpClientConnectionManager manager;
    private CloseableHttpClient client;

    @AfterEach
    void stop() {
        manager.shutdown();
    }

    private void use(LeaseholdHttpClientConnectionManager manager) {
        this.manager = manager;
        manager.setDefaultMaxPerRoute(ROUTE_LIMIT);
        client = HttpClients.custom().setConnectionManager(manager).disableAutomaticRetries().build();
    }

    @ParameterizedTest
    @EnumSource
    void anAbortBetweenConnectingAndTheFirstUseIsAnIOException(Watching watching) throws Exception {
        HttpGet[] aborted = new HttpGet[1];
        use(new LeaseholdHttpClientConnectionManager(registry, (route, config) -> new DefaultManagedHttpClientConnection("aborted", 8192) {
            @Override
            public Socket getSocket() {
                // Who has connected asks for the socket.
                Socket socket = super.getSocket();
                aborted[0].abort();
                return socket;
            }
        }));
        manager.setWatching(watching);
        try (ScriptedServer server = ScriptedServer.plain()) {
            aborted[0] = new HttpGet("http://127.0.0.1:" + server.port() + "/ok");
            assertThrows(IOException.class, () -> client.execute(aborted[0]));
            assertNothingIsLeft(server);
        }
    }

    @Test
    void abortsAtAnyMomentAreIOExceptionsLoseNoPlaceAndLeaveNoSocketOpen() throws Exception {
        use(new LeaseholdHttpClientConnectionManager(registry));
        try (ScriptedServer plain = ScriptedServer.plain(); ScriptedServer tls = ScriptedServer.tls()) {
            Threads.run(THREADS, thread -> () -> {
                Random random = new Random(thread);
                String url = thread % 2 == 0 ? "http://127.0.0.1:" + plain.port() : "https://127.0.0.1:" + tls.port();
                for (int round = 0; round < ROUNDS / (1 + thread % 2); round++) {
                    HttpGet get = new HttpGet(url + "/ok");
                    if (random.nextBoolean()) {
                        // So that most requests connect.
                        get.setHeader("Connection", "close");
                    }
                    long spin = random.nextInt(thread % 2 == 0 ? 400_000 : 4_000_000);
                    Thread aborter = new Thread(() -> {
                        long end = System.nanoTime() + spin;
                        while (System.nanoTime() < end) {
                            Thread.yield();
                        }
                        get.abort();
                    });
                    aborter.start();
                    try (CloseableHttpResponse response = client.execute(get)) {
                        EntityUtils.consume(response.getEntity());
                    } catch (IOException e) {
                        // As it should be; anything else fails the test.
                    } catch (IllegalStateException e) {
                        if (!Stage.isClosedInTheWordsOfTheFirst(e)) {
                            throw e;
                        }
                    }
                    aborter.join();
                }
                return null;
            });
            manager.closeIdleConnections(0, TimeUnit.SECONDS);
            assertNothingIsLeft(plain);
            assertNothingIsLeft(tls);
        }
    }

    private void assertNothingIsLeft(ScriptedServer server) throws Exception {
        assertEquals("[leased: 0; pending: 0; available: 0; max: 20]", manager.getTotalStats().toString());
        Eventually.await("the server to see every connection end",
                () -> server.peers().stream().allMatch(ScriptedServer.Peer::hasEnded));
    }
}
