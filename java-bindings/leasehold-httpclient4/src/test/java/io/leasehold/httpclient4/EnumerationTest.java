package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Loopback.keep;
import static io.leasehold.httpclient4.Loopback.lease;
import static io.leasehold.httpclient4.Loopback.leaseOpen;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.CoarseClock;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.pool.PoolEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a subclass sees of the connections, and what it can do to them. */
class EnumerationTest {
    @RegisterExtension
    final Loopback server = new Loopback();
    private final HttpRoute route = server.route();
    private final LeaseholdHttpClientConnectionManager manager = server.ends(new LeaseholdHttpClientConnectionManager());

    @Test
    @SuppressWarnings("deprecation") // One of the two names of an entry's time to live is.
    void idleAndLeasedConnectionsAreShownAsEntries() throws Exception {
        long before = CoarseClock.currentTimeMillis();
        HttpClientConnection kept = leaseOpen(manager, route, null);
        HttpClientConnection held = leaseOpen(manager, route, null);
        String keptId = ((ManagedHttpClientConnection) kept).getId();
        manager.releaseConnection(kept, "ann", 60, TimeUnit.SECONDS);
        PoolEntry<HttpRoute, ManagedHttpClientConnection> idle = only(true);
        long after = CoarseClock.currentTimeMillis();
        assertEquals(route, idle.getRoute());
        assertEquals(keptId, idle.getConnection().getId());
        assertEquals("ann", idle.getState());
        assertTrue(before <= idle.getCreated() && idle.getCreated() <= idle.getUpdated() && idle.getUpdated() <= after);
        assertEquals(idle.getUpdated() + 60_000, idle.getExpiry());
        assertEquals(Long.MAX_VALUE, idle.getValidityDeadline());
        assertEquals(Long.MAX_VALUE, idle.getValidUnit());
        assertFalse(idle.isExpired(idle.getExpiry() - 1));
        assertTrue(idle.isExpired(idle.getExpiry()));
        assertFalse(idle.isClosed());
        assertEquals("[id:" + idle.getId() + "][route:" + route + "][state:ann]", idle.toString());
        assertEquals(((ManagedHttpClientConnection) held).getId(), only(false).getConnection().getId());
    }

    @Test
    void anIdleEntryThatIsClosedLeavesThePool() throws Exception {
        HttpClientConnection connection = leaseOpen(manager, route, null);
        Socket socket = ((ManagedHttpClientConnection) connection).getSocket();
        keep(manager, connection);
        manager.enumAvailable(entry -> {
            entry.close();
            assertTrue(entry.isClosed());
        });
        assertTrue(socket.isClosed());
        assertEquals(0, manager.getTotalStats().getAvailable());
    }

