package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** How long things took is told by each pool, to the microsecond as far as its clock has them. */
class HistogramTest {
    private final ManualClock clock = new ManualClock();

    private ConnectionPool.Builder<String, Connection> builder() {
        return ConnectionPool.<String, Connection>builder(new Disposals()).manualClock(clock);
    }

    private Lease<Connection> open(ConnectionPool<String, Connection> pool, long after) {
        Lease<Connection> lease = pool.tryLease("a");
        if (lease.isVacancy()) {
            clock.advance(after, TimeUnit.MILLISECONDS);
            lease.opened(new Connection("a"));
        }
        return lease;
    }

    @Test
    void aPoolThatHadNoLeaseHasNoTimes() {
        Metrics metrics = builder().build().metrics();
        for (Histogram none : new Histogram[] {metrics.waiting(), metrics.opening(), metrics.held()}) {
            assertEquals("[count: 0; sum: 0 us; median: 0 us; 99 %: 0 us; max: 0 us]", none.toString());
        }
    }

    @Test
    void anOpeningIsMeasuredFromTheVacancyToTheOpenConnection() {
        ConnectionPool<String, Connection> pool = builder().build();
        Lease<Connection> lease = open(pool, 30);
        clock.advance(1, TimeUnit.SECONDS);
        lease.reopen();
        clock.advance(5, TimeUnit.MILLISECONDS);
        lease.opened(new Connection("a"));
        pool.tryLease("a").discard();
        assertEquals("[count: 2; sum: 35000 us; median: 5119 us; 99 %: 30000 us; max: 30000 us]", pool.metrics().opening().toString());
        assertEquals(0, pool.metrics("a").opening().count(), "a route has no times");
    }

    @Test
    void whatIsConnectedLaterIsMeasuredByWhoeverConnectsAlone() {
        ConnectionPool<String, Connection> pool = builder().connectsLater().build();
        pool.recordOpening(1);
        assertEquals(0, pool.metrics().opening().count(), "there was no lease");
        Lease<Connection> lease = open(pool, 30);
        assertEquals(0, pool.metrics().opening().count());
        assertEquals(1, pool.metrics().opened());
        long began = pool.nanoTime();
        clock.advance(7, TimeUnit.MILLISECONDS);
        pool.recordOpening(pool.nanoTime() - began);
        pool.recordOpening(-1);
        Histogram opening = pool.metrics().opening();
        assertEquals(2, opening.count());
        assertEquals(7_000, opening.sum(TimeUnit.MICROSECONDS));
        lease.discard();
    }

    @Test
    void whereNoTestHasTheClockItIsTheMachines() {
        ConnectionPool<String, Connection> pool = ConnectionPool.<String, Connection>builder(new Disposals()).build();
        long before = System.nanoTime();
        long now = pool.nanoTime();
        assertTrue(now - before >= 0 && System.nanoTime() - now >= 0, now + " after " + before);
    }

    @Test
    void aWaitIsMeasuredToItsEndHoweverItEnds() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        Lease<Connection> lease = open(pool, 0);
        CompletableFuture<Lease<Connection>> served = pool.leaseAsync("a", null, 1, TimeUnit.HOURS);
        CompletableFuture<Lease<Connection>> cancelled = pool.leaseAsync("a", null, 1, TimeUnit.HOURS);
        assertEquals(0, pool.metrics().waiting().count(), "they wait still");
        clock.advance(10, TimeUnit.MILLISECONDS);
        lease.release();
        clock.advance(10, TimeUnit.MILLISECONDS);
        cancelled.cancel(false);
        served.get(1, TimeUnit.MINUTES).release();
        Histogram waiting = pool.metrics().waiting();
        assertEquals(2, waiting.count());
        assertEquals(30, waiting.sum(TimeUnit.MILLISECONDS));
        assertEquals(20, waiting.max(TimeUnit.MILLISECONDS));
    }

    @Test
    void whatIsHeldIsMeasuredWhereThatIsAskedForBeforeTheFirstLeaseToo() {
        ConnectionPool<String, Connection> pool = builder().build();
        pool.measureHeld(true);
        for (int millis = 1; millis <= 100; millis++) {
            Lease<Connection> lease = open(pool, 7);
            clock.advance(millis, TimeUnit.MILLISECONDS);
            lease.release();
        }
        pool.measureHeld(false);
        open(pool, 0).release();
        Histogram held = pool.metrics().held();
        assertEquals(100, held.count());
        assertEquals(5050, held.sum(TimeUnit.MILLISECONDS));
        assertEquals(100_000, held.quantile(1, TimeUnit.MICROSECONDS));
        assertEquals(1_000, held.quantile(Double.NaN, TimeUnit.MICROSECONDS), 1_000 / 8);
        long median = held.quantile(0.5, TimeUnit.MICROSECONDS);
        assertTrue(median >= 50_000 && median <= 50_000 + 50_000 / 8, held.toString());
    }

    @Test
    void aTimeIsInTheRangeWhoseEndIsTold() {
        ConnectionPool<String, Connection> pool = builder().build();
        long micros = 0;
        for (long millis = 0; micros < TimeUnit.HOURS.toMicros(2); millis = millis * 9 / 8 + 1) {
            micros = TimeUnit.MILLISECONDS.toMicros(millis);
            Histogram before = pool.metrics().opening();
            open(pool, millis).discard();
            Histogram after = pool.metrics().opening();
            int range = 0;
            while (after.count(range) == before.count(range)) {
                range++;
            }
            assertTrue(micros <= Histogram.endOfRange(range, TimeUnit.MICROSECONDS), micros + " in " + range);
            assertTrue(range == 0 || micros > Histogram.endOfRange(range - 1, TimeUnit.MICROSECONDS), micros + " in " + range);
        }
        assertEquals(Long.MAX_VALUE, Histogram.endOfRange(Histogram.RANGES - 1, TimeUnit.MICROSECONDS));
        assertTrue(pool.metrics().opening().count(Histogram.RANGES - 1) > 0, "the last was reached");
    }

    @Test
    void whatIsNoRangeOrNoUnitIsRefused() {
        Histogram none = builder().build().metrics().held();
        assertThrows(IndexOutOfBoundsException.class, () -> none.count(-1));
        assertThrows(IndexOutOfBoundsException.class, () -> none.count(Histogram.RANGES));
        assertThrows(IndexOutOfBoundsException.class, () -> Histogram.endOfRange(Histogram.RANGES, TimeUnit.SECONDS));
        assertThrows(IllegalArgumentException.class, () -> none.sum(null));
        assertThrows(IllegalArgumentException.class, () -> none.max(null));
        assertThrows(IllegalArgumentException.class, () -> none.quantile(0.5, null));
        assertThrows(IllegalArgumentException.class, () -> Histogram.endOfRange(0, null));
    }

    @Test
    void theLastRangeHasNoEndInAnyUnit() {
        for (TimeUnit unit : TimeUnit.values()) {
            assertEquals(Long.MAX_VALUE, Histogram.endOfRange(Histogram.RANGES - 1, unit), unit.toString());
            assertTrue(Histogram.endOfRange(Histogram.RANGES - 2, unit) <= TimeUnit.MINUTES.toNanos(72), unit.toString());
        }
    }
}
