package io.leasehold;

import static java.util.Collections.emptyList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** No native is looked up when it is first called, which takes stack and memory that nobody may have by then. */
class LinkingTest {
    // As `-verbose:jni` says it, on every JDK.
    private static final Pattern LINKED = Pattern.compile("Registering JNI native method (io\\.leasehold\\.[\\w.]+)");

    @Test
    void everyNativeIsLinkedWithTheLibrary() throws Exception {
        Matcher matcher = LINKED.matcher(OwnJvm.run(Load.class, emptyList(), "-verbose:jni"));
        Set<String> linked = new TreeSet<>();
        while (matcher.find()) {
            linked.add(matcher.group(1));
        }
        Set<String> natives = natives();
        assertTrue(natives.size() > 40, natives::toString);
        assertEquals(natives, linked);
    }

    /** All of our classes' but the library's own two, of which one tells whether it is ours and the other links the rest. */
    private static Set<String> natives() throws Exception {
        Path root = Paths.get(ConnectionPool.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        Set<String> names = new TreeSet<>();
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(file -> file.toString().endsWith(".class")).collect(Collectors.toList())) {
                String path = root.relativize(file).toString();
                Class<?> each = Class.forName(path.substring(0, path.length() - 6).replace('/', '.'), false, LinkingTest.class.getClassLoader());
                for (Method method : each.getDeclaredMethods()) {
                    if (Modifier.isNative(method.getModifiers()) && !each.getSimpleName().equals("NativeLibrary")) {
                        names.add(each.getName() + "." + method.getName());
                    }
                }
            }
        }
        return names;
    }

    static final class Load {
        private Load() {}

        public static void main(String[] args) {
            assertTrue(Leasehold.isAvailable());
        }
    }
}
