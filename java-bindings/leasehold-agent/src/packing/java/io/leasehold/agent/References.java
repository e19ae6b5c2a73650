package io.leasehold.agent;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ConstantDynamic;
import org.objectweb.asm.Handle;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * When the agent's jar is made, lists for each generation of HttpClient the classes of others, and their members, that ours refer to: the
 * agent looks for those before it changes a class. Members that ours inherit are looked for where others have them.
 */
final class References extends ClassVisitor {
    /** Every class has these. */
    private static final Set<String> OBJECT = Arrays.stream(Object.class.getDeclaredMethods()).map(References::named)
            .collect(Collectors.toSet());

    // What the class path has: ours, and HttpClient of the least version.
    private final Members compiled = new Members(References.class.getClassLoader());
    private final Map<String, Set<String>> members = new TreeMap<>();

    References() {
        super(Opcodes.ASM9);
    }

    /** With the directory for the lists, and those of ours classes; HttpClient's are on the class path. */
    public static void main(String[] args) throws Exception {
        Definitions.write(Paths.get(args[0]), Arrays.stream(args).skip(1).map(Paths::get).collect(Collectors.toList()));
        List<String> parts = new ArrayList<>();
        for (Target each : Target.values()) {
            if (!parts.contains(each.part())) {
                parts.add(each.part());
                References references = new References();
                for (String directory : Arrays.asList(args).subList(1, args.length)) {
                    references.read(Paths.get(directory, "io/leasehold/httpclient" + each.generation));
                }
                Path list = Paths.get(args[0], each.part(), Members.LIST);
                Files.createDirectories(list.getParent());
                Files.write(list, references.lines(), StandardCharsets.UTF_8);
            }
        }
    }

    private void read(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path each : (Iterable<Path>) files.filter(file -> file.toString().endsWith(".class"))::iterator) {
                read(Files.readAllBytes(each));
            }
        }
    }

    void read(byte[] content) {
        new ClassReader(content).accept(this, ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
    }

    List<String> lines() {
        return members.entrySet().stream().map(each -> (each.getKey() + " " + String.join(" ", each.getValue())).trim())
                .collect(Collectors.toList());
    }

    private void type(String name) {
        if (name != null && name.startsWith("[")) {
            type(Type.getType(name));
        } else if (name != null && isOthers(name)) {
            members.computeIfAbsent(name, key -> new TreeSet<>());
        }
    }

    private void type(Type type) {
        if (type.getSort() == Type.ARRAY) {
            type(type.getElementType());
        } else if (type.getSort() == Type.OBJECT) {
            type(type.getInternalName());
        } else if (type.getSort() == Type.METHOD) {
            type(type.getReturnType());
            for (Type each : type.getArgumentTypes()) {
                type(each);
            }
        }
    }

    /** What the JVM looks for when it comes upon a constant: for a method's type, every class in it. */
    private void constant(Object value) {
        if (value instanceof Type) {
            type((Type) value);
        } else if (value instanceof Handle) {
            Handle handle = (Handle) value;
            boolean isField = handle.getTag() <= Opcodes.H_PUTSTATIC;
            member(handle.getOwner(), handle.getName() + (isField ? ":" : "") + handle.getDesc());
            type(Type.getType(handle.getDesc()));
        } else if (value instanceof ConstantDynamic) {
            ConstantDynamic made = (ConstantDynamic) value;
            type(Type.getType(made.getDescriptor()));
            constant(made.getBootstrapMethod());
            for (int i = 0; i < made.getBootstrapMethodArgumentCount(); i++) {
                constant(made.getBootstrapMethodArgument(i));
            }
        }
    }

    private void member(String owner, String member) {
        if (isOthers(owner)) {
            type(owner);
            if (!OBJECT.contains(member)) {
                members.get(owner).add(member);
            }
        } else if (isOurs(owner)) {
            try {
                inherited(owner, member, new HashSet<>());
            } catch (Unexpected | IOException e) {
                throw new IllegalStateException(owner + ": " + e.getMessage(), e);
            }
        }
    }

    /** Whether a class of ours has a member, or inherits one, which is listed if it is of others. */
    private boolean inherited(String owner, String member, Set<String> seen) throws Unexpected, IOException {
        if (!isOurs(owner) || !seen.add(owner)) {
            return false;
        }
        Shape shape = compiled.shapeOf(owner);
        boolean isFound = shape.has(member);
        for (String above : isFound ? new ArrayList<String>() : shape.above) {
            if (isOthers(above) && compiled.has(above, member)) {
                member(above, member);
                isFound = true;
            }
            isFound = isFound || inherited(above, member, seen);
        }
        return isFound;
    }

    private static boolean isOurs(String name) {
        return name.startsWith("io/leasehold/");
    }

    private static boolean isOthers(String name) {
        return !Members.isJdk(name) && !isOurs(name);
    }

    private static String named(Method method) {
        return method.getName() + Type.getMethodDescriptor(method);
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

            @Override
            public void visitInvokeDynamicInsn(String name, String descriptor, Handle bootstrap, Object... arguments) {
                type(Type.getMethodType(descriptor));
                constant(bootstrap);
                for (Object each : arguments) {
                    constant(each);
                }
            }

            @Override
            public void visitLdcInsn(Object value) {
                constant(value);
            }

            @Override
            public void visitMultiANewArrayInsn(String descriptor, int dimensions) {
                type(descriptor);
            }
        };
    }
}
