package io.leasehold;

/** Which idle connection of a route is leased first. */
public enum Policy {
    /** The most recently released: few connections do the work, the others age out. */
    LIFO,
    /** The least recently released: all connections are used in turn. Costs more under contention. */
    FIFO
}
