package io.leasehold.internal;

import io.leasehold.Cause;
import io.leasehold.PoolShutDownException;
import io.leasehold.QueueFullException;
import io.leasehold.Watching;
import java.net.Socket;
import java.util.Queue;
import java.util.concurrent.TimeoutException;

/**
 * A pool as its users' calls see it, and how its leases begin, go on and end: asks the engine, and carries out what the engine decides,
 * in the order in which it is told and without any lock.
 */
public final class NativePool extends Engine {
    /** What is done to it otherwise than by its leases. */
    public final Upkeep upkeep;

    final PoolState state;

    /**
     * Makes a pool in the engine.
     *
     * @param state what Java knows of it
     */
    public NativePool(PoolState state) {
        super(create(state.constants, state.limits.ofRoutes(), state.limits.total()));
        this.state = state;
        // Until the housekeeper has taken charge, nobody else would free the engine's memory.
        boolean isCharged = false;
        try {
            upkeep = new Upkeep(this);
            state.ours = new NativePool(state, address);
            state.charge = Housekeeper.take(this, state);
            isCharged = true;
        } finally {
            if (!isCharged) {
                free(address);
            }
        }
    }

    /**
     * The same pool under another object: for the housekeeper, who alone frees the memory and so needs no reference.
     */
    NativePool(PoolState state, long address) {
        super(address);
        this.state = state;
        upkeep = new Upkeep(this);
    }

