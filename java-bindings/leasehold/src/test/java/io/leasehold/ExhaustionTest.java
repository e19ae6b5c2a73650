package io.leasehold;

import static java.util.Collections.emptyList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.Overflow;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A thread that runs out of stack in a call loses no slot: what the call took is given back, or was not taken. */
class ExhaustionTest {
    private static final int SLOTS = 20;

    @RegisterExtension
    final Held held = new Held();
    private final ConnectionPool<String, Connection> pool =
            ConnectionPool.<String, Connection>builder((connection, cause) -> connection.closedFor = cause)
                    .maxTotal(SLOTS)
                    .maxPerRoute(SLOTS)
                    .leakListener(Disposals.LEAKS_ARE_EXPECTED)
                    .build();
    // What a step that overflowed left: nothing may be called to note it.
    private Lease<Connection> last;
    private int step;

    /** Ends what a step before has leased and could not end, and leases. */
    private Lease<Connection> lease(String route) {
        endLast();
        return last = pool.tryLease(route);
    }

    private void endLast() {
        Lease<Connection> before = last;
        if (before != null) {
            before.close();
            last = null;
        }
    }

    private static void open(Lease<Connection> lease) {
        if (lease.connection() == null) {
            lease.opened(new Connection("c"));
        }
    }

    @Test
    void leasesAndReleasesOfIdleConnections() throws Exception {
        atEveryDepth(() -> {
            Lease<Connection> lease = lease("a");
            open(lease);
            lease.release();
        });
    }

    @Test
    void leasesThatOpenAndReleasesThatClose() throws Exception {
        atEveryDepth(() -> {
            Lease<Connection> lease = lease("a");
            open(lease);
            lease.discard();
        });
    }

    @Test
    void leasesOnNewRoutesInTheSteadOfIdleConnections() throws Exception {
        atEveryDepth(() -> {
            Lease<Connection> lease = lease("a" + step++ % 50);
            open(lease);
            lease.release();
        });
    }

    @Test
    void leasesBoundToAState() throws Exception {
        atEveryDepth(() -> {
            endLast();
            Lease<Connection> lease = last = pool.tryLease("a", "s" + step++ % 3);
            open(lease);
            lease.release(step % 2 == 0 ? null : "s1");
        });
    }

    @Test
    void connectionsThatAreReplaced() throws Exception {
        atEveryDepth(() -> {
            Lease<Connection> lease = lease("a");
            open(lease);
            if (step++ % 2 == 0) {
                lease.replace();
            } else {
                lease.reopen();
            }
            open(lease);
            lease.release();
        });
    }

    @Test
    void requestsThatWait() throws Exception {
        Lease<Connection> only = held.hold(pool.tryLease("a"));
        pool.setMaxTotal(1);
        atEveryDepth(() -> {
            try {
                pool.lease("a", 1, TimeUnit.NANOSECONDS).close();
            } catch (Exception e) {
                assertTrue(e instanceof java.util.concurrent.TimeoutException, e::toString);
            }
        }, only::close);
    }

    /** Ends every lease that it is told of. */
    private static final LeaseHook<Connection> ENDING = new LeaseHook<Connection>() {
        @Override
        public void leased(Lease<Connection> lease) {
            deep(200);
            lease.close();
        }

        @Override
        public void failed(Throwable why) {
            throw new AssertionError(why);
        }
    };

    /** As a hook may need a little stack. */
    private static int deep(int depth) {
        return depth == 0 ? 0 : 1 + deep(depth - 1);
    }

    @Test
    void requestsThatAreCancelled() throws Exception {
        Lease<Connection> only = held.hold(pool.tryLease("a"));
        pool.setMaxTotal(1);
        atEveryDepth(() -> pool.requestLease("a", null, 1, TimeUnit.HOURS, ENDING).cancel(), () -> {
            only.close();
            awaitRest();
        });
    }

