package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import io.leasehold.testsupport.Overflow;
import java.security.Permission;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.PropertyPermission;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;

/** Where and by which thread a lease was taken is noted where that is wanted, and said where the lease is lost or held for long. */
class LeaseStacksTest {
    private static final String WARNING = "has been held for longer than leaks are detected after";

    private final ManualClock clock = new ManualClock();

    private ConnectionPool.Builder<String, Connection> builder() {
        return ConnectionPool.<String, Connection>builder(new Disposals()).manualClock(clock);
    }

    /** The line from which this is called. */
    private static int line() {
        return new Throwable().getStackTrace()[1].getLineNumber();
    }

    private static boolean isTakenAt(int line, Throwable stack) {
        return Arrays.stream(stack.getStackTrace())
                .anyMatch(frame -> frame.getClassName().equals(LeaseStacksTest.class.getName()) && frame.getLineNumber() == line);
    }

    private static int leak(ConnectionPool<String, Connection> pool) {
        Lease<Connection> lost = pool.tryLease("a"); int line = line();
        lost.opened(new Connection("lost"));
        return line;
    }

    private static LogRecord only(LogCapture log, String text) {
        List<LogRecord> found = new ArrayList<>(log.records());
        found.removeIf(record -> !record.getMessage().contains(text));
        assertEquals(1, found.size(), () -> log.messages().toString());
        return found.get(0);
    }

