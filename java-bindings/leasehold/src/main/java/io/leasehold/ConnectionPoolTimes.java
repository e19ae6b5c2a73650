package io.leasehold;

/** What a pool's bean shows of a {@link Histogram}, read together. Times are microseconds; a quantile is at most an eighth too long. */
public interface ConnectionPoolTimes {
    /**
     * As {@link Histogram#count()}.
     *
     * @return how many times
     */
    long getCount();

    /**
     * As {@link Histogram#sum}.
     *
     * @return microseconds
     */
    long getSum();

    /**
     * As {@link Histogram#max}.
     *
     * @return microseconds
     */
    long getMax();

    /**
     * As {@link Histogram#quantile} of 0.5.
     *
     * @return microseconds
     */
    long getMedian();

    /**
     * As {@link Histogram#quantile} of 0.95.
     *
     * @return microseconds
     */
    long getQuantile95();

    /**
     * As {@link Histogram#quantile} of 0.99.
     *
     * @return microseconds
     */
    long getQuantile99();
}
