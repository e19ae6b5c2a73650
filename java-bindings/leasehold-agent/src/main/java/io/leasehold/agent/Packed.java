package io.leasehold.agent;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.File;
import java.io.IOException;
import java.security.ProtectionDomain;
import java.util.HashMap;
import java.util.Map;
import java.util.jar.JarFile;

/**
 * The agent's classes and ASM's, from one file of the agent's jar, and defined by a loader of their own. The class path's loader takes
 * longer to find a class than the JVM takes to define it, and a program's start waits for some fifty. And what is opened to these classes
 * is not open to the program, which sees none of them.
 */
final class Packed extends ClassLoader {
    /** The file's name: for each class its name, its length, and its class file. */
    static final String FILE = "io/leasehold/agent/classes";

    static {
        registerAsParallelCapable();
    }

    // Written by the constructor: where each class file begins, by the class's name; its length comes before it.
    private final Map<String, Integer> places = new HashMap<>();
    private final byte[] content;
    private final ProtectionDomain domain;

    /** Over the loader that has this class: other agents may have changed these classes so that they need others. */
    private Packed(byte[] content, ProtectionDomain domain) throws IOException {
        super(Packed.class.getClassLoader());
        this.content = content;
        this.domain = domain;
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(content))) {
            while (in.available() > 0) {
                String name = in.readUTF();
                int length = in.readInt();
                places.put(name, content.length - in.available());
                in.skipBytes(length);
            }
        }
    }

    /** The loader of an agent's jar. */
    static ClassLoader of(File jar) throws IOException {
        byte[] content;
        try (JarFile file = new JarFile(jar); DataInputStream in = new DataInputStream(file.getInputStream(file.getEntry(FILE)))) {
            content = new byte[(int) file.getEntry(FILE).getSize()];
            in.readFully(content);
        }
        return new Packed(content, Packed.class.getProtectionDomain());
    }

    @Override
    protected Class<?> loadClass(String name, boolean isResolved) throws ClassNotFoundException {
        Integer place = places.get(name);
        if (place == null) {
            return super.loadClass(name, isResolved);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> known = findLoadedClass(name);
            return known != null ? known : defineClass(name, content, place, length(place), domain);
        }
    }

    private int length(int place) {
        int length = 0;
        for (int at = place - 4; at < place; at++) {
            length = length << 8 | content[at] & 0xff;
        }
        return length;
    }
}
