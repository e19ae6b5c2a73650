package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
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
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.impl.bootstrap.AsyncRequesterBootstrap;
import org.apache.hc.core5.http.impl.bootstrap.HttpAsyncRequester;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.PoolStats;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.api.condition.DisabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Interrupts, cancellations, timeouts, openings and closes that race with endpoints that come: 100,000 requests to the asynchronous
 * manager, and some where connections may be shared. Each request is answered once.
 */
@DisabledIf(value = "io.leasehold.httpclient5.PoolStage#isBeforeTheLast", disabledReason = "it takes long, and asks the same of the pool")
class AsyncManagerHammerTest {
    private static final int THREADS = 8;
    private static final int ROUNDS = 12_500;
    private static final int TOTAL = 3;

    private final AtomicInteger inUse = new AtomicInteger();
    private final AtomicInteger unanswered = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final HttpAsyncRequester reactor = AsyncRequesterBootstrap.bootstrap().create();
    private LeaseholdAsyncClientConnectionManager manager;

    @ParameterizedTest(name = "shared: {0}")
    @ValueSource(booleans = {false, true})
    void noPlaceIsLostAndNoLimitExceeded(boolean isSharing) throws Exception {
        manager = LeaseholdAsyncClientConnectionManagerBuilder.create()
                .setMaxConnTotal(TOTAL).setMaxConnPerRoute(2).setMessageMultiplexing(isSharing).build();
        reactor.start();
        ExecutorService others = Executors.newFixedThreadPool(2);
        try (LogCapture log = LogCapture.of(PoolingAsyncClientConnectionManager.class.getName());
                ScriptedServer server = ScriptedServer.plain()) {
            HttpRoute[] routes = {new HttpRoute(new HttpHost("http", "localhost", server.port())),
                new HttpRoute(new HttpHost("http", "127.0.0.1", server.port()))};
            Threads.run(THREADS, i -> () -> {
                Random random = new Random(i);
                for (int round = 0; round < (isSharing ? ROUNDS / 8 : ROUNDS); round++) {
                    request(routes[random.nextInt(2)], random, others);
                }
                return null;
            });
            Eventually.await("every request to be answered", () -> unanswered.get() == 0);
            others.shutdown();
            assertTrue(others.awaitTermination(2, TimeUnit.MINUTES));
            if (failure.get() != null) {
                throw new AssertionError(failure.get());
            }
            PoolStats stats = manager.getTotalStats();
            assertEquals(0, stats.getLeased());
            assertEquals(0, stats.getPending());
            assertTrue(stats.getAvailable() <= TOTAL);
            List<AsyncConnectionEndpoint> all = new ArrayList<>();
            for (int i : new int[] {0, 0, 1}) {
                all.add(manager.lease("last", routes[i], null, Timeout.ofMinutes(1), null).get());
            }
            all.forEach(each -> manager.release(each, null, TimeValue.NEG_ONE_MILLISECOND));
            System.gc();
            // What the collector would have given back was lost.
            assertEquals(Collections.emptyList(),
                    log.lines().stream().filter(line -> line.contains("garbage")).collect(Collectors.toList()));
        } finally {
            others.shutdownNow();
            manager.close(CloseMode.IMMEDIATE);
            reactor.close(CloseMode.IMMEDIATE);
        }
    }

    private void request(HttpRoute route, Random random, ExecutorService others) throws Exception {
        Object state = random.nextInt(8) == 0 ? "somebody" : null;
        unanswered.incrementAndGet();
        Future<AsyncConnectionEndpoint> request = manager.lease("id", route, state,
                random.nextBoolean() ? Timeout.ofMilliseconds(1) : Timeout.ofMinutes(3), new Using(random.nextInt()));
        HammerTest.disturb(random, others, () -> request.cancel(true));
        try {
            request.get(random.nextInt(4), TimeUnit.MILLISECONDS);
        } catch (InterruptedException | TimeoutException e) {
            request.cancel(true);
        } catch (ExecutionException | CancellationException e) {
            // So it goes.
        } finally {
            Thread.interrupted();
        }
    }

    /** Uses an endpoint for a moment, on whichever thread it comes. */
    private final class Using implements FutureCallback<AsyncConnectionEndpoint> {
        private final Random random;
        private final AtomicInteger answers = new AtomicInteger();

        Using(int seed) {
            random = new Random(seed);
        }

        @Override
        public void completed(AsyncConnectionEndpoint endpoint) {
            check(() -> {
                assertEquals(1, answers.incrementAndGet(), "answers");
                assertTrue(inUse.incrementAndGet() <= TOTAL, "more than the limit");
                PoolStats stats = manager.getTotalStats();
                assertTrue(stats.getLeased() + stats.getAvailable() <= TOTAL, stats::toString);
            });
            if (!endpoint.isConnected() && random.nextInt(100) == 0) {
                connect(endpoint);
            } else {
                release(endpoint);
            }
        }

        private void connect(AsyncConnectionEndpoint endpoint) {
            Future<?> connected = manager.connect(endpoint, reactor, Timeout.ofMinutes(1), null, HttpClientContext.create(),
                    new FutureCallback<AsyncConnectionEndpoint>() {
                        @Override
                        public void completed(AsyncConnectionEndpoint result) {
                            release(endpoint);
                        }

                        @Override
                        public void failed(Exception e) {
                            release(endpoint);
                        }

                        @Override
                        public void cancelled() {
                            release(endpoint);
                        }
                    });
            if (random.nextInt(3) == 0) {
                connected.cancel(true);
            }
        }

        private void release(AsyncConnectionEndpoint endpoint) {
            if (random.nextInt(20) == 0) {
                endpoint.close(CloseMode.IMMEDIATE);
            }
            inUse.decrementAndGet();
            manager.release(endpoint, random.nextInt(6) == 0 ? "somebody" : null, TimeValue.NEG_ONE_MILLISECOND);
            unanswered.decrementAndGet();
        }

        private void check(Runnable checks) {
            try {
                checks.run();
            } catch (Throwable e) {
                failure.compareAndSet(null, e);
            }
        }

        @Override
        public void failed(Exception e) {
            ended();
        }

        @Override
        public void cancelled() {
            ended();
        }

        private void ended() {
            check(() -> assertEquals(1, answers.incrementAndGet(), "answers"));
            unanswered.decrementAndGet();
        }
    }
}
