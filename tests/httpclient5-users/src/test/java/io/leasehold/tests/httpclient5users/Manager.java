package io.leasehold.tests.httpclient5users;

import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;

/** Ours, and the stock one to show that a test asks for what HttpClient gives. */
enum Manager {
    STOCK {
        @Override
        PoolingHttpClientConnectionManager make(DnsResolver resolver) {
            return PoolingHttpClientConnectionManagerBuilder.create().setDnsResolver(resolver).build();
        }
    },

    LEASEHOLD {
        @Override
        PoolingHttpClientConnectionManager make(DnsResolver resolver) {
            return LeaseholdHttpClientConnectionManagerBuilder.create().setDnsResolver(resolver).build();
        }
    };

    /** With what finds addresses, or null for the system's. */
    abstract PoolingHttpClientConnectionManager make(DnsResolver resolver);
}
