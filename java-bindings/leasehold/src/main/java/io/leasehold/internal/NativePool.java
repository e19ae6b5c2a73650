package io.leasehold.internal;

import io.leasehold.Cause;
import io.leasehold.PoolShutDownException;
import io.leasehold.QueueFullException;
import io.leasehold.Watching;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/**
 * A pool of the native engine, and the carrying out of what the engine decides.
 *
 * <p>The engine's memory is freed once this object is unreachable, so every native that uses it is an instance method:
 * the call itself keeps this object reachable until it returns. Natives take and return numbers only and never wait.
 *
 * <p>What a call brings about, its effects, comes back in an array that the caller made before the call, in which
 * nothing can fail any more: connections to dispose of, threads to wake, routes to forget, carried out in this order
 * and without any lock.
 */
public final class NativePool {
    /** Instead of milliseconds: keep a connection until its time to live ends. */
    public static final long KEEP_FOREVER = 0;
    /** Instead of milliseconds: keep a connection until the expiry it had. */
    public static final long KEEP_AS_BEFORE = -1;
    /** Instead of milliseconds: do not keep the connection. */
    public static final long CLOSE = -2;
    /** The id of no state. */
    private static final int NO_STATE = 0;
    /** What {@link #releaseHit} answers when the pool keeps the connection. */
    public static final int KEPT = 0;

    // Answers of the natives, in step with answer.rs. A positive answer is the handle of an idle connection; one below
    // OPEN_LIMIT the complement of a handle that is the right to open.
    private static final long WAIT = -1;
    private static final long WOULD_BLOCK = -2;
    private static final long QUEUE_FULL = -3;
    private static final long SHUT_DOWN = -4;
    private static final long STALE_ROUTE = -5;
    private static final long PENDING = -6;
    private static final long RETRY = -7;
    private static final long NOT_LEASED = -8;
    private static final long NOTHING = -9;
    private static final long OPEN_LIMIT = -(1L << 52);
    // What the end of a lease answers from here on is the cause for which its connection has to go.
    private static final int CLOSED = 1;

    // Layout of an array of effects: what asks for the rest (0: there is none), how many follow, and then pairs of what
    // is to be done and with what. A number of a cause stands for a victim.
    private static final int REST = 0;
    private static final int COUNT = 1;
    private static final int FIRST = 2;
    private static final int WAKE = -1;
    private static final int EFFECTS = FIRST + 2 * 15;

    private static final long SLICE = TimeUnit.SECONDS.toNanos(1);
    private static final Cause[] CAUSES = Cause.values();

    /** The engine's address. */
    public final long address;

    private final PoolState state;

    /**
     * Makes a pool in the engine.
     *
     * @param state what Java knows of it
     */
    public NativePool(PoolState state) {
        NativeLibrary.require();
        this.state = state;
        Housekeeper.Charge charge = Housekeeper.take(this, state);
        long made = 0;
        try {
            PoolState.Constants constants = state.constants;
            made = create(
                    state.defaultMaxPerRoute(),
                    state.maxTotal(),
                    constants.maxWaiters,
                    constants.timeToLive,
                    constants.fifo,
                    constants.barging,
                    constants.ownRouteFirst,
                    constants.stripes,
                    constants.manualClock);
            if (made == 0) {
                throw new IllegalStateException("the native library could not make a pool: out of memory?");
            }
        } finally {
            charge.begin(made);
        }
        address = made;
        state.charge = charge;
    }

    /**
     * The same pool under another object: for the housekeeper, who alone frees the memory and so needs no reference.
     */
    NativePool(PoolState state, long address) {
        this.state = state;
        this.address = address;
    }

    /**
     * Leases an idle connection that is bound to nobody, if that takes no more than one short lock.
     *
     * @param address this object's {@link #address}
     * @param route the route's id
     * @return a handle to {@linkplain #beginHit begin} with, or not a positive number: ask {@link #tryLease}
     */
    public native long leaseHit(long address, long route);

