package io.leasehold.tests.closes;

import io.leasehold.LeaseholdManager;
import io.leasehold.httpclient3.LeaseholdHttpConnectionManager;
import io.leasehold.httpclient3.LeaseholdMultiThreadedHttpConnectionManager;
import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
import java.net.URI;
import java.util.concurrent.TimeUnit;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.HttpConnectionManager;
import org.apache.commons.httpclient.protocol.Protocol;
import org.apache.commons.httpclient.protocol.ProtocolSocketFactory;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.client.protocol.HttpClientContext;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;

/** Our managers, each under a client that never repeats a request, with room for as many connections as any test needs. */
enum Ours {
    HTTPCLIENT3_SIMPLE {
        @Override
        Client client(Tls tls) {
            LeaseholdHttpConnectionManager manager = new LeaseholdHttpConnectionManager();
            return new Client3(manager, manager, tls) {
                @Override
                void shutdown() {
                    manager.shutdown();
                }
            };
        }
    },

    HTTPCLIENT3_MULTITHREADED {
        @Override
        Client client(Tls tls) {
            LeaseholdMultiThreadedHttpConnectionManager manager = new LeaseholdMultiThreadedHttpConnectionManager();
            return new Client3(Contender.limited(manager, CONNECTIONS), manager, tls) {
                @Override
                void shutdown() {
                    manager.shutdown();
                }
            };
        }
    },

    HTTPCLIENT4 {
        @Override
        Client client(Tls tls) {
            return new Client4(tls == null ? SSLConnectionSocketFactory.getSocketFactory() : tls.httpClient4());
        }
    };

    private static final int CONNECTIONS = 100;

    /** A client for http. */
    Client client() {
        return client(null);
    }

    /** A client for http, and for https with this. */
    abstract Client client(Tls tls);

    abstract static class Client {
        private final Contender.Client http;
        private final LeaseholdManager manager;

        private Client(Contender.Client http, LeaseholdManager manager) {
            this.http = http;
            this.manager = manager;
        }

        final void get(String url) throws Exception {
            http.send("GET", url, "test", connection -> { });
        }

        final void post(String url) throws Exception {
            http.send("POST", url, "test", connection -> { });
        }

        /** Opens a connection to the URL's host, and releases it unused. */
        abstract void connect(String url) throws Exception;

        /** Leases a connection to the URL's host, and keeps it. */
        abstract void hold(String url) throws Exception;

        abstract void shutdown();

        /** Its switches and counters. */
        final LeaseholdManager manager() {
            return manager;
        }
    }

    abstract static class Client3 extends Client {
        private final HttpConnectionManager manager;
        // Only to keep it.
        private HttpConnection held;

        Client3(HttpConnectionManager manager, LeaseholdManager ours, Tls tls) {
            super(Contender.httpclient3(manager), ours);
            this.manager = manager;
            if (tls != null) {
                // For the whole JVM: 3.1 has no other place for it.
                Protocol.registerProtocol("https", new Protocol("https", (ProtocolSocketFactory) tls.httpClient3(), 443));
            }
        }

        @Override
        void connect(String url) throws Exception {
            HttpConnection connection = lease(url);
            connection.open();
            connection.releaseConnection();
        }

        @Override
        void hold(String url) throws Exception {
            held = lease(url);
        }

        private HttpConnection lease(String url) throws Exception {
            HostConfiguration host = new HostConfiguration();
            host.setHost(new org.apache.commons.httpclient.URI(url, true));
            return manager.getConnectionWithTimeout(host, 0);
        }
    }

    static final class Client4 extends Client {
        private final LeaseholdHttpClientConnectionManager manager;
        // Only to keep it.
        private HttpClientConnection held;

        private Client4(ConnectionSocketFactory https) {
            this(new LeaseholdHttpClientConnectionManager(RegistryBuilder.<ConnectionSocketFactory>create()
                    .register("http", PlainConnectionSocketFactory.getSocketFactory())
                    .register("https", https)
                    .build()));
        }

        private Client4(LeaseholdHttpClientConnectionManager manager) {
            super(Contender.httpclient4(manager, CONNECTIONS), manager);
            this.manager = manager;
        }

        @Override
        void connect(String url) throws Exception {
            HttpRoute route = route(url);
            HttpClientConnection connection = lease(route);
            HttpClientContext context = HttpClientContext.create();
            manager.connect(connection, route, 0, context);
            manager.routeComplete(connection, route, context);
            manager.releaseConnection(connection, null, 0, TimeUnit.SECONDS);
        }

        @Override
        void hold(String url) throws Exception {
            held = lease(route(url));
        }

        @Override
        void shutdown() {
            manager.shutdown();
        }

        private static HttpRoute route(String url) {
            URI uri = URI.create(url);
            HttpHost host = new HttpHost(uri.getHost(), uri.getPort(), uri.getScheme());
            return new HttpRoute(host, null, uri.getScheme().equals("https"));
        }

        private HttpClientConnection lease(HttpRoute route) throws Exception {
            return manager.requestConnection(route, null).get(0, TimeUnit.SECONDS);
        }
    }
}
