package io.leasehold;

import static java.util.concurrent.TimeUnit.MICROSECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What a bean shows of a pool: each number under its own name. */
class SeenNumbersTest {
    @Test
    void eachNumberIsShownUnderItsName() {
        long[] numbers = new long[Metrics.COUNT_WITH_TIMES];
        for (int i = 0; i < Metrics.COUNT; i++) {
            numbers[i] = 1L << i;
        }
        Metrics metrics = new Metrics(numbers);
        Counters closed = metrics.closed();
        ConnectionPoolNumbers seen = new SeenNumbers(new Stats(1, 2, 3, 4), metrics);
        assertEquals(Arrays.asList(1, 2, 3, 4), Arrays.asList(seen.getLeased(), seen.getPending(), seen.getIdle(), seen.getMax()));
        assertEquals(Arrays.asList(metrics.leases(), metrics.hits(), metrics.handedOver(), metrics.openings(), metrics.waited()),
                Arrays.asList(seen.getLeases(), seen.getHits(), seen.getHandedOver(), seen.getOpenings(), seen.getWaited()));
        assertEquals(Arrays.asList(metrics.timedOut(), metrics.cancelled(), metrics.refused(), metrics.opened(), metrics.unopened()),
                Arrays.asList(seen.getTimedOut(), seen.getCancelled(), seen.getRefused(), seen.getOpened(), seen.getUnopened()));
        assertEquals(Arrays.asList(metrics.kept(), metrics.closedByLease(), metrics.closedByShutdown(), metrics.leaked()),
                Arrays.asList(seen.getKept(), seen.getClosedByLease(), seen.getClosedByShutdown(), seen.getLeaked()));
        assertEquals(Arrays.asList(closed.closedByPeer(), closed.stale(), closed.expired(), closed.idle()),
                Arrays.asList(seen.getClosedByPeer(), seen.getFoundStale(), seen.getClosedExpired(), seen.getClosedIdle()));
        assertEquals(Arrays.asList(closed.evicted(), closed.overLimit(), closed.cleared()),
                Arrays.asList(seen.getClosedEvicted(), seen.getClosedOverLimit(), seen.getClosedCleared()));
    }

    @Test
    void timesAreShownInMicroseconds() {
        // The sum, the longest, and then so many of 0 to 15 microseconds each.
        long[] numbers = new long[Histogram.COUNT];
        numbers[0] = 300;
        numbers[1] = 15;
        numbers[2 + 3] = 60;
        numbers[2 + 7] = 36;
        numbers[2 + 15] = 4;
        ConnectionPoolTimes seen = new SeenTimes(new Histogram(numbers));
        assertEquals(Arrays.asList(100L, 300L, 15L), Arrays.asList(seen.getCount(), seen.getSum(), seen.getMax()));
        assertEquals(Arrays.asList(Histogram.endOfRange(3, MICROSECONDS), Histogram.endOfRange(7, MICROSECONDS), 15L),
                Arrays.asList(seen.getMedian(), seen.getQuantile95(), seen.getQuantile99()));
    }
}
