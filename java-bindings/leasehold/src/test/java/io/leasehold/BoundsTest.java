package io.leasehold;

import static java.util.Collections.emptyList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What bounds a pool where its user sets no bound, and what applications can reach of it. */
class BoundsTest {
    private static final int MOST_CONNECTIONS = 524_288;
    private static final int MOST_ROUTES = 1 << 20;

    // Each in a JVM of its own, as what they leave behind keeps the collector busy for long.

    @Test
    void aPoolWithoutLimitsHoldsHalfAMillionConnections() throws Exception {
        OwnJvm.run(Connections.class, emptyList());
    }

    @Test
    void tooManyRoutesAreNotTakenForAFullQueue() throws Exception {
        OwnJvm.run(Routes.class, emptyList());
    }

    /** Leases as many connections as there may be. */
    static final class Connections {
        private Connections() {}

        public static void main(String[] args) {
            ConnectionPool<String, Connection> pool = ConnectionPool.<String, Connection>builder((connection, cause) -> {})
                    .maxTotal(Integer.MAX_VALUE)
                    .maxPerRoute(Integer.MAX_VALUE)
                    .build();
            Lease<?>[] leases = new Lease<?>[MOST_CONNECTIONS];
            for (int i = 0; i < MOST_CONNECTIONS; i++) {
                leases[i] = pool.tryLease("a");
                assertNotNull(leases[i]);
            }
            assertNull(pool.tryLease("a"));
            assertNull(pool.tryLease("b"));
            assertEquals(Integer.MAX_VALUE, pool.getMaxTotal());
            leases[0].close();
            leases[0] = pool.tryLease("b");
            assertNotNull(leases[0]);
        }
    }

    /** Gives as many routes limits of their own as there may be: such a route stays in use. */
    static final class Routes {
        private Routes() {}

        public static void main(String[] args) {
            ConnectionPool<Integer, Connection> pool = ConnectionPool.<Integer, Connection>builder((connection, cause) -> {}).build();
            int known = 0;
            RuntimeException refusal = null;
            for (int i = 0; i < MOST_ROUTES + 1 && refusal == null; i++) {
                pool.setMaxPerRoute(i, 1);
                try {
                    pool.tryLease(i).close();
                    known++;
                } catch (RuntimeException e) {
                    refusal = e;
                }
            }
            assertNotNull(refusal, "it took " + known + " routes");
            assertEquals(IllegalStateException.class, refusal.getClass());
            assertTrue(refusal.getMessage().contains("more than a million routes"), refusal.getMessage());
        }
    }

    /** The natives of a pool believe the address that they are given. */
    @Test
    void noNativeIsWithinReachOfApplications() throws Exception {
        Path classes = Paths.get(ConnectionPool.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        List<String> names;
        try (Stream<Path> files = Files.walk(classes)) {
            names = files.map(file -> classes.relativize(file).toString())
                    .filter(file -> file.endsWith(".class"))
                    .map(file -> file.replace(".class", "").replace(File.separatorChar, '.'))
                    .collect(Collectors.toList());
        }
        int natives = 0;
        for (String name : names) {
            for (Method method : Class.forName(name, false, getClass().getClassLoader()).getDeclaredMethods()) {
                if (Modifier.isNative(method.getModifiers())) {
                    natives++;
                    assertEquals(0, method.getModifiers() & (Modifier.PUBLIC | Modifier.PROTECTED), method::toString);
                }
            }
        }
        assertTrue(natives > 30, natives + " natives in " + names);
    }
}
