package io.leasehold.httpclient5;

import io.leasehold.Cause;
import io.leasehold.ConnectionPool;
import io.leasehold.Disposer;
import io.leasehold.Lease;
import io.leasehold.PoolShutDownException;
import io.leasehold.ShutdownMode;
import io.leasehold.Watching;
import io.leasehold.managed.ManagedPool;
import io.leasehold.managed.WeakConnection;
import io.leasehold.managed.WeakInterner;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.io.ModalCloseable;
import org.apache.hc.core5.pool.ConnPoolListener;
import org.apache.hc.core5.pool.ConnPoolStats;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.util.Deadline;
import org.apache.hc.core5.util.TimeValue;

/**
 * How leases of the pool underneath become HttpCore's entries, and how what was written on an entry is read when its lease ends.
 *
 * <p>For the pool underneath an entry's place is a connection as soon as the entry is leased, so that it hears of an entry that is lost.
 * The connection itself comes and goes there without a word; its socket is seen when the entry is released. Who takes the lease out of an
 * entry's {@link Tie} ends it, so of a release, a second one and a closing pool one does.
 */
final class Entries<T, C extends ModalCloseable> {
    /** Closes what the pool underneath lets go. Refers to no pool. */
    private static final class Closer<T, C extends ModalCloseable> implements Disposer<Place<T, C>> {
        @Override
        public void dispose(Place<T, C> place, Cause cause) {
            place.end();
        }

        @Override
        public void letGo(Place<T, C> place, Cause cause) {
            place.letGo(cause);
        }

        @Override
        public boolean mayBlock(Place<T, C> place) {
            return place.mayBlockToClose();
        }
    }

    private final ManagedPool<T, Place<T, C>> managed;
    private final Places<T, C> places = new Places<>();
    private final Closing<C> closing;
    private final Treatment<T, C> treatment;
    private final TimeValue timeToLive;
    private final ConnPoolListener<T> listener;
    private final ConnPoolStats<T> stats;
    private final WeakInterner<Object> states = new WeakInterner<>();

    /** In a pool as described, for connections that are treated so; the last two are for the listener, and may be null without one. */
    Entries(ConnectionPool.Builder<T, WeakConnection<Place<T, C>>> builder, Treatment<T, C> treatment, Watching watching,
            TimeValue timeToLive, ConnPoolListener<T> listener, ConnPoolStats<T> stats) {
        managed = new ManagedPool<>(builder);
        managed.setWatching(watching);
        closing = new Closing<>(treatment, managed.connections());
        this.treatment = treatment;
        this.timeToLive = timeToLive;
        this.listener = listener;
        this.stats = stats;
    }

    /** Starts to describe the pool underneath, that of an owner. */
    static <T, C extends ModalCloseable> ConnectionPool.Builder<T, WeakConnection<Place<T, C>>> pool(
            Treatment<T, C> treatment, String owner) {
        ConnectionPool.Builder<T, WeakConnection<Place<T, C>>> builder =
                ManagedPool.builder(owner, new Closer<>(), (route, place) -> treatment.lost(route));
        Predicate<? super C> isClosed = treatment.closedByOthers();
        if (isClosed != null) {
            builder.evictClosed(cell -> {
                Place<T, C> place = cell.get();
                return place != null && place.isKnown(isClosed);
            });
        }
        Predicate<? super C> needsHelp = treatment.needsHelp();
        if (needsHelp != null) {
            builder.helpLeased(cell -> {
                Place<T, C> place = cell.get();
                return place != null && place.isKnown(needsHelp);
            }, cell -> {
                Place<T, C> place = cell.get();
                C connection = place == null ? null : place.known;
                if (connection != null) {
                    treatment.help(connection);
                }
            });
        }
        return builder;
    }

    ManagedPool<T, Place<T, C>> managed() {
        return managed;
    }

    boolean isClosed() {
        return closing.isPoolClosed();
    }

    /** As {@link Closing#mode}. */
    CloseMode closeMode() {
        return closing.mode();
    }

    /** For whom a request is; null for nobody. */
    WeakInterner.Held<Object> hold(Object state) {
        return states.hold(state);
    }

