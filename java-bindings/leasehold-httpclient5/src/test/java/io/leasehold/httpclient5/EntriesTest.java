package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.Cause;
import io.leasehold.Metrics;
import io.leasehold.Watching;
import io.leasehold.managed.ManagedSocket;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.lang.ref.WeakReference;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Future;
import java.util.function.Predicate;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.ConnPoolListener;
import org.apache.hc.core5.pool.ConnPoolStats;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.util.TimeValue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a pool does with the connections of whom it belongs to, and what their code may do to it meanwhile. */
class EntriesTest {
    /** As of a manager: what closes is told to the test, and what is done in its course. */
    private static final class Owner implements Treatment<String, Conn> {
        final List<String> told = Collections.synchronizedList(new ArrayList<>());
        volatile Runnable atClose = () -> {};
        volatile Runnable atLease = () -> {};
        volatile RuntimeException fails;

        @Override
        public void close(Conn connection, CloseMode mode) {
            connection.close(mode);
            atClose.run();
        }

        @Override
        public Socket socketOf(Conn connection) {
            if (fails != null) {
                throw fails;
            }
            return null;
        }

        @Override
        public boolean mayBlockToClose(Conn connection) {
            return false;
        }

        @Override
        public Predicate<Conn> closedByOthers() {
            return Conn::isClosed;
        }

        @Override
        public Predicate<Conn> needsHelp() {
            return connection -> connection.name.equals("needy") && !told.contains("helped needy");
        }

        @Override
        public void help(Conn connection) {
            told.add("helped " + connection);
        }

        @Override
        public boolean isStaleAtLease(String route, Conn connection, ManagedSocket socket) {
            atLease.run();
            return false;
        }

        @Override
        public boolean isExpired(PoolEntry<String, Conn> entry, long now) {
            return entry.getConnection().name.equals("expired");
        }

        @Override
        public void letGo(Conn connection, Cause cause) {
            told.add("let go " + connection + " " + cause);
        }

        @Override
        public void lost(Object route) {}
    }

    private final Owner owner = new Owner();
    /** Whom the listener is told of, and what it throws. */
    private final List<String> listened = new ArrayList<>();
    private RuntimeException listenerFails;
    private final LeaseholdConnPool<String, Conn> pool = new LeaseholdConnPool<>(4, 4, null, null, new ConnPoolListener<String>() {
        @Override
        public void onLease(String route, ConnPoolStats<String> stats) {
            if (listenerFails != null) {
                throw listenerFails;
            }
            listened.add("leased " + route);
        }

        @Override
        public void onRelease(String route, ConnPoolStats<String> stats) {
            listened.add("released " + route);
        }
    }, Watching.OFF, owner, "owner");
    private final LogCapture log = LogCapture.of(Conn.LOGGER, LeaseholdConnPool.class.getName());
    // An entry that nobody has gives its place back.
    private final List<PoolEntry<String, Conn>> held = new ArrayList<>();

    @AfterEach
    void close() {
        pool.close(CloseMode.IMMEDIATE);
        log.close();
    }

    private PoolEntry<String, Conn> lease(String route) throws Exception {
        PoolEntry<String, Conn> entry = pool.lease(route, null).get();
        held.add(entry);
        return entry;
    }

    private PoolEntry<String, Conn> open(String name) throws Exception {
        PoolEntry<String, Conn> entry = lease("a");
        assertFalse(entry.hasConnection());
        entry.assignConnection(new Conn(name));
        return entry;
    }

    private void assertNumbers(int leased, int available) {
        assertEquals(leased + " " + available, pool.getTotalStats().getLeased() + " " + pool.getTotalStats().getAvailable());
    }

    @Test
    void whatOthersCloseWhileItIsIdleGoesAndNothingElse() throws Exception {
        PoolEntry<String, Conn> closed = open("closed");
        PoolEntry<String, Conn> alive = open("alive");
        pool.release(closed, true);
        pool.release(alive, true);
        closed.getConnection().close(CloseMode.GRACEFUL);
        Eventually.await("its place", () -> pool.getTotalStats().getAvailable() == 1);
        assertFalse(closed.hasConnection());
        assertSame(alive, lease("a"));
        assertEquals("[let go closed PEER_CLOSED]", owner.told.toString());
    }

    @Test
    void aLeasedConnectionThatNeedsHelpIsHelpedAndNoOther() throws Exception {
        pool.opened(open("well").getConnection());
        // It is not known to be open yet.
        lease("a");
        pool.opened(open("needy").getConnection());
        Eventually.await("the help", () -> !owner.told.isEmpty());
        assertEquals("[helped needy]", owner.told.toString());
    }

    @Test
    void whatIsLetGoIsToldWithItsCause() throws Exception {
        for (String name : new String[] {"expired", "idle"}) {
            pool.release(open(name), true);
            pool.closeExpired();
            assertNumbers(0, name.equals("expired") ? 0 : 1);
            pool.closeIdle(TimeValue.ZERO_MILLISECONDS);
        }
        assertEquals("[let go expired CLEARED, let go idle CLEARED]", owner.told.toString());
    }

    @Test
    void anEntryHasItsConnectionWhileItIsLeasedOrKept() throws Exception {
        PoolEntry<String, Conn> released = open("released");
        Conn gone = released.getConnection();
        pool.release(released, false);
        assertFalse(pool.has(released, gone));
        assertFalse(pool.has(released, null));
        PoolEntry<String, Conn> entry = open("connection");
        Conn connection = entry.getConnection();
        assertTrue(pool.has(entry, connection));
        assertFalse(pool.has(entry, new Conn("another")));
        assertFalse(pool.has(new PoolEntry<>("a", null), null));
        pool.release(entry, true);
        assertTrue(pool.has(entry, connection));
        assertFalse(pool.has(entry, new Conn("another")));
        // Whatever was assigned since.
        entry.discardConnection(CloseMode.IMMEDIATE);
        Conn late = new Conn("late");
        entry.assignConnection(late);
        assertFalse(pool.has(entry, late));
    }

