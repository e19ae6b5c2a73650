package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Loopback.keep;
import static io.leasehold.httpclient4.Loopback.lease;
import static io.leasehold.httpclient4.Loopback.leaseOpen;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.CoarseClock;
import io.leasehold.Liveness;
import io.leasehold.Sockets;
import io.leasehold.Watching;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import io.leasehold.testsupport.SparseSocket;
import io.leasehold.testsupport.TestTls;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLSocket;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.config.Registry;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.apache.http.impl.conn.DefaultManagedHttpClientConnection;
import org.apache.http.message.BasicHttpRequest;
import org.apache.http.protocol.HttpContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Whether a connection is alive is asked at every lease, of the operating system, and of the connection where that cannot tell. */
class ValidationTest {
    private final AtomicInteger timedReads = new AtomicInteger();
    @RegisterExtension
    final Loopback server = new Loopback();
    private final HttpRoute route = server.route();
    private LeaseholdHttpClientConnectionManager manager = probing(registry(new Counting()));

    private static Registry<ConnectionSocketFactory> registry(ConnectionSocketFactory plain) {
        return RegistryBuilder.<ConnectionSocketFactory>create()
                .register("http", plain)
                .register("https", new SSLConnectionSocketFactory(TestTls.context()) {
                    @Override
                    public Socket createSocket(HttpContext context) throws IOException {
                        return plain.createSocket(context);
                    }
                })
                .build();
    }

    @Test
    void aStaleConnectionIsReplacedInItsPlace() throws Exception {
        manager.setDefaultMaxPerRoute(1);
        Socket socket = closedByPeerWhileIdle();
        try (LogCapture log = LogCapture.of("org.apache.http.impl.conn.DefaultManagedHttpClientConnection")) {
            HttpClientConnection second = lease(manager, route, null);
            assertTrue(log.messages().toString().contains("Close connection"));
            assertFalse(second.isOpen());
        }
        assertTrue(socket.isClosed());
        assertEquals("[leased: 1; pending: 0; available: 0; max: 1]", manager.getStats(route).toString());
        assertEquals(0, timedReads.get());
    }

    @Test
    void withValidationOffAStaleConnectionIsHandedOut() throws Exception {
        manager.setValidateAfterInactivity(0);
        closedByPeerWhileIdle();
        assertTrue(lease(manager, route, null).isOpen());
    }

    @Test
    void anyPositivePeriodValidatesAtEveryLease() throws Exception {
        assertEquals(2000, manager.getValidateAfterInactivity());
        manager.setValidateAfterInactivity(Integer.MAX_VALUE);
        assertEquals(Integer.MAX_VALUE, manager.getValidateAfterInactivity());
        closedByPeerWhileIdle();
        assertFalse(lease(manager, route, null).isOpen());
        manager.setValidateAfterInactivity(-1);
        assertEquals(-1, manager.getValidateAfterInactivity());
    }

    @Test
    void aConnectionThatWasClosedWhileIdleIsReplacedThoughValidationIsOffOrNotDue() throws Exception {
        for (int period : new int[] {0, Integer.MAX_VALUE}) {
            manager.setValidateAfterInactivity(period);
            HttpClientConnection first = leaseOpen(manager, route, null);
            Socket socket = ((ManagedHttpClientConnection) first).getSocket();
            ManagedHttpClientConnection[] own = new ManagedHttpClientConnection[1];
            manager.enumLeased(entry -> own[0] = entry.getConnection());
            keep(manager, first);
            own[0].close();
            assertTrue(socket.isClosed());
            HttpClientConnection second = lease(manager, route, null);
            assertEquals(1, manager.getTotalStats().getLeased());
            WeakReference<Object> replaced = new WeakReference<>(own[0]);
            own[0] = null;
            Eventually.awaitAfterCollection("the one that was replaced to go", () -> replaced.get() == null);
            assertFalse(second.isOpen());
            keep(manager, second);
        }
    }

    @Test
    void anIdleConnectionOfHttpClientsOwnIsNeverRead() throws Exception {
        manager.setValidateAfterInactivity(1);
        keep(manager, leaseOpen(manager, route, null));
        awaitAMillisecond();
        HttpClientConnection alive = lease(manager, route, null);
        assertTrue(alive.isOpen());
        assertFalse(alive.isStale());
        assertEquals(0, timedReads.get());
    }

    @Test
    void whatIsClosedIsStale() throws Exception {
        HttpClientConnection connection = leaseOpen(manager, route, null);
        connection.close();
        assertTrue(connection.isStale());
    }

    @Test
    void whosePeerClosesInsteadOfAnsweringIsStale() throws Exception {
        HttpClientConnection connection = leaseOpen(manager, route, null);
        connection.sendRequestHeader(new BasicHttpRequest("GET", "/"));
        connection.flush();
        server.accept().close();
        Eventually.await("the peer's end", connection::isStale);
    }

