package io.leasehold.httpclient5;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.ConnectionShutdownException;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.io.ConnectionEndpoint;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.core5.pool.PoolEntry;

/** Which entry an endpoint of one of HttpClient's managers has, which it tells nobody but that manager. */
final class Endpoints {
    // Null where the version has them otherwise. Each is looked for when it is first asked for, so that a program which has one kind of
    // managers loads no other.
    private static final class Classic {
        static final Method ENTRY = entryOf(PoolingHttpClientConnectionManager.class);
    }

    private static final class Async {
        static final Method ENTRY = entryOf(PoolingAsyncClientConnectionManager.class);
    }

    private Endpoints() {}

    private static Method entryOf(Class<?> manager) {
        try {
            Class<?> endpoint = Class.forName(manager.getName() + "$InternalConnectionEndpoint", false, manager.getClassLoader());
            Method entry = endpoint.getDeclaredMethod("getPoolEntry");
            entry.setAccessible(true);
            return entry;
        } catch (ReflectiveOperationException e) {
            return null;
        }
    }

    /** An endpoint's entry; null if it was released, is none of HttpClient's manager, or this version's keep it elsewhere. */
    @SuppressWarnings("unchecked") // It is declared as such.
    static PoolEntry<HttpRoute, ManagedHttpClientConnection> entryOf(ConnectionEndpoint endpoint) {
        return Classic.ENTRY == null ? null : (PoolEntry<HttpRoute, ManagedHttpClientConnection>) entry(Classic.ENTRY, endpoint);
    }

    /** An endpoint's entry; null if it was released, or is none of HttpClient's manager. */
    @SuppressWarnings("unchecked") // It is declared as such.
    static PoolEntry<HttpRoute, ManagedAsyncClientConnection> entryOf(AsyncConnectionEndpoint endpoint) {
        if (Async.ENTRY == null) {
            throw new IllegalStateException("this HttpClient makes its endpoints in a way that is not known here");
        }
        return (PoolEntry<HttpRoute, ManagedAsyncClientConnection>) entry(Async.ENTRY, endpoint);
    }

    private static Object entry(Method entry, Object endpoint) {
        if (!entry.getDeclaringClass().isInstance(endpoint)) {
            return null;
        }
        try {
            return entry.invoke(endpoint);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof ConnectionShutdownException) {
                return null;
            }
            throw Thrown.as(e.getCause(), RuntimeException.class);
        } catch (IllegalAccessException e) {
            throw new AssertionError("it was made accessible", e);
        }
    }
}
