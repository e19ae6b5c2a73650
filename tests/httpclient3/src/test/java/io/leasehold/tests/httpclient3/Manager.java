package io.leasehold.tests.httpclient3;

import io.leasehold.httpclient3.LeaseholdHttpConnectionManager;
import io.leasehold.httpclient3.LeaseholdMultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;

/** The managers under test. The stock ones are there to show that a test asks for what HttpClient 3.1 gives. */
enum Manager {
    STOCK_SIMPLE {
        @Override
        SimpleHttpConnectionManager make() {
            return new SimpleHttpConnectionManager();
        }
    },

    STOCK_MULTI_THREADED {
        @Override
        MultiThreadedHttpConnectionManager make() {
            return new MultiThreadedHttpConnectionManager();
        }
    },

    LEASEHOLD {
        @Override
        SimpleHttpConnectionManager make() {
            return new LeaseholdHttpConnectionManager();
        }
    },

    LEASEHOLD_MULTI_THREADED {
        @Override
        MultiThreadedHttpConnectionManager make() {
            return new LeaseholdMultiThreadedHttpConnectionManager();
        }
    };

    abstract HttpConnectionManager make();

    /** A manager for many threads, with limits of the test. */
    MultiThreadedHttpConnectionManager makeMultiThreaded(int perHost, int total) {
        MultiThreadedHttpConnectionManager manager = (MultiThreadedHttpConnectionManager) make();
        manager.getParams().setDefaultMaxConnectionsPerHost(perHost);
        manager.getParams().setMaxTotalConnections(total);
        return manager;
    }
}
