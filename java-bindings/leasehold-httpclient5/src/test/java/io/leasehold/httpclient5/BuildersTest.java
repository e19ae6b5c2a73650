package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.ScriptedServer;
import io.leasehold.testsupport.TestTls;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.TlsConfig;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.io.ConnectionEndpoint;
import org.apache.hc.client5.http.io.LeaseRequest;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.io.SocketConfig;
import org.apache.hc.core5.pool.ConnPoolControl;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.api.Test;

/** What a builder is told is so in what it builds, and what it is not told is as HttpClient has it. */
class BuildersTest {
    private static final HttpRoute ROUTE = new HttpRoute(new HttpHost("http", "localhost", 1));
    private static final Timeout LONG = Timeout.ofMinutes(1);

    private static LeaseholdHttpClientConnectionManagerBuilder classic() {
        return LeaseholdHttpClientConnectionManagerBuilder.create();
    }

    private static LeaseholdAsyncClientConnectionManagerBuilder async() {
        return LeaseholdAsyncClientConnectionManagerBuilder.create();
    }

    private static Object example(Class<?> type) {
        return type == int.class ? (Object) 1 : type == boolean.class ? (Object) true : null;
    }

    @Test
    void everyOptionLeadsToTheNext() throws Exception {
        for (Object builder : new Object[] {classic(), async()}) {
            int options = 0;
            for (Method method : builder.getClass().getDeclaredMethods()) {
                if (method.getReturnType() == builder.getClass() && Modifier.isPublic(method.getModifiers())
                        && !Modifier.isStatic(method.getModifiers())) {
                    try {
                        assertSame(builder, method.invoke(builder,
                                Arrays.stream(method.getParameterTypes()).map(BuildersTest::example).toArray()), method::toString);
                    } catch (InvocationTargetException e) {
                        // The version has none.
                        assertEquals("setTlsSocketStrategy", method.getName());
                        assertSame(IllegalStateException.class, e.getCause().getClass());
                    }
                    options++;
                }
            }
            assertTrue(options > 10, () -> builder.toString());
        }
    }

    @Test
    void limitsAndNamesAreThoseThatAreSet() {
        try (LeaseholdHttpClientConnectionManager classic = classic().setMaxConnTotal(7).setMaxConnPerRoute(3).setName("c").build();
                LeaseholdAsyncClientConnectionManager async = async().setMaxConnTotal(7).setMaxConnPerRoute(3).setName("a").build()) {
            assertEquals("c 7 3", classic.getName() + " " + classic.getMaxTotal() + " " + classic.getDefaultMaxPerRoute());
            assertEquals("a 7 3", async.getName() + " " + async.getMaxTotal() + " " + async.getDefaultMaxPerRoute());
            assertSame(classic.getPool().name(), classic.getName());
            assertSame(async.getPool().name(), async.getName());
        }
        try (LeaseholdHttpClientConnectionManager classic = classic().setMaxConnTotal(0).setMaxConnPerRoute(0).build();
                LeaseholdAsyncClientConnectionManager async = async().setMaxConnTotal(0).setMaxConnPerRoute(0).build()) {
            assertEquals("25 5", classic.getMaxTotal() + " " + classic.getDefaultMaxPerRoute());
            assertEquals("25 5", async.getMaxTotal() + " " + async.getDefaultMaxPerRoute());
        }
    }

    /** What was released first is leased first. */
    @Test
    void thePolicyIsTheOneThatIsSet() throws Exception {
        for (PoolReusePolicy policy : PoolReusePolicy.values()) {
            try (ScriptedServer server = ScriptedServer.plain();
                    LeaseholdHttpClientConnectionManager manager = classic().setConnPoolPolicy(policy).build();
                    LeaseholdAsyncClientConnectionManager async = async().setConnPoolPolicy(policy).build();
                    CloseableHttpClient client = Way.PLAIN.client(server, manager)) {
                HttpRoute route = new HttpRoute(new HttpHost("http", "localhost", server.port()));
                List<ConnectionEndpoint> both = new ArrayList<>();
                for (int i = 0; i < 2; i++) {
                    both.add(manager.lease("id", route, LONG, null).get(LONG));
                    manager.connect(both.get(i), LONG, HttpClientContext.create());
                    server.peer(i);
                }
                both.forEach(endpoint -> manager.release(endpoint, null, TimeValue.NEG_ONE_MILLISECOND));
                assertEquals(policy == PoolReusePolicy.FIFO ? "c0 r1" : "c1 r1", Way.PLAIN.get(client, server, "/ok"));
                assertEquals(0, async.getTotalStats().getLeased());
            }
        }
    }

