package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.lang.ref.WeakReference;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.PoolEntry;
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
