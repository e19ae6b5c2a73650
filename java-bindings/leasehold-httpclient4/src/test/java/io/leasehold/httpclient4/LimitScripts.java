package io.leasehold.httpclient4;

import static io.leasehold.httpclient4.Scripts.openAll;
import static io.leasehold.httpclient4.Scripts.request;
import static io.leasehold.httpclient4.Scripts.script;
import static io.leasehold.httpclient4.Scripts.waiter;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.ScriptStage.Pending;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.conn.ConnectionRequest;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.util.EntityUtils;

/** Limits, waiting for a place, and giving it up. */
final class LimitScripts {
    private LimitScripts() {}

    /** Adds the scripts. */
    static void add() {
        limits();
        waiting();
        cancelling();
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
                return stage.server().peer(0).hasEnded();
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
}
