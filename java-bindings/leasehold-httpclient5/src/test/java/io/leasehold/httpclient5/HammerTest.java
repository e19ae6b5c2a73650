package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.LogCapture;
import io.leasehold.testsupport.Threads;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.pool.PoolStats;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Interrupts, cancellations and timeouts that race with entries that come: 100,000 requests, half of them with callbacks. */
class HammerTest {
    private static final int THREADS = 8;
    private static final int ROUNDS = 12_500 / 2;
    private static final int TOTAL = 3;

    private final Set<PoolEntry<String, Conn>> inUse = ConcurrentHashMap.newKeySet();
    private LeaseholdConnPool<String, Conn> pool;

    @ParameterizedTest
    @EnumSource(PoolReusePolicy.class)
    void noEntryIsLeasedTwiceNoLimitExceededAndNoPlaceLost(PoolReusePolicy policy) throws Exception {
        pool = new LeaseholdConnPool<>(2, TOTAL, TimeValue.NEG_ONE_MILLISECOND, policy, null);
        ExecutorService others = Executors.newFixedThreadPool(2);
        AtomicBoolean isOver = new AtomicBoolean();
        try (LogCapture connections = LogCapture.of(Conn.LOGGER); LogCapture log = LogCapture.of(LeaseholdConnPool.class)) {
            Future<?> auditor = Executors.newSingleThreadExecutor(HammerTest::daemon).submit(() -> {
                while (!isOver.get()) {
                    PoolStats stats = pool.getTotalStats();
                    assertTrue(stats.getLeased() + stats.getAvailable() <= TOTAL, stats::toString);
                    Thread.yield();
                }
            });
            Threads.run(THREADS, i -> () -> {
                Random random = new Random(i);
                for (int round = 0; round < ROUNDS; round++) {
                    request(random, others);
                }
                return null;
            });
            others.shutdown();
            assertTrue(others.awaitTermination(2, TimeUnit.MINUTES));
            isOver.set(true);
            auditor.get();
            PoolStats stats = pool.getTotalStats();
            assertEquals(0, stats.getLeased());
            assertEquals(0, stats.getPending());
            assertTrue(stats.getAvailable() <= TOTAL);
            List<PoolEntry<String, Conn>> all = new ArrayList<>();
            for (String route : new String[] {"a", "a", "b"}) {
                all.add(pool.lease(route, null).get(0, TimeUnit.MILLISECONDS));
            }
            all.forEach(each -> pool.release(each, true));
            System.gc();
            // What the collector would have given back was lost.
            assertEquals(Collections.emptyList(), log.lines());
        } finally {
            isOver.set(true);
            others.shutdownNow();
            pool.close(CloseMode.IMMEDIATE);
        }
    }

    private static Thread daemon(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        return thread;
    }

    private void request(Random random, ExecutorService others) throws Exception {
        String route = random.nextBoolean() ? "a" : "b";
        String state = random.nextInt(8) == 0 ? "x" : null;
        Timeout timeout = random.nextBoolean() ? Timeout.of(random.nextInt(2000), TimeUnit.MICROSECONDS) : Timeout.ofMinutes(10);
        boolean hasCallback = random.nextBoolean();
        Future<PoolEntry<String, Conn>> future = pool.lease(route, state, timeout, hasCallback ? releasing() : null);
        disturb(random, others, () -> future.cancel(true));
        try {
            PoolEntry<String, Conn> entry = random.nextInt(4) == 0 ? future.get() : future.get(random.nextInt(3), TimeUnit.MILLISECONDS);
            if (!hasCallback) {
                use(entry, random);
            }
        } catch (InterruptedException e) {
            future.cancel(true);
        } catch (TimeoutException | ExecutionException | CancellationException e) {
            // So it goes.
        } finally {
            Thread.interrupted();
        }
    }

    private void use(PoolEntry<String, Conn> entry, Random random) {
        assertTrue(inUse.add(entry), "leased twice");
        assertTrue(inUse.size() <= TOTAL);
        if (!entry.hasConnection() && random.nextInt(4) > 0) {
            entry.assignConnection(new Conn("c"));
        }
        if (random.nextInt(20) == 0) {
            entry.discardConnection(CloseMode.IMMEDIATE);
        }
        if (random.nextInt(4) == 0) {
            Thread.yield();
        }
        if (random.nextInt(6) == 0) {
            entry.updateState("x");
        }
        inUse.remove(entry);
        pool.release(entry, random.nextInt(10) > 0);
    }

    private FutureCallback<PoolEntry<String, Conn>> releasing() {
        return new FutureCallback<PoolEntry<String, Conn>>() {
            @Override
            public void completed(PoolEntry<String, Conn> entry) {
                use(entry, new Random(entry.getUpdated()));
            }

            @Override
            public void failed(Exception e) {}

            @Override
            public void cancelled() {}
        };
    }

    /** Has another thread cancel a request of this thread's or interrupt it, or interrupts it before it waits, or does neither. */
    static void disturb(Random random, ExecutorService others, Runnable cancel) {
        Thread self = Thread.currentThread();
        switch (random.nextInt(6)) {
            case 0:
                others.execute(cancel);
                break;
            case 1:
                others.execute(self::interrupt);
                break;
            case 2:
                self.interrupt();
                break;
            default:
        }
    }
}