    @Test
    void theConnectionsOwnCheckIsThePollToo() throws Exception {
        HttpClientConnection connection = leaseOpen(manager, route, null);
        try (Socket peer = server.accept()) {
            assertFalse(connection.isStale());
            peer.close();
            Eventually.await("the peer's end", connection::isStale);
        }
        assertEquals(0, timedReads.get());
    }

    @Test
    void bytesThatNobodyAskedForMakeAPlainConnectionStale() throws Exception {
        HttpClientConnection connection = leaseOpen(manager, route, null);
        try (Socket peer = server.accept()) {
            peer.getOutputStream().write('H');
            Eventually.await("the peer's byte", connection::isStale);
        }
        assertEquals(0, timedReads.get());
    }

    @Test
    void aSocketThatCannotBeAskedIsReadAfterThePeriodAsInHttpClient() throws Exception {
        useManager(registry(new Wrapping()));
        keep(manager, leaseOpen(manager, route, null));
        for (int i = 0; i < 5; i++) {
            HttpClientConnection early = lease(manager, route, null);
            assertTrue(early.isOpen());
            keep(manager, early);
        }
        assertEquals(0, timedReads.get());
        manager.setValidateAfterInactivity(1);
        awaitAMillisecond();
        // Though it was never used, and has no streams yet.
        HttpClientConnection late = lease(manager, route, null);
        assertTrue(late.isOpen());
        assertEquals(1, timedReads.get());
        try (Socket peer = server.accept()) {
            peer.close();
            Eventually.await("the peer's end", late::isStale);
        }
        keep(manager, late);
        awaitAMillisecond();
        assertFalse(lease(manager, route, null).isOpen());
        assertEquals(1, manager.getTotalStats().getLeased());
    }

    @Test
    void withoutAProbeAConnectionIsReadAfterThePeriodAsInHttpClient() throws Exception {
        manager.setWatching(Watching.OFF);
        keep(manager, leaseOpen(manager, route, null));
        keep(manager, lease(manager, route, null));
        assertEquals(0, timedReads.get());
        manager.setValidateAfterInactivity(1);
        awaitAMillisecond();
        assertTrue(lease(manager, route, null).isOpen());
        assertEquals(1, timedReads.get());
    }

    @Test
    void aConnectionIsReadOnceThePeriodIsOverToTheMillisecond() throws Exception {
        manager.setWatching(Watching.OFF);
        keep(manager, leaseOpen(manager, route, null));
        leaseOfAge(1, 0);
        leaseOfAge(0, 1);
    }

    /** Leases with a period so much longer than the connection's age. The clock is the machine's, and must not move meanwhile. */
    private void leaseOfAge(int sooner, int reads) throws Exception {
        Eventually.await("a lease between two ticks of the clock", () -> {
            long[] updated = new long[1];
            manager.enumAvailable(entry -> updated[0] = entry.getUpdated());
            awaitAMillisecond();
            long now = CoarseClock.currentTimeMillis();
            manager.setValidateAfterInactivity((int) (now - updated[0]) + sooner);
            timedReads.set(0);
            HttpClientConnection leased = lease(manager, route, null);
            int read = timedReads.get();
            boolean isBetween = CoarseClock.currentTimeMillis() == now;
            assertTrue(!isBetween || read == reads, () -> read + " reads");
            keep(manager, leased);
            return isBetween;
        });
    }

    private static void awaitAMillisecond() throws Exception {
        long now = CoarseClock.currentTimeMillis();
        Eventually.await("a later millisecond", () -> CoarseClock.currentTimeMillis() > now);
    }

    @Test
    void aFactorysOwnCheckIsAskedAfterThePeriodAsInHttpClient() throws Exception {
        AtomicBoolean stale = new AtomicBoolean(true);
        manager = probing(server.ends(new LeaseholdHttpClientConnectionManager(registry(new Counting()), (to, config) ->
                new DefaultManagedHttpClientConnection("own", 8192) {
                    @Override
                    public boolean isStale() {
                        return stale.get();
                    }
                })));
        keep(manager, leaseOpen(manager, route, null));
        HttpClientConnection early = lease(manager, route, null);
        assertTrue(early.isOpen());
        assertTrue(early.isStale());
        keep(manager, early);
        manager.setValidateAfterInactivity(1);
        awaitAMillisecond();
        HttpClientConnection late = leaseOpen(manager, route, null);
        assertEquals(1, manager.getCounters().stale());
        keep(manager, late);
        stale.set(false);
        awaitAMillisecond();
        assertTrue(lease(manager, route, null).isOpen());
    }

    @Test
    void aConnectionThatCannotBeFlushedForItsCheckIsReplaced() throws Exception {
        AtomicBoolean fails = new AtomicBoolean();
        manager = probing(server.ends(new LeaseholdHttpClientConnectionManager(registry(new Counting()), (to, config) ->
                new DefaultManagedHttpClientConnection("own", 8192) {
                    @Override
                    public void flush() throws IOException {
                        if (fails.get()) {
                            throw new IOException("broken");
                        }
                        super.flush();
                    }
                })));
        manager.setWatching(Watching.OFF);
        manager.setValidateAfterInactivity(1);
        keep(manager, leaseOpen(manager, route, null));
        fails.set(true);
        awaitAMillisecond();
        assertFalse(lease(manager, route, null).isOpen());
        assertEquals(1, manager.getCounters().stale());
    }

