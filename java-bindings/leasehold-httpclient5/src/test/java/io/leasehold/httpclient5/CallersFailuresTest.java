package io.leasehold.httpclient5;

import static io.leasehold.httpclient5.BusyManagerStage.CONNECTION;

import io.leasehold.Watching;
import io.leasehold.testsupport.CellCount;
import io.leasehold.testsupport.Matrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.TlsConfig;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.io.LeaseRequest;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.http.io.SocketConfig;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever an application's code does under whichever call of the classic manager, the manager loses nothing. */
class CallersFailuresTest {
    @RegisterExtension
    static final CellCount CELLS = new CellCount("the classic manager for HttpClient 5");

    private static final String OURS = "LeaseholdHttpClientConnectionManager.";
    private static final String STOCKS = "PoolingHttpClientConnectionManager.";

    @SuppressWarnings("deprecation") // What is a method is called.
    private static Matrix<BusyManagerStage> matrix() {
        TimeValue ever = TimeValue.NEG_ONE_MILLISECOND;
        return new Matrix<>(BusyManagerStage::new, BusyManagerStage.LOG)
                .call(OURS + "lease(String, HttpRoute, Timeout, Object)",
                        stage -> stage.manager.lease("ex", stage.a, Timeout.DISABLED, stage.state.like()).cancel())
                .call("LeaseRequest.get(Timeout)", stage -> stage.lease(stage.a, null))
                .call("LeaseRequest.get(Timeout): validates", BusyManagerStage::awaitValidation, stage -> stage.lease(stage.a, null))
                .call("LeaseRequest.get(Timeout): of a new route", stage -> stage.lease(stage.c, null))
                .call("LeaseRequest.get(Timeout): for somebody", stage -> stage.lease(stage.a, stage.state.like()))
                .call("LeaseRequest.get(Timeout): for somebody else",
                        stage -> stage.lease(stage.c, new FailingState("else", stage.faults())))
                .call("LeaseRequest.get(Timeout): in vain", stage -> stage.manager.lease("ex", stage.b, Timeout.ofMilliseconds(1), null)
                        .get(Timeout.ofMilliseconds(1)))
                .call("LeaseRequest.get(Timeout): is interrupted", stage -> {
                    Thread.currentThread().interrupt();
                    stage.lease(stage.b, null);
                })
                .call("LeaseRequest.cancel()", stage -> {
                    LeaseRequest request = stage.manager.lease("ex", stage.a, Timeout.DISABLED, stage.state.like());
                    request.cancel();
                })
                .call(OURS + "release(ConnectionEndpoint, Object, TimeValue)", stage -> stage.release(null))
                .call(OURS + "release(ConnectionEndpoint, Object, TimeValue): for somebody", stage -> stage.release(stage.state.like()))
                .call(OURS + "release(ConnectionEndpoint, Object, TimeValue): for a while",
                        stage -> stage.manager.release(stage.mine, null, TimeValue.ofHours(1)))
                .call(OURS + "release(ConnectionEndpoint, Object, TimeValue): for good",
                        stage -> stage.manager.release(stage.mine, null, null))
                .call(OURS + "release(ConnectionEndpoint, Object, TimeValue): closed", stage -> stage.mine.close(CloseMode.IMMEDIATE),
                        stage -> stage.release(null))
                .call(OURS + "release(ConnectionEndpoint, Object, TimeValue): over the limit", stage -> stage.manager.setMaxTotal(1),
                        stage -> stage.release(null))
                .call(OURS + "release(ConnectionEndpoint, Object, TimeValue): after a shutdown", stage -> {
                    stage.vacancy(stage.c);
                    stage.connect(stage.last());
                    stage.shutDown();
                }, stage -> stage.manager.release(stage.last(), null, ever))
                .call(STOCKS + "connect(ConnectionEndpoint, TimeValue, HttpContext)", stage -> stage.vacancy(stage.c),
                        stage -> stage.connect(stage.last()))
                .call(STOCKS + "connect(ConnectionEndpoint, TimeValue, HttpContext): after it was closed", stage -> {
                    stage.vacancy(stage.c);
                    stage.connect(stage.last());
                    stage.last().close(CloseMode.IMMEDIATE);
                }, stage -> stage.connect(stage.last()))
                .call(STOCKS + "connect(ConnectionEndpoint, TimeValue, HttpContext): by TLS", stage -> stage.vacancy(stage.secure),
                        stage -> stage.connect(stage.last()))
                .call(STOCKS + "upgrade(ConnectionEndpoint, HttpContext)",
                        stage -> stage.manager.upgrade(stage.mine, HttpClientContext.create()))
                .call("ConnectionEndpoint.isConnected()", stage -> stage.mine.isConnected())
                .call("ConnectionEndpoint.setSocketTimeout(Timeout)", stage -> stage.mine.setSocketTimeout(Timeout.ofSeconds(1)))
                .call("ConnectionEndpoint.close()", stage -> stage.mine.close())
                .call("ConnectionEndpoint.close(CloseMode)", stage -> stage.mine.close(CloseMode.IMMEDIATE))
                .call(STOCKS + "lease(String, HttpRoute, Object)",
                        stage -> stage.manager.lease("ex", stage.a, stage.state.like()).cancel())
                .call(STOCKS + "close()", stage -> stage.manager.close())
                .call(OURS + "close(CloseMode)", stage -> stage.manager.close(CloseMode.IMMEDIATE))
                .call(STOCKS + "isClosed()", stage -> isClosed(stage.manager))
                .call(STOCKS + "closeIdle(TimeValue)", stage -> stage.manager.closeIdle(TimeValue.ZERO_MILLISECONDS))
                .call(STOCKS + "closeExpired()", stage -> stage.manager.closeExpired())
                .call(STOCKS + "getRoutes()", stage -> stage.manager.getRoutes())
                .call(STOCKS + "getMaxTotal()", stage -> stage.manager.getMaxTotal())
                .call(STOCKS + "setMaxTotal(int)", stage -> stage.manager.setMaxTotal(1))
                .call(STOCKS + "setMaxTotal(int): raises", stage -> {
                    stage.manager.setDefaultMaxPerRoute(9);
                    stage.manager.setMaxTotal(9);
                })
                .call(STOCKS + "getDefaultMaxPerRoute()", stage -> stage.manager.getDefaultMaxPerRoute())
                .call(STOCKS + "setDefaultMaxPerRoute(int)", stage -> stage.manager.setDefaultMaxPerRoute(1))
                .call(STOCKS + "getMaxPerRoute(HttpRoute)", stage -> stage.manager.getMaxPerRoute(stage.a))
                .call(STOCKS + "setMaxPerRoute(HttpRoute, int)", stage -> stage.manager.setMaxPerRoute(stage.a, 0))
                .call(STOCKS + "setMaxPerRoute(HttpRoute, int): raises", stage -> stage.manager.setMaxPerRoute(stage.b, 9))
                .call(STOCKS + "getTotalStats()", stage -> stage.manager.getTotalStats())
                .call(STOCKS + "getStats(HttpRoute)", stage -> stage.manager.getStats(stage.a))
                .call(STOCKS + "getDefaultSocketConfig()", stage -> stage.manager.getDefaultSocketConfig())
                .call(STOCKS + "setDefaultSocketConfig(SocketConfig)", stage -> stage.manager.setDefaultSocketConfig(SocketConfig.DEFAULT))
                .call(STOCKS + "setSocketConfigResolver(Resolver)", stage -> stage.manager.setSocketConfigResolver(route -> null))
                .call(OURS + "setDefaultConnectionConfig(ConnectionConfig)",
                        stage -> stage.manager.setDefaultConnectionConfig(ConnectionConfig.DEFAULT))
                .call(OURS + "setConnectionConfigResolver(Resolver)", stage -> stage.manager.setConnectionConfigResolver(route -> null))
                .call(STOCKS + "setDefaultTlsConfig(TlsConfig)", stage -> stage.manager.setDefaultTlsConfig(TlsConfig.DEFAULT))
                .call(STOCKS + "setTlsConfigResolver(Resolver)", stage -> stage.manager.setTlsConfigResolver(host -> null))
                .call(STOCKS + "getValidateAfterInactivity()", stage -> stage.manager.getValidateAfterInactivity())
                .call(STOCKS + "setValidateAfterInactivity(TimeValue)", stage -> stage.manager.setValidateAfterInactivity(ever))
                .call(OURS + "setWatching(Watching)", stage -> stage.manager.setWatching(Watching.PROBE))
                .call(OURS + "setTcpKeepAlive(int, int, int)", stage -> stage.manager.setTcpKeepAlive(1, 1, 1))
                .call(OURS + "disableTcpKeepAlive()", stage -> stage.manager.disableTcpKeepAlive())
                .call(OURS + "getCounters()", stage -> stage.manager.getCounters())
                .call(OURS + "setName(String)", stage -> stage.manager.setName("other"))
                .call(OURS + "getName()", stage -> stage.manager.getName())
                .call(OURS + "getPool()", stage -> stage.manager.getPool())
                .call(OURS + "getMetrics()", stage -> stage.manager.getMetrics())
                .call(OURS + "measureHeld(boolean)", stage -> stage.manager.measureHeld(true));
    }

