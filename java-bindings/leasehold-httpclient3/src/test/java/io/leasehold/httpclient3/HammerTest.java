package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.commons.httpclient.ConnectionPoolTimeoutException;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.protocol.Protocol;
import org.junit.jupiter.api.Test;

/** Many threads on one multi-threaded manager, with waits, timeouts, interrupts, closed connections and changing limits. */
class HammerTest {
    private static final int THREADS = 12;
    private static final int ROUNDS = 400;
    private static final int TOTAL = 5;

    @Test
    void noConnectionIsLeasedTwiceNoLimitExceededAndNoPlaceLost() throws Exception {
        LeaseholdMultiThreadedHttpConnectionManager manager = new LeaseholdMultiThreadedHttpConnectionManager();
        manager.getParams().setDefaultMaxConnectionsPerHost(3);
        manager.getParams().setMaxTotalConnections(TOTAL);
        Protocol memory = new Protocol("http", new MemorySocketFactory(), 80);
        Set<Integer> inUse = ConcurrentHashMap.newKeySet();
        AtomicInteger leased = new AtomicInteger();
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        List<Future<Void>> done = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            Random random = new Random(i);
            done.add(threads.submit(() -> {
                for (int round = 0; round < ROUNDS; round++) {
                    if (random.nextInt(20) == 0) {
                        Thread.currentThread().interrupt();
                    }
                    HttpConnection connection;
                    try {
                        connection = manager.getConnectionWithTimeout(host(random.nextInt(3), memory), 1 + random.nextInt(3));
                    } catch (ConnectionPoolTimeoutException | IllegalThreadStateException e) {
                        continue;
                    } finally {
                        Thread.interrupted();
                    }
                    assertTrue(leased.incrementAndGet() <= TOTAL);
                    if (!connection.isOpen()) {
                        connection.open();
                    }
                    int number = NumberedSocketFactory.number(connection);
                    assertTrue(inUse.add(number), "leased twice");
                    if (random.nextInt(4) == 0) {
                        Thread.yield();
                    }
                    if (random.nextInt(10) == 0) {
                        connection.close();
                    }
                    inUse.remove(number);
                    leased.decrementAndGet();
                    connection.releaseConnection();
                    connection.releaseConnection();
                    if (random.nextInt(50) == 0) {
                        manager.closeIdleConnections(0);
                    }
                }
                return null;
            }));
        }
        for (Future<Void> each : done) {
            each.get();
        }
        threads.shutdown();
        assertTrue(manager.getConnectionsInPool() <= TOTAL);
        manager.closeIdleConnections(0);
        assertEquals(0, manager.getConnectionsInPool());
        List<HttpConnection> all = new ArrayList<>();
        for (int i = 0; i < TOTAL; i++) {
            all.add(manager.getConnectionWithTimeout(host(i % 3, memory), 1));
        }
        all.forEach(HttpConnection::releaseConnection);
        manager.shutdown();
    }

    private static HostConfiguration host(int number, Protocol protocol) {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost("host" + number, 80, protocol);
        return configuration;
    }
}
