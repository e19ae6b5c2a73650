package io.leasehold.httpclient5;

import io.leasehold.LeaseholdUnavailableException;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.SchemePortResolver;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.TlsConfig;
import org.apache.hc.core5.function.Resolver;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.nio.ssl.TlsStrategy;
import org.apache.hc.core5.pool.PoolConcurrencyPolicy;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.util.TimeValue;

/**
 * Makes {@link LeaseholdAsyncClientConnectionManager}s, with the options of HttpClient's
 * {@code PoolingAsyncClientConnectionManagerBuilder}, by the same names. Not safe for use by several threads.
 */
public final class LeaseholdAsyncClientConnectionManagerBuilder {
    private TlsStrategy tlsStrategy;
    private SchemePortResolver schemePortResolver;
    private DnsResolver dnsResolver;
    private PoolReusePolicy reusePolicy;
    private Resolver<HttpRoute, ConnectionConfig> connectionConfigs;
    private Resolver<HttpHost, TlsConfig> tlsConfigs;
    private boolean systemProperties;
    private boolean messageMultiplexing;
    private String name;
    private int maxTotal;
    private int maxPerRoute;

    private LeaseholdAsyncClientConnectionManagerBuilder() {}

    /**
     * Starts to describe a manager.
     *
     * @return a builder with HttpClient's defaults
     */
    public static LeaseholdAsyncClientConnectionManagerBuilder create() {
        return new LeaseholdAsyncClientConnectionManagerBuilder();
    }

    /**
     * Sets what layers TLS over sessions.
     *
     * @param tlsStrategy does so; null for HttpClient's own
     * @return this
     */
    public LeaseholdAsyncClientConnectionManagerBuilder setTlsStrategy(TlsStrategy tlsStrategy) {
        this.tlsStrategy = tlsStrategy;
        return this;
    }

    /**
     * Sets what finds addresses.
     *
     * @param dnsResolver finds them; null for the system's
     * @return this
     */
    public LeaseholdAsyncClientConnectionManagerBuilder setDnsResolver(DnsResolver dnsResolver) {
        this.dnsResolver = dnsResolver;
        return this;
    }

    /**
     * Sets what knows the schemes' ports.
     *
     * @param schemePortResolver knows them; null for HttpClient's own
     * @return this
     */
    public LeaseholdAsyncClientConnectionManagerBuilder setSchemePortResolver(SchemePortResolver schemePortResolver) {
        this.schemePortResolver = schemePortResolver;
        return this;
    }

    /**
     * Is taken and changes nothing: limits are strict here, whatever the policy, and no policy is faster.
     *
     * @param poolConcurrencyPolicy ignored
     * @return this
     */
    public LeaseholdAsyncClientConnectionManagerBuilder setPoolConcurrencyPolicy(PoolConcurrencyPolicy poolConcurrencyPolicy) {
        return this;
    }

    /**
     * Sets which idle connection of a route is leased first.
     *
     * @param reusePolicy the policy; null is LIFO
     * @return this
     */
    public LeaseholdAsyncClientConnectionManagerBuilder setConnPoolPolicy(PoolReusePolicy reusePolicy) {
        this.reusePolicy = reusePolicy;
        return this;
    }

    /**
     * Sets what the manager is called in the pool's log lines, in exceptions and wherever numbers are shown.
     *
     * @param name the name; null is the manager's class and a number
     * @return this
     */
    public LeaseholdAsyncClientConnectionManagerBuilder setName(String name) {
        this.name = name;
        return this;
    }

    /**
     * Sets the limit in total.
     *
     * @param maxConnTotal the limit; zero and less are HttpClient's default, 25
     * @return this
     */
    public LeaseholdAsyncClientConnectionManagerBuilder setMaxConnTotal(int maxConnTotal) {
        maxTotal = maxConnTotal;
        return this;
    }

    /**
     * Sets the limit of every route that has none of its own.
     *
     * @param maxConnPerRoute the limit; zero and less are HttpClient's default, 5
     * @return this
     */
    public LeaseholdAsyncClientConnectionManagerBuilder setMaxConnPerRoute(int maxConnPerRoute) {
        maxPerRoute = maxConnPerRoute;
        return this;
    }

    /**
     * Sets one configuration of connections for all routes.
     *
     * @param config the configuration; null for {@link ConnectionConfig#DEFAULT}
     * @return this
     */
    public LeaseholdAsyncClientConnectionManagerBuilder setDefaultConnectionConfig(ConnectionConfig config) {
        return setConnectionConfigResolver(route -> config);
    }

    /**
     * Sets the configuration of connections by route, as {@link LeaseholdAsyncClientConnectionManager#setConnectionConfigResolver} does.
     *
     * @param resolver finds a route's; null for {@link ConnectionConfig#DEFAULT}
     * @return this
     */
    public LeaseholdAsyncClientConnectionManagerBuilder setConnectionConfigResolver(Resolver<HttpRoute, ConnectionConfig> resolver) {
        connectionConfigs = resolver;
        return this;
    }

    /**
     * Sets one configuration of TLS for all hosts.
     *
     * @param config the configuration; null for HttpClient's default
     * @return this
     */
    public LeaseholdAsyncClientConnectionManagerBuilder setDefaultTlsConfig(TlsConfig config) {
        return setTlsConfigResolver(host -> config);
    }

    /**
     * Sets the configuration of TLS by host.
     *
     * @param resolver finds a host's; null for HttpClient's default
     * @return this
     */
    public LeaseholdAsyncClientConnectionManagerBuilder setTlsConfigResolver(Resolver<HttpHost, TlsConfig> resolver) {
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
    public LeaseholdAsyncClientConnectionManagerBuilder setConnectionTimeToLive(TimeValue timeToLive) {
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
    public LeaseholdAsyncClientConnectionManagerBuilder setValidateAfterInactivity(TimeValue validateAfterInactivity) {
        return setDefaultConnectionConfig(ConnectionConfig.custom().setValidateAfterInactivity(validateAfterInactivity).build());
    }

    /**
     * Has TLS take the system properties that HttpClient's builder names, where no strategy is set.
     *
     * @return this
     */
    public LeaseholdAsyncClientConnectionManagerBuilder useSystemProperties() {
        systemProperties = true;
        return this;
    }

    /**
     * Sets whether connections that speak HTTP/2 are shared, with any version of HttpClient: who waits for a route gets a stream of a
     * connection that others use at the same time, up to the limit that the server has set. However many streams it has in use, a
     * connection counts as one. Requests that are made for somebody, with a state, share nothing.
     *
     * @param messageMultiplexing true shares them; the default is false, as in HttpClient
     * @return this
     */
    public LeaseholdAsyncClientConnectionManagerBuilder setMessageMultiplexing(boolean messageMultiplexing) {
        this.messageMultiplexing = messageMultiplexing;
        return this;
    }

    /**
     * Makes the manager.
     *
     * @return a new manager
     * @throws LeaseholdUnavailableException if the native library could not be loaded; its message says what to do
     */
    public LeaseholdAsyncClientConnectionManager build() {
        LeaseholdAsyncClientConnectionManager manager = new LeaseholdAsyncClientConnectionManager(
                new AsyncParts(schemePortResolver, dnsResolver, tlsStrategy, systemProperties, reusePolicy, messageMultiplexing));
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
}
