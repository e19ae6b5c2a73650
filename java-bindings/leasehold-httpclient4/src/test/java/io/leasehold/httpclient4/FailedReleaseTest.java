package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Loopback.keep;
import static io.leasehold.httpclient4.Loopback.lease;
import static io.leasehold.httpclient4.Loopback.leaseOpen;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.LogCapture;
import java.util.List;
import org.apache.http.HttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.conn.DefaultManagedHttpClientConnection;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A release in which the connection throws has ended the lease, or can be done again. */
class FailedReleaseTest {
    @RegisterExtension
    final Loopback server = new Loopback();
    private final HttpRoute route = server.route();
    // How often it says whether it is open before it cannot, once; zero for always.
    private int looks;
    private boolean hasNoTimeout;
    private final LeaseholdHttpClientConnectionManager manager =
            server.ends(new LeaseholdHttpClientConnectionManager((to, config) -> new DefaultManagedHttpClientConnection("failing", 8192) {
                @Override
                public boolean isOpen() {
                    if (looks > 0 && --looks == 0) {
                        throw new IllegalStateException("cannot say");
                    }
                    return super.isOpen();
                }

                @Override
                public void setSocketTimeout(int timeout) {
                    if (hasNoTimeout) {
                        throw new UnsupportedOperationException("no timeout");
                    }
                    super.setSocketTimeout(timeout);
                }
            }));

    @Test
    void whatCannotSayWhetherItIsOpenIsClosed() throws Exception {
        HttpClientConnection connection = leaseOpen(manager, route, null);
        looks = 1;
        assertThrows(IllegalStateException.class, () -> keep(manager, connection));
        assertEquals("[leased: 0; pending: 0; available: 0; max: 20]", manager.getTotalStats().toString());
        assertEquals(-1, server.accept().getInputStream().read());
        keep(manager, connection);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatCannotSayWhetherItMayBeKeptIsHeldAsBeforeAndCanBeReleasedAgain(boolean failsBefore) throws Exception {
        HttpClientConnection connection = leaseOpen(manager, route, null);
        connection.setSocketTimeout(1);
        looks = 2;
        hasNoTimeout = failsBefore;
        assertThrows(IllegalStateException.class, () -> keep(manager, connection));
        assertEquals("[leased: 1; pending: 0; available: 0; max: 20]", manager.getTotalStats().toString());
        assertTrue(connection.isOpen());
        hasNoTimeout = false;
        keep(manager, connection);
        assertEquals("[leased: 0; pending: 0; available: 1; max: 20]", manager.getTotalStats().toString());
        assertFalse(connection.isOpen());
        assertTrue(lease(manager, route, null).isOpen());
    }

    @Test
    void whatHasNoTimeoutIsKeptAllTheSame() throws Exception {
        HttpClientConnection connection = leaseOpen(manager, route, null);
        connection.setSocketTimeout(1);
        hasNoTimeout = true;
        try (LogCapture log = LogCapture.of(PoolingHttpClientConnectionManager.class)) {
            assertThrows(UnsupportedOperationException.class, () -> keep(manager, connection));
            List<String> lines = log.messages();
            assertTrue(lines.get(lines.size() - 1).startsWith("Connection released: "), lines.toString());
        }
        assertEquals("[leased: 0; pending: 0; available: 1; max: 20]", manager.getTotalStats().toString());
    }
}
