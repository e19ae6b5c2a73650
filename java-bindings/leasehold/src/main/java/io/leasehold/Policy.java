package io.leasehold;

/** Which idle connection of a route is leased first. */
public enum Policy {
    /**
     * The most recently released: few connections do the work, the others age out.
     *
     * <p>Exactly so as long as no two threads meet at the pool's idle list. From the moment two do, each has a list of its own: it takes
     * what it has released last itself, and where it has nothing, what lies in the others' lists, before a connection is opened. The
     * oldest of all is still the first to make room or to be closed for being idle. When nobody has met for ten to twenty seconds, the
     * next call that is more than the lease or release of an idle connection (one that opens, closes or waits, or a clean-up) brings all
     * into one list again, in the order of their release; more than 4,096 idle connections stay where they are.
     */
    LIFO,
    /** The least recently released: all connections are used in turn. Costs more under contention. */
    FIFO
}
