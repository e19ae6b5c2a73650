package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.leasehold.LeaseholdManager;
import io.leasehold.ManualClock;
import io.leasehold.Watching;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.FailingLog;
import io.leasehold.testsupport.Faults;
import io.leasehold.testsupport.LogCapture;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.TimeUnit;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.protocol.Protocol;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What both managers do alike, and 3.1's have not. */
class BothManagersTest {
    private static HttpConnection lease(HttpConnectionManager manager, int port) throws Exception {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost("127.0.0.1", port, new Protocol("http", new MemorySocketFactory(), 80));
        return manager.getConnectionWithTimeout(configuration, 0);
    }

    @ParameterizedTest
    @EnumSource(OpeningTest.Kind.class)
    void howLongAConnectionIsHeldIsMeasuredWhereThatIsWanted(OpeningTest.Kind kind) throws Exception {
        ManualClock clock = new ManualClock();
        HttpConnectionManager manager = clock.driving(kind.maker);
        LeaseholdManager ours = (LeaseholdManager) manager;
        for (boolean isWanted : new boolean[] {true, false}) {
            ours.measureHeld(isWanted);
            HttpConnection connection = lease(manager, 80);
            assertEquals(1, ours.getPool().stats().leased());
            clock.advance(7, TimeUnit.MILLISECONDS);
            connection.releaseConnection();
            assertEquals(7, ours.getMetrics().held().sum(TimeUnit.MILLISECONDS));
        }
    }

    @ParameterizedTest
    @EnumSource(OpeningTest.Kind.class)
    void whatThePeerHasClosedGoesWithWhatIsIdleThoughNobodyWatchesIt(OpeningTest.Kind kind) throws Exception {
        HttpConnectionManager manager = kind.maker.get();
        LeaseholdManager ours = (LeaseholdManager) manager;
        ours.setWatching(Watching.PROBE);
        try (ServerSocket listener = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))) {
            HostConfiguration configuration = new HostConfiguration();
            configuration.setHost("127.0.0.1", listener.getLocalPort(), "http");
            HttpConnection connection = manager.getConnectionWithTimeout(configuration, 0);
            connection.open();
            connection.releaseConnection();
            manager.closeIdleConnections(TimeUnit.HOURS.toMillis(1));
            assertEquals(1, ours.getPool().stats().available());
            listener.accept().close();
            Eventually.await("its end to be seen", () -> {
                manager.closeIdleConnections(TimeUnit.HOURS.toMillis(1));
                return ours.getPool().stats().available() == 0;
            });
        }
    }

    /** HttpClient logs before it does anything, and nobody releases a connection twice. */
    @ParameterizedTest
    @EnumSource(OpeningTest.Kind.class)
    void whatIsReleasedWhileALoggerFailsIsReleased(OpeningTest.Kind kind) throws Exception {
        HttpConnectionManager manager = kind.maker.get();
        LeaseholdManager ours = (LeaseholdManager) manager;
        for (String logger : new String[] {HttpConnection.class.getName(), manager.getClass().getSuperclass().getName()}) {
            Faults faults = new Faults();
            HttpConnection connection = lease(manager, 80);
            connection.open();
            try (LogCapture log = LogCapture.of(logger); FailingLog failing = new FailingLog(faults, logger, logger)) {
                faults.arm(logger, Faults.Mode.EXCEPTION, null);
                try {
                    connection.releaseConnection();
                } catch (IllegalStateException e) {
                    assertEquals(logger + " fails on demand", e.getMessage());
                }
            }
            assertEquals(0, ours.getPool().stats().leased());
        }
    }
}
