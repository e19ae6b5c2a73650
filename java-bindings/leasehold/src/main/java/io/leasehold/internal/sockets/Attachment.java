package io.leasehold.internal.sockets;

import io.leasehold.internal.natives.Descriptors;
import io.leasehold.internal.natives.SecondDescriptor;
import java.lang.ref.WeakReference;
import java.net.Socket;

/**
 * The socket of a connection, as far as the pool was told. Held weakly: a TLS socket leads to what the application gave
 * its context, and so perhaps to the pool.
 *
 * <p>The descriptor is good for as long as the socket that has it is open, which may be another one, behind it: its number may be a
 * stranger's afterwards.
 */
public final class Attachment extends WeakReference<Socket> {
    private static final int NONE = -1;

    // The socket that has the descriptor: this reference itself, or of the one behind it. Null if none is known.
    private final WeakReference<Socket> base;
    private final int descriptor;
    private final boolean isOpaque;

    // Both written by who attaches it to a lease, before anybody else may see it.
    /** Whether its peer's close is told. */
    public boolean isWatched;
    /** Whether the operating system is to be asked at each lease. */
    public boolean isProbed;

    /**
     * Of a socket that was looked for.
     *
     * @param found the socket
     */
    public Attachment(FoundSocket found) {
        super(found.socket());
        base = found.base() == null ? null : found.base() == found.socket() ? this : new WeakReference<>(found.base());
        descriptor = found.descriptor();
        isOpaque = found.isOpaque();
    }

    /**
     * Whether it is of this socket, whose peer's close is noticed in this way.
     *
     * @param socket the socket
     * @param watches whether it is watched
     * @param probes whether it is probed
     * @return true if all of that is so
     */
    public boolean isOf(Socket socket, boolean watches, boolean probes) {
        return isOf(socket) && isKnown() && isWatched == watches && isProbed == probes;
    }

    boolean isOf(Socket socket) {
        return get() == socket;
    }

    /**
     * Whether the operating system can be asked about it.
     *
     * @return true if its descriptor is known
     */
    public boolean isKnown() {
        return descriptor != NONE;
    }

    /**
     * The descriptor.
     *
     * @return the descriptor, or -1 if none is known
     */
    public int descriptor() {
        return descriptor;
    }

    /**
     * Whether no request can be sent on it any more, as far as is known.
     *
     * @return true if so
     */
    public boolean isDead() {
        Socket socket = get();
        if (socket == null) {
            return false;
        }
        Socket base = this.base == this ? socket : base();
        if (base == null && isKnown()) {
            // The one behind it is gone, and so is closed.
            return true;
        }
        int answer = SocketDescriptors.probe(socket, base, descriptor);
        // Bytes that wait on a plain connection would be taken for the next response.
        return answer == Descriptors.CLOSED || answer == Descriptors.READABLE && !isOpaque;
    }

    /**
     * A second descriptor of the socket, by which a close that hangs can be cut short without fear that the number is a stranger's by then.
     *
     * @return null if there is none
     */
    public SecondDescriptor duplicate() {
        if (!isKnown() || !isOpen()) {
            return null;
        }
        SecondDescriptor second = SecondDescriptor.of(descriptor);
        if (second != null && !isInUse()) {
            // Its user closes it, too, and it may be a stranger's that was duplicated.
            second.close();
            return null;
        }
        return second;
    }

    /**
     * Has reads of the socket, which a close may wait in, end after a time: for one whose descriptor is not known.
     *
     * @param millis the time
     */
    public void boundReads(int millis) {
        Socket socket = get();
        if (socket != null) {
            SocketDescriptors.boundReads(socket, millis);
        }
    }

    /** Has the system go on sending what is left when the socket is closed, instead of the close waiting for it. */
    public void doNotLinger() {
        Socket base = base();
        if (base != null) {
            SocketDescriptors.doNotLinger(base);
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
