package io.leasehold.httpclient3;

import io.leasehold.ConnectionPool;
import io.leasehold.managed.LimitsApplier;
import java.util.function.Consumer;
import org.apache.commons.httpclient.HostConfiguration;
import org.apache.commons.httpclient.params.HttpConnectionManagerParams;

/** A manager's parameters, to whose limits its pool keeps: as in 3.1, whatever they say when somebody leases. Any thread may use it. */
final class FollowedParams {
    private final ConnectionPool<Route, ?> pool;
    private final Consumer<HostLimits> tellPool;
    private final LimitsApplier<HostLimits> limits;
    private final Destination.Finder destinations;
    // Written by whoever sets them.
    private volatile HttpConnectionManagerParams params = new ManagerParams();

    /**
     * New parameters, which say nothing.
     *
     * @param pool the pool, which keeps to what {@code unset} says
     * @param tellPool tells the pool of limits that are not a single host's
     */
    FollowedParams(ConnectionPool<Route, ?> pool, Consumer<HostLimits> tellPool, HostLimits unset, Destination.Finder destinations) {
        this.pool = pool;
        this.tellPool = tellPool;
        this.limits = new LimitsApplier<>(unset, unset.unknown());
        this.destinations = destinations;
    }

    HttpConnectionManagerParams get() {
        return params;
    }

    void set(HttpConnectionManagerParams params) {
        if (params == null) {
            throw new IllegalArgumentException("Parameters may not be null");
        }
        this.params = params;
    }

    /** Where a configuration goes to. From here on the pool keeps to the limits that the parameters name. */
    Destination keptTo(HostConfiguration configuration) {
        Destination destination = destinations.of(configuration);
        HostLimits told = limits.told();
        if (told.asOf(params) != told || !destination.isTold(told)) {
            limits.apply(known -> known.asOf(params), tellPool, now -> destination.tell(now, pool, configuration));
        }
        return destination;
    }
}
