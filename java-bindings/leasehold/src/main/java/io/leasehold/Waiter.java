package io.leasehold;

import io.leasehold.internal.natives.Effects;
import io.leasehold.internal.natives.Engine;
import java.util.Queue;

/**
 * A request for a lease that could not be served at once: its ticket, and the calls by which it is asked, looked at and ended. How it is
 * told that there is an answer, and until when it waits, is its subclass's.
 *
 * <p>It is published under the ticket before the engine can grant the ticket anything, so every grant finds somebody to wake. Each step is
 * one call on the engine and the record of what it has answered, inside this object's monitor. So of those who look, cancel and find that
 * the time is up exactly one gets the answer, and no grant is without a lease. In there nothing else is called; what the engine decides is
 * carried out afterwards, by whoever made the step.
 */
abstract class Waiter {
    /** What becomes of a wait that somebody has ended, as the flight recorder is told it. */
    static final String CANCELLED = "CANCELLED";

    final LeaseRef lease;
    private final Engine engine;
    private final Slots<Waiter> waiters;
    private final StateRef boundTo;

    // ----- written inside the monitor, before it is published, by who asks; read by who wakes -----
    // Race window: the ticket may have ended, and its place be another's, while somebody is about to wake this one. It is harmless because
    // who is woken looks for its own answer, and waits on if there is none.
    private volatile long ticket;

    // ----- guarded by the monitor: where the ticket goes to, and whether it is alive -----
    private RouteRef route;
    private long id;
    private boolean isAlive;

    /**
     * A request that was not asked yet.
     *
     * @param engine who is asked
     * @param waiters where it is published
     * @param lease the reference of the lease to begin
     * @param boundTo for whom, or null
     */
    Waiter(Engine engine, Slots<Waiter> waiters, LeaseRef lease, StateRef boundTo) {
        this.engine = engine;
        this.waiters = waiters;
        this.lease = lease;
        this.boundTo = boundTo;
    }

    /** What has become of a wait that has ended with an answer, as the flight recorder is told it. */
    static String resultOf(long answer) {
        return Engine.isGrant(answer) ? "SERVED" : answer == Engine.NOTHING ? "TIMED_OUT" : "REFUSED";
    }

    /** Who waits for a ticket; null if it is nobody any more. */
    static Waiter of(long ticket, Slots<Waiter> waiters) {
        Waiter waiter = waiters.get(Slots.of(ticket));
        return waiter != null && waiter.ticket == ticket ? waiter : null;
    }

    /**
     * There is an answer, or a reason to look.
     *
     * @param toTell the hooks that are to be called once the effects of a call are carried out; null for none yet
     * @return the same, this one's added if it has one
     */
    abstract Queue<Runnable> wake(Queue<Runnable> toTell);

    /**
     * Sees that it comes to an end, where no thread of its own does. On the housekeeper's thread.
     *
     * @return whether it is to be looked at again soon
     */
    boolean lookAfter(Effects effects) {
        return false;
    }

    /**
     * Queues the request. Should this fail, it is to be {@linkplain #withdraw withdrawn}.
     *
     * @return what the engine has answered: to wait, a grant, or why there is none
     */
    final synchronized long ask(RouteRef route, long id, Effects effects) {
        long reserved = engine.reserveTicket();
        if (reserved <= 0) {
            return reserved;
        }
        // Nothing that may overflow or allocate comes between the answer and this.
        ticket = reserved;
        isAlive = true;
        this.route = route;
        this.id = id;
        waiters.set(Slots.of(reserved), this);
        return askAgain(effects);
    }

    private long askAgain(Effects effects) {
        return record(engine.lease(id, StateRef.idOf(boundTo), ticket, effects));
    }

    /**
     * Looks for the answer.
     *
     * @return what the engine has answered: to wait, a grant, or why there is none; {@link Engine#NOTHING} if this had ended before
     */
    final synchronized long poll(Effects effects) {
        if (!isAlive) {
            return Engine.NOTHING;
        }
        long answer = record(engine.pollTicket(ticket));
        return answer == Engine.RETRY ? askAgain(effects) : answer == Engine.PENDING ? Engine.WAIT : answer;
    }

    /**
     * Ends the wait.
     *
     * @param timedOut whether it has waited as long as it may; else it is not wanted any more
     * @return a grant that came first, and is in the lease; {@link Engine#NOTHING} if there was none, or this had ended before
     */
    final synchronized long withdraw(boolean timedOut, Effects effects) {
        return isAlive ? record(engine.cancel(ticket, timedOut, effects)) : Engine.NOTHING;
    }

    /** Whatever is no reason to wait on has ended the ticket. */
    private long record(long answer) {
        lease.take(route, answer);
        isAlive = answer == Engine.WAIT || answer == Engine.PENDING || answer == Engine.RETRY;
        return answer;
    }

    /** Whether the ticket is alive. */
    final synchronized boolean isAlive() {
        return isAlive;
    }

    /** Takes it out of its place, which may be another's by now. */
    final void unpublish() {
        long last = ticket;
        if (last != 0) {
            waiters.remove(Slots.of(last), this);
        }
    }
}
