package io.leasehold.agent;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.FieldVisitor;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * A class file of stock's manager, and what is made of it: a field for a manager of ours, which is of the same type; constructors that ask
 * once for ours, when all else is done; and every public and protected method passes to it, if it is there. Null means stock.
 *
 * <p>A method that does nothing but call others of the same object stays as it is: these pass to ours, and if a subclass overrides one of
 * them, it is called as before. So do bridges.
 */
final class ManagerClass {
    private static final String FIELD = "leasehold$ours";
    private static final String SEAM = "io/leasehold/agent/seam/Seam";

    private final ClassReader reader;
    private final String name;
    private final Target target;
    private int version;
    // Methods that pass to ours, and the protected fields that subclasses may look at.
    private final Set<String> passing = new HashSet<>();
    private final Map<String, String> shown = new HashMap<>();
    // Constructors that call another one of the class.
    private final Set<String> chained = new HashSet<>();

    ManagerClass(Target target, byte[] content) throws Unexpected {
        this.target = target;
        reader = new ClassReader(content);
        name = reader.getClassName();
        Look look = new Look();
        reader.accept(look, ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
        if (look.unexpected != null) {
            throw new Unexpected(look.unexpected);
        }
        for (Map.Entry<String, Body> each : look.methods.entrySet()) {
            Body body = each.getValue();
            body.calls.retainAll(look.methods.keySet());
            if (body.usesFields || body.calls.isEmpty() || each.getKey().equals("finalize()V")) {
                passing.add(each.getKey());
            }
        }
    }

    /** Whether a class was changed when it was loaded. */
    static boolean isChanged(Class<?> type) {
        try {
            type.getDeclaredField(FIELD);
            return true;
        } catch (NoSuchFieldException e) {
            return false;
        }
    }

    /** The public and protected methods that pass to ours, by name and descriptor. */
    Set<String> passing() {
        return passing;
    }

    byte[] changed() {
        ClassWriter writer = new ClassWriter(reader, 0);
        reader.accept(new Change(writer), 0);
        return writer.toByteArray();
    }

    private static boolean isPassing(int access, String method) {
        return (access & (Opcodes.ACC_PUBLIC | Opcodes.ACC_PROTECTED)) != 0 && !method.equals("<init>")
                && (access & (Opcodes.ACC_STATIC | Opcodes.ACC_ABSTRACT | Opcodes.ACC_NATIVE | Opcodes.ACC_BRIDGE)) == 0;
    }

    /** What a method does with its object. */
    private static final class Body {
        final Set<String> calls = new HashSet<>();
        boolean usesFields;
    }

    private final class Look extends ClassVisitor {
        final Map<String, Body> methods = new LinkedHashMap<>();
        String unexpected;

        Look() {
            super(Opcodes.ASM9);
        }

        @Override
        public void visit(int version, int access, String name, String signature, String superName, String[] interfaces) {
            ManagerClass.this.version = version & 0xffff;
            if (!"java/lang/Object".equals(superName)) {
                unexpected = "it extends " + superName.replace('/', '.');
            }
        }

        @Override
        public FieldVisitor visitField(int access, String field, String descriptor, String signature, Object value) {
            if (field.equals(FIELD)) {
                unexpected = "it has been changed before";
            }
            if ((access & Opcodes.ACC_PROTECTED) != 0 && (access & (Opcodes.ACC_STATIC | Opcodes.ACC_FINAL)) == 0) {
                shown.put(field, descriptor);
            }
            return null;
        }

        @Override
        public MethodVisitor visitMethod(int access, String method, String descriptor, String signature, String[] exceptions) {
            if (method.equals("<init>")) {
                int parameters = (Type.getArgumentsAndReturnSizes(descriptor) >> 2);
                return new MethodVisitor(Opcodes.ASM9) {
                    @Override
                    public void visitMethodInsn(int opcode, String owner, String called, String calledDescriptor, boolean isInterface) {
                        if (opcode == Opcodes.INVOKESPECIAL && called.equals("<init>") && owner.equals(name)) {
                            chained.add(descriptor);
                        }
                    }

                    @Override
                    public void visitVarInsn(int opcode, int variable) {
                        if (opcode >= Opcodes.ISTORE && opcode <= Opcodes.ASTORE && variable < parameters) {
                            unexpected = "a constructor changes its arguments";
                        }
                    }
                };
            }
            if (!isPassing(access, method)) {
                return null;
            }
            Body body = new Body();
            methods.put(method + descriptor, body);
            return new MethodVisitor(Opcodes.ASM9) {
                @Override
                public void visitMethodInsn(int opcode, String owner, String called, String calledDescriptor, boolean isInterface) {
                    if (opcode == Opcodes.INVOKEVIRTUAL && owner.equals(name)) {
                        body.calls.add(called + calledDescriptor);
                    }
                }

                @Override
                public void visitFieldInsn(int opcode, String owner, String field, String fieldDescriptor) {
                    // A logger is no state.
                    body.usesFields |= (opcode == Opcodes.GETFIELD || opcode == Opcodes.PUTFIELD) && owner.equals(name)
                            && !fieldDescriptor.equals("Lorg/apache/commons/logging/Log;");
                }
            };
        }
    }

    private final class Change extends ClassVisitor {
        Change(ClassVisitor next) {
            super(Opcodes.ASM9, next);
        }

        @Override
        public MethodVisitor visitMethod(int access, String method, String descriptor, String signature, String[] exceptions) {
            MethodVisitor next = super.visitMethod(access, method, descriptor, signature, exceptions);
            if (method.equals("<init>") && !chained.contains(descriptor)) {
                return asking(next, descriptor);
            }
            return isPassing(access, method) && passing.contains(method + descriptor) ? passing(next, method, descriptor) : next;
        }

        @Override
        public void visitEnd() {
            // Final, so that who sees the object sees it.
            visitField(Opcodes.ACC_PRIVATE | Opcodes.ACC_FINAL | Opcodes.ACC_SYNTHETIC | Opcodes.ACC_TRANSIENT, FIELD, "L" + name + ";",
                    null, null).visitEnd();
            super.visitEnd();
        }

        private MethodVisitor asking(MethodVisitor next, String descriptor) {
            return new MethodVisitor(Opcodes.ASM9, next) {
                @Override
                public void visitInsn(int opcode) {
                    if (opcode == Opcodes.RETURN) {
                        super.visitVarInsn(Opcodes.ALOAD, 0);
                        question();
                        super.visitMethodInsn(Opcodes.INVOKESTATIC, SEAM, "ask", "([Ljava/lang/Object;)Ljava/lang/Object;", false);
                        super.visitTypeInsn(Opcodes.CHECKCAST, name);
                        super.visitFieldInsn(Opcodes.PUTFIELD, name, FIELD, "L" + name + ";");
                    }
                    super.visitInsn(opcode);
                }

                @Override
                public void visitMaxs(int maxStack, int maxLocals) {
                    // The question, its index twice with what is to be there, and what may lie below.
                    super.visitMaxs(maxStack + 6, maxLocals);
                }

                private void question() {
                    Type[] arguments = Type.getArgumentTypes(descriptor);
                    push(arguments.length + 2);
                    super.visitTypeInsn(Opcodes.ANEWARRAY, "java/lang/Object");
                    element(0);
                    super.visitLdcInsn(target.name());
                    super.visitInsn(Opcodes.AASTORE);
                    element(1);
                    super.visitVarInsn(Opcodes.ALOAD, 0);
                    super.visitInsn(Opcodes.AASTORE);
                    int variable = 1;
                    for (int i = 0; i < arguments.length; i++) {
                        element(i + 2);
                        super.visitVarInsn(arguments[i].getOpcode(Opcodes.ILOAD), variable);
                        box(arguments[i]);
                        super.visitInsn(Opcodes.AASTORE);
                        variable += arguments[i].getSize();
                    }
                }

                private void element(int index) {
                    super.visitInsn(Opcodes.DUP);
                    push(index);
                }

                private void push(int number) {
                    super.visitIntInsn(Opcodes.BIPUSH, number);
                }

                private void box(Type type) {
                    String box = type.getSort() == Type.BOOLEAN ? "Boolean" : type.getSort() == Type.INT ? "Integer"
                            : type.getSort() == Type.LONG ? "Long" : null;
                    if (box != null) {
                        String boxed = "java/lang/" + box;
                        String descriptor = "(" + type.getDescriptor() + ")L" + boxed + ";";
                        super.visitMethodInsn(Opcodes.INVOKESTATIC, boxed, "valueOf", descriptor, false);
                    }
                }
            };
        }

        private MethodVisitor passing(MethodVisitor next, String method, String descriptor) {
            return new MethodVisitor(Opcodes.ASM9, next) {
                @Override
                public void visitCode() {
                    super.visitCode();
                    Label stock = new Label();
                    ours();
                    super.visitJumpInsn(Opcodes.IFNULL, stock);
                    ours();
                    int variable = 1;
                    for (Type each : Type.getArgumentTypes(descriptor)) {
                        super.visitVarInsn(each.getOpcode(Opcodes.ILOAD), variable);
                        variable += each.getSize();
                    }
                    super.visitMethodInsn(Opcodes.INVOKEVIRTUAL, name, method, descriptor, false);
                    Type returned = Type.getReturnType(descriptor);
                    for (Map.Entry<String, String> each : shown.entrySet()) {
                        String type = each.getValue();
                        if (type.equals(returned.getDescriptor())) {
                            super.visitVarInsn(Opcodes.ALOAD, 0);
                            ours();
                            super.visitFieldInsn(Opcodes.GETFIELD, name, each.getKey(), type);
                            super.visitFieldInsn(Opcodes.PUTFIELD, name, each.getKey(), type);
                        }
                    }
                    super.visitInsn(returned.getOpcode(Opcodes.IRETURN));
                    super.visitLabel(stock);
                    if (version >= Opcodes.V1_6) {
                        super.visitFrame(Opcodes.F_SAME, 0, null, 0, null);
                    }
                    // So that a frame that stock's code begins with is at another place.
                    super.visitInsn(Opcodes.NOP);
                }

                @Override
                public void visitMaxs(int maxStack, int maxLocals) {
                    // Ours and its arguments; or what it has returned, and two objects.
                    super.visitMaxs(Math.max(maxStack, (Type.getArgumentsAndReturnSizes(descriptor) >> 2) + 4), maxLocals);
                }

                private void ours() {
                    super.visitVarInsn(Opcodes.ALOAD, 0);
                    super.visitFieldInsn(Opcodes.GETFIELD, name, FIELD, "L" + name + ";");
                }
            };
        }
    }
}
