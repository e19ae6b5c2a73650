package io.leasehold.httpclient5;

import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.ScriptStage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.apache.hc.core5.concurrent.BasicFuture;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.ConnPoolListener;
import org.apache.hc.core5.pool.ConnPoolStats;
import org.apache.hc.core5.pool.DisposalCallback;
import org.apache.hc.core5.pool.ManagedConnPool;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.apache.hc.core5.util.TimeoutValueException;
import org.apache.hc.core5.util.VersionInfo;

/** One side's pool of connections in memory. Entries and connections have numbers, in the order in which they come up. */
final class PoolStage extends ScriptStage {
    /** What the pool looked like stands behind HttpCore's words, which {@link NamesTest} shows; the rest is HttpCore's exception. */
    static final String LOOKING_TIMEOUT = RequestTimeout.class.getName()
            + "(: Timeout deadline: \\d+ MILLISECONDS, actual: N MILLISECONDS); .*";

    /** The release of HttpCore on the class path. */
    static final String CORE = VersionInfo.loadVersionInfo("org.apache.hc.core5", PoolStage.class.getClassLoader()).getRelease();

    private final Subject subject;
    private final List<ManagedConnPool<String, Conn>> pools = new ArrayList<>();
    private final Map<PoolEntry<?, ?>, Integer> entries = new IdentityHashMap<>();
    private final Map<String, Integer> connections = new HashMap<>();

    PoolStage(Subject subject) throws IOException {
        super(Conn.LOGGER);
        this.subject = subject;
    }

    /** Whether it is another than the newest that tests run with. */
    static boolean isBeforeTheLast() {
        return !CORE.equals("5.4.4");
    }

    ManagedConnPool<String, Conn> pool(int perRoute, int total) {
        return pool(perRoute, total, TimeValue.NEG_ONE_MILLISECOND, PoolReusePolicy.LIFO);
    }

    ManagedConnPool<String, Conn> pool(int perRoute, int total, TimeValue timeToLive, PoolReusePolicy policy) {
        return pool(perRoute, total, timeToLive, policy, null, null);
    }

    ManagedConnPool<String, Conn> pool(int perRoute, int total, TimeValue timeToLive, PoolReusePolicy policy,
            DisposalCallback<Conn> disposal, ConnPoolListener<String> listener) {
        ManagedConnPool<String, Conn> pool = subject.pool(perRoute, total, timeToLive, policy, disposal, listener);
        pools.add(pool);
        return pool;
    }

    /** A connection that was not yet. */
    synchronized Conn connect(String route) {
        return new Conn(route + connections.merge(route, 1, Integer::sum));
    }

    /** Writes down a line as of a connection's. */
    static void log(String line) {
        Logger.getLogger(Conn.LOGGER).info(line);
    }

    PoolEntry<String, Conn> lease(ManagedConnPool<String, Conn> pool, String route) {
        return lease(pool, route, null);
    }

    /** A lease that does not wait. */
    PoolEntry<String, Conn> lease(ManagedConnPool<String, Conn> pool, String route, Object state) {
        return play("lease " + route + (state == null ? "" : " for " + state),
                () -> pool.lease(route, state, Timeout.ofMinutes(3), null).get(0, TimeUnit.MILLISECONDS));
    }

    PoolEntry<String, Conn> open(ManagedConnPool<String, Conn> pool, String route) {
        return open(pool, route, null);
    }

    /** A lease that does not wait, and a connection where the entry has none. */
    PoolEntry<String, Conn> open(ManagedConnPool<String, Conn> pool, String route, Object state) {
        PoolEntry<String, Conn> entry = lease(pool, route, state);
        if (entry != null && !entry.hasConnection()) {
            entry.assignConnection(connect(route));
        }
        return entry;
    }

    /** A request without an end, which may be served already. */
    Future<PoolEntry<String, Conn>> request(ManagedConnPool<String, Conn> pool, String route, Timeout timeout) {
        return play("request " + route, () -> pool.lease(route, null, timeout, callback(route)));
    }

    /** Logs what it is told. */
    FutureCallback<PoolEntry<String, Conn>> callback(String name) {
        return new FutureCallback<PoolEntry<String, Conn>>() {
            @Override
            public void completed(PoolEntry<String, Conn> entry) {
                log("callback of " + name + " completed with " + describe(entry));
            }

            @Override
            public void failed(Exception e) {
                log("callback of " + name + " failed with " + ScriptStage.describe(e));
            }

            @Override
            public void cancelled() {
                log("callback of " + name + " cancelled");
            }
        };
    }

