package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class DeadlineTest {
    private final ManualClock clock = new ManualClock();

    @Test
    void timeCountsFromWhenItIsAskedHowMuchIsLeft() {
        Deadline deadline = new Deadline(5, TimeUnit.SECONDS, clock);
        clock.advance(60, TimeUnit.SECONDS);
        assertEquals(TimeUnit.SECONDS.toNanos(5), deadline.nanosLeft());
        clock.advance(2, TimeUnit.SECONDS);
        assertEquals(TimeUnit.SECONDS.toNanos(3), deadline.nanosLeft());
        clock.advance(3, TimeUnit.SECONDS);
        assertEquals(0, deadline.nanosLeft());
    }

    @Test
    void withoutEndAndWithoutAnyTimeAreThemselves() {
        Deadline endless = new Deadline(Long.MAX_VALUE, TimeUnit.NANOSECONDS, clock);
        Deadline none = new Deadline(-7, TimeUnit.DAYS, clock);
        assertEquals(Long.MAX_VALUE, endless.nanosLeft());
        assertEquals(0, none.nanosLeft());
    }
}
