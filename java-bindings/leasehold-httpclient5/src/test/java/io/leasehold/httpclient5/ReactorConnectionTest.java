package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.managed.ManagedConnections;
import io.leasehold.testsupport.Eventually;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.core5.http.HttpVersion;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.reactor.Command;
import org.apache.hc.core5.reactor.IOSession;
import org.apache.hc.core5.reactor.ssl.TlsDetails;
import org.junit.jupiter.api.Test;

/** What is asked of a reactor's connection and its session, of which nobody else tells. */
class ReactorConnectionTest {
    /** What the connection and its session answer, by the name of the method; null and false if it is not said. */
    private final Map<String, Object> answers = new HashMap<>();
    /** What both were told, a close with its mode. */
    private final List<Object> told = new ArrayList<>();
    private final Deque<Command> commands = new ArrayDeque<>();
    private RuntimeException fails;

    private <T> T answering(Class<T> type) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
            String name = method.getName();
            if (name.equals("close")) {
                told.add(type.getSimpleName() + " " + arguments[0]);
                if (fails != null && type == ManagedAsyncClientConnection.class) {
                    throw fails;
                }
            } else if (name.equals("poll")) {
                return commands.poll();
            } else if (name.equals("hasCommands")) {
                return !commands.isEmpty();
            }
            Object answer = answers.get(type.getSimpleName() + "." + name);
            return answer == null && method.getReturnType() == boolean.class ? (Object) false : answer;
        }));
    }

    private ReactorConnection of(IOSession session) throws Exception {
        return new ReactorConnection(answering(ManagedAsyncClientConnection.class), session, new ManagedConnections<>().socket());
    }

    @Test
    void aConnectionThatFailsToCloseIsClosedByItsSession() throws Exception {
        ReactorConnection connection = of(answering(IOSession.class));
        connection.close(CloseMode.GRACEFUL);
        assertEquals("[ManagedAsyncClientConnection GRACEFUL]", told.toString());
        told.clear();
        fails = new IllegalStateException("a close that fails");
        assertSame(fails, assertThrows(IllegalStateException.class, () -> connection.close(CloseMode.GRACEFUL)));
        assertEquals("[ManagedAsyncClientConnection GRACEFUL, IOSession IMMEDIATE]", told.toString());
        ReactorConnection without = of(null);
        assertSame(fails, assertThrows(IllegalStateException.class, () -> without.close(CloseMode.GRACEFUL)));
    }

    @Test
    void whatIsQueuedWhereNobodyWillLookIsCancelled() throws Exception {
        ReactorConnection connection = of(answering(IOSession.class));
        AsyncTreatment treatment = new AsyncTreatment(new ConnectionConfigs());
        assertFalse(connection.hasForgotten());
        int[] cancelled = new int[1];
        for (int i = 0; i < 3; i++) {
            commands.add(() -> {
                cancelled[0]++;
                return true;
            });
        }
        assertTrue(connection.hasForgotten());
        assertTrue(treatment.needsHelp().test(connection));
        answers.put("IOSession.isOpen", true);
        assertFalse(connection.hasForgotten());
        treatment.help(connection);
        assertEquals(3, cancelled[0]);
        assertTrue(commands.isEmpty());
        assertFalse(of(null).hasForgotten());
    }

    @Test
    void whatShowsNoSocketIsStaleWhenItIsNotOpen() throws Exception {
        ReactorConnection connection = of(answering(IOSession.class));
        assertNull(connection.shown);
        for (boolean isValidationOff : new boolean[] {true, false}) {
            answers.put("ManagedAsyncClientConnection.isOpen", true);
            assertTrue(connection.isOpen());
            assertFalse(connection.isStale(isValidationOff));
            answers.put("ManagedAsyncClientConnection.isOpen", false);
            assertFalse(connection.isOpen());
            assertTrue(connection.isStale(isValidationOff));
        }
    }

    /** What waits to be read may be what HTTP/2 or TLS has to say between two requests. */
    @Test
    void whatItsPeerHasClosedIsStaleAndSoAreBytesThatNobodyAskedForButOfTlsAndHttp2() throws Exception {
        answers.put("ManagedAsyncClientConnection.isOpen", true);
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                SocketChannel channel = SocketChannel.open(server.getLocalAddress());
                SocketChannel peer = server.accept()) {
            answers.put("IOSession.channel", channel);
            ReactorConnection connection = of(answering(IOSession.class));
            assertSame(channel.socket(), connection.shown);
            assertFalse(connection.isStale(false));
            peer.write(ByteBuffer.allocate(1));
            Eventually.await("the byte", () -> connection.isStale(false));
            assertFalse(connection.isStale(true));
            answers.put("ManagedAsyncClientConnection.getTlsDetails", new TlsDetails(null, null));
            assertFalse(connection.isStale(false));
            answers.remove("ManagedAsyncClientConnection.getTlsDetails");
            answers.put("ManagedAsyncClientConnection.getProtocolVersion", HttpVersion.HTTP_2);
            assertFalse(connection.isStale(false));
            channel.read(ByteBuffer.allocate(1));
            peer.close();
            Eventually.await("the close", () -> connection.isStale(false));
            assertFalse(connection.isStale(true));
        }
    }

    @Test
    void itIsOfHttp2FromWhenThatIsAgreedOn() throws Exception {
        ReactorConnection connection = of(null);
        assertFalse(connection.isHttp2());
        answers.put("ManagedAsyncClientConnection.getProtocolVersion", HttpVersion.HTTP_1_1);
        assertFalse(connection.isHttp2());
        answers.put("ManagedAsyncClientConnection.getProtocolVersion", HttpVersion.HTTP_2);
        assertTrue(connection.isHttp2());
        assertFalse(connection.isProven());
        connection.hasProven();
        assertTrue(connection.isProven());
    }

    /** As many as RFC 9113 has as the least, where HttpCore does not tell. */
    @Test
    void itsLimitOfStreamsIsOneWithoutASession() throws Exception {
        assertEquals(1, of(null).streamLimit());
        assertEquals(100, of(answering(IOSession.class)).streamLimit());
    }
}
