package io.leasehold.tests.closes;

import io.leasehold.httpclient3.LeaseholdHttpConnectionManager;
import io.leasehold.httpclient3.LeaseholdMultiThreadedHttpConnectionManager;
import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
import io.leasehold.httpclient5.LeaseholdAsyncClientConnectionManager;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.function.Consumer;
import org.apache.commons.httpclient.DefaultHttpMethodRetryHandler;
import org.apache.commons.httpclient.HttpClient;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.HttpState;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.methods.EntityEnclosingMethod;
import org.apache.commons.httpclient.methods.StringRequestEntity;
import org.apache.commons.httpclient.params.HttpMethodParams;
import org.apache.hc.client5.http.impl.ConnPoolSupport;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.io.HttpResponseInformationCallback;
import org.apache.hc.core5.http.io.support.ClassicRequestBuilder;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpException;
import org.apache.http.HttpRequest;
import org.apache.http.HttpResponse;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.RequestBuilder;
import org.apache.http.client.protocol.HttpClientContext;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.entity.StringEntity;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.protocol.BasicHttpContext;
import org.apache.http.protocol.HttpContext;
import org.apache.http.protocol.HttpRequestExecutor;
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

    HTTPCLIENT5("5.6 as shipped", false) {
        @Override
        Client client(int connections) {
            return httpclient5(new org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager(), connections);
        }
    },

    /** Its reactor closes what a server has closed as soon as its thread comes to it. */
    HTTPCLIENT5_ASYNC("5.6 async as shipped", false) {
        @Override
        Client client(int connections) {
            return AsyncClients.client(new PoolingAsyncClientConnectionManager(), connections);
        }

        @Override
        boolean mayLose() {
            return true;
        }

        @Override
        boolean mustLose() {
            return false;
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
    },

    LEASEHOLD_HTTPCLIENT5("Leasehold, 5.6", true) {
        @Override
        Client client(int connections) {
            return httpclient5(new io.leasehold.httpclient5.LeaseholdHttpClientConnectionManager(), connections);
        }
    },

    LEASEHOLD_HTTPCLIENT5_ASYNC("Leasehold, 5.6 async", true) {
        @Override
        Client client(int connections) {
            return AsyncClients.client(new LeaseholdAsyncClientConnectionManager(), connections);
        }
    };

    /** Sends requests, from any number of threads. */
    interface Client {
        /**
         * Sends a GET, or a POST with a body, under a name and reads the answer to its end, which has to be a 200. Before the request is
         * written its connection is told, as an object that the connection has for itself.
         */
        void send(String method, String url, String name, Consumer<Object> connection) throws IOException;
    }

    private static final int TIMEOUT_MILLIS = 30_000;
    private static final String CONNECTION = "leasehold.tests.connection";

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

    /** Whether a request may be lost to a close that was long enough before its lease. */
    boolean mayLose() {
        return !isOurs;
    }

    /** Whether it loses requests and leaves sockets in CLOSE_WAIT, or else the server did not close what it should. */
    boolean mustLose() {
        return !isOurs;
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
        return (method, url, name, connection) -> {
            EntityEnclosingMethod request = new EntityEnclosingMethod(url) {
                @Override
                public String getName() {
                    return method;
                }

                @Override
                protected void writeRequest(HttpState state, HttpConnection leased) throws IOException {
                    connection.accept(leased.getRequestOutputStream());
                    super.writeRequest(state, leased);
                }
            };
            if (method.equals("POST")) {
                request.setRequestEntity(new StringRequestEntity("body", "text/plain", "US-ASCII"));
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
        CloseableHttpClient client = HttpClients.custom().setConnectionManager(manager).disableAutomaticRetries()
                .setRequestExecutor(new HttpRequestExecutor() {
                    @Override
                    protected HttpResponse doSendRequest(HttpRequest request, HttpClientConnection leased, HttpContext context)
                            throws IOException, HttpException {
                        @SuppressWarnings("unchecked")
                        Consumer<Object> connection = (Consumer<Object>) context.getAttribute(CONNECTION);
                        connection.accept(HttpClientContext.adapt(context).getConnection(ManagedHttpClientConnection.class).getId());
                        return super.doSendRequest(request, leased, context);
                    }
                })
                .build();
        return (method, url, name, connection) -> {
            HttpContext context = new BasicHttpContext();
            context.setAttribute(CONNECTION, connection);
            RequestBuilder request = RequestBuilder.create(method).setUri(url).addHeader(ClosingServer.NAME, name);
            if (method.equals("POST")) {
                request.setEntity(new StringEntity("body", StandardCharsets.US_ASCII));
            }
            try (CloseableHttpResponse response = client.execute(request.build(), context)) {
                checkOk(response.getStatusLine().getStatusCode());
                EntityUtils.consume(response.getEntity());
            }
        };
    }

    static Client httpclient5(org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager manager, int connections) {
        manager.setDefaultMaxPerRoute(connections);
        manager.setMaxTotal(connections);
        org.apache.hc.client5.http.impl.classic.CloseableHttpClient client = org.apache.hc.client5.http.impl.classic.HttpClients.custom()
                .setConnectionManager(manager).disableAutomaticRetries()
                .setRequestExecutor(new org.apache.hc.core5.http.impl.io.HttpRequestExecutor() {
                    @Override
                    public ClassicHttpResponse execute(ClassicHttpRequest request, org.apache.hc.core5.http.io.HttpClientConnection leased,
                            HttpResponseInformationCallback information, org.apache.hc.core5.http.protocol.HttpContext context)
                            throws IOException, org.apache.hc.core5.http.HttpException {
                        @SuppressWarnings("unchecked")
                        Consumer<Object> connection = (Consumer<Object>) context.getAttribute(CONNECTION);
                        connection.accept(ConnPoolSupport.getId(leased));
                        return super.execute(request, leased, information, context);
                    }
                })
                .build();
        return (method, url, name, connection) -> {
            org.apache.hc.client5.http.protocol.HttpClientContext context =
                    org.apache.hc.client5.http.protocol.HttpClientContext.create();
            context.setAttribute(CONNECTION, connection);
            ClassicRequestBuilder request = ClassicRequestBuilder.create(method).setUri(url).addHeader(ClosingServer.NAME, name);
            if (method.equals("POST")) {
                request.setEntity("body");
            }
            client.execute(request.build(), context, response -> {
                checkOk(response.getCode());
                org.apache.hc.core5.http.io.entity.EntityUtils.consume(response.getEntity());
                return null;
            });
        };
    }

    static void checkOk(int status) throws IOException {
        if (status != 200) {
            throw new IOException("the server answered " + status);
        }
    }
}
