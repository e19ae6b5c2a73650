package io.leasehold.httpclient4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Threads;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.conn.ConnectionPoolTimeoutException;
import org.apache.http.conn.ConnectionRequest;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.protocol.BasicHttpContext;
import org.junit.jupiter.api.Test;

/** Many threads on one manager, with waits, timeouts, interrupts, cancellations, closed connections and states. */
class HammerTest {
    private static final int THREADS = 12;
    private static final int ROUNDS = 500;
    private static final int TOTAL = 5;

    @Test
    void noConnectionIsLeasedTwiceNoLimitExceededAndNoPlaceLost() throws Exception {
        LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();
        manager.setDefaultMaxPerRoute(3);
        manager.setMaxTotal(TOTAL);
        Set<String> inUse = ConcurrentHashMap.newKeySet();
        ExecutorService cancellers = Executors.newFixedThreadPool(2);
        try (Loopback server = new Loopback()) {
            HttpRoute[] routes = new HttpRoute[3];
            for (int i = 0; i < routes.length; i++) {
                routes[i] = new HttpRoute(new HttpHost("127.0.0." + (i + 1), server.host().getPort()));
            }
            Threads.run(THREADS, i -> () -> {
                Random random = new Random(i);
                for (int round = 0; round < ROUNDS; round++) {
                    HttpRoute route = routes[random.nextInt(routes.length)];
                    ConnectionRequest request = manager.requestConnection(route, random.nextInt(5) == 0 ? "somebody" : null);
                    if (random.nextInt(10) == 0) {
                        cancellers.execute(request::cancel);
                    }
                    if (random.nextInt(20) == 0) {
                        Thread.currentThread().interrupt();
                    }
                    HttpClientConnection connection;
                    try {
                        connection = request.get(1 + random.nextInt(3), TimeUnit.MILLISECONDS);
                    } catch (ConnectionPoolTimeoutException | InterruptedException | ExecutionException e) {
                        continue;
                    } finally {
                        Thread.interrupted();
                    }
                    String id = ((ManagedHttpClientConnection) connection).getId();
                    assertTrue(inUse.add(id), "leased twice");
                    assertTrue(inUse.size() <= TOTAL);
                    if (!connection.isOpen() && random.nextInt(50) == 0) {
                        manager.connect(connection, server.route(), 1000, new BasicHttpContext());
                        manager.routeComplete(connection, route, new BasicHttpContext());
                    }
                    if (random.nextInt(10) == 0) {
                        connection.close();
                    }
                    inUse.remove(id);
                    manager.releaseConnection(connection, random.nextInt(5) == 0 ? "somebody" : null, 0, null);
                    manager.releaseConnection(connection, null, 0, null);
                }
                return null;
            });
            cancellers.shutdown();
            assertTrue(cancellers.awaitTermination(30, TimeUnit.SECONDS));
            assertEquals(0, manager.getTotalStats().getLeased());
            assertEquals(0, manager.getTotalStats().getPending());
            List<HttpClientConnection> all = new ArrayList<>();
            for (int i = 0; i < TOTAL; i++) {
                all.add(manager.requestConnection(routes[i % routes.length], null).get(1, TimeUnit.MILLISECONDS));
            }
            assertEquals(TOTAL, manager.getTotalStats().getLeased());
            all.forEach(each -> Loopback.keep(manager, each));
        } finally {
            cancellers.shutdownNow();
            manager.shutdown();
        }
    }
}
