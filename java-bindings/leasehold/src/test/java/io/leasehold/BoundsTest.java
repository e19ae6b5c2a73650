package io.leasehold;

import static java.util.Collections.emptyList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.internal.natives.Descriptors;
import io.leasehold.internal.natives.Effects;
import io.leasehold.internal.natives.Engine;
import io.leasehold.internal.natives.PeerWatch;
import io.leasehold.internal.natives.SecondDescriptor;
import java.io.File;
import java.io.FilterInputStream;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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
        // How many are closed for the last places to be taken: the place of the first is free again when it is closed, as is that of the
        // one whose close the others are leased in, and two had no connection.
        private static final int FEW = 4;

        // What the next close does.
        private static Runnable atNextClose = () -> {};
        private static ConnectionPool<String, Connection> pool;

        private Connections() {}

        private static void closed() {
            Runnable now = atNextClose;
            atNextClose = () -> {};
            now.run();
        }

        private static Lease<Connection> open() {
            Lease<Connection> lease = pool.tryLease("a");
            lease.opened(new Connection("c"));
            return lease;
        }

        public static void main(String[] args) throws Exception {
            pool = ConnectionPool.<String, Connection>builder((connection, cause) -> closed())
                    .maxTotal(Integer.MAX_VALUE)
                    .maxPerRoute(Integer.MAX_VALUE)
                    .build();
            Lease<?>[] leases = new Lease<?>[MOST_CONNECTIONS];
            for (int i = 0; i < MOST_CONNECTIONS; i++) {
                leases[i] = open();
            }
            assertNull(pool.tryLease("a"));
            assertNull(pool.tryLease("b"));
            assertEquals(Integer.MAX_VALUE, pool.getMaxTotal());
            leases[0].close();
            leases[0] = pool.tryLease("b");
            assertNotNull(leases[0]);
            // No limit keeps who waits from being served: whoever gives back one of them all sees to it.
            CompletableFuture<Lease<Connection>> waiting = pool.leaseAsync("c", Duration.ofMinutes(2));
            assertFalse(waiting.isDone());
            leases[1].close();
            assertTrue(waiting.isDone());
            leases[1] = waiting.get();
            for (Lease<?> lease : leases) {
                lease.release();
            }
            serveWhoWaitsForAPlaceOfWhatIsClosed(leases);
        }

        /**
         * What is being closed has its place still, and there are only a million: half of them has what is closed here, the other half
         * what is leased meanwhile, of which a few are closed as well. Who waits then gets the next place that is given up.
         */
        private static void serveWhoWaitsForAPlaceOfWhatIsClosed(Lease<?>[] leases) {
            // Whether he waits, and whether he has got it, before the housekeeper may have seen to it.
            List<Boolean> isServed = new ArrayList<>();
            atNextClose = () -> {
                for (int i = 0; i < MOST_CONNECTIONS; i++) {
                    leases[i] = i <= FEW ? open() : pool.tryLease("a");
                }
                for (int i = 0; i < FEW; i++) {
                    leases[i].release();
                }
                atNextClose = () -> {
                    for (int i = 0; i < FEW; i++) {
                        leases[i] = pool.tryLease("a");
                    }
                    CompletableFuture<Lease<Connection>> waiting = pool.leaseAsync("b", Duration.ofMinutes(2));
                    isServed.add(waiting.isDone());
                    leases[FEW].discard();
                    isServed.add(waiting.isDone());
                };
                pool.closeIdle(Duration.ZERO);
            };
            pool.closeIdle(Duration.ZERO);
            assertEquals(Arrays.asList(false, true), isServed);
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
        int natives = 0;
        for (Class<?> each : ours()) {
            for (Method method : each.getDeclaredMethods()) {
                if (Modifier.isNative(method.getModifiers())) {
                    natives++;
                    assertTrue(Modifier.isPrivate(method.getModifiers()), method::toString);
                    assertEquals("io.leasehold.internal.natives", each.getPackage().getName(), method::toString);
                }
            }
        }
        assertTrue(natives > 30, natives + " natives");
    }

    /** From a queue, say, one could take a pool whose memory the housekeeper is about to free. */
    @Test
    void nothingThatIsSharedIsWithinReachOfApplications() throws Exception {
        for (Class<?> each : ours()) {
            for (Field field : each.getFields()) {
                boolean isConstant = field.getType().isPrimitive() || field.getType() == String.class || field.isEnumConstant();
                assertTrue(isConstant || !Modifier.isStatic(field.getModifiers()), field::toString);
            }
        }
    }

    private static List<Class<?>> ours() throws Exception {
        Path root = Paths.get(ConnectionPool.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        List<Class<?>> classes = new ArrayList<>();
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(file -> file.toString().endsWith(".class")).collect(Collectors.toList())) {
                String name = root.relativize(file).toString().replace(".class", "").replace(File.separatorChar, '.');
                classes.add(Class.forName(name, false, BoundsTest.class.getClassLoader()));
            }
        }
        return classes;
    }

    /** Each in turn with what is wrong for it: the JVM lives on, and whatever comes of it is an answer or an exception of Java's. */
    @Test
    void wrongCallsOfWhatOtherPackagesOfOursSeeHarmNobody() throws Exception {
        assertTrue(OwnJvm.run(WrongCalls.class, emptyList()).contains("survived"));
    }

    static final class WrongCalls {
        private WrongCalls() {}

        public static void main(String[] args) throws Exception {
            Leasehold.requireAvailable();
            Socket socket = new Socket();
            for (int number : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
                Descriptors.probe(number);
                Descriptors.keepAlive(number, number, number, number);
                PeerWatch.forget(number);
                assertNull(SecondDescriptor.of(number));
                Descriptors.connects(number, new InetSocketAddress("127.0.0.1", 1), new InetSocketAddress("127.0.0.1", 2));
            }
            assertEquals(Descriptors.UNKNOWN, Descriptors.of(null));
            assertNull(Descriptors.layerBelow(null));
            Field impl = Socket.class.getDeclaredField("impl");
            assertThrows(IllegalArgumentException.class, () -> Descriptors.field(socket, impl));
            Field stream = FilterInputStream.class.getDeclaredField("in");
            assertNull(Descriptors.field(socket, stream), "of another class");
            assertNull(Descriptors.field(null, stream));
            PeerWatch.end();
            PeerWatch.await(0, null);
            PeerWatch.await(-1, new int[0]);
            Engine engine = Engine.create(MethodHandles.lookup(), 1, 1, 1, 0, false, false, false, false, 0, true);
            Effects effects = new Effects();
            for (long number : new long[] {-1, 0, 1, Long.MIN_VALUE, Long.MAX_VALUE}) {
                assertTrue(engine.leaseHit(number) <= 0);
                assertTrue(engine.releaseHit(number, number) != Engine.DONE);
                assertFalse(Engine.isGrant(engine.lease(number, (int) number, 0, effects)));
                engine.pollTicket(number);
                engine.cancel(number, true, effects);
                engine.noteStale(number);
                engine.opened(number);
                engine.reopen(number);
                engine.renew(number);
                engine.watch(number, (int) number, (int) number);
                engine.ack((int) number);
                engine.clearRoute(number, effects);
                engine.clearConnection((int) number, (int) number, effects);
                engine.setMaxPerRoute(number, (int) number, effects);
                engine.routeStats(number, new int[0]);
                engine.routeMetrics(number, new long[0]);
                try {
                    engine.peersClosed(new int[] {1}, (int) number, Integer.MAX_VALUE, effects);
                } catch (ArrayIndexOutOfBoundsException e) {
                    // Java's own.
                }
            }
            for (int[] numbers : new int[][] {null, new int[0]}) {
                try {
                    engine.stats(numbers);
                } catch (ArrayIndexOutOfBoundsException e) {
                    // Java's own.
                }
            }
            engine.counters(null);
            engine.metrics(null);
            engine.measureHeld(true);
            engine.recordOpening(Long.MIN_VALUE);
            engine.recordOpening(Long.MAX_VALUE);
            try {
                engine.metrics(new long[3]);
            } catch (ArrayIndexOutOfBoundsException e) {
                // Java's own.
            }
            engine.peersClosed(null, 0, 3, effects);
            assertThrows(NullPointerException.class, () -> engine.serve(null));
            assertFalse(effects.hasMore());
            engine.forHousekeeper().free();
            System.out.println("survived");
        }
    }
}
