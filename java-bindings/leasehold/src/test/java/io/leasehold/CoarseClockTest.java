package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class CoarseClockTest {
    /** No kernel ticks less often. */
    private static final long TICK = 10;

    @Test
    void theCoarseClockIsTheWallClocksLastTick() {
        for (int i = 0; i < 100_000; i++) {
            long before = System.currentTimeMillis();
            long coarse = CoarseClock.currentTimeMillis();
            long after = System.currentTimeMillis();
            assertTrue(before - TICK <= coarse && coarse <= after, before + " " + coarse + " " + after);
        }
    }
}
