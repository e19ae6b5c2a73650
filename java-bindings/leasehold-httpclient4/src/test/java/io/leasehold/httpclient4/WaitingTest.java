package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Loopback.keep;
import static io.leasehold.httpclient4.Loopback.lease;
import static io.leasehold.httpclient4.Loopback.leaseOpen;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.Threads;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.http.HttpClientConnection;
import org.apache.http.conn.ConnectionPoolTimeoutException;
import org.apache.http.conn.ConnectionRequest;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.conn.DefaultManagedHttpClientConnection;
import org.apache.http.impl.conn.ManagedHttpClientConnectionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Requests that find nothing: how they wait, and how they end otherwise than with a connection. */
class WaitingTest {
    private final ExecutorService threads = Executors.newCachedThreadPool();
    @RegisterExtension
    final Loopback server = new Loopback();
    private final HttpRoute route = server.route();
    private LeaseholdHttpClientConnectionManager manager = server.ends(new LeaseholdHttpClientConnectionManager());

    @BeforeEach
    void start() {
        manager.setDefaultMaxPerRoute(1);
    }

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    @Test
    void aTimeoutLeavesTheRequestToBeAskedAgain() throws Exception {
        HttpClientConnection held = leaseOpen(manager, route, null);
        ConnectionRequest request = manager.requestConnection(route, null);
        for (int i = 0; i < 2; i++) {
            ConnectionPoolTimeoutException e =
                    assertThrows(ConnectionPoolTimeoutException.class, () -> request.get(1, TimeUnit.MILLISECONDS));
            assertEquals("Timeout waiting for connection from pool", e.getMessage());
        }
        assertEquals(0, manager.getTotalStats().getPending());
        keep(manager, held);
        assertTrue(request.get(1, TimeUnit.MILLISECONDS).isOpen());
    }

    @Test
    void aTimeNeedsItsUnit() throws Exception {
        ConnectionRequest request = manager.requestConnection(route, null);
        assertThrows(IllegalArgumentException.class, () -> request.get(1, null));
        assertFalse(request.get(0, null).isOpen());
    }

    @Test
    void aCancelledRequestGetsNothingWhetherItWaitsOrNot() throws Exception {
        ConnectionRequest early = manager.requestConnection(route, null);
        assertTrue(early.cancel());
        assertFalse(early.cancel());
        assertAborted(() -> early.get(0, null));

        HttpClientConnection held = leaseOpen(manager, route, null);
        ConnectionRequest request = manager.requestConnection(route, null);
        Future<HttpClientConnection> waiting = threads.submit(() -> request.get(0, null));
        awaitPending(1);
        assertTrue(request.cancel());
        assertAborted(() -> {
            try {
                return waiting.get();
            } catch (ExecutionException e) {
                throw (Exception) e.getCause();
            }
        });
        assertFalse(request.cancel());
        assertAborted(() -> request.get(0, null));
        keep(manager, held);
        assertEquals("[leased: 0; pending: 0; available: 1; max: 1]", manager.getStats(route).toString());
    }

    @Test
    void anInterruptEndsTheWaitAndLosesNothing() throws Exception {
        HttpClientConnection held = leaseOpen(manager, route, null);
        AtomicReference<Thread> waiter = new AtomicReference<>();
        ConnectionRequest request = manager.requestConnection(route, null);
        Future<Boolean> waiting = threads.submit(() -> {
            waiter.set(Thread.currentThread());
            assertThrows(InterruptedException.class, () -> request.get(0, null));
            return Thread.currentThread().isInterrupted();
        });
        awaitPending(1);
        waiter.get().interrupt();
        assertFalse(waiting.get());
        assertEquals(0, manager.getTotalStats().getPending());
        keep(manager, held);
        assertTrue(request.get(0, null).isOpen());
    }

    @Test
    void anInterruptDoesNotMatterToWhoNeedNotWait() throws Exception {
        Thread.currentThread().interrupt();
        manager.requestConnection(route, null).get(0, null);
        assertTrue(Thread.interrupted());
    }

