package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Threads;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Logger;
import org.apache.commons.httpclient.ConnectionPoolTimeoutException;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.commons.httpclient.protocol.Protocol;
import org.junit.jupiter.api.Test;

/** Many threads on one manager of either kind, with waits, timeouts, interrupts, closed connections and changing limits. */
class HammerTest {
    private static final int THREADS = 12;
    private static final int ROUNDS = 400;
    private static final int TOTAL = 5;
    private static final int LIVES = 10;

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
                    HttpConnection connection = leaseOpen(manager, host(random.nextInt(3), memory), random);
                    if (connection == null) {
                        continue;
                    }
                    assertTrue(leased.incrementAndGet() <= TOTAL);
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

    /** As above, where threads also lease while they hold, release for each other, shut the manager down and die without a release. */
    @Test
    void aSharedSimpleManagerLeasesNothingTwiceAndLosesNoPlace() throws Exception {
        // Who leases while holding is warned, here a thousand times.
        Logger log = Logger.getLogger(SimpleHttpConnectionManager.class.getName());
        log.setUseParentHandlers(false);
        try {
            hammerSharedSimpleManager();
        } finally {
            log.setUseParentHandlers(true);
        }
    }

    private static void hammerSharedSimpleManager() throws Exception {
        LeaseholdHttpConnectionManager manager = new LeaseholdHttpConnectionManager();
        manager.getParams().setMaxTotalConnections(TOTAL);
        Protocol memory = new Protocol("http", new MemorySocketFactory(), 80);
        Set<Integer> inUse = ConcurrentHashMap.newKeySet();
        AtomicInteger leased = new AtomicInteger();
        Threads.run(THREADS, number -> () -> {
            ExecutorService other = Executors.newSingleThreadExecutor();
            for (int life = 0; life < LIVES; life++) {
                Random random = new Random(number * LIVES + life);
                FutureTask<Void> task = new FutureTask<>(() -> {
                    for (int round = 0; round < ROUNDS / LIVES; round++) {
                        HttpConnection connection = leaseOpen(manager, host(random.nextInt(3), memory), random);
                        if (connection == null) {
                            continue;
                        }
                        assertTrue(leased.incrementAndGet() <= TOTAL);
                        int socket = NumberedSocketFactory.number(connection);
                        assertTrue(inUse.add(socket), "leased twice");
                        if (random.nextInt(4) == 0) {
                            Thread.yield();
                        }
                        inUse.remove(socket);
                        leased.decrementAndGet();
                        if (random.nextInt(10) == 0) {
                            // Perhaps another connection, and then perhaps none: the one before is given up first.
                            connection = leaseOpen(manager, host(random.nextInt(3), memory), random);
                        }
                        if (connection == null || round == ROUNDS / LIVES - 1 && random.nextBoolean()) {
                            continue;
                        }
                        if (random.nextInt(10) == 0) {
                            connection.close();
                        }
                        if (random.nextInt(10) == 0) {
                            other.submit(connection::releaseConnection).get();
                        } else {
                            connection.releaseConnection();
                        }
                        meddle(manager, host(random.nextInt(3), memory), random);
                    }
                    return null;
                });
                Thread thread = new Thread(task);
                thread.start();
                thread.join();
                task.get();
            }
            other.shutdown();
            return null;
        });
        // Every place can be had, also those that the dead have left.
        manager.getParams().clear();
        manager.getParams().setMaxTotalConnections(TOTAL);
        CyclicBarrier allHold = new CyclicBarrier(TOTAL);
        Threads.run(TOTAL, number -> () -> {
            HttpConnection connection = manager.getConnectionWithTimeout(host(number % 3, memory), 30_000);
            allHold.await(60, TimeUnit.SECONDS);
            connection.releaseConnection();
            return null;
        });
    }

    /** An open connection, or null if there was none in time. */
    private static HttpConnection leaseOpen(HttpConnectionManager manager, HostConfiguration host, Random random) throws Exception {
        if (random.nextInt(20) == 0) {
            Thread.currentThread().interrupt();
        }
        HttpConnection connection;
        try {
            connection = manager.getConnectionWithTimeout(host, 1 + random.nextInt(3));
        } catch (ConnectionPoolTimeoutException | IllegalThreadStateException e) {
            return null;
        } finally {
            Thread.interrupted();
        }
        if (!connection.isOpen()) {
            connection.open();
        }
        return connection;
    }

    private static void meddle(LeaseholdHttpConnectionManager manager, HostConfiguration host, Random random) {
        switch (random.nextInt(50)) {
            case 0:
                manager.shutdown();
                break;
            case 1:
                manager.closeIdleConnections(0);
                break;
            case 2:
                manager.getParams().setMaxTotalConnections(1 + random.nextInt(TOTAL));
                break;
            case 3:
                manager.getParams().setMaxConnectionsPerHost(host, 1 + random.nextInt(TOTAL));
                break;
            default:
        }
    }

    private static HostConfiguration host(int number, Protocol protocol) {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost("host" + number, 80, protocol);
        return configuration;
    }
}
