package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.Faults;
import io.leasehold.testsupport.ScriptedServer;
import io.leasehold.testsupport.Threads;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.ConnectionHolder;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.HttpConnection;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.impl.bootstrap.AsyncRequesterBootstrap;
import org.apache.hc.core5.http.impl.bootstrap.HttpAsyncRequester;
import org.apache.hc.core5.http.nio.ssl.TlsStrategy;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.net.NamedEndpoint;
import org.apache.hc.core5.pool.ConnPoolControl;
import org.apache.hc.core5.reactor.ConnectionInitiator;
import org.apache.hc.core5.reactor.IOReactorConfig;
import org.apache.hc.core5.reactor.ssl.TransportSecurityLayer;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/** An asynchronous manager with a state to which one of the idle connections is bound. Connections lead to a port that accepts none. */
final class BusyAsyncStage extends BusyControlStage<HttpRoute, AsyncConnectionEndpoint> {
    static final String TLS = "TlsStrategy.upgrade";
    static final String INITIATOR = "ConnectionInitiator.connect";
    static final String COMPLETED = "FutureCallback.completed";
    static final String FAILED = "FutureCallback.failed";
    static final String CANCELLED = "FutureCallback.cancelled";

    private static final Timeout LONG = Timeout.ofSeconds(20);
    private static final TimeValue EVER = TimeValue.NEG_ONE_MILLISECOND;

    /** For all stages, until one may have had it interrupted. */
    private static HttpAsyncRequester reactor;

    private final Queue<AsyncConnectionEndpoint> held = new ConcurrentLinkedQueue<>();
    private final Queue<HttpConnection> made = new ConcurrentLinkedQueue<>();
    private final AtomicInteger told = new AtomicInteger();
    private final AtomicInteger callBacks = new AtomicInteger();
    // Of the test's thread. Null as long as none was.
    private HttpAsyncRequester interrupted;
    private final ServerSocket server = new ServerSocket(0, 100, ScriptedServer.loopback());
    private final ConnectionInitiator initiator;
    final HttpRoute a = route("http", "a");
    final HttpRoute b = route("http", "b");
    final HttpRoute c = route("http", "c");
    final FailingState state = new FailingState("somebody", faults);
    final LeaseholdAsyncClientConnectionManager manager;
    /** A leased endpoint to "b". */
    final AsyncConnectionEndpoint mine;

    BusyAsyncStage(boolean isSharing) throws Exception {
        super("org.apache.hc.client5", "io.leasehold");
        initiator = (remote, remoteAddress, local, timeout, attachment, callback) -> {
            faults.pass(INITIATOR);
            return reactor().connect(remote, remoteAddress, local, timeout, attachment, callback);
        };
        manager = LeaseholdAsyncClientConnectionManagerBuilder.create()
                .setSchemePortResolver(Failing.ports(faults, server.getLocalPort()))
                .setDnsResolver(Failing.names(faults))
                .setTlsStrategy(new FailingTls(faults))
                .setMessageMultiplexing(isSharing)
                .build();
        manager.setConnectionConfigResolver(Failing.configs(faults, null));
        manager.setTlsConfigResolver(Failing.tlsConfigs(faults));
        restoreSettings();
        AsyncConnectionEndpoint unbound = open(a, null);
        AsyncConnectionEndpoint bound = open(a, state);
        manager.release(bound, state, EVER);
        manager.release(unbound, null, TimeValue.ofHours(1));
        held.clear();
        mine = open(b, null);
        open(b, null);
        begin(() -> manager.lease("waiter", b, null, Timeout.DISABLED, null).get(), () -> manager.getTotalStats().getPending() == 1);
    }

    @Override
    ConnPoolControl<HttpRoute> control() {
        return manager;
    }

    @Override
    HttpRoute[] routes() {
        return new HttpRoute[] {a, b};
    }

    private HttpRoute route(String scheme, String host) {
        return new HttpRoute(new HttpHost(scheme, host, server.getLocalPort()));
    }

    private static synchronized HttpAsyncRequester reactor() {
        if (reactor == null) {
            reactor = AsyncRequesterBootstrap.bootstrap()
                    .setIOReactorConfig(IOReactorConfig.custom().setIoThreadCount(1).build()).create();
            reactor.start();
        }
        return reactor;
    }

    /** Ends what all stages had. */
    static void closeReactor() {
        close(takeReactor());
    }

    private static synchronized HttpAsyncRequester takeReactor() {
        HttpAsyncRequester taken = reactor;
        reactor = null;
        return taken;
    }

    private static void close(HttpAsyncRequester reactor) {
        if (reactor != null) {
            reactor.close(CloseMode.IMMEDIATE);
        }
    }

    /** Layers nothing. */
    private static final class FailingTls implements TlsStrategy {
        private final Faults faults;

        FailingTls(Faults faults) {
            this.faults = faults;
        }

        @Override
        @SuppressWarnings("deprecation") // What the interface demands.
        public boolean upgrade(TransportSecurityLayer session, HttpHost host, SocketAddress local, SocketAddress remote, Object attachment,
                Timeout handshakeTimeout) {
            faults.pass(TLS);
            return false;
        }

