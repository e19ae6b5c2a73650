package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import java.util.concurrent.FutureTask;
import org.apache.commons.httpclient.ConnectionPoolTimeoutException;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.protocol.Protocol;
import org.junit.jupiter.api.Test;

/** Threads that wait for a connection, and who comes before whom: with 3.1 that is left to chance. */
class WaitingTest {
    @Test
    void whoReleasesAndLeasesAgainComesAfterThoseWhoWait() throws Exception {
        LeaseholdMultiThreadedHttpConnectionManager manager = new LeaseholdMultiThreadedHttpConnectionManager();
        manager.getParams().setMaxTotalConnections(1);
        HostConfiguration host = new HostConfiguration();
        host.setHost("host", 80, new Protocol("http", new MemorySocketFactory(), 80));
        HttpConnection held = manager.getConnection(host);
        held.open();
        FutureTask<HttpConnection> waiter = new FutureTask<>(() -> manager.getConnection(host));
        Thread thread = new Thread(waiter);
        thread.start();
        Eventually.await("it waits", () -> thread.getState() == Thread.State.TIMED_WAITING);
        held.releaseConnection();
        assertThrows(ConnectionPoolTimeoutException.class, () -> manager.getConnectionWithTimeout(host, 1));
        HttpConnection served = waiter.get();
        assertTrue(served.isOpen());
        served.releaseConnection();
        manager.shutdown();
    }
}