    /**
     * Ends a lease if the pool keeps the connection, is bound to no state, and nobody waits for it.
     *
     * @param address this object's {@link #address}
     * @param handle the lease's handle
     * @param keep milliseconds, or one of the constants
     * @return {@link #KEPT}, or anything else: ask {@link #release}
     */
    public native int releaseHit(long address, long handle, long keep);

    /**
     * Begins the lease of an idle connection. One that is found dead is disposed of, and the lease goes on as a vacancy.
     *
     * @param lease the lease's reference
     * @param route its route
     * @param handle its handle, just leased by this thread
     * @return the connection, null for a vacancy
     */
    public Object beginHit(LeaseRef lease, RouteRef route, long handle) {
        // The entry has been open before, so its cell is there.
        Cell cell = state.cells.get(Slots.of(handle));
        begin(lease, route, handle, cell);
        return connection(lease, cell);
    }

    /** Begins a lease: the entry is this thread's alone. */
    private static void begin(LeaseRef lease, RouteRef route, long handle, Cell cell) {
        lease.route = route;
        lease.handle = handle;
        cell.lease = lease;
    }

    /**
     * The connection of a lease that has just begun. One that is found dead is disposed of, and the lease goes on as a vacancy.
     *
     * @param lease the lease's reference
     * @return the connection, null for a vacancy
     */
    public Object connection(LeaseRef lease) {
        return connection(lease, cell(lease.handle));
    }

    private Object connection(LeaseRef lease, Cell cell) {
        Attachment attachment = cell.attachment;
        if (attachment != null && attachment.isProbed && attachment.isDead()) {
            noteStale(lease);
            if (!replace(lease, Cause.PEER_CLOSED)) {
                throw new PoolShutDownException();
            }
            return null;
        }
        return cell.connection;
    }

    /**
     * Disposes of a leased connection. The lease goes on as a vacancy.
     *
     * @param lease the lease's reference
     * @param cause what its disposer is told
     * @return false if the lease has ended, perhaps as the pool was shut down at once, and its connection is not this caller's to replace
     */
    public boolean replace(LeaseRef lease, Cause cause) {
        Attachment attachment;
        Object dead;
        synchronized (lease) {
            if (lease.isEnded()) {
                return false;
            }
            attachment = cell(lease.handle).attachment;
            dead = reopen(lease);
            if (dead == null) {
                return false;
            }
        }
        dispose(lease, dead, attachment, cause);
        return true;
    }

    /**
     * Counts a leased connection that its user found dead.
     *
     * @param lease the lease's reference
     */
    public void noteStale(LeaseRef lease) {
        noteStale(address);
        Log.debug(() -> "a connection to " + lease.route() + " was leased stale: its peer had closed it unnoticed");
    }

    /** Where a leased entry's connection is. To be asked while the lease cannot end: the slot may be a stranger's afterwards. */
    private Cell cell(long handle) {
        return state.cells.get(Slots.of(handle));
    }

    /**
     * Tells of a leased connection's socket: from now on its peer's close is noticed, as the pool's {@link Watching} says.
     *
     * @param lease the lease's reference
     * @param socket the socket
     * @return false if the lease has ended, and nothing was done
     */
    public boolean attach(LeaseRef lease, Socket socket) {
        synchronized (lease) {
            if (lease.isEnded()) {
                return false;
            }
            attach(lease.handle, cell(lease.handle), socket);
            return true;
        }
    }

    private void attach(long handle, Cell cell, Socket socket) {
        Watching watching = state.constants.watching;
        Attachment before = cell.attachment;
        if (before != null && before.isOf(socket) && before.isKnown() && before.isWatched == watching.watches()) {
            return;
        }
        forgetSocket(cell);
        if (cell.wasWatched) {
            // An event about the socket before may be under way, or have marked the entry: a new opening is beyond its reach. If the pool
            // was shut down, the lease's end closes the connection, whatever is known of its socket.
            if (renew(address, handle) != KEPT) {
                return;
            }
            cell.wasWatched = false;
        }
        Attachment attachment = new Attachment(socket);
        attachment.isWatched = watching.watches() && attachment.isKnown() && IdleWatch.add(
                attachment, () -> watch(address, handle, state.charge.number, attachment.descriptor()) == KEPT);
        // What the system does not tell it is asked.
        attachment.isProbed = watching.probes() || watching.watches() && !attachment.isWatched;
        cell.wasWatched = attachment.isWatched;
        cell.attachment = attachment;
    }

