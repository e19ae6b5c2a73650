package io.leasehold;

import static java.util.stream.Collectors.toList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.FlightRecording;
import io.leasehold.testsupport.FlightRecording.Recorded;
import io.leasehold.testsupport.Matrix;
import io.leasehold.testsupport.OwnLoader;
import io.leasehold.testsupport.Overflow;
import java.lang.ref.WeakReference;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.Permission;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the JDK's flight recorder is told of pools, where there is one, and that nothing of it costs a pool anything. */
class FlightRecorderTest {
    private final ManualClock clock = new ManualClock();

    @BeforeEach
    void thereIsARecorder() {
        assumeTrue(FlightRecording.isPossible(), "this JDK has no flight recorder");
    }

    private ConnectionPool.Builder<String, Connection> builder(String name) {
        return ConnectionPool.<String, Connection>builder((connection, cause) -> connection.closedFor = cause)
                .name(name)
                .manualClock(clock)
                .leakListener(Disposals.LEAKS_ARE_EXPECTED);
    }

    private static Lease<Connection> open(ConnectionPool<String, Connection> pool, String route) {
        Lease<Connection> lease = pool.tryLease(route);
        if (lease.isVacancy()) {
            lease.opened(new Connection(route));
        }
        return lease;
    }

    /** Those of a kind, each with the route and what is in the named fields. */
    private static List<String> told(List<Recorded> events, String kind, String... fields) {
        return events.stream().filter(event -> event.name().equals(kind))
                .map(event -> event.get("route") + Arrays.stream(fields).map(field -> " " + event.get(field)).reduce("", String::concat))
                .collect(toList());
    }

    @Test
    void connectionsAreToldOfWithTheirCauseAgeAndUses() throws Exception {
        try (FlightRecording recording = FlightRecording.begin()) {
            ConnectionPool<String, Connection> pool = builder("ends").build();
            open(pool, "discarded").discard();
            open(pool, "idle").release();
            clock.advance(3, TimeUnit.SECONDS);
            for (int i = 0; i < 4; i++) {
                open(pool, "idle").release();
            }
            pool.closeIdle(0, TimeUnit.SECONDS);
            Lease<Connection> lease = open(pool, "replaced");
            clock.advance(1, TimeUnit.SECONDS);
            lease.replace();
            lease.opened(new Connection("b"));
            clock.advance(2, TimeUnit.SECONDS);
            lease.reopen();
            lease.opened(new Connection("c"));
            lease.release();
            open(pool, "replaced").release();
            pool.shutdown(ShutdownMode.IMMEDIATE);
            List<Recorded> events = recording.of("ends");
            assertEquals(Arrays.asList("discarded", "idle", "replaced", "replaced", "replaced"), told(events, "ConnectionOpened"));
            assertEquals(Arrays.asList("discarded DISCARDED PT0S 1", "idle IDLE PT3S 5", "replaced DISCARDED PT1S 1",
                    "replaced DISCARDED PT2S 1", "replaced SHUT_DOWN PT0S 2"), told(events, "ConnectionClosed", "cause", "age", "uses"));
            assertEquals(Collections.emptyList(), told(events, "LeaseWaited"));
        }
    }

