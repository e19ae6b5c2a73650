package io.leasehold;

/**
 * How many connections a pool has closed of its own accord since it was made: not because their lease asked for it, and not
 * because the pool was shut down. Numbers only grow. Immutable.
 */
public final class Counters {
    // In the order in which the native library hands them over.
    private static final int CLOSED_BY_PEER = 0;
    private static final int STALE = 1;
    private static final int EXPIRED = 2;
    private static final int IDLE = 3;
    private static final int EVICTED = 4;
    private static final int OVER_LIMIT = 5;
    private static final int CLEARED = 6;
    static final int COUNT = 7;

    private final long[] numbers;

    Counters(long[] numbers) {
        this.numbers = numbers;
    }

    /**
     * Connections whose peer had closed them, which the pool was told by the watch.
     *
     * @return how many
     */
    public long closedByPeer() {
        return numbers[CLOSED_BY_PEER];
    }

    /**
     * Connections whose peer had closed them, which only the look at the lease found out.
     *
     * @return how many
     */
    public long stale() {
        return numbers[STALE];
    }

    /**
     * Connections whose keep-alive promise or time to live was over.
     *
     * @return how many
     */
    public long expired() {
        return numbers[EXPIRED];
    }

    /**
     * Connections that were idle for too long.
     *
     * @return how many
     */
    public long idle() {
        return numbers[IDLE];
    }

    /**
     * Connections that made room for one to another route or of another state.
     *
     * @return how many
     */
    public long evicted() {
        return numbers[EVICTED];
    }

    /**
     * Connections that a lowered limit left no room for.
     *
     * @return how many
     */
    public long overLimit() {
        return numbers[OVER_LIMIT];
    }

    /**
     * Connections whose route was cleared, or which the predicate of {@link ConnectionPool#closeIdleIf} found unfit.
     *
     * @return how many
     */
    public long cleared() {
        return numbers[CLEARED];
    }

    @Override
    public String toString() {
        return "[closed by peer: " + closedByPeer() + "; stale: " + stale() + "; expired: " + expired() + "; idle: " + idle()
                + "; evicted: " + evicted() + "; over limit: " + overLimit() + "; cleared: " + cleared() + "]";
    }
}
