package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.ManualClock;
import io.leasehold.Watching;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.FailingLog;
import io.leasehold.testsupport.LogCapture;
import io.leasehold.testsupport.ScriptedServer;
import io.leasehold.testsupport.Threads;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.Socket;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.IdleConnectionEvictor;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.CloseableHttpResponse;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.io.ConnectionEndpoint;
import org.apache.hc.client5.http.io.LeaseRequest;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.io.SocketConfig;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.ConnPoolControl;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The classic manager under a plain HttpClient, against a server that does as it is told. */
class ManagerTest {
    private static final String MANAGER_LOG = PoolingHttpClientConnectionManager.class.getName();

    private final LogCapture log = LogCapture.of("org.apache.hc.client5.http.impl.io");
    private LeaseholdHttpClientConnectionManager manager = Way.manager().build();
    private ScriptedServer server;
    private CloseableHttpClient client;

    private void start(Way way) throws IOException {
        server = way.server();
        client = way.client(server, manager);
    }

    private void startWith(LeaseholdHttpClientConnectionManagerBuilder builder) throws IOException {
        manager.close();
        manager = builder.build();
        start(Way.PLAIN);
    }

    @AfterEach
    void close() throws IOException {
        manager.close(CloseMode.IMMEDIATE);
        log.close();
        if (server != null) {
            client.close();
            server.close();
        }
    }

    private String get(String path) throws IOException {
        return Way.PLAIN.get(client, server, path);
    }

    private HttpRoute route() {
        return new HttpRoute(new HttpHost("http", "localhost", server.port()));
    }

    private ConnectionEndpoint lease() throws Exception {
        return manager.lease("id", route(), Timeout.ofSeconds(1), null).get(Timeout.ofSeconds(1));
    }

    private ConnectionEndpoint open() throws Exception {
        ConnectionEndpoint endpoint = lease();
        manager.connect(endpoint, TimeValue.ofSeconds(10), HttpClientContext.create());
        return endpoint;
    }

