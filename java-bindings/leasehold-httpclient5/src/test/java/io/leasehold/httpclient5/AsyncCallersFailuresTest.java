package io.leasehold.httpclient5;

import io.leasehold.Watching;
import io.leasehold.testsupport.CellCount;
import io.leasehold.testsupport.Matrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Future;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.TlsConfig;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever an application's code does under whichever call of the asynchronous manager, the manager loses nothing. */
class AsyncCallersFailuresTest {
    @RegisterExtension
    static final CellCount CELLS = new CellCount("the asynchronous manager for HttpClient 5");

    private static final String OURS = "LeaseholdAsyncClientConnectionManager.";
    private static final String STOCKS = "PoolingAsyncClientConnectionManager.";

    @SuppressWarnings("deprecation") // What is a method is called.
    private static Matrix<BusyAsyncStage> matrix(boolean isSharing) {
        String lease = OURS + "lease(String, HttpRoute, Object, Timeout, FutureCallback)";
        String connect = OURS + "connect(AsyncConnectionEndpoint, ConnectionInitiator, Timeout, Object, HttpContext, FutureCallback)";
        String release = OURS + "release(AsyncConnectionEndpoint, Object, TimeValue)";
        Timeout patience = Timeout.ofSeconds(20);
        return new Matrix<>(() -> new BusyAsyncStage(isSharing), BusyAsyncStage.LOG)
                .call(lease, stage -> stage.lease(stage.a, null))
                .call(lease + ": of a new route", stage -> stage.lease(stage.c, null))
                .call(lease + ": for somebody", stage -> stage.lease(stage.a, stage.state.like()))
                .call(lease + ": for somebody else", stage -> stage.lease(stage.c, new FailingState("else", stage.faults())))
                .call(lease + ": with a callback", stage -> stage.request(stage.a, patience))
                .call(lease + ": with a callback, of a new route", stage -> stage.request(stage.c, patience))
                .call(lease + ": with a callback, served by a release", stage -> {
                    stage.manager.setMaxPerRoute(stage.b, 3);
                    stage.manager.setMaxTotal(6);
                    // The waiter has the third.
                    stage.awaitPending(0);
                }, stage -> {
                    stage.request(stage.b, patience);
                    stage.release(null);
                    stage.awaitTold();
                })
                .call(lease + ": with a callback, too late", stage -> {
                    stage.request(stage.b, Timeout.ofMilliseconds(1));
                    stage.awaitTold();
                })
                .call(lease + ": with a callback, until it is closed", stage -> {
                    stage.request(stage.b, patience);
                    stage.shutDown();
                    stage.awaitTold();
                })
                .call(lease + ": with a callback, cancelled", stage -> stage.request(stage.b, patience).cancel(true))
                .call("Future.get(): is interrupted", stage -> {
                    Thread.currentThread().interrupt();
                    Future<?> future = stage.manager.lease("ex", stage.b, null, patience, null);
                    try {
                        future.get();
                    } finally {
                        future.cancel(true);
                    }
                })
                .call(release, stage -> stage.release(null))
                .call(release + ": for somebody", stage -> stage.release(stage.state.like()))
                .call(release + ": for a while", stage -> stage.manager.release(stage.mine, null, TimeValue.ofHours(1)))
                .call(release + ": closed", stage -> stage.mine.close(CloseMode.IMMEDIATE), stage -> stage.release(null))
                .call(release + ": over the limit", stage -> stage.manager.setMaxTotal(1), stage -> stage.release(null))
                .call(release + ": after a shutdown", stage -> {
                    stage.vacancy(stage.c);
                    stage.connect(stage.last());
                    stage.shutDown();
                }, stage -> stage.manager.release(stage.last(), null, TimeValue.NEG_ONE_MILLISECOND))
                .call(connect, stage -> stage.vacancy(stage.c), stage -> stage.connect(stage.last()))
                .call(connect + ": after it was closed", stage -> {
                    stage.vacancy(stage.c);
                    stage.connect(stage.last());
                    stage.last().close(CloseMode.IMMEDIATE);
                }, stage -> stage.connect(stage.last()))
                // Not by TLS: HttpCore layers that on its reactor's thread, which an error there ends.
                .call(OURS + "upgrade(AsyncConnectionEndpoint, Object, HttpContext, FutureCallback)",
                        stage -> stage.manager.upgrade(stage.mine, null, HttpClientContext.create(), null))
                .call(STOCKS + "upgrade(AsyncConnectionEndpoint, Object, HttpContext)",
                        stage -> stage.manager.upgrade(stage.mine, null, HttpClientContext.create()))
                .call("AsyncConnectionEndpoint.isConnected()", stage -> stage.mine.isConnected())
                .call("AsyncConnectionEndpoint.setSocketTimeout(Timeout)", stage -> stage.mine.setSocketTimeout(Timeout.ofSeconds(1)))
                .call("AsyncConnectionEndpoint.close(CloseMode)", stage -> stage.mine.close(CloseMode.IMMEDIATE))
                .call(STOCKS + "close()", stage -> stage.manager.close())
                .call(OURS + "close(CloseMode)", stage -> stage.manager.close(CloseMode.IMMEDIATE))
                .call(STOCKS + "isClosed()", stage -> stage.manager.isClosed())
                .call(STOCKS + "closeIdle(TimeValue)", stage -> stage.manager.closeIdle(TimeValue.ZERO_MILLISECONDS))
                .call(STOCKS + "closeExpired()", stage -> stage.manager.closeExpired())
                .call(STOCKS + "getRoutes()", stage -> stage.manager.getRoutes())
                .call(STOCKS + "getMaxTotal()", stage -> stage.manager.getMaxTotal())
                .call(STOCKS + "setMaxTotal(int)", stage -> stage.manager.setMaxTotal(1))
                .call(STOCKS + "getDefaultMaxPerRoute()", stage -> stage.manager.getDefaultMaxPerRoute())
                .call(STOCKS + "setDefaultMaxPerRoute(int)", stage -> stage.manager.setDefaultMaxPerRoute(1))
                .call(STOCKS + "getMaxPerRoute(HttpRoute)", stage -> stage.manager.getMaxPerRoute(stage.a))
                .call(STOCKS + "setMaxPerRoute(HttpRoute, int)", stage -> stage.manager.setMaxPerRoute(stage.a, 0))
                .call(STOCKS + "setMaxPerRoute(HttpRoute, int): raises", stage -> {
                    stage.manager.setMaxTotal(9);
                    stage.manager.setMaxPerRoute(stage.b, 9);
                })
                .call(STOCKS + "getTotalStats()", stage -> stage.manager.getTotalStats())
                .call(STOCKS + "getStats(HttpRoute)", stage -> stage.manager.getStats(stage.a))
                .call(OURS + "setDefaultConnectionConfig(ConnectionConfig)",
                        stage -> stage.manager.setDefaultConnectionConfig(ConnectionConfig.DEFAULT))
                .call(OURS + "setConnectionConfigResolver(Resolver)", stage -> stage.manager.setConnectionConfigResolver(route -> null))
                .call(STOCKS + "setDefaultTlsConfig(TlsConfig)", stage -> stage.manager.setDefaultTlsConfig(TlsConfig.DEFAULT))
                .call(STOCKS + "setTlsConfigResolver(Resolver)", stage -> stage.manager.setTlsConfigResolver(host -> null))
                .call(STOCKS + "getValidateAfterInactivity()", stage -> stage.manager.getValidateAfterInactivity())
                .call(STOCKS + "setValidateAfterInactivity(TimeValue)",
                        stage -> stage.manager.setValidateAfterInactivity(TimeValue.NEG_ONE_MILLISECOND))
                .call(OURS + "setWatching(Watching)", stage -> stage.manager.setWatching(Watching.PROBE))
                .call(OURS + "setTcpKeepAlive(int, int, int)", stage -> stage.manager.setTcpKeepAlive(1, 1, 1))
                .call(OURS + "disableTcpKeepAlive()", stage -> stage.manager.disableTcpKeepAlive())
                .call(OURS + "setName(String)", stage -> stage.manager.setName("other"))
                .call(OURS + "getName()", stage -> stage.manager.getName())
                .call(OURS + "getPool()", stage -> stage.manager.getPool())
                .call(OURS + "getCounters()", stage -> stage.manager.getCounters())
                .call(OURS + "getMetrics()", stage -> stage.manager.getMetrics())
                .call(OURS + "measureHeld(boolean)", stage -> stage.manager.measureHeld(true));
    }

