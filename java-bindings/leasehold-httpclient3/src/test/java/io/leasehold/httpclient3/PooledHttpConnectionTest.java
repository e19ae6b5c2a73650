package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.Cause;
import io.leasehold.Disposer;
import io.leasehold.managed.ManagedConnections;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
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
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a connection is good for, what takes its place, and what becomes of it when its pool lets it go. */
class PooledHttpConnectionTest {
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

    @RegisterExtension
    final Loopback server = new Loopback();
    private final ManagedConnections<PooledHttpConnection> connections = new ManagedConnections<>();
    private final List<Object> told = new ArrayList<>();
    private final Disposer<PooledHttpConnection> disposer = PooledHttpConnection.disposer((connection, cause) -> told.add(cause));
    private PooledHttpConnection pooled;

    @BeforeEach
    void start() throws IOException {
        pooled = make(Loopback.ADDRESS);
    }

    @AfterEach
    void stop() throws IOException {
        pooled.close();
    }

    private PooledHttpConnection make(String host) {
        HostConfiguration configuration = server.to(host, Protocol.getProtocol("http"));
        return new PooledHttpConnection(configuration, new Destination.Finder(false).of(configuration), connections);
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
        pooled.setPort(server.port());
        assertTrue(pooled.isReusable());
    }

    @Test
    void itsSuccessorIsAsItWasAndClosed() throws Exception {
        PooledHttpConnection before = make("a.example");
        before.setProxyHost("proxy.example");
        before.setProxyPort(3128);
        before.setLocalAddress(InetAddress.getByName("127.0.0.2"));
        PooledHttpConnection after = before.successor();
        assertNotSame(before, after);
        assertEquals("a.example proxy.example 3128 /127.0.0.2",
                after.getHost() + " " + after.getProxyHost() + " " + after.getProxyPort() + " " + after.getLocalAddress());
        assertEquals(server.port(), after.getPort());
        assertSame(before.getProtocol(), after.getProtocol());
        assertSame(before.getParams(), after.getParams());
        assertNotNull(before.route());
        assertSame(before.route(), after.route());
        assertTrue(after.isOf(connections));
        assertFalse(after.isOf(new ManagedConnections<>()));
        assertFalse(before.isLeased());
        assertTrue(after.isLeased());
        assertFalse(after.isReusable());
    }

    @Test
    void whenItWasReleasedIsKnown() {
        pooled.setReleasedAt(4711);
        assertEquals(4711, pooled.releasedAt());
    }

    @Test
    void whatIsNotOpenIsStale() throws Exception {
        assertTrue(pooled.isStale());
        assertFalse(pooled.isClosedByPeer());
        pooled.open();
        assertFalse(pooled.isStale());
        assertFalse(pooled.isClosedByPeer());
        server.accept().close();
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
        configuration.setProxy(Loopback.ADDRESS, server.port());
        PooledHttpConnection tunnel =
                new PooledHttpConnection(configuration, new Destination.Finder(false).of(configuration), connections);
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
        disposer.letGo(pooled, Cause.IDLE);
        assertEquals("[IDLE]", told.toString());
        disposer.dispose(pooled, Cause.IDLE);
        assertFalse(pooled.isOpen());
        WeakReference<PooledHttpConnection> other = letGo();
        Eventually.awaitAfterCollection("it to go", () -> other.get() == null);
    }

    private WeakReference<PooledHttpConnection> letGo() {
        PooledHttpConnection other = make(Loopback.ADDRESS);
        connections.hold(other);
        disposer.dispose(other, Cause.IDLE);
        return new WeakReference<>(other);
    }

    @Test
    void whoseCloseMayWaitIsKnownByItsSocket() throws Exception {
        assertFalse(disposer.mayBlock(pooled));
        List<Socket> sockets = new ArrayList<>();
        HostConfiguration configuration = server.to(Loopback.ADDRESS, new Protocol("http", (SimpleSocketFactory) (host, port) -> {
            Socket socket = new Socket(host, port);
            socket.setSoLinger(true, 1);
            sockets.add(socket);
            return socket;
        }, 80));
        PooledHttpConnection lingering =
                new PooledHttpConnection(configuration, new Destination.Finder(false).of(configuration), connections);
        lingering.open();
        assertTrue(disposer.mayBlock(lingering));
        sockets.get(0).close();
    }

    @Test
    void whatIsLostIsNamedByItsRoute() {
        try (LogCapture log = LogCapture.of(SimpleHttpConnectionManager.class)) {
            PooledHttpConnection.leakListener(LogFactory.getLog(SimpleHttpConnectionManager.class)).leaked(pooled.route(), pooled);
            assertEquals("[Connection reclaimed by garbage collector, hostConfig=" + pooled.route() + "]",
                    log.messages().toString());
        }
    }

    @Test
    void itsLastHolderIsKnownAndNotHeld() throws Exception {
        assertNull(pooled.lastHolder());
        HttpConnection[] holder = {new LeasedHttpConnection(new LeaseholdHttpConnectionManager(), null, true)};
        pooled.setLastHolder((LeasedHttpConnection) holder[0]);
        assertSame(holder[0], pooled.lastHolder());
        holder[0] = null;
        Eventually.awaitAfterCollection("its holder to go", () -> pooled.lastHolder() == null);
    }
}
