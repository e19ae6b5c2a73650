package io.leasehold;

import io.leasehold.internal.natives.KernelClock;
import io.leasehold.internal.natives.NativeLibrary;

/**
 * The wall clock at a glance: for moments that are noted at every turn and looked at seldom, as those in a log. Safe for use by
 * several threads.
 */
public final class CoarseClock {
    private CoarseClock() {}

    /**
     * The time as {@link System#currentTimeMillis} tells it, or some milliseconds before: the kernel's last tick. It costs a fraction of
     * that call, where the native library is available, and is exact where it is not.
     *
     * @return milliseconds since the beginning of 1970, UTC
     */
    public static long currentTimeMillis() {
        return NativeLibrary.failure() == null ? KernelClock.milliseconds() : System.currentTimeMillis();
    }
}
