package io.leasehold.httpclient5;

import io.leasehold.Lease;
import io.leasehold.LeaseHook;
import io.leasehold.LeaseRequest;
import io.leasehold.PoolShutDownException;
import io.leasehold.managed.WeakConnection;
import io.leasehold.managed.WeakInterner;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.function.Function;
import org.apache.hc.core5.concurrent.Cancellable;
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
 * One request for an entry, and the future that it is to its caller. Its life is one word, changed by compare-and-set alone: whoever makes
 * it one of its ends does what follows. An entry that comes for a request that has ended goes back, as does one that came and that nobody
 * has taken when the request is cancelled: a thread that is interrupted as its entry comes loses none.
 */
final class Request<T, C extends ModalCloseable>
        implements Future<PoolEntry<T, C>>, Cancellable, LeaseHook<WeakConnection<Place<T, C>>>,
        Function<Lease<WeakConnection<Place<T, C>>>, PoolEntry<T, C>> {
    static final String SHUT_DOWN = "Connection pool shut down";

    private static final int WAITING = 0;
    /** The entry is here, for who comes for it first. */
    private static final int SERVED = 1;
    /** Somebody has the entry: the callback, or who came for it. */
    private static final int TAKEN = 2;
    private static final int FAILED = 3;
    private static final int CANCELLED = 4;

    /** The answer to a request whose failure could not be put into words. Made once, as there may be no memory then. */
    private static final Exception UNEXPLAINED = new ExecutionException("The request has failed, and its failure could not be told", null) {
        private static final long serialVersionUID = 1;

        @Override
        public synchronized Throwable fillInStackTrace() {
            return this;
        }
    };

    @SuppressWarnings("rawtypes") // As updaters are made.
    private static final AtomicIntegerFieldUpdater<Request> STATUS = AtomicIntegerFieldUpdater.newUpdater(Request.class, "status");

    private final Entries<T, C> entries;
    private final T route;
    private final WeakInterner.Held<Object> state;
    private final Timeout timeout;
    private final FutureCallback<PoolEntry<T, C>> callback;
    private volatile int status;
    // The next two are written before the status that says so.
    private PoolEntry<T, C> entry;
    private Exception failure;
    // When it gives up; and those who wait for it. Written before it is queued, by the thread that asks, who alone knows it till then.
    private Deadline deadline;
    private CountDownLatch end;
    // What waits in the pool underneath, until the request ends. Written by the thread that asks, and by whoever ends it.
    private volatile LeaseRequest queued;

    Request(Entries<T, C> entries, T route, WeakInterner.Held<Object> state, Timeout timeout, FutureCallback<PoolEntry<T, C>> callback) {
        this.entries = entries;
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

    /** The entry was to be had at once, by the thread that asks. */
    void servedAtOnce(PoolEntry<T, C> entry) {
        this.entry = entry;
        status = callback == null ? SERVED : TAKEN;
        if (callback != null) {
            callback.completed(entry);
        }
    }

    /** It is to wait from now on, until {@link #queued}. */
    void prepareToWait() {
        deadline = Deadline.calculate(timeout);
        end = new CountDownLatch(1);
    }

    /** It waits in the pool underneath, or has its answer by now. */
    void queued(LeaseRequest queued) {
        this.queued = queued;
        if (status == CANCELLED) {
            queued.cancel();
        }
        if (status != WAITING) {
            this.queued = null;
        }
    }

    /** Makes of a lease what its user gets. Whatever this throws, the lease is discarded. */
    @Override
    public PoolEntry<T, C> apply(Lease<WeakConnection<Place<T, C>>> lease) {
        return entries.begin(lease, route);
    }

    @Override
    public void leased(Lease<WeakConnection<Place<T, C>>> lease) {
        PoolEntry<T, C> served;
        try {
            served = entries.begin(lease, route);
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
            return DeadlineTimeoutException.from(deadline);
        }
        if (why instanceof PoolShutDownException) {
            return shutDown();
        }
        return why instanceof Exception ? (Exception) why : executionException(why);
    }

    /** Also of what fails to say what it is. */
    private static ExecutionException executionException(Throwable why) {
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
        if (giveUp()) {
            return true;
        }
        if (STATUS.compareAndSet(this, SERVED, CANCELLED)) {
            PoolEntry<T, C> served = entry;
            entry = null;
            entries.release(served, true);
            return true;
        }
        return false;
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
    public boolean cancel(boolean mayInterruptIfRunning) {
        return cancel();
    }

    @Override
    public boolean isCancelled() {
        return status == CANCELLED;
    }

    @Override
    public boolean isDone() {
        return status != WAITING;
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
            throw TimeoutValueException.fromMilliseconds(millis, Math.max(millis, waited));
        }
        return result();
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
        if (status == SERVED) {
            STATUS.compareAndSet(this, SERVED, TAKEN);
        }
        switch (status) {
            case TAKEN:
                return entry;
            case FAILED:
                throw executionException(failure);
            default:
                throw new CancellationException();
        }
    }

    @Override
    public String toString() {
        return "[" + route + "][" + (state == null ? null : state.first()) + "]";
    }
}
