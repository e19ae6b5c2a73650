package io.leasehold.internal.housekeeping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.ConnectionPool;
import io.leasehold.internal.natives.Effects;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What is undone when an object has gone is undone once. */
class AttendanceTest {
    private final AtomicInteger undone = new AtomicInteger();

    @BeforeAll
    static void prepareTheHousekeeper() {
        ConnectionPool.<String, String>builder((connection, cause) -> {}).build().tryLease("a").discard();
    }

    /** Whoever needs the thread, or no more, says so inside this monitor. */
    @Test
    void theHousekeeperIsNeededForAsLongAsItIsToStay() {
        synchronized (HousekeeperThread.class) {
            int before = HousekeeperThread.needs;
            Attendance stays = Attendance.of(this, undone::incrementAndGet, true);
            assertEquals(before + 1, HousekeeperThread.needs);
            Attendance goes = Attendance.of(this, undone::incrementAndGet, false);
            assertEquals(before + 1, HousekeeperThread.needs);
            goes.end();
            assertEquals(before + 1, HousekeeperThread.needs);
            stays.end();
            stays.end();
            assertEquals(before, HousekeeperThread.needs);
        }
    }

    @Test
    void whatWasUndoneIsNotUndoneAgain() {
        Attendance attendance = Attendance.of(this, undone::incrementAndGet, true);
        attendance.end();
        attendance.end();
        // As if the object had been collected meanwhile.
        attendance.collected(new Effects());
        assertEquals(1, undone.get());
    }

    @Test
    void whatIsCollectedIsUndoneOnAnotherThread() throws Exception {
        Thread[] thread = new Thread[1];
        Attendance attendance = Attendance.of(this, () -> {
            thread[0] = Thread.currentThread();
            undone.incrementAndGet();
        }, true);
        attendance.collected(new Effects());
        // Told again, as it is if the housekeeper was cut off.
        attendance.collected(new Effects());
        Eventually.await("it is undone", () -> undone.get() > 0);
        assertEquals("leasehold-disposer", thread[0].getName());
        attendance.end();
        assertEquals(1, undone.get());
    }

    @Test
    void whatFailsToBeUndoneIsLogged() {
        RuntimeException failure = new IllegalStateException("of the test's own making");
        try (LogCapture log = LogCapture.of("io.leasehold.ConnectionPool")) {
            Attendance.of(this, () -> {
                throw failure;
            }, false).end();
            assertTrue(log.thrown().contains(failure));
        }
    }

    /** Has taken what it is given when it runs out of memory. */
    private static final class Full extends HashSet<Attendance> {
        private static final long serialVersionUID = 1;

        @Override
        public boolean add(Attendance added) {
            super.add(added);
            throw new OutOfMemoryError("of the test's own making");
        }
    }

    /** Else the housekeeper would be needed once less than it is, and go while a pool needs it. */
    @Test
    void whatWasNotTakenOnIsNotUndoneThoughItIsStillKnown() {
        Set<Attendance> full = new Full();
        synchronized (HousekeeperThread.class) {
            int before = HousekeeperThread.needs;
            assertThrows(OutOfMemoryError.class, () -> Attendance.of(this, undone::incrementAndGet, true, full));
            assertEquals(before, HousekeeperThread.needs);
            full.iterator().next().end();
            assertEquals(before, HousekeeperThread.needs);
        }
        assertEquals(0, undone.get());
    }
}
