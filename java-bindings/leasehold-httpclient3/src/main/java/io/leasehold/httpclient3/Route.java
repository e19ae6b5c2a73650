package io.leasehold.httpclient3;

import java.net.InetAddress;
import java.util.Locale;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.protocol.Protocol;

/**
 * What a connection goes to: host, proxy and local address of a {@link HostConfiguration}, frozen, because callers change
 * theirs after use. Its parameters have no part in it, as in 3.1.
 *
 * <p>Host names are compared as 3.1's pool does: without regard to case, but with a hash that has regard to it, so that in effect
 * the spelling counts. {@link #ignoringCase} gives routes for which it does not.
 */
final class Route {
    private final String host;
    private final int port;
    private final Protocol protocol;
    private final String proxyHost;
    private final int proxyPort;
    private final InetAddress localAddress;
    private final int hash;

    // The limits this route was last held against. Any thread may write it: the pool is told of a limit once more than needed at worst.
    private volatile Limits limits;

    private Route(String host, int port, Protocol protocol, String proxyHost, int proxyPort, InetAddress localAddress) {
        this.host = host;
        this.port = port;
        this.protocol = protocol;
        this.proxyHost = proxyHost;
        this.proxyPort = proxyPort;
        this.localAddress = localAddress;
        this.hash = hash(host, port, proxyHost);
    }

    private static int hash(String host, int port, String proxyHost) {
        int hash = host.hashCode() * 31 + port;
        return proxyHost == null ? hash : hash * 31 + proxyHost.hashCode();
    }

    /** The route of a configuration, spelled as it is. */
    static Route of(HostConfiguration configuration) {
        return of(configuration, null);
    }

    /** The route of a configuration, the same for all spellings of its names. */
    static Route ignoringCase(HostConfiguration configuration) {
        synchronized (configuration) {
            String proxyHost = configuration.getProxyHost();
            return new Route(checked(configuration.getHost()).toLowerCase(Locale.ROOT), configuration.getPort(),
                    configuration.getProtocol(), proxyHost == null ? null : proxyHost.toLowerCase(Locale.ROOT),
                    configuration.getProxyPort(), configuration.getLocalAddress());
        }
    }

    /** The route of a configuration: the one that was remembered for it, or else a new one, remembered in its place. */
    static Route of(HostConfiguration configuration, Recent recent) {
        // One snapshot, as a copy of the configuration would be.
        synchronized (configuration) {
            String host = checked(configuration.getHost());
            int port = configuration.getPort();
            String proxyHost = configuration.getProxyHost();
            Route[] routes = recent == null ? null : recent.routes;
            int index = hash(host, port, proxyHost) & Recent.MASK;
            if (routes != null) {
                Route known = routes[index];
                if (known != null && known.port == port && known.host.equals(host)
                        && known.isVia(proxyHost, configuration.getProxyPort())
                        && same(known.protocol, configuration.getProtocol())
                        && same(known.localAddress, configuration.getLocalAddress())) {
                    return known;
                }
            }
            Route made = new Route(host, port, configuration.getProtocol(), proxyHost, configuration.getProxyPort(),
                    configuration.getLocalAddress());
            if (routes != null) {
                routes[index] = made;
            }
            return made;
        }
    }

    /** The routes last asked for, a few of them, so that asking again makes no new object. */
    static final class Recent {
        private static final int SIZE = 64;
        private static final int MASK = SIZE - 1;

        // Read and written by any thread without a lock: a route is immutable but for its limits, so a lost write costs an object.
        private final Route[] routes = new Route[SIZE];
    }

    private static String checked(String host) {
        if (host == null) {
            // HttpConnection's own words.
            throw new IllegalArgumentException("host parameter is null");
        }
        return host;
    }

    private boolean isVia(String proxyHost, int proxyPort) {
        return this.proxyHost == null
                ? proxyHost == null
                : this.proxyPort == proxyPort && this.proxyHost.equals(proxyHost);
    }

    private static boolean same(Object one, Object other) {
        return one == other || (one != null && one.equals(other));
    }

    /** Whether a connection, which its user may have turned elsewhere, still goes there. */
    boolean isOf(HttpConnection connection) {
        return host.equalsIgnoreCase(connection.getHost())
                && port == connection.getPort()
                && protocol.equals(connection.getProtocol())
                && (proxyHost == null ? connection.getProxyHost() == null : proxyHost.equalsIgnoreCase(connection.getProxyHost()))
                && proxyPort == connection.getProxyPort()
                && same(localAddress, connection.getLocalAddress());
    }

    /** This route as a configuration of its own, to look up limits and to be printed. */
    HostConfiguration toConfiguration() {
        HostConfiguration configuration = new HostConfiguration();
        configuration.setHost(host, port, protocol);
        if (proxyHost != null) {
            configuration.setProxy(proxyHost, proxyPort);
        }
        configuration.setLocalAddress(localAddress);
        return configuration;
    }

    Limits limits() {
        return limits;
    }

    void setLimits(Limits limits) {
        this.limits = limits;
    }

    @Override
    public boolean equals(Object object) {
        if (this == object) {
            return true;
        }
        if (!(object instanceof Route)) {
            return false;
        }
        Route other = (Route) object;
        return hash == other.hash
                && port == other.port
                && host.equalsIgnoreCase(other.host)
                && (proxyHost == null ? other.proxyHost == null : proxyHost.equalsIgnoreCase(other.proxyHost))
                && proxyPort == other.proxyPort
                && protocol.equals(other.protocol)
                && same(localAddress, other.localAddress);
    }

    @Override
    public int hashCode() {
        return hash;
    }

    /** As 3.1 prints a host configuration in its log lines. */
    @Override
    public String toString() {
        return toConfiguration().toString();
    }
}
