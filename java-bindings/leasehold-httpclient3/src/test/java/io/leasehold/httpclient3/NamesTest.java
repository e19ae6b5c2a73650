package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.LeaseholdManager;
import java.util.concurrent.CompletableFuture;
import org.apache.commons.httpclient.ConnectionPoolTimeoutException;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpException;
import org.junit.jupiter.api.Test;

/** A manager has a name, and what it throws for want of a connection has 3.1's words and, as the cause, what the pool looked like. */
class NamesTest {
    private static HostConfiguration host() {
        HostConfiguration host = new HostConfiguration();
        host.setHost("localhost", 1);
        return host;
    }

    private static void assertNamedAfterItsClass(LeaseholdManager manager) {
        String given = manager.getName();
        assertTrue(given.matches(manager.getClass().getSimpleName() + "-[0-9]+"), given);
        manager.setName("orders");
        assertEquals("orders", manager.getName());
    }

    @Test
    void aManagerIsCalledByItsClassUntilItIsNamed() {
        assertNamedAfterItsClass(new LeaseholdHttpConnectionManager());
        assertNamedAfterItsClass(new LeaseholdMultiThreadedHttpConnectionManager());
    }

    @Test
    @SuppressWarnings("deprecation") // The method without an exception of its own is asked, too.
    void whatTimesOutHasStocksWordsAndThePoolsLookAsItsCause() {
        LeaseholdMultiThreadedHttpConnectionManager manager = new LeaseholdMultiThreadedHttpConnectionManager();
        manager.setName("orders");
        manager.getParams().setDefaultMaxConnectionsPerHost(1);
        HttpConnection held = manager.getConnection(host());
        ConnectionPoolTimeoutException end =
                assertThrows(ConnectionPoolTimeoutException.class, () -> manager.getConnectionWithTimeout(host(), 1));
        assertEquals("Timeout waiting for connection", end.getMessage());
        String look = "; orders: route ";
        String found = end.getCause().getMessage();
        assertTrue(found.contains(look), found);
        assertTrue(found.contains(" [leased: 1; idle: 0; waiting: 0; max: 1], in total "), found);
        HttpException older = assertThrows(HttpException.class, () -> manager.getConnection(host(), 1));
        assertEquals("Timeout waiting for connection", older.getMessage());
        assertTrue(older.getCause().getMessage().contains(look), older.getCause().getMessage());
        held.releaseConnection();
        manager.shutdown();
    }

    @Test
    void theSimpleManagersTimeoutSaysTheSame() throws Exception {
        LeaseholdHttpConnectionManager manager = new LeaseholdHttpConnectionManager();
        manager.setName("orders");
        manager.getParams().setMaxTotalConnections(1);
        HttpConnection held = manager.getConnection(host());
        Throwable end = CompletableFuture.supplyAsync(() -> assertThrows(ConnectionPoolTimeoutException.class,
                () -> manager.getConnectionWithTimeout(host(), 1))).get();
        assertEquals("Timeout waiting for connection", end.getMessage());
        assertTrue(end.getCause().getMessage().contains("; orders: route "), end.getCause().getMessage());
        held.releaseConnection();
        manager.shutdown();
    }
}
