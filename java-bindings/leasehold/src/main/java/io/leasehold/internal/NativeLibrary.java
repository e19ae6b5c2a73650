package io.leasehold.internal;

import io.leasehold.LeaseholdUnavailableException;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Locale;
import java.util.Properties;

/**
 * Loads the native library, once. A failure is kept and told to everybody who needs the library; nothing is thrown from
 * a static initialiser, where it would come as an error, and only the first time with its cause.
 */
public final class NativeLibrary {
    private static final String PATH = "io.leasehold.native.path";
    private static final String TMPDIR = "io.leasehold.native.tmpdir";

    private static final String VERSION = readVersion();
    private static final LeaseholdUnavailableException FAILURE = load();

    private NativeLibrary() {}

    /**
     * The version of the jar.
     *
     * @return the version
     */
    public static String version() {
        return VERSION;
    }

    /**
     * Why the library is not there.
     *
     * @return null if it is there
     */
    public static LeaseholdUnavailableException failure() {
        return FAILURE;
    }

    /** Throws if the library is not there. */
    public static void require() {
        if (FAILURE != null) {
            throw new LeaseholdUnavailableException(FAILURE);
        }
    }

    private static native String nativeVersion();

    private static LeaseholdUnavailableException load() {
        try {
            String path = System.getProperty(PATH);
            if (path != null) {
                return loadFrom(path);
            }
            return unpackAndLoad();
        } catch (Throwable e) {
            return unavailable("it failed unexpectedly: " + e, e);
        }
    }

    /** The file that was named, and nothing else: whoever names one means it. */
    private static LeaseholdUnavailableException loadFrom(String path) {
        File file = new File(path);
        String tried = "the system property " + PATH + " names " + path + ", ";
        if (!file.isFile()) {
            return unavailable(tried + "which is no file: set it to the library's file, or remove it", null);
        }
        Throwable error = tryToLoad(file);
        return error == null
                ? null
                : unavailable(tried + "which could not be loaded: " + reason(error) + ". Correct or remove the property", error);
    }

    private static LeaseholdUnavailableException unpackAndLoad() {
        String resource = "META-INF/native/" + platform() + "/libleasehold-jni-" + VERSION + ".so";
        URL packed = NativeLibrary.class.getClassLoader() == null
                ? ClassLoader.getSystemResource(resource)
                : NativeLibrary.class.getClassLoader().getResource(resource);
        if (packed == null) {
            return unavailable("there is no resource " + resource + " beside its classes: this platform is not supported by this jar, or"
                    + " the jar was repacked without it. Build the library for this platform and set -D" + PATH + "=<file>", null);
        }
        String parent = System.getProperty(TMPDIR, System.getProperty("java.io.tmpdir"));
        String tried = "resource " + resource + ", unpacked to " + parent + ": ";
        String advice = ". Set -D" + TMPDIR + "=<directory> to one that is writable and may hold executable files, or -D" + PATH
                + "=<file> to an unpacked library";
        Path directory = null;
        Path file = null;
        try {
            // Created for this user only (0700), under a name that nobody can foresee.
            directory = Files.createTempDirectory(Paths.get(parent), "leasehold");
            file = directory.resolve("libleasehold-jni-" + VERSION + ".so");
            URLConnection connection = packed.openConnection();
            // A cached jar could be closed under our hands by another class loader.
            connection.setUseCaches(false);
            try (InputStream in = connection.getInputStream()) {
                Files.copy(in, file);
            }
            Throwable error = tryToLoad(file.toFile());
            if (error == null) {
                return null;
            }
            if (error instanceof UnsatisfiedLinkError && isOnNoexec(file.toFile())) {
                return unavailable(tried + "files there may not be executed (mounted noexec)" + advice, error);
            }
            return unavailable(tried + reason(error) + (error instanceof UnsatisfiedLinkError ? advice : ""), error);
        } catch (IOException | RuntimeException e) {
            return unavailable(tried + "the directory cannot be written to: " + e + advice, e);
        } finally {
            // A loaded library needs its file no more.
            delete(file);
            delete(directory);
        }
    }

    private static Throwable tryToLoad(File file) {
        try {
            System.load(file.getAbsolutePath());
            String found = nativeVersion();
            if (!found.equals(VERSION)) {
                return new IllegalStateException("the library is of version " + found + ", its classes of " + VERSION);
            }
            SocketDescriptors.prepare();
            return null;
        } catch (Throwable e) {
            return e;
        }
    }

    private static String reason(Throwable error) {
        if (error.getClass().getName().equals("java.lang.IllegalCallerException")) {
            return "this JVM denies native access: start it with --enable-native-access=ALL-UNNAMED"
                    + " (=io.leasehold if it is on the module path)";
        }
        if (error instanceof UnsatisfiedLinkError && String.valueOf(error.getMessage()).contains("nativeVersion")) {
            return "it is not the Leasehold library of this version (" + error.getMessage() + ")";
        }
        return String.valueOf(error.getMessage());
    }

    private static boolean isOnNoexec(File file) {
        return file.setExecutable(true) && !file.canExecute();
    }

    private static LeaseholdUnavailableException unavailable(String what, Throwable error) {
        LeaseholdUnavailableException failure = new LeaseholdUnavailableException("Leasehold's native library cannot be used on "
                + System.getProperty("os.name") + ", " + System.getProperty("os.arch") + ": " + what);
        if (error != null) {
            failure.addSuppressed(error);
        }
        return failure;
    }

    private static String platform() {
        String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT).replace(' ', '-');
        String arch = System.getProperty("os.arch", "");
        return os + '-' + (arch.equals("amd64") ? "x86_64" : arch);
    }

    private static String readVersion() {
        Properties properties = new Properties();
        try (InputStream in = NativeLibrary.class.getResourceAsStream("version.properties")) {
            properties.load(in);
        } catch (IOException | RuntimeException e) {
            // Repacked without it: the library is then looked for under a name that does not exist, which says as much.
        }
        return properties.getProperty("version", "unknown");
    }

    private static void delete(Path path) {
        try {
            if (path != null) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            path.toFile().deleteOnExit();
        }
    }
}
