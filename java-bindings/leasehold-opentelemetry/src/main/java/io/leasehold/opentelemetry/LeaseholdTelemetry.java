package io.leasehold.opentelemetry;

import io.leasehold.Cause;
import io.leasehold.CloseListener;
import io.leasehold.ConnectionPool;
import io.leasehold.LeaseholdManager;
import io.leasehold.Metrics;
import io.leasehold.Stats;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.BatchCallback;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.metrics.ObservableLongMeasurement;
import java.lang.ref.WeakReference;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/**
 * Gives OpenTelemetry the numbers of a Leasehold pool, or of a manager's.
 *
 * <p>By the semantic conventions for HTTP clients: {@code http.client.open_connections}, with {@code http.connection.state} {@code active}
 * and {@code idle}, and {@code http.client.connection.duration}, how long connections were open that were closed since. All else is under
 * {@code leasehold.pool}: the project's {@code docs/operations.md} lists it. Everything has the attribute {@code leasehold.pool.name}, the
 * name that the pool had when it was registered; {@code server.address} and {@code server.port} are there where {@link #perRoute} asks for
 * them.
 *
 * <p>The instruments refer to the pool weakly. Their callback is closed when the pool was {@linkplain ConnectionPool#whenEnded shut down or
 * collected}. To read them takes what {@link ConnectionPool#metrics()} takes, and where export per route is on what {@link
 * ConnectionPool#stats(Object)} takes for each route.
 */
public final class LeaseholdTelemetry {
    private static final String OURS = "leasehold.pool.";
    private static final AttributeKey<String> NAME = AttributeKey.stringKey(OURS + "name");
    private static final AttributeKey<String> STATE = AttributeKey.stringKey("http.connection.state");
    private static final AttributeKey<String> RESULT = AttributeKey.stringKey("result");
    private static final AttributeKey<String> CAUSE = AttributeKey.stringKey("cause");
    private static final AttributeKey<String> ADDRESS = AttributeKey.stringKey("server.address");
    private static final AttributeKey<Long> PORT = AttributeKey.longKey("server.port");
    /** In seconds, as the conventions have them. */
    private static final List<Double> BOUNDARIES =
            Collections.unmodifiableList(Arrays.asList(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0));

    private final ConnectionPool<?, ?> pool;
    private final int mostRoutes;
    private final Function<Object, InetSocketAddress> server;

    /**
     * Of a manager, without export per route.
     *
     * @param manager the manager
     */
    public LeaseholdTelemetry(LeaseholdManager manager) {
        this(manager.getPool());
    }

    /**
     * Of a pool, without export per route.
     *
     * @param pool the pool
     */
    public LeaseholdTelemetry(ConnectionPool<?, ?> pool) {
        this(pool, 0, null);
    }

    private LeaseholdTelemetry(ConnectionPool<?, ?> pool, int mostRoutes, Function<Object, InetSocketAddress> server) {
        this.pool = pool;
        this.mostRoutes = mostRoutes;
        this.server = server;
    }

    /**
     * The same with export per route: connections have the attributes {@code server.address} and {@code server.port}.
     *
     * @param most how many servers are told apart, those that are met first; the connections to all others have neither attribute
     * @param server a route's server, which need not be {@linkplain InetSocketAddress#createUnresolved resolved}; null for a route that is
     *     not to be told apart. Called on the threads that read and that close; must not lead to the pool, nor wait for anything. What it
     *     throws stands for null
     * @return another one
     * @throws IllegalArgumentException if {@code most} is negative, or {@code server} null
     */
    public LeaseholdTelemetry perRoute(int most, Function<Object, InetSocketAddress> server) {
        if (most < 0 || server == null) {
            throw new IllegalArgumentException("most must not be negative and server not null: " + most + ", " + server);
        }
        return new LeaseholdTelemetry(pool, most, server);
    }

