package io.leasehold.testsupport;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Finds out in which order a pool leases what is idle, and has threads meet at its idle list.
 *
 * @param <L> a lease
 */
public final class LeaseOrder<L> {
    /** At least as many as a pool has idle lists, so that some thread has another than the caller's. */
    private static final int THREADS = 17;

    private final Supplier<L> lease;
    private final Consumer<L> release;

    /**
     * Of a pool that has room for four connections to where this leases.
     *
     * @param lease leases without waiting
     * @param release keeps the connection
     */
    public LeaseOrder(Supplier<L> lease, Consumer<L> release) {
        this.lease = lease;
        this.release = release;
    }

    /** Whether the connection that was released last is leased first, whichever threads have released those that are idle. */
    public boolean isLastInFirstOut(Function<L, Object> connection) throws InterruptedException {
        boolean isExact = true;
        for (int i = 0; i < THREADS; i++) {
            L first = lease.get();
            L second = lease.get();
            Object last = connection.apply(second);
            release.accept(first);
            Thread other = new Thread(() -> release.accept(second));
            other.start();
            other.join();
            L leased = lease.get();
            isExact &= connection.apply(leased).equals(last);
            release.accept(leased);
        }
        return isExact;
    }

    /** Several threads lease and release until the order of their releases is not that of the leases any more. */
    public void meet(Function<L, Object> connection) throws InterruptedException {
        long start = System.nanoTime();
        do {
            if (System.nanoTime() - start > TimeUnit.SECONDS.toNanos(120)) {
                throw new AssertionError("four threads have not met at the idle list");
            }
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                Thread thread = new Thread(() -> {
                    for (int turn = 0; turn < 1000; turn++) {
                        release.accept(lease.get());
                    }
                });
                thread.start();
                threads.add(thread);
            }
            for (Thread thread : threads) {
                thread.join();
            }
        } while (isLastInFirstOut(connection));
    }
}
