package io.leasehold;

import static java.util.Arrays.stream;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * What an ahead-of-time compiler is told of the library: it sees neither what native code reads nor what is unpacked.
 */
class NativeImageTest {
    private static String read(String file) throws Exception {
        String path = "/META-INF/native-image/io.leasehold/leasehold/" + file;
        try (InputStream in = NativeImageTest.class.getResourceAsStream(path)) {
            return new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))
                    .lines()
                    .collect(Collectors.joining("\n"));
        }
    }

    @Test
    void everyFieldThatNativeCodeReadsIsThere() throws Exception {
        Matcher entry = Pattern.compile("\"name\": \"([\\w.]+)\", \"fields\": \\[\\{\"name\": \"(\\w+)\"")
                .matcher(read("jni-config.json"));
        int found = 0;
        while (entry.find()) {
            found++;
            String name = entry.group(1);
            if (name.equals("java.net.DelegatingSocketImpl") && System.getProperty("java.version").startsWith("1.")) {
                continue;
            }
            Class<?> type = Class.forName(name, false, null);
            String field = entry.group(2);
            // The field that holds a descriptor's number is hidden from reflection by newer JDKs.
            assertTrue(
                    stream(type.getDeclaredFields()).anyMatch(f -> f.getName().equals(field))
                            || name.equals("java.io.FileDescriptor"),
                    () -> name + " has no field " + field);
        }
        assertEquals(7, found);
    }

    @Test
    void everyMethodThatNativeCodeCallsIsThere() throws Exception {
        Matcher entry = Pattern.compile("\"name\": \"([\\w.]+)\", \"methods\": \\[\\{\"name\": \"(\\w+)\", \"parameterTypes\": \\[\\]")
                .matcher(read("jni-config.json"));
        assertTrue(entry.find());
        Class.forName(entry.group(1)).getDeclaredMethod(entry.group(2));
        assertTrue(!entry.find());
    }

    /** What the library's file names is all that it can look up, what it takes for errors included. */
    @Test
    void everyClassThatTheLibraryNamesIsThere() throws Exception {
        Set<String> named = new TreeSet<>();
        Matcher names = Pattern.compile("(?:java|javax|sun|jdk)([./])[a-z]+(?:\\1[a-z]+)*\\1[A-Z][A-Za-z]*").matcher(library());
        while (names.find()) {
            named.add(names.group().replace('/', '.'));
        }
        assertTrue(named.contains("java.net.Socket"), named.toString());
        String config = read("jni-config.json");
        named.removeIf(name -> config.contains("{\"name\": \"" + name + "\""));
        assertEquals(Collections.emptySet(), named, "looked up by native code, and not in jni-config.json");
    }

    private static String library() throws Exception {
        try (InputStream in = NativeImageTest.class.getClassLoader().getResourceAsStream(OwnJvm.library())) {
            ByteArrayOutputStream content = new ByteArrayOutputStream();
            byte[] chunk = new byte[1 << 16];
            for (int n; (n = in.read(chunk)) >= 0; ) {
                content.write(chunk, 0, n);
            }
            return content.toString("ISO-8859-1");
        }
    }

    @Test
    void theLibraryAndTheVersionArePacked() throws Exception {
        String arch = System.getProperty("os.arch").equals("amd64") ? "x86_64" : System.getProperty("os.arch");
        String library = "META-INF/native/linux-" + arch + "/libleasehold-jni-" + Leasehold.version() + ".so";
        Matcher pattern = Pattern.compile("\"pattern\": \"([^\"]+)\"").matcher(read("resource-config.json"));
        assertTrue(pattern.find() && library.matches(pattern.group(1)));
        assertTrue(pattern.find() && "io/leasehold/internal/natives/version.properties".matches(pattern.group(1).replace("\\\\", "\\")));
    }
}