    /**
     * Forgets a leased connection's socket, which is about to be closed by its user. After the lease's end it does nothing.
     *
     * @param lease the lease's reference
     */
    public void detach(LeaseRef lease) {
        synchronized (lease) {
            if (!lease.isEnded()) {
                forgetSocket(cell(lease.handle));
            }
        }
    }

    private static Attachment forgetSocket(Cell cell) {
        Attachment attachment = cell.attachment;
        if (attachment != null) {
            cell.attachment = null;
            if (attachment.isWatched) {
                IdleWatch.remove(attachment);
            }
        }
        return attachment;
    }

    /**
     * Leases a connection, or the right to open one, if it can be had now.
     *
     * @param lease the reference of the lease to begin
     * @param route where to
     * @param boundTo for whom, or null
     * @return false if nothing can be had now
     */
    public boolean tryLease(LeaseRef lease, Object route, StateRef boundTo) {
        for (;;) {
            RouteRef ref = intern(route);
            long[] effects = effects();
            long answer = lease(address, ref.id, id(boundTo), 0, effects);
            carryOut(effects);
            if (answer == STALE_ROUTE) {
                state.forget(ref);
            } else if (answer == WOULD_BLOCK) {
                return false;
            } else {
                beginSlowly(lease, ref, granted(answer), effects);
                return true;
            }
        }
    }

    /**
     * Leases a connection, or the right to open one, and waits for it.
     *
     * @param lease the reference of the lease to begin
     * @param route where to
     * @param boundTo for whom, or null
     * @param patience how long to wait
     * @throws InterruptedException if the thread was interrupted and had to wait
     * @throws TimeoutException if the time was up
     */
    public void lease(LeaseRef lease, Object route, StateRef boundTo, Patience patience)
            throws InterruptedException, TimeoutException {
        while (!tryLease(lease, route, boundTo)) {
            RouteRef ref = intern(route);
            long[] effects = effects();
            long answer = waitFor(lease, ref, boundTo, patience, effects);
            if (answer != STALE_ROUTE) {
                beginSlowly(lease, ref, granted(answer), effects);
                return;
            }
            state.forget(ref);
        }
    }

    /**
     * Queues a request and parks until it is answered. The thread is published under the ticket before the engine can
     * grant the ticket anything, so every grant finds somebody to wake.
     */
    private long waitFor(LeaseRef lease, RouteRef route, StateRef boundTo, Patience patience, long[] effects)
            throws InterruptedException, TimeoutException {
        // Made first: once there is a ticket, nothing may fail before it is given back.
        Waiter waiter = new Waiter();
        waiter.ticket = granted(reserveTicket(address));
        long ticket = waiter.ticket;
        boolean isOver = false;
        patience.startWaiting(waiter.thread);
        try {
            state.waiters.set(Slots.of(ticket), waiter);
            long answer = RETRY;
            for (;;) {
                if (answer == RETRY) {
                    answer = lease(address, route.id, id(boundTo), ticket, effects);
                    carryOut(effects);
                    // Anything but to wait has ended the ticket.
                    isOver = answer != WAIT;
                } else {
                    answer = pollTicket(address, ticket);
                    isOver = answer != PENDING && answer != RETRY;
                }
                if (isOver) {
                    return answer;
                }
                if (answer == RETRY) {
                    continue;
                }
                if (patience.isCancelled()) {
                    throw new CancellationException("the request for a connection was cancelled");
                }
                long left = patience.nanosLeft();
                if (left <= 0) {
                    isOver = true;
                    answer = cancelTicket(ticket, effects);
                    if (answer == NOTHING) {
                        throw new TimeoutException("no connection came free in time: " + this);
                    }
                    // The grant came first, and late is better than never.
                    return answer;
                }
                if (Thread.interrupted()) {
                    throw new InterruptedException("interrupted while waiting for a connection");
                }
                // In slices, so that no lost wake-up could stop a thread for ever.
                LockSupport.parkNanos(this, Math.min(left, SLICE));
            }
        } finally {
            patience.stopWaiting(waiter.thread);
            // The ticket's slot may be another waiter's by now.
            state.waiters.remove(Slots.of(ticket), waiter);
            if (!isOver) {
                giveBack(lease, route, cancelTicket(ticket, effects), effects);
            }
        }
    }

