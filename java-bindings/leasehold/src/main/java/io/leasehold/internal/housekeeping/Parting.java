package io.leasehold.internal.housekeeping;

import io.leasehold.internal.natives.Effects;
import java.util.Queue;

/** What a pool has to do for connections that their peers have closed, now that its engine has noted it. */
final class Parting {
    /** Written by the engine. */
    final Effects effects = new Effects();

    private final Chores chores;

    private Parting(Chores chores) {
        this.chores = chores;
    }

    /** A new one that was added; null if there is no memory for it. */
    static Parting addTo(Queue<Parting> partings, Chores chores) {
        try {
            Parting added = new Parting(chores);
            partings.add(added);
            return added;
        } catch (OutOfMemoryError e) {
            return null;
        }
    }

    void carryOut() {
        chores.carryOut(effects);
    }
}
