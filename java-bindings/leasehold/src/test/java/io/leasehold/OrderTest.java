package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.LeaseOrder;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Last in, first out: until threads meet often at a pool's idle list, and again once they do not. */
class OrderTest {
    private final ManualClock clock = new ManualClock();
    private final ConnectionPool<String, Object> pool = ConnectionPool.<String, Object>builder((connection, cause) -> {})
            .maxPerRoute(4)
            .manualClock(clock)
            .build();
    private final LeaseOrder<Lease<Object>> order = new LeaseOrder<>(this::lease, Lease::release);

    private Lease<Object> lease() {
        Lease<Object> lease = pool.tryLease("a");
        if (lease.connection() == null) {
            lease.opened(new Object());
        }
        return lease;
    }

    @Test
    void afterACalmTheOrderIsExactAgain() throws Exception {
        assertTrue(order.isLastInFirstOut(Lease::connection), "nobody has met");
        order.meet(Lease::connection);
        // The first look finds that they have met since the pool was made.
        for (int look = 0; look < 2; look++) {
            clock.advance(10, TimeUnit.SECONDS);
            pool.closeExpired();
        }
        assertTrue(order.isLastInFirstOut(Lease::connection), "nobody has met for ten seconds");
    }

    @Test
    void whatOtherThreadsHaveReleasedIsLeasedBeforeOneIsOpened() throws Exception {
        order.meet(Lease::connection);
        int open = pool.stats().available();
        for (int i = 0; i < 17; i++) {
            Thread other = new Thread(() -> lease().release());
            other.start();
            other.join();
        }
        assertEquals(open, pool.stats().available());
    }
}
