package io.leasehold.httpclient5;

import io.leasehold.ConnectionPool;
import io.leasehold.Leasehold;
import io.leasehold.LeaseholdUnavailableException;
import io.leasehold.Policy;
import io.leasehold.PoolShutDownException;
import io.leasehold.Stats;
import io.leasehold.Watching;
import io.leasehold.managed.ManagedPool;
import io.leasehold.managed.WeakConnection;
import io.leasehold.managed.WeakInterner;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.io.ModalCloseable;
import org.apache.hc.core5.pool.ConnPoolListener;
import org.apache.hc.core5.pool.DisposalCallback;
import org.apache.hc.core5.pool.ManagedConnPool;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.pool.PoolStats;
import org.apache.hc.core5.util.Args;
import org.apache.hc.core5.util.Asserts;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/**
 * A {@link ManagedConnPool} on a Leasehold pool, for whatever takes one: HttpCore's requesters, HttpClient's managers, programs that are
 * built on HttpCore. It behaves as {@code StrictConnPool}, whose constructors it has; what differs, and why, is listed in the project's
 * {@code docs/compatibility.md}. Above all:
 * <ul>
 * <li>Limits are strict, also when they are lowered. Raised, they let requests go on at once.
 * <li>A request that cannot be served fails at its deadline, though nobody asks for it; when the pool is closed, it fails at once.
 * <li>No lock is held while a connection is closed, or while a callback or the listener is called.
 * <li>The first in is the first out, where that is the policy, and to make room the connection goes that was released the longest ago.
 * <li>An entry that was granted to a request which is cancelled goes back, also if its thread was interrupted at that moment.
 * <li>An entry that is lost, collected without having been released, gives its place back, and the connection that it was leased with is
 *     closed.
 * </ul>
 *
 * <p>What a user writes on an entry while it is leased is read when it is released: its state, its expiry, when it was updated last, and
 * its connection, which may be another by then, or gone. An entry is released once for each lease. From its release on a connection is kept
 * for as long as its expiry then lies ahead, by a clock that nobody sets.
 *
 * <p>A pool that is told how a connection shows its socket notices when a peer closes an idle connection, which is closed at once. Only
 * sockets can be watched that whoever closes a connection closes with it, at that moment: not those of a reactor.
 *
 * <p><b>Memory effects</b>: what a thread did before it released an entry, what it wrote on the entry included, happens before what
 * follows, in another thread, a {@link Future#get} that got its connection or the place of it, and before a callback is told of that. What
 * it did before it raised a limit, closed the pool or cancelled a request happens before what follows an answer that came of it. To pass an
 * entry to another thread takes what passing any object takes. Statistics order nothing.
 *
 * <p>All methods may be called by any thread at any time; none waits, but for {@link Future#get} of what {@link #lease} returns, for a
 * callback that is called in its course, and for the close of a connection that is not kept, on the thread that releases it. A lease and a
 * release that meet an idle connection take constant time and one short lock among several; with a state, time in proportion to the states
 * in use, which are compared by {@code equals} alone. A pool that nobody refers to any more is collected with its idle connections; so no
 * connection, route or state may keep it, nor a callback or function that it is given.
 *
 * @param <T> the type of the routes, compared by {@code equals}
 * @param <C> the type of the connections
 */
public final class LeaseholdConnPool<T, C extends ModalCloseable> implements ManagedConnPool<T, C> {
    private final Entries<T, C> entries;
    private final ConnectionPool<T, WeakConnection<Place<T, C>>> pool;
    private final Treatment<T, C> treatment;

    /**
     * Creates a pool that leases the connection first that was released last, without a time to live, for connections that show no socket.
     *
     * @param defaultMaxPerRoute the limit of every route that has none of its own, at least 1
     * @param maxTotal the limit in total, at least 1
     * @throws IllegalArgumentException if a limit is less than 1
     * @throws LeaseholdUnavailableException if the native library could not be loaded; its message says what to do
     */
    public LeaseholdConnPool(int defaultMaxPerRoute, int maxTotal) {
        this(defaultMaxPerRoute, maxTotal, TimeValue.NEG_ONE_MILLISECOND, PoolReusePolicy.LIFO, null);
    }

