package io.leasehold.httpclient4;

import io.leasehold.Watching;
import io.leasehold.testsupport.CellCount;
import io.leasehold.testsupport.Matrix;
import io.leasehold.testsupport.MemorySocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpRequest;
import org.apache.http.config.ConnectionConfig;
import org.apache.http.config.SocketConfig;
import org.apache.http.conn.ConnectionRequest;
import org.apache.http.message.BasicHttpRequest;
import org.apache.http.protocol.BasicHttpContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever an application's code does under whichever call of the manager, the manager loses nothing. */
class CallersFailuresTest {
    @RegisterExtension
    static final CellCount CELLS = new CellCount("the manager for HttpClient 4.5");

    private static Matrix<ManagerStage> matrix() {
        String manager = "LeaseholdHttpClientConnectionManager.";
        return new Matrix<>(ManagerStage::new, ManagerStage.LOG)
                .call(manager + "requestConnection(HttpRoute, Object)", stage -> stage.manager.requestConnection(stage.a, stage.state))
                .call("ConnectionRequest.get(long, TimeUnit)", stage -> stage.lease(stage.a, null))
                .call("ConnectionRequest.get(long, TimeUnit): validates", ManagerStage::awaitValidation,
                        stage -> stage.lease(stage.a, null))
                .call("ConnectionRequest.get(long, TimeUnit): of a new route", stage -> stage.lease(stage.c, null))
                .call("ConnectionRequest.get(long, TimeUnit): for somebody", stage -> stage.lease(stage.a, stage.like(stage.state)))
                .call("ConnectionRequest.get(long, TimeUnit): for somebody else", stage -> stage.lease(stage.c, stage.new State("else")))
                .call("ConnectionRequest.get(long, TimeUnit): in vain",
                        stage -> stage.manager.requestConnection(stage.b, null).get(1, TimeUnit.MILLISECONDS))
                .call("ConnectionRequest.get(long, TimeUnit): is interrupted", stage -> {
                    Thread.currentThread().interrupt();
                    stage.manager.requestConnection(stage.b, null).get(20, TimeUnit.SECONDS);
                })
                .call("ConnectionRequest.cancel()", stage -> {
                    ConnectionRequest request = stage.manager.requestConnection(stage.a, stage.state);
                    request.cancel();
                })
                .call(manager + "releaseConnection(HttpClientConnection, Object, long, TimeUnit)",
                        stage -> stage.manager.releaseConnection(stage.mine, null, 1, TimeUnit.MINUTES))
                .call(manager + "releaseConnection(HttpClientConnection, Object, long, TimeUnit): for somebody",
                        stage -> stage.manager.releaseConnection(stage.mine, stage.like(stage.state), 1, TimeUnit.MINUTES))
                .call(manager + "releaseConnection(HttpClientConnection, Object, long, TimeUnit): closed",
                        stage -> stage.mine.close(), stage -> stage.manager.releaseConnection(stage.mine, null, 1, TimeUnit.MINUTES))
                .call(manager + "releaseConnection(HttpClientConnection, Object, long, TimeUnit): over the limit",
                        stage -> stage.manager.setMaxTotal(1),
                        stage -> stage.manager.releaseConnection(stage.mine, null, 1, TimeUnit.MINUTES))
                .call(manager + "connect(HttpClientConnection, HttpRoute, int, HttpContext)", ManagerStage::closed,
                        stage -> stage.connect(stage.last(), stage.c))
                .call(manager + "upgrade(HttpClientConnection, HttpRoute, HttpContext)",
                        stage -> stage.manager.upgrade(stage.mine, stage.b, new BasicHttpContext()))
                .call(manager + "routeComplete(HttpClientConnection, HttpRoute, HttpContext)",
                        stage -> stage.manager.routeComplete(stage.mine, stage.b, new BasicHttpContext()))
                .call(manager + "shutdown()", stage -> stage.manager.shutdown())
                .call(manager + "close()", stage -> stage.manager.close())
                .call(manager + "closeIdleConnections(long, TimeUnit)", stage -> stage.manager.closeIdleConnections(0, TimeUnit.SECONDS))
                .call(manager + "closeExpiredConnections()", stage -> {
                    stage.manager.releaseConnection(stage.mine, null, 1, TimeUnit.MILLISECONDS);
                    long now = System.currentTimeMillis();
                    while (System.currentTimeMillis() < now + 20) {
                        Thread.yield();
                    }
                }, stage -> stage.manager.closeExpiredConnections())
                .call("enumAvailable", stage -> stage.manager.enumAvailable(stage.callback))
                .call("enumLeased", stage -> stage.manager.enumLeased(stage.callback))
                .call(manager + "getMaxTotal()", stage -> stage.manager.getMaxTotal())
                .call(manager + "setMaxTotal(int)", stage -> stage.manager.setMaxTotal(1))
                .call(manager + "getDefaultMaxPerRoute()", stage -> stage.manager.getDefaultMaxPerRoute())
                .call(manager + "setDefaultMaxPerRoute(int)", stage -> stage.manager.setDefaultMaxPerRoute(1))
                .call(manager + "setDefaultMaxPerRoute(int): raises", stage -> stage.manager.setDefaultMaxPerRoute(9))
                .call(manager + "getMaxPerRoute(HttpRoute)", stage -> stage.manager.getMaxPerRoute(stage.a))
                .call(manager + "setMaxPerRoute(HttpRoute, int)", stage -> stage.manager.setMaxPerRoute(stage.a, 0))
                .call(manager + "getTotalStats()", stage -> stage.manager.getTotalStats())
                .call(manager + "getStats(HttpRoute)", stage -> stage.manager.getStats(stage.a))
                .call(manager + "getRoutes()", stage -> stage.manager.getRoutes())
                .call(manager + "getDefaultSocketConfig()", stage -> stage.manager.getDefaultSocketConfig())
                .call(manager + "setDefaultSocketConfig(SocketConfig)", stage -> stage.manager.setDefaultSocketConfig(SocketConfig.DEFAULT))
                .call(manager + "getDefaultConnectionConfig()", stage -> stage.manager.getDefaultConnectionConfig())
                .call(manager + "setDefaultConnectionConfig(ConnectionConfig)",
                        stage -> stage.manager.setDefaultConnectionConfig(ConnectionConfig.DEFAULT))
                .call(manager + "getSocketConfig(HttpHost)", stage -> stage.manager.getSocketConfig(stage.a.getTargetHost()))
                .call(manager + "setSocketConfig(HttpHost, SocketConfig)",
                        stage -> stage.manager.setSocketConfig(stage.a.getTargetHost(), SocketConfig.DEFAULT))
                .call(manager + "getConnectionConfig(HttpHost)", stage -> stage.manager.getConnectionConfig(stage.a.getTargetHost()))
                .call(manager + "setConnectionConfig(HttpHost, ConnectionConfig)",
                        stage -> stage.manager.setConnectionConfig(stage.a.getTargetHost(), ConnectionConfig.DEFAULT))
                .call(manager + "getValidateAfterInactivity()", stage -> stage.manager.getValidateAfterInactivity())
                .call(manager + "setValidateAfterInactivity(int)", stage -> stage.manager.setValidateAfterInactivity(1))
                .call(manager + "setWatching(Watching)", stage -> stage.manager.setWatching(Watching.PROBE))
                .call(manager + "setTcpKeepAlive(int, int, int)", stage -> stage.manager.setTcpKeepAlive(1, 1, 1))
                .call(manager + "disableTcpKeepAlive()", stage -> stage.manager.disableTcpKeepAlive())
                .call(manager + "getCounters()", stage -> stage.manager.getCounters())
                .call(manager + "setName(String)", stage -> stage.manager.setName("other"))
                .call(manager + "getPool()", stage -> stage.manager.getPool())
                .call(manager + "getName()", stage -> stage.manager.getName())
                .call(manager + "getMetrics()", stage -> stage.manager.getMetrics())
                .call(manager + "measureHeld(boolean)", stage -> stage.manager.measureHeld(true))
                .callEach(LeasedConnection.class, stage -> stage.mine, CallersFailuresTest::argument);
    }

    private static Object argument(Class<?> type) {
        return type == int.class ? (Object) 1
                : type == String.class ? "a"
                : type == Socket.class ? new MemorySocket()
                : type == HttpRequest.class ? new BasicHttpRequest("GET", "/") : null;
    }

    static List<String> places() {
        List<String> places = new ArrayList<>(Matrix.givenTo(LeaseholdHttpClientConnectionManager.class));
        // Managers take back only what they have handed out, and a context is for the application's own operator or factory.
        places.removeIf(place -> place.startsWith("HttpClientConnection.") || place.startsWith("HttpContext."));
        places.addAll(Arrays.asList(ManagerStage.CREATE_SOCKET, ManagerStage.CONNECT_SOCKET, ManagerStage.CALLBACK,
                ManagerStage.STATE_EQUALS, ManagerStage.STATE_TO_STRING, ManagerStage.LOG,
                FailingConnection.IS_OPEN, FailingConnection.IS_STALE, FailingConnection.CLOSE, FailingConnection.SHUTDOWN,
                FailingConnection.SET_SOCKET_TIMEOUT, FailingConnection.GET_SOCKET, FailingConnection.BIND,
                Matrix.INTERRUPTED));
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
    }
}