    @Test
    void waitersAreServedInOrderOfArrivalByAReleaseAndByARaisedLimit() throws Exception {
        HttpClientConnection held = leaseOpen(manager, route, null);
        List<Integer> order = Collections.synchronizedList(new ArrayList<>());
        List<Future<?>> waiting = new ArrayList<>();
        List<HttpClientConnection> had = Collections.synchronizedList(new ArrayList<>());
        for (int i = 0; i < 3; i++) {
            int number = i;
            waiting.add(threads.submit(() -> {
                had.add(lease(manager, route, null));
                order.add(number);
                return null;
            }));
            awaitPending(i + 1);
        }
        keep(manager, held);
        waiting.get(0).get();
        manager.setMaxPerRoute(route, 2);
        waiting.get(1).get();
        assertEquals(2, order.size());
        keep(manager, had.get(1));
        waiting.get(2).get();
        assertEquals("[0, 1, 2]", order.toString());
    }

    @Test
    void aConnectionThatCannotBeMadeTakesNoPlaceAndItsRequestMayBeAskedAgain() throws Exception {
        AtomicBoolean fails = new AtomicBoolean(true);
        manager = server.ends(new LeaseholdHttpClientConnectionManager((HttpRoute to, org.apache.http.config.ConnectionConfig config) -> {
            if (fails.get()) {
                throw new IllegalStateException("not now");
            }
            return ManagedHttpClientConnectionFactory.INSTANCE.create(to, config);
        }));
        manager.setDefaultMaxPerRoute(1);
        ConnectionRequest request = manager.requestConnection(route, null);
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> request.get(0, null));
        assertEquals("not now", e.getMessage());
        assertEquals(0, manager.getTotalStats().getLeased());
        fails.set(false);
        HttpClientConnection held = request.get(0, null);
        assertFalse(held.isOpen());

