package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.SparseSocket;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.protocol.Protocol;
import org.apache.commons.httpclient.protocol.ProtocolSocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How it is found out whether a connection is alive: by the operating system, or by a timed read where that cannot be asked. */
class StaleCheckTest {
    private final AtomicInteger timedReads = new AtomicInteger();
    private final LeaseholdMultiThreadedHttpConnectionManager manager = new LeaseholdMultiThreadedHttpConnectionManager();
    private ServerSocket listener;

    @BeforeEach
    void start() throws IOException {
        listener = new ServerSocket(0);
    }

    @AfterEach
    void stop() throws IOException {
        manager.shutdown();
        listener.close();
    }

    @Test
    void theOperatingSystemIsAskedWithoutReading() throws Exception {
        HttpConnection connection = open(new Counted());
        try (Socket peer = listener.accept()) {
            assertFalse(connection.closeIfStale());
            peer.close();
            Eventually.await("the peer's end", connection::closeIfStale);
        }
        assertFalse(connection.isOpen());
        assertEquals(0, timedReads.get());
        connection.releaseConnection();
    }

    @Test
    void bytesThatNobodyAskedForMakeAPlainConnectionStale() throws Exception {
        HttpConnection connection = open(new Counted());
        try (Socket peer = listener.accept()) {
            peer.getOutputStream().write('H');
            Eventually.await("the peer's byte", connection::closeIfStale);
        }
        assertEquals(0, timedReads.get());
        connection.releaseConnection();
    }

    @Test
    void aSocketThatCannotBeAskedIsReadAsIn31() throws Exception {
        HttpConnection connection = open(new Wrapped());
        try (Socket peer = listener.accept()) {
            assertFalse(connection.closeIfStale());
            assertEquals(1, timedReads.get());
            peer.close();
            Eventually.await("the peer's end", connection::closeIfStale);
        }
        assertTrue(timedReads.get() > 1);
        connection.releaseConnection();
    }

    private HttpConnection open(ProtocolSocketFactory factory) throws IOException {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost("127.0.0.1", listener.getLocalPort(), new Protocol("http", factory, 80));
        HttpConnection connection = manager.getConnection(configuration);
        connection.open();
        return connection;
    }

    private void count(int timeout) {
        if (timeout == 1) {
            timedReads.incrementAndGet();
        }
    }

    /** Makes sockets of the JDK's that count how often 3.1's check begins. */
    private class Counted implements SimpleSocketFactory {
        @Override
        public Socket createSocket(String host, int port) throws IOException {
            return new Socket(host, port) {
                @Override
                public void setSoTimeout(int timeout) throws SocketException {
                    count(timeout);
                    super.setSoTimeout(timeout);
                }
            };
        }
    }

    /** Makes sockets that only pass on to another one, as some libraries' do. */
    private final class Wrapped extends Counted {
        @Override
        public Socket createSocket(String host, int port) throws IOException {
            return new SparseSocket(super.createSocket(host, port));
        }
    }
}