    @Test
    void theWarningOfALeakNamesTheLineThatHasLeaked() throws Exception {
        ConnectionPool<String, Connection> pool = builder().name("orders").build();
        pool.setLeaseStacks(true);
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            int line = leak(pool);
            Eventually.awaitAfterCollection("the leak is noticed", () -> pool.metrics().leaked() == 1);
            Eventually.await("it is logged", () -> log.messages().toString().contains("garbage collected"));
            LogRecord warning = only(log, "orders: a lease to a was garbage collected");
            assertTrue(isTakenAt(line, warning.getThrown()), () -> Arrays.toString(warning.getThrown().getStackTrace()));
            assertTrue(warning.getThrown().toString().contains('"' + Thread.currentThread().getName() + '"'));
        }
    }

    @Test
    void aListenerIsToldWhereTheLeaseWasTakenAndTheWarningIsThereAllTheSame() throws Exception {
        Queue<LeaseStack> told = new ConcurrentLinkedQueue<>();
        ConnectionPool<String, Connection> pool = builder().leakListener(new LeakListener<String, Connection>() {
            @Override
            public void leaked(String route, Connection connection) {
                throw new AssertionError("the other one is called");
            }

            @Override
            public void leaked(String route, Connection connection, LeaseStack stack) {
                told.add(stack);
            }
        }).build();
        pool.setLeakDetectionThreshold(Duration.ofDays(1));
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            int line = leak(pool);
            Eventually.awaitAfterCollection("the listener is told", () -> !told.isEmpty());
            assertTrue(isTakenAt(line, told.peek()));
            assertSame(told.peek(), only(log, pool.name() + ": a lease to a was garbage collected").getThrown());
        }
    }

    @Test
    void whatIsHeldForTooLongIsWarnedOfOnceWhileItIsHeld() throws Exception {
        // Looked after before the other one.
        ConnectionPool<String, Connection> unwatched = builder().name("unwatched").build();
        unwatched.setLeaseStacks(true);
        ConnectionPool<String, Connection> pool = builder().name("orders").build();
        pool.setLeakDetectionThreshold(10, TimeUnit.SECONDS);
        try (LogCapture log = LogCapture.of(ConnectionPool.class);
                Lease<Connection> heldWithoutAWarning = unwatched.tryLease("a")) {
            heldWithoutAWarning.opened(new Connection("unwatched"));
            Lease<Connection> held = pool.tryLease("a"); int line = line();
            held.opened(new Connection("held"));
            Lease<Connection> brief = pool.tryLease("b");
            clock.advance(9, TimeUnit.SECONDS);
            brief.release();
            Lease<Connection> later = pool.tryLease("c");
            clock.advance(1, TimeUnit.SECONDS);
            Eventually.await("a warning", () -> log.messages().toString().contains(WARNING));
            LogRecord warning = only(log, WARNING);
            assertEquals("orders: a lease to a " + WARNING + ", and was taken here", warning.getMessage());
            assertTrue(isTakenAt(line, warning.getThrown()), () -> Arrays.toString(warning.getThrown().getStackTrace()));
            held.release();
            Lease<Connection> again = pool.tryLease("a");
            clock.advance(9, TimeUnit.SECONDS);
            Eventually.await("a warning of another", () -> log.messages().toString().contains("a lease to c " + WARNING));
            only(log, "a lease to a " + WARNING);
            again.release();
            later.release();
            assertFalse(log.messages().toString().contains("failed to look after a pool"), () -> log.messages().toString());
        }
    }

    @Test
    void whatIsHeldIsListedWithItsRouteItsTimeAndItsThread() throws Exception {
        ConnectionPool<String, Connection> pool = builder().build();
        assertEquals(0, pool.heldLeases().size());
        Lease<Connection> unnoted = pool.tryLease("a");
        HeldLease before = pool.heldLeases().get(0);
        assertEquals("a", before.route());
        assertTrue(before.isVacancy());
        assertNull(before.stack());
        pool.setLeaseStacks(true);
        unnoted.opened(new Connection("a"));
        unnoted.release();
        assertEquals(0, pool.heldLeases().size());
        Lease<Connection> held = pool.tryLease("a"); int line = line();
        clock.advance(7, TimeUnit.SECONDS);
        HeldLease seen = pool.heldLeases().get(0);
        assertFalse(seen.isVacancy());
        assertEquals(7000, seen.heldMillis());
        assertEquals(Thread.currentThread().getName(), seen.stack().thread());
        assertTrue(isTakenAt(line, seen.stack()));
        assertEquals("[route: a; held for 7000 ms, by thread \"" + seen.stack().thread() + "\"]", seen.toString());
        held.release();
        pool.setLeaseStacks(false);
        Lease<Connection> after = pool.tryLease("a");
        assertNull(pool.heldLeases().get(0).stack(), "the stack is of an earlier lease");
        after.release();
    }

    @Test
    void aRequestThatNoThreadWaitsForIsNotedWhereItWasMade() throws Exception {
        ConnectionPool<String, Connection> pool = builder().maxTotal(1).build();
        pool.setLeaseStacks(true);
        Lease<Connection> first = pool.tryLease("a");
        first.opened(new Connection("a"));
        CompletableFuture<Lease<Connection>> asked = pool.leaseAsync("a", 1, TimeUnit.MINUTES); int line = line();
        Thread other = new Thread(first::release, "another");
        other.start();
        Lease<Connection> second = asked.get(1, TimeUnit.MINUTES);
        other.join();
        LeaseStack stack = pool.heldLeases().get(0).stack();
        assertNotNull(stack);
        assertTrue(isTakenAt(line, stack));
        assertEquals(Thread.currentThread().getName(), stack.thread());
        second.release();
    }

    @Test
    void aLeaseThatIsUsedAgainIsNotedAnew() {
        ConnectionPool<String, Connection> pool = builder().build();
        pool.setLeaseStacks(true);
        Lease<Connection> first = pool.tryLease("a");
        first.opened(new Connection("a"));
        first.release();
        int[] line = new int[1];
        Lease<Connection> again = pool.tryLeaseAgain("a", new LeaseKeeper<Connection, Lease<Connection>>() {
            @Override
            public Lease<Connection> kept(Connection connection) {
                return first;
            }

            @Override
            public Lease<Connection> apply(Lease<Connection> lease) {
                return lease;
            }
        });
        line[0] = line() - 11;
        assertSame(first, again);
        assertTrue(isTakenAt(line[0], pool.heldLeases().get(0).stack()));
        again.release();
    }

    @Test
    void aLeaseIsLostAtNoDepthOfTheStack() throws Exception {
        ConnectionPool<String, Connection> pool = builder().build();
        pool.setLeaseStacks(true);
        Lease<?>[] last = new Lease<?>[1];
        int overflows = Overflow.atEveryDepth(6, () -> {
            Lease<?> before = last[0];
            if (before != null) {
                before.close();
                last[0] = null;
            }
            last[0] = pool.tryLease("a");
        });
        assertTrue(overflows > 0, "nothing has overflowed");
        if (last[0] != null) {
            last[0].close();
        }
        assertEquals(0, pool.stats().leased());
    }

    private static boolean isNoted(ConnectionPool<String, Connection> pool) {
        try (Lease<Connection> lease = pool.tryLease("a")) {
            return pool.heldLeases().get(0).stack() != null;
        }
    }

    @Test
    void systemPropertiesSayWhatIsNotedAtFirst() {
        System.setProperty("io.leasehold.leaseStacks", "true");
        try {
            ConnectionPool<String, Connection> pool = builder().build();
            assertTrue(pool.isLeaseStacks());
            assertEquals(0, pool.getLeakDetectionMillis());
            assertTrue(isNoted(pool));
        } finally {
            System.clearProperty("io.leasehold.leaseStacks");
        }
        System.setProperty("io.leasehold.leakDetectionMillis", "10000");
        try {
            ConnectionPool<String, Connection> pool = builder().build();
            assertFalse(pool.isLeaseStacks());
            assertEquals(10_000, pool.getLeakDetectionMillis());
            assertTrue(isNoted(pool));
        } finally {
            System.clearProperty("io.leasehold.leakDetectionMillis");
        }
        assertFalse(isNoted(builder().build()));
    }

    @SuppressWarnings({"deprecation", "removal"}) // Where there are some still.
    private static void forbidProperties() {
        System.setSecurityManager(new SecurityManager() {
            @Override
            public void checkPermission(Permission permission) {
                if (permission instanceof PropertyPermission && permission.getName().startsWith("io.leasehold.")) {
                    throw new SecurityException("not for everybody");
                }
            }
        });
    }

    @Test
    @SuppressWarnings({"deprecation", "removal"}) // Where there are some still.
    void propertiesThatMayNotBeReadAreAsIfNobodyHadSetThem() {
        String version = System.getProperty("java.specification.version");
        assumeTrue(version.startsWith("1.") || Integer.parseInt(version) < 18, "this JDK lets nobody set a security manager");
        String[] properties = {"leaseStacks", "leakDetectionMillis", "unusedMillis", "jmx"};
        try {
            for (String property : properties) {
                System.setProperty("io.leasehold." + property, property.endsWith("Millis") ? "1" : "true");
            }
            assertTrue(PoolState.isShownByJmx());
            forbidProperties();
            ConnectionPool<String, Connection> pool = builder().build();
            assertFalse(pool.isLeaseStacks());
            assertEquals(0, pool.getLeakDetectionMillis());
            assertEquals(300_000, pool.state.constants.unusedMillis);
            assertFalse(PoolState.isShownByJmx());
            assertFalse(isNoted(pool));
        } finally {
            System.setSecurityManager(null);
            for (String property : properties) {
                System.clearProperty("io.leasehold." + property);
            }
        }
    }

    @Test
    void stacksAreNotedForAsLongAsOneOfTheTwoWantsThem() {
        ConnectionPool<String, Connection> pool = builder().build();
        assertFalse(isNoted(pool));
        pool.setLeakDetectionThreshold(10, TimeUnit.SECONDS);
        pool.setLeaseStacks(true);
        pool.setLeaseStacks(false);
        assertTrue(isNoted(pool));
        pool.setLeaseStacks(true);
        pool.setLeakDetectionThreshold(0, TimeUnit.SECONDS);
        assertTrue(isNoted(pool));
        pool.setLeaseStacks(false);
        assertFalse(isNoted(pool));
        assertFalse(pool.isLeaseStacks());
    }

    @Test
    void aThresholdIsATime() {
        ConnectionPool<String, Connection> pool = builder().build();
        assertThrows(IllegalArgumentException.class, () -> pool.setLeakDetectionThreshold(-1, TimeUnit.SECONDS));
        assertThrows(IllegalArgumentException.class, () -> pool.setLeakDetectionThreshold(1, null));
        assertThrows(IllegalArgumentException.class, () -> pool.setLeakDetectionThreshold(null));
        pool.setLeakDetectionThreshold(1, TimeUnit.NANOSECONDS);
        assertEquals(1, pool.getLeakDetectionMillis(), "the shortest is not never");
        pool.setLeakDetectionThreshold(Duration.ofSeconds(7));
        assertEquals(7000, pool.getLeakDetectionMillis());
        pool.setLeakDetectionThreshold(0, TimeUnit.SECONDS);
        assertEquals(0, pool.getLeakDetectionMillis());
        Lease<Connection> lease = pool.tryLease("a");
        assertNull(pool.heldLeases().get(0).stack());
        lease.discard();
    }
}
