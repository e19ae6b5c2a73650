package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.leasehold.LeaseholdManager;
import io.leasehold.ManualClock;
import java.io.IOException;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.protocol.Protocol;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** How long a connection takes to be opened is what connecting it takes, which is done in its lease. */
class OpeningTest {
    /** Both managers. */
    enum Kind {
        SIMPLE(LeaseholdHttpConnectionManager::new),
        MULTI_THREADED(LeaseholdMultiThreadedHttpConnectionManager::new);

        final Supplier<HttpConnectionManager> maker;

        Kind(Supplier<HttpConnectionManager> maker) {
            this.maker = maker;
        }
    }

    private static final int TAKES = 30;

    private final ManualClock clock = new ManualClock();
    private final MemorySocketFactory sockets = new MemorySocketFactory();
    private final SimpleSocketFactory slow = (host, port) -> {
        clock.advance(TAKES, TimeUnit.MILLISECONDS);
        if (host.equals("nowhere")) {
            throw new UnknownHostException(host);
        }
        return sockets.createSocket(host, port);
    };

    private HttpConnection lease(HttpConnectionManager manager, String host) throws IOException {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost(host, 80, new Protocol("http", slow, 80));
        return manager.getConnectionWithTimeout(configuration, 10_000);
    }

    private static void assertOpenings(int count, HttpConnectionManager manager) {
        assertEquals(count, ((LeaseholdManager) manager).getMetrics().opening().count());
        assertEquals(count * TAKES, ((LeaseholdManager) manager).getMetrics().opening().sum(TimeUnit.MILLISECONDS));
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void connectingIsMeasuredWhetherTheConnectionIsNewOrClosedAndNothingElseIs(Kind kind) throws Exception {
        HttpConnectionManager manager = clock.driving(kind.maker);
        HttpConnection connection = lease(manager, "localhost");
        clock.advance(1, TimeUnit.SECONDS);
        assertOpenings(0, manager);
        connection.open();
        clock.advance(1, TimeUnit.SECONDS);
        assertOpenings(1, manager);
        connection.close();
        connection.open();
        assertOpenings(2, manager);
        connection.releaseConnection();
        lease(manager, "localhost").releaseConnection();
        assertOpenings(2, manager);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void aConnectThatFailsIsNotMeasured(Kind kind) throws Exception {
        HttpConnectionManager manager = clock.driving(kind.maker);
        HttpConnection connection = lease(manager, "nowhere");
        assertThrows(UnknownHostException.class, connection::open);
        assertOpenings(0, manager);
        connection.releaseConnection();
    }
}
