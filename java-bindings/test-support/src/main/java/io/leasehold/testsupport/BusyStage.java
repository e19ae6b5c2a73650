package io.leasehold.testsupport;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/**
 * A pool, or a manager, in the middle of its work, with loggers that can be made to fail: to "b" two connections are leased, which is the
 * limit, and one request waits; to "a" two are idle. That is the limit in total. Settled, all of it must be had again, and nothing be left.
 *
 * @param <L> what a request is answered with
 */
public abstract class BusyStage<L> implements Matrix.Stage {
    /** The place of loggers. */
    public static final String LOG = "a logger";
    /** The limit in total. */
    protected static final int TOTAL = 4;
    /** The limit of each route. */
    protected static final int PER_ROUTE = 2;

    /** What makes the callers' code fail. */
    protected final Faults faults = new Faults();
    private final String[] loggers;
    private final LogCapture log;
    private final Queue<Throwable> surfaced = new ConcurrentLinkedQueue<>();
    private FailingLog failingLog;
    private Thread waiter;
    // Both written by the waiter before it ends.
    private volatile L waiters;
    private volatile Throwable waitersFailure;

    /** A stage whose loggers of these names may fail. */
    protected BusyStage(String... loggers) {
        this.loggers = loggers;
        log = LogCapture.of(loggers);
    }

    /** Has somebody wait, without end, and from then on logs fail on demand: what a stage's maker does last. */
    protected final void begin(Callable<L> wait, Callable<Boolean> somebodyWaits) throws Exception {
        waiter = new Thread(() -> {
            try {
                waiters = wait.call();
            } catch (Throwable e) {
                waitersFailure = e;
            }
        }, "waiter");
        waiter.start();
        Eventually.await("somebody waits", somebodyWaits);
        failingLog = new FailingLog(faults, LOG, loggers);
    }

    /** Whether the waiter's thread is parked, for stages that have no count of those who wait. */
    protected final boolean isWaiterParked() {
        return waiter.getState() == Thread.State.TIMED_WAITING || waiter.getState() == Thread.State.WAITING;
    }

    /** Sets what a call may have set. */
    protected abstract void restoreSettings();

    /** Ends all that the stage has leased. */
    protected abstract void endAll();

    /** Ends what the waiter got. */
    protected abstract void end(L waiters);

    /** Whether the pool was shut down, by what it says to who leases. */
    protected abstract boolean isShutDown() throws Exception;

    /** Whether this is how who waits learns of a shutdown. */
    protected abstract boolean tellsOfShutdown(Throwable failure);

    /** Returns once no lease is under way. */
    protected abstract void awaitNothingLeased() throws Exception;

    /** Leases and opens all that there is to be had. */
    protected abstract void takeAll() throws Exception;

    /** Demands that nothing more is to be had. */
    protected abstract void assertAllIsTaken();

    /** Closes all that is idle. */
    protected abstract void closeIdle();

    /** Demands that nothing is left, and that all that was opened was closed. */
    protected abstract void assertNothingIsLeft() throws Exception;

    @Override
    public final Faults faults() {
        return faults;
    }

    @Override
    public void awaitQuiet() throws Exception {}

    @Override
    public final void settle() throws Exception {
        failingLog.close();
        restoreSettings();
        endAll();
        waiter.join(TimeUnit.SECONDS.toMillis(Math.min(20, Eventually.PATIENCE_SECONDS)));
        assertTrue(!waiter.isAlive(), () -> "the waiter was not answered: " + this);
        boolean isShutDown = isShutDown();
        if (waiters != null) {
            end(waiters);
        } else if (isOnDemand(waitersFailure)) {
            surface(waitersFailure);
        } else {
            assertTrue(isShutDown && tellsOfShutdown(waitersFailure), () -> "the waiter got " + waitersFailure);
        }
        awaitNothingLeased();
        if (!isShutDown) {
            takeAll();
            assertAllIsTaken();
            endAll();
        }
        closeIdle();
        assertNothingIsLeft();
    }

    private boolean isOnDemand(Throwable failure) {
        for (Throwable each = failure; each != null; each = each.getCause()) {
            if (faults.thrown().contains(each)) {
                return true;
            }
        }
        return false;
    }

    /** Somebody was told of a failure. */
    protected final void surface(Throwable failure) {
        surfaced.add(failure);
    }

    @Override
    public final List<Throwable> surfaced() {
        List<Throwable> all = new ArrayList<>(surfaced);
        all.addAll(log.thrown());
        return all;
    }

    @Override
    public void close() throws Exception {
        faults.disarm();
        failingLog.close();
        log.close();
        shutDown();
        waiter.interrupt();
        waiter.join();
    }
}
