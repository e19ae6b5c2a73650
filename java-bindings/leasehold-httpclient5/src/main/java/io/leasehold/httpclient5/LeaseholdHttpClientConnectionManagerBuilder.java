package io.leasehold.httpclient5;

import io.leasehold.LeaseholdUnavailableException;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.SchemePortResolver;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.TlsConfig;
import org.apache.hc.client5.http.io.HttpClientConnectionOperator;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.client5.http.socket.LayeredConnectionSocketFactory;
import org.apache.hc.core5.function.Resolver;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.io.HttpConnectionFactory;
import org.apache.hc.core5.http.io.SocketConfig;
import org.apache.hc.core5.pool.PoolConcurrencyPolicy;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.util.TimeValue;

/**
 * Makes {@link LeaseholdHttpClientConnectionManager}s, with the options of HttpClient's {@code PoolingHttpClientConnectionManagerBuilder},
 * by the same names. Not safe for use by several threads.
 */
public final class LeaseholdHttpClientConnectionManagerBuilder {
    private HttpConnectionFactory<ManagedHttpClientConnection> connectionFactory;
    // At most one of the two.
    private LayeredConnectionSocketFactory sslSocketFactory;
    private Object tlsSocketStrategy;
    private SchemePortResolver schemePortResolver;
    private DnsResolver dnsResolver;
    private PoolReusePolicy reusePolicy;
    private Resolver<HttpRoute, SocketConfig> socketConfigs;
    private Resolver<HttpRoute, ConnectionConfig> connectionConfigs;
    private Resolver<HttpHost, TlsConfig> tlsConfigs;
    private boolean systemProperties;
    private String name;
    private int maxTotal;
    private int maxPerRoute;

    private LeaseholdHttpClientConnectionManagerBuilder() {}

    /**
     * Starts to describe a manager.
     *
     * @return a builder with HttpClient's defaults
     */
    public static LeaseholdHttpClientConnectionManagerBuilder create() {
        return new LeaseholdHttpClientConnectionManagerBuilder();
    }

    /**
     * Sets what makes connections, not opened yet.
     *
     * @param connectionFactory makes them; null for HttpClient's own
     * @return this
     */
    public LeaseholdHttpClientConnectionManagerBuilder setConnectionFactory(
            HttpConnectionFactory<ManagedHttpClientConnection> connectionFactory) {
        this.connectionFactory = connectionFactory;
        return this;
    }

    /**
     * Sets what layers TLS over sockets, in place of a strategy.
     *
     * @param sslSocketFactory does so; null for HttpClient's own
     * @return this
     */
    public LeaseholdHttpClientConnectionManagerBuilder setSSLSocketFactory(LayeredConnectionSocketFactory sslSocketFactory) {
        this.sslSocketFactory = sslSocketFactory;
        tlsSocketStrategy = null;
        return this;
    }

    /**
     * Sets what layers TLS over sockets, with HttpClient 5.4 and later, in place of a socket factory. The parameter's type is not said, as
     * older versions do not have it.
     *
     * @param tlsSocketStrategy an {@code org.apache.hc.client5.http.ssl.TlsSocketStrategy}; null for HttpClient's own
     * @return this
     * @throws IllegalArgumentException if it is something else
     * @throws IllegalStateException if HttpClient is older
     */
    public LeaseholdHttpClientConnectionManagerBuilder setTlsSocketStrategy(Object tlsSocketStrategy) {
        this.tlsSocketStrategy = Operators.requireStrategy(tlsSocketStrategy);
        sslSocketFactory = null;
        return this;
    }

    /**
     * Sets what finds addresses.
     *
     * @param dnsResolver finds them; null for the system's
     * @return this
     */
    public LeaseholdHttpClientConnectionManagerBuilder setDnsResolver(DnsResolver dnsResolver) {
        this.dnsResolver = dnsResolver;
        return this;
    }

    /**
     * Sets what knows the schemes' ports.
     *
     * @param schemePortResolver knows them; null for HttpClient's own
     * @return this
     */
    public LeaseholdHttpClientConnectionManagerBuilder setSchemePortResolver(SchemePortResolver schemePortResolver) {
        this.schemePortResolver = schemePortResolver;
        return this;
    }

    /**
     * Is taken and changes nothing: limits are strict here, whatever the policy, and no policy is faster.
     *
     * @param poolConcurrencyPolicy ignored
     * @return this
     */
    public LeaseholdHttpClientConnectionManagerBuilder setPoolConcurrencyPolicy(PoolConcurrencyPolicy poolConcurrencyPolicy) {
        return this;
    }

    /**
     * Sets which idle connection of a route is leased first.
     *
     * @param reusePolicy the policy; null is LIFO
     * @return this
     */
    public LeaseholdHttpClientConnectionManagerBuilder setConnPoolPolicy(PoolReusePolicy reusePolicy) {
        this.reusePolicy = reusePolicy;
        return this;
    }

    /**
     * Sets what the manager is called in the pool's log lines, in exceptions and wherever numbers are shown.
     *
     * @param name the name; null is the manager's class and a number
     * @return this
     */
    public LeaseholdHttpClientConnectionManagerBuilder setName(String name) {
        this.name = name;
        return this;
    }

    /**
     * Sets the limit in total.
     *
     * @param maxConnTotal the limit; zero and less are HttpClient's default, 25
     * @return this
     */
    public LeaseholdHttpClientConnectionManagerBuilder setMaxConnTotal(int maxConnTotal) {
        maxTotal = maxConnTotal;
        return this;
    }

