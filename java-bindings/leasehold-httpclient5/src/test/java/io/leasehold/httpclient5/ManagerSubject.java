package io.leasehold.httpclient5;

import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.io.HttpClientConnectionOperator;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.core5.http.io.HttpConnectionFactory;
import org.apache.hc.core5.pool.PoolConcurrencyPolicy;
import org.apache.hc.core5.pool.PoolReusePolicy;

/** The sides of a comparison of classic managers. */
enum ManagerSubject {
    STOCK {
        @Override
        PoolingHttpClientConnectionManager manager(HttpClientConnectionOperator operator,
                HttpConnectionFactory<ManagedHttpClientConnection> factory) {
            // The constructor is protected in the oldest version.
            return new PoolingHttpClientConnectionManager(operator, PoolConcurrencyPolicy.STRICT, PoolReusePolicy.LIFO, null, factory) {};
        }
    },
    LEASEHOLD {
        @Override
        PoolingHttpClientConnectionManager manager(HttpClientConnectionOperator operator,
                HttpConnectionFactory<ManagedHttpClientConnection> factory) {
            return new LeaseholdHttpClientConnectionManager(new ManagerParts(operator, factory, PoolReusePolicy.LIFO, null));
        }
    };

    abstract PoolingHttpClientConnectionManager manager(HttpClientConnectionOperator operator,
            HttpConnectionFactory<ManagedHttpClientConnection> factory);
}
