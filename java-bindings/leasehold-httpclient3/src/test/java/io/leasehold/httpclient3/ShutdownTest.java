package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.leasehold.testsupport.ScriptedServer;
import java.io.IOException;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
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
            server.peers().get(0).awaitEnd();
            connection.releaseConnection();
            assertEquals(0, manager.getConnectionsInPool());
        }
    }
}