    @Test
    void eachRouteIsAskedForItsConfigurations() throws Exception {
        Set<String> asked = new HashSet<>();
        try (ScriptedServer server = ScriptedServer.tls();
                LeaseholdHttpClientConnectionManager manager = Way.manager()
                        .setSocketConfigResolver(route -> {
                            asked.add("socket " + route.getTargetHost().getHostName());
                            return null;
                        })
                        .setConnectionConfigResolver(route -> {
                            asked.add("connection " + route.getTargetHost().getHostName());
                            return null;
                        })
                        .setTlsConfigResolver(host -> {
                            asked.add("TLS " + host.getHostName());
                            return null;
                        }).build();
                CloseableHttpClient client = Way.TLS.client(server, manager)) {
            assertEquals("c0 r1", Way.TLS.get(client, server, "/ok"));
            assertEquals(new HashSet<>(Arrays.asList("socket localhost", "connection localhost", "TLS localhost")), asked);
        }
        Set<String> askedByReactor = new HashSet<>();
        try (ScriptedServer server = ScriptedServer.tls();
                LeaseholdAsyncClientConnectionManager manager = Way.asyncManager()
                        .setConnectionConfigResolver(route -> {
                            askedByReactor.add("connection " + route.getTargetHost().getHostName());
                            return null;
                        })
                        .setTlsConfigResolver(host -> {
                            askedByReactor.add("TLS " + host.getHostName());
                            return null;
                        }).build();
                CloseableHttpAsyncClient client = Way.TLS.client(server, manager)) {
            assertEquals("c0 r1", Way.TLS.get(client, server, "/ok"));
            assertEquals(new HashSet<>(Arrays.asList("connection localhost", "TLS localhost")), askedByReactor);
        }
    }

