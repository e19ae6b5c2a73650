package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Scripts.openAll;
import static io.leasehold.httpclient4.Scripts.request;
import static io.leasehold.httpclient4.Scripts.script;
import static io.leasehold.httpclient4.Scripts.sorted;
import static io.leasehold.httpclient4.Scripts.waiter;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.ScriptStage.Pending;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpRequest;
import org.apache.http.HttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.conn.ConnectionRequest;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.protocol.HttpContext;
import org.apache.http.protocol.HttpCoreContext;
import org.apache.http.protocol.HttpRequestExecutor;

/** Closing what is idle or has expired, and the end of a manager. */
final class ClosingScripts {
    private ClosingScripts() {}

    /** Adds the scripts. */
    static void add() {
        closing();
        shutdown();
    }

    private static void closing() {
        script("close expired", stage -> {
            PoolingHttpClientConnectionManager manager = stage.manager();
            manager.setDefaultMaxPerRoute(4);
            HttpRoute a = stage.to("a");
            HttpRoute b = stage.to("b");
            List<HttpClientConnection> all = openAll(stage, manager, a, b, a, a);
            stage.release(manager, all.get(0), null, 50, TimeUnit.MILLISECONDS);
            stage.release(manager, all.get(1), "user", 50, TimeUnit.MILLISECONDS);
            stage.release(manager, all.get(2), null, 1, TimeUnit.HOURS);
            stage.pass(80);
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
            stage.release(manager, stage.open(manager, a), null, 50, TimeUnit.MILLISECONDS);
            stage.pass(80);
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
}