    /** A listener that logs what it is told. */
    ConnPoolListener<String> listener() {
        return new ConnPoolListener<String>() {
            @Override
            public void onLease(String route, ConnPoolStats<String> stats) {
                log("leased " + route);
            }

            @Override
            public void onRelease(String route, ConnPoolStats<String> stats) {
                log("released " + route);
            }
        };
    }

    /** A thread that waits for an entry, without end. */
    Pending<PoolEntry<String, Conn>> waiter(ManagedConnPool<String, Conn> pool, String route) throws Exception {
        return start("waiter for " + route, () -> pool.lease(route, null, Timeout.DISABLED, null).get()).untilItWaits();
    }

    /** A release for reuse, without a state, for ever. */
    void release(ManagedConnPool<String, Conn> pool, PoolEntry<String, Conn> entry) {
        release(pool, entry, null, TimeValue.NEG_ONE_MILLISECOND);
    }

    /** A release for reuse, as managers do it. */
    void release(ManagedConnPool<String, Conn> pool, PoolEntry<String, Conn> entry, Object state, TimeValue keepAlive) {
        act("release" + (state == null ? "" : " by " + state) + (TimeValue.isPositive(keepAlive) ? " for " + keepAlive : ""), () -> {
            entry.updateState(state);
            entry.updateExpiry(keepAlive);
            pool.release(entry, true);
        });
    }

    /** A release of a connection that cannot be used again. */
    void discard(ManagedConnPool<String, Conn> pool, PoolEntry<String, Conn> entry) {
        act("discard", () -> pool.release(entry, false));
    }

    /** A connection that was opened and released for reuse. */
    void idle(ManagedConnPool<String, Conn> pool, String route) {
        release(pool, open(pool, route));
    }

    /** Writes down the counts of the pool, and of these routes. */
    void counts(ManagedConnPool<String, Conn> pool, String... routes) {
        play("counts", () -> {
            StringBuilder counts = new StringBuilder(pool.getTotalStats().toString());
            for (String route : routes) {
                counts.append(' ').append(route).append(pool.getStats(route));
            }
            return counts;
        });
    }

    /** The routes of a pool. */
    void routes(ManagedConnPool<String, Conn> pool) {
        play("routes", () -> new TreeSet<>(pool.getRoutes()));
    }

    /** Lets real time pass: entries know no other. */
    void pass(long milliseconds) throws InterruptedException {
        Thread.sleep(milliseconds);
    }

    /** Returns when the future is done, and writes down what it has come to. */
    void awaitEnd(String name, Future<PoolEntry<String, Conn>> future) throws Exception {
        Eventually.await(name + " ends", future::isDone);
        outcome(name, future);
    }

    /** Writes down what a future says of itself. */
    void outcome(String name, Future<PoolEntry<String, Conn>> future) {
        play(name, () -> {
            try {
                return future.get(0, TimeUnit.MILLISECONDS);
            } catch (java.util.concurrent.ExecutionException e) {
                throw (Exception) e.getCause();
            }
        });
        play(name + " is", () -> "done: " + future.isDone() + ", cancelled: " + future.isCancelled());
    }

    @Override
    protected boolean waits(StackTraceElement[] stack) {
        for (StackTraceElement frame : stack) {
            if (frame.getMethodName().equals("get") && (frame.getClassName().equals(Request.class.getName())
                    || frame.getClassName().equals(BasicFuture.class.getName()))) {
                return true;
            }
        }
        return false;
    }

    @Override
    protected String line(LogRecord record) {
        return record.getMessage();
    }

    @Override
    protected String plain(String text) {
        return text.replaceAll("Deadline: .* overdue", "Deadline: DATE, N MILLISECONDS overdue")
                .replaceAll("actual: \\d+ MILLISECONDS", "actual: N MILLISECONDS")
                .replaceAll(LOOKING_TIMEOUT, TimeoutValueException.class.getName() + "$1");
    }

    @Override
    protected synchronized String describe(Object value) {
        if (value instanceof PoolEntry) {
            PoolEntry<?, ?> entry = (PoolEntry<?, ?>) value;
            Integer known = entries.get(entry);
            if (known == null) {
                entries.put(entry, known = entries.size() + 1);
            }
            return "entry " + known + " " + entry + (entry.hasConnection() ? " with " + entry.getConnection() : "");
        }
        if (value instanceof Future) {
            return ((Future<?>) value).isDone() ? "done" : "waits";
        }
        return value == null ? "done" : value.toString();
    }

    @Override
    public void close() throws Exception {
        pools.forEach(pool -> pool.close(CloseMode.IMMEDIATE));
        super.close();
    }
}
