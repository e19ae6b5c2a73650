package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import io.leasehold.testsupport.Threads;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.TlsConfig;
import org.apache.hc.client5.http.impl.ConnectionShutdownException;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.nio.AsyncClientConnectionOperator;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.BasicFuture;
import org.apache.hc.core5.concurrent.CallbackContribution;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.concurrent.FutureContribution;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.HttpVersion;
import org.apache.hc.core5.http.Message;
import org.apache.hc.core5.http.URIScheme;
import org.apache.hc.core5.http.impl.bootstrap.HttpAsyncRequester;
import org.apache.hc.core5.http.impl.bootstrap.HttpAsyncServer;
import org.apache.hc.core5.http.nio.AsyncRequestConsumer;
import org.apache.hc.core5.http.nio.AsyncServerRequestHandler;
import org.apache.hc.core5.http.nio.entity.DiscardingEntityConsumer;
import org.apache.hc.core5.http.nio.entity.StringAsyncEntityConsumer;
import org.apache.hc.core5.http.nio.support.AsyncResponseBuilder;
import org.apache.hc.core5.http.nio.support.BasicClientExchangeHandler;
import org.apache.hc.core5.http.nio.support.BasicRequestConsumer;
import org.apache.hc.core5.http.nio.support.BasicRequestProducer;
import org.apache.hc.core5.http.nio.support.BasicResponseConsumer;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.http2.HttpVersionPolicy;
import org.apache.hc.core5.http2.config.H2Config;
import org.apache.hc.core5.http2.impl.nio.bootstrap.H2RequesterBootstrap;
import org.apache.hc.core5.http2.impl.nio.bootstrap.H2ServerBootstrap;
import org.apache.hc.core5.http2.nio.command.PingCommand;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.pool.PoolStats;
import org.apache.hc.core5.reactor.ConnectionInitiator;
import org.apache.hc.core5.reactor.IOReactorConfig;
import org.apache.hc.core5.reactor.IOSession;
import org.apache.hc.core5.reactor.ListenerEndpoint;
import org.apache.hc.core5.util.DeadlineTimeoutException;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Endpoints that share a connection, with a server of HTTP/2 in this JVM, which answers when it is told to. */
class AsyncSharingTest {
    private static final int STREAMS = 10;
    private static final Timeout TIMEOUT = Timeout.ofMinutes(3);

    private final LogCapture log = LogCapture.of(PoolingAsyncClientConnectionManager.class.getName());
    /** What the server has yet to answer. */
    private final Queue<Runnable> held = new ConcurrentLinkedQueue<>();
    private final HttpAsyncServer server = H2ServerBootstrap.bootstrap()
            .setVersionPolicy(HttpVersionPolicy.FORCE_HTTP_2)
            .setH2Config(H2Config.custom().setMaxConcurrentStreams(STREAMS).setPushEnabled(false).build())
            .register("*", new Handler())
            .create();
    private final HttpAsyncRequester reactor = H2RequesterBootstrap.bootstrap()
            .setVersionPolicy(HttpVersionPolicy.FORCE_HTTP_2)
            .setH2Config(H2Config.custom().setPushEnabled(false).build())
            .setIOReactorConfig(IOReactorConfig.custom().setSoTimeout(TIMEOUT).build())
            .create();
    private final AsyncParts parts = new AsyncParts(null, null, null, false, null, true);
    private final LeaseholdAsyncClientConnectionManager manager = new LeaseholdAsyncClientConnectionManager(parts);
    private int port;

    /** Answers /held when it is told to, all else at once. */
    private final class Handler implements AsyncServerRequestHandler<Message<HttpRequest, Void>> {
        @Override
        public AsyncRequestConsumer<Message<HttpRequest, Void>> prepare(HttpRequest request, EntityDetails entity, HttpContext context) {
            return new BasicRequestConsumer<>(new DiscardingEntityConsumer<>());
        }

        @Override
        public void handle(Message<HttpRequest, Void> request, ResponseTrigger trigger, HttpContext context) {
            Runnable answer = () -> {
                try {
                    trigger.submitResponse(AsyncResponseBuilder.create(200).setEntity("ok").build(), context);
                } catch (Exception e) {
                    // Its stream is gone.
                }
            };
            if (request.getHead().getPath().equals("/held")) {
                held.add(answer);
            } else {
                answer.run();
            }
        }
    }

    @BeforeEach
    void start() throws Exception {
        server.start();
        ListenerEndpoint listener = server.listen(new InetSocketAddress("localhost", 0), URIScheme.HTTP).get();
        port = ((InetSocketAddress) listener.getAddress()).getPort();
        reactor.start();
        manager.setDefaultTlsConfig(TlsConfig.custom().setVersionPolicy(HttpVersionPolicy.FORCE_HTTP_2).build());
        manager.setDefaultMaxPerRoute(1);
    }

    @AfterEach
    void close() {
        manager.close(CloseMode.IMMEDIATE);
        reactor.close(CloseMode.IMMEDIATE);
        server.close(CloseMode.IMMEDIATE);
        log.close();
    }

    private HttpRoute route() {
        return new HttpRoute(new HttpHost("http", "localhost", port));
    }

    private Future<AsyncConnectionEndpoint> request(Object state) {
        return manager.lease("id", route(), state, Timeout.DISABLED, null);
    }

    private AsyncConnectionEndpoint connect(AsyncConnectionEndpoint endpoint) throws Exception {
        return requestConnection(endpoint).get();
    }

    private Future<AsyncConnectionEndpoint> requestConnection(AsyncConnectionEndpoint endpoint) {
        return manager.connect(endpoint, reactor, Timeout.ofMinutes(1), null, HttpClientContext.create(), null);
    }

    /** Endpoints that share one connection, which has proven itself. */
    private List<AsyncConnectionEndpoint> share(int endpoints) throws Exception {
        List<AsyncConnectionEndpoint> all = new ArrayList<>();
        all.add(connect(request(null).get()));
        while (all.size() < endpoints + 1) {
            all.add(request(null).get());
        }
        release(all.remove(endpoints));
        assertEquals(1, manager.getTotalStats().getLeased());
        return all;
    }

    private Future<Message<HttpResponse, String>> send(AsyncConnectionEndpoint endpoint, String path) {
        return send(endpoint, path, new BasicResponseConsumer<>(new StringAsyncEntityConsumer()));
    }