    /**
     * Registers the instruments.
     *
     * @param openTelemetry where
     * @return what takes them out again; not needed where the pool is shut down or given up
     */
    public Registration register(OpenTelemetry openTelemetry) {
        Meter meter = openTelemetry.getMeterProvider().get("io.leasehold");
        Servers servers = new Servers(Attributes.of(NAME, pool.name()), mostRoutes, server);
        Duration duration = new Duration(meter.histogramBuilder("http.client.connection.duration").setUnit("s")
                .setDescription("The duration of the successfully established outbound HTTP connections.")
                .setExplicitBucketBoundariesAdvice(BOUNDARIES).build(), servers);
        Ending ending = new Ending(new Reading(meter, pool, servers).begin());
        pool.addCloseListener(duration);
        // Does not lead to the pool: the callback refers to it weakly.
        pool.whenEnded(ending);
        return new Registration(ending, pool, duration);
    }

    /** What was registered for a pool. */
    public static final class Registration implements AutoCloseable {
        private final Ending ending;
        private final WeakReference<ConnectionPool<?, ?>> pool;
        private final Duration duration;

        private Registration(Ending ending, ConnectionPool<?, ?> pool, Duration duration) {
            this.ending = ending;
            this.pool = new WeakReference<>(pool);
            this.duration = duration;
        }

        /** Takes it out. No number changes from then on. Does nothing when it was done before. */
        @Override
        public void close() {
            ending.run();
            ConnectionPool<?, ?> present = pool.get();
            if (present != null) {
                present.removeCloseListener(duration);
            }
        }
    }

    /** Closes the callback, once: OpenTelemetry warns of a second time. */
    private static final class Ending implements Runnable {
        private final BatchCallback callback;
        private final AtomicBoolean isOver = new AtomicBoolean();

        Ending(BatchCallback callback) {
            this.callback = callback;
        }

        @Override
        public void run() {
            if (isOver.compareAndSet(false, true)) {
                callback.close();
            }
        }
    }

    /** How long connections were open. */
    private static final class Duration implements CloseListener<Object> {
        private final DoubleHistogram histogram;
        private final Servers servers;

        Duration(DoubleHistogram histogram, Servers servers) {
            this.histogram = histogram;
            this.servers = servers;
        }

        @Override
        public void closed(Object route, Cause cause, long ageMillis, long uses) {
            histogram.record(ageMillis / (double) TimeUnit.SECONDS.toMillis(1), servers.of(route));
        }
    }

    /** The attributes of a pool's connections. */
    private static final class Servers {
        private final Attributes ofPool;
        private final int most;
        private final Function<Object, InetSocketAddress> server;
        // ----- guarded by this object's monitor -----
        private final Map<InetSocketAddress, Attributes> known = new HashMap<>();

        Servers(Attributes ofPool, int most, Function<Object, InetSocketAddress> server) {
            this.ofPool = ofPool;
            this.most = most;
            this.server = server;
        }

        Attributes ofPool() {
            return ofPool;
        }

        Attributes of(Object route) {
            InetSocketAddress address = addressOf(route);
            if (address == null) {
                return ofPool;
            }
            synchronized (this) {
                Attributes found = known.get(address);
                if (found == null && known.size() < most) {
                    found = ofPool.toBuilder().put(ADDRESS, address.getHostString()).put(PORT, (long) address.getPort()).build();
                    known.put(address, found);
                }
                return found == null ? ofPool : found;
            }
        }

        private InetSocketAddress addressOf(Object route) {
            try {
                return server == null ? null : server.apply(route);
            } catch (RuntimeException e) {
                return null;
            }
        }
    }

    /** What is read at each collection. Refers to the pool weakly. */
    private static final class Reading {
        private final Meter meter;
        private final WeakReference<ConnectionPool<?, ?>> pool;
        private final Servers servers;
        private final ObservableLongMeasurement connections;
        private final ObservableLongMeasurement pending;
        private final ObservableLongMeasurement max;
        private final ObservableLongMeasurement requests;
        private final ObservableLongMeasurement waited;
        private final ObservableLongMeasurement opened;
        private final ObservableLongMeasurement unopened;
        private final ObservableLongMeasurement kept;
        private final ObservableLongMeasurement leaked;
        private final ObservableLongMeasurement closed;