    /**
     * Leases an idle connection that is bound to nobody, if that takes no more than one short lock. One that is found dead is disposed of,
     * and the lease goes on as a vacancy.
     *
     * <p>Should this fail after the lease was taken, the lease's reference says so: its handle is there.
     *
     * @param lease the reference of the lease to begin; has no handle afterwards if there was none to be had in this way
     * @param route its route
     * @return the connection, null for a vacancy
     */
    public Object hit(LeaseRef lease, RouteRef route) {
        lease.route = route;
        long handle = leaseHit(address, route.id);
        if (handle <= 0) {
            return null;
        }
        // Nothing that may overflow or allocate comes between the answer and this.
        lease.handle = handle;
        // The entry has been open before, so its cell is there.
        Cell cell = state.cells.get(Slots.of(handle));
        cell.lease = lease;
        return connection(lease, cell);
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
     * Leases a connection, or the right to open one, if it can be had now.
     *
     * @param lease the reference of the lease to begin; should this fail afterwards, its handle is there
     * @param route where to
     * @param boundTo for whom, or null
     * @return false if nothing can be had now
     */
    public boolean tryLease(LeaseRef lease, Object route, StateRef boundTo) {
        giveBackStrays();
        for (;;) {
            RouteRef ref = intern(route);
            long id = ref.id;
            long[] effects = Effects.array();
            long answer = lease(address, id, StateRef.idOf(boundTo), 0, effects);
            lease.take(ref, answer);
            carryOut(effects);
            if (answer == STALE_ROUTE) {
                state.forget(ref, id);
            } else if (answer == WOULD_BLOCK) {
                return false;
            } else {
                granted(answer);
                begin(lease);
                return true;
            }
        }
    }

    /**
     * Leases a connection, or the right to open one, and waits for it.
     *
     * @param lease the reference of the lease to begin; should this fail afterwards, its handle is there
     * @param route where to
     * @param boundTo for whom, or null
     * @param patience how long to wait
     * @throws InterruptedException if the thread was interrupted and had to wait
     * @throws TimeoutException if the time was up
     */
    public void lease(LeaseRef lease, Object route, StateRef boundTo, Patience patience)
            throws InterruptedException, TimeoutException {
        while (!tryLease(lease, route, boundTo)) {
            if (patience.nanosLeft() <= 0) {
                throw HookedRequest.timedOut(this);
            }
            if (state.isResting) {
                // It finds who has lost what this one waits for.
                state.resume();
            }
            RouteRef ref = intern(route);
            long id = ref.id;
            long answer = ParkedThread.waitFor(this, lease, ref, id, boundTo, patience);
            if (answer != STALE_ROUTE) {
                granted(answer);
                begin(lease);
                return;
            }
            state.forget(ref, id);
        }
    }

    /** Gives back what nobody holds. Should that fail, what is left is there for the next one. */
    public void giveBackStrays() {
        while (state.strays.last != null) {
            LeaseRef stray = state.strays.take();
            boolean isOver = false;
            try {
                if (stray != null) {
                    // Its connection may be in the middle of anything.
                    release(stray, CLOSE, null, false);
                }
                isOver = true;
            } finally {
                if (!isOver && stray != null && stray.handle != LeaseRef.ENDED) {
                    Strays strays = state.strays;
                    synchronized (strays) {
                        stray.strayBefore = strays.last;
                        strays.last = stray;
                    }
                }
            }
        }
    }

    /** What is known of a route, the engine's id among it. */
    RouteRef intern(Object route) {
        for (;;) {
            RouteRef ref = state.routeFor(route);
            if (ref.id != RouteRef.NONE) {
                return ref;
            }
            long[] effects = Effects.array();
            long answer = state.makeKnown(ref, this, effects);
            carryOut(effects);
            granted(answer);
            state.removeIfGone(ref);
        }
    }

    /** An answer that is a grant, or the exception for any other. */
    long granted(long answer) {
        if (isGrant(answer)) {
            return answer;
        }
        if (answer == SHUT_DOWN) {
            throw new PoolShutDownException();
        }
        if (answer == QUEUE_FULL) {
            throw new QueueFullException(state.constants.maxWaiters);
        }
        if (answer == TOO_MANY_ROUTES) {
            throw new IllegalStateException("more than a million routes are in use at once: they have connections, requests that wait, or"
                    + " limits of their own");
        }
        throw new IllegalStateException(
                "the native pool has failed and refuses requests (" + answer + "): shut it down and create a new one");
    }

    /** Begins a lease that was taken the long way, unless it has begun: the slot may be new, and there may be no cell for it yet. */
    void begin(LeaseRef lease) {
        int slot = Slots.of(lease.handle);
        Cell cell = state.cells.get(slot);
        if (cell == null) {
            cell = new Cell();
            state.cells.set(slot, cell);
        } else if (cell.lease != null && cell.lease != lease) {
            lease.boundBefore = cell.lease.boundTo;
        }
        cell.lease = lease;
        // Once the entry counts: if the housekeeper does not find it, this finds that it did not.
        if (state.isResting || !Housekeeper.isThere()) {
            state.resume();
        }
    }

    /** Where a leased entry's connection is. To be asked while the lease cannot end: the slot may be a stranger's afterwards. */
    private Cell cell(long handle) {
        return state.cells.get(Slots.of(handle));
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
            boolean isAnswered = false;
            state.disposal.came();
            try {
                // In its place before the engine may hand the entry to anybody else.
                cell.connection = connection;
                if (opened(address, lease.handle) == DONE) {
                    return isAnswered = true;
                }
                isAnswered = true;
            } finally {
                if (!isAnswered) {
                    // It stays the caller's.
                    cell.connection = null;
                    state.disposal.went();
                }
            }
            ours = cell.takeConnection();
        }
        release(lease, CLOSE, null);
        state.disposal.dispose(lease, ours, null, Cause.SHUT_DOWN);
        return false;
    }

    /**
     * Tells of a leased connection's socket: from now on its peer's close is noticed in this way, and a close of ours that hangs can
     * be cut short.
     *
     * @param lease the lease's reference
     * @param socket the socket
     * @param watching how
     * @return false if the lease has ended, and nothing was done
     */
    public boolean attach(LeaseRef lease, Socket socket, Watching watching) {
        synchronized (lease) {
            if (lease.isEnded()) {
                return false;
            }
            if (cell(lease.handle).isAttached(socket, watching)) {
                return true;
            }
        }
        return attach(lease, FoundSocket.of(socket), watching);
    }

