package io.leasehold.internal;

import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/** A request whose thread parks until it is answered. The thread looks after its deadline itself, and takes the answer itself. */
final class ParkedThread extends Waiter {
    private static final long SLICE = TimeUnit.SECONDS.toNanos(1);

    private final Thread thread = Thread.currentThread();

    private ParkedThread(NativePool pool, LeaseRef lease, StateRef boundTo) {
        super(pool, lease, boundTo);
    }

    @Override
    Queue<HookedRequest> wake(Queue<HookedRequest> toTell) {
        LockSupport.unpark(thread);
        return toTell;
    }

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
        ParkedThread waiter = new ParkedThread(pool, lease, boundTo);
        boolean isOver = false;
        try {
            patience.startWaiting(waiter.thread);
            long answer = waiter.ask(route, id, effects);
            for (;;) {
                isOver = answer != Engine.WAIT;
                pool.carryOut(effects);
                if (isOver) {
                    return answer;
                }
                if (patience.isCancelled()) {
                    throw new CancellationException("the request for a connection was cancelled");
                }
                long left = patience.nanosLeft();
                if (left <= 0) {
                    answer = waiter.withdraw(effects);
                    isOver = true;
                    pool.carryOut(effects);
                    if (answer == Engine.NOTHING) {
                        throw HookedRequest.timedOut(pool);
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
                answer = waiter.poll(effects);
            }
        } finally {
            try {
                if (!isOver) {
                    long answer = waiter.withdraw(effects);
                    pool.carryOut(effects);
                    if (answer != Engine.NOTHING) {
                        pool.giveBack(lease);
                    }
                }
            } finally {
                patience.stopWaiting(waiter.thread);
                waiter.unpublish();
            }
        }
    }
}
