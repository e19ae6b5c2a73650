package io.leasehold;

/** The numbers of a pool, or of one of its routes, as its bean shows them, read together: those of {@link Stats} and {@link Metrics}. */
public interface ConnectionPoolNumbers {
    /**
     * As {@link Stats#leased()}.
     *
     * @return a number of connections
     */
    int getLeased();

    /**
     * As {@link Stats#available()}.
     *
     * @return a number of connections
     */
    int getIdle();

    /**
     * As {@link Stats#pending()}.
     *
     * @return a number of requests
     */
    int getPending();

    /**
     * As {@link Stats#max()}.
     *
     * @return a number of connections, {@link Integer#MAX_VALUE} for no limit
     */
    int getMax();

    /**
     * As {@link Metrics#leases()}.
     *
     * @return how many requests
     */
    long getLeases();

    /**
     * As {@link Metrics#hits()}.
     *
     * @return how many requests
     */
    long getHits();

    /**
     * As {@link Metrics#handedOver()}.
     *
     * @return how many requests
     */
    long getHandedOver();

    /**
     * As {@link Metrics#openings()}.
     *
     * @return how many requests
     */
    long getOpenings();

    /**
     * As {@link Metrics#waited()}.
     *
     * @return how many requests
     */
    long getWaited();

    /**
     * As {@link Metrics#timedOut()}.
     *
     * @return how many requests
     */
    long getTimedOut();

    /**
     * As {@link Metrics#cancelled()}.
     *
     * @return how many requests
     */
    long getCancelled();

    /**
     * As {@link Metrics#refused()}.
     *
     * @return how many requests
     */
    long getRefused();

    /**
     * As {@link Metrics#opened()}.
     *
     * @return how many connections
     */
    long getOpened();

    /**
     * As {@link Metrics#unopened()}.
     *
     * @return how many vacancies
     */
    long getUnopened();

    /**
     * As {@link Metrics#kept()}.
     *
     * @return how many releases
     */
    long getKept();

    /**
     * As {@link Metrics#closedByLease()}.
     *
     * @return how many connections
     */
    long getClosedByLease();

    /**
     * As {@link Metrics#closedByShutdown()}.
     *
     * @return how many connections
     */
    long getClosedByShutdown();

    /**
     * As {@link Metrics#leaked()}.
     *
     * @return how many leases
     */
    long getLeaked();

    /**
     * As {@link Counters#closedByPeer()}.
     *
     * @return how many connections
     */
    long getClosedByPeer();

    /**
     * As {@link Counters#stale()}.
     *
     * @return how many connections
     */
    long getFoundStale();

    /**
     * As {@link Counters#expired()}.
     *
     * @return how many connections
     */
    long getClosedExpired();

    /**
     * As {@link Counters#idle()}.
     *
     * @return how many connections
     */
    long getClosedIdle();

    /**
     * As {@link Counters#evicted()}.
     *
     * @return how many connections
     */
    long getClosedEvicted();

    /**
     * As {@link Counters#overLimit()}.
     *
     * @return how many connections
     */
    long getClosedOverLimit();

    /**
     * As {@link Counters#cleared()}.
     *
     * @return how many connections
     */
    long getClosedCleared();
}
