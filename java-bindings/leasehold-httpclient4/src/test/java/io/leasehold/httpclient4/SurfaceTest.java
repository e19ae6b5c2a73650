package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Loopback.lease;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.TreeSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.config.Registry;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.config.SocketConfig;
import org.apache.http.conn.HttpClientConnectionOperator;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.HttpHost;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.protocol.BasicHttpContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** The class against the one that it extends: nothing of that is left running, and what it refuses is refused in its words. */
class SurfaceTest {
    private final LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();
    private final HttpRoute route = new HttpRoute(new HttpHost("localhost"));

    @AfterEach
    void stop() {
        manager.shutdown();
    }

    @Test
    void everyPublicAndProtectedMethodIsOverridden() throws Exception {
        int seen = 0;
        for (Method method : PoolingHttpClientConnectionManager.class.getDeclaredMethods()) {
            int modifiers = method.getModifiers();
            if (!Modifier.isStatic(modifiers) && (Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers))) {
                Method ours = LeaseholdHttpClientConnectionManager.class.getDeclaredMethod(method.getName(), method.getParameterTypes());
                // So that code which overrides or calls it compiles as it did.
                assertEquals(thrown(method), thrown(ours), method::getName);
                seen++;
            }
        }
        assertTrue(seen >= 30, seen + " methods");
    }

    private static Set<String> thrown(Method method) {
        Set<String> names = new TreeSet<>();
        for (Class<?> exception : method.getExceptionTypes()) {
            names.add(exception.getName());
        }
        return names;
    }

    @Test
    void itsPublicConstructorsAreThoseOfTheClassItExtends() {
        assertEquals(constructors(PoolingHttpClientConnectionManager.class), constructors(LeaseholdHttpClientConnectionManager.class));
    }

    private static Set<String> constructors(Class<?> type) {
        Set<String> parameters = new TreeSet<>();
        for (Constructor<?> constructor : type.getConstructors()) {
            parameters.add(Arrays.toString(constructor.getGenericParameterTypes()));
        }
        return parameters;
    }

    @Test
    void defaultsAreThoseOfTheClassItExtends() {
        try (PoolingHttpClientConnectionManager stock = new PoolingHttpClientConnectionManager()) {
            assertEquals(stock.getMaxTotal(), manager.getMaxTotal());
            assertEquals(stock.getDefaultMaxPerRoute(), manager.getDefaultMaxPerRoute());
            assertEquals(stock.getMaxPerRoute(route), manager.getMaxPerRoute(route));
            assertEquals(stock.getValidateAfterInactivity(), manager.getValidateAfterInactivity());
            assertEquals(stock.getTotalStats().toString(), manager.getTotalStats().toString());
        }
    }

    @Test
    void limitsAreCheckedAndARoutesOwnIsTakenAwayByANegativeOne() {
        refused("Max value may not be negative or zero", () -> manager.setMaxTotal(0));
        refused("Max per route value may not be negative or zero", () -> manager.setDefaultMaxPerRoute(0));
        refused("Route may not be null", () -> manager.setMaxPerRoute(null, 1));
        refused("Route may not be null", () -> manager.getMaxPerRoute(null));
        refused("Route may not be null", () -> manager.getStats(null));
        manager.setMaxPerRoute(route, 0);
        assertEquals(0, manager.getMaxPerRoute(route));
        manager.setMaxPerRoute(route, -1);
        assertEquals(2, manager.getMaxPerRoute(route));
    }

    @Test
    void whatIsMissingIsNamed() throws Exception {
        refused("HTTP route may not be null", () -> manager.requestConnection(null, null));
        refused("Time unit may not be null", () -> manager.requestConnection(route, null).get(1, null));
        refused("Managed connection may not be null", () -> manager.releaseConnection(null, null, 0, null));
        refused("Managed Connection may not be null", () -> manager.connect(null, route, 0, new BasicHttpContext()));
        refused("Managed Connection may not be null", () -> manager.upgrade(null, route, new BasicHttpContext()));
        refused("Managed Connection may not be null", () -> manager.routeComplete(null, route, new BasicHttpContext()));
        HttpClientConnection connection = lease(manager, route, null);
        refused("HTTP route may not be null", () -> manager.connect(connection, null, 0, new BasicHttpContext()));
        refused("Time unit may not be null", () -> manager.closeIdleConnections(1, null));
        refused("Callback may not be null", () -> manager.enumAvailable(null));
        refused("Callback may not be null", () -> manager.enumLeased(null));
        assertThrows(NullPointerException.class, () -> manager.setSocketConfig(null, SocketConfig.DEFAULT));
        assertThrows(NullPointerException.class, () -> manager.setSocketConfig(route.getTargetHost(), null));
        assertThrows(NullPointerException.class, () -> manager.getConnectionConfig(null));
    }

    @Test
    void whatNoManagerCanBeMadeOfIsNamed() {
        Registry<ConnectionSocketFactory> registry = RegistryBuilder.<ConnectionSocketFactory>create().build();
        refused("Socket factory registry may not be null",
                () -> new LeaseholdHttpClientConnectionManager((Registry<ConnectionSocketFactory>) null));
        refused("HttpClientConnectionOperator may not be null",
                () -> new LeaseholdHttpClientConnectionManager((HttpClientConnectionOperator) null, null, 0, TimeUnit.SECONDS));
        refused("Time unit may not be null", () -> new LeaseholdHttpClientConnectionManager(registry, null, null, null, 1, null));
    }

    private static void refused(String message, Executable call) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, call).getMessage());
    }

    @Test
    void aConnectionOfAForeignClassIsRefused() {
        HttpClientConnection foreign = (HttpClientConnection) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {HttpClientConnection.class}, (proxy, method, arguments) -> null);
        String message = "Unexpected connection proxy class: " + foreign.getClass();
        Executable[] calls = {
            () -> manager.releaseConnection(foreign, null, 0, null),
            () -> manager.connect(foreign, route, 0, new BasicHttpContext()),
            () -> manager.upgrade(foreign, route, new BasicHttpContext()),
            () -> manager.routeComplete(foreign, route, new BasicHttpContext()),
        };
        for (Executable call : calls) {
            assertEquals(message, assertThrows(IllegalStateException.class, call).getMessage());
        }
    }

    @Test
    void noFutureLeadsToAConnection() {
        assertThrows(UnsupportedOperationException.class, () -> manager.leaseConnection(null, 0, TimeUnit.SECONDS));
    }
}
