package io.leasehold;

/**
 * What every connection manager on a Leasehold pool has beside what its HttpClient knows of: the switches and the counters. For whoever
 * sets up or observes managers of several generations in one way.
 *
 * <p>All methods may be called by any thread at any time.
 *
 * <p><b>Memory effects</b>: what is set holds for every socket whose opening happens after that; a socket that is opened at the same time
 * may be treated in either way. What a thread did before it set something happens before what another does after it has opened a socket for
 * which it held. Counters order nothing.
 */
public interface LeaseholdManager {
    /**
     * Sets how it is learned that servers have closed connections. The sockets that are opened from then on are watched, with
     * {@link Watching#WATCH} and {@link Watching#BOTH}: an idle connection that its server closes is closed here at once. Where the
     * HttpClient asks whether a connection is stale, the operating system is asked with {@link Watching#PROBE} and {@link Watching#BOTH};
     * otherwise the connection reads, as in that HttpClient.
     *
     * @param watching how; the default is {@link Watching#BOTH}, and {@link Watching#OFF} is as in the HttpClient
     * @throws IllegalArgumentException if {@code watching} is null
     */
    void setWatching(Watching watching);

    /**
     * Sets TCP keep-alive on every socket that is opened from then on, for servers that vanish without a word: see {@link TcpKeepAlive}.
     * Sockets whose descriptor cannot be reached are left as they are.
     *
     * @param idle after how many seconds of silence the server is asked, 1 to 32767
     * @param interval how many seconds lie between two probes, 1 to 32767
     * @param probes how many probes go unanswered before the connection breaks, 1 to 127
     * @throws IllegalArgumentException if one of them is out of its range
     */
    void setTcpKeepAlive(int idle, int interval, int probes);

    /** Leaves the sockets that are opened from now on as the HttpClient has them. */
    void disableTcpKeepAlive();

    /**
     * What the manager is called in the pool's log lines, in exceptions and wherever numbers are shown.
     *
     * @return the name that it was given, or the name of its class as this library has it and a number that is no other pool's
     */
    String getName();

    /**
     * Names the manager. Holds from now on; a name that was shown before stays where it was shown.
     *
     * @param name the name, which need not be no other manager's
     * @throws IllegalArgumentException if {@code name} is null or empty
     */
    void setName(String name);

    /**
     * The pool underneath, for whoever observes and operates it: its numbers, the leases that go on, its bean, what is to be closed. What
     * is leased, and how connections are opened, only the manager knows; to end it, shut the manager down.
     *
     * @return the pool
     */
    ConnectionPool<?, ?> getPool();

    /**
     * What the manager has closed of its own accord since it was made.
     *
     * @return the numbers now
     */
    Counters getCounters();

    /**
     * What has become of the manager's requests and connections since it was made, and how long that took.
     *
     * <p>HttpClient opens its connections inside their leases. So {@link Metrics#opening()} has each connect that succeeded, from its call
     * to the open connection, whether that is a new one or one that was closed; not what makes a tunnel of a connection to a proxy.
     * Connecting is in {@link Metrics#held()}, too, if that is measured.
     *
     * @return the numbers now
     */
    Metrics getMetrics();

    /**
     * Has it measured from now on how long connections are leased, as {@link ConnectionPool#measureHeld} does.
     *
     * @param wanted whether it is to be measured; by default it is not
     */
    void measureHeld(boolean wanted);
}
