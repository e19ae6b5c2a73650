package io.leasehold.httpclient4;

import java.lang.ref.WeakReference;
import java.util.Map;
import java.util.WeakHashMap;

/**
 * A manager's states, and what the pool knows of them. What a pool knows outlives it, and a state is the application's and may lead
 * to the manager, so the pool is given a {@link Key} only; the state is held by who asks with it and by the connections bound to it.
 */
final class States {
    /** Stands in the pool for all states that are equal, as long as one of them is in use. Compared by identity. */
    static final class Key extends WeakReference<Object> {
        private Key(Object first) {
            super(first);
        }

        /** As the state prints. */
        @Override
        public String toString() {
            return String.valueOf(get());
        }
    }

    /** A state in use: whoever holds this keeps the key of all equal states in use. */
    static final class Held {
        private final Object first;
        private final Key key;

        private Held(Object first, Key key) {
            this.first = first;
            this.key = key;
        }

        Key key() {
            return key;
        }

        @Override
        public String toString() {
            return first.toString();
        }
    }

    // By the first of the equal states; under its own monitor.
    private final Map<Object, Key> keys = new WeakHashMap<>();

    /** The state that holds for this one, which may be null. */
    Held hold(Object state) {
        if (state == null) {
            return null;
        }
        synchronized (keys) {
            Key key = keys.get(state);
            Object first = key == null ? null : key.get();
            if (first == null) {
                first = state;
                key = new Key(state);
                keys.put(state, key);
            }
            return new Held(first, key);
        }
    }
}
