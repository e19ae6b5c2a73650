package io.leasehold.testsupport;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Waits for what other threads, the collector or the kernel will do soon; never for a time that must have passed. */
public final class Eventually {
    // What takes milliseconds may take a minute on a machine that does much else. Whoever runs tests to see them fail has less patience.
    static final long PATIENCE_SECONDS = Long.getLong("leasehold.test.patienceSeconds", 120);

    private Eventually() {}

    /** Returns as soon as the condition holds; fails the test, naming what was awaited, if it does not within two minutes. */
    public static void await(String what, Callable<Boolean> condition) throws Exception {
        poll(what, condition, () -> {});
    }

    /** As {@link #await}, and runs the garbage collector before each look. */
    public static void awaitAfterCollection(String what, Callable<Boolean> condition) throws Exception {
        poll(what, condition, System::gc);
    }

    /** What a future is completed with soon. */
    public static <T> T get(Future<T> future) throws Exception {
        return future.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    private static void poll(String what, Callable<Boolean> condition, Runnable beforeLooking) throws Exception {
        long start = System.nanoTime();
        do {
            beforeLooking.run();
            if (condition.call()) {
                return;
            }
            Thread.sleep(2);
        } while (System.nanoTime() - start < TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS));
        fail("not within " + PATIENCE_SECONDS + " s: " + what + Threads.stacks("leasehold-"));
    }
}