    @Test
    void aResponseThatWaitsDoesNotMakeItsConnectionStale() throws Exception {
        HttpClientConnection connection = leaseOpen(manager, route, null);
        Socket socket = ((ManagedHttpClientConnection) connection).getSocket();
        connection.sendRequestHeader(new BasicHttpRequest("GET", "/"));
        connection.flush();
        try (Socket peer = server.accept()) {
            peer.getOutputStream().write("HTTP/1.1 204 None\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            Eventually.await("the response", () -> Sockets.probe(socket) == Liveness.READABLE);
            assertFalse(connection.isStale());
            assertEquals(204, connection.receiveResponseHeader().getStatusLine().getStatusCode());
            assertEquals(1, timedReads.get());
            // So it is until the lease ends.
            keep(manager, connection);
            HttpClientConnection next = lease(manager, route, null);
            peer.getOutputStream().write('H');
            Eventually.await("a byte that nobody asked for", next::isStale);
            assertEquals(1, timedReads.get());
        }
    }

    /** Its peer has sent session tickets after the handshake, which wait to be read. */
    @Test
    void aTlsConnectionThatWasNeverUsedIsFitAndReadAfterThePeriodOnly() throws Exception {
        HttpRoute secure = new HttpRoute(new HttpHost("127.0.0.1", server.host().getPort(), "https"), null, true);
        ExecutorService threads = Executors.newSingleThreadExecutor();
        try {
            Future<SSLSocket> peer = threads.submit(() -> {
                SSLSocket socket = TestTls.server(server.accept());
                socket.startHandshake();
                return socket;
            });
            HttpClientConnection connection = leaseOpen(manager, secure, null);
            Socket socket = ((ManagedHttpClientConnection) connection).getSocket();
            if ("TLSv1.3".equals(peer.get().getSession().getProtocol())) {
                Eventually.await("a session ticket", () -> Sockets.probe(socket) == Liveness.READABLE);
            }
            keep(manager, connection);
            HttpClientConnection early = lease(manager, secure, null);
            assertTrue(early.isOpen());
            assertEquals(0, timedReads.get());
            keep(manager, early);
            manager.setValidateAfterInactivity(1);
            awaitAMillisecond();
            HttpClientConnection late = lease(manager, secure, null);
            assertTrue(late.isOpen());
            keep(manager, late);
            peer.get().close();
            Eventually.await("the peer's goodbye", () -> {
                HttpClientConnection next = lease(manager, secure, null);
                boolean replaced = !next.isOpen();
                keep(manager, next);
                return replaced;
            });
            assertEquals(0, manager.getTotalStats().getLeased());
        } finally {
            threads.shutdown();
        }
    }

    private Socket closedByPeerWhileIdle() throws Exception {
        HttpClientConnection connection = leaseOpen(manager, route, null);
        Socket socket = ((ManagedHttpClientConnection) connection).getSocket();
        Socket peer = server.accept();
        peer.close();
        Eventually.await("the peer's end", () -> Sockets.probe(socket) == Liveness.CLOSED);
        keep(manager, connection);
        return socket;
    }

    private void useManager(Registry<ConnectionSocketFactory> registry) {
        manager = probing(registry);
    }

    /** A watch would close most of what is to be validated here. */
    private LeaseholdHttpClientConnectionManager probing(Registry<ConnectionSocketFactory> registry) {
        return probing(server.ends(new LeaseholdHttpClientConnectionManager(registry)));
    }

    private static LeaseholdHttpClientConnectionManager probing(LeaseholdHttpClientConnectionManager manager) {
        manager.setWatching(Watching.PROBE);
        return manager;
    }

    private void count(int timeout) {
        if (timeout == 1) {
            timedReads.incrementAndGet();
        }
    }

    /** Makes sockets of the JDK's that count how often HttpClient's check begins. */
    private final class Counting extends PlainConnectionSocketFactory {
        @Override
        public Socket createSocket(HttpContext context) {
            return new Socket() {
                @Override
                public void setSoTimeout(int timeout) throws SocketException {
                    count(timeout);
                    super.setSoTimeout(timeout);
                }
            };
        }
    }

    /** Makes sockets that only pass on to another one, as some libraries' do. */
    private final class Wrapping extends PlainConnectionSocketFactory {
        @Override
        public Socket createSocket(HttpContext context) {
            return new SparseSocket(new Counting().createSocket(context));
        }

        @Override
        public Socket connectSocket(int timeout, Socket socket, HttpHost host, InetSocketAddress remote, InetSocketAddress local,
                HttpContext context) throws IOException {
            ((SparseSocket) socket).inner().connect(remote, timeout);
            return socket;
        }
    }
}
