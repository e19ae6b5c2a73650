package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.managed.ManagedConnections;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Future;
import javax.net.ssl.SSLContext;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.core5.concurrent.BasicFuture;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpVersion;
import org.apache.hc.core5.http.ProtocolVersion;
import org.apache.hc.core5.http.impl.BasicEndpointDetails;
import org.apache.hc.core5.http.impl.BasicHttpConnectionMetrics;
import org.apache.hc.core5.http.impl.BasicHttpTransportMetrics;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.ManagedConnPool;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.pool.PoolStats;
import org.apache.hc.core5.reactor.ssl.TlsDetails;
import org.apache.hc.core5.util.Identifiable;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.api.Test;

/** What connections of ours wrap does all that is not their own, with what they were given, and its answer is theirs. */
class PassingOnTest {
    private static final HttpRoute ROUTE = new HttpRoute(new HttpHost("http", "localhost", 80));

    /** What was called of the wrapped, and with what; answers what is made up for each type. */
    private final class Wrapped implements InvocationHandler {
        final List<Object> called = new ArrayList<>();
        Object answer;

        @Override
        public Object invoke(Object proxy, Method method, Object[] arguments) {
            called.add(method.getName());
            called.addAll(Arrays.asList(arguments == null ? new Object[0] : arguments));
            answer = example(method.getReturnType());
            return answer;
        }
    }

    private final Wrapped wrapped = new Wrapped();
    /** What is answered with yes or no. */
    private boolean isTrue;

