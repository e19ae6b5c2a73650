package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Scripts.openAll;
import static io.leasehold.httpclient4.Scripts.request;
import static io.leasehold.httpclient4.Scripts.script;
import static io.leasehold.httpclient4.Scripts.sorted;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.conn.ConnectionRequest;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.conn.DefaultManagedHttpClientConnection;
import org.apache.http.impl.conn.ManagedHttpClientConnectionFactory;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.protocol.HttpCoreContext;

/** How connections are leased, kept and bound. */
final class LeaseScripts {
    private LeaseScripts() {}

    /** Adds the scripts. */
    static void add() {
        leases();
        keepAlive();
        states();
    }

    private static void leases() {
        script("lease, connect, release, lease again", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            stage.counts(manager);
            HttpClientConnection first = stage.lease(manager, a);
            stage.counts(manager, a);
            stage.act("connect", () -> manager.connect(first, a, 5000, new HttpCoreContext()));
            stage.act("route complete", () -> manager.routeComplete(first, a, new HttpCoreContext()));
            stage.play("it is", () -> first);
            stage.release(manager, first);
            stage.play("it is", () -> first);
            stage.counts(manager, a);
            HttpClientConnection second = stage.lease(manager, a);
            stage.play("same object", () -> first == second);
            stage.counts(manager, a);
            stage.release(manager, second);
            stage.countConnections();
        });
        script("released without having been opened", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            stage.release(manager, stage.lease(manager, a));
            stage.counts(manager, a);
            stage.release(manager, stage.lease(manager, a), "user", 5, TimeUnit.SECONDS);
            stage.counts(manager, a);
        });
        script("released with an incomplete route", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.lease(manager, a);
            stage.act("connect", () -> manager.connect(connection, a, 5000, new HttpCoreContext()));
            stage.release(manager, connection);
            stage.awaitEnd(0);
            stage.counts(manager, a);
            HttpClientConnection next = stage.open(manager, a);
            stage.release(manager, next);
            stage.counts(manager, a);
        });
        script("released when closed by its holder", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection closed = stage.open(manager, a);
            stage.act("close", closed::close);
            stage.awaitEnd(0);
            stage.play("it is", () -> closed);
            stage.release(manager, closed);
            stage.counts(manager, a);
            HttpClientConnection shut = stage.open(manager, a);
            stage.act("shut down", shut::shutdown);
            stage.awaitEnd(1);
            stage.release(manager, shut);
            stage.counts(manager, a);
            stage.release(manager, stage.open(manager, a));
        });
        script("released, and its timeout cannot be set", stage -> {
            AtomicBoolean fails = new AtomicBoolean();
            PoolingHttpClientConnectionManager manager = stage.manager((route, config) -> new DefaultManagedHttpClientConnection("own", 8192) {
                @Override
                public void setSocketTimeout(int timeout) {
                    if (fails.get()) {
                        throw new IllegalStateException("no timeout today");
                    }
                    super.setSocketTimeout(timeout);
                }
            }, 0, TimeUnit.SECONDS);
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.open(manager, a);
            fails.set(true);
            stage.release(manager, connection, "user", 1, TimeUnit.HOURS);
            fails.set(false);
            stage.counts(manager, a);
            stage.lease(manager, a);
            stage.lease(manager, a, "user");
        });
        script("connected twice", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.open(manager, a);
            stage.act("close", connection::close);
            stage.act("connect again", () -> manager.connect(connection, a, 5000, new HttpCoreContext()));
            stage.play("it is", () -> connection);
            stage.release(manager, connection);
            stage.counts(manager, a);
            stage.play("it is", () -> stage.lease(manager, a));
            stage.countConnections();
        });
        script("connecting after being shut down", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.lease(manager, a);
            stage.act("shut down", connection::shutdown);
            stage.act("connect", () -> manager.connect(connection, a, 5000, new HttpCoreContext()));
            stage.release(manager, connection);
            stage.counts(manager, a);
        });
        script("last in, first out", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(4);
            HttpRoute a = stage.to("a");
            List<HttpClientConnection> all = openAll(stage, manager, a, a, a, a);
            for (int i : new int[] {2, 0, 3, 1}) {
                stage.release(manager, all.get(i));
            }
            for (int i = 0; i < 4; i++) {
                stage.lease(manager, a);
            }
        });
        script("equal routes share, others do not", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpHost a = new HttpHost("a", stage.server().port());
            stage.idle(manager, new HttpRoute(a));
            HttpClientConnection shared = stage.lease(manager, new HttpRoute(new HttpHost("A", stage.server().port())));
            stage.release(manager, shared);
            stage.lease(manager, new HttpRoute(a, InetAddress.getByName("127.0.0.1"), false));
            stage.lease(manager, new HttpRoute(a, null, true));
            stage.lease(manager, new HttpRoute(a, null, new HttpHost("proxy", 1), false));
            stage.play("routes", () -> sorted(manager));
        });
        script("what a factory throws", stage -> {
            AtomicBoolean fails = new AtomicBoolean(true);
            PoolingHttpClientConnectionManager manager = stage.manager((route, config) -> {
                if (fails.get()) {
                    throw new IllegalStateException("no connection today");
                }
                return ManagedHttpClientConnectionFactory.INSTANCE.create(route, config);
            }, 0, TimeUnit.SECONDS);
            HttpRoute a = stage.to("a");
            ConnectionRequest request = request(stage, manager, a);
            stage.play("get", () -> request.get(1, TimeUnit.MILLISECONDS));
            stage.counts(manager, a);
            fails.set(false);
            stage.play("get again", () -> request.get(1, TimeUnit.MILLISECONDS));
            stage.counts(manager, a);
        });
        script("a factory that makes nothing", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager((route, config) -> null, 0, TimeUnit.SECONDS);
            stage.lease(manager, stage.to("a"));
            stage.lease(manager, stage.to("a"));
            stage.lease(manager, stage.to("a"));
            stage.counts(manager, stage.to("a"));
        });
        script("connecting fails", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            for (HttpHost host : Arrays.asList(new HttpHost("nowhere", 80), new HttpHost("a", 80, "gopher"))) {
                HttpRoute route = new HttpRoute(host);
                HttpClientConnection connection = stage.lease(manager, route);
                stage.act("connect", () -> manager.connect(connection, route, 5000, new HttpCoreContext()));
                stage.play("it is", () -> connection);
                stage.release(manager, connection);
                stage.counts(manager, route);
            }
        });
    }

    private static void keepAlive() {
        Object[][] durations = {
            {0L, TimeUnit.MILLISECONDS}, {-1L, TimeUnit.MILLISECONDS}, {-5L, TimeUnit.DAYS}, {1500L, TimeUnit.MILLISECONDS},
            {5L, TimeUnit.SECONDS}, {60L, TimeUnit.MINUTES}, {90_000_000_000L, TimeUnit.NANOSECONDS},
            {10_000L, TimeUnit.DAYS}, {Long.MIN_VALUE, TimeUnit.MILLISECONDS}, {3600L, null},
        };
        for (Object[] duration : durations) {
            script("kept alive for " + duration[0] + " " + duration[1], stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                HttpRoute a = stage.to("a");
                HttpClientConnection connection = stage.open(manager, a);
                stage.act("release", () -> manager.releaseConnection(connection, null, (Long) duration[0], (TimeUnit) duration[1]));
                stage.counts(manager, a);
                stage.act("close expired", manager::closeExpiredConnections);
                stage.counts(manager, a);
                stage.lease(manager, a);
            });
        }
        for (Object[] duration : new Object[][] {
            {Long.MAX_VALUE, TimeUnit.MILLISECONDS}, {Long.MAX_VALUE, TimeUnit.DAYS}, {Long.MAX_VALUE - 1, TimeUnit.MICROSECONDS},
            {Long.MAX_VALUE / 2, TimeUnit.MILLISECONDS}}) {
            script("kept alive for all of " + duration[0] + " " + duration[1], stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                HttpRoute a = stage.to("a");
                stage.release(manager, stage.open(manager, a), null, (Long) duration[0], (TimeUnit) duration[1]);
                stage.lease(manager, a);
                stage.counts(manager, a);
            });
        }
        script("kept alive for less than a millisecond", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            stage.release(manager, stage.open(manager, a), null, 1, TimeUnit.MICROSECONDS);
            stage.pass(80);
            stage.lease(manager, a);
        });
        script("expired, found by a lease", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            List<HttpClientConnection> two = openAll(stage, manager, a, a);
            stage.release(manager, two.get(0), null, 50, TimeUnit.MILLISECONDS);
            stage.release(manager, two.get(1), null, 1, TimeUnit.HOURS);
            stage.pass(80);
            stage.counts(manager, a);
            HttpClientConnection first = stage.lease(manager, a);
            HttpClientConnection second = stage.lease(manager, a);
            stage.awaitEnd(0);
            stage.counts(manager, a);
            stage.release(manager, first, null, 50, TimeUnit.MILLISECONDS);
            stage.release(manager, second);
            stage.pass(80);
            stage.lease(manager, a);
        });
        script("expired, all of a route", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(3);
            HttpRoute a = stage.to("a");
            for (HttpClientConnection connection : openAll(stage, manager, a, a, a)) {
                stage.release(manager, connection, null, 50, TimeUnit.MILLISECONDS);
            }
            stage.pass(80);
            stage.counts(manager, a);
            stage.lease(manager, a);
            stage.counts(manager, a);
            stage.awaitEnd(0);
            stage.awaitEnd(1);
            stage.awaitEnd(2);
        });
        script("expired, of another route", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            stage.release(manager, stage.open(manager, a), null, 50, TimeUnit.MILLISECONDS);
            stage.pass(80);
            stage.lease(manager, stage.to("b"));
            stage.counts(manager, a);
        });
        script("expired, with a state", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            stage.release(manager, stage.open(manager, a), "user", 50, TimeUnit.MILLISECONDS);
            stage.pass(80);
            stage.lease(manager, a, "other");
            stage.lease(manager, a, "user");
            stage.counts(manager, a);
        });
        script("a release renews the expiry", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            stage.release(manager, stage.open(manager, a), null, 1, TimeUnit.HOURS);
            HttpClientConnection again = stage.lease(manager, a);
            stage.release(manager, again, null, 50, TimeUnit.MILLISECONDS);
            stage.pass(80);
            stage.act("close expired", manager::closeExpiredConnections);
            stage.counts(manager, a);
        });
        script("time to live", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager(null, 300, TimeUnit.MILLISECONDS);
            HttpRoute a = stage.to("a");
            stage.release(manager, stage.open(manager, a), null, 1, TimeUnit.HOURS);
            stage.release(manager, stage.lease(manager, a));
            stage.pass(400);
            stage.lease(manager, a);
            stage.counts(manager, a);
        });
        script("time to live ends while leased", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager(null, 20, TimeUnit.MILLISECONDS);
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.open(manager, a);
            stage.pass(50);
            stage.release(manager, connection, null, 1, TimeUnit.HOURS);
            stage.counts(manager, a);
            stage.act("close expired", manager::closeExpiredConnections);
            stage.counts(manager, a);
        });
        for (long timeToLive : new long[] {0, -1, Long.MIN_VALUE, Long.MAX_VALUE}) {
            script("time to live " + timeToLive, stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager(null, timeToLive, TimeUnit.MILLISECONDS);
                HttpRoute a = stage.to("a");
                stage.idle(manager, a);
                stage.act("close expired", manager::closeExpiredConnections);
                stage.lease(manager, a);
                stage.counts(manager, a);
            });
        }
    }

    private static void states() {
        script("states: equal, other, none", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(5);
            HttpRoute a = stage.to("a");
            List<HttpClientConnection> all = openAll(stage, manager, a, a, a);
            stage.release(manager, all.get(0), "x", 0, TimeUnit.SECONDS);
            stage.release(manager, all.get(1), "y", 0, TimeUnit.SECONDS);
            stage.release(manager, all.get(2), null, 0, TimeUnit.SECONDS);
            stage.counts(manager, a);
            HttpClientConnection y = stage.lease(manager, a, new String("y"));
            HttpClientConnection x = stage.lease(manager, a, "x");
            HttpClientConnection none = stage.lease(manager, a);
            stage.lease(manager, a);
            stage.release(manager, none, null, 0, TimeUnit.SECONDS);
            stage.lease(manager, a, "z");
            stage.release(manager, x, "x", 0, TimeUnit.SECONDS);
            stage.release(manager, y, "x", 0, TimeUnit.SECONDS);
            stage.lease(manager, a, "x");
            stage.counts(manager, a);
        });
        script("states: equal before none, whatever the order", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(5);
            HttpRoute a = stage.to("a");
            List<HttpClientConnection> all = openAll(stage, manager, a, a, a);
            stage.release(manager, all.get(0), "x", 0, TimeUnit.SECONDS);
            stage.release(manager, all.get(1));
            stage.release(manager, all.get(2));
            stage.lease(manager, a, "x");
            stage.lease(manager, a, "x");
            stage.lease(manager, a);
            stage.counts(manager, a);
        });
        script("states: a full route gives up the wrong ones", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            List<HttpClientConnection> all = openAll(stage, manager, a, a);
            stage.release(manager, all.get(0), "x", 0, TimeUnit.SECONDS);
            stage.release(manager, all.get(1), "y", 0, TimeUnit.SECONDS);
            stage.lease(manager, a);
            stage.awaitEnd(0);
            stage.counts(manager, a);
            stage.lease(manager, a, "z");
            stage.awaitEnd(1);
            stage.counts(manager, a);
            stage.lease(manager, a, "z");
        });
        script("states: taken off by a release without one", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            stage.release(manager, stage.open(manager, a), "x", 0, TimeUnit.SECONDS);
            stage.release(manager, stage.lease(manager, a, "x"));
            stage.lease(manager, a);
            stage.counts(manager, a);
        });
        script("states: compared by equals", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(9);
            HttpRoute a = stage.to("a");
            List<HttpClientConnection> all = openAll(stage, manager, a, a, a);
            stage.release(manager, all.get(0), Arrays.asList("x", 1), 0, TimeUnit.SECONDS);
            stage.release(manager, all.get(1), 7L, 0, TimeUnit.SECONDS);
            stage.release(manager, all.get(2), "", 0, TimeUnit.SECONDS);
            stage.lease(manager, a, Arrays.asList("x", 1));
            stage.lease(manager, a, 7);
            stage.lease(manager, a, 7L);
            stage.lease(manager, a, "");
        });
    }
}
