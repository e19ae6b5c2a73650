package io.leasehold;

import io.leasehold.internal.log.Log;
import io.leasehold.internal.log.Texts;
import io.leasehold.internal.natives.Effects;
import io.leasehold.internal.natives.Engine;
import java.io.Closeable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import java.util.function.BiPredicate;
import java.util.function.Function;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * A pool of connections to any number of routes, within a limit per route and one in total.
 *
 * <p>The pool opens nothing: a lease has an idle connection, or is a vacancy that allows its holder to open one (see
 * {@link Lease}). What a connection is, only the {@link Disposer} needs to know.
 *
 * <p><b>Limits</b> are strict: leased, idle and connections being opened together never grow past them. When the total
 * is reached, the least recently released idle connection of any route makes room. <b>Waiting</b> requests are served
 * in order of arrival across all routes, those excepted that are blocked by their own route's limit. <b>State</b>: a
 * connection that was released with a state goes only to requests with an equal one; a request with a state takes an
 * idle connection bound to it, or else one bound to nobody.
 *
 * <p><b>Timeouts</b> are as in {@code java.util.concurrent}: zero and less do not wait. {@link Long#MAX_VALUE} waits without end, as does
 * what is longer than {@code Long.MAX_VALUE} nanoseconds. (HttpClient waits without end for zero; the managers, which take its numbers,
 * translate them.) Where null is not said to mean something it is refused with an {@link IllegalArgumentException}, before anything is
 * done.
 *
 * <p>Whatever its limits, a pool holds 524,288 connections at most, beyond which requests wait, and knows a million routes at a time that
 * have connections, requests that wait, or limits of their own: a lease on one more is refused with an {@link IllegalStateException}.
 *
 * <p>Routes and states are compared by {@code equals}; they must not change while the pool knows them.
 *
 * <p><b>Unreachable pools</b>: a pool that nobody refers to any more is garbage collected, with its idle connections
 * disposed of and its memory freed. So nothing that a pool knows may refer to it: neither the disposer nor the leak
 * listener, and no idle connection, route or state. A lease refers to its pool.
 *
 * <p><b>Closed by the peer</b>: a pool that is told a connection's socket ({@link Lease#attach}) disposes of the connection when its
 * peer closes it, at once if it is idle, and never leases it afterwards; see {@link Watching}.
 *
 * <p><b>Threads</b>: all methods may be called by any thread at any time, from a {@link Disposer} too. Only {@link #lease}, {@link
 * #leaseFor}, {@link PendingLease#get} and {@link #awaitTermination} wait. {@link #leaseAsync} and {@link #requestLease} do so without a
 * thread. Only {@code awaitTermination} waits for another caller's {@link Disposer}. A pool makes its first native call with its first
 * lease; one daemon thread, {@code leasehold-housekeeper}, serves all pools that have a connection, open or being opened, or somebody who
 * waits. A second or two after the last has none it ends, and it comes back with the next lease. Others, {@code leasehold-disposer}, close
 * what {@linkplain Disposer#mayBlock may block}, and end when that is done.
 *
 * <p><b>Memory effects</b>: what a thread did before it ended a lease happens before what follows a lease, of any thread and by any of the
 * methods here, that got its connection or the place of it, and before that connection is disposed of. What it did before it changed a
 * limit, suspended, resumed or shut the pool down, or cancelled a request, happens before what follows, in another thread, an answer that
 * came of it: a lease, a refusal, or what {@link #getMaxTotal}, {@link #isShutDown} and the like say. What it did before it filled a
 * vacancy happens before the connection is shown to an enumeration or to a predicate of {@link #closeIdleIf}; of what holders do afterwards
 * these may see some. Statistics and counters order nothing. What a builder was given is the pool's when it was built; to pass either to
 * another thread takes what passing any object takes.
 *
 * <p><b>Unused pools</b>: the idle connections of a pool in which no lease has begun or ended for five minutes, or up to a sixteenth
 * longer, are disposed of, with {@link Cause#IDLE}; what is leased all that time keeps the thread no more. So a pool in a static field
 * keeps no application in memory that is gone, whatever the peers do. The system property {@code io.leasehold.unusedMillis}, read when a
 * pool is built, sets another time, in milliseconds; zero or less is never.
 *
 * <p><b>Cost</b>: a lease or release that meets an idle connection takes constant time and one short lock among
 * several, as callers collide; what opens, closes, waits or changes limits takes the pool's one coordinating lock for a
 * time that does not grow with the pool, unless said otherwise.
 *
 * @param <R> the type of the routes
 * @param <C> the type of the connections
 */
public final class ConnectionPool<R, C> implements Closeable, Operated<R> {
    final PoolState state;
    private final Routes routes;
    private final ManualClock clock;
    // ----- written once, under the state's monitor and that of its limits -----
    // Null until the first lease.
    private volatile NativePool pool;
    private final Attendances attendances = new Attendances();
    private final List<Runnable> resumptions = new CopyOnWriteArrayList<>();
    private final Supplier<Engine> published = () -> {
        NativePool made = pool;
        return made == null ? null : made.engine;
    };

    private ConnectionPool(PoolState state, ManualClock clock) {
        this.state = state;
        routes = state.routes;
        this.clock = clock;
    }

    /**
     * Starts to describe a pool.
     *
     * @param disposer closes connections that the pool lets go; must not refer to the pool
     * @param <R> the type of the routes
     * @param <C> the type of the connections
     * @return a builder with no limits
     * @throws IllegalArgumentException if {@code disposer} is null
     */
    public static <R, C> Builder<R, C> builder(Disposer<? super C> disposer) {
        return new Builder<>(disposer);
    }

    /**
     * Leases a connection that is bound to nobody, or the right to open one, if that can be had without waiting.
     *
     * @param route where to
     * @return the lease, the caller's to end; null if nothing can be had now
     * @throws IllegalArgumentException if {@code route} is null
     * @throws PoolShutDownException if the pool was shut down
     * @throws LeaseholdUnavailableException if the native library could not be loaded
     */
    public Lease<C> tryLease(R route) {
        return tryLease(Arguments.route(route), null, null);
    }

    /**
     * Leases a connection that is bound to a state or to nobody, or the right to open one, if that can be had without
     * waiting.
     *
     * @param route where to
     * @param state for whom; null is for nobody
     * @return the lease, the caller's to end; null if nothing can be had now
     * @throws IllegalArgumentException if {@code route} is null
     * @throws PoolShutDownException if the pool was shut down
     * @throws LeaseholdUnavailableException if the native library could not be loaded
     */
    public Lease<C> tryLease(R route, Object state) {
        return tryLease(Arguments.route(route), state, null);
    }

    /**
     * As {@link #tryLease(Object, Object)}, and makes something of the lease, for whoever hands out an object of his own that holds it. If
     * anything is thrown before that object is returned, by the function or because the thread has run out of stack or memory, the lease
     * was discarded: it is lost at no moment.
     *
     * @param route where to
     * @param state for whom; null is for nobody
     * @param use makes something of the lease, outside every lock
     * @param <T> what it makes
     * @return what the function returned; null if nothing can be had now
     * @throws IllegalArgumentException if {@code route} or {@code use} is null
     * @throws PoolShutDownException if the pool was shut down
     * @throws LeaseholdUnavailableException if the native library could not be loaded
     */
    public <T> T tryLeaseFor(R route, Object state, Function<? super Lease<C>, ? extends T> use) {
        return tryLease(Arguments.route(route), state, Arguments.given(use, "use", "say tryLease(route, state) for the lease itself"));
    }

    /**
     * As {@link #tryLeaseFor} without a state, if an idle connection can be had by no more than one short lock, and by the lease object of
     * its last lease, if that was kept: so such a lease makes no garbage. For managers whose users see no leases.
     *
     * @param route where to
     * @param keeper makes something of the lease, outside every lock, and says which lease was kept with the connection
     * @param <T> what it makes
     * @return what the keeper made; null if there is nothing to be had in this way: {@link #tryLeaseFor} may have something still
     * @throws IllegalArgumentException if {@code route} or {@code keeper} is null
     * @throws PoolShutDownException if the pool was shut down, unless that is left to {@link #tryLeaseFor} to find out
     */
    @SuppressWarnings("unchecked") // A pool's cells hold what its own leases were given.
    public <T> T tryLeaseAgain(R route, LeaseKeeper<C, T> keeper) {
        Arguments.given(keeper, "keeper", "say tryLeaseFor(route, state, use) where no lease is kept");
        NativePool pool = this.pool;
        RouteRef known = routes.route(Arguments.route(route));
        if (pool == null || known == null) {
            return null;
        }
        LeaseRef ref = null;
        long handle = LeaseRef.ENDED;
        boolean isHandedOver = false;
        try {
            handle = pool.engine.leaseHit(known.id);
            if (handle <= 0) {
                return null;
            }
            // Nothing that may overflow or allocate comes between the answer and the record of it. The reference may be one whose lease was
            // collected long ago, of which the housekeeper is yet to hear: of the negative it will make nothing.
            Cell cell = state.cells.bySlot[(int) (handle >>> 32) & Slots.LAST];
            ref = cell.lease;
            ref.handle = -handle;
            // A shutdown at once may have taken the connection out.
            C connection = (C) cell.connection;
            Lease<C> lease = connection == null ? null : keeper.kept(connection);
            if (lease != null && lease.ref == ref) {
                lease.beginAgain(known, handle);
                cell.uses++;
            } else {
                lease = new Lease<>(pool, null);
                LeaseRef before = ref;
                lease.beginAgain(known, handle);
                ref = lease.ref;
                cell.lease = ref;
                before.handle = LeaseRef.ENDED;
            }
            if (state.notesStacks) {
                pool.note(new LeaseStack(), ref, cell);
            }
            lease.connection = (C) pool.connection(ref, cell);
            T made = keeper.apply(lease);
            isHandedOver = true;
            return made;
        } finally {
            // If the keeper has ended the lease before it threw, another one may go on by now.
            if (!isHandedOver && ref != null && (ref.handle == handle || ref.handle == -handle)) {
                ref.stray = handle;
                state.strays.areMarked = true;
                pool.strayed(ref);
            }
        }
    }

    /**
     * Leases a connection that is bound to nobody, or the right to open one, and waits for it if need be.
     *
     * @param route where to
     * @param timeout how long to wait at most; zero or negative is not at all, {@link Long#MAX_VALUE} is without end
     * @param unit the unit of {@code timeout}
     * @return the lease, the caller's to end
     * @throws InterruptedException if the thread was interrupted before or while it had to wait; nothing is retained
     * @throws TimeoutException if there was none in time; nothing is retained
     * @throws IllegalArgumentException if {@code route} or {@code unit} is null
     * @throws PoolShutDownException if the pool was shut down, also while this call waited
     * @throws QueueFullException if as many requests wait as the pool allows
     * @throws LeaseholdUnavailableException if the native library could not be loaded
     */
    public Lease<C> lease(R route, long timeout, TimeUnit unit) throws InterruptedException, TimeoutException {
        return lease(Arguments.route(route), null, new Deadline(timeout, unit, clock), null);
    }

    /**
     * As {@link #lease(Object, long, TimeUnit)}.
     *
     * @param route where to
     * @param timeout how long to wait at most; zero or negative is not at all
     * @return the lease, the caller's to end
     * @throws InterruptedException if the thread was interrupted before or while it had to wait; nothing is retained
     * @throws TimeoutException if there was none in time; nothing is retained
     * @throws IllegalArgumentException if {@code route} or {@code timeout} is null
     * @throws PoolShutDownException if the pool was shut down, also while this call waited
     * @throws QueueFullException if as many requests wait as the pool allows
     * @throws LeaseholdUnavailableException if the native library could not be loaded
     */
    public Lease<C> lease(R route, Duration timeout) throws InterruptedException, TimeoutException {
        return lease(route, Arguments.nanos(timeout), TimeUnit.NANOSECONDS);
    }

    /**
     * Leases a connection that is bound to a state or to nobody, or the right to open one, and waits for it if need be.
     *
     * @param route where to
     * @param state for whom; null is for nobody
     * @param timeout how long to wait at most; zero or negative is not at all, {@link Long#MAX_VALUE} is without end
     * @param unit the unit of {@code timeout}
     * @return the lease, the caller's to end
     * @throws InterruptedException if the thread was interrupted before or while it had to wait; nothing is retained
     * @throws TimeoutException if there was none in time; nothing is retained
     * @throws IllegalArgumentException if {@code route} or {@code unit} is null
     * @throws PoolShutDownException if the pool was shut down, also while this call waited
     * @throws QueueFullException if as many requests wait as the pool allows
     * @throws LeaseholdUnavailableException if the native library could not be loaded
     */
    public Lease<C> lease(R route, Object state, long timeout, TimeUnit unit)
            throws InterruptedException, TimeoutException {
        return lease(Arguments.route(route), state, new Deadline(timeout, unit, clock), null);
    }

    /**
     * As {@link #lease(Object, Object, long, TimeUnit)}.
     *
     * @param route where to
     * @param state for whom; null is for nobody
     * @param timeout how long to wait at most; zero or negative is not at all
     * @return the lease, the caller's to end
     * @throws InterruptedException if the thread was interrupted before or while it had to wait; nothing is retained
     * @throws TimeoutException if there was none in time; nothing is retained
     * @throws IllegalArgumentException if {@code route} or {@code timeout} is null
     * @throws PoolShutDownException if the pool was shut down, also while this call waited
     * @throws QueueFullException if as many requests wait as the pool allows
     * @throws LeaseholdUnavailableException if the native library could not be loaded
     */
    public Lease<C> lease(R route, Object state, Duration timeout) throws InterruptedException, TimeoutException {
        return lease(route, state, Arguments.nanos(timeout), TimeUnit.NANOSECONDS);
    }

    /**
     * As {@link #lease(Object, Object, long, TimeUnit)}, and makes something of the lease, as {@link #tryLeaseFor} does.
     *
     * @param route where to
     * @param state for whom; null is for nobody
     * @param timeout how long to wait at most; zero or negative is not at all, {@link Long#MAX_VALUE} is without end
     * @param unit the unit of {@code timeout}
     * @param use makes something of the lease, outside every lock
     * @param <T> what it makes
     * @return what the function returned
     * @throws InterruptedException if the thread was interrupted before or while it had to wait; nothing is retained
     * @throws TimeoutException if there was none in time; nothing is retained
     * @throws IllegalArgumentException if {@code route}, {@code unit} or {@code use} is null
     * @throws PoolShutDownException if the pool was shut down, also while this call waited
     * @throws QueueFullException if as many requests wait as the pool allows
     * @throws LeaseholdUnavailableException if the native library could not be loaded
     */
    public <T> T leaseFor(R route, Object state, long timeout, TimeUnit unit, Function<? super Lease<C>, ? extends T> use)
            throws InterruptedException, TimeoutException {
        return lease(Arguments.route(route), state, new Deadline(timeout, unit, clock),
                Arguments.given(use, "use", "say lease(route, state, timeout, unit) for the lease itself"));
    }

    /**
     * As {@link #leaseFor(Object, Object, long, TimeUnit, Function)}.
     *
     * @param route where to
     * @param state for whom; null is for nobody
     * @param timeout how long to wait at most; zero or negative is not at all
     * @param use makes something of the lease, outside every lock
     * @param <T> what it makes
     * @return what the function returned
     * @throws InterruptedException if the thread was interrupted before or while it had to wait; nothing is retained
     * @throws TimeoutException if there was none in time; nothing is retained
     * @throws IllegalArgumentException if {@code route}, {@code timeout} or {@code use} is null
     * @throws PoolShutDownException if the pool was shut down, also while this call waited
     * @throws QueueFullException if as many requests wait as the pool allows
     * @throws LeaseholdUnavailableException if the native library could not be loaded
     */
    public <T> T leaseFor(R route, Object state, Duration timeout, Function<? super Lease<C>, ? extends T> use)
            throws InterruptedException, TimeoutException {
        return leaseFor(route, state, Arguments.nanos(timeout), TimeUnit.NANOSECONDS, use);
    }

    /**
     * Prepares a request for a lease that can be cancelled. Nothing is asked for until {@link PendingLease#get}.
     *
     * @param route where to
     * @param state for whom; null is for nobody
     * @return the request
     * @throws IllegalArgumentException if {@code route} is null
     */
    public PendingLease<C> pendingLease(R route, Object state) {
        Arguments.route(route);
        return new PendingLease<>(new PendingLease.Source<C>() {
            @Override
            public <T> T lease(Deadline deadline, Function<? super Lease<C>, ? extends T> use)
                    throws InterruptedException, TimeoutException {
                return ConnectionPool.this.lease(route, state, deadline, use);
            }
        }, clock);
    }

    /**
     * Asks for a lease of a connection that is bound to nobody, or of the right to open one, without waiting for it.
     *
     * @param route where to
     * @param timeout how long the request waits at most; zero or negative is not at all, {@link Long#MAX_VALUE} is without end
     * @param unit the unit of {@code timeout}
     * @return as of {@link #leaseAsync(Object, Object, long, TimeUnit)}
     * @throws IllegalArgumentException if {@code route} or {@code unit} is null
     */
    public CompletableFuture<Lease<C>> leaseAsync(R route, long timeout, TimeUnit unit) {
        return leaseAsync(route, null, timeout, unit);
    }

    /**
     * As {@link #leaseAsync(Object, long, TimeUnit)}.
     *
     * @param route where to
     * @param timeout how long the request waits at most; zero or negative is not at all
     * @return as of {@link #leaseAsync(Object, Object, long, TimeUnit)}
     * @throws IllegalArgumentException if {@code route} or {@code timeout} is null
     */
    public CompletableFuture<Lease<C>> leaseAsync(R route, Duration timeout) {
        return leaseAsync(route, Arguments.nanos(timeout), TimeUnit.NANOSECONDS);
    }

    /**
     * Asks for a lease of a connection that is bound to a state or to nobody, or of the right to open one, without waiting for it.
     *
     * <p>The request waits as that of a thread does, which its order and limits do not tell it from. Its future is completed where a {@link
     * LeaseHook} would be called, and what was made to depend on it without an executor of its own runs there. If the connection was there
     * at once, the future is complete when this returns, unless the calling thread is in such a dependent: then it is completed when that
     * has returned.
     *
     * <p>Whoever else completes the future, by {@code cancel}, {@code complete} or a timeout of its own, ends the request, and a lease that
     * the future did not take goes back to the pool. Of a future that depends on it the same is not true. As long as the request waits it
     * keeps the pool in memory.
     *
     * <p>Memory effects: what a thread did before it ended a lease happens before whatever depends on the future that got its connection or
     * its place.
     *
     * @param route where to
     * @param state for whom; null is for nobody
     * @param timeout how long the request waits at most, kept to some milliseconds; zero or negative is not at all, {@link
     *     Long#MAX_VALUE} is without end
     * @param unit the unit of {@code timeout}
     * @return a future of the lease, which is then the caller's to end. It fails with a {@link TimeoutException} if there was none in time,
     *     a {@link PoolShutDownException} if the pool was shut down, a {@link QueueFullException} if as many requests wait as the pool
     *     allows, a {@link LeaseholdUnavailableException} if the native library could not be loaded; nothing is retained then
     * @throws IllegalArgumentException if {@code route} or {@code unit} is null
     */
    public CompletableFuture<Lease<C>> leaseAsync(R route, Object state, long timeout, TimeUnit unit) {
        Arguments.route(route);
        Deadline deadline = new Deadline(timeout, unit, clock);
        try {
            NativePool pool = started();
            StateRef stateRef = state == null ? null : pool.state(state);
            AsyncLease.Future<C> request = new AsyncLease.Future<>(pool, new Lease<>(pool, stateRef), route, stateRef, deadline);
            request.start();
            return request.future;
        } catch (RuntimeException e) {
            CompletableFuture<Lease<C>> failed = new CompletableFuture<>();
            failed.completeExceptionally(e);
            return failed;
        }
    }

    /**
     * As {@link #leaseAsync(Object, Object, long, TimeUnit)}.
     *
     * @param route where to
     * @param state for whom; null is for nobody
     * @param timeout how long the request waits at most, kept to some milliseconds; zero or negative is not at all
     * @return as of {@link #leaseAsync(Object, Object, long, TimeUnit)}
     * @throws IllegalArgumentException if {@code route} or {@code timeout} is null
     */
    public CompletableFuture<Lease<C>> leaseAsync(R route, Object state, Duration timeout) {
        return leaseAsync(route, state, Arguments.nanos(timeout), TimeUnit.NANOSECONDS);
    }

    /**
     * Asks for a lease of a connection that is bound to a state or to nobody, or of the right to open one, and has a hook told when it is
     * there, or that it will not be. What {@link #leaseAsync} and every lease that waits are made of; for whoever has callbacks of its own.
     * As long as the request waits it keeps the pool, and the hook, in memory.
     *
     * @param route where to
     * @param state for whom; null is for nobody
     * @param timeout how long the request waits at most, kept to some milliseconds; zero or negative is not at all, {@link
     *     Long#MAX_VALUE} is without end
     * @param unit the unit of {@code timeout}
     * @param hook is told the answer; not if this throws
     * @return the request, which can be cancelled
     * @throws IllegalArgumentException if {@code route}, {@code unit} or {@code hook} is null
     * @throws PoolShutDownException if the pool was shut down
     * @throws QueueFullException if as many requests wait as the pool allows
     * @throws LeaseholdUnavailableException if the native library could not be loaded
     */
    public LeaseRequest requestLease(R route, Object state, long timeout, TimeUnit unit, LeaseHook<C> hook) {
        Arguments.route(route);
        Arguments.given(hook, "hook", "it is what is told of the lease");
        Deadline deadline = new Deadline(timeout, unit, clock);
        NativePool pool = started();
        StateRef stateRef = state == null ? null : pool.state(state);
        AsyncLease<C> request = new AsyncLease.Hooked<>(pool, new Lease<>(pool, stateRef), route, stateRef, deadline, hook);
        LeaseRequest handle = new LeaseRequest(request);
        request.start();
        return handle;
    }

    /**
     * As {@link #requestLease(Object, Object, long, TimeUnit, LeaseHook)}.
     *
     * @param route where to
     * @param state for whom; null is for nobody
     * @param timeout how long the request waits at most, kept to some milliseconds; zero or negative is not at all
     * @param hook is told the answer; not if this throws
     * @return the request, which can be cancelled
     * @throws IllegalArgumentException if {@code route}, {@code timeout} or {@code hook} is null
     * @throws PoolShutDownException if the pool was shut down
     * @throws QueueFullException if as many requests wait as the pool allows
     * @throws LeaseholdUnavailableException if the native library could not be loaded
     */
    public LeaseRequest requestLease(R route, Object state, Duration timeout, LeaseHook<C> hook) {
        return requestLease(route, state, Arguments.nanos(timeout), TimeUnit.NANOSECONDS, hook);
    }

    /** Disposes of idle connections that have expired. Takes time in proportion to what it closes. */
    @Override
    public void closeExpired() {
        NativePool pool = this.pool;
        if (pool != null) {
            Upkeep.closeExpired(pool);
        }
    }

    /**
     * Disposes of connections that have been idle for a time or longer. Takes time in proportion to what it closes.
     *
     * @param idleTime how long; zero closes all idle connections
     * @param unit the unit of {@code idleTime}
     * @throws IllegalArgumentException if {@code idleTime} is negative or {@code unit} is null
     */
    @Override
    public void closeIdle(long idleTime, TimeUnit unit) {
        Arguments.unit(unit);
        if (idleTime < 0) {
            throw new IllegalArgumentException("idleTime must not be negative, zero closes all: " + idleTime);
        }
        NativePool pool = this.pool;
        if (pool != null) {
            Upkeep.closeIdle(pool, unit.toMillis(idleTime));
        }
    }

    /**
     * As {@link #closeIdle(long, TimeUnit)}.
     *
     * @param idleTime how long; zero closes all idle connections
     * @throws IllegalArgumentException if {@code idleTime} is negative or null
     */
    public void closeIdle(Duration idleTime) {
        closeIdle(Arguments.nanos(idleTime), TimeUnit.NANOSECONDS);
    }

    /**
     * Disposes of the idle connections that a predicate finds unfit. Takes time in proportion to all connections.
     *
     * <p>The predicate runs outside every lock. A connection that is leased by another thread in the meantime is shown
     * to it all the same; if found unfit, it is disposed of when it is released.
     *
     * @param unfit says of a route and its connection whether the connection is to go
     * @throws IllegalArgumentException if {@code unfit} is null
     */
    public void closeIdleIf(BiPredicate<? super R, ? super C> unfit) {
        Arguments.given(unfit, "unfit", "it says which connections are to go");
        NativePool pool = this.pool;
        if (pool == null) {
            return;
        }
        for (Listing.Item item : Listing.of(pool, true)) {
            if (unfit.test(ConnectionPool.<R>cast(item.route()), ConnectionPool.<C>cast(item.connection()))) {
                Upkeep.markDead(pool, item);
            }
        }
    }

    /**
     * Disposes of all idle connections to a route; those that are leased are disposed of when they are released.
     *
     * @param route the route
     * @throws IllegalArgumentException if {@code route} is null
     */
    @Override
    public void clear(R route) {
        NativePool pool = this.pool;
        RouteRef ref = routes.route(Arguments.route(route));
        if (pool != null && ref != null) {
            Upkeep.clear(pool, ref);
        }
    }

    /**
     * Disposes of all idle connections; those that are leased are disposed of when they are released, whatever their leases say, and those
     * that are being opened, too. For a change of address or of credentials, say. Takes time in proportion to the routes times the
     * connections. What is opened meanwhile may stay.
     */
    @Override
    public void softEvict() {
        for (Object route : routes.known()) {
            clear(ConnectionPool.<R>cast(route));
        }
    }

    /**
     * Holds up whoever asks for a connection from now on, until the pool is {@linkplain #resume() resumed}: as long as he would wait for
     * one to come free, while {@link #tryLease} and the like have nothing. So a server can be moved or its certificates changed without a
     * request failing. Does nothing where the pool is suspended already. Takes constant time.
     *
     * <p>Leases go on and end as ever, and a vacancy may be filled. Idle connections stay watched, expire and are disposed of as ever;
     * limits may be changed, and the pool shut down, which ends all waiting.
     *
     * <p>When this has returned no request is served that begins then, on whatever thread, and none that waits. One that has begun may be:
     * its lease is one of those that go on. If its connection turns out to be closed by the peer, another takes its place, or the right to
     * open one.
     */
    @Override
    public void suspend() {
        setSuspended(true);
    }

    /**
     * Ends what {@link #suspend()} began, however often that was called. Those who wait are served in the order of their arrival, as far as
     * the limits allow, before anybody who comes now. Does nothing where the pool is not suspended. Takes time in proportion to the routes
     * and to those it serves.
     */
    @Override
    public void resume() {
        setSuspended(false);
        for (Runnable each : resumptions) {
            try {
                each.run();
            } catch (Throwable e) {
                Log.warnOf(state.name, Texts.RESUMPTION_FAILED, e);
            }
        }
    }

    /**
     * Has something done whenever the pool was {@linkplain #resume() resumed}, by the thread that did, outside every lock, when those who
     * wait were served. For whoever has requests of its own wait that the pool does not know of, as for a share of a connection. It is kept
     * as long as the pool is, to which it may refer.
     *
     * @param action does it. What it throws is logged
     * @throws IllegalArgumentException if {@code action} is null
     */
    public void whenResumed(Runnable action) {
        resumptions.add(Arguments.given(action, "action", "it is what is to be done"));
    }

    private void setSuspended(boolean wanted) {
        Effects effects = new Effects();
        state.limits.setSuspended(wanted, published, effects);
        carryOutHere(effects);
    }

    /**
     * Whether requests are held up.
     *
     * @return true from {@link #suspend()} to {@link #resume()}, whether the pool was shut down or not
     */
    @Override
    public boolean isSuspended() {
        return state.limits.areSuspended();
    }

    /**
     * Changes the limit in total. Raised, it lets waiting requests go on at once; lowered, it disposes of surplus idle
     * connections at once and of leased ones when they are released.
     *
     * @param max the limit; zero lets every request wait, {@link Integer#MAX_VALUE} is no limit
     *     but the {@linkplain ConnectionPool pool's own}
     * @throws IllegalArgumentException if {@code max} is negative
     */
    @Override
    public void setMaxTotal(int max) {
        Effects effects = new Effects();
        state.limits.setTotal(checked("maxTotal", max), published, effects);
        carryOutHere(effects);
    }

    /**
     * What the pool is called.
     *
     * @return the name that it was given, or {@code ConnectionPool-} and a number
     */
    @Override
    public String name() {
        return state.name.toString();
    }

    /**
     * Names the pool, in log lines, exceptions and wherever numbers are shown, from now on.
     *
     * @param name the name, which need not be no other pool's
     * @throws IllegalArgumentException if {@code name} is null or empty
     * @throws IllegalStateException if the pool was shown by JMX, and the server of beans refuses it under the new name; it has that name
     *     all the same, and is shown no more
     */
    public void setName(String name) {
        state.name.set(name);
        if (attendances.unregister()) {
            attendances.register(this);
        }
    }

    /**
     * Shows the pool in the JVM's platform server of beans, as a {@link ConnectionPoolMXBean}, unless it is there already. It is taken out
     * by {@link #shutdown}, when the pool is collected, and by {@link #unregisterMBean()}. As long as it is there the thread {@code
     * leasehold-housekeeper} is, too. Where the system property {@code io.leasehold.jmx} is true, this is done by {@link Builder#build()},
     * for the pools of managers, too.
     *
     * <p>The server refers to the bean, and so to the class loader of these classes: an application that is undeployed shuts its
     * pools down.
     *
     * @return its name there, {@code io.leasehold:type=ConnectionPool,name="…"} with the pool's name, and a number if another has that;
     *     null if the pool was shut down
     * @throws IllegalStateException if the server refuses, or this JVM was made without JMX
     * @throws LeaseholdUnavailableException if the native library could not be loaded
     */
    public String registerMBean() {
        return attendances.register(this);
    }

    /** Takes the pool out of the server of beans, if it is there. */
    public void unregisterMBean() {
        attendances.unregister();
    }

    /**
     * Has a listener told of each connection that the pool parts with from now on, those of a shutdown included.
     *
     * @param listener is told, outside every lock; must not lead to the pool
     * @throws IllegalArgumentException if {@code listener} is null
     */
    public void addCloseListener(CloseListener<? super R> listener) {
        state.addCloseListener(Arguments.given(listener, "listener", "it is who is told"));
    }

    /**
     * Has a listener told no more, which one that is being told may be meanwhile.
     *
     * @param listener the listener
     * @return whether it was there
     * @throws IllegalArgumentException if {@code listener} is null
     */
    public boolean removeCloseListener(CloseListener<? super R> listener) {
        return state.removeCloseListener(Arguments.given(listener, "listener", "it is who was told"));
    }

    /**
     * Has something undone when the pool has ended, once: when {@link #shutdown} is called, on the thread that does so, or when the pool
     * was collected, on a thread of the library's; at once if it was shut down. For whoever shows the pool elsewhere, as by gauges. The
     * thread {@code leasehold-housekeeper} does not stay for this: if it is not there when the pool is collected, it comes with the next
     * pool that is used.
     *
     * @param undo undoes it; must not lead to the pool. What it throws is logged
     * @throws IllegalArgumentException if {@code undo} is null
     * @throws LeaseholdUnavailableException if the native library could not be loaded
     */
    public void whenEnded(Runnable undo) {
        attendances.add(this, Arguments.given(undo, "undo", "it is what is to be done"));
    }

    /**
     * The limit in total.
     *
     * @return the limit
     */
    @Override
    public int getMaxTotal() {
        return state.limits.total();
    }

    /**
     * Changes the limit of every route that has none of its own. Takes effect as {@link #setMaxTotal} does.
     *
     * @param max the limit; zero lets every request wait, {@link Integer#MAX_VALUE} is no limit
     *     but the {@linkplain ConnectionPool pool's own}
     * @throws IllegalArgumentException if {@code max} is negative
     */
    @Override
    public void setDefaultMaxPerRoute(int max) {
        Effects effects = new Effects();
        state.limits.setOfRoutes(checked("defaultMaxPerRoute", max), published, effects);
        carryOutHere(effects);
    }

    /**
     * The limit of every route that has none of its own.
     *
     * @return the limit
     */
    @Override
    public int getDefaultMaxPerRoute() {
        return state.limits.ofRoutes();
    }

    /**
     * Gives a route a limit of its own, which stays until it is changed or removed. Takes effect as {@link
     * #setMaxTotal} does.
     *
     * @param route the route
     * @param max the limit; zero lets every request wait to this route, {@link Integer#MAX_VALUE} is no limit
     *     but the {@linkplain ConnectionPool pool's own}
     * @throws IllegalArgumentException if {@code route} is null or {@code max} is negative
     */
    @Override
    public void setMaxPerRoute(R route, int max) {
        Effects effects = new Effects();
        state.limits.setOf(Arguments.route(route), checked("maxPerRoute", max), published, effects);
        carryOutHere(effects);
    }

    /**
     * Takes a route's own limit away; the default holds for it again.
     *
     * @param route the route
     * @throws IllegalArgumentException if {@code route} is null
     */
    @Override
    public void removeMaxPerRoute(R route) {
        Effects effects = new Effects();
        state.limits.setOf(Arguments.route(route), null, published, effects);
        carryOutHere(effects);
    }

    /**
     * The limit that holds for a route.
     *
     * @param route the route
     * @return its own limit, or the default
     * @throws IllegalArgumentException if {@code route} is null
     */
    public int getMaxPerRoute(R route) {
        return state.limits.of(Arguments.route(route));
    }

    /**
     * The numbers of the whole pool. They are read without a lock: each is right at some moment of the call, and all
     * together are exact when nothing changes. Constant time.
     *
     * @return the numbers now
     */
    @Override
    public Stats stats() {
        NativePool pool = this.pool;
        if (pool == null) {
            return stats(new int[Engine.STATS], state.limits.total());
        }
        pool.giveBackStrays();
        return stats(pool.stats(), state.limits.total());
    }

    /**
     * The numbers of one route, read as {@link #stats()} does. Constant time. A route that the pool does not know has
     * none.
     *
     * @param route the route
     * @return the numbers now
     * @throws IllegalArgumentException if {@code route} is null
     */
    @Override
    public Stats stats(R route) {
        NativePool pool = this.pool;
        RouteRef ref = routes.route(Arguments.route(route));
        return pool == null || ref == null
                ? stats(new int[Engine.STATS], getMaxPerRoute(route))
                : stats(pool.stats(ref), getMaxPerRoute(route));
    }

    /**
     * What the pool has closed of its own accord since it was made. Read without a lock, in constant time.
     *
     * @return the numbers now
     */
    public Counters counters() {
        long[] numbers = new long[Counters.COUNT];
        NativePool pool = this.pool;
        if (pool != null) {
            pool.counters(numbers);
        }
        return new Counters(numbers);
    }

    /**
     * The pool's name, and the limits and numbers of a route and of the whole pool, with the longest lease that goes on: what is said by
     * the exception of a request that is not served, in words that may change. Takes time in proportion to the connections.
     *
     * @param route the route
     * @return a text
     * @throws IllegalArgumentException if {@code route} is null
     */
    public String describe(R route) {
        Arguments.route(route);
        NativePool pool = this.pool;
        return pool == null ? toString() : PoolLook.of(state, pool.engine, route);
    }

    /**
     * What has become of the pool's requests and connections since it was made. The numbers only grow, and are exact when nothing changes.
     * Takes time in proportion to the connections, and nobody waits, opens or closes meanwhile; leases and releases of idle connections go
     * on.
     *
     * @return the numbers now
     */
    @Override
    public Metrics metrics() {
        long[] numbers = new long[Metrics.COUNT_WITH_TIMES];
        NativePool pool = this.pool;
        if (pool != null) {
            pool.giveBackStrays();
            pool.metrics(numbers);
        }
        return new Metrics(numbers);
    }

    /**
     * Has somebody told how many leases there were, and how many of them of a new connection, whenever the pool has come to rest, when it
     * was shut down, and when it was collected: as a pool that is not at rest has a thread, of its class loader, all leases are told before
     * that can be collected. When a pool that was at rest is used, as it is before its first lease, the listener is told two nulls before:
     * there will be numbers. For the Java agent, which calls this by reflection and adds up what managers did that are gone.
     *
     * @param listener is told on the housekeeper's thread, the nulls by whoever uses the pool
     */
    void tellNumbers(BiConsumer<Long, Long> listener) {
        state.numbersListener = listener;
    }

    /**
     * Has it measured from now on how long connections are held, for {@link Metrics#held()}, or no more; what was measured stays. Off by
     * default: it costs each lease and release of an idle connection some 30 instructions of the native library, and the pool up to 32
     * kilobytes.
     *
     * @param wanted whether it is to be measured
     */
    @Override
    public void measureHeld(boolean wanted) {
        state.limits.setMeasuresHeld(wanted, published);
    }

    /**
     * The same of one route without times, since the pool came to know it: a route that was out of use for long begins anew, and one that the pool does
     * not know has none. Takes what {@link #metrics()} takes.
     *
     * @param route the route
     * @return the numbers now
     * @throws IllegalArgumentException if {@code route} is null
     */
    @Override
    public Metrics metrics(R route) {
        long[] numbers = new long[Metrics.COUNT];
        NativePool pool = this.pool;
        RouteRef ref = routes.route(Arguments.route(route));
        if (pool != null && ref != null) {
            pool.giveBackStrays();
            pool.metrics(ref, numbers);
        }
        return new Metrics(numbers);
    }

    /**
     * The pool's time, for {@link #recordOpening}: that of its {@link ManualClock}, where a test drives it.
     *
     * @return nanoseconds since whenever, as {@link System#nanoTime}
     */
    public long nanoTime() {
        return clock == null ? System.nanoTime() : clock.nanoTime();
    }

    /**
     * Says that a connection was connected, for {@link Metrics#opening()}, where the pool {@linkplain Builder#connectsLater is not told by
     * itself}. It never fails: a time that cannot be noted, as there is no stack left, is left out. O(1), takes no lock.
     *
     * @param nanos how long that took, the difference of two {@link #nanoTime}; less than zero counts as zero
     */
    public void recordOpening(long nanos) {
        NativePool pool = this.pool;
        try {
            // Nobody has leased from a pool without one.
            if (pool != null) {
                pool.engine.recordOpening(nanos);
            }
        } catch (StackOverflowError e) {
            // The connection is there all the same.
        }
    }

    /**
     * The routes that have connections or waiting requests, or had some a short while ago.
     *
     * @return a copy
     */
    @Override
    public Set<R> routes() {
        return ConnectionPool.cast(routes.known());
    }

    /**
     * Shows every idle connection. Weakly consistent: what moves meanwhile may be shown although it is leased by now,
     * or not at all.
     *
     * @param action takes a route and a connection; it must not use or close the connection, which another thread may
     *     lease
     * @throws IllegalArgumentException if {@code action} is null
     */
    public void forEachIdle(BiConsumer<? super R, ? super C> action) {
        forEach(true, action);
    }

    /**
     * Shows every leased connection, vacancies left out. Weakly consistent: what moves meanwhile may be shown although
     * it is idle by now, or not at all.
     *
     * @param action takes a route and a connection, which is in use
     * @throws IllegalArgumentException if {@code action} is null
     */
    public void forEachLeased(BiConsumer<? super R, ? super C> action) {
        forEach(false, action);
    }

    /**
     * The leases that go on, vacancies included, each with where it was taken if the pool {@linkplain #setLeaseStacks notes} that. Weakly
     * consistent: what ends or begins meanwhile may be among them or not. Takes time in proportion to the connections.
     *
     * @return a copy, in no order
     */
    @Override
    public List<HeldLease> heldLeases() {
        NativePool pool = this.pool;
        return pool == null ? new ArrayList<>() : HeldLeases.of(state, pool.engine);
    }

    /**
     * Sets whether the pool notes where, by which thread and when each lease is taken, from now on. That is said where a lease is
     * {@linkplain LeakListener lost}, in {@link #heldLeases()}, and in what is thrown for want of a connection. It takes some microseconds a lease,
     * as the thread's stack is walked. A request that does not wait for its lease is noted where it was made. What is noted stays with an idle
     * connection until its next lease.
     *
     * @param wanted true notes it; the default is what the system property {@code io.leasehold.leaseStacks} said when the pool was built,
     *     or else false
     */
    @Override
    public void setLeaseStacks(boolean wanted) {
        state.setLeaseStacks(wanted);
    }

    /**
     * Whether it was {@linkplain #setLeaseStacks asked} to note where leases are taken.
     *
     * @return true if so
     */
    @Override
    public boolean isLeaseStacks() {
        return state.wantsStacks();
    }

    /**
     * Sets that a warning is logged of each lease that is held for as long, once, with where it was taken: it may be lost, or its holder be
     * stuck. It comes within a second or two of that moment, and the lease goes on. Until it has come, or the lease has ended, the thread
     * {@code leasehold-housekeeper} is there, in a pool that is not used otherwise, too. As long as this is set, leases that begin are
     * noted as {@link #setLeaseStacks} says.
     *
     * @param threshold after how long; zero is never. The default is what the system property {@code io.leasehold.leakDetectionMillis}
     *     said when the pool was built, in milliseconds, or else never. What is smaller than a millisecond is rounded up
     * @param unit the unit of {@code threshold}
     * @throws IllegalArgumentException if {@code threshold} is negative or {@code unit} is null
     */
    @Override
    public void setLeakDetectionThreshold(long threshold, TimeUnit unit) {
        Arguments.unit(unit);
        if (threshold < 0) {
            throw new IllegalArgumentException("threshold must not be negative, zero is never: " + threshold);
        }
        state.setLeakMillis(threshold == 0 ? 0 : Math.max(1, unit.toMillis(threshold)));
        NativePool pool = this.pool;
        if (pool != null && threshold > 0) {
            // It may be at rest with leases that nobody was to be warned of.
            pool.lookedAfter();
        }
    }

    /**
     * As {@link #setLeakDetectionThreshold(long, TimeUnit)}.
     *
     * @param threshold after how long; zero is never
     * @throws IllegalArgumentException if {@code threshold} is negative or null
     */
    public void setLeakDetectionThreshold(Duration threshold) {
        setLeakDetectionThreshold(Arguments.nanos(threshold), TimeUnit.NANOSECONDS);
    }

    /**
     * After what time a lease that goes on is {@linkplain #setLeakDetectionThreshold(long, TimeUnit) warned} of.
     *
     * @return milliseconds, zero for never
     */
    @Override
    public long getLeakDetectionMillis() {
        return state.leakMillis();
    }

    private void forEach(boolean idle, BiConsumer<? super R, ? super C> action) {
        Arguments.given(action, "action", "it is what connections are shown to");
        NativePool pool = this.pool;
        if (pool != null) {
            for (Listing.Item item : Listing.of(pool, idle)) {
                action.accept(ConnectionPool.<R>cast(item.route()), ConnectionPool.<C>cast(item.connection()));
            }
        }
    }

    /**
     * Shuts the pool down: idle connections are disposed of, waiting and later requests get a {@link
     * PoolShutDownException}. Leases may still be ended. Doing it again does nothing more, except that {@link
     * ShutdownMode#IMMEDIATE} after {@link ShutdownMode#GRACEFUL} disposes of what is still leased.
     *
     * @param mode what is to become of leased connections
     * @throws IllegalArgumentException if {@code mode} is null
     */
    public void shutdown(ShutdownMode mode) {
        Arguments.given(mode, "mode", "GRACEFUL or IMMEDIATE");
        // Before the pool is looked for, and after whoever is about to make one.
        state.shutDown(mode == ShutdownMode.IMMEDIATE);
        NativePool pool = this.pool;
        if (pool != null) {
            Upkeep.shutdown(pool, mode == ShutdownMode.IMMEDIATE);
            // No lease begins any more: who wants the numbers need not wait for the collector.
            PoolChores.tellNumbers(state, pool);
        }
        state.refusesFromNowOn();
        attendances.end();
    }

    /**
     * Whether the pool was shut down.
     *
     * @return true from the first call of {@link #shutdown} on
     */
    @Override
    public boolean isShutDown() {
        return state.isShutDown();
    }

    /**
     * Waits until the pool has come to its end: it was shut down, all leases have ended, and every connection that it had is closed, those
     * included that are closed on a thread of their own. Before {@link #shutdown} it waits for that, too.
     *
     * <p>Memory effects: what a {@link Disposer} did, and what a thread did before it had the pool dispose of a connection, happens before
     * this returns true.
     *
     * @param timeout how long to wait at most; zero or negative is not at all, {@link Long#MAX_VALUE} is without end
     * @param unit the unit of {@code timeout}
     * @return false if the time was up before; nothing is changed then
     * @throws InterruptedException if the thread was interrupted before or while it had to wait
     * @throws IllegalArgumentException if {@code unit} is null
     */
    public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
        return state.termination.await(this::isTerminated, new Deadline(timeout, unit, clock));
    }

    /**
     * As {@link #awaitTermination(long, TimeUnit)}.
     *
     * @param timeout how long to wait at most; zero or negative is not at all
     * @return false if the time was up before
     * @throws InterruptedException if the thread was interrupted before or while it had to wait
     * @throws IllegalArgumentException if {@code timeout} is null
     */
    public boolean awaitTermination(Duration timeout) throws InterruptedException {
        return awaitTermination(Arguments.nanos(timeout), TimeUnit.NANOSECONDS);
    }

    /**
     * Whether the pool has come to its end, as {@link #awaitTermination(long, TimeUnit)} says, with the same memory effects. Constant time.
     *
     * @return true if it was shut down and has nothing more
     */
    public boolean isTerminated() {
        if (!state.refuses()) {
            return false;
        }
        NativePool pool = this.pool;
        return pool == null || pool.hasNothing();
    }

    /** Shuts the pool down gracefully, without waiting: say {@link #awaitTermination(long, TimeUnit)} for that. */
    @Override
    public void close() {
        shutdown(ShutdownMode.GRACEFUL);
    }

    @Override
    public String toString() {
        return state.name + stats().toString();
    }

    /** What is had without waiting, or null. */
    private <T> T tryLease(R route, Object boundTo, Function<? super Lease<C>, ? extends T> use) {
        try {
            return lease(route, boundTo, null, use);
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("nothing was waited for", e);
        }
    }

    /**
     * A lease, or what is made of it.
     *
     * <p>From the moment in which the engine has given a lease until this returns, it is in the reference's handle. Whatever is thrown on
     * the way, at the last by a call for which there is no stack left, the lease is then left where others find it, without any call, and
     * given back at once if that can be done here.
     *
     * @param boundTo for whom, or null
     * @param deadline how long to wait; null is not at all
     * @param use what makes something of the lease; null for the lease itself
     */
    @SuppressWarnings("unchecked") // A pool's cells hold what its own leases were given; without a use the lease is what is wanted.
    private <T> T lease(R route, Object boundTo, Deadline deadline, Function<? super Lease<C>, ? extends T> use)
            throws InterruptedException, TimeoutException {
        NativePool pool = this.pool;
        if (pool == null) {
            pool = started();
        }
        StateRef stateRef = boundTo == null ? null : pool.state(boundTo);
        Lease<C> lease = new Lease<>(pool, stateRef);
        LeaseRef ref = lease.ref;
        RouteRef known = stateRef == null ? routes.route(route) : null;
        long handle = LeaseRef.ENDED;
        boolean isHandedOver = false;
        try {
            if (known != null) {
                lease.connection = (C) pool.hit(ref, known);
            }
            if (ref.handle == LeaseRef.ENDED) {
                if (deadline != null) {
                    ParkedThread.lease(pool, ref, route, stateRef, deadline);
                } else if (!pool.tryLease(ref, route, stateRef)) {
                    isHandedOver = true;
                    return null;
                }
                lease.connection = (C) pool.connection(ref);
            }
            if (deadline != null && !deadline.had()) {
                lease.giveBack();
                throw new CancellationException("the request for a connection was cancelled");
            }
            handle = ref.handle;
            T made = use == null ? (T) lease : use.apply(lease);
            isHandedOver = true;
            return made;
        } finally {
            // As above, of what is made of it.
            if (!isHandedOver && ref.handle != LeaseRef.ENDED && (handle == LeaseRef.ENDED || ref.handle == handle)) {
                ref.stray = ref.handle;
                state.strays.areMarked = true;
                pool.strayed(ref);
            }
        }
    }

    /** What a changed limit brought about. */
    private void carryOutHere(Effects effects) {
        NativePool pool = this.pool;
        if (pool != null) {
            pool.carryOutHere(effects);
        }
    }

    private NativePool started() {
        NativePool pool = this.pool;
        if (pool != null) {
            return pool;
        }
        synchronized (state) {
            if (this.pool == null) {
                if (state.isShutDown()) {
                    throw PoolShutDownException.of(state.name);
                }
                NativePool made = PoolChores.newPool(state);
                if (clock != null) {
                    clock.drive(made);
                }
                state.limits.publish(made.engine, () -> this.pool = made);
            }
        }
        return this.pool;
    }

    private static Stats stats(int[] numbers, int max) {
        return new Stats(numbers[0], numbers[1], numbers[2], max);
    }

    @SuppressWarnings("unchecked") // What a pool's state holds came in through this pool's typed methods.
    private static <T> T cast(Object object) {
        return (T) object;
    }

    private static int checked(String what, int max) {
        if (max < 0) {
            throw new IllegalArgumentException(
                    what + " must not be negative: " + max + " (0 lets every request wait, Integer.MAX_VALUE is no limit)");
        }
        return max;
    }

    /**
     * Describes a pool. Not safe for use by several threads.
     *
     * @param <R> the type of the routes
     * @param <C> the type of the connections
     */
    public static final class Builder<R, C> {
        private static final String DEFAULT = "leave it out for the default";

        private final Disposer<? super C> disposer;
        private String owner = PoolName.POOL;
        private String name;
        private int maxTotal = Integer.MAX_VALUE;
        private int maxPerRoute = Integer.MAX_VALUE;
        private int maxWaiters = Integer.MAX_VALUE;
        private long timeToLive;
        private Policy policy = Policy.LIFO;
        private boolean barging;
        private boolean ownRouteFirst;
        private boolean connectsLater;
        private int stripes;
        private LeakListener<? super R, ? super C> leakListener;
        private ManualClock clock;
        private Watching watching = Watching.BOTH;
        private boolean evictExpired;
        private long evictIdle;
        private Predicate<? super C> isClosed;
        private Predicate<? super C> needsHelp;
        private Consumer<? super C> help;

        private Builder(Disposer<? super C> disposer) {
            this.disposer = Arguments.given(disposer, "disposer", "the pool needs a way to close connections");
        }

        /**
         * Sets what the pool is called in log lines, exceptions and wherever numbers are shown.
         *
         * @param name the name, which need not be no other pool's; the default is {@code ConnectionPool-} with a number that is no other
         *     pool's
         * @return this
         * @throws IllegalArgumentException if {@code name} is null or empty
         */
        public Builder<R, C> name(String name) {
            this.name = PoolName.checked(name);
            return this;
        }

        /**
         * Sets whose pool it is, for a manager whose user may not name it: that stands in the default name in the place of {@code
         * ConnectionPool}.
         *
         * @param owner the manager, as by the simple name of its class
         * @return this
         * @throws IllegalArgumentException if {@code owner} is null or empty
         */
        public Builder<R, C> ownedBy(String owner) {
            this.owner = PoolName.checked(owner);
            return this;
        }

        /**
         * Sets the limit in total.
         *
         * @param max leased, idle and connections being opened together; the default is no limit
         * @return this
         * @throws IllegalArgumentException if {@code max} is negative
         */
        public Builder<R, C> maxTotal(int max) {
            maxTotal = checked("maxTotal", max);
            return this;
        }

        /**
         * Sets the limit of every route that is not given one of its own.
         *
         * @param max leased, idle and connections being opened together; the default is no limit
         * @return this
         * @throws IllegalArgumentException if {@code max} is negative
         */
        public Builder<R, C> maxPerRoute(int max) {
            maxPerRoute = checked("maxPerRoute", max);
            return this;
        }

        /**
         * Sets how long a connection may live, counted from its opening. A leased connection is disposed of at its
         * release.
         *
         * @param timeToLive how long; the default is without end. What is smaller than a millisecond is rounded up
         * @param unit the unit of {@code timeToLive}
         * @return this
         * @throws IllegalArgumentException if {@code timeToLive} is zero or negative, or {@code unit} is null
         */
        public Builder<R, C> timeToLive(long timeToLive, TimeUnit unit) {
            this.timeToLive = Arguments.positiveMillis("timeToLive", timeToLive, unit);
            return this;
        }

        /**
         * As {@link #timeToLive(long, TimeUnit)}.
         *
         * @param timeToLive how long
         * @return this
         * @throws IllegalArgumentException if {@code timeToLive} is zero, negative or null
         */
        public Builder<R, C> timeToLive(Duration timeToLive) {
            return timeToLive(Arguments.nanos(timeToLive), TimeUnit.NANOSECONDS);
        }

        /**
         * Sets which idle connection of a route is leased first.
         *
         * @param policy the policy; the default is {@link Policy#LIFO}
         * @return this
         * @throws IllegalArgumentException if {@code policy} is null
         */
        public Builder<R, C> policy(Policy policy) {
            this.policy = Arguments.given(policy, "policy", DEFAULT);
            return this;
        }

        /**
         * Sets how many requests may wait at once; one more gets a {@link QueueFullException}.
         *
         * @param max the bound; the default is none
         * @return this
         * @throws IllegalArgumentException if {@code max} is negative
         */
        public Builder<R, C> maxWaiters(int max) {
            if (max < 0) {
                throw new IllegalArgumentException("maxWaiters must not be negative: " + max + " (0 lets no request wait)");
            }
            maxWaiters = max;
            return this;
        }

        /**
         * Sets whether a new request may take a released connection before those that wait: more throughput under
         * contention, and no order of arrival.
         *
         * @param allow true allows it; the default is false
         * @return this
         */
        public Builder<R, C> allowBarging(boolean allow) {
            barging = allow;
            return this;
        }

        /**
         * Sets whom a released connection serves: who waits for its own route, before those that came earlier for another one and would
         * have it closed to open theirs. HttpClient 3.1 does so. It saves opening connections; a busy route may hold up the others for as
         * long as it is busy.
         *
         * @param ownRouteFirst true serves its own route first; the default is false, one order of arrival for all routes
         * @return this
         */
        public Builder<R, C> ownRouteFirst(boolean ownRouteFirst) {
            this.ownRouteFirst = ownRouteFirst;
            return this;
        }

        /**
         * Sets that what fills vacancies is connected later, inside its lease, as HttpClient connects what its managers have leased to it.
         * Then {@link ConnectionPool#recordOpening} says how long openings took, and nothing else is in {@link Metrics#opening()}.
         *
         * @return this
         */
        public Builder<R, C> connectsLater() {
            connectsLater = true;
            return this;
        }

        /**
         * Sets who is told of leases that were collected without having been ended.
         *
         * @param listener the listener, which must not refer to the pool; the default is none, and a warning is logged
         *     to {@code io.leasehold.ConnectionPool}
         * @return this
         * @throws IllegalArgumentException if {@code listener} is null
         */
        public Builder<R, C> leakListener(LeakListener<? super R, ? super C> listener) {
            leakListener = Arguments.given(listener, "listener", DEFAULT);
            return this;
        }

        /** For tests that have the builder: as {@link ManualClock#driving} around it. */
        Builder<R, C> manualClock(ManualClock clock) {
            this.clock = clock;
            return this;
        }

        /**
         * Sets how the pool learns that the peers of its connections have closed them, as far as {@link Lease#attach} has told
         * it their sockets.
         *
         * @param watching how; the default is {@link Watching#BOTH}
         * @return this
         * @throws IllegalArgumentException if {@code watching} is null
         */
        public Builder<R, C> watching(Watching watching) {
            this.watching = Arguments.given(watching, "watching", DEFAULT);
            return this;
        }

        /**
         * Sets whether idle connections that have expired are disposed of as they expire, within a fraction of a second,
         * and not only when a lease meets them or {@link ConnectionPool#closeExpired} is called.
         *
         * @param evict true does so; the default is false
         * @return this
         */
        public Builder<R, C> evictExpired(boolean evict) {
            evictExpired = evict;
            return this;
        }

        /**
         * Sets that connections idle for a time are disposed of, within a fraction of a second after it.
         *
         * @param idleTime how long; the default is never. What is smaller than a millisecond is rounded up
         * @param unit the unit of {@code idleTime}
         * @return this
         * @throws IllegalArgumentException if {@code idleTime} is zero or negative, or {@code unit} is null
         */
        public Builder<R, C> evictIdle(long idleTime, TimeUnit unit) {
            evictIdle = Arguments.positiveMillis("idleTime", idleTime, unit);
            return this;
        }

        /**
         * As {@link #evictIdle(long, TimeUnit)}.
         *
         * @param idleTime how long
         * @return this
         * @throws IllegalArgumentException if {@code idleTime} is zero, negative or null
         */
        public Builder<R, C> evictIdle(Duration idleTime) {
            return evictIdle(Arguments.nanos(idleTime), TimeUnit.NANOSECONDS);
        }

        /**
         * Sets what tells whether somebody else has closed an idle connection, as a reactor closes what its peer has closed. It is asked
         * about every idle connection a few times a second, and what is closed is disposed of, as {@link Cause#PEER_CLOSED}. That takes
         * time in proportion to the connections.
         *
         * @param isClosed is called on the daemon thread {@code leasehold-housekeeper}, on which it must not block; must not refer to the
         *     pool. What it throws is logged, and counts as no. The default is that nobody is asked
         * @return this
         * @throws IllegalArgumentException if {@code isClosed} is null
         */
        public Builder<R, C> evictClosed(Predicate<? super C> isClosed) {
            this.isClosed = Arguments.given(isClosed, "isClosed", DEFAULT);
            return this;
        }

        /**
         * Sets what is done for a leased connection that needs it and whose user cannot see to that, as one of whose reactor has closed it
         * and still owes its user an answer. Every leased connection is asked about a few times a second, which takes time in proportion to
         * them; for one that needs help it is called, but not again before it has returned.
         *
         * @param needsHelp is called on the daemon thread {@code leasehold-housekeeper}, on which it must not block; must not refer to the
         *     pool. What it throws is logged, and counts as no. The default is that nobody is asked
         * @param help is called on a daemon thread {@code leasehold-disposer}, and may block there; must not refer to the pool. The lease
         *     may have ended by then. What it throws is logged
         * @return this
         * @throws IllegalArgumentException if an argument is null
         */
        public Builder<R, C> helpLeased(Predicate<? super C> needsHelp, Consumer<? super C> help) {
            this.needsHelp = Arguments.given(needsHelp, "needsHelp", DEFAULT);
            this.help = Arguments.given(help, "help", DEFAULT);
            return this;
        }

        /** Forces the number of idle lists, so that tests have exact order (1) or certain disorder (more). */
        Builder<R, C> stripes(int stripes) {
            this.stripes = stripes;
            return this;
        }

        /**
         * Makes the pool. No native call is made before its first lease, unless the system property {@code io.leasehold.jmx} has it shown.
         *
         * @return a new pool
         */
        public ConnectionPool<R, C> build() {
            ManualClock clock = this.clock != null ? this.clock : ManualClock.current();
            PoolState state = new PoolState(
                    new PoolName(owner, name),
                    disposer,
                    leakListener,
                    new PoolState.Constants(
                            ownRouteFirst,
                            connectsLater,
                            policy == Policy.FIFO,
                            barging,
                            maxWaiters,
                            timeToLive,
                            stripes,
                            clock != null,
                            watching,
                            evictExpired,
                            evictIdle,
                            isClosed,
                            help == null ? null : new Help(needsHelp, help)),
                    maxTotal,
                    maxPerRoute);
            ConnectionPool<R, C> made = new ConnectionPool<>(state, clock);
            if (PoolState.isShownByJmx()) {
                made.attendances.registerIfPossible(made);
            }
            return made;
        }
    }
}
