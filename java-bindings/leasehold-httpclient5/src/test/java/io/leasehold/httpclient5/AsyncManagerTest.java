package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.ManualClock;
import io.leasehold.Watching;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.FailingLog;
import io.leasehold.testsupport.LogCapture;
import io.leasehold.testsupport.ScriptedServer;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.async.methods.SimpleHttpResponse;
import org.apache.hc.client5.http.async.methods.SimpleRequestBuilder;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.IdleConnectionEvictor;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.CallbackContribution;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.impl.bootstrap.AsyncRequesterBootstrap;
import org.apache.hc.core5.http.impl.bootstrap.HttpAsyncRequester;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.ConnPoolControl;
import org.apache.hc.core5.reactor.ConnectionInitiator;
import org.apache.hc.core5.reactor.IOReactorConfig;
import org.apache.hc.core5.reactor.IOSession;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The asynchronous manager under a plain client, against a server that does as it is told. */
class AsyncManagerTest {
    private static final String MANAGER_LOG = PoolingAsyncClientConnectionManager.class.getName();

    private final LogCapture log = LogCapture.of(MANAGER_LOG);
    private final HttpAsyncRequester reactor = AsyncRequesterBootstrap.bootstrap()
            .setIOReactorConfig(IOReactorConfig.custom().setIoThreadCount(1).setSoKeepAlive(false).build()).create();
    private LeaseholdAsyncClientConnectionManager manager = builder().build();
    private ScriptedServer server;
    private CloseableHttpAsyncClient client;

    LeaseholdAsyncClientConnectionManagerBuilder builder() {
        return Way.asyncManager();
    }

    private void start(Way way) throws Exception {
        server = way.server();
        client = way.client(server, manager);
        reactor.start();
    }

    private void startWith(LeaseholdAsyncClientConnectionManagerBuilder builder) throws Exception {
        manager.close();
        manager = builder.build();
        start(Way.PLAIN);
    }

    @AfterEach
    void close() throws Exception {
        manager.close(CloseMode.IMMEDIATE);
        log.close();
        reactor.close(CloseMode.IMMEDIATE);
        if (server != null) {
            client.close(CloseMode.IMMEDIATE);
            server.close();
        }
    }

    private String get(String path) throws Exception {
        return Way.PLAIN.get(client, server, path);
    }

    private HttpRoute route() {
        return new HttpRoute(new HttpHost("http", "localhost", server.port()));
    }

    private Future<AsyncConnectionEndpoint> request(Timeout patience) {
        return manager.lease("id", route(), null, patience, null);
    }

    private AsyncConnectionEndpoint lease() throws Exception {
        return Eventually.get(request(Timeout.ofSeconds(60)));
    }

    private AsyncConnectionEndpoint connect(AsyncConnectionEndpoint endpoint) throws Exception {
        return Eventually.get(manager.connect(endpoint, reactor, Timeout.ofSeconds(60), null, HttpClientContext.create(), null));
    }

    private AsyncConnectionEndpoint open() throws Exception {
        return connect(lease());
    }

    private void release(AsyncConnectionEndpoint endpoint) {
        manager.release(endpoint, null, TimeValue.NEG_ONE_MILLISECOND);
    }

    /** Of some versions a client hears of the answer before that. */
    private void awaitOneAvailable() throws Exception {
        Eventually.await("its release", () -> manager.getTotalStats().getAvailable() == 1);
    }

    private void awaitNothingAvailable() throws Exception {
        Eventually.await("the idle connection to go", () -> manager.getTotalStats().getAvailable() == 0);
    }

