package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Connections that somebody else closes, as a reactor does, while they are idle. */
class EvictClosedTest {
    private final List<Cause> causes = new CopyOnWriteArrayList<>();
    private final List<AtomicBoolean> disposed = new CopyOnWriteArrayList<>();
    private ConnectionPool<String, AtomicBoolean> pool = pool(AtomicBoolean::get);

    private ConnectionPool<String, AtomicBoolean> pool(Predicate<AtomicBoolean> isClosed) {
        return ConnectionPool.<String, AtomicBoolean>builder((connection, cause) -> {
            causes.add(cause);
            disposed.add(connection);
        }).evictClosed(isClosed).maxTotal(2).build();
    }

    @AfterEach
    void close() {
        pool.close();
    }

    private AtomicBoolean idle() {
        AtomicBoolean isClosed = new AtomicBoolean();
        Lease<AtomicBoolean> lease = pool.tryLease("a");
        lease.opened(isClosed);
        lease.release();
        return isClosed;
    }

    @Test
    void whatSomebodyElseHasClosedGoesWithoutALease() throws Exception {
        Lease<AtomicBoolean> first = pool.tryLease("a");
        first.opened(new AtomicBoolean());
        AtomicBoolean closed = idle();
        first.release();
        closed.set(true);
        Eventually.await("the closed one to go", () -> disposed.size() == 1);
        assertSame(closed, disposed.get(0));
        assertSame(Cause.PEER_CLOSED, causes.get(0));
        assertEquals(1, pool.counters().closedByPeer());
        assertEquals(1, pool.stats().available());
    }

    @Test
    void itsPlaceIsAnothersToOpen() throws Exception {
        AtomicBoolean closed = idle();
        pool.setMaxTotal(1);
        closed.set(true);
        Eventually.await("the closed one to go", () -> pool.stats().available() == 0);
        Lease<AtomicBoolean> lease = pool.lease("b", 1, TimeUnit.MINUTES);
        assertTrue(lease.isVacancy());
        lease.discard();
    }

    @Test
    void whatIsLeasedIsLeftToItsUser() throws Exception {
        Lease<AtomicBoolean> lease = pool.tryLease("a");
        AtomicBoolean closed = new AtomicBoolean(true);
        lease.opened(closed);
        idle().set(true);
        Eventually.await("the idle one to go", () -> pool.stats().available() == 0);
        assertEquals(1, pool.stats().leased());
        closed.set(false);
        lease.release();
        assertEquals(1, pool.stats().available());
    }

    @Test
    void whatFailsToTellCountsAsOpen() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        pool = pool(connection -> {
            if (connection.get()) {
                return true;
            }
            asked.incrementAndGet();
            throw new IllegalStateException("cannot tell");
        });
        AtomicBoolean first;
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            first = idle();
            Eventually.await("it to be asked again and again", () -> asked.get() > 2);
            String said = pool.name() + ": it could not be told whether a connection was closed: it is taken for open";
            assertTrue(log.messages().contains(said), log.messages().toString());
        }
        assertEquals(1, pool.stats().available());
        first.set(true);
        Eventually.await("the closed one to go", () -> pool.stats().available() == 0);
    }
}