    /**
     * Sets the limit of every route that has none of its own.
     *
     * @param maxConnPerRoute the limit; zero and less are HttpClient's default, 5
     * @return this
     */
    public LeaseholdHttpClientConnectionManagerBuilder setMaxConnPerRoute(int maxConnPerRoute) {
        maxPerRoute = maxConnPerRoute;
        return this;
    }

    /**
     * Sets one configuration of sockets for all routes.
     *
     * @param config the configuration; null for HttpCore's default
     * @return this
     */
    public LeaseholdHttpClientConnectionManagerBuilder setDefaultSocketConfig(SocketConfig config) {
        return setSocketConfigResolver(route -> config);
    }

    /**
     * Sets the configuration of sockets by route.
     *
     * @param resolver finds a route's; null for HttpCore's default
     * @return this
     */
    public LeaseholdHttpClientConnectionManagerBuilder setSocketConfigResolver(Resolver<HttpRoute, SocketConfig> resolver) {
        socketConfigs = resolver;
        return this;
    }

    /**
     * Sets one configuration of connections for all routes.
     *
     * @param config the configuration; null for {@link ConnectionConfig#DEFAULT}
     * @return this
     */
    public LeaseholdHttpClientConnectionManagerBuilder setDefaultConnectionConfig(ConnectionConfig config) {
        return setConnectionConfigResolver(route -> config);
    }

    /**
     * Sets the configuration of connections by route, as {@link LeaseholdHttpClientConnectionManager#setConnectionConfigResolver} does.
     *
     * @param resolver finds a route's; null for {@link ConnectionConfig#DEFAULT}
     * @return this
     */
    public LeaseholdHttpClientConnectionManagerBuilder setConnectionConfigResolver(Resolver<HttpRoute, ConnectionConfig> resolver) {
        connectionConfigs = resolver;
        return this;
    }

    /**
     * Sets one configuration of TLS for all hosts.
     *
     * @param config the configuration; null for HttpClient's default
     * @return this
     */
    public LeaseholdHttpClientConnectionManagerBuilder setDefaultTlsConfig(TlsConfig config) {
        return setTlsConfigResolver(host -> config);
    }

    /**
     * Sets the configuration of TLS by host.
     *
     * @param resolver finds a host's; null for HttpClient's default
     * @return this
     */
    public LeaseholdHttpClientConnectionManagerBuilder setTlsConfigResolver(Resolver<HttpHost, TlsConfig> resolver) {
        tlsConfigs = resolver;
        return this;
    }

    /**
     * Sets how long connections may live, in place of every other setting of {@link #setDefaultConnectionConfig}.
     *
     * @param timeToLive how long
     * @return this
     * @deprecated as in HttpClient: say {@link #setDefaultConnectionConfig}
     */
    @Deprecated
    public LeaseholdHttpClientConnectionManagerBuilder setConnectionTimeToLive(TimeValue timeToLive) {
        return setDefaultConnectionConfig(ConnectionConfig.custom().setTimeToLive(timeToLive).build());
    }

    /**
     * Sets when idle connections are validated, in place of every other setting of {@link #setDefaultConnectionConfig}.
     *
     * @param validateAfterInactivity after how much idle time
     * @return this
     * @deprecated as in HttpClient: say {@link #setDefaultConnectionConfig}
     */
    @Deprecated
    public LeaseholdHttpClientConnectionManagerBuilder setValidateAfterInactivity(TimeValue validateAfterInactivity) {
        return setDefaultConnectionConfig(ConnectionConfig.custom().setValidateAfterInactivity(validateAfterInactivity).build());
    }

    /**
     * Has TLS take the system properties that HttpClient's builder names, where no strategy and no socket factory is set.
     *
     * @return this
     */
    public LeaseholdHttpClientConnectionManagerBuilder useSystemProperties() {
        systemProperties = true;
        return this;
    }

    /**
     * Is taken and changes nothing: no lock is held here while a connection is closed.
     *
     * @param enabled ignored
     * @return this
     */
    public LeaseholdHttpClientConnectionManagerBuilder setOffLockDisposalEnabled(boolean enabled) {
        return this;
    }

    /**
     * Makes the manager.
     *
     * @return a new manager
     * @throws LeaseholdUnavailableException if the native library could not be loaded; its message says what to do
     */
    public LeaseholdHttpClientConnectionManager build() {
        LeaseholdHttpClientConnectionManager manager =
                new LeaseholdHttpClientConnectionManager(new ManagerParts(operator(), connectionFactory, reusePolicy, null));
        manager.setSocketConfigResolver(socketConfigs);
        manager.setConnectionConfigResolver(connectionConfigs);
        manager.setTlsConfigResolver(tlsConfigs);
        if (name != null) {
            manager.setName(name);
        }
        if (maxTotal > 0) {
            manager.setMaxTotal(maxTotal);
        }
        if (maxPerRoute > 0) {
            manager.setDefaultMaxPerRoute(maxPerRoute);
        }
        return manager;
    }

    private HttpClientConnectionOperator operator() {
        if (sslSocketFactory != null) {
            return Operators.of(schemePortResolver, dnsResolver, sslSocketFactory);
        }
        return tlsSocketStrategy != null
                ? Operators.ofStrategy(schemePortResolver, dnsResolver, tlsSocketStrategy)
                : Operators.ofVersion(schemePortResolver, dnsResolver, systemProperties);
    }
}
