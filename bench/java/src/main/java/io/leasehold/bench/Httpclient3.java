package io.leasehold.bench;

import io.leasehold.httpclient3.LeaseholdMultiThreadedHttpConnectionManager;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.MultiThreadedHttpConnectionManager;
import org.apache.commons.httpclient.params.HttpConnectionManagerParams;
import org.apache.commons.httpclient.params.HttpConnectionParams;
import org.apache.commons.httpclient.protocol.Protocol;
import org.apache.commons.httpclient.protocol.ProtocolSocketFactory;

/**
 * The managers for HttpClient 3.1: a connection is leased and released, both by the manager's own methods, on sockets that lead
 * nowhere. As in HttpClient, each user has host configurations of its own.
 */
final class Httpclient3 {
    private static final int MAX_PER_HOST = 64;
    private static final long TIMEOUT = 1_000;

    private Httpclient3() {
    }

    static Contender leasehold(int routes) {
        return contender(new LeaseholdMultiThreadedHttpConnectionManager(), routes);
    }

    static Contender multithreaded(int routes) {
        return contender(new MultiThreadedHttpConnectionManager(), routes);
    }

    private static Contender contender(MultiThreadedHttpConnectionManager manager, int routes) {
        HttpConnectionManagerParams params = manager.getParams();
        params.setDefaultMaxConnectionsPerHost(MAX_PER_HOST);
        params.setMaxTotalConnections(MAX_PER_HOST * routes);
        Protocol protocol = new Protocol("http", (ProtocolSocketFactory) new Nowhere(), 80);
        return () -> {
            HostConfiguration[] hosts = new HostConfiguration[routes];
            for (int i = 0; i < routes; i++) {
                hosts[i] = new HostConfiguration();
                hosts[i].setHost("host" + i + ".example.com", 80, protocol);
            }
            return route -> {
                HttpConnection connection = manager.getConnectionWithTimeout(hosts[route], TIMEOUT);
                if (!connection.isOpen()) {
                    connection.open();
                }
                manager.releaseConnection(connection);
                return connection;
            };
        };
    }

    /** Sockets that are connected as far as a connection can tell. */
    private static final class Nowhere implements ProtocolSocketFactory {
        @Override
        public Socket createSocket(String host, int port) {
            return new Socket() {
                @Override
                public InputStream getInputStream() {
                    return new ByteArrayInputStream(new byte[0]);
                }

                @Override
                public OutputStream getOutputStream() {
                    return new ByteArrayOutputStream(0);
                }
            };
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress localAddress, int localPort) {
            return createSocket(host, port);
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress localAddress, int localPort, HttpConnectionParams params) {
            return createSocket(host, port);
        }
    }
}
