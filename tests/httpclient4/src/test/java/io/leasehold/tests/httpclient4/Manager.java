package io.leasehold.tests.httpclient4;

import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
import org.apache.http.config.Registry;
import org.apache.http.conn.socket.ConnectionSocketFactory;
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

        @Override
        PoolingHttpClientConnectionManager make(Registry<ConnectionSocketFactory> sockets) {
            return new PoolingHttpClientConnectionManager(sockets);
        }
    },

    LEASEHOLD {
        @Override
        PoolingHttpClientConnectionManager makeAsShipped() {
            return new LeaseholdHttpClientConnectionManager();
        }

        @Override
        PoolingHttpClientConnectionManager make(Registry<ConnectionSocketFactory> sockets) {
            return new LeaseholdHttpClientConnectionManager(sockets);
        }
    };

    /** With the limits that it comes with. */
    abstract PoolingHttpClientConnectionManager makeAsShipped();

    /** As shipped, with what makes its sockets. */
    abstract PoolingHttpClientConnectionManager make(Registry<ConnectionSocketFactory> sockets);

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
