package io.leasehold.httpclient3;

import java.util.Map;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.params.HttpConnectionManagerParams;

/**
 * The limits that a manager's parameters named at one moment. 3.1 reads its parameters at every
 * lease, and whoever holds them may change them at any time; the pool is told only of what has changed since.
 *
 * <p>Immutable. A parameter's value is, by 3.1's own rule, never changed in place, so one is known by its identity.
 */
final class Limits {
    private final int totalUnset;
    private final int perHostUnset;
    private final Object hosts;
    private final int total;
    private final int perHost;

    private Limits(int totalUnset, int perHostUnset, Object hosts, int total) {
        this.totalUnset = totalUnset;
        this.perHostUnset = perHostUnset;
        this.hosts = hosts;
        this.total = total;
        Integer byDefault = of(HostConfiguration.ANY_HOST_CONFIGURATION);
        this.perHost = byDefault == null ? perHostUnset : byDefault;
    }

    /** What holds as long as the parameters say nothing. */
    static Limits unset(int total, int perHost) {
        return new Limits(total, perHost, null, total);
    }

    /** This, if it is what the parameters say now, or what they say. */
    Limits asOf(HttpConnectionManagerParams params) {
        Object hostsNow = ManagerParams.hostLimits(params);
        Object totalSet = ManagerParams.totalLimit(params);
        int totalNow = totalSet == null ? totalUnset : (Integer) totalSet;
        return hostsNow == hosts && totalNow == total ? this : new Limits(totalUnset, perHostUnset, hostsNow, totalNow);
    }

    /** For all hosts together; may be zero or less, which 3.1 does not refuse. */
    int total() {
        return total;
    }

    /** For each host that has none of its own. */
    int perHost() {
        return perHost;
    }

    /** What was set for this host alone, or null. */
    Integer of(HostConfiguration configuration) {
        return hosts == null ? null : (Integer) ((Map<?, ?>) hosts).get(configuration);
    }
}
