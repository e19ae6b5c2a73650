package io.leasehold;

import io.leasehold.internal.jfr.FlightEvents;
import io.leasehold.internal.natives.Effects;
import io.leasehold.internal.natives.Engine;
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
        super(pool.engine, pool.state.waiters, lease, boundTo);
    }

    @Override
    Queue<Runnable> wake(Queue<Runnable> toTell) {
        LockSupport.unpark(thread);
        return toTell;
    }

    /**
     * Leases a connection, or the right to open one, and waits for it.
     *
     * @param pool the pool
     * @param lease the reference of the lease to begin; should this fail afterwards, its handle is there
     * @param route where to
     * @param boundTo for whom, or null
     * @param patience how long to wait
     * @throws InterruptedException if the thread was interrupted and had to wait
     * @throws TimeoutException if the time was up
     */
    static void lease(NativePool pool, LeaseRef lease, Object route, StateRef boundTo, Patience patience)
            throws InterruptedException, TimeoutException {
        while (!pool.tryLease(lease, route, boundTo)) {
            if (patience.nanosLeft() <= 0) {
                throw pool.timedOut(route);
            }
            if (pool.kept.isResting) {
                // It finds who has lost what this one waits for.
                pool.kept.resume();
            }
            RouteRef ref = pool.intern(route);
            long id = ref.id;
            long answer = waitFor(pool, lease, ref, id, boundTo, patience);
            if (answer != Engine.STALE_ROUTE) {
                pool.granted(answer, route);
                pool.begin(lease);
                return;
            }
            pool.state.routes.forget(ref, id);
        }
    }

    /**
     * Queues a request and parks until it is answered.
     *
     * @param lease the reference of the lease to begin, which has the grant's handle as soon as there is one
     * @return what the engine has answered: a grant, or why there is none
     * @throws InterruptedException if the thread was interrupted
     * @throws TimeoutException if the time was up
     */
    private static long waitFor(NativePool pool, LeaseRef lease, RouteRef route, long id, StateRef boundTo, Patience patience)
            throws InterruptedException, TimeoutException {
        // Made first: once there is a ticket, nothing may fail before it is given back.
        Effects effects = new Effects();
        ParkedThread waiter = new ParkedThread(pool, lease, boundTo);
        Object wait = null;
        String result = CANCELLED;
        boolean isOver = false;
        try {
            patience.startWaiting(waiter.thread);
            long answer = waiter.ask(route, id, effects);
            wait = answer == Engine.WAIT ? FlightEvents.waits() : null;
            for (;;) {
                isOver = answer != Engine.WAIT;
                pool.carryOut(effects);
                if (isOver) {
                    result = resultOf(answer);
                    return answer;
                }
                if (patience.isCancelled()) {
                    throw new CancellationException("the request for a connection was cancelled");
                }
                long left = patience.nanosLeft();
                if (left <= 0) {
                    answer = waiter.withdraw(true, effects);
                    isOver = true;
                    pool.carryOut(effects);
                    result = resultOf(answer);
                    if (answer == Engine.NOTHING) {
                        throw pool.timedOut(route.route);
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
                    long answer = waiter.withdraw(false, effects);
                    pool.carryOut(effects);
                    if (answer != Engine.NOTHING) {
                        pool.giveBack(lease);
                    }
                }
            } finally {
                patience.stopWaiting(waiter.thread);
                waiter.unpublish();
                FlightEvents.waited(wait, pool.state.name, route, result);
            }
        }
    }
}
