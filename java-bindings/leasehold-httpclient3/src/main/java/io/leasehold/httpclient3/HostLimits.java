package io.leasehold.httpclient3;

import java.util.Map;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.params.HttpConnectionManagerParams;

/**
 * The limits that a manager's parameters named at one moment. 3.1 reads its parameters at every
 * lease, and whoever holds them may change them at any time; the pool is told only of what has changed since.
 *
 * <p>3.1 refuses no number where parameters are set by their names. Each is at least what its manager says: zero lets leases wait, as 3.1
 * does with zero and less.
 *
 * <p>Immutable. A parameter's value is, by 3.1's own rule, never changed in place, so one is known by its identity.
 */
final class HostLimits {
    private final int totalUnset;
    private final int perHostUnset;
    private final int least;
    private final Object hosts;
    // As it was given.
    private final int total;
    private final int perHost;
    private final boolean isTold;

    private HostLimits(int totalUnset, int perHostUnset, int least, Object hosts, int total, boolean isTold) {
        this.isTold = isTold;
        this.totalUnset = totalUnset;
        this.perHostUnset = perHostUnset;
        this.least = least;
        this.hosts = hosts;
        this.total = total;
        Integer byDefault = of(HostConfiguration.ANY_HOST_CONFIGURATION);
        this.perHost = byDefault == null ? perHostUnset : byDefault;
    }

    /** What holds as long as the parameters say nothing, and the least that they can say. */
    static HostLimits unset(int total, int perHost, int least) {
        return new HostLimits(total, perHost, least, null, total, true);
    }

    /** As this, where it is not known what the pool was told: whatever the parameters say, it is something else. */
    HostLimits unknown() {
        return new HostLimits(totalUnset, perHostUnset, least, hosts, total, false);
    }

    /** This, if it is what the parameters say now, or what they say. */
    HostLimits asOf(HttpConnectionManagerParams params) {
        Object hostsNow = ManagerParams.hostLimits(params);
        Object totalSet = ManagerParams.totalLimit(params);
        int totalNow = totalSet == null ? totalUnset : (Integer) totalSet;
        return isTold && hostsNow == hosts && totalNow == total
                ? this
                : new HostLimits(totalUnset, perHostUnset, least, hostsNow, totalNow, true);
    }

    /** For all hosts together. */
    int total() {
        return Math.max(least, total);
    }

    /** For each host that has none of its own. */
    int perHost() {
        return perHost;
    }

    /** What was set for this host alone, or null. */
    Integer of(HostConfiguration configuration) {
        Integer own = hosts == null ? null : (Integer) ((Map<?, ?>) hosts).get(configuration);
        return own == null ? null : Integer.valueOf(Math.max(least, own));
    }
}
