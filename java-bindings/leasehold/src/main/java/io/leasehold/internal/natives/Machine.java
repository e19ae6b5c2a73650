package io.leasehold.internal.natives;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The machine as far as the native library depends on it: what the library takes, and what there is. Asked only after a failure. */
final class Machine {
    static final String NEEDED = "Linux with glibc 2.17 or later on x86_64 or aarch64, or with musl on x86_64";

    private static final Pattern LIBC = Pattern.compile("(/\\S*/(?:libc\\.so\\.6|libc-2\\.\\d+\\.so|(?:libc\\.musl-|ld-musl-)\\S*))");

    private Machine() {}

    static boolean isLinux() {
        return System.getProperty("os.name", "").toLowerCase(Locale.ROOT).equals("linux");
    }

    /** The processor, as the library's place in the jar names it. */
    static String processor() {
        String arch = System.getProperty("os.arch", "");
        return arch.equals("amd64") ? "x86_64" : arch;
    }

    /** The place in the jar of what is for this machine. */
    static String platform() {
        return System.getProperty("os.name", "").toLowerCase(Locale.ROOT).replace(' ', '-') + '-' + processor();
    }

    static boolean isSupported() {
        return isLinux() && (processor().equals("x86_64") || processor().equals("aarch64"));
    }

    /** What there is of what {@link #NEEDED} names. */
    static String found() {
        return System.getProperty("os.name") + (isLinux() ? " with " + libc() : "") + " on " + System.getProperty("os.arch");
    }

    /** The C library that this JVM runs on, and its version where it tells that. */
    static String libc() {
        try {
            for (String line : Files.readAllLines(Paths.get("/proc/self/maps"), StandardCharsets.ISO_8859_1)) {
                Matcher file = LIBC.matcher(line);
                if (file.find()) {
                    return file.group(1).contains("musl") ? "musl" : "glibc" + version(Paths.get(file.group(1)));
                }
            }
        } catch (IOException | RuntimeException e) {
            // Then it cannot be said.
        }
        return "an unknown C library";
    }

    private static String version(Path glibc) throws IOException {
        String text = new String(Files.readAllBytes(glibc), StandardCharsets.ISO_8859_1);
        Matcher version = Pattern.compile("GNU C Library [^\0]{0,200}?release version (\\d+\\.\\d+)").matcher(text);
        return version.find() ? " " + version.group(1) : "";
    }
}
