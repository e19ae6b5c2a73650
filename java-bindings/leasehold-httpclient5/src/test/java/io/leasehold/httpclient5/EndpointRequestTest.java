package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.LogCapture;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.core5.concurrent.BasicFuture;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.pool.ManagedConnPool;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.api.Test;

/** What becomes of an asynchronous manager's request, whatever HttpClient's code and who asked do when they are told. */
class EndpointRequestTest {
    private final PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry =
            new PoolEntry<>(new HttpRoute(new HttpHost("http", "localhost", 80)));
    private final List<Object> released = new ArrayList<>();
    private final BasicFuture<PoolEntry<HttpRoute, ManagedAsyncClientConnection>> ofPool = new BasicFuture<>(null);
    /** Is told by the pool. */
    private FutureCallback<PoolEntry<HttpRoute, ManagedAsyncClientConnection>> below;

    /** Keeps what it is told, and fails then if it is to. */
    private static final class Told<T> implements FutureCallback<T> {
        final List<Object> told = new ArrayList<>();
        Throwable failure;

        private void tell(Object what) {
            told.add(what);
            if (failure instanceof Error) {
                throw (Error) failure;
            }
            if (failure != null) {
                throw (RuntimeException) failure;
            }
        }

        @Override
        public void completed(T result) {
            tell(result);
        }

        @Override
        public void failed(Exception e) {
            tell(e);
        }

        @Override
        public void cancelled() {
            tell("cancelled");
        }
    }

    private final Told<AsyncConnectionEndpoint> asked = new Told<>();
    private final Told<PoolEntry<HttpRoute, ManagedAsyncClientConnection>> httpClient = new Told<>();
    private final EndpointRequest request = new EndpointRequest(pool(), asked);

    @SuppressWarnings("unchecked") // It is one, as far as it is used.
    private ManagedConnPool<HttpRoute, ManagedAsyncClientConnection> pool() {
        return (ManagedConnPool<HttpRoute, ManagedAsyncClientConnection>) Proxy.newProxyInstance(getClass().getClassLoader(),
                new Class<?>[] {ManagedConnPool.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("lease")) {
                        below = (FutureCallback<PoolEntry<HttpRoute, ManagedAsyncClientConnection>>) arguments[3];
                        return ofPool;
                    }
                    assertEquals("release", method.getName());
                    released.addAll(Arrays.asList(arguments));
                    return null;
                });
    }

    private void ask() {
        assertSame(ofPool, request.ask(entry.getRoute(), null, Timeout.DISABLED, httpClient));
    }

    private Throwable failure() {
        assertTrue(request.isDone());
        return assertThrows(ExecutionException.class, request::get).getCause();
    }

    @Test
    void anEntryOfWhichNoEndpointWasMadeGoesBackAndTheRequestHasFailed() {
        ask();
        httpClient.failure = new IllegalStateException("code that fails");
        below.completed(entry);
        assertSame(httpClient.failure, failure());
        assertEquals(Collections.singletonList(httpClient.failure), asked.told);
        assertEquals(Arrays.asList(entry, false), released);
    }

    @Test
    void soDoesOneThatAnErrorHasKeptFromIt() {
        ask();
        httpClient.failure = new StackOverflowError();
        below.completed(entry);
        assertSame(httpClient.failure, failure().getCause());
        assertEquals(Arrays.asList(entry, false), released);
    }

    @Test
    void whoHasTheEndpointKeepsItWhateverIsThrownAfterwards() {
        ask();
        request.told().completed(null);
        httpClient.failure = new IllegalStateException("who asked fails");
        assertSame(httpClient.failure, assertThrows(IllegalStateException.class, () -> below.completed(entry)));
        assertEquals("[]", released.toString());
    }

    @Test
    void aRequestWithoutAnEntryIsAnsweredThoughHttpClientsCodeFails() {
        ask();
        Exception why = new Exception("no entry");
        httpClient.failure = new IllegalStateException("code that fails");
        assertThrows(IllegalStateException.class, () -> below.failed(why));
        assertEquals(Collections.singletonList(why), httpClient.told);
        assertSame(why, failure());
    }

    @Test
    void aRequestThatIsCancelledBelowIsCancelledThoughHttpClientsCodeFails() {
        ask();
        httpClient.failure = new IllegalStateException("code that fails");
        assertThrows(IllegalStateException.class, below::cancelled);
        assertEquals("[cancelled]", httpClient.told.toString());
        assertTrue(request.isCancelled());
        assertEquals("[cancelled]", asked.told.toString());
    }

    @Test
    void whoIsToldOnTheThreadThatAsksFailsThereAndOnAnothersIsLogged() throws Exception {
        asked.failure = new IllegalStateException("a callback that fails");
        EndpointRequest other = new EndpointRequest(pool(), asked);
        assertSame(asked.failure, assertThrows(IllegalStateException.class, () -> request.told().completed(null)));
        try (LogCapture log = LogCapture.of(LeaseholdConnPool.class)) {
            FutureTask<Void> reactor = new FutureTask<>(() -> other.told().completed(null), null);
            new Thread(reactor).start();
            reactor.get();
            assertEquals(Collections.singletonList(asked.failure), log.thrown());
        }
    }

    @Test
    void itIsWhatHttpClientsRequestIs() throws Exception {
        assertFalse(request.cancel());
        Told<AsyncConnectionEndpoint> none = new Told<>();
        BasicFuture<AsyncConnectionEndpoint> ofHttpClient = new BasicFuture<>(none);
        assertSame(request, request.of(ofHttpClient));
        assertTrue(request.cancel());
        assertTrue(ofHttpClient.isCancelled());
        assertFalse(request.cancel(true));
        assertFalse(request.isDone());
        request.told().cancelled();
        assertTrue(request.isCancelled());
        assertEquals("[cancelled]", asked.told.toString());
        EndpointRequest failing = new EndpointRequest(pool(), null);
        Exception why = new Exception("no endpoint");
        failing.told().failed(why);
        assertSame(why, assertThrows(ExecutionException.class, failing::get).getCause());
    }
}
