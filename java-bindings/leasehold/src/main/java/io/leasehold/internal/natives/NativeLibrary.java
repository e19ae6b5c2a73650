package io.leasehold.internal.natives;

import io.leasehold.internal.log.Log;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.CodeSource;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Properties;

/**
 * Loads the native library, once. A failure is kept and told to everybody who needs the library; nothing is thrown from
 * a static initialiser, where it would come as an error, and only the first time with its cause.
 *
 * <p>Nothing of a file is run before its checksum is seen to be the one that the jar has for it; what is loaded then says its version,
 * which must be the classes'. A failure is one sentence: what is needed, what was found, what stands in the way, and what can be done about
 * that.
 */
public final class NativeLibrary {
    private static final String PATH = "io.leasehold.native.path";
    private static final String TMPDIR = "io.leasehold.native.tmpdir";

    private static final String VERSION = readVersion();
    // ----- written once, while the library is loaded, which is before anybody can use this class -----
    private static boolean reachesDescriptors;
    private static final LoadFailure FAILURE = load();

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
    public static LoadFailure failure() {
        return FAILURE;
    }

    /**
     * Whether the descriptors of sockets can be reached.
     *
     * @return true if the library is there, and this JDK's sockets have the fields that lead there
     */
    public static boolean reachesDescriptors() {
        return reachesDescriptors;
    }

    private static native String nativeVersion();

    /** Has the JVM know every native of these classes, which it would look up by Java code when each is called for the first time. */
    private static native void link(Class<?> clock, Class<?> engine, Class<?> effects, Class<?> log, Class<?> watch, Class<?> descriptors,
            Class<?> second);

    private static LoadFailure load() {
        try {
            String path = System.getProperty(PATH);
            return path == null ? unpackAndLoad() : loadFrom(path);
        } catch (Throwable e) {
            return unavailable("it failed unexpectedly (" + e + ")", "please report this", e);
        }
    }

    /** The file that was named, and nothing else: whoever names one means it. */
    private static LoadFailure loadFrom(String path) throws IOException {
        String tried = "the system property " + PATH + " names " + path;
        File file = new File(path);
        if (!file.isFile()) {
            return unavailable(tried + ", which is no file", "set it to the library's file, or remove it", null);
        }
        String packed = resource();
        String expected = checksum(packed);
        // Without one, this jar has no library for this machine, and whoever built one answers for it.
        if (expected != null) {
            byte[] content;
            try {
                content = Files.readAllBytes(file.toPath());
            } catch (IOException e) {
                return unavailable(tried + ", which cannot be read (" + e + ")", "let this user read it", e);
            }
            if (!expected.equals(sha256(content))) {
                return unavailable(tried + ", which is not the library that belongs to these classes, " + packed + ": its checksum is another",
                        "unpack that from the jar, or remove the property", null);
            }
        }
        return tryToLoad(file, tried, "put the file where this user may execute files");
    }

    private static LoadFailure unpackAndLoad() throws IOException {
        String resource = resource();
        URL packed = find(resource);
        if (packed == null) {
            return notPacked(resource);
        }
        byte[] content = read(packed);
        String expected = checksum(resource);
        if (!sha256(content).equals(expected)) {
            return unavailable("the checksum of the jar's resource " + resource + " is another than the jar says"
                    + (expected == null ? ", which says none" : ""), "replace the jar by a whole one of one version", null);
        }
        String parent = System.getProperty(TMPDIR, System.getProperty("java.io.tmpdir"));
        String advice = "set -D" + TMPDIR + "=<directory> to one where this user may write and execute files, or, if there is none, unpack "
                + resource + " from the jar beforehand and set -D" + PATH + "=<file>";
        Unpacked unpacked;
        try {
            unpacked = Unpacked.into(Paths.get(parent), new File(resource).getName(), content);
        } catch (IOException | RuntimeException e) {
            return unavailable("the directory " + parent + ", where it is to be unpacked, cannot be written to (" + e + ")", advice, e);
        }
        try {
            return tryToLoad(unpacked.file().toFile(), "it was unpacked to " + parent, advice);
        } finally {
            unpacked.close();
        }
    }

