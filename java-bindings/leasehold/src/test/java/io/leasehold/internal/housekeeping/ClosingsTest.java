package io.leasehold.internal.housekeeping;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.ConnectionPool;
import io.leasehold.testsupport.Eventually;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What is done on the disposer's threads, as far as it needs no connection. */
class ClosingsTest {
    private static final int WAITING = 4;

    private final CountDownLatch end = new CountDownLatch(1);

    @BeforeAll
    static void prepareTheHousekeeper() {
        ConnectionPool.<String, String>builder((connection, cause) -> {}).build().tryLease("a").discard();
    }

    /** Waits for the last one. */
    private final class Waiting extends Closings.Task {
        @Override
        protected void run() {
            try {
                end.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Test
    void whileAllThreadsWaitAnotherDoesWhatIsQueued() throws Exception {
        Eventually.await("the threads of other tests are gone", () -> !Closings.isAtWork());
        for (int i = 0; i < WAITING; i++) {
            Closings.add(new Waiting());
        }
        Closings.add(new Closings.Task() {
            @Override
            protected void run() {
                end.countDown();
            }
        });
        assertTrue(Closings.isAtWork());
        Eventually.await("the last one is done", () -> end.getCount() == 0);
        Eventually.await("they go when there is nothing to do", () -> !Closings.isAtWork());
    }
}
