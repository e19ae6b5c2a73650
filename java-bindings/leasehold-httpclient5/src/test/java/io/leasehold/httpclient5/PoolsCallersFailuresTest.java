package io.leasehold.httpclient5;

import io.leasehold.testsupport.CellCount;
import io.leasehold.testsupport.Matrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever callers' code does under whichever call of the pool for HttpCore 5, the pool loses nothing. */
class PoolsCallersFailuresTest {
    @RegisterExtension
    static final CellCount CELLS = new CellCount("the pool for HttpCore 5");

    private static Matrix<BusyPoolStage> matrix(String place) {
        String pool = "LeaseholdConnPool.";
        String lease = pool + "lease(Object, Object, Timeout, FutureCallback)";
        return new Matrix<>(() -> new BusyPoolStage(!place.equals(BusyPoolStage.CLOSE)), BusyPoolStage.LOG)
                .call(pool + "lease(Object, Object)", stage -> stage.lease(stage.like(stage.a), null))
                .call(pool + "lease(Object, Object): of a new route", stage -> stage.lease(stage.c, null))
                .call(pool + "lease(Object, Object): for somebody", stage -> stage.lease(stage.like(stage.a), stage.state.like()))
                .call(pool + "lease(Object, Object): for somebody else",
                        stage -> stage.lease(stage.c, new FailingState("else", stage.faults())))
                .call(lease, stage -> stage.request(stage.like(stage.a), Timeout.ofSeconds(20)))
                .call(lease + ": of a new route", stage -> stage.request(stage.c, Timeout.ofSeconds(20)))
                .call(lease + ": served by a release", stage -> {
                    stage.pool.setMaxPerRoute(stage.b, 3);
                    stage.pool.setMaxTotal(6);
                    // The waiter has the third.
                    stage.awaitPending(0);
                }, stage -> stage.requestAndEnd(() -> stage.pool.release(stage.mine, true)))
                .call(lease + ": in vain", stage -> stage.requestAndEnd(() -> stage.pool.close(CloseMode.GRACEFUL)))
                .call(lease + ": too late", stage -> {
                    stage.request(stage.like(stage.b), Timeout.ofMilliseconds(1));
                    stage.awaitTold();
                })
                .call("Future.cancel(boolean)", stage -> stage.request(stage.like(stage.b), Timeout.ofSeconds(20)).cancel(true))
                .call("Future.cancel(boolean): of what was served", stage -> stage.pool.lease(stage.like(stage.a), null).cancel(true))
                .call("Future.isDone()", stage -> {
                    Future<?> future = stage.pool.lease(stage.like(stage.b), null);
                    try {
                        future.isDone();
                        future.isCancelled();
                        String.valueOf(future);
                    } finally {
                        future.cancel(true);
                    }
                })
                .call("Future.get(long, TimeUnit): in vain",
                        stage -> stage.pool.lease(stage.like(stage.b), null).get(1, TimeUnit.MILLISECONDS))
                .call("Future.get(): is interrupted", stage -> {
                    Thread.currentThread().interrupt();
                    stage.pool.lease(stage.like(stage.b), null).get();
                })
                .call(pool + "release(PoolEntry, boolean)", stage -> stage.pool.release(stage.mine, true))
                .call(pool + "release(PoolEntry, boolean): of a new connection", stage -> {
                    stage.vacancy();
                    stage.last().assignConnection(stage.connection());
                }, stage -> stage.pool.release(stage.last(), true))
                .call(pool + "release(PoolEntry, boolean): without a connection", BusyPoolStage::vacancy,
                        stage -> stage.pool.release(stage.last(), true))
                .call(pool + "release(PoolEntry, boolean): for somebody", stage -> stage.mine.updateState(stage.state.like()),
                        stage -> stage.pool.release(stage.mine, true))
                .call(pool + "release(PoolEntry, boolean): for a while", stage -> stage.mine.updateExpiry(TimeValue.ofHours(1)),
                        stage -> stage.pool.release(stage.mine, true))
                .call(pool + "release(PoolEntry, boolean): for good", stage -> stage.pool.release(stage.mine, false))
                .call(pool + "release(PoolEntry, boolean): over the limit", stage -> stage.pool.setMaxTotal(1),
                        stage -> stage.pool.release(stage.mine, true))
                .call(pool + "release(PoolEntry, boolean): after a shutdown", stage -> {
                    stage.vacancy();
                    stage.pool.close(CloseMode.GRACEFUL);
                    stage.last().assignConnection(stage.connection());
                }, stage -> stage.pool.release(stage.last(), true))
                .call("PoolEntry.discardConnection(CloseMode)", stage -> stage.mine.discardConnection(CloseMode.GRACEFUL))
                .call("PoolEntry.toString()", stage -> String.valueOf(stage.mine))
                .call(pool + "close()", stage -> stage.pool.close())
                .call(pool + "close(CloseMode)", stage -> stage.pool.close(CloseMode.IMMEDIATE))
                .call(pool + "isShutdown()", stage -> stage.pool.isShutdown())
                .call(pool + "closeIdle(TimeValue)", stage -> stage.pool.closeIdle(TimeValue.ZERO_MILLISECONDS))
                .call(pool + "closeExpired()", stage -> stage.pool.closeExpired())
                .call(pool + "getRoutes()", stage -> stage.pool.getRoutes())
                .call(pool + "setMaxTotal(int)", stage -> stage.pool.setMaxTotal(1))
                .call(pool + "setMaxTotal(int): raises", stage -> stage.pool.setMaxTotal(9))
                .call(pool + "getMaxTotal()", stage -> stage.pool.getMaxTotal())
                .call(pool + "setDefaultMaxPerRoute(int)", stage -> stage.pool.setDefaultMaxPerRoute(1))
                .call(pool + "setDefaultMaxPerRoute(int): raises", stage -> stage.pool.setDefaultMaxPerRoute(3))
                .call(pool + "getDefaultMaxPerRoute()", stage -> stage.pool.getDefaultMaxPerRoute())
                .call(pool + "setMaxPerRoute(Object, int)", stage -> stage.pool.setMaxPerRoute(stage.like(stage.a), 0))
                .call(pool + "setMaxPerRoute(Object, int): raises", stage -> stage.pool.setMaxPerRoute(stage.like(stage.b), 3))
                .call(pool + "getMaxPerRoute(Object)", stage -> stage.pool.getMaxPerRoute(stage.like(stage.b)))
                .call(pool + "setName(String)", stage -> stage.pool.setName("other"))
                .call(pool + "getName()", stage -> stage.pool.getName())
                .call(pool + "getTotalStats()", stage -> stage.pool.getTotalStats())
                .call(pool + "getStats(Object)", stage -> stage.pool.getStats(stage.like(stage.a)))
                .call(pool + "toString()", stage -> stage.pool.toString());
    }

    static List<String> places() {
        List<String> places = new ArrayList<>(Matrix.givenTo(LeaseholdConnPool.class));
        places.addAll(Arrays.asList(BusyPoolStage.CLOSE, BusyPoolStage.ROUTE_EQUALS, BusyPoolStage.ROUTE_HASH_CODE,
                BusyPoolStage.ROUTE_TO_STRING, FailingState.EQUALS, BusyPoolStage.LOG, Matrix.INTERRUPTED));
        return places;
    }

    /** All that a caller gives to the pool is tried: an interface that is new among the parameters needs a call that comes to it. */
    @ParameterizedTest
    @MethodSource("places")
    void whereverItIs(String place) throws Exception {
        CELLS.run(matrix(place), place);
    }

    @Test
    void everyPublicMethodIsCalled() {
        matrix(BusyPoolStage.CLOSE).mustCover(LeaseholdConnPool.class);
    }
}
