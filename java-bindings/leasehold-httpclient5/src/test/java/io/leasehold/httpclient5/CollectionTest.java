package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.util.TimeValue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Entries that nobody has any more give their places back, and pools that nobody has are collected. */
class CollectionTest {
    private final LogCapture log = LogCapture.of(LeaseholdConnPool.class);
    private final LeaseholdConnPool<String, Conn> pool = new LeaseholdConnPool<>(1, 1);

    /** Leads to whatever it is given. */
    private static final class Leading extends Conn {
        final Object to;

        Leading(Object to) {
            super("leading");
            this.to = to;
        }
    }

    @AfterEach
    void close() {
        pool.close(CloseMode.IMMEDIATE);
        log.close();
    }

    private void awaitPlace() throws Exception {
        Eventually.awaitAfterCollection("the place", () -> pool.getTotalStats().getLeased() == 0);
    }

    private static PoolEntry<String, Conn> open(LeaseholdConnPool<String, Conn> pool, Conn connection) throws Exception {
        PoolEntry<String, Conn> entry = pool.lease("a", null).get();
        if (!entry.hasConnection()) {
            entry.assignConnection(connection);
        }
        return entry;
    }

    @Test
    void anEntryThatWasLostWithTheConnectionItWasLeasedWithGivesItsPlaceBackAndTheConnectionIsClosed() throws Exception {
        Conn connection = new Conn("lost");
        pool.release(open(pool, connection), true);
        pool.lease("a", null).get();
        awaitPlace();
        Eventually.await("the connection to be closed", connection::isClosed);
        assertEquals("[WARNING " + LeaseholdConnPool.class.getName()
                + ": Connection reclaimed by garbage collector, it was never released: [route: a]]", log.lines().toString());
    }

    @Test
    void anEntryThatWasLostBeforeItsFirstReleaseGivesItsPlaceBack() throws Exception {
        pool.lease("a", null).get();
        awaitPlace();
        open(pool, new Conn("lost, too"));
        awaitPlace();
        Eventually.await("both to be told of", () -> log.lines().size() == 2);
    }

    @Test
    void aConnectionThatWasSaidToBeOpenIsClosedIfItsEntryIsLostInItsFirstLease() throws Exception {
        Conn connection = new Conn("lost");
        open(pool, connection);
        pool.opened(connection);
        awaitPlace();
        Eventually.await("the connection to be closed", connection::isClosed);
    }

    @Test
    void anEntryWhoseConnectionWasSaidToBeOpenIsReleasedAsOthers() throws Exception {
        PoolEntry<String, Conn> entry = open(pool, new Conn("open"));
        pool.opened(entry.getConnection());
        pool.release(entry, true);
        assertEquals(1, pool.getTotalStats().getAvailable());
        assertSame(entry, pool.lease("a", null).get());
        pool.release(entry, false);
        assertFalse(entry.hasConnection());
        assertEquals(0, pool.getTotalStats().getAvailable());
    }

    @Test
    void ofAnEntryThatWasLostTheConnectionIsClosedThatItHasAndNoneTwice() throws Exception {
        try (LogCapture connections = LogCapture.of(Conn.LOGGER)) {
            pool.release(open(pool, new Conn("first")), true);
            replace(new Conn("second"), true);
            awaitPlace();
            Eventually.await("the second to be closed", () -> connections.lines().size() == 2);
            assertEquals("[first closed IMMEDIATE, second closed GRACEFUL]", connections.messages().toString());
            pool.release(open(pool, new Conn("third")), true);
            replace(new Conn("fourth"), false);
            awaitPlace();
            // Is dealt with after the last one's place was given back.
            pool.release(open(pool, new Conn("fifth")), true);
            pool.lease("a", null).get();
            awaitPlace();
            Eventually.await("the fifth to be closed", () -> connections.messages().contains("fifth closed GRACEFUL"));
            assertEquals(1, connections.messages().stream().filter(line -> line.startsWith("third")).count());
        }
    }

    private void replace(Conn connection, boolean isTold) throws Exception {
        PoolEntry<String, Conn> entry = pool.lease("a", null).get();
        entry.discardConnection(CloseMode.IMMEDIATE);
        entry.assignConnection(connection);
        if (isTold) {
            pool.opened(connection);
        }
    }

