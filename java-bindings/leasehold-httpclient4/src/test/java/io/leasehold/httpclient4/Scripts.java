package io.leasehold.httpclient4;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.Script;
import io.leasehold.testsupport.ScriptStage.Pending;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpHost;
import org.apache.http.HttpRequest;
import org.apache.http.HttpResponse;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.client.methods.HttpHead;
import org.apache.http.client.methods.HttpPost;
import org.apache.http.config.ConnectionConfig;
import org.apache.http.config.Registry;
import org.apache.http.config.SocketConfig;
import org.apache.http.conn.ConnectionRequest;
import org.apache.http.conn.DnsResolver;
import org.apache.http.conn.HttpClientConnectionOperator;
import org.apache.http.conn.HttpConnectionFactory;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.SchemePortResolver;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.entity.StringEntity;
import org.apache.http.impl.DefaultBHttpClientConnection;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.conn.ManagedHttpClientConnectionFactory;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.protocol.HttpContext;
import org.apache.http.protocol.HttpCoreContext;
import org.apache.http.protocol.HttpRequestExecutor;
import org.apache.http.util.EntityUtils;

/** What is played on both sides. Written against 4.5's own types alone. */
final class Scripts {
    private static final Map<String, Script<Stage>> ALL = new LinkedHashMap<>();

    private Scripts() {}

    static Map<String, Script<Stage>> all() {
        return ALL;
    }

    private static void script(String name, Script<Stage> script) {
        if (ALL.put(name, script) != null) {
            throw new IllegalArgumentException("two scripts are called " + name);
        }
    }