    private void awaitNothingAvailable() throws Exception {
        Eventually.await("the idle connection to go", () -> manager.getTotalStats().getAvailable() == 0);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void anOpeningIsWhatConnectingTookThatHasComeToSomething(Way way) throws Exception {
        SlowNames names = new SlowNames();
        manager.close();
        manager = names.clock.driving(() -> Way.manager().setDnsResolver(names).build());
        start(way);
        way.get(client, server, "/ok");
        way.get(client, server, "/ok");
        SlowNames.assertOpenings(1, manager);
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
        assertEquals(way.answer(0, 1), way.get(client, server, "/ok"));
        assertEquals(way.answer(0, 2), way.get(client, server, "/ok"));
        assertEquals(1, manager.getTotalStats().getAvailable());
        assertEquals(0, manager.getTotalStats().getLeased());
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatTheServerClosesWhileItIsIdleIsClosedAtOnce(Way way) throws Exception {
        start(way);
        way.get(client, server, "/drop?later");
        server.proceed();
        awaitNothingAvailable();
        server.peer(0).awaitEnd();
        Threads.awaitIdle("leasehold-disposer");
        assertEquals(way.answer(1, 1), way.get(client, server, "/ok"));
        List<String> said = log.lines();
        assertEquals(1, said.stream().filter(line -> line.startsWith("FINE " + MANAGER_LOG + ": connection http-outgoing-")
                && line.endsWith(" closed by its peer")).count(), said::toString);
        assertEquals(1, manager.getCounters().closedByPeer());
        assertEquals(1, manager.getMetrics().closed().closedByPeer());
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatTheServerHasClosedIsFoundAtTheLeaseThoughItWasIdleForMomentsOnly(Way way) throws Exception {
        manager.setWatching(Watching.PROBE);
        start(way);
        way.get(client, server, "/half-close?later");
        server.proceed();
        Eventually.await("the server has closed its side", () -> server.proceeded() == 1);
        assertEquals(1, manager.getTotalStats().getAvailable());
        Eventually.await("the close to arrive", () -> {
            String answer;
            try {
                answer = way.get(client, server, "/ok");
            } catch (IOException e) {
                // It went out before the close came in.
                return true;
            }
            return answer.startsWith("c1 ");
        });
        assertEquals("c1", way.get(client, server, "/ok").substring(0, 2));
    }

    @Test
    void aStaleConnectionIsToldOfInHttpClientsWords() throws Exception {
        manager.setWatching(Watching.PROBE);
        start(Way.PLAIN);
        ConnectionEndpoint endpoint = open();
        manager.release(endpoint, null, TimeValue.NEG_ONE_MILLISECOND);
        // It closes what it knows of.
        server.peer(0);
        server.close();
        Eventually.await("the end to be seen", () -> {
            ConnectionEndpoint leased = lease();
            boolean isConnected = leased.isConnected();
            manager.release(leased, null, TimeValue.NEG_ONE_MILLISECOND);
            return !isConnected;
        });
        assertEquals(1, log.lines().stream().filter(line -> line.matches("FINE .*: id connection http-outgoing-\\d+ is stale")).count(),
                () -> log.lines().toString());
    }

    @Test
    void validationThatIsOffLooksAtNothing() throws Exception {
        startWith(LeaseholdHttpClientConnectionManagerBuilder.create().setDefaultConnectionConfig(
                ConnectionConfig.custom().setValidateAfterInactivity(TimeValue.NEG_ONE_MILLISECOND).build()));
        manager.setWatching(Watching.PROBE);
        manager.release(open(), null, TimeValue.NEG_ONE_MILLISECOND);
        server.peer(0);
        server.close();
        server.peer(0).awaitEnd();
        for (int i = 0; i < 3; i++) {
            ConnectionEndpoint leased = lease();
            assertTrue(leased.isConnected());
            manager.release(leased, null, TimeValue.NEG_ONE_MILLISECOND);
        }
    }

    @Test
    void aCheckOfAnApplicationsOwnIsAskedAfterTheTimeThatIsSet() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        startWith(LeaseholdHttpClientConnectionManagerBuilder.create().setConnectionFactory(socket -> seen(
                ManagedHttpClientConnectionFactory.INSTANCE.createConnection(socket), (method, arguments) -> {
                    if (method.getName().equals("isStale")) {
                        asked.incrementAndGet();
                    }
                })));
        assertEquals("c0 r1", get("/ok"));
        assertEquals("c0 r2", get("/ok"));
        assertEquals(0, asked.get());
        manager.setDefaultConnectionConfig(ConnectionConfig.custom().setValidateAfterInactivity(TimeValue.ZERO_MILLISECONDS).build());
        Eventually.await("it to be asked", () -> {
            get("/ok");
            return asked.get() > 0;
        });
        assertEquals(1, server.peers().size());
    }

    /** A connection of a class of its own, as HttpClient's could not be extended before 5.6, of whose calls somebody is told. */
    private static ManagedHttpClientConnection seen(ManagedHttpClientConnection connection, BiConsumer<Method, Object[]> told) {
        return (ManagedHttpClientConnection) Proxy.newProxyInstance(ManagerTest.class.getClassLoader(),
                new Class<?>[] {ManagedHttpClientConnection.class}, (proxy, method, arguments) -> {
                    told.accept(method, arguments);
                    try {
                        return method.invoke(connection, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theServersWordEndsAConnection(Way way) throws Exception {
        start(way);
        way.get(client, server, "/close");
        way.get(client, server, "/says-close");
        assertEquals(way.answer(2, 1), way.get(client, server, "/ok"));
        server.peer(1).awaitEnd();
        assertEquals(1, manager.getTotalStats().getAvailable());
    }

    @Test
    void theKeepAliveThatTheServerSaysIsKept() throws Exception {
        start(Way.PLAIN);
        get("/keep-alive?timeout=1");
        manager.closeExpired();
        assertEquals(1, manager.getTotalStats().getAvailable());
        Eventually.await("the second to be over", () -> {
            manager.closeExpired();
            return manager.getTotalStats().getAvailable() == 0;
        });
        assertEquals("c1 r1", get("/ok"));
    }

    @Test
    void timeToLiveCountsAtTheLeaseAndForCloseExpired() throws Exception {
        startWith(LeaseholdHttpClientConnectionManagerBuilder.create().setDefaultConnectionConfig(
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
    void theIdleTimeoutCountsForCloseExpired() throws Exception {
        ConnectionConfig.Builder config = ConnectionConfig.custom();
        boolean isThere = Arrays.stream(ConnectionConfig.Builder.class.getMethods()).anyMatch(
                method -> method.getName().equals("setIdleTimeout"));
        if (isThere) {
            ConnectionConfig.Builder.class.getMethod("setIdleTimeout", Timeout.class).invoke(config, Timeout.ofMilliseconds(300));
        }
        startWith(LeaseholdHttpClientConnectionManagerBuilder.create().setDefaultConnectionConfig(config.build()));
        get("/ok");
        if (!isThere) {
            manager.closeExpired();
            assertEquals(1, manager.getTotalStats().getAvailable());
        } else {
            Eventually.await("it to have been idle for too long", () -> {
                manager.closeExpired();
                return manager.getTotalStats().getAvailable() == 0;
            });
        }
    }

    @Test
    void idleConnectionsAreClosedOnDemand() throws Exception {
        start(Way.PLAIN);
        get("/ok");
        manager.closeIdle(TimeValue.ofHours(1));
        assertEquals(1, manager.getTotalStats().getAvailable());
        manager.closeIdle(TimeValue.ZERO_MILLISECONDS);
        assertEquals(0, manager.getTotalStats().getAvailable());
        server.peer(0).awaitEnd();
    }

    @Test
    void theClientsEvictorIsServed() throws Exception {
        start(Way.PLAIN);
        ConnPoolControl<HttpRoute> control = manager;
        get("/ok");
        IdleConnectionEvictor evictor = new IdleConnectionEvictor(control, TimeValue.ofMilliseconds(5), TimeValue.ofMilliseconds(50));
        evictor.start();
        Eventually.await("the evictor", () -> control.getTotalStats().getAvailable() == 0);
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
        List<ConnectionEndpoint> held = new ArrayList<>();
        held.add(open());
        LeaseRequest request = manager.lease("id", route(), Timeout.ofMilliseconds(50), null);
        TimeoutException thrown = assertThrows(TimeoutException.class, () -> request.get(Timeout.ofMilliseconds(50)));
        assertTrue(thrown.getMessage().startsWith("Timeout deadline: 50 MILLISECONDS, actual: "), thrown.getMessage());
        assertEquals("[leased: 1; pending: 0; available: 0; max: 1]", manager.getStats(route()).toString());
        assertEquals("[leased: 1; pending: 0; available: 0; max: 2]", manager.getTotalStats().toString());
        assertEquals(1, manager.getRoutes().size());
        manager.release(held.get(0), null, TimeValue.NEG_ONE_MILLISECOND);
        assertEquals("[leased: 0; pending: 0; available: 1; max: 1]", manager.getStats(route()).toString());
    }

    @Test
    void aRequestThatWaitsForTooLongFailsAsHttpClientsDoes() throws Exception {
        start(Way.PLAIN);
        manager.setDefaultMaxPerRoute(1);
        List<ConnectionEndpoint> held = new ArrayList<>();
        held.add(lease());
        try (CloseableHttpClient impatient = Way.PLAIN.builder(server, manager).setDefaultRequestConfig(
                RequestConfig.custom().setConnectionRequestTimeout(Timeout.ofMilliseconds(30)).build()).build()) {
            IOException thrown = assertThrows(IOException.class, () -> Way.PLAIN.get(impatient, server, "/ok"));
            assertEquals("ConnectionRequestTimeoutException", thrown.getClass().getSimpleName());
        }
        manager.release(held.get(0), null, null);
        assertEquals("c0 r1", get("/ok"));
    }

    @Test
    void aWaitingRequestEndsWithAnInterrupt() throws Exception {
        start(Way.PLAIN);
        manager.setDefaultMaxPerRoute(1);
        List<ConnectionEndpoint> held = new ArrayList<>();
        held.add(lease());
        FutureTask<String> request = new FutureTask<>(() -> get("/ok"));
        Thread thread = new Thread(request);
        thread.start();
        Eventually.await("it waits", () -> manager.getTotalStats().getPending() == 1);
        thread.interrupt();
        assertSame(InterruptedException.class,
                assertThrows(ExecutionException.class, request::get).getCause().getCause().getClass());
        assertEquals(0, manager.getTotalStats().getPending());
        manager.release(held.get(0), null, null);
    }

    @Test
    void aClosedManagerEndsWhoWaits() throws Exception {
        start(Way.PLAIN);
        manager.setDefaultMaxPerRoute(1);
        List<ConnectionEndpoint> held = new ArrayList<>();
        held.add(open());
        FutureTask<String> request = new FutureTask<>(() -> get("/ok"));
        new Thread(request).start();
        Eventually.await("it waits", () -> manager.getTotalStats().getPending() == 1);
        manager.close();
        assertTrue(assertThrows(ExecutionException.class, request::get).getCause() instanceof InterruptedIOException);
        server.peer(0).awaitEnd();
        manager.release(held.get(0), null, TimeValue.NEG_ONE_MILLISECOND);
        assertEquals("[leased: 0; pending: 0; available: 0; max: 25]", manager.getTotalStats().toString());
        assertThrows(IllegalStateException.class, this::lease);
    }

    @ParameterizedTest
    @EnumSource(CloseMode.class)
    void whatWasOpenedAfterTheCloseIsClosedAtTheReleaseAsTheManagerWas(CloseMode mode) throws Exception {
        List<Object> modes = new ArrayList<>();
        startWith(Way.manager().setConnectionFactory(socket -> seen(ManagedHttpClientConnectionFactory.INSTANCE.createConnection(socket),
                (method, arguments) -> {
                    if (method.getName().equals("close")) {
                        modes.addAll(Arrays.asList(arguments));
                    }
                })));
        ConnectionEndpoint endpoint = lease();
        manager.close(mode);
        modes.clear();
        manager.connect(endpoint, TimeValue.ofSeconds(10), HttpClientContext.create());
        assertEquals("[]", modes.toString());
        manager.release(endpoint, null, TimeValue.NEG_ONE_MILLISECOND);
        server.peer(0).awaitEnd();
        assertEquals("[" + mode + "]", modes.toString());
    }

    @Test
    void anEndpointThatWasLostGivesItsPlaceBackAndItsConnectionIsClosed() throws Exception {
        start(Way.PLAIN);
        manager.release(open(), null, TimeValue.NEG_ONE_MILLISECOND);
        assertTrue(lease().isConnected());
        Eventually.awaitAfterCollection("the place", () -> manager.getTotalStats().getLeased() == 0);
        server.peer(0).awaitEnd();
        Eventually.await("the warning", () -> log.lines().stream().anyMatch(line -> line.startsWith("WARNING " + MANAGER_LOG
                + ": Connection reclaimed by garbage collector, it was never released: [route: ")));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aResponseThatWasLostGivesItsPlaceBackAndItsConnectionIsClosedThoughItWasNew(Way way) throws Exception {
        // Held here, so that the JDK does not close their sockets.
        List<ManagedHttpClientConnection> made = remember(way);
        lose(way);
        Eventually.awaitAfterCollection("the place", () -> manager.getTotalStats().getLeased() == 0);
        Eventually.await("the end of its socket", () -> server.peer(0).hasEnded());
        Eventually.await("its end", () -> !made.get(0).isOpen());
    }

    @Test
    void anEndpointThatWasLostAfterItWasConnectedOnceMoreGivesItsPlaceBackAndItsConnectionIsClosed() throws Exception {
        List<ManagedHttpClientConnection> made = remember(Way.PLAIN);
        for (boolean isNew : new boolean[] {true, false}) {
            connectTwice();
            Eventually.awaitAfterCollection("the place", () -> manager.getTotalStats().getLeased() == 0);
            ManagedHttpClientConnection last = made.get(made.size() - 1);
            Eventually.await("its end", () -> !last.isOpen());
            if (isNew) {
                manager.release(open(), null, TimeValue.NEG_ONE_MILLISECOND);
            }
        }
        assertEquals(4, made.size());
    }

    private void connectTwice() throws Exception {
        ConnectionEndpoint endpoint = open();
        endpoint.close();
        manager.connect(endpoint, TimeValue.ofSeconds(10), HttpClientContext.create());
        assertTrue(endpoint.isConnected());
    }

    /** Starts this way, and holds on to all connections that are made. */
    private List<ManagedHttpClientConnection> remember(Way way) throws IOException {
        List<ManagedHttpClientConnection> made = new ArrayList<>();
        manager.close();
        manager = Way.manager().setConnectionFactory(socket -> {
            made.add(ManagedHttpClientConnectionFactory.INSTANCE.createConnection(socket));
            return made.get(made.size() - 1);
        }).build();
        start(way);
        return made;
    }

    @SuppressWarnings("deprecation") // Who is handed a response has to close it, and may forget.
    private void lose(Way way) throws IOException {
        CloseableHttpResponse response = client.execute(way.request(server, "/big"));
        assertEquals(200, response.getCode());
    }

    /** HttpClient's code gives it back after exceptions alone. */
    @Test
    void anEndpointThatAnErrorKeepsFromBeingMadeGivesItsPlaceBack() throws Exception {
        AssertionError failure = new AssertionError("a factory that fails");
        startWith(Way.manager().setConnectionFactory(socket -> {
            throw failure;
        }));
        assertSame(failure, assertThrows(AssertionError.class, this::lease));
        assertEquals(0, manager.getTotalStats().getLeased());
    }

    @Test
    void aRequestIsCancelledOnceAndAnEndpointHasItsEntryUntilItIsReleased() throws Exception {
        start(Way.PLAIN);
        manager.setDefaultMaxPerRoute(1);
        ConnectionEndpoint endpoint = open();
        assertTrue(Endpoints.entryOf(endpoint).hasConnection());
        LeaseRequest waiting = manager.lease("id", route(), Timeout.ofMinutes(1), null);
        assertTrue(waiting.cancel());
        assertFalse(waiting.cancel());
        manager.release(endpoint, null, null);
        assertNull(Endpoints.entryOf(endpoint));
        assertNull(Endpoints.entryOf((ConnectionEndpoint) null));
    }

    @Test
    void whatHttpClientRefusesIsRefused() throws Exception {
        start(Way.PLAIN);
        assertThrows(NullPointerException.class, () -> manager.lease("id", null, Timeout.ofSeconds(1), null));
        assertThrows(NullPointerException.class, () -> manager.release(null, null, null));
        assertThrows(NullPointerException.class, () -> manager.connect(null, null, null));
        assertThrows(IllegalArgumentException.class, () -> manager.setMaxTotal(0));
        assertThrows(IllegalArgumentException.class, () -> manager.setDefaultMaxPerRoute(-1));
        assertThrows(IllegalArgumentException.class, () -> manager.setWatching(null));
        assertThrows(IllegalArgumentException.class, () -> manager.setTcpKeepAlive(0, 1, 1));
        ConnectionEndpoint endpoint = open();
        manager.release(endpoint, null, TimeValue.NEG_ONE_MILLISECOND);
        manager.release(endpoint, null, TimeValue.NEG_ONE_MILLISECOND);
        assertEquals("[leased: 0; pending: 0; available: 1; max: 25]", manager.getTotalStats().toString());
        assertThrows(RuntimeException.class, endpoint::isConnected);
    }

    @Test
    void aConnectionWithBytesThatNobodyAskedForIsNotUsed() throws Exception {
        manager.setWatching(Watching.PROBE);
        start(Way.PLAIN);
        get("/goodbye");
        server.proceed();
        Eventually.await("the bytes", () -> server.proceeded() == 1);
        Eventually.await("their arrival", () -> {
            ConnectionEndpoint leased = lease();
            boolean isConnected = leased.isConnected();
            manager.release(leased, null, TimeValue.NEG_ONE_MILLISECOND);
            return !isConnected;
        });
    }

    /** HttpClient's code logs what it has taken from its endpoint and not yet given back. */
    @Test
    void anEndpointWhoseReleaseFailsGivesItsPlaceBack() throws Exception {
        start(Way.PLAIN);
        ConnectionEndpoint endpoint = open();
        FailingLog.failWith(MANAGER_LOG, () -> manager.release(endpoint, null, TimeValue.NEG_ONE_MILLISECOND));
        assertEquals("[leased: 0; pending: 0; available: 0; max: 25]", manager.getTotalStats().toString());
        server.peer(0).awaitEnd();
    }

    /** Which has HttpClient's code forget its pool. */
    @Test
    void aManagerWhoseLoggerFailsIsClosedAllTheSame() throws Exception {
        start(Way.PLAIN);
        manager.release(open(), null, TimeValue.NEG_ONE_MILLISECOND);
        FailingLog.failWith(MANAGER_LOG, () -> manager.close(CloseMode.IMMEDIATE));
        server.peer(0).awaitEnd();
        assertEquals("[leased: 0; pending: 0; available: 0; max: 25]", manager.getTotalStats().toString());
        assertThrows(IllegalStateException.class, this::lease);
    }

    @Test
    void aConfigurationByRouteIsThatOfItsConnections() throws Exception {
        start(Way.PLAIN);
        manager.release(open(), null, TimeValue.NEG_ONE_MILLISECOND);
        List<HttpRoute> asked = new ArrayList<>();
        manager.setConnectionConfigResolver(route -> {
            asked.add(route);
            return ConnectionConfig.custom().setTimeToLive(TimeValue.ofMilliseconds(1)).build();
        });
        Eventually.await("the end of its life", () -> {
            ConnectionEndpoint endpoint = lease();
            boolean isConnected = endpoint.isConnected();
            manager.release(endpoint, null, TimeValue.NEG_ONE_MILLISECOND);
            return !isConnected;
        });
        assertTrue(asked.contains(route()));
        manager.setConnectionConfigResolver(null);
    }

    /** All that it has of a pool's. */
    @Test
    void itIsItsPools() throws Exception {
        ManualClock clock = new ManualClock();
        manager.close();
        manager = clock.driving(() -> Way.manager().build());
        start(Way.PLAIN);
        manager.setName("orders");
        assertEquals("orders", manager.getName());
        manager.measureHeld(true);
        ConnectionEndpoint endpoint = lease();
        assertEquals(1, manager.getPool().stats().leased());
        clock.advance(7, TimeUnit.MILLISECONDS);
        manager.release(endpoint, null, TimeValue.NEG_ONE_MILLISECOND);
        assertEquals(7, manager.getMetrics().held().sum(TimeUnit.MILLISECONDS));
        assertEquals(1, manager.getMetrics().leases());
    }

    @Test
    void tcpKeepAliveIsSetOnWhatIsConnected() throws Exception {
        List<ManagedHttpClientConnection> made = new ArrayList<>();
        startWith(LeaseholdHttpClientConnectionManagerBuilder.create()
                .setDefaultSocketConfig(SocketConfig.custom().setSoKeepAlive(false).build())
                .setConnectionFactory(socket -> {
                    ManagedHttpClientConnection connection = ManagedHttpClientConnectionFactory.INSTANCE.createConnection(socket);
                    made.add(connection);
                    return connection;
                }));
        manager.setTcpKeepAlive(30, 5, 3);
        get("/ok");
        Socket socket = made.get(0).getSocket();
        assertTrue(socket.getKeepAlive());
        manager.disableTcpKeepAlive();
        manager.closeIdle(TimeValue.ZERO_MILLISECONDS);
        get("/ok");
        assertFalse(made.get(1).getSocket().getKeepAlive());
    }
}