    /** A method as of 5.4. */
    private static void isClosed(PoolingHttpClientConnectionManager manager) throws Exception {
        try {
            PoolingHttpClientConnectionManager.class.getMethod("isClosed").invoke(manager);
        } catch (NoSuchMethodException e) {
            // This version has none.
        }
    }

    static List<String> places() {
        List<String> places = new ArrayList<>(
                Matrix.givenTo(LeaseholdHttpClientConnectionManager.class, LeaseholdHttpClientConnectionManagerBuilder.class));
        // A context is for the application's own operator, endpoints are the manager's own, and canonical names are asked for by schemes of
        // authentication. What layers sockets also makes them for HttpClients before 5.4.
        places.removeIf(place -> place.startsWith("HttpContext.") || place.equals("ConnectionEndpoint")
                || place.equals("DnsResolver.resolveCanonicalHostname") || place.equals("LayeredConnectionSocketFactory.createSocket")
                || place.equals("LayeredConnectionSocketFactory.connectSocket"));
        places.remove("Resolver.resolve");
        places.addAll(Arrays.asList(Failing.CONFIG, Failing.TLS_CONFIG, BusyManagerStage.SOCKET_CONFIG,
                CONNECTION + "isOpen", CONNECTION + "isConsistent", CONNECTION + "isStale", CONNECTION + "close",
                CONNECTION + "activate", CONNECTION + "passivate", CONNECTION + "setSocketTimeout", CONNECTION + "getSocket",
                CONNECTION + "bind", FailingState.EQUALS, FailingState.TO_STRING, BusyManagerStage.LOG, Matrix.INTERRUPTED));
        return places;
    }

    /** All that an application gives to the manager is tried: an interface new among the parameters needs a call that comes to it. */
    @ParameterizedTest
    @MethodSource("places")
    void whereverItIs(String place) throws Exception {
        CELLS.run(matrix(), place);
    }

    @Test
    void everyPublicMethodIsCalled() {
        matrix().mustCover(LeaseholdHttpClientConnectionManager.class);
        matrix().mustCover(PoolingHttpClientConnectionManager.class, LeaseholdHttpClientConnectionManager.class);
    }
}
