package io.leasehold.httpclient3;

import io.leasehold.ConnectionPool;
import io.leasehold.managed.LimitsApplier;
import io.leasehold.managed.WeakInterner;
import java.net.InetAddress;
import java.util.Locale;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.HttpConnection;
import org.apache.commons.httpclient.protocol.Protocol;

/**
 * A manager's side of a {@link Route}: the route that the pool knows, and with it what must not outlive the manager. Whoever uses a
 * destination keeps its protocol in use, so that equal configurations go on finding the same route.
 */
final class Destination {
    private final Route route;
    private final Protocol protocol;
    // The limits that the pool was last told of for this route. Written by whoever has told it, as LimitsApplier says.
    private volatile HostLimits limits;

    private Destination(Route route, Protocol protocol) {
        this.route = route;
        this.protocol = protocol;
    }

    Route route() {
        return route;
    }

    /** Whether a connection, which its user may have turned elsewhere, still goes there. */
    boolean isOf(HttpConnection connection) {
        return protocol.equals(connection.getProtocol())
                && route.goesTo(connection.getHost(), connection.getPort(), connection.getProxyHost(), connection.getProxyPort(),
                        connection.getLocalAddress());
    }

    /** Whether the pool was told of the limit that holds for this destination. */
    boolean isTold(HostLimits limits) {
        return this.limits == limits;
    }

    /** Tells the pool of the limit that holds for this destination. */
    void tell(HostLimits limits, ConnectionPool<Route, ?> pool, HostConfiguration configuration) {
        Integer own = limits.of(configuration);
        if (own != null) {
            pool.setMaxPerRoute(route, own);
        } else if (pool.getMaxPerRoute(route) != limits.perHost()) {
            pool.removeMaxPerRoute(route);
        }
        this.limits = limits;
    }

    /** Finds a manager's destinations, without making anything for those it was asked for a short while ago. */
    static final class Finder {
        // A destination may be in any of so many neighbouring places.
        private static final int WAYS = 4;
        private static final int FIRST_PLACES = 4 * WAYS;
        private static final int MOST_PLACES = 1024;

        private final boolean ignoresCase;
        // By hash; grows while destinations drive each other out. Read and written by any thread without a lock: a destination is immutable
        // but for its limits, and a lost write costs an object.
        private volatile Destination[] recent = new Destination[FIRST_PLACES];
        private int drivenOut;
        private final WeakInterner<Protocol> protocols = new WeakInterner<>();

        /** A finder for which the spelling of host names counts, as in 3.1's pool, or does not, as for its simple manager. */
        Finder(boolean ignoresCase) {
            this.ignoresCase = ignoresCase;
        }

        /** The destination of a configuration as it is now. */
        Destination of(HostConfiguration configuration) {
            String host;
            int port;
            Protocol protocol;
            String proxyHost;
            int proxyPort;
            InetAddress localAddress;
            // One snapshot, as a copy of the configuration would be.
            synchronized (configuration) {
                host = configuration.getHost();
                port = configuration.getPort();
                protocol = configuration.getProtocol();
                proxyHost = configuration.getProxyHost();
                proxyPort = configuration.getProxyPort();
                localAddress = configuration.getLocalAddress();
            }
            if (host == null) {
                // HttpConnection's own words.
                throw new IllegalArgumentException("host parameter is null");
            }
            if (ignoresCase) {
                host = host.toLowerCase(Locale.ROOT);
                proxyHost = proxyHost == null ? null : proxyHost.toLowerCase(Locale.ROOT);
            }
            Destination[] places = recent;
            int hash = Route.hash(host, port, proxyHost);
            int place = (hash ^ hash >>> 11 ^ hash >>> 22) & places.length - WAYS;
            for (int i = place; i < place + WAYS; i++) {
                Destination known = places[i];
                if (known != null && known.route.goesTo(host, port, proxyHost, proxyPort, localAddress)
                        && (known.protocol == protocol || known.protocol.equals(protocol))) {
                    return known;
                }
            }
            WeakInterner.Held<Protocol> held = protocols.hold(protocol);
            Destination made = new Destination(new Route(host, port, held, proxyHost, proxyPort, localAddress), held.first());
            remember(made, places, place);
            return made;
        }

        private void remember(Destination made, Destination[] places, int place) {
            for (int i = place; i < place + WAYS; i++) {
                if (places[i] == null) {
                    places[i] = made;
                    return;
                }
            }
            int count = ++drivenOut;
            if (count > places.length && places.length < MOST_PLACES) {
                drivenOut = 0;
                recent = new Destination[2 * places.length];
            } else {
                places[place + (count & WAYS - 1)] = made;
            }
        }
    }
}
