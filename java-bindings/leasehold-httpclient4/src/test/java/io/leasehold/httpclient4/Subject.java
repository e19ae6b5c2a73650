package io.leasehold.httpclient4;

import io.leasehold.Watching;
import java.lang.reflect.InvocationTargetException;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;

/** The sides of a comparison. */
enum Subject {
    STOCK(PoolingHttpClientConnectionManager.class),
    /** As it is shipped. */
    LEASEHOLD(LeaseholdHttpClientConnectionManager.class),
    /** Not watched: what a watch closes at once, HttpClient closes at some later time, if ever. */
    LEASEHOLD_UNWATCHED(LeaseholdHttpClientConnectionManager.class);

    private final Class<? extends PoolingHttpClientConnectionManager> type;

    Subject(Class<? extends PoolingHttpClientConnectionManager> type) {
        this.type = type;
    }

    /** A manager made by the public constructor with these parameters. */
    PoolingHttpClientConnectionManager manager(Class<?>[] parameters, Object... arguments) throws Exception {
        try {
            PoolingHttpClientConnectionManager manager = type.getConstructor(parameters).newInstance(arguments);
            if (this == LEASEHOLD_UNWATCHED) {
                ((LeaseholdHttpClientConnectionManager) manager).setWatching(Watching.PROBE);
            }
            return manager;
        } catch (InvocationTargetException e) {
            throw (Exception) e.getCause();
        }
    }
}
