package io.leasehold;

import java.util.Arrays;

/**
 * Where the cells of the engine's entries are found, by slot. Read without a call, as a lease has to be recorded before anything that may
 * overflow the stack: so it is one array, which is copied when it grows. A cell is put in its place once, inside the monitor, and so is
 * never lost to a copy. Who was given an entry by the engine finds its cell there: it was put there before the entry became idle.
 */
final class Cells {
    /** All that most pools ever have. */
    private static final int FIRST = 8;

    // ----- written inside this object's monitor -----
    /** By slot; null where there was no entry yet. */
    volatile Cell[] bySlot = new Cell[FIRST];

    /** A table without cells. */
    Cells() {}

    /** The first slot for which there is no place yet. */
    int size() {
        return bySlot.length;
    }

    Cell get(int slot) {
        Cell[] cells = bySlot;
        return slot < cells.length ? cells[slot] : null;
    }

    synchronized void set(int slot, Cell cell) {
        Cell[] cells = bySlot;
        if (slot >= cells.length) {
            cells = Arrays.copyOf(cells, Math.max(2 * cells.length, Integer.highestOneBit(slot) << 1));
        }
        cells[slot] = cell;
        bySlot = cells;
    }
}
