package io.leasehold;

/**
 * Leases that nobody holds, because their thread failed after it had taken them and before it could hand them over: it ran out of stack or
 * memory, or what was to be made of the lease threw. Whoever comes next with something slow to do gives them back.
 *
 * <p>A thread that has no stack left can call nothing, not even what would give the lease back, so it leaves it here by stores alone. They
 * are made inside this object's monitor, which takes neither a frame nor memory.
 */
final class Strays {
    // ----- written inside this object's monitor, looked at by anybody -----
    /** The last one that was left here; each refers to the one before. */
    volatile LeaseRef last;

    Strays() {}

    /** Leaves one here, for who has the stack for a call. */
    synchronized void add(LeaseRef lease) {
        lease.strayBefore = last;
        last = lease;
    }

    /** Takes one away, which is the caller's to give back; null if there is none. */
    synchronized LeaseRef take() {
        LeaseRef taken = last;
        if (taken != null) {
            last = taken.strayBefore;
        }
        return taken;
    }
}