    @AfterAll
    static void closeReactor() {
        BusyAsyncStage.closeReactor();
    }

    static List<String> places() {
        List<String> places = new ArrayList<>(
                Matrix.givenTo(LeaseholdAsyncClientConnectionManager.class, LeaseholdAsyncClientConnectionManagerBuilder.class));
        // A context is for the application's own operator, endpoints are the manager's own, and canonical names are asked for by schemes of
        // authentication. The port of a host that has one is not asked for, and what a TlsConfig says is for the reactor's thread.
        places.removeIf(place -> place.startsWith("HttpContext.") || place.equals("AsyncConnectionEndpoint")
                || place.equals("DnsResolver.resolveCanonicalHostname") || place.equals(Failing.PORT)
                || place.equals(Failing.TLS_CONFIGS_GETTERS));
        places.remove("Resolver.resolve");
        places.addAll(Arrays.asList(Failing.CONFIG, Failing.TLS_CONFIG, FailingState.EQUALS, FailingState.TO_STRING, BusyAsyncStage.LOG,
                Matrix.INTERRUPTED));
        return places;
    }

    /** All that an application gives to the manager is tried: an interface new among the parameters needs a call that comes to it. */
    @ParameterizedTest
    @MethodSource("places")
    void whereverItIs(String place) throws Exception {
        CELLS.run(matrix(false), place);
    }

    /** What an application's code is told, and what it is told by, where connections are shared. */
    @ParameterizedTest
    @ValueSource(strings = {BusyAsyncStage.COMPLETED, BusyAsyncStage.FAILED, BusyAsyncStage.CANCELLED, Failing.CONFIG,
        Failing.CONFIGS_GETTERS, BusyAsyncStage.LOG})
    void whereverItIsAndConnectionsAreShared(String place) throws Exception {
        CELLS.run(matrix(true), place);
    }

    @Test
    void everyPublicMethodIsCalled() {
        matrix(false).mustCover(LeaseholdAsyncClientConnectionManager.class);
        matrix(false).mustCover(PoolingAsyncClientConnectionManager.class, LeaseholdAsyncClientConnectionManager.class);
    }
}
