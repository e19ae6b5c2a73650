package io.leasehold.tests.agent.programs;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/** What most of these programs do: requests by several threads that pause for about as long as the server keeps a connection. */
final class Load {
    /** A request. */
    interface Request {
        /** Sends it; throws if it fails. */
        void send() throws Exception;
    }

    private static final int THREADS = 8;
    private static final int REQUESTS = 60;
    private static final int MOST_PAUSE_MILLIS = 80;

    private Load() {}

    /** Prints how many have failed. */
    static void run(Request request) throws Exception {
        AtomicInteger failed = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            Random random = new Random(i);
            Thread thread = new Thread(() -> {
                for (int n = 0; n < REQUESTS; n++) {
                    try {
                        request.send();
                    } catch (Exception e) {
                        if (failed.getAndIncrement() == 0) {
                            e.printStackTrace();
                        }
                    }
                    try {
                        Thread.sleep(random.nextInt(MOST_PAUSE_MILLIS));
                    } catch (InterruptedException e) {
                        return;
                    }
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread each : threads) {
            each.join();
        }
        System.out.println("failed=" + failed);
    }

    static void expect(String wanted, String got) {
        if (!wanted.equals(got)) {
            throw new IllegalStateException(got);
        }
    }
}
