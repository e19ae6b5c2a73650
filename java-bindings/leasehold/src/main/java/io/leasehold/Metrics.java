package io.leasehold;

import java.util.Arrays;

/**
 * What has become of the requests and connections of a pool since it was made, or of a route since the pool came to know it. Numbers only
 * grow, and are exact when nothing changes. Times are measured for pools alone: those of a route are none. Immutable.
 */
public final class Metrics {
    // In the order in which the native library hands them over; after them those of Counters.java.
    private static final int HITS = 0;
    private static final int HANDED_OVER = 1;
    private static final int OPENINGS = 2;
    private static final int WAITED = 3;
    private static final int TIMED_OUT = 4;
    private static final int CANCELLED = 5;
    private static final int REFUSED = 6;
    private static final int OPENED = 7;
    private static final int UNOPENED = 8;
    private static final int KEPT = 9;
    private static final int CLOSED_BY_LEASE = 10;
    private static final int CLOSED_BY_SHUTDOWN = 11;
    private static final int LEAKED = 12;
    private static final int CLOSED = 13;
    static final int COUNT = CLOSED + Counters.COUNT;
    // After the counts, where there are any: waiting, opening and held.
    private static final int TIMERS = 3;
    static final int COUNT_WITH_TIMES = COUNT + TIMERS * Histogram.COUNT;

    private final long[] numbers;

    Metrics(long[] numbers) {
        this.numbers = numbers;
    }

    /**
     * Requests that were served: {@link #hits()}, {@link #handedOver()} and {@link #openings()}.
     *
     * @return how many
     */
    public long leases() {
        return hits() + handedOver() + openings();
    }

    /**
     * Requests that were served with a connection that lay idle.
     *
     * @return how many
     */
    public long hits() {
        return numbers[HITS];
    }

    /**
     * Requests that were served with a connection that another had just released: they waited for it.
     *
     * @return how many
     */
    public long handedOver() {
        return numbers[HANDED_OVER];
    }

    /**
     * Requests that were served with a vacancy.
     *
     * @return how many
     */
    public long openings() {
        return numbers[OPENINGS];
    }

    /**
     * Requests that had to wait, however that ended.
     *
     * @return how many
     */
    public long waited() {
        return numbers[WAITED];
    }

    /**
     * Of those that waited: whose time was up first.
     *
     * @return how many
     */
    public long timedOut() {
        return numbers[TIMED_OUT];
    }

    /**
     * Of those that waited: that were cancelled or interrupted first.
     *
     * @return how many
     */
    public long cancelled() {
        return numbers[CANCELLED];
    }

    /**
     * Requests that were refused because as many waited as the pool allows, and those that the pool's shutdown found waiting.
     *
     * @return how many
     */
    public long refused() {
        return numbers[REFUSED];
    }

    /**
     * Connections that were opened, those in the place of one that was found dead included.
     *
     * @return how many
     */
    public long opened() {
        return numbers[OPENED];
    }

    /**
     * Vacancies that were given back without a connection: the opening failed, or was given up.
     *
     * @return how many
     */
    public long unopened() {
        return numbers[UNOPENED];
    }

    /**
     * Releases by which the pool, or a request that waited, got the connection.
     *
     * @return how many
     */
    public long kept() {
        return numbers[KEPT];
    }

    /**
     * Connections that were closed because their lease asked for it, or was lost.
     *
     * @return how many
     */
    public long closedByLease() {
        return numbers[CLOSED_BY_LEASE];
    }

    /**
     * Connections that were closed because the pool was shut down.
     *
     * @return how many
     */
    public long closedByShutdown() {
        return numbers[CLOSED_BY_SHUTDOWN];
    }

    /**
     * Leases that were collected without having been ended.
     *
     * @return how many
     */
    public long leaked() {
        return numbers[LEAKED];
    }

    /**
     * Connections that were closed of the pool's own accord, by cause, and those that only the look at the lease found dead.
     *
     * @return how many of each
     */
    public Counters closed() {
        return new Counters(Arrays.copyOfRange(numbers, CLOSED, COUNT));
    }

    /**
     * How long requests waited that wait no more, however that ended: from when they were queued to when they were answered or gave up. That
     * a thread was woken is not in it. To the microsecond; always measured.
     *
     * @return the times of all requests so far
     */
    public Histogram waiting() {
        return times(0);
    }

    /**
     * How long connections took to be opened: from when a vacancy was granted, or a dead connection found in its place, to when the
     * connection was handed to the pool. A vacancy that came to nothing is not in it. Of a pool that {@linkplain
     * ConnectionPool.Builder#connectsLater connects later}, as those of HttpClient's managers, it is what {@link
     * ConnectionPool#recordOpening} was told. To the microsecond; always measured.
     *
     * @return the times of all connections so far
     */
    public Histogram opening() {
        return times(1);
    }

    /**
     * How long connections were leased whose leases have ended, each since it was leased or, if that was later, opened. Measured where {@link
     * ConnectionPool#measureHeld} has asked for it, by the system's coarse clock: each is off by a tick of it at most, which is 1 to 10
     * milliseconds, so that a lease that is shorter is told as 0 or a tick long.
     *
     * @return the times of all leases while that was asked for
     */
    public Histogram held() {
        return times(2);
    }

    private Histogram times(int timer) {
        int from = COUNT + timer * Histogram.COUNT;
        boolean isRoutes = numbers.length == COUNT;
        return new Histogram(isRoutes ? new long[Histogram.COUNT] : Arrays.copyOfRange(numbers, from, from + Histogram.COUNT));
    }

    @Override
    public String toString() {
        return "[leases: " + leases() + "; hits: " + hits()
                + "; handed over: " + handedOver()
                + "; openings: " + openings()
                + "; waited: " + waited()
                + "; timed out: " + timedOut()
                + "; cancelled: " + cancelled()
                + "; refused: " + refused()
                + "; opened: " + opened()
                + "; unopened: " + unopened()
                + "; kept: " + kept()
                + "; closed by lease: " + closedByLease()
                + "; closed by shutdown: " + closedByShutdown()
                + "; leaked: " + leaked()
                + "; closed: " + closed() + "]";
    }
}
