package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What an enumeration shows while connections come and go. */
class ListingTest {
    private static final int LISTINGS = 20_000;

    /** One slot, in which connections to two routes follow each other: each is shown with its own route, or not at all. */
    @Test
    @Tag("long")
    void aConnectionIsShownWithItsOwnRoute() throws Exception {
        ConnectionPool<String, Connection> pool = ConnectionPool.<String, Connection>builder((connection, cause) -> {}).maxTotal(1).build();
        AtomicBoolean stop = new AtomicBoolean();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread user = new Thread(() -> {
            try {
                for (int i = 0; !stop.get(); i++) {
                    String route = i % 2 == 0 ? "a" : "b";
                    Lease<Connection> lease = pool.tryLease(route);
                    lease.opened(new Connection(route));
                    lease.release();
                }
            } catch (Throwable e) {
                failure.set(e);
            }
        });
        user.start();
        AtomicInteger shown = new AtomicInteger();
        try {
            for (int i = 0; i < LISTINGS || shown.get() == 0 && user.isAlive(); i++) {
                pool.forEachIdle((route, connection) -> {
                    shown.incrementAndGet();
                    assertEquals(route, connection.toString());
                });
                pool.forEachLeased((route, connection) -> assertEquals(route, connection.toString()));
            }
        } finally {
            stop.set(true);
            user.join();
        }
        assertTrue(failure.get() == null, () -> "the user failed: " + failure.get());
    }
}
