package io.leasehold.micrometer;

import io.leasehold.ConnectionPool;
import io.leasehold.Counters;
import io.leasehold.Histogram;
import io.leasehold.LeaseholdManager;
import io.leasehold.Metrics;
import io.leasehold.Stats;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/**
 * Binds the numbers of a Leasehold pool, or of a manager's, to a registry.
 *
 * <p>What Micrometer's own binder for HttpClient's managers shows, {@code PoolingHttpClientConnectionManagerMetricsBinder}, is here under
 * the same names and with the same tags, so that dashboards go on working: {@code httpcomponents.httpclient.pool.total.max}, {@code
 * .total.connections} with {@code state} {@code available} and {@code leased}, {@code .total.pending} and {@code .route.max.default}, each
 * with the tag {@code httpclient}, the pool's name. Bound to one registry under one name by both, each is there once. All else is under
 * {@code leasehold.pool}, with the same tag: the project's {@code docs/operations.md} lists it.
 *
 * <p>The meters refer to the pool weakly. They are removed from the registry when the pool was {@linkplain ConnectionPool#whenEnded shut
 * down}; those of one that was collected show nothing from then on. A pool that is {@linkplain ConnectionPool#setName named} afterwards keeps
 * the tag that its meters were bound with. To read a meter takes what {@link ConnectionPool#metrics()} takes.
 */
public final class LeaseholdMetrics implements MeterBinder {
    private static final String STOCKS = "httpcomponents.httpclient.pool.";
    private static final String OURS = "leasehold.pool.";

    private final ConnectionPool<?, ?> pool;
    private final Iterable<Tag> tags;

    /**
     * Binds a manager's numbers, without tags beside its name.
     *
     * @param manager the manager
     */
    public LeaseholdMetrics(LeaseholdManager manager) {
        this(manager, Collections.emptyList());
    }

    /**
     * Binds a manager's numbers.
     *
     * @param manager the manager
     * @param tags what all meters have beside its name
     */
    public LeaseholdMetrics(LeaseholdManager manager, Iterable<Tag> tags) {
        this(manager.getPool(), tags);
    }

    /**
     * Binds a pool's numbers.
     *
     * @param pool the pool
     * @param tags what all meters have beside its name
     */
    public LeaseholdMetrics(ConnectionPool<?, ?> pool, Iterable<Tag> tags) {
        this.pool = pool;
        this.tags = tags;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        Tags all = Tags.of(tags).and("httpclient", pool.name());
        List<Meter> bound = new ArrayList<>();
        bindStocks(new Binding(registry, pool, all, bound));
        bindOurs(new Binding(registry, pool, all, bound));
        // Does not lead to the pool: meters refer to it weakly.
        pool.whenEnded(() -> bound.forEach(registry::remove));
    }

    private static void bindStocks(Binding to) {
        to.gauge(STOCKS + "total.max", Stats::max, "The configured maximum number of allowed persistent connections for all routes.");
        to.gauge(STOCKS + "total.connections", Stats::available, "The number of persistent and available connections for all routes.",
                "state", "available");
        to.gauge(STOCKS + "total.connections", Stats::leased, "The number of persistent and leased connections for all routes.",
                "state", "leased");
        to.gauge(STOCKS + "total.pending", Stats::pending,
                "The number of connection requests being blocked awaiting a free connection for all routes.");
        to.gaugeOf(STOCKS + "route.max.default", ConnectionPool::getDefaultMaxPerRoute,
                "The configured default maximum number of allowed persistent connections per route.");
    }

