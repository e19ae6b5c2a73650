package io.leasehold.httpclient5;

import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.core5.function.Resolver;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.util.Deadline;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/**
 * The configuration of a manager's connections, as it was set, and as HttpClient's code is shown it: to be validated at every lease, unless
 * validation is off. Safe for use by several threads.
 */
final class ConnectionConfigs {
    /** HttpClient's own, where nothing is set. */
    private static final long MILLIS_UNTIL_VALIDATION = 2000;

    // Null if none was set. Written by whoever sets it.
    private volatile Resolver<HttpRoute, ConnectionConfig> resolver;
    // What was made of the last configuration: mostly there is one. Written by any thread, each with one of its own.
    private volatile ValidatedAtEveryLease last;

    void set(Resolver<HttpRoute, ConnectionConfig> resolver) {
        this.resolver = resolver;
    }

    /** As it was set. */
    private ConnectionConfig of(HttpRoute route) {
        Resolver<HttpRoute, ConnectionConfig> set = resolver;
        ConnectionConfig config = set == null ? null : set.resolve(route);
        return config == null ? ConnectionConfig.DEFAULT : config;
    }

    /** As HttpClient's code is shown it. */
    ConnectionConfig shown(HttpRoute route) {
        ConnectionConfig config = of(route);
        if (isOff(config.getValidateAfterInactivity())) {
            return config;
        }
        ValidatedAtEveryLease made = last;
        if (made == null || made.config() != config) {
            last = made = new ValidatedAtEveryLease(config);
        }
        return made;
    }

    /** Whether a route's idle connections are not to be looked at. */
    boolean isValidationOff(HttpRoute route) {
        return isOff(of(route).getValidateAfterInactivity());
    }

    private static boolean isOff(TimeValue validation) {
        return validation != null && !TimeValue.isNonNegative(validation);
    }

    /** For how long a connection may be idle and be leased without being read. */
    long millisUntilValidation(HttpRoute route) {
        TimeValue validation = of(route).getValidateAfterInactivity();
        return validation == null ? MILLIS_UNTIL_VALIDATION : validation.convert(TimeUnit.MILLISECONDS);
    }

    /** Whether a connection has lived for too long, or was idle for too long. */
    boolean isExpired(PoolEntry<HttpRoute, ?> entry, long now) {
        ConnectionConfig config = of(entry.getRoute());
        return isOver(entry.getCreated(), config.getTimeToLive(), now)
                || isOver(entry.getUpdated(), ValidatedAtEveryLease.idleTimeoutOf(config), now);
    }

    /** Whether HttpClient's code has a connection go at its lease, as it has lived or was idle for too long. */
    boolean isOverAtLease(PoolEntry<HttpRoute, ?> entry) {
        return isTooOld(entry) || isExpired(entry, System.currentTimeMillis());
    }

    /** As {@link #isOverAtLease}, of one that is in use. */
    boolean isTooOld(PoolEntry<HttpRoute, ?> entry) {
        TimeValue timeToLive = of(entry.getRoute()).getTimeToLive();
        return timeToLive != null
                && (timeToLive.getDuration() == 0 || isOver(entry.getCreated(), timeToLive, System.currentTimeMillis()));
    }

    /** How long opening a connection may take. */
    Timeout connectTimeout(HttpRoute route) {
        return Timeout.defaultsToDisabled(of(route).getConnectTimeout());
    }

    /**
     * Whether an idle connection is to be validated by an exchange with its server. Zero is left to HttpClient's code, which takes it for
     * always, whatever it knows of the connection.
     */
    boolean isPingDue(PoolEntry<HttpRoute, ?> entry) {
        TimeValue validation = of(entry.getRoute()).getValidateAfterInactivity();
        return TimeValue.isPositive(validation) && isOver(entry.getUpdated(), validation, System.currentTimeMillis());
    }

    private static boolean isOver(long since, TimeValue time, long now) {
        return Deadline.calculate(since, time).isBefore(now);
    }
}
