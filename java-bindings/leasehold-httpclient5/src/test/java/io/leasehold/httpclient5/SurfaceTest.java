package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.leasehold.testsupport.ScriptedServer;
import io.leasehold.testsupport.TestTls;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.api.Test;

/** The manager, its builder and what they hand to HttpClient have whatever the version on the class path has. */
class SurfaceTest {
    private static Set<String> methods(Class<?> type) {
        return Arrays.stream(type.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()) && !method.isSynthetic())
                .map(Method::getName).collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void theBuilderHasEveryOptionOfHttpClients() {
        Set<String> missing = methods(PoolingHttpClientConnectionManagerBuilder.class);
        missing.removeAll(methods(LeaseholdHttpClientConnectionManagerBuilder.class));
        assertEquals("[]", missing.toString());
    }

    @Test
    void theBuilderOfAsynchronousManagersHasEveryOptionOfHttpClients() {
        Set<String> missing = methods(PoolingAsyncClientConnectionManagerBuilder.class);
        missing.removeAll(methods(LeaseholdAsyncClientConnectionManagerBuilder.class));
        assertEquals("[]", missing.toString());
    }

    @Test
    void noSignatureNamesATypeThatTheVersionLacks() {
        for (Class<?> type : new Class<?>[] {LeaseholdConnPool.class, LeaseholdHttpClientConnectionManager.class,
            LeaseholdHttpClientConnectionManagerBuilder.class, LeaseholdAsyncClientConnectionManager.class,
            LeaseholdAsyncClientConnectionManagerBuilder.class}) {
            assertNotNull(type.getDeclaredMethods());
            assertNotNull(type.getDeclaredConstructors());
            assertNotNull(type.getMethods());
            assertNotNull(type.getDeclaredFields());
        }
    }

    @Test
    void everyMethodOfAConnectionIsPassedOn() throws Exception {
        for (Method method : ManagedHttpClientConnection.class.getMethods()) {
            if (!Modifier.isStatic(method.getModifiers())) {
                Method ours = CheckedConnection.class.getMethod(method.getName(), method.getParameterTypes());
                assertSame(CheckedConnection.class, ours.getDeclaringClass(), method::toString);
            }
        }
    }

    @Test
    void everyMethodOfAReactorsConnectionIsPassedOn() throws Exception {
        for (Class<?> type : new Class<?>[] {ReactorConnection.class, SharedConnection.class}) {
            for (Method method : ManagedAsyncClientConnection.class.getMethods()) {
                if (!Modifier.isStatic(method.getModifiers())) {
                    assertSame(type, type.getMethod(method.getName(), method.getParameterTypes()).getDeclaringClass(), method::toString);
                }
            }
        }
    }

    @Test
    void anAsynchronousManagerIsMadeWithoutABuilder() throws Exception {
        try (LeaseholdAsyncClientConnectionManager manager = new LeaseholdAsyncClientConnectionManager();
                LeaseholdAsyncClientConnectionManager ofSystem =
                        LeaseholdAsyncClientConnectionManagerBuilder.create().useSystemProperties().build();
                ScriptedServer server = ScriptedServer.plain();
                CloseableHttpAsyncClient client = Way.PLAIN.client(server, manager);
                CloseableHttpAsyncClient second = Way.PLAIN.client(server, ofSystem)) {
            assertEquals("c0 r1", Way.PLAIN.get(client, server, "/ok"));
            assertEquals("c1 r1", Way.PLAIN.get(second, server, "/ok"));
        }
    }

    @Test
    void everySettingOfAConfigurationIsPassedOn() throws Exception {
        ConnectionConfig.Builder builder = ConnectionConfig.custom()
                .setConnectTimeout(Timeout.ofSeconds(1))
                .setSocketTimeout(Timeout.ofSeconds(2))
                .setValidateAfterInactivity(TimeValue.ofSeconds(3))
                .setTimeToLive(TimeValue.ofSeconds(4));
        try {
            ConnectionConfig.Builder.class.getMethod("setIdleTimeout", Timeout.class).invoke(builder, Timeout.ofSeconds(5));
        } catch (NoSuchMethodException e) {
            // Before 5.6.
        }
        ConnectionConfig config = builder.build();
        ConnectionConfigs configs = new ConnectionConfigs();
        configs.set(route -> config);
        ConnectionConfig shown = configs.shown(new HttpRoute(new HttpHost("a", 80)));
        for (Method getter : ConnectionConfig.class.getMethods()) {
            if (getter.getName().startsWith("get") && getter.getDeclaringClass() == ConnectionConfig.class
                    && !getter.getName().equals("getValidateAfterInactivity")) {
                assertNotNull(getter.invoke(config), getter::toString);
                assertSame(getter.invoke(config), getter.invoke(shown), getter::toString);
            }
        }
        assertEquals(0, shown.getValidateAfterInactivity().toMilliseconds());
        assertSame(shown, configs.shown(new HttpRoute(new HttpHost("b", 80))));
        assertEquals(config.toString(), shown.toString());
        ConnectionConfig off = ConnectionConfig.custom().setValidateAfterInactivity(-1, TimeUnit.MILLISECONDS).build();
        configs.set(route -> off);
        assertSame(off, configs.shown(new HttpRoute(new HttpHost("a", 80))));
    }

    @Test
    void aTlsStrategyIsTakenWhereTheVersionHasThem() throws Exception {
        Object strategy = DefaultClientTlsStrategy.class.getConstructor(SSLContext.class).newInstance(TestTls.context());
        LeaseholdHttpClientConnectionManagerBuilder builder = LeaseholdHttpClientConnectionManagerBuilder.create();
        boolean areThere = Arrays.stream(DefaultClientTlsStrategy.class.getInterfaces()).anyMatch(
                type -> type.getSimpleName().equals("TlsSocketStrategy"))
                || Arrays.stream(DefaultClientTlsStrategy.class.getSuperclass().getInterfaces()).anyMatch(
                        type -> type.getSimpleName().equals("TlsSocketStrategy"));
        if (!areThere) {
            assertThrows(IllegalStateException.class, () -> builder.setTlsSocketStrategy(strategy));
            return;
        }
        assertThrows(IllegalArgumentException.class, () -> builder.setTlsSocketStrategy("strategy"));
        try (LeaseholdHttpClientConnectionManager manager = builder.setTlsSocketStrategy(strategy).build();
                ScriptedServer server = ScriptedServer.tls();
                CloseableHttpClient client = Way.TLS.client(server, manager)) {
            assertEquals("c0 r1", Way.TLS.get(client, server, "/ok"));
        }
    }

    @Test
    void aManagerIsMadeWithoutABuilder() throws Exception {
        try (LeaseholdHttpClientConnectionManager manager = new LeaseholdHttpClientConnectionManager();
                LeaseholdHttpClientConnectionManager ofSystem =
                        LeaseholdHttpClientConnectionManagerBuilder.create().useSystemProperties().build();
                ScriptedServer server = ScriptedServer.plain();
                CloseableHttpClient client = Way.PLAIN.client(server, manager);
                CloseableHttpClient second = Way.PLAIN.client(server, ofSystem)) {
            assertEquals("c0 r1", Way.PLAIN.get(client, server, "/ok"));
            assertEquals("c1 r1", Way.PLAIN.get(second, server, "/ok"));
        }
    }
}
