package io.leasehold.httpclient5;

import io.leasehold.Lease;
import java.lang.ref.WeakReference;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.io.ModalCloseable;
import org.apache.hc.core5.pool.DisposalCallback;
import org.apache.hc.core5.pool.PoolEntry;
import org.apache.hc.core5.util.TimeValue;

/**
 * What an entry refers to of ours, as the callback by which it closes its connections: so its lease lives exactly as long as somebody has
 * the entry. Who loses the entry loses the lease, which the collector then tells the pool.
 */
final class Tie<T, C extends ModalCloseable> implements DisposalCallback<C> {
    /** Is told which connections the entry closes. */
    interface Witness<C> {
        /** It is about to be closed, and the entry has none. */
        void closing(C connection);
    }

    @SuppressWarnings("rawtypes") // As updaters are made.
    private static final AtomicReferenceFieldUpdater<Tie, Lease> LEASE =
            AtomicReferenceFieldUpdater.newUpdater(Tie.class, Lease.class, "lease");

    final PoolEntry<T, C> entry;
    private final Closing<C> closing;
    // Null between leases. Written by whoever leases the entry; taken out by one of those that end the lease, who alone may go on with it.
    volatile Lease<?> lease;
    // Its place, which leads to all others and so must not be held by whoever has the entry. Written once, by its maker.
    WeakReference<? extends Witness<C>> witness;

    Tie(T route, TimeValue timeToLive, Closing<C> closing) {
        this.closing = closing;
        entry = new PoolEntry<>(route, timeToLive, this);
    }

    /** Its entry is leased from now on. Whoever hands the entry out comes past a fence first. */
    void begin(Lease<?> begun) {
        LEASE.lazySet(this, begun);
    }

    /** The lease, to be ended by the caller; null if the entry is not leased. */
    Lease<?> takeLease() {
        return LEASE.getAndSet(this, null);
    }

    @Override
    public void execute(C connection, CloseMode mode) {
        Witness<C> place = witness.get();
        if (place != null) {
            place.closing(connection);
        }
        closing.close(connection, mode);
    }
}
