package io.leasehold.httpclient5;

import java.util.Set;
import java.util.concurrent.Future;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.io.ModalCloseable;
import org.apache.hc.core5.pool.ManagedConnPool;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.pool.PoolStats;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/** A pool over another one, to which all goes on that is not overridden. */
abstract class PassingPool<C extends ModalCloseable> implements ManagedConnPool<HttpRoute, C> {
    private final ManagedConnPool<HttpRoute, C> below;

    PassingPool(ManagedConnPool<HttpRoute, C> below) {
        this.below = below;
    }

    @Override
    public Future<PoolEntry<HttpRoute, C>> lease(HttpRoute route, Object state, Timeout requestTimeout,
            FutureCallback<PoolEntry<HttpRoute, C>> callback) {
        return below.lease(route, state, requestTimeout, callback);
    }

    @Override
    public void release(PoolEntry<HttpRoute, C> entry, boolean reusable) {
        below.release(entry, reusable);
    }

    @Override
    public void close(CloseMode mode) {
        below.close(mode);
    }

    @Override
    public void close() {
        close(CloseMode.GRACEFUL);
    }

    @Override
    public void closeIdle(TimeValue idleTime) {
        below.closeIdle(idleTime);
    }

    @Override
    public void closeExpired() {
        below.closeExpired();
    }

    @Override
    public Set<HttpRoute> getRoutes() {
        return below.getRoutes();
    }

    @Override
    public void setMaxTotal(int max) {
        below.setMaxTotal(max);
    }

    @Override
    public int getMaxTotal() {
        return below.getMaxTotal();
    }

    @Override
    public void setDefaultMaxPerRoute(int max) {
        below.setDefaultMaxPerRoute(max);
    }

    @Override
    public int getDefaultMaxPerRoute() {
        return below.getDefaultMaxPerRoute();
    }

    @Override
    public void setMaxPerRoute(HttpRoute route, int max) {
        below.setMaxPerRoute(route, max);
    }

    @Override
    public int getMaxPerRoute(HttpRoute route) {
        return below.getMaxPerRoute(route);
    }

    @Override
    public PoolStats getTotalStats() {
        return below.getTotalStats();
    }

    @Override
    public PoolStats getStats(HttpRoute route) {
        return below.getStats(route);
    }

    @Override
    public String toString() {
        return below.toString();
    }
}
