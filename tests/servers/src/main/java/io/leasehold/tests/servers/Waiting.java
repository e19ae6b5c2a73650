package io.leasehold.tests.servers;

import java.io.IOException;

/** Waiting for what other processes do, with a deadline that no healthy machine comes near. */
public final class Waiting {
    private static final long DEADLINE_NANOS = 30_000_000_000L;

    private Waiting() {
    }

    /** Something to wait for. */
    public interface Condition {
        /** Whether it has come about. */
        boolean holds() throws IOException;
    }

    /**
     * Waits until the condition holds.
     *
     * @throws IllegalStateException naming {@code what} if it does not within 30 seconds, or if interrupted
     */
    public static void until(String what, Condition condition) throws IOException {
        long start = System.nanoTime();
        while (!condition.holds()) {
            if (System.nanoTime() - start > DEADLINE_NANOS) {
                throw new IllegalStateException("after 30 seconds, still not so: " + what);
            }
            try {
                Thread.sleep(2);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while waiting until " + what, e);
            }
        }
    }
}