    /** Ends a ticket; the answer is the grant that had come first, or {@code NOTHING}. */
    private long cancelTicket(long ticket, long[] effects) {
        long answer = cancel(address, ticket, effects);
        carryOut(effects);
        return answer;
    }

    /**
     * A grant that nobody wants any more goes to the next, by a full release: a connection as it was, a right to open.
     */
    private void giveBack(LeaseRef lease, RouteRef route, long grant, long[] effects) {
        if (grant != NOTHING) {
            beginSlowly(lease, route, grant, effects);
            release(lease, grant < 0 ? CLOSE : KEEP_AS_BEFORE, lease.boundBefore);
        }
    }

    /** Begins the lease of a grant: the slot may be new, and there may be no cell for it yet. */
    private void beginSlowly(LeaseRef lease, RouteRef route, long grant, long[] effects) {
        long handle = grant < 0 ? ~grant : grant;
        int slot = Slots.of(handle);
        Cell cell = state.cells.get(slot);
        if (cell != null && cell.lease != null) {
            lease.boundBefore = cell.lease.boundTo;
        }
        if (cell == null || state.quiet) {
            try {
                if (cell == null) {
                    cell = new Cell();
                    state.cells.set(slot, cell);
                }
                // Once the entry counts: whoever finds the pool empty afterwards was before this look, and then this resumes.
                if (state.quiet) {
                    state.charge.resume();
                }
            } catch (OutOfMemoryError e) {
                release(address, handle, CLOSE, NO_STATE, effects);
                ack(address, slot);
                carryOut(effects);
                throw e;
            }
        }
        begin(lease, route, handle, cell);
    }

    /**
     * Fills a vacancy.
     *
     * @param lease the lease's reference
     * @param connection the connection
     * @return false if the pool was shut down: the lease has ended and the connection was disposed of
     * @throws IllegalStateException if the lease has ended
     */
    public boolean opened(LeaseRef lease, Object connection) {
        Object ours;
        synchronized (lease) {
            if (lease.isEnded()) {
                throw LeaseRef.ended();
            }
            Cell cell = cell(lease.handle);
            // In its place before the engine may hand the entry to anybody else.
            cell.connection = connection;
            if (opened(address, lease.handle) == KEPT) {
                return true;
            }
            ours = cell.takeConnection();
        }
        release(lease, CLOSE, null);
        dispose(lease, ours, null, Cause.SHUT_DOWN);
        return false;
    }

    /**
     * Makes a lease a vacancy again. It has ended instead if the pool was shut down at once, which disposed of the connection.
     *
     * @param lease the lease's reference
     * @return the connection, the caller's to close; null if the lease has ended
     */
    public Object reopen(LeaseRef lease) {
        synchronized (lease) {
            if (lease.isEnded()) {
                return null;
            }
            Cell cell = cell(lease.handle);
            forgetSocket(cell);
            if (reopen(address, lease.handle) != KEPT) {
                lease.handle = LeaseRef.ENDED;
                return null;
            }
            cell.wasWatched = false;
            return cell.takeConnection();
        }
    }

