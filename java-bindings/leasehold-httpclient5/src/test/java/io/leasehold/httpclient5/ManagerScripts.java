package io.leasehold.httpclient5;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.Script;
import io.leasehold.testsupport.ScriptList;
import io.leasehold.testsupport.ScriptStage.Pending;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.io.ConnectionEndpoint;
import org.apache.hc.client5.http.io.LeaseRequest;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.impl.io.HttpRequestExecutor;
import org.apache.hc.core5.http.message.BasicClassicHttpRequest;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/** What is played on both classic managers. Written against HttpClient's own types alone, of which the oldest version has all. */
final class ManagerScripts {
    private static final ScriptList<ManagerStage> ALL = new ScriptList<>();

    private ManagerScripts() {}

    static Map<String, Script<ManagerStage>> all() {
        return ALL.byName();
    }

    private static void script(String name, Script<ManagerStage> script) {
        ALL.add(name, script);
    }

    static {
        leases();
        states();
        limits();
        waiting();
        times();
        closing();
        misuse();
        requests();
    }

    private static List<ConnectionEndpoint> openAll(ManagerStage stage, PoolingHttpClientConnectionManager manager, HttpRoute... routes) {
        List<ConnectionEndpoint> all = new ArrayList<>();
        for (HttpRoute route : routes) {
            all.add(stage.open(manager, route));
        }
        return all;
    }

