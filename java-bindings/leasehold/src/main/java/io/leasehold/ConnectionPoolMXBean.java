package io.leasehold;

import java.util.Map;

/**
 * A pool as JMX shows it, where {@link ConnectionPool#registerMBean()} was called or the system property {@code io.leasehold.jmx} is true.
 * Each method does what the pool's own does that its comment names. Routes are named by what their {@code toString} says, and one that
 * fails to say it by its class; a name that two of them have means both. Once the pool is collected, every method throws an {@link
 * IllegalStateException}.
 */
public interface ConnectionPoolMXBean {
    /**
     * What the pool is called.
     *
     * @return {@link ConnectionPool#name()}
     */
    String getName();

    /**
     * Whether the pool was shut down.
     *
     * @return {@link ConnectionPool#isShutDown()}
     */
    boolean isShutDown();

    /**
     * Whether requests are held up.
     *
     * @return {@link ConnectionPool#isSuspended()}
     */
    boolean isSuspended();

    /**
     * The limit in total.
     *
     * @return {@link ConnectionPool#getMaxTotal()}
     */
    int getMaxTotal();

    /**
     * As {@link ConnectionPool#setMaxTotal}. The managers for HttpClient 3.1 go back to what their parameters say as soon as one of these
     * is changed.
     *
     * @param max the limit
     */
    void setMaxTotal(int max);

    /**
     * The limit of routes that have none of their own.
     *
     * @return {@link ConnectionPool#getDefaultMaxPerRoute()}
     */
    int getDefaultMaxPerRoute();

    /**
     * As {@link ConnectionPool#setDefaultMaxPerRoute}, with what is said at {@link #setMaxTotal}.
     *
     * @param max the limit
     */
    void setDefaultMaxPerRoute(int max);

    /**
     * As {@link ConnectionPool#setMaxPerRoute}, or {@link ConnectionPool#removeMaxPerRoute} for a negative limit.
     *
     * @param route the name of a route that the pool knows
     * @param max the limit
     * @return how many routes have that name
     */
    int setMaxPerRoute(String route, int max);

    /**
     * The numbers of the whole pool, read at one moment. Takes what {@link ConnectionPool#metrics()} takes.
     *
     * @return the numbers now
     */
    ConnectionPoolNumbers getTotal();

    /**
     * How long requests waited: {@link Metrics#waiting()}.
     *
     * @return the times now
     */
    ConnectionPoolTimes getWaiting();

    /**
     * How long connections took to be opened: {@link Metrics#opening()}.
     *
     * @return the times now
     */
    ConnectionPoolTimes getOpening();

    /**
     * How long connections were leased, where that is measured: {@link Metrics#held()}.
     *
     * @return the times now
     */
    ConnectionPoolTimes getHeld();

    /**
     * As {@link ConnectionPool#measureHeld}.
     *
     * @param measured true measures it from now on
     */
    void measureHeld(boolean measured);

    /**
     * The numbers of each route, a thousand routes at most. Takes time in proportion to the routes times the connections.
     *
     * @return the numbers now, by the name of the route; of a name that several routes have, the later ones have a number behind it
     */
    Map<String, ConnectionPoolNumbers> getRoutes();

    /**
     * The leases that go on, the one that is held longest first, a thousand at most: {@link ConnectionPool#heldLeases()}.
     *
     * @return for each a text: its route, for how long it has been held and, where that is noted, where it was taken
     */
    String[] getHeldLeases();

    /**
     * Whether it is noted where leases are taken.
     *
     * @return true if it is
     */
    boolean isLeaseStacks();

    /**
     * As {@link ConnectionPool#setLeaseStacks}.
     *
     * @param wanted true notes it
     */
    void setLeaseStacks(boolean wanted);

    /**
     * After what time a lease that goes on is warned of.
     *
     * @return milliseconds, zero for never
     */
    long getLeakDetectionMillis();

    /**
     * As {@link ConnectionPool#setLeakDetectionThreshold(long, java.util.concurrent.TimeUnit)}.
     *
     * @param millis milliseconds, zero for never
     */
    void setLeakDetectionMillis(long millis);

    /**
     * As {@link ConnectionPool#closeIdle(long, java.util.concurrent.TimeUnit)}.
     *
     * @param millis milliseconds; zero closes all idle connections
     */
    void closeIdle(long millis);

    /** As {@link ConnectionPool#closeExpired()}. */
    void closeExpired();

    /**
     * As {@link ConnectionPool#clear}.
     *
     * @param route the name of a route
     * @return how many routes have that name
     */
    int clear(String route);

    /** As {@link ConnectionPool#softEvict()}. */
    void softEvict();

    /** As {@link ConnectionPool#suspend()}. */
    void suspend();

    /** As {@link ConnectionPool#resume()}. */
    void resume();
}
