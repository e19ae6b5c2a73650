package io.leasehold.httpclient5;

import io.leasehold.testsupport.Script;
import io.leasehold.testsupport.ScriptList;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/** What is played on both asynchronous managers. Written against HttpClient's own types alone. */
final class AsyncScripts {
    private static final ScriptList<AsyncStage> ALL = new ScriptList<>();

    private AsyncScripts() {}

    static Map<String, Script<AsyncStage>> all() {
        return ALL.byName();
    }

    private static void script(String name, Script<AsyncStage> script) {
        ALL.add(name, script);
    }

    static {
        leases();
        waiting();
        misuse();
        closing();
    }

    private static void leases() {
        script("a connection is opened, used, and leased again", stage -> {
            PoolingAsyncClientConnectionManager manager = stage.manager(2, 4);
            AsyncConnectionEndpoint endpoint = stage.open(manager, 0, null);
            stage.get(endpoint, "/ok");
            stage.get(endpoint, "/ok");
            stage.counts(manager, 0);
            stage.release(manager, endpoint);
            stage.counts(manager, 0);
            AsyncConnectionEndpoint again = stage.lease(manager, 0, null);
            stage.get(again, "/ok");
            stage.play("info", () -> again.getInfo().getProtocol());
            stage.connect(manager, again);
            stage.release(manager, again, null, TimeValue.ofHours(1));
            stage.countConnections();
        });
        script("released without a connection", stage -> {
            PoolingAsyncClientConnectionManager manager = stage.manager(1, 4);
            stage.release(manager, stage.lease(manager, 0, null));
            stage.counts(manager, 0);
            stage.lease(manager, 0, null);
        });
        script("closed while leased", stage -> {
            PoolingAsyncClientConnectionManager manager = stage.manager(1, 4);
            for (CloseMode mode : CloseMode.values()) {
                AsyncConnectionEndpoint endpoint = stage.open(manager, 0, null);
                stage.act("close " + mode, () -> endpoint.close(mode));
                stage.play("is connected", endpoint::isConnected);
                stage.release(manager, endpoint);
                stage.counts(manager, 0);
            }
            stage.awaitEnd(0);
            stage.awaitEnd(1);
        });
        script("closed while leased, and opened again", stage -> {
            PoolingAsyncClientConnectionManager manager = stage.manager(1, 4);
            AsyncConnectionEndpoint endpoint = stage.open(manager, 0, null);
            stage.act("close", () -> endpoint.close(CloseMode.GRACEFUL));
            stage.connect(manager, endpoint);
            stage.get(endpoint, "/ok");
            stage.release(manager, endpoint);
            stage.lease(manager, 0, null);
            stage.counts(manager, 0);
        });
        script("states: each to its own", stage -> {
            PoolingAsyncClientConnectionManager manager = stage.manager(3, 9);
            AsyncConnectionEndpoint x = stage.open(manager, 0, null);
            AsyncConnectionEndpoint y = stage.open(manager, 0, "y");
            AsyncConnectionEndpoint none = stage.open(manager, 0, null);
            stage.release(manager, x, "x", TimeValue.ZERO_MILLISECONDS);
            stage.release(manager, y, "y", TimeValue.ofHours(1));
            stage.release(manager, none);
            stage.lease(manager, 0, "y");
            stage.lease(manager, 0, "x");
            stage.lease(manager, 0, null);
            stage.lease(manager, 0, null);
            stage.counts(manager, 0);
        });
        script("an idle one of another route makes room", stage -> {
            PoolingAsyncClientConnectionManager manager = stage.manager(2, 2);
            stage.release(manager, stage.open(manager, 0, null));
            stage.release(manager, stage.open(manager, 1, null));
            stage.open(manager, 2, null);
            stage.awaitEnd(0);
            stage.counts(manager, 0, 1, 2);
        });
        script("connections go on demand", stage -> {
            PoolingAsyncClientConnectionManager manager = stage.manager(2, 4);
            stage.release(manager, stage.open(manager, 0, null));
            stage.act("close idle for an hour", () -> manager.closeIdle(TimeValue.ofHours(1)));
            stage.act("close expired", manager::closeExpired);
            stage.counts(manager, 0);
            stage.act("close idle", () -> manager.closeIdle(TimeValue.ZERO_MILLISECONDS));
            stage.counts(manager, 0);
            stage.awaitEnd(0);
        });
    }

