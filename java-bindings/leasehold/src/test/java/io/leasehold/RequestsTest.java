package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.internal.housekeeping.Deadlines;
import io.leasehold.internal.natives.Effects;
import io.leasehold.internal.natives.Engine;
import io.leasehold.testsupport.Eventually;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests for which no thread waits: what was lost on the way to one, or cut off, is found and done by who looks after it. */
class RequestsTest {
    private static final long GRACE = TimeUnit.MILLISECONDS.toNanos(100);
    private static final int MORE_ROUTES_THAN_THE_ENGINE_KEEPS = 3_000;
    private static final Object VACANCY = "a vacancy";

    private final PoolState state = state((connection, cause) -> {}, 0);
    private final NativePool pool = PoolChores.newPool(state);
    private final Effects effects = new Effects();

    private static PoolState state(Disposer<Object> disposer, int maxTotal) {
        return new PoolState(new PoolName(PoolName.POOL, null), disposer, null,
                new PoolState.Constants(true, false, false, false, 10, 0, 0, false, Watching.OFF, false, 0, null, null), maxTotal, 5);
    }

    @AfterEach
    void shutDown() {
        Upkeep.shutdown(pool, true);
    }

    private static class Waiting implements Patience {
        volatile long nanosLeft;

        Waiting(long nanosLeft) {
            this.nanosLeft = nanosLeft;
        }

        @Override
        public long nanosLeft() {
            return nanosLeft;
        }

        @Override
        public boolean isCancelled() {
            return false;
        }

        @Override
        public void startWaiting(Thread thread) {}

        @Override
        public void stopWaiting(Thread thread) {}
    }

    private static class Request extends HookedRequest {
        final Object holder;
        final LeaseRef lease;
        final Queue<Object> answers = new ConcurrentLinkedQueue<>();
        volatile Thread told;
        volatile long toldAt;
        volatile int failures;

        Request(NativePool pool, Object holder, LeaseRef lease, Object route, Patience patience) {
            super(pool, lease, route, null, patience);
            this.holder = holder;
            this.lease = lease;
        }

        @Override
        void granted(Object connection) {
            note(connection == null ? VACANCY : connection);
        }

        @Override
        void refused(Throwable why) {
            note(why);
        }

        private void note(Object answer) {
            toldAt = System.nanoTime();
            told = Thread.currentThread();
            answers.add(answer);
        }

        /** Fails whoever enters it into a table, or takes it out. */
        @Override
        public int hashCode() {
            if (failures > 0) {
                failures--;
                throw new IllegalStateException("on purpose");
            }
            return 1;
        }

        @Override
        public boolean equals(Object other) {
            return this == other;
        }
    }

    private Request request(Object route, Patience patience) {
        Object holder = new Object();
        return new Request(pool, holder, pool.ref(holder, null), route, patience);
    }

    private Request request(Object route) {
        return request(route, new Waiting(Long.MAX_VALUE));
    }

    /** Queues one that the housekeeper does not know. */
    private Request asked(Patience patience) {
        Request request = request("a", patience);
        RouteRef route = pool.intern("a");
        assertEquals(Engine.WAIT, request.ask(route, route.id, effects));
        return request;
    }

    /** Has it granted, and nobody told of that. */
    private void grantUnheard() {
        pool.engine.setMaxTotal(1, new Effects());
    }

    /** A close may hang, and its disposer not say so. */
    @ParameterizedTest
    @ValueSource(longs = {Engine.CLOSE, Engine.KEEP_FOREVER})
    void whoWaitsIsWokenBeforeWhatMakesRoomIsClosed(long keep) {
        List<String> events = new ArrayList<>();
        PoolState ofOne = state((connection, cause) -> events.add("closed"), 1);
        NativePool full = PoolChores.newPool(ofOne);
        LeaseRef lease = full.ref(this, null);
        assertTrue(full.tryLease(lease, "a", null));
        assertTrue(full.opened(lease, "a connection"));
        Request waiting = new Request(full, this, full.ref(this, null), "b", new Waiting(Long.MAX_VALUE)) {
            @Override
            Queue<Runnable> wake(Queue<Runnable> toTell) {
                events.add("woken");
                return super.wake(toTell);
            }
        };
        waiting.start();
        assertTrue(full.release(lease, keep, null));
        assertEquals(VACANCY, waiting.answers.peek());
        assertEquals(Arrays.asList("woken", "closed"), events);
        assertTrue(full.release(waiting.lease, Engine.CLOSE, null));
        Upkeep.shutdown(full, true);
    }

