package io.leasehold.internal;

/**
 * Where Java keeps what belongs to one of the engine's entries. Only the entry's present owner writes here: the thread
 * that leased it, or the one that was handed it as a victim. A slot is not reused before its victim was acknowledged.
 */
final class Cell {
    /** The connection; null while there is none. Read by enumerations too. */
    volatile Object connection;

    /**
     * The present lease's reference, or the last one's. It hangs here so that it is reachable, which is what makes the
     * collector enqueue it; after the lease has ended it keeps the state reachable to which the idle connection is
     * bound. Nothing reads it but the sweep over a collected pool.
     */
    LeaseRef lease;

    // Keeps cells of neighbouring slots, which different threads write at every lease, out of each other's cache line.
    @SuppressWarnings("unused")
    private long p0, p1, p2, p3, p4, p5;
}
