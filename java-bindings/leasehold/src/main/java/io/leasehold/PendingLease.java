package io.leasehold;

import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/**
 * A request for a lease that another thread can cancel. It joins the queue when {@link #get} is called, not before;
 * after a timeout it can be asked again.
 *
 * <p>{@link #get} is for one thread at a time; {@link #cancel} is for any. What a thread did before it cancelled happens before what
 * follows the {@link CancellationException}, or an {@link #isCancelled} that returned true. What follows a lease follows what {@link
 * ConnectionPool} says of all leases.
 *
 * @param <C> the type of the connections
 */
public final class PendingLease<C> {
    /** Asks the pool; keeps the pool's type of routes out of this class. */
    interface Source<C> {
        <T> T lease(Deadline deadline, Function<? super Lease<C>, ? extends T> use) throws InterruptedException, TimeoutException;
    }

    private static final Object ASKED_BY_NOBODY = "asked by nobody";

    private final Source<C> source;
    private final ManualClock clock;
    // This, one of those of a Deadline, or the thread that waits. Every change is one compare-and-set, so a lease is had or cancelled,
    // not both.
    private final AtomicReference<Object> status = new AtomicReference<>(ASKED_BY_NOBODY);

    PendingLease(Source<C> source, ManualClock clock) {
        this.source = source;
        this.clock = clock;
    }

    /**
     * Waits until there is a connection or the right to open one.
     *
     * @param timeout how long to wait at most; zero or negative is not at all, {@link Long#MAX_VALUE} is without end
     * @param unit the unit of {@code timeout}
     * @return the lease, the caller's to end
     * @throws InterruptedException if the thread was interrupted before or while it had to wait; nothing is retained
     * @throws TimeoutException if there was none in time; nothing is retained, and the request may be asked again
     * @throws CancellationException if the request was cancelled
     * @throws PoolShutDownException if the pool was shut down
     * @throws QueueFullException if as many requests wait as the pool allows
     * @throws LeaseholdUnavailableException if the native library could not be loaded
     * @throws IllegalStateException if a lease was had already, or another thread waits for it
     * @throws IllegalArgumentException if {@code unit} is null
     */
    public Lease<C> get(long timeout, TimeUnit unit) throws InterruptedException, TimeoutException {
        return ask(timeout, unit, null);
    }

    /**
     * As {@link #get(long, TimeUnit)}.
     *
     * @param timeout how long to wait at most; zero or negative is not at all
     * @return the lease, the caller's to end
     * @throws InterruptedException if the thread was interrupted before or while it had to wait; nothing is retained
     * @throws TimeoutException if there was none in time; nothing is retained, and the request may be asked again
     * @throws CancellationException if the request was cancelled
     * @throws PoolShutDownException if the pool was shut down
     * @throws QueueFullException if as many requests wait as the pool allows
     * @throws LeaseholdUnavailableException if the native library could not be loaded
     * @throws IllegalStateException if a lease was had already, or another thread waits for it
     * @throws IllegalArgumentException if {@code timeout} is null
     */
    public Lease<C> get(Duration timeout) throws InterruptedException, TimeoutException {
        return get(Arguments.nanos(timeout), TimeUnit.NANOSECONDS);
    }

    /**
     * As {@link #get}, and makes something of the lease, as {@link ConnectionPool#tryLeaseFor} does. If that fails, this request was
     * served all the same.
     *
     * @param timeout how long to wait at most; zero or negative is not at all, {@link Long#MAX_VALUE} is without end
     * @param unit the unit of {@code timeout}
     * @param use makes something of the lease, outside every lock
     * @param <T> what it makes
     * @return what the function returned
     * @throws InterruptedException if the thread was interrupted before or while it had to wait; nothing is retained
     * @throws TimeoutException if there was none in time; nothing is retained, and the request may be asked again
     * @throws CancellationException if the request was cancelled
     * @throws PoolShutDownException if the pool was shut down
     * @throws QueueFullException if as many requests wait as the pool allows
     * @throws LeaseholdUnavailableException if the native library could not be loaded
     * @throws IllegalStateException if a lease was had already, or another thread waits for it
     * @throws IllegalArgumentException if {@code unit} or {@code use} is null
     */
    public <T> T getFor(long timeout, TimeUnit unit, Function<? super Lease<C>, ? extends T> use)
            throws InterruptedException, TimeoutException {
        return ask(timeout, unit, Arguments.given(use, "use", "say get(timeout, unit) for the lease itself"));
    }

    /**
     * As {@link #getFor(long, TimeUnit, Function)}.
     *
     * @param timeout how long to wait at most; zero or negative is not at all
     * @param use makes something of the lease, outside every lock
     * @param <T> what it makes
     * @return what the function returned
     * @throws InterruptedException if the thread was interrupted before or while it had to wait; nothing is retained
     * @throws TimeoutException if there was none in time; nothing is retained, and the request may be asked again
     * @throws CancellationException if the request was cancelled
     * @throws PoolShutDownException if the pool was shut down
     * @throws QueueFullException if as many requests wait as the pool allows
     * @throws LeaseholdUnavailableException if the native library could not be loaded
     * @throws IllegalStateException if a lease was had already, or another thread waits for it
     * @throws IllegalArgumentException if {@code timeout} or {@code use} is null
     */
    public <T> T getFor(Duration timeout, Function<? super Lease<C>, ? extends T> use) throws InterruptedException, TimeoutException {
        return getFor(Arguments.nanos(timeout), TimeUnit.NANOSECONDS, use);
    }

    private <T> T ask(long timeout, TimeUnit unit, Function<? super Lease<C>, ? extends T> use)
            throws InterruptedException, TimeoutException {
        // What is wrong with it is said before the request is anybody's.
        Deadline deadline = new Deadline(timeout, unit, clock, status);
        Thread thread = Thread.currentThread();
        if (!status.compareAndSet(ASKED_BY_NOBODY, thread)) {
            if (isCancelled()) {
                throw new CancellationException("the request for a connection was cancelled");
            }
            throw new IllegalStateException("this request was served already or another thread waits for it: make a new one");
        }
        try {
            return source.lease(deadline, use);
        } finally {
            status.compareAndSet(thread, ASKED_BY_NOBODY);
        }
    }

    /**
     * Cancels the request: whoever waits for it, or asks later, gets a {@link CancellationException}. A connection that
     * was about to be handed over stays in the pool.
     *
     * @return false if a lease was had already, or the request had been cancelled
     */
    public boolean cancel() {
        for (;;) {
            Object seen = status.get();
            if (seen == Deadline.HAD || seen == Deadline.CANCELLED) {
                return false;
            }
            if (status.compareAndSet(seen, Deadline.CANCELLED)) {
                if (seen instanceof Thread) {
                    LockSupport.unpark((Thread) seen);
                }
                return true;
            }
        }
    }

    /**
     * Whether the request was cancelled.
     *
     * @return true if {@link #cancel} was called in time
     */
    public boolean isCancelled() {
        return status.get() == Deadline.CANCELLED;
    }
}
