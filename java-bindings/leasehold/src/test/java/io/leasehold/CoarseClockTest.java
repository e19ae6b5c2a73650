package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import org.junit.jupiter.api.Test;

class CoarseClockTest {
    /** How long a tick takes is the machine's affair: where others have its processor, it may miss some. */
    @Test
    void theCoarseClockIsTheWallClocksLastTick() throws Exception {
        for (int i = 0; i < 100; i++) {
            long before = System.currentTimeMillis();
            long coarse = CoarseClock.currentTimeMillis();
            long after = System.currentTimeMillis();
            assertTrue(coarse <= after, before + " " + coarse + " " + after);
            Eventually.await("a tick", () -> CoarseClock.currentTimeMillis() >= before);
        }
    }
}
