package io.leasehold.internal;

import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/**
 * The thread behind a ticket, which parks until the engine has answered its request.
 *
 * <p>The thread is published under the ticket before the engine can grant the ticket anything, so every grant finds somebody to wake.
 * Where it is published must not lead to the pool, so a waiter does not refer to it.
 */
final class Waiter {
    private static final long SLICE = TimeUnit.SECONDS.toNanos(1);

    private final Thread thread = Thread.currentThread();
    // Written before the waiter is published.
    private long ticket;

    private Waiter() {}

    /**
     * Queues a request and parks until it is answered.
     *
     * @param effects an array for what the calls bring about, which is carried out
     * @return what the engine has answered: a grant, or why there is none
     * @throws InterruptedException if the thread was interrupted
     * @throws TimeoutException if the time was up
     */
    static long waitFor(NativePool pool, LeaseRef lease, RouteRef route, StateRef boundTo, Patience patience, long[] effects)
            throws InterruptedException, TimeoutException {
        // Made first: once there is a ticket, nothing may fail before it is given back.
        Waiter waiter = new Waiter();
        waiter.ticket = pool.granted(pool.reserveTicket(pool.address));
        long ticket = waiter.ticket;
        boolean isOver = false;
        patience.startWaiting(waiter.thread);
        try {
            pool.state.waiters.set(Slots.of(ticket), waiter);
            long answer = Engine.RETRY;
            for (;;) {
                if (answer == Engine.RETRY) {
                    answer = pool.lease(pool.address, route.id, StateRef.idOf(boundTo), ticket, effects);
                    pool.carryOut(effects);
                    // Anything but to wait has ended the ticket.
                    isOver = answer != Engine.WAIT;
                } else {
                    answer = pool.pollTicket(pool.address, ticket);
                    isOver = answer != Engine.PENDING && answer != Engine.RETRY;
                }
                if (isOver) {
                    return answer;
                }
                if (answer == Engine.RETRY) {
                    continue;
                }
                if (patience.isCancelled()) {
                    throw new CancellationException("the request for a connection was cancelled");
                }
                long left = patience.nanosLeft();
                if (left <= 0) {
                    isOver = true;
                    answer = cancel(ticket, pool, effects);
                    if (answer == Engine.NOTHING) {
                        throw new TimeoutException("no connection came free in time: " + pool);
                    }
                    // The grant came first, and late is better than never.
                    return answer;
                }
                if (Thread.interrupted()) {
                    throw new InterruptedException("interrupted while waiting for a connection");
                }
                // In slices, so that no lost wake-up could stop a thread for ever.
                LockSupport.parkNanos(pool, Math.min(left, SLICE));
            }
        } finally {
            patience.stopWaiting(waiter.thread);
            // The ticket's slot may be another waiter's by now.
            pool.state.waiters.remove(Slots.of(ticket), waiter);
            if (!isOver) {
                pool.giveBack(lease, route, cancel(ticket, pool, effects), effects);
            }
        }
    }

    /** Ends a ticket; the answer is the grant that had come first, or {@code NOTHING}. */
    private static long cancel(long ticket, NativePool pool, long[] effects) {
        long answer = pool.cancel(pool.address, ticket, effects);
        pool.carryOut(effects);
        return answer;
    }

    /** Wakes who waits for a ticket. */
    static void wake(long ticket, PoolState state) {
        Waiter waiter = state.waiters.get(Slots.of(ticket));
        if (waiter != null && waiter.ticket == ticket) {
            LockSupport.unpark(waiter.thread);
        }
    }
}
