package io.leasehold.agent;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.objectweb.asm.ClassReader;

/**
 * When the agent's jar is made, lists the classes of each part of it: those first that others extend, as that is how they can be defined,
 * and each with the first class above it that is not of the part. So the agent does not read them while a program waits for its start.
 */
final class Definitions {
    private final Map<String, ClassReader> classes = new TreeMap<>();
    // By the name of one that is listed.
    private final Map<String, String> othersAbove = new HashMap<>();
    private final List<String> lines = new ArrayList<>();

    private Definitions() {}

    /** Writes the lists of all parts into a directory. */
    static void write(Path lists, List<Path> compiled) throws IOException {
        write(lists, compiled, Payload.SEAM, name -> name.startsWith("io/leasehold/agent/seam/"));
        write(lists, compiled, Payload.LIBRARY, name -> !name.matches("io/leasehold/(agent|httpclient\\d)/.*"));
        for (Target each : Target.values()) {
            write(lists, compiled, each.part(), name -> name.startsWith("io/leasehold/httpclient" + each.generation + "/"));
        }
    }

    private static void write(Path lists, List<Path> compiled, String part, Predicate<String> isOfPart) throws IOException {
        Definitions definitions = new Definitions();
        for (Path directory : compiled) {
            definitions.read(directory, isOfPart);
        }
        definitions.classes.keySet().forEach(definitions::add);
        Path list = lists.resolve(part).resolve(Payload.CLASSES);
        Files.createDirectories(list.getParent());
        Files.write(list, definitions.lines, StandardCharsets.UTF_8);
    }

    private void read(Path directory, Predicate<String> isOfPart) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path each : (Iterable<Path>) files.filter(file -> file.toString().endsWith(".class"))::iterator) {
                ClassReader reader = new ClassReader(Files.readAllBytes(each));
                if (isOfPart.test(reader.getClassName())) {
                    classes.put(reader.getClassName(), reader);
                }
            }
        }
    }

    /** Lists a class, after what is above it; the first class above it that is of others. Of others, the class itself. */
    private String add(String name) {
        ClassReader reader = classes.get(name);
        if (reader == null) {
            return name;
        }
        String known = othersAbove.get(name);
        if (known == null) {
            known = add(reader.getSuperName());
            for (String each : reader.getInterfaces()) {
                add(each);
            }
            othersAbove.put(name, known);
            lines.add(name + " " + known);
        }
        return known;
    }
}
