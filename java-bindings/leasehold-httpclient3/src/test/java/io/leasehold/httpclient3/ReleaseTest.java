package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.LeaseholdManager;
import io.leasehold.testsupport.FailingLog;
import io.leasehold.testsupport.Faults;
import io.leasehold.testsupport.LogCapture;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.commons.httpclient.protocol.Protocol;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A connection that comes back with a response outstanding serves nobody else, and it comes back once, whatever fails on the way. */
@SuppressWarnings("deprecation") // What 3.1 deprecates sends as well.
class ReleaseTest {
    private static final int PATIENCE = 30_000;

    private final SimpleSocketFactory sockets = Socket::new;
    private ServerSocket listener;
    private HttpConnectionManager manager;
    // Of the connection that was opened last.
    private Socket peer;

    @BeforeEach
    void start() throws IOException {
        listener = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
    }

    @AfterEach
    void stop() throws IOException {
        manager.closeIdleConnections(0);
        listener.close();
    }

    private HttpConnection lease(SimpleSocketFactory factory) throws IOException {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost("127.0.0.1", listener.getLocalPort(), new Protocol("http", factory, 80));
        return manager.getConnectionWithTimeout(configuration, 0);
    }

    private HttpConnection open(SimpleSocketFactory factory) throws IOException {
        HttpConnection connection = lease(factory);
        connection.open();
        peer = listener.accept();
        return connection;
    }

    private int idle() {
        return ((LeaseholdManager) manager).getPool().stats().available();
    }

    private int leased() {
        return ((LeaseholdManager) manager).getPool().stats().leased();
    }

    private interface Step {
        Object of(HttpConnection connection) throws Exception;
    }

    private static Step doing(String what, Object... arguments) {
        return connection -> {
            for (Method method : HttpConnection.class.getMethods()) {
                if (method.getName().equals(what) && fits(method, arguments)) {
                    return method.invoke(connection, arguments);
                }
            }
            throw new AssertionError(what);
        };
    }

    private static boolean fits(Method method, Object... arguments) {
        Class<?>[] types = method.getParameterTypes();
        boolean fits = types.length == arguments.length;
        for (int i = 0; fits && i < types.length; i++) {
            fits = types[i] == int.class ? arguments[i] instanceof Integer : types[i].isInstance(arguments[i]);
        }
        return fits;
    }

    @ParameterizedTest
    @EnumSource(OpeningTest.Kind.class)
    void afterARequestItsResponseIsOutstandingThoughNothingOfItIsThere(OpeningTest.Kind kind) throws Exception {
        byte[] data = {'r'};
        List<Step> requests = Arrays.asList(doing("print", "r"), doing("print", "r", "US-ASCII"), doing("printLine"),
                doing("printLine", "r"), doing("printLine", "r", "US-ASCII"), doing("write", data), doing("write", data, 0, 1),
                doing("writeLine"), doing("writeLine", data), doing("getRequestOutputStream"));
        manager = kind.maker.get();
        for (Step request : requests) {
            HttpConnection connection = open(sockets);
            request.of(connection);
            assertFalse(connection.isResponseAvailable());
            connection.releaseConnection();
            assertEquals(0, idle());
            peer.close();
        }
    }

