package io.leasehold.httpclient5;

import io.leasehold.Cause;
import io.leasehold.Lease;
import io.leasehold.managed.ManagedSocket;
import io.leasehold.managed.WeakConnection;
import io.leasehold.managed.WeakInterner;
import java.lang.ref.WeakReference;
import java.net.Socket;
import java.util.function.Predicate;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.io.ModalCloseable;
import org.apache.hc.core5.pool.PoolEntry;

/**
 * What is noted of one entry, from its making to its end, beside the entry itself, whose class is HttpCore's. Found by the entry's
 * identity. It refers to the entry weakly while that is leased, and keeps it while it is idle.
 *
 * <p>Its fields are written by who leases the entry, and who ends its lease, and handed from one to the next by the pool underneath; others
 * read them without a lock, and may see what was true a moment ago.
 */
final class Place<T, C extends ModalCloseable> extends WeakReference<Tie<T, C>> implements Tie.Witness<C> {
    /** Who holds it. */
    interface Holder<T, C extends ModalCloseable> {
        /** Its entry has no connection any more. */
        void emptied(Place<T, C> place);

        /** Its entry is none of the pool's any more. */
        void remove(Place<T, C> place);
    }

    /** What the pool underneath knows it by. */
    final WeakConnection<Place<T, C>> cell = new WeakConnection<>(this);
    private final Holder<T, C> holder;
    private final Closing<C> closing;
    private final ManagedSocket socket;
    private final int hash;

    /** The entry while it is idle, or given up to be closed. */
    PoolEntry<T, C> kept;
    /** The lease that was ended last, while the entry is idle: it is used again. */
    Lease<WeakConnection<Place<T, C>>> ended;
    /** The connection that was opened last, as far as is known. Stays while the entry is leased, to be closed if that is lost. */
    C known;
    /** The connection whose socket the pool underneath was told of, if that shows one. */
    C attached;
    /** The connection that was closed last by the entry: written by whoever closes it, of one that goes to be lost. */
    private C closed;
    /** Whether the connection has an expiry there. */
    boolean expires;
    /** What keeps the state known to which it is bound. */
    WeakInterner.Held<Object> bound;

    Place(Tie<T, C> tie, Closing<C> closing, Holder<T, C> holder) {
        super(tie);
        this.holder = holder;
        this.closing = closing;
        socket = closing.newSocket();
        hash = System.identityHashCode(tie.entry);
    }

    @Override
    public void closing(C connection) {
        closed = connection;
        holder.emptied(this);
    }

    /** Whether this is the place of an entry. */
    boolean isOf(PoolEntry<?, ?> entry) {
        Tie<T, C> tie = get();
        return tie != null && tie.entry == entry;
    }

    /** Tells the pool underneath, of a lease, the socket of a connection, if that shows one. */
    void attach(C connection, Lease<?> lease) {
        Socket shown = closing.socketOf(connection);
        if (shown != null) {
            socket.attach(shown, lease);
        }
    }

    /** What is known of the socket of its connections. */
    ManagedSocket socket() {
        return socket;
    }

    /** The connection that goes with it: the entry's, or the last known one of an entry that was lost, unless that was closed before. */
    private C left() {
        PoolEntry<T, C> entry = kept;
        if (entry != null) {
            return entry.getConnection();
        }
        C last = known;
        return last == closed ? null : last;
    }

    /** Whether the pool underneath has a connection of which something is true. */
    boolean isKnown(Predicate<? super C> what) {
        C connection = known;
        return connection != null && what.test(connection);
    }

    /** The pool underneath lets the connection go. */
    void letGo(Cause cause) {
        C connection = left();
        if (connection != null) {
            closing.letGo(connection, cause);
        }
    }

    /** Whether to close it may wait for somebody; a reset waits for nobody. */
    boolean mayBlockToClose() {
        C connection = left();
        if (connection == null || closing.mode() == CloseMode.IMMEDIATE) {
            return false;
        }
        Socket shown = closing.socketOf(connection);
        return shown == null ? closing.mayBlockToClose(connection) : socket.mayBlockToClose(shown);
    }

    /** Its entry is none of the pool's any more. */
    void leave() {
        holder.remove(this);
    }

    /**
     * Closes the connection that is left, and leaves. Of a closed pool it stays, which keeps its entry no more: by it the pool knows an
     * entry that is released late from those of others.
     */
    void end() {
        PoolEntry<T, C> entry = kept;
        C left = left();
        if (!closing.isPoolClosed()) {
            leave();
        }
        known = null;
        attached = null;
        ended = null;
        kept = null;
        if (entry != null) {
            entry.discardConnection(closing.mode());
        } else if (left != null) {
            closing.close(left, closing.mode());
        }
    }

    /** That of its entry. */
    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }
}
