package io.leasehold.httpclient5;

import io.leasehold.testsupport.BusyStage;
import io.leasehold.testsupport.Eventually;
import java.util.concurrent.ExecutionException;
import org.apache.hc.core5.pool.ConnPoolControl;
import org.apache.hc.core5.pool.PoolStats;
import org.apache.hc.core5.util.TimeValue;

/**
 * A pool of HttpCore's kind, or a manager, of whose stage it has all that is done by {@link ConnPoolControl}.
 *
 * @param <R> the routes
 * @param <L> what a request is answered with
 */
abstract class BusyControlStage<R, L> extends BusyStage<L> {
    /** A stage whose loggers of these names may fail. */
    BusyControlStage(String... loggers) {
        super(loggers);
    }

    /** The pool, or the manager. */
    abstract ConnPoolControl<R> control();

    /** "a" and "b". */
    abstract R[] routes();

    /** Leases, without waiting long, and opens. */
    abstract L open(R route, Object boundTo) throws Exception;

    /** Whether every connection that was opened is closed. */
    abstract boolean isAllClosed();

    @Override
    protected final void restoreSettings() {
        control().setMaxTotal(TOTAL);
        control().setDefaultMaxPerRoute(PER_ROUTE);
        for (R route : routes()) {
            control().setMaxPerRoute(route, -1);
        }
    }

    @Override
    protected final boolean tellsOfShutdown(Throwable failure) {
        return failure instanceof IllegalStateException
                || failure instanceof ExecutionException && failure.getCause() instanceof IllegalStateException;
    }

    /** Returns once so many wait. */
    final void awaitPending(int requests) throws Exception {
        Eventually.await("they wait: " + this, () -> control().getTotalStats().getPending() == requests);
    }

    @Override
    protected final void awaitNothingLeased() throws Exception {
        Eventually.await("nothing is leased any more: " + this, () -> {
            PoolStats stats = control().getTotalStats();
            return stats.getLeased() + stats.getPending() == 0;
        });
    }

    @Override
    protected final void takeAll() throws Exception {
        for (R route : routes()) {
            for (int i = 0; i < PER_ROUTE; i++) {
                open(route, null);
            }
        }
    }

    @Override
    protected final void closeIdle() {
        control().closeIdle(TimeValue.ZERO_MILLISECONDS);
    }

    @Override
    protected void assertNothingIsLeft() throws Exception {
        Eventually.await("nothing is left: " + this, () -> {
            PoolStats stats = control().getTotalStats();
            return stats.getLeased() + stats.getPending() + stats.getAvailable() == 0;
        });
        Eventually.await("every connection is closed", this::isAllClosed);
    }

    @Override
    public String toString() {
        return String.valueOf(control().getTotalStats());
    }
}