    @Test
    void whatACallBringsAboutIsToldByItWithoutALook() throws Exception {
        Request aside = asked(new Waiting(Long.MAX_VALUE));
        pool.engine.setMaxTotal(1, effects);
        pool.carryOut(effects);
        Eventually.await("it is told", () -> !aside.answers.isEmpty());
        assertEquals("leasehold-disposer", aside.told.getName());
        Request here = asked(new Waiting(Long.MAX_VALUE));
        pool.engine.setMaxTotal(2, effects);
        pool.carryOutHere(effects);
        assertEquals(VACANCY, here.answers.peek());
        assertSame(Thread.currentThread(), here.told);
        assertTrue(pool.release(aside.lease, Engine.CLOSE, null));
        assertTrue(pool.release(here.lease, Engine.CLOSE, null));
        assertEquals(0, pool.stats()[0]);
    }

    @Test
    void whatACancelledOneWasGrantedGoesToTheNextWithoutALook() throws Exception {
        Request first = asked(new Waiting(Long.MAX_VALUE));
        Request second = asked(new Waiting(Long.MAX_VALUE));
        grantUnheard();
        assertTrue(first.cancel());
        Eventually.await("the next is told", () -> !second.answers.isEmpty());
        assertEquals(VACANCY, second.answers.peek());
        assertTrue(first.answers.isEmpty());
        assertTrue(pool.release(second.lease, Engine.CLOSE, null));
        assertEquals(0, pool.stats()[0]);
    }

    @Test
    void oneWhoseWakeIsLostIsToldAllTheSame() throws Exception {
        // The housekeeper is there for another pool's sake, and is to learn of this one.
        NativePool other = PoolChores.newPool(new PoolState(
                new PoolName(PoolName.POOL, null), (Disposer<Object>) (connection, cause) -> {}, null, state.constants, 1, 1));
        LeaseRef keeping = other.ref(this, null);
        assertTrue(other.tryLease(keeping, "a", null));
        Request request = request("a");
        request.start();
        grantUnheard();
        Eventually.await("the housekeeper finds it", () -> !request.answers.isEmpty());
        assertEquals(VACANCY, request.answers.peek());
        assertEquals("leasehold-disposer", request.told.getName());
        assertTrue(pool.release(request.lease, Engine.CLOSE, null));
        Eventually.await("it is looked after no more", () -> state.requests.isEmpty());
        assertTrue(other.release(keeping, Engine.CLOSE, null));
        Upkeep.shutdown(other, true);
    }

    @Test
    void whoEndedTheWaitHasTimeToComeToTheHookAndItIsCalledOnce() throws Exception {
        Request request = asked(new Waiting(Long.MAX_VALUE));
        assertFalse(request.lookAfter(effects), "nothing is left to be done");
        grantUnheard();
        long found = System.nanoTime();
        assertTrue(request.lookAfter(effects));
        Eventually.await("it is told", () -> {
            request.lookAfter(effects);
            return !request.answers.isEmpty();
        });
        assertTrue(request.toldAt - found >= GRACE, "it was told before its own thread could come to it");
        assertNotSame(Thread.currentThread(), request.told);
        assertFalse(request.lookAfter(effects));
        request.run();
        assertEquals(1, request.answers.size());
        assertTrue(pool.release(request.lease, Engine.CLOSE, null));
    }