    @Test
    void whatIsHandedOverHasBeenUsedOnceMoreAndTheWaitIsToldWithItsResult() throws Exception {
        try (FlightRecording recording = FlightRecording.begin()) {
            ConnectionPool<String, Connection> pool = builder("waits").maxTotal(1).build();
            Lease<Connection> first = open(pool, "a");
            Thread waiting = new Thread(() -> {
                try {
                    pool.lease("a", Long.MAX_VALUE, TimeUnit.SECONDS).discard();
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
            waiting.start();
            Eventually.await("somebody waits", () -> pool.stats().pending() == 1);
            first.release();
            waiting.join();
            Lease<Connection> held = open(pool, "a");
            AtomicReference<Lease<Connection>> served = new AtomicReference<>();
            LeaseHook<Connection> hook = new LeaseHook<Connection>() {
                @Override
                public void leased(Lease<Connection> lease) {
                    served.set(lease);
                }

                @Override
                public void failed(Throwable why) {}
            };
            pool.requestLease("a", null, Duration.ofDays(1), hook);
            held.release();
            assertTrue(pool.requestLease("a", null, Duration.ofDays(1), hook).cancel());
            Thread interrupted = new Thread(() -> assertThrows(InterruptedException.class, () -> pool.lease("a", 1, TimeUnit.DAYS)));
            interrupted.start();
            Eventually.await("somebody waits", () -> pool.stats().pending() == 1);
            interrupted.interrupt();
            interrupted.join();
            pool.requestLease("a", null, Duration.ofDays(1), hook);
            pool.shutdown(ShutdownMode.GRACEFUL);
            served.get().close();
            Eventually.await("all have been told", () -> told(recording.of("waits"), "LeaseWaited").size() == 5);
            List<Recorded> events = recording.of("waits");
            assertEquals(Arrays.asList("a SERVED", "a SERVED", "a CANCELLED", "a CANCELLED", "a REFUSED"),
                    told(events, "LeaseWaited", "result"));
            assertEquals(Arrays.asList("a DISCARDED 2", "a DISCARDED 2"), told(events, "ConnectionClosed", "cause", "uses"));
            for (Recorded event : events) {
                assertFalse(((Duration) event.get("duration")).isNegative(), event::toString);
            }
        }
    }

    @Test
    void whoGetsNothingIsToldOfWithWhatThePoolLookedLike() throws Exception {
        try (FlightRecording recording = FlightRecording.begin()) {
            ConnectionPool<String, Connection> pool =
                    ConnectionPool.<String, Connection>builder((connection, cause) -> {}).name("full").maxTotal(1).maxWaiters(0).build();
            Lease<Connection> held = open(pool, "a");
            TimeoutException timedOut = assertThrows(TimeoutException.class, () -> pool.lease("b", 0, TimeUnit.SECONDS));
            QueueFullException refused = assertThrows(QueueFullException.class, () -> pool.lease("c", 1, TimeUnit.SECONDS));
            List<Recorded> events = recording.of("full");
            assertEquals(Arrays.asList("b " + timedOut.getMessage(), "c " + refused.getMessage()), told(events, "PoolExhausted", "text"));
            // Neither has waited.
            assertEquals(Collections.emptyList(), told(events, "LeaseWaited"));
            held.close();
            pool.close();
        }
    }

    @Test
    void aLeaseThatTimesOutIsToldOfAsAWaitOfThatLength() throws Exception {
        try (FlightRecording recording = FlightRecording.begin()) {
            ConnectionPool<String, Connection> pool =
                    ConnectionPool.<String, Connection>builder((connection, cause) -> {}).name("late").maxTotal(1).build();
            Lease<Connection> held = open(pool, "a");
            assertThrows(TimeoutException.class, () -> pool.lease("a", 300, TimeUnit.MILLISECONDS));
            List<Recorded> events = recording.of("late");
            assertEquals(Arrays.asList("a TIMED_OUT"), told(events, "LeaseWaited", "result"));
            assertEquals(1, told(events, "PoolExhausted").size());
            Recorded wait = events.stream().filter(event -> event.name().equals("LeaseWaited")).findAny().get();
            // The lease's time runs from before it is queued.
            assertTrue(((Duration) wait.get("duration")).toMillis() >= 5, wait::toString);
            held.close();
            pool.close();
        }
    }

    @Test
    void deadConnectionsAndLeaksAreToldOf() throws Exception {
        try (FlightRecording recording = FlightRecording.begin(); ServerSocket server = new ServerSocket(0, 1, SocketsTest.LOOPBACK)) {
            ConnectionPool<String, Connection> pool = builder("dead").watching(Watching.PROBE).build();
            pool.setLeaseStacks(true);
            try (Socket socket = new Socket(server.getInetAddress(), server.getLocalPort()); Socket peer = server.accept()) {
                Lease<Connection> lease = open(pool, "stale");
                lease.attach(socket);
                lease.release();
                peer.close();
                Eventually.await("the close has come", () -> Sockets.probe(socket) == Liveness.CLOSED);
                Lease<Connection> vacancy = pool.tryLease("stale");
                assertTrue(vacancy.isVacancy());
                vacancy.release();
            }
            leak(pool);
            Eventually.awaitAfterCollection("the leak is noticed", () -> told(recording.of("dead"), "ConnectionClosed").size() == 2);
            List<Recorded> events = recording.of("dead");
            assertEquals(Arrays.asList("stale"), told(events, "StaleFound"));
            assertEquals(Arrays.asList("stale PEER_CLOSED 2", "lost LEAKED 1"), told(events, "ConnectionClosed", "cause", "uses"));
            assertEquals(Arrays.asList("lost"), told(events, "LeaseLeaked"));
            String taken = told(events, "LeaseLeaked", "taken").get(0);
            assertTrue(taken.contains("leased by thread \"" + Thread.currentThread().getName() + "\"\n\tat "), taken);
            assertTrue(taken.contains("FlightRecorderTest.leak"), taken);
            pool.close();
        }
    }

    private static void leak(ConnectionPool<String, Connection> pool) {
        open(pool, "lost");
    }

    @Test
    void aRecordingThatBeginsLaterTellsOfPoolsThatThereAre() throws Exception {
        ConnectionPool<String, Connection> pool = builder("earlier").build();
        // So that the housekeeper stays.
        open(pool, "kept").release();
        for (int i = 0; i < 2; i++) {
            try (FlightRecording recording = FlightRecording.begin()) {
                Eventually.await("it is told of", () -> {
                    open(pool, "a").discard();
                    return !told(recording.of("earlier"), "ConnectionClosed").isEmpty();
                });
            }
            open(pool, "unrecorded").discard();
        }
        pool.close();
    }

    @Test
    void whateverARoutesNameDoesNothingIsLost() throws Exception {
        try (FlightRecording recording = FlightRecording.begin()) {
            Matrix<PoolStage> matrix = CallersFailuresTest.matrix(PoolStage.TO_STRING);
            matrix.run(PoolStage.TO_STRING);
            assertNotNull(recording);
        }
    }

    @Test
    void threadsThatRunOutOfStackLoseNothing() throws Exception {
        try (FlightRecording recording = FlightRecording.begin()) {
            ConnectionPool<String, Connection> pool =
                    ConnectionPool.<String, Connection>builder((connection, cause) -> connection.closedFor = cause).name("deep").maxTotal(3)
                            .leakListener(Disposals.LEAKS_ARE_EXPECTED).build();
            int[] steps = {0};
            Lease<?>[] last = {null};
            int overflows = Overflow.atEveryDepth(6, () -> {
                if (last[0] != null) {
                    last[0].close();
                    last[0] = null;
                }
                Lease<Connection> lease = pool.tryLease("a");
                last[0] = lease;
                if (lease.isVacancy()) {
                    lease.opened(new Connection("c"));
                }
                if (steps[0]++ % 3 == 0) {
                    lease.replace();
                    lease.opened(new Connection("d"));
                }
                lease.discard();
            });
            assertTrue(overflows > 0, "it never overflowed");
            if (last[0] != null) {
                last[0].close();
            }
            assertEquals(0, pool.stats().leased());
            pool.setMaxTotal(1);
            Lease<Connection> only = open(pool, "a");
            overflows = Overflow.atEveryDepth(6, () -> {
                try {
                    pool.lease("a", 1, TimeUnit.NANOSECONDS).close();
                } catch (Exception e) {
                    assertTrue(e instanceof TimeoutException, e::toString);
                }
            });
            assertTrue(overflows > 0, "it never overflowed");
            only.close();
            assertEquals(0, pool.stats().leased());
            assertEquals(0, pool.stats().pending());
            assertFalse(told(recording.of("deep"), "ConnectionClosed").isEmpty());
            pool.close();
        }
    }

    @Test
    void anUndeployedApplicationIsCollectedWhileARecordingGoesOn() throws Exception {
        try (FlightRecording recording = FlightRecording.begin()) {
            List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                loaders.add(deployAndUndeploy("undeployed-" + i));
                assertEquals(Arrays.asList("a DISCARDED"), told(recording.of("undeployed-" + i), "ConnectionClosed", "cause"));
            }
            Eventually.awaitAfterCollection("all class loaders are collected",
                    () -> loaders.stream().allMatch(loader -> loader.get() == null));
        }
    }

    private static WeakReference<ClassLoader> deployAndUndeploy(String name) throws Exception {
        OwnLoader loader = OwnLoader.with(ConnectionPool.class, FlightRecorderTest.class);
        use(loader, name);
        loader.close();
        return new WeakReference<>(loader);
    }

    @SuppressWarnings("unchecked") // As the class says.
    private static void use(ClassLoader loader, String name) throws Exception {
        ((Function<String, ?>) loader.loadClass(Application.class.getName()).getDeclaredConstructor().newInstance()).apply(name);
    }

    /** Runs in the class loader that comes and goes. */
    public static final class Application implements Function<String, String> {
        @Override
        public String apply(String name) {
            ConnectionPool<String, String> pool = ConnectionPool.<String, String>builder((connection, cause) -> {}).name(name).build();
            Lease<String> lease = pool.tryLease("a");
            lease.opened("connection");
            lease.discard();
            pool.close();
            return name;
        }
    }

    @Test
    void aJvmWithoutTheRecorderIsNoWorse() throws Exception {
        assumeTrue(!System.getProperty("java.specification.version").startsWith("1."), "Java 8 has no modules to leave out");
        String output = OwnJvm.run(Program.class, Collections.emptyList(), "--limit-modules", "java.base,java.logging");
        // The JVM has something to say of native libraries.
        assertTrue(output.trim().endsWith("used, recorder false") && !output.contains("Exception"), output);
    }

    @Test
    void aSecurityManagerThatRefusesEventsIsNoWorse() throws Exception {
        String version = System.getProperty("java.specification.version");
        boolean isAllowed = version.startsWith("1.") || Integer.parseInt(version) < 24;
        assumeTrue(isAllowed, "this JDK has no security managers");
        boolean isForbidden = !version.startsWith("1.") && !version.equals("11");
        String[] options = isForbidden ? new String[] {"-Djava.security.manager=allow"} : new String[0];
        String output = OwnJvm.run(Guarded.class, Collections.emptyList(), options);
        assertTrue(output.trim().endsWith("used, recorder true"), output);
    }

    /** Uses a pool in a JVM of its own. */
    public static final class Program {
        private Program() {}

        public static void main(String[] arguments) {
            ConnectionPool<String, String> pool = ConnectionPool.<String, String>builder((connection, cause) -> {}).maxTotal(1).build();
            for (int i = 0; i < 3; i++) {
                Lease<String> lease = pool.tryLease("a");
                lease.opened("connection");
                assertNull(pool.tryLease("a"));
                lease.discard();
            }
            pool.close();
            System.out.println("used, recorder " + FlightRecording.isPossible());
        }
    }

    /** The same under a manager that refuses every event, while a recording goes on. */
    public static final class Guarded {
        private Guarded() {}

        @SuppressWarnings("removal") // Where there are some still.
        public static void main(String[] arguments) throws Exception {
            try (FlightRecording recording = FlightRecording.begin()) {
                System.setSecurityManager(new SecurityManager() {
                    @Override
                    public void checkPermission(Permission permission) {
                        if (permission.getClass().getName().equals("jdk.jfr.FlightRecorderPermission")) {
                            throw new SecurityException("no events");
                        }
                    }
                });
                Program.main(arguments);
                System.setSecurityManager(null);
                assertNotNull(recording);
            }
        }
    }
}
