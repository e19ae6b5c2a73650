package io.leasehold;

import io.leasehold.internal.housekeeping.HousekeeperThread;
import io.leasehold.internal.housekeeping.KeptPool;
import io.leasehold.internal.jfr.FlightEvents;
import io.leasehold.internal.log.Log;
import io.leasehold.internal.log.Texts;
import io.leasehold.internal.natives.Effects;
import io.leasehold.internal.natives.Engine;
import io.leasehold.internal.sockets.Attachment;
import io.leasehold.internal.sockets.FoundSocket;
import io.leasehold.internal.sockets.IdleWatch;
import java.net.Socket;
import java.util.Queue;
import java.util.concurrent.TimeoutException;

/**
 * A pool as its users' calls see it, and how its leases begin, go on and end: asks the engine, and carries out what the engine decides,
 * in the order in which it is told and without any lock.
 */
final class NativePool {
    /** By the engine's numbers. */
    private static final Cause[] CAUSES = Cause.values();

    final Engine engine;
    final PoolState state;

    // ----- written once, by who makes the pool, before it is published -----
    /** The pool in the housekeeper's care. */
    KeptPool kept;
    /** Whom the collection of its leases is told. */
    LeaseRef.Owner owner;

    /**
     * A pool with its engine.
     *
     * @param state what Java knows of it
     * @param engine the engine, which this object keeps reachable
     */
    NativePool(PoolState state, Engine engine) {
        this.state = state;
        this.engine = engine;
    }

