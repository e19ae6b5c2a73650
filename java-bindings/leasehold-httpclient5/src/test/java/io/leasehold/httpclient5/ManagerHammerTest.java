package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.LogCapture;
import io.leasehold.testsupport.ScriptedServer;
import io.leasehold.testsupport.Threads;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.io.ConnectionEndpoint;
import org.apache.hc.client5.http.io.LeaseRequest;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.PoolStats;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.api.Test;

/** Interrupts, cancellations, timeouts and closes that race with endpoints that come: 100,000 requests to the classic manager. */
class ManagerHammerTest {
    private static final int THREADS = 8;
    private static final int ROUNDS = 12_500;
    private static final int TOTAL = 3;

    private final LeaseholdHttpClientConnectionManager manager =
            LeaseholdHttpClientConnectionManagerBuilder.create().setMaxConnTotal(TOTAL).setMaxConnPerRoute(2).build();
    private final AtomicInteger inUse = new AtomicInteger();

    @Test
    void noPlaceIsLostAndNoLimitExceeded() throws Exception {
        ExecutorService others = Executors.newFixedThreadPool(2);
        try (LogCapture log = LogCapture.of(PoolingHttpClientConnectionManager.class.getName());
                ScriptedServer server = ScriptedServer.plain()) {
            HttpRoute[] routes = {new HttpRoute(new HttpHost("http", "localhost", server.port())),
                new HttpRoute(new HttpHost("http", "127.0.0.1", server.port()))};
            Threads.run(THREADS, i -> () -> {
                Random random = new Random(i);
                for (int round = 0; round < ROUNDS; round++) {
                    request(routes[random.nextInt(2)], random, others);
                }
                return null;
            });
            others.shutdown();
            assertTrue(others.awaitTermination(2, TimeUnit.MINUTES));
            PoolStats stats = manager.getTotalStats();
            assertEquals(0, stats.getLeased());
            assertEquals(0, stats.getPending());
            assertTrue(stats.getAvailable() <= TOTAL);
            List<ConnectionEndpoint> all = new ArrayList<>();
            for (int i : new int[] {0, 0, 1}) {
                all.add(manager.lease("last", routes[i], Timeout.ofSeconds(1), null).get(Timeout.ofSeconds(1)));
            }
            all.forEach(each -> manager.release(each, null, null));
            System.gc();
            // What the collector would have given back was lost.
            assertEquals(Collections.emptyList(),
                    log.lines().stream().filter(line -> line.contains("garbage")).collect(Collectors.toList()));
        } finally {
            others.shutdownNow();
            manager.close(CloseMode.IMMEDIATE);
        }
    }

    private void request(HttpRoute route, Random random, ExecutorService others) throws Exception {
        Object state = random.nextInt(8) == 0 ? "somebody" : null;
        LeaseRequest request = manager.lease("id", route, random.nextBoolean() ? Timeout.ofMilliseconds(1) : Timeout.ofMinutes(3), state);
        HammerTest.disturb(random, others, request::cancel);
        ConnectionEndpoint endpoint;
        try {
            endpoint = request.get(Timeout.ofMilliseconds(random.nextInt(4)));
        } catch (InterruptedException e) {
            // As HttpClient from 5.4 on does, once more.
            request.cancel();
            return;
        } catch (TimeoutException | ExecutionException | CancellationException e) {
            return;
        } finally {
            Thread.interrupted();
        }
        assertTrue(inUse.incrementAndGet() <= TOTAL, "more than the limit");
        PoolStats stats = manager.getTotalStats();
        assertTrue(stats.getLeased() + stats.getAvailable() <= TOTAL, stats::toString);
        if (!endpoint.isConnected() && random.nextInt(200) == 0) {
            manager.connect(endpoint, TimeValue.ofSeconds(60), HttpClientContext.create());
        }
        if (random.nextInt(20) == 0) {
            endpoint.close(CloseMode.IMMEDIATE);
        }
        inUse.decrementAndGet();
        manager.release(endpoint, random.nextInt(6) == 0 ? "somebody" : null,
                random.nextInt(10) == 0 ? null : TimeValue.NEG_ONE_MILLISECOND);
    }
}
