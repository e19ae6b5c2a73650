package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Loading of the native library, each time in a JVM of its own. */
class LoadingTest {
    /** What runs in those JVMs: says what a careful application would see. */
    public static final class Application {
        public static void main(String[] args) {
            System.out.println("available: " + Leasehold.isAvailable());
            Throwable cause = Leasehold.unavailabilityCause();
            if (cause != null) {
                System.out.println("cause: " + cause);
                for (Throwable attempt : cause.getSuppressed()) {
                    System.out.println("attempt: " + attempt);
                }
            }
            ConnectionPool<String, String> pool = ConnectionPool.<String, String>builder((connection, why) -> {}).build();
            for (int i = 0; i < 2; i++) {
                try {
                    pool.tryLease("a").release();
                    System.out.println("leased");
                } catch (Exception e) {
                    boolean isHere = Arrays.stream(e.getStackTrace()).anyMatch(f -> f.getMethodName().equals("main"));
                    System.out.println("caught: " + e.getClass().getName() + " with this stack: " + isHere);
                }
            }
            System.out.println("counts: " + pool.stats() + " probe: " + Sockets.probe(new java.net.Socket()));
            pool.close();
        }
    }

    @TempDir
    Path directory;

    private static String run(String... options) throws Exception {
        return run(new ArrayList<>(), options);
    }

    private static String run(List<String> firstOnClassPath, String... options) throws Exception {
        return OwnJvm.run(Application.class, firstOnClassPath, options);
    }

    private Path unpackedLibrary() throws Exception {
        Path file = directory.resolve("library.so");
        try (InputStream in = LoadingTest.class.getClassLoader().getResourceAsStream(OwnJvm.library())) {
            Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
        }
        return file;
    }

    private static void failed(String output, String... advice) {
        assertTrue(output.contains("available: false"), output);
        for (String words : advice) {
            assertTrue(output.contains(words), "'" + words + "' is missing in:\n" + output);
        }
        String caught = "caught: io.leasehold.LeaseholdUnavailableException with this stack: true";
        assertEquals(2, output.split(caught, -1).length - 1, output);
        assertTrue(output.contains("counts: [leased: 0; pending: 0; available: 0;"), output);
        assertTrue(output.contains("probe: UNKNOWN"), output);
    }

    @Test
    void itIsLoadedFromTheJarAndLeavesNoFileBehind() throws Exception {
        String output = run("-Dio.leasehold.native.tmpdir=" + directory);
        assertTrue(output.contains("available: true"), output);
        assertTrue(output.contains("leased"), output);
        assertEquals(0, directory.toFile().list().length);
    }

    @Test
    void hereItIsOfTheJarsVersion() {
        assertTrue(Leasehold.isAvailable());
        assertNull(Leasehold.unavailabilityCause());
        assertEquals(System.getProperty("leasehold.version"), Leasehold.version());
    }

    @Test
    void aFileThatIsNamedIsLoaded() throws Exception {
        String output = run("-Dio.leasehold.native.path=" + unpackedLibrary(), "-Djava.io.tmpdir=/nonexistent");
        assertTrue(output.contains("available: true"), output);
    }

    @Test
    void aNamedFileThatIsNotThereIsAnErrorAndNothingElseIsTried() throws Exception {
        failed(run("-Dio.leasehold.native.path=/nonexistent/library.so"),
                "Linux", System.getProperty("os.arch"), "io.leasehold.native.path", "/nonexistent/library.so", "no file");
    }

    @Test
    void aNamedFileThatIsNoLibraryIsAnError() throws Exception {
        Path file = Files.write(directory.resolve("text.so"), "no library".getBytes(StandardCharsets.UTF_8));
        failed(run("-Dio.leasehold.native.path=" + file), "io.leasehold.native.path", "could not be loaded", "attempt: ");
    }

