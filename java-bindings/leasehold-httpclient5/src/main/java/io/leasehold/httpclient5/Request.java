package io.leasehold.httpclient5;

import io.leasehold.Lease;
import io.leasehold.LeaseHook;
import io.leasehold.LeaseRequest;
import io.leasehold.PoolShutDownException;
import io.leasehold.managed.WeakConnection;
import io.leasehold.managed.WeakInterner;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.io.ModalCloseable;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.util.Args;
import org.apache.hc.core5.util.Deadline;
import org.apache.hc.core5.util.DeadlineTimeoutException;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.apache.hc.core5.util.TimeoutValueException;

/**
 * One request for an entry that may have to wait, and the future that it is to its caller. Once it waits the word of its life is changed by
 * compare-and-set alone: whoever makes it one of its ends does what follows. An entry that comes for a request that has ended goes back, as
 * does one that came and that nobody has taken when the request is cancelled: a thread that is interrupted as its entry comes loses none.
 */
final class Request<T, C extends ModalCloseable> extends Answer<T, C>
        implements LeaseHook<WeakConnection<Place<T, C>>>, Function<Lease<WeakConnection<Place<T, C>>>, PoolEntry<T, C>> {
    static final String SHUT_DOWN = "Connection pool shut down";

    /** The answer to a request whose failure could not be put into words. Made once, as there may be no memory then. */
    private static final Exception UNEXPLAINED = new ExecutionException("The request has failed, and its failure could not be told", null) {
        private static final long serialVersionUID = 1;

        @Override
        public synchronized Throwable fillInStackTrace() {
            return this;
        }
    };

    private final T route;
    private final WeakInterner.Held<Object> state;
    private final Timeout timeout;
    private final FutureCallback<PoolEntry<T, C>> callback;
    // Written before the status that says so.
    private Exception failure;
    // When it gives up; and those who wait for it. Written before it is queued, by the thread that asks, who alone knows it till then.
    private Deadline deadline;
    private CountDownLatch end;
    // What waits in the pool underneath, until the request ends. Written by the thread that asks, and by whoever ends it.
    private volatile LeaseRequest queued;

    Request(Entries<T, C> entries, T route, WeakInterner.Held<Object> state, Timeout timeout, FutureCallback<PoolEntry<T, C>> callback) {
        super(entries);
        this.route = route;
        this.state = state;
        this.timeout = timeout;
        this.callback = callback;
    }

    /** What is said to whoever comes too late. */
    static IllegalStateException shutDown() {
        return new IllegalStateException(SHUT_DOWN);
    }

    /** What the pool underneath knows the state by; null for none. */
    WeakInterner.Key<Object> key() {
        return WeakInterner.key(state);
    }

    /** It is to wait from now on, until {@link #queued}. */
    void prepareToWait() {
        deadline = Deadline.calculate(timeout);
        end = new CountDownLatch(1);
    }

    /** It waits in the pool underneath, or has its answer by now. Nobody can have cancelled it, as nobody has it yet. */
    void queued(LeaseRequest queued) {
        this.queued = queued;
        if (status != WAITING) {
            this.queued = null;
        }
    }

    @Override
    public void leased(Lease<WeakConnection<Place<T, C>>> lease) {
        PoolEntry<T, C> served;
        try {
            served = entries.begin(lease);
        } catch (Throwable e) {
            try {
                lease.tryDiscard();
            } finally {
                failed(e);
            }
            return;
        }
        entry = served;
        if (!STATUS.compareAndSet(this, WAITING, callback == null ? SERVED : TAKEN)) {
            entry = null;
            entries.release(served, true);
            return;
        }
        ended();
        entries.lookAgain(served);
        if (callback != null) {
            try {
                callback.completed(served);
            } catch (Throwable e) {
                callbackFailed(e);
            }
        }
    }

    @Override
    public void failed(Throwable why) {
        Exception answer = UNEXPLAINED;
        try {
            answer = answer(why);
        } catch (Throwable e) {
            // There is no memory to say more, or what has failed cannot say it. An answer there is all the same.
        }
        failure = answer;
        if (STATUS.compareAndSet(this, WAITING, FAILED)) {
            ended();
            if (callback != null) {
                try {
                    callback.failed(answer);
                } catch (Throwable e) {
                    callbackFailed(e);
                }
            }
        }
    }

    private Exception answer(Throwable why) {
        if (why instanceof TimeoutException) {
            Exception end = DeadlineTimeoutException.from(deadline);
            end.initCause(why);
            return end;
        }
        if (why instanceof PoolShutDownException) {
            return shutDown();
        }
        return why instanceof Exception ? (Exception) why : executionException(why);
    }

    /** Also of what fails to say what it is. */
    static ExecutionException executionException(Throwable why) {
        try {
            return new ExecutionException(why);
        } catch (RuntimeException | Error e) {
            return new ExecutionException(null, why);
        }
    }

    /** It waits no more. */
    private void ended() {
        end.countDown();
        queued = null;
    }

    /** On a thread that is somebody else's. */
    static void callbackFailed(Throwable e) {
        OwnTreatment.warn("A callback has failed that was told of a lease", e);
    }

    @Override
    public boolean cancel() {
        return giveUp() || super.cancel();
    }

    /** Waits no longer; false if it has an answer. */
    private boolean giveUp() {
        if (!STATUS.compareAndSet(this, WAITING, CANCELLED)) {
            return false;
        }
        LeaseRequest waiting = queued;
        ended();
        if (waiting != null) {
            waiting.cancel();
        }
        if (callback != null) {
            callback.cancelled();
        }
        return true;
    }

    @Override
    public PoolEntry<T, C> get() throws InterruptedException, ExecutionException {
        if (status == WAITING) {
            await(Long.MAX_VALUE);
        }
        return result();
    }

    /**
     * As of HttpCore's own pool: who asks for too long ends the request. Should the request give up before, who would not have waited
     * for longer is told the same.
     */
    @Override
    public PoolEntry<T, C> get(long time, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
        Args.notNull(unit, "Time unit");
        if (status != WAITING && status != FAILED) {
            return result();
        }
        long millis = unit.toMillis(time);
        long start = System.nanoTime();
        boolean isEnded = status != WAITING || millis > 0 && await(millis);
        // An entry that comes at this moment is what was waited for.
        if (!isEnded && giveUp() || hasGivenUpWithin(millis)) {
            long waited = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
            throw timedOut(millis, Math.max(millis, waited));
        }
        return result();
    }

    private TimeoutValueException timedOut(long millis, long waited) {
        try {
            return new RequestTimeout(millis, waited, entries.managed().pool().describe(route));
        } catch (Throwable e) {
            // There is no memory to say more, or the route cannot say what it is.
            return TimeoutValueException.fromMilliseconds(millis, waited);
        }
    }

    /** Waits for its end. A thread that is interrupted gives the request up, but for a callback, which waits on. */
    private boolean await(long millis) throws InterruptedException {
        try {
            return end.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            if (callback == null) {
                cancel();
            }
            throw e;
        }
    }

    private boolean hasGivenUpWithin(long millis) {
        return status == FAILED && failure instanceof DeadlineTimeoutException && millis <= timeout.toMilliseconds();
    }

    /** What it has come to. */
    private PoolEntry<T, C> result() throws ExecutionException {
        if (status == FAILED) {
            throw executionException(failure);
        }
        return taken();
    }

    @Override
    public String toString() {
        return "[" + route + "][" + (state == null ? null : state.first()) + "]";
    }
}
