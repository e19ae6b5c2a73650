package io.leasehold.tests.demo;

import io.leasehold.httpclient3.LeaseholdHttpConnectionManager;
import io.leasehold.httpclient3.LeaseholdMultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;

/** Whose connection managers the program runs on. Everything else is the same. */
enum Contender {
    STOCK("stock", "stock as shipped") {
        @Override
        SimpleHttpConnectionManager simple(boolean alwaysClose) {
            return new SimpleHttpConnectionManager(alwaysClose);
        }

        @Override
        MultiThreadedHttpConnectionManager multiThreaded() {
            return new MultiThreadedHttpConnectionManager();
        }
    },

    STOCK_UNCHECKED("stock_unchecked", "stock, check off") {
        @Override
        SimpleHttpConnectionManager simple(boolean alwaysClose) {
            return unchecked(STOCK.simple(alwaysClose));
        }

        @Override
        MultiThreadedHttpConnectionManager multiThreaded() {
            return unchecked(STOCK.multiThreaded());
        }
    },

    LEASEHOLD("leasehold", "Leasehold") {
        @Override
        SimpleHttpConnectionManager simple(boolean alwaysClose) {
            return new LeaseholdHttpConnectionManager(alwaysClose);
        }

        @Override
        MultiThreadedHttpConnectionManager multiThreaded() {
            return new LeaseholdMultiThreadedHttpConnectionManager();
        }
    };

    /** The name in the data. */
    final String key;
    /** The name for people. */
    final String title;

    Contender(String key, String title) {
        this.key = key;
        this.title = title;
    }

    /** The manager that {@code new HttpClient()} has, or what takes its place. */
    abstract SimpleHttpConnectionManager simple(boolean alwaysClose);

    /** The manager for many threads, with the limits that it comes with. */
    abstract MultiThreadedHttpConnectionManager multiThreaded();

    private static <M extends HttpConnectionManager> M unchecked(M manager) {
        manager.getParams().setStaleCheckingEnabled(false);
        return manager;
    }
}