    private Future<Message<HttpResponse, String>> send(
            AsyncConnectionEndpoint endpoint, String path, BasicResponseConsumer<String> consumer) {
        BasicFuture<Message<HttpResponse, String>> answer = new BasicFuture<>(null);
        endpoint.execute("id", new BasicClientExchangeHandler<>(
                new BasicRequestProducer(org.apache.hc.core5.http.Method.GET, new HttpHost("http", "localhost", port), path),
                consumer,
                new FutureContribution<Message<HttpResponse, String>>(answer) {
                    @Override
                    public void completed(Message<HttpResponse, String> result) {
                        answer.completed(result);
                    }
                }), HttpClientContext.create());
        return answer;
    }

    private void awaitHeld(int requests) throws Exception {
        Eventually.await("the server to have the requests", () -> held.size() == requests);
    }

    private void answerAll() {
        for (Runnable answer = held.poll(); answer != null; answer = held.poll()) {
            answer.run();
        }
    }

    private void release(AsyncConnectionEndpoint endpoint) {
        manager.release(endpoint, null, TimeValue.NEG_ONE_MILLISECOND);
    }

    private void assertNumbers(int leased, int pending, int available) {
        PoolStats stats = manager.getTotalStats();
        assertEquals(leased + " " + pending + " " + available, stats.getLeased() + " " + stats.getPending() + " " + stats.getAvailable());
    }

    /** Nor does who waits then have to wait for another to be done. */
    @Test
    void aSuspendedPoolSharesNothingBeforeItIsResumed() throws Exception {
        List<AsyncConnectionEndpoint> sharing = share(2);
        manager.getPool().suspend();
        Future<AsyncConnectionEndpoint> waiting = request(null);
        release(sharing.remove(1));
        assertFalse(waiting.isDone());
        assertNumbers(1, 1, 0);
        manager.getPool().resume();
        AsyncConnectionEndpoint served = waiting.get(1, TimeUnit.MINUTES);
        assertEquals("ok", send(served, "/ok").get().getBody());
        assertNumbers(1, 0, 0);
        release(served);
        release(sharing.get(0));
        assertNumbers(0, 0, 1);
    }

    @Test
    void whoWaitsGetsAStreamAsSoonAsTheConnectionHasProvenItself() throws Exception {
        AsyncConnectionEndpoint first = request(null).get();
        List<Future<AsyncConnectionEndpoint>> others = new ArrayList<>();
        for (int i = 1; i <= STREAMS; i++) {
            others.add(request(null));
        }
        assertNumbers(1, STREAMS, 0);
        connect(first);
        for (Future<AsyncConnectionEndpoint> other : others.subList(0, STREAMS - 1)) {
            assertEquals("ok", send(other.get(), "/ok").get().getBody());
        }
        // The last is beyond the server's limit.
        assertNumbers(1, 1, 0);
        assertFalse(others.get(STREAMS - 1).isDone());
        release(first);
        assertTrue(others.get(STREAMS - 1).isDone());
        for (Future<AsyncConnectionEndpoint> other : others) {
            release(other.get());
        }
        assertNumbers(0, 0, 1);
    }

    @Test
    void anEndpointThatIsClosedEndsItsOwnExchangeAlone() throws Exception {
        List<AsyncConnectionEndpoint> all = share(2);
        Future<Message<HttpResponse, String>> first = send(all.get(0), "/held");
        Future<Message<HttpResponse, String>> second = send(all.get(1), "/held");
        awaitHeld(2);
        all.get(0).close(CloseMode.IMMEDIATE);
        assertFalse(all.get(0).isConnected());
        release(all.get(0));
        assertNumbers(1, 0, 0);
        // It is shared no further.
        Future<AsyncConnectionEndpoint> third = request(null);
        assertFalse(third.isDone());
        answerAll();
        assertEquals("ok", second.get().getBody());
        assertThrows(ExecutionException.class, first::get);
        release(all.get(1));
        assertFalse(third.get().isConnected());
        release(third.get());
        assertNumbers(0, 0, 0);
    }

    @Test
    void whatWasClosedOnceIsClosedWithoutAnybodysHarmAgain() throws Exception {
        List<AsyncConnectionEndpoint> all = share(2);
        for (AsyncConnectionEndpoint endpoint : all) {
            ManagedAsyncClientConnection before = Endpoints.entryOf(endpoint).getConnection();
            endpoint.close(CloseMode.GRACEFUL);
            before.close(CloseMode.IMMEDIATE);
        }
        // The first has no place, the second, which was alone then, has its own still.
        ManagedAsyncClientConnection before = Endpoints.entryOf(connect(all.get(1))).getConnection();
        connection(all.get(1)).close(CloseMode.IMMEDIATE);
        all.get(1).close(CloseMode.GRACEFUL);
        connect(all.get(1));
        before.close(CloseMode.IMMEDIATE);
        assertEquals("ok", send(all.get(1), "/ok").get().getBody());
        all.forEach(this::release);
        assertNumbers(0, 0, 1);
    }

    @Test
    void anEndpointHasOneConnectionAtATime() throws Exception {
        AsyncConnectionEndpoint alone = share(1).get(0);
        assertThrows(ConnectionShutdownException.class, () -> parts.sharing.opened(Endpoints.entryOf(alone), connection(alone)));
        assertEquals("ok", send(alone, "/ok").get().getBody());
        release(alone);
        assertNumbers(0, 0, 1);
    }

    @Test
    void anEndpointThatHasLostItsPlaceWaitsForAnother() throws Exception {
        List<AsyncConnectionEndpoint> all = share(2);
        all.get(0).close(CloseMode.GRACEFUL);
        Future<AsyncConnectionEndpoint> again = requestConnection(all.get(0));
        assertFalse(again.isDone());
        assertNumbers(1, 1, 0);
        assertEquals("ok", send(all.get(1), "/ok").get().getBody());
        release(all.get(1));
        assertEquals("ok", send(again.get(), "/ok").get().getBody());
        assertNumbers(1, 0, 0);
        release(all.get(0));
        assertNumbers(0, 0, 1);
    }

    /** The first of two that shared a connection and have closed it, which has no place any more. */
    private static AsyncConnectionEndpoint closeFirst(List<AsyncConnectionEndpoint> sharing) {
        AsyncConnectionEndpoint first = sharing.get(0);
        first.close(CloseMode.GRACEFUL);
        return first;
    }