        @Override
        public void upgrade(TransportSecurityLayer session, NamedEndpoint endpoint, Object attachment, Timeout handshakeTimeout,
                FutureCallback<TransportSecurityLayer> callback) {
            faults.pass(TLS);
            callback.completed(session);
        }
    }

    @Override
    AsyncConnectionEndpoint open(HttpRoute route, Object boundTo) throws Exception {
        AsyncConnectionEndpoint endpoint = lease(route, boundTo);
        if (!endpoint.isConnected()) {
            connect(endpoint);
        }
        return endpoint;
    }

    void connect(AsyncConnectionEndpoint endpoint) throws Exception {
        result(manager.connect(endpoint, initiator, LONG, null, HttpClientContext.create(), null));
        made.add(((ConnectionHolder) endpoint).get());
    }

    /** What a future has come to, or what it has failed with. */
    static <T> T result(Future<T> future) throws Exception {
        try {
            return future.get(LONG.getDuration(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception) {
                throw (Exception) e.getCause();
            }
            throw e;
        }
    }

    /** A leased endpoint that the stage releases at last. */
    AsyncConnectionEndpoint lease(HttpRoute route, Object boundTo) throws Exception {
        AsyncConnectionEndpoint endpoint = result(manager.lease("ex", route, boundTo, LONG, null));
        held.add(endpoint);
        return endpoint;
    }

    /** An endpoint beyond the stage's limit that is not connected yet. */
    void vacancy(HttpRoute route) throws Exception {
        manager.setMaxTotal(TOTAL + 1);
        lease(route, null);
    }

    /** The endpoint that was leased last. */
    AsyncConnectionEndpoint last() {
        List<AsyncConnectionEndpoint> all = new ArrayList<>(held);
        return all.get(all.size() - 1);
    }

    /** Leases with a callback that keeps the endpoint and then fails on demand. */
    Future<AsyncConnectionEndpoint> request(HttpRoute route, Timeout timeout) {
        return manager.lease("ex", route, null, timeout, new FutureCallback<AsyncConnectionEndpoint>() {
            @Override
            public void completed(AsyncConnectionEndpoint endpoint) {
                held.add(endpoint);
                tell(COMPLETED);
            }

            @Override
            public void failed(Exception e) {
                surface(e);
                tell(FAILED);
            }

            @Override
            public void cancelled() {
                tell(CANCELLED);
            }
        });
    }

    private void tell(String place) {
        try {
            faults.pass(place);
        } finally {
            told.incrementAndGet();
        }
    }

    /** Returns once a callback was told. */
    void awaitTold() throws Exception {
        Eventually.await("the callback is told", () -> told.get() > 0);
    }

    void release(Object boundTo) {
        manager.release(mine, boundTo, EVER);
    }

    /** A few times only: what it asks for may be logged on other threads, whose logger calls back. */
    @Override
    public void callBack() {
        if (callBacks.incrementAndGet() > 10) {
            return;
        }
        manager.getTotalStats();
        manager.getStats(a);
        try {
            // Waits for nobody, as this may be the reactor's thread.
            manager.lease("callback", a, null, Timeout.ofMilliseconds(1), new FutureCallback<AsyncConnectionEndpoint>() {
                @Override
                public void completed(AsyncConnectionEndpoint endpoint) {
                    end(endpoint);
                }

                @Override
                public void failed(Exception e) {}

                @Override
                public void cancelled() {}
            });
        } catch (IllegalStateException e) {
            assertTrue(manager.isClosed(), e::toString);
        }
        manager.closeIdle(TimeValue.ZERO_MILLISECONDS);
        manager.setMaxTotal(manager.getMaxTotal());
    }

    @Override
    public void shutDown() {
        manager.close(CloseMode.GRACEFUL);
    }

    /**
     * An interrupt of its thread ends a reactor of HttpCore's, which still takes connects at that moment and never answers them. What is
     * under way may interrupt it yet; so what follows has another.
     */
    @Override
    public void awaitQuiet() throws Exception {
        Threads.awaitIdle("leasehold-disposer");
        if (faults.isInterrupting()) {
            interrupted = takeReactor();
        }
    }

    @Override
    protected void endAll() {
        for (AsyncConnectionEndpoint endpoint = held.poll(); endpoint != null; endpoint = held.poll()) {
            end(endpoint);
        }
    }

    @Override
    protected void end(AsyncConnectionEndpoint endpoint) {
        manager.release(endpoint, null, EVER);
    }

    @Override
    protected boolean isShutDown() {
        return manager.isClosed();
    }

    @Override
    protected void assertAllIsTaken() {
        assertEquals(TOTAL, manager.getTotalStats().getLeased());
        Future<AsyncConnectionEndpoint> future = manager.lease("ex", c, null, LONG, null);
        assertTrue(!future.isDone(), "no more than the limit can be had");
        future.cancel(true);
    }

    @Override
    boolean isAllClosed() {
        return made.stream().allMatch(connection -> connection == null || !connection.isOpen());
    }

    @Override
    public void close() throws Exception {
        super.close();
        close(interrupted);
        server.close();
    }
}
