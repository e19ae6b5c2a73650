package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs programs on this JDK in a JVM of their own, with this one's class path. */
final class OwnJvm {
    private OwnJvm() {}

    /** Runs a program to its end, which must be a good one, and returns what it has written. */
    static String run(Class<?> program, List<String> firstOnClassPath, String... options) throws Exception {
        return run(Collections.emptyList(), program, firstOnClassPath, options);
    }

    /** As above, the JVM being started by another program that is given its command line. */
    static String run(List<String> launcher, Class<?> program, List<String> firstOnClassPath, String... options) throws Exception {
        List<String> path = new ArrayList<>(firstOnClassPath);
        path.add(System.getProperty("java.class.path"));
        for (Class<?> needed : new Class<?>[] {ConnectionPool.class, OwnJvm.class}) {
            path.add(Paths.get(needed.getProtectionDomain().getCodeSource().getLocation().toURI()).toString());
        }
        // Where the build keeps the library apart from the classes.
        path.add(packedLibraryRoot());
        List<String> command = new ArrayList<>(launcher);
        command.add(Paths.get(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xcheck:jni");
        command.addAll(Arrays.asList(options));
        command.addAll(Arrays.asList("-cp", String.join(File.pathSeparator, path), program.getName()));
        // Into a file: to read from a program that hangs would hang, too.
        Path written = Files.createTempFile("leasehold", ".out");
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(written.toFile()).start();
            process.getOutputStream().close();
            boolean hasEnded = process.waitFor(4, TimeUnit.MINUTES);
            process.destroyForcibly();
            String output = new String(Files.readAllBytes(written), StandardCharsets.UTF_8);
            assertTrue(hasEnded, () -> "it hangs: " + output);
            assertEquals(0, process.exitValue(), output);
            return output;
        } finally {
            Files.delete(written);
        }
    }

    /** The native library's place on the class path. */
    static String library() {
        String arch = System.getProperty("os.arch").equals("amd64") ? "x86_64" : System.getProperty("os.arch");
        return "META-INF/native/linux-" + arch + "/libleasehold-jni-" + Leasehold.version() + ".so";
    }

    private static String packedLibraryRoot() throws Exception {
        String library = Paths.get(OwnJvm.class.getClassLoader().getResource(library()).toURI()).toString();
        return library.substring(0, library.length() - library().length());
    }
}
