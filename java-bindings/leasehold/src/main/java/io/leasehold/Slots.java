package io.leasehold;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * A table indexed by the engine's slots. It grows by chunks that never move, each twice as long as the one before, so a
 * write is never lost to a copy and a read takes no lock.
 */
final class Slots<T> {
    private static final int FIRST_BITS = 3;
    // The engine's slots have 20 bits.
    private static final int CHUNKS = 21 - FIRST_BITS;

    // Written once each, by whoever first needs the chunk.
    private final AtomicReferenceArray<AtomicReferenceArray<T>> chunks = new AtomicReferenceArray<>(CHUNKS);

    /** A table with its first chunk: the JDK's own first use of what makes one takes more stack than a lease may find. */
    Slots() {
        chunk(FIRST_BITS);
    }

    /** The slot that an id of the engine's carries, be it a handle, a ticket or a route. */
    static int of(long id) {
        return (int) (id >>> 32) & 0xFFFFF;
    }

    /** The first slot for which there is no place yet. */
    int size() {
        int index = 0;
        while (index < CHUNKS && chunks.get(index) != null) {
            index++;
        }
        return (1 << (index + FIRST_BITS)) - (1 << FIRST_BITS);
    }

    T get(int slot) {
        int place = slot + (1 << FIRST_BITS);
        int top = Integer.numberOfLeadingZeros(place) ^ 31;
        AtomicReferenceArray<T> chunk = chunks.get(top - FIRST_BITS);
        return chunk == null ? null : chunk.get(place - (1 << top));
    }

    void set(int slot, T value) {
        int place = slot + (1 << FIRST_BITS);
        int top = Integer.numberOfLeadingZeros(place) ^ 31;
        chunk(top).set(place - (1 << top), value);
    }

    /** Takes a value out, unless another one has taken its place. */
    void remove(int slot, T value) {
        int place = slot + (1 << FIRST_BITS);
        int top = Integer.numberOfLeadingZeros(place) ^ 31;
        AtomicReferenceArray<T> chunk = chunks.get(top - FIRST_BITS);
        if (chunk != null) {
            chunk.compareAndSet(place - (1 << top), value, null);
        }
    }

    private AtomicReferenceArray<T> chunk(int top) {
        int index = top - FIRST_BITS;
        AtomicReferenceArray<T> chunk = chunks.get(index);
        if (chunk == null) {
            chunks.compareAndSet(index, null, new AtomicReferenceArray<>(1 << top));
            chunk = chunks.get(index);
        }
        return chunk;
    }
}
