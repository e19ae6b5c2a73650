package io.leasehold;

import io.leasehold.internal.natives.LoadFailure;
import io.leasehold.internal.natives.NativeLibrary;

/**
 * The native library that every pool needs.
 *
 * <p>It runs on Linux: with glibc 2.17 or later on x86_64 and aarch64, and with musl on x86_64; the jar has it for the processors that it
 * was built for. It is loaded when it is first needed, once for each class loader that has these classes. Nothing of it runs unless its
 * checksum is the one that stands in the jar and its version the classes' own. System properties, read at that moment:
 * <ul>
 * <li>{@code io.leasehold.native.path}: the library's file; nothing else is tried. Its checksum, too, must be the one in the jar, if the
 * jar has one for this machine.
 * <li>{@code io.leasehold.native.tmpdir}: where the library is unpacked to, if not in {@code java.io.tmpdir}. Files
 *     there must be allowed to be executed (no {@code noexec}).
 * </ul>
 *
 * <p>It is unpacked into a new directory that only its user can enter, and deleted as soon as it is loaded. Whoever may rename that
 * directory could put another file in its place meanwhile: let it be one that belongs to the user or has its sticky bit set, as {@code
 * /tmp} has. In a container that is read-only, or where {@code /tmp} is {@code noexec} and no other directory will do, put the library into
 * the image and name it: {@code unzip -j leasehold-*.jar 'META-INF/native/linux-x86_64/*.so' -d /opt/leasehold}.
 *
 * <p>From JDK 24 on, the flag {@code --enable-native-access=ALL-UNNAMED} ({@code =io.leasehold} on the module path)
 * allows it to be loaded without a warning.
 */
public final class Leasehold {
    // The same one whenever it is asked for.
    private static final LeaseholdUnavailableException UNAVAILABLE = unavailable(NativeLibrary.failure());

    private Leasehold() {}

    private static LeaseholdUnavailableException unavailable(LoadFailure failure) {
        if (failure == null) {
            return null;
        }
        LeaseholdUnavailableException made = new LeaseholdUnavailableException(failure.message());
        if (failure.error() != null) {
            made.addSuppressed(failure.error());
        }
        return made;
    }

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
        return UNAVAILABLE;
    }

    /**
     * Demands that the native library is there, loading it if that was not tried yet. For whoever wants to know before the first lease.
     *
     * @throws LeaseholdUnavailableException if it is not; its message says what to do
     */
    public static void requireAvailable() {
        if (UNAVAILABLE != null) {
            throw new LeaseholdUnavailableException(UNAVAILABLE);
        }
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
