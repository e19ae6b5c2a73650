package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Overflow;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.commons.httpclient.ConnectionPoolTimeoutException;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.junit.jupiter.api.Test;

/** A thread that runs out of stack while it leases loses no slot; one that releases may do so again. */
class ExhaustionTest {
    private static final int SLOTS = 20;

    private final HostConfiguration host = new HostConfiguration();
    // What a step that overflowed could not release: nothing may be called to note it.
    private HttpConnection last;

    ExhaustionTest() {
        host.setHost("127.0.0.1", 9, "http");
    }

    @Test
    void ofAManagerForManyThreads() throws Exception {
        LeaseholdMultiThreadedHttpConnectionManager manager = new LeaseholdMultiThreadedHttpConnectionManager();
        try {
            manager.getParams().setMaxTotalConnections(SLOTS);
            manager.getParams().setDefaultMaxConnectionsPerHost(SLOTS);
            atEveryDepth(manager);
            List<HttpConnection> all = new ArrayList<>();
            for (int i = 0; i < SLOTS; i++) {
                all.add(manager.getConnectionWithTimeout(host, 1000));
            }
            assertEquals(SLOTS, manager.getConnectionsInPool());
            assertThrows(ConnectionPoolTimeoutException.class, () -> manager.getConnectionWithTimeout(host, 1));
            all.forEach(manager::releaseConnection);
        } finally {
            manager.shutdown();
        }
    }

    @Test
    void ofASimpleManager() throws Exception {
        LeaseholdHttpConnectionManager manager = new LeaseholdHttpConnectionManager();
        HttpConnectionManager waiting = manager;
        ExecutorService others = Executors.newFixedThreadPool(SLOTS);
        try {
            manager.getParams().setMaxTotalConnections(SLOTS);
            atEveryDepth(manager);
            // Each by another thread, which such an executor starts for it: a thread that has one gets that one again.
            List<HttpConnection> all = new ArrayList<>();
            Callable<HttpConnection> lease = () -> waiting.getConnectionWithTimeout(host, 1000);
            for (int i = 0; i < SLOTS; i++) {
                all.add(others.submit(lease).get());
            }
            assertEquals(SLOTS, all.stream().distinct().count());
            assertThrows(ConnectionPoolTimeoutException.class, () -> waiting.getConnectionWithTimeout(host, 1));
            all.forEach(manager::releaseConnection);
        } finally {
            others.shutdown();
            manager.shutdown();
        }
    }

    private void atEveryDepth(HttpConnectionManager manager) throws Exception {
        int overflows = Overflow.atEveryDepth(() -> {
            try {
                if (last != null) {
                    manager.releaseConnection(last);
                }
                last = manager.getConnectionWithTimeout(host, 1);
                manager.releaseConnection(last);
                last = null;
            } catch (ConnectionPoolTimeoutException e) {
                throw new AssertionError("no slot is left", e);
            }
        });
        assertTrue(overflows > 0, "it never overflowed");
        if (last != null) {
            manager.releaseConnection(last);
        }
    }
}