    private static void leases() {
        script("lease, connect, release, lease again", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            stage.counts(manager);
            ConnectionEndpoint first = stage.lease(manager, a);
            stage.counts(manager, a);
            stage.connect(manager, first);
            stage.play("it is", () -> first);
            stage.connect(manager, first);
            stage.release(manager, first);
            stage.play("it is", () -> first);
            stage.counts(manager, a);
            ConnectionEndpoint second = stage.lease(manager, a);
            stage.play("same object", () -> first == second);
            stage.act("timeout", () -> second.setSocketTimeout(Timeout.ofSeconds(7)));
            stage.release(manager, second);
            stage.lease(manager, a);
            stage.routes(manager);
            stage.countConnections();
        });
        script("a request that is asked twice", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            LeaseRequest[] request = new LeaseRequest[1];
            stage.act("request", () -> request[0] = manager.lease("ex", stage.to("a"), Timeout.ofMinutes(1), null));
            ConnectionEndpoint first = stage.play("get", () -> request[0].get(Timeout.ofSeconds(1)));
            ConnectionEndpoint second = stage.play("get", () -> request[0].get(Timeout.ofSeconds(1)));
            stage.play("same object", () -> first == second);
            stage.play("cancel", request[0]::cancel);
            stage.release(manager, first);
            stage.counts(manager, stage.to("a"));
        });
        script("released without having been connected", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            stage.release(manager, stage.lease(manager, a));
            stage.counts(manager, a);
            stage.release(manager, stage.lease(manager, a), "user", TimeValue.ofSeconds(5));
            stage.counts(manager, a);
        });
        script("released for good", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            stage.release(manager, stage.open(manager, a), null, null);
            stage.awaitEnd(0);
            stage.counts(manager, a);
        });
        for (CloseMode mode : CloseMode.values()) {
            script("closed by its holder, " + mode, stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                HttpRoute a = stage.to("a");
                ConnectionEndpoint closed = stage.open(manager, a);
                stage.act("close", () -> closed.close(mode));
                stage.awaitEnd(0);
                stage.play("it is", () -> closed);
                stage.act("close again", closed::close);
                stage.release(manager, closed);
                stage.counts(manager, a);
                stage.open(manager, a);
            });
        }
        script("closed and connected once more", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            ConnectionEndpoint endpoint = stage.open(manager, a);
            stage.act("close", () -> endpoint.close(CloseMode.IMMEDIATE));
            stage.connect(manager, endpoint);
            stage.play("it is", () -> endpoint);
            stage.release(manager, endpoint);
            stage.counts(manager, a);
            ConnectionEndpoint again = stage.lease(manager, a);
            stage.act("close", again::close);
            stage.connect(manager, again);
            stage.release(manager, again);
            stage.lease(manager, a);
            stage.countConnections();
        });
        script("a host that nobody knows, and a port where nobody listens", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute nowhere = stage.to("nowhere");
            ConnectionEndpoint endpoint = stage.lease(manager, nowhere);
            stage.connect(manager, endpoint);
            stage.play("it is", () -> endpoint);
            stage.release(manager, endpoint);
            HttpRoute a = new HttpRoute(new HttpHost("http", "a", 1));
            ConnectionEndpoint refused = stage.lease(manager, a);
            stage.connect(manager, refused);
            stage.release(manager, refused);
            stage.counts(manager, nowhere, a);
        });
        script("a connection factory that fails, and goes on", stage -> {
            boolean[] fails = {false};
            PoolingHttpClientConnectionManager manager = stage.manager(socket -> {
                if (fails[0]) {
                    throw new java.io.IOException("no connection today");
                }
                return ManagedHttpClientConnectionFactory.INSTANCE.createConnection(socket);
            });
            HttpRoute a = stage.to("a");
            fails[0] = true;
            stage.lease(manager, a);
            stage.counts(manager, a);
            fails[0] = false;
            ConnectionEndpoint endpoint = stage.open(manager, a);
            stage.act("close", endpoint::close);
            fails[0] = true;
            stage.connect(manager, endpoint);
            fails[0] = false;
            stage.connect(manager, endpoint);
            stage.release(manager, endpoint);
            stage.counts(manager, a);
        });
        script("a connection factory that makes nothing", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager(socket -> null);
            HttpRoute a = stage.to("a");
            stage.lease(manager, a);
            stage.counts(manager, a);
        });
        script("a configuration that cannot be found", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            ConnectionEndpoint endpoint = stage.lease(manager, a);
            manager.setConnectionConfigResolver(route -> {
                throw new IllegalStateException("no configuration today");
            });
            stage.connect(manager, endpoint);
            stage.play("it is", () -> endpoint);
            manager.setConnectionConfigResolver(null);
            stage.connect(manager, endpoint);
            manager.setConnectionConfigResolver(route -> {
                throw new IllegalStateException("no configuration today");
            });
            stage.release(manager, endpoint);
            stage.act("close expired", manager::closeExpired);
            manager.setConnectionConfigResolver(null);
            stage.counts(manager, a);
            stage.lease(manager, a);
        });
        script("which of several is leased", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            List<ConnectionEndpoint> three = openAll(stage, manager, a, a, a);
            for (int i : new int[] {1, 0, 2}) {
                stage.release(manager, three.get(i));
            }
            stage.lease(manager, a);
            stage.lease(manager, a);
            stage.lease(manager, a);
            stage.counts(manager, a);
        });
    }

    private static void states() {
        script("states", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            stage.release(manager, stage.open(manager, a, "x"), "x", TimeValue.ofHours(1));
            stage.lease(manager, a, "y");
            stage.lease(manager, a);
            ConnectionEndpoint bound = stage.lease(manager, a, "x");
            stage.release(manager, bound);
            ConnectionEndpoint taken = stage.lease(manager, a, "z");
            stage.release(manager, taken, "z", TimeValue.NEG_ONE_MILLISECOND);
            stage.counts(manager, a);
        });
        script("states: a full route gives up one of somebody else", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager(1, 3);
            HttpRoute a = stage.to("a");
            stage.release(manager, stage.open(manager, a, "x"), "x", TimeValue.ofHours(1));
            stage.open(manager, a, "y");
            stage.awaitEnd(0);
            stage.counts(manager, a);
        });
    }

    private static void limits() {
        script("limits: of a route", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager(2, 9);
            HttpRoute a = stage.inMemory("a");
            openAll(stage, manager, a, a);
            stage.lease(manager, a);
            stage.open(manager, stage.inMemory("b"));
            stage.counts(manager, a, stage.inMemory("b"));
        });
        script("limits: in total, an idle one of another route makes room", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager(2, 3);
            HttpRoute a = stage.inMemory("a");
            HttpRoute b = stage.inMemory("b");
            List<ConnectionEndpoint> all = openAll(stage, manager, a, a, b);
            stage.lease(manager, b);
            stage.release(manager, all.get(1));
            stage.open(manager, b);
            stage.counts(manager, a, b);
        });
        script("limits: what may be set", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager(2, 4);
            HttpRoute a = stage.inMemory("a");
            for (int max : new int[] {0, -1, Integer.MIN_VALUE}) {
                stage.act("total " + max, () -> manager.setMaxTotal(max));
                stage.act("default " + max, () -> manager.setDefaultMaxPerRoute(max));
                stage.act("of a " + max, () -> manager.setMaxPerRoute(a, max));
                stage.play("they are",
                        () -> manager.getMaxTotal() + " " + manager.getDefaultMaxPerRoute() + " " + manager.getMaxPerRoute(a));
                stage.lease(manager, a);
            }
            stage.act("largest", () -> {
                manager.setMaxTotal(Integer.MAX_VALUE);
                manager.setDefaultMaxPerRoute(Integer.MAX_VALUE);
                manager.setMaxPerRoute(a, Integer.MAX_VALUE);
            });
            stage.counts(manager, a, stage.inMemory("b"));
        });
        script("limits: lowered", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager(4, 4);
            HttpRoute a = stage.inMemory("a");
            List<ConnectionEndpoint> all = openAll(stage, manager, a, a, a, a);
            stage.release(manager, all.get(0));
            stage.release(manager, all.get(1));
            stage.logInNoOrder();
            stage.act("lower", () -> manager.setMaxTotal(2));
            stage.counts(manager, a);
            stage.release(manager, all.get(2));
            stage.release(manager, all.get(3));
            stage.counts(manager, a);
        });
    }

    private static void waiting() {
        script("a waiter gets what is released", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager(1, 9);
            HttpRoute a = stage.inMemory("a");
            ConnectionEndpoint held = stage.open(manager, a);
            Pending<ConnectionEndpoint> waiter = stage.waiter(manager, a);
            waiter.endAfter("release", () -> manager.release(held, null, TimeValue.NEG_ONE_MILLISECOND));
            stage.counts(manager, a);
        });
        script("a waiter gets the place of what is released for good", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager(1, 9);
            HttpRoute a = stage.inMemory("a");
            ConnectionEndpoint held = stage.open(manager, a);
            Pending<ConnectionEndpoint> waiter = stage.waiter(manager, a);
            waiter.endAfter("release", () -> manager.release(held, null, null));
            stage.counts(manager, a);
        });
        script("a waiter is interrupted", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager(1, 9);
            HttpRoute a = stage.inMemory("a");
            ConnectionEndpoint held = stage.open(manager, a);
            Pending<ConnectionEndpoint> waiter = stage.waiter(manager, a);
            waiter.interrupt();
            waiter.end();
            stage.release(manager, held);
            stage.counts(manager, a);
            stage.lease(manager, a);
        });
        script("a request is cancelled", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager(1, 9);
            HttpRoute a = stage.inMemory("a");
            ConnectionEndpoint held = stage.open(manager, a);
            LeaseRequest[] request = new LeaseRequest[1];
            stage.act("request", () -> request[0] = manager.lease("ex", a, Timeout.ofMinutes(1), null));
            stage.play("cancel", request[0]::cancel);
            stage.play("get", () -> request[0].get(Timeout.ofSeconds(1)));
            stage.play("cancel again", request[0]::cancel);
            stage.release(manager, held);
            stage.counts(manager, a);
        });
        script("a request that was served is cancelled", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager(1, 9);
            HttpRoute a = stage.inMemory("a");
            LeaseRequest[] request = new LeaseRequest[1];
            stage.act("request", () -> request[0] = manager.lease("ex", a, Timeout.ofMinutes(1), null));
            stage.play("cancel", request[0]::cancel);
            stage.counts(manager, a);
        });
        script("a request with an end of its own", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager(1, 9);
            HttpRoute a = stage.inMemory("a");
            ConnectionEndpoint held = stage.open(manager, a);
            stage.play("get", () -> manager.lease("ex", a, Timeout.ofMilliseconds(30), null).get(Timeout.ofMilliseconds(30)));
            stage.release(manager, held);
            stage.counts(manager, a);
        });
    }

    private static void times() {
        script("kept for a while", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.inMemory("a");
            stage.release(manager, stage.open(manager, a), null, TimeValue.ofMilliseconds(500));
            stage.pass(550);
            stage.open(manager, a);
            stage.counts(manager, a);
        });
        script("expired ones are closed", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.inMemory("a");
            List<ConnectionEndpoint> two = openAll(stage, manager, a, a);
            stage.release(manager, two.get(0), null, TimeValue.ofMilliseconds(500));
            stage.release(manager, two.get(1), null, TimeValue.ofHours(1));
            stage.pass(550);
            stage.act("close expired", manager::closeExpired);
            stage.counts(manager, a);
        });
        script("idle ones are closed", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.inMemory("a");
            ConnectionEndpoint leased = stage.open(manager, a);
            stage.idle(manager, a);
            stage.act("close idle for an hour", () -> manager.closeIdle(TimeValue.ofHours(1)));
            stage.counts(manager, a);
            stage.act("close idle", () -> manager.closeIdle(TimeValue.ZERO_MILLISECONDS));
            stage.counts(manager, a);
            stage.act("close idle for less than nothing", () -> manager.closeIdle(TimeValue.NEG_ONE_MILLISECOND));
            stage.release(manager, leased);
            stage.counts(manager, a);
        });
        for (long millis : new long[] {-1, 0, 20, 3_600_000}) {
            script("a time to live of " + millis + " ms", stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                manager.setDefaultConnectionConfig(ConnectionConfig.custom().setTimeToLive(millis, TimeUnit.MILLISECONDS).build());
                HttpRoute a = stage.inMemory("a");
                stage.idle(manager, a);
                stage.pass(60);
                stage.act("close expired", manager::closeExpired);
                stage.counts(manager, a);
                stage.open(manager, a);
                stage.counts(manager, a);
            });
        }
        script("a socket timeout for all", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultConnectionConfig(ConnectionConfig.custom().setSocketTimeout(Timeout.ofSeconds(9)).build());
            HttpRoute a = stage.to("a");
            stage.idle(manager, a);
            stage.idle(manager, a);
        });
        script("stale after a while", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultConnectionConfig(ConnectionConfig.custom()
                    .setValidateAfterInactivity(TimeValue.ofMilliseconds(1)).build());
            CloseableHttpClient client = stage.client(manager, Way.PLAIN);
            stage.get(client, Way.PLAIN, "/ok");
            stage.pass(30);
            stage.get(client, Way.PLAIN, "/drop?later");
            stage.awaitEndWhileIdle(manager);
            stage.pass(30);
            stage.get(client, Way.PLAIN, "/ok");
            stage.countConnections();
        });
    }

    private static void closing() {
        for (CloseMode mode : CloseMode.values()) {
            script("closed " + mode, stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                HttpRoute a = stage.to("a");
                List<ConnectionEndpoint> all = openAll(stage, manager, a, a);
                stage.release(manager, all.get(0));
                ConnectionEndpoint unopened = stage.lease(manager, stage.to("b"));
                stage.logInNoOrder();
                stage.close(manager, mode);
                stage.awaitEnd(0);
                stage.awaitEnd(1);
                stage.play("it is", () -> all.get(1));
                stage.counts(manager, a);
                stage.release(manager, all.get(1));
                stage.release(manager, unopened);
                stage.release(manager, unopened);
                stage.lease(manager, a);
                stage.act("close idle", () -> manager.closeIdle(TimeValue.ZERO_MILLISECONDS));
                stage.act("close expired", manager::closeExpired);
                stage.close(manager, mode);
                stage.act("raise", () -> manager.setMaxTotal(3));
                stage.routes(manager);
                stage.counts(manager, a);
            });
        }
        script("closed with somebody waiting", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager(1, 9);
            HttpRoute a = stage.inMemory("a");
            stage.open(manager, a);
            Pending<ConnectionEndpoint> waiter = stage.start("waiter for a",
                    () -> manager.lease("waiter", a, Timeout.ofMilliseconds(300), null).get(Timeout.ofMilliseconds(300))).untilItWaits();
            waiter.endAfter("close", manager::close);
        });
        script("connected after the close", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            ConnectionEndpoint endpoint = stage.lease(manager, stage.inMemory("a"));
            stage.close(manager, CloseMode.GRACEFUL);
            stage.connect(manager, endpoint);
            stage.play("it is", () -> endpoint);
            stage.release(manager, endpoint);
        });
        script("TLS is closed", stage -> {
            stage.logInNoOrder();
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute tls = stage.toTls();
            ConnectionEndpoint endpoint = stage.open(manager, tls);
            stage.act("close", endpoint::close);
            stage.release(manager, endpoint);
            stage.idle(manager, tls);
            stage.counts(manager, tls);
            stage.close(manager, CloseMode.GRACEFUL);
        });
    }

    private static void misuse() {
        script("misuse: nothing", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            ConnectionEndpoint leased = stage.lease(manager, a);
            stage.act("lease", () -> manager.lease("ex", null, Timeout.ofSeconds(1), null));
            stage.act("lease without a name", () -> manager.release(
                    manager.lease(null, a, Timeout.ofSeconds(1), null).get(Timeout.ofSeconds(1)), null, null));
            stage.act("lease without a time", () -> manager.lease("ex", a, null, null));
            stage.act("get without a time", () -> manager.lease("ex", stage.to("b"), Timeout.ofSeconds(1), null).get(null));
            stage.act("release", () -> manager.release(null, null, null));
            stage.act("connect", () -> manager.connect(null, TimeValue.ofSeconds(1), HttpClientContext.create()));
            stage.act("upgrade", () -> manager.upgrade(null, HttpClientContext.create()));
            stage.act("connect without a context", () -> manager.connect(leased, TimeValue.ofSeconds(1), null));
            stage.act("connect without a time", () -> manager.connect(leased, null, HttpClientContext.create()));
            stage.act("timeout", () -> leased.setSocketTimeout(null));
            stage.act("close idle", () -> manager.closeIdle(null));
            stage.play("maximum", () -> manager.getMaxPerRoute(null));
            stage.act("maximum", () -> manager.setMaxPerRoute(null, 1));
            stage.play("counts", () -> manager.getStats(null));
            stage.act("close in no way", () -> manager.close(null));
            stage.play("it is", () -> leased);
        });
        script("misuse: no configurations", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            stage.act("set", () -> {
                manager.setDefaultConnectionConfig(null);
                manager.setConnectionConfigResolver(null);
                manager.setDefaultSocketConfig(null);
                manager.setSocketConfigResolver(null);
                manager.setDefaultTlsConfig(null);
                manager.setTlsConfigResolver(null);
            });
            stage.idle(manager, stage.to("a"));
            stage.act("set", () -> {
                manager.setConnectionConfigResolver(route -> null);
                manager.setSocketConfigResolver(route -> null);
                manager.setTlsConfigResolver(host -> null);
            });
            stage.idle(manager, stage.to("a"));
        });
        script("misuse: released twice", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            HttpRoute a = stage.to("a");
            ConnectionEndpoint endpoint = stage.open(manager, a);
            stage.release(manager, endpoint);
            stage.release(manager, endpoint);
            stage.release(manager, endpoint, "user", TimeValue.ofSeconds(5));
            stage.release(manager, endpoint, null, null);
            stage.counts(manager, a);
            ConnectionEndpoint next = stage.lease(manager, a);
            stage.release(manager, endpoint, null, null);
            stage.play("it is", () -> next);
            stage.counts(manager, a);
        });
        script("misuse: used after the release", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            ConnectionEndpoint endpoint = stage.open(manager, stage.to("a"));
            stage.release(manager, endpoint);
            stage.play("connected", endpoint::isConnected);
            stage.act("timeout", () -> endpoint.setSocketTimeout(Timeout.ofSeconds(1)));
            stage.act("execute", () -> execute(endpoint));
            stage.connect(manager, endpoint);
            stage.act("upgrade", () -> manager.upgrade(endpoint, HttpClientContext.create()));
            stage.act("close", endpoint::close);
            stage.act("close at once", () -> endpoint.close(CloseMode.IMMEDIATE));
            stage.counts(manager, stage.to("a"));
        });
        script("misuse: used before it is connected", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            ConnectionEndpoint endpoint = stage.lease(manager, stage.to("a"));
            stage.act("timeout", () -> endpoint.setSocketTimeout(Timeout.ofSeconds(1)));
            stage.act("execute", () -> execute(endpoint));
            stage.act("upgrade", () -> manager.upgrade(endpoint, HttpClientContext.create()));
            stage.act("close", endpoint::close);
            stage.release(manager, endpoint);
        });
        script("misuse: an endpoint of no manager", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            ConnectionEndpoint stranger = new Stranger();
            stage.release(manager, stranger);
            stage.connect(manager, stranger);
            stage.act("upgrade", () -> manager.upgrade(stranger, HttpClientContext.create()));
            stage.close(manager, CloseMode.GRACEFUL);
            stage.release(manager, stranger);
        });
        script("misuse: another manager's endpoint", stage -> {
            PoolingHttpClientConnectionManager owner = stage.manager();
            PoolingHttpClientConnectionManager other = stage.manager();
            HttpRoute a = stage.to("a");
            ConnectionEndpoint endpoint = stage.open(owner, a);
            stage.release(other, endpoint);
            stage.play("it is", () -> endpoint);
            stage.counts(owner, a);
            stage.counts(other, a);
            stage.release(owner, endpoint);
            stage.counts(owner, a);
        });
        script("misuse: an endpoint of a manager that was closed, released to another", stage -> {
            PoolingHttpClientConnectionManager owner = stage.manager();
            PoolingHttpClientConnectionManager other = stage.manager();
            ConnectionEndpoint endpoint = stage.open(owner, stage.to("a"));
            stage.close(owner, CloseMode.GRACEFUL);
            stage.release(other, endpoint);
            stage.counts(other, stage.to("a"));
        });
    }

    @SuppressWarnings("deprecation") // What all versions have.
    private static void execute(ConnectionEndpoint endpoint) throws Exception {
        endpoint.execute("ex", new BasicClassicHttpRequest("GET", "/"), new HttpRequestExecutor(), HttpClientContext.create());
    }

    /** Belongs to no manager. */
    @SuppressWarnings("deprecation") // What all versions have.
    private static final class Stranger extends ConnectionEndpoint {
        @Override
        public org.apache.hc.core5.http.ClassicHttpResponse execute(String id, org.apache.hc.core5.http.ClassicHttpRequest request,
                HttpRequestExecutor executor, HttpContext context) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean isConnected() {
            return true;
        }

        @Override
        public void setSocketTimeout(Timeout timeout) {}

        @Override
        public void close(CloseMode mode) {}

        @Override
        public void close() {}
    }

    private static void requests() {
        for (Way way : Way.values()) {
            script("requests: " + way, stage -> {
                PoolingHttpClientConnectionManager manager = stage.manager();
                CloseableHttpClient client = stage.client(manager, way);
                for (String path : new String[] {"/ok", "/big", "/chunked", "/204", "/keep-alive?timeout=5", "/keep"}) {
                    stage.get(client, way, path);
                }
                stage.play("counts", () -> manager.getTotalStats());
                stage.logInNoOrder();
                stage.close(manager, CloseMode.GRACEFUL);
            });
            script("requests that end their connection: " + way, stage -> {
                // Of TLS the goodbye, and with it a line, may come on another thread.
                stage.logInNoOrder();
                PoolingHttpClientConnectionManager manager = stage.manager();
                CloseableHttpClient client = stage.client(manager, way);
                for (String path : new String[] {"/close", "/says-close", "/no-length", "/http10", "/http10-keep", "/truncated", "/nothing",
                    "/garbage", "/chunked-cut"}) {
                    stage.get(client, way, path);
                }
                stage.play("counts", () -> manager.getTotalStats());
            });
        }
        script("requests: the server closes what is idle", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            CloseableHttpClient client = stage.client(manager, Way.PLAIN);
            stage.get(client, Way.PLAIN, "/drop?later");
            stage.awaitEndWhileIdle(manager);
            stage.play("counts", () -> manager.getTotalStats());
        });
        script("requests: many after each other to three hosts", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager(1, 2);
            HttpRoute[] routes = {stage.to("a"), stage.to("b"), stage.to("c")};
            for (int i = 0; i < 9; i++) {
                stage.idle(manager, routes[i % 3]);
            }
            stage.counts(manager, routes);
            Eventually.await("the others to be closed", () -> stage.server().peers().stream().filter(peer -> peer.hasEnded()).count() == 7);
            stage.routes(manager);
        });
    }
}