    /** Has the client's one thread hang, once an answer has come on a connection of its own, until the latch is open. */
    private void hang(CountDownLatch until) throws Exception {
        CountDownLatch hangs = new CountDownLatch(1);
        client.execute(SimpleRequestBuilder.get("http://127.0.0.1:" + server.port() + "/ok").build(),
                new FutureCallback<SimpleHttpResponse>() {
                    @Override
                    public void completed(SimpleHttpResponse result) {
                        hangs.countDown();
                        try {
                            until.await();
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                    }

                    @Override
                    public void failed(Exception e) {
                        hangs.countDown();
                    }

                    @Override
                    public void cancelled() {
                        hangs.countDown();
                    }
                });
        hangs.await();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anOpeningIsWhatConnectingTookThatHasComeToSomething(Way way) throws Exception {
        SlowNames names = new SlowNames();
        manager.close();
        manager = names.clock.driving(() -> builder().setDnsResolver(names).build());
        start(way);
        way.get(client, server, "/ok");
        awaitOneAvailable();
        way.get(client, server, "/ok");
        SlowNames.assertOpenings(1, manager);
        awaitOneAvailable();
        manager.closeIdle(TimeValue.ZERO_MILLISECONDS);
        names.fails = true;
        assertThrows(UnknownHostException.class, () -> way.get(client, server, "/ok"));
        SlowNames.assertOpenings(1, manager);
        names.fails = false;
        way.get(client, server, "/ok");
        SlowNames.assertOpenings(2, manager);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void connectionsAreUsedAgain(Way way) throws Exception {
        start(way);
        for (int i = 1; i <= 3; i++) {
            assertEquals(way.answer(0, i), way.get(client, server, "/ok"));
            awaitOneAvailable();
        }
        assertEquals(0, manager.getTotalStats().getLeased());
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void thePlaceOfWhatTheReactorClosesIsFreeWithoutALease(Way way) throws Exception {
        start(way);
        way.get(client, server, "/drop?later");
        awaitOneAvailable();
        server.proceed();
        awaitNothingAvailable();
        server.peer(0).awaitEnd();
        assertEquals(1, manager.getCounters().closedByPeer());
        assertEquals(1, manager.getMetrics().closed().closedByPeer());
        Eventually.await("the line", () -> log.lines().stream().anyMatch(
                line -> line.startsWith("FINE " + MANAGER_LOG + ": connection ") && line.endsWith(" closed by its peer")));
        assertEquals(way.answer(1, 1), way.get(client, server, "/ok"));
    }

    @Test
    void whatTheServerHasClosedIsFoundAtTheLeaseThoughTheReactorDoesNotKnowYet() throws Exception {
        start(Way.PLAIN);
        get("/half-close?later");
        CountDownLatch goesOn = new CountDownLatch(1);
        hang(goesOn);
        try {
            server.proceed();
            Eventually.await("the close to be found", () -> {
                AsyncConnectionEndpoint endpoint = lease();
                boolean isConnected = endpoint.isConnected();
                release(endpoint);
                return !isConnected;
            });
        } finally {
            goesOn.countDown();
        }
    }

    @Test
    void aConnectionWithBytesThatNobodyAskedForIsNotUsed() throws Exception {
        start(Way.PLAIN);
        get("/goodbye");
        CountDownLatch goesOn = new CountDownLatch(1);
        hang(goesOn);
        try {
            server.proceed();
            Eventually.await("their arrival", () -> {
                AsyncConnectionEndpoint endpoint = lease();
                boolean isConnected = endpoint.isConnected();
                release(endpoint);
                return !isConnected;
            });
        } finally {
            goesOn.countDown();
        }
    }

    @Test
    void validationThatIsOffLeavesItToTheReactor() throws Exception {
        startWith(builder().setDefaultConnectionConfig(
                ConnectionConfig.custom().setValidateAfterInactivity(TimeValue.NEG_ONE_MILLISECOND).build()));
        get("/drop?later");
        CountDownLatch goesOn = new CountDownLatch(1);
        hang(goesOn);
        try {
            server.proceed();
            server.peer(0).awaitEnd();
            AsyncConnectionEndpoint endpoint = lease();
            assertTrue(endpoint.isConnected());
            release(endpoint);
        } finally {
            goesOn.countDown();
        }
        awaitNothingAvailableTo(route());
        assertEquals("c2 r1", get("/ok"));
    }

    private void awaitNothingAvailableTo(HttpRoute route) throws Exception {
        Eventually.await("the idle connection to go", () -> manager.getStats(route).getAvailable() == 0);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theServersWordEndsAConnection(Way way) throws Exception {
        start(way);
        way.get(client, server, "/close");
        way.get(client, server, "/says-close");
        assertEquals(way.answer(2, 1), way.get(client, server, "/ok"));
        server.peer(1).awaitEnd();
        awaitOneAvailable();
    }

    @Test
    void theKeepAliveThatTheServerSaysIsKept() throws Exception {
        start(Way.PLAIN);
        get("/keep-alive?timeout=1");
        Eventually.await("the second to be over", () -> {
            manager.closeExpired();
            return manager.getTotalStats().getAvailable() + manager.getTotalStats().getLeased() == 0;
        });
        assertEquals("c1 r1", get("/ok"));
    }

    @Test
    void timeToLiveCountsAtTheLeaseAndForCloseExpired() throws Exception {
        startWith(builder().setDefaultConnectionConfig(
                ConnectionConfig.custom().setTimeToLive(50, TimeUnit.MILLISECONDS).build()));
        get("/ok");
        Eventually.await("another connection", () -> !get("/ok").startsWith("c0"));
        Eventually.await("its life to end", () -> {
            manager.closeExpired();
            return manager.getTotalStats().getAvailable() == 0;
        });
    }

    /** Where the version has that. */
    @Test
    void theIdleTimeoutCountsAtTheLeaseAndForCloseExpired() throws Exception {
        ConnectionConfig.Builder config = ConnectionConfig.custom();
        boolean isThere = Arrays.stream(ConnectionConfig.Builder.class.getMethods()).anyMatch(
                method -> method.getName().equals("setIdleTimeout"));
        if (isThere) {
            ConnectionConfig.Builder.class.getMethod("setIdleTimeout", Timeout.class).invoke(config, Timeout.ofMilliseconds(100));
        }
        startWith(builder().setDefaultConnectionConfig(config.build()));
        release(open());
        manager.closeExpired();
        if (!isThere) {
            assertEquals(1, manager.getTotalStats().getAvailable());
            return;
        }
        Eventually.await("it to have been idle for too long", () -> {
            manager.closeExpired();
            return manager.getTotalStats().getAvailable() == 0;
        });
        release(open());
        long released = System.nanoTime();
        Eventually.await("the time to be over", () -> System.nanoTime() - released > TimeUnit.MILLISECONDS.toNanos(200));
        AsyncConnectionEndpoint endpoint = lease();
        assertFalse(endpoint.isConnected());
        release(endpoint);
    }

    @Test
    void idleConnectionsAreClosedOnDemandAndByTheClientsEvictor() throws Exception {
        start(Way.PLAIN);
        ConnPoolControl<HttpRoute> control = manager;
        release(open());
        control.closeIdle(TimeValue.ofHours(1));
        assertEquals(1, control.getTotalStats().getAvailable());
        control.closeIdle(TimeValue.ZERO_MILLISECONDS);
        assertEquals(0, control.getTotalStats().getAvailable());
        server.peer(0).awaitEnd();
        release(open());
        IdleConnectionEvictor evictor = new IdleConnectionEvictor(control, TimeValue.ofMilliseconds(5), TimeValue.ofMilliseconds(50));
        evictor.start();
        awaitNothingAvailable();
        evictor.shutdown();
    }

    @Test
    void limitsAndNumbersAreHttpClients() throws Exception {
        start(Way.PLAIN);
        assertEquals(25, manager.getMaxTotal());
        assertEquals(5, manager.getDefaultMaxPerRoute());
        manager.setMaxTotal(2);
        manager.setDefaultMaxPerRoute(2);
        manager.setMaxPerRoute(route(), 1);
        AsyncConnectionEndpoint held = open();
        assertEquals("[leased: 1; pending: 0; available: 0; max: 1]", manager.getStats(route()).toString());
        assertEquals("[leased: 1; pending: 0; available: 0; max: 2]", manager.getTotalStats().toString());
        assertEquals(1, manager.getRoutes().size());
        Future<AsyncConnectionEndpoint> waiting = request(Timeout.DISABLED);
        assertEquals(1, manager.getTotalStats().getPending());
        release(held);
        release(Eventually.get(waiting));
        assertEquals("[leased: 0; pending: 0; available: 1; max: 1]", manager.getStats(route()).toString());
    }

    @Test
    void aRequestThatWaitsForTooLongFailsThoughNothingElseHappens() throws Exception {
        start(Way.PLAIN);
        manager.setDefaultMaxPerRoute(1);
        AsyncConnectionEndpoint held = lease();
        ExecutionException thrown = assertThrows(ExecutionException.class, () -> Eventually.get(request(Timeout.ofMilliseconds(30))));
        assertTrue(thrown.getCause() instanceof TimeoutException, thrown::toString);
        try (CloseableHttpAsyncClient impatient = Way.PLAIN.builder(server, manager).setDefaultRequestConfig(
                RequestConfig.custom().setConnectionRequestTimeout(Timeout.ofMilliseconds(30)).build()).build()) {
            impatient.start();
            Exception failure = assertThrows(Exception.class, () -> Way.PLAIN.get(impatient, server, "/ok"));
            assertTrue(failure.getClass().getSimpleName().contains("Timeout"), failure::toString);
        }
        release(held);
        assertEquals("c0 r1", get("/ok"));
    }

    @Test
    void aRequestThatIsCancelledWaitsNoLongerAndOneThatWasServedIsItsUsers() throws Exception {
        start(Way.PLAIN);
        manager.setDefaultMaxPerRoute(1);
        AsyncConnectionEndpoint held = lease();
        Future<AsyncConnectionEndpoint> request = request(Timeout.DISABLED);
        assertTrue(request.cancel(true));
        assertThrows(CancellationException.class, request::get);
        assertEquals(0, manager.getTotalStats().getPending());
        assertTrue(log.lines().stream().anyMatch(line -> line.endsWith("id endpoint lease cancelled")), () -> log.lines().toString());
        Future<AsyncConnectionEndpoint> served = request(Timeout.DISABLED);
        release(held);
        assertFalse(served.cancel(true));
        release(Eventually.get(served));
        assertEquals(0, manager.getTotalStats().getLeased());
    }

    @Test
    void aClosedManagerEndsWhoWaits() throws Exception {
        start(Way.PLAIN);
        manager.setDefaultMaxPerRoute(1);
        AsyncConnectionEndpoint held = open();
        Future<AsyncConnectionEndpoint> waiting = request(Timeout.DISABLED);
        manager.close();
        ExecutionException thrown = assertThrows(ExecutionException.class, () -> Eventually.get(waiting));
        assertSame(IllegalStateException.class, thrown.getCause().getClass());
        server.peer(0).awaitEnd();
        release(held);
        assertEquals("[leased: 0; pending: 0; available: 0; max: 25]", manager.getTotalStats().toString());
        assertThrows(IllegalStateException.class, this::lease);
    }

    /** HttpClient's code would give it to an endpoint that has no entry any more. */
    @Test
    void whatIsOpenedForAnEndpointThatWasReleasedMeanwhileIsClosed() throws Exception {
        start(Way.PLAIN);
        AsyncConnectionEndpoint endpoint = lease();
        ConnectionInitiator late = (to, remote, local, timeout, attachment, callback) -> reactor.connect(to, remote, local, timeout,
                attachment, new CallbackContribution<IOSession>(callback) {
                    @Override
                    public void completed(IOSession session) {
                        release(endpoint);
                        callback.completed(session);
                    }
                });
        Future<AsyncConnectionEndpoint> connecting = manager.connect(endpoint, late, null, null, HttpClientContext.create(), null);
        Eventually.await("its end", connecting::isDone);
        server.peer(0).awaitEnd();
        assertEquals("[leased: 0; pending: 0; available: 0; max: 25]", manager.getTotalStats().toString());
    }

    /** HttpClient's code leaves it open. */
    @Test
    void whatIsOpenedForAnEndpointThatCannotHaveItIsClosedAndAnotherMayBeOpened() throws Exception {
        start(Way.PLAIN);
        IllegalStateException failure = new IllegalStateException("a configuration that fails");
        manager.setDefaultConnectionConfig(new ConnectionConfig() {
            @Override
            public Timeout getSocketTimeout() {
                throw failure;
            }
        });
        AsyncConnectionEndpoint endpoint = lease();
        assertSame(failure, assertThrows(ExecutionException.class, () -> connect(endpoint)).getCause());
        server.peer(0).awaitEnd();
        manager.setDefaultConnectionConfig(null);
        assertTrue(connect(endpoint).isConnected());
        release(endpoint);
        assertEquals("[leased: 0; pending: 0; available: 1; max: 25]", manager.getTotalStats().toString());
    }

    @Test
    void whatWasOpenedAfterTheCloseIsClosedAtTheRelease() throws Exception {
        start(Way.PLAIN);
        AsyncConnectionEndpoint endpoint = lease();
        manager.close();
        connect(endpoint);
        release(endpoint);
        server.peer(0).awaitEnd();
    }

    @Test
    void anEndpointThatWasLostGivesItsPlaceBackAndItsConnectionIsClosed() throws Exception {
        start(Way.PLAIN);
        open();
        Eventually.awaitAfterCollection("the place", () -> manager.getTotalStats().getLeased() == 0);
        server.peer(0).awaitEnd();
        release(open());
        assertTrue(lease().isConnected());
        Eventually.awaitAfterCollection("the place", () -> manager.getTotalStats().getLeased() == 0);
        server.peer(1).awaitEnd();
        Eventually.await("the warnings", () -> log.lines().stream().filter(line -> line.startsWith("WARNING " + MANAGER_LOG
                + ": Connection reclaimed by garbage collector, it was never released: [route: ")).count() == 2);
    }

    @Test
    void whatHttpClientRefusesIsRefused() throws Exception {
        start(Way.PLAIN);
        assertThrows(NullPointerException.class, () -> manager.lease("id", null, null, Timeout.ofSeconds(1), null));
        assertThrows(NullPointerException.class, () -> manager.lease("id", route(), null, null, null));
        assertThrows(NullPointerException.class, () -> manager.release(null, null, TimeValue.ZERO_MILLISECONDS));
        assertThrows(NullPointerException.class, () -> manager.connect(null, reactor, null, null, null, null));
        assertThrows(NullPointerException.class, () -> manager.upgrade(null, null, null));
        assertThrows(IllegalArgumentException.class, () -> manager.setMaxTotal(0));
        assertThrows(IllegalArgumentException.class, () -> manager.setDefaultMaxPerRoute(-1));
        assertThrows(NullPointerException.class, () -> manager.setMaxPerRoute(null, 1));
        assertThrows(IllegalArgumentException.class, () -> manager.setWatching(null));
        assertThrows(IllegalArgumentException.class, () -> manager.setTcpKeepAlive(0, 1, 1));
        AsyncConnectionEndpoint endpoint = open();
        assertThrows(NullPointerException.class, () -> manager.release(endpoint, null, null));
        assertThrows(NullPointerException.class, () -> manager.connect(endpoint, null, null, null, null, null));
        release(endpoint);
        release(endpoint);
        assertEquals("[leased: 0; pending: 0; available: 1; max: 25]", manager.getTotalStats().toString());
        assertFalse(endpoint.isConnected());
        try (LeaseholdAsyncClientConnectionManager another = LeaseholdAsyncClientConnectionManagerBuilder.create().build()) {
            AsyncConnectionEndpoint foreign = Eventually.get(another.lease("id", route(), null, Timeout.ofSeconds(60), null));
            assertThrows(IllegalStateException.class, () -> release(foreign));
            assertEquals(1, manager.getTotalStats().getAvailable());
        }
    }

    /** HttpClient's code logs what it has taken from its endpoint and not yet given back. */
    @Test
    void anEndpointWhoseReleaseFailsGivesItsPlaceBack() throws Exception {
        start(Way.PLAIN);
        AsyncConnectionEndpoint endpoint = open();
        FailingLog.failWith(MANAGER_LOG, () -> release(endpoint));
        assertEquals("[leased: 0; pending: 0; available: 0; max: 25]", manager.getTotalStats().toString());
        server.peer(0).awaitEnd();
    }

    /** Which has HttpClient's code forget its pool. */
    @Test
    void aManagerWhoseLoggerFailsIsClosedAllTheSame() throws Exception {
        start(Way.PLAIN);
        release(open());
        FailingLog.failWith(MANAGER_LOG, () -> manager.close(CloseMode.IMMEDIATE));
        server.peer(0).awaitEnd();
        assertEquals("[leased: 0; pending: 0; available: 0; max: 25]", manager.getTotalStats().toString());
        assertThrows(IllegalStateException.class, this::lease);
    }

    @Test
    void aConfigurationByRouteIsThatOfItsConnections() throws Exception {
        start(Way.PLAIN);
        release(open());
        List<HttpRoute> asked = new ArrayList<>();
        manager.setConnectionConfigResolver(route -> {
            asked.add(route);
            return ConnectionConfig.custom().setTimeToLive(TimeValue.ofMilliseconds(1)).build();
        });
        Eventually.await("the end of its life", () -> {
            AsyncConnectionEndpoint endpoint = lease();
            boolean isConnected = endpoint.isConnected();
            release(endpoint);
            return !isConnected;
        });
        assertTrue(asked.contains(route()));
        manager.setConnectionConfigResolver(null);
        manager.closeIdle(TimeValue.ZERO_MILLISECONDS);
        manager.setConnectionConfigResolver(route -> ConnectionConfig.custom().setSocketTimeout(Timeout.ofSeconds(7)).build());
        AsyncConnectionEndpoint endpoint = open();
        assertEquals(Timeout.ofSeconds(7), connection(endpoint).getSocketTimeout());
        release(endpoint);
    }

    /** All that it has of a pool's. */
    @Test
    void itIsItsPools() throws Exception {
        ManualClock clock = new ManualClock();
        manager.close();
        manager = clock.driving(() -> builder().build());
        start(Way.PLAIN);
        manager.setName("orders");
        assertEquals("orders", manager.getName());
        manager.measureHeld(true);
        AsyncConnectionEndpoint endpoint = lease();
        assertEquals(1, manager.getPool().stats().leased());
        clock.advance(7, TimeUnit.MILLISECONDS);
        release(endpoint);
        assertEquals(7, manager.getMetrics().held().sum(TimeUnit.MILLISECONDS));
        assertEquals(1, manager.getMetrics().leases());
    }

    @Test
    void tcpKeepAliveIsSetOnWhatIsConnected() throws Exception {
        start(Way.PLAIN);
        manager.setWatching(Watching.OFF);
        manager.setTcpKeepAlive(30, 5, 3);
        assertTrue(keepsAlive());
        manager.disableTcpKeepAlive();
        manager.closeIdle(TimeValue.ZERO_MILLISECONDS);
        assertFalse(keepsAlive());
    }

    private boolean keepsAlive() throws Exception {
        AsyncConnectionEndpoint endpoint = open();
        boolean keepsAlive = connection(endpoint).shown.getKeepAlive();
        release(endpoint);
        return keepsAlive;
    }

    private static ReactorConnection connection(AsyncConnectionEndpoint endpoint) {
        ManagedAsyncClientConnection connection = Endpoints.entryOf(endpoint).getConnection();
        return connection instanceof SharedConnection ? ((SharedConnection) connection).connection() : (ReactorConnection) connection;
    }

    @Test
    void manyRequestsAtOnceStayWithinTheLimits() throws Exception {
        start(Way.PLAIN);
        manager.setMaxTotal(3);
        manager.setDefaultMaxPerRoute(3);
        List<Future<SimpleHttpResponse>> all = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            all.add(client.execute(SimpleRequestBuilder.get(Way.PLAIN.url(server, "/ok")).build(), null));
        }
        for (Future<SimpleHttpResponse> each : all) {
            assertEquals(200, Eventually.get(each).getCode());
        }
        assertTrue(server.peers().size() <= 3, () -> server.peers().size() + " connections");
        Eventually.await("their release", () -> manager.getTotalStats().getLeased() == 0);
    }
}
