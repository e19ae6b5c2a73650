package io.leasehold.bench;

import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
import io.leasehold.tests.servers.Nginx;
import io.leasehold.tests.servers.WebServer;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.core5.util.TimeValue;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.util.EntityUtils;

/**
 * Requests per second of HttpClient 4.5, and of the classic HttpClient 5, to an nginx on this machine. The time is cut into many short
 * slices that the contenders take in turn, in an order drawn anew for each turn, so that what else the machine does, and on which
 * processor the client and nginx meet, is the same for all. A sample is one slice.
 */
final class Requests {
    private static final int MAX_CONNECTIONS = 64;

    /** A client, of whatever generation. */
    private interface Client extends Closeable {
        /** A GET, whose answer is read to its end and has to be a 200. */
        void get(String url) throws IOException;
    }

    /** A client and what it has done so far. */
    private static final class Requester {
        final String contender;
        final Client client;
        final List<Double> samples = new ArrayList<>();

        Requester(String contender, Client client) {
            this.contender = contender;
            this.client = client;
        }
    }

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final String url;
    private final boolean quick;
    private final Rows rows;

    private Requests(String url, boolean quick, Rows rows) {
        this.url = url;
        this.quick = quick;
        this.rows = rows;
    }

    static void measure(boolean quick, Rows rows) throws Exception {
        try (Nginx server = Nginx.builder().start()) {
            Requests requests = new Requests(server.url(WebServer.HELLO), quick, rows);
            try {
                String bench = "httpclient4-requests";
                requests.measure(bench, 1, 5, leasehold(), leaseholdUnchecked(), unchecked(), checked());
                requests.measure(bench, 16, 100, leasehold(), leaseholdUnchecked(), unchecked());
                bench = "httpclient5-requests";
                requests.measure(bench, 1, 5, leasehold5(), leasehold5Unchecked(), unchecked5());
                requests.measure(bench, 16, 100, leasehold5(), leasehold5Unchecked(), unchecked5());
            } finally {
                requests.threads.shutdown();
            }
        }
    }

    /** As it is: each lease validates its connection. */
    private static Requester leasehold() {
        return new Requester("leasehold", client(new LeaseholdHttpClientConnectionManager(), false));
    }

    /** No lease validates anything: what the other one pays for validation is what it falls behind this one. */
    private static Requester leaseholdUnchecked() {
        return new Requester("leasehold-unchecked", client(unvalidated(new LeaseholdHttpClientConnectionManager()), false));
    }

    /** Nothing is validated. */
    private static Requester unchecked() {
        return new Requester("httpclient4-unchecked", client(unvalidated(new PoolingHttpClientConnectionManager()), false));
    }

    /** Each request validates its connection. */
    private static Requester checked() {
        return new Requester("httpclient4-checked", client(unvalidated(new PoolingHttpClientConnectionManager()), true));
    }

    private static PoolingHttpClientConnectionManager unvalidated(PoolingHttpClientConnectionManager manager) {
        manager.setValidateAfterInactivity(-1);
        return manager;
    }

    // The check at each request is deprecated, and the only one that stock has.
    @SuppressWarnings("deprecation")
    private static Client client(PoolingHttpClientConnectionManager manager, boolean isChecked) {
        manager.setDefaultMaxPerRoute(MAX_CONNECTIONS);
        manager.setMaxTotal(MAX_CONNECTIONS);
        CloseableHttpClient client = HttpClients.custom()
                .setConnectionManager(manager)
                .setDefaultRequestConfig(RequestConfig.custom().setStaleConnectionCheckEnabled(isChecked).build())
                .disableAutomaticRetries()
                .build();
        return new Client() {
            @Override
            public void get(String url) throws IOException {
                try (CloseableHttpResponse response = client.execute(new HttpGet(url))) {
                    EntityUtils.consume(response.getEntity());
                    checkOk(response.getStatusLine().getStatusCode());
                }
            }

            @Override
            public void close() throws IOException {
                client.close();
            }
        };
    }

    private static Requester leasehold5() {
        return new Requester("leasehold", client(new io.leasehold.httpclient5.LeaseholdHttpClientConnectionManager()));
    }

    private static Requester leasehold5Unchecked() {
        return new Requester("leasehold-unchecked",
                client(unvalidated(new io.leasehold.httpclient5.LeaseholdHttpClientConnectionManager())));
    }

    private static Requester unchecked5() {
        return new Requester("httpclient5-unchecked",
                client(unvalidated(new org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager())));
    }

    private static org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager unvalidated(
            org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager manager) {
        manager.setDefaultConnectionConfig(ConnectionConfig.custom().setValidateAfterInactivity(TimeValue.NEG_ONE_MILLISECOND).build());
        return manager;
    }

    private static Client client(org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager manager) {
        manager.setDefaultMaxPerRoute(MAX_CONNECTIONS);
        manager.setMaxTotal(MAX_CONNECTIONS);
        org.apache.hc.client5.http.impl.classic.CloseableHttpClient client = org.apache.hc.client5.http.impl.classic.HttpClients.custom()
                .setConnectionManager(manager)
                .disableAutomaticRetries()
                .build();
        return new Client() {
            @Override
            public void get(String url) throws IOException {
                client.execute(new org.apache.hc.client5.http.classic.methods.HttpGet(url), response -> {
                    org.apache.hc.core5.http.io.entity.EntityUtils.consume(response.getEntity());
                    checkOk(response.getCode());
                    return null;
                });
            }

            @Override
            public void close() throws IOException {
                client.close();
            }
        };
    }

    private static void checkOk(int status) throws IOException {
        if (status != 200) {
            throw new IOException("nginx answered " + status);
        }
    }

    private void measure(String bench, int n, long sliceMillis, Requester... requesters) throws Exception {
        System.err.println("bench: " + bench + ", threads: " + n);
        List<Requester> order = new ArrayList<>(Arrays.asList(requesters));
        Random random = new Random(1);
        long turns = (quick ? 12_000 : 60_000) / sliceMillis / requesters.length;
        long warmUp = turns / 4;
        for (int i = 0; i < warmUp + turns; i++) {
            Collections.shuffle(order, random);
            for (Requester requester : order) {
                double perSecond = slice(requester.client, n, sliceMillis);
                if (i >= warmUp) {
                    requester.samples.add(perSecond);
                }
            }
        }
        for (Requester requester : requesters) {
            rows.write(bench, requester.contender, n, 1, requester.samples);
            requester.client.close();
        }
    }

    /** Requests per second of all threads together. */
    private double slice(Client client, int n, long millis) throws Exception {
        long start = System.nanoTime();
        long end = start + millis * 1_000_000;
        Callable<Integer> work = () -> {
            int done = 0;
            do {
                client.get(url);
                done++;
            } while (System.nanoTime() < end);
            return done;
        };
        List<Future<Integer>> running = new ArrayList<>();
        for (int i = 1; i < n; i++) {
            running.add(threads.submit(work));
        }
        int done = work.call();
        for (Future<Integer> one : running) {
            done += one.get();
        }
        return done * 1e9 / (System.nanoTime() - start);
    }
}