    @Test
    void whoHasLostHisPlaceWaitsForNoLongerThanConnectingMayTake() throws Exception {
        List<AsyncConnectionEndpoint> all = share(2);
        AsyncConnectionEndpoint first = closeFirst(all);
        Timeout moments = Timeout.ofMilliseconds(20);
        manager.setDefaultConnectionConfig(ConnectionConfig.custom().setConnectTimeout(moments).build());
        for (Timeout given : new Timeout[] {null, moments}) {
            Future<AsyncConnectionEndpoint> again = manager.connect(first, reactor, given, null, HttpClientContext.create(), null);
            Eventually.await("its end", again::isDone);
            assertSame(DeadlineTimeoutException.class, assertThrows(ExecutionException.class, again::get).getCause().getClass());
            manager.setDefaultConnectionConfig(null);
        }
        all.forEach(this::release);
        assertNumbers(0, 0, 0);
    }

    @Test
    void whoHasLostHisPlaceAndGivesUpWaitsNoLonger() throws Exception {
        List<AsyncConnectionEndpoint> all = share(2);
        Future<AsyncConnectionEndpoint> again = requestConnection(closeFirst(all));
        assertNumbers(1, 1, 0);
        assertTrue(again.cancel(true));
        assertNumbers(1, 0, 0);
        all.forEach(this::release);
        assertNumbers(0, 0, 0);
    }