        // So too where it has waited for its place.
        ConnectionRequest other = manager.requestConnection(route, null);
        Future<HttpClientConnection> waiting = threads.submit(() -> other.get(0, null));
        awaitPending(1);
        fails.set(true);
        keep(manager, held);
        assertEquals("not now", assertThrows(ExecutionException.class, waiting::get).getCause().getMessage());
        assertEquals(0, manager.getTotalStats().getLeased());
        fails.set(false);
        assertFalse(other.get(0, null).isOpen());
    }

    /** Both have found a place for themselves, and neither has cancelled anything. */
    @Test
    void ofTwoThreadsThatAskOneRequestBothGetTheSameConnection() throws Exception {
        CyclicBarrier making = new CyclicBarrier(2);
        manager = server.ends(new LeaseholdHttpClientConnectionManager((HttpRoute to, org.apache.http.config.ConnectionConfig config) -> {
            try {
                making.await(20, TimeUnit.SECONDS);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
            return ManagedHttpClientConnectionFactory.INSTANCE.create(to, config);
        }));
        ConnectionRequest request = manager.requestConnection(route, null);
        List<HttpClientConnection> both = Threads.run(2, thread -> () -> request.get(0, null));
        assertSame(both.get(0), both.get(1));
        assertEquals(1, manager.getTotalStats().getLeased());
    }

    /** As before, where each has found one that is idle: the one too many stays as it was. */
    @Test
    void ofTwoThreadsThatAskOneRequestEachWithAnIdleConnectionOneGivesItBack() throws Exception {
        AtomicReference<CyclicBarrier> looking = new AtomicReference<>();
        manager = server.ends(new LeaseholdHttpClientConnectionManager((to, config) -> new DefaultManagedHttpClientConnection("own", 8192) {
            private boolean isMet;

            @Override
            public boolean isOpen() {
                CyclicBarrier barrier = looking.get();
                if (barrier != null && !isMet) {
                    isMet = true;
                    await(barrier);
                }
                return super.isOpen();
            }
        }));
        HttpClientConnection[] two = {leaseOpen(manager, route, null), leaseOpen(manager, route, null)};
        for (HttpClientConnection each : two) {
            manager.releaseConnection(each, "somebody", 0, TimeUnit.SECONDS);
        }
        looking.set(new CyclicBarrier(2));
        ConnectionRequest request = manager.requestConnection(route, "somebody");
        List<HttpClientConnection> both = Threads.run(2, thread -> () -> request.get(0, null));
        assertSame(both.get(0), both.get(1));
        assertEquals("[leased: 1; pending: 0; available: 1; max: 2]", manager.getStats(route).toString());
        assertTrue(lease(manager, route, "somebody").isOpen());
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await(20, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** What happens to a request while a connection is made for it, as nobody has it yet. */
    private interface Meanwhile {
        void happens(ConnectionRequest request) throws Exception;
    }

    private ConnectionRequest requestWith(Meanwhile meanwhile) {
        ConnectionRequest[] request = new ConnectionRequest[1];
        AtomicBoolean isFirst = new AtomicBoolean(true);
        manager = server.ends(new LeaseholdHttpClientConnectionManager((HttpRoute to, org.apache.http.config.ConnectionConfig config) -> {
            if (isFirst.getAndSet(false)) {
                try {
                    meanwhile.happens(request[0]);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }
            return ManagedHttpClientConnectionFactory.INSTANCE.create(to, config);
        }));
        manager.setDefaultMaxPerRoute(1);
        request[0] = manager.requestConnection(route, null);
        return request[0];
    }

    @Test
    void aRequestThatIsCancelledWhileItsConnectionIsMadeIsAborted() throws Exception {
        ConnectionRequest request = requestWith(same -> assertTrue(same.cancel()));
        assertAborted(() -> request.get(0, null));
        assertEquals(0, manager.getTotalStats().getLeased());
    }

    /** The place that its connection had is given to the one who waits, who may be served before this one looks again. */
    @Test
    void whoMakesAConnectionForARequestThatAnotherThreadCameToWaitForGetsTheSameOrIsToldSo() throws Exception {
        AtomicReference<Future<HttpClientConnection>> waiting = new AtomicReference<>();
        ConnectionRequest request = requestWith(same -> {
            waiting.set(threads.submit(() -> same.get(0, null)));
            awaitPending(1);
        });
        HttpClientConnection given = null;
        try {
            given = request.get(0, null);
        } catch (IllegalStateException e) {
            assertTrue(e.getMessage().startsWith("another thread waits"), e.getMessage());
        }
        HttpClientConnection served = waiting.get().get();
        assertTrue(given == null || given == served);
        assertSame(served, request.get(0, null));
        assertEquals(1, manager.getTotalStats().getLeased());
    }

    @Test
    void whoMakesAConnectionForARequestThatIsCancelledWhileAnotherThreadWaitsIsAbortedToo() throws Exception {
        AtomicReference<Future<HttpClientConnection>> waiting = new AtomicReference<>();
        ConnectionRequest request = requestWith(same -> {
            waiting.set(threads.submit(() -> same.get(0, null)));
            awaitPending(1);
            assertTrue(same.cancel());
        });
        assertAborted(() -> request.get(0, null));
        assertThrows(ExecutionException.class, () -> waiting.get().get());
        assertEquals(0, manager.getTotalStats().getLeased());
    }

    @Test
    void whoAsksARequestForWhichAnotherThreadWaitsIsToldSo() throws Exception {
        HttpClientConnection held = leaseOpen(manager, route, null);
        ConnectionRequest request = manager.requestConnection(route, null);
        Future<HttpClientConnection> waiting = threads.submit(() -> request.get(0, null));
        awaitPending(1);
        assertThrows(IllegalStateException.class, () -> request.get(0, null));
        keep(manager, held);
        assertSame(waiting.get(), request.get(0, null));
    }

    @Test
    void aShutdownEndsTheWait() throws Exception {
        leaseOpen(manager, route, null);
        ConnectionRequest before = manager.requestConnection(route, null);
        ConnectionRequest request = manager.requestConnection(route, null);
        Future<HttpClientConnection> waiting = threads.submit(() -> request.get(0, null));
        awaitPending(1);
        manager.shutdown();
        ExecutionException e = assertThrows(ExecutionException.class, waiting::get);
        assertEquals(ExecutionException.class, e.getCause().getClass());
        assertEquals(CancellationException.class, e.getCause().getCause().getClass());
        assertAborted(() -> request.get(0, null));
        assertFalse(request.cancel());
        assertEquals("Connection pool shut down",
                assertThrows(IllegalStateException.class, () -> before.get(0, null)).getMessage());
        assertEquals("Connection pool shut down",
                assertThrows(IllegalStateException.class, () -> manager.requestConnection(route, null)).getMessage());
    }

    private void awaitPending(int number) throws Exception {
        Eventually.await(number + " waiting", () -> manager.getTotalStats().getPending() == number);
    }

    private static void assertAborted(Callable<?> call) {
        ExecutionException e = assertThrows(ExecutionException.class, call::call);
        assertEquals(CancellationException.class, e.getCause().getClass());
        assertEquals("Operation aborted", e.getCause().getMessage());
    }
}
