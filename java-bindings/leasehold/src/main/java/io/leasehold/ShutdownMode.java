package io.leasehold;

/** How to shut a pool down. */
public enum ShutdownMode {
    /** Leased connections stay usable and are disposed of when they are released. */
    GRACEFUL,
    /** Leased connections are disposed of at once, under the hands of whoever uses them. */
    IMMEDIATE
}
