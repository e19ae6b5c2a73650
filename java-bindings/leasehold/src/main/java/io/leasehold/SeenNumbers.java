package io.leasehold;

/** What a bean shows of a pool or a route, as it was read. */
final class SeenNumbers implements ConnectionPoolNumbers {
    private final Stats stats;
    private final Metrics metrics;
    private final Counters closed;

    SeenNumbers(Stats stats, Metrics metrics) {
        this.stats = stats;
        this.metrics = metrics;
        closed = metrics.closed();
    }

    @Override
    public int getLeased() {
        return stats.leased();
    }

    @Override
    public int getIdle() {
        return stats.available();
    }

    @Override
    public int getPending() {
        return stats.pending();
    }

    @Override
    public int getMax() {
        return stats.max();
    }

    @Override
    public long getLeases() {
        return metrics.leases();
    }

    @Override
    public long getHits() {
        return metrics.hits();
    }

    @Override
    public long getHandedOver() {
        return metrics.handedOver();
    }

    @Override
    public long getOpenings() {
        return metrics.openings();
    }

    @Override
    public long getWaited() {
        return metrics.waited();
    }

    @Override
    public long getTimedOut() {
        return metrics.timedOut();
    }

    @Override
    public long getCancelled() {
        return metrics.cancelled();
    }

    @Override
    public long getRefused() {
        return metrics.refused();
    }

    @Override
    public long getOpened() {
        return metrics.opened();
    }

    @Override
    public long getUnopened() {
        return metrics.unopened();
    }

    @Override
    public long getKept() {
        return metrics.kept();
    }

    @Override
    public long getClosedByLease() {
        return metrics.closedByLease();
    }

    @Override
    public long getClosedByShutdown() {
        return metrics.closedByShutdown();
    }

    @Override
    public long getLeaked() {
        return metrics.leaked();
    }

    @Override
    public long getClosedByPeer() {
        return closed.closedByPeer();
    }

    @Override
    public long getFoundStale() {
        return closed.stale();
    }

    @Override
    public long getClosedExpired() {
        return closed.expired();
    }

    @Override
    public long getClosedIdle() {
        return closed.idle();
    }

    @Override
    public long getClosedEvicted() {
        return closed.evicted();
    }

    @Override
    public long getClosedOverLimit() {
        return closed.overLimit();
    }

    @Override
    public long getClosedCleared() {
        return closed.cleared();
    }
}
