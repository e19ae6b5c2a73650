package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.internal.log.Texts;
import io.leasehold.testsupport.LogCapture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a pool says of itself when a request gets nothing. */
class PoolLookTest {
    private final ManualClock clock = new ManualClock();
    private final ConnectionPool<String, Connection> pool =
            ConnectionPool.<String, Connection>builder((connection, cause) -> {}).name("orders").manualClock(clock).build();

    @AfterEach
    void end() {
        pool.shutdown(ShutdownMode.IMMEDIATE);
    }

    private Lease<Connection> held(String route) {
        Lease<Connection> lease = pool.tryLease(route);
        lease.opened(new Connection(route));
        clock.advance(1, TimeUnit.SECONDS);
        return lease;
    }

    private void assertLongest(String longest, String route) {
        String said = pool.describe(route);
        assertTrue(said.endsWith("max: none], the longest lease " + longest), said);
    }

    @Test
    void theLongestLeaseIsOfTheRouteThatIsAskedAboutIfItHasAny() {
        // In whatever order they are looked at.
        Lease<Connection> first = held("a");
        Lease<Connection> second = held("b");
        held("c");
        held("b");
        first.discard();
        second.discard();
        held("b");
        held("a");
        assertLongest("of the route held for 4000 ms", "c");
        assertLongest("of the route held for 3000 ms", "b");
        assertLongest("of the route held for 1000 ms", "a");
        assertLongest("held for 4000 ms", "d");
        held("b");
        assertLongest("of the route held for 4000 ms", "b");
    }

    @Test
    void aSuspendedPoolSaysThatItIs() {
        held("a").discard();
        assertEquals("orders: in total [leased: 0; idle: 0; waiting: 0; max: none]", pool.describe("b"));
        pool.suspend();
        assertEquals("orders, suspended: in total [leased: 0; idle: 0; waiting: 0; max: none]", pool.describe("b"));
    }

    /** As for want of memory. */
    @Test
    void whereItCannotBeSaidTheReasonIsAllThatIs() {
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            assertEquals("no", PoolLook.with("no", pool.state, null, "a", true));
            assertTrue(log.messages().contains(Texts.LINE_FAILED), log.lines()::toString);
        }
    }
}