    private <T> T wrapped(Class<T> type) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type, Identifiable.class}, wrapped));
    }

    /** Of a type, one that nothing makes by itself. */
    private Object example(Class<?> type) {
        if (type == void.class) {
            return null;
        }
        if (type == boolean.class) {
            return isTrue;
        }
        if (type == int.class) {
            return 7;
        }
        if (type == Object.class) {
            return ROUTE;
        }
        if (type == TimeValue.class) {
            return TimeValue.ofSeconds(7);
        }
        if (type == PoolStats.class) {
            return new PoolStats(1, 2, 3, 4);
        }
        if (type == PoolEntry.class) {
            return new PoolEntry<>(ROUTE, null);
        }
        if (type == String.class) {
            return "example";
        }
        if (type == Timeout.class) {
            return Timeout.ofSeconds(7);
        }
        if (type == Socket.class) {
            return new Socket();
        }
        if (type == SocketAddress.class) {
            return new InetSocketAddress(7);
        }
        if (type == ProtocolVersion.class) {
            return HttpVersion.HTTP_1_0;
        }
        if (type == TlsDetails.class) {
            return new TlsDetails(null, "example");
        }
        if (type.isEnum()) {
            return type.getEnumConstants()[1];
        }
        if (type == SSLContext.class) {
            try {
                return SSLContext.getDefault();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
        if (type.isInterface()) {
            return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
                    (proxy, method, arguments) -> method.getName().equals("equals") ? (Object) (proxy == arguments[0])
                            : method.getName().equals("hashCode") ? (Object) 7 : type.getName());
        }
        BasicHttpTransportMetrics bytes = new BasicHttpTransportMetrics();
        BasicEndpointDetails details = new BasicEndpointDetails(null, null, new BasicHttpConnectionMetrics(bytes, bytes), Timeout.DISABLED);
        assertTrue(type.isInstance(details), type.getName());
        return details;
    }

    private void assertPassesOn(Object connection, Class<?> type, String... ownMethods) throws Exception {
        for (boolean answer : new boolean[] {true, false}) {
            isTrue = answer;
            assertAllIsPassedOn(connection, type, ownMethods);
        }
    }

    private void assertAllIsPassedOn(Object connection, Class<?> type, String... ownMethods) throws Exception {
        Set<String> own = new HashSet<>(Arrays.asList(ownMethods));
        List<Method> methods = new ArrayList<>(Arrays.asList(type.getMethods()));
        methods.add(Object.class.getMethod("toString"));
        if (connection instanceof Identifiable) {
            methods.add(Identifiable.class.getMethod("getId"));
        }
        int passedOn = 0;
        for (Method method : methods) {
            if (Modifier.isStatic(method.getModifiers()) || own.contains(method.getName())) {
                continue;
            }
            wrapped.called.clear();
            List<Object> expected = new ArrayList<>();
            expected.add(method.getName());
            Object[] arguments = Arrays.stream(method.getParameterTypes()).map(this::example).toArray();
            expected.addAll(Arrays.asList(arguments));
            Object answer = method.invoke(connection, arguments);
            assertEquals(expected, wrapped.called);
            if (method.getReturnType().isPrimitive()) {
                assertEquals(wrapped.answer, answer, method::toString);
            } else {
                assertSame(wrapped.answer, answer, method::toString);
            }
            passedOn++;
        }
        assertTrue(passedOn > 10);
    }

    /** A call that asks has its own way; all else is the pool's below. */
    @Test
    @SuppressWarnings("unchecked") // It is one.
    void aPoolOverAnother() throws Exception {
        ManagersPool<ManagedHttpClientConnection> pool = new ManagersPool<>(
                (ManagedConnPool<HttpRoute, ManagedHttpClientConnection>) wrapped(ManagedConnPool.class));
        assertPassesOn(pool, ManagedConnPool.class, "close", "lease");
        wrapped.called.clear();
        pool.close();
        pool.close(CloseMode.IMMEDIATE);
        assertEquals("[close, GRACEFUL, close, IMMEDIATE]", wrapped.called.toString());
        wrapped.called.clear();
        PassingPool<ManagedHttpClientConnection> plain = new PassingPool<ManagedHttpClientConnection>(
                (ManagedConnPool<HttpRoute, ManagedHttpClientConnection>) wrapped(ManagedConnPool.class)) {};
        assertSame(plain.lease(ROUTE, "state", Timeout.DISABLED, null), wrapped.answer);
        assertEquals(Arrays.asList("lease", ROUTE, "state", Timeout.DISABLED, null), wrapped.called);
    }

    @Test
    @SuppressWarnings("unchecked") // It is one.
    void whatIsAskedForInACallIsAskedForInItsWay() {
        ManagersPool<ManagedHttpClientConnection> pool = new ManagersPool<>(
                (ManagedConnPool<HttpRoute, ManagedHttpClientConnection>) wrapped(ManagedConnPool.class));
        List<Object> asked = new ArrayList<>();
        Object answer = pool.asking((route, state, timeout, callback) -> {
            asked.add("outer");
            return null;
        }, () -> {
            pool.lease(ROUTE, null, Timeout.DISABLED, null);
            Future<?> inner = pool.asking((route, state, timeout, callback) -> {
                asked.addAll(Arrays.asList("inner", route, state, timeout));
                return new BasicFuture<>(null);
            }, () -> pool.lease(ROUTE, "state", Timeout.DISABLED, null));
            pool.lease(ROUTE, null, Timeout.DISABLED, null);
            return inner;
        });
        assertSame(BasicFuture.class, answer.getClass());
        assertEquals(Arrays.asList("outer", "inner", ROUTE, "state", Timeout.DISABLED, "outer"), asked);
        // Nothing is left of it on the thread.
        assertThrows(NullPointerException.class, () -> pool.lease(ROUTE, null, Timeout.DISABLED, null));
        assertEquals("[]", wrapped.called.toString());
    }

    @Test
    void aClassicConnection() throws Exception {
        assertPassesOn(new CheckedConnection(wrapped(ManagedHttpClientConnection.class), new ManagedConnections<>().socket(),
                new ConnectionConfigs(), connection -> {}), ManagedHttpClientConnection.class, "isStale", "bind");
    }

    private ReactorConnection ofReactor() throws Exception {
        return new ReactorConnection(wrapped(ManagedAsyncClientConnection.class), null, new ManagedConnections<>().socket());
    }

    @Test
    void aConnectionOfAReactor() throws Exception {
        ReactorConnection connection = ofReactor();
        assertPassesOn(connection, ManagedAsyncClientConnection.class, "close");
        wrapped.called.clear();
        connection.close();
        connection.close(CloseMode.IMMEDIATE);
        assertEquals("[close, GRACEFUL, close, IMMEDIATE]", wrapped.called.toString());
    }

    @Test
    void aShareOfAConnection() throws Exception {
        List<Object> closed = new ArrayList<>();
        SharedConnection connection = new SharedConnection(ofReactor(), (share, mode) -> {
            closed.add(share);
            closed.add(mode);
        });
        assertPassesOn(connection, ManagedAsyncClientConnection.class, "close", "passivate");
        wrapped.called.clear();
        // It is idle when nobody has a share any more.
        connection.passivate();
        connection.close();
        connection.close(CloseMode.IMMEDIATE);
        assertEquals(Arrays.asList(connection, CloseMode.GRACEFUL, connection, CloseMode.IMMEDIATE), closed);
        assertEquals("[]", wrapped.called.toString());
    }
}