    /**
     * Creates a pool for connections that are closed by themselves and show no socket.
     *
     * @param defaultMaxPerRoute the limit of every route that has none of its own, at least 1
     * @param maxTotal the limit in total, at least 1
     * @param timeToLive how long a connection may live, counted from when an entry is given it; null, zero and negative are without end
     * @param policy which idle connection of a route is leased first; null is LIFO
     * @param connPoolListener is told of leases and releases, outside every lock; may be null
     * @throws IllegalArgumentException if a limit is less than 1
     * @throws LeaseholdUnavailableException if the native library could not be loaded; its message says what to do
     */
    public LeaseholdConnPool(
            int defaultMaxPerRoute, int maxTotal, TimeValue timeToLive, PoolReusePolicy policy, ConnPoolListener<T> connPoolListener) {
        this(defaultMaxPerRoute, maxTotal, timeToLive, policy, null, connPoolListener);
    }

    /**
     * Creates a pool for connections that show no socket.
     *
     * @param defaultMaxPerRoute the limit of every route that has none of its own, at least 1
     * @param maxTotal the limit in total, at least 1
     * @param timeToLive how long a connection may live, counted from when an entry is given it; null, zero and negative are without end
     * @param policy which idle connection of a route is leased first; null is LIFO
     * @param disposalCallback closes connections; null has them close themselves
     * @param connPoolListener is told of leases and releases, outside every lock; may be null
     * @throws IllegalArgumentException if a limit is less than 1
     * @throws LeaseholdUnavailableException if the native library could not be loaded; its message says what to do
     */
    public LeaseholdConnPool(
            int defaultMaxPerRoute, int maxTotal, TimeValue timeToLive, PoolReusePolicy policy, DisposalCallback<C> disposalCallback,
            ConnPoolListener<T> connPoolListener) {
        this(defaultMaxPerRoute, maxTotal, timeToLive, policy, disposalCallback, connPoolListener, null, Watching.OFF);
    }

    /**
     * Creates a pool for connections that show their sockets.
     *
     * @param defaultMaxPerRoute the limit of every route that has none of its own, at least 1
     * @param maxTotal the limit in total, at least 1
     * @param timeToLive how long a connection may live, counted from when an entry is given it; null, zero and negative are without end
     * @param policy which idle connection of a route is leased first; null is LIFO
     * @param disposalCallback closes connections; null has them close themselves
     * @param connPoolListener is told of leases and releases, outside every lock; may be null
     * @param sockets the socket of a connection, which is asked for when that is released for the first time and when it is closed; null
     *     for none, of all or of one. It must not refer to the pool
     * @param watching how it is learned that a peer has closed its connection
     * @throws IllegalArgumentException if a limit is less than 1, or {@code watching} is null
     * @throws LeaseholdUnavailableException if the native library could not be loaded; its message says what to do
     */
    public LeaseholdConnPool(
            int defaultMaxPerRoute, int maxTotal, TimeValue timeToLive, PoolReusePolicy policy, DisposalCallback<C> disposalCallback,
            ConnPoolListener<T> connPoolListener, Function<? super C, Socket> sockets, Watching watching) {
        this(defaultMaxPerRoute, maxTotal, timeToLive, policy, connPoolListener, watching, new OwnTreatment<>(disposalCallback, sockets),
                LeaseholdConnPool.class.getSimpleName());
    }

    /** A pool of connections that are treated so, for whom it is named after. */
    LeaseholdConnPool(
            int defaultMaxPerRoute, int maxTotal, TimeValue timeToLive, PoolReusePolicy policy, ConnPoolListener<T> connPoolListener,
            Watching watching, Treatment<T, C> treatment, String owner) {
        Args.positive(defaultMaxPerRoute, "Max per route value");
        Args.positive(maxTotal, "Max total value");
        Leasehold.requireAvailable();
        this.treatment = treatment;
        ConnectionPool.Builder<T, WeakConnection<Place<T, C>>> builder = Entries.pool(treatment, owner)
                .maxPerRoute(defaultMaxPerRoute)
                .maxTotal(maxTotal)
                .policy(policy == PoolReusePolicy.FIFO ? Policy.FIFO : Policy.LIFO);
        TimeValue limit = TimeValue.defaultsToNegativeOneMillisecond(timeToLive);
        entries = new Entries<>(builder, treatment, watching, limit, connPoolListener, this);
        pool = entries.managed().pool();
    }

    /** The pool underneath, for a manager. */
    ManagedPool<T, ?> managed() {
        return entries.managed();
    }

    /**
     * What the pool is called in log lines, exceptions and wherever numbers are shown.
     *
     * @return the name that it was given, or {@code LeaseholdConnPool-} and a number that is no other pool's
     */
    public String getName() {
        return pool.name();
    }

    /**
     * Names the pool. Holds from now on; a name that was shown before stays where it was shown.
     *
     * @param name the name, which need not be no other pool's
     * @throws IllegalArgumentException if {@code name} is null or empty
     */
    public void setName(String name) {
        pool.setName(name);
    }