    @Test
    void oneWhoseTimeIsUpIsToldSoByWhoLooksAfterIt() throws Exception {
        Waiting patience = new Waiting(1);
        Request request = asked(patience);
        assertFalse(request.lookAfter(effects));
        patience.nanosLeft = 0;
        assertTrue(request.lookAfter(effects));
        assertEquals(0, pool.stats()[1]);
        Eventually.await("it is told", () -> {
            request.lookAfter(effects);
            return !request.answers.isEmpty();
        });
        assertInstanceOf(TimeoutException.class, request.answers.peek());
        assertNull(Waiter.of(0, state.waiters));
    }

    @Test
    void aGrantThatCameBeforeTheTimeWasUpIsAGrant() throws Exception {
        Waiting patience = new Waiting(1);
        Request request = asked(patience);
        grantUnheard();
        patience.nanosLeft = 0;
        request.isUp(effects);
        Eventually.await("it is told", () -> !request.answers.isEmpty());
        assertEquals(VACANCY, request.answers.peek());
        assertTrue(pool.release(request.lease, Engine.CLOSE, null));
    }

    @Test
    void oneThatIsDueIsEndedByWhoKeepsDeadlines() throws Exception {
        Waiting patience = new Waiting(1);
        Request request = asked(patience);
        patience.nanosLeft = 0;
        Deadlines.add(request);
        Deadlines.keep(effects);
        Eventually.await("it is told", () -> !request.answers.isEmpty());
        assertInstanceOf(TimeoutException.class, request.answers.peek());
        assertFalse(request.isAlive());
    }

    @Test
    void ofOneThatIsCancelledNothingIsLeft() {
        int most = 70_000;
        Request request = request("a", new Waiting(TimeUnit.MINUTES.toNanos(1)));
        request.start();
        assertLeft(1, Deadlines.millisLeft(most));
        assertTrue(request.cancel());
        assertTrue(Deadlines.millisLeft(most) > 60_001);
        assertTrue(state.requests.isEmpty());
        for (int slot = 0; slot < state.waiters.size(); slot++) {
            assertNull(state.waiters.get(slot));
        }
    }

    @Test
    void oneThatHasEndedHasNoAnswer() {
        Request request = asked(new Waiting(Long.MAX_VALUE));
        assertEquals(Engine.NOTHING, request.withdraw(false, effects));
        assertFalse(request.isAlive());
        assertEquals(Engine.NOTHING, request.poll(effects));
        assertEquals(Engine.NOTHING, request.withdraw(false, effects));
        assertEquals(0, pool.stats()[1]);
    }

    @Test
    void oneWhoseTimeIsNotUpIsNotEnded() {
        Request request = asked(new Waiting(1));
        request.isUp(effects);
        assertTrue(request.isAlive());
        assertFalse(request.isDone());
        assertTrue(request.cancel());
        assertFalse(request.cancel());
        assertTrue(request.answers.isEmpty());
    }

    @Test
    void aCancellationThatIsCutOffIsDoneAgain() throws Exception {
        Request request = request("a");
        request.start();
        request.failures = 1;
        assertThrows(IllegalStateException.class, request::cancel);
        assertTrue(request.isDone());
        Eventually.await("it is looked after no more", () -> state.requests.isEmpty());
        assertTrue(request.answers.isEmpty());
        assertEquals(0, pool.stats()[1]);
    }

    @Test
    void oneThatCannotBeStartedIsNotToldAndLeavesNothing() {
        Request request = request(new Object() {
            @Override
            public int hashCode() {
                throw new IllegalStateException("on purpose");
            }
        });
        assertThrows(IllegalStateException.class, request::start);
        assertTrue(request.isDone());
        assertTrue(state.requests.isEmpty());
        request.run();
        assertTrue(request.answers.isEmpty());
    }

    @Test
    void whatEndsFirstIsEndedFirstAndWhatIsRemovedIsNotEnded() {
        long minute = TimeUnit.MINUTES.toNanos(1);
        int most = (int) TimeUnit.HOURS.toMillis(1);
        Request second = request("a", new Waiting(2 * minute));
        Request first = request("a", new Waiting(minute));
        Request third = request("a", new Waiting(3 * minute));
        Deadlines.add(second);
        Deadlines.add(first);
        Deadlines.add(third);
        assertLeft(1, Deadlines.millisLeft(most));
        Deadlines.keep(effects);
        assertLeft(1, Deadlines.millisLeft(most));
        assertEquals(10, Deadlines.millisLeft(10));
        Deadlines.remove(first);
        assertLeft(2, Deadlines.millisLeft(most));
        Deadlines.remove(second);
        assertLeft(3, Deadlines.millisLeft(most));
        Deadlines.remove(third);
    }

