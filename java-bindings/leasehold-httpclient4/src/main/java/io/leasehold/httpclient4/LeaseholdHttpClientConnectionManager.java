package io.leasehold.httpclient4;

import java.util.concurrent.TimeUnit;
import org.apache.http.config.Registry;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.conn.DnsResolver;
import org.apache.http.conn.HttpClientConnectionOperator;
import org.apache.http.conn.HttpConnectionFactory;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.SchemePortResolver;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.apache.http.impl.conn.DefaultHttpClientConnectionOperator;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;

/** {@link PoolingHttpClientConnectionManager} on a Leasehold pool. */
public class LeaseholdHttpClientConnectionManager extends PoolingHttpClientConnectionManager {
    /** Creates a manager for http and https with the JDK's sockets and TLS, without a time to live. */
    public LeaseholdHttpClientConnectionManager() {
        this(defaultRegistry());
    }

    /**
     * Creates a manager for http and https with the JDK's sockets and TLS.
     *
     * @param timeToLive how long a connection may live, counted from its opening; zero or negative is without end
     * @param timeUnit the unit of {@code timeToLive}
     */
    public LeaseholdHttpClientConnectionManager(long timeToLive, TimeUnit timeUnit) {
        this(defaultRegistry(), null, null, null, timeToLive, timeUnit);
    }

    /**
     * Creates a manager without a time to live.
     *
     * @param socketFactoryRegistry makes sockets, by scheme
     */
    public LeaseholdHttpClientConnectionManager(Registry<ConnectionSocketFactory> socketFactoryRegistry) {
        this(socketFactoryRegistry, null, null);
    }

    /**
     * Creates a manager without a time to live.
     *
     * @param socketFactoryRegistry makes sockets, by scheme
     * @param dnsResolver finds addresses; null for the system's
     */
    public LeaseholdHttpClientConnectionManager(
            Registry<ConnectionSocketFactory> socketFactoryRegistry, DnsResolver dnsResolver) {
        this(socketFactoryRegistry, null, dnsResolver);
    }

    /**
     * Creates a manager without a time to live.
     *
     * @param socketFactoryRegistry makes sockets, by scheme
     * @param connFactory makes connections, not opened yet; null for HttpClient's own
     */
    public LeaseholdHttpClientConnectionManager(
            Registry<ConnectionSocketFactory> socketFactoryRegistry,
            HttpConnectionFactory<HttpRoute, ManagedHttpClientConnection> connFactory) {
        this(socketFactoryRegistry, connFactory, null);
    }

    /**
     * Creates a manager for http and https with the JDK's sockets and TLS, without a time to live.
     *
     * @param connFactory makes connections, not opened yet; null for HttpClient's own
     */
    public LeaseholdHttpClientConnectionManager(
            HttpConnectionFactory<HttpRoute, ManagedHttpClientConnection> connFactory) {
        this(defaultRegistry(), connFactory, null);
    }

    /**
     * Creates a manager without a time to live.
     *
     * @param socketFactoryRegistry makes sockets, by scheme
     * @param connFactory makes connections, not opened yet; null for HttpClient's own
     * @param dnsResolver finds addresses; null for the system's
     */
    public LeaseholdHttpClientConnectionManager(
            Registry<ConnectionSocketFactory> socketFactoryRegistry,
            HttpConnectionFactory<HttpRoute, ManagedHttpClientConnection> connFactory,
            DnsResolver dnsResolver) {
        this(socketFactoryRegistry, connFactory, null, dnsResolver, -1, TimeUnit.MILLISECONDS);
    }

    /**
     * Creates a manager.
     *
     * @param socketFactoryRegistry makes sockets, by scheme
     * @param connFactory makes connections, not opened yet; null for HttpClient's own
     * @param schemePortResolver knows the schemes' ports; null for HttpClient's own
     * @param dnsResolver finds addresses; null for the system's
     * @param timeToLive how long a connection may live, counted from its opening; zero or negative is without end
     * @param timeUnit the unit of {@code timeToLive}
     */
    public LeaseholdHttpClientConnectionManager(
            Registry<ConnectionSocketFactory> socketFactoryRegistry,
            HttpConnectionFactory<HttpRoute, ManagedHttpClientConnection> connFactory,
            SchemePortResolver schemePortResolver,
            DnsResolver dnsResolver,
            long timeToLive,
            TimeUnit timeUnit) {
        this(new DefaultHttpClientConnectionOperator(socketFactoryRegistry, schemePortResolver, dnsResolver),
                connFactory, timeToLive, timeUnit);
    }

    /**
     * Creates a manager.
     *
     * @param httpClientConnectionOperator opens connections and layers TLS over them
     * @param connFactory makes connections, not opened yet; null for HttpClient's own
     * @param timeToLive how long a connection may live, counted from its opening; zero or negative is without end
     * @param timeUnit the unit of {@code timeToLive}
     */
    public LeaseholdHttpClientConnectionManager(
            HttpClientConnectionOperator httpClientConnectionOperator,
            HttpConnectionFactory<HttpRoute, ManagedHttpClientConnection> connFactory,
            long timeToLive,
            TimeUnit timeUnit) {
        super(httpClientConnectionOperator, connFactory, timeToLive, timeUnit);
    }

    private static Registry<ConnectionSocketFactory> defaultRegistry() {
        return RegistryBuilder.<ConnectionSocketFactory>create()
                .register("http", PlainConnectionSocketFactory.getSocketFactory())
                .register("https", SSLConnectionSocketFactory.getSocketFactory())
                .build();
    }
}
