package io.leasehold;

import java.util.concurrent.CompletableFuture;

/** What is told of a lease that comes later: a hook, or a future. */
abstract class AsyncLease<C> extends HookedRequest {
    final Lease<C> lease;

    AsyncLease(NativePool pool, Lease<C> lease, Object route, StateRef boundTo, Deadline deadline) {
        super(pool, lease.ref, route, boundTo, deadline);
        this.lease = lease;
    }

    @Override
    @SuppressWarnings("unchecked") // A pool's cells hold what its own leases were given.
    final void granted(Object connection) {
        lease.connection = (C) connection;
        granted();
    }

    /** The lease is there. */
    abstract void granted();

    /** A hook is told. */
    static final class Hooked<C> extends AsyncLease<C> {
        private final LeaseHook<C> hook;

        Hooked(NativePool pool, Lease<C> lease, Object route, StateRef boundTo, Deadline deadline, LeaseHook<C> hook) {
            super(pool, lease, route, boundTo, deadline);
            this.hook = hook;
        }

        @Override
        void granted() {
            hook.leased(lease);
        }

        @Override
        void refused(Throwable why) {
            hook.failed(why);
        }
    }

    /** A future is completed, and whoever else completes it ends the request. */
    static final class Future<C> extends AsyncLease<C> {
        final CompletableFuture<Lease<C>> future = new CompletableFuture<>();

        Future(NativePool pool, Lease<C> lease, Object route, StateRef boundTo, Deadline deadline) {
            super(pool, lease, route, boundTo, deadline);
            future.whenComplete((result, failure) -> cancel());
        }

        @Override
        void granted() {
            if (!future.complete(lease)) {
                lease.giveBack();
            }
        }

        @Override
        void refused(Throwable why) {
            future.completeExceptionally(why);
        }

        /** A future that runs out of stack or memory over what depends on it has its value all the same. */
        @Override
        boolean hasTaken() {
            return future.isDone() && !future.isCompletedExceptionally() && future.getNow(null) == lease;
        }
    }
}
