package io.leasehold.bench;

import io.leasehold.httpclient4.LeaseholdHttpClientConnectionManager;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.config.SocketConfig;
import org.apache.http.conn.HttpClientConnectionOperator;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.protocol.HttpContext;

/**
 * The managers for HttpClient 4.5: a connection is leased and released to be kept for 30 seconds, both by the manager's own methods, on
 * sockets that lead nowhere, and so without validation. As in HttpClient, each user has routes of its own.
 */
final class Httpclient4 {
    private static final int MAX_PER_ROUTE = 64;
    private static final int TIMEOUT = 1_000;

    private Httpclient4() {
    }

    static Contender leasehold(int routes) {
        return contender(new LeaseholdHttpClientConnectionManager(new Nowhere(), null, -1, TimeUnit.MILLISECONDS), routes);
    }

    static Contender pooling(int routes) {
        return contender(new PoolingHttpClientConnectionManager(new Nowhere(), null, -1, TimeUnit.MILLISECONDS), routes);
    }

    private static Contender contender(PoolingHttpClientConnectionManager manager, int routes) {
        manager.setDefaultMaxPerRoute(MAX_PER_ROUTE);
        manager.setMaxTotal(MAX_PER_ROUTE * routes);
        manager.setValidateAfterInactivity(-1);
        return () -> {
            HttpRoute[] own = new HttpRoute[routes];
            for (int i = 0; i < routes; i++) {
                own[i] = new HttpRoute(new HttpHost("host" + i + ".example.com", 80));
            }
            return route -> {
                HttpClientConnection connection = manager.requestConnection(own[route], null).get(TIMEOUT, TimeUnit.MILLISECONDS);
                if (!connection.isOpen()) {
                    manager.connect(connection, own[route], TIMEOUT, null);
                    manager.routeComplete(connection, own[route], null);
                }
                manager.releaseConnection(connection, null, 30, TimeUnit.SECONDS);
                return connection;
            };
        };
    }

    /** Gives connections a socket that nobody connects. */
    private static final class Nowhere implements HttpClientConnectionOperator {
        @Override
        public void connect(ManagedHttpClientConnection connection, HttpHost host, InetSocketAddress localAddress, int connectTimeout,
                SocketConfig socketConfig, HttpContext context) throws IOException {
            connection.bind(new Socket());
        }

        @Override
        public void upgrade(ManagedHttpClientConnection connection, HttpHost host, HttpContext context) {
            throw new UnsupportedOperationException("no TLS here");
        }
    }
}
