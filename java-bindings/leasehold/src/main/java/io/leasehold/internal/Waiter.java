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
     * @param lease the reference of the lease to begin, which has the grant's handle as soon as there is one
     * @return what the engine has answered: a grant, or why there is none
     * @throws InterruptedException if the thread was interrupted
     * @throws TimeoutException if the time was up
     */
    static long waitFor(NativePool pool, LeaseRef lease, RouteRef route, long id, StateRef boundTo, Patience patience)
            throws InterruptedException, TimeoutException {
        // Made first: once there is a ticket, nothing may fail before it is given back.
        long[] effects = Effects.array();
        Waiter waiter = new Waiter();
        int slot = 0;
        boolean isOver = false;
        long ticket = pool.reserveTicket(pool.address);
        if (ticket <= 0) {
            return ticket;
        }
        try {
            waiter.ticket = ticket;
            slot = Slots.of(ticket);
            patience.startWaiting(waiter.thread);
            pool.state.waiters.set(slot, waiter);
            long answer = Engine.RETRY;
            for (;;) {
                if (answer == Engine.RETRY) {
                    answer = pool.lease(pool.address, id, StateRef.idOf(boundTo), ticket, effects);
                    // Anything but to wait has ended the ticket.
                    isOver = answer != Engine.WAIT;
                    lease.take(route, answer);
                    pool.carryOut(effects);
                } else {
                    answer = pool.pollTicket(pool.address, ticket);
                    isOver = answer != Engine.PENDING && answer != Engine.RETRY;
                    lease.take(route, answer);
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
                    answer = pool.cancel(pool.address, ticket, effects);
                    isOver = true;
                    lease.take(route, answer);
                    pool.carryOut(effects);
                    if (answer == Engine.NOTHING) {
                        throw new TimeoutException("no connection came free in time: " + pool);
                    }
                    // The grant came first, and late is better than never.
                    return answer;
                }
                if (Thread.interrupted()) {
                    throw new InterruptedException("interrupted while waiting for a connection");
                }
                pool.giveBackStrays();
                // In slices, so that no lost wake-up could stop a thread for ever.
                LockSupport.parkNanos(pool, Math.min(left, SLICE));
            }
        } finally {
            try {
                if (!isOver) {
                    long answer = pool.cancel(pool.address, ticket, effects);
                    lease.take(route, answer);
                    pool.carryOut(effects);
                    if (answer != Engine.NOTHING) {
                        pool.giveBack(lease);
                    }
                }
            } finally {
                patience.stopWaiting(waiter.thread);
                // The ticket's slot may be another waiter's by now.
                pool.state.waiters.remove(slot, waiter);
            }
        }
    }

    /** Wakes who waits for a ticket. */
    static void wake(long ticket, PoolState state) {
        Waiter waiter = state.waiters.get(Slots.of(ticket));
        if (waiter != null && waiter.ticket == ticket) {
            LockSupport.unpark(waiter.thread);
        }
    }
}
