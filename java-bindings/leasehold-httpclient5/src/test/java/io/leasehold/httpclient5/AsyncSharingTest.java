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
import java.util.Arrays;
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
        ListenerEndpoint listener = Eventually.get(server.listen(new InetSocketAddress("localhost", 0), URIScheme.HTTP));
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
        return Eventually.get(requestConnection(endpoint));
    }

    private Future<AsyncConnectionEndpoint> requestConnection(AsyncConnectionEndpoint endpoint) {
        return manager.connect(endpoint, reactor, Timeout.ofMinutes(1), null, HttpClientContext.create(), null);
    }

    /** Endpoints that share one connection, which has proven itself. */
    private List<AsyncConnectionEndpoint> share(int endpoints) throws Exception {
        List<AsyncConnectionEndpoint> all = new ArrayList<>();
        all.add(connect(Eventually.get(request(null))));
        while (all.size() < endpoints + 1) {
            all.add(Eventually.get(request(null)));
        }
        release(all.remove(endpoints));
        assertEquals(1, manager.getTotalStats().getLeased());
        // The thread that has read that it has proven itself looks after whoever waits, and is to be done with that.
        onItsThread(all.get(0), () -> null);
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
        AsyncConnectionEndpoint served = Eventually.get(waiting);
        assertEquals("ok", Eventually.get(send(served, "/ok")).getBody());
        assertNumbers(1, 0, 0);
        release(served);
        release(sharing.get(0));
        assertNumbers(0, 0, 1);
    }

    @Test
    void whoWaitsGetsAStreamAsSoonAsTheConnectionHasProvenItself() throws Exception {
        AsyncConnectionEndpoint first = Eventually.get(request(null));
        List<Future<AsyncConnectionEndpoint>> others = new ArrayList<>();
        for (int i = 1; i <= STREAMS; i++) {
            others.add(request(null));
        }
        assertNumbers(1, STREAMS, 0);
        connect(first);
        for (Future<AsyncConnectionEndpoint> other : others.subList(0, STREAMS - 1)) {
            assertEquals("ok", Eventually.get(send(Eventually.get(other), "/ok")).getBody());
        }
        // The last is beyond the server's limit.
        assertNumbers(1, 1, 0);
        assertFalse(others.get(STREAMS - 1).isDone());
        release(first);
        assertTrue(others.get(STREAMS - 1).isDone());
        for (Future<AsyncConnectionEndpoint> other : others) {
            release(Eventually.get(other));
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
        assertEquals("ok", Eventually.get(second).getBody());
        assertThrows(ExecutionException.class, () -> Eventually.get(first));
        release(all.get(1));
        assertFalse(Eventually.get(third).isConnected());
        release(Eventually.get(third));
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
        assertEquals("ok", Eventually.get(send(all.get(1), "/ok")).getBody());
        all.forEach(this::release);
        assertNumbers(0, 0, 1);
    }

    @Test
    void anEndpointHasOneConnectionAtATime() throws Exception {
        AsyncConnectionEndpoint alone = share(1).get(0);
        assertThrows(ConnectionShutdownException.class, () -> parts.sharing.opened(Endpoints.entryOf(alone), connection(alone)));
        assertEquals("ok", Eventually.get(send(alone, "/ok")).getBody());
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
        assertEquals("ok", Eventually.get(send(all.get(1), "/ok")).getBody());
        release(all.get(1));
        assertEquals("ok", Eventually.get(send(Eventually.get(again), "/ok")).getBody());
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
            ExecutionException thrown = assertThrows(ExecutionException.class, () -> Eventually.get(again));
            assertSame(DeadlineTimeoutException.class, thrown.getCause().getClass());
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
            AsyncConnectionEndpoint first = Eventually.get(failing.lease("id", route(), "somebody", Timeout.DISABLED, null));
            Eventually.get(failing.connect(first, reactor, Timeout.ofMinutes(1), null, HttpClientContext.create(), null));
            failing.release(first, null, TimeValue.NEG_ONE_MILLISECOND);
            fails.set(true);
            AsyncConnectionEndpoint next = Eventually.get(failing.lease("id", route(), null, Timeout.DISABLED, null));
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
        AtomicBoolean isAsked = new AtomicBoolean();
        try (LeaseholdAsyncClientConnectionManager upgrading = manager(operator(() -> isUpgraded.set(true), (method, arguments) -> {
            isAsked.compareAndSet(false, method.equals("submitCommand"));
            return method.equals("getProtocolVersion") && !isUpgraded.get() ? HttpVersion.HTTP_1_1 : null;
        }))) {
            AsyncConnectionEndpoint first = Eventually.get(upgrading.lease("id", route(), null, Timeout.DISABLED, null));
            Eventually.get(upgrading.connect(first, reactor, Timeout.ofMinutes(1), null, HttpClientContext.create(), null));
            assertFalse(isAsked.get());
            Future<AsyncConnectionEndpoint> second = upgrading.lease("id", route(), null, Timeout.DISABLED, null);
            BasicFuture<AsyncConnectionEndpoint> upgraded = new BasicFuture<>(null);
            upgrading.upgrade(first, null, HttpClientContext.create(), new Ended() {
                @Override
                public void completed(AsyncConnectionEndpoint endpoint) {
                    upgraded.completed(endpoint);
                }
            });
            assertSame(first, Eventually.get(upgraded));
            assertSame(connection(first), connection(Eventually.get(second)));
            upgrading.upgrade(first, null, HttpClientContext.create(), null);
            upgrading.release(first, null, TimeValue.NEG_ONE_MILLISECOND);
            upgrading.release(Eventually.get(second), null, TimeValue.NEG_ONE_MILLISECOND);
        }
    }

    @Test
    void anEndpointThatHasLostItsPlaceSharesAnothersConnection() throws Exception {
        List<AsyncConnectionEndpoint> all = share(2);
        manager.setDefaultMaxPerRoute(2);
        all.get(0).close(CloseMode.GRACEFUL);
        AsyncConnectionEndpoint third = connect(Eventually.get(request(null)));
        assertNumbers(2, 0, 0);
        // Which is had when that connection has proven itself.
        release(Eventually.get(request(null)));
        assertEquals("ok", Eventually.get(send(connect(all.get(0)), "/ok")).getBody());
        assertNumbers(2, 0, 0);
        all.forEach(this::release);
        release(third);
        assertNumbers(0, 0, 1);
    }

    @Test
    void anEndpointThatIsAloneKeepsItsPlaceWhenItIsClosed() throws Exception {
        AsyncConnectionEndpoint alone = connect(Eventually.get(request(null)));
        alone.close(CloseMode.IMMEDIATE);
        assertEquals("ok", Eventually.get(send(connect(alone), "/ok")).getBody());
        Future<AsyncConnectionEndpoint> second = request(null);
        assertEquals("ok", Eventually.get(send(Eventually.get(second), "/ok")).getBody());
        release(alone);
        release(Eventually.get(second));
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
        assertThrows(ExecutionException.class, () -> Eventually.get(second.get()));
        all.forEach(this::release);
        assertNumbers(0, 0, 0);
    }

    @Test
    void whatIsBoundToSomebodyIsSharedNoFurther() throws Exception {
        List<AsyncConnectionEndpoint> all = share(2);
        manager.release(all.get(0), "somebody", TimeValue.NEG_ONE_MILLISECOND);
        Future<AsyncConnectionEndpoint> third = request(null);
        assertFalse(third.isDone());
        assertEquals("ok", Eventually.get(send(all.get(1), "/ok")).getBody());
        release(all.get(1));
        assertFalse(Eventually.get(third).isConnected());
        release(Eventually.get(third));
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
        AsyncConnectionEndpoint endpoint = Eventually.get(bound);
        assertFalse(later.isDone());
        release(endpoint);
        release(Eventually.get(later));
    }

    @Test
    void whoWaitsNoLongerHoldsUpNobody() throws Exception {
        List<AsyncConnectionEndpoint> all = share(1);
        Future<AsyncConnectionEndpoint> bound = request("somebody");
        Future<AsyncConnectionEndpoint> later = request(null);
        Future<AsyncConnectionEndpoint> last = request(null);
        assertFalse(later.isDone());
        assertTrue(bound.cancel(true));
        assertTrue(later.isDone());
        assertTrue(last.isDone());
        all.add(Eventually.get(later));
        all.add(Eventually.get(last));
        all.forEach(this::release);
        assertNumbers(0, 0, 1);
    }

    @Test
    void whoIsServedHoldsUpNobodyAnyLonger() throws Exception {
        HttpRoute other = new HttpRoute(new HttpHost("http", "127.0.0.1", port));
        List<AsyncConnectionEndpoint> all = share(1);
        manager.setMaxTotal(2);
        AsyncConnectionEndpoint unconnected = Eventually.get(manager.lease("id", other, null, Timeout.DISABLED, null));
        Future<AsyncConnectionEndpoint> waiting = manager.lease("id", other, null, Timeout.DISABLED, null);
        Future<AsyncConnectionEndpoint> heldUp = request(null);
        assertFalse(heldUp.isDone());
        all.add(connect(unconnected));
        all.add(Eventually.get(waiting));
        all.add(Eventually.get(heldUp));
        all.forEach(this::release);
        assertNumbers(0, 0, 2);
    }

    /** Nor can he be cancelled before he is told. What his callback throws is said. */
    @Test
    void whoIsServedInTheCourseOfAnothersCallbackIsToldAfterIt() throws Exception {
        SharingPool pool = parts.sharing;
        List<AsyncConnectionEndpoint> all = share(1);
        Future<AsyncConnectionEndpoint> bound = request("somebody");
        IllegalStateException failure = new IllegalStateException("a callback that fails");
        List<Future<PoolEntry<HttpRoute, ManagedAsyncClientConnection>>> second = new ArrayList<>();
        List<Boolean> seen = new ArrayList<>();
        try (LogCapture warnings = LogCapture.of(LeaseholdConnPool.class)) {
            pool.lease(route(), null, Timeout.DISABLED, new CallbackContribution<PoolEntry<HttpRoute, ManagedAsyncClientConnection>>(null) {
                @Override
                public void completed(PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry) {
                    pool.release(entry, true);
                    seen.add(second.get(0).isDone());
                    seen.add(second.get(0).cancel(true));
                    throw failure;
                }
            });
            second.add(pool.lease(route(), null, Timeout.DISABLED, null));
            assertTrue(bound.cancel(true));
            assertEquals(Arrays.asList(false, false), seen);
            assertEquals(Collections.singletonList(failure), warnings.thrown());
        }
        pool.release(Eventually.get(second.get(0)), true);
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
        assertFalse(Eventually.get(second).isConnected());
        release(Eventually.get(second));
    }

    /** What HttpClient's code is shown of it is new at every lease. */
    @Test
    void whatHasLivedForTooLongIsNotLeasedAgain() throws Exception {
        AsyncConnectionEndpoint first = connect(Eventually.get(request(null)));
        ReactorConnection connection = connection(first);
        release(first);
        long released = System.currentTimeMillis();
        Eventually.await("its time to be over", () -> System.currentTimeMillis() > released + 1);
        manager.setDefaultConnectionConfig(ConnectionConfig.custom().setTimeToLive(TimeValue.ofMilliseconds(1)).build());
        AsyncConnectionEndpoint next = Eventually.get(request(null));
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
            AsyncConnectionEndpoint endpoint = Eventually.get(request(null));
            if (!endpoint.isConnected()) {
                connect(endpoint);
            }
            release(endpoint);
            long released = System.currentTimeMillis();
            Eventually.await("it to be due", () -> System.currentTimeMillis() > released + 2);
            AsyncConnectionEndpoint again = Eventually.get(request(null));
            assertTrue(again.isConnected());
            assertEquals("ok", Eventually.get(send(again, "/ok")).getBody());
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
        Eventually.get(task);
        Eventually.get(answer);
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
        AsyncConnectionEndpoint next = Eventually.get(request(null));
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
            assertEquals("ok", Eventually.get(send(Eventually.get(each), "/ok")).getBody());
        }
        assertNumbers(1, 0, 0);
        release(Eventually.get(asked.get(0)));
        release(Eventually.get(asked.get(1)));
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
            AsyncConnectionEndpoint first = Eventually.get(validating.lease("id", route(), null, Timeout.DISABLED, null));
            Eventually.get(validating.connect(first, reactor, Timeout.ofMinutes(1), null, HttpClientContext.create(), null));
            ReactorConnection connection = connection(first);
            validating.release(first, null, TimeValue.NEG_ONE_MILLISECOND);
            long released = System.currentTimeMillis();
            Eventually.await("it to be due", () -> System.currentTimeMillis() > released + 2);
            lies.set(true);
            AsyncConnectionEndpoint next = Eventually.get(validating.lease("id", route(), null, Timeout.DISABLED, null));
            assertFalse(next.isConnected());
            Eventually.await("its end", () -> !connection.isOpen());
            validating.release(next, null, TimeValue.NEG_ONE_MILLISECOND);
        }
    }

    @Test
    void whatWasIdleIsSharedAsSoonAsItIsLeased() throws Exception {
        AsyncConnectionEndpoint alone = share(1).get(0);
        List<AsyncConnectionEndpoint> all = new ArrayList<>();
        // Where nothing is read that it could prove itself by.
        onItsThread(alone, () -> {
            release(alone);
            Future<AsyncConnectionEndpoint> first = request(null);
            Future<AsyncConnectionEndpoint> second = request(null);
            assertTrue(second.isDone());
            all.add(first.get());
            return all.add(second.get());
        });
        assertTrue(all.get(0).isConnected());
        assertSame(connection(all.get(0)), connection(all.get(1)));
        all.forEach(this::release);
        assertNumbers(0, 0, 1);
    }

    @Test
    void whatWasClosedIsSharedWhenItIsConnectedAgain() throws Exception {
        AsyncConnectionEndpoint alone = share(1).get(0);
        alone.close(CloseMode.GRACEFUL);
        Future<AsyncConnectionEndpoint> second = request(null);
        assertFalse(second.isDone());
        connect(alone);
        assertSame(connection(alone), connection(Eventually.get(second)));
        release(alone);
        release(Eventually.get(second));
        assertNumbers(0, 0, 1);
    }

    @Test
    void endpointsThatWereLostGiveTheirPlaceBackAndTheConnectionIsClosed() throws Exception {
        ReactorConnection connection = connection(share(3).get(0));
        Eventually.awaitAfterCollection("the place", () -> manager.getTotalStats().getLeased() == 0);
        Eventually.await("its end", () -> !connection.isOpen());
        Eventually.await("the warning", () -> log.lines().stream().anyMatch(line -> line.contains("reclaimed by garbage collector")));
        AsyncConnectionEndpoint next = Eventually.get(request(null));
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
        assertEquals("ok", Eventually.get(send(all.get(0), "/ok")).getBody());
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
        first.add(Eventually.get(request(null)));
        manager.setDefaultMaxPerRoute(2);
        AsyncConnectionEndpoint second = connect(Eventually.get(request(null)));
        assertNumbers(2, 0, 0);
        release(first.remove(0));
        // Which is had when the second has proven itself, and of the first there is one stream left.
        Eventually.await("a share of the second", () -> {
            AsyncConnectionEndpoint next = Eventually.get(request(null));
            boolean isOfSecond = connection(next) == connection(second);
            release(next);
            return isOfSecond;
        });
        while (first.size() > 1) {
            release(first.remove(0));
        }
        AsyncConnectionEndpoint more = Eventually.get(request(null));
        AsyncConnectionEndpoint most = Eventually.get(request(null));
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
        assertFalse(Eventually.get(second).isConnected());
        release(Eventually.get(second));
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
        all.add(Eventually.get(second));
        manager.setMaxTotal(1);
        Future<AsyncConnectionEndpoint> third = request(null);
        assertFalse(third.isDone());
        manager.setMaxTotal(2);
        assertTrue(third.isDone());
        all.add(Eventually.get(third));
        assertFalse(waiting.isDone());
        assertTrue(waiting.cancel(true));
        assertFalse(waiting.cancel(true));
        all.forEach(this::release);
        assertNumbers(0, 0, 1);
    }

    @Test
    void aPoolIsFullOfWhatIsIdleToo() throws Exception {
        HttpRoute other = new HttpRoute(new HttpHost("http", "127.0.0.1", port));
        release(connect(Eventually.get(manager.lease("id", other, null, Timeout.DISABLED, null))));
        List<AsyncConnectionEndpoint> all = share(1);
        assertNumbers(1, 0, 1);
        manager.setMaxTotal(2);
        HttpRoute third = new HttpRoute(new HttpHost("http", "third.example", port));
        manager.setMaxPerRoute(third, 0);
        Future<AsyncConnectionEndpoint> waiting = manager.lease("id", third, null, Timeout.DISABLED, null);
        Future<AsyncConnectionEndpoint> second = request(null);
        assertFalse(second.isDone());
        assertTrue(waiting.cancel(true));
        all.add(Eventually.get(second));
        all.forEach(this::release);
        assertNumbers(0, 0, 2);
    }

    @Test
    void whoseTimeIsOverHoldsUpNobody() throws Exception {
        List<AsyncConnectionEndpoint> all = share(1);
        Future<AsyncConnectionEndpoint> bound = manager.lease("id", route(), "somebody", Timeout.ofMilliseconds(50), null);
        Future<AsyncConnectionEndpoint> later = request(null);
        all.add(Eventually.get(later));
        assertThrows(ExecutionException.class, () -> Eventually.get(bound));
        all.forEach(this::release);
        assertNumbers(0, 0, 1);
    }

    /** Compares itself with no other. */
    private static final class Incomparable {
        private final Runnable meanwhile;

        Incomparable(Runnable meanwhile) {
            this.meanwhile = meanwhile;
        }

        @Override
        public boolean equals(Object other) {
            meanwhile.run();
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
        AsyncConnectionEndpoint bound = Eventually.get(request("somebody"));
        List<Future<AsyncConnectionEndpoint>> later = new ArrayList<>();
        assertThrows(IllegalStateException.class, () -> request(new Incomparable(() -> {
            later.add(CompletableFuture.supplyAsync(() -> request(null)).join());
            assertFalse(later.get(0).isDone());
        })));
        assertTrue(later.get(0).isDone());
        all.add(later.get(0).get());
        all.add(bound);
        all.forEach(this::release);
        assertNumbers(0, 0, 1);
    }

    @Test
    void whatCannotBeHandedOutGoesBackAndWhoAskedIsTold() throws Exception {
        for (Throwable failure : new Throwable[] {new IllegalStateException("a configuration that fails"), new AssertionError("too")}) {
            release(connect(Eventually.get(request(null))));
            assertNumbers(0, 0, 1);
            ConnectionConfig failing = new ConnectionConfig() {
                @Override
                public TimeValue getTimeToLive() {
                    throw Thrown.as(failure, RuntimeException.class);
                }
            };
            // Not by HttpClient's code, which asks before there is anything to go back.
            parts.configs.set(route -> failing);
            Throwable thrown = assertThrows(ExecutionException.class, () -> Eventually.get(request(null))).getCause();
            assertSame(failure, failure instanceof Exception ? thrown : thrown.getCause());
            assertNumbers(0, 0, 0);
            parts.configs.set(null);
        }
    }

    @Test
    void aCallbackThatFailsKeepsNobodyFromBeingServed() throws Exception {
        IllegalStateException failure = new IllegalStateException("a callback that fails");
        try (LogCapture warnings = LogCapture.of(LeaseholdConnPool.class)) {
            AsyncConnectionEndpoint first = Eventually.get(request(null));
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
            given.add(Eventually.get(second));
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
        manager.release(connect(Eventually.get(request("somebody"))), "somebody", TimeValue.NEG_ONE_MILLISECOND);
        AsyncConnectionEndpoint his = Eventually.get(request("somebody"));
        assertTrue(his.isConnected());
        assertEquals("ok", Eventually.get(send(his, "/ok")).getBody());
        AsyncConnectionEndpoint another = Eventually.get(request(null));
        assertFalse(another.isConnected());
        release(another);
        manager.release(his, "somebody", TimeValue.NEG_ONE_MILLISECOND);
        assertNumbers(0, 0, 1);
    }

    @Test
    void anEndpointIsReleasedOnceFromItsOwnPoolWhichMayBeClosed() throws Exception {
        SharingPool pool = parts.sharing;
        pool.release(null, true);
        PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry = Eventually.get(pool.lease(route(), null, Timeout.DISABLED, null));
        assertTrue(pool.hasPlace(entry));
        pool.release(entry, false);
        assertThrows(IllegalStateException.class, () -> pool.release(entry, false));
        assertThrows(IllegalStateException.class, () -> pool.release(new PoolEntry<>(route(), null), false));
        pool.giveBack(entry);
        PoolEntry<HttpRoute, ManagedAsyncClientConnection> lost = Eventually.get(pool.lease(route(), null, Timeout.DISABLED, null));
        assertEquals(1, pool.getTotalStats().getLeased());
        pool.giveBack(lost);
        assertEquals(0, pool.getTotalStats().getLeased());
        // Nor is anything in other threads' way.
        assertTrue(Eventually.get(CompletableFuture.supplyAsync(() -> pool.hasPlace(lost))));
        assertThrows(ConnectionShutdownException.class, () -> pool.opened(lost, null));
        pool.upgraded(lost);
        PoolEntry<HttpRoute, ManagedAsyncClientConnection> unconnected = Eventually.get(pool.lease(route(), null, Timeout.DISABLED, null));
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
            AsyncConnectionEndpoint first = Eventually.get(closing.lease("id", route(), null, Timeout.DISABLED, null));
            Eventually.get(closing.connect(first, reactor, Timeout.ofMinutes(1), null, HttpClientContext.create(), null));
            AsyncConnectionEndpoint second = Eventually.get(closing.lease("id", route(), null, Timeout.DISABLED, null));
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
            release(Eventually.get(manager.lease("id", route, null, Timeout.DISABLED, null)));
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
