package io.leasehold;

import io.leasehold.internal.housekeeping.Deadlines;
import io.leasehold.internal.jfr.FlightEvents;
import io.leasehold.internal.log.Log;
import io.leasehold.internal.log.Texts;
import io.leasehold.internal.natives.Effects;
import io.leasehold.internal.natives.Engine;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A request for a lease for which no thread waits: its hook is told the answer, once, or it is cancelled. The housekeeper keeps its
 * deadline.
 *
 * <p>It goes through three states, each inside the monitor: without an answer, answered, told. Whoever finds an answer, be it by a wake, a
 * deadline or a look, leaves it here, and whoever makes it told calls the hook or, in a cancellation, gives back what there is. So the hook
 * is called at most once, and a grant is the hook's or goes back.
 *
 * <p>A wake may be lost: the thread that was to look after it ran out of memory or stack, or is held up by another's hook. So the
 * housekeeper {@linkplain #lookAfter looks} at each request every second, and has another thread call the hook that is overdue.
 */
abstract class HookedRequest extends Waiter implements Deadlines.Due, Runnable {
    /** No time at all: as long as nobody can wait. */
    private static final long ENDLESS = Long.MAX_VALUE / 2;
    /** How long the thread whose call has ended the wait has for coming to the hook. */
    private static final long GRACE = TimeUnit.MILLISECONDS.toNanos(100);
    /** What a request is answered whose time is up; no answer of the engine's. */
    private static final long TIMED_OUT = -100;

    private static final AtomicLong LAST_NUMBER = new AtomicLong();

    private final NativePool pool;
    /** Which of those with the same deadline comes first. */
    private final long number = LAST_NUMBER.incrementAndGet();
    /** When its time is up, by {@link System#nanoTime}; of no meaning without a deadline there. */
    private final long end;

    private final Object to;
    private final StateRef boundTo;
    private final Patience patience;
    private final boolean hasEnd;
    /** Where it was asked; null if that is not noted. */
    private final LeaseStack stack;

    // ----- written by the thread that starts it, before it is queued -----
    // What the flight recorder is told at the end of the wait; null for nothing.
    private Object wait;

    // ----- guarded by the monitor -----
    // The answer, TIMED_OUT for none; whether the hook was called or will be by who made it told; whether it never will be, and what is
    // left is to be cleaned up, and whether somebody does; whether a disposer's thread was given it.
    private boolean isAnswered;
    private long answer;
    private boolean isTold;
    private boolean isCancelled;
    private boolean isCleaning;
    private boolean isAside;

    // ----- written by the thread that starts it -----
    // Nobody is to be told, as its start has failed.
    private volatile boolean isUnwanted;

    // ----- the housekeeper's thread's own -----
    // When it first found something that is left to be done, 0 for never.
    private long foundAt;

    /**
     * Makes a request that is not asked yet.
     *
     * @param pool the pool
     * @param lease the reference of the lease to begin
     * @param route where to
     * @param boundTo for whom, or null
     * @param patience how long it waits
     */
    HookedRequest(NativePool pool, LeaseRef lease, Object route, StateRef boundTo, Patience patience) {
        super(pool.engine, pool.state.waiters, lease, boundTo);
        this.pool = pool;
        to = route;
        this.boundTo = boundTo;
        this.patience = patience;
        stack = pool.state.notesStacks ? new LeaseStack() : null;
        long left = patience.nanosLeft();
        hasEnd = left < ENDLESS && !pool.state.constants.manualClock;
        end = hasEnd ? System.nanoTime() + left : 0;
    }

    /**
     * The request is served. Called at most once, outside every lock. What it throws is logged; the lease is discarded then, unless
     * somebody {@linkplain #hasTaken has taken} it.
     *
     * @param connection the lease's connection, null for a vacancy
     */
    abstract void granted(Object connection);

    /**
     * The request is not served. Called at most once, outside every lock. What it throws is logged.
     *
     * @param why what a thread that waited would have been thrown
     */
    abstract void refused(Throwable why);

    /**
     * Whether somebody has the lease although {@link #granted} threw.
     *
     * @return false, unless overridden
     */
    boolean hasTaken() {
        return false;
    }

    /**
     * Asks. If the request is served at once, the hook is called before this returns, unless this thread is in a hook. Whatever is thrown,
     * the hook is not called.
     *
     * @throws PoolShutDownException if the pool was shut down
     * @throws QueueFullException if as many requests wait as the pool allows
     */
    final void start() {
        boolean isServed = false;
        try {
            pool.state.requests.add(this);
            isServed = askAtOnce();
            if (!isServed) {
                beKept();
            }
        } catch (Throwable e) {
            // By a store, as there may be no stack for a call.
            isUnwanted = true;
            if (cancel()) {
                throw e;
            }
            // It was served meanwhile.
        }
        if (isServed) {
            Hooks.callHere(this, pool.engine);
        }
    }

    /** Whether there is an answer already. */
    private boolean askAtOnce() {
        for (;;) {
            if (pool.tryLease(lease, to, boundTo)) {
                answered(lease.handle);
                return true;
            }
            if (patience.nanosLeft() <= 0) {
                answered(TIMED_OUT);
                return true;
            }
            RouteRef route = pool.intern(to);
            long id = route.id;
            Effects effects = new Effects();
            // Before it is asked: another thread may find the answer at once.
            wait = FlightEvents.waits();
            long answer = ask(route, id, effects);
            pool.carryOut(effects);
            if (answer == Engine.WAIT) {
                return false;
            }
            wait = null;
            if (answer != Engine.STALE_ROUTE) {
                answered(pool.granted(answer, to));
                return true;
            }
            unpublish();
            pool.state.routes.forget(route, id);
        }
    }

    /** Has the housekeeper look after it. */
    private void beKept() {
        // Once it counts: if the housekeeper does not find it, this finds that it did not.
        pool.lookedAfter();
        if (hasEnd) {
            Deadlines.add(this);
            if (!isAlive()) {
                Deadlines.remove(this);
            }
        }
    }

    private synchronized void answered(long answer) {
        this.answer = answer;
        isAnswered = true;
    }

    /** Whether there is an answer that nobody was told. */
    private synchronized boolean isOverdue() {
        return isAnswered && !isTold;
    }

    @Override
    Queue<Runnable> wake(Queue<Runnable> toTell) {
        Queue<Runnable> all = toTell == null ? new ArrayDeque<>() : toTell;
        all.add(this);
        return all;
    }

    /** Looks for the answer, and notes it. */
    private void look(Effects effects) {
        boolean isTimeUp = patience.nanosLeft() <= 0;
        synchronized (this) {
            if (isAlive()) {
                long found = isTimeUp ? withdraw(true, effects) : poll(effects);
                if (found != Engine.WAIT) {
                    // A grant that came first is one still: late is better than never. No call comes between it and this.
                    answer = isTimeUp && found == Engine.NOTHING ? TIMED_OUT : found;
                    isAnswered = true;
                }
            }
        }
        pool.carryOut(effects);
    }

    /** Calls the hook, if there is an answer that nobody was told. Never throws. */
    @Override
    public final void run() {
        try {
            setAside(false);
            look(new Effects());
            if (beTold()) {
                tell();
            }
        } catch (Throwable e) {
            Log.warnOf(pool.state.name, Texts.HOOK_FAILED, e);
        }
    }

    private synchronized boolean beTold() {
        boolean isMine = isAnswered && !isTold && !isUnwanted;
        isTold |= isMine;
        return isMine;
    }

    private void tell() {
        boolean isServed = false;
        try {
            forget();
            FlightEvents.waited(wait, pool.state.name, to, answer == TIMED_OUT ? resultOf(Engine.NOTHING) : resultOf(answer));
            Object connection = null;
            Throwable refusal = null;
            try {
                if (answer == TIMED_OUT) {
                    refusal = pool.timedOut(to);
                } else {
                    pool.granted(answer, to);
                    pool.begin(lease, stack);
                    connection = pool.connection(lease);
                }
            } catch (Throwable e) {
                refusal = e;
            }
            if (refusal == null) {
                granted(connection);
                isServed = true;
            } else {
                refused(refusal);
            }
        } finally {
            if (!isServed && lease.handle != LeaseRef.ENDED && !hasTaken()) {
                pool.state.strays.add(lease);
                pool.giveBackStrays();
            }
        }
    }

    /**
     * Ends the request. What it was granted goes back.
     *
     * @return false if the hook was or will be called, or the request had been cancelled
     */
    final boolean cancel() {
        synchronized (this) {
            if (isTold) {
                return false;
            }
            isTold = true;
            isCancelled = true;
        }
        cleanUp(new Effects());
        return true;
    }

    /**
     * Whether nothing more comes of it.
     *
     * @return true if the hook was called or is about to be, or the request was cancelled
     */
    final synchronized boolean isDone() {
        return isTold;
    }

    /** If this fails, the housekeeper does it again. */
    private void cleanUp(Effects effects) {
        synchronized (this) {
            if (isCleaning) {
                return;
            }
            isCleaning = true;
        }
        try {
            withdraw(false, effects);
            pool.carryOut(effects);
            if (lease.handle != LeaseRef.ENDED) {
                pool.giveBack(lease);
            }
            forget();
            FlightEvents.waited(wait, pool.state.name, to, CANCELLED);
        } finally {
            isCleaning = false;
        }
    }

    private void forget() {
        Deadlines.remove(this);
        unpublish();
        pool.state.requests.remove(this);
    }

    @Override
    final boolean lookAfter(Effects effects) {
        look(effects);
        boolean isLeft;
        synchronized (this) {
            isCancelled |= isUnwanted && !isTold;
            isTold |= isCancelled;
            isLeft = isCancelled || isAnswered && !isTold && !isAside;
        }
        if (!isLeft) {
            return false;
        }
        long now = System.nanoTime();
        if (foundAt == 0) {
            foundAt = now;
        } else if (now - foundAt >= GRACE) {
            if (isCancelled) {
                cleanUp(effects);
            } else {
                // Before a disposer's thread has it, which takes it back.
                setAside(true);
                if (!Hooks.callAside(this)) {
                    setAside(false);
                }
            }
        }
        return true;
    }

    @Override
    public final long end() {
        return end;
    }

    @Override
    public final long number() {
        return number;
    }

    @Override
    public final void isUp(Effects effects) {
        look(effects);
        if (isOverdue()) {
            Hooks.callAside(this);
        }
    }

    /** Whether a disposer's thread has it from the housekeeper's look, which has the stack for what this is changed with. */
    private synchronized void setAside(boolean isAside) {
        this.isAside = isAside;
    }
}
