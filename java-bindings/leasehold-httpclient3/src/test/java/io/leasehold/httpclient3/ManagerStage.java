package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.FailingLog;
import io.leasehold.testsupport.Faults;
import io.leasehold.testsupport.LogCapture;
import io.leasehold.testsupport.Matrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.commons.httpclient.ConnectionPoolTimeoutException;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.commons.httpclient.params.HttpConnectionManagerParams;
import org.apache.commons.httpclient.protocol.Protocol;

/**
 * A manager of either kind in the middle of its work, all of whose callers' code can be made to fail: to host "b" two connections are
 * leased, which is the limit, and one request waits; to "a" two are idle. That is the limit in total. What is leased is leased by threads
 * of the stage's own, as the simple manager gives a thread only one.
 */
final class ManagerStage implements Matrix.Stage {
    static final String SOCKET_FACTORY = "ProtocolSocketFactory.createSocket";
    static final String PROTOCOL_EQUALS = "a protocol's equals";
    static final String PROTOCOL_HASH_CODE = "a protocol's hashCode";
    static final String HOST = "a host configuration's getters";
    static final String PARAMETERS = "parameters' getters";
    static final String LOG = "a logger";

    private static final int TOTAL = 4;
    private static final int PER_HOST = 2;
    private static final String[] LOGGERS = {"org.apache.commons.httpclient", "io.leasehold"};

    private final Faults faults = new Faults();
    private final LogCapture log = LogCapture.of(LOGGERS);
    private final FailingLog failingLog;
    private final SimpleSocketFactory sockets = (host, port) -> {
        faults.pass(SOCKET_FACTORY);
        return new FailingSocket(faults);
    };
    private final List<ExecutorService> threads = new ArrayList<>();
    private final List<HttpConnection> held = new ArrayList<>();
    private final Queue<Throwable> surfaced = new ConcurrentLinkedQueue<>();
    final HttpConnectionManager manager;
    /** A leased connection to "b". */
    final HttpConnection mine;
    private final Thread waiter;
    // Written by the waiter before it ends.
    private volatile HttpConnection waiters;
    private volatile Throwable waitersFailure;

    ManagerStage(HttpConnectionManager manager) throws Exception {
        this.manager = manager;
        manager.setParams(params(TOTAL, PER_HOST));
        open("a");
        open("a");
        endAll();
        open("b");
        mine = open("b");
        waiter = new Thread(() -> {
            try {
                waiters = manager.getConnectionWithTimeout(host("b"), 0);
            } catch (Throwable e) {
                waitersFailure = e;
            }
        }, "waiter");
        waiter.start();
        Eventually.await("somebody waits", () -> waiter.getState() == Thread.State.TIMED_WAITING
                || waiter.getState() == Thread.State.WAITING);
        failingLog = new FailingLog(faults, LOG, LOGGERS);
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
        manager.setParams(params(TOTAL + 1, PER_HOST));
        assertNotNull(onItsThread(() -> lease("c", 20_000)));
    }

    /** The connection that was leased last. */
    HttpConnection last() {
        return held.get(held.size() - 1);
    }

    @Override
    public Faults faults() {
        return faults;
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
    public void awaitQuiet() {}

    @Override
    public void settle() throws Exception {
        failingLog.close();
        manager.setParams(params(TOTAL, PER_HOST));
        manager.releaseConnection(mine);
        endAll();
        waiter.join(TimeUnit.SECONDS.toMillis(20));
        assertTrue(!waiter.isAlive(), "the waiter was not answered");
        boolean isShutDown = isShutDown();
        if (waiters != null) {
            manager.releaseConnection(waiters);
        } else if (faults.thrown().contains(waitersFailure)) {
            surfaced.add(waitersFailure);
        } else {
            assertTrue(isShutDown, () -> "the waiter got " + waitersFailure);
        }
        if (!isShutDown) {
            for (String host : new String[] {"a", "a", "b", "b"}) {
                open(host);
            }
            assertThrows(ConnectionPoolTimeoutException.class, () -> manager.getConnectionWithTimeout(host("c"), 1));
            endAll();
        }
        manager.closeIdleConnections(0);
        if (manager instanceof MultiThreadedHttpConnectionManager) {
            MultiThreadedHttpConnectionManager pooled = (MultiThreadedHttpConnectionManager) manager;
            assertEquals(0, pooled.getConnectionsInPool());
        }
    }

    private boolean isShutDown() throws Exception {
        try {
            onItsThread(() -> manager.getConnectionWithTimeout(host("a"), 1)).releaseConnection();
            return false;
        } catch (ConnectionPoolTimeoutException e) {
            return false;
        } catch (IllegalStateException e) {
            return true;
        }
    }

    private void endAll() {
        // Not by its own method: a call may have told it another manager.
        held.forEach(manager::releaseConnection);
        held.clear();
    }

    @Override
    public List<Throwable> surfaced() {
        List<Throwable> all = new ArrayList<>(surfaced);
        all.addAll(log.thrown());
        return all;
    }

    /** As 3.1's own manager says it, which clears the thread's flag. */
    @Override
    public boolean tellsOfInterrupt(Throwable propagated) {
        return propagated instanceof IllegalThreadStateException && propagated.getMessage().equals("Interrupted while waiting in "
                + (manager instanceof MultiThreadedHttpConnectionManager ? "MultiThreaded" : "Leasehold") + "HttpConnectionManager");
    }

    @Override
    public void close() throws Exception {
        faults.disarm();
        failingLog.close();
        log.close();
        shutDown();
        waiter.interrupt();
        waiter.join();
        threads.forEach(ExecutorService::shutdown);
    }
}
