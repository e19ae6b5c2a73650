package io.leasehold.managed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.Threads;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Of equal objects the first in use stands for all. */
class WeakInternerTest {
    private static final int THREADS = 8;

    private final WeakInterner<Object> interner = new WeakInterner<>();

    @Test
    void equalObjectsHaveOneKeyAsLongAsOneIsInUse() throws Exception {
        WeakInterner.Held<Object> held = interner.hold(new Name("ann"));
        WeakInterner.Key<Object> key = held.key();
        assertSame(key, interner.hold(new Name("ann")).key());
        assertNotSame(key, interner.hold(new Name("bob")).key());
        assertEquals("ann", key.toString());
        held = null;
        Eventually.awaitAfterCollection("the first to go", () -> key.get() == null);
        Name another = new Name("ann");
        assertSame(another, interner.hold(another).first());
    }

    @Test
    void nothingIsHeldByNobody() {
        assertNull(interner.hold(null));
        assertNull(WeakInterner.key(null));
        WeakInterner.Held<Object> held = interner.hold(new Name("ann"));
        assertSame(held.key(), WeakInterner.key(held));
    }

    @Test
    void manyThreadsCompareAtOnceAndAgree() throws Exception {
        WeakInterner.Held<Object> other = interner.hold(new Name("bob"));
        CyclicBarrier comparing = new CyclicBarrier(THREADS);
        List<WeakInterner.Held<Object>> held = Threads.run(THREADS, thread -> () -> interner.hold(new Slow("ann", comparing)));
        assertEquals(1, held.stream().map(WeakInterner.Held::key).distinct().count());
        assertNotSame(other.key(), held.get(0).key());
    }

    /** Equal by name. Anybody may write such a class: it has no hash. */
    @SuppressWarnings("overrides")
    private static class Name {
        private final String name;

        Name(String name) {
            this.name = name;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Name && ((Name) other).name.equals(name);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** Whose first comparison goes on when all threads are in the midst of one. */
    @SuppressWarnings("overrides")
    private static final class Slow extends Name {
        private final CyclicBarrier comparing;
        private boolean isFirst = true;

        Slow(String name, CyclicBarrier comparing) {
            super(name);
            this.comparing = comparing;
        }

        @Override
        public boolean equals(Object other) {
            if (isFirst) {
                isFirst = false;
                try {
                    comparing.await(20, TimeUnit.SECONDS);
                } catch (Exception e) {
                    throw new AssertionError("another thread could not compare meanwhile", e);
                }
            }
            return super.equals(other);
        }
    }
}
