package io.leasehold.managed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.leasehold.testsupport.Threads;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** A pool keeps to the limits that an application keeps elsewhere. */
class LimitsApplierTest {
    private final AtomicReference<String> limits = new AtomicReference<>("first");
    private final List<String> told = new ArrayList<>();
    private final LimitsApplier<String> applier = new LimitsApplier<>("first", "unknown");

    private String asOfNow(String known) {
        return limits.get();
    }

    @Test
    void thePoolIsToldOfWhatHasChangedAndTheRouteInAnyCase() {
        applier.apply(this::asOfNow, limit -> told.add("pool " + limit), limit -> told.add("route " + limit));
        limits.set("second");
        applier.apply(this::asOfNow, limit -> told.add("pool " + limit), limit -> told.add("route " + limit));
        assertEquals("[route first, pool second, route second]", told.toString());
        assertSame("second", applier.told());
    }

    /** As another thread's application may, between what one has seen and has told. */
    @Test
    void whatHasChangedWhileItWasToldIsToldAnew() {
        limits.set("second");
        applier.apply(this::asOfNow, limit -> told.add("pool " + limit), limit -> {
            told.add("route " + limit);
            limits.set("third");
        });
        assertEquals("[pool second, route second, pool third, route third]", told.toString());
    }

    @Test
    void whatSomebodyElseHasToldMeanwhileIsToldOver() {
        limits.set("second");
        applier.apply(this::asOfNow, limit -> {
            told.add("pool " + limit);
            if (limit.equals("second")) {
                limits.set("third");
                applier.apply(this::asOfNow, newer -> told.add("pool's " + newer), newer -> told.add("route's " + newer));
            }
        }, limit -> told.add("route " + limit));
        assertEquals("[pool second, pool's third, route's third, route second, pool third, route third]", told.toString());
        assertSame("third", applier.told());
    }

    @Test
    void whatCouldNotBeToldIsToldByWhoeverComesNext() {
        limits.set("second");
        for (boolean poolFails : new boolean[] {true, false}) {
            assertThrows(IllegalStateException.class, () -> applier.apply(this::asOfNow, limit -> {
                if (poolFails) {
                    throw new IllegalStateException("the pool cannot be told");
                }
            }, limit -> {
                throw new IllegalStateException("the route cannot be told");
            }));
            assertSame("unknown", applier.told());
        }
        applier.apply(this::asOfNow, limit -> told.add("pool " + limit), limit -> told.add("route " + limit));
        assertEquals("[pool second, route second]", told.toString());
    }

    @Test
    void howeverThreadsRaceTheLastWordIsWhatTheLimitsSay() throws Exception {
        AtomicReference<String> pool = new AtomicReference<>("first");
        for (int round = 0; round < 1000; round++) {
            int now = round;
            Threads.run(2, thread -> () -> {
                limits.set("limits " + now + " of " + thread);
                applier.apply(this::asOfNow, pool::set, limit -> {});
                return null;
            });
            assertSame(limits.get(), applier.told());
            assertSame(limits.get(), pool.get());
        }
    }
}
