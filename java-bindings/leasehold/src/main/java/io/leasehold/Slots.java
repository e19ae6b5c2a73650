package io.leasehold;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * A table indexed by the engine's slots. It grows by chunks that never move, each twice as long as the one before, so a
 * write is never lost to a copy and a read takes no lock.
 */
final class Slots<T> {
    /** The greatest slot of the engine's, all of whose bits are set. */
    static final int LAST = 0xFFFFF;

    private static final int FIRST_BITS = 3;
    // The engine's slots have 20 bits.
    private static final int CHUNKS = 21 - FIRST_BITS;

    // All that most tables ever have: a program may make a pool for each of its requests. It is there from the start, as the JDK's own first
    // use of what makes one takes more stack than a lease may find.
    private final AtomicReferenceArray<T> first = new AtomicReferenceArray<>(1 << FIRST_BITS);

    // ----- written inside this object's monitor, once, as is each chunk in it -----
    // The chunks after the first; null as long as there are none.
    private volatile AtomicReferenceArray<AtomicReferenceArray<T>> more;

    /** A table with its first chunk. */
    Slots() {}

    /** The slot that an id of the engine's carries, be it a handle, a ticket or a route. */
    static int of(long id) {
        return (int) (id >>> 32) & LAST;
    }

    /** The first slot for which there is no place yet. */
    int size() {
        int top = FIRST_BITS;
        while (top < FIRST_BITS + CHUNKS && chunk(top) != null) {
            top++;
        }
        return (1 << top) - (1 << FIRST_BITS);
    }

    T get(int slot) {
        int place = slot + (1 << FIRST_BITS);
        int top = Integer.numberOfLeadingZeros(place) ^ 31;
        AtomicReferenceArray<T> chunk = chunk(top);
        return chunk == null ? null : chunk.get(place - (1 << top));
    }

    void set(int slot, T value) {
        int place = slot + (1 << FIRST_BITS);
        int top = Integer.numberOfLeadingZeros(place) ^ 31;
        AtomicReferenceArray<T> chunk = chunk(top);
        if (chunk == null) {
            chunk = makeChunk(top);
        }
        chunk.set(place - (1 << top), value);
    }

    /** Takes a value out, unless another one has taken its place. */
    void remove(int slot, T value) {
        int place = slot + (1 << FIRST_BITS);
        int top = Integer.numberOfLeadingZeros(place) ^ 31;
        AtomicReferenceArray<T> chunk = chunk(top);
        if (chunk != null) {
            chunk.compareAndSet(place - (1 << top), value, null);
        }
    }

    /** The chunk whose places have this as their highest bit; null as long as there is none. */
    private AtomicReferenceArray<T> chunk(int top) {
        if (top == FIRST_BITS) {
            return first;
        }
        AtomicReferenceArray<AtomicReferenceArray<T>> chunks = more;
        return chunks == null ? null : chunks.get(top - FIRST_BITS - 1);
    }

    private synchronized AtomicReferenceArray<T> makeChunk(int top) {
        AtomicReferenceArray<T> chunk = chunk(top);
        if (chunk == null) {
            chunk = new AtomicReferenceArray<>(1 << top);
            if (more == null) {
                more = new AtomicReferenceArray<>(CHUNKS - 1);
            }
            more.set(top - FIRST_BITS - 1, chunk);
        }
        return chunk;
    }
}
