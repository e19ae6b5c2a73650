package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Loopback.keep;
import static io.leasehold.httpclient4.Loopback.leaseOpen;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.ManualClock;
import io.leasehold.testsupport.LeaseOrder;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpInetConnection;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.impl.conn.DefaultHttpClientConnectionOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** HttpClient's manager leases what was released last. So does this one, until threads meet often at its idle list, and once they do not. */
class OrderTest {
    private final ManualClock clock = new ManualClock();
    @RegisterExtension
    final Loopback server = new Loopback();
    private final HttpRoute route = server.route();
    private final LeaseholdHttpClientConnectionManager manager = server.ends(clock.driving(() -> new LeaseholdHttpClientConnectionManager(
            new DefaultHttpClientConnectionOperator(
                    RegistryBuilder.<ConnectionSocketFactory>create()
                            .register("http", PlainConnectionSocketFactory.getSocketFactory())
                            .build(), null, null),
            null, -1, TimeUnit.SECONDS)));
    private final LeaseOrder<HttpClientConnection> order =
            new LeaseOrder<>(this::lease, connection -> keep(manager, connection));

    private HttpClientConnection lease() {
        try {
            return leaseOpen(manager, route, null);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Handles are others at each lease. */
    private static Object port(HttpClientConnection connection) {
        return ((HttpInetConnection) connection).getLocalPort();
    }

    @Test
    void afterACalmTheOrderIsExactAgain() throws Exception {
        manager.setDefaultMaxPerRoute(4);
        assertTrue(order.isLastInFirstOut(OrderTest::port), "nobody has met");
        order.meet(OrderTest::port);
        // The first look finds that they have met since the manager was made.
        for (int look = 0; look < 2; look++) {
            clock.advance(10, TimeUnit.SECONDS);
            manager.closeExpiredConnections();
        }
        assertTrue(order.isLastInFirstOut(OrderTest::port), "nobody has met for ten seconds");
    }
}
