package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class DeadlineTest {
    private final ManualClock clock = new ManualClock();

    @Test
    void timeCountsFromWhenItIsSeenThatTheRequestMustWait() {
        Deadline deadline = new Deadline(5, TimeUnit.SECONDS, clock);
        clock.advance(60, TimeUnit.SECONDS);
        deadline.begin();
        clock.advance(2, TimeUnit.SECONDS);
        deadline.begin();
        assertEquals(TimeUnit.SECONDS.toNanos(3), deadline.nanosLeft());
    }

    @Test
    void whoAsksHowMuchIsLeftHasItBegin() {
        Deadline deadline = new Deadline(5, TimeUnit.SECONDS, clock);
        assertEquals(TimeUnit.SECONDS.toNanos(5), deadline.nanosLeft());
        clock.advance(5, TimeUnit.SECONDS);
        assertEquals(0, deadline.nanosLeft());
    }

    @Test
    void withoutEndAndWithoutAnyTimeAreThemselves() {
        Deadline endless = new Deadline(Long.MAX_VALUE, TimeUnit.NANOSECONDS, clock);
        Deadline none = new Deadline(-7, TimeUnit.DAYS, clock);
        endless.begin();
        none.begin();
        assertEquals(Long.MAX_VALUE, endless.nanosLeft());
        assertEquals(0, none.nanosLeft());
    }
}
