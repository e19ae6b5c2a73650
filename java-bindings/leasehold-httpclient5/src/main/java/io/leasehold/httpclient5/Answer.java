package io.leasehold.httpclient5;

import io.leasehold.Lease;
import io.leasehold.LeaseKeeper;
import io.leasehold.managed.WeakConnection;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.io.ModalCloseable;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.util.Args;

/**
 * The future that a request for an entry is to its caller: this one is of an entry that was there at once. It has room for what that takes,
 * as most requests do, and is made before the entry is asked for, so that none is lost for want of memory.
 *
 * <p>Its life is one word. An entry that came and that nobody has taken when the request is cancelled goes back: who cancels and who comes
 * for the entry change the word by compare-and-set, and one of them has the entry.
 */
class Answer<T, C extends ModalCloseable>
        implements Future<PoolEntry<T, C>>, Cancellable, LeaseKeeper<WeakConnection<Place<T, C>>, PoolEntry<T, C>> {
    /** There is no answer yet. */
    static final int WAITING = 0;
    /** The entry is here, for who comes for it first. */
    static final int SERVED = 1;
    /** Somebody has the entry: the callback, or who came for it. */
    static final int TAKEN = 2;
    static final int FAILED = 3;
    static final int CANCELLED = 4;

    @SuppressWarnings("rawtypes") // As updaters are made.
    static final AtomicIntegerFieldUpdater<Answer> STATUS = AtomicIntegerFieldUpdater.newUpdater(Answer.class, "status");

    final Entries<T, C> entries;
    // Written by the thread that asks, as long as nobody else has the request; afterwards changed by compare-and-set.
    volatile int status;
    // Written before the status that says that it is here, and by who cancels.
    PoolEntry<T, C> entry;

    Answer(Entries<T, C> entries) {
        this.entries = entries;
    }

    /** The entry was to be had at once, by the thread that asks. */
    void servedAtOnce(PoolEntry<T, C> served, FutureCallback<PoolEntry<T, C>> callback) {
        entry = served;
        if (callback == null) {
            // In order, and no more: who is given the request by the thread that asks sees what that has written.
            STATUS.lazySet(this, SERVED);
        } else {
            status = TAKEN;
            entries.lookAgain(served);
            callback.completed(served);
        }
    }

    @Override
    public final Lease<WeakConnection<Place<T, C>>> kept(WeakConnection<Place<T, C>> cell) {
        Place<T, C> place = cell.get();
        return place == null ? null : place.ended;
    }

    /** Makes of a lease what its user gets. Whatever this throws, the lease is discarded. */
    @Override
    public final PoolEntry<T, C> apply(Lease<WeakConnection<Place<T, C>>> lease) {
        return entries.begin(lease);
    }

    @Override
    public boolean cancel() {
        if (!STATUS.compareAndSet(this, SERVED, CANCELLED)) {
            return false;
        }
        PoolEntry<T, C> served = entry;
        entry = null;
        entries.release(served, true);
        return true;
    }

    /**
     * Whoever has got the entry cannot use it: it goes back, unless it has gone. Who comes for it once more is told that the request was
     * cancelled.
     */
    final void giveBack() {
        if (STATUS.compareAndSet(this, TAKEN, CANCELLED)) {
            PoolEntry<T, C> unused = entry;
            entry = null;
            // Had it been released it would not be leased again, as its connection would not have been kept.
            entries.giveBack(unused, entries.use(unused));
        }
    }

    @Override
    public final boolean cancel(boolean mayInterruptIfRunning) {
        return cancel();
    }

    @Override
    public final boolean isCancelled() {
        return status == CANCELLED;
    }

    @Override
    public final boolean isDone() {
        return status != WAITING;
    }

    @Override
    public PoolEntry<T, C> get() throws InterruptedException, ExecutionException {
        return taken();
    }

    @Override
    public PoolEntry<T, C> get(long time, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
        Args.notNull(unit, "Time unit");
        return taken();
    }

    /** The entry, for who comes for it. */
    final PoolEntry<T, C> taken() {
        if (STATUS.compareAndSet(this, SERVED, TAKEN)) {
            entries.lookAgain(entry);
        } else if (status == CANCELLED) {
            throw new CancellationException();
        }
        return entry;
    }

    @Override
    public String toString() {
        PoolEntry<T, C> served = entry;
        return "[" + (served == null ? null : served.getRoute()) + "][null]";
    }
}
