package io.leasehold.httpclient5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.Cause;
import io.leasehold.managed.ManagedConnections;
import io.leasehold.testsupport.LogCapture;
import java.lang.reflect.Proxy;
import java.net.Socket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.api.Test;

/** How the managers treat connections of HttpClient's. */
class TreatmentsTest {
    private static final HttpRoute ROUTE = new HttpRoute(new HttpHost("http", "localhost", 80));

    /** What a connection answers, by the name of the method; null and false if it is not said. */
    private final Map<String, Object> answers = new HashMap<>();
    /** What it was told. */
    private final List<String> told = new ArrayList<>();
    private final Map<String, RuntimeException> failures = new HashMap<>();
    private final ConnectionConfigs configs = new ConnectionConfigs();
    private final ClassicTreatment classic = new ClassicTreatment(configs);
    private final AsyncTreatment async = new AsyncTreatment(configs);

    private <T> T answering(Class<T> type) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
            String name = method.getName();
            if (name.equals("close") || name.equals("setSocketTimeout")) {
                told.add(name + " " + arguments[0]);
            }
            if (failures.containsKey(name)) {
                throw failures.get(name);
            }
            Object answer = answers.get(name);
            return answer == null && method.getReturnType() == boolean.class ? (Object) false : answer;
        }));
    }

    private final ManagedHttpClientConnection connection = answering(ManagedHttpClientConnection.class);

    /** An orderly close waits for the peer, for a second. */
    @Test
    void aConnectionIsClosedOnceAndAtOnceIfThatFails() {
        answers.put("getSocketTimeout", Timeout.ofMinutes(3));
        classic.close(connection, CloseMode.GRACEFUL);
        assertEquals("[setSocketTimeout 1 SECONDS, close GRACEFUL]", told.toString());
        told.clear();
        failures.put("setSocketTimeout", new IllegalStateException("a timeout that cannot be set"));
        assertSame(failures.get("setSocketTimeout"),
                assertThrows(IllegalStateException.class, () -> classic.close(connection, CloseMode.GRACEFUL)));
        assertEquals("[setSocketTimeout 1 SECONDS, close IMMEDIATE]", told.toString());
    }

    @Test
    void itIsSaidOfWhatItsPeerClosedAndOfWhatWasLost() {
        Map<Class<?>, Runnable> all = new HashMap<>();
        all.put(PoolingHttpClientConnectionManager.class, () -> {
            for (Cause cause : Cause.values()) {
                classic.letGo(connection, cause);
            }
            classic.lost(ROUTE);
        });
        all.put(PoolingAsyncClientConnectionManager.class, () -> {
            for (Cause cause : Cause.values()) {
                async.letGo(answering(ManagedAsyncClientConnection.class), cause);
            }
            async.lost(ROUTE);
        });
        all.forEach((manager, call) -> {
            try (LogCapture log = LogCapture.of(manager)) {
                call.run();
                assertEquals(2, log.lines().size(), () -> log.lines().toString());
                assertTrue(log.lines().get(0).matches("FINE " + manager.getName() + ": connection .* closed by its peer"),
                        log.lines().get(0));
                assertEquals("WARNING " + manager.getName() + ": Connection reclaimed by garbage collector, it was never released:"
                        + " [route: " + ROUTE + "]", log.lines().get(1));
            }
        });
    }

    @Test
    void aClassicConnectionIsAskedForItsSocketAndClosingItMayBlockWhileItIsOpen() throws Exception {
        assertNull(classic.socketOf(connection));
        answers.put("getSocket", new Socket());
        assertSame(answers.get("getSocket"), classic.socketOf(connection));
        assertFalse(classic.mayBlockToClose(connection));
        answers.put("isOpen", true);
        assertTrue(classic.mayBlockToClose(connection));
    }

    /** It is HttpClient's code that asks, a moment later. */
    @Test
    void aClassicConnectionIsToldOfItsLease() throws Exception {
        CheckedConnection checked = new CheckedConnection(connection, new ManagedConnections<>().socket(), configs, opened -> {});
        answers.put("isOpen", true);
        answers.put("isStale", true);
        assertTrue(checked.isStale());
        checked.passivate();
        assertFalse(classic.isStaleAtLease(ROUTE, checked, null));
        assertFalse(checked.isStale(), "by the time that it was idle it need not be asked");
    }

    @Test
    void aReactorsConnectionIsClosedByOthersWhenItIsNotOpen() throws Exception {
        ReactorConnection reactors = new ReactorConnection(
                answering(ManagedAsyncClientConnection.class), null, new ManagedConnections<>().socket());
        for (boolean isOpen : new boolean[] {true, false}) {
            answers.put("isOpen", isOpen);
            assertEquals(!isOpen, async.closedByOthers().test(reactors));
            assertEquals(!isOpen, async.isStaleAtLease(ROUTE, reactors, null));
        }
        assertTrue(async.mayBlockToClose(reactors));
        assertFalse(async.needsHelp().test(reactors));
    }

    @Test
    void whatHasLivedForTooLongByItsConfigurationHasExpired() {
        PoolEntry<HttpRoute, ManagedHttpClientConnection> entry = new PoolEntry<>(ROUTE, null);
        entry.assignConnection(connection);
        assertFalse(classic.isExpired(entry, entry.getCreated() + 10));
        ConnectionConfig config = ConnectionConfig.custom().setTimeToLive(TimeValue.ofMilliseconds(5)).build();
        configs.set(route -> config);
        assertTrue(classic.isExpired(entry, entry.getCreated() + 10));
        assertFalse(classic.isExpired(entry, entry.getCreated() + 5));
    }
}
