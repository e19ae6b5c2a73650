package io.leasehold;

import io.leasehold.testsupport.CellCount;
import io.leasehold.testsupport.Matrix;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever callers' code does under whichever call of the pool, the pool loses nothing. */
class CallersFailuresTest {
    @RegisterExtension
    static final CellCount CELLS = new CellCount("the pool");

    static Matrix<PoolStage> matrix(String place) {
        boolean isAside = place.equals(PoolStage.DISPOSE_ASIDE);
        Matrix<PoolStage> matrix = new Matrix<>(() -> new PoolStage(isAside), PoolStage.LOG);
        return matrix
                .call("ConnectionPool.tryLease(Object)", stage -> stage.keep(stage.pool.tryLease(stage.like(stage.a))))
                .call("ConnectionPool.tryLease(Object): of a new route", stage -> stage.keep(stage.pool.tryLease(stage.c)))
                .call("ConnectionPool.tryLease(Object): of a route at its limit",
                        stage -> stage.keep(stage.pool.tryLease(stage.like(stage.b))))
                .call("ConnectionPool.tryLease(Object): meets what has expired", stage -> stage.clock.advance(2, TimeUnit.HOURS),
                        stage -> stage.keep(stage.pool.tryLease(stage.like(stage.a))))
                .call("ConnectionPool.tryLease(Object): meets what is dead", stage -> {
                    stage.makeWatchedIdle();
                    stage.socket.close();
                }, stage -> stage.keep(stage.pool.tryLease(stage.c)))
                .call("ConnectionPool.tryLease(Object, Object)",
                        stage -> stage.keep(stage.pool.tryLease(stage.like(stage.a), stage.like(stage.state))))
                .call("ConnectionPool.tryLease(Object, Object): for somebody else",
                        stage -> stage.keep(stage.pool.tryLease(stage.c, stage.new Key("somebody else", true))))
                .call("ConnectionPool.lease(Object, long, TimeUnit)",
                        stage -> stage.keep(stage.pool.lease(stage.like(stage.a), 1, TimeUnit.MINUTES)))
                .call("ConnectionPool.lease(Object, long, TimeUnit): waits in vain",
                        stage -> stage.leaseInVain(() -> stage.clock.advance(1, TimeUnit.SECONDS)))
                .call("ConnectionPool.lease(Object, long, TimeUnit): is interrupted", stage -> {
                    Thread self = Thread.currentThread();
                    stage.leaseInVain(self::interrupt);
                })
                .call("ConnectionPool.lease(Object, Object, long, TimeUnit)",
                        stage -> stage.keep(stage.pool.lease(stage.like(stage.a), stage.like(stage.state), 1, TimeUnit.MINUTES)))
                .call("ConnectionPool.lease(Object, Duration)", stage -> stage.keep(stage.pool.lease(stage.like(stage.a), MINUTE)))
                .call("ConnectionPool.lease(Object, Object, Duration)",
                        stage -> stage.keep(stage.pool.lease(stage.like(stage.a), stage.like(stage.state), MINUTE)))
                .call("ConnectionPool.leaseFor(Object, Object, Duration, Function)",
                        stage -> stage.pool.leaseFor(stage.like(stage.a), stage.like(stage.state), MINUTE, stage::use))
                .call("ConnectionPool.leaseAsync(Object, Duration)",
                        stage -> stage.take(stage.pool.leaseAsync(stage.like(stage.a), MINUTE)))
                .call("ConnectionPool.leaseAsync(Object, Object, Duration)",
                        stage -> stage.take(stage.pool.leaseAsync(stage.like(stage.a), stage.like(stage.state), MINUTE)))
                .call("ConnectionPool.requestLease(Object, Object, Duration, LeaseHook)",
                        stage -> stage.request(stage.like(stage.a), MINUTE).cancel())
                .call("PendingLease.get(Duration)", stage -> stage.keep(
                        stage.pool.pendingLease(stage.like(stage.a), stage.like(stage.state)).get(MINUTE)))
                .call("PendingLease.getFor(Duration, Function)",
                        stage -> stage.pool.pendingLease(stage.a, null).getFor(MINUTE, stage::use))
                .call("ConnectionPool.tryLeaseFor(Object, Object, Function)",
                        stage -> stage.pool.tryLeaseFor(stage.like(stage.a), null, stage::use))
                .call("ConnectionPool.tryLeaseFor(Object, Object, Function): of a new route",
                        stage -> stage.pool.tryLeaseFor(stage.c, null, stage::use))
                .call("ConnectionPool.tryLeaseAgain(Object, LeaseKeeper)",
                        stage -> stage.vacancy().opened(stage.connection()), stage -> {
                            stage.lastLease().release();
                            stage.pool.tryLeaseAgain(stage.like(stage.c), stage.keeper());
                        })
                .call("ConnectionPool.leaseFor(Object, Object, long, TimeUnit, Function)",
                        stage -> stage.pool.leaseFor(stage.like(stage.a), stage.like(stage.state), 1, TimeUnit.MINUTES, stage::use))
                .call("PendingLease.getFor(long, TimeUnit, Function)",
                        stage -> stage.pool.pendingLease(stage.a, null).getFor(1, TimeUnit.MINUTES, stage::use))
                .call("ConnectionPool.pendingLease(Object, Object)", stage -> stage.pool.pendingLease(stage.a, stage.state))
                .call("PendingLease.get(long, TimeUnit)", stage -> stage.keep(
                        stage.pool.pendingLease(stage.like(stage.a), stage.like(stage.state)).get(1, TimeUnit.MINUTES)))
                .call("PendingLease.cancel()", stage -> stage.pool.pendingLease(stage.a, null).cancel())
                .call("PendingLease.isCancelled()", stage -> stage.pool.pendingLease(stage.a, null).isCancelled())
                .call("ConnectionPool.leaseAsync(Object, long, TimeUnit)",
                        stage -> stage.take(stage.pool.leaseAsync(stage.like(stage.a), 1, TimeUnit.MINUTES)))
                .call("ConnectionPool.leaseAsync(Object, Object, long, TimeUnit)",
                        stage -> stage.take(stage.pool.leaseAsync(stage.like(stage.a), stage.like(stage.state), 1, TimeUnit.MINUTES)))
                .call("ConnectionPool.requestLease(Object, Object, long, TimeUnit, LeaseHook)",
                        stage -> stage.request(stage.like(stage.a)).cancel())
                .call("ConnectionPool.requestLease(Object, Object, long, TimeUnit, LeaseHook): in vain", PoolStage::requestInVain)
                .call("LeaseRequest.cancel()", stage -> stage.request(stage.b).cancel())
                .call("LeaseRequest.isDone()", stage -> {
                    LeaseRequest request = stage.request(stage.b);
                    request.isDone();
                    request.cancel();
                })
                .call("ConnectionPool.closeExpired()", stage -> stage.clock.advance(2, TimeUnit.HOURS), stage -> stage.pool.closeExpired())
                .call("ConnectionPool.closeIdle(long, TimeUnit)", stage -> stage.pool.closeIdle(0, TimeUnit.SECONDS))
                .call("ConnectionPool.closeIdle(Duration)", stage -> stage.pool.closeIdle(Duration.ZERO))
                .call("ConnectionPool.closeIdleIf(BiPredicate)", stage -> stage.pool.closeIdleIf((route, connection) -> {
                    stage.faults().pass(PoolStage.PREDICATE);
                    return true;
                }))
                .call("ConnectionPool.clear(Object)", stage -> stage.pool.clear(stage.like(stage.a)))
                .call("ConnectionPool.clear(Object): of leased ones", stage -> stage.pool.clear(stage.like(stage.b)))
                .call("ConnectionPool.setMaxTotal(int)", stage -> stage.pool.setMaxTotal(1))
                .call("ConnectionPool.setMaxTotal(int): raises", stage -> stage.pool.setMaxTotal(99))
                .call("ConnectionPool.setName(String)", stage -> stage.pool.setName("other"))
                .call("ConnectionPool.name()", stage -> stage.pool.name())
                .call("ConnectionPool.describe(Object)", stage -> stage.pool.describe(stage.like(stage.a)))
                .call("ConnectionPool.setLeaseStacks(boolean)", stage -> stage.pool.setLeaseStacks(true))
                .call("ConnectionPool.setLeakDetectionThreshold(long, TimeUnit)",
                        stage -> stage.pool.setLeakDetectionThreshold(1, TimeUnit.HOURS))
                .call("ConnectionPool.setLeakDetectionThreshold(Duration)",
                        stage -> stage.pool.setLeakDetectionThreshold(Duration.ofHours(1)))
                .call("ConnectionPool.isLeaseStacks()", stage -> stage.pool.isLeaseStacks())
                .call("ConnectionPool.getLeakDetectionMillis()", stage -> stage.pool.getLeakDetectionMillis())
                .call("ConnectionPool.heldLeases()", stage -> stage.pool.heldLeases())
                .call("ConnectionPool.getMaxTotal()", stage -> stage.pool.getMaxTotal())
                .call("ConnectionPool.setDefaultMaxPerRoute(int)", stage -> stage.pool.setDefaultMaxPerRoute(1))
                .call("ConnectionPool.setDefaultMaxPerRoute(int): raises", stage -> stage.pool.setDefaultMaxPerRoute(3))
                .call("ConnectionPool.getDefaultMaxPerRoute()", stage -> stage.pool.getDefaultMaxPerRoute())
                .call("ConnectionPool.setMaxPerRoute(Object, int)", stage -> stage.pool.setMaxPerRoute(stage.like(stage.a), 0))
                .call("ConnectionPool.setMaxPerRoute(Object, int): raises", stage -> stage.pool.setMaxPerRoute(stage.like(stage.b), 3))
                .call("ConnectionPool.removeMaxPerRoute(Object)", stage -> stage.pool.removeMaxPerRoute(stage.like(stage.b)))
                .call("ConnectionPool.getMaxPerRoute(Object)", stage -> stage.pool.getMaxPerRoute(stage.like(stage.b)))
                .call("ConnectionPool.stats()", stage -> stage.pool.stats())
                .call("ConnectionPool.stats(Object)", stage -> stage.pool.stats(stage.like(stage.a)))
                .call("ConnectionPool.counters()", stage -> stage.pool.counters())
                .call("ConnectionPool.softEvict()", stage -> stage.pool.softEvict())
                .call("ConnectionPool.suspend()", stage -> stage.pool.suspend())
                .call("ConnectionPool.resume()", stage -> {
                    stage.pool.suspend();
                    stage.request(stage.a);
                    stage.clock.advance(2, TimeUnit.HOURS);
                }, stage -> stage.pool.resume())
                .call("ConnectionPool.whenResumed(Runnable)", stage -> stage.pool.whenResumed(() -> stage.faults().pass(PoolStage.UNDO)),
                        stage -> stage.pool.resume())
                .call("ConnectionPool.isSuspended()", stage -> stage.pool.isSuspended())
                .call("ConnectionPool.registerMBean()", stage -> stage.pool.registerMBean())
                .call("ConnectionPool.unregisterMBean()", stage -> {
                    stage.pool.registerMBean();
                    stage.pool.unregisterMBean();
                })
                .call("ConnectionPool.addCloseListener(CloseListener)",
                        stage -> stage.pool.addCloseListener(new PoolStage.FailingCloseListener(stage.faults())),
                        stage -> stage.pool.shutdown(ShutdownMode.GRACEFUL))
                .call("ConnectionPool.removeCloseListener(CloseListener)",
                        stage -> stage.pool.removeCloseListener((route, cause, age, uses) -> {}))
                .call("ConnectionPool.whenEnded(Runnable)", stage -> stage.pool.whenEnded(() -> stage.faults().pass(PoolStage.UNDO)),
                        stage -> stage.pool.shutdown(ShutdownMode.GRACEFUL))
                .call("ConnectionPool.metrics()", stage -> stage.pool.metrics())
                .call("ConnectionPool.metrics(Object)", stage -> stage.pool.metrics(stage.like(stage.a)))
                .call("ConnectionPool.measureHeld(boolean)", stage -> stage.pool.measureHeld(true))
                .call("ConnectionPool.nanoTime()", stage -> stage.pool.nanoTime())
                .call("ConnectionPool.recordOpening(long)", stage -> stage.pool.recordOpening(1))
                .call("ConnectionPool.routes()", stage -> stage.pool.routes())
                .call("ConnectionPool.forEachIdle(BiConsumer)",
                        stage -> stage.pool.forEachIdle((route, connection) -> stage.faults().pass(PoolStage.ACTION)))
                .call("ConnectionPool.forEachLeased(BiConsumer)",
                        stage -> stage.pool.forEachLeased((route, connection) -> stage.faults().pass(PoolStage.ACTION)))
                .call("ConnectionPool.shutdown(ShutdownMode)", stage -> stage.pool.shutdown(ShutdownMode.GRACEFUL))
                .call("ConnectionPool.shutdown(ShutdownMode): at once", stage -> stage.pool.shutdown(ShutdownMode.IMMEDIATE))
                .call("ConnectionPool.isShutDown()", stage -> stage.pool.isShutDown())
                // Not at all, as the stage's clock stands still.
                .call("ConnectionPool.awaitTermination(long, TimeUnit)", stage -> stage.pool.awaitTermination(0, TimeUnit.NANOSECONDS))
                .call("ConnectionPool.awaitTermination(Duration)", stage -> stage.pool.shutdown(ShutdownMode.IMMEDIATE),
                        stage -> stage.pool.awaitTermination(Duration.ZERO))
                .call("ConnectionPool.isTerminated()", stage -> stage.pool.shutdown(ShutdownMode.IMMEDIATE),
                        stage -> stage.pool.isTerminated())
                .call("ConnectionPool.close()", stage -> stage.pool.close())
                .call("ConnectionPool.toString()", stage -> stage.pool.toString())
                .call("Lease.route()", stage -> stage.mine.route())
                .call("Lease.isVacancy()", stage -> stage.mine.isVacancy())
                .call("Lease.connection()", stage -> stage.mine.connection())
                .call("Lease.opened(Object)", PoolStage::vacancy, stage -> stage.lastLease().opened(stage.connection()))
                .call("Lease.opened(Object): after a shutdown", stage -> {
                    stage.vacancy();
                    stage.pool.shutdown(ShutdownMode.IMMEDIATE);
                }, stage -> stage.lastLease().opened(stage.connection()))
                .call("Lease.reopen()", stage -> stage.mine.attach(stage.socket), stage -> stage.close(stage.mine.reopen()))
                .call("Lease.replace()", stage -> stage.mine.replace())
                .call("Lease.replace(): with a socket", stage -> stage.mine.attach(stage.socket), stage -> stage.mine.replace())
                .call("Lease.replaceStale()", stage -> stage.mine.replaceStale())
                .call("Lease.attach(Socket)", stage -> stage.mine.attach(stage.socket))
                .call("Lease.attach(Socket): another one", stage -> {
                    stage.mine.attach(new Socket());
                }, stage -> stage.mine.attach(stage.socket))
                .call("Lease.tryAttach(Socket)", stage -> stage.mine.tryAttach(stage.socket))
                .call("Lease.tryAttach(SocketProbe, boolean)", stage -> stage.mine.tryAttach(SocketProbe.of(stage.socket), true))
                .call("Lease.detach()", stage -> stage.mine.attach(stage.socket), stage -> stage.mine.detach())
                .call("Lease.noteStale()", stage -> stage.mine.noteStale())
                .call("Lease.updateExpiry(long, TimeUnit)", stage -> stage.mine.updateExpiry(1, TimeUnit.SECONDS))
                .call("Lease.updateExpiry(Duration)", stage -> stage.mine.updateExpiry(MINUTE))
                .call("Lease.updateExpiryAt(long)", stage -> stage.mine.updateExpiryAt(0))
                .call("Lease.release()", stage -> stage.mine.release())
                .call("Lease.release(): with a socket", stage -> stage.mine.attach(stage.socket), stage -> stage.mine.release())
                .call("Lease.release(): over the limit", stage -> stage.pool.setMaxTotal(1), stage -> stage.mine.release())
                .call("Lease.release(Object)", stage -> stage.mine.release(stage.like(stage.state)))
                .call("Lease.discard()", stage -> stage.mine.discard())
                .call("Lease.discard(): with a socket", stage -> stage.mine.attach(stage.socket), stage -> stage.mine.discard())
                .call("Lease.close()", stage -> stage.mine.close())
                .call("Lease.tryRelease()", stage -> stage.mine.tryRelease())
                .call("Lease.tryRelease(Object)", stage -> stage.mine.tryRelease(stage.like(stage.state)))
                .call("Lease.tryDiscard()", stage -> stage.mine.tryDiscard())
                .call("Lease.isEnded()", stage -> stage.mine.isEnded())
                .call("Lease.use()", stage -> stage.mine.use())
                .call("nobody's: a peer closes", PoolStage::makeWatchedIdle, PoolStage::peerCloses)
                .call("nobody's: somebody else closes", PoolStage::othersClose)
                .call("nobody's: a leased connection needs help", PoolStage::needHelp)
                .call("nobody's: a lease is collected", PoolStage::leak, PoolStage::awaitLeak);
    }

    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final Class<?>[] TYPES = {ConnectionPool.class, ConnectionPool.Builder.class, Lease.class, PendingLease.class};

    static List<String> places() {
        List<String> places = new ArrayList<>(Matrix.givenTo(TYPES));
        places.addAll(Arrays.asList(PoolStage.DISPOSE_ASIDE, PoolStage.EQUALS, PoolStage.HASH_CODE, PoolStage.TO_STRING,
                PoolStage.STATE_EQUALS, PoolStage.STATE_HASH_CODE, PoolStage.SOCKET, PoolStage.LOG, Matrix.INTERRUPTED));
        return places;
    }

    /** All that an application gives to the pool is tried: an interface that is new among the parameters needs a call that comes to it. */
    @ParameterizedTest
    @MethodSource("places")
    void whereverItIs(String place) throws Exception {
        CELLS.run(matrix(place), place);
    }

    @Test
    void everyPublicMethodIsCalled() {
        Matrix<PoolStage> matrix = matrix(PoolStage.DISPOSE);
        matrix.mustCover(ConnectionPool.class);
        matrix.mustCover(Lease.class);
        matrix.mustCover(PendingLease.class);
        matrix.mustCover(LeaseRequest.class);
    }
}
