package io.leasehold;

import io.leasehold.internal.NativeLibrary;

/**
 * The native library that every pool needs.
 *
 * <p>It is loaded when it is first needed, once for each class loader that has these classes. System properties, read
 * at that moment:
 * <ul>
 * <li>{@code io.leasehold.native.path}: the library's file; nothing else is tried.
 * <li>{@code io.leasehold.native.tmpdir}: where the library is unpacked to, if not in {@code java.io.tmpdir}. Files
 *     there must be allowed to be executed (no {@code noexec}). The unpacked file is deleted as soon as it is loaded.
 * </ul>
 *
 * <p>From JDK 24 on, the flag {@code --enable-native-access=ALL-UNNAMED} ({@code =io.leasehold} on the module path)
 * allows it to be loaded without a warning.
 */
public final class Leasehold {
    private Leasehold() {}

    /**
     * Whether the native library is there, loading it if that was not tried yet.
     *
     * @return true if pools can be used on this machine; the answer never changes
     */
    public static boolean isAvailable() {
        return unavailabilityCause() == null;
    }

    /**
     * Why the native library is not there, loading it if that was not tried yet.
     *
     * @return a {@link LeaseholdUnavailableException}, or null if the library is there
     */
    public static Throwable unavailabilityCause() {
        return NativeLibrary.failure();
    }

    /**
     * Demands that the native library is there, loading it if that was not tried yet. For whoever wants to know before the first lease.
     *
     * @throws LeaseholdUnavailableException if it is not; its message says what to do
     */
    public static void requireAvailable() {
        NativeLibrary.require();
    }

    /**
     * The version of these classes; the native library is of the same one, or it is not used.
     *
     * @return the version, as in {@code 0.1.0}; {@code 0.1.0-SNAPSHOT} is what becomes 0.1.0
     */
    public static String version() {
        return NativeLibrary.version();
    }
}
