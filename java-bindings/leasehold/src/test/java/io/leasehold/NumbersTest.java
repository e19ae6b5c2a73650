package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Each of a pool's numbers counts what its name says, and they print in words. */
class NumbersTest {
    private final ManualClock clock = new ManualClock();
    private final ConnectionPool<String, Connection> pool = ConnectionPool.<String, Connection>builder(new Disposals())
            .name("numbers")
            .maxTotal(2)
            .maxPerRoute(2)
            .manualClock(clock)
            .build();

    private Lease<Connection> open(String route) {
        Lease<Connection> lease = pool.tryLease(route);
        lease.opened(new Connection(route));
        return lease;
    }

    private void assertCounters(int expired, int idle, int evicted, int overLimit, int cleared) {
        Counters counters = pool.counters();
        assertEquals(expired, counters.expired());
        assertEquals(idle, counters.idle());
        assertEquals(evicted, counters.evicted());
        assertEquals(overLimit, counters.overLimit());
        assertEquals(cleared, counters.cleared());
        assertEquals("[closed by peer: 0; stale: 0; expired: " + expired + "; idle: " + idle + "; evicted: " + evicted + "; over limit: "
                + overLimit + "; cleared: " + cleared + "]", counters.toString());
    }

    @Test
    void whatIsClosedIsCountedByItsCause() {
        assertCounters(0, 0, 0, 0, 0);
        Lease<Connection> brief = open("a");
        brief.updateExpiry(1, TimeUnit.SECONDS);
        brief.release();
        clock.advance(1, TimeUnit.SECONDS);
        pool.closeExpired();
        assertCounters(1, 0, 0, 0, 0);
        open("a").release();
        pool.closeIdle(0, TimeUnit.SECONDS);
        assertCounters(1, 1, 0, 0, 0);
        Lease<Connection> other = open("a");
        open("a").release();
        open("b").release();
        assertCounters(1, 1, 1, 0, 0);
        other.release();
        pool.setMaxTotal(1);
        assertCounters(1, 1, 1, 1, 0);
        pool.clear("a");
        pool.clear("b");
        assertCounters(1, 1, 1, 1, 1);
    }

    @Test
    void thePoolPrintsWhatItHas() {
        assertEquals("numbers[leased: 0; pending: 0; available: 0; max: 2]", pool.toString());
        open("a").release();
        Lease<Connection> held = open("b");
        assertEquals("numbers[leased: 1; pending: 0; available: 1; max: 2]", pool.toString());
        assertEquals("[leased: 0; pending: 0; available: 1; max: 2]", pool.stats("a").toString());
        assertNotNull(held.connection());
    }

    @Test
    void aPoolThatWasNeverUsedHasNothingToCloseOrToShow() {
        pool.closeExpired();
        pool.closeIdle(0, TimeUnit.SECONDS);
        pool.closeIdleIf((route, connection) -> fail("there is none"));
        pool.forEachIdle((route, connection) -> fail("there is none"));
        pool.forEachLeased((route, connection) -> fail("there is none"));
        pool.clear("a");
        assertEquals(0, pool.routes().size());
        assertCounters(0, 0, 0, 0, 0);
    }

    @Test
    void aRouteThatIsNotKnownHasNothingAndTheLimitOfAll() {
        open("a").release();
        assertEquals("[leased: 0; pending: 0; available: 0; max: 2]", pool.stats("b").toString());
        pool.setMaxPerRoute("b", 1);
        assertEquals("[leased: 0; pending: 0; available: 0; max: 1]", pool.stats("b").toString());
        pool.clear("b");
        assertNull(open("b").ref.boundTo());
    }
}