    /**
     * Makes an entry of a lease, on the thread to which it was given. If this throws, the lease is the caller's to discard.
     *
     * <p>A closing pool says so first, and then looks at every place. Who leases makes its place known first, and then looks whether the
     * pool closes. So one of the two finds the other. That takes a fence in between, which there is none here: so whoever gets the entry
     * {@linkplain #lookAgain looks again}, after the change by which he gets it.
     */
    PoolEntry<T, C> begin(Lease<WeakConnection<Place<T, C>>> lease) {
        WeakConnection<Place<T, C>> cell = lease.connection();
        Place<T, C> place = cell == null ? null : cell.get();
        Tie<T, C> tie = place == null ? null : place.get();
        if (place != null) {
            place.ended = null;
        }
        if (tie != null && !tie.entry.hasConnection()) {
            // Somebody has closed it who had it no more.
            lease.reopen();
            place.leave();
            tie = null;
        } else if (tie != null && treatment.isStaleAtLease(tie.entry.getRoute(), place.known, place.socket())) {
            lease.replaceStale();
            tie = null;
        }
        boolean isNew = tie == null;
        if (isNew) {
            tie = new Tie<>(route(lease), timeToLive, closing);
            place = places.add(tie, closing);
        }
        PoolEntry<T, C> entry = tie.entry;
        place.kept = null;
        tie.begin(lease);
        boolean isBegun = false;
        try {
            if (isNew) {
                lease.opened(place.cell);
            }
            if (isClosed()) {
                throw new PoolShutDownException();
            }
            if (listener != null) {
                listener.onLease(entry.getRoute(), stats);
            }
            isBegun = true;
        } finally {
            if (!isBegun && tie.takeLease() != null) {
                place.kept = entry;
                if (isNew) {
                    // With a connection it leaves when that is closed, and is not lost before.
                    place.leave();
                }
            }
        }
        return entry;
    }

    @SuppressWarnings("unchecked") // Leases of the pool underneath are asked for by its routes.
    private T route(Lease<?> lease) {
        return (T) lease.route();
    }

    /** Somebody got an entry, which a closing pool may have missed. */
    void lookAgain(PoolEntry<T, C> entry) {
        if (isClosed()) {
            Place<T, C> place = places.of(entry);
            if (place != null) {
                endAtClose(place);
            }
        }
    }

    /** Ends the lease of an entry. */
    void release(PoolEntry<T, C> entry, boolean reusable) {
        Place<T, C> place = places.of(entry);
        Tie<T, C> tie = place == null ? null : place.get();
        Lease<WeakConnection<Place<T, C>>> lease = tie == null ? null : takeLease(tie);
        if (lease == null) {
            if (!isClosed()) {
                throw new IllegalStateException("Pool entry is not present in the set of leased entries");
            }
            if (place != null) {
                // What was opened since.
                entry.discardConnection(closing.mode());
            }
            return;
        }
        long use = 0;
        // Put back in the frame that has taken it, without a call: whatever there is no stack or memory for.
        try {
            use = lease.use();
            if (reusable) {
                keep(lease, place, entry);
            }
        } catch (PoolShutDownException e) {
            // It was closed when the pool was.
        } finally {
            // Once the lease has ended the entry may be another's, and so may the lease.
            try {
                if (!isOver(lease, use)) {
                    end(lease, place, entry);
                }
            } finally {
                boolean isEnded = false;
                try {
                    isEnded = isOver(lease, use);
                } finally {
                    if (!isEnded) {
                        // The release is its user's to say again.
                        place.ended = null;
                        place.kept = null;
                        tie.lease = lease;
                    }
                }
                if (!isEnded) {
                    closeIfClosed(place);
                } else if (listener != null) {
                    // Whatever closing the connection has thrown.
                    listener.onRelease(entry.getRoute(), stats);
                }
            }
        }
    }

    /** As {@link LeaseholdConnPool#use}. */
    long use(PoolEntry<T, C> entry) {
        Place<T, C> place = places.of(entry);
        Tie<T, C> tie = place == null ? null : place.get();
        Lease<?> lease = tie == null ? null : tie.lease;
        return lease == null ? 0 : lease.use();
    }

    /** As {@link LeaseholdConnPool#giveBack}. */
    void giveBack(PoolEntry<T, C> entry, long use) {
        if (use != 0 && use(entry) == use) {
            release(entry, false);
        }
    }

    /** Whether a lease has ended since it was of this use, if that was learned. Afterwards it may be another's. */
    private static boolean isOver(Lease<?> lease, long use) {
        return use == 0 ? lease.isEnded() : lease.use() != use;
    }

    /** An entry's lease was put back, which a closing pool may have missed. */
    private void closeIfClosed(Place<T, C> place) {
        if (isClosed()) {
            endAtClose(place);
        }
    }

