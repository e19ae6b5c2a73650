package io.leasehold.internal.housekeeping;

import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.security.AccessController;
import java.security.PrivilegedAction;

/**
 * Makes the library's own threads, which belong to no application and must keep none's class loader. A new thread inherits from the one
 * that makes it: access-control context (up to JDK 23), group, priority, context class loader and inheritable thread locals. All are
 * replaced, for the maker is whatever application comes first, and the thread serves others after that one is gone.
 */
final class Daemon implements PrivilegedAction<Thread> {
    private final String name;
    private final Runnable task;

    private Daemon(String name, Runnable task) {
        this.name = name;
        this.task = task;
    }

    static Thread start(String name, Runnable task) {
        Thread thread = make(name, task);
        thread.start();
        return thread;
    }

    /** One that is yet to be started. */
    static Thread make(String name, Runnable task) {
        // The callers' domains, which lead to their class loaders, end here.
        return AccessController.doPrivileged(new Daemon(name, task));
    }

    @Override
    public Thread run() {
        Thread thread = make(root(Thread.currentThread().getThreadGroup()));
        thread.setDaemon(true);
        thread.setPriority(Thread.NORM_PRIORITY);
        thread.setContextClassLoader(null);
        return thread;
    }

    /** The group that is there as long as the JVM. */
    private static ThreadGroup root(ThreadGroup group) {
        ThreadGroup root = group;
        for (ThreadGroup parent = root.getParent(); parent != null; parent = root.getParent()) {
            root = parent;
        }
        return root;
    }

    private Thread make(ThreadGroup group) {
        try {
            Constructor<Thread> plain = Thread.class.getConstructor(
                    ThreadGroup.class, Runnable.class, String.class, long.class, boolean.class);
            return plain.newInstance(group, task, name, 0L, false);
        } catch (NoSuchMethodException e) {
            return makeOnJdk8(group);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("no thread could be made", e);
        }
    }

    /**
     * On JDK 8 no constructor leaves the maker's inheritable thread locals out. So for that moment the maker has none; that calls none of
     * the application's code either, which the copying of a thread local may do.
     */
    private Thread makeOnJdk8(ThreadGroup group) {
        Thread maker = Thread.currentThread();
        Field locals = null;
        Object own = null;
        try {
            Field field = Thread.class.getDeclaredField("inheritableThreadLocals");
            field.setAccessible(true);
            own = field.get(maker);
            field.set(maker, null);
            locals = field;
        } catch (ReflectiveOperationException | RuntimeException e) {
            // Another JDK 8 than all that are known: the thread works, whatever it has inherited.
        }
        try {
            return new Thread(group, task, name);
        } finally {
            restore(locals, maker, own);
        }
    }

    private static void restore(Field locals, Thread maker, Object own) {
        if (locals != null) {
            try {
                locals.set(maker, own);
            } catch (IllegalAccessException e) {
                throw new AssertionError(e);
            }
        }
    }
}
