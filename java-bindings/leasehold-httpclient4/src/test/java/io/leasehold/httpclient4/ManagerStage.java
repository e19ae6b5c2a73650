package io.leasehold.httpclient4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.leasehold.testsupport.BusyStage;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.MemorySocket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.config.Registry;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.config.SocketConfig;
import org.apache.http.conn.ConnectionPoolTimeoutException;
import org.apache.http.conn.HttpClientConnectionOperator;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.impl.conn.DefaultHttpClientConnectionOperator;
import org.apache.http.pool.PoolEntry;
import org.apache.http.pool.PoolEntryCallback;
import org.apache.http.protocol.BasicHttpContext;
import org.apache.http.protocol.HttpContext;

/** A manager with a state to which one of the idle connections is bound. */
final class ManagerStage extends BusyStage<HttpClientConnection> {
    static final String CONNECTION_FACTORY = "HttpConnectionFactory.create";
    static final String CREATE_SOCKET = "ConnectionSocketFactory.createSocket";
    static final String CONNECT_SOCKET = "ConnectionSocketFactory.connectSocket";
    static final String CONNECT = "HttpClientConnectionOperator.connect";
    static final String UPGRADE = "HttpClientConnectionOperator.upgrade";
    static final String DNS = "DnsResolver.resolve";
    static final String PORT = "SchemePortResolver.resolve";
    static final String CALLBACK = "PoolEntryCallback.process";
    static final String STATE_EQUALS = "a state's equals";
    static final String STATE_TO_STRING = "a state's toString";

    /** Who a connection is bound to, by the application's own comparison. */
    final class State {
        private final String name;

        State(String name) {
            this.name = name;
        }

        @Override
        public boolean equals(Object other) {
            faults.pass(STATE_EQUALS);
            return other instanceof State && ((State) other).name.equals(name);
        }

        @Override
        public int hashCode() {
            return 7;
        }

        @Override
        public String toString() {
            faults.pass(STATE_TO_STRING);
            return name;
        }
    }

    private final Queue<FailingConnection> made = new ConcurrentLinkedQueue<>();
    private final List<HttpClientConnection> held = new ArrayList<>();
    final HttpRoute a = new HttpRoute(new HttpHost("a", 80));
    final HttpRoute b = new HttpRoute(new HttpHost("b", 80));
    final HttpRoute c = new HttpRoute(new HttpHost("c", 80));
    final State state = new State("somebody");
    final LeaseholdHttpClientConnectionManager manager;
    /** A leased connection to "b". */
    final ManagedHttpClientConnection mine;

    ManagerStage() throws Exception {
        super("org.apache.http", "io.leasehold");
        Registry<ConnectionSocketFactory> sockets = RegistryBuilder.<ConnectionSocketFactory>create()
                .register("http", new ConnectionSocketFactory() {
                    @Override
                    public Socket createSocket(HttpContext context) throws IOException {
                        faults.pass(CREATE_SOCKET);
                        return new MemorySocket();
                    }

                    @Override
                    public Socket connectSocket(int timeout, Socket socket, HttpHost host, InetSocketAddress remote,
                            InetSocketAddress local, HttpContext context) {
                        faults.pass(CONNECT_SOCKET);
                        return socket;
                    }
                }).build();
        HttpClientConnectionOperator operator = new DefaultHttpClientConnectionOperator(sockets, host -> {
            faults.pass(PORT);
            return host.getPort();
        }, host -> {
            faults.pass(DNS);
            return new InetAddress[] {InetAddress.getLoopbackAddress()};
        });
        manager = new LeaseholdHttpClientConnectionManager(new HttpClientConnectionOperator() {
            @Override
            public void connect(ManagedHttpClientConnection connection, HttpHost host, InetSocketAddress local, int timeout,
                    SocketConfig config, HttpContext context) throws IOException {
                faults.pass(CONNECT);
                operator.connect(connection, host, local, timeout, config, context);
            }

            @Override
            public void upgrade(ManagedHttpClientConnection connection, HttpHost host, HttpContext context) throws IOException {
                faults.pass(UPGRADE);
                operator.upgrade(connection, host, context);
            }
        }, (route, config) -> {
            faults.pass(CONNECTION_FACTORY);
            FailingConnection connection = new FailingConnection(faults);
            made.add(connection);
            return connection;
        }, -1, TimeUnit.SECONDS);
        manager.setMaxTotal(TOTAL);
        manager.setDefaultMaxPerRoute(PER_ROUTE);
        HttpClientConnection unbound = open(a, null);
        HttpClientConnection bound = open(a, state);
        manager.releaseConnection(bound, state, 0, null);
        manager.releaseConnection(unbound, null, 1, TimeUnit.HOURS);
        held.clear();
        mine = (ManagedHttpClientConnection) open(b, null);
        open(b, null);
        begin(() -> manager.requestConnection(b, null).get(0, TimeUnit.SECONDS), () -> manager.getTotalStats().getPending() == 1);
    }