    @Test
    void hooksOnTheThreadOfARelease() throws Exception {
        pool.setMaxTotal(1);
        atEveryDepth(() -> {
            // What has no stack for a hook may be a second late.
            if (step++ % 50 == 0) {
                Lease<Connection> lease = lease("a");
                pool.requestLease("a", null, 1, TimeUnit.HOURS, ENDING);
                if (lease != null) {
                    lease.close();
                }
            }
        }, this::awaitRest);
    }

    private void awaitRest() {
        try {
            Eventually.await("nobody waits", () -> pool.stats().leased() + pool.stats().pending() == 0);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void limitsAndUpkeep() throws Exception {
        atEveryDepth(() -> {
            pool.setMaxTotal(SLOTS);
            pool.removeMaxPerRoute("a");
            Lease<Connection> lease = lease("a");
            open(lease);
            lease.release();
            pool.setMaxTotal(step++ % 2);
            pool.setMaxPerRoute("a", step % 3);
            pool.removeMaxPerRoute("a");
            pool.closeIdle(0, TimeUnit.SECONDS);
            pool.clear("a");
            pool.closeIdleIf((route, connection) -> true);
        });
    }

    @Test
    void aThreadWithoutMemory() throws Exception {
        String output = OwnJvm.run(WithoutMemory.class, emptyList(), "-Xmx24m", "-XX:+UseSerialGC");
        assertTrue(output.contains("all slots are there"), output);
    }

    /** Leases and releases in a heap that is full to the last object. */
    static final class WithoutMemory {
        private static final int ROUNDS = 20;
        private static final int STEPS = 20;

        private static Object[] hoard;

        private WithoutMemory() {}

        public static void main(String[] args) {
            ConnectionPool<String, Connection> pool =
                    ConnectionPool.<String, Connection>builder((connection, cause) -> connection.closedFor = cause)
                            .maxTotal(SLOTS)
                            .maxPerRoute(SLOTS)
                            .build();
            Lease<Connection> last = null;
            int failures = 0;
            for (int round = 0; round < ROUNDS; round++) {
                if (round > 0) {
                    // Not in the first one: what is loaded by it is not what this is about.
                    fill();
                }
                for (int i = 0; i < STEPS; i++) {
                    try {
                        if (last != null) {
                            last.close();
                            last = null;
                        }
                        last = i % 3 == 0 ? pool.tryLease("a" + i, "somebody") : pool.tryLease(i % 3 == 1 ? "a" : "b");
                        open(last);
                        if (i % 2 == 0) {
                            last.release();
                        } else {
                            last.discard();
                        }
                        last = null;
                    } catch (OutOfMemoryError e) {
                        failures++;
                    }
                }
                hoard = null;
            }
            if (last != null) {
                last.close();
            }
            assertTrue(failures > 0, "there was memory all the time");
            assertEquals(0, pool.stats().leased());
            for (int i = 0; i < SLOTS; i++) {
                assertNotNull(pool.tryLease("a"), () -> pool.stats().toString());
            }
            System.out.println("all slots are there");
        }

        private static void fill() {
            for (int size = 1 << 20; size >= 1; size /= 4) {
                try {
                    for (;;) {
                        hoard = new Object[] {hoard, new byte[size]};
                    }
                } catch (OutOfMemoryError e) {
                    // Full, but for what is smaller.
                }
            }
        }
    }

    private void atEveryDepth(Runnable step) throws Exception {
        atEveryDepth(step, () -> {});
    }

    private void atEveryDepth(Runnable step, Runnable afterwards) throws Exception {
        int overflows = Overflow.atEveryDepth(step);
        assertTrue(overflows > 0, "it never overflowed");
        endLast();
        afterwards.run();
        assertEquals(0, pool.stats().leased());
        assertEquals(0, pool.stats().pending());
        pool.setMaxTotal(SLOTS);
        pool.removeMaxPerRoute("a");
        for (int i = 0; i < SLOTS; i++) {
            Lease<Connection> lease = held.hold(pool.tryLease("a"));
            assertNotNull(lease, () -> "after " + overflows + " overflows no slot is left: " + pool.stats());
            open(lease);
            assertNull(lease.connection().closedFor);
        }
        assertEquals(SLOTS, pool.stats().leased());
        assertNull(pool.tryLease("a"));
    }
}
