package io.leasehold;

import io.leasehold.internal.housekeeping.CollectedWeak;
import io.leasehold.internal.natives.Effects;
import java.util.ArrayDeque;
import java.util.concurrent.ConcurrentHashMap;

/** Gives states ids, equal ones the same, and takes an id back when nothing bound to it is left. */
final class States {
    // ----- written inside this object's monitor, once, by who has the first state -----
    // Most pools never see a state, and what a pool leaves behind when it is collected should be little.
    private volatile ConcurrentHashMap<Object, Interned> known;
    // ----- guarded by this object's monitor -----
    // Null as long as none was ever given back.
    private ArrayDeque<Integer> free;
    private int last;

    StateRef intern(Object state) {
        ConcurrentHashMap<Object, Interned> interned = interned();
        for (;;) {
            Interned present = interned.get(state);
            StateRef ref = present == null ? null : present.get();
            if (ref != null) {
                return ref;
            }
            if (present != null) {
                // Race window: the housekeeper may take it out, too, before or after. It is harmless because each takes out just this one,
                // and the housekeeper alone gives its id back, once.
                interned.remove(state, present);
            }
            ref = new StateRef(takeId());
            if (interned.putIfAbsent(state, new Interned(this, state, ref)) == null) {
                return ref;
            }
            giveBack(ref.id);
        }
    }

    private ConcurrentHashMap<Object, Interned> interned() {
        ConcurrentHashMap<Object, Interned> present = known;
        return present != null ? present : made();
    }

    private synchronized ConcurrentHashMap<Object, Interned> made() {
        if (known == null) {
            known = new ConcurrentHashMap<>();
        }
        return known;
    }

    private synchronized int takeId() {
        Integer id = free == null ? null : free.poll();
        return id != null ? id : ++last;
    }

    private synchronized void giveBack(int id) {
        if (free == null) {
            free = new ArrayDeque<>();
        }
        free.add(id);
    }

    private static final class Interned extends CollectedWeak<StateRef> {
        private final States states;
        private final Object state;
        private final int id;

        Interned(States states, Object state, StateRef ref) {
            super(ref);
            this.states = states;
            this.state = state;
            this.id = ref.id;
        }

        @Override
        public void collected(Effects effects) {
            states.interned().remove(state, this);
            states.giveBack(id);
        }
    }
}
