package io.leasehold.internal.housekeeping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.ConnectionPool;
import io.leasehold.testsupport.Eventually;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When the housekeeper's thread is there. What it does is done as ever, with failures of the test's own making. */
class HousekeeperThreadTest {
    /** What is thrown in the next round, or when it is asked whether something is left. */
    private static final class Failing implements HousekeeperThread.Work {
        final HousekeeperThread.Work work;
        final AtomicInteger rounds = new AtomicInteger();
        final AtomicReference<Error> next = new AtomicReference<>();
        volatile boolean isBusy;
        volatile Error whenAsked;
        volatile boolean wasCurrent;
        volatile Thread last;

        Failing(HousekeeperThread.Work work) {
            this.work = work;
        }

        @Override
        public void round() {
            last = Thread.currentThread();
            wasCurrent = HousekeeperThread.isCurrent();
            rounds.incrementAndGet();
            Error failure = next.getAndSet(null);
            if (failure != null) {
                throw failure;
            }
            work.round();
        }

        @Override
        public boolean isBusy() {
            if (whenAsked != null) {
                throw whenAsked;
            }
            return isBusy || work.isBusy();
        }
    }

    private Failing failing;

    @BeforeAll
    static void prepareTheHousekeeper() {
        ConnectionPool.<String, String>builder((connection, cause) -> {}).build().tryLease("a").discard();
    }

    @BeforeEach
    void failInItsPlace() {
        synchronized (HousekeeperThread.class) {
            failing = new Failing(HousekeeperThread.work);
            HousekeeperThread.does(failing);
        }
    }

    @AfterEach
    void doAsEver() {
        HousekeeperThread.does(failing.work);
    }

    private void awaitRounds(int more) throws Exception {
        int all = failing.rounds.get() + more;
        Eventually.await("it does something", () -> {
            HousekeeperThread.wake();
            return failing.rounds.get() >= all;
        });
    }

    private static void awaitNobodysNeed() throws Exception {
        Eventually.awaitAfterCollection("nobody needs it", () -> !HousekeeperThread.isThere());
    }

    @Test
    void itIsThereForAsLongAsItIsNeeded() throws Exception {
        awaitNobodysNeed();
        HousekeeperThread.need();
        assertTrue(HousekeeperThread.isThere());
        HousekeeperThread.need();
        HousekeeperThread.needNoMore();
        awaitRounds(3);
        assertTrue(failing.wasCurrent);
        assertFalse(HousekeeperThread.isCurrent());
        assertTrue(HousekeeperThread.isThere());
        HousekeeperThread.needNoMore();
        Eventually.await("it is gone", () -> !failing.last.isAlive());
        assertFalse(HousekeeperThread.isThere());
    }

    @Test
    void itGoesNotBeforeItIsDoneWithWhatItHasBegun() throws Exception {
        HousekeeperThread.need();
        awaitRounds(1);
        Thread thread = failing.last;
        failing.isBusy = true;
        HousekeeperThread.needNoMore();
        awaitRounds(3);
        assertSame(thread, failing.last);
        // Nor if it cannot be told.
        failing.whenAsked = new OutOfMemoryError("of the test's own making");
        failing.isBusy = false;
        awaitRounds(3);
        assertSame(thread, failing.last);
        failing.whenAsked = null;
        awaitNobodysNeed();
    }

    @Test
    void anotherTakesThePlaceOfOneThatDies() throws Exception {
        HousekeeperThread.need();
        awaitRounds(1);
        Thread first = failing.last;
        AtomicBoolean isSaid = new AtomicBoolean();
        first.setUncaughtExceptionHandler((thread, failure) -> isSaid.set(true));
        failing.next.set(new StackOverflowError("of the test's own making"));
        Eventually.await("another one is there", () -> {
            HousekeeperThread.wake();
            return failing.last != first;
        });
        Eventually.await("the first one has said what it died of", isSaid::get);
        assertNotSame(first, failing.last);
        assertTrue(HousekeeperThread.isThere());
        HousekeeperThread.needNoMore();
        awaitNobodysNeed();
        assertEquals("leasehold-housekeeper", failing.last.getName());
    }
}
