package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What holds for a route while one thread makes it known and others want it too. */
class NewRouteTest {
    private static final int MORE_THAN_A_LEASE_HASHES = 50;

    /** Has something happen when one thread hashes it for the n-th time, and so between two steps of that thread. */
    private static final class Route {
        private Thread hashing;
        private int left;
        private Runnable event;

        @Override
        public int hashCode() {
            if (Thread.currentThread() == hashing && left-- == 0) {
                event.run();
            }
            return 1;
        }

        @Override
        public boolean equals(Object other) {
            return this == other;
        }
    }

    @Test
    void itsOwnLimitHoldsAtEveryMoment() {
        int moments = 0;
        while (isHashed(moments)) {
            moments++;
            assertTrue(moments < MORE_THAN_A_LEASE_HASHES);
        }
        assertTrue(moments > 1, "a lease hashed its route " + moments + " times");
    }

    /** Leases on two threads, the second at a moment of the first's lease; false if there was no such moment. */
    private static boolean isHashed(int moment) {
        Route route = new Route();
        List<Lease<Object>> leased = new ArrayList<>();
        try (ConnectionPool<Route, Object> pool = ConnectionPool.<Route, Object>builder((connection, cause) -> {}).maxPerRoute(5).build()) {
            pool.setMaxPerRoute(route, 1);
            route.hashing = Thread.currentThread();
            route.left = moment;
            route.event = () -> {
                Thread other = new Thread(() -> lease(pool, route, leased));
                other.start();
                try {
                    other.join();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            };
            lease(pool, route, leased);
            boolean isReached = route.left < 0;
            route.hashing = null;
            int max = pool.stats(route).max();
            leased.forEach(Lease::discard);
            assertEquals(1, leased.size(), "at moment " + moment);
            assertEquals(1, max, "at moment " + moment);
            return isReached;
        }
    }

    private static void lease(ConnectionPool<Route, Object> pool, Route route, List<Lease<Object>> leased) {
        for (int i = 0; i < 2; i++) {
            Lease<Object> lease = pool.tryLease(route);
            if (lease != null) {
                leased.add(lease);
            }
        }
    }
}
