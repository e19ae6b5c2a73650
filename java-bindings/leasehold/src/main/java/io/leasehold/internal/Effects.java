package io.leasehold.internal;

import io.leasehold.Cause;
import java.util.Queue;

/**
 * What a call on the engine brings about: threads to wake, connections to dispose of, routes to forget, in this order. It comes back in
 * an array that the caller made before the call, in which nothing can fail any more. In step with {@code effects.rs}.
 */
final class Effects {
    // The array's layout: what asks for the rest (0: there is none), how many follow, and then pairs of what is to be done and
    // with what. A number of a cause stands for a victim.
    private static final int REST = 0;
    private static final int COUNT = 1;
    private static final int FIRST = 2;
    private static final int WAKE = -1;
    private static final int LENGTH = FIRST + 2 * 15;

    private static final Cause[] CAUSES = Cause.values();

    private Effects() {}

    /** An array for the effects of one call after another. */
    static long[] array() {
        return new long[LENGTH];
    }

    /** The cause that the engine has this number for. */
    static Cause cause(int number) {
        return CAUSES[number];
    }

    /**
     * Does what a call brought about, and leaves the array ready for the next one. What fails is logged, and the others go on.
     *
     * @param toTell requests that were answered before, whose hooks are still to be called; null for none
     * @return the same with those of this call
     */
    static Queue<HookedRequest> carryOut(long[] effects, NativePool pool, Queue<HookedRequest> toTell) {
        Queue<HookedRequest> all = toTell;
        for (;;) {
            int end = FIRST + 2 * (int) effects[COUNT];
            for (int i = FIRST; i < end; i += 2) {
                try {
                    if (effects[i] == WAKE) {
                        Waiter waiter = Waiter.of(effects[i + 1], pool.state);
                        all = waiter == null ? all : waiter.wake(all);
                    } else {
                        carryOut((int) effects[i], effects[i + 1], pool);
                    }
                } catch (Throwable e) {
                    Log.warn(Texts.EFFECT_FAILED, e);
                }
            }
            if (effects[REST] == 0) {
                effects[COUNT] = 0;
                return all;
            }
            pool.restOfEffects(pool.address, effects[REST], effects);
        }
    }

    private static void carryOut(int what, long which, NativePool pool) {
        if (what >= 0) {
            pool.disposeOf((int) which, cause(what));
        } else {
            pool.state.forget(which);
        }
    }
}
