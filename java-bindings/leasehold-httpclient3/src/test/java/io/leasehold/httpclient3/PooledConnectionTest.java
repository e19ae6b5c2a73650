package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.Cause;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.commons.httpclient.protocol.Protocol;
import org.apache.commons.httpclient.protocol.ProtocolSocketFactory;
import org.apache.commons.httpclient.protocol.SecureProtocolSocketFactory;
import org.apache.commons.logging.LogFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a connection is good for, what takes its place, and what becomes of it when its pool lets it go. */
class PooledConnectionTest {
    /** Says that it makes TLS. */
    private static final class Layers implements SecureProtocolSocketFactory, SimpleSocketFactory {
        @Override
        public Socket createSocket(Socket socket, String host, int port, boolean autoClose) {
            return socket;
        }

        @Override
        public Socket createSocket(String host, int port) throws IOException {
            return new Socket(host, port);
        }
    }

    private final PooledConnection.Home home = new PooledConnection.Home();
    private final List<Object> told = new ArrayList<>();
    private final PooledConnection.Closer closer = new PooledConnection.Closer((connection, cause) -> told.add(cause));
    private ServerSocket listener;
    private PooledConnection pooled;

    @BeforeEach
    void start() throws IOException {
        listener = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        pooled = make("127.0.0.1");
    }

    @AfterEach
    void stop() throws IOException {
        pooled.close();
        listener.close();
    }

    private PooledConnection make(String host) {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost(host, listener.getLocalPort(), "http");
        return new PooledConnection(configuration, new Destination.Finder(false).of(configuration), home);
    }

    @Test
    void itIsReusableAsLongAsItIsNewOrOpen() throws Exception {
        assertTrue(pooled.isReusable());
        pooled.open();
        assertTrue(pooled.isReusable());
        pooled.close();
        assertFalse(pooled.isReusable());
    }

    @Test
    void whatWasTurnedElsewhereIsReusableWhenItIsTurnedBack() {
        pooled.setPort(1);
        assertFalse(pooled.isReusable());
        pooled.setPort(listener.getLocalPort());
        assertTrue(pooled.isReusable());
    }

    @Test
    void itsSuccessorIsAsItWasAndClosed() throws Exception {
        PooledConnection before = make("a.example");
        before.setProxyHost("proxy.example");
        before.setProxyPort(3128);
        before.setLocalAddress(InetAddress.getByName("127.0.0.2"));
        PooledConnection after = before.successor();
        assertNotSame(before, after);
        assertEquals("a.example proxy.example 3128 /127.0.0.2", after.getHost() + " " + after.getProxyHost() + " " + after.getProxyPort() + " "
                + after.getLocalAddress());
        assertEquals(listener.getLocalPort(), after.getPort());
        assertSame(before.getProtocol(), after.getProtocol());
        assertSame(before.getParams(), after.getParams());
        assertSame(before.route(), after.route());
        assertSame(home, after.home());
        assertTrue(after.isLeased());
        assertFalse(after.isReusable());
    }

    @Test
    void whatIsNotOpenIsStale() throws Exception {
        assertTrue(pooled.isStale());
        assertFalse(pooled.isClosedByPeer());
        pooled.open();
        assertFalse(pooled.isStale());
        assertFalse(pooled.isClosedByPeer());
        listener.accept().close();
        Eventually.await("the peer's end", pooled::isClosedByPeer);
        assertTrue(pooled.isStale());
    }

    @Test
    void whatIsOpenedAfterAShutdownIsClosed() throws Exception {
        pooled.orphan();
        assertTrue(pooled.isOrphaned());
        pooled.open();
        assertFalse(pooled.isOpen());
    }

    @Test
    void whatIsLayeredAfterAShutdownIsClosed() throws Exception {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost("a.example", 443, new Protocol("https", (ProtocolSocketFactory) new Layers(), 443));
        configuration.setProxy("127.0.0.1", listener.getLocalPort());
        PooledConnection tunnel = new PooledConnection(configuration, new Destination.Finder(false).of(configuration), home);
        tunnel.open();
        tunnel.tunnelCreated();
        assertTrue(tunnel.isOpen());
        assertTrue(tunnel.isTransparent());
        tunnel.close();
        tunnel.open();
        tunnel.orphan();
        tunnel.tunnelCreated();
        assertFalse(tunnel.isOpen());
    }

    @Test
    void whatIsLetGoIsToldAndClosedAndHeldByNobody() throws Exception {
        pooled.open();
        closer.letGo(pooled.cell(), Cause.IDLE);
        assertEquals("[IDLE]", told.toString());
        closer.dispose(pooled.cell(), Cause.IDLE);
        assertFalse(pooled.isOpen());
        PooledConnection.Cell cell = letGo();
        Eventually.awaitAfterCollection("it to go", () -> cell.get() == null);
    }

    private PooledConnection.Cell letGo() {
        PooledConnection other = make("127.0.0.1");
        closer.dispose(other.cell(), Cause.IDLE);
        return other.cell();
    }

    @Test
    void whatWasCollectedConcernsNobody() throws Exception {
        pooled.open();
        pooled.cell().clear();
        closer.letGo(pooled.cell(), Cause.IDLE);
        closer.dispose(pooled.cell(), Cause.IDLE);
        assertFalse(closer.mayBlock(pooled.cell()));
        assertEquals("[]", told.toString());
        assertTrue(pooled.isOpen());
    }

    @Test
    void whoseCloseMayWaitIsKnownByItsSocket() throws Exception {
        assertFalse(closer.mayBlock(pooled.cell()));
        List<Socket> sockets = new ArrayList<>();
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost("127.0.0.1", listener.getLocalPort(), new Protocol("http", (SimpleSocketFactory) (host, port) -> {
            Socket socket = new Socket(host, port);
            socket.setSoLinger(true, 1);
            sockets.add(socket);
            return socket;
        }, 80));
        PooledConnection lingering = new PooledConnection(configuration, new Destination.Finder(false).of(configuration), home);
        lingering.open();
        assertTrue(closer.mayBlock(lingering.cell()));
        sockets.get(0).close();
    }

    @Test
    void whatIsLostIsNamedByItsRoute() {
        try (LogCapture log = LogCapture.of(SimpleHttpConnectionManager.class)) {
            PooledConnection.leakListener(LogFactory.getLog(SimpleHttpConnectionManager.class)).leaked(pooled.route(), pooled.cell());
            assertEquals("[Connection reclaimed by garbage collector, hostConfig=" + pooled.route() + "]",
                    log.messages().toString());
        }
    }

    @Test
    void itsLastHolderIsKnownAndNotHeld() throws Exception {
        assertNull(pooled.lastHolder());
        HttpConnection[] holder = {new LeasedConnection(new LeaseholdHttpConnectionManager(), true)};
        pooled.setLastHolder((LeasedConnection) holder[0]);
        assertSame(holder[0], pooled.lastHolder());
        holder[0] = null;
        Eventually.awaitAfterCollection("its holder to go", () -> pooled.lastHolder() == null);
    }
}
