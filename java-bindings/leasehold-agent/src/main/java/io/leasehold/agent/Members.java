package io.leasehold.agent;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.FieldVisitor;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Sees whether what our classes refer to is there, before any of them is: in the class files that a loader shows, without loading a class,
 * as one of them is being loaded just now. The JDK's own classes are believed to have what they are asked for.
 */
final class Members {
    /** What a class file says of its class. */
    private static final class Shape extends ClassVisitor {
        final List<String> above = new ArrayList<>();
        final Set<String> members = new HashSet<>();

        Shape(byte[] content) {
            super(Opcodes.ASM9);
            new ClassReader(content).accept(this, ClassReader.SKIP_CODE | ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
        }

        @Override
        public void visit(int version, int access, String name, String signature, String superName, String[] interfaces) {
            above.add(superName);
            for (String each : interfaces) {
                above.add(each);
            }
        }

        @Override
        public FieldVisitor visitField(int access, String name, String descriptor, String signature, Object value) {
            members.add(name + ":" + descriptor);
            return null;
        }

        @Override
        public MethodVisitor visitMethod(int access, String name, String descriptor, String signature, String[] exceptions) {
            members.add(name + descriptor);
            return null;
        }
    }

    /** The classes of others, and their members as "class member", that code refers to. */
    private static final class References extends ClassVisitor {
        final Set<String> all = new LinkedHashSet<>();

        References() {
            super(Opcodes.ASM9);
        }

        private void type(String name) {
            if (name != null && !isJdk(name)) {
                all.add(name);
            }
        }

        private void member(String owner, String member) {
            if (!isJdk(owner)) {
                all.add(owner + " " + member);
            }
        }

        @Override
        public void visit(int version, int access, String name, String signature, String superName, String[] interfaces) {
            type(superName);
            for (String each : interfaces) {
                type(each);
            }
        }

        @Override
        public MethodVisitor visitMethod(int access, String name, String descriptor, String signature, String[] exceptions) {
            return new MethodVisitor(Opcodes.ASM9) {
                @Override
                public void visitTypeInsn(int opcode, String name) {
                    type(name);
                }

                @Override
                public void visitTryCatchBlock(Label start, Label end, Label handler, String name) {
                    type(name);
                }

                @Override
                public void visitFieldInsn(int opcode, String owner, String name, String descriptor) {
                    member(owner, name + ":" + descriptor);
                }

                @Override
                public void visitMethodInsn(int opcode, String owner, String name, String descriptor, boolean isInterface) {
                    member(owner, name + descriptor);
                }
            };
        }
    }

    private final ClassLoader loader;
    private final Map<String, byte[]> ours;
    private final Map<String, Shape> shapes = new HashMap<>();

    /** Of a loader that is to have classes of ours, and of one of its classes that is being loaded. */
    Members(ClassLoader loader, Map<String, byte[]> ours, String loading, byte[] content) {
        this.loader = loader;
        this.ours = ours;
        shapes.put(loading, new Shape(content));
    }

    /** Looks for everything that our classes of some package refer to. */
    void check(String folder) throws Unexpected, IOException {
        References references = new References();
        for (Map.Entry<String, byte[]> each : ours.entrySet()) {
            if (each.getKey().startsWith(folder)) {
                new ClassReader(each.getValue()).accept(references, ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
            }
        }
        for (String each : references.all) {
            int space = each.indexOf(' ');
            if (space < 0) {
                shapeOf(each);
            } else if (!has(each.substring(0, space), each.substring(space + 1))) {
                throw new Unexpected("there is no " + each.substring(0, space).replace('/', '.') + "." + each.substring(space + 1));
            }
        }
    }

    /** Whether a class of ours has every public and protected method that another class has; the first that it lacks, or null. */
    String lacking(String oursName, Set<String> methods) throws Unexpected, IOException {
        Set<String> own = shapeOf(oursName).members;
        for (String each : methods) {
            if (!own.contains(each)) {
                return each;
            }
        }
        return null;
    }

    /** Whether a class or one above it has a member. */
    private boolean has(String owner, String member) throws Unexpected, IOException {
        if (isJdk(owner)) {
            return !owner.equals("java/lang/Object") || OBJECT.contains(member);
        }
        Shape shape = shapeOf(owner);
        if (shape.members.contains(member)) {
            return true;
        }
        for (String above : shape.above) {
            if (has(above, member)) {
                return true;
            }
        }
        return false;
    }

    private Shape shapeOf(String name) throws Unexpected, IOException {
        Shape shape = shapes.get(name);
        if (shape == null) {
            byte[] content = ours.get(name);
            shape = new Shape(content != null ? content : read(name));
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

    private static boolean isJdk(String name) {
        return name.startsWith("java/") || name.startsWith("javax/") || name.startsWith("[");
    }

    private static final Set<String> OBJECT = new HashSet<>();

    static {
        // Among what an interface has, too. Its fields are none.
        for (java.lang.reflect.Method each : Object.class.getDeclaredMethods()) {
            OBJECT.add(each.getName() + org.objectweb.asm.Type.getMethodDescriptor(each));
        }
        OBJECT.add("<init>()V");
    }
}
