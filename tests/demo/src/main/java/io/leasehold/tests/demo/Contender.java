package io.leasehold.tests.demo;

import io.leasehold.httpclient3.LeaseholdHttpConnectionManager;
import io.leasehold.httpclient3.LeaseholdMultiThreadedHttpConnectionManager;
import io.leasehold.httpclient5.LeaseholdAsyncClientConnectionManager;
import io.leasehold.httpclient5.LeaseholdHttpClientConnectionManager;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.SimpleHttpConnectionManager;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;

/** Whose connection managers the program runs on. Everything else is the same for those of one client. */
enum Contender {
    STOCK("3.1", "stock", "stock as shipped") {
        @Override
        Sender single(boolean alwaysClose) {
            return Httpclient3.of(new SimpleHttpConnectionManager(alwaysClose));
        }

        @Override
        Sender many(int connections) {
            return Httpclient3.of(new MultiThreadedHttpConnectionManager(), connections);
        }
    },

    STOCK_UNCHECKED("3.1", "stock_unchecked", "stock, check off") {
        @Override
        Sender single(boolean alwaysClose) {
            return Httpclient3.of(unchecked(new SimpleHttpConnectionManager(alwaysClose)));
        }

        @Override
        Sender many(int connections) {
            return Httpclient3.of(unchecked(new MultiThreadedHttpConnectionManager()), connections);
        }
    },

    LEASEHOLD("3.1", "leasehold", "Leasehold") {
        @Override
        Sender single(boolean alwaysClose) {
            return Httpclient3.of(new LeaseholdHttpConnectionManager(alwaysClose));
        }

        @Override
        Sender many(int connections) {
            return Httpclient3.of(new LeaseholdMultiThreadedHttpConnectionManager(), connections);
        }
    },

    STOCK5("5.6", "stock5", "stock 5.6") {
        @Override
        Sender single(boolean alwaysClose) {
            return new Httpclient5(PoolingHttpClientConnectionManager::new, 1, alwaysClose);
        }

        @Override
        Sender many(int connections) {
            return new Httpclient5(PoolingHttpClientConnectionManager::new, connections, false);
        }
    },

    LEASEHOLD5("5.6", "leasehold5", "Leasehold 5.6") {
        @Override
        Sender single(boolean alwaysClose) {
            return new Httpclient5(LeaseholdHttpClientConnectionManager::new, 1, alwaysClose);
        }

        @Override
        Sender many(int connections) {
            return new Httpclient5(LeaseholdHttpClientConnectionManager::new, connections, false);
        }
    },

    STOCK5_ASYNC("5.6 async", "stock5_async", "stock 5.6 async") {
        @Override
        Sender single(boolean alwaysClose) {
            return new AsyncHttpclient5(PoolingAsyncClientConnectionManager::new, 1, alwaysClose);
        }

        @Override
        Sender many(int connections) {
            return new AsyncHttpclient5(PoolingAsyncClientConnectionManager::new, connections, false);
        }
    },

    LEASEHOLD5_ASYNC("5.6 async", "leasehold5_async", "Leasehold 5.6 async") {
        @Override
        Sender single(boolean alwaysClose) {
            return new AsyncHttpclient5(LeaseholdAsyncClientConnectionManager::new, 1, alwaysClose);
        }

        @Override
        Sender many(int connections) {
            return new AsyncHttpclient5(LeaseholdAsyncClientConnectionManager::new, connections, false);
        }
    };

    /** What the managers are of: those of one client are compared with each other. */
    final String client;
    /** The name in the data. */
    final String key;
    /** The name for people. */
    final String title;

    Contender(String client, String key, String title) {
        this.client = client;
        this.key = key;
        this.title = title;
    }

    /** A manager for one connection: with 3.1 the one that {@code new HttpClient()} has, or what takes its place. */
    abstract Sender single(boolean alwaysClose);

    /** The manager for many threads, with limits. */
    abstract Sender many(int connections);

    private static <M extends HttpConnectionManager> M unchecked(M manager) {
        manager.getParams().setStaleCheckingEnabled(false);
        return manager;
    }
}
