package io.leasehold.httpclient5;

import io.leasehold.Cause;
import io.leasehold.managed.ManagedSocket;
import java.net.Socket;
import java.util.function.Predicate;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.io.ModalCloseable;
import org.apache.hc.core5.pool.PoolEntry;

/**
 * How the connections of a pool are treated by whom it belongs to. Called outside every lock; entries refer to it, so it refers to no pool.
 */
interface Treatment<T, C extends ModalCloseable> {
    /** Closes a connection. */
    void close(C connection, CloseMode mode);

    /** A connection's socket; null if it shows none. */
    Socket socketOf(C connection);

    /** Whether closing a connection that shows no socket may wait for somebody. */
    boolean mayBlockToClose(C connection);

    /** Tells whether somebody else has closed an idle connection, for {@code ConnectionPool.Builder.evictClosed}; null if nobody does. */
    Predicate<? super C> closedByOthers();

    /** Tells whether a leased connection is to be {@linkplain #help helped}; must not block; null if none ever is. */
    default Predicate<? super C> needsHelp() {
        return null;
    }

    /** Does for a leased connection what its user cannot see to. */
    default void help(C connection) {}

    /** Whether a connection that is leased was closed by its peer, as far as that is to be found out here. */
    boolean isStaleAtLease(T route, C connection, ManagedSocket socket);

    /** Whether an idle connection has expired by other limits than its entry's own. */
    boolean isExpired(PoolEntry<T, C> entry, long now);

    /** The pool lets a connection go, which is closed by and by. */
    void letGo(C connection, Cause cause);

    /** An entry was lost. */
    void lost(Object route);
}
