package io.leasehold;

/** Numbers of a pool or of one of its routes at one moment. Immutable. */
public final class Stats {
    private final int leased;
    private final int pending;
    private final int available;
    private final int max;

    Stats(int leased, int pending, int available, int max) {
        this.leased = leased;
        this.pending = pending;
        this.available = available;
        this.max = max;
    }

    /**
     * Connections that are leased or being opened.
     *
     * @return a number, never negative
     */
    public int leased() {
        return leased;
    }

    /**
     * Requests that wait for a connection.
     *
     * @return a number, never negative
     */
    public int pending() {
        return pending;
    }

    /**
     * Idle connections, those included that have expired and were not noticed yet.
     *
     * @return a number, never negative
     */
    public int available() {
        return available;
    }

    /**
     * The limit for leased and idle connections together.
     *
     * @return the limit, {@link Integer#MAX_VALUE} for none
     */
    public int max() {
        return max;
    }

    @Override
    public String toString() {
        return "[leased: " + leased + "; pending: " + pending + "; available: " + available + "; max: " + max + "]";
    }
}