    @Test
    void whatWaitsToBeClosedIsClosedThoughItsPoolIsClosedAndNobodyHasIt() throws Exception {
        CountDownLatch goesOn = new CountDownLatch(1);
        List<Conn> all = new ArrayList<>();
        try {
            // As many as take all threads that close, with some to spare, and then some that wait for one.
            hang(40, goesOn);
            for (CloseMode mode : new CloseMode[] {null, CloseMode.GRACEFUL}) {
                leave(all, mode);
            }
            WeakReference<Object> collected = new WeakReference<>(new Object());
            Eventually.awaitAfterCollection("a collection", () -> collected.get() == null);
        } finally {
            goesOn.countDown();
        }
        Eventually.await("all to be closed", () -> all.stream().allMatch(Conn::isClosed));
    }

    private static void hang(int connections, CountDownLatch until) throws Exception {
        LeaseholdConnPool<String, Conn> busy = new LeaseholdConnPool<>(connections, connections);
        List<PoolEntry<String, Conn>> entries = new ArrayList<>();
        for (int i = 0; i < connections; i++) {
            PoolEntry<String, Conn> entry = busy.lease("a", null).get();
            entry.assignConnection(new Conn("busy") {
                @Override
                public void close(CloseMode mode) {
                    try {
                        until.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                }
            });
            entries.add(entry);
        }
        entries.forEach(entry -> busy.release(entry, true));
        busy.closeIdle(TimeValue.ZERO_MILLISECONDS);
    }

    /** Closes a pool, or only what is idle in one, and forgets it. */
    private static void leave(List<Conn> all, CloseMode mode) throws Exception {
        LeaseholdConnPool<String, Conn> left = new LeaseholdConnPool<>(3, 3);
        List<PoolEntry<String, Conn>> entries = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Conn connection = new Conn("left");
            PoolEntry<String, Conn> entry = left.lease("a", null).get();
            entry.assignConnection(connection);
            all.add(connection);
            entries.add(entry);
        }
        // One was opened in its lease, one was leased with its connection, and one is idle.
        left.release(entries.get(1), true);
        left.release(entries.get(2), true);
        if (mode == null) {
            left.release(entries.get(0), true);
            left.closeIdle(TimeValue.ZERO_MILLISECONDS);
        } else {
            left.lease("a", null).get();
            left.close(mode);
        }
    }

    @Test
    void aFutureThatWasCancelledHoldsNoEntry() throws Exception {
        pool.release(open(pool, new Conn("idle")), true);
        Future<PoolEntry<String, Conn>> cancelled = pool.lease("a", null);
        assertTrue(cancelled.cancel(true));
        pool.lease("a", null).get();
        awaitPlace();
        assertTrue(cancelled.isCancelled());
    }

    @Test
    void anEntryWhoseConnectionLeadsToItsPoolIsLostAllTheSame() throws Exception {
        pool.release(open(pool, new Leading(pool)), true);
        pool.lease("a", null).get();
        awaitPlace();
    }

    @Test
    void aFutureThatWasServedAndLostGivesItsPlaceBack() throws Exception {
        pool.lease("a", null);
        awaitPlace();
    }

    @Test
    void anEntryThatIsHeldStaysLeased() throws Exception {
        PoolEntry<String, Conn> held = open(pool, new Conn("held"));
        PoolEntry<String, Conn> ofAnother;
        LeaseholdConnPool<String, Conn> another = new LeaseholdConnPool<>(1, 1);
        ofAnother = another.lease("a", null).get();
        WeakReference<Object> lost = new WeakReference<>(ofAnother);
        ofAnother = null;
        Eventually.awaitAfterCollection("another to be lost", () -> lost.get() == null && another.getTotalStats().getLeased() == 0);
        assertEquals(1, pool.getTotalStats().getLeased());
        pool.release(held, true);
        assertEquals(1, pool.getTotalStats().getAvailable());
        another.close();
    }

    @Test
    void aPoolThatNobodyHasIsCollectedWithItsIdleConnectionsThoughTheyLeadToIt() throws Exception {
        WeakReference<?>[] lost = new WeakReference<?>[2];
        lose(lost);
        Eventually.awaitAfterCollection("the pool and its connection to be collected",
                () -> lost[0].get() == null && lost[1].get() == null);
    }

    private static void lose(WeakReference<?>[] lost) throws Exception {
        LeaseholdConnPool<String, Conn> unowned = new LeaseholdConnPool<>(1, 1);
        Leading connection = new Leading(unowned);
        PoolEntry<String, Conn> entry = open(unowned, connection);
        entry.updateState(connection);
        unowned.release(entry, true);
        assertEquals(1, unowned.getTotalStats().getAvailable());
        lost[0] = new WeakReference<>(unowned);
        lost[1] = new WeakReference<>(connection);
    }
}