    @Test
    void oneConfigurationHoldsForAllRoutes() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        TlsConfig tls = new TlsConfig() {
            @Override
            public Timeout getHandshakeTimeout() {
                asked.incrementAndGet();
                return super.getHandshakeTimeout();
            }
        };
        ConnectionConfig shortLife = ConnectionConfig.custom().setTimeToLive(TimeValue.ofMilliseconds(1)).build();
        List<ManagedHttpClientConnection> made = new ArrayList<>();
        try (ScriptedServer server = ScriptedServer.tls();
                LeaseholdHttpClientConnectionManager manager = Way.manager()
                        .setDefaultSocketConfig(SocketConfig.custom().setTcpNoDelay(false).build())
                        .setDefaultConnectionConfig(shortLife)
                        .setDefaultTlsConfig(tls)
                        .setConnectionFactory(socket -> {
                            made.add(ManagedHttpClientConnectionFactory.INSTANCE.createConnection(socket));
                            return made.get(made.size() - 1);
                        }).build();
                CloseableHttpClient client = Way.TLS.client(server, manager)) {
            assertEquals("c0 r1", Way.TLS.get(client, server, "/ok"));
            assertEquals(false, made.get(0).getSocket().getTcpNoDelay());
            assertTrue(asked.getAndSet(0) > 0);
            awaitExpiry(manager);
        }
        try (ScriptedServer server = ScriptedServer.tls();
                LeaseholdAsyncClientConnectionManager manager = Way.asyncManager().setDefaultTlsConfig(tls).build();
                CloseableHttpAsyncClient client = Way.TLS.client(server, manager)) {
            assertEquals("c0 r1", Way.TLS.get(client, server, "/ok"));
            assertTrue(asked.get() > 0);
        }
    }

    private static void awaitExpiry(ConnPoolControl<HttpRoute> manager) throws Exception {
        Eventually.await("its life to end", () -> {
            manager.closeExpired();
            return manager.getTotalStats().getAvailable() + manager.getTotalStats().getLeased() == 0;
        });
    }

    @Test
    @SuppressWarnings("deprecation") // As long as HttpClient has it.
    void aTimeToLiveIsOneOfAConfiguration() throws Exception {
        TimeValue shortLife = TimeValue.ofMilliseconds(1);
        try (ScriptedServer server = ScriptedServer.plain();
                LeaseholdHttpClientConnectionManager classic = classic().setConnectionTimeToLive(shortLife).build();
                LeaseholdAsyncClientConnectionManager async = async().setConnectionTimeToLive(shortLife).build();
                CloseableHttpClient client = Way.PLAIN.client(server, classic);
                CloseableHttpAsyncClient asyncClient = Way.PLAIN.client(server, async)) {
            Way.PLAIN.get(client, server, "/ok");
            awaitExpiry(classic);
            Way.PLAIN.get(asyncClient, server, "/ok");
            awaitExpiry(async);
        }
    }

    /** Who asks for what the system says has the JDK's default, which may know the server; others have one that knows no such server. */
    @Test
    void theSystemsTlsIsTakenWhereThatIsSet() throws Exception {
        SSLContext before = SSLContext.getDefault();
        SSLContext.setDefault(TestTls.context());
        try (ScriptedServer server = ScriptedServer.tls();
                LeaseholdHttpClientConnectionManager system = classic().useSystemProperties().build();
                LeaseholdHttpClientConnectionManager own = new LeaseholdHttpClientConnectionManager();
                LeaseholdAsyncClientConnectionManager asyncSystem = async().useSystemProperties().build();
                LeaseholdAsyncClientConnectionManager asyncOwn = new LeaseholdAsyncClientConnectionManager();
                CloseableHttpClient ofSystem = Way.TLS.client(server, system);
                CloseableHttpClient ofOwn = Way.TLS.client(server, own);
                CloseableHttpAsyncClient asyncOfSystem = Way.TLS.client(server, asyncSystem);
                CloseableHttpAsyncClient asyncOfOwn = Way.TLS.client(server, asyncOwn)) {
            assertTrue(Way.TLS.get(ofSystem, server, "/ok").endsWith("r1"));
            assertTrue(Way.TLS.get(asyncOfSystem, server, "/ok").endsWith("r1"));
            assertThrows(IOException.class, () -> Way.TLS.get(ofOwn, server, "/ok"));
            assertThrows(IOException.class, () -> Way.TLS.get(asyncOfOwn, server, "/ok"));
        } finally {
            SSLContext.setDefault(before);
        }
    }

    @Test
    void connectionsAreSharedWhereThatIsSet() throws Exception {
        AsyncParts parts = new AsyncParts(null, null, null, false, null, true);
        PoolEntry<HttpRoute, ManagedAsyncClientConnection> entry = parts.sharing.lease(ROUTE, null, LONG, null).get();
        // What HttpClient's code releases is what it was given.
        parts.asked.release(entry, false);
        assertEquals(0, parts.sharing.getTotalStats().getLeased());
        assertNull(new AsyncParts(null, null, null, false, null, false).sharing);
    }

    @Test
    void aFactoryThatMakesNothingIsToldOfAsByHttpClient() {
        try (PoolingHttpClientConnectionManager stock = PoolingHttpClientConnectionManagerBuilder.create()
                        .setConnectionFactory(socket -> null).build();
                LeaseholdHttpClientConnectionManager ours = classic().setConnectionFactory(socket -> null).build()) {
            List<String> causes = new ArrayList<>();
            for (PoolingHttpClientConnectionManager manager : new PoolingHttpClientConnectionManager[] {stock, ours}) {
                LeaseRequest request = manager.lease("id", ROUTE, LONG, null);
                causes.add(assertThrows(ExecutionException.class, () -> request.get(LONG)).getCause().toString());
            }
            assertEquals(causes.get(0), causes.get(1));
            assertEquals(0, ours.getTotalStats().getLeased());
        }
    }
}
