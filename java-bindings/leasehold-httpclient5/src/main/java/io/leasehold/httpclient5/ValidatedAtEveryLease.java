package io.leasehold.httpclient5;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.apache.hc.core5.util.VersionInfo;

/** A configuration with which HttpClient's code asks a connection at every lease whether it is stale. */
final class ValidatedAtEveryLease extends ConnectionConfig {
    // The getter of 5.6 and later; null before.
    private static final Method IDLE_TIMEOUT = idleTimeout();
    // To 5.2 and 5.2.1 zero is never; their least is what ends within the same millisecond.
    private static final TimeValue ALWAYS = takesZeroForNever() ? TimeValue.of(1, TimeUnit.NANOSECONDS)
            : TimeValue.ZERO_MILLISECONDS;

    private final ConnectionConfig config;
    private final Timeout idleTimeout;

    ValidatedAtEveryLease(ConnectionConfig config) {
        this.config = config;
        idleTimeout = idleTimeoutOf(config);
    }

    private static Method idleTimeout() {
        try {
            return ConnectionConfig.class.getMethod("getIdleTimeout");
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    private static boolean takesZeroForNever() {
        VersionInfo version = VersionInfo.loadVersionInfo("org.apache.hc.client5", ConnectionConfig.class.getClassLoader());
        String release = version == null ? VersionInfo.UNAVAILABLE : version.getRelease();
        return release.equals("5.2") || release.equals("5.2.1") || release.equals(VersionInfo.UNAVAILABLE);
    }

    /** For how long a connection may be idle, where the version has that; null for no limit. */
    static Timeout idleTimeoutOf(ConnectionConfig config) {
        if (IDLE_TIMEOUT == null) {
            return null;
        }
        try {
            return (Timeout) IDLE_TIMEOUT.invoke(config);
        } catch (InvocationTargetException e) {
            throw Thrown.as(e.getCause(), RuntimeException.class);
        } catch (IllegalAccessException e) {
            throw new AssertionError("it is public", e);
        }
    }

    /** The configuration as it was set. */
    ConnectionConfig config() {
        return config;
    }

    @Override
    public TimeValue getValidateAfterInactivity() {
        return ALWAYS;
    }

    @Override
    public Timeout getSocketTimeout() {
        return config.getSocketTimeout();
    }

    @Override
    public Timeout getConnectTimeout() {
        return config.getConnectTimeout();
    }

    @Override
    public TimeValue getTimeToLive() {
        return config.getTimeToLive();
    }

    /**
     * Overrides what the class has as of 5.6.
     *
     * @return that of the configuration as it was set
     */
    public Timeout getIdleTimeout() {
        return idleTimeout;
    }

    @Override
    public String toString() {
        return config.toString();
    }
}
