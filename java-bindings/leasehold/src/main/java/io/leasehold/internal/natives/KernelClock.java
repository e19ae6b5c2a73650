package io.leasehold.internal.natives;

/** The wall clock as of the kernel's last tick. */
public final class KernelClock {
    private KernelClock() {}

    /**
     * The time. Only where the native library is there.
     *
     * @return milliseconds since the beginning of 1970
     */
    public static long milliseconds() {
        return lastTick();
    }

    private static native long lastTick();
}
