package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import io.leasehold.testsupport.ScriptedServer;
import java.io.IOException;
import java.lang.reflect.Field;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.WeakHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.protocol.Protocol;
import org.junit.jupiter.api.Test;

/** A shutdown at moments that no script can choose. */
class ShutdownTest {
    /** Makes a socket, and returns it when it may. */
    private static final class Slow implements SimpleSocketFactory {
        final CountDownLatch made = new CountDownLatch(1);
        final CountDownLatch mayReturn = new CountDownLatch(1);

        @Override
        public Socket createSocket(String host, int port) throws IOException {
            Socket socket = new Socket(host, port);
            made.countDown();
            try {
                mayReturn.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            return socket;
        }
    }

    @Test
    void whatIsInUseIsTakenFromItsUserAtOnceAlsoIfItsCloseWaits() throws Exception {
        LeaseholdMultiThreadedHttpConnectionManager manager = new LeaseholdMultiThreadedHttpConnectionManager();
        ClingingSocketFactory factory = new ClingingSocketFactory();
        List<HttpConnection> held = new ArrayList<>();
        try (ScriptedServer server = ScriptedServer.plain(); LogCapture log = LogCapture.of(HttpConnection.class)) {
            HostConfiguration configuration = new HostConfiguration();
            configuration.setHost("127.0.0.1", server.port(), new Protocol("http", factory, 80));
            // The second one's close has to wait for the first one's.
            for (int i = 0; i < 2; i++) {
                HttpConnection connection = manager.getConnection(configuration);
                connection.open();
                held.add(connection);
            }
            manager.shutdown();
            for (HttpConnection connection : held) {
                assertNull(connection.getHttpConnectionManager());
            }
            long warnings = log.messages().stream().filter(line -> line.startsWith("HttpConnectionManager is null.")).count();
            assertEquals(2, warnings, () -> log.messages().toString());
            factory.mayClose.countDown();
            Eventually.await("they are closed", () -> held.stream().noneMatch(HttpConnection::isOpen));
        }
    }

    @Test
    void aConnectionThatIsBeingOpenedMeanwhileIsClosed() throws Exception {
        LeaseholdMultiThreadedHttpConnectionManager manager = new LeaseholdMultiThreadedHttpConnectionManager();
        Slow factory = new Slow();
        try (ScriptedServer server = ScriptedServer.plain()) {
            HostConfiguration configuration = new HostConfiguration();
            configuration.setHost("127.0.0.1", server.port(), new Protocol("http", factory, 80));
            HttpConnection connection = manager.getConnection(configuration);
            FutureTask<Void> open = new FutureTask<>(() -> {
                connection.open();
                return null;
            });
            new Thread(open).start();
            factory.made.await();
            manager.shutdown();
            factory.mayReturn.countDown();
            open.get();
            assertFalse(connection.isOpen());
            assertNull(connection.getHttpConnectionManager());
            server.peer(0).awaitEnd();
            connection.releaseConnection();
            assertEquals(0, manager.getConnectionsInPool());
        }
    }

    /** The managers that 3.1 knows, and who shuts them all down in the moment when one makes itself known: it is not complete then. */
    private static final class ShutDownOnSight extends WeakHashMap<Object, Object> {
        private final Thread by = Thread.currentThread();

        @Override
        public Object put(Object manager, Object nothing) {
            Object before = super.put(manager, nothing);
            if (Thread.currentThread() == by) {
                MultiThreadedHttpConnectionManager.shutdownAll();
            }
            return before;
        }
    }

    @Test
    void aManagerThatIsBeingMadeWhileAllAreShutDownIsShutDown() throws Exception {
        Field known = MultiThreadedHttpConnectionManager.class.getDeclaredField("ALL_CONNECTION_MANAGERS");
        known.setAccessible(true);
        Object before = known.get(null);
        LeaseholdMultiThreadedHttpConnectionManager manager;
        try {
            known.set(null, new ShutDownOnSight());
            manager = new LeaseholdMultiThreadedHttpConnectionManager();
        } finally {
            known.set(null, before);
        }
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost("127.0.0.1", 80, "http");
        assertEquals("Connection factory has been shutdown.",
                assertThrows(IllegalStateException.class, () -> manager.getConnection(configuration)).getMessage());
    }
}
