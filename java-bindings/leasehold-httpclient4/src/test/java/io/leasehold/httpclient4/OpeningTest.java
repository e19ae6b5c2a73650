package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Loopback.keep;
import static io.leasehold.httpclient4.Loopback.lease;
import static io.leasehold.httpclient4.Loopback.leaseOpen;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.ManualClock;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.protocol.BasicHttpContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How long a connection takes to be opened is what connecting it takes, which is done in its lease. */
class OpeningTest {
    private static final int TAKES = 30;

    private final ManualClock clock = new ManualClock();
    @RegisterExtension
    final Loopback server = new Loopback();
    private final HttpRoute route = server.route();
    private final LeaseholdHttpClientConnectionManager manager = server.ends(clock.driving(() -> new LeaseholdHttpClientConnectionManager(
            RegistryBuilder.<ConnectionSocketFactory>create().register("http", PlainConnectionSocketFactory.getSocketFactory()).build(),
            this::resolve)));

    private InetAddress[] resolve(String host) throws UnknownHostException {
        clock.advance(TAKES, TimeUnit.MILLISECONDS);
        if (host.equals("nowhere")) {
            throw new UnknownHostException(host);
        }
        return new InetAddress[] {InetAddress.getByName(host)};
    }

    private void assertOpenings(int count) {
        assertEquals(count, manager.getMetrics().opening().count());
        assertEquals(count * TAKES, manager.getMetrics().opening().sum(TimeUnit.MILLISECONDS));
    }

    @Test
    void connectingIsMeasuredWhetherTheConnectionIsNewOrClosedAndNothingElseIs() throws Exception {
        HttpClientConnection connection = lease(manager, route, null);
        clock.advance(1, TimeUnit.SECONDS);
        assertOpenings(0);
        manager.connect(connection, route, 1000, new BasicHttpContext());
        manager.routeComplete(connection, route, new BasicHttpContext());
        clock.advance(1, TimeUnit.SECONDS);
        assertOpenings(1);
        connection.close();
        manager.connect(connection, route, 1000, new BasicHttpContext());
        assertOpenings(2);
        keep(manager, connection);
        HttpClientConnection again = leaseOpen(manager, route, null);
        assertTrue(again.isOpen());
        assertOpenings(2);
        keep(manager, again);
    }

    @Test
    void aConnectThatFailsIsNotMeasured() throws Exception {
        HttpRoute nowhere = new HttpRoute(new HttpHost("nowhere", 80));
        HttpClientConnection connection = lease(manager, nowhere, null);
        assertThrows(UnknownHostException.class, () -> manager.connect(connection, nowhere, 1000, new BasicHttpContext()));
        assertOpenings(0);
        keep(manager, connection);
    }

    @Test
    void howLongConnectionsAreHeldIsMeasuredWhereThatIsAskedFor() throws Exception {
        keep(manager, leaseOpen(manager, route, null));
        assertEquals(0, manager.getMetrics().held().count());
        manager.measureHeld(true);
        HttpClientConnection connection = leaseOpen(manager, route, null);
        clock.advance(5, TimeUnit.SECONDS);
        keep(manager, connection);
        assertEquals(1, manager.getMetrics().held().count());
        assertEquals(5, manager.getMetrics().held().sum(TimeUnit.SECONDS));
    }
}
