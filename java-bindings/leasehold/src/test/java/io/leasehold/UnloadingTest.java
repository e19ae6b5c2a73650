package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.OwnLoader;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Applications that come and go in one JVM, each with its own class loader and its own copy of the library. */
class UnloadingTest {
    /** Runs in the class loader that comes and goes. */
    public static final class Application implements Function<Queue<String>, String> {
        // As an application would: a pool in a static field, shut down before the application is undeployed.
        private static ConnectionPool<String, String> pool;

        @Override
        public String apply(Queue<String> closed) {
            pool = ConnectionPool.<String, String>builder((connection, cause) -> {}).build();
            Lease<String> lease = pool.tryLease("a");
            lease.opened("connection");
            lease.release();
            String seen = pool.tryLease("a").connection();
            // One more that nobody closes, with a lease that nobody ends.
            ConnectionPool.<String, String>builder((connection, cause) -> closed.add(connection + " " + cause))
                    .leakListener(Disposals.LEAKS_ARE_EXPECTED)
                    .build()
                    .tryLease("a")
                    .opened("leaked");
            pool.shutdown(ShutdownMode.IMMEDIATE);
            return seen + " " + Leasehold.isAvailable();
        }
    }

    private static OwnLoader newLoader() throws Exception {
        return OwnLoader.with(ConnectionPool.class, UnloadingTest.class);
    }

    @SuppressWarnings("unchecked") // As the class says.
    private static Object run(ClassLoader loader, Queue<String> closed) throws Exception {
        Class<?> application = loader.loadClass(Application.class.getName());
        assertNotSame(Application.class, application);
        return ((Function<Queue<String>, ?>) application.getDeclaredConstructor().newInstance()).apply(closed);
    }

    private static WeakReference<ClassLoader> deployAndUndeploy(Queue<String> closed) throws Exception {
        OwnLoader loader = newLoader();
        assertEquals("connection true", run(loader, closed));
        loader.close();
        return new WeakReference<>(loader);
    }

    private static long mappedLibraries() throws Exception {
        return Files.readAllLines(Paths.get("/proc/self/maps"), StandardCharsets.UTF_8).stream()
                .filter(line -> line.contains("libleasehold-jni"))
                .map(line -> line.replaceAll("^.* ", "") + line.split("\\s+")[4])
                .distinct()
                .count();
    }

    @Test
    void applicationsWithTheirOwnCopyDoNotDisturbEachOther() throws Exception {
        try (OwnLoader first = newLoader(); OwnLoader second = newLoader()) {
            Queue<String> closed = new ConcurrentLinkedQueue<>();
            assertEquals("connection true", run(first, closed));
            assertEquals("connection true", run(second, closed));
            assertEquals("connection true", run(first, closed));
        }
    }

    @Test
    void anUndeployedApplicationsClassLoaderIsCollectedAndItsLibraryUnmapped() throws Exception {
        assertTrue(Leasehold.isAvailable());
        List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
        Queue<String> closed = new ConcurrentLinkedQueue<>();
        for (int i = 0; i < 5; i++) {
            loaders.add(deployAndUndeploy(closed));
        }
        // The library's own thread does that, with the classes that it has.
        Eventually.awaitAfterCollection("what leaked is closed", () -> closed.size() == 5);
        assertEquals(Collections.nCopies(5, "leaked LEAKED"), new ArrayList<>(closed));
        Eventually.awaitAfterCollection(
                "all class loaders are collected", () -> loaders.stream().allMatch(loader -> loader.get() == null));
        Eventually.awaitAfterCollection("only this test's own copy is mapped", () -> mappedLibraries() <= 1);
        // This loader's copy goes on.
        ConnectionPool<String, String> pool = ConnectionPool.<String, String>builder((connection, cause) -> {}).build();
        assertTrue(pool.tryLease("a").tryRelease());
        pool.close();
    }
}