    private static void bindOurs(Binding to) {
        String requests = "Requests for a connection, by what has become of them";
        to.counter("requests", Metrics::hits, requests, "result", "hit");
        to.counter("requests", Metrics::handedOver, requests, "result", "handed_over");
        to.counter("requests", Metrics::openings, requests, "result", "opening");
        to.counter("requests", Metrics::timedOut, requests, "result", "timed_out");
        to.counter("requests", Metrics::cancelled, requests, "result", "cancelled");
        to.counter("requests", Metrics::refused, requests, "result", "refused");
        to.counter("waited", Metrics::waited, "Requests that had to wait, however that ended");
        to.counter("opened", Metrics::opened, "Connections that were opened");
        to.counter("unopened", Metrics::unopened, "Rights to open a connection that came to nothing");
        to.counter("kept", Metrics::kept, "Releases by which the pool, or a request that waited, got the connection");
        to.counter("leaked", Metrics::leaked, "Leases that were collected without having been ended");
        to.closed("lease", Metrics::closedByLease);
        to.closed("shutdown", Metrics::closedByShutdown);
        to.closed("peer", of(Counters::closedByPeer));
        to.closed("stale", of(Counters::stale));
        to.closed("expired", of(Counters::expired));
        to.closed("idle", of(Counters::idle));
        to.closed("evicted", of(Counters::evicted));
        to.closed("over_limit", of(Counters::overLimit));
        to.closed("cleared", of(Counters::cleared));
        to.timer("waiting", Metrics::waiting, "How long requests waited");
        to.timer("opening", Metrics::opening, "How long connections took to be opened");
        to.timer("held", Metrics::held, "How long connections were leased, where that is measured");
    }

    private static ToLongFunction<Metrics> of(ToLongFunction<Counters> number) {
        return metrics -> number.applyAsLong(metrics.closed());
    }

    /** A pool's meters as they are registered. What reads one is given the pool, and refers to none. */
    private static final class Binding {
        private final MeterRegistry registry;
        private final ConnectionPool<?, ?> pool;
        private final Tags tags;
        private final List<Meter> bound;

        Binding(MeterRegistry registry, ConnectionPool<?, ?> pool, Tags tags, List<Meter> bound) {
            this.registry = registry;
            this.pool = pool;
            this.tags = tags;
            this.bound = bound;
        }

        void gauge(String name, ToLongFunction<Stats> number, String description, String... more) {
            gaugeOf(name, pool -> number.applyAsLong(pool.stats()), description, more);
        }

        void gaugeOf(String name, ToDoubleFunction<ConnectionPool<?, ?>> number, String description, String... more) {
            bound.add(Gauge.builder(name, pool, number).description(description).tags(tags.and(more)).register(registry));
        }

        void counter(String name, ToLongFunction<Metrics> number, String description, String... more) {
            ToDoubleFunction<ConnectionPool<?, ?>> reads = pool -> number.applyAsLong(pool.metrics());
            bound.add(FunctionCounter.builder(OURS + name, pool, reads).description(description).tags(tags.and(more)).register(registry));
        }

        void closed(String cause, ToLongFunction<Metrics> number) {
            counter("closed", number, "Connections that were closed, by cause", "cause", cause);
        }

        void timer(String name, Function<Metrics, Histogram> times, String description) {
            ToLongFunction<ConnectionPool<?, ?>> count = pool -> times.apply(pool.metrics()).count();
            ToDoubleFunction<ConnectionPool<?, ?>> sum = pool -> times.apply(pool.metrics()).sum(TimeUnit.MICROSECONDS);
            bound.add(FunctionTimer.builder(OURS + name, pool, count, sum, TimeUnit.MICROSECONDS).description(description).tags(tags)
                    .register(registry));
            ToDoubleFunction<ConnectionPool<?, ?>> longest = pool -> times.apply(pool.metrics()).max(TimeUnit.MICROSECONDS);
            bound.add(TimeGauge.builder(OURS + name + ".max", pool, TimeUnit.MICROSECONDS, longest).description(description + " at most")
                    .tags(tags).register(registry));
            for (String quantile : new String[] {"0.5", "0.95", "0.99"}) {
                double part = Double.parseDouble(quantile);
                ToDoubleFunction<ConnectionPool<?, ?>> reads = pool -> times.apply(pool.metrics()).quantile(part, TimeUnit.MICROSECONDS);
                bound.add(TimeGauge.builder(OURS + name + ".quantile", pool, TimeUnit.MICROSECONDS, reads)
                        .description(description + ", by quantile, since the pool was made").tags(tags.and("quantile", quantile))
                        .register(registry));
            }
        }
    }
}
