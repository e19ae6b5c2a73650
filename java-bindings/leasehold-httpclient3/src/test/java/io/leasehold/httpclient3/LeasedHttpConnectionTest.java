package io.leasehold.httpclient3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.TreeSet;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.params.HttpConnectionParams;
import org.apache.commons.httpclient.protocol.Protocol;
import org.apache.commons.httpclient.protocol.ProtocolSocketFactory;
import org.apache.commons.httpclient.protocol.SecureProtocolSocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A leased connection has nothing of its own: what it inherits and does not pass on would answer from a connection that does not exist.
 * What it passes on comes out as on a connection of 3.1's that nobody manages.
 */
@SuppressWarnings("deprecation") // What 3.1 deprecates is passed on as well.
class LeasedHttpConnectionTest {
    private static final int PATIENCE = 30_000;

    @RegisterExtension
    final Loopback server = new Loopback();
    private final LeaseholdMultiThreadedHttpConnectionManager manager = new LeaseholdMultiThreadedHttpConnectionManager();

    @AfterEach
    void stop() {
        manager.shutdown();
    }

    private HttpConnection lease() {
        return manager.getConnection(server.to(Loopback.ADDRESS));
    }

    /** One of 3.1's own, to the same server. */
    private HttpConnection plain() {
        return new HttpConnection(Loopback.ADDRESS, server.port(), server.http);
    }

    private interface Steps {
        String of(HttpConnection connection) throws Exception;
    }

    private void alike(Steps steps) throws Exception {
        HttpConnection leased = lease();
        String expected = steps.of(plain());
        assertEquals(expected, steps.of(leased));
        leased.close();
        leased.releaseConnection();
    }

    @Test
    void everyPublicMethodIsPassedOn() {
        Set<String> inherited = new TreeSet<>();
        for (Method method : HttpConnection.class.getDeclaredMethods()) {
            if (Modifier.isPublic(method.getModifiers()) && !Modifier.isStatic(method.getModifiers())) {
                try {
                    LeasedHttpConnection.class.getDeclaredMethod(method.getName(), method.getParameterTypes());
                } catch (NoSuchMethodException e) {
                    inherited.add(method.toString());
                }
            }
        }
        assertEquals(new TreeSet<String>(), inherited);
    }

    @Test
    void whatIsSetIsAnswered() throws Exception {
        Protocol other = new Protocol("other", (SimpleSocketFactory) Socket::new, 4711);
        alike(connection -> {
            connection.setHost("other.example");
            connection.setPort(81);
            connection.setProtocol(other);
            connection.setProxyHost("proxy.example");
            connection.setProxyPort(3128);
            connection.setLocalAddress(InetAddress.getByName("127.0.0.2"));
            connection.setConnectionTimeout(1111);
            connection.setSoTimeout(2222);
            connection.setStaleCheckingEnabled(false);
            connection.setVirtualHost("virtual.example");
            connection.setSendBufferSize(3333);
            return answers(connection) + " " + connection.isStaleCheckingEnabled();
        });
    }

    private static String answers(HttpConnection connection) throws IOException {
        HttpConnectionParams params = connection.getParams();
        return connection.getHost() + " " + connection.getPort() + " " + connection.getProtocol() + " " + connection.getProxyHost() + " "
                + connection.getProxyPort() + " " + connection.isProxied() + " " + connection.isSecure() + " " + connection.isTransparent()
                + " " + connection.getLocalAddress() + " " + connection.getVirtualHost() + " " + params.getConnectionTimeout() + " "
                + connection.getSoTimeout() + " " + params.getSendBufferSize();
    }

    @Test
    void parametersThatAreGivenAreThoseInUse() throws Exception {
        HttpConnectionParams params = new HttpConnectionParams();
        params.setConnectionTimeout(4444);
        alike(connection -> {
            connection.setParams(params);
            return (connection.getParams() == params) + answers(connection);
        });
    }

    /** An argument of a type. */
    private Object example(Class<?> type) throws IOException {
        return type == int.class ? (Object) 7 : type == boolean.class ? (Object) true : type == String.class ? "example"
                : type == byte[].class ? new byte[7] : type == Protocol.class ? server.http
                : type == InetAddress.class ? InetAddress.getLoopbackAddress()
                : type == HttpConnectionParams.class ? new HttpConnectionParams()
                : type == InputStream.class ? new ByteArrayInputStream(new byte[0]) : null;
    }