    /**
     * Ends a lease.
     *
     * @param lease the lease's reference
     * @param keep milliseconds, or one of the constants
     * @param bindTo who the connection is bound to from now on, or null
     * @return false if it had ended before
     */
    public boolean release(LeaseRef lease, long keep, StateRef bindTo) {
        long[] effects = effects();
        long handle;
        int answer;
        // Of two that end a lease with different states, the one that the engine hears leaves its state in the
        // reference. And who uses the entry for its lease, inside the same monitor, finds it leased.
        synchronized (lease) {
            handle = lease.handle;
            if (handle == LeaseRef.ENDED) {
                return false;
            }
            StateRef before = lease.boundTo;
            lease.boundTo = bindTo;
            answer = release(address, handle, keep, id(bindTo), effects);
            if (answer == NOT_LEASED) {
                lease.boundTo = before;
                // A pool that was shut down at once has ended its leases; their holders may say so too.
                if (!state.isShutDownAtOnce()) {
                    return false;
                }
            }
            lease.handle = LeaseRef.ENDED;
        }
        try {
            if (answer >= CLOSED) {
                // Before the effects: they may let somebody open a connection in this one's place.
                disposeOf(Slots.of(handle), CAUSES[answer - CLOSED]);
            }
        } finally {
            carryOut(effects);
        }
        return true;
    }

    /** Ends a lease that was collected, unless it had ended in another way. */
    void releaseLeaked(LeaseRef lease, Runnable tell) {
        long[] effects = effects();
        if (release(address, lease.handle, CLOSE, NO_STATE, effects) >= CLOSED) {
            int slot = Slots.of(lease.handle);
            Attachment attachment = forgetSocket(state.cells.get(slot));
            Object connection = takeOut(slot);
            try {
                tell.run();
            } finally {
                dispose(lease, connection, attachment, Cause.LEAKED);
                carryOut(effects);
            }
        }
    }

    /** Disposes of idle connections that have expired. */
    public void closeExpired() {
        long[] effects = effects();
        closeExpired(address, effects);
        carryOut(effects);
    }

    /**
     * Disposes of connections idle for a time or longer.
     *
     * @param millis how long
     */
    public void closeIdle(long millis) {
        long[] effects = effects();
        closeIdle(address, millis, effects);
        carryOut(effects);
    }

    /**
     * Disposes of a route's connections, of leased ones when they are released.
     *
     * @param route the route
     */
    public void clear(RouteRef route) {
        long[] effects = effects();
        clearRoute(address, route.id, effects);
        carryOut(effects);
    }

    /**
     * Disposes of a connection that was found unfit, when it is released if it is leased by now.
     *
     * @param item where it was seen
     */
    public void markDead(Listing.Item item) {
        long[] effects = effects();
        clearConnection(address, item.slot, item.opening, effects);
        carryOut(effects);
    }

    /** Disposes of a connection that its peer has closed, when it is released if it is leased by now; not of one opened in its slot later. */
    void peerClosed(int slot, int opening) {
        long[] effects = effects();
        peerClosed(address, slot, opening, effects);
        carryOut(effects);
    }

    /** Does what the pool's builder asked for. On the housekeeper's thread. */
    void evict() {
        if (state.constants.evictExpired) {
            closeExpired();
        }
        if (state.constants.evictIdle > 0) {
            closeIdle(state.constants.evictIdle);
        }
    }

    void setMaxTotal(int max) {
        long[] effects = effects();
        setMaxTotal(address, max, effects);
        carryOut(effects);
    }

    void setDefaultMaxPerRoute(int max) {
        long[] effects = effects();
        setDefaultMaxPerRoute(address, max, effects);
        carryOut(effects);
    }

    /** Sets a route's own limit, or takes it away. */
    void setMaxPerRoute(RouteRef route, Integer max) {
        long[] effects = effects();
        setMaxPerRoute(address, route.id, max == null ? -1 : max, effects);
        carryOut(effects);
    }

    /**
     * Refuses every later request, as {@linkplain PoolState#shutDown said} before, and wakes those that wait.
     *
     * @param atOnce whether leased connections are disposed of too
     */
    public void shutdown(boolean atOnce) {
        long[] effects = effects();
        shutdown(address, atOnce, effects);
        carryOut(effects);
    }

