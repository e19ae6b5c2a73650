package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.LogCapture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

/** A pool has a name, which stands in what it logs and throws, and what it throws for want of a connection says what it looked like. */
class NamesTest {
    private static ConnectionPool.Builder<Object, Connection> builder() {
        return ConnectionPool.builder(new Disposals());
    }

    @Test
    void aPoolWithoutANameHasANumberThatIsNoOtherPools() {
        ConnectionPool<Object, Connection> one = builder().build();
        ConnectionPool<Object, Connection> other = builder().build();
        assertTrue(one.name().matches("ConnectionPool-[0-9]+"), one.name());
        assertNotEquals(one.name(), other.name());
        assertTrue(builder().ownedBy("Manager").build().name().matches("Manager-[0-9]+"));
    }

    @Test
    void aPoolIsCalledWhatItsUserCallsIt() {
        ConnectionPool<Object, Connection> pool = builder().name("orders").build();
        assertEquals("orders", pool.name());
        pool.setName("invoices");
        assertEquals("invoices", pool.name());
        assertEquals("invoices[leased: 0; pending: 0; available: 0; max: 2147483647]", pool.toString());
        assertThrows(IllegalArgumentException.class, () -> pool.setName(""));
        assertThrows(IllegalArgumentException.class, () -> pool.setName(null));
        assertThrows(IllegalArgumentException.class, () -> builder().name(""));
        assertThrows(IllegalArgumentException.class, () -> builder().ownedBy(null));
        assertEquals("invoices", pool.name());
    }

    @Test
    void whatAPoolRefusesAfterItsEndNamesIt() {
        ConnectionPool<Object, Connection> pool = builder().name("orders").build();
        pool.shutdown(ShutdownMode.GRACEFUL);
        assertTrue(assertThrows(PoolShutDownException.class, () -> pool.tryLease("a")).getMessage().contains("orders"));
        ConnectionPool<Object, Connection> used = builder().name("invoices").build();
        used.tryLease("a").discard();
        used.shutdown(ShutdownMode.GRACEFUL);
        assertTrue(assertThrows(PoolShutDownException.class, () -> used.tryLease("a")).getMessage().contains("invoices"));
    }

    @Test
    void aLineOfTheLogNamesThePool() {
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            ConnectionPool<Object, Connection> pool = ConnectionPool.<Object, Connection>builder((connection, cause) -> {
                throw new IllegalStateException("cannot close");
            }).name("orders").build();
            Lease<Connection> lease = pool.tryLease("a");
            lease.opened(new Connection("a"));
            lease.discard();
            assertTrue(log.messages().toString().contains("orders: a disposer failed to close a connection"), log.messages().toString());
        }
    }

    @Test
    void aRequestWhoseTimeIsUpSaysWhatThePoolLookedLike() {
        ConnectionPool<Object, Connection> pool = builder().name("orders").maxTotal(2).maxPerRoute(1).build();
        Lease<Connection> idle = pool.tryLease("b");
        idle.opened(new Connection("b"));
        idle.release();
        Lease<Connection> held = pool.tryLease("a");
        held.opened(new Connection("a"));
        TimeoutException end = assertThrows(TimeoutException.class, () -> pool.lease("a", 0, TimeUnit.SECONDS));
        assertTrue(end.getMessage().startsWith("no connection came free in time; orders: route a [leased: 1; idle: 0; waiting: 0; max: 1],"
                + " in total [leased: 1; idle: 1; waiting: 0; max: 2], the longest lease of the route held for "), end.getMessage());
        held.release();
    }

    @Test
    void aPoolSaysWhatItLooksLikeBeforeItsFirstLeaseToo() {
        ConnectionPool<Object, Connection> pool = builder().name("orders").maxTotal(2).build();
        assertEquals("orders[leased: 0; pending: 0; available: 0; max: 2]", pool.describe("a"));
        assertEquals(0, pool.heldLeases().size());
        Lease<Connection> held = pool.tryLease("a");
        assertTrue(pool.describe("a").startsWith("orders: route a [leased: 1; idle: 0; "), pool.describe("a"));
        held.discard();
    }

    @Test
    void aRequestThatWaitedSaysWhoKeptItWaitingIfThatIsNoted() {
        ConnectionPool<Object, Connection> pool = builder().name("orders").maxTotal(1).build();
        pool.setLeaseStacks(true);
        Lease<Connection> held = pool.tryLease("b");
        TimeoutException end = assertThrows(TimeoutException.class, () -> pool.lease("a", 1, TimeUnit.MILLISECONDS));
        assertTrue(end.getMessage().contains("in total [leased: 1; idle: 0; waiting: 0; max: 1]"), end.getMessage());
        assertTrue(end.getMessage().endsWith(" ms, not open yet, by thread \"" + Thread.currentThread().getName() + "\""),
                end.getMessage());
        held.discard();
    }

    @Test
    void aRequestThatMayNotWaitSaysTheSameButForWhatTakesALookAtEachLease() {
        ConnectionPool<Object, Connection> pool = builder().name("orders").maxTotal(1).maxWaiters(0).build();
        Lease<Connection> held = pool.tryLease("a");
        QueueFullException end = assertThrows(QueueFullException.class, () -> pool.lease("a", 1, TimeUnit.MINUTES));
        assertTrue(end.getMessage().startsWith(new QueueFullException(0).getMessage() + "; orders: route a [leased: 1; "),
                end.getMessage());
        assertFalse(end.getMessage().contains("longest"), end.getMessage());
        held.discard();
    }

    @Test
    void aRouteThatCannotSayWhatItIsCostsNoAnswer() {
        ConnectionPool<Object, Connection> pool = builder().name("orders").maxTotal(1).build();
        Object route = new Object() {
            @Override
            public String toString() {
                throw new IllegalStateException("nameless");
            }
        };
        Lease<Connection> held = pool.tryLease(route);
        TimeoutException end = assertThrows(TimeoutException.class, () -> pool.lease(route, 0, TimeUnit.SECONDS));
        assertTrue(end.getMessage().contains("; orders: route " + route.getClass().getName() + " [leased: 1; "), end.getMessage());
        held.discard();
        assertEquals(0, pool.stats().leased());
    }
}