    /**
     * Whether the pool was closed.
     *
     * @return true from the first call of {@link #close(CloseMode)} on
     */
    public boolean isShutdown() {
        return entries.isClosed();
    }

    /** How the pool was closed, or closes connections as long as it is open. */
    CloseMode closeMode() {
        return entries.closeMode();
    }

    /**
     * Asks for an entry, with an idle connection or with none, which its user is then to open. The request waits for it, in order of
     * arrival, if it cannot be had now.
     *
     * @param route where to
     * @param state for whom; null is for nobody
     * @param requestTimeout how long it may wait, kept to some milliseconds; zero and negative are without end
     * @param callback is told, outside every lock: on this thread, before this returns, if the entry is there at once; on the thread that
     *     released a connection or raised a limit, if the request was served so; on one of the library's otherwise. May be null
     * @return the future entry, the caller's to release. {@code get} with a time gives the request up when that is over, with a {@code
     *     TimeoutValueException}; a request whose own time is over fails with a {@code DeadlineTimeoutException}, which is said as a
     *     {@code TimeoutValueException} to who asks with no longer a time. {@code cancel} gives an entry back that nobody has got yet,
     *     as does a thread that is interrupted in {@code get}, which gives up a request without a callback
     * @throws NullPointerException if {@code route} or {@code requestTimeout} is null
     * @throws IllegalStateException if the pool was closed
     */
    @Override
    public Future<PoolEntry<T, C>> lease(T route, Object state, Timeout requestTimeout, FutureCallback<PoolEntry<T, C>> callback) {
        return ask(route, state, requestTimeout, callback);
    }

    /** As {@link #lease(Object, Object, Timeout, FutureCallback)}. */
    Answer<T, C> ask(T route, Object state, Timeout requestTimeout, FutureCallback<PoolEntry<T, C>> callback) {
        Args.notNull(route, "Route");
        Args.notNull(requestTimeout, "Request timeout");
        Asserts.check(!entries.isClosed(), Request.SHUT_DOWN);
        WeakInterner.Held<Object> held = entries.hold(state);
        try {
            if (held == null) {
                Answer<T, C> atOnce = new Answer<>(entries);
                PoolEntry<T, C> entry = pool.tryLeaseAgain(route, atOnce);
                if (entry != null) {
                    atOnce.servedAtOnce(entry, callback);
                    return atOnce;
                }
            }
            Request<T, C> request = new Request<>(entries, route, held, requestTimeout, callback);
            PoolEntry<T, C> entry = pool.tryLeaseFor(route, request.key(), request);
            if (entry != null) {
                request.servedAtOnce(entry, callback);
            } else {
                request.prepareToWait();
                request.queued(pool.requestLease(route, request.key(), patience(requestTimeout), requestTimeout.getTimeUnit(), request));
            }
            return request;
        } catch (PoolShutDownException e) {
            throw Request.shutDown();
        }
    }

    private static long patience(Timeout timeout) {
        return TimeValue.isPositive(timeout) ? timeout.getDuration() : Long.MAX_VALUE;
    }

    /**
     * As {@link #lease(Object, Object, Timeout, FutureCallback)}, without a deadline and a callback.
     *
     * @param route where to
     * @param state for whom; null is for nobody
     * @return the future entry, the caller's to release
     * @throws NullPointerException if {@code route} is null
     * @throws IllegalStateException if the pool was closed
     */
    public Future<PoolEntry<T, C>> lease(T route, Object state) {
        return lease(route, state, Timeout.DISABLED, null);
    }

    /**
     * Ends the lease of an entry. It is kept if it has a connection that may be used again; otherwise the connection is closed, on this
     * thread, after the place of it was given back.
     *
     * @param entry the entry; null does nothing
     * @param reusable whether the connection may be used again
     * @throws IllegalStateException if the entry is not leased from this pool, as it is no more after its release; after the pool was
     *     closed nothing is thrown
     */
    @Override
    public void release(PoolEntry<T, C> entry, boolean reusable) {
        if (entry != null) {
            entries.release(entry, reusable);
        }
    }

    /**
     * Says that a connection is open which was assigned to a leased entry: lost with the entry, it is closed. For a manager, which knows
     * when that is; without a word the pool hears of a connection when its entry is released. Does nothing if no entry has the connection.
     * Takes time in proportion to the connections that are being opened.
     */
    void opened(C connection) {
        entries.opened(connection);
    }