    /**
     * As above, of a socket whose descriptor was looked for before.
     *
     * @param lease the lease's reference
     * @param socket the socket
     * @param watching how
     * @return false if the lease has ended, and nothing was done
     */
    public boolean attach(LeaseRef lease, FoundSocket socket, Watching watching) {
        // The socket's own methods, and what waits for a close of it that is under way, are outside the lease's monitor.
        Attachment made = new Attachment(socket);
        boolean isToBeWatched = watching.watches() && made.isKnown();
        long handle;
        Attachment before;
        synchronized (lease) {
            if (lease.isEnded()) {
                return false;
            }
            handle = lease.handle;
            Cell cell = cell(handle);
            if (cell.isAttached(socket.socket(), watching)) {
                return true;
            }
            // An event about the socket before may be under way, or have marked the entry: a new opening is beyond its reach. If the pool
            // was shut down, the lease's end closes the connection, whatever is known of its socket.
            if (cell.wasWatched && renew(address, handle) != DONE) {
                return true;
            }
            before = cell.takeAttachment();
            cell.wasWatched = isToBeWatched;
        }
        if (before != null) {
            before.unwatch();
        }
        // The engine says whether the lease goes on still. If it ends just afterwards, an event comes late, for an opening that has gone.
        made.isWatched = isToBeWatched && IdleWatch.add(
                made, () -> watch(address, handle, state.charge.number, made.descriptor()) == DONE);
        // What the system does not tell it is asked, if it can be.
        made.isProbed = watching.probes() || isToBeWatched && !made.isWatched;
        synchronized (lease) {
            if (lease.handle == handle) {
                cell(handle).attachment = made;
                return true;
            }
        }
        made.unwatch();
        return false;
    }

    /**
     * Forgets a leased connection's socket, which is about to be closed by its user. After the lease's end it does nothing.
     *
     * @param lease the lease's reference
     */
    public void detach(LeaseRef lease) {
        Attachment forgotten;
        synchronized (lease) {
            forgotten = lease.isEnded() ? null : cell(lease.handle).takeAttachment();
        }
        if (forgotten != null) {
            forgotten.unwatch();
        }
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

    /**
     * Disposes of a leased connection. The lease goes on as a vacancy.
     *
     * @param lease the lease's reference
     * @param cause what its disposer is told
     * @return false if the lease has ended, perhaps as the pool was shut down at once, and its connection is not this caller's to replace
     */
    public boolean replace(LeaseRef lease, Cause cause) {
        Attachment attachment;
        synchronized (lease) {
            if (lease.isEnded()) {
                return false;
            }
            attachment = cell(lease.handle).attachment;
        }
        Object dead = takeOut(lease);
        if (dead == null) {
            return false;
        }
        state.disposal.dispose(lease, dead, attachment, cause);
        return true;
    }

    /**
     * Makes a lease a vacancy again. It has ended instead if the pool was shut down at once, which disposed of the connection.
     *
     * @param lease the lease's reference
     * @return the connection, the caller's to close; null if the lease has ended
     */
    public Object reopen(LeaseRef lease) {
        Object taken = takeOut(lease);
        if (taken != null) {
            state.disposal.went();
        }
        return taken;
    }

    private Object takeOut(LeaseRef lease) {
        Attachment attachment;
        Object connection;
        synchronized (lease) {
            if (lease.isEnded()) {
                return null;
            }
            Cell cell = cell(lease.handle);
            if (reopen(address, lease.handle) != DONE) {
                lease.handle = LeaseRef.ENDED;
                return null;
            }
            attachment = cell.takeAttachment();
            cell.wasWatched = false;
            connection = cell.takeConnection();
        }
        if (attachment != null) {
            attachment.unwatch();
        }
        return connection;
    }

    /**
     * Ends a lease if the pool keeps the connection, is bound to no state, and nobody waits for it, by one short native call.
     *
     * @param lease the lease's reference
     * @param keep milliseconds, or one of the constants
     * @return false if that cannot be done in this way: say {@link #release}
     */
    public boolean releaseHit(LeaseRef lease, long keep) {
        if (releaseHit(address, lease.handle, keep) != DONE) {
            return false;
        }
        lease.handle = LeaseRef.ENDED;
        return true;
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
        return release(lease, keep, bindTo, true);
    }

    private boolean release(LeaseRef lease, long keep, StateRef bindTo, boolean callsHooks) {
        long[] effects = Effects.array();
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
            answer = release(address, handle, keep, StateRef.idOf(bindTo), effects);
            if (answer == NOT_LEASED) {
                lease.boundTo = before;
                // A pool that was shut down at once has ended its leases; their holders may say so too.
                if (!state.isShutDownAtOnce()) {
                    return false;
                }
            }
            lease.handle = LeaseRef.ENDED;
        }
        Queue<HookedRequest> toTell;
        try {
            if (answer >= CLOSED) {
                // Before the effects: they may let somebody open a connection in this one's place.
                disposeOf(Slots.of(handle), Effects.cause(answer - CLOSED));
            }
        } finally {
            toTell = carryOutAllBut(effects);
        }
        released();
        if (state.isShutDown()) {
            state.termination.tell();
        }
        if (callsHooks) {
            Hooks.callHere(toTell);
        } else {
            Hooks.callAside(toTell);
        }
        return true;
    }