    /** What comes of a method, after which somebody asks what it has changed. */
    private String outcome(HttpConnection connection, Method method) throws Exception {
        Object[] arguments = new Object[method.getParameterCount()];
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = example(method.getParameterTypes()[i]);
        }
        try {
            return method + ": " + method.invoke(connection, arguments);
        } catch (InvocationTargetException e) {
            return method + ": " + e.getCause();
        }
    }

    @Test
    void afterItsLeaseItAnswersAs31sDoesAfterItsRelease() throws Exception {
        MultiThreadedHttpConnectionManager stock = new MultiThreadedHttpConnectionManager();
        HttpConnection theirs = stock.getConnection(server.to(Loopback.ADDRESS));
        HttpConnection ours = lease();
        theirs.releaseConnection();
        ours.releaseConnection();
        for (Method method : HttpConnection.class.getDeclaredMethods()) {
            if (Modifier.isPublic(method.getModifiers()) && !Modifier.isStatic(method.getModifiers())) {
                assertEquals(outcome(theirs, method), outcome(ours, method));
            }
        }
        stock.shutdown();
        // Nor has anything of this come to who has it now.
        HttpConnection next = lease();
        assertEquals(answers(plain()), answers(next));
        next.releaseConnection();
    }

    @Test
    void whatIsAskedOfItIsAnsweredByTheConnection() throws Exception {
        HttpConnection connection = lease();
        assertTrue(connection.isStaleCheckingEnabled());
        connection.setProxyHost("proxy.example");
        connection.setProxyPort(3128);
        assertTrue(connection.isProxied());
        connection.setProtocol(new Protocol("https", (ProtocolSocketFactory) new NumberedSocketFactory.Secure(), 443));
        assertTrue(connection.isSecure());
        assertFalse(connection.isTransparent());
        connection.releaseConnection();
    }

    @Test
    void whatIsSetOnAnOpenOneReachesItsSocket() throws Exception {
        alike(connection -> {
            connection.open();
            Socket socket = server.sockets.get(server.sockets.size() - 1);
            connection.setSocketTimeout(1111);
            int first = socket.getSoTimeout();
            connection.setSoTimeout(2222);
            return first + " " + socket.getSoTimeout() + " " + (connection.getSendBufferSize() == socket.getSendBufferSize()) + " "
                    + connection.isOpen();
        });
    }

    @Test
    void whatIsWrittenArrivesInOrder() throws Exception {
        alike(connection -> {
            connection.open();
            try (Socket peer = server.accept()) {
                peer.setSoTimeout(PATIENCE);
                connection.print("a");
                connection.print("b", "UTF-16BE");
                connection.printLine();
                connection.printLine("c");
                connection.printLine("d", "UTF-16BE");
                connection.write(new byte[] {'e'});
                connection.write(new byte[] {'x', 'f', 'y'}, 1, 1);
                connection.writeLine();
                connection.writeLine(new byte[] {'g'});
                connection.getRequestOutputStream().write('h');
                connection.flushRequestOutputStream();
                connection.shutdownOutput();
                StringBuilder arrived = new StringBuilder();
                InputStream in = peer.getInputStream();
                for (int next = in.read(); next >= 0; next = in.read()) {
                    arrived.append((char) next);
                }
                return arrived.toString();
            }
        });
    }

    @Test
    void whatArrivesIsReadInOrder() throws Exception {
        alike(connection -> {
            connection.open();
            try (Socket peer = server.accept()) {
                boolean before = connection.isResponseAvailable() || connection.isResponseAvailable(1);
                peer.getOutputStream().write("first\r\nsecond\r\nrest".getBytes(StandardCharsets.US_ASCII));
                return before + " " + connection.isResponseAvailable(PATIENCE) + " " + connection.readLine() + " "
                        + connection.readLine("US-ASCII") + " " + connection.isResponseAvailable() + " "
                        + (char) connection.getResponseInputStream().read();
            }
        });
    }

    @Test
    void whatIsLeftOfAResponseIsForgottenWithTheSocket() throws Exception {
        InputStream rest = new ByteArrayInputStream(new byte[0]);
        HttpConnection connection = lease();
        connection.open();
        connection.setLastResponseInputStream(rest);
        assertSame(rest, connection.getLastResponseInputStream());
        connection.close();
        assertNull(connection.getLastResponseInputStream());
        connection.open();
        assertNull(connection.getLastResponseInputStream());
        connection.setLastResponseInputStream(rest);
        connection.releaseConnection();
        assertNull(connection.getLastResponseInputStream());
        assertNull(lease().getLastResponseInputStream());
    }

    /** Closed with the pool, say, and opened by who still has it. */
    @Test
    void whatIsLeftOfAResponseIsForgottenWithASocketThatOthersHaveClosed() throws Exception {
        HttpConnection connection = lease();
        connection.open();
        connection.setLastResponseInputStream(new ByteArrayInputStream(new byte[0]));
        ((LeasedHttpConnection) connection).connection().close();
        assertNull(connection.getLastResponseInputStream());
        connection.open();
        assertNull(connection.getLastResponseInputStream());
        connection.releaseConnection();
    }

    /** Its method, with all that this refers to. */
    @Test
    void whatIsClosedKeepsNoResponse() throws Exception {
        HttpConnection connection = lease();
        connection.open();
        WeakReference<InputStream> rest = respond(connection);
        connection.close();
        Eventually.awaitAfterCollection("the response to go", () -> rest.get() == null);
        connection.releaseConnection();
    }

    /** Gives it a last response that nobody else refers to. */
    static WeakReference<InputStream> respond(HttpConnection connection) {
        InputStream rest = new ByteArrayInputStream(new byte[0]);
        connection.setLastResponseInputStream(rest);
        return new WeakReference<>(rest);
    }

    private int idle() {
        return manager.getPool().stats().available();
    }

    @Test
    void itsSocketIsWatchedWhileItIsIdleAlsoOneThatATunnelHasBroughtIt() throws Exception {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost("far.example", 443, new Protocol("https", (ProtocolSocketFactory) new Elsewhere(), 443));
        configuration.setProxy(Loopback.ADDRESS, server.port());
        for (boolean tunnels : new boolean[] {false, true}) {
            HttpConnection connection = manager.getConnection(configuration);
            connection.open();
            Socket peer = server.accept();
            if (tunnels) {
                connection.tunnelCreated();
                peer = server.accept();
            }
            assertEquals(tunnels, connection.isTransparent());
            connection.releaseConnection();
            assertEquals(1, idle());
            peer.close();
            Eventually.await("its end to be noticed", () -> idle() == 0);
        }
    }

    /** Makes of a socket to a proxy another one to the same, as if it were TLS on top of the first. */
    private static final class Elsewhere implements SecureProtocolSocketFactory, SimpleSocketFactory {
        @Override
        public Socket createSocket(String host, int port) throws IOException {
            return new Socket(host, port);
        }

        @Override
        public Socket createSocket(Socket socket, String host, int port, boolean autoClose) throws IOException {
            return new Socket(socket.getInetAddress(), socket.getPort());
        }
    }

    /** A thread that is alone with its manager may still use what it has released, as with 3.1. */
    @Test
    void ofASimpleManagerItCanBeOpenedAndClosedAfterItsRelease() throws Exception {
        LeaseholdHttpConnectionManager simple = new LeaseholdHttpConnectionManager();
        HttpConnection connection = simple.getConnection(server.to(Loopback.ADDRESS));
        connection.releaseConnection();
        connection.open();
        assertTrue(connection.isOpen());
        connection.close();
        assertFalse(connection.isOpen());
        simple.shutdown();
    }

    @Test
    void itsManagerIsWhoMayTakeItBack() throws Exception {
        HttpConnection connection = lease();
        assertSame(manager, connection.getHttpConnectionManager());
        HttpConnectionManager other = new LeaseholdHttpConnectionManager();
        connection.setHttpConnectionManager(other);
        assertSame(other, connection.getHttpConnectionManager());
        connection.setHttpConnectionManager(manager);
        connection.releaseConnection();
        connection.setHttpConnectionManager(other);
        assertNull(connection.getHttpConnectionManager());
        assertEquals(1, manager.getConnectionsInPool());
    }

    @Test
    void socketsThatAreOpenedWhileTcpKeepAliveIsSetHaveIt() throws Exception {
        LeaseholdHttpConnectionManager simple = new LeaseholdHttpConnectionManager();
        for (boolean isSet : new boolean[] {false, true, false}) {
            if (isSet) {
                manager.setTcpKeepAlive(60, 10, 3);
                simple.setTcpKeepAlive(60, 10, 3);
            } else {
                manager.disableTcpKeepAlive();
                simple.disableTcpKeepAlive();
            }
            for (HttpConnectionManager each : new HttpConnectionManager[] {manager, simple}) {
                HttpConnection connection = each.getConnectionWithTimeout(server.to(Loopback.ADDRESS), 0);
                connection.open();
                assertEquals(isSet, server.sockets.get(server.sockets.size() - 1).getKeepAlive());
                connection.close();
                connection.releaseConnection();
            }
        }
    }

    @Test
    void howToWatchIsRefusedWhereItSaysNothing() {
        assertThrows(IllegalArgumentException.class, () -> manager.setWatching(null));
        assertThrows(IllegalArgumentException.class, () -> new LeaseholdHttpConnectionManager().setWatching(null));
        assertEquals(0, manager.getCounters().stale());
        assertEquals(0, new LeaseholdHttpConnectionManager().getCounters().stale());
    }
}
