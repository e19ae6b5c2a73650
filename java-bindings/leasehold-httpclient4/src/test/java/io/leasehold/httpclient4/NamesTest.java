package io.leasehold.httpclient4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.ConnectionPool;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.conn.ConnectionPoolTimeoutException;
import org.apache.http.conn.routing.HttpRoute;
import org.junit.jupiter.api.Test;

/** A manager has a name, and what it throws for want of a connection has 4.5's words and, as the cause, what the pool looked like. */
class NamesTest {
    private static final HttpRoute ROUTE = new HttpRoute(new HttpHost("localhost", 1));

    private final LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();

    @Test
    void aManagerIsCalledByItsClassUntilItIsNamed() {
        assertTrue(manager.getName().matches("LeaseholdHttpClientConnectionManager-[0-9]+"), manager.getName());
        manager.setName("orders");
        assertEquals("orders", manager.getName());
    }

    private int leak() throws Exception {
        manager.requestConnection(ROUTE, null).get(1, TimeUnit.MINUTES);
        return new Throwable().getStackTrace()[0].getLineNumber() - 1;
    }

    @Test
    void theWarningOfALostConnectionNamesTheLineThatHasLostIt() throws Exception {
        manager.setName("orders");
        manager.getPool().setLeaseStacks(true);
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            int line = leak();
            Eventually.awaitAfterCollection("it is logged", () -> !log.thrown().isEmpty());
            String lines = log.messages().toString();
            assertTrue(lines.contains("orders: a lease to " + ROUTE + " was garbage collected"), lines);
            assertTrue(Arrays.stream(log.thrown().get(0).getStackTrace()).anyMatch(frame ->
                    frame.getClassName().equals(NamesTest.class.getName()) && frame.getLineNumber() == line));
        }
        manager.shutdown();
    }

    @Test
    void whatTimesOutHasStocksWordsAndThePoolsLookAsItsCause() throws Exception {
        manager.setName("orders");
        manager.setDefaultMaxPerRoute(1);
        HttpClientConnection held = manager.requestConnection(ROUTE, null).get(1, TimeUnit.MINUTES);
        ConnectionPoolTimeoutException end = assertThrows(ConnectionPoolTimeoutException.class,
                () -> manager.requestConnection(ROUTE, null).get(1, TimeUnit.MILLISECONDS));
        assertEquals("Timeout waiting for connection from pool", end.getMessage());
        String look = end.getCause().getMessage();
        assertTrue(look.contains("; orders: route {}->http://localhost:1 [leased: 1; idle: 0; waiting: 0; max: 1], in total"
                + " [leased: 1; idle: 0; waiting: 0; max: 20], the longest lease of the route held for "), look);
        manager.releaseConnection(held, null, 0, null);
        manager.shutdown();
    }
}
