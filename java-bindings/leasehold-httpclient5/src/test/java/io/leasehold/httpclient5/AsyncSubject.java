package io.leasehold.httpclient5;

import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;

/** The asynchronous managers that are compared. */
enum AsyncSubject {
    STOCK {
        @Override
        PoolingAsyncClientConnectionManager manager(int perRoute, int total) {
            return PoolingAsyncClientConnectionManagerBuilder.create().setMaxConnPerRoute(perRoute).setMaxConnTotal(total).build();
        }
    },
    LEASEHOLD {
        @Override
        PoolingAsyncClientConnectionManager manager(int perRoute, int total) {
            return LeaseholdAsyncClientConnectionManagerBuilder.create().setMaxConnPerRoute(perRoute).setMaxConnTotal(total).build();
        }
    },
    /** With connections that would be shared if they spoke HTTP/2. */
    SHARING {
        @Override
        PoolingAsyncClientConnectionManager manager(int perRoute, int total) {
            return LeaseholdAsyncClientConnectionManagerBuilder.create().setMaxConnPerRoute(perRoute).setMaxConnTotal(total)
                    .setMessageMultiplexing(true).build();
        }
    };

    abstract PoolingAsyncClientConnectionManager manager(int perRoute, int total);
}