    /** The reference of a lease that has not begun. */
    LeaseRef ref(Object lease, StateRef boundTo) {
        return new LeaseRef(lease, owner, boundTo);
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
    Object hit(LeaseRef lease, RouteRef route) {
        lease.route = route;
        long handle = engine.leaseHit(route.id);
        if (handle <= 0) {
            return null;
        }
        // Nothing that may overflow or allocate comes between the answer and the record of it, where strays are looked for. The entry has
        // been open before, so its cell is there.
        lease.handle = handle;
        Cell cell = state.cells.bySlot[(int) (handle >>> 32) & Slots.LAST];
        cell.lease = lease;
        if (state.notesStacks) {
            note(new LeaseStack(), lease, cell);
        }
        return connection(lease, cell);
    }

    /** Notes where a lease was taken that has begun. Should that fail, the lease is a stray. */
    void note(LeaseStack stack, LeaseRef lease, Cell cell) {
        stack.since = state.millis();
        stack.handle = lease.handle;
        cell.stack = stack;
    }

    /**
     * The connection of a lease that has just begun. One that is found dead is disposed of, and the lease goes on as a vacancy.
     *
     * @param lease the lease's reference
     * @return the connection, null for a vacancy
     */
    Object connection(LeaseRef lease) {
        return connection(lease, cell(lease.handle));
    }

    /** As above, in its cell. */
    Object connection(LeaseRef lease, Cell cell) {
        Attachment attachment = cell.attachment;
        if (attachment != null && attachment.isProbed && attachment.isDead()) {
            noteStale(lease);
            if (!replace(lease, Cause.PEER_CLOSED)) {
                throw PoolShutDownException.of(state.name);
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
    boolean tryLease(LeaseRef lease, Object route, StateRef boundTo) {
        giveBackStrays();
        for (;;) {
            RouteRef ref = intern(route);
            long id = ref.id;
            Effects effects = new Effects();
            long answer = engine.lease(id, StateRef.idOf(boundTo), 0, effects);
            lease.take(ref, answer);
            carryOut(effects);
            if (answer == Engine.STALE_ROUTE) {
                state.routes.forget(ref, id);
            } else if (answer == Engine.WOULD_BLOCK) {
                return false;
            } else {
                granted(answer, route);
                begin(lease);
                return true;
            }
        }
    }

    /** A lease has strayed that was marked as such: gives it back, if that can be done here. */
    void strayed(LeaseRef lease) {
        Cell cell = cell(lease.stray);
        if (cell == null || cell.lease != lease) {
            state.strays.add(lease);
        }
        giveBackStrays();
    }

    /**
     * Gives back what nobody holds. Should that fail, what is left is there for the next one.
     *
     * <p>Race window: one that is left here just after the look is not seen. It is harmless because who left it gives it back, or whoever
     * comes next does.
     */
    void giveBackStrays() {
        Strays strays = state.strays;
        if (strays.areMarked) {
            giveBackMarked(strays);
        }
        for (LeaseRef stray = strays.last; stray != null; stray = strays.last) {
            giveBack(stray, stray.stray);
            strays.remove(stray);
        }
    }

    private void giveBackMarked(Strays strays) {
        boolean isOver = false;
        // Before the look: who marks one during it says so again.
        strays.areMarked = false;
        try {
            for (Cell cell : state.cells.bySlot) {
                LeaseRef lease = cell == null ? null : cell.lease;
                if (lease != null && lease.stray != LeaseRef.ENDED) {
                    giveBack(lease, lease.stray);
                }
            }
            isOver = true;
        } finally {
            if (!isOver) {
                strays.areMarked = true;
            }
        }
    }

    /** Gives a stray back, unless it has ended. */
    private void giveBack(LeaseRef stray, long handle) {
        if (stray.handle == -handle) {
            stray.handle = handle;
        }
        if (handle != LeaseRef.ENDED && stray.handle == handle) {
            // Its connection may be in the middle of anything.
            release(stray, null, Engine.CLOSE, null, false);
        }
        stray.stray = LeaseRef.ENDED;
    }

    /** What is known of a route, the engine's id among it. */
    RouteRef intern(Object route) {
        for (;;) {
            RouteRef ref = state.routes.routeFor(route);
            if (ref.id != RouteRef.NONE) {
                return ref;
            }
            Effects effects = new Effects();
            long answer = state.routes.makeKnown(ref, engine, effects);
            carryOut(effects);
            granted(answer, route);
            state.routes.removeIfGone(ref);
        }
    }

    /** The answer to a request to a route, if it is a grant, or the exception for any other. */
    long granted(long answer, Object route) {
        if (Engine.isGrant(answer)) {
            return answer;
        }
        if (answer == Engine.SHUT_DOWN) {
            throw PoolShutDownException.of(state.name);
        }
        if (answer == Engine.QUEUE_FULL) {
            String why = QueueFullException.message(state.constants.maxWaiters);
            // Who refuses what is too much must not take long over each.
            throw new QueueFullException(exhausted(PoolLook.with(why, state, engine, route, false), route));
        }
        if (answer == Engine.TOO_MANY_ROUTES) {
            throw new IllegalStateException(state.name + ": more than a million routes are in use at once: they have connections, requests"
                    + " that wait, or limits of their own");
        }
        throw new IllegalStateException(
                state.name + ": the native pool has failed and refuses requests (" + answer + "): shut it down and create a new one");
    }

    /** Begins a lease that was taken the long way, unless it has begun: the slot may be new, and there may be no cell for it yet. */
    void begin(LeaseRef lease) {
        begin(lease, state.notesStacks ? new LeaseStack() : null);
    }

    /** As above, of a lease that was taken there; null if that is not noted. */
    void begin(LeaseRef lease, LeaseStack stack) {
        int slot = Slots.of(lease.handle);
        Cell cell = state.cells.get(slot);
        if (cell == null) {
            cell = new Cell();
            state.cells.set(slot, cell);
        } else if (cell.lease != null && cell.lease != lease) {
            lease.boundBefore = cell.lease.boundTo;
        }
        cell.lease = lease;
        if (stack != null) {
            note(stack, lease, cell);
        }
        // Once the entry counts: if the housekeeper does not find it, this finds that it did not.
        lookedAfter();
    }

    /**
     * Has the housekeeper look after the pool, into which something was just put.
     *
     * <p>Race window: the pool may come to rest between what was put into it and this look. It is harmless because the housekeeper has said
     * that the pool rests before it looked into it for the last time: either it saw what was put there, or this sees what it has said.
     */
    void lookedAfter() {
        if (kept.isResting || !HousekeeperThread.isThere()) {
            kept.resume();
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
    boolean opened(LeaseRef lease, Object connection) {
        Object ours;
        boolean isOpen = false;
        synchronized (lease) {
            if (lease.isEnded()) {
                throw LeaseRef.ended();
            }
            Cell cell = cell(lease.handle);
            boolean isAnswered = false;
            state.disposal.came();
            try {
                // In its place before the engine may hand the entry to anybody else.
                cell.openedAt = state.millis();
                cell.usedBefore = engine.uses(Slots.of(lease.handle));
                cell.connection = connection;
                isOpen = engine.opened(lease.handle) == Engine.DONE;
                isAnswered = true;
            } finally {
                if (!isAnswered) {
                    // It stays the caller's.
                    cell.connection = null;
                    state.disposal.went();
                }
            }
            ours = isOpen ? null : cell.takeConnection();
        }
        if (isOpen) {
            tellOpened(lease);
            return true;
        }
        release(lease, Engine.CLOSE, null);
        state.disposal.dispose(lease, ours, null, Cause.SHUT_DOWN);
        return false;
    }

    private void tellOpened(LeaseRef lease) {
        try {
            state.tellOpened(lease);
        } catch (StackOverflowError e) {
            // The connection is the pool's, which its user must not be told otherwise.
        }
    }

    /** How many leases have had the connection of a cell, whose entry is the caller's still. */
    private long uses(int slot, Cell cell) {
        return engine.uses(slot) - cell.usedBefore + 1;
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
    boolean attach(LeaseRef lease, Socket socket, Watching watching) {
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
    boolean attach(LeaseRef lease, FoundSocket socket, Watching watching) {
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
            if (cell.wasWatched && engine.renew(handle) != Engine.DONE) {
                return true;
            }
            before = cell.takeAttachment();
            cell.wasWatched = isToBeWatched;
        }
        IdleWatch.remove(before);
        // The engine says whether the lease goes on still. Race window: the lease may end just afterwards, with its socket on the list. It
        // is harmless because an event then comes late, for an opening that has gone.
        made.isWatched = isToBeWatched && isWatched(made, handle);
        // What the system does not tell it is asked, if it can be.
        made.isProbed = watching.probes() || isToBeWatched && !made.isWatched;
        synchronized (lease) {
            if (lease.handle == handle) {
                cell(handle).attachment = made;
                return true;
            }
        }
        IdleWatch.remove(made);
        return false;
    }

    /** Has a socket watched; false if nobody will tell of its peer's close. */
    private boolean isWatched(Attachment socket, long handle) {
        boolean wasOpen = IdleWatch.isOpen();
        boolean isWatched = IdleWatch.add(socket, () -> engine.watch(handle, kept.number(), socket.descriptor()) == Engine.DONE);
        if (!wasOpen || !isWatched) {
            // From now on there is something to wait for, or a line of the engine's that says why not.
            HousekeeperThread.wake();
        }
        return isWatched;
    }

    /**
     * Forgets a leased connection's socket, which is about to be closed by its user. After the lease's end it does nothing.
     *
     * @param lease the lease's reference
     */
    void detach(LeaseRef lease) {
        Attachment forgotten;
        synchronized (lease) {
            forgotten = lease.isEnded() ? null : cell(lease.handle).takeAttachment();
        }
        IdleWatch.remove(forgotten);
    }

    /**
     * Counts a leased connection that its user found dead.
     *
     * @param lease the lease's reference
     */
    void noteStale(LeaseRef lease) {
        engine.noteStale(lease.handle);
        Log.debug(() -> state.name + ": a connection to " + lease.route() + " was leased stale: its peer had closed it unnoticed");
        FlightEvents.stale(state.name, lease.route);
    }

    /**
     * Disposes of a leased connection. The lease goes on as a vacancy.
     *
     * @param lease the lease's reference
     * @param cause what its disposer is told
     * @return false if the lease has ended, perhaps as the pool was shut down at once, and its connection is not this caller's to replace
     */
    boolean replace(LeaseRef lease, Cause cause) {
        Attachment attachment;
        synchronized (lease) {
            if (lease.isEnded()) {
                return false;
            }
            attachment = cell(lease.handle).attachment;
        }
        Object dead = takeOut(lease, cause);
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
    Object reopen(LeaseRef lease) {
        Object taken = takeOut(lease, Cause.DISCARDED);
        if (taken != null) {
            state.disposal.went();
        }
        return taken;
    }

    private Object takeOut(LeaseRef lease, Cause cause) {
        Attachment attachment;
        Object connection;
        long openedAt;
        long uses;
        synchronized (lease) {
            if (lease.isEnded()) {
                return null;
            }
            Cell cell = cell(lease.handle);
            openedAt = cell.openedAt;
            uses = uses(Slots.of(lease.handle), cell);
            if (engine.reopen(lease.handle) != Engine.DONE) {
                lease.handle = LeaseRef.ENDED;
                return null;
            }
            attachment = cell.takeAttachment();
            cell.wasWatched = false;
            connection = cell.takeConnection();
        }
        IdleWatch.remove(attachment);
        if (connection != null) {
            try {
                state.tellClosed(lease, cause, openedAt, uses);
            } catch (StackOverflowError e) {
                // Who has taken it out must have it.
            }
        }
        return connection;
    }

    /**
     * Ends a lease if the pool keeps the connection, is bound to no state, and nobody waits for it, by one short native call.
     *
     * @param lease the lease's reference
     * @param keep milliseconds, or one of the constants; or until when, by the wall clock
     * @param isMoment whether it is a moment
     * @return false if that cannot be done in this way: say {@link #release}
     */
    boolean releaseHit(LeaseRef lease, long keep, boolean isMoment) {
        long handle = lease.handle;
        if (handle <= LeaseRef.ENDED) {
            return false;
        }
        boolean isEnded = false;
        lease.handle = LeaseRef.ENDED;
        try {
            isEnded = (isMoment ? engine.releaseHitUntil(handle, keep) : engine.releaseHit(handle, keep)) == Engine.DONE;
        } finally {
            if (!isEnded) {
                lease.handle = handle;
            }
        }
        return isEnded;
    }

    /** As below, for who has the reference alone. */
    boolean release(LeaseRef lease, long keep, StateRef bindTo) {
        return release(lease, null, keep, bindTo, true);
    }

    /**
     * Ends a lease.
     *
     * @param lease the lease's reference
     * @param holder the lease, or null
     * @param keep milliseconds, or one of the constants
     * @param bindTo who the connection is bound to from now on, or null
     * @return false if it had ended before
     */
    boolean release(LeaseRef lease, Object holder, long keep, StateRef bindTo) {
        return release(lease, holder, keep, bindTo, true);
    }

    private boolean release(LeaseRef lease, Object holder, long keep, StateRef bindTo, boolean callsHooks) {
        // Nobody else may have the lease any more, and collected before it has ended it would be taken for a lost one.
        Effects effects = new Effects(holder);
        long handle;
        int answer;
        // Of two that end a lease with different states, the one that the engine hears leaves its state in the
        // reference. And who uses the entry for its lease, inside the same monitor, finds it leased.
        synchronized (lease) {
            handle = lease.handle;
            if (handle <= LeaseRef.ENDED) {
                return false;
            }
            StateRef before = lease.boundTo;
            boolean isOver = false;
            lease.boundTo = bindTo;
            lease.handle = LeaseRef.ENDED;
            try {
                answer = engine.release(handle, keep, StateRef.idOf(bindTo), effects);
                isOver = true;
            } finally {
                if (!isOver) {
                    lease.boundTo = before;
                    lease.handle = handle;
                }
            }
            if (answer == Engine.NOT_LEASED) {
                lease.boundTo = before;
                // A pool that was shut down at once has ended its leases; their holders may say so too.
                if (!state.isShutDownAtOnce()) {
                    return false;
                }
            }
        }
        Queue<Runnable> toTell = null;
        try {
            // Before the connection is closed, which may hang: who waits is told that its place is his.
            toTell = perform(effects, null);
        } finally {
            try {
                if (answer >= Engine.CLOSED) {
                    disposeOf(Slots.of(handle), CAUSES[answer - Engine.CLOSED]);
                }
            } finally {
                toTell = serveFreed(effects, toTell);
            }
        }
        released();
        if (state.isShutDown()) {
            state.termination.tell();
        }
        if (callsHooks) {
            Hooks.callHere(toTell, engine);
        } else {
            Hooks.callAside(toTell);
        }
        return true;
    }

    /** A lease has ended, and may have left a connection in a pool that the housekeeper does not look after. */
    void released() {
        if (kept.isResting) {
            try {
                kept.resume();
            } catch (Throwable e) {
                Log.warnOf(state.name, Texts.NO_HOUSEKEEPER, e);
            }
        }
    }

    /** Ends a lease that was collected, unless it had ended in another way. Once the engine has ended it, nothing is left out. */
    void releaseLeaked(LeaseRef lease, Effects effects) {
        // Read once: it may have strayed, and somebody be about to give it back, who says that it has ended before he asks the engine.
        long handle = lease.handle;
        if (engine.release(handle, Engine.LOST, StateRef.NO_STATE, effects) >= Engine.CLOSED) {
            int slot = Slots.of(handle);
            Cell cell = state.cells.get(slot);
            if (cell == null) {
                acknowledge(slot);
                state.tellLeak(lease.route, null, null);
            } else {
                LeaseStack noted = cell.stack;
                LeaseStack stack = noted != null && noted.handle == handle ? noted : null;
                long openedAt = cell.openedAt;
                long uses = uses(slot, cell);
                Attachment attachment = cell.takeAttachment();
                Object connection = cell.takeVictim();
                acknowledge(slot);
                IdleWatch.remove(attachment);
                state.tellLeak(lease.route, connection, stack);
                state.disposal.dispose(lease, connection, attachment, Cause.LEAKED);
                if (connection != null) {
                    state.tellClosed(lease, Cause.LEAKED, openedAt, uses);
                }
            }
            carryOut(effects);
        }
    }

    /**
     * A grant that nobody wants any more goes to the next, by a full release: a connection as it was, a right to open.
     */
    void giveBack(LeaseRef lease) {
        begin(lease, null);
        // Of a right to open the engine keeps nothing, whatever it is told.
        release(lease, null, Engine.KEEP_AS_BEFORE, lease.boundBefore, false);
    }

    /** Does what a call brought about. What fails of it is logged, and the others go on. Hooks are called on other threads. */
    void carryOut(Effects effects) {
        Hooks.callAside(carryOutAllBut(effects));
    }

    /** As above, of a call that has raised a limit: hooks are called on this thread. */
    void carryOutHere(Effects effects) {
        Hooks.callHere(carryOutAllBut(effects), engine);
    }

    /** All but the calls of hooks, which are returned; null for none. */
    private Queue<Runnable> carryOutAllBut(Effects effects) {
        return serveFreed(effects, perform(effects, null));
    }

    /** Serves who waits for a slot, if one was given free; the queue is as in {@link #perform}. */
    private Queue<Runnable> serveFreed(Effects effects, Queue<Runnable> toTell) {
        Queue<Runnable> all = toTell;
        while (state.hasSlotToServe) {
            boolean isServed = false;
            try {
                // Race window: two threads may come here for one slot. It is harmless because the second serves nobody. A slot that is
                // given free after this store sets the flag again, and whoever gave it free comes by here.
                state.hasSlotToServe = false;
                engine.serve(effects);
                isServed = true;
            } finally {
                if (!isServed) {
                    // For want of stack. Whoever comes next serves.
                    state.hasSlotToServe = true;
                }
            }
            all = perform(effects, all);
        }
        return all;
    }

    /**
     * Does what a call brought about, and leaves its effects ready for the next one. What fails is logged, and the others go on.
     *
     * @param toTell the hooks of requests that were answered before, which are still to be called; null for none
     * @return the same with those of this call
     */
    private Queue<Runnable> perform(Effects effects, Queue<Runnable> toTell) {
        Queue<Runnable> all = toTell;
        do {
            int count = effects.count();
            for (int i = 0; i < count; i++) {
                try {
                    if (effects.isWake(i)) {
                        Waiter waiter = Waiter.of(effects.which(i), state.waiters);
                        all = waiter == null ? all : waiter.wake(all);
                    } else if (effects.isVictim(i)) {
                        disposeOf((int) effects.which(i), CAUSES[effects.cause(i)]);
                    } else {
                        state.routes.forget(effects.which(i));
                    }
                } catch (Throwable e) {
                    Log.warnOf(state.name, Texts.EFFECT_FAILED, e);
                }
            }
        } while (effects.hasMore());
        return all;
    }

    /** Lets the slot of a victim that had no connection, nor a cell for one, be reused: whoever leased it had no memory left. */
    private void acknowledge(int slot) {
        if (engine.ack(slot)) {
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
        long openedAt = cell.openedAt;
        long uses = uses(slot, cell);
        Attachment attachment = cell.takeAttachment();
        Object connection = cell.takeVictim();
        acknowledge(slot);
        IdleWatch.remove(attachment);
        Cause told = state.collected && cause == Cause.SHUT_DOWN ? Cause.POOL_COLLECTED : cause;
        state.disposal.dispose(last, connection, attachment, told);
        if (connection != null) {
            state.tellClosed(last, told, openedAt, uses);
        }
    }

    /** What a request to a route is thrown whose time is up. */
    TimeoutException timedOut(Object route) {
        return new TimeoutException(exhausted(PoolLook.with("no connection came free in time", state, engine, route, true), route));
    }

    /** A request got nothing, and is told this. */
    private String exhausted(String text, Object route) {
        FlightEvents.exhausted(state.name, route, text);
        return text;
    }

    /**
     * Moves a manual clock on.
     *
     * @param millis how far
     */
    void advanceClock(long millis) {
        engine.advanceClock(millis);
        state.clockMoved(millis);
    }

    /**
     * The pool's numbers.
     *
     * @return how many are leased, pending and available
     */
    int[] stats() {
        int[] numbers = new int[Engine.STATS];
        engine.stats(numbers);
        return numbers;
    }

    /**
     * Whether no lease goes on and every connection is closed, as stays true of a pool that was shut down.
     *
     * @return true if so
     */
    boolean hasNothing() {
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
    int[] stats(RouteRef route) {
        int[] numbers = new int[Engine.STATS];
        engine.routeStats(route.id, numbers);
        return numbers;
    }

    /**
     * What the pool has closed of its own accord.
     *
     * @param numbers for the counts, in the order of {@code Counters.java}
     */
    void counters(long[] numbers) {
        engine.counters(numbers);
    }

    /**
     * What has become of the pool's requests and connections, and how long that took.
     *
     * @param numbers for the counts and the times, in the order of {@code Metrics.java}
     */
    void metrics(long[] numbers) {
        engine.metrics(numbers);
    }

    /**
     * The counts of a route.
     *
     * @param route the route
     * @param numbers for the counts, which stay as they are if the engine does not know it
     */
    void metrics(RouteRef route, long[] numbers) {
        engine.routeMetrics(route.id, numbers);
    }

    /**
     * The id of a state.
     *
     * @param state the state
     * @return what to hold on to for as long as the id is used
     */
    StateRef state(Object state) {
        return this.state.states.intern(state);
    }

    /**
     * Whether the pool was shut down.
     *
     * @return true if it was
     */
    boolean isShutDown() {
        return state.isShutDown();
    }

    /**
     * How it is learned that peers have closed, unless said otherwise.
     *
     * @return what the pool was made with
     */
    Watching watching() {
        return state.constants.watching;
    }
}
