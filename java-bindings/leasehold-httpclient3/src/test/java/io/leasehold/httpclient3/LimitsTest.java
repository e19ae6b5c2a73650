package io.leasehold.httpclient3;

import static java.util.Collections.emptyList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Monitors;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.apache.commons.httpclient.ConnectionPoolTimeoutException;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.params.HttpConnectionManagerParams;
import org.apache.commons.httpclient.protocol.Protocol;
import org.apache.commons.httpclient.protocol.ProtocolSocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What lowered limits close is closed with no monitor held, and meanwhile the new limits hold for everybody. */
class LimitsTest {
    private final Monitors monitors = new Monitors();
    private ServerSocket server;
    private Protocol protocol;
    // What the first socket to be closed does then; null for nothing.
    private volatile Runnable atClose;

    @BeforeEach
    void start() throws Exception {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        ProtocolSocketFactory sockets = (SimpleSocketFactory) (host, port) -> new Socket(server.getInetAddress(), server.getLocalPort()) {
            @Override
            public void close() throws IOException {
                monitors.ask();
                Runnable event = atClose;
                atClose = null;
                if (event != null) {
                    event.run();
                }
                super.close();
            }
        };
        protocol = new Protocol("http", sockets, 80);
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private HostConfiguration host(String name) {
        HostConfiguration host = new HostConfiguration();
        host.setHost(name, 80, protocol);
        return host;
    }

    private static <T> T elsewhere(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        new Thread(task).start();
        try {
            return task.get();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Leaves so many open connections idle. */
    private void idle(HttpConnectionManager manager, HostConfiguration host, int count) throws Exception {
        List<HttpConnection> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            HttpConnection connection = elsewhere(() -> manager.getConnectionWithTimeout(host, 1000));
            connection.open();
            all.add(connection);
        }
        all.forEach(manager::releaseConnection);
    }

    @Test
    void ofAManagerForManyThreads() throws Exception {
        LeaseholdMultiThreadedHttpConnectionManager manager = new LeaseholdMultiThreadedHttpConnectionManager();
        try {
            manager.getParams().setMaxTotalConnections(5);
            manager.getParams().setDefaultMaxConnectionsPerHost(5);
            idle(manager, host("a"), 5);
            List<Object> others = new ArrayList<>();
            atClose = () -> {
                for (int i = 0; i < 2; i++) {
                    others.add(elsewhere(() -> {
                        try {
                            return manager.getConnectionWithTimeout(host("c"), 1);
                        } catch (ConnectionPoolTimeoutException e) {
                            return "none";
                        }
                    }));
                }
            };
            manager.getParams().setMaxTotalConnections(4);
            manager.getParams().setDefaultMaxConnectionsPerHost(1);
            manager.releaseConnection(manager.getConnectionWithTimeout(host("b"), 1000));
            assertNull(atClose);
            assertEquals("none", others.get(1), "the limit per host is 1");
            assertEquals(emptyList(), monitors.held());
        } finally {
            manager.shutdown();
        }
        assertTrue(monitors.asked() > 0);
        assertEquals(emptyList(), monitors.held());
    }

    /** Of a host that nobody has asked for yet when the limits came to be known, and of one that was in use when they changed. */
    @Test
    void whatParametersSayOfAHostHoldsFromTheNextLeaseOn() throws Exception {
        LeaseholdMultiThreadedHttpConnectionManager manager = new LeaseholdMultiThreadedHttpConnectionManager();
        try {
            assertThrows(IllegalArgumentException.class, () -> manager.setParams(null));
            HttpConnectionManagerParams params = manager.getParams();
            params.setDefaultMaxConnectionsPerHost(2);
            params.setMaxConnectionsPerHost(host("a"), 3);
            assertEquals(2, most(manager, "b"));
            assertEquals(3, most(manager, "a"));
            params.setMaxConnectionsPerHost(host("a"), 1);
            params.setMaxConnectionsPerHost(host("b"), 4);
            assertEquals(1, most(manager, "a"));
            assertEquals(4, most(manager, "b"));
            params.setParameter(HttpConnectionManagerParams.MAX_HOST_CONNECTIONS, null);
            params.setDefaultMaxConnectionsPerHost(5);
            assertEquals(5, most(manager, "a"));
            assertEquals(5, most(manager, "b"));
        } finally {
            manager.shutdown();
        }
    }

    /** How many connections to a host can be had at once. */
    private int most(LeaseholdMultiThreadedHttpConnectionManager manager, String name) {
        List<HttpConnection> all = new ArrayList<>();
        try {
            while (true) {
                all.add(manager.getConnectionWithTimeout(host(name), 1));
            }
        } catch (ConnectionPoolTimeoutException e) {
            all.forEach(manager::releaseConnection);
            return all.size();
        }
    }

    @Test
    void ofASimpleManager() throws Exception {
        LeaseholdHttpConnectionManager manager = new LeaseholdHttpConnectionManager();
        try {
            idle(manager, host("a"), 3);
            manager.getParams().setMaxTotalConnections(1);
            manager.releaseConnection(manager.getConnection(host("b")));
            assertTrue(monitors.asked() >= 2, "two were too many");
            assertEquals(1, manager.getPool().stats().available());
            assertEquals(emptyList(), monitors.held());
        } finally {
            manager.shutdown();
        }
        assertEquals(emptyList(), monitors.held());
    }
}