    private static void waiting() {
        script("who waits gets what is released", stage -> {
            PoolingAsyncClientConnectionManager manager = stage.manager(1, 4);
            AsyncConnectionEndpoint held = stage.open(manager, 0, null);
            Future<AsyncConnectionEndpoint> first = stage.request(manager, 0, null);
            Future<AsyncConnectionEndpoint> second = stage.request(manager, 0, null);
            stage.counts(manager, 0);
            stage.release(manager, held);
            AsyncConnectionEndpoint served = stage.play("the first", first::get);
            stage.play("the second", second::isDone);
            stage.act("close", () -> served.close(CloseMode.IMMEDIATE));
            stage.release(manager, served);
            stage.play("the second", second::get);
            stage.counts(manager, 0);
        });
        script("cancelled while it waits, and when it was served", stage -> {
            PoolingAsyncClientConnectionManager manager = stage.manager(1, 4);
            AsyncConnectionEndpoint held = stage.open(manager, 0, null);
            Future<AsyncConnectionEndpoint> first = stage.request(manager, 0, null);
            Future<AsyncConnectionEndpoint> second = stage.request(manager, 0, null);
            stage.play("cancel", () -> first.cancel(true));
            stage.play("cancel", () -> first.cancel(true));
            stage.play("it is", () -> first.isDone() + " " + first.isCancelled());
            stage.play("it comes to", first::get);
            stage.release(manager, held);
            stage.play("cancel", () -> second.cancel(true));
            stage.play("it is", () -> second.isDone() + " " + second.isCancelled());
            stage.play("it comes to", second::get);
        });
        script("a raised limit", stage -> {
            PoolingAsyncClientConnectionManager manager = stage.manager(1, 4);
            stage.lease(manager, 0, null);
            Future<AsyncConnectionEndpoint> waits = stage.request(manager, 0, null);
            stage.act("raise", () -> manager.setMaxPerRoute(stage.route(0), 2));
            stage.play("it is", waits::isDone);
            stage.counts(manager, 0);
        });
        script("routes", stage -> {
            PoolingAsyncClientConnectionManager manager = stage.manager(1, 4);
            stage.routes(manager);
            stage.release(manager, stage.open(manager, 0, null));
            stage.lease(manager, 1, null);
            stage.routes(manager);
        });
    }

    private static void misuse() {
        script("what is refused", stage -> {
            PoolingAsyncClientConnectionManager manager = stage.manager(1, 4);
            stage.act("lease no route", () -> manager.lease("EX", null, null, Timeout.ofMinutes(1), null));
            stage.act("lease without a time", () -> manager.lease("EX", stage.route(0), null, null, null));
            stage.act("release nothing", () -> manager.release(null, null, TimeValue.ZERO_MILLISECONDS));
            stage.act("connect nothing", () -> manager.connect(null, null, null, null, null, null));
            stage.act("upgrade nothing", () -> manager.upgrade(null, null, null, null));
            AsyncConnectionEndpoint endpoint = stage.lease(manager, 0, null);
            stage.act("release without a time", () -> manager.release(endpoint, null, null));
            stage.act("connect to nothing", () -> manager.connect(endpoint, null, null, null, null, null));
            stage.act("upgrade what is not connected", () -> manager.upgrade(endpoint, null, null, null));
            stage.act("a timeout of what is not connected", () -> endpoint.setSocketTimeout(Timeout.ofSeconds(1)));
            stage.play("info of what is not connected", endpoint::getInfo);
            for (int limit : new int[] {0, -1}) {
                stage.act("total " + limit, () -> manager.setMaxTotal(limit));
                stage.act("default " + limit, () -> manager.setDefaultMaxPerRoute(limit));
                stage.act("route " + limit, () -> manager.setMaxPerRoute(stage.route(0), limit));
                stage.play("it is", () -> manager.getMaxPerRoute(stage.route(0)));
            }
            stage.act("of no route", () -> manager.setMaxPerRoute(null, 1));
            stage.act("numbers of no route", () -> manager.getStats(null));
        });
        script("released twice", stage -> {
            PoolingAsyncClientConnectionManager manager = stage.manager(2, 4);
            AsyncConnectionEndpoint endpoint = stage.open(manager, 0, null);
            stage.release(manager, endpoint);
            stage.release(manager, endpoint);
            stage.counts(manager, 0);
            stage.play("is connected", endpoint::isConnected);
            stage.act("close", () -> endpoint.close(CloseMode.IMMEDIATE));
            stage.act("connect", () -> manager.connect(endpoint, (a, b, c, d, e, f) -> null, null, null, null, null));
            stage.act("a timeout", () -> endpoint.setSocketTimeout(Timeout.ofSeconds(1)));
            stage.lease(manager, 0, null);
        });
        script("another manager's endpoint", stage -> {
            PoolingAsyncClientConnectionManager manager = stage.manager(2, 4);
            AsyncConnectionEndpoint foreign = stage.lease(stage.manager(2, 4), 0, null);
            stage.release(manager, foreign);
            stage.counts(manager, 0);
        });
    }

    private static void closing() {
        for (CloseMode mode : CloseMode.values()) {
            script("closed, " + mode, stage -> {
                PoolingAsyncClientConnectionManager manager = stage.manager(2, 4);
                AsyncConnectionEndpoint idle = stage.open(manager, 0, null);
                AsyncConnectionEndpoint held = stage.open(manager, 0, null);
                stage.release(manager, idle);
                stage.act("close", () -> manager.close(mode));
                stage.awaitEnd(0);
                stage.awaitEnd(1);
                stage.play("is connected", held::isConnected);
                stage.release(manager, held);
                stage.counts(manager, 0);
                stage.play("lease", () -> manager.lease("EX", stage.route(0), null, Timeout.DISABLED, null).get());
                stage.act("close idle", () -> manager.closeIdle(TimeValue.ZERO_MILLISECONDS));
                stage.act("close expired", manager::closeExpired);
                stage.act("close again", () -> manager.close(mode));
            });
        }
        script("opened after the close", stage -> {
            PoolingAsyncClientConnectionManager manager = stage.manager(1, 4);
            AsyncConnectionEndpoint endpoint = stage.lease(manager, 0, null);
            stage.act("close", manager::close);
            stage.connect(manager, endpoint);
            stage.release(manager, endpoint);
            stage.counts(manager, 0);
        });
    }
}
