package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.leasehold.testsupport.OwnLoader;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
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

    /** The C library's name and version, as the system's own tool says them. */
    private static String libcOfTheSystem() throws Exception {
        Process getconf = new ProcessBuilder("getconf", "GNU_LIBC_VERSION").start();
        try (BufferedReader said = new BufferedReader(new InputStreamReader(getconf.getInputStream(), StandardCharsets.UTF_8))) {
            return said.readLine();
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
    void aNamedFileThatIsNotTheLibraryOfTheseClassesIsNotEvenLoaded() throws Exception {
        Path text = Files.write(directory.resolve("text.so"), "no library".getBytes(StandardCharsets.UTF_8));
        failed(run("-Dio.leasehold.native.path=" + text), "io.leasehold.native.path", text.toString(), "its checksum is another");

        failed(run("-Dio.leasehold.native.path=" + foreignLibrary()), "its checksum is another");

        byte[] ours = Files.readAllBytes(unpackedLibrary());
        ours[ours.length - 1] ^= 1;
        Path altered = Files.write(directory.resolve("altered.so"), ours);
        failed(run("-Dio.leasehold.native.path=" + altered), "its checksum is another", "unpack that from the jar");
    }

    @Test
    void aLibraryInTheJarThatDoesNotHaveItsChecksumIsNotLoaded() throws Exception {
        byte[] ours = Files.readAllBytes(unpackedLibrary());
        ours[ours.length - 1] ^= 1;
        failed(run(withLibrary(OwnJvm.library(), ours, null)), "the checksum", OwnJvm.library(), "replace the jar");
    }

    @Test
    void aLibraryOfAnotherVersionIsRefused() throws Exception {
        List<String> newerClasses = withVersion("9.9.9");
        String newer = OwnJvm.library().replace(Leasehold.version(), "9.9.9");
        failed(run(newerClasses), "no resource " + newer, "take the jar as it was published");
        // Of the jar, though somebody has renamed it.
        byte[] ours = Files.readAllBytes(unpackedLibrary());
        failed(run(withLibrary(newer, ours, sha256(ours))),
                "that library is of version " + Leasehold.version() + ", its classes of 9.9.9", "take both from one version");
        // Named, where the jar has none to compare it with.
        Files.delete(directory.resolve(newer + ".sha256"));
        Files.delete(directory.resolve(newer));
        failed(run(newerClasses, "-Dio.leasehold.native.path=" + unpackedLibrary()),
                "that library is of version " + Leasehold.version() + ", its classes of 9.9.9", "io.leasehold.native.path");
    }

    @Test
    void anotherLibraryIsNotTakenForOurs() throws Exception {
        // Where the jar has none to compare it with.
        failed(run(withVersion("9.9.9"), "-Dio.leasehold.native.path=" + foreignLibrary()),
                "not the Leasehold library", "io.leasehold.native.path");
    }

    @Test
    void aJarWithoutTheLibrarySaysWhatItLookedFor() throws Exception {
        failed(run(withVersion("9.9.9")), "no resource META-INF/native/linux-", "libleasehold-jni-9.9.9.so", "io.leasehold.native.path");
    }

    @Test
    void anotherProcessorAndAnotherSystemAreNamedBesideWhatIsNeeded() throws Exception {
        String needed = "it needs Linux with glibc 2.17 or later on x86_64 or aarch64, or with musl on x86_64, here is ";
        String advice = "keep to connection managers that need no native library";
        String riscv = run("-Dos.arch=riscv64");
        failed(riscv, needed + "Linux with " + libcOfTheSystem() + " on riscv64,", "there is none for such a machine", advice);
        failed(run("-Dos.name=Mac OS X", "-Dos.arch=aarch64"), needed + "Mac OS X on aarch64,", "there is none for such a machine", advice);
        assertFalse(riscv.contains("tmpdir"), riscv);
    }

    @Test
    void aNamedFileThatAnotherClassLoaderHasLoadedIsNamedAsSuch() throws Exception {
        String output = OwnJvm.run(TwoApplications.class, new ArrayList<>(), "-Dio.leasehold.native.path=" + unpackedLibrary());
        assertTrue(output.contains("here: null"), output);
        assertTrue(output.contains("another class loader of this JVM has loaded it from this very file"), output);
        assertTrue(output.contains("remove the property"), output);
    }

    /** Loads the library with two class loaders, as two applications in one container would. */
    public static final class TwoApplications {
        public static void main(String[] args) throws Exception {
            System.out.println("here: " + Leasehold.unavailabilityCause());
            try (OwnLoader other = OwnLoader.with()) {
                System.out.println("there: " + other.loadClass(Leasehold.class.getName()).getMethod("unavailabilityCause").invoke(null));
            }
        }
    }

    @Test
    void aFileForAnotherProcessorIsNamedAsSuch() throws Exception {
        byte[] ours = Files.readAllBytes(unpackedLibrary());
        // The processor's number in the header: x86-64's becomes 64-bit ARM's, and the other way round.
        ours[18] = (byte) (ours[18] == 62 ? 183 : 62);
        String output = run(withLibrary(OwnJvm.library(), ours, sha256(ours)));
        failed(output, "the file is no library for this processor", "attempt: java.lang.UnsatisfiedLinkError");
        assertFalse(output.contains("native.tmpdir"), output);
    }

    @Test
    void tooOldAGlibcIsNamedWithItsVersion() throws Exception {
        // What glibc 2.99 will have, and one that wants it.
        Path versions = Files.write(directory.resolve("versions"), "GLIBC_2.99 { later; };".getBytes(StandardCharsets.UTF_8));
        Path later = Files.write(directory.resolve("later.c"), "int later(void) { return 1; }".getBytes(StandardCharsets.UTF_8));
        Path wanting = Files.write(directory.resolve("wanting.c"), "int later(void); int want(void) { return later(); }".getBytes("UTF-8"));
        Path stub = directory.resolve("later.so");
        Path library = directory.resolve("wanting.so");
        compile("-Wl,--version-script=" + versions, "-Wl,-soname,libc.so.6", "-nostdlib", later.toString(), "-o", stub.toString());
        compile("-nostdlib", wanting.toString(), stub.toString(), "-o", library.toString());
        byte[] content = Files.readAllBytes(library);
        String output = run(withLibrary(OwnJvm.library(), content, sha256(content)));
        failed(output, "needs Linux with glibc 2.17 or later", "here is Linux with " + libcOfTheSystem() + " on", "the C library is too old",
                "GLIBC_2.99", "use a system with a newer one");
        assertFalse(output.contains("native.tmpdir"), output);
    }

    private Path foreignLibrary() throws Exception {
        Path source = Files.write(directory.resolve("foreign.c"), "int foreign;".getBytes(StandardCharsets.UTF_8));
        Path library = directory.resolve("foreign.so");
        compile(source.toString(), "-o", library.toString());
        return library;
    }

    private static void compile(String... options) throws Exception {
        List<String> command = new ArrayList<>(Arrays.asList("cc", "-shared", "-fPIC"));
        command.addAll(Arrays.asList(options));
        assertEquals(0, new ProcessBuilder(command).inheritIO().start().waitFor(), command.toString());
    }

    /** A class path whose first part has this library, and, if it is not null, this checksum for it. */
    private List<String> withLibrary(String resource, byte[] content, String checksum) throws Exception {
        Path file = directory.resolve(resource);
        Files.createDirectories(file.getParent());
        Files.write(file, content);
        if (checksum != null) {
            Files.write(directory.resolve(resource + ".sha256"), checksum.getBytes(StandardCharsets.US_ASCII));
        }
        return Collections.singletonList(directory.toString());
    }

    /** A class path whose first part says that the classes are of this version. */
    private List<String> withVersion(String version) throws Exception {
        Path properties = directory.resolve("io/leasehold/internal/natives/version.properties");
        Files.createDirectories(properties.getParent());
        Files.write(properties, ("version=" + version).getBytes(StandardCharsets.UTF_8));
        return Collections.singletonList(directory.toString());
    }

    private static String sha256(byte[] content) throws Exception {
        return String.format("%064x", new BigInteger(1, MessageDigest.getInstance("SHA-256").digest(content)));
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
    void whereNothingCanBeWrittenAFileThatIsNamedIsLoaded() throws Exception {
        Path library = unpackedLibrary();
        Path readOnly = Files.createDirectory(directory.resolve("read-only"));
        boolean isMounted = mount("ro", readOnly);
        try {
            // Root may write wherever it is not mounted so.
            readOnly.toFile().setWritable(false);
            if (Files.isWritable(readOnly)) {
                System.out.println("This user may write everywhere, and may not mount: not tried.");
            }
            assumeTrue(!Files.isWritable(readOnly), "this user may write everywhere, and may not mount");
            failed(run("-Djava.io.tmpdir=" + readOnly), readOnly.toString(), "cannot be written to", "or, if there is none, unpack",
                    "-Dio.leasehold.native.path=<file>");
            String output = run("-Djava.io.tmpdir=" + readOnly, "-Dio.leasehold.native.path=" + library);
            assertTrue(output.contains("available: true"), output);
        } finally {
            if (isMounted) {
                unmount(readOnly);
            }
        }
    }

    @Test
    void aDirectoryMountedNoexecIsNamedAsSuch() throws Exception {
        Path elsewhere = Files.createDirectory(directory.resolve("elsewhere"));
        Path mounted = Files.createDirectory(directory.resolve("noexec"));
        // One that is there may be another run's, and gone with it.
        boolean isMounted = mount("noexec", mounted);
        String noexec = isMounted ? mounted.toString() : noexecDirectory();
        try {
            if (noexec == null) {
                System.out.println("No directory here is mounted noexec, and this user may not mount one: not tried.");
            }
            assumeTrue(noexec != null, "no directory here is mounted noexec, and this user may not mount one");
            failed(run("-Dio.leasehold.native.tmpdir=" + noexec),
                    noexec, "noexec", "io.leasehold.native.tmpdir", "attempt: java.lang.UnsatisfiedLinkError");
            assertFalse(Arrays.stream(new File(noexec).list()).anyMatch(name -> name.startsWith("leasehold")), "left behind");
            // As the advice says.
            String output = run("-Djava.io.tmpdir=" + noexec, "-Dio.leasehold.native.tmpdir=" + elsewhere);
            assertTrue(output.contains("available: true"), output);
        } finally {
            if (isMounted) {
                unmount(mounted);
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

    private static boolean mount(String option, Path on) throws Exception {
        try {
            return new ProcessBuilder("mount", "-t", "tmpfs", "-o", option, "tmpfs", on.toString())
                            .redirectErrorStream(true)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }

    private static void unmount(Path directory) throws Exception {
        new ProcessBuilder("umount", directory.toString()).inheritIO().start().waitFor();
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
