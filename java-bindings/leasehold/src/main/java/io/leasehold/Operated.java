package io.leasehold;

import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** What its bean does with a pool, as the methods of these names of {@link ConnectionPool} say. */
interface Operated<R> {
    String name();

    boolean isShutDown();

    boolean isSuspended();

    int getMaxTotal();

    void setMaxTotal(int max);

    int getDefaultMaxPerRoute();

    void setDefaultMaxPerRoute(int max);

    void setMaxPerRoute(R route, int max);

    void removeMaxPerRoute(R route);

    Set<R> routes();

    Stats stats();

    Stats stats(R route);

    Metrics metrics();

    Metrics metrics(R route);

    void measureHeld(boolean measured);

    List<HeldLease> heldLeases();

    boolean isLeaseStacks();

    void setLeaseStacks(boolean wanted);

    long getLeakDetectionMillis();

    void setLeakDetectionThreshold(long threshold, TimeUnit unit);

    void closeIdle(long idleTime, TimeUnit unit);

    void closeExpired();

    void clear(R route);

    void softEvict();

    void suspend();

    void resume();
}