    State like(State state) {
        return new State(state.name);
    }

    /** Leases, without waiting long, and opens. */
    HttpClientConnection open(HttpRoute route, Object boundTo) throws Exception {
        HttpClientConnection connection = lease(route, boundTo);
        if (!connection.isOpen()) {
            connect(connection, route);
            manager.routeComplete(connection, route, new BasicHttpContext());
        }
        return connection;
    }

    void connect(HttpClientConnection connection, HttpRoute route) throws Exception {
        manager.connect(connection, route, 1000, new BasicHttpContext());
    }

    /** A leased connection that the stage ends at last. */
    HttpClientConnection lease(HttpRoute route, Object boundTo) throws Exception {
        HttpClientConnection connection = manager.requestConnection(route, boundTo).get(20, TimeUnit.SECONDS);
        held.add(connection);
        return connection;
    }

    /** A leased connection beyond the stage's limit that is not open yet. */
    HttpClientConnection closed() throws Exception {
        manager.setMaxTotal(TOTAL + 1);
        return lease(c, null);
    }

    /** The connection that was leased last. */
    ManagedHttpClientConnection last() {
        return (ManagedHttpClientConnection) held.get(held.size() - 1);
    }

    /** From now on leases that find a connection ask it whether it is stale. */
    void awaitValidation() throws Exception {
        manager.setValidateAfterInactivity(1);
        long now = System.currentTimeMillis();
        Eventually.await("a while has passed", () -> System.currentTimeMillis() > now + 20);
    }

    /** What enumerations call. */
    final PoolEntryCallback<HttpRoute, ManagedHttpClientConnection> callback =
            new PoolEntryCallback<HttpRoute, ManagedHttpClientConnection>() {
                @Override
                public void process(PoolEntry<HttpRoute, ManagedHttpClientConnection> entry) {
                    faults.pass(CALLBACK);
                    entry.close();
                }
            };

    @Override
    public void callBack() {
        manager.getTotalStats();
        manager.getStats(a);
        try {
            HttpClientConnection connection = manager.requestConnection(a, null).get(1, TimeUnit.MILLISECONDS);
            manager.releaseConnection(connection, null, 0, null);
        } catch (ConnectionPoolTimeoutException | IllegalStateException e) {
            // There is none to be had, or the manager was shut down.
        } catch (InterruptedException | ExecutionException e) {
            throw new AssertionError(e);
        }
        manager.closeIdleConnections(0, TimeUnit.SECONDS);
        manager.setMaxTotal(manager.getMaxTotal());
    }

    @Override
    public void shutDown() {
        manager.shutdown();
    }

    @Override
    protected void restoreSettings() {
        manager.setMaxTotal(TOTAL);
        manager.setDefaultMaxPerRoute(PER_ROUTE);
        manager.setMaxPerRoute(a, -1);
        manager.setMaxPerRoute(b, -1);
        manager.setValidateAfterInactivity(0);
    }

    @Override
    protected void endAll() {
        held.forEach(this::end);
        held.clear();
    }

    @Override
    protected void end(HttpClientConnection connection) {
        manager.releaseConnection(connection, null, 0, null);
    }

    @Override
    protected boolean isShutDown() {
        try {
            manager.requestConnection(a, null).cancel();
            return false;
        } catch (IllegalStateException e) {
            return true;
        }
    }

    @Override
    protected boolean tellsOfShutdown(Throwable failure) {
        return failure instanceof ExecutionException || failure instanceof IllegalStateException;
    }

    @Override
    protected void awaitNothingLeased() throws Exception {
        Eventually.await("nothing is leased any more: " + this,
                () -> manager.getTotalStats().getLeased() == 0 && manager.getTotalStats().getPending() == 0);
    }

    @Override
    protected void takeAll() throws Exception {
        for (HttpRoute route : new HttpRoute[] {a, a, b, b}) {
            open(route, null);
        }
    }

    @Override
    protected void assertAllIsTaken() {
        assertEquals(TOTAL, manager.getTotalStats().getLeased());
        assertThrows(ConnectionPoolTimeoutException.class, () -> manager.requestConnection(c, null).get(1, TimeUnit.MILLISECONDS));
    }

    @Override
    protected void closeIdle() {
        manager.closeIdleConnections(0, TimeUnit.SECONDS);
    }

    @Override
    protected void assertNothingIsLeft() throws Exception {
        assertEquals("0 0 0", manager.getTotalStats().getLeased() + " " + manager.getTotalStats().getPending() + " "
                + manager.getTotalStats().getAvailable());
        Eventually.await("every connection is closed",
                () -> made.stream().allMatch(connection -> connection.ends.get() > 0 || !connection.isOpen()));
    }

    @Override
    public String toString() {
        return String.valueOf(manager.getTotalStats());
    }
}
