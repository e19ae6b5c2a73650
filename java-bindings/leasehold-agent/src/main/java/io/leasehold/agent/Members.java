package io.leasehold.agent;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.Map;
import org.objectweb.asm.Type;

/**
 * Sees whether what our classes refer to is there, before any of them is: in the class files that a loader shows, without loading a class,
 * as one of them is being loaded just now. What they refer to is listed when the agent's jar is made ({@code References}), so that ours are
 * not read for it. What classes inherit from the JDK's is looked for there by reflection, as the class files of a later JDK may be of a
 * version that is not known here.
 */
final class Members {
    /** The name of a part's list: in each line a class of others, and what members of it ours need. */
    static final String LIST = "references";

    private final ClassLoader loader;
    private final Map<String, Shape> shapes = new HashMap<>();

    /** Of a loader that is to have classes of ours. */
    Members(ClassLoader loader) {
        this.loader = loader;
    }

    /** Of one of whose classes the file is at hand: it is being loaded. */
    Members(ClassLoader loader, String loading, byte[] content) {
        this(loader);
        shapes.put(loading, new Shape(content));
    }

    /** Looks for everything that is listed. */
    void check(String references) throws Unexpected, IOException {
        for (String line : references.split("\n")) {
            String[] words = line.split(" ");
            shapeOf(words[0]);
            for (int i = 1; i < words.length; i++) {
                if (!has(words[0], words[i])) {
                    throw new Unexpected("there is no " + words[0].replace('/', '.') + "." + words[i]);
                }
            }
        }
    }

    /** Whether a class or one above it has a member. */
    boolean has(String owner, String member) throws Unexpected, IOException {
        if (isJdk(owner)) {
            return jdkHas(owner, member);
        }
        Shape shape = shapeOf(owner);
        if (shape.has(member)) {
            return true;
        }
        // Constructors are not inherited.
        if (!member.startsWith("<")) {
            for (String above : shape.above) {
                if (has(above, member)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean jdkHas(String owner, String member) {
        int end = member.indexOf('(');
        try {
            Class<?> type = Class.forName(owner.replace('/', '.'), false, ClassLoader.getSystemClassLoader());
            for (Class<?> each = type; each != null && end >= 0; each = each.getSuperclass()) {
                if (isAmong(each.getDeclaredMethods(), member, end)) {
                    return true;
                }
            }
            // Those of interfaces above it, too.
            return end >= 0 && isAmong(type.getMethods(), member, end);
        } catch (ClassNotFoundException e) {
            // Not the JDK's but called like them: the program's own loader may have it.
            return true;
        }
    }

    private static boolean isAmong(Method[] methods, String member, int end) {
        for (Method each : methods) {
            if (each.getName().length() == end && member.startsWith(each.getName()) && member.endsWith(Type.getMethodDescriptor(each))) {
                return true;
            }
        }
        return false;
    }

    Shape shapeOf(String name) throws Unexpected, IOException {
        Shape shape = shapes.get(name);
        if (shape == null) {
            shape = new Shape(read(name));
            shapes.put(name, shape);
        }
        return shape;
    }

    private byte[] read(String name) throws Unexpected, IOException {
        try (InputStream in = loader.getResourceAsStream(name + ".class")) {
            if (in == null) {
                throw new Unexpected("its loader shows no " + name.replace('/', '.'));
            }
            return Payload.bytes(in);
        }
    }

    static boolean isJdk(String name) {
        return name.startsWith("java/") || name.startsWith("javax/") || name.startsWith("[");
    }
}