    @SuppressWarnings("unchecked") // Entries of this pool have leases of the pool underneath.
    private Lease<WeakConnection<Place<T, C>>> takeLease(Tie<T, C> tie) {
        return (Lease<WeakConnection<Place<T, C>>>) tie.takeLease();
    }

    /**
     * As {@link LeaseholdConnPool#opened}.
     *
     * <p>Race window: another thread may release the entry, or close its connection, at the same time. It is harmless because who does so
     * closes the connection: what is noted here for when the entry is lost is closed at the most twice.
     */
    void opened(C connection) {
        Place<T, C> place = places.ofOpened(connection);
        if (place != null) {
            place.known = connection;
            places.filled(place);
        }
    }

    /** As {@link LeaseholdConnPool#has}. */
    boolean has(PoolEntry<T, C> entry, C connection) {
        Place<T, C> place = places.of(entry);
        Tie<T, C> tie = place == null ? null : place.get();
        return tie != null && entry.getConnection() == connection && (tie.lease != null || place.known == connection);
    }

    /** Ends a lease whose connection is kept; leaves it alone if there is none. */
    private void keep(Lease<WeakConnection<Place<T, C>>> lease, Place<T, C> place, PoolEntry<T, C> entry) {
        C connection = entry.getConnection();
        if (connection == null) {
            return;
        }
        place.kept = entry;
        if (place.attached != connection) {
            attach(lease, place, connection);
        }
        Deadline expiry = entry.getExpiryDeadline();
        if (!expiry.isMax()) {
            lease.updateExpiryAt(expiry.getValue());
            place.expires = true;
        } else if (place.expires) {
            lease.updateExpiry(Long.MAX_VALUE, TimeUnit.MILLISECONDS);
            place.expires = false;
        }
        place.bound = states.hold(entry.getState());
        place.ended = lease;
        if (!lease.tryRelease(WeakInterner.key(place.bound))) {
            // The pool underneath has ended it.
            leave(place, entry);
        }
    }

    /** The entry has another connection than it was leased with, if any. */
    private void attach(Lease<WeakConnection<Place<T, C>>> lease, Place<T, C> place, C connection) {
        if (place.attached != null) {
            // What the pool underneath knows of that one is nothing to this one.
            if (!lease.isVacancy()) {
                lease.reopen();
            }
            place.known = null;
            place.attached = null;
            place.expires = false;
        }
        if (lease.isVacancy()) {
            lease.opened(place.cell);
        }
        place.attach(connection, lease);
        places.filled(place);
        // At last: should any of it fail, all of it is done again.
        place.known = connection;
        place.attached = connection;
    }

    /** Ends a lease whose connection is not kept, and closes that when its place is another's already. */
    private void end(Lease<WeakConnection<Place<T, C>>> lease, Place<T, C> place, PoolEntry<T, C> entry) {
        long use = lease.use();
        try {
            place.ended = null;
            // So that the pool underneath finds nothing to close.
            place.known = null;
            place.attached = null;
            lease.tryDiscard();
        } finally {
            if (isOver(lease, use)) {
                leave(place, entry);
            }
        }
    }

    private void leave(Place<T, C> place, PoolEntry<T, C> entry) {
        place.leave();
        entry.discardConnection(closing.mode());
    }

    /** Closes idle connections whose entries are unfit. */
    void closeIdleIf(Predicate<? super PoolEntry<T, C>> unfit) {
        managed.closeIdleIf(place -> {
            // One that was leased meanwhile is none of the idle ones any more.
            PoolEntry<T, C> entry = place.kept;
            return entry != null && unfit.test(entry);
        });
    }

    /** Closes all, the first time. What one of them does is nothing to the others. */
    void close(CloseMode mode) {
        if (!closing.closePool(mode)) {
            return;
        }
        managed.pool().shutdown(ShutdownMode.GRACEFUL);
        for (Place<T, C> place : places.all()) {
            try {
                endAtClose(place);
            } catch (Throwable e) {
                OwnTreatment.warn("A leased connection could not be closed with its pool", e);
            }
        }
    }

    /** Ends the lease of an entry, if it is leased, as its pool is closed; the pool underneath closes the connection like idle ones. */
    private void endAtClose(Place<T, C> place) {
        Tie<T, C> tie = place.get();
        Lease<WeakConnection<Place<T, C>>> lease = tie == null ? null : takeLease(tie);
        if (lease == null) {
            return;
        }
        try {
            place.kept = tie.entry;
            lease.tryDiscard();
        } finally {
            if (!lease.isEnded()) {
                // It is left to its user's release.
                place.kept = null;
                tie.lease = lease;
            }
        }
    }
}
