package io.leasehold;

/** Which idle connection of a route is leased first. */
public enum Policy {
    /**
     * The most recently released: few connections do the work, the others age out.
     *
     * <p>Exactly so as long as threads do not meet at the pool's idle list more than a hundred times in ten seconds, as they do from some
     * thousands of leases in a second on. Then each has a list of its own: it takes what it has released last itself, and where it has
     * nothing, what lies in the others' lists, before a connection is opened. The oldest of all is still the first to make room or to be
     * closed for being idle. When they have met less often for ten to twenty seconds, the next call that is more than the lease or release
     * of an idle connection (one that opens, closes or waits, or a clean-up) brings all into one list again, in the order of their
     * release; more than 4,096 idle connections stay where they are.
     */
    LIFO,
    /** The least recently released: all connections are used in turn. Costs more under contention. */
    FIFO
}
