package io.leasehold.httpclient4;

import io.leasehold.Watching;
import java.lang.reflect.InvocationTargetException;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;

/** The two sides of a comparison. */
enum Subject {
    STOCK(PoolingHttpClientConnectionManager.class),
    LEASEHOLD(LeaseholdHttpClientConnectionManager.class);

    private final Class<? extends PoolingHttpClientConnectionManager> type;

    Subject(Class<? extends PoolingHttpClientConnectionManager> type) {
        this.type = type;
    }

    /** A manager made by the public constructor with these parameters. */
    PoolingHttpClientConnectionManager manager(Class<?>[] parameters, Object... arguments) throws Exception {
        try {
            PoolingHttpClientConnectionManager manager = type.getConstructor(parameters).newInstance(arguments);
            if (manager instanceof LeaseholdHttpClientConnectionManager) {
                // What a peer has closed is met at the lease, as in stock. That the watch closes it before has tests of its own.
                ((LeaseholdHttpClientConnectionManager) manager).setWatching(Watching.PROBE);
            }
            return manager;
        } catch (InvocationTargetException e) {
            throw (Exception) e.getCause();
        }
    }
}
