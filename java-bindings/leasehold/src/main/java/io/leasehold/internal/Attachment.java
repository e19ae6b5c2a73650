package io.leasehold.internal;

import io.leasehold.Liveness;
import io.leasehold.Watching;
import java.lang.ref.WeakReference;
import java.net.Socket;

/**
 * The socket of a connection, as far as the pool was told. Held weakly: a TLS socket leads to what the application gave
 * its context, and so perhaps to the pool.
 *
 * <p>The descriptor is good for as long as the socket that has it is open, which may be another one, behind it: its number may be a
 * stranger's afterwards.
 */
final class Attachment extends WeakReference<Socket> {
    private static final int NONE = -1;

    // The socket that has the descriptor: this reference itself, or of the one behind it. Null if none is known.
    private final WeakReference<Socket> base;
    private final int descriptor;
    private final boolean isOpaque;

    // Both written by who attaches it to a lease, before anybody else may see it: whether its peer's close is told, and whether the
    // operating system is to be asked at each lease.
    boolean isWatched;
    boolean isProbed;

    Attachment(FoundSocket found) {
        super(found.socket());
        base = found.base() == null ? null : found.base() == found.socket() ? this : new WeakReference<>(found.base());
        descriptor = found.descriptor();
        isOpaque = found.isOpaque();
    }

    /** Whether it is of this socket, whose peer's close is noticed in this way. */
    boolean isOf(Socket socket, Watching watching) {
        return isOf(socket) && isKnown() && isWatched == watching.watches() && isProbed == watching.probes();
    }

    boolean isOf(Socket socket) {
        return get() == socket;
    }

    /** Whether the operating system can be asked about it. */
    boolean isKnown() {
        return descriptor != NONE;
    }

    int descriptor() {
        return descriptor;
    }

    /** Whether no request can be sent on it any more, as far as is known. */
    boolean isDead() {
        Socket socket = get();
        if (socket == null) {
            return false;
        }
        Socket base = this.base == this ? socket : base();
        if (base == null && isKnown()) {
            // The one behind it is gone, and so is closed.
            return true;
        }
        return SocketDescriptors.probe(socket, base, descriptor).betweenRequests(isOpaque) == Liveness.CLOSED;
    }

    /**
     * A second descriptor of the socket, by which a close that hangs can be cut short without fear that the number is a
     * stranger's by then; -1 if there is none.
     */
    int duplicate() {
        if (!isKnown() || !isOpen()) {
            return NONE;
        }
        int second = SocketDescriptors.duplicate(descriptor);
        if (second != NONE && !isInUse()) {
            // Its user closes it, too, and it may be a stranger's that was duplicated.
            SocketDescriptors.close(second);
            return NONE;
        }
        return second;
    }

    /** Has reads of the socket, which a close may wait in, end after a time: for one whose descriptor is not known. */
    void boundReads(int millis) {
        Socket socket = get();
        if (socket != null) {
            SocketDescriptors.boundReads(socket, millis);
        }
    }

    /** Has the system go on sending what is left when the socket is closed, instead of the close waiting for it. */
    void doNotLinger() {
        Socket base = base();
        if (base != null) {
            SocketDescriptors.doNotLinger(base);
        }
    }

    /** Watches it no longer, if it was: before it is closed, so that nobody watches its number when that is another's. */
    void unwatch() {
        if (isWatched) {
            try {
                IdleWatch.remove(this);
            } catch (Throwable e) {
                // For want of memory. The system forgets it when it is closed, and who comes next with its number finds that.
            }
        }
    }

    /** Whether its socket says that it is open. */
    boolean isOpen() {
        Socket base = base();
        return base != null && SocketDescriptors.isOpen(base);
    }

    /** Whether its socket has its number for certain: nobody has begun to close it. */
    boolean isInUse() {
        Socket base = base();
        return base != null && SocketDescriptors.isInUse(base);
    }

    private Socket base() {
        return base == null ? null : base.get();
    }
}
