package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.managed.ManagedConnections;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.TimeValue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When an application's own connection is asked whether it is stale, and what becomes of its socket whatever it throws. */
class CheckedConnectionTest {
    private static final HttpRoute ROUTE = new HttpRoute(new HttpHost("http", "localhost", 80));

    /** What the application's connection answers, by the name of the method; null and false if it is not said. */
    private final Map<String, Object> answers = new HashMap<>();
    /** Whatever it was called with, but for what it is asked. */
    private final List<String> told = new ArrayList<>();
    private final List<CheckedConnection> opened = new ArrayList<>();
    private final ConnectionConfigs configs = new ConnectionConfigs();
    private Exception fails;
    private ServerSocket server;
    private Socket socket;
    private final CheckedConnection connection = new CheckedConnection(
            (ManagedHttpClientConnection) Proxy.newProxyInstance(getClass().getClassLoader(),
                    new Class<?>[] {ManagedHttpClientConnection.class}, (proxy, method, arguments) -> {
                        told.add(method.getName());
                        if (fails != null && (method.getName().equals("close") || method.getName().equals("bind"))) {
                            throw fails;
                        }
                        Object answer = answers.get(method.getName());
                        return answer == null && method.getReturnType() == boolean.class ? (Object) false : answer;
                    }),
            new ManagedConnections<>().socket(), configs, opened::add);

    @BeforeEach
    void connect() throws IOException {
        server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        socket = new Socket(server.getInetAddress(), server.getLocalPort());
    }

    @AfterEach
    void close() throws IOException {
        socket.close();
        server.close();
    }

    private void setValidation(TimeValue time) {
        ConnectionConfig config = ConnectionConfig.custom().setValidateAfterInactivity(time).build();
        configs.set(route -> config);
    }

    /** Its answer is the application's connection's. */
    private void assertIsAsked() throws IOException {
        for (boolean isStale : new boolean[] {true, false}) {
            answers.put("isStale", isStale);
            assertEquals(isStale, connection.isStale());
        }
    }

    @Test
    void itIsAskedInARequestAndWhereItsRouteOrItsIdleTimeAreNotKnown() throws Exception {
        assertFalse(connection.isOpen());
        assertTrue(connection.isStale(), "it is closed");
        connection.sendRequestHeader(null);
        assertIsAsked();
        answers.put("isOpen", true);
        connection.passivate();
        assertIsAsked();
        connection.leased(ROUTE);
        answers.put("isStale", true);
        assertFalse(connection.isStale(), "the time that is set is not over");
        setValidation(TimeValue.NEG_ONE_MILLISECOND);
        assertIsAsked();
    }

    @Test
    void whatIsClosedWhileItIsOpenedStaysClosedWithItsSocket() throws Exception {
        connection.bind(new Socket());
        assertEquals("[]", opened.toString(), "it is not connected yet");
        connection.bind(socket);
        connection.bind(socket);
        assertEquals(1, opened.size());
        assertSame(connection, opened.get(0));
        connection.close(CloseMode.IMMEDIATE);
        assertFalse(socket.isClosed());
        assertThrows(InterruptedIOException.class, () -> connection.bind(socket));
        assertTrue(socket.isClosed());
    }

    /** Where the version binds both. */
    @Test
    void soDoesWhatIsLayeredOverASocket() throws Exception {
        Method bindBoth;
        try {
            bindBoth = ManagedHttpClientConnection.class.getMethod("bind", SSLSocket.class, Socket.class);
        } catch (NoSuchMethodException e) {
            return;
        }
        SSLSocket tls = (SSLSocket) ((SSLSocketFactory) SSLSocketFactory.getDefault()).createSocket(socket, "localhost", 443, true);
        bindBoth.invoke(connection, tls, socket);
        assertEquals("[bind]", told.toString());
        fails = new IOException("a bind that fails");
        assertSame(fails, assertThrows(InvocationTargetException.class, () -> bindBoth.invoke(connection, tls, socket)).getCause());
        fails = null;
        connection.close();
        assertFalse(socket.isClosed());
        assertSame(InterruptedIOException.class,
                assertThrows(InvocationTargetException.class, () -> bindBoth.invoke(connection, tls, socket)).getCause().getClass());
        assertTrue(tls.isClosed());
    }

    @Test
    void theSocketOfWhatFailsToCloseIsClosed() throws Exception {
        answers.put("getSocket", socket);
        fails = new IOException("a close that fails");
        assertSame(fails, assertThrows(IOException.class, connection::close));
        assertTrue(socket.isClosed());
        socket = new Socket(server.getInetAddress(), server.getLocalPort());
        answers.put("getSocket", socket);
        fails = new IllegalStateException("a close that fails");
        assertSame(fails, assertThrows(IllegalStateException.class, () -> connection.close(CloseMode.GRACEFUL)));
        assertTrue(socket.isClosed());
    }
}