    private static void assertLeft(int minutes, long millis) {
        assertTrue(millis > (minutes - 1) * 60_000L && millis <= minutes * 60_000L + 1, millis + " ms for " + minutes + " min");
    }

    /** A pool whose waiters are told to come for what was released, with one connection, which is leased. */
    private static final class Barging {
        final Queue<Object> closed = new ConcurrentLinkedQueue<>();
        final NativePool pool = PoolChores.newPool(new PoolState(
                new PoolName(PoolName.POOL, null), (Disposer<Object>) (connection, cause) -> closed.add(connection), null,
                new PoolState.Constants(false, false, false, true, 10, 0, 1, false, Watching.OFF, false, 0, null, null), 1, 5));
        private final LeaseRef first = pool.ref(this, null);

        Barging() {
            assertTrue(pool.tryLease(first, "a", null));
            assertTrue(pool.opened(first, "c"));
        }

        Request request(String route, Patience patience) {
            Object holder = new Object();
            return new Request(pool, holder, pool.ref(holder, null), route, patience);
        }

        /** One that is queued, and that the housekeeper does not know. */
        Request asked(String route, Patience patience) {
            Request request = request(route, patience);
            RouteRef ref = pool.intern(route);
            assertEquals(Engine.WAIT, request.ask(ref, ref.id, new Effects()));
            return request;
        }

        /** The connection is idle then, and whoever was told to come for it has not heard. */
        void releaseUnheard() {
            pool.engine.release(first.handle, Engine.KEEP_FOREVER, StateRef.NO_STATE, new Effects());
            first.handle = LeaseRef.ENDED;
        }

        void awaitServed(Request request) throws Exception {
            Eventually.await("it is told", () -> !request.answers.isEmpty());
            assertFalse(request.answers.peek() instanceof Throwable, () -> request.answers.toString());
            assertTrue(pool.release(request.lease, Engine.CLOSE, null));
            assertEquals(0, pool.stats()[0] + pool.stats()[1]);
            Upkeep.shutdown(pool, true);
        }
    }

    @Test
    void whoIsCancelledLeavesWhatItWasToComeForToTheNext() throws Exception {
        Barging barging = new Barging();
        Request head = barging.asked("a", new Waiting(Long.MAX_VALUE));
        Request next = barging.asked("a", new Waiting(Long.MAX_VALUE));
        barging.releaseUnheard();
        assertTrue(head.cancel());
        barging.awaitServed(next);
        assertTrue(head.answers.isEmpty());
    }

    @Test
    void whoseTimeIsUpLeavesWhatItWasToComeForToTheNext() throws Exception {
        Barging barging = new Barging();
        Waiting patience = new Waiting(1);
        Request head = barging.asked("a", patience);
        Request next = barging.asked("a", new Waiting(Long.MAX_VALUE));
        barging.releaseUnheard();
        patience.nanosLeft = 0;
        head.isUp(new Effects());
        barging.awaitServed(next);
    }

    @Test
    void whatHasToMakeRoomForWhoJustComesToWaitIsClosed() throws Exception {
        Barging barging = new Barging();
        Waiting patience = new Waiting(Long.MAX_VALUE) {
            private int looks;

            @Override
            public long nanosLeft() {
                // The first look is that of who makes it; at the second nothing was to be had, and it does not wait yet.
                if (++looks == 2) {
                    barging.releaseUnheard();
                }
                return super.nanosLeft();
            }
        };
        Request request = barging.request("b", patience);
        request.start();
        barging.awaitServed(request);
        assertEquals(VACANCY, request.answers.peek());
        assertEquals("c", barging.closed.peek());
    }

    private enum End { CANCELLED, TIMED_OUT, INTERRUPTED }

