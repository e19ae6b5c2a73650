package io.leasehold.httpclient5;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.Collection;
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
 * leased with is kept for that moment; one that leads to its own entry keeps that from being lost. A pool that nobody refers to goes with
 * its places and all that is idle there.
 */
final class Places<T, C extends ModalCloseable> {
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
    // Of entries that were lost.
    private final ReferenceQueue<Tie<T, C>> lost = new ReferenceQueue<>();

    /** The place of a new entry. */
    Place<T, C> add(Tie<T, C> tie, Closing<C> closing) {
        for (Reference<?> gone = lost.poll(); gone != null; gone = lost.poll()) {
            // One with a connection leaves when that is closed.
            if (((Place<?, ?>) gone).known == null) {
                places.remove(gone);
            }
        }
        Place<T, C> place = new Place<>(tie, closing, places, lost);
        tie.witness = place.cell;
        places.put(place, place);
        return place;
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
