package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.leasehold.CoarseClock;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.Faults;
import io.leasehold.testsupport.ScriptedServer;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.client5.http.io.ConnectionEndpoint;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.io.SocketConfig;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.ConnPoolControl;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/** A classic manager with a state to which one of the idle connections is bound. Connections lead to a port that accepts none of them. */
final class BusyManagerStage extends BusyControlStage<HttpRoute, ConnectionEndpoint> {
    static final String CONNECTION_FACTORY = "HttpConnectionFactory.createConnection";
    static final String SOCKET_CONFIG = "Resolver.resolve, of a SocketConfig";
    static final String LAYER = "LayeredConnectionSocketFactory.createLayeredSocket";
    /** Before a method's name. */
    static final String CONNECTION = "a connection's ";

    private static final Timeout LONG = Timeout.ofSeconds(20);
    private static final TimeValue EVER = TimeValue.NEG_ONE_MILLISECOND;

    private final Queue<ManagedHttpClientConnection> made = new ConcurrentLinkedQueue<>();
    private final List<ConnectionEndpoint> held = new ArrayList<>();
    private final ServerSocket server = new ServerSocket(0, 100, ScriptedServer.loopback());
    final HttpRoute a = route("http", "a");
    final HttpRoute b = route("http", "b");
    final HttpRoute c = route("http", "c");
    final HttpRoute secure = new HttpRoute(new HttpHost("https", "c", 443), null, true);
    final FailingState state = new FailingState("somebody", faults);
    final LeaseholdHttpClientConnectionManager manager;
    /** A leased endpoint to "b". */
    final ConnectionEndpoint mine;

    BusyManagerStage() throws Exception {
        super("org.apache.hc.client5", "io.leasehold");
        manager = new LeaseholdHttpClientConnectionManager(new ManagerParts(Operators.of(
                Failing.ports(faults, server.getLocalPort()), Failing.names(faults), new FailingLayer(faults)), socket -> {
                    faults.pass(CONNECTION_FACTORY);
                    return connection();
                }, null, null));
        manager.setSocketConfigResolver(route -> {
            faults.pass(SOCKET_CONFIG);
            return SocketConfig.DEFAULT;
        });
        manager.setConnectionConfigResolver(Failing.configs(faults, TimeValue.ZERO_MILLISECONDS));
        manager.setTlsConfigResolver(Failing.tlsConfigs(faults));
        restoreSettings();
        ConnectionEndpoint unbound = open(a, null);
        ConnectionEndpoint bound = open(a, state);
        manager.release(bound, state, EVER);
        manager.release(unbound, null, TimeValue.ofHours(1));
        held.clear();
        mine = open(b, null);
        open(b, null);
        begin(() -> manager.lease("waiter", b, Timeout.DISABLED, null).get(Timeout.ofDays(1)),
                () -> manager.getTotalStats().getPending() == 1);
    }

    @Override
    ConnPoolControl<HttpRoute> control() {
        return manager;
    }

    @Override
    HttpRoute[] routes() {
        return new HttpRoute[] {a, b};
    }

    private static HttpRoute route(String scheme, String host) {
        return new HttpRoute(new HttpHost(scheme, host, 80));
    }