    /** Has the housekeeper not stay for the pool as soon as it is empty, until something is leased again. */
    public void quiesce() {
        state.quiet = true;
        endChargeIfEmpty();
    }

    /**
     * The pool's numbers.
     *
     * @return how many are leased, pending and available
     */
    public int[] stats() {
        int[] numbers = new int[3];
        stats(address, numbers);
        return numbers;
    }

    /**
     * A route's numbers.
     *
     * @param route the route
     * @return how many are leased, pending and available
     */
    public int[] stats(RouteRef route) {
        int[] numbers = new int[3];
        routeStats(address, route.id, numbers);
        return numbers;
    }

    /**
     * What the pool has closed of its own accord.
     *
     * @param numbers for the counts, in the order of {@code Counters.java}
     */
    public void counters(long[] numbers) {
        counters(address, numbers);
    }

    /**
     * Lists the connections that are idle, or those that are leased.
     *
     * @param idle which
     * @return what was seen
     */
    public List<Listing.Item> list(boolean idle) {
        long[] seen = entries(address, idle);
        List<Listing.Item> items = new ArrayList<>(seen.length / 3);
        for (int i = 0; i < seen.length; i += 3) {
            int slot = (int) seen[i];
            Cell cell = state.cells.get(slot);
            Object connection = cell == null ? null : cell.connection;
            RouteRef route = state.routeOf(seen[i + 2]);
            // Whatever has gone since the engine was asked is left out.
            if (connection != null && route != null) {
                items.add(new Listing.Item(slot, (int) seen[i + 1], route.route, connection));
            }
        }
        return items;
    }

    /**
     * Moves a manual clock on.
     *
     * @param millis how far
     */
    public void advanceClock(long millis) {
        advanceClock(address, millis);
        if (state.constants.evicts()) {
            Housekeeper.wake();
        }
    }

    /**
     * The id of a state.
     *
     * @param state the state
     * @return what to hold on to for as long as the id is used
     */
    public StateRef state(Object state) {
        return this.state.states.intern(state);
    }

    /**
     * Whether the pool was shut down.
     *
     * @return true if it was
     */
    public boolean isShutDown() {
        return state.isShutDown();
    }

    /**
     * Whether ending a lease twice is an error.
     *
     * @return true if it is
     */
    public boolean isStrict() {
        return state.constants.strict;
    }

    @Override
    public String toString() {
        int[] numbers = stats();
        return "[leased: " + numbers[0] + "; pending: " + numbers[1] + "; available: " + numbers[2]
                + "; max: " + state.maxTotal() + "]";
    }

    /** Gives the memory back. No call may be under way or come later. */
    void free() {
        free(address);
    }

    private RouteRef intern(Object route) {
        RouteRef known = state.route(route);
        if (known != null) {
            return known;
        }
        long[] effects = effects();
        long id = granted(addRoute(address, effects));
        RouteRef made = state.add(new RouteRef(state, route, id), this);
        carryOut(effects);
        return made;
    }

    /** Does what a call brought about. Never throws: what fails is logged, and the others go on. */
    private void carryOut(long[] effects) {
        for (;;) {
            int end = FIRST + 2 * (int) effects[COUNT];
            for (int i = FIRST; i < end; i += 2) {
                try {
                    carryOut((int) effects[i], effects[i + 1]);
                } catch (Throwable e) {
                    Log.warn("a pool failed to carry out what it had decided", e);
                }
            }
            if (effects[REST] == 0) {
                effects[COUNT] = 0;
                endChargeIfEmpty();
                return;
            }
            restOfEffects(address, effects[REST], effects);
        }
    }

    private void carryOut(int what, long which) {
        if (what >= 0) {
            disposeOf((int) which, CAUSES[what]);
        } else if (what == WAKE) {
            Waiter waiter = state.waiters.get(Slots.of(which));
            if (waiter != null && waiter.ticket == which) {
                LockSupport.unpark(waiter.thread);
            }
        } else {
            state.forget(which);
        }
    }

