package io.leasehold.tests.httpclient5users;

import io.leasehold.httpclient5.LeaseholdAsyncClientConnectionManagerBuilder;
import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;

/** Ours, and the stock ones to show that a test asks for what HttpClient gives. */
enum Manager {
    STOCK {
        @Override
        PoolingHttpClientConnectionManager make(DnsResolver resolver) {
            return PoolingHttpClientConnectionManagerBuilder.create().setDnsResolver(resolver).build();
        }

        @Override
        PoolingAsyncClientConnectionManager makeAsync(DnsResolver resolver) {
            return PoolingAsyncClientConnectionManagerBuilder.create().setDnsResolver(resolver).build();
        }
    },

    LEASEHOLD {
        @Override
        PoolingHttpClientConnectionManager make(DnsResolver resolver) {
            return LeaseholdHttpClientConnectionManagerBuilder.create().setDnsResolver(resolver).build();
        }

        @Override
        PoolingAsyncClientConnectionManager makeAsync(DnsResolver resolver) {
            return LeaseholdAsyncClientConnectionManagerBuilder.create().setDnsResolver(resolver).build();
        }
    };

    /** With what finds addresses, or null for the system's. */
    abstract PoolingHttpClientConnectionManager make(DnsResolver resolver);

    /** The same for asynchronous clients. */
    abstract PoolingAsyncClientConnectionManager makeAsync(DnsResolver resolver);
}
