package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.testsupport.Eventually;
import java.io.File;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An undeployed application whose class loader gives nothing any more: the library's threads do what is left with what they have. */
class ClosedLoaderTest {
    /** As a servlet container's, which refuses everything once the application was stopped. */
    private static final class Loader extends URLClassLoader {
        private final Queue<String> refused;
        volatile boolean isStopped;

        Loader(URL[] path, Queue<String> refused) {
            super(path, ClassLoader.getSystemClassLoader().getParent());
            this.refused = refused;
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (isStopped) {
                refused.add(name);
                throw new IllegalStateException("this web application instance has been stopped already: " + name);
            }
            return super.loadClass(name, resolve);
        }
    }

    /**
     * Runs in that class loader, and does the least that makes work for the library: one lease of a pool of its own. Takes the handler of
     * the pool's disposer, whose code is not of that class loader, a connection, its socket or null, and what is to become of the lease;
     * returns what keeps the pool, and a lease that is not ended.
     */
    public static final class Application implements Function<Object[], Object> {
        @Override
        public Object apply(Object[] given) {
            Object parts = Proxy.newProxyInstance(Application.class.getClassLoader(),
                    new Class<?>[] {Disposer.class, LeakListener.class, LeaseHook.class}, (InvocationHandler) given[0]);
            String fate = (String) given[3];
            ConnectionPool<String, Object> pool = pool(parts, fate);
            if (fate.contains("shown")) {
                // Without a lease, so that nothing else has prepared the library's threads.
                pool.registerMBean();
                return null;
            }
            if (fate.contains("waiting")) {
                pool.setMaxTotal(0);
                wait(pool, (LeaseHook<?>) parts);
                return pool;
            }
            Lease<Object> lease = pool.tryLease("a", fate.contains("bound") ? new Object() : null);
            lease.opened(given[1]);
            if (given[2] != null) {
                lease.attach((Socket) given[2]);
            }
            if (fate.contains("expiring")) {
                lease.updateExpiry(1, TimeUnit.MILLISECONDS);
            }
            if (fate.contains("idle")) {
                lease.release();
            }
            return fate.contains("held") ? lease : fate.contains("dropped") ? null : pool;
        }

        @SuppressWarnings("unchecked") // A proxy, of connections of any kind.
        private static void wait(ConnectionPool<String, Object> pool, LeaseHook<?> hook) {
            pool.requestLease("a", null, 1, TimeUnit.SECONDS, (LeaseHook<Object>) hook);
            pool.leaseAsync("a", 1, TimeUnit.SECONDS);
        }

        @SuppressWarnings("unchecked") // A proxy of both, of connections of any kind.
        private static ConnectionPool<String, Object> pool(Object parts, String fate) {
            ConnectionPool.Builder<String, Object> builder = ConnectionPool.<String, Object>builder((Disposer<Object>) parts)
                    .evictExpired(fate.contains("expiring"));
            if (!fate.contains("logged")) {
                builder.leakListener((LeakListener<Object, Object>) parts);
            }
            return builder.build();
        }
    }

    /** How the application's part behaves when the library calls it. */
    private static final class Behaviour implements InvocationHandler {
        final String name;
        private final Semaphore hang;
        private final Queue<String> closed;

        Behaviour(String name, Semaphore hang, Queue<String> closed) {
            this.name = name;
            this.hang = hang;
            this.closed = closed;
        }

        @Override
        public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
            if (method.getName().equals("dispose")) {
                try {
                    dispose(arguments[0]);
                } finally {
                    closed.add(name + " " + arguments[1]);
                }
            } else if (method.getName().equals("failed")) {
                closed.add(name + " " + arguments[0]);
            } else if (method.getName().equals("mayBlock") && !name.contains("failing")) {
                return name.contains("blocking") || name.contains("hanging");
            }
            if (name.contains("failing")) {
                throw new StackOverflowError("of the test's own making");
            }
            return null;
        }