    /** Takes a victim's connection out of its cell, and only then lets the slot be reused. */
    private Object takeOut(int slot) {
        Cell cell = state.cells.get(slot);
        Object connection = cell.takeConnection();
        cell.wasWatched = false;
        ack(address, slot);
        return connection;
    }

    private void disposeOf(int slot, Cause cause) {
        Cell cell = state.cells.get(slot);
        LeaseRef last = cell.lease;
        Attachment attachment = forgetSocket(cell);
        Object connection = takeOut(slot);
        dispose(last, connection, attachment, state.collected && cause == Cause.SHUT_DOWN ? Cause.POOL_COLLECTED : cause);
    }

    private void dispose(LeaseRef last, Object connection, Attachment attachment, Cause cause) {
        if (connection == null) {
            return;
        }
        try {
            Log.debug(() -> "disposing of a connection to " + last.route() + ": " + cause);
            state.letGo(connection, cause);
            // A leaked one may be in the middle of anything.
            if (cause == Cause.LEAKED || state.mayBlock(connection)) {
                Closings.add(state, connection, attachment, cause);
                return;
            }
        } catch (OutOfMemoryError e) {
            // For all but the close itself, which nobody else would do.
        }
        state.dispose(connection, cause);
    }

    /** Once a pool that was shut down or is not in use is empty, the housekeeper's thread need not stay for it. */
    private void endChargeIfEmpty() {
        if (state.isWindingDown()) {
            state.charge.endIfEmpty();
        }
    }

    /** Whether nothing is leased, being opened or idle. */
    boolean isEmpty() {
        int[] numbers = stats();
        return numbers[0] == 0 && numbers[2] == 0;
    }

    private long granted(long answer) {
        if (answer > 0 || answer < OPEN_LIMIT) {
            return answer;
        }
        if (answer == SHUT_DOWN) {
            throw new PoolShutDownException();
        }
        if (answer == QUEUE_FULL) {
            throw new QueueFullException(state.constants.maxWaiters);
        }
        throw new IllegalStateException(
                "the native pool has failed and refuses requests (" + answer + "): shut it down and create a new one");
    }

    private static long[] effects() {
        return new long[EFFECTS];
    }

    private static int id(StateRef state) {
        return state == null ? NO_STATE : state.id;
    }

    private static native long create(int maxPerRoute, int maxTotal, int maxWaiters, long timeToLive, boolean fifo,
            boolean barging, boolean ownRouteFirst, int stripes, boolean manualClock);

    private native void free(long address);

    private native long addRoute(long address, long[] effects);

    private native long lease(long address, long route, int state, long ticket, long[] effects);

    private native long reserveTicket(long address);

    private native long pollTicket(long address, long ticket);

    private native long cancel(long address, long ticket, long[] effects);

    private native long opened(long address, long handle);

    private native long reopen(long address, long handle);

    private native long renew(long address, long handle);

    private native void noteStale(long address);

    private native void counters(long address, long[] numbers);

    private native int watch(long address, long handle, int number, int descriptor);

    private native int release(long address, long handle, long keep, int state, long[] effects);

    private native void restOfEffects(long address, long rest, long[] effects);

    private native void ack(long address, int slot);

    private native void closeExpired(long address, long[] effects);

    private native void closeIdle(long address, long millis, long[] effects);

    private native void clearRoute(long address, long route, long[] effects);

    private native void peerClosed(long address, int slot, int opening, long[] effects);

    private native void clearConnection(long address, int slot, int opening, long[] effects);

    private native void setMaxTotal(long address, int max, long[] effects);

    private native void setDefaultMaxPerRoute(long address, int max, long[] effects);

    private native void setMaxPerRoute(long address, long route, int max, long[] effects);

    private native void shutdown(long address, boolean immediate, long[] effects);

    private native void stats(long address, int[] numbers);

    private native void routeStats(long address, long route, int[] numbers);

    private native long[] entries(long address, boolean idle);

    private native void advanceClock(long address, long millis);
}
