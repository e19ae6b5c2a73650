package io.leasehold;

import java.util.concurrent.TimeUnit;

/** What a bean shows of a histogram, as it was read. */
final class SeenTimes implements ConnectionPoolTimes {
    private final Histogram times;

    SeenTimes(Histogram times) {
        this.times = times;
    }

    @Override
    public long getCount() {
        return times.count();
    }

    @Override
    public long getSum() {
        return times.sum(TimeUnit.MICROSECONDS);
    }

    @Override
    public long getMax() {
        return times.max(TimeUnit.MICROSECONDS);
    }

    @Override
    public long getMedian() {
        return times.quantile(0.5, TimeUnit.MICROSECONDS);
    }

    @Override
    public long getQuantile95() {
        return times.quantile(0.95, TimeUnit.MICROSECONDS);
    }

    @Override
    public long getQuantile99() {
        return times.quantile(0.99, TimeUnit.MICROSECONDS);
    }
}
