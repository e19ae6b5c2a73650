package io.leasehold;

import io.leasehold.internal.housekeeping.CollectedWeak;
import io.leasehold.internal.natives.Effects;
import java.util.ArrayDeque;
import java.util.concurrent.ConcurrentHashMap;

/** Gives states ids, equal ones the same, and takes an id back when nothing bound to it is left. */
final class States {
    private final ConcurrentHashMap<Object, Interned> interned = new ConcurrentHashMap<>();
    // ----- guarded by this object's monitor -----
    private final ArrayDeque<Integer> free = new ArrayDeque<>();
    private int last;

    StateRef intern(Object state) {
        for (;;) {
            Interned known = interned.get(state);
            StateRef ref = known == null ? null : known.get();
            if (ref != null) {
                return ref;
            }
            if (known != null) {
                // Race window: the housekeeper may take it out, too, before or after. It is harmless because each takes out just this one,
                // and the housekeeper alone gives its id back, once.
                interned.remove(state, known);
            }
            ref = new StateRef(takeId());
            if (interned.putIfAbsent(state, new Interned(this, state, ref)) == null) {
                return ref;
            }
            giveBack(ref.id);
        }
    }

    private synchronized int takeId() {
        Integer id = free.poll();
        return id != null ? id : ++last;
    }

    private synchronized void giveBack(int id) {
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
            states.interned.remove(state, this);
            states.giveBack(id);
        }
    }
}
