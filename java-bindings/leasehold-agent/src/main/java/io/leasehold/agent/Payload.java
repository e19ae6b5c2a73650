package io.leasehold.agent;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.security.CodeSource;
import java.security.ProtectionDomain;
import java.security.cert.Certificate;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarFile;

/**
 * The classes that the agent's jar has for others' loaders, in parts: payload/PART/….class, where no loader looks for classes. They are
 * defined in the loader that has HttpClient's, so that they see it and are seen by it, and go with it; what defines a class is the JDK's
 * own method, which the agent opens to itself.
 *
 * <p>No lock is held meanwhile, as defining a class may call the loader, whose locks others may hold who come here. Threads that define
 * the same classes at once each go on when all are there.
 */
final class Payload {
    /** What every loader gets that has a class of HttpClient's. */
    static final String SEAM = "seam";
    /** The library below the managers. */
    static final String LIBRARY = "leasehold";

    /** The name of a part's list: in each line a class, and the first class above it that is not of the part ({@code Definitions}). */
    static final String CLASSES = "classes";

    private final File jar;
    private final Instrumentation instrumentation;
    // Written by whoever defines the first class, the first of them last; who races with that writes equal ones.
    private volatile Method define;
    private Method findLoaded;

    /** Of an agent's jar. */
    Payload(File jar, Instrumentation instrumentation) {
        this.jar = jar;
        this.instrumentation = instrumentation;
    }

    /** Makes the JDK's own methods callable, before the first class is defined: a program that has no HttpClient need not wait for that. */
    private void open() throws ReflectiveOperationException {
        openJavaLang();
        Method finding = ClassLoader.class.getDeclaredMethod("findLoadedClass", String.class);
        finding.setAccessible(true);
        Method defining = ClassLoader.class.getDeclaredMethod(
                "defineClass", String.class, byte[].class, int.class, int.class, ProtectionDomain.class);
        defining.setAccessible(true);
        // Accessible already: a thread that came first may use what the next one writes.
        findLoaded = finding;
        define = defining;
    }

    /** To this class's module alone: by {@code redefineModule}, which Java 8 does not have, nor need. */
    private void openJavaLang() throws ReflectiveOperationException {
        Method getModule;
        try {
            getModule = Class.class.getMethod("getModule");
        } catch (NoSuchMethodException e) {
            return;
        }
        Object base = getModule.invoke(Object.class);
        Object own = getModule.invoke(Payload.class);
        Class<?> module = getModule.getReturnType();
        Instrumentation.class.getMethod("redefineModule", module, Set.class, Map.class, Map.class, Set.class, Map.class)
                .invoke(instrumentation, base, Collections.emptySet(), Collections.emptyMap(),
                        Collections.singletonMap("java.lang", Collections.singleton(own)), Collections.emptySet(), Collections.emptyMap());
    }

    /** A file of a part. */
    byte[] file(String part, String name) throws IOException {
        try (JarFile file = new JarFile(jar)) {
            return bytes(file, part, name);
        }
    }

    /** A file of a part, in UTF-8. */
    String text(String part, String name) throws IOException {
        try (JarFile file = new JarFile(jar)) {
            return text(file, part, name);
        }
    }

    private static String text(JarFile file, String part, String name) throws IOException {
        return new String(bytes(file, part, name), StandardCharsets.UTF_8);
    }

    private static byte[] bytes(JarFile file, String part, String name) throws IOException {
        try (InputStream in = file.getInputStream(file.getEntry(folder(part) + name))) {
            return bytes(in);
        }
    }

    /**
     * Defines the classes of a part, those first that others extend. Those that are there stay. What extends another manager of stock's
     * than the one in question is left for later: it would have a class loaded that the program does not use.
     */
    void define(String part, ClassLoader loader, Target target) throws IOException, ReflectiveOperationException {
        if (define == null) {
            open();
        }
        // The library's resources are found by this.
        URL place = new URL("jar:" + jar.toURI() + "!/" + folder(part));
        ProtectionDomain domain = new ProtectionDomain(new CodeSource(place, (Certificate[]) null), null, loader, null);
        try (JarFile file = new JarFile(jar)) {
            // No lambda: the first one of a JVM takes long, and a program may start no other.
            for (String line : text(file, part, CLASSES).split("\n")) {
                int space = line.indexOf(' ');
                Target extended = Target.BY_INTERNAL_NAME.get(line.substring(space + 1));
                if (extended == null || extended == target) {
                    String name = line.substring(0, space);
                    define(name.replace('/', '.'), bytes(file, part, name + ".class"), loader, domain);
                }
            }
        }
    }

    private void define(String className, byte[] content, ClassLoader loader, ProtectionDomain domain) throws ReflectiveOperationException {
        if (!isThere(className, loader)) {
            try {
                define.invoke(loader, className, content, 0, content.length, domain);
            } catch (InvocationTargetException e) {
                if (!isThere(className, loader)) {
                    throw e;
                }
                // Another thread was faster.
            }
        }
    }

    private boolean isThere(String className, ClassLoader loader) throws ReflectiveOperationException {
        Class<?> found = (Class<?>) findLoaded.invoke(loader, className);
        return found != null && found.getClassLoader() == loader;
    }

    private static String folder(String part) {
        return "payload/" + part + "/";
    }

    static byte[] bytes(InputStream in) throws IOException {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        byte[] chunk = new byte[1 << 14];
        for (int n; (n = in.read(chunk)) >= 0; ) {
            content.write(chunk, 0, n);
        }
        return content.toByteArray();
    }
}
