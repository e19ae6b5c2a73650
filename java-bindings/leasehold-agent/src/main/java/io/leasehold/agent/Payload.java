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
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.objectweb.asm.ClassReader;

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

    /** The class files of a part, by the names that class files have for classes. */
    Map<String, byte[]> classes(String part) throws IOException {
        String folder = folder(part);
        Map<String, byte[]> classes = new LinkedHashMap<>();
        try (JarFile file = new JarFile(jar)) {
            for (Enumeration<JarEntry> entries = file.entries(); entries.hasMoreElements(); ) {
                JarEntry entry = entries.nextElement();
                String name = entry.getName();
                if (name.startsWith(folder) && name.endsWith(".class")) {
                    try (InputStream in = file.getInputStream(entry)) {
                        classes.put(name.substring(folder.length(), name.length() - ".class".length()), bytes(in));
                    }
                }
            }
        }
        return classes;
    }

    /** A file of a part. */
    byte[] file(String part, String name) throws IOException {
        try (JarFile file = new JarFile(jar); InputStream in = file.getInputStream(file.getEntry(folder(part) + name))) {
            return bytes(in);
        }
    }

    /** A file of a part, in UTF-8. */
    String text(String part, String name) throws IOException {
        return new String(file(part, name), StandardCharsets.UTF_8);
    }

    /**
     * Defines the classes of a part, those first that others extend. Those that are there stay. What extends another manager of stock's
     * than the one in question, and what of ours extends that, is left for later: it would have a class loaded that the program does not
     * use. So would what extends the flight recorder's classes, which not every loader shows either: it is never defined.
     */
    void define(String part, ClassLoader loader, Target target) throws IOException, ReflectiveOperationException {
        if (define == null) {
            open();
        }
        Map<String, byte[]> classes = classes(part);
        Map<String, byte[]> all = new LinkedHashMap<>(classes);
        // No lambda: the first one of a JVM takes long, and a program may start no other.
        for (String name : all.keySet()) {
            String above = othersAbove(name, all);
            Target extended = Target.BY_INTERNAL_NAME.get(above);
            if (extended != null && extended != target || above.startsWith("jdk/")) {
                classes.remove(name);
            }
        }
        // The library's resources are found by this.
        URL place = new URL("jar:" + jar.toURI() + "!/" + folder(part));
        ProtectionDomain domain = new ProtectionDomain(new CodeSource(place, (Certificate[]) null), null, loader, null);
        while (!classes.isEmpty()) {
            define(classes.keySet().iterator().next(), classes, loader, domain);
        }
    }

    private void define(String name, Map<String, byte[]> rest, ClassLoader loader, ProtectionDomain domain)
            throws ReflectiveOperationException {
        byte[] content = rest.remove(name);
        ClassReader reader = new ClassReader(content);
        for (String above : interfacesAnd(reader.getSuperName(), reader.getInterfaces())) {
            if (rest.containsKey(above)) {
                define(above, rest, loader, domain);
            }
        }
        String className = name.replace('/', '.');
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

    /** The first class above one of ours that is not of the same part. */
    private static String othersAbove(String name, Map<String, byte[]> classes) {
        String above = name;
        while (classes.containsKey(above)) {
            above = new ClassReader(classes.get(above)).getSuperName();
        }
        return above;
    }

    private static Iterable<String> interfacesAnd(String above, String[] interfaces) {
        Map<String, Boolean> all = new LinkedHashMap<>();
        all.put(above, true);
        for (String each : interfaces) {
            all.put(each, true);
        }
        return Collections.unmodifiableSet(all.keySet());
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
