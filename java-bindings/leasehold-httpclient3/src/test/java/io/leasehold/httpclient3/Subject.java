package io.leasehold.httpclient3;

import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;

/** The two sides of a comparison. */
enum Subject {
    STOCK {
        @Override
        SimpleHttpConnectionManager simple(boolean alwaysClose) {
            return new SimpleHttpConnectionManager(alwaysClose);
        }

        @Override
        MultiThreadedHttpConnectionManager multi() {
            return new MultiThreadedHttpConnectionManager();
        }
    },
    LEASEHOLD {
        @Override
        SimpleHttpConnectionManager simple(boolean alwaysClose) {
            return new LeaseholdHttpConnectionManager(alwaysClose);
        }

        @Override
        MultiThreadedHttpConnectionManager multi() {
            return new LeaseholdMultiThreadedHttpConnectionManager();
        }
    };

    abstract SimpleHttpConnectionManager simple(boolean alwaysClose);

    abstract MultiThreadedHttpConnectionManager multi();
}
