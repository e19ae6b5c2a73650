package io.leasehold.httpclient4;

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
            return type.getConstructor(parameters).newInstance(arguments);
        } catch (InvocationTargetException e) {
            throw (Exception) e.getCause();
        }
    }
}