    static {
        leases();
        keepAlive();
        states();
        limits();
        waiting();
        cancelling();
        misuse();
        closing();
        shutdown();
        views();
        configuration();
        validation();
        requests();
        routes();
        construction();
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
            stage.pass(30);
            stage.lease(manager, a);
        });
        script("expired, found by a lease", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            List<HttpClientConnection> two = openAll(stage, manager, a, a);
            stage.release(manager, two.get(0), null, 1, TimeUnit.MILLISECONDS);
            stage.release(manager, two.get(1), null, 1, TimeUnit.HOURS);
            stage.pass(30);
            stage.counts(manager, a);
            HttpClientConnection first = stage.lease(manager, a);
            HttpClientConnection second = stage.lease(manager, a);
            stage.awaitEnd(0);
            stage.counts(manager, a);
            stage.release(manager, first, null, 1, TimeUnit.MILLISECONDS);
            stage.release(manager, second);
            stage.pass(30);
            stage.lease(manager, a);
        });
        script("expired, all of a route", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(3);
            HttpRoute a = stage.to("a");
            for (HttpClientConnection connection : openAll(stage, manager, a, a, a)) {
                stage.release(manager, connection, null, 1, TimeUnit.MILLISECONDS);
            }
            stage.pass(30);
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
            stage.release(manager, stage.open(manager, a), null, 1, TimeUnit.MILLISECONDS);
            stage.pass(30);
            stage.lease(manager, stage.to("b"));
            stage.counts(manager, a);
        });
        script("expired, with a state", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            stage.release(manager, stage.open(manager, a), "user", 1, TimeUnit.MILLISECONDS);
            stage.pass(30);
            stage.lease(manager, a, "other");
            stage.lease(manager, a, "user");
            stage.counts(manager, a);
        });
        script("a release renews the expiry", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            stage.release(manager, stage.open(manager, a), null, 1, TimeUnit.HOURS);
            HttpClientConnection again = stage.lease(manager, a);
            stage.release(manager, again, null, 1, TimeUnit.MILLISECONDS);
            stage.pass(30);
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

    private static void limits() {
        script("limits: two per route, twenty in all", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            stage.play("total", manager::getMaxTotal);
            stage.play("per route", manager::getDefaultMaxPerRoute);
            stage.play("of a route", () -> manager.getMaxPerRoute(stage.to("a")));
            openAll(stage, manager, stage.to("a"), stage.to("a"), stage.to("a"));
            manager.setMaxTotal(3);
            openAll(stage, manager, stage.to("b"), stage.to("b"));
            stage.counts(manager, stage.to("a"), stage.to("b"));
        });
        for (int limit : new int[] {0, -1, Integer.MIN_VALUE, 1, Integer.MAX_VALUE}) {
            script("limits: set to " + limit, stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                HttpRoute a = stage.to("a");
                stage.act("total", () -> manager.setMaxTotal(limit));
                stage.act("per route", () -> manager.setDefaultMaxPerRoute(limit));
                stage.play("total", manager::getMaxTotal);
                stage.play("per route", manager::getDefaultMaxPerRoute);
                stage.lease(manager, a);
                stage.counts(manager, a);
            });
        }
        script("limits: of one route", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            stage.act("one", () -> manager.setMaxPerRoute(a, 1));
            stage.play("of a", () -> manager.getMaxPerRoute(a));
            stage.play("of b", () -> manager.getMaxPerRoute(stage.to("b")));
            HttpClientConnection only = stage.open(manager, a);
            stage.lease(manager, a);
            stage.act("three", () -> manager.setMaxPerRoute(a, 3));
            openAll(stage, manager, a, a, a);
            stage.release(manager, only);
            stage.act("default of four", () -> manager.setDefaultMaxPerRoute(4));
            stage.play("of a", () -> manager.getMaxPerRoute(a));
            stage.counts(manager, a, stage.to("b"));
        });
        script("limits: no connection for one route", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            stage.act("none", () -> manager.setMaxPerRoute(a, 0));
            stage.play("of a", () -> manager.getMaxPerRoute(a));
            stage.lease(manager, a);
            stage.counts(manager, a);
        });
        for (int limit : new int[] {-1, -7, Integer.MAX_VALUE}) {
            script("limits: of one route set to " + limit, stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                HttpRoute a = stage.to("a");
                stage.act("set", () -> manager.setMaxPerRoute(a, 5));
                stage.act("set", () -> manager.setMaxPerRoute(a, limit));
                stage.play("of a", () -> manager.getMaxPerRoute(a));
                stage.act("default", () -> manager.setDefaultMaxPerRoute(1));
                stage.play("of a", () -> manager.getMaxPerRoute(a));
                openAll(stage, manager, a, a);
            });
        }
        script("limits: a full pool closes what was idle longest", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setMaxTotal(3);
            HttpRoute a = stage.to("a");
            HttpRoute b = stage.to("b");
            List<HttpClientConnection> all = openAll(stage, manager, a, b, a);
            stage.release(manager, all.get(1));
            stage.release(manager, all.get(0));
            stage.release(manager, all.get(2));
            stage.lease(manager, stage.to("c"));
            stage.awaitEnd(1);
            stage.lease(manager, stage.to("d"));
            stage.awaitEnd(0);
            stage.counts(manager, a, b);
            stage.lease(manager, a);
            stage.lease(manager, stage.to("e"));
            stage.counts(manager);
        });
        script("limits: total lowered while connections are idle", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(6);
            HttpRoute a = stage.to("a");
            for (HttpClientConnection connection : openAll(stage, manager, a, a, a, a, a, a)) {
                stage.release(manager, connection);
            }
            stage.act("total of two", () -> manager.setMaxTotal(2));
            stage.counts(manager, a);
            stage.lease(manager, a);
            stage.counts(manager, a);
            stage.lease(manager, a);
            stage.lease(manager, a);
            stage.counts(manager, a);
        });
        script("limits: of a route lowered while connections are idle", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(4);
            HttpRoute a = stage.to("a");
            for (HttpClientConnection connection : openAll(stage, manager, a, a, a, a)) {
                stage.release(manager, connection);
            }
            stage.act("two", () -> manager.setMaxPerRoute(a, 2));
            stage.counts(manager, a);
            stage.lease(manager, a, "user");
            stage.counts(manager, a);
        });
        script("limits: lowered while connections are leased", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(3);
            HttpRoute a = stage.to("a");
            List<HttpClientConnection> all = openAll(stage, manager, a, a, a);
            stage.act("one per route", () -> manager.setDefaultMaxPerRoute(1));
            stage.release(manager, all.get(0));
            stage.counts(manager, a);
            stage.lease(manager, a);
            stage.release(manager, all.get(1));
            stage.release(manager, all.get(2));
            stage.counts(manager, a);
        });
        script("limits: raised while one waits", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            manager.setMaxPerRoute(a, 1);
            HttpClientConnection held = stage.open(manager, a);
            Pending<HttpClientConnection> waiter = waiter(stage, manager, a).untilItWaits();
            stage.act("raise", () -> {
                manager.setMaxPerRoute(a, 2);
                if (manager.getTotalStats().getPending() == 0) {
                    Eventually.await("the waiter goes on", waiter::isDone);
                }
            });
            waiter.endAfter("release", () -> manager.releaseConnection(held, null, 0, TimeUnit.SECONDS));
            stage.counts(manager, a);
        });
    }

    private static void waiting() {
        script("waiting: in vain", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(1);
            HttpRoute a = stage.to("a");
            stage.open(manager, a);
            stage.lease(manager, a);
            stage.play("with 20 ms", () -> manager.requestConnection(a, null).get(20, TimeUnit.MILLISECONDS));
            stage.play("with 1 µs", () -> manager.requestConnection(a, null).get(1, TimeUnit.MICROSECONDS));
            stage.counts(manager, a);
        });
        script("waiting: get again after a timeout", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(1);
            HttpRoute a = stage.to("a");
            HttpClientConnection held = stage.open(manager, a);
            ConnectionRequest request = request(stage, manager, a);
            stage.play("get", () -> request.get(5, TimeUnit.MILLISECONDS));
            stage.play("get", () -> request.get(5, TimeUnit.MILLISECONDS));
            stage.release(manager, held);
            HttpClientConnection got = stage.play("get", () -> request.get(5, TimeUnit.MILLISECONDS));
            stage.counts(manager, a);
            if (got != null) {
                stage.release(manager, got);
            }
            stage.play("cancel", request::cancel);
            stage.counts(manager, a);
        });
        script("waiting: get twice", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            ConnectionRequest request = request(stage, manager, a);
            HttpClientConnection first = stage.play("get", () -> request.get(5, TimeUnit.MILLISECONDS));
            HttpClientConnection second = stage.play("get", () -> request.get(5, TimeUnit.MILLISECONDS));
            stage.play("same object", () -> first == second);
            stage.counts(manager, a);
            stage.release(manager, first);
            stage.counts(manager, a);
            stage.play("the second is", () -> second);
            stage.release(manager, second);
            stage.counts(manager, a);
            stage.play("get", () -> request.get(5, TimeUnit.MILLISECONDS));
            stage.counts(manager, a);
        });
        script("waiting: a request that nobody asks holds nothing", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(1);
            HttpRoute a = stage.to("a");
            request(stage, manager, a);
            stage.counts(manager, a);
            stage.lease(manager, a);
        });
        for (long timeout : new long[] {0, -1, Long.MIN_VALUE, 3_600_000, 100L * 365 * 24 * 3_600_000}) {
            script("waiting: for a release, " + timeout + " ms", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                manager.setDefaultMaxPerRoute(1);
                HttpRoute a = stage.to("a");
                HttpClientConnection held = stage.open(manager, a);
                Pending<HttpClientConnection> waiter =
                        stage.start("waiter", () -> manager.requestConnection(a, null).get(timeout, TimeUnit.MILLISECONDS)).untilItWaits();
                stage.counts(manager, a);
                HttpClientConnection served =
                        waiter.endAfter("release", () -> manager.releaseConnection(held, null, 0, TimeUnit.SECONDS));
                stage.counts(manager, a);
                stage.release(manager, served);
            });
        }
        script("waiting: with the longest timeout there is", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(1);
            HttpRoute a = stage.to("a");
            HttpClientConnection held = stage.open(manager, a);
            Pending<HttpClientConnection> waiter =
                    stage.start("waiter", () -> manager.requestConnection(a, null).get(Long.MAX_VALUE, TimeUnit.MILLISECONDS));
            Eventually.await("wait or end", () -> waiter.isDone() || manager.getStats(a).getPending() == 1);
            waiter.endAfter("release", () -> manager.releaseConnection(held, null, 0, TimeUnit.SECONDS));
        });
        script("waiting: for a release that discards", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(1);
            HttpRoute a = stage.to("a");
            HttpClientConnection held = stage.open(manager, a);
            Pending<HttpClientConnection> waiter = waiter(stage, manager, a).untilItWaits();
            stage.act("close", held::close);
            waiter.endAfter("release", () -> manager.releaseConnection(held, null, 0, TimeUnit.SECONDS));
            stage.counts(manager, a);
        });
        script("waiting: for a release with another state", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(1);
            HttpRoute a = stage.to("a");
            HttpClientConnection held = stage.open(manager, a);
            Pending<HttpClientConnection> waiter = waiter(stage, manager, a).untilItWaits();
            waiter.endAfter("release", () -> manager.releaseConnection(held, "user", 0, TimeUnit.SECONDS));
            stage.awaitEnd(0);
            stage.counts(manager, a);
        });
        script("waiting: for another route's connection", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setMaxTotal(1);
            HttpRoute a = stage.to("a");
            HttpRoute b = stage.to("b");
            HttpClientConnection held = stage.open(manager, a);
            Pending<HttpClientConnection> waiter = waiter(stage, manager, b).untilItWaits();
            stage.counts(manager, a, b);
            waiter.endAfter("release", () -> manager.releaseConnection(held, null, 0, TimeUnit.SECONDS));
            stage.awaitEnd(0);
            stage.counts(manager, a, b);
        });
        script("waiting: one whose route is full holds nobody up", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(1);
            HttpRoute a = stage.to("a");
            HttpClientConnection held = stage.open(manager, a);
            Pending<HttpClientConnection> waiter = waiter(stage, manager, a).untilItWaits();
            HttpClientConnection b = stage.open(manager, stage.to("b"));
            stage.release(manager, b);
            waiter.endAfter("release", () -> manager.releaseConnection(held, null, 0, TimeUnit.SECONDS));
        });
        script("waiting: interrupted", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(1);
            HttpRoute a = stage.to("a");
            HttpClientConnection held = stage.open(manager, a);
            ConnectionRequest request = request(stage, manager, a);
            Pending<?> waiter = stage.start("waiter", () -> {
                try {
                    return request.get(0, TimeUnit.SECONDS);
                } catch (InterruptedException e) {
                    return e.getClass() + ", flag " + Thread.currentThread().isInterrupted();
                }
            }).untilItWaits();
            waiter.endAfter("interrupt", waiter::interrupt);
            stage.counts(manager, a);
            stage.release(manager, held);
            stage.play("get again", () -> request.get(5, TimeUnit.MILLISECONDS));
            stage.counts(manager, a);
        });
        script("waiting: interrupted before", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(1);
            HttpRoute a = stage.to("a");
            Thread.currentThread().interrupt();
            HttpClientConnection first = stage.lease(manager, a);
            stage.play("flag", Thread::interrupted);
            Thread.currentThread().interrupt();
            stage.play("with a wait", () -> {
                try {
                    return manager.requestConnection(a, null).get(0, TimeUnit.MILLISECONDS);
                } catch (InterruptedException e) {
                    return e.getClass();
                }
            });
            stage.play("flag", Thread::interrupted);
            Thread.currentThread().interrupt();
            stage.release(manager, first);
            stage.play("flag", Thread::interrupted);
            stage.counts(manager, a);
        });
        script("waiting: a client's request", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(1);
            HttpRoute a = stage.to("a");
            HttpClientConnection held = stage.open(manager, a);
            CloseableHttpClient impatient = stage.builder(manager)
                    .setDefaultRequestConfig(RequestConfig.custom().setConnectionRequestTimeout(20).build()).build();
            stage.get(impatient, "/ok");
            Pending<?> waiter = stage.start("waiter", () -> {
                try (CloseableHttpResponse response = stage.client(manager).execute(new HttpGet("http://a:" + stage.server().port() + "/ok"))) {
                    return EntityUtils.toString(response.getEntity());
                }
            }).untilItWaits();
            waiter.endAfter("release", () -> manager.releaseConnection(held, null, 0, TimeUnit.SECONDS));
            stage.counts(manager, a);
        });
        script("waiting: a client's request, interrupted", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(1);
            HttpRoute a = stage.to("a");
            stage.open(manager, a);
            Pending<?> waiter = stage.start("waiter", () -> {
                try {
                    return stage.client(manager).execute(new HttpGet("http://a:" + stage.server().port() + "/ok"));
                } catch (IOException e) {
                    return e + ", flag " + Thread.currentThread().isInterrupted();
                }
            }).untilItWaits();
            waiter.endAfter("interrupt", waiter::interrupt);
            stage.counts(manager, a);
        });
    }

    private static void cancelling() {
        script("cancel: before", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            ConnectionRequest request = request(stage, manager, a);
            stage.play("cancel", request::cancel);
            stage.play("cancel", request::cancel);
            stage.play("get", () -> request.get(5, TimeUnit.MILLISECONDS));
            stage.play("get", () -> request.get(5, TimeUnit.MILLISECONDS));
            stage.counts(manager, a);
        });
        script("cancel: while waiting", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(1);
            HttpRoute a = stage.to("a");
            HttpClientConnection held = stage.open(manager, a);
            ConnectionRequest request = request(stage, manager, a);
            Pending<HttpClientConnection> waiter = stage.start("waiter", () -> request.get(0, TimeUnit.SECONDS)).untilItWaits();
            waiter.endAfter("cancel", request::cancel);
            stage.play("cancel", request::cancel);
            stage.counts(manager, a);
            stage.play("get", () -> request.get(5, TimeUnit.MILLISECONDS));
            stage.release(manager, held);
            stage.lease(manager, a);
        });
        script("cancel: while another waits too", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(1);
            HttpRoute a = stage.to("a");
            HttpClientConnection held = stage.open(manager, a);
            ConnectionRequest request = request(stage, manager, a);
            Pending<HttpClientConnection> first = stage.start("first", () -> request.get(0, TimeUnit.SECONDS)).untilItWaits();
            Pending<HttpClientConnection> second = waiter(stage, manager, a).untilItWaits();
            first.endAfter("cancel", request::cancel);
            second.endAfter("release", () -> manager.releaseConnection(held, null, 0, TimeUnit.SECONDS));
        });
        script("cancel: after", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            ConnectionRequest request = request(stage, manager, a);
            HttpClientConnection connection = stage.play("get", () -> request.get(5, TimeUnit.MILLISECONDS));
            stage.play("cancel", request::cancel);
            stage.play("it is", () -> connection);
            stage.counts(manager, a);
            stage.release(manager, connection);
            stage.play("cancel", request::cancel);
        });
        script("cancel: after a timeout", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(1);
            HttpRoute a = stage.to("a");
            stage.open(manager, a);
            ConnectionRequest request = request(stage, manager, a);
            stage.play("get", () -> request.get(5, TimeUnit.MILLISECONDS));
            stage.play("cancel", request::cancel);
            stage.play("get", () -> request.get(5, TimeUnit.MILLISECONDS));
        });
        script("cancel: after shut down", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            ConnectionRequest request = request(stage, manager, stage.to("a"));
            stage.act("shut down", manager::shutdown);
            stage.play("cancel", request::cancel);
            stage.play("get", () -> request.get(5, TimeUnit.MILLISECONDS));
        });
        script("cancel: a client's request that waits", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(1);
            stage.open(manager, stage.to("a"));
            HttpGet get = new HttpGet("http://a:" + stage.server().port() + "/ok");
            Pending<?> waiter = stage.start("waiter", () -> stage.client(manager).execute(get)).untilItWaits();
            waiter.endAfter("abort", get::abort);
            stage.counts(manager, stage.to("a"));
        });
        script("cancel: a client's request that is under way", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpGet get = new HttpGet("http://a:" + stage.server().port() + "/slow");
            Pending<?> waiter = stage.start("request", () -> {
                try {
                    return stage.client(manager).execute(get);
                } catch (IOException e) {
                    // Which one depends on whether it has begun to read.
                    return "aborted";
                }
            });
            Eventually.await("the request at the server", () -> stage.server().peers().stream().anyMatch(peer -> peer.requests() == 1));
            waiter.endAfter("abort", get::abort);
            // Again, should the server not have come to waiting for it.
            Eventually.await("the connection's end", () -> {
                stage.server().proceed();
                return stage.server().peers().get(0).hasEnded();
            });
            stage.counts(manager, stage.to("a"));
            stage.get(stage.client(manager), "/ok");
        });
        script("cancel: a response that is being read", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpGet get = new HttpGet("http://a:" + stage.server().port() + "/big");
            CloseableHttpResponse response = stage.client(manager).execute(get);
            stage.act("abort", get::abort);
            stage.counts(manager, stage.to("a"));
            stage.act("close", response::close);
            stage.get(stage.client(manager), "/ok");
        });
    }

    private static void misuse() {
        script("misuse: released twice", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.open(manager, a);
            stage.release(manager, connection);
            stage.release(manager, connection);
            stage.release(manager, connection, "user", 5, TimeUnit.SECONDS);
            stage.counts(manager, a);
            HttpClientConnection next = stage.lease(manager, a);
            stage.release(manager, connection);
            stage.play("it is", () -> next);
            stage.counts(manager, a);
        });
        script("misuse: another manager's connection", stage -> {
            PoolingHttpClientConnectionManager owner = stage.manager();
            PoolingHttpClientConnectionManager other = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.open(owner, a);
            stage.release(other, connection);
            stage.play("it is", () -> connection);
            stage.counts(owner, a);
            stage.counts(other, a);
            stage.release(owner, connection);
            stage.counts(owner, a);
        });
        script("misuse: a connection of no manager", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection stranger = new DefaultBHttpClientConnection(8192);
            stage.release(manager, stranger);
            stage.act("connect", () -> manager.connect(stranger, a, 0, new HttpCoreContext()));
            stage.act("upgrade", () -> manager.upgrade(stranger, a, new HttpCoreContext()));
            stage.act("route complete", () -> manager.routeComplete(stranger, a, new HttpCoreContext()));
            stage.counts(manager, a);
        });
        script("misuse: nothing", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection leased = stage.open(manager, a);
            HttpContext context = new HttpCoreContext();
            stage.play("request", () -> manager.requestConnection(null, null));
            stage.act("release", () -> manager.releaseConnection(null, null, 0, TimeUnit.SECONDS));
            stage.act("connect", () -> manager.connect(null, a, 0, context));
            stage.act("connect", () -> manager.connect(leased, null, 0, context));
            stage.act("connect", () -> manager.connect(leased, a, 0, null));
            stage.act("upgrade", () -> manager.upgrade(null, a, context));
            stage.act("upgrade", () -> manager.upgrade(leased, null, context));
            stage.act("route complete", () -> manager.routeComplete(null, a, context));
            stage.act("route complete", () -> manager.routeComplete(leased, null, context));
            stage.act("route complete", () -> manager.routeComplete(leased, a, null));
            stage.act("close idle", () -> manager.closeIdleConnections(1, null));
            stage.play("maximum", () -> manager.getMaxPerRoute(null));
            stage.act("maximum", () -> manager.setMaxPerRoute(null, 1));
            stage.play("counts", () -> manager.getStats(null));
            stage.play("get", () -> manager.requestConnection(a, null).get(1, null));
            stage.play("get without end", () -> manager.requestConnection(stage.to("b"), null).get(0, null));
            stage.play("it is", () -> leased);
            stage.counts(manager, a);
        });
        script("misuse: a negative time to connect", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection leased = stage.lease(manager, a);
            stage.act("connect", () -> manager.connect(leased, a, -1, new HttpCoreContext()));
            stage.release(manager, leased);
            stage.counts(manager, a);
        });
        script("misuse: used after the release", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.open(manager, a);
            stage.release(manager, connection);
            callEverything(stage, connection);
            stage.act("connect", () -> manager.connect(connection, a, 0, new HttpCoreContext()));
            stage.act("upgrade", () -> manager.upgrade(connection, a, new HttpCoreContext()));
            stage.act("route complete", () -> manager.routeComplete(connection, a, new HttpCoreContext()));
            stage.play("text", connection::toString);
            stage.play("stale", connection::isStale);
            stage.counts(manager, a);
        });
        script("misuse: connected to another route", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.lease(manager, a);
            stage.act("connect", () -> manager.connect(connection, stage.to("b"), 0, new HttpCoreContext()));
            stage.act("route complete", () -> manager.routeComplete(connection, stage.to("b"), new HttpCoreContext()));
            stage.release(manager, connection);
            stage.lease(manager, a);
            stage.counts(manager, a, stage.to("b"));
        });
        script("misuse: upgraded without TLS", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.open(manager, a);
            stage.act("upgrade", () -> manager.upgrade(connection, a, new HttpCoreContext()));
            stage.act("upgrade", () -> manager.upgrade(connection, new HttpRoute(new HttpHost("a", 1, "gopher")), new HttpCoreContext()));
            stage.play("it is", () -> connection);
        });
        script("a connection's methods", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.lease(manager, a);
            callEverything(stage, connection);
            stage.play("text", connection::toString);
            stage.play("stale", connection::isStale);
            stage.act("connect", () -> manager.connect(connection, a, 0, new HttpCoreContext()));
            stage.play("text", connection::toString);
            // One of them reads, and nothing comes.
            connection.setSocketTimeout(10);
            callEverything(stage, connection);
            stage.act("close", connection::close);
            stage.play("text", connection::toString);
            stage.play("stale", connection::isStale);
        });
    }

    private static void closing() {
        script("close expired", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(4);
            HttpRoute a = stage.to("a");
            HttpRoute b = stage.to("b");
            List<HttpClientConnection> all = openAll(stage, manager, a, b, a, a);
            stage.release(manager, all.get(0), null, 1, TimeUnit.MILLISECONDS);
            stage.release(manager, all.get(1), "user", 1, TimeUnit.MILLISECONDS);
            stage.release(manager, all.get(2), null, 1, TimeUnit.HOURS);
            stage.pass(30);
            stage.counts(manager, a, b);
            stage.act("close expired", manager::closeExpiredConnections);
            stage.awaitEnd(0);
            stage.awaitEnd(1);
            stage.counts(manager, a, b);
            stage.act("close expired", manager::closeExpiredConnections);
            stage.counts(manager, a, b);
        });
        script("close idle", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(4);
            HttpRoute a = stage.to("a");
            HttpRoute b = stage.to("b");
            List<HttpClientConnection> all = openAll(stage, manager, a, b, a, a);
            stage.release(manager, all.get(0));
            stage.release(manager, all.get(1), "user", 1, TimeUnit.HOURS);
            stage.release(manager, all.get(2), null, 1, TimeUnit.HOURS);
            stage.act("for an hour", () -> manager.closeIdleConnections(1, TimeUnit.HOURS));
            stage.counts(manager, a, b);
            stage.act("for ever", () -> manager.closeIdleConnections(Long.MAX_VALUE, TimeUnit.DAYS));
            stage.counts(manager, a, b);
            stage.act("at all", () -> manager.closeIdleConnections(0, TimeUnit.SECONDS));
            stage.awaitEnd(0);
            stage.awaitEnd(1);
            stage.awaitEnd(2);
            stage.counts(manager, a, b);
        });
        for (long time : new long[] {-1, Long.MIN_VALUE}) {
            script("close idle for " + time, stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                stage.idle(manager, stage.to("a"));
                stage.act("close", () -> manager.closeIdleConnections(time, TimeUnit.MILLISECONDS));
                stage.awaitEnd(0);
                stage.counts(manager, stage.to("a"));
            });
        }
        script("close idle after a while", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            List<HttpClientConnection> two = openAll(stage, manager, a, a);
            stage.release(manager, two.get(0));
            stage.pass(300);
            stage.release(manager, two.get(1));
            stage.act("close", () -> manager.closeIdleConnections(150, TimeUnit.MILLISECONDS));
            stage.awaitEnd(0);
            stage.counts(manager, a);
        });
        script("close idle leaves the expired alone", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            stage.release(manager, stage.open(manager, a), null, 1, TimeUnit.MILLISECONDS);
            stage.pass(30);
            stage.act("close", () -> manager.closeIdleConnections(1, TimeUnit.HOURS));
            stage.counts(manager, a);
        });
        script("close with nothing there", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            stage.act("expired", manager::closeExpiredConnections);
            stage.act("idle", () -> manager.closeIdleConnections(0, TimeUnit.DAYS));
        });
        script("close idle, which makes room for nobody who waits for the route", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(1);
            HttpRoute a = stage.to("a");
            HttpClientConnection held = stage.open(manager, a);
            Pending<HttpClientConnection> waiter = waiter(stage, manager, a).untilItWaits();
            stage.act("close", () -> manager.closeIdleConnections(0, TimeUnit.DAYS));
            stage.counts(manager, a);
            waiter.endAfter("release", () -> manager.releaseConnection(held, null, 0, TimeUnit.SECONDS));
        });
    }

    private static void shutdown() {
        script("shut down: idle and leased", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(5);
            HttpRoute a = stage.to("a");
            List<HttpClientConnection> all = openAll(stage, manager, a, a, a);
            stage.release(manager, all.get(0));
            stage.release(manager, all.get(1), "user", 1, TimeUnit.HOURS);
            HttpClientConnection leased = all.get(2);
            HttpClientConnection vacant = stage.lease(manager, stage.to("b"));
            stage.logInNoOrder();
            stage.act("shut down", manager::shutdown);
            stage.awaitEnd(0);
            stage.awaitEnd(1);
            stage.awaitEnd(2);
            stage.play("leased is", () -> leased);
            stage.play("vacant is", () -> vacant);
            stage.counts(manager, a);
            stage.act("connect", () -> manager.connect(vacant, stage.to("b"), 5000, new HttpCoreContext()));
            stage.release(manager, leased);
            stage.release(manager, vacant, "user", 1, TimeUnit.HOURS);
            stage.counts(manager, a);
        });
        script("shut down: twice", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            stage.act("shut down", manager::shutdown);
            stage.act("shut down", manager::shutdown);
            stage.act("close", manager::close);
        });
        script("shut down: by close", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            stage.idle(manager, stage.to("a"));
            stage.act("close", manager::close);
            stage.awaitEnd(0);
        });
        script("shut down: and used", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            ConnectionRequest before = request(stage, manager, a);
            stage.act("shut down", manager::shutdown);
            stage.play("request", () -> manager.requestConnection(a, null));
            stage.play("get", () -> before.get(5, TimeUnit.MILLISECONDS));
            stage.act("close idle", () -> manager.closeIdleConnections(0, TimeUnit.SECONDS));
            stage.act("close expired", manager::closeExpiredConnections);
            stage.counts(manager, a);
            stage.play("routes", () -> sorted(manager));
            stage.act("total", () -> manager.setMaxTotal(7));
            stage.act("per route", () -> manager.setDefaultMaxPerRoute(7));
            stage.act("of a", () -> manager.setMaxPerRoute(a, 3));
            stage.play("limits", () -> manager.getMaxTotal() + " " + manager.getDefaultMaxPerRoute() + " " + manager.getMaxPerRoute(a));
            stage.act("validation", () -> manager.setValidateAfterInactivity(5));
            stage.play("validation", manager::getValidateAfterInactivity);
        });
        script("shut down: while one waits", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(1);
            HttpRoute a = stage.to("a");
            HttpClientConnection held = stage.open(manager, a);
            Pending<HttpClientConnection> waiter = waiter(stage, manager, a).untilItWaits();
            waiter.endAfter("shut down", manager::shutdown);
            stage.play("held is", () -> held);
            stage.counts(manager, a);
        });
        script("shut down: while a client's request waits", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(1);
            stage.open(manager, stage.to("a"));
            Pending<?> waiter = stage.start("waiter",
                    () -> stage.client(manager).execute(new HttpGet("http://a:" + stage.server().port() + "/ok"))).untilItWaits();
            waiter.endAfter("shut down", manager::shutdown);
        });
        script("shut down: while a request is under way", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            Pending<?> request = stage.start("request", () -> {
                try {
                    return stage.client(manager).execute(new HttpGet("http://a:" + stage.server().port() + "/slow"));
                } catch (IOException e) {
                    // Which one depends on whether it has begun to read.
                    return "failed";
                }
            });
            Eventually.await("the request at the server", () -> stage.server().peers().stream().anyMatch(peer -> peer.requests() == 1));
            request.endAfter("shut down", manager::shutdown);
            stage.counts(manager, stage.to("a"));
            stage.get(stage.client(manager), "/ok");
            stage.server().proceed();
        });
        script("shut down: by a client that owns the manager", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            CloseableHttpClient client = stage.builder(manager).setConnectionManagerShared(false).build();
            stage.get(client, "/ok");
            stage.act("close", client::close);
            stage.awaitEnd(0);
            stage.get(client, "/ok");
            stage.play("request", () -> manager.requestConnection(stage.to("a"), null));
        });
        script("shut down: by an error", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            CloseableHttpClient client = stage.builder(manager).setRequestExecutor(new HttpRequestExecutor() {
                @Override
                public HttpResponse execute(HttpRequest request, HttpClientConnection connection, HttpContext context) {
                    throw new AssertionError("as a class that cannot be loaded");
                }
            }).build();
            stage.play("GET", () -> {
                try {
                    return client.execute(new HttpGet("http://a:" + stage.server().port() + "/ok"));
                } catch (AssertionError e) {
                    return e;
                }
            });
            stage.play("request", () -> manager.requestConnection(stage.to("a"), null));
        });
    }

    private static void views() {
        script("counts of a route never seen", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            stage.counts(manager, stage.to("a"));
            stage.play("limit", () -> manager.getMaxPerRoute(stage.to("b")));
            stage.act("limit", () -> manager.setMaxPerRoute(stage.to("c"), 9));
        });
        script("routes in use", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            stage.play("routes", () -> sorted(manager));
            HttpClientConnection a = stage.open(manager, stage.to("a"));
            stage.idle(manager, stage.to("b"));
            stage.play("routes", () -> sorted(manager));
            stage.release(manager, a);
            stage.play("routes", () -> sorted(manager));
            stage.play("a copy", () -> manager.getRoutes() != manager.getRoutes() && manager.getRoutes().remove(stage.to("a"))
                    && manager.getRoutes().contains(stage.to("a")));
        });
        script("routes no longer in use", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            stage.counts(manager, stage.to("a"));
            stage.idle(manager, stage.to("b"));
            stage.play("routes", () -> sorted(manager));
            stage.act("close idle", () -> manager.closeIdleConnections(0, TimeUnit.SECONDS));
            stage.play("routes", () -> sorted(manager));
        });
        // The methods that a subclass may call, which 4.5 does not have.
        if (!Stage.RELEASE.equals("4.5")) {
            script("enumerate the idle", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                manager.setDefaultMaxPerRoute(5);
                HttpRoute a = stage.to("a");
                List<HttpClientConnection> all = openAll(stage, manager, a, stage.to("b"), a, a);
                stage.release(manager, all.get(0));
                stage.release(manager, all.get(1), "user", 1, TimeUnit.HOURS);
                stage.release(manager, all.get(2), null, -1, TimeUnit.HOURS);
                stage.play("entries", () -> {
                    List<String> entries = new ArrayList<>();
                    stage.enumerate("enumAvailable", manager, entry -> entries.add(entry + " " + entry.getConnection().isOpen() + " "
                            + (entry.getExpiry() == Long.MAX_VALUE) + " " + (entry.getValidityDeadline() == Long.MAX_VALUE) + " "
                            + entry.isClosed() + " " + entry.isExpired(System.currentTimeMillis()) + " "
                            + (entry.getUpdated() >= entry.getCreated()) + " "
                            + (Math.abs(entry.getUpdated() - System.currentTimeMillis()) < 3_600_000)));
                    return entries;
                });
                stage.act("close those of a", () -> stage.enumerate("enumAvailable", manager, entry -> {
                    if (entry.getRoute().equals(a)) {
                        entry.close();
                    }
                }));
                stage.awaitEnd(0);
                stage.awaitEnd(2);
                stage.counts(manager, a, stage.to("b"));
                stage.act("close the connections", () -> stage.enumerate("enumAvailable", manager, entry -> {
                    try {
                        entry.getConnection().shutdown();
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                }));
                stage.awaitEnd(1);
                stage.counts(manager, a, stage.to("b"));
            });
            script("enumerate the idle and change them", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                HttpRoute a = stage.to("a");
                stage.idle(manager, a);
                stage.act("give it a state", () -> stage.enumerate("enumAvailable", manager, entry -> entry.setState("user")));
                stage.counts(manager, a);
                stage.lease(manager, a);
                stage.lease(manager, a, "user");
            });
            script("enumerate the idle and let them expire", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                HttpRoute a = stage.to("a");
                stage.idle(manager, a);
                stage.act("a millisecond", () -> stage.enumerate("enumAvailable", manager,
                        entry -> entry.updateExpiry(1, TimeUnit.MILLISECONDS)));
                stage.pass(30);
                stage.lease(manager, a);
            });
            script("enumerate the leased", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                HttpRoute a = stage.to("a");
                HttpClientConnection leased = stage.open(manager, a);
                stage.idle(manager, stage.to("b"));
                stage.play("entries", () -> {
                    List<String> entries = new ArrayList<>();
                    stage.enumerate("enumLeased", manager, entry -> entries.add(entry + " " + entry.getConnection().isOpen()));
                    return entries;
                });
                stage.act("close them", () -> stage.enumerate("enumLeased", manager, entry -> entry.close()));
                stage.awaitEnd(0);
                stage.play("it is", () -> leased);
                stage.counts(manager, a);
                stage.release(manager, leased);
                stage.counts(manager, a);
            });
            script("enumerate with a callback that throws", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                stage.idle(manager, stage.to("a"));
                stage.act("enumerate", () -> stage.enumerate("enumAvailable", manager, entry -> {
                    throw new IllegalStateException("no more");
                }));
                stage.act("enumerate nothing", () -> stage.enumerate("enumAvailable", manager, null));
                stage.act("enumerate nothing", () -> stage.enumerate("enumLeased", manager, null));
                stage.counts(manager, stage.to("a"));
                stage.lease(manager, stage.to("a"));
            });
            script("enumerate after shut down", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                stage.idle(manager, stage.to("a"));
                stage.act("shut down", manager::shutdown);
                List<String> entries = new ArrayList<>();
                stage.act("idle", () -> stage.enumerate("enumAvailable", manager, entry -> entries.add(entry.toString())));
                stage.act("leased", () -> stage.enumerate("enumLeased", manager, entry -> entries.add(entry.toString())));
                stage.play("entries", () -> entries);
            });
        }
    }

    private static void configuration() {
        script("socket configurations", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpHost a = new HttpHost("a", stage.server().port());
            stage.play("default", manager::getDefaultSocketConfig);
            stage.play("of a", () -> manager.getSocketConfig(a));
            SocketConfig four = SocketConfig.custom().setSoTimeout(4444).build();
            SocketConfig five = SocketConfig.custom().setSoTimeout(5555).setTcpNoDelay(false).build();
            stage.act("default", () -> manager.setDefaultSocketConfig(four));
            stage.act("of a", () -> manager.setSocketConfig(a, five));
            stage.play("default", manager::getDefaultSocketConfig);
            stage.play("of a", () -> manager.getSocketConfig(a));
            stage.play("of A", () -> manager.getSocketConfig(new HttpHost("A", stage.server().port())));
            stage.play("of b", () -> manager.getSocketConfig(new HttpHost("b", 80)));
            HttpClientConnection connection = stage.open(manager, stage.to("a"));
            stage.play("timeout", connection::getSocketTimeout);
            stage.play("no delay", () -> ((ManagedHttpClientConnection) connection).getSocket().getTcpNoDelay());
            connection.setSocketTimeout(77);
            stage.release(manager, connection);
            HttpClientConnection again = stage.lease(manager, stage.to("a"));
            stage.play("timeout", again::getSocketTimeout);
            HttpClientConnection other = stage.open(manager, stage.to("b"));
            stage.play("timeout", other::getSocketTimeout);
            HttpClientConnection proxied = stage.open(manager,
                    new HttpRoute(new HttpHost("b", 80), null, new HttpHost("a", stage.server().port()), false));
            stage.play("timeout", proxied::getSocketTimeout);
            stage.release(manager, proxied);
            stage.play("timeout", () -> stage.lease(manager,
                    new HttpRoute(new HttpHost("b", 80), null, new HttpHost("a", stage.server().port()), false)).getSocketTimeout());
        });
        script("connection configurations", stage -> {
            List<String> asked = new ArrayList<>();
            ConnectionConfig[] known = new ConnectionConfig[4];
            PoolingHttpClientConnectionManager manager = stage.manager((route, config) -> {
                asked.add(route.getTargetHost().getHostName() + " with " + Arrays.asList(known).indexOf(config));
                return ManagedHttpClientConnectionFactory.INSTANCE.create(route, config);
            }, 0, TimeUnit.SECONDS);
            known[0] = ConnectionConfig.DEFAULT;
            for (int i = 1; i < 4; i++) {
                known[i] = ConnectionConfig.custom().setBufferSize(1000 + i).build();
            }
            stage.play("default", manager::getDefaultConnectionConfig);
            stage.play("of b", () -> manager.getConnectionConfig(new HttpHost("b", stage.server().port())));
            stage.lease(manager, stage.to("a"));
            stage.act("default", () -> manager.setDefaultConnectionConfig(known[1]));
            stage.act("of b", () -> manager.setConnectionConfig(new HttpHost("b", stage.server().port()), known[2]));
            stage.act("of the proxy", () -> manager.setConnectionConfig(new HttpHost("proxy", stage.server().port()), known[3]));
            stage.play("default", manager::getDefaultConnectionConfig);
            stage.play("of b", () -> manager.getConnectionConfig(new HttpHost("b", stage.server().port())));
            stage.lease(manager, stage.to("a"));
            stage.lease(manager, stage.to("b"));
            stage.lease(manager, stage.proxied("c"));
            stage.lease(manager, stage.tunnel());
            stage.act("default", () -> manager.setDefaultConnectionConfig(null));
            stage.lease(manager, stage.to("c"));
            stage.play("asked", () -> asked);
        });
        script("configurations of nothing", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpHost a = new HttpHost("a");
            stage.play("socket", () -> manager.getSocketConfig(null));
            stage.act("socket", () -> manager.setSocketConfig(null, SocketConfig.DEFAULT));
            stage.act("socket", () -> manager.setSocketConfig(a, null));
            stage.act("default socket", () -> manager.setDefaultSocketConfig(null));
            stage.play("connection", () -> manager.getConnectionConfig(null));
            stage.act("connection", () -> manager.setConnectionConfig(null, ConnectionConfig.DEFAULT));
            stage.act("connection", () -> manager.setConnectionConfig(a, null));
            stage.act("default connection", () -> manager.setDefaultConnectionConfig(null));
            stage.idle(manager, stage.to("a"));
        });
        for (int milliseconds : new int[] {0, -1, Integer.MIN_VALUE, 1, Integer.MAX_VALUE}) {
            script("validate after " + milliseconds + " ms", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                stage.play("before", manager::getValidateAfterInactivity);
                stage.act("set", () -> manager.setValidateAfterInactivity(milliseconds));
                stage.play("after", manager::getValidateAfterInactivity);
                stage.idle(manager, stage.to("a"));
                stage.pass(5);
                stage.lease(manager, stage.to("a"));
            });
        }
    }

    private static void validation() {
        for (String path : Arrays.asList("/drop", "/reset", "/half-close")) {
            script("validated: after " + path, stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                manager.setValidateAfterInactivity(1);
                CloseableHttpClient client = stage.client(manager);
                getAndEnd(stage, client, path);
                stage.pass(30);
                stage.get(client, "/ok");
                stage.counts(manager, stage.to("a"));
            });
            script("validated: not so soon after " + path, stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                manager.setValidateAfterInactivity(3_600_000);
                CloseableHttpClient client = stage.client(manager);
                getAndEnd(stage, client, path);
                stage.get(client, "/ok");
                stage.counts(manager, stage.to("a"));
            });
            script("validated: never, after " + path, stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                manager.setValidateAfterInactivity(0);
                CloseableHttpClient client = stage.client(manager);
                getAndEnd(stage, client, path);
                stage.get(client, "/ok");
                stage.counts(manager, stage.to("a"));
            });
            script("stale check before each request, after " + path, stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                manager.setValidateAfterInactivity(0);
                CloseableHttpClient client = staleChecking(stage, manager);
                getAndEnd(stage, client, path);
                stage.get(client, "/ok");
                stage.counts(manager, stage.to("a"));
            });
        }
        script("validated: unasked bytes", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setValidateAfterInactivity(1);
            CloseableHttpClient client = stage.client(manager);
            sayGoodbye(stage, client);
            stage.pass(30);
            stage.get(client, "/ok");
            stage.counts(manager, stage.to("a"));
        });
        script("validated: never, after unasked bytes", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setValidateAfterInactivity(0);
            CloseableHttpClient client = stage.client(manager);
            sayGoodbye(stage, client);
            stage.get(client, "/ok");
            stage.counts(manager, stage.to("a"));
        });
        script("stale check before each request, after unasked bytes", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setValidateAfterInactivity(0);
            CloseableHttpClient client = staleChecking(stage, manager);
            sayGoodbye(stage, client);
            stage.get(client, "/ok");
            stage.counts(manager, stage.to("a"));
        });
        script("stale check before each request, all well", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            CloseableHttpClient client = staleChecking(stage, manager);
            stage.get(client, "/ok");
            stage.get(client, "/ok");
            stage.get(client, "/ok");
            stage.countConnections();
        });
        script("validated: opened ahead and never used", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setValidateAfterInactivity(1);
            HttpRoute a = stage.to("a");
            stage.idle(manager, a);
            stage.pass(30);
            stage.lease(manager, a);
            stage.counts(manager, a);
        });
        script("validated: alive", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setValidateAfterInactivity(1);
            CloseableHttpClient client = stage.client(manager);
            for (int i = 0; i < 3; i++) {
                stage.get(client, "/ok");
                stage.pass(20);
            }
            stage.countConnections();
        });
        script("validated: in a proxy's tunnel", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setValidateAfterInactivity(1);
            CloseableHttpClient client = tunnelling(stage, manager);
            stage.request(client, new HttpGet("https://localhost/drop?later"));
            stage.awaitEndWhileIdle(stage.server());
            stage.pass(30);
            stage.requestInsteadOfStaleTls(client, new HttpGet("https://localhost/ok"));
        });
        script("validated: in TLS", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setValidateAfterInactivity(1);
            CloseableHttpClient client = stage.client(manager);
            String server = "https://localhost:" + stage.tlsServer().port();
            stage.request(client, new HttpGet(server + "/ok"));
            stage.pass(30);
            stage.request(client, new HttpGet(server + "/drop?later"));
            stage.awaitEndWhileIdle(stage.tlsServer());
            stage.pass(30);
            stage.requestInsteadOfStaleTls(client, new HttpGet(server + "/ok"));
        });
    }

    private static void requests() {
        for (String path : Arrays.asList("/ok", "/big", "/chunked", "/204", "/close", "/says-close", "/keep", "/keep-alive?timeout=5",
                "/keep-alive?timeout=5,max=100", "/keep-alive?max=1", "/keep-alive?timeout=0", "/keep-alive?timeout=-1",
                "/keep-alive?timeout=soon", "/keep-alive?timeout=99999999999999", "/http10", "/http10-keep", "/http10-open", "/no-length",
                "/host", "/unknown", "/redirect?/ok", "/redirect?/close")) {
            script("GET " + path + " twice", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                CloseableHttpClient client = stage.client(manager);
                stage.get(client, path);
                if (path.equals("/close") || path.equals("/http10") || path.equals("/no-length")) {
                    stage.awaitEnd(0);
                }
                stage.get(client, path);
                stage.counts(manager, stage.to("a"));
                stage.countConnections();
            });
        }
        for (String path : Arrays.asList("/nothing", "/garbage", "/chunked-cut", "/truncated")) {
            script("GET " + path + ", then go on", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                CloseableHttpClient client = stage.client(manager);
                stage.get(client, path);
                stage.awaitEnd(0);
                stage.counts(manager, stage.to("a"));
                stage.get(client, "/ok");
                stage.counts(manager, stage.to("a"));
            });
        }
        script("HEAD and POST", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            CloseableHttpClient client = stage.client(manager);
            String server = "http://a:" + stage.server().port();
            stage.request(client, new HttpHead(server + "/ok"));
            HttpPost post = new HttpPost(server + "/ok");
            post.setEntity(new StringEntity("entity"));
            stage.request(client, post);
            stage.get(client, "/ok");
            stage.counts(manager, stage.to("a"));
        });
        script("request says close", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpGet get = new HttpGet("http://a:" + stage.server().port() + "/ok");
            get.setHeader("Connection", "close");
            stage.request(stage.client(manager), get);
            stage.awaitEnd(0);
            stage.counts(manager, stage.to("a"));
        });
        script("more bytes than promised", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            stage.get(stage.client(manager), "/extra");
            stage.counts(manager, stage.to("a"));
        });
        script("a response that is not read", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            CloseableHttpClient client = stage.client(manager);
            for (String path : Arrays.asList("/big", "/ok")) {
                CloseableHttpResponse response = client.execute(new HttpGet("http://a:" + stage.server().port() + path));
                stage.act("close " + path, response::close);
                stage.counts(manager, stage.to("a"));
            }
        });
        script("a response that is not read, on a connection of one's own", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            HttpClientConnection connection = stage.open(manager, a);
            stage.play("request", () -> new HttpRequestExecutor().execute(
                    new org.apache.http.message.BasicHttpRequest("GET", "/ok"), connection, new HttpCoreContext()).getStatusLine());
            stage.release(manager, connection);
            stage.lease(manager, a);
            stage.counts(manager, a);
        });
        script("a server that does not answer in time", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            CloseableHttpClient client = stage.builder(manager)
                    .setDefaultRequestConfig(RequestConfig.custom().setSocketTimeout(30).build()).build();
            stage.get(client, "/slow");
            stage.server().proceed();
            stage.counts(manager, stage.to("a"));
            stage.get(stage.client(manager), "/ok");
        });
        script("a user's connection", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            CloseableHttpClient mine = stage.builder(manager).setUserTokenHandler(context -> "me").build();
            CloseableHttpClient yours = stage.builder(manager).setUserTokenHandler(context -> "you").build();
            stage.get(mine, "/ok");
            stage.get(mine, "/ok");
            stage.get(yours, "/ok");
            stage.counts(manager, stage.to("a"));
            stage.countConnections();
        });
        script("many hosts", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setMaxTotal(2);
            CloseableHttpClient client = stage.client(manager);
            for (String host : Arrays.asList("a", "b", "c", "a", "c")) {
                stage.request(client, new HttpGet("http://" + host + ":" + stage.server().port() + "/ok"));
            }
            stage.counts(manager, stage.to("a"), stage.to("b"), stage.to("c"));
        });
        script("nobody there", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            stage.request(stage.client(manager), new HttpGet("http://nowhere/"));
            stage.request(stage.client(manager), new HttpGet("gopher://a/"));
            stage.counts(manager);
        });
    }

    /** Shuts a manager down whose one idle connection is TLS, and may be closed by another thread. */
    private static void shutDownIdleTls(Stage stage, PoolingHttpClientConnectionManager manager) {
        stage.logInNoOrder();
        stage.act("shut down", () -> {
            manager.shutdown();
            stage.awaitLog("Close connection");
        });
    }

    private static void routes() {
        script("TLS", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute route = stage.toTls();
            CloseableHttpClient client = stage.client(manager);
            String server = "https://localhost:" + stage.tlsServer().port();
            stage.request(client, new HttpGet(server + "/ok"));
            stage.request(client, new HttpGet(server + "/chunked"));
            stage.request(client, new HttpGet(server + "/close"));
            stage.request(client, new HttpGet(server + "/ok"));
            stage.counts(manager, route);
            HttpClientConnection connection = stage.lease(manager, route);
            stage.play("session", () -> ((ManagedHttpClientConnection) connection).getSSLSession() != null);
            stage.release(manager, connection);
            shutDownIdleTls(stage, manager);
        });
        script("TLS with a wrong name", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            stage.play("GET", () -> {
                try (CloseableHttpResponse response =
                        stage.client(manager).execute(new HttpGet("https://elsewhere:" + stage.tlsServer().port() + "/ok"))) {
                    return response.getStatusLine();
                } catch (IOException e) {
                    return e.getClass();
                }
            });
            stage.counts(manager);
        });
        script("a tunnel", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            CloseableHttpClient client = tunnelling(stage, manager);
            stage.request(client, new HttpGet("https://localhost/ok"));
            stage.request(client, new HttpGet("https://localhost/ok"));
            stage.request(client, new HttpGet("https://localhost/close"));
            stage.request(client, new HttpGet("https://localhost/ok"));
            stage.play("routes", () -> sorted(manager));
            stage.counts(manager);
            shutDownIdleTls(stage, manager);
        });
        script("a proxy", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            CloseableHttpClient client = tunnelling(stage, manager);
            stage.request(client, new HttpGet("http://b/ok"));
            stage.request(client, new HttpGet("http://b/ok"));
            stage.request(client, new HttpGet("http://c/ok"));
            stage.play("routes", () -> sorted(manager));
            stage.counts(manager);
        });
        script("a tunnel by hand", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute route = stage.tunnel();
            HttpClientConnection connection = stage.lease(manager, route);
            stage.act("connect", () -> manager.connect(connection, route, 5000, new HttpCoreContext()));
            stage.play("CONNECT", () -> {
                HttpRequest connect = new org.apache.http.message.BasicHttpRequest("CONNECT", "localhost:443");
                HttpResponse response = new HttpRequestExecutor().execute(connect, connection, new HttpCoreContext());
                return response.getStatusLine();
            });
            stage.act("upgrade", () -> manager.upgrade(connection, route, new HttpCoreContext()));
            stage.play("session", () -> ((ManagedHttpClientConnection) connection).getSSLSession() != null);
            stage.act("route complete", () -> manager.routeComplete(connection, route, new HttpCoreContext()));
            stage.release(manager, connection, null, 5, TimeUnit.SECONDS);
            stage.lease(manager, route);
            stage.counts(manager, route);
        });
        script("from a local address", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute route = new HttpRoute(new HttpHost("a", stage.server().port()), InetAddress.getByName("127.0.0.1"), false);
            HttpClientConnection connection = stage.open(manager, route);
            stage.play("local address", () -> ((ManagedHttpClientConnection) connection).getSocket().getLocalAddress());
            stage.release(manager, connection);
            stage.lease(manager, route);
        });
    }

    private static void construction() {
        HttpConnectionFactory<HttpRoute, ManagedHttpClientConnection> counting =
                (route, config) -> new ManagedHttpClientConnectionFactory().create(route, config);
        Class<?>[][] parameters = {
            {}, {long.class, TimeUnit.class}, {Registry.class}, {Registry.class, DnsResolver.class},
            {Registry.class, HttpConnectionFactory.class}, {HttpConnectionFactory.class},
            {Registry.class, HttpConnectionFactory.class, DnsResolver.class},
            {Registry.class, HttpConnectionFactory.class, SchemePortResolver.class, DnsResolver.class, long.class, TimeUnit.class},
            {HttpClientConnectionOperator.class, HttpConnectionFactory.class, long.class, TimeUnit.class},
        };
        for (Class<?>[] types : parameters) {
            String names = Arrays.toString(Arrays.stream(types).map(Class::getSimpleName).toArray());
            script("constructor " + names, stage -> {
                Object[] arguments = Arrays.stream(types).map(type -> type == long.class ? (Object) 1L : type == TimeUnit.class
                        ? TimeUnit.HOURS : type == Registry.class ? Stage.sockets() : type == DnsResolver.class ? Stage.names()
                        : type == HttpConnectionFactory.class ? counting : type == SchemePortResolver.class
                        ? (SchemePortResolver) HttpHost::getPort
                        : new org.apache.http.impl.conn.DefaultHttpClientConnectionOperator(Stage.sockets(), null, Stage.names())).toArray();
                PoolingHttpClientConnectionManager manager = stage.construct(types, arguments);
                HttpRoute here = new HttpRoute(new HttpHost("127.0.0.1", stage.server().port()));
                stage.idle(manager, here);
                stage.lease(manager, here);
                stage.counts(manager, here);
            });
            script("constructor " + names + " of nothing", stage -> {
                Object[] arguments = Arrays.stream(types).map(type -> type == long.class ? (Object) 1L : null).toArray();
                PoolingHttpClientConnectionManager manager = stage.play("construct", () -> {
                    // Without its name, which differs.
                    return Arrays.asList(stage.construct(types, arguments)) == null ? null : null;
                });
                stage.play("made", () -> manager == null);
            });
        }
        script("an operator of one's own", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager(new HttpClientConnectionOperator() {
                @Override
                public void connect(ManagedHttpClientConnection connection, HttpHost host, InetSocketAddress local, int timeout,
                        SocketConfig config, HttpContext context) throws IOException {
                    throw new IOException("asked for " + host.getHostName() + " from " + local + " in " + timeout + " ms with " + config
                            + " on " + connection.getId());
                }

                @Override
                public void upgrade(ManagedHttpClientConnection connection, HttpHost host, HttpContext context) throws IOException {
                    throw new IOException("upgrade for " + host.getHostName() + " on " + connection.getId());
                }
            }, null, 1, TimeUnit.HOURS);
            for (HttpRoute route : Arrays.asList(stage.to("a"), stage.tunnel(),
                    new HttpRoute(new HttpHost("b"), InetAddress.getByName("127.0.0.1"), false))) {
                HttpClientConnection connection = stage.lease(manager, route);
                stage.act("connect", () -> manager.connect(connection, route, 1234, new HttpCoreContext()));
                stage.act("upgrade", () -> manager.upgrade(connection, route, new HttpCoreContext()));
                stage.release(manager, connection);
            }
            stage.counts(manager);
        });
    }

    private static List<HttpClientConnection> openAll(Stage stage, PoolingHttpClientConnectionManager manager, HttpRoute... routes) {
        List<HttpClientConnection> all = new ArrayList<>();
        for (HttpRoute route : routes) {
            all.add(stage.open(manager, route));
        }
        return all;
    }

    private static ConnectionRequest request(Stage stage, PoolingHttpClientConnectionManager manager, HttpRoute route) {
        ConnectionRequest[] request = new ConnectionRequest[1];
        stage.act("request", () -> request[0] = manager.requestConnection(route, null));
        return request[0];
    }

    private static Pending<HttpClientConnection> waiter(Stage stage, PoolingHttpClientConnectionManager manager, HttpRoute route) {
        return stage.start("waiter for " + route.getTargetHost().getHostName(),
                () -> manager.requestConnection(route, null).get(0, TimeUnit.MILLISECONDS));
    }

    private static TreeSet<String> sorted(PoolingHttpClientConnectionManager manager) {
        TreeSet<String> routes = new TreeSet<>();
        manager.getRoutes().forEach(route -> routes.add(route.toString()));
        return routes;
    }

    private static CloseableHttpClient staleChecking(Stage stage, PoolingHttpClientConnectionManager manager) {
        @SuppressWarnings("deprecation") // What 4.5 deprecates is compared as well.
        RequestConfig config = RequestConfig.custom().setStaleConnectionCheckEnabled(true).build();
        return stage.builder(manager).setDefaultRequestConfig(config).build();
    }

    private static CloseableHttpClient tunnelling(Stage stage, PoolingHttpClientConnectionManager manager) {
        return stage.builder(manager).setProxy(new HttpHost("proxy", stage.server().port())).build();
    }

    /** Gets this path, and has the server do to the connection what it does after answering it. */
    private static void getAndEnd(Stage stage, CloseableHttpClient client, String path) throws Exception {
        stage.get(client, path + "?later");
        if (path.equals("/half-close")) {
            stage.awaitHalfCloseWhileIdle();
        } else {
            stage.awaitEndWhileIdle(stage.server());
        }
    }

    private static void sayGoodbye(Stage stage, CloseableHttpClient client) throws Exception {
        stage.get(client, "/goodbye");
        stage.server().proceed();
        Eventually.await("408 sent", () -> stage.server().proceeded() == 1);
    }

    /** Calls every method of a managed connection that takes what can be made up, in one order. */
    private static void callEverything(Stage stage, HttpClientConnection connection) {
        Method[] methods = ManagedHttpClientConnection.class.getMethods();
        Arrays.sort(methods, Comparator.comparing(Method::getName).thenComparing(Method::toString));
        for (Method method : methods) {
            if (Arrays.asList("close", "shutdown", "isStale", "getLocalPort", "getMetrics", "getSocket", "getSSLSession", "bind")
                    .contains(method.getName())) {
                continue;
            }
            Object[] arguments = new Object[method.getParameterCount()];
            for (int i = 0; i < arguments.length; i++) {
                arguments[i] = method.getParameterTypes()[i] == int.class ? (Object) 7 : null;
            }
            stage.play(method.getName() + Arrays.toString(method.getParameterTypes()), () -> {
                try {
                    return method.invoke(connection, arguments);
                } catch (InvocationTargetException e) {
                    throw (Exception) e.getCause();
                }
            });
        }
        stage.play("attribute", () -> ((HttpContext) connection).getAttribute("mine"));
        stage.act("attribute", () -> ((HttpContext) connection).setAttribute("mine", "yours"));
        stage.play("attribute", () -> ((HttpContext) connection).getAttribute("mine"));
        stage.play("attribute", () -> ((HttpContext) connection).removeAttribute("mine"));
        stage.play("metrics", () -> connection.getMetrics().getRequestCount());
        stage.play("socket", () -> ((ManagedHttpClientConnection) connection).getSocket() != null);
        stage.play("session", () -> ((ManagedHttpClientConnection) connection).getSSLSession());
    }
}