        Reading(Meter meter, ConnectionPool<?, ?> pool, Servers servers) {
            this.meter = meter;
            this.pool = new WeakReference<>(pool);
            this.servers = servers;
            connections = level("http.client.open_connections", "{connection}",
                    "Number of outbound HTTP connections that are currently active or idle on the client.");
            pending = level(OURS + "pending", "{request}", "Requests that wait for a connection");
            max = level(OURS + "max", "{connection}", "How many connections the pool may have");
            requests = count("requests", "{request}", "Requests for a connection, by what has become of them");
            waited = count("waited", "{request}", "Requests that had to wait, however that ended");
            opened = count("opened", "{connection}", "Connections that were opened");
            unopened = count("unopened", "{connection}", "Rights to open a connection that came to nothing");
            kept = count("kept", "{connection}", "Releases by which the pool, or a request that waited, got the connection");
            leaked = count("leaked", "{lease}", "Leases that were collected without having been ended");
            closed = count("closed", "{connection}", "Connections that were closed, by cause");
        }

        private ObservableLongMeasurement level(String name, String unit, String description) {
            return meter.upDownCounterBuilder(name).setUnit(unit).setDescription(description).buildObserver();
        }

        private ObservableLongMeasurement count(String name, String unit, String description) {
            return meter.counterBuilder(OURS + name).setUnit(unit).setDescription(description).buildObserver();
        }

        BatchCallback begin() {
            return meter.batchCallback(this::read, connections, pending, max, requests, waited, opened, unopened, kept, leaked, closed);
        }

        private void read() {
            ConnectionPool<?, ?> present = pool.get();
            if (present != null) {
                readConnections(present);
                readCounts(present.metrics());
            }
        }

        private <R> void readConnections(ConnectionPool<R, ?> present) {
            Attributes ofPool = servers.ofPool();
            Stats total = present.stats();
            pending.record(total.pending(), ofPool);
            max.record(total.max(), ofPool);
            // Those of the routes that are not told apart are one.
            Map<Attributes, long[]> numbers = new HashMap<>();
            if (servers.server == null) {
                numbers.put(ofPool, new long[] {total.leased(), total.available()});
            } else {
                for (R route : present.routes()) {
                    Stats stats = present.stats(route);
                    long[] sums = numbers.computeIfAbsent(servers.of(route), key -> new long[2]);
                    sums[0] += stats.leased();
                    sums[1] += stats.available();
                }
            }
            numbers.forEach((attributes, sums) -> {
                connections.record(sums[0], attributes.toBuilder().put(STATE, "active").build());
                connections.record(sums[1], attributes.toBuilder().put(STATE, "idle").build());
            });
        }

        private void readCounts(Metrics metrics) {
            Attributes ofPool = servers.ofPool();
            record(requests, RESULT, "hit", metrics.hits());
            record(requests, RESULT, "handed_over", metrics.handedOver());
            record(requests, RESULT, "opening", metrics.openings());
            record(requests, RESULT, "timed_out", metrics.timedOut());
            record(requests, RESULT, "cancelled", metrics.cancelled());
            record(requests, RESULT, "refused", metrics.refused());
            waited.record(metrics.waited(), ofPool);
            opened.record(metrics.opened(), ofPool);
            unopened.record(metrics.unopened(), ofPool);
            kept.record(metrics.kept(), ofPool);
            leaked.record(metrics.leaked(), ofPool);
            record(closed, CAUSE, "lease", metrics.closedByLease());
            record(closed, CAUSE, "shutdown", metrics.closedByShutdown());
            record(closed, CAUSE, "peer", metrics.closed().closedByPeer());
            record(closed, CAUSE, "stale", metrics.closed().stale());
            record(closed, CAUSE, "expired", metrics.closed().expired());
            record(closed, CAUSE, "idle", metrics.closed().idle());
            record(closed, CAUSE, "evicted", metrics.closed().evicted());
            record(closed, CAUSE, "over_limit", metrics.closed().overLimit());
            record(closed, CAUSE, "cleared", metrics.closed().cleared());
        }

        private void record(ObservableLongMeasurement measurement, AttributeKey<String> key, String value, long number) {
            measurement.record(number, servers.ofPool().toBuilder().put(key, value).build());
        }
    }
}
