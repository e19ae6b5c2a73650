package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.leasehold.testsupport.BusyStage;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.commons.httpclient.ConnectionPoolTimeoutException;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.commons.httpclient.params.HttpConnectionManagerParams;
import org.apache.commons.httpclient.protocol.Protocol;

/**
 * A manager of either kind. What is leased is leased by threads of the stage's own, as the simple manager gives a thread only one.
 */
final class ManagerStage extends BusyStage<HttpConnection> {
    static final String SOCKET_FACTORY = "ProtocolSocketFactory.createSocket";
    static final String PROTOCOL_EQUALS = "a protocol's equals";
    static final String PROTOCOL_HASH_CODE = "a protocol's hashCode";
    static final String HOST = "a host configuration's getters";
    static final String PARAMETERS = "parameters' getters";

    private final SimpleSocketFactory sockets = (host, port) -> {
        faults.pass(SOCKET_FACTORY);
        return new FailingSocket(faults);
    };
    private final List<ExecutorService> threads = new ArrayList<>();
    private final List<HttpConnection> held = new ArrayList<>();
    final HttpConnectionManager manager;
    /** A leased connection to "b". */
    final HttpConnection mine;

    ManagerStage(HttpConnectionManager manager) throws Exception {
        super("org.apache.commons.httpclient", "io.leasehold");
        this.manager = manager;
        manager.setParams(params(TOTAL, PER_ROUTE));
        open("a");
        open("a");
        endAll();
        open("b");
        mine = open("b");
        begin(() -> manager.getConnectionWithTimeout(host("b"), 0), this::isWaiterParked);
    }

    /** Parameters of an application's own making. */
    HttpConnectionManagerParams params(int total, int perHost) {
        HttpConnectionManagerParams params = new HttpConnectionManagerParams() {
            private static final long serialVersionUID = 1L;

            @Override
            public Object getParameter(String name) {
                faults.pass(PARAMETERS);
                return super.getParameter(name);
            }
        };
        params.setMaxTotalConnections(total);
        params.setDefaultMaxConnectionsPerHost(perHost);
        return params;
    }

    /** Where to, by a configuration and a protocol of an application's own making, equal to those before and made anew. */
    HostConfiguration host(String name) {
        Protocol protocol = new Protocol("http", sockets, 80) {
            @Override
            public boolean equals(Object other) {
                faults.pass(PROTOCOL_EQUALS);
                return super.equals(other);
            }

            @Override
            public int hashCode() {
                faults.pass(PROTOCOL_HASH_CODE);
                return super.hashCode();
            }
        };
        HostConfiguration configuration = new HostConfiguration() {
            @Override
            public synchronized String getHost() {
                faults.pass(HOST);
                return super.getHost();
            }
        };
        configuration.setHost(name, 80, protocol);
        return configuration;
    }

    /** Runs a step on a thread of its own, which lives on. */
    private <T> T onItsThread(Callable<T> step) throws Exception {
        ExecutorService thread = Executors.newSingleThreadExecutor();
        threads.add(thread);
        try {
            return thread.submit(step).get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error) {
                throw (Error) e.getCause();
            }
            throw (Exception) e.getCause();
        }
    }

    /** A connection leased and opened by a thread of its own. */
    private HttpConnection open(String host) throws Exception {
        return onItsThread(() -> {
            HttpConnection connection = lease(host, 20_000);
            if (!connection.isOpen()) {
                connection.open();
            }
            return connection;
        });
    }

    /** A connection leased by this thread, which the stage ends at last. */
    HttpConnection lease(String host, long timeout) throws Exception {
        HttpConnection connection = manager.getConnectionWithTimeout(host(host), timeout);
        held.add(connection);
        return connection;
    }

    /** A leased connection beyond the stage's limit that is not open. */
    void leaseClosed() throws Exception {
        manager.setParams(params(TOTAL + 1, PER_ROUTE));
        assertNotNull(onItsThread(() -> lease("c", 20_000)));
    }

    /** The connection that was leased last. */
    HttpConnection last() {
        return held.get(held.size() - 1);
    }

    @Override
    public void callBack() {
        // 3.1's parameters log inside their own monitor: who waits there for another thread's lease, which reads them, waits for ever.
        if (!Thread.holdsLock(manager.getParams())) {
            try {
                onItsThread(() -> {
                    faults.spareThisThread(true);
                    try {
                        manager.getConnectionWithTimeout(host("a"), 1).releaseConnection();
                    } catch (ConnectionPoolTimeoutException | IllegalStateException e) {
                        // There is none to be had, or the manager was shut down.
                    }
                    return null;
                });
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
        manager.closeIdleConnections(0);
        manager.getParams();
    }

    @Override
    public void shutDown() {
        if (manager instanceof MultiThreadedHttpConnectionManager) {
            ((MultiThreadedHttpConnectionManager) manager).shutdown();
        } else {
            ((SimpleHttpConnectionManager) manager).shutdown();
        }
    }

    @Override
    protected void restoreSettings() {
        manager.setParams(params(TOTAL, PER_ROUTE));
    }

    @Override
    protected void endAll() {
        // Not by its own method: a call may have told it another manager.
        held.forEach(manager::releaseConnection);
        held.clear();
    }

    @Override
    protected void end(HttpConnection waiters) {
        manager.releaseConnection(waiters);
    }

    @Override
    protected boolean isShutDown() throws Exception {
        try {
            onItsThread(() -> manager.getConnectionWithTimeout(host("a"), 1)).releaseConnection();
            return false;
        } catch (ConnectionPoolTimeoutException e) {
            return false;
        } catch (IllegalStateException e) {
            return true;
        }
    }

    @Override
    protected boolean tellsOfShutdown(Throwable failure) {
        return failure instanceof IllegalStateException;
    }

    @Override
    protected void awaitNothingLeased() {}

    @Override
    protected void takeAll() throws Exception {
        for (String host : new String[] {"a", "a", "b", "b"}) {
            open(host);
        }
    }

    @Override
    protected void assertAllIsTaken() {
        assertThrows(ConnectionPoolTimeoutException.class, () -> manager.getConnectionWithTimeout(host("c"), 1));
    }

    @Override
    protected void closeIdle() {
        manager.closeIdleConnections(0);
    }

    @Override
    protected void assertNothingIsLeft() {
        if (manager instanceof MultiThreadedHttpConnectionManager) {
            assertEquals(0, ((MultiThreadedHttpConnectionManager) manager).getConnectionsInPool());
        }
    }

    /** As 3.1's own manager says it, which clears the thread's flag. */
    @Override
    public boolean tellsOfInterrupt(Throwable propagated) {
        return propagated instanceof IllegalThreadStateException && propagated.getMessage().equals("Interrupted while waiting in "
                + (manager instanceof MultiThreadedHttpConnectionManager ? "MultiThreaded" : "Leasehold") + "HttpConnectionManager");
    }

    @Override
    public void close() throws Exception {
        super.close();
        threads.forEach(ExecutorService::shutdown);
    }
}
