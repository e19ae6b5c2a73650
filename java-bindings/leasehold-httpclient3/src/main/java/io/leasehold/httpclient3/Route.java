package io.leasehold.httpclient3;

import io.leasehold.managed.WeakInterner;
import java.net.InetAddress;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.protocol.DefaultProtocolSocketFactory;
import org.apache.commons.httpclient.protocol.Protocol;
import org.apache.commons.httpclient.protocol.ProtocolSocketFactory;

/**
 * What the pool knows a destination by: host, proxy and local address of a {@link HostConfiguration}, frozen, because callers change
 * theirs after use. Its parameters have no part in it, as in 3.1.
 *
 * <p>A pool's routes outlive the pool, and a protocol leads, by its socket factory, to the application and so to the manager: a
 * route has only the {@link WeakInterner.Key}.
 *
 * <p>Host names are compared as 3.1's pool does: without regard to case, but by a hash that has regard to it, so that in effect
 * the spelling counts.
 */
final class Route {
    private final String host;
    private final int port;
    private final WeakInterner.Key<Protocol> protocol;
    private final String scheme;
    private final int defaultPort;
    private final String proxyHost;
    private final int proxyPort;
    private final InetAddress localAddress;
    private final int hash;

    Route(String host, int port, WeakInterner.Held<Protocol> protocol, String proxyHost, int proxyPort, InetAddress localAddress) {
        this.host = host;
        this.port = port;
        this.protocol = protocol.key();
        this.scheme = protocol.first().getScheme();
        this.defaultPort = protocol.first().getDefaultPort();
        this.proxyHost = proxyHost;
        this.proxyPort = proxyPort;
        this.localAddress = localAddress;
        this.hash = hash(host, port, proxyHost);
    }

    /** The hash of a route with these names. */
    static int hash(String host, int port, String proxyHost) {
        int hash = host.hashCode() * 31 + port;
        return proxyHost == null ? hash : hash * 31 + proxyHost.hashCode();
    }

    /** Whether everything but the protocol is this. */
    boolean goesTo(String host, int port, String proxyHost, int proxyPort, InetAddress localAddress) {
        return this.port == port
                && this.host.equals(host)
                && (this.proxyHost == null ? proxyHost == null : this.proxyHost.equals(proxyHost) && this.proxyPort == proxyPort)
                && (this.localAddress == null ? localAddress == null : this.localAddress.equals(localAddress));
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
                && protocol == other.protocol
                && host.equalsIgnoreCase(other.host)
                && (proxyHost == null ? other.proxyHost == null : proxyHost.equalsIgnoreCase(other.proxyHost))
                && proxyPort == other.proxyPort
                && (localAddress == null ? other.localAddress == null : localAddress.equals(other.localAddress));
    }

    @Override
    public int hashCode() {
        return hash;
    }

    /** As 3.1 prints a host configuration in its log lines. */
    @Override
    public String toString() {
        HostConfiguration configuration = new HostConfiguration();
        ProtocolSocketFactory any = new DefaultProtocolSocketFactory();
        configuration.setHost(host, port, new Protocol(scheme, any, defaultPort));
        if (proxyHost != null) {
            configuration.setProxy(proxyHost, proxyPort);
        }
        configuration.setLocalAddress(localAddress);
        return configuration.toString();
    }
}