    /** As many read a response: up to what its head says, and nobody asks whether there is more. */
    @ParameterizedTest
    @EnumSource(OpeningTest.Kind.class)
    void ofAResponseMayBeLeftWhatNobodyHasRead(OpeningTest.Kind kind) throws Exception {
        manager = kind.maker.get();
        for (String rest : new String[] {"", "rest"}) {
            for (Step read : Arrays.asList(doing("readLine"), doing("readLine", "US-ASCII"),
                    connection -> connection.getResponseInputStream().read(new byte[6]))) {
                for (boolean asks : new boolean[] {false, true}) {
                    HttpConnection connection = open(sockets);
                    connection.print("request");
                    peer.getOutputStream().write(("line\r\n" + rest).getBytes(StandardCharsets.US_ASCII));
                    assertTrue(connection.isResponseAvailable(PATIENCE));
                    read.of(connection);
                    assertTrue(!asks || connection.isResponseAvailable() != rest.isEmpty());
                    connection.releaseConnection();
                    assertEquals(rest.isEmpty() ? 1 : 0, idle());
                    manager.closeIdleConnections(0);
                    peer.close();
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(OpeningTest.Kind.class)
    void whereNobodyCanTellWhetherThereIsMoreThereIs(OpeningTest.Kind kind) throws Exception {
        manager = kind.maker.get();
        HttpConnection connection = open((host, port) -> new Socket(host, port) {
            @Override
            public InputStream getInputStream() throws IOException {
                return new FilterInputStream(super.getInputStream()) {
                    @Override
                    public int available() throws IOException {
                        throw new IOException("on demand");
                    }
                };
            }
        });
        peer.getOutputStream().write('\n');
        connection.readLine("US-ASCII");
        connection.releaseConnection();
        assertEquals(0, idle());
        peer.close();
    }

    /** As the stream of a response that a method reads, whose end releases the connection. */
    private static final class Rest extends ByteArrayInputStream {
        final HttpConnection connection;
        final IOException failure;
        int closed;

        Rest(HttpConnection connection, IOException failure) {
            super(new byte[0]);
            this.connection = connection;
            this.failure = failure;
        }

        @Override
        public void close() throws IOException {
            if (++closed < 3) {
                connection.releaseConnection();
            }
            if (failure != null) {
                throw failure;
            }
        }
    }

    @ParameterizedTest
    @EnumSource(OpeningTest.Kind.class)
    void theLastResponseIsReadToItsEndOnceAndThatMayReleaseTheConnection(OpeningTest.Kind kind) throws Exception {
        manager = kind.maker.get();
        HttpConnection connection = open(sockets);
        Rest rest = new Rest(connection, null);
        connection.setLastResponseInputStream(rest);
        connection.releaseConnection();
        assertEquals(1, rest.closed);
        assertEquals(1, idle());
        peer.close();
    }

    @ParameterizedTest
    @EnumSource(OpeningTest.Kind.class)
    void aLastResponseThatCannotBeReadToItsEndClosesTheConnection(OpeningTest.Kind kind) throws Exception {
        manager = kind.maker.get();
        HttpConnection connection = open(sockets);
        connection.setLastResponseInputStream(new InputStream() {
            @Override
            public int read() {
                return -1;
            }

            @Override
            public void close() throws IOException {
                throw new IOException("on demand");
            }
        });
        connection.releaseConnection();
        assertEquals(0, idle());
        assertEquals(-1, peer.getInputStream().read());
        peer.close();
    }

    /** As a method has it from its first byte to its last; 3.1's wrappers say nothing of that, its connections do. */
    @ParameterizedTest
    @EnumSource(OpeningTest.Kind.class)
    void whileItIsLockedItIsNotReleased(OpeningTest.Kind kind) throws Exception {
        List<List<String>> logs = new ArrayList<>();
        for (HttpConnectionManager each : new HttpConnectionManager[] {
            kind == OpeningTest.Kind.SIMPLE ? new SimpleHttpConnectionManager() : new MultiThreadedHttpConnectionManager(),
            kind.maker.get()}) {
            manager = each;
            HttpConnection connection = open(sockets);
            setLocked(connection, true);
            try (LogCapture log = LogCapture.of(HttpConnection.class)) {
                connection.releaseConnection();
                logs.add(log.messages());
            }
            assertTrue(connection.isOpen());
        }
        // What earlier tests have left behind is closed at any time, and that is logged, too.
        logs.forEach(log -> log.removeIf(line -> !line.contains("locked")));
        assertEquals(logs.get(0), logs.get(1));
        assertEquals(1, leased());
    }

    private static void setLocked(HttpConnection connection, boolean locked) throws Exception {
        Method method = HttpConnection.class.getDeclaredMethod("setLocked", boolean.class);
        method.setAccessible(true);
        method.invoke(connection, locked);
    }

    @Test
    void whileItIsLockedItIsNotReleasedThoughALoggerFails() throws Exception {
        manager = new LeaseholdHttpConnectionManager();
        HttpConnection connection = open(sockets);
        setLocked(connection, true);
        String logger = HttpConnection.class.getName();
        Faults faults = new Faults();
        try (LogCapture log = LogCapture.of(logger); FailingLog failing = new FailingLog(faults, logger, logger)) {
            faults.arm(logger, Faults.Mode.EXCEPTION, null);
            assertThrows(IllegalStateException.class, connection::releaseConnection);
        }
        assertEquals(1, leased());
    }

    /** As a manager that an application has put around ours. */
    private static final class Around extends SimpleHttpConnectionManager {
        final AtomicInteger asked = new AtomicInteger();
        final HttpConnectionManager inner;

        Around(HttpConnectionManager inner) {
            this.inner = inner;
        }

        @Override
        public void releaseConnection(HttpConnection connection) {
            asked.incrementAndGet();
            inner.releaseConnection(connection);
            throw new IllegalStateException("on demand");
        }
    }

    @ParameterizedTest
    @EnumSource(OpeningTest.Kind.class)
    void aManagerThatHasReleasedItIsNotAskedAgainThoughItFails(OpeningTest.Kind kind) throws Exception {
        manager = kind.maker.get();
        Around around = new Around(manager);
        HttpConnection connection = open(sockets);
        connection.setHttpConnectionManager(around);
        assertThrows(IllegalStateException.class, connection::releaseConnection);
        assertEquals(1, around.asked.get());
        assertEquals(1, idle());
        if (kind == OpeningTest.Kind.SIMPLE) {
            // One that only its thread can have had meanwhile is asked for as before.
            assertThrows(IllegalStateException.class, connection::releaseConnection);
            assertEquals(2, around.asked.get());
        }
    }

    @Test
    void whatAShutdownHasTakenIsReleasedInStocksWords() throws Exception {
        List<List<String>> logs = new ArrayList<>();
        for (MultiThreadedHttpConnectionManager each : new MultiThreadedHttpConnectionManager[] {
            new MultiThreadedHttpConnectionManager(), new LeaseholdMultiThreadedHttpConnectionManager()}) {
            manager = each;
            HttpConnection idle = open(sockets);
            HttpConnection taken = open(sockets);
            try (LogCapture log = LogCapture.of(HttpConnection.class)) {
                idle.releaseConnection();
                each.shutdown();
                taken.releaseConnection();
                taken.releaseConnection();
                logs.add(log.messages());
            }
        }
        logs.forEach(log -> log.removeIf(line -> !line.startsWith("HttpConnectionManager is null.")));
        assertEquals(logs.get(0), logs.get(1));
    }

    @Test
    void itsLeaseIsEndedOnceAndByWhomIsKnown() throws Exception {
        manager = new LeaseholdMultiThreadedHttpConnectionManager();
        LeasedHttpConnection leased = (LeasedHttpConnection) lease(sockets);
        assertTrue(leased.endLease(true, true));
        assertFalse(leased.endLease(true, true));
        LeasedHttpConnection ended = (LeasedHttpConnection) lease(sockets);
        assertTrue(ended.lease().tryRelease());
        assertFalse(ended.endLease(true, true));
    }

    /** As a manager's shutdown lets go of it, or one who was given it meanwhile. */
    @Test
    void whatWasLetGoOfMeanwhileHasNothingOutstandingAndItsLeaseEnds() throws Exception {
        manager = new LeaseholdMultiThreadedHttpConnectionManager();
        LeasedHttpConnection leased = (LeasedHttpConnection) open(sockets);
        leased.print("request");
        leased.detach();
        assertFalse(leased.isMidExchange());
        assertTrue(leased.endLease(false, true));
        assertEquals(0, leased());
    }
}
