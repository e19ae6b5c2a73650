package io.leasehold;

/**
 * Leases that nobody holds, because their thread failed after it had taken them and before it could hand them over: it ran out of stack or
 * memory, or what was to be made of the lease threw. Whoever comes next with something slow to do gives them back.
 *
 * <p>A thread that has no stack left can call nothing, not even what would give the lease back. Nor can it enter a monitor: for that an
 * interpreted frame grows, and a compiled one becomes interpreted when it first fails. So by stores alone it marks the lease's
 * reference, in {@link LeaseRef#stray}, which is in the entry's cell, and then says here that there is a mark. A lease that has no cell yet
 * was taken where there is stack for what follows, so it is put into a list.
 */
final class Strays {
    // ----- written by who marks, and by who looks for marks, before he does -----
    /** Whether some may be marked that nobody has looked for. */
    volatile boolean areMarked;

    // ----- written inside this object's monitor, looked at by anybody -----
    /** The last one of the list; each refers to the one before. */
    volatile LeaseRef last;

    Strays() {}

    /** Puts one into the list. */
    synchronized void add(LeaseRef lease) {
        lease.stray = Math.abs(lease.handle);
        lease.strayBefore = last;
        last = lease;
    }

    /** Takes one off the list that was the last, unless it is no more: then those after it come first. */
    synchronized void remove(LeaseRef lease) {
        if (last == lease) {
            last = lease.strayBefore;
        }
    }
}