    /** A connection of HttpClient's, each of whose methods can fail. */
    private ManagedHttpClientConnection connection() {
        ManagedHttpClientConnection connection;
        try {
            connection = ManagedHttpClientConnectionFactory.INSTANCE.createConnection(null);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        made.add(connection);
        return (ManagedHttpClientConnection) Proxy.newProxyInstance(BusyManagerStage.class.getClassLoader(),
                new Class<?>[] {ManagedHttpClientConnection.class}, (proxy, method, arguments) -> {
                    faults.pass(CONNECTION + method.getName());
                    try {
                        return method.invoke(connection, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /** Layers nothing. */
    @SuppressWarnings("deprecation") // What all versions have.
    private static final class FailingLayer implements org.apache.hc.client5.http.socket.LayeredConnectionSocketFactory {
        private final Faults faults;

        FailingLayer(Faults faults) {
            this.faults = faults;
        }

        @Override
        public Socket createLayeredSocket(Socket socket, String target, int port,
                org.apache.hc.core5.http.protocol.HttpContext context) throws IOException {
            faults.pass(LAYER);
            throw new SSLException("there is no TLS here");
        }

        @Override
        public Socket createSocket(org.apache.hc.core5.http.protocol.HttpContext context) {
            return new Socket();
        }

        @Override
        public Socket connectSocket(TimeValue timeout, Socket socket, HttpHost host, java.net.InetSocketAddress remote,
                java.net.InetSocketAddress local, org.apache.hc.core5.http.protocol.HttpContext context) throws IOException {
            faults.pass(LAYER);
            throw new SSLException("there is no TLS here");
        }
    }

    @Override
    ConnectionEndpoint open(HttpRoute route, Object boundTo) throws Exception {
        ConnectionEndpoint endpoint = lease(route, boundTo);
        if (!endpoint.isConnected()) {
            connect(endpoint);
        }
        return endpoint;
    }

    void connect(ConnectionEndpoint endpoint) throws IOException {
        manager.connect(endpoint, LONG, HttpClientContext.create());
    }

    /** A leased endpoint that the stage releases at last. */
    ConnectionEndpoint lease(HttpRoute route, Object boundTo) throws Exception {
        ConnectionEndpoint endpoint = manager.lease("ex", route, LONG, boundTo).get(LONG);
        held.add(endpoint);
        return endpoint;
    }

    /** An endpoint beyond the stage's limit that is not connected yet. */
    void vacancy(HttpRoute route) throws Exception {
        manager.setMaxTotal(TOTAL + 1);
        lease(route, null);
    }

    /** From now on leases that find a connection ask it whether it is stale. */
    void awaitValidation() throws Exception {
        long now = CoarseClock.currentTimeMillis();
        Eventually.await("a while has passed", () -> CoarseClock.currentTimeMillis() > now + 1);
    }

    /** The endpoint that was leased last. */
    ConnectionEndpoint last() {
        return held.get(held.size() - 1);
    }

    void release(Object boundTo) {
        manager.release(mine, boundTo, EVER);
    }

    @Override
    public void callBack() {
        manager.getTotalStats();
        manager.getStats(a);
        try {
            manager.release(manager.lease("callback", a, Timeout.ofMilliseconds(1), null).get(Timeout.ofMilliseconds(1)), null, EVER);
        } catch (TimeoutException | ExecutionException | IllegalStateException e) {
            // There is none to be had, or the manager was closed.
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        manager.closeIdle(TimeValue.ZERO_MILLISECONDS);
        manager.setMaxTotal(manager.getMaxTotal());
    }

    @Override
    public void shutDown() {
        manager.close(CloseMode.GRACEFUL);
    }

    @Override
    protected void endAll() {
        held.forEach(this::end);
        held.clear();
    }

    @Override
    protected void end(ConnectionEndpoint endpoint) {
        manager.release(endpoint, null, EVER);
    }

    @Override
    protected boolean isShutDown() {
        try {
            manager.lease("ex", a, LONG, null).cancel();
            return false;
        } catch (IllegalStateException e) {
            return true;
        }
    }

    @Override
    protected void assertAllIsTaken() {
        assertEquals(TOTAL, manager.getTotalStats().getLeased());
        assertThrows(TimeoutException.class,
                () -> manager.lease("ex", c, Timeout.ofMilliseconds(1), null).get(Timeout.ofMilliseconds(1)));
    }

    @Override
    boolean isAllClosed() {
        return made.stream().allMatch(connection -> connection.getSocket() == null || connection.getSocket().isClosed());
    }

    @Override
    public void close() throws Exception {
        super.close();
        server.close();
    }
}
