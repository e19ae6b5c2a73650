package io.leasehold;

import io.leasehold.internal.natives.Engine;
import java.io.Closeable;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * The right to use one connection of a pool, until it is ended by {@link #release()}, {@link #discard()} or
 * {@link #close()}.
 *
 * <p>A new lease has either an idle connection or none. One with none is a <em>vacancy</em>, the right to open a
 * connection:
 *
 * <!-- from examples/sockets/src/main/java/example/SocketGet.java -->
 * <pre>{@code
 * try (Lease<Socket> lease = pool.lease(address, Duration.ofSeconds(5))) {
 *     return get(lease, address, path);
 * } // discards the connection if anything was thrown
 * }</pre>
 *
 * <!-- from examples/sockets/src/main/java/example/SocketGet.java -->
 * <pre>{@code
 * if (lease.isVacancy()) {
 *     Socket socket = new Socket(address.getHostName(), address.getPort());
 *     lease.opened(socket);
 *     lease.attach(socket); // from here on the pool notices when the server closes it
 * }
 * String answer = exchange(lease.connection(), path); // a request and its whole response
 * lease.updateExpiry(Duration.ofSeconds(30)); // as the server promised
 * lease.release();
 * return answer;
 * }</pre>
 *
 * <p>Without {@link #attach} the pool does not know the socket and notices nothing. A server may still close a connection while a request
 * travels on it. {@link #replace()} then makes room for a fresh one in its place; a new lease may have another stale one.
 *
 * <p>Keep the lease for as long as the connection is used: a lease that is garbage collected without having been ended
 * is a leak, its slot is given back and its connection disposed of.
 *
 * <p>A lease may pass from thread to thread, but is used by one at a time. Should several threads end it at once,
 * exactly one of them does; what one thread says of it while another discards it comes in time or does nothing. No method
 * waits for anything, except for what a {@link Disposer} called in its course does.
 *
 * <p>Memory effects: what a thread did before it ended a lease happens before what the next holder of the connection does with it, and
 * before it is disposed of. To pass a lease to another thread takes what passing any object takes.
 *
 * @param <C> the type of the connections
 */
public final class Lease<C> implements Closeable {
    private static final long FIRST_MOMENT = Long.MIN_VALUE;
    /** What comes after it, in millions of years, is without end. */
    private static final long END_OF_TIME = Long.MAX_VALUE / 4;

    private final NativePool pool;
    // The pool reaches both without a call.
    final LeaseRef ref;
    C connection;
    // For how long the connection is kept, in milliseconds or by one of the engine's constants; or until when, by the wall clock, counted
    // from the least number on.
    private long keepAlive = Engine.KEEP_AS_BEFORE;

    /** Everything that a lease needs, made before the engine is asked: an allocation that fails loses no slot. */
    Lease(NativePool pool, StateRef boundTo) {
        this.pool = pool;
        this.ref = pool.ref(this, boundTo);
    }

    /**
     * The route that was asked for.
     *
     * @return the route, one of the pool's type of routes, which a lease does not carry; also after the lease has ended
     */
    public Object route() {
        return ref.route();
    }

    /**
     * Whether there is no connection yet, so that this is the right to open one.
     *
     * @return true until {@link #opened}; true again after {@link #reopen} and {@link #replace}
     * @throws IllegalStateException if the lease has ended
     */
    public boolean isVacancy() {
        return connection() == null;
    }

    /**
     * The connection.
     *
     * @return the connection, or null if this lease is a {@linkplain #isVacancy vacancy}
     * @throws IllegalStateException if the lease has ended
     */
    public C connection() {
        if (ref.isEnded()) {
            throw LeaseRef.ended();
        }
        return connection;
    }

    /**
     * Fills a vacancy. From here on the connection belongs to the pool and is ended with the lease. Its time to live
     * starts now.
     *
     * @param connection the connection that was opened
     * @throws IllegalArgumentException if {@code connection} is null
     * @throws IllegalStateException if the lease has a connection or has ended; {@code connection} stays the caller's
     * @throws PoolShutDownException if the pool was shut down meanwhile; the lease has ended and {@code connection} was
     *     disposed of
     */
    public void opened(C connection) {
        Arguments.given(connection, "connection", "say release() or discard() if no connection could be opened");
        if (ref.isEnded()) {
            throw LeaseRef.ended();
        }
        if (this.connection != null) {
            throw new IllegalStateException("this lease has a connection already: only a vacancy can be filled, once");
        }
        if (!pool.opened(ref, connection)) {
            throw PoolShutDownException.of(pool.state.name);
        }
        this.connection = connection;
    }

    /**
     * Takes out a connection that turned out to be dead. The lease goes on as a vacancy, with the same place among the
     * pool's limits, so that another connection can be opened in its stead without waiting.
     *
     * @return the connection, which is the caller's from now on, to be closed
     * @throws IllegalStateException if the lease is a vacancy or has ended
     * @throws PoolShutDownException if the pool was shut down at once meanwhile, which ended the lease and disposed of
     *     the connection
     */
    public C reopen() {
        C dead = checkReplaceable();
        boolean isTaken = pool.reopen(ref) != null;
        connection = null;
        if (!isTaken) {
            throw endedMeanwhile();
        }
        keepAlive = Engine.KEEP_AS_BEFORE;
        return dead;
    }

    private RuntimeException endedMeanwhile() {
        return pool.isShutDown() ? PoolShutDownException.of(pool.state.name) : LeaseRef.ended();
    }

    private C checkReplaceable() {
        C dead = connection();
        if (dead == null) {
            throw new IllegalStateException("this lease has no connection to replace: say opened(connection)");
        }
        return dead;
    }

    /**
     * As {@link #reopen()}, and the pool disposes of the connection, with {@link Cause#DISCARDED}: on its own thread if that {@linkplain
     * Disposer#mayBlock may block}.
     *
     * @throws IllegalStateException if the lease is a vacancy or has ended
     * @throws PoolShutDownException if the pool was shut down at once meanwhile, which ended the lease and disposed of
     *     the connection
     */
    public void replace() {
        checkReplaceable();
        connection = null;
        keepAlive = Engine.KEEP_AS_BEFORE;
        if (!pool.replace(ref, Cause.DISCARDED)) {
            throw endedMeanwhile();
        }
    }

    /**
     * As {@link #replace()}, of a connection whose peer has closed it: it is counted among those that were {@linkplain Counters#stale()
     * found stale at the lease}.
     *
     * @throws IllegalStateException if the lease is a vacancy or has ended
     * @throws PoolShutDownException if the pool was shut down at once meanwhile, which ended the lease and disposed of
     *     the connection
     */
    public void replaceStale() {
        checkReplaceable();
        noteStale();
        replace();
    }

    /**
     * Tells the pool the connection's socket, so that it notices when the peer closes it, in the way that its {@link Watching}
     * says: an idle connection is disposed of at once, one that is leased when it is released. Once for each connection
     * is enough; if the connection gets another socket, say so again, and nothing that was known of the one before
     * counts any more. A TLS socket is told instead of the one it is layered over.
     *
     * <p>A socket that the pool closes by its {@link Disposer} is forgotten by itself. Say {@link #detach()} before closing it
     * during the lease.
     *
     * <p>What {@link Sockets#probe} can tell of is noticed; of other sockets, and of those not connected, nothing will be. The descriptor
     * is looked for once, when a socket is attached for the first time. The pool refers to the socket weakly.
     *
     * @param socket the socket
     * @throws IllegalArgumentException if {@code socket} is null
     * @throws IllegalStateException if the lease is a vacancy or has ended
     */
    public void attach(Socket socket) {
        if (!tryAttach(socket)) {
            throw LeaseRef.ended();
        }
    }

    /**
     * As {@link #attach}, without an exception if the lease has ended, for whoever may be overtaken by another thread that discards it.
     *
     * @param socket the socket
     * @return false if the lease has ended, and nothing was done
     * @throws IllegalArgumentException if {@code socket} is null
     * @throws IllegalStateException if the lease is a vacancy
     */
    public boolean tryAttach(Socket socket) {
        Arguments.given(socket, "socket", "say detach() to have it forgotten");
        checkHasConnection();
        return pool.attach(ref, socket, pool.watching());
    }

    /**
     * As {@link #tryAttach(Socket)}, of a socket whose descriptor was looked for before.
     *
     * @param socket the probe of the socket
     * @param watch false if the pool is not to notice when the peer closes it, but only to end a close of it that {@linkplain
     *     Disposer#mayBlock takes too long}
     * @return false if the lease has ended, and nothing was done
     * @throws IllegalArgumentException if {@code socket} is null or the probe of none
     * @throws IllegalStateException if the lease is a vacancy
     */
    public boolean tryAttach(SocketProbe socket, boolean watch) {
        Arguments.given(Arguments.given(socket, "socket", "say detach() to have it forgotten").found().socket(), "socket",
                "say detach() to have it forgotten");
        checkHasConnection();
        return pool.attach(ref, socket.found(), watch ? pool.watching() : Watching.OFF);
    }

    private void checkHasConnection() {
        if (connection == null && !ref.isEnded()) {
            throw new IllegalStateException("this lease has no connection that a socket could be of: say opened(connection) first");
        }
    }

    /**
     * Has the pool forget the connection's socket; say so before closing it or lending it to somebody else. Without a socket attached, and
     * after the lease's end, it does nothing.
     */
    public void detach() {
        pool.detach(ref);
    }

    /**
     * Counts the connection among those that were {@linkplain Counters#stale() found stale at the lease}, for whoever looks at connections
     * themselves. What becomes of it is for the holder to say, by {@link #reopen()}, {@link #attach} or {@link #discard()}; see also {@link
     * #replaceStale}.
     */
    public void noteStale() {
        if (!ref.isEnded()) {
            pool.noteStale(ref);
        }
    }

    /**
     * Says for how long the connection may be kept for reuse, counted from the release that follows. At most the pool's
     * time to live counts. A connection released without a word on this keeps the expiry it had; a new one has none.
     *
     * <p>Zero and less mean what they say, also as the outcome of a subtraction: the connection is disposed of at the release. (In
     * HttpClient they are without end; the managers, which take its numbers, translate them.)
     *
     * @param keepAlive how long; zero or negative is not at all, {@link Long#MAX_VALUE} is without end. What is smaller than a millisecond
     *     is rounded up
     * @param unit the unit of {@code keepAlive}
     * @throws IllegalArgumentException if {@code unit} is null
     */
    public void updateExpiry(long keepAlive, TimeUnit unit) {
        Arguments.unit(unit);
        this.keepAlive = keepAlive == Long.MAX_VALUE
                ? Engine.KEEP_FOREVER
                : keepAlive <= 0 ? Engine.CLOSE : Math.max(1, unit.toMillis(keepAlive));
    }

    /**
     * As {@link #updateExpiry(long, TimeUnit)}, for whoever knows until when: what is left of that is looked at when the lease is released,
     * by the wall clock's last tick, which is some milliseconds old. From then on the pool's own clock counts, which nobody sets.
     *
     * @param epochMillis the last moment in which the connection may be leased again, in milliseconds since the beginning of 1970, UTC;
     *     what is millions of years away is without end
     */
    public void updateExpiryAt(long epochMillis) {
        keepAlive = epochMillis > END_OF_TIME ? Engine.KEEP_FOREVER : epochMillis <= 0 ? Engine.CLOSE : FIRST_MOMENT + epochMillis;
    }

    private static boolean isMoment(long keepAlive) {
        return keepAlive <= FIRST_MOMENT + END_OF_TIME;
    }

    /** For how long the connection is kept from now on. */
    private long keep() {
        if (connection == null) {
            return Engine.CLOSE;
        }
        if (!isMoment(keepAlive)) {
            return keepAlive;
        }
        long left = keepAlive - FIRST_MOMENT - CoarseClock.currentTimeMillis();
        return left < 0 ? Engine.CLOSE : left + 1;
    }

    /**
     * As {@link #updateExpiry(long, TimeUnit)}.
     *
     * @param keepAlive how long; zero or negative is not at all
     * @throws IllegalArgumentException if {@code keepAlive} is null
     */
    public void updateExpiry(Duration keepAlive) {
        updateExpiry(Arguments.nanos(keepAlive), TimeUnit.NANOSECONDS);
    }

    /**
     * Ends the lease; the connection may be used again. It stays bound to the state that the lease was asked with. The
     * pool disposes of it now if it was shut down, has too many or knows the connection to be dead.
     *
     * <p>A vacancy gives the right to open back.
     *
     * @throws IllegalStateException if the lease has ended before
     */
    public void release() {
        if (!tryRelease()) {
            throw LeaseRef.ended();
        }
    }

    /**
     * Ends the lease; the connection may be used again, for requests with an equal state only.
     *
     * @param state to whom the connection is bound by now, or null to nobody
     * @throws IllegalStateException if the lease has ended before
     */
    public void release(Object state) {
        if (!tryRelease(state)) {
            throw LeaseRef.ended();
        }
    }

    /**
     * Ends the lease; the connection must not be used again and is disposed of.
     *
     * @throws IllegalStateException if the lease has ended before
     */
    public void discard() {
        if (!tryDiscard()) {
            throw LeaseRef.ended();
        }
    }

    /** Discards the connection, unless the lease has ended. */
    @Override
    public void close() {
        tryDiscard();
    }

    /**
     * As {@link #release()}, without an exception.
     *
     * @return false if the lease had ended before, and nothing was done
     */
    public boolean tryRelease() {
        LeaseRef ref = this.ref;
        if (!ref.isBound() && connection != null && releaseHit(ref)) {
            pool.released();
            return true;
        }
        return end(keep(), ref.boundTo());
    }

    /**
     * As {@link #release(Object)}, without an exception.
     *
     * @param state to whom the connection is bound by now, or null to nobody
     * @return false if the lease had ended before, and nothing was done
     */
    public boolean tryRelease(Object state) {
        if (state == null && !ref.isBound()) {
            return tryRelease();
        }
        return end(keep(), state == null ? null : pool.state(state));
    }

    /**
     * As {@link #discard()}, without an exception.
     *
     * @return false if the lease had ended before, and nothing was done
     */
    public boolean tryDiscard() {
        return end(Engine.CLOSE, null);
    }

    /**
     * Whether the lease was ended through this object.
     *
     * @return true if it was
     */
    public boolean isEnded() {
        return ref.isEnded();
    }

    /**
     * Which of the leases that this object stands for goes on, where it is {@linkplain LeaseKeeper used again}: after the end of one this
     * says another number than before.
     *
     * @return a number that no other lease of the pool has; 0 if none goes on
     */
    public long use() {
        long handle = ref.handle;
        return handle > LeaseRef.ENDED ? handle : LeaseRef.ENDED;
    }

    /** Ends the lease of a connection that was not used: bound as it was, and kept for as long as before. */
    void giveBack() {
        end(connection == null ? Engine.CLOSE : Engine.KEEP_AS_BEFORE, ref.boundBefore());
    }

    private boolean end(long keep, StateRef bindTo) {
        return pool.release(ref, this, keep, bindTo);
    }

    private boolean releaseHit(LeaseRef ref) {
        long keep = keepAlive;
        return isMoment(keep) ? pool.releaseHit(ref, keep - FIRST_MOMENT, true) : pool.releaseHit(ref, keep, false);
    }

    /** It begins again, with a connection that is bound to nobody. */
    void beginAgain(RouteRef route, long handle) {
        keepAlive = Engine.KEEP_AS_BEFORE;
        ref.beginAgain(route, handle);
    }
}
