package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.LeaseholdManager;
import io.leasehold.Watching;
import io.leasehold.testsupport.CellCount;
import io.leasehold.testsupport.Matrix;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.commons.httpclient.params.HttpConnectionParams;
import org.apache.commons.httpclient.protocol.Protocol;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever an application's code does under whichever call of a manager of either kind, the manager loses nothing. */
@SuppressWarnings("deprecation") // 3.1 has deprecated many of its methods, and they are called all the same.
class CallersFailuresTest {
    @RegisterExtension
    static final CellCount CELLS = new CellCount("the managers for HttpClient 3.1");

    private static Matrix<ManagerStage> simple() {
        String manager = "LeaseholdHttpConnectionManager.";
        return both(manager, new Matrix<>(() -> new ManagerStage(new LeaseholdHttpConnectionManager()), ManagerStage.LOG))
                .call(manager + "shutdown()", stage -> simple(stage).shutdown())
                .call(manager + "isConnectionStaleCheckingEnabled()", stage -> simple(stage).isConnectionStaleCheckingEnabled())
                .call(manager + "setConnectionStaleCheckingEnabled(boolean)",
                        stage -> simple(stage).setConnectionStaleCheckingEnabled(true));
    }

    private static LeaseholdHttpConnectionManager simple(ManagerStage stage) {
        return (LeaseholdHttpConnectionManager) stage.manager;
    }

    private static Matrix<ManagerStage> pooled() {
        String manager = "LeaseholdMultiThreadedHttpConnectionManager.";
        return both(manager, new Matrix<>(() -> new ManagerStage(new LeaseholdMultiThreadedHttpConnectionManager()), ManagerStage.LOG))
                .call(manager + "shutdown()", stage -> pooled(stage).shutdown())
                .call(manager + "isConnectionStaleCheckingEnabled()", stage -> pooled(stage).isConnectionStaleCheckingEnabled())
                .call(manager + "setConnectionStaleCheckingEnabled(boolean)",
                        stage -> pooled(stage).setConnectionStaleCheckingEnabled(true))
                .call(manager + "setMaxConnectionsPerHost(int)", stage -> pooled(stage).setMaxConnectionsPerHost(1))
                .call(manager + "getMaxConnectionsPerHost()", stage -> pooled(stage).getMaxConnectionsPerHost())
                .call(manager + "setMaxTotalConnections(int)", stage -> pooled(stage).setMaxTotalConnections(1))
                .call(manager + "getMaxTotalConnections()", stage -> pooled(stage).getMaxTotalConnections())
                .call(manager + "getConnectionsInPool(HostConfiguration)", stage -> pooled(stage).getConnectionsInPool(stage.host("a")))
                .call(manager + "getConnectionsInPool()", stage -> pooled(stage).getConnectionsInPool())
                .call(manager + "getConnectionsInUse(HostConfiguration)", stage -> pooled(stage).getConnectionsInUse(stage.host("b")))
                .call(manager + "getConnectionsInUse()", stage -> pooled(stage).getConnectionsInUse())
                .call(manager + "deleteClosedConnections()", stage -> pooled(stage).deleteClosedConnections());
    }

    private static LeaseholdMultiThreadedHttpConnectionManager pooled(ManagerStage stage) {
        return (LeaseholdMultiThreadedHttpConnectionManager) stage.manager;
    }

