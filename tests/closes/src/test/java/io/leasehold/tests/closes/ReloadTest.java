package io.leasehold.tests.closes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.WebServer;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.Threads;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An nginx that is reloaded, as administrators do by day: its old worker closes what is idle. */
class ReloadTest {
    private static final int THREADS = 16;
    private static final int RELOADS = 5;

    @ParameterizedTest
    @EnumSource
    void aReloadBetweenRequestsCostsNone(Ours kind) throws Exception {
        Ours.Client client = kind.client();
        try (Nginx server = Nginx.builder().start()) {
            String url = server.url(WebServer.HELLO);
            CyclicBarrier allIdle = new CyclicBarrier(THREADS);
            Threads.run(THREADS, number -> () -> {
                Random random = new Random(number);
                for (int round = 0; round <= RELOADS; round++) {
                    for (int i = 0; i < 10; i++) {
                        send(client, url, random);
                    }
                    if (allIdle.await() == 0) {
                        server.reload();
                        server.awaitConnectionsClosed();
                    }
                    allIdle.await();
                }
                return null;
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void aReloadUnderLoadCostsNoRequestThatBeganAfterIt(Ours kind) throws Exception {
        Ours.Client client = kind.client();
        try (Nginx server = Nginx.builder().start()) {
            String url = server.url(WebServer.HELLO);
            // From when to when one may have closed connections; what begins in between may meet it. An odd number is under way.
            AtomicInteger reloads = new AtomicInteger();
            AtomicLong sentAfterwards = new AtomicLong();
            AtomicBoolean isOver = new AtomicBoolean();
            Threads.run(THREADS + 1, number -> () -> {
                if (number == THREADS) {
                    try {
                        for (int i = 0; i < RELOADS; i++) {
                            reloads.incrementAndGet();
                            server.reload();
                            server.awaitOldWorkersGone();
                            reloads.incrementAndGet();
                            long sent = sentAfterwards.get();
                            Eventually.await("requests go on", () -> sentAfterwards.get() >= sent + THREADS);
                        }
                    } finally {
                        isOver.set(true);
                    }
                    return null;
                }
                Random random = new Random(number);
                while (!isOver.get()) {
                    int before = reloads.get();
                    try {
                        send(client, url, random);
                    } catch (Exception e) {
                        assertTrue(before % 2 == 1 || reloads.get() != before, () -> "no reload explains that a request failed: " + e);
                    }
                    sentAfterwards.incrementAndGet();
                }
                return null;
            });
            assertEquals(2 * RELOADS, reloads.get());
        }
    }

    private static void send(Ours.Client client, String url, Random random) throws Exception {
        if (random.nextBoolean()) {
            client.get(url);
        } else {
            client.post(url);
        }
        Thread.sleep(random.nextInt(5));
    }
}