    /** Whether a connection is this entry's, and the entry is leased or kept: otherwise nobody else will close the connection. */
    boolean has(PoolEntry<T, C> entry, C connection) {
        return entries.has(entry, connection);
    }

    /** Which of its leases an entry is in, by a number that no other lease has; 0 if it is not leased, or null. */
    long use(PoolEntry<T, C> entry) {
        return entries.use(entry);
    }

    /** Ends a lease of an entry that nobody else can end any more, with its connection closed; does nothing if it was ended. */
    void giveBack(PoolEntry<T, C> entry, long use) {
        entries.giveBack(entry, use);
    }

    /** Closes all connections, those that are leased among them, in an orderly way: see {@link #close(CloseMode)}. */
    @Override
    public void close() {
        close(CloseMode.GRACEFUL);
    }

    /**
     * Closes all connections, those that are leased among them, and has all requests that wait fail with an {@link IllegalStateException}.
     * The pool leases no more; entries may still be released. Connections whose close may wait for the peer, and in an orderly close those
     * that show no socket, are closed on another thread, perhaps a moment after this has returned. Calling it again does nothing.
     *
     * @param closeMode how they are closed; null is GRACEFUL
     */
    @Override
    public void close(CloseMode closeMode) {
        entries.close(closeMode == null ? CloseMode.GRACEFUL : closeMode);
    }

    /**
     * Closes the idle connections that were updated a time ago or longer, by the entry's own word. Takes time in proportion to all
     * connections.
     *
     * @param idleTime how long; null, zero and negative are all
     */
    @Override
    public void closeIdle(TimeValue idleTime) {
        long deadline = System.currentTimeMillis() - (TimeValue.isPositive(idleTime) ? idleTime.toMilliseconds() : 0);
        entries.closeIdleIf(entry -> entry.getUpdated() <= deadline);
    }

    /** Closes the idle connections that have expired. Takes time in proportion to all connections. */
    @Override
    public void closeExpired() {
        long now = System.currentTimeMillis();
        entries.closeIdleIf(entry -> entry.getExpiryDeadline().isBefore(now) || treatment.isExpired(entry, now));
    }

    /**
     * Changes the limit in total, at once: raised, it lets requests that wait go on; lowered, it closes surplus idle connections, and
     * leased ones when they are released.
     *
     * @param max the limit, at least 1
     * @throws IllegalArgumentException if it is less
     */
    @Override
    public void setMaxTotal(int max) {
        pool.setMaxTotal(Args.positive(max, "Max value"));
    }

    @Override
    public int getMaxTotal() {
        return pool.getMaxTotal();
    }

    /**
     * Changes the limit of every route that has none of its own, as {@link #setMaxTotal} does.
     *
     * @param max the limit, at least 1
     * @throws IllegalArgumentException if it is less
     */
    @Override
    public void setDefaultMaxPerRoute(int max) {
        pool.setDefaultMaxPerRoute(Args.positive(max, "Max value"));
    }

    @Override
    public int getDefaultMaxPerRoute() {
        return pool.getDefaultMaxPerRoute();
    }

    /**
     * Gives a route a limit of its own, or takes it away. Takes effect as {@link #setMaxTotal} does.
     *
     * @param route the route
     * @param max the limit; zero lets every request wait, less makes the default hold again
     * @throws NullPointerException if {@code route} is null
     */
    @Override
    public void setMaxPerRoute(T route, int max) {
        entries.managed().setMaxPerRoute(Args.notNull(route, "Route"), max);
    }

    @Override
    public int getMaxPerRoute(T route) {
        return pool.getMaxPerRoute(Args.notNull(route, "Route"));
    }

    /**
     * The numbers of the whole pool, read without a lock.
     *
     * @return the numbers now
     */
    @Override
    public PoolStats getTotalStats() {
        return stats(pool.stats());
    }

    /**
     * The numbers of one route, read without a lock.
     *
     * @param route the route
     * @return the numbers now
     * @throws NullPointerException if {@code route} is null
     */
    @Override
    public PoolStats getStats(T route) {
        return stats(pool.stats(Args.notNull(route, "Route")));
    }

    private static PoolStats stats(Stats stats) {
        return new PoolStats(stats.leased(), stats.pending(), stats.available(), stats.max());
    }

    /**
     * The routes that have connections or requests that wait. Takes time in proportion to all routes.
     *
     * @return a copy
     */
    @Override
    public Set<T> getRoutes() {
        return entries.managed().busyRoutes();
    }

    @Override
    public String toString() {
        Stats stats = pool.stats();
        return "[leased: " + stats.leased() + "][available: " + stats.available() + "][pending: " + stats.pending() + "]";
    }
}
