package io.leasehold.tests.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.leasehold.tests.servers.Nginx;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.methods.GetMethod;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Limits as the server sees them. The judge is nginx's own limit_conn, which answers 503 to a request when more than so many connections
 * have one under way. Behind nginx is an application that takes its time, so that requests do overlap.
 */
class LimitsTest {
    private static final int THREADS = 20;
    private static final int REQUESTS = 15;

    private final ExecutorService applicationThreads = Executors.newCachedThreadPool();
    private final AtomicInteger underWay = new AtomicInteger();
    private final AtomicInteger mostUnderWay = new AtomicInteger();
    private final AtomicInteger arrived = new AtomicInteger();
    private HttpServer application;
    /** The first requests wait in the application for each other, so that the limit is reached. */
    private volatile CyclicBarrier first;

    @BeforeEach
    void startApplication() throws Exception {
        application = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        application.setExecutor(applicationThreads);
        application.createContext("/", exchange -> {
            mostUnderWay.accumulateAndGet(underWay.incrementAndGet(), Math::max);
            try {
                if (arrived.incrementAndGet() <= first.getParties()) {
                    first.await(20, TimeUnit.SECONDS);
                }
                Thread.sleep(2);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            underWay.decrementAndGet();
            exchange.sendResponseHeaders(200, 2);
            exchange.getResponseBody().write(new byte[] {'o', 'k'});
            exchange.close();
        });
        application.start();
    }

    @AfterEach
    void stopApplication() {
        application.stop(0);
        applicationThreads.shutdownNow();
    }

    private Nginx nginx(int perPort, int total) throws Exception {
        return Nginx.builder().ports(2)
                .directive("limit_conn_zone $server_port zone=port:1m;")
                .directive("limit_conn_zone $server_addr zone=total:1m;")
                .location("/", "limit_conn port " + perPort + "; limit_conn total " + total + "; limit_conn_status 503;"
                        + " proxy_pass http://127.0.0.1:" + application.getAddress().getPort() + ";")
                .start();
    }

    /** How many of the requests of all threads, to both ports in turn, were answered 503. */
    private int refused(Client client, Nginx server, int ports) throws Exception {
        List<Integer> refused = Threads.run(THREADS, thread -> () -> {
            int n = 0;
            for (int i = 0; i < REQUESTS; i++) {
                GetMethod get = new GetMethod(server.url((thread + i) % ports, "/"));
                try {
                    if (client.http.executeMethod(get) == 503) {
                        n++;
                    } else {
                        assertEquals("ok", get.getResponseBodyAsString());
                    }
                } finally {
                    get.releaseConnection();
                }
            }
            return n;
        });
        return refused.stream().mapToInt(Integer::intValue).sum();
    }

    @ParameterizedTest
    @EnumSource(names = {"STOCK_MULTI_THREADED", "LEASEHOLD_MULTI_THREADED"})
    void aHostGetsAsManyConnectionsAsItsLimit(Manager kind) throws Exception {
        first = new CyclicBarrier(5);
        try (Nginx server = nginx(5, 5)) {
            MultiThreadedHttpConnectionManager manager = kind.makeMultiThreaded(5, 100);
            assertEquals(0, refused(new Client(manager), server, 1));
            assertEquals(5, mostUnderWay.get());
            // None was closed, so none was opened twice.
            assertEquals(5, server.connections());
            assertEquals(5, manager.getConnectionsInPool());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"STOCK_MULTI_THREADED", "LEASEHOLD_MULTI_THREADED"})
    void aHostGetsTwoConnectionsUnlessToldOtherwise(Manager kind) throws Exception {
        first = new CyclicBarrier(2);
        try (Nginx server = nginx(2, 2)) {
            assertEquals(0, refused(new Client(kind.make()), server, 1));
            assertEquals(2, server.connections());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"STOCK_MULTI_THREADED", "LEASEHOLD_MULTI_THREADED"})
    void allHostsTogetherGetAsManyConnectionsAsTheTotalLimit(Manager kind) throws Exception {
        first = new CyclicBarrier(5);
        try (Nginx server = nginx(4, 5)) {
            MultiThreadedHttpConnectionManager manager = kind.makeMultiThreaded(4, 5);
            assertEquals(0, refused(new Client(manager), server, 2));
            assertEquals(5, mostUnderWay.get());
            assertTrue(manager.getConnectionsInPool() <= 5);
        }
    }

    @Test
    void theJudgeSeesOneConnectionTooMany() throws Exception {
        // nginx refuses the sixth, so that only five requests can meet in the application.
        first = new CyclicBarrier(5);
        try (Nginx server = nginx(5, 5)) {
            assertTrue(refused(new Client(Manager.STOCK_MULTI_THREADED.makeMultiThreaded(6, 6)), server, 1) > 0);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"LEASEHOLD"})
    void noThreadWaitsForAnotherWithoutALimit(Manager kind) throws Exception {
        first = new CyclicBarrier(THREADS);
        try (Nginx server = nginx(THREADS, THREADS)) {
            assertEquals(0, refused(new Client(kind.make()), server, 1));
            assertEquals(THREADS, mostUnderWay.get());
            assertEquals(THREADS, server.connections());
        }
    }
}
