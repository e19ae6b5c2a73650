package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Loopback.keep;
import static io.leasehold.httpclient4.Loopback.lease;
import static io.leasehold.httpclient4.Loopback.leaseOpen;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.lang.ref.WeakReference;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A connection bound to somebody serves only requests with an equal state. */
class StatesTest {
    @RegisterExtension
    final Loopback server = new Loopback();
    private final HttpRoute route = server.route();
    private final LeaseholdHttpClientConnectionManager manager = server.ends(new LeaseholdHttpClientConnectionManager());

    @Test
    void aBoundConnectionIsNobodyElses() throws Exception {
        keepFor("ann", leaseOpen(manager, route, null));
        HttpClientConnection anonymous = lease(manager, route, null);
        assertFalse(anonymous.isOpen());
        keep(manager, anonymous);
        HttpClientConnection bob = lease(manager, route, "bob");
        assertFalse(bob.isOpen());
        keep(manager, bob);
        assertTrue(lease(manager, route, new String("ann")).isOpen());
    }

    @Test
    void anUnboundConnectionServesARequestWithAStateAndIsBoundByItsRelease() throws Exception {
        keep(manager, leaseOpen(manager, route, null));
        HttpClientConnection connection = lease(manager, route, "ann");
        assertTrue(connection.isOpen());
        keepFor("ann", connection);
        assertFalse(lease(manager, route, null).isOpen());
    }

    @Test
    void aReleaseWithoutAStateUnbinds() throws Exception {
        keepFor("ann", leaseOpen(manager, route, null));
        keep(manager, lease(manager, route, "ann"));
        assertTrue(lease(manager, route, null).isOpen());
    }

    @Test
    void aConnectionOfAnotherStateMakesRoom() throws Exception {
        manager.setDefaultMaxPerRoute(1);
        keepFor("ann", leaseOpen(manager, route, null));
        assertFalse(lease(manager, route, "bob").isOpen());
        assertEquals("[leased: 1; pending: 0; available: 0; max: 1]", manager.getStats(route).toString());
    }

    @Test
    void statesStayEqualWhenTheFirstOfThemIsCollected() throws Exception {
        WeakReference<Object> first = keepForAFirst();
        keepFor(new Name("ann"), lease(manager, route, new Name("ann")));
        HttpClientConnection connection = lease(manager, route, new Name("ann"));
        assertTrue(connection.isOpen());
        keepFor(new Name("ann"), connection);
        assertTrue(first.get() != null, "as long as a connection is bound to an equal one");
        manager.closeIdleConnections(0, TimeUnit.SECONDS);
        Eventually.awaitAfterCollection("the state to go", () -> first.get() == null);
        keepFor(new Name("ann"), leaseOpen(manager, route, null));
        assertTrue(lease(manager, route, new Name("ann")).isOpen());
    }

    private WeakReference<Object> keepForAFirst() throws Exception {
        Object first = new Name("ann");
        keepFor(first, leaseOpen(manager, route, first));
        return new WeakReference<>(first);
    }

    @Test
    void linesNameTheState() throws Exception {
        try (LogCapture log = LogCapture.of(PoolingHttpClientConnectionManager.class)) {
            keepFor("ann", leaseOpen(manager, route, "ann"));
            String lines = log.messages().toString().replace(route.toString(), "R").replaceAll("id: \\d+", "id: N");
            assertTrue(lines.contains("Connection request: [route: R][state: ann][total available: 0"), lines);
            assertTrue(lines.contains("Connection leased: [id: N][route: R][total available: 0"), lines);
            assertTrue(lines.contains("Connection [id: N][route: R][state: ann] can be kept alive indefinitely"), lines);
            assertTrue(lines.contains("Connection released: [id: N][route: R][state: ann][total available: 1"), lines);
        }
    }

    @Test
    void statesAreComparedByEqualsAlone() throws Exception {
        keepFor(new NoHash("ann"), leaseOpen(manager, route, null));
        HttpClientConnection bob = lease(manager, route, new NoHash("bob"));
        assertFalse(bob.isOpen());
        keep(manager, bob);
        assertTrue(lease(manager, route, new NoHash("ann")).isOpen());
    }

    @Test
    void aConnectionOfWhichItCannotBeToldWhoseItIsIsClosed() throws Exception {
        keepFor("ann", leaseOpen(manager, route, "ann"));
        HttpClientConnection connection = leaseOpen(manager, route, null);
        assertThrows(IllegalStateException.class, () -> keepFor(new Broken(), connection));
        assertEquals("[leased: 0; pending: 0; available: 1; max: 2]", manager.getStats(route).toString());
        assertFalse(lease(manager, route, null).isOpen());
    }

    @Test
    void aRequestIsComparedWithTheStatesOfAllRoutes() throws Exception {
        HttpRoute elsewhere = new HttpRoute(new HttpHost("elsewhere"));
        keepFor("ann", leaseOpen(manager, route, "ann"));
        assertThrows(IllegalStateException.class, () -> manager.requestConnection(elsewhere, new Broken()));
    }

    private void keepFor(Object state, HttpClientConnection connection) {
        manager.releaseConnection(connection, state, 0, TimeUnit.SECONDS);
    }

    /** Equal by name, as anybody may say who knows of no hash. */
    @SuppressWarnings("overrides") // That is the point.
    private static final class NoHash {
        private final String name;

        NoHash(String name) {
            this.name = name;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof NoHash && ((NoHash) other).name.equals(name);
        }
    }

    /** Cannot be compared. */
    private static final class Broken {
        @Override
        public boolean equals(Object other) {
            throw new IllegalStateException("no");
        }

        @Override
        public int hashCode() {
            throw new IllegalStateException("no");
        }
    }

    private static final class Name {
        private final String name;

        Name(String name) {
            this.name = name;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Name && ((Name) other).name.equals(name);
        }

        @Override
        public int hashCode() {
            return name.hashCode();
        }
    }
}
