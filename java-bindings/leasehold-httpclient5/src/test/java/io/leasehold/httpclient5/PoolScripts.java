package io.leasehold.httpclient5;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.Script;
import io.leasehold.testsupport.ScriptList;
import io.leasehold.testsupport.ScriptStage.Pending;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.ManagedConnPool;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/** What is played on both pools. Written against HttpCore's own types alone. */
final class PoolScripts {
    private static final ScriptList<PoolStage> ALL = new ScriptList<>();

    private PoolScripts() {}

    static Map<String, Script<PoolStage>> all() {
        return ALL.byName();
    }

    private static void script(String name, Script<PoolStage> script) {
        ALL.add(name, script);
    }

    /** An entry of each route, with a connection. */
    private static List<PoolEntry<String, Conn>> openAll(PoolStage stage, ManagedConnPool<String, Conn> pool, String... routes) {
        List<PoolEntry<String, Conn>> all = new ArrayList<>();
        for (String route : routes) {
            all.add(stage.open(pool, route));
        }
        return all;
    }

    static {
        leases();
        policies();
        states();
        limits();
        expiry();
        idleness();
        waiting();
        futures();
        callbacks();
        misuse();
        closing();
    }

    private static void leases() {
        script("an entry is had empty, and again with its connection", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 4);
            PoolEntry<String, Conn> entry = stage.lease(pool, "a");
            stage.counts(pool, "a");
            stage.play("it was created", () -> entry.getCreated() + ", updated " + entry.getUpdated() + ", expires "
                    + entry.getExpiryDeadline().getValue());
            entry.assignConnection(stage.connect("a"));
            stage.release(pool, entry);
            stage.counts(pool, "a");
            stage.lease(pool, "a");
            stage.lease(pool, "a");
            stage.counts(pool, "a");
        });
        script("released without a word on it", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 4);
            PoolEntry<String, Conn> entry = stage.open(pool, "a");
            stage.act("release", () -> pool.release(entry, true));
            stage.play("it is", () -> entry);
            stage.lease(pool, "a");
        });
        script("released empty", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 4);
            PoolEntry<String, Conn> entry = stage.lease(pool, "a");
            stage.act("release", () -> pool.release(entry, true));
            stage.counts(pool, "a");
            stage.lease(pool, "a");
            stage.counts(pool, "a");
        });
        script("released not to be used again", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 4);
            stage.discard(pool, stage.open(pool, "a"));
            stage.counts(pool, "a");
            PoolEntry<String, Conn> second = stage.open(pool, "a");
            stage.release(pool, second);
            stage.discard(pool, stage.lease(pool, "a"));
            stage.counts(pool, "a");
            stage.discard(pool, stage.lease(pool, "a"));
            stage.counts(pool, "a");
        });
        script("its connection discarded while leased", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 4);
            stage.idle(pool, "a");
            PoolEntry<String, Conn> entry = stage.lease(pool, "a");
            stage.act("discard its connection", () -> entry.discardConnection(CloseMode.IMMEDIATE));
            stage.act("release", () -> pool.release(entry, true));
            stage.counts(pool, "a");
            stage.lease(pool, "a");
        });
        script("another connection assigned while leased", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 4);
            stage.release(pool, stage.open(pool, "a"), null, TimeValue.ofHours(1));
            PoolEntry<String, Conn> entry = stage.lease(pool, "a");
            stage.act("discard its connection", () -> entry.discardConnection(CloseMode.IMMEDIATE));
            entry.assignConnection(stage.connect("a"));
            stage.act("release", () -> pool.release(entry, true));
            stage.counts(pool, "a");
            stage.lease(pool, "a");
            stage.release(pool, entry, null, TimeValue.ofHours(1));
            stage.act("close expired", pool::closeExpired);
            stage.act("close idle", () -> pool.closeIdle(TimeValue.ZERO_MILLISECONDS));
            stage.counts(pool, "a");
        });
        script("its connection discarded while idle", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 4);
            PoolEntry<String, Conn> entry = stage.open(pool, "a");
            stage.release(pool, entry);
            stage.act("discard its connection", () -> entry.discardConnection(CloseMode.IMMEDIATE));
            stage.counts(pool, "a");
            stage.open(pool, "a");
            stage.counts(pool, "a");
            stage.release(pool, entry);
            stage.lease(pool, "a");
        });
        script("assigned twice", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 4);
            PoolEntry<String, Conn> entry = stage.open(pool, "a");
            stage.act("assign", () -> entry.assignConnection(stage.connect("a")));
        });
        script("a callback that closes connections", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1, null, PoolReusePolicy.LIFO, (connection, mode) -> {
                PoolStage.log("callback to close " + connection + " " + mode);
                connection.close(mode);
            }, null);
            stage.discard(pool, stage.open(pool, "a"));
            stage.idle(pool, "a");
            stage.idle(pool, "b");
            stage.act("close idle", () -> pool.closeIdle(null));
            stage.idle(pool, "b");
            stage.act("close", () -> pool.close(CloseMode.IMMEDIATE));
        });
        script("a listener", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1, null, PoolReusePolicy.LIFO, null, stage.listener());
            PoolEntry<String, Conn> first = stage.open(pool, "a");
            stage.lease(pool, "a");
            Pending<PoolEntry<String, Conn>> waiter = stage.waiter(pool, "b");
            waiter.endAfter("release", () -> pool.release(first, true));
            stage.act("close", pool::close);
        });
        script("routes", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 4);
            stage.routes(pool);
            stage.idle(pool, "a");
            stage.lease(pool, "b");
            stage.routes(pool);
            stage.counts(pool, "c");
            stage.routes(pool);
            stage.act("close idle", () -> pool.closeIdle(null));
            stage.routes(pool);
        });
        script("its name", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 4);
            stage.idle(pool, "a");
            stage.lease(pool, "b");
            stage.play("it is", pool::toString);
        });
    }

    private static void policies() {
        for (PoolReusePolicy policy : new PoolReusePolicy[] {PoolReusePolicy.LIFO, PoolReusePolicy.FIFO, null}) {
            script("order: " + policy, stage -> {
                ManagedConnPool<String, Conn> pool = stage.pool(4, 9, null, policy);
                List<PoolEntry<String, Conn>> all = openAll(stage, pool, "a", "a", "a", "a");
                for (int i : new int[] {2, 0, 3, 1}) {
                    stage.release(pool, all.get(i));
                }
                for (int i = 0; i < 4; i++) {
                    stage.lease(pool, "a");
                }
            });
            script("room is made by: " + policy, stage -> {
                ManagedConnPool<String, Conn> pool = stage.pool(3, 3, null, policy);
                List<PoolEntry<String, Conn>> all = openAll(stage, pool, "a", "b", "c");
                for (int i : new int[] {1, 2, 0}) {
                    stage.release(pool, all.get(i));
                }
                stage.lease(pool, "d");
                stage.counts(pool, "a", "b", "c", "d");
            });
        }
    }

    private static void states() {
        script("states: each to its own", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(5, 9);
            List<PoolEntry<String, Conn>> all = openAll(stage, pool, "a", "a", "a");
            stage.release(pool, all.get(0), "x", TimeValue.ZERO_MILLISECONDS);
            stage.release(pool, all.get(1), "y", TimeValue.ZERO_MILLISECONDS);
            stage.release(pool, all.get(2));
            PoolEntry<String, Conn> y = stage.lease(pool, "a", new String("y"));
            PoolEntry<String, Conn> x = stage.lease(pool, "a", "x");
            PoolEntry<String, Conn> none = stage.lease(pool, "a");
            stage.lease(pool, "a");
            stage.release(pool, none);
            stage.lease(pool, "a", "z");
            stage.release(pool, x, "x", TimeValue.ofHours(1));
            stage.release(pool, y, "x", TimeValue.ofHours(1));
            stage.lease(pool, "a", "x");
            stage.counts(pool, "a");
        });
        script("states: equal before none", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(5, 9);
            List<PoolEntry<String, Conn>> all = openAll(stage, pool, "a", "a", "a");
            stage.release(pool, all.get(0), "x", TimeValue.ZERO_MILLISECONDS);
            stage.release(pool, all.get(1));
            stage.release(pool, all.get(2));
            stage.lease(pool, "a", "x");
            stage.lease(pool, "a", "x");
            stage.lease(pool, "a");
        });
        script("states: a full route gives up the wrong ones", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 9);
            List<PoolEntry<String, Conn>> all = openAll(stage, pool, "a", "a");
            stage.release(pool, all.get(0), "x", TimeValue.ZERO_MILLISECONDS);
            stage.release(pool, all.get(1), "y", TimeValue.ZERO_MILLISECONDS);
            stage.lease(pool, "a");
            stage.counts(pool, "a");
            stage.lease(pool, "a", "z");
            stage.lease(pool, "a", "z");
            stage.counts(pool, "a");
        });
        script("states: stay without a word on them, and are taken off", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 9);
            stage.release(pool, stage.open(pool, "a"), "x", TimeValue.ZERO_MILLISECONDS);
            PoolEntry<String, Conn> bound = stage.lease(pool, "a", "x");
            stage.act("release", () -> pool.release(bound, true));
            stage.lease(pool, "a", "x");
            stage.release(pool, bound);
            stage.lease(pool, "a");
            stage.counts(pool, "a");
        });
        script("states: gone with the connection", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 9);
            stage.release(pool, stage.open(pool, "a"), "x", TimeValue.ZERO_MILLISECONDS);
            PoolEntry<String, Conn> bound = stage.lease(pool, "a", "x");
            bound.discardConnection(CloseMode.IMMEDIATE);
            bound.assignConnection(stage.connect("a"));
            stage.act("release", () -> pool.release(bound, true));
            stage.lease(pool, "a");
        });
        script("states: compared by equals", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(9, 9);
            List<PoolEntry<String, Conn>> all = openAll(stage, pool, "a", "a");
            stage.release(pool, all.get(0), Arrays.asList("x", 1), TimeValue.ZERO_MILLISECONDS);
            stage.release(pool, all.get(1), 7L, TimeValue.ZERO_MILLISECONDS);
            stage.lease(pool, "a", Arrays.asList("x", 1));
            stage.lease(pool, "a", 7);
            stage.lease(pool, "a", 7L);
        });
    }

    private static void limits() {
        script("limits: of a route", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 9);
            List<PoolEntry<String, Conn>> all = openAll(stage, pool, "a", "a", "a");
            stage.lease(pool, "b");
            stage.counts(pool, "a", "b");
            stage.release(pool, all.get(0));
            stage.lease(pool, "a");
        });
        script("limits: in total", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 3);
            openAll(stage, pool, "a", "a", "b");
            stage.lease(pool, "b");
            stage.lease(pool, "c");
            stage.counts(pool, "a", "b", "c");
        });
        script("limits: an idle one of another route makes room", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 3);
            List<PoolEntry<String, Conn>> all = openAll(stage, pool, "a", "a", "b");
            stage.release(pool, all.get(2));
            stage.release(pool, all.get(0));
            stage.lease(pool, "c");
            stage.counts(pool, "a", "b", "c");
            stage.lease(pool, "c");
            stage.lease(pool, "c");
            stage.counts(pool, "a", "b", "c");
        });
        script("limits: raised while somebody waits", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1);
            stage.lease(pool, "a");
            Future<PoolEntry<String, Conn>> waits = stage.request(pool, "b", Timeout.ofMinutes(3));
            stage.act("raise the total", () -> pool.setMaxTotal(2));
            stage.play("it is", waits::isDone);
            Future<PoolEntry<String, Conn>> ofA = stage.request(pool, "a", Timeout.ofMinutes(3));
            stage.act("raise the total", () -> pool.setMaxTotal(5));
            stage.act("raise the route", () -> pool.setMaxPerRoute("a", 2));
            stage.play("it is", ofA::isDone);
            stage.counts(pool, "a", "b");
        });
        script("limits: total lowered while connections are idle", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(6, 6);
            for (PoolEntry<String, Conn> each : openAll(stage, pool, "a", "a", "a", "a", "a", "a")) {
                stage.release(pool, each);
            }
            stage.act("lower", () -> pool.setMaxTotal(2));
            stage.counts(pool, "a");
            stage.lease(pool, "a");
            stage.counts(pool, "a");
            stage.lease(pool, "b");
            stage.counts(pool, "a", "b");
        });
        script("limits: lowered while connections are leased", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(3, 9);
            List<PoolEntry<String, Conn>> all = openAll(stage, pool, "a", "a", "a");
            stage.act("lower", () -> pool.setDefaultMaxPerRoute(1));
            stage.lease(pool, "a");
            all.forEach(each -> stage.release(pool, each));
            stage.counts(pool, "a");
            stage.lease(pool, "a");
            stage.counts(pool, "a");
        });
        script("limits: what may be set", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 4);
            for (int max : new int[] {0, -1, Integer.MIN_VALUE}) {
                stage.act("total " + max, () -> pool.setMaxTotal(max));
                stage.act("default " + max, () -> pool.setDefaultMaxPerRoute(max));
                stage.act("of a " + max, () -> pool.setMaxPerRoute("a", max));
                stage.play("they are", () -> pool.getMaxTotal() + " " + pool.getDefaultMaxPerRoute() + " " + pool.getMaxPerRoute("a"));
                stage.lease(pool, "a");
            }
            stage.act("largest", () -> {
                pool.setMaxTotal(Integer.MAX_VALUE);
                pool.setDefaultMaxPerRoute(Integer.MAX_VALUE);
                pool.setMaxPerRoute("a", Integer.MAX_VALUE);
            });
            stage.counts(pool, "a", "b");
        });
        for (int[] wrong : new int[][] {{0, 1}, {1, 0}, {-1, -1}}) {
            script("limits: a pool with " + wrong[0] + ", " + wrong[1], stage ->
                    stage.act("make", () -> stage.pool(wrong[0], wrong[1])));
        }
    }

    private static void expiry() {
        script("expired, found by a lease", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 4);
            List<PoolEntry<String, Conn>> two = openAll(stage, pool, "a", "a");
            stage.release(pool, two.get(1), null, TimeValue.ofHours(1));
            stage.release(pool, two.get(0), null, TimeValue.ofMilliseconds(50));
            stage.pass(80);
            stage.counts(pool, "a");
            stage.lease(pool, "a");
            stage.counts(pool, "a");
            stage.lease(pool, "a");
            stage.counts(pool, "a");
        });
        script("expired, all of a route", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(3, 4);
            for (PoolEntry<String, Conn> each : openAll(stage, pool, "a", "a", "a")) {
                stage.release(pool, each, null, TimeValue.ofMilliseconds(50));
            }
            stage.pass(80);
            stage.lease(pool, "a");
            stage.counts(pool, "a");
        });
        script("expired, of another route", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(3, 4);
            stage.release(pool, stage.open(pool, "a"), null, TimeValue.ofMilliseconds(50));
            stage.pass(80);
            stage.lease(pool, "b");
            stage.counts(pool, "a", "b");
        });
        script("expired, with a state", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 4);
            stage.release(pool, stage.open(pool, "a"), "x", TimeValue.ofMilliseconds(50));
            stage.pass(80);
            stage.lease(pool, "a", "y");
            stage.lease(pool, "a", "x");
            stage.counts(pool, "a");
        });
        script("expired at its release", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 4);
            PoolEntry<String, Conn> entry = stage.open(pool, "a");
            entry.updateExpiry(TimeValue.ofMilliseconds(50));
            stage.pass(80);
            stage.act("release", () -> pool.release(entry, true));
            stage.counts(pool, "a");
            stage.lease(pool, "a");
            stage.counts(pool, "a");
        });
        script("a release renews the expiry", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 4);
            stage.release(pool, stage.open(pool, "a"), null, TimeValue.ofHours(1));
            stage.release(pool, stage.lease(pool, "a"), null, TimeValue.ofMilliseconds(200));
            stage.pass(300);
            stage.act("close expired", pool::closeExpired);
            stage.counts(pool, "a");
            stage.release(pool, stage.open(pool, "a"), null, TimeValue.ofMilliseconds(200));
            stage.release(pool, stage.lease(pool, "a"));
            stage.pass(300);
            stage.act("close expired", pool::closeExpired);
            stage.lease(pool, "a");
        });
        script("the expiry stays without a word on it", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 4);
            stage.release(pool, stage.open(pool, "a"), null, TimeValue.ofMilliseconds(200));
            PoolEntry<String, Conn> again = stage.lease(pool, "a");
            stage.act("release", () -> pool.release(again, true));
            stage.pass(300);
            stage.act("close expired", pool::closeExpired);
            stage.counts(pool, "a");
        });
        script("close expired", stage -> {
            stage.logInNoOrder();
            ManagedConnPool<String, Conn> pool = stage.pool(9, 9);
            List<PoolEntry<String, Conn>> all = openAll(stage, pool, "a", "a", "b", "b");
            stage.release(pool, all.get(0), null, TimeValue.ofMilliseconds(50));
            stage.release(pool, all.get(1), null, TimeValue.ofHours(1));
            stage.release(pool, all.get(2), "x", TimeValue.ofMilliseconds(50));
            stage.release(pool, all.get(3));
            stage.open(pool, "c").updateExpiry(TimeValue.ofMilliseconds(50));
            stage.pass(80);
            stage.act("close expired", pool::closeExpired);
            stage.counts(pool, "a", "b", "c");
        });
        for (TimeValue keepAlive : new TimeValue[] {TimeValue.ZERO_MILLISECONDS, TimeValue.ofDays(-5),
            TimeValue.ofMilliseconds(Long.MIN_VALUE), TimeValue.ofMilliseconds(Long.MAX_VALUE), TimeValue.ofDays(Long.MAX_VALUE),
            TimeValue.ofMilliseconds(Long.MAX_VALUE / 2),
            TimeValue.ofSeconds(5), null}) {
            script("kept alive for " + keepAlive, stage -> {
                ManagedConnPool<String, Conn> pool = stage.pool(2, 4);
                PoolEntry<String, Conn> entry = stage.open(pool, "a");
                stage.act("update", () -> entry.updateExpiry(keepAlive));
                stage.act("release", () -> pool.release(entry, true));
                stage.act("close expired", pool::closeExpired);
                stage.lease(pool, "a");
                stage.counts(pool, "a");
            });
        }
        script("time to live", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 4, TimeValue.ofMilliseconds(300), PoolReusePolicy.LIFO);
            stage.release(pool, stage.open(pool, "a"), null, TimeValue.ofHours(1));
            stage.release(pool, stage.lease(pool, "a"));
            stage.pass(400);
            stage.lease(pool, "a");
            stage.counts(pool, "a");
        });
        script("time to live, of an entry's second connection", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 4, TimeValue.ofMilliseconds(300), PoolReusePolicy.LIFO);
            PoolEntry<String, Conn> entry = stage.open(pool, "a");
            stage.release(pool, entry, null, TimeValue.ofHours(1));
            stage.lease(pool, "a");
            stage.pass(400);
            entry.discardConnection(CloseMode.IMMEDIATE);
            entry.assignConnection(stage.connect("a"));
            stage.release(pool, entry, null, TimeValue.ofHours(1));
            stage.act("close expired", pool::closeExpired);
            stage.lease(pool, "a");
        });
        for (TimeValue timeToLive : new TimeValue[] {TimeValue.ZERO_MILLISECONDS, TimeValue.ofDays(-1),
            TimeValue.ofMilliseconds(Long.MAX_VALUE), null}) {
            script("time to live " + timeToLive, stage -> {
                ManagedConnPool<String, Conn> pool = stage.pool(2, 4, timeToLive, PoolReusePolicy.LIFO);
                stage.idle(pool, "a");
                stage.act("close expired", pool::closeExpired);
                stage.lease(pool, "a");
            });
        }
    }

    private static void idleness() {
        for (TimeValue time : new TimeValue[] {TimeValue.ZERO_MILLISECONDS, TimeValue.ofDays(-1), TimeValue.ofHours(1), null,
            TimeValue.ofMilliseconds(Long.MAX_VALUE)}) {
            script("close idle for " + time, stage -> {
                stage.logInNoOrder();
                ManagedConnPool<String, Conn> pool = stage.pool(2, 9);
                List<PoolEntry<String, Conn>> all = openAll(stage, pool, "a", "a", "b");
                stage.release(pool, all.get(0));
                stage.release(pool, all.get(2), "x", TimeValue.ofHours(1));
                stage.act("close idle", () -> pool.closeIdle(time));
                stage.counts(pool, "a", "b");
            });
        }
        script("idle since it was updated, not since it was released", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 9);
            PoolEntry<String, Conn> entry = stage.open(pool, "a");
            entry.updateState(null);
            stage.pass(60);
            stage.act("release", () -> pool.release(entry, true));
            stage.act("close idle", () -> pool.closeIdle(TimeValue.ofMilliseconds(30)));
            stage.counts(pool, "a");
        });
    }

    private static void waiting() {
        script("waiters of several routes", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1);
            PoolEntry<String, Conn> first = stage.open(pool, "a");
            Pending<PoolEntry<String, Conn>> b = stage.waiter(pool, "b");
            Pending<PoolEntry<String, Conn>> a = stage.waiter(pool, "a");
            Pending<PoolEntry<String, Conn>> c = stage.waiter(pool, "c");
            stage.counts(pool, "a", "b", "c");
            PoolEntry<String, Conn> second = b.endAfter("release", () -> pool.release(first, true));
            second.assignConnection(stage.connect("b"));
            PoolEntry<String, Conn> third = a.endAfter("release", () -> pool.release(second, true));
            c.endAfter("discard", () -> pool.release(third, false));
            stage.counts(pool, "a", "b", "c");
        });
        script("a waiter blocked by its route lets others pass", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 2);
            PoolEntry<String, Conn> a = stage.open(pool, "a");
            PoolEntry<String, Conn> b = stage.open(pool, "b");
            Future<PoolEntry<String, Conn>> waitsForA = stage.request(pool, "a", Timeout.ofMinutes(3));
            Future<PoolEntry<String, Conn>> waitsForC = stage.request(pool, "c", Timeout.ofMinutes(3));
            stage.act("release b", () -> pool.release(b, true));
            stage.outcome("c", waitsForC);
            stage.act("release a", () -> pool.release(a, true));
            stage.outcome("a", waitsForA);
        });
        script("a waiter gets what it may have", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 9);
            PoolEntry<String, Conn> first = stage.open(pool, "a");
            Future<PoolEntry<String, Conn>> x = pool.lease("a", "x", Timeout.ofMinutes(3), null);
            stage.act("release by y", () -> {
                first.updateState("y");
                pool.release(first, true);
            });
            stage.outcome("x", x);
            stage.counts(pool, "a");
        });
        script("a waiter is served when idle connections are closed", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 2);
            stage.idle(pool, "a");
            stage.lease(pool, "b");
            stage.act("none for a", () -> pool.setMaxPerRoute("a", 1));
            stage.lease(pool, "b");
            Future<PoolEntry<String, Conn>> waits = stage.request(pool, "b", Timeout.ofMinutes(3));
            stage.act("raise", () -> pool.setMaxPerRoute("b", 2));
            stage.act("close idle", () -> pool.closeIdle(null));
            stage.outcome("b", waits);
        });
        script("interrupted while it waits", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1);
            PoolEntry<String, Conn> first = stage.open(pool, "a");
            Future<PoolEntry<String, Conn>> future = pool.lease("a", null, Timeout.ofMinutes(3), null);
            Pending<PoolEntry<String, Conn>> waiter = stage.start("waiter", () -> future.get()).untilItWaits();
            waiter.interrupt();
            waiter.end();
            stage.play("the future is", () -> "done: " + future.isDone() + ", cancelled: " + future.isCancelled());
            stage.counts(pool, "a");
            stage.release(pool, first);
            stage.counts(pool, "a");
            stage.play("cancel", () -> future.cancel(true));
            stage.counts(pool, "a");
        });
        script("interrupted before", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1);
            PoolEntry<String, Conn> first = stage.play("lease", () -> {
                Thread.currentThread().interrupt();
                try {
                    return pool.lease("a", null, Timeout.ofMinutes(3), null).get(1, TimeUnit.SECONDS);
                } finally {
                    PoolStage.log("interrupted: " + Thread.interrupted());
                }
            });
            if (first == null) {
                stage.open(pool, "a");
            }
            stage.play("lease, when it has to wait", () -> {
                Future<PoolEntry<String, Conn>> future = pool.lease("a", null, Timeout.ofMinutes(3), null);
                Thread.currentThread().interrupt();
                try {
                    return future.get(1, TimeUnit.SECONDS);
                } finally {
                    PoolStage.log("interrupted: " + Thread.interrupted());
                    PoolStage.log("cancelled: " + future.cancel(true));
                }
            });
            stage.counts(pool, "a");
        });
    }

    private static void futures() {
        script("a future that is served", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1);
            Future<PoolEntry<String, Conn>> future = pool.lease("a", null, Timeout.ofMinutes(3), null);
            stage.outcome("it", future);
            stage.outcome("it again", future);
            stage.play("without a time", future::get);
            stage.play("cancel", () -> future.cancel(true));
            stage.outcome("it", future);
            stage.act("without a unit", () -> future.get(1, null));
        });
        script("a future that is cancelled", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1);
            PoolEntry<String, Conn> first = stage.open(pool, "a");
            Future<PoolEntry<String, Conn>> future = pool.lease("a", null, Timeout.ofMinutes(3), null);
            stage.play("it is", () -> "done: " + future.isDone() + ", cancelled: " + future.isCancelled());
            stage.play("cancel", () -> future.cancel(false));
            stage.play("cancel again", () -> future.cancel(true));
            stage.outcome("it", future);
            stage.act("without a time", future::get);
            stage.release(pool, first);
            stage.counts(pool, "a");
        });
        script("a future that is cancelled when it was served, and nobody has the entry", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1);
            stage.release(pool, stage.open(pool, "a"), "x", TimeValue.ofHours(1));
            Future<PoolEntry<String, Conn>> future = pool.lease("a", "x", Timeout.ofMinutes(3), null);
            stage.play("cancel", () -> future.cancel(true));
            stage.outcome("it", future);
            stage.counts(pool, "a");
        });
        script("a future that is asked for too long", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1);
            PoolEntry<String, Conn> first = stage.open(pool, "a");
            for (long millis : new long[] {-5, 0, 20}) {
                Future<PoolEntry<String, Conn>> future = pool.lease("a", null, Timeout.ofMinutes(3), stage.callback("a"));
                stage.act("get for " + millis, () -> future.get(millis, TimeUnit.MILLISECONDS));
                stage.outcome("it", future);
            }
            stage.release(pool, first);
            stage.counts(pool, "a");
        });
        script("a future that is asked for as long as the request may wait", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1);
            stage.lease(pool, "a");
            stage.act("get", () -> pool.lease("a", null, Timeout.ofMilliseconds(50), null).get(50, TimeUnit.MILLISECONDS));
            stage.act("get for less", () -> pool.lease("a", null, Timeout.ofMilliseconds(5000), null).get(20, TimeUnit.MILLISECONDS));
            stage.counts(pool, "a");
        });
        script("a request whose time is over", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1);
            PoolEntry<String, Conn> first = stage.open(pool, "a");
            Future<PoolEntry<String, Conn>> future = pool.lease("a", null, Timeout.ofMilliseconds(20), null);
            Eventually.await("its time to be over", () -> pool.getTotalStats().getPending() == 0);
            stage.release(pool, first);
            stage.play("without a time", () -> {
                try {
                    return future.get();
                } catch (java.util.concurrent.ExecutionException e) {
                    throw (Exception) e.getCause();
                }
            });
            stage.counts(pool, "a");
        });
    }

    private static void callbacks() {
        script("callbacks: at once, and when something is released", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1);
            Future<PoolEntry<String, Conn>> first = stage.request(pool, "a", Timeout.ofMinutes(3));
            Future<PoolEntry<String, Conn>> second = stage.request(pool, "a", Timeout.ofMinutes(3));
            PoolEntry<String, Conn> entry = first.get();
            entry.assignConnection(stage.connect("a"));
            stage.act("release", () -> pool.release(entry, true));
            stage.outcome("the second", second);
            stage.play("cancel", () -> second.cancel(true));
        });
        script("callbacks: cancelled", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1);
            stage.lease(pool, "a");
            Future<PoolEntry<String, Conn>> waits = stage.request(pool, "a", Timeout.ofMinutes(3));
            stage.play("cancel", () -> waits.cancel(true));
            stage.play("cancel", () -> waits.cancel(true));
            stage.counts(pool, "a");
        });
        script("callbacks: lease and release in one", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1);
            PoolEntry<String, Conn> first = stage.open(pool, "a");
            AtomicReference<Future<PoolEntry<String, Conn>>> inner = new AtomicReference<>();
            pool.lease("a", null, Timeout.ofMinutes(3), new FutureCallback<PoolEntry<String, Conn>>() {
                @Override
                public void completed(PoolEntry<String, Conn> entry) {
                    PoolStage.log("outer completed");
                    inner.set(pool.lease("a", null, Timeout.ofMinutes(3), stage.callback("inner")));
                    pool.release(entry, true);
                    PoolStage.log("outer ends");
                }

                @Override
                public void failed(Exception e) {}

                @Override
                public void cancelled() {}
            });
            stage.act("release", () -> pool.release(first, true));
            stage.outcome("inner", inner.get());
            stage.counts(pool, "a");
        });
        script("callbacks: one that fails at once", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1);
            stage.act("lease", () -> pool.lease("a", null, Timeout.ofMinutes(3), failing()));
            stage.counts(pool, "a");
        });
        script("callbacks: one that fails on another's thread", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1);
            PoolEntry<String, Conn> first = stage.open(pool, "a");
            Future<PoolEntry<String, Conn>> waits = pool.lease("a", null, Timeout.ofMinutes(3), failing());
            stage.act("release", () -> pool.release(first, true));
            stage.outcome("it", waits);
            stage.counts(pool, "a");
        });
    }

    private static FutureCallback<PoolEntry<String, Conn>> failing() {
        return new FutureCallback<PoolEntry<String, Conn>>() {
            @Override
            public void completed(PoolEntry<String, Conn> entry) {
                throw new IllegalStateException("a callback that fails");
            }

            @Override
            public void failed(Exception e) {}

            @Override
            public void cancelled() {}
        };
    }

    private static void misuse() {
        script("misuse: nulls", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1);
            stage.act("no route", () -> pool.lease(null, null, Timeout.ofMinutes(3), null));
            stage.act("no time", () -> pool.lease("a", null, null, null));
            stage.act("release nothing", () -> pool.release(null, true));
            stage.act("the limit of none", () -> pool.getMaxPerRoute(null));
            stage.act("a limit for none", () -> pool.setMaxPerRoute(null, 1));
            stage.act("the numbers of none", () -> pool.getStats(null));
            stage.act("close somehow", () -> pool.close(null));
        });
        script("misuse: released twice", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 2);
            PoolEntry<String, Conn> entry = stage.open(pool, "a");
            stage.release(pool, entry);
            stage.act("again", () -> pool.release(entry, true));
            stage.act("and again", () -> pool.release(entry, false));
            stage.counts(pool, "a");
            PoolEntry<String, Conn> dead = stage.lease(pool, "b");
            stage.act("release", () -> pool.release(dead, true));
            stage.act("again", () -> pool.release(dead, true));
            stage.counts(pool, "a", "b");
        });
        script("misuse: released where it was not leased", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(2, 2);
            ManagedConnPool<String, Conn> other = stage.pool(2, 2);
            PoolEntry<String, Conn> entry = stage.open(pool, "a");
            stage.act("to another", () -> other.release(entry, true));
            stage.act("one of nobody's", () -> pool.release(new PoolEntry<>("a"), true));
            stage.counts(pool, "a");
            stage.release(pool, entry);
            stage.counts(pool, "a");
        });
    }

    private static void closing() {
        for (CloseMode mode : CloseMode.values()) {
            script("closed " + mode, stage -> {
                stage.logInNoOrder();
                ManagedConnPool<String, Conn> pool = stage.pool(3, 9);
                List<PoolEntry<String, Conn>> all = openAll(stage, pool, "a", "a", "b");
                PoolEntry<String, Conn> reused = all.get(0);
                stage.release(pool, reused);
                stage.lease(pool, "a");
                stage.release(pool, all.get(1));
                stage.lease(pool, "c");
                stage.act("close", () -> pool.close(mode));
                stage.counts(pool, "a", "b", "c");
                stage.routes(pool);
                stage.act("close again", pool::close);
                stage.lease(pool, "a");
                stage.act("release", () -> pool.release(reused, true));
                stage.act("release what cannot be reused", () -> pool.release(all.get(2), false));
                stage.act("close idle", () -> pool.closeIdle(null));
                stage.act("close expired", pool::closeExpired);
                stage.act("limits", () -> pool.setMaxTotal(3));
                stage.counts(pool, "a");
            });
        }
        script("closed while it opens", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(3, 9);
            PoolEntry<String, Conn> entry = stage.lease(pool, "a");
            stage.act("close", pool::close);
            entry.assignConnection(stage.connect("a"));
            stage.act("release", () -> pool.release(entry, true));
            stage.counts(pool, "a");
        });
        script("closed while somebody waits", stage -> {
            ManagedConnPool<String, Conn> pool = stage.pool(1, 1);
            stage.lease(pool, "a");
            Future<PoolEntry<String, Conn>> waits = pool.lease("a", null, Timeout.ofMinutes(3), null);
            stage.act("close", pool::close);
            stage.play("the end of it", () -> {
                try {
                    return waits.get(500, TimeUnit.MILLISECONDS);
                } catch (java.util.concurrent.ExecutionException e) {
                    throw (Exception) e.getCause();
                }
            });
            stage.counts(pool, "a");
        });
    }
}
