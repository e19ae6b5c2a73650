package io.leasehold.httpclient5;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.ConnectionShutdownException;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.client5.http.nio.ManagedAsyncClientConnection;
import org.apache.hc.core5.pool.PoolEntry;

/** Which entry an endpoint of HttpClient's asynchronous manager has, which it tells nobody but that manager. */
final class Endpoints {
    private static final Method ENTRY = entry();

    private Endpoints() {}

    private static Method entry() {
        try {
            Class<?> endpoint = Class.forName(PoolingAsyncClientConnectionManager.class.getName() + "$InternalConnectionEndpoint", false,
                    PoolingAsyncClientConnectionManager.class.getClassLoader());
            Method entry = endpoint.getDeclaredMethod("getPoolEntry");
            entry.setAccessible(true);
            return entry;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this HttpClient makes its endpoints in a way that is not known here", e);
        }
    }

    /** An endpoint's entry; null if it was released, or is none of HttpClient's manager. */
    @SuppressWarnings("unchecked") // It is declared as such.
    static PoolEntry<HttpRoute, ManagedAsyncClientConnection> entryOf(AsyncConnectionEndpoint endpoint) {
        if (!ENTRY.getDeclaringClass().isInstance(endpoint)) {
            return null;
        }
        try {
            return (PoolEntry<HttpRoute, ManagedAsyncClientConnection>) ENTRY.invoke(endpoint);
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
