package io.leasehold.managed;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Objects of an application's and what a pool knows of them. What a pool knows outlives it, and such an object may lead to the pool, so
 * the pool is given a {@link Key} only; the object itself is held by whoever uses it. Of equal objects the first that is in use stands
 * for all.
 *
 * <p>They are compared by {@code equals} alone, with each that is in use, and outside every lock. One becomes known by a single
 * compare-and-set of the list of all, against the list with which it was compared: so two equal ones never both become known.
 *
 * @param <T> the type of the objects
 */
public final class WeakInterner<T> {
    /**
     * Stands in the pool for all objects that are equal, as long as one of them is in use. Compared by identity.
     *
     * @param <T> the type of the objects
     */
    public static final class Key<T> extends WeakReference<T> {
        private Key(T first) {
            super(first);
        }

        /** As the object prints. */
        @Override
        public String toString() {
            return String.valueOf(get());
        }
    }

    /**
     * An object in use: whoever holds this keeps the key of all equal objects in use.
     *
     * @param <T> the type of the objects
     */
    public static final class Held<T> {
        private final T first;
        private final Key<T> key;

        private Held(T first, Key<T> key) {
            this.first = first;
            this.key = key;
        }

        /**
         * The first of the equal objects.
         *
         * @return the object
         */
        public T first() {
            return first;
        }

        /**
         * What stands for them in the pool.
         *
         * @return the key
         */
        public Key<T> key() {
            return key;
        }
    }

    // Those in use, and some that were: whoever adds one leaves them out. No list is changed once it is here.
    private final AtomicReference<List<Key<T>>> known = new AtomicReference<>(new ArrayList<>());

    /** None is in use. */
    public WeakInterner() {}

    /**
     * What a pool is to know of an object.
     *
     * @param held the object in use, or null for none
     * @param <T> the type of the object
     * @return its key, or null
     */
    public static <T> Key<T> key(Held<T> held) {
        return held == null ? null : held.key;
    }

    /**
     * What holds for an object. Takes time in proportion to the objects in use.
     *
     * @param object the object; null is none
     * @return the first that is equal to it, or the object itself; null for none
     */
    public Held<T> hold(T object) {
        if (object == null) {
            return null;
        }
        for (;;) {
            List<Key<T>> seen = known.get();
            for (Key<T> key : seen) {
                T first = key.get();
                if (first != null && object.equals(first)) {
                    return new Held<>(first, key);
                }
            }
            Key<T> made = new Key<>(object);
            if (known.compareAndSet(seen, inUse(seen, made))) {
                return new Held<>(object, made);
            }
        }
    }

    /** Those of a list that are in use still, and one more. */
    private static <T> List<Key<T>> inUse(List<Key<T>> seen, Key<T> made) {
        List<Key<T>> inUse = new ArrayList<>(seen.size() + 1);
        for (Key<T> key : seen) {
            if (key.get() != null) {
                inUse.add(key);
            }
        }
        inUse.add(made);
        return inUse;
    }
}
