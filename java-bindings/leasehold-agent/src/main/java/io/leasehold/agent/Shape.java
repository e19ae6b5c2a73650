package io.leasehold.agent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.objectweb.asm.ClassReader;

/** What a class file says of its class: what is above it, and its members. It reads no more, as a program's start waits for dozens. */
final class Shape {
    /** The superclass, but for Object's, and the interfaces. */
    final List<String> above = new ArrayList<>();
    private final Set<String> members = new HashSet<>();

    Shape(byte[] content) {
        ClassReader reader = new ClassReader(content);
        String[] interfaces = reader.getInterfaces();
        if (reader.getSuperName() != null) {
            above.add(reader.getSuperName());
        }
        above.addAll(Arrays.asList(interfaces));
        // Behind the access flags, the class, the one above it and the interfaces: the fields, and then the methods, in the same form.
        char[] text = new char[reader.getMaxStringLength()];
        int methods = add(reader, reader.header + 8 + 2 * interfaces.length, ":", text);
        add(reader, methods, "", text);
    }

    private int add(ClassReader reader, int table, String between, char[] text) {
        int at = table + 2;
        for (int left = reader.readUnsignedShort(table); left > 0; left--) {
            members.add(reader.readUTF8(at + 2, text) + between + reader.readUTF8(at + 4, text));
            int attributes = reader.readUnsignedShort(at + 6);
            at += 8;
            for (; attributes > 0; attributes--) {
                at += 6 + reader.readInt(at + 2);
            }
        }
        return at;
    }

    /** Whether the class itself has a member: a field as name:descriptor, a method as name and descriptor. */
    boolean has(String member) {
        return members.contains(member);
    }
}
