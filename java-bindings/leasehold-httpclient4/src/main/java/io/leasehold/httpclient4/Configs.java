package io.leasehold.httpclient4;

import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.http.HttpHost;
import org.apache.http.conn.routing.HttpRoute;

/** Configurations of one kind: one for each host that was given its own, one for all others. Any thread reads and writes them. */
final class Configs<C> {
    private final String kind;
    private final C lastResort;
    private final Map<HttpHost, C> perHost = new ConcurrentHashMap<>();
    // Null as long as nothing was set. Written by whoever sets it.
    private volatile C byDefault;

    Configs(String kind, C lastResort) {
        this.kind = kind;
        this.lastResort = lastResort;
    }

    C byDefault() {
        return byDefault;
    }

    void setDefault(C config) {
        byDefault = config;
    }

    /** A host's own, or null. */
    C of(HttpHost host) {
        return perHost.get(given(host, "host is null: ask getDefault" + kind + "() for what holds for all hosts"));
    }

    void set(HttpHost host, C config) {
        perHost.put(given(host, "host is null: say setDefault" + kind + "(config) for all hosts"),
                given(config, "the " + kind + " is null: give a host back what holds for all by setting just that"));
    }

    /** What holds for whom a connection is opened to: the proxy, or else the target. */
    C ofFirstHop(HttpRoute route) {
        return orDefault(perHost.get(firstHop(route)));
    }

    /** What holds for the proxy, if that has its own, or else for the target. */
    C ofProxyOrTarget(HttpRoute route) {
        HttpHost proxy = route.getProxyHost();
        C config = proxy == null ? null : perHost.get(proxy);
        return orDefault(config != null ? config : perHost.get(route.getTargetHost()));
    }

    private C orDefault(C own) {
        if (own != null) {
            return own;
        }
        C set = byDefault;
        return set != null ? set : lastResort;
    }

    static HttpHost firstHop(HttpRoute route) {
        HttpHost proxy = route.getProxyHost();
        return proxy != null ? proxy : route.getTargetHost();
    }

    private static <T> T given(T value, String otherwise) {
        return Objects.requireNonNull(value, otherwise);
    }
}