    @Test
    void anotherLibraryIsNotTakenForOurs() throws Exception {
        Path foreign = directory.resolve("foreign.so");
        Files.copy(Paths.get(System.getProperty("java.home"), "lib", "libzip.so"), foreign);
        failed(run("-Dio.leasehold.native.path=" + foreign), "not the Leasehold library");
    }

    @Test
    void aLibraryOfAnotherVersionIsRefused() throws Exception {
        Path properties = directory.resolve("io/leasehold/internal/version.properties");
        Files.createDirectories(properties.getParent());
        Files.write(properties, "version=9.9.9".getBytes(StandardCharsets.UTF_8));
        List<String> newerClasses = new ArrayList<>(Collections.singleton(directory.toString()));
        failed(run(newerClasses, "-Dio.leasehold.native.path=" + unpackedLibrary()),
                "the library is of version " + Leasehold.version() + ", its classes of 9.9.9");
        failed(run(newerClasses), "no resource META-INF/native/", "libleasehold-jni-9.9.9.so");
    }

    @Test
    void aJarWithoutALibraryForThePlatformSaysWhatItLookedFor() throws Exception {
        failed(run("-Dos.arch=pdp11"), "pdp11", "META-INF/native/linux-pdp11/libleasehold-jni-", "io.leasehold.native.path");
    }

    @Test
    void aDirectoryThatIsNotThereIsNamed() throws Exception {
        failed(run("-Djava.io.tmpdir=/nonexistent"), "/nonexistent", "cannot be written to", "io.leasehold.native.tmpdir");
    }

    @Test
    void aDirectoryThatIsNoDirectoryIsNamed() throws Exception {
        Path file = Files.createFile(directory.resolve("file"));
        failed(run("-Dio.leasehold.native.tmpdir=" + file), file.toString(), "cannot be written to");
    }

    @Test
    void aDirectoryMountedNoexecIsNamedAsSuch() throws Exception {
        // One that is there may be another run's, and gone with it.
        boolean isMounted = mountNoexec();
        String noexec = isMounted ? directory.toString() : noexecDirectory();
        try {
            if (noexec == null) {
                System.out.println("No directory here is mounted noexec, and this user may not mount one: not tried.");
            }
            assumeTrue(noexec != null, "no directory here is mounted noexec, and this user may not mount one");
            failed(run("-Dio.leasehold.native.tmpdir=" + noexec),
                    noexec, "noexec", "io.leasehold.native.tmpdir", "attempt: java.lang.UnsatisfiedLinkError");
            assertFalse(Arrays.stream(new File(noexec).list()).anyMatch(name -> name.startsWith("leasehold")), "left behind");
        } finally {
            if (isMounted) {
                new ProcessBuilder("umount", noexec).inheritIO().start().waitFor();
            }
        }
    }

    private static String noexecDirectory() throws IOException {
        for (String line : Files.readAllLines(Paths.get("/proc/mounts"), StandardCharsets.UTF_8)) {
            String[] fields = line.split(" ");
            if (fields[2].equals("tmpfs") && Arrays.asList(fields[3].split(",")).contains("noexec")
                    && Files.isWritable(Paths.get(fields[1])) && Arrays.asList(fields[3].split(",")).contains("rw")) {
                return fields[1];
            }
        }
        return null;
    }

    private boolean mountNoexec() throws Exception {
        try {
            return new ProcessBuilder("mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", directory.toString())
                            .redirectErrorStream(true)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void aJvmThatDeniesNativeAccessIsToldHowToAllowIt() throws Exception {
        int version = Integer.parseInt(System.getProperty("java.specification.version").replaceFirst("^1\\.", ""));
        if (version < 24) {
            System.out.println("JDK " + version + " cannot deny native access: not tried.");
        }
        assumeTrue(version >= 24, "JDK " + version + " cannot deny native access");
        failed(run("--illegal-native-access=deny"), "--enable-native-access=ALL-UNNAMED", "IllegalCallerException");
    }
}
