package io.leasehold.tests.httpclient4;

import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;

/**
 * The managers under test, with limits as applications set them. The stock one is there to show that a test asks for what HttpClient 4.5
 * gives.
 */
enum Manager {
    STOCK {
        @Override
        PoolingHttpClientConnectionManager makeAsShipped() {
            return new PoolingHttpClientConnectionManager();
        }
    },

    LEASEHOLD {
        @Override
        PoolingHttpClientConnectionManager makeAsShipped() {
            return new LeaseholdHttpClientConnectionManager();
        }
    };

    /** With the limits that it comes with. */
    abstract PoolingHttpClientConnectionManager makeAsShipped();

    final PoolingHttpClientConnectionManager make() {
        return make(32, 200);
    }

    final PoolingHttpClientConnectionManager make(int perRoute, int total) {
        PoolingHttpClientConnectionManager manager = makeAsShipped();
        manager.setDefaultMaxPerRoute(perRoute);
        manager.setMaxTotal(total);
        return manager;
    }
}