    /** Null if it was loaded. */
    private static LoadFailure tryToLoad(File file, String tried, String adviceOnNoexec) {
        try {
            System.load(file.getAbsolutePath());
        } catch (UnsatisfiedLinkError e) {
            if (isOnNoexec(file)) {
                return unavailable(tried + ", which is mounted noexec, so that no file there may be executed", adviceOnNoexec, e);
            }
            String words = String.valueOf(e.getMessage());
            Obstacle obstacle = Obstacle.in(words);
            return unavailable(tried + ", and " + obstacle.meaning() + " (" + words + ")", obstacle.advice(), e);
        } catch (RuntimeException e) {
            if (e.getClass().getName().equals("java.lang.IllegalCallerException")) {
                return unavailable("this JVM denies native access", "start it with --enable-native-access=ALL-UNNAMED"
                        + " (=io.leasehold if it is on the module path)", e);
            }
            throw e;
        }
        String version;
        try {
            version = nativeVersion();
        } catch (UnsatisfiedLinkError e) {
            return unavailable(tried + ", but that is not the Leasehold library (" + e.getMessage() + ")", "correct or remove the file", e);
        }
        if (!version.equals(VERSION)) {
            return unavailable(tried + ", but that library is of version " + version + ", its classes of " + VERSION,
                    "take both from one version", null);
        }
        link(KernelClock.class, Engine.class, Effects.class, EngineLog.class, PeerWatch.class, Descriptors.class, SecondDescriptor.class);
        findDescriptors();
        return null;
    }

    private static boolean isOnNoexec(File file) {
        return !file.canExecute() && (!file.setExecutable(true) || !file.canExecute());
    }

    private static LoadFailure notPacked(String resource) {
        if (!Machine.isSupported()) {
            return unavailable("there is none for such a machine", "keep to connection managers that need no native library, or build the"
                    + " library here and set -D" + PATH + "=<file>", null);
        }
        return unavailable("there is no resource " + resource + " beside its classes: the jar was built for other processors, or was repacked"
                + " without it", "take the jar as it was published, or set -D" + PATH + "=<file> to an unpacked library", null);
    }

    private static void findDescriptors() {
        String missing = Descriptors.missing();
        reachesDescriptors = missing == null;
        if (missing != null) {
            Log.warn("this JDK's sockets cannot be asked for their descriptors (" + missing
                    + "): connections are checked by reading from them instead", null);
        }
    }

    private static LoadFailure unavailable(String what, String advice, Throwable error) {
        return new LoadFailure("Leasehold's native library cannot be used: it needs " + Machine.NEEDED + ", here is " + Machine.found()
                + ", and " + what + ": " + advice, error);
    }

    /** The library's place in the jar; its name carries the version, so that one of another is not found, let alone loaded. */
    private static String resource() {
        return "META-INF/native/" + Machine.platform() + "/libleasehold-jni-" + VERSION + ".so";
    }

    /** What the jar says of a resource, null if nothing. */
    private static String checksum(String resource) throws IOException {
        URL packed = find(resource + ".sha256");
        return packed == null ? null : new String(read(packed), StandardCharsets.US_ASCII).trim();
    }

    private static URL find(String resource) {
        ClassLoader loader = NativeLibrary.class.getClassLoader();
        URL found = loader == null ? ClassLoader.getSystemResource(resource) : loader.getResource(resource);
        return found == null ? besideClass(resource) : found;
    }

    /**
     * Where this class's file is from, if that is within a jar, whatever the loader shows of it: so it is where an agent defined the class
     * in a loader of others'. Null if the resource is not there.
     */
    private static URL besideClass(String resource) {
        try {
            CodeSource source = NativeLibrary.class.getProtectionDomain().getCodeSource();
            if (source == null || source.getLocation() == null || !source.getLocation().getProtocol().equals("jar")) {
                return null;
            }
            URL url = new URL(source.getLocation(), resource);
            URLConnection connection = url.openConnection();
            connection.setUseCaches(false);
            try (InputStream in = connection.getInputStream()) {
                return url;
            }
        } catch (IOException | RuntimeException e) {
            return null;
        }
    }

    private static byte[] read(URL resource) throws IOException {
        URLConnection connection = resource.openConnection();
        // A cached jar could be closed under our hands by another class loader.
        connection.setUseCaches(false);
        try (InputStream in = connection.getInputStream()) {
            ByteArrayOutputStream content = new ByteArrayOutputStream();
            byte[] chunk = new byte[1 << 16];
            for (int n; (n = in.read(chunk)) >= 0; ) {
                content.write(chunk, 0, n);
            }
            return content.toByteArray();
        }
    }

    private static String sha256(byte[] content) {
        try {
            StringBuilder digits = new StringBuilder();
            for (byte b : MessageDigest.getInstance("SHA-256").digest(content)) {
                digits.append(Character.forDigit(b >> 4 & 15, 16)).append(Character.forDigit(b & 15, 16));
            }
            return digits.toString();
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    private static String readVersion() {
        Properties properties = new Properties();
        try (InputStream in = NativeLibrary.class.getResourceAsStream("version.properties")) {
            if (in != null) {
                properties.load(in);
            } else {
                properties.load(new ByteArrayInputStream(read(besideClass("io/leasehold/internal/natives/version.properties"))));
            }
        } catch (IOException | RuntimeException e) {
            // Repacked without it: the library is then looked for under a name that does not exist, which says as much.
        }
        return properties.getProperty("version", "unknown");
    }
}
