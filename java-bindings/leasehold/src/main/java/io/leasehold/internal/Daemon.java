package io.leasehold.internal;

import java.lang.reflect.Constructor;

/** Starts the library's own threads, which belong to no application and must keep none's class loader. */
final class Daemon {
    private Daemon() {}

    static Thread start(String name, Runnable task) {
        Thread thread = make(name, task);
        thread.setDaemon(true);
        thread.setContextClassLoader(null);
        thread.start();
        return thread;
    }

    /**
     * Without the maker's inheritable thread locals where the JDK (9 and later) can do that: they may hold its class
     * loader.
     */
    private static Thread make(String name, Runnable task) {
        try {
            Constructor<Thread> plain = Thread.class.getConstructor(
                    ThreadGroup.class, Runnable.class, String.class, long.class, boolean.class);
            return plain.newInstance(null, task, name, 0L, false);
        } catch (ReflectiveOperationException e) {
            return new Thread(task, name);
        }
    }
}
