package io.leasehold.httpclient4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Overflow;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.conn.ConnectionPoolTimeoutException;
import org.apache.http.conn.routing.HttpRoute;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A thread that runs out of stack while it leases loses no slot; one that releases may do so again. */
class ExhaustionTest {
    private static final int SLOTS = 20;

    @RegisterExtension
    final Loopback server = new Loopback();
    private final LeaseholdHttpClientConnectionManager manager = server.ends(new LeaseholdHttpClientConnectionManager());
    // What a step that overflowed could not release: nothing may be called to note it.
    private HttpClientConnection last;
    private int step;

    private void lease(Object state) throws Exception {
        releaseLast(null);
        last = manager.requestConnection(server.route(), state).get(1, TimeUnit.SECONDS);
    }

    private void releaseLast(Object state) {
        if (last != null) {
            manager.releaseConnection(last, state, 0, TimeUnit.SECONDS);
            last = null;
        }
    }

    @Test
    void connectionsThatAreNotOpened() throws Exception {
        atEveryDepth(() -> {
            lease(null);
            releaseLast(null);
        });
    }

    @Test
    void connectionsThatAreKept() throws Exception {
        Loopback.keep(manager, Loopback.leaseOpen(manager, server.route(), null));
        atEveryDepth(() -> {
            lease(null);
            releaseLast(null);
        });
    }

    @Test
    void connectionsWithAState() throws Exception {
        Loopback.keep(manager, Loopback.leaseOpen(manager, server.route(), "somebody"));
        atEveryDepth(() -> {
            lease(step++ % 2 == 0 ? "somebody" : null);
            releaseLast(step % 3 == 0 ? null : "somebody");
        });
    }

    private interface Step {
        void take() throws Exception;
    }

    private void atEveryDepth(Step step) throws Exception {
        manager.setMaxTotal(SLOTS);
        manager.setDefaultMaxPerRoute(SLOTS);
        int overflows = Overflow.atEveryDepth(() -> {
            try {
                step.take();
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        assertTrue(overflows > 0, "it never overflowed");
        releaseLast(null);
        assertEquals(0, manager.getTotalStats().getLeased());
        HttpRoute route = server.route();
        List<HttpClientConnection> all = new ArrayList<>();
        for (int i = 0; i < SLOTS; i++) {
            try {
                all.add(manager.requestConnection(route, null).get(1, TimeUnit.MILLISECONDS));
            } catch (ConnectionPoolTimeoutException e) {
                throw new AssertionError("after " + overflows + " overflows no slot is left: " + manager.getTotalStats(), e);
            }
        }
        assertEquals(SLOTS, manager.getTotalStats().getLeased());
        for (HttpClientConnection each : all) {
            manager.releaseConnection(each, null, 0, TimeUnit.SECONDS);
        }
        assertEquals(0, manager.getTotalStats().getLeased());
    }
}