    @Test
    void whoGivesUpWhileHeIsConnectedInANewPlaceEndsThat() throws Exception {
        List<AsyncConnectionEndpoint> all = share(2);
        manager.setDefaultMaxPerRoute(2);
        BasicFuture<IOSession> connecting = new BasicFuture<>(null);
        ConnectionInitiator never = (to, remote, local, timeout, attachment, callback) -> connecting;
        Future<AsyncConnectionEndpoint> again = manager.connect(closeFirst(all), never, null, null, HttpClientContext.create(), null);
        assertFalse(again.isDone());
        assertTrue(again.cancel(true));
        assertTrue(connecting.isCancelled());
        all.forEach(this::release);
        assertNumbers(0, 0, 0);
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private static Object call(Object object, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(object, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /** HttpClient's operator, but that of its connections somebody else is asked first, and that an upgrade is only told of. */
    @SuppressWarnings("unchecked") // What is told of a connection is told at last.
    private static AsyncClientConnectionOperator operator(Runnable upgrade, BiFunction<String, Object[], Object> first) {
        AsyncClientConnectionOperator stock = ReactorOperator.stock(null, null, null, false);
        return proxy(AsyncClientConnectionOperator.class, (self, method, arguments) -> {
            int last = arguments.length - 1;
            FutureCallback<ManagedAsyncClientConnection> callback = (FutureCallback<ManagedAsyncClientConnection>) arguments[last];
            if (method.getName().equals("upgrade")) {
                upgrade.run();
                callback.completed((ManagedAsyncClientConnection) arguments[0]);
                return null;
            }
            Object[] observed = arguments.clone();
            observed[last] = new CallbackContribution<ManagedAsyncClientConnection>(callback) {
                @Override
                public void completed(ManagedAsyncClientConnection connection) {
                    callback.completed(proxy(ManagedAsyncClientConnection.class, (proxy, asked, with) -> {
                        Object answer = first.apply(asked.getName(), with);
                        return answer != null ? answer : call(connection, asked, with);
                    }));
                }
            };
            return call(stock, method, observed);
        });
    }

    private static LeaseholdAsyncClientConnectionManager manager(AsyncClientConnectionOperator operator) {
        return manager(new AsyncParts(operator, null, null, true));
    }

    private static LeaseholdAsyncClientConnectionManager manager(AsyncParts parts) {
        LeaseholdAsyncClientConnectionManager manager = new LeaseholdAsyncClientConnectionManager(parts);
        manager.setDefaultTlsConfig(TlsConfig.custom().setVersionPolicy(HttpVersionPolicy.FORCE_HTTP_2).build());
        manager.setDefaultMaxPerRoute(1);
        return manager;
    }

    /** Its user has it, and nobody else gives it back, be it that he has given it back himself. */
    @Test
    void whatIsHandedOutIsItsUsersThoughItCannotBeAsked() throws Exception {
        AtomicBoolean fails = new AtomicBoolean();
        try (LogCapture warnings = LogCapture.of(LeaseholdConnPool.class);
                LeaseholdAsyncClientConnectionManager failing = manager(operator(() -> {}, (method, arguments) -> {
                    if (fails.get() && method.equals("submitCommand")) {
                        throw new IllegalStateException("a connection that fails");
                    }
                    return null;
                }))) {
            // Bound to somebody it has not been asked whether it speaks HTTP/2.
            AsyncConnectionEndpoint first = failing.lease("id", route(), "somebody", Timeout.DISABLED, null).get();
            failing.connect(first, reactor, Timeout.ofMinutes(1), null, HttpClientContext.create(), null).get();
            failing.release(first, null, TimeValue.NEG_ONE_MILLISECOND);
            fails.set(true);
            AsyncConnectionEndpoint next = failing.lease("id", route(), null, Timeout.DISABLED, null).get(1, TimeUnit.MINUTES);
            assertTrue(next.isConnected());
            assertEquals(1, failing.getTotalStats().getLeased());
            failing.release(next, null, TimeValue.NEG_ONE_MILLISECOND);
            assertEquals(1, failing.getTotalStats().getAvailable());
            AtomicBoolean isReleased = new AtomicBoolean();
            failing.lease("id", route(), null, Timeout.DISABLED, new Ended() {
                @Override
                public void completed(AsyncConnectionEndpoint endpoint) {
                    failing.release(endpoint, null, TimeValue.NEG_ONE_MILLISECOND);
                    isReleased.set(true);
                }
            });
            assertTrue(isReleased.get());
            assertEquals(1, failing.getTotalStats().getAvailable());
            assertEquals(Collections.emptyList(), warnings.lines());
        }
    }

    @Test
    void whatSpeaksHttp2SinceItsUpgradeIsShared() throws Exception {
        AtomicBoolean isUpgraded = new AtomicBoolean();
        try (LeaseholdAsyncClientConnectionManager upgrading = manager(operator(() -> isUpgraded.set(true),
                (method, arguments) -> method.equals("getProtocolVersion") && !isUpgraded.get() ? HttpVersion.HTTP_1_1 : null))) {
            AsyncConnectionEndpoint first = upgrading.lease("id", route(), null, Timeout.DISABLED, null).get();
            upgrading.connect(first, reactor, Timeout.ofMinutes(1), null, HttpClientContext.create(), null).get();
            Future<AsyncConnectionEndpoint> second = upgrading.lease("id", route(), null, Timeout.DISABLED, null);
            BasicFuture<AsyncConnectionEndpoint> upgraded = new BasicFuture<>(null);
            upgrading.upgrade(first, null, HttpClientContext.create(), new Ended() {
                @Override
                public void completed(AsyncConnectionEndpoint endpoint) {
                    upgraded.completed(endpoint);
                }
            });
            assertSame(first, upgraded.get(1, TimeUnit.MINUTES));
            assertSame(connection(first), connection(second.get(1, TimeUnit.MINUTES)));
            upgrading.upgrade(first, null, HttpClientContext.create(), null);
            upgrading.release(first, null, TimeValue.NEG_ONE_MILLISECOND);
            upgrading.release(second.get(), null, TimeValue.NEG_ONE_MILLISECOND);
        }
    }

    @Test
    void anEndpointThatHasLostItsPlaceSharesAnothersConnection() throws Exception {
        List<AsyncConnectionEndpoint> all = share(2);
        manager.setDefaultMaxPerRoute(2);
        all.get(0).close(CloseMode.GRACEFUL);
        AsyncConnectionEndpoint third = connect(request(null).get());
        assertNumbers(2, 0, 0);
        // Which is had when that connection has proven itself.
        release(request(null).get());
        assertEquals("ok", send(connect(all.get(0)), "/ok").get().getBody());
        assertNumbers(2, 0, 0);
        all.forEach(this::release);
        release(third);
        assertNumbers(0, 0, 1);
    }

    @Test
    void anEndpointThatIsAloneKeepsItsPlaceWhenItIsClosed() throws Exception {
        AsyncConnectionEndpoint alone = connect(request(null).get());
        alone.close(CloseMode.IMMEDIATE);
        assertEquals("ok", send(connect(alone), "/ok").get().getBody());
        Future<AsyncConnectionEndpoint> second = request(null);
        assertEquals("ok", send(second.get(), "/ok").get().getBody());
        release(alone);
        release(second.get());
        assertNumbers(0, 0, 1);
    }

    /**
     * The reactor tells whoever has a stream that the connection has failed, and closes it after that. Meanwhile another sends over it, who
     * has a share.
     */
    @Test
    void whatIsSentOverAConnectionThatIsJustBeingClosedIsAnswered() throws Exception {
        List<AsyncConnectionEndpoint> all = share(2);
        AtomicReference<Future<Message<HttpResponse, String>>> second = new AtomicReference<>();
        BasicResponseConsumer<String> failing = new BasicResponseConsumer<String>(new StringAsyncEntityConsumer()) {
            @Override
            public void consumeResponse(HttpResponse response, EntityDetails entity, HttpContext context,
                    FutureCallback<Message<HttpResponse, String>> callback) throws IOException {
                throw new IOException("nothing that could be read");
            }

            @Override
            public void failed(Exception cause) {
                if (second.get() == null) {
                    second.set(send(all.get(1), "/ok"));
                }
            }
        };
        send(all.get(0), "/ok", failing);
        Eventually.await("the second to be sent", () -> second.get() != null);
        assertThrows(ExecutionException.class, second.get()::get);
        all.forEach(this::release);
        assertNumbers(0, 0, 0);
    }

    @Test
    void whatIsBoundToSomebodyIsSharedNoFurther() throws Exception {
        List<AsyncConnectionEndpoint> all = share(2);
        manager.release(all.get(0), "somebody", TimeValue.NEG_ONE_MILLISECOND);
        Future<AsyncConnectionEndpoint> third = request(null);
        assertFalse(third.isDone());
        assertEquals("ok", send(all.get(1), "/ok").get().getBody());
        release(all.get(1));
        assertFalse(third.get().isConnected());
        release(third.get());
    }

    @Test
    void whoAsksForSomebodySharesNothing() throws Exception {
        List<AsyncConnectionEndpoint> all = share(1);
        Future<AsyncConnectionEndpoint> bound = request("somebody");
        assertFalse(bound.isDone());
        // Nor is he passed by who comes later.
        Future<AsyncConnectionEndpoint> later = request(null);
        assertFalse(later.isDone());
        release(all.get(0));
        AsyncConnectionEndpoint endpoint = bound.get();
        assertFalse(later.isDone());
        release(endpoint);
        release(later.get());
    }

    @Test
    void whoWaitsNoLongerHoldsUpNobody() throws Exception {
        List<AsyncConnectionEndpoint> all = share(1);
        Future<AsyncConnectionEndpoint> bound = request("somebody");
        Future<AsyncConnectionEndpoint> later = request(null);
        assertFalse(later.isDone());
        assertTrue(bound.cancel(true));
        assertTrue(later.isDone());
        release(later.get());
        release(all.get(0));
        assertNumbers(0, 0, 1);
    }

    @Test
    void aConnectionThatMayNotLiveIsNotShared() throws Exception {
        List<AsyncConnectionEndpoint> all = share(1);
        manager.setDefaultConnectionConfig(ConnectionConfig.custom().setTimeToLive(TimeValue.ZERO_MILLISECONDS).build());
        Future<AsyncConnectionEndpoint> second = request(null);
        assertFalse(second.isDone());
        release(all.get(0));
        assertFalse(second.get().isConnected());
        release(second.get());
    }

    /** What HttpClient's code is shown of it is new at every lease. */
    @Test
    void whatHasLivedForTooLongIsNotLeasedAgain() throws Exception {
        AsyncConnectionEndpoint first = connect(request(null).get());
        ReactorConnection connection = connection(first);
        release(first);
        long released = System.currentTimeMillis();
        Eventually.await("its time to be over", () -> System.currentTimeMillis() > released + 1);
        manager.setDefaultConnectionConfig(ConnectionConfig.custom().setTimeToLive(TimeValue.ofMilliseconds(1)).build());
        AsyncConnectionEndpoint next = request(null).get();
        assertFalse(next.isConnected());
        Eventually.await("its end", () -> !connection.isOpen());
        release(next);
        assertNumbers(0, 0, 0);
    }

    @Test
    void anIdleConnectionIsValidatedByAPingWhereThatIsSet() throws Exception {
        for (int millis : new int[] {0, 1}) {
            manager.setDefaultConnectionConfig(
                    ConnectionConfig.custom().setValidateAfterInactivity(millis, TimeUnit.MILLISECONDS).build());
            AsyncConnectionEndpoint endpoint = request(null).get();
            if (!endpoint.isConnected()) {
                connect(endpoint);
            }
            release(endpoint);
            long released = System.currentTimeMillis();
            Eventually.await("it to be due", () -> System.currentTimeMillis() > released + 2);
            AsyncConnectionEndpoint again = request(null).get();
            assertTrue(again.isConnected());
            assertEquals("ok", send(again, "/ok").get().getBody());
            release(again);
        }
    }

    /** Runs a step on the thread that serves an endpoint's connection: it reads nothing meanwhile. */
    private void onItsThread(AsyncConnectionEndpoint endpoint, Callable<?> step) throws Exception {
        FutureTask<?> task = new FutureTask<>(step);
        Future<?> answer = send(endpoint, "/ok", new BasicResponseConsumer<String>(new StringAsyncEntityConsumer()) {
            @Override
            public void consumeResponse(HttpResponse response, EntityDetails entity, HttpContext context,
                    FutureCallback<Message<HttpResponse, String>> callback) throws HttpException, IOException {
                task.run();
                super.consumeResponse(response, entity, context, callback);
            }
        });
        task.get(1, TimeUnit.MINUTES);
        answer.get(1, TimeUnit.MINUTES);
    }

    /** Gives back an endpoint that is alone, so that the next who gets its connection has to wait for the answer to a ping. */
    private void releaseUntilAPingIsDue(AsyncConnectionEndpoint alone) throws Exception {
        release(alone);
        long released = System.currentTimeMillis();
        Eventually.await("it to be due", () -> System.currentTimeMillis() > released + 2);
    }

    private AsyncConnectionEndpoint connectToBeValidated() throws Exception {
        manager.setDefaultConnectionConfig(ConnectionConfig.custom().setValidateAfterInactivity(1, TimeUnit.MILLISECONDS).build());
        return share(1).get(0);
    }

    @Test
    void whoGivesUpDuringAPingLeavesTheConnectionToTheNext() throws Exception {
        AsyncConnectionEndpoint first = connectToBeValidated();
        ReactorConnection connection = connection(first);
        onItsThread(first, () -> {
            releaseUntilAPingIsDue(first);
            Future<AsyncConnectionEndpoint> asked = request(null);
            assertFalse(asked.isDone());
            assertTrue(asked.cancel(true));
            return null;
        });
        Eventually.await("its connection to be idle", () -> manager.getTotalStats().getLeased() == 0);
        assertNumbers(0, 0, 1);
        AsyncConnectionEndpoint next = request(null).get(1, TimeUnit.MINUTES);
        assertSame(connection, connection(next));
        release(next);
    }

    @Test
    void whoeverWaitsDuringAPingSharesTheConnectionAfterwards() throws Exception {
        AsyncConnectionEndpoint first = connectToBeValidated();
        List<Future<AsyncConnectionEndpoint>> asked = new ArrayList<>();
        onItsThread(first, () -> {
            releaseUntilAPingIsDue(first);
            asked.add(request(null));
            asked.add(request(null));
            assertFalse(asked.get(0).isDone());
            assertFalse(asked.get(1).isDone());
            return null;
        });
        for (Future<AsyncConnectionEndpoint> each : asked) {
            assertEquals("ok", send(each.get(1, TimeUnit.MINUTES), "/ok").get().getBody());
        }
        assertNumbers(1, 0, 0);
        release(asked.get(0).get());
        release(asked.get(1).get());
        assertNumbers(0, 0, 1);
    }

    @Test
    void aServerThatIsSilentDuringAPingIsWaitedForAsLongAsWhoIsAskedForAnythingElse() throws Exception {
        AsyncConnectionEndpoint first = connectToBeValidated();
        ReactorConnection connection = connection(first);
        onItsThread(first, () -> {
            releaseUntilAPingIsDue(first);
            assertEquals(Timeout.ZERO_MILLISECONDS, connection.getSocketTimeout());
            Future<AsyncConnectionEndpoint> asked = request(null);
            assertFalse(asked.isDone());
            assertEquals(TIMEOUT, connection.getSocketTimeout());
            return asked.cancel(true);
        });
    }

    @Test
    void whatDoesNotAnswerAPingAsItShouldIsNotLeased() throws Exception {
        AtomicBoolean lies = new AtomicBoolean();
        try (LeaseholdAsyncClientConnectionManager validating = manager(operator(() -> {}, (method, arguments) -> {
            // Once: HttpClient's code may ask, too.
            if (!method.equals("submitCommand") || !(arguments[0] instanceof PingCommand) || !lies.getAndSet(false)) {
                return null;
            }
            ((PingCommand) arguments[0]).getHandler().failed(new IllegalStateException("another answer"));
            return "answered";
        }))) {
            validating.setDefaultConnectionConfig(
                    ConnectionConfig.custom().setValidateAfterInactivity(1, TimeUnit.MILLISECONDS).build());
            AsyncConnectionEndpoint first = validating.lease("id", route(), null, Timeout.DISABLED, null).get();
            validating.connect(first, reactor, Timeout.ofMinutes(1), null, HttpClientContext.create(), null).get();
            ReactorConnection connection = connection(first);
            validating.release(first, null, TimeValue.NEG_ONE_MILLISECOND);
            long released = System.currentTimeMillis();
            Eventually.await("it to be due", () -> System.currentTimeMillis() > released + 2);
            lies.set(true);
            AsyncConnectionEndpoint next = validating.lease("id", route(), null, Timeout.DISABLED, null).get();
            assertFalse(next.isConnected());
            Eventually.await("its end", () -> !connection.isOpen());
            validating.release(next, null, TimeValue.NEG_ONE_MILLISECOND);
        }
    }

    @Test
    void whatWasIdleIsSharedAsSoonAsItIsLeased() throws Exception {
        release(share(1).get(0));
        AsyncConnectionEndpoint first = request(null).get();
        assertTrue(first.isConnected());
        Future<AsyncConnectionEndpoint> second = request(null);
        assertTrue(second.isDone());
        assertSame(connection(first), connection(second.get()));
        release(first);
        release(second.get());
        assertNumbers(0, 0, 1);
    }

    @Test
    void whatWasClosedIsSharedWhenItIsConnectedAgain() throws Exception {
        AsyncConnectionEndpoint alone = share(1).get(0);
        alone.close(CloseMode.GRACEFUL);
        Future<AsyncConnectionEndpoint> second = request(null);
        assertFalse(second.isDone());
        connect(alone);
        assertSame(connection(alone), connection(second.get(1, TimeUnit.MINUTES)));
        release(alone);
        release(second.get());
        assertNumbers(0, 0, 1);
    }

    @Test
    void endpointsThatWereLostGiveTheirPlaceBackAndTheConnectionIsClosed() throws Exception {
        ReactorConnection connection = connection(share(3).get(0));
        Eventually.awaitAfterCollection("the place", () -> manager.getTotalStats().getLeased() == 0);
        Eventually.await("its end", () -> !connection.isOpen());
        Eventually.await("the warning", () -> log.lines().stream().anyMatch(line -> line.contains("reclaimed by garbage collector")));
        AsyncConnectionEndpoint next = request(null).get();
        assertFalse(next.isConnected());
        release(next);
    }

    @Test
    void whatNobodyElseCanReleaseIsNotUsedAgain() throws Exception {
        List<AsyncConnectionEndpoint> all = share(2);
        ReactorConnection connection = connection(all.get(0));
        parts.sharing.giveBack(Endpoints.entryOf(all.get(0)));
        assertTrue(connection.isOpen());
        release(all.get(1));
        assertNumbers(0, 0, 0);
        Eventually.await("its end", () -> !connection.isOpen());
    }

    @Test
    void anEndpointThatWasLostAmongOthersGivesThePlaceBackWithTheLast() throws Exception {
        List<AsyncConnectionEndpoint> all = share(3);
        all.remove(0);
        release(all.remove(0));
        System.gc();
        assertNumbers(1, 0, 0);
        assertEquals("ok", send(all.get(0), "/ok").get().getBody());
        release(all.remove(0));
        Eventually.awaitAfterCollection("the place", () -> manager.getTotalStats().getLeased() == 0);
    }

    @Test
    @Tag("long")
    void theStackDoesNotGrowWithThoseWhoReleaseAsTheyAreTold() throws Exception {
        List<AsyncConnectionEndpoint> all = share(1);
        Future<AsyncConnectionEndpoint> bound = request("somebody");
        AtomicInteger served = new AtomicInteger();
        int requests = 5_000;
        for (int i = 0; i < requests; i++) {
            manager.lease("id", route(), null, Timeout.DISABLED, new Ended() {
                @Override
                public void completed(AsyncConnectionEndpoint endpoint) {
                    served.incrementAndGet();
                    release(endpoint);
                }
            });
        }
        assertEquals(0, served.get());
        assertTrue(bound.cancel(true));
        Eventually.await("all to be served", () -> served.get() == requests);
        release(all.get(0));
        assertNumbers(0, 0, 1);
        assertEquals(Collections.emptyList(),
                log.lines().stream().filter(line -> line.startsWith("WARNING")).collect(Collectors.toList()));
    }

    private static ReactorConnection connection(AsyncConnectionEndpoint endpoint) {
        return ((SharedConnection) Endpoints.entryOf(endpoint).getConnection()).connection();
    }

    @Test
    void itIsSaidThatAConnectionIsShared() throws Exception {
        try (LogCapture said = LogCapture.of("org.apache.hc.client5.http.impl.nio.H2SharingConnPool")) {
            List<AsyncConnectionEndpoint> all = share(2);
            assertEquals(2, said.lines().size());
            assertEquals("FINE org.apache.hc.client5.http.impl.nio.H2SharingConnPool: Sharing connection "
                    + connection(all.get(0)).getId() + " for message exchange multiplexing (lease count = 2)", said.lines().get(0));
            all.forEach(this::release);
        }
    }

    @Test
    void theConnectionThatFewestHaveIsShared() throws Exception {
        List<AsyncConnectionEndpoint> first = share(STREAMS - 1);
        first.add(request(null).get());
        manager.setDefaultMaxPerRoute(2);
        AsyncConnectionEndpoint second = connect(request(null).get());
        assertNumbers(2, 0, 0);
        release(first.remove(0));
        // Which is had when the second has proven itself, and of the first there is one stream left.
        Eventually.await("a share of the second", () -> {
            AsyncConnectionEndpoint next = request(null).get();
            boolean isOfSecond = connection(next) == connection(second);
            release(next);
            return isOfSecond;
        });
        while (first.size() > 1) {
            release(first.remove(0));
        }
        AsyncConnectionEndpoint more = request(null).get();
        AsyncConnectionEndpoint most = request(null).get();
        // Two of one, two of the other.
        assertEquals(connection(first.get(0)) == connection(more), connection(second) == connection(most));
        assertFalse(connection(more) == connection(most));
        for (AsyncConnectionEndpoint endpoint : new AsyncConnectionEndpoint[] {first.get(0), second, more, most}) {
            release(endpoint);
        }
        assertNumbers(0, 0, 2);
    }

    @Test
    void aConnectionThatIsClosedIsNotShared() throws Exception {
        List<AsyncConnectionEndpoint> all = share(1);
        connection(all.get(0)).close(CloseMode.IMMEDIATE);
        Future<AsyncConnectionEndpoint> second = request(null);
        assertFalse(second.isDone());
        release(all.get(0));
        assertFalse(second.get().isConnected());
        release(second.get());
        assertNumbers(0, 0, 0);
    }

    /** Who waits for a route that may have no more connections could not have the place. */
    @Test
    void whoWaitsForAnotherRouteHoldsUpNobodyUnlessThePoolIsFull() throws Exception {
        HttpRoute other = new HttpRoute(new HttpHost("http", "127.0.0.1", port));
        List<AsyncConnectionEndpoint> all = share(1);
        manager.setMaxPerRoute(other, 0);
        Future<AsyncConnectionEndpoint> waiting = manager.lease("id", other, null, Timeout.DISABLED, null);
        Future<AsyncConnectionEndpoint> second = request(null);
        assertTrue(second.isDone());
        all.add(second.get());
        manager.setMaxTotal(1);
        Future<AsyncConnectionEndpoint> third = request(null);
        assertFalse(third.isDone());
        manager.setMaxTotal(2);
        assertTrue(third.isDone());
        all.add(third.get());
        assertFalse(waiting.isDone());
        assertTrue(waiting.cancel(true));
        assertFalse(waiting.cancel(true));
        all.forEach(this::release);
        assertNumbers(0, 0, 1);
    }

    @Test
    void aPoolIsFullOfWhatIsIdleToo() throws Exception {
        HttpRoute other = new HttpRoute(new HttpHost("http", "127.0.0.1", port));
        release(connect(manager.lease("id", other, null, Timeout.DISABLED, null).get()));
        List<AsyncConnectionEndpoint> all = share(1);
        assertNumbers(1, 0, 1);
        manager.setMaxTotal(2);
        HttpRoute third = new HttpRoute(new HttpHost("http", "third.example", port));
        manager.setMaxPerRoute(third, 0);
        Future<AsyncConnectionEndpoint> waiting = manager.lease("id", third, null, Timeout.DISABLED, null);
        Future<AsyncConnectionEndpoint> second = request(null);
        assertFalse(second.isDone());
        assertTrue(waiting.cancel(true));
        all.add(second.get(1, TimeUnit.MINUTES));
        all.forEach(this::release);
        assertNumbers(0, 0, 2);
    }

    @Test
    void whoseTimeIsOverHoldsUpNobody() throws Exception {
        List<AsyncConnectionEndpoint> all = share(1);
        Future<AsyncConnectionEndpoint> bound = manager.lease("id", route(), "somebody", Timeout.ofMilliseconds(50), null);
        Future<AsyncConnectionEndpoint> later = request(null);
        all.add(later.get(1, TimeUnit.MINUTES));
        assertThrows(ExecutionException.class, bound::get);
        all.forEach(this::release);
        assertNumbers(0, 0, 1);
    }

    /** Compares itself with no other. */
    private static final class Incomparable {
        @Override
        public boolean equals(Object other) {
            throw new IllegalStateException("an equals that fails");
        }

        @Override
        public int hashCode() {
            return 7;
        }
    }

    @Test
    void whoFailsToAskHoldsUpNobody() throws Exception {
        List<AsyncConnectionEndpoint> all = share(1);
        manager.setDefaultMaxPerRoute(2);
        AsyncConnectionEndpoint bound = request("somebody").get();
        assertThrows(IllegalStateException.class, () -> request(new Incomparable()));
        Future<AsyncConnectionEndpoint> later = request(null);
        assertTrue(later.isDone());
        all.add(later.get());
        all.add(bound);
        all.forEach(this::release);
        assertNumbers(0, 0, 1);
    }

    @Test
    void whatCannotBeHandedOutGoesBackAndWhoAskedIsTold() throws Exception {
        for (Throwable failure : new Throwable[] {new IllegalStateException("a configuration that fails"), new AssertionError("too")}) {
            release(connect(request(null).get()));
            assertNumbers(0, 0, 1);
            ConnectionConfig failing = new ConnectionConfig() {
                @Override
                public TimeValue getTimeToLive() {
                    throw Thrown.as(failure, RuntimeException.class);
                }
            };
            // Not by HttpClient's code, which asks before there is anything to go back.
            parts.configs.set(route -> failing);
            Throwable thrown = assertThrows(ExecutionException.class, () -> request(null).get(1, TimeUnit.MINUTES)).getCause();
            assertTrue(thrown == failure || thrown.getCause() == failure, thrown::toString);
            assertNumbers(0, 0, 0);
            parts.configs.set(null);
        }
    }

    @Test
    void aCallbackThatFailsKeepsNobodyFromBeingServed() throws Exception {
        IllegalStateException failure = new IllegalStateException("a callback that fails");
        try (LogCapture warnings = LogCapture.of(LeaseholdConnPool.class)) {
            AsyncConnectionEndpoint first = request(null).get();
            List<AsyncConnectionEndpoint> given = new ArrayList<>();
            manager.lease("id", route(), null, Timeout.DISABLED, new Ended() {
                @Override
                public void completed(AsyncConnectionEndpoint endpoint) {
                    given.add(endpoint);
                    throw failure;
                }
            });
            Future<AsyncConnectionEndpoint> second = request(null);
            connect(first);
            given.add(second.get(1, TimeUnit.MINUTES));
            assertEquals(Collections.singletonList(failure), warnings.thrown());
            given.add(first);
            given.forEach(this::release);
            assertNumbers(0, 0, 1);
        }
    }

    @Test
    void theLastWhoHasItSaysForHowLongItIsKept() throws Exception {
        for (TimeValue keepAlive : new TimeValue[] {TimeValue.ofMilliseconds(1), TimeValue.ofHours(1), TimeValue.NEG_ONE_MILLISECOND}) {
            List<AsyncConnectionEndpoint> all = share(2);
            manager.release(all.get(0), null, TimeValue.ofDays(1));
            manager.release(all.get(1), null, keepAlive);
            if (keepAlive.toMilliseconds() == 1) {
                Eventually.await("the end of its time", () -> {
                    manager.closeExpired();
                    return manager.getTotalStats().getAvailable() == 0;
                });
            } else {
                manager.closeExpired();
                assertNumbers(0, 0, 1);
                manager.closeIdle(TimeValue.ZERO_MILLISECONDS);
            }
        }
    }

    @Test
    void whatIsIdleHasNoTimeout() throws Exception {
        List<AsyncConnectionEndpoint> all = share(2);
        ReactorConnection connection = connection(all.get(0));
        connection.setSocketTimeout(Timeout.ofSeconds(7));
        release(all.get(0));
        assertEquals(Timeout.ofSeconds(7), connection.getSocketTimeout());
        release(all.get(1));
        assertEquals(Timeout.ZERO_MILLISECONDS, connection.getSocketTimeout());
    }

    @Test
    void whatIsBoundIsLeasedToWhomItIsBoundAndSharedByNobody() throws Exception {
        manager.setDefaultMaxPerRoute(2);
        manager.release(connect(request("somebody").get()), "somebody", TimeValue.NEG_ONE_MILLISECOND);
        AsyncConnectionEndpoint his = request("somebody").get();
        assertTrue(his.isConnected());
        assertEquals("ok", send(his, "/ok").get().getBody());
        AsyncConnectionEndpoint another = request(null).get();
        assertFalse(another.isConnected());
        release(another);
        manager.release(his, "somebody", TimeValue.NEG_ONE_MILLISECOND);
        assertNumbers(0, 0, 1);
    }

    @Test
    void anEndpointIsReleasedOnceFromItsOwnPoolWhichMayBeClosed() throws Exception {
        SharingPool pool = parts.sharing;
        pool.release(null, true);
        PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry = pool.lease(route(), null, Timeout.DISABLED, null).get();
        assertTrue(pool.hasPlace(entry));
        pool.release(entry, false);
        assertThrows(IllegalStateException.class, () -> pool.release(entry, false));
        assertThrows(IllegalStateException.class, () -> pool.release(new PoolEntry<>(route(), null), false));
        pool.giveBack(entry);
        PoolEntry<HttpRoute, ManagedAsyncClientConnection> lost = pool.lease(route(), null, Timeout.DISABLED, null).get();
        assertEquals(1, pool.getTotalStats().getLeased());
        pool.giveBack(lost);
        assertEquals(0, pool.getTotalStats().getLeased());
        // Nor is anything in other threads' way.
        assertTrue(CompletableFuture.supplyAsync(() -> pool.hasPlace(lost)).get(1, TimeUnit.MINUTES));
        assertThrows(ConnectionShutdownException.class, () -> pool.opened(lost, null));
        pool.upgraded(lost);
        PoolEntry<HttpRoute, ManagedAsyncClientConnection> unconnected = pool.lease(route(), null, Timeout.DISABLED, null).get();
        pool.upgraded(unconnected);
        pool.release(unconnected, false);
        PoolEntry<HttpRoute, ManagedAsyncClientConnection> foreign = new PoolEntry<>(route(), null);
        assertTrue(pool.hasPlace(foreign));
        assertThrows(ConnectionShutdownException.class, () -> pool.opened(foreign, null));
        pool.upgraded(foreign);
        pool.giveBack(foreign);
        assertThrows(NullPointerException.class, () -> pool.lease(null, null, Timeout.DISABLED, null));
        assertThrows(NullPointerException.class, () -> pool.lease(route(), null, null, null));
        pool.close();
        pool.release(entry, false);
        assertThrows(IllegalStateException.class, () -> pool.lease(route(), null, Timeout.DISABLED, null));
    }

    /** Though a connection be open, which its thread has yet to close. */
    @Test
    void aPoolThatIsClosedSharesNothing() throws Exception {
        AtomicBoolean isSlow = new AtomicBoolean(true);
        AsyncParts slow = new AsyncParts(
                operator(() -> {}, (method, arguments) -> isSlow.get() && method.equals("close") ? "later" : null), null, null, true);
        try (LeaseholdAsyncClientConnectionManager closing = manager(slow)) {
            AsyncConnectionEndpoint first = closing.lease("id", route(), null, Timeout.DISABLED, null).get();
            closing.connect(first, reactor, Timeout.ofMinutes(1), null, HttpClientContext.create(), null).get();
            AsyncConnectionEndpoint second = closing.lease("id", route(), null, Timeout.DISABLED, null).get();
            slow.sharing.close();
            assertTrue(first.isConnected());
            assertThrows(IllegalStateException.class, () -> slow.sharing.lease(route(), null, Timeout.DISABLED, null));
            isSlow.set(false);
            closing.release(first, null, TimeValue.NEG_ONE_MILLISECOND);
            closing.release(second, null, TimeValue.NEG_ONE_MILLISECOND);
        }
    }

    /** But for some that the pool below may still know. */
    @Test
    void routesThatNobodyHasAnythingOfAreForgotten() throws Exception {
        List<WeakReference<HttpRoute>> routes = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            HttpRoute route = new HttpRoute(new HttpHost("http", i + ".example", port));
            release(manager.lease("id", route, null, Timeout.DISABLED, null).get());
            routes.add(new WeakReference<>(route));
        }
        Eventually.awaitAfterCollection(
                "most to be forgotten", () -> routes.stream().filter(route -> route.get() != null).count() < 100);
    }

    private abstract static class Ended implements FutureCallback<AsyncConnectionEndpoint> {
        @Override
        public void failed(Exception e) {}

        @Override
        public void cancelled() {}
    }

    /** Leases, exchanges, cancellations, timeouts and closes of all kinds at once. */
    @Test
    @Tag("long")
    void noPlaceIsLostAndNoLimitExceeded() throws Exception {
        manager.setMaxTotal(3);
        manager.setDefaultMaxPerRoute(2);
        HttpRoute[] routes = {route(), new HttpRoute(new HttpHost("http", "127.0.0.1", port))};
        AtomicInteger unanswered = new AtomicInteger();
        AtomicReference<PoolStats> exceeded = new AtomicReference<>();
        Threads.run(8, i -> () -> {
            Random random = new Random(i);
            for (int round = 0; round < 1_000; round++) {
                unanswered.incrementAndGet();
                long seed = random.nextLong();
                Future<AsyncConnectionEndpoint> request = manager.lease("id", routes[random.nextInt(2)],
                        random.nextInt(10) == 0 ? "somebody" : null,
                        random.nextBoolean() ? Timeout.ofMilliseconds(1) : Timeout.ofMinutes(3), new Ended() {
                            @Override
                            public void completed(AsyncConnectionEndpoint endpoint) {
                                PoolStats stats = manager.getTotalStats();
                                if (stats.getLeased() + stats.getAvailable() > 3) {
                                    exceeded.set(stats);
                                }
                                use(endpoint, new Random(seed), unanswered);
                            }

                            @Override
                            public void failed(Exception e) {
                                unanswered.decrementAndGet();
                            }

                            @Override
                            public void cancelled() {
                                unanswered.decrementAndGet();
                            }
                        });
                if (random.nextInt(3) == 0) {
                    request.cancel(true);
                } else if (random.nextInt(4) == 0) {
                    Thread.yield();
                }
                while (unanswered.get() > 200) {
                    Thread.yield();
                }
            }
            return null;
        });
        Eventually.await("all to be answered", () -> unanswered.get() == 0);
        assertEquals(null, exceeded.get());
        Eventually.await("all to be released", () -> manager.getTotalStats().getLeased() == 0);
        assertEquals(0, manager.getTotalStats().getPending());
        assertEquals(Collections.emptyList(),
                log.lines().stream().filter(line -> line.contains("garbage")).collect(Collectors.toList()));
    }

    private void use(AsyncConnectionEndpoint endpoint, Random random, AtomicInteger unanswered) {
        int kind = random.nextInt(20);
        if (kind == 0) {
            endpoint.close(CloseMode.IMMEDIATE);
        }
        if (kind < 8 || !endpoint.isConnected() && kind < 14) {
            manager.connect(endpoint, reactor, Timeout.ofMinutes(1), null, HttpClientContext.create(), new Ended() {
                @Override
                public void completed(AsyncConnectionEndpoint connected) {
                    if (kind == 1) {
                        endpoint.close(CloseMode.GRACEFUL);
                    } else if (kind < 6 && endpoint.isConnected()) {
                        try {
                            send(endpoint, "/ok");
                        } catch (RuntimeException e) {
                            // It was closed meanwhile.
                        }
                    }
                    end();
                }

                @Override
                public void failed(Exception e) {
                    end();
                }

                @Override
                public void cancelled() {
                    end();
                }

                private void end() {
                    manager.release(endpoint, kind == 2 ? "somebody" : null, TimeValue.NEG_ONE_MILLISECOND);
                    unanswered.decrementAndGet();
                }
            });
        } else {
            release(endpoint);
            unanswered.decrementAndGet();
        }
    }
}