    @Test
    void anIdleEntryWhoseConnectionIsClosedIsClosedAndLeavesThePool() throws Exception {
        keep(manager, leaseOpen(manager, route, null));
        manager.enumAvailable(entry -> {
            try {
                entry.getConnection().close();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            assertTrue(entry.isClosed());
        });
        assertEquals(0, manager.getTotalStats().getAvailable());
    }

    @Test
    void anEntryThatHasExpiredSaysSoInTheLogAndIsCountedAsClearedWhereItIsClosed() throws Exception {
        manager.releaseConnection(leaseOpen(manager, route, null), null, 5, TimeUnit.SECONDS);
        try (LogCapture log = LogCapture.of("org.apache.http.impl.conn.CPool")) {
            manager.enumAvailable(entry -> {
                assertFalse(entry.isExpired(entry.getExpiry() - 1));
                if (entry.isExpired(entry.getExpiry())) {
                    entry.close();
                }
            });
            assertEquals(1, log.messages().size());
            assertTrue(log.messages().get(0).contains(" expired @ "), log.messages().toString());
        }
        assertEquals(1, manager.getCounters().cleared());
        assertEquals(manager.getCounters().toString(), manager.getMetrics().closed().toString());
        assertEquals(0, manager.getCounters().closedByPeer());
    }

    @Test
    void anIdleEntryThatIsClosedWhileSomebodyLeasesItIsClosedAfterItsUse() throws Exception {
        keep(manager, leaseOpen(manager, route, null));
        HttpClientConnection[] leased = new HttpClientConnection[1];
        manager.enumAvailable(entry -> {
            try {
                leased[0] = lease(manager, route, null);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
            entry.close();
        });
        assertTrue(leased[0].isOpen());
        keep(manager, leased[0]);
        assertEquals(0, manager.getTotalStats().getAvailable());
    }

    @Test
    void aLeasedEntryIsClosedUnderItsUser() throws Exception {
        HttpClientConnection connection = leaseOpen(manager, route, null);
        PoolEntry<HttpRoute, ManagedHttpClientConnection> entry = only(false);
        assertFalse(entry.isClosed());
        manager.enumLeased(PoolEntry::close);
        assertTrue(entry.isClosed());
        assertFalse(connection.isOpen());
        assertEquals(1, manager.getTotalStats().getLeased());
        keep(manager, connection);
        assertEquals(0, manager.getTotalStats().getLeased());
    }

    @Test
    void anEntryCannotBeChanged() throws Exception {
        keep(manager, leaseOpen(manager, route, null));
        PoolEntry<HttpRoute, ManagedHttpClientConnection> entry = only(true);
        assertThrows(UnsupportedOperationException.class, () -> entry.setState("ann"));
        assertThrows(UnsupportedOperationException.class, () -> entry.updateExpiry(1, TimeUnit.SECONDS));
    }

    @Test
    void routesAreThoseWithConnectionsOrWaiters() throws Exception {
        assertEquals(Collections.emptySet(), manager.getRoutes());
        HttpClientConnection connection = lease(manager, route, null);
        assertEquals(Collections.singleton(route), manager.getRoutes());
        keep(manager, connection);
        assertEquals(Collections.emptySet(), manager.getRoutes());
    }

    /** As many as are leased, so that nothing is told by a difference. */
    @Test
    void aRouteWithAsManyWaitingOrIdleAsLeasedIsOneOfThem() throws Exception {
        manager.setDefaultMaxPerRoute(1);
        HttpClientConnection held = leaseOpen(manager, route, null);
        FutureTask<HttpClientConnection> waiting = new FutureTask<>(() -> lease(manager, route, null));
        new Thread(waiting).start();
        Eventually.await("the other to wait", () -> manager.getTotalStats().getPending() == 1);
        assertEquals(Collections.singleton(route), manager.getRoutes());
        keep(manager, held);
        manager.setDefaultMaxPerRoute(2);
        HttpClientConnection stillHeld = waiting.get();
        keep(manager, leaseOpen(manager, route, null));
        assertEquals("[leased: 1; pending: 0; available: 1; max: 2]", manager.getStats(route).toString());
        assertEquals(Collections.singleton(route), manager.getRoutes());
        keep(manager, stillHeld);
    }

    @Test
    void whatIsClosedAndCollectedWhileOthersAreShownIsPassedOver() throws Exception {
        List<WeakReference<Object>> own = new ArrayList<>();
        HttpClientConnection first = leaseOpen(manager, route, null);
        HttpClientConnection second = leaseOpen(manager, route, null);
        manager.enumLeased(entry -> own.add(new WeakReference<>(entry.getConnection())));
        keep(manager, first);
        keep(manager, second);
        int[] shown = new int[1];
        manager.enumAvailable(entry -> {
            shown[0]++;
            manager.closeIdleConnections(0, TimeUnit.SECONDS);
            awaitOneToGo(own);
        });
        assertEquals(1, shown[0]);
    }

    @Test
    void whatIsReleasedAndCollectedWhileOthersAreShownIsPassedOver() throws Exception {
        List<WeakReference<Object>> own = new ArrayList<>();
        HttpClientConnection[] held = {lease(manager, route, null), lease(manager, route, null)};
        manager.enumLeased(entry -> own.add(new WeakReference<>(entry.getConnection())));
        int[] shown = new int[1];
        manager.enumLeased(entry -> {
            shown[0]++;
            keep(manager, held[0]);
            keep(manager, held[1]);
            awaitOneToGo(own);
        });
        assertEquals(1, shown[0]);
    }

    private static void awaitOneToGo(List<WeakReference<Object>> connections) {
        try {
            Eventually.awaitAfterCollection("one of them to go", () -> connections.stream().anyMatch(each -> each.get() == null));
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private PoolEntry<HttpRoute, ManagedHttpClientConnection> only(boolean idle) {
        List<PoolEntry<HttpRoute, ManagedHttpClientConnection>> seen = new ArrayList<>();
        if (idle) {
            manager.enumAvailable(seen::add);
        } else {
            manager.enumLeased(seen::add);
        }
        assertEquals(1, seen.size());
        return seen.get(0);
    }
}
