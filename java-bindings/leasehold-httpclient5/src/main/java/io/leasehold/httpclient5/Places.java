package io.leasehold.httpclient5;

import java.util.Collection;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.apache.hc.core5.io.ModalCloseable;
import org.apache.hc.core5.pool.PoolEntry;

/**
 * Who holds a pool's entries. Safe for use by several threads.
 *
 * <p><b>Who refers to whom.</b> What the pool underneath keeps outlives it, so that connections can be disposed of; but an entry leads
 * anywhere, by its connection and its callback, and so to the pool. So the pool underneath is given what is weak, {@link Place#cell}, and
 * the place is held here alone. A place keeps its entry while that is idle. While it is leased only its user has it, and so its {@link
 * Tie}, and so the lease: lost, all three are collected together, and the pool underneath hears of the lease. The connection that it was
 * leased with, or that was said to be open since, is kept for that moment; one that leads to its own entry keeps that from being lost. A
 * pool that nobody refers to goes with its places and all that is idle there.
 */
final class Places<T, C extends ModalCloseable> implements Place.Holder<T, C> {
    /** Finds an entry's place. */
    private static final class Wanted {
        private final PoolEntry<?, ?> entry;

        Wanted(PoolEntry<?, ?> entry) {
            this.entry = entry;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(entry);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Place && ((Place<?, ?>) other).isOf(entry);
        }
    }

    private final ConcurrentMap<Object, Place<T, C>> places = new ConcurrentHashMap<>();
    // Of leased entries without a connection that is known to be open: mostly as many as are being opened.
    private final Set<Place<T, C>> empty = ConcurrentHashMap.newKeySet();

    /** The place of a new entry, which is leased. */
    Place<T, C> add(Tie<T, C> tie, Closing<C> closing) {
        Place<T, C> place = new Place<>(tie, closing, this);
        tie.witness = place.cell;
        places.put(place, place);
        empty.add(place);
        return place;
    }

    @Override
    public void emptied(Place<T, C> place) {
        if (isLeased(place)) {
            empty.add(place);
            // Whoever ends a lease takes it out of its entry first, and comes to the place afterwards.
            if (!isLeased(place)) {
                empty.remove(place);
            }
        }
    }

    private static boolean isLeased(Place<?, ?> place) {
        Tie<?, ?> tie = place.get();
        return tie != null && tie.lease != null;
    }

    /** An entry has a connection that is known to be open, or it is leased no more. */
    void filled(Place<T, C> place) {
        empty.remove(place);
    }

    /** The place of a leased entry that has this connection, which was not known to be open; null if there is none. */
    Place<T, C> ofOpened(C connection) {
        for (Place<T, C> place : empty) {
            Tie<T, C> tie = place.get();
            if (tie == null) {
                // Lost. Who closes what is left of it does not come here.
                empty.remove(place);
            } else if (tie.entry.getConnection() == connection) {
                return place;
            }
        }
        return null;
    }

    @Override
    public void remove(Place<T, C> place) {
        places.remove(place);
        empty.remove(place);
    }

    /** An entry's place; null if it has none here. */
    Place<T, C> of(PoolEntry<T, C> entry) {
        return places.get(new Wanted(entry));
    }

    /** All of them, as they come and go. */
    Collection<Place<T, C>> all() {
        return places.values();
    }
}