    /** A lease has ended, and may have left a connection in a pool that the housekeeper does not look after. */
    public void released() {
        if (state.isResting) {
            try {
                state.resume();
            } catch (Throwable e) {
                Log.warn(Texts.NO_HOUSEKEEPER, e);
            }
        }
    }

    /** Ends a lease that was collected, unless it had ended in another way. Once the engine has ended it, nothing is left out. */
    void releaseLeaked(LeaseRef lease, long[] effects) {
        if (release(address, lease.handle, CLOSE, StateRef.NO_STATE, effects) >= CLOSED) {
            int slot = Slots.of(lease.handle);
            Cell cell = state.cells.get(slot);
            if (cell == null) {
                acknowledge(slot);
                state.tellLeak(lease.route(), null);
            } else {
                Attachment attachment = cell.takeAttachment();
                Object connection = cell.takeOut(this, slot);
                if (attachment != null) {
                    attachment.unwatch();
                }
                state.tellLeak(lease.route(), connection);
                state.disposal.dispose(lease, connection, attachment, Cause.LEAKED);
            }
            carryOut(effects);
        }
    }

    /**
     * A grant that nobody wants any more goes to the next, by a full release: a connection as it was, a right to open.
     */
    void giveBack(LeaseRef lease) {
        begin(lease);
        release(lease, cell(lease.handle).connection == null ? CLOSE : KEEP_AS_BEFORE, lease.boundBefore, false);
    }

    /** Does what a call brought about. What fails of it is logged, and the others go on. Hooks are called on other threads. */
    void carryOut(long[] effects) {
        Hooks.callAside(carryOutAllBut(effects));
    }

    /** As above, of a call that has raised a limit: hooks are called on this thread. */
    void carryOutHere(long[] effects) {
        Hooks.callHere(carryOutAllBut(effects));
    }

    /** All but the calls of hooks, which are returned; null for none. */
    private Queue<HookedRequest> carryOutAllBut(long[] effects) {
        Queue<HookedRequest> toTell = Effects.carryOut(effects, this, null);
        while (state.hasSlotToServe) {
            boolean isServed = false;
            try {
                state.hasSlotToServe = false;
                serve(address, effects);
                isServed = true;
            } finally {
                if (!isServed) {
                    // For want of stack. Whoever comes next serves.
                    state.hasSlotToServe = true;
                }
            }
            toTell = Effects.carryOut(effects, this, toTell);
        }
        return toTell;
    }

    /** Lets the slot of a victim that had no connection, nor a cell for one, be reused: whoever leased it had no memory left. */
    private void acknowledge(int slot) {
        if (ack(address, slot)) {
            state.hasSlotToServe = true;
        }
    }

    /** Disposes of a victim. */
    void disposeOf(int slot, Cause cause) {
        Cell cell = state.cells.get(slot);
        if (cell == null) {
            acknowledge(slot);
            return;
        }
        LeaseRef last = cell.lease;
        Attachment attachment = cell.takeAttachment();
        Object connection = cell.takeOut(this, slot);
        if (attachment != null) {
            attachment.unwatch();
        }
        state.disposal.dispose(last, connection, attachment,
                state.collected && cause == Cause.SHUT_DOWN ? Cause.POOL_COLLECTED : cause);
    }

    /**
     * Moves a manual clock on.
     *
     * @param millis how far
     */
    public void advanceClock(long millis) {
        advanceClock(address, millis);
        state.clockMoved(millis);
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
     * Whether no lease goes on and every connection is closed, as stays true of a pool that was shut down.
     *
     * @return true if so
     */
    public boolean hasNothing() {
        giveBackStrays();
        // In this order: a lease that has ended may have left its connection to be closed.
        return stats()[0] == 0 && state.disposal.hasClosedAll();
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
     * How it is learned that peers have closed, unless said otherwise.
     *
     * @return what the pool was made with
     */
    public Watching watching() {
        return state.constants.watching;
    }

    @Override
    public String toString() {
        int[] numbers = stats();
        return "[leased: " + numbers[0] + "; pending: " + numbers[1] + "; available: " + numbers[2]
                + "; max: " + state.limits.total() + "]";
    }
}
