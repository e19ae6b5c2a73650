package io.leasehold;

import io.leasehold.internal.sockets.Attachment;
import io.leasehold.internal.sockets.IdleWatch;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;

/**
 * Where Java keeps what belongs to one of the engine's entries. Only the entry's present owner writes here: the thread
 * that leased it, or the one that was handed it as a victim. A slot is not reused before its victim was acknowledged.
 */
final class Cell {
    private static final AtomicReferenceFieldUpdater<Cell, Object> CONNECTION =
            AtomicReferenceFieldUpdater.newUpdater(Cell.class, Object.class, "connection");

    // ----- written by the entry's owner -----
    /** The connection; null while there is none. Read by enumerations too. */
    volatile Object connection;

    /** The connection's socket; null if the pool was not told, or no more. Read by whoever leases or disposes of it. */
    Attachment attachment;

    /** Whether a socket was watched under the present opening, so that an event about it may still come. */
    boolean wasWatched;

    /**
     * The present lease's reference, or the last one's. It hangs here so that it is reachable, which is what makes the
     * collector enqueue it; after the lease has ended it keeps the state reachable to which the idle connection is
     * bound. Read by the next lease, which may be given back bound as it was, by whoever names the route of what is disposed of, and
     * by the sweep over a collected pool.
     */
    LeaseRef lease;

    /** Where the present lease was taken, or an earlier one, which its handle tells; null if none is noted. Read by enumerations too. */
    volatile LeaseStack stack;

    /** When the connection was opened, in the pool's time, and how often its entry had been used before. Read by whoever takes it out. */
    long openedAt;
    long usedBefore;

    /** How often a lease was used again here. */
    int uses;

    // ----- the housekeeper's thread's own -----
    // Which lease it saw last, and whether that had ended by then.
    private int seen;

    // Keeps cells of neighbouring slots, which different threads write at every lease, out of each other's cache line.
    @SuppressWarnings("unused")
    private long p0, p1, p2, p3;

    /**
     * Whether a lease has begun or ended here since this was asked last. On the housekeeper's thread.
     *
     * <p>Race window: it looks without a lock, and may not see yet what an owner has written. It is harmless because it sees that the next
     * time: a pool counts as unused after several looks.
     */
    boolean wasUsed() {
        LeaseRef last = lease;
        // Not the lease itself, which would keep alive what it leads to.
        int now = last == null ? 0 : System.identityHashCode(last) + uses << 1 | (last.isEnded() ? 1 : 0);
        boolean wasUsed = now != seen;
        seen = now;
        return wasUsed;
    }

    /**
     * Takes the connection out. A shutdown at once takes out what its holder may be taking out, too: one of them gets it.
     */
    Object takeConnection() {
        return CONNECTION.getAndSet(this, null);
    }

    /** Takes a victim's connection out; only then the slot may be reused. */
    Object takeVictim() {
        wasWatched = false;
        if (stack != null) {
            stack = null;
        }
        return takeConnection();
    }

    /** Where a lease was taken that this has been seen to have; null if it does not go on here, or that was not noted. */
    LeaseStack stackOf(LeaseRef seen) {
        LeaseStack noted = stack;
        return noted != null && seen != null && noted.handle == seen.handle ? noted : null;
    }

    /** Whether just this socket is attached, and its peer's close noticed in this way. */
    boolean isAttached(Socket socket, Watching watching) {
        Attachment present = attachment;
        return present != null && present.isOf(socket, watching.watches(), watching.probes());
    }

    /** Forgets the connection's socket, which the caller has to {@linkplain IdleWatch#remove watch no longer} before it is closed. */
    Attachment takeAttachment() {
        Attachment taken = attachment;
        attachment = null;
        return taken;
    }
}