    @ParameterizedTest
    @EnumSource
    void aThreadThatWaitsNoLongerLeavesWhatItWasToComeForToTheNext(End end) throws Exception {
        Barging barging = new Barging();
        Queue<Request> next = new ConcurrentLinkedQueue<>();
        Waiting patience = new Waiting(Long.MAX_VALUE) {
            @Override
            public boolean isCancelled() {
                // It is in the queue by now, and looks after its own end.
                next.add(barging.asked("a", new Waiting(Long.MAX_VALUE)));
                barging.releaseUnheard();
                nanosLeft = end == End.TIMED_OUT ? 0 : nanosLeft;
                if (end == End.INTERRUPTED) {
                    Thread.currentThread().interrupt();
                }
                return end == End.CANCELLED;
            }
        };
        Class<? extends Exception> thrown = end == End.CANCELLED ? CancellationException.class
                : end == End.TIMED_OUT ? TimeoutException.class : InterruptedException.class;
        assertThrows(thrown, () -> ParkedThread.lease(barging.pool, barging.pool.ref(this, null), "a", null, patience));
        barging.awaitServed(next.element());
    }

    @Test
    void whatHasToMakeRoomForAThreadThatJustComesToWaitIsClosed() throws Exception {
        Barging barging = new Barging();
        Waiting patience = new Waiting(Long.MAX_VALUE) {
            @Override
            public long nanosLeft() {
                // Nothing was to be had, and it does not wait yet.
                if (!barging.first.isEnded()) {
                    barging.releaseUnheard();
                }
                return super.nanosLeft();
            }
        };
        LeaseRef lease = barging.pool.ref(this, null);
        ParkedThread.lease(barging.pool, lease, "b", null, patience);
        assertNull(barging.pool.connection(lease));
        assertEquals("c", barging.closed.peek());
        assertTrue(barging.pool.release(lease, Engine.CLOSE, null));
        Upkeep.shutdown(barging.pool, true);
    }

    @Test
    void aHookIsCalledThoughAThreadIsWokenAfterIt() throws Exception {
        Request hooked = asked(new Waiting(Long.MAX_VALUE));
        LeaseRef lease = pool.ref(this, null);
        FutureTask<Void> parked = new FutureTask<>(() -> {
            ParkedThread.lease(pool, lease, "a", null, new Waiting(Long.MAX_VALUE));
            return null;
        });
        new Thread(parked).start();
        Eventually.await("both wait", () -> pool.stats()[1] == 2);
        pool.engine.setMaxTotal(2, effects);
        pool.carryOutHere(effects);
        assertEquals(VACANCY, hooked.answers.peek());
        parked.get();
        assertTrue(pool.release(hooked.lease, Engine.CLOSE, null));
        assertTrue(pool.release(lease, Engine.CLOSE, null));
    }

    @Test
    void oneWhoseRouteTheEngineForgetsJustBeforeItWaitsIsServedAllTheSame() throws Exception {
        Barging barging = new Barging();
        long[] id = new long[1];
        Waiting patience = new Waiting(Long.MAX_VALUE) {
            private int looks;

            @Override
            public long nanosLeft() {
                // As above: it was asked for already, and does not wait yet.
                if (++looks == 2) {
                    id[0] = barging.pool.state.routes.route("b").id;
                    for (int i = 0; i < MORE_ROUTES_THAN_THE_ENGINE_KEEPS; i++) {
                        assertTrue(barging.pool.engine.addRoute(new Effects()) > 0);
                    }
                }
                return super.nanosLeft();
            }
        };
        Request request = barging.request("b", patience);
        request.start();
        assertTrue(request.isAlive());
        assertNotEquals(id[0], barging.pool.state.routes.route("b").id);
        assertNull(barging.pool.state.routes.routeOf(id[0]));
        assertTrue(barging.pool.release(barging.first, Engine.CLOSE, null));
        barging.awaitServed(request);
        assertEquals(VACANCY, request.answers.peek());
        for (int slot = 0; slot < barging.pool.state.waiters.size(); slot++) {
            assertNull(barging.pool.state.waiters.get(slot));
        }
    }
}
