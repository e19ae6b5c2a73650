package io.leasehold.tests.closes;

import io.leasehold.httpclient3.LeaseholdHttpConnectionManager;
import io.leasehold.httpclient3.LeaseholdMultiThreadedHttpConnectionManager;
import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.apache.commons.httpclient.DefaultHttpMethodRetryHandler;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.HttpMethodBase;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.methods.GetMethod;
import org.apache.commons.httpclient.methods.PostMethod;
import org.apache.commons.httpclient.methods.StringRequestEntity;
import org.apache.commons.httpclient.params.HttpMethodParams;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.RequestBuilder;
import org.apache.http.entity.StringEntity;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.util.EntityUtils;

/** Whose manager a client runs on. No client retries a request. */
enum Contender {
    HTTPCLIENT3_UNCHECKED("3.1, check off", false) {
        @Override
        Client client(int connections) {
            MultiThreadedHttpConnectionManager manager = new MultiThreadedHttpConnectionManager();
            manager.getParams().setStaleCheckingEnabled(false);
            return httpclient3(limited(manager, connections));
        }
    },

    HTTPCLIENT4("4.5 as shipped", false) {
        @Override
        Client client(int connections) {
            return httpclient4(new PoolingHttpClientConnectionManager(), connections);
        }
    },

    LEASEHOLD_SIMPLE("Leasehold, 3.1 simple", true) {
        @Override
        Client client(int connections) {
            return httpclient3(new LeaseholdHttpConnectionManager());
        }
    },

    LEASEHOLD_MULTITHREADED("Leasehold, 3.1 multi", true) {
        @Override
        Client client(int connections) {
            return httpclient3(limited(new LeaseholdMultiThreadedHttpConnectionManager(), connections));
        }
    },

    LEASEHOLD_HTTPCLIENT4("Leasehold, 4.5", true) {
        @Override
        Client client(int connections) {
            return httpclient4(new LeaseholdHttpClientConnectionManager(), connections);
        }
    };

    /** Sends requests, from any number of threads. */
    interface Client {
        /** Sends a GET, or a POST with a body, under a name and reads the answer to its end, which has to be a 200. */
        void send(String method, String url, String name) throws IOException;
    }

    private static final int TIMEOUT_MILLIS = 30_000;

    /** The name for people. */
    final String title;
    final boolean isOurs;

    Contender(String title, boolean isOurs) {
        this.title = title;
        this.isOurs = isOurs;
    }

    /** The name in the data. */
    String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** A client that may have this many connections to each host and in total. */
    abstract Client client(int connections);

    static MultiThreadedHttpConnectionManager limited(MultiThreadedHttpConnectionManager manager, int connections) {
        manager.getParams().setDefaultMaxConnectionsPerHost(connections);
        manager.getParams().setMaxTotalConnections(connections);
        return manager;
    }

    static Client httpclient3(HttpConnectionManager manager) {
        HttpClient client = new HttpClient(manager);
        client.getParams().setParameter(HttpMethodParams.RETRY_HANDLER, new DefaultHttpMethodRetryHandler(0, false));
        client.getParams().setSoTimeout(TIMEOUT_MILLIS);
        return (method, url, name) -> {
            HttpMethodBase request;
            if (method.equals("POST")) {
                PostMethod post = new PostMethod(url);
                post.setRequestEntity(new StringRequestEntity("body", "text/plain", "US-ASCII"));
                request = post;
            } else {
                request = new GetMethod(url);
            }
            request.addRequestHeader(ClosingServer.NAME, name);
            try {
                checkOk(client.executeMethod(request));
                request.getResponseBody();
            } finally {
                request.releaseConnection();
            }
        };
    }

    static Client httpclient4(PoolingHttpClientConnectionManager manager, int connections) {
        manager.setDefaultMaxPerRoute(connections);
        manager.setMaxTotal(connections);
        CloseableHttpClient client = HttpClients.custom().setConnectionManager(manager).disableAutomaticRetries().build();
        return (method, url, name) -> {
            RequestBuilder request = RequestBuilder.create(method).setUri(url).addHeader(ClosingServer.NAME, name);
            if (method.equals("POST")) {
                request.setEntity(new StringEntity("body", StandardCharsets.US_ASCII));
            }
            try (CloseableHttpResponse response = client.execute(request.build())) {
                checkOk(response.getStatusLine().getStatusCode());
                EntityUtils.consume(response.getEntity());
            }
        };
    }

    private static void checkOk(int status) throws IOException {
        if (status != 200) {
            throw new IOException("the server answered " + status);
        }
    }
}