    @Test
    void whoGivesAnEntryBackGivesNoOtherLeaseBack() throws Exception {
        PoolEntry<String, Conn> entry = open("connection");
        long use = pool.use(entry);
        pool.release(entry, true);
        assertEquals(0, pool.use(entry));
        assertSame(entry, lease("a"));
        pool.giveBack(entry, use);
        assertNumbers(1, 0);
        pool.giveBack(entry, pool.use(entry));
        assertNumbers(0, 0);
        assertFalse(entry.hasConnection());
    }

    @Test
    void aPoolIsClosedInAnOrderlyWayIfNoOtherIsSaid() throws Exception {
        assertFalse(pool.isShutdown());
        open("connection");
        pool.close(null);
        assertTrue(pool.isShutdown());
        assertEquals("[connection closed GRACEFUL]", log.messages().toString());
    }

    @Test
    void anEntryThatHasNoConnectionIsNotKept() throws Exception {
        pool.release(lease("a"), true);
        assertNumbers(0, 0);
        PoolEntry<String, Conn> entry = open("first");
        pool.release(entry, true);
        assertSame(entry, lease("a"));
        entry.discardConnection(CloseMode.IMMEDIATE);
        pool.release(entry, true);
        assertNumbers(0, 0);
    }

    @Test
    void whatTakesAnothersPlaceInALeaseCountsAsOpened() throws Exception {
        PoolEntry<String, Conn> entry = open("first");
        pool.release(entry, true);
        assertSame(entry, lease("a"));
        entry.discardConnection(CloseMode.IMMEDIATE);
        entry.assignConnection(new Conn("second"));
        pool.release(entry, true);
        Metrics metrics = pool.managed().getMetrics();
        assertEquals(2, metrics.opened());
        assertNumbers(0, 1);
    }

    @Test
    void nothingIsKeptOfWhatWasClosedWhileItWasIdle() throws Exception {
        WeakReference<Conn> closed = new WeakReference<>(new Conn("closed"));
        PoolEntry<String, Conn> entry = lease("a");
        entry.assignConnection(closed.get());
        pool.release(entry, true);
        entry.discardConnection(CloseMode.IMMEDIATE);
        lease("a");
        Eventually.awaitAfterCollection("its collection", () -> closed.get() == null);
    }

    @Test
    void whatTheListenerRefusesIsClosedAndTheEntryHasItNoMore() throws Exception {
        PoolEntry<String, Conn> entry = open("refused");
        Conn refused = entry.getConnection();
        pool.release(entry, true);
        listenerFails = new IllegalStateException("a listener that fails");
        assertSame(listenerFails, assertThrows(IllegalStateException.class, () -> pool.lease("a", null)));
        assertTrue(refused.isClosed());
        assertFalse(entry.hasConnection());
        assertNumbers(0, 0);
    }

    @Test
    void aReleaseThatCannotBeKeptIsOneAllTheSame() throws Exception {
        PoolEntry<String, Conn> entry = open("unkept");
        Conn unkept = entry.getConnection();
        owner.fails = new IllegalStateException("a connection that does not show its socket");
        assertSame(owner.fails, assertThrows(IllegalStateException.class, () -> pool.release(entry, true)));
        assertTrue(unkept.isClosed());
        assertFalse(entry.hasConnection());
        assertNumbers(0, 0);
        assertEquals("[leased a, released a]", listened.toString());
        owner.fails = null;
        assertThrows(IllegalStateException.class, () -> pool.release(entry, true));
    }

    /** The pool underneath is closed a moment before. */
    @Test
    void aReleaseWhileThePoolIsBeingClosedIsOneAndCloses() throws Exception {
        PoolEntry<String, Conn> entry = open("late");
        Conn late = entry.getConnection();
        pool.managed().pool().close();
        pool.release(entry, true);
        assertTrue(late.isClosed());
        assertNumbers(0, 0);
        assertEquals("[leased a, released a]", listened.toString());
    }

    @Test
    void aLeaseInWhoseCourseThePoolIsClosedFailsAndLeavesNothing() throws Exception {
        PoolEntry<String, Conn> entry = open("idle");
        Conn idle = entry.getConnection();
        pool.release(entry, true);
        owner.atLease = () -> pool.close(CloseMode.IMMEDIATE);
        assertThrows(IllegalStateException.class, () -> pool.lease("a", null));
        assertTrue(idle.isClosed());
        assertNumbers(0, 0);
    }

    @Test
    void anEntryThatIsTakenWhileThePoolIsBeingClosedIsLeasedNoMore() throws Exception {
        pool.release(open("idle"), true);
        Future<PoolEntry<String, Conn>> served = pool.lease("b", null);
        List<Integer> leased = new ArrayList<>();
        // The idle are closed first.
        owner.atClose = () -> {
            owner.atClose = () -> {};
            try {
                held.add(served.get());
            } catch (Exception e) {
                throw new AssertionError(e);
            }
            leased.add(pool.getTotalStats().getLeased());
        };
        pool.close(CloseMode.IMMEDIATE);
        assertEquals("[0]", leased.toString());
    }

    @Test
    void aCloseSaysNothingOfWhatItFinds() throws Exception {
        PoolEntry<String, Conn> idle = open("idle");
        open("leased");
        pool.release(idle, true);
        lease("b");
        pool.close(CloseMode.IMMEDIATE);
        List<String> lines = log.messages();
        Collections.sort(lines);
        assertEquals("[idle closed IMMEDIATE, leased closed IMMEDIATE]", lines.toString());
    }
}
