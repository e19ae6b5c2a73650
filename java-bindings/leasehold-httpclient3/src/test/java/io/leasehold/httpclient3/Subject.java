package io.leasehold.httpclient3;

import io.leasehold.Watching;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;

/** The sides of a comparison. */
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
    /** As it is shipped. */
    LEASEHOLD {
        @Override
        SimpleHttpConnectionManager simple(boolean alwaysClose) {
            return new LeaseholdHttpConnectionManager(alwaysClose);
        }

        @Override
        MultiThreadedHttpConnectionManager multi() {
            return new LeaseholdMultiThreadedHttpConnectionManager();
        }
    },
    /** Not watched: what a watch closes at once, HttpClient closes at some later time, if ever. */
    LEASEHOLD_UNWATCHED {
        @Override
        SimpleHttpConnectionManager simple(boolean alwaysClose) {
            LeaseholdHttpConnectionManager manager = new LeaseholdHttpConnectionManager(alwaysClose);
            manager.setWatching(Watching.PROBE);
            return manager;
        }

        @Override
        MultiThreadedHttpConnectionManager multi() {
            LeaseholdMultiThreadedHttpConnectionManager manager = new LeaseholdMultiThreadedHttpConnectionManager();
            manager.setWatching(Watching.PROBE);
            return manager;
        }
    };

    abstract SimpleHttpConnectionManager simple(boolean alwaysClose);

    abstract MultiThreadedHttpConnectionManager multi();
}
