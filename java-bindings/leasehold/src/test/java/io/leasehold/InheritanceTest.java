package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.security.ProtectionDomain;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The library in a class loader that applications share: its threads take nothing on from the one whose call started them. */
class InheritanceTest {
    private static final String[] THREADS = {"leasehold-housekeeper", "leasehold-disposer"};

    /** An application's class loader, which has the application, and everything else from the one that all share. */
    private static final class ApplicationLoader extends ClassLoader {
        ApplicationLoader() {
            super(InheritanceTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith(Application.class.getName())) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                return loaded != null ? loaded : define(name);
            }
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                for (int next = in.read(); next >= 0; next = in.read()) {
                    bytes.write(next);
                }
                byte[] all = bytes.toByteArray();
                return defineClass(name, all, 0, all.length, new ProtectionDomain(null, null, this, null));
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }

    /** Calls what it is given from a thread that has of its own all that another thread can inherit. */
    public static final class Application implements Consumer<Runnable> {
        private static final class Local extends InheritableThreadLocal<Object> {
            @Override
            protected Object childValue(Object parents) {
                throw new IllegalStateException("nobody is to inherit this");
            }
        }

        private static final class Group extends ThreadGroup {
            Group() {
                super("application");
                // Ends with its last thread, up to JDK 18.
                setDaemon(true);
            }
        }

        @Override
        public void accept(Runnable call) {
            Thread thread = new Thread(new Group(), () -> {
                new Local().set(new Application());
                call.run();
            });
            thread.setContextClassLoader(Application.class.getClassLoader());
            thread.setPriority(Thread.MAX_PRIORITY);
            thread.start();
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static Thread thread(String name) {
        return Thread.getAllStackTraces().keySet().stream().filter(each -> each.getName().equals(name)).findFirst().orElse(null);
    }

    @Test
    void whoeverStartsTheLibrarysThreadsIsNotKeptByThem() throws Exception {
        Semaphore hang = new Semaphore(0);
        ConnectionPool<String, String> pool = ConnectionPool.<String, String>builder(new Disposer<String>() {
            @Override
            public boolean mayBlock(String connection) {
                return true;
            }

            @Override
            public void dispose(String connection, Cause cause) {
                hang.acquireUninterruptibly();
            }
        }).build();
        Eventually.awaitAfterCollection("the threads of other tests are gone", () -> thread(THREADS[0]) == null && thread(THREADS[1]) == null);
        WeakReference<ClassLoader> application = visit(pool);
        for (String name : THREADS) {
            Thread started = thread(name);
            assertTrue(started.isDaemon());
            assertNull(started.getContextClassLoader());
            assertEquals(Thread.NORM_PRIORITY, started.getPriority());
            assertNull(started.getThreadGroup().getParent());
        }
        Eventually.awaitAfterCollection("the application is collected", () -> application.get() == null);
        for (String name : THREADS) {
            assertTrue(thread(name).isAlive());
        }
        hang.release();
        pool.close();
    }

    private static WeakReference<ClassLoader> visit(ConnectionPool<String, String> pool) throws Exception {
        ClassLoader loader = new ApplicationLoader();
        Class<?> type = loader.loadClass(Application.class.getName());
        assertNotSame(Application.class, type);
        @SuppressWarnings("unchecked") // As the class says.
        Consumer<Runnable> application = (Consumer<Runnable>) type.getDeclaredConstructor().newInstance();
        application.accept(() -> {
            Lease<String> lease = pool.tryLease("a");
            lease.opened("connection");
            lease.discard();
        });
        return new WeakReference<>(loader);
    }
}