    /** What both kinds have. */
    private static Matrix<ManagerStage> both(String manager, Matrix<ManagerStage> matrix) {
        return matrix
                .call(manager + "getConnectionWithTimeout(HostConfiguration, long)", stage -> stage.lease("a", 20_000))
                .call(manager + "getConnectionWithTimeout(HostConfiguration, long): of a new host", stage -> stage.lease("c", 20_000))
                .call(manager + "getConnectionWithTimeout(HostConfiguration, long): in vain", stage -> stage.lease("b", 1))
                .call(manager + "getConnectionWithTimeout(HostConfiguration, long): is interrupted", stage -> {
                    Thread.currentThread().interrupt();
                    stage.lease("b", 20_000);
                })
                .call(manager + "getConnection(HostConfiguration)",
                        stage -> stage.manager.getConnection(stage.host("a")).releaseConnection())
                .call(manager + "getConnection(HostConfiguration, long)",
                        stage -> stage.manager.getConnection(stage.host("a"), 20_000).releaseConnection())
                .call(manager + "releaseConnection(HttpConnection)", stage -> stage.manager.releaseConnection(stage.mine))
                .call(manager + "releaseConnection(HttpConnection): closed", stage -> stage.mine.close(),
                        stage -> stage.manager.releaseConnection(stage.mine))
                .call(manager + "releaseConnection(HttpConnection): over the limit",
                        stage -> stage.manager.setParams(stage.params(1, 1)), stage -> stage.manager.releaseConnection(stage.mine))
                .call(manager + "closeIdleConnections(long)", stage -> stage.manager.closeIdleConnections(0))
                .call(manager + "getParams()", stage -> stage.manager.getParams())
                .call(manager + "setParams(HttpConnectionManagerParams)", stage -> stage.manager.setParams(stage.params(1, 1)))
                .call(manager + "setWatching(Watching)", stage -> ours(stage).setWatching(Watching.PROBE))
                .call(manager + "setTcpKeepAlive(int, int, int)", stage -> ours(stage).setTcpKeepAlive(1, 1, 1))
                .call(manager + "disableTcpKeepAlive()", stage -> ours(stage).disableTcpKeepAlive())
                .call(manager + "getCounters()", stage -> ours(stage).getCounters())
                .call(manager + "setName(String)", stage -> ours(stage).setName("other"))
                .call(manager + "getPool()", stage -> ours(stage).getPool())
                .call(manager + "getName()", stage -> ours(stage).getName())
                .call(manager + "getMetrics()", stage -> ours(stage).getMetrics())
                .call(manager + "measureHeld(boolean)", stage -> ours(stage).measureHeld(true))
                .call("LeasedHttpConnection.open(): of a closed one", ManagerStage::leaseClosed, stage -> stage.last().open())
                .callEach(LeasedHttpConnection.class, stage -> stage.mine, CallersFailuresTest::argument);
    }

    private static LeaseholdManager ours(ManagerStage stage) {
        return (LeaseholdManager) stage.manager;
    }

    private static Object argument(Class<?> type) {
        return type == int.class ? (Object) 1
                : type == boolean.class ? (Object) true
                : type == String.class ? "US-ASCII"
                : type == byte[].class ? new byte[8]
                : type == Protocol.class ? Protocol.getProtocol("http")
                : type == HttpConnectionParams.class ? new HttpConnectionParams()
                : type == HttpConnectionManager.class ? new SimpleHttpConnectionManager()
                : type == InetAddress.class ? InetAddress.getLoopbackAddress() : null;
    }

    @ParameterizedTest
    @ValueSource(strings = {ManagerStage.SOCKET_FACTORY, ManagerStage.PROTOCOL_EQUALS, ManagerStage.PROTOCOL_HASH_CODE, ManagerStage.HOST,
            ManagerStage.PARAMETERS, ManagerStage.LOG, FailingSocket.CLOSE, FailingSocket.OPTIONS, FailingSocket.STREAMS,
            Matrix.INTERRUPTED})
    void whereverItIs(String place) throws Exception {
        assertAll(() -> CELLS.run(simple(), place), () -> CELLS.run(pooled(), place));
    }

    @Test
    void everyPublicMethodIsCalled() {
        simple().mustCover(LeaseholdHttpConnectionManager.class);
        pooled().mustCover(LeaseholdMultiThreadedHttpConnectionManager.class);
    }

    /** A class that is new among the parameters needs a place above, and to be named here. */
    @Test
    void everythingThatAnApplicationGivesIsTried() {
        Set<String> tried = new TreeSet<>(Arrays.asList("HostConfiguration", "HttpConnectionManagerParams"));
        // Managers take back only what they have handed out.
        tried.add("HttpConnection");
        assertEquals(tried, Matrix.givenTo(LeaseholdHttpConnectionManager.class));
        assertEquals(tried, Matrix.givenTo(LeaseholdMultiThreadedHttpConnectionManager.class));
    }
}