        private void dispose(Object connection) throws IOException {
            if (name.contains("hanging")) {
                hang.acquireUninterruptibly();
            }
            if (connection instanceof Socket) {
                if (name.contains("blocking")) {
                    ((Socket) connection).getInputStream().read();
                }
                ((Socket) connection).close();
            }
        }
    }

    private final Queue<String> refused = new ConcurrentLinkedQueue<>();
    private final Queue<String> closed = new ConcurrentLinkedQueue<>();
    private final List<Socket> peers = new ArrayList<>();
    private final Semaphore hang = new Semaphore(0);

    // Whatever can be said is said.
    private final Logger logger = Logger.getLogger(ConnectionPool.class.getName());
    private final Level level = logger.getLevel();
    private final Handler silent = new Handler() {
        @Override
        public void publish(LogRecord record) {}

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @BeforeEach
    void sayEverything() {
        logger.setLevel(Level.ALL);
        logger.setUseParentHandlers(false);
        logger.addHandler(silent);
        System.setProperty("io.leasehold.unusedMillis", "1000");
    }

    @AfterEach
    void sayWhatIsSaidElsewhere() {
        System.clearProperty("io.leasehold.unusedMillis");
        logger.removeHandler(silent);
        logger.setUseParentHandlers(true);
        logger.setLevel(level);
    }

    private interface Deployment {
        WeakReference<Loader> deployAndUndeploy(ServerSocket server) throws Exception;
    }

    private void assertNothingIsRefused(Deployment deployment) throws Exception {
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))) {
            WeakReference<Loader> loader = deployment.deployAndUndeploy(server);
            try {
                Eventually.awaitAfterCollection("the class loader is collected", () -> loader.get() == null);
            } catch (AssertionError e) {
                throw new AssertionError("refused: " + refused + ", closed: " + closed, e);
            }
        }
        assertEquals(Collections.emptyList(), new ArrayList<>(refused));
    }

    @Test
    void theLibrarysThreadsAskAStoppedLoaderForNothing() throws Exception {
        assertNothingIsRefused(this::deployAndUndeploy);
    }

    /** Each alone, so that the threads come to their work for the first time when the loader is stopped. */
    @ParameterizedTest
    @ValueSource(strings = {"idle", "idle expiring", "idle blocking", "leaked", "dropped leaked", "waiting", "shown"})
    void norDoTheyForWhatTheyHaveNeverDoneBefore(String fate) throws Exception {
        assertNothingIsRefused(server -> {
            Loader loader = new Loader(path(), refused);
            Function<Object[], Object> application = application(loader);
            Object kept = apply(application, fate, server);
            stop(loader);
            peers.get(0).close();
            if (!fate.equals("shown")) {
                Eventually.awaitAfterCollection("it is closed", () -> closed.size() == 1);
            }
            return new WeakReference<>(loader);
        });
    }

    @SuppressWarnings("unchecked") // As the class says.
    private static Function<Object[], Object> application(Loader loader) throws Exception {
        return (Function<Object[], Object>) loader.loadClass(Application.class.getName()).getDeclaredConstructor().newInstance();
    }

    private Object apply(Function<Object[], Object> application, String fate, ServerSocket server) throws IOException {
        Socket socket = new Socket(server.getInetAddress(), server.getLocalPort());
        peers.add(server.accept());
        Behaviour behaviour = new Behaviour(fate, hang, closed);
        return application.apply(new Object[] {behaviour, socket, fate.contains("unknown") ? null : socket, fate});
    }

    private static void stop(Loader loader) throws IOException {
        loader.isStopped = true;
        loader.close();
    }

    private WeakReference<Loader> deployAndUndeploy(ServerSocket server) throws Exception {
        Loader loader = new Loader(path(), refused);
        Function<Object[], Object> application = application(loader);
        List<Object> kept = new ArrayList<>();
        String[] fates = {
            "idle", "idle blocking", "idle hanging", "idle hanging", "idle failing", "idle bound", "idle expiring", "idle blocking unknown",
            "leaked", "leaked logged", "leaked failing", "dropped idle", "dropped leaked", "dropped leaked failing", "dropped blocking idle",
            "waiting", "waiting failing",
        };
        for (String fate : fates) {
            kept.add(apply(application, fate, server));
        }
        Object held = application.apply(new Object[] {new Behaviour("held", hang, closed), "connection", null, "held"});
        stop(loader);
        // At once, so that it is not for being unused that these go.
        for (Socket peer : peers.subList(0, 3)) {
            peer.close();
        }
        // One whose socket the library does not know, so that it is this that ends its close.
        peers.get(7).close();
        try {
            Eventually.awaitAfterCollection("all but what hangs is closed", () -> closed.size() == fates.length - 2);
        } catch (AssertionError e) {
            throw new AssertionError("refused: " + refused + ", closed: " + closed, e);
        }
        hang.release(2);
        Eventually.await("all is closed", () -> closed.size() == fates.length);
        assertEquals("Lease", held.getClass().getSimpleName());
        return new WeakReference<>(loader);
    }

    private static URL[] path() throws Exception {
        List<URL> path = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            path.add(new File(entry).toURI().toURL());
        }
        for (Class<?> needed : new Class<?>[] {ConnectionPool.class, ClosedLoaderTest.class}) {
            path.add(needed.getProtectionDomain().getCodeSource().getLocation());
        }
        return path.toArray(new URL[0]);
    }
}
