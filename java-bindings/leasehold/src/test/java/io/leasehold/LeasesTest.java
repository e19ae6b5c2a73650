package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.internal.log.Texts;
import io.leasehold.internal.natives.Effects;
import io.leasehold.internal.natives.Engine;
import io.leasehold.internal.sockets.Attachment;
import io.leasehold.internal.sockets.FoundSocket;
import io.leasehold.testsupport.Eventually;
import io.leasehold.testsupport.LogCapture;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How leases begin and end under the public calls: what was lost is given back, what was forgotten is made known, what ended stays so. */
class LeasesTest {
    private static final int MORE_ROUTES_THAN_THE_ENGINE_KEEPS = 3_000;

    /** Notes what it closes, and why. */
    private static final class Closed implements Disposer<Object> {
        final List<String> all = Collections.synchronizedList(new ArrayList<>());

        @Override
        public void dispose(Object connection, Cause cause) {
            all.add(connection + " " + cause);
        }
    }

    /** Waits for ever, if it is left as it is. */
    private static class Forever implements Patience {
        int started;
        int stopped;

        @Override
        public long nanosLeft() {
            return Long.MAX_VALUE;
        }

        @Override
        public boolean isCancelled() {
            return false;
        }

        @Override
        public void startWaiting(Thread thread) {
            assertSame(Thread.currentThread(), thread);
            started++;
        }

        @Override
        public void stopWaiting(Thread thread) {
            assertSame(Thread.currentThread(), thread);
            stopped++;
        }
    }

    private final Closed closed = new Closed();
    private final PoolState state = new PoolState(new PoolName(PoolName.POOL, null), closed, null,
            new PoolState.Constants(true, false, false, false, 10, 0, 0, false, Watching.OFF, false, 0, null, null), 1, 5);
    private final NativePool pool = PoolChores.newPool(state);
    // What would be collected otherwise, and its lease taken for a leak.
    private final List<Object> held = new ArrayList<>();

    @AfterEach
    void shutDown() {
        Upkeep.shutdown(pool, true);
    }

    private LeaseRef ref(StateRef boundTo) {
        Object holder = new Object();
        held.add(holder);
        return pool.ref(holder, boundTo);
    }

    private LeaseRef lease(String route, StateRef boundTo) {
        LeaseRef lease = ref(boundTo);
        assertTrue(pool.tryLease(lease, route, boundTo));
        return lease;
    }

    private LeaseRef opened(String route, Object connection) {
        LeaseRef lease = lease(route, null);
        assertTrue(pool.opened(lease, connection));
        return lease;
    }

    private LeaseRef notBegun(StateRef boundTo) {
        LeaseRef lease = ref(boundTo);
        RouteRef route = pool.intern("a");
        lease.take(route, pool.engine.lease(route.id, StateRef.idOf(boundTo), 0, new Effects()));
        return lease;
    }

    @Test
    void whoComesNextGivesBackWhatNobodyHolds() {
        state.strays.add(opened("a", "c"));
        LeaseRef next = lease("a", null);
        assertNull(pool.connection(next), "its connection may have been in the middle of anything");
        assertEquals(Collections.singletonList("c DISCARDED"), closed.all);
        assertTrue(pool.release(next, Engine.CLOSE, null));
        assertEquals(0, pool.stats()[0]);
    }

    @Test
    void whatIsMarkedInItsCellIsGivenBackOnceAndNothingElse() {
        pool.engine.setMaxTotal(4, new Effects());
        LeaseRef held = opened("a", "held");
        LeaseRef lost = opened("a", "lost");
        LeaseRef unmade = opened("a", "not made a lease yet");
        LeaseRef ended = opened("a", "ended");
        lost.stray = lost.handle;
        unmade.stray = unmade.handle;
        unmade.handle = -unmade.handle;
        ended.stray = ended.handle;
        assertTrue(pool.release(ended, Engine.CLOSE, null));
        closed.all.clear();
        state.strays.areMarked = true;
        pool.giveBackStrays();
        assertEquals(Arrays.asList("lost DISCARDED", "not made a lease yet DISCARDED"), closed.all);
        assertFalse(state.strays.areMarked);
        assertEquals(LeaseRef.ENDED, lost.stray + unmade.stray + ended.stray);
        assertTrue(lost.isEnded() && unmade.isEnded() && !held.isEnded());
        assertTrue(pool.release(held, Engine.CLOSE, null));
        assertEquals(0, pool.stats()[0]);
    }

    @Test
    void whatCannotBeGivenBackStaysMarked() {
        LeaseRef lost = opened("a", "lost");
        lost.stray = lost.handle;
        state.strays.areMarked = true;
        Cell[] cells = state.cells.bySlot;
        state.cells.bySlot = null;
        assertThrows(NullPointerException.class, pool::giveBackStrays);
        assertTrue(state.strays.areMarked);
        state.cells.bySlot = cells;
        pool.giveBackStrays();
        assertEquals(0, pool.stats()[0]);
    }

    @Test
    void whoWaitsGivesBackWhatNobodyHolds() throws Exception {
        LeaseRef lost = opened("a", "c");
        LeaseRef next = ref(null);
        FutureTask<Object> waiting = new FutureTask<>(() -> {
            ParkedThread.lease(pool, next, "a", null, new Forever());
            return null;
        });
        new Thread(waiting).start();
        Eventually.await("it waits", () -> pool.stats()[1] == 1);
        state.strays.add(lost);
        waiting.get(1, TimeUnit.MINUTES);
        assertTrue(pool.release(next, Engine.CLOSE, null));
        assertEquals(0, pool.stats()[0] + pool.stats()[1]);
    }

    /** Has the first who waits granted, and nobody told of that. */
    private void grantUnheard() {
        pool.engine.setMaxTotal(2, new Effects());
    }

    private void assertWaitIsOver(Forever patience) {
        assertEquals(1, patience.started);
        assertEquals(1, patience.stopped);
        for (int slot = 0; slot < state.waiters.size(); slot++) {
            assertNull(state.waiters.get(slot));
        }
        assertEquals(0, pool.stats()[1]);
    }

    @Test
    void aGrantThatComesWithTheEndOfTheTimeIsServed() throws Exception {
        opened("a", "c");
        Forever patience = new Forever() {
            @Override
            public long nanosLeft() {
                if (started == 0) {
                    return 1;
                }
                grantUnheard();
                return 0;
            }
        };
        LeaseRef lease = ref(null);
        ParkedThread.lease(pool, lease, "a", null, patience);
        assertFalse(lease.isEnded());
        assertEquals(2, pool.stats()[0]);
        assertWaitIsOver(patience);
    }

    @Test
    void aGrantThatComesWithACancellationGoesBack() {
        opened("a", "c");
        Forever patience = new Forever() {
            @Override
            public boolean isCancelled() {
                grantUnheard();
                return true;
            }
        };
        assertThrows(CancellationException.class, () -> ParkedThread.lease(pool, ref(null), "a", null, patience));
        assertEquals(1, pool.stats()[0]);
        assertWaitIsOver(patience);
    }

    @Test
    void whateverEndsAWaitNothingOfItIsLeft() throws Exception {
        LeaseRef first = opened("a", "c");
        Forever timed = new Forever() {
            @Override
            public long nanosLeft() {
                return 1 - started;
            }
        };
        assertThrows(TimeoutException.class, () -> ParkedThread.lease(pool, ref(null), "a", null, timed));
        assertWaitIsOver(timed);
        Forever interrupted = new Forever();
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> ParkedThread.lease(pool, ref(null), "a", null, interrupted));
        assertWaitIsOver(interrupted);
        Forever served = new Forever() {
            @Override
            public boolean isCancelled() {
                pool.release(first, Engine.KEEP_FOREVER, null);
                return false;
            }
        };
        LeaseRef next = ref(null);
        ParkedThread.lease(pool, next, "a", null, served);
        assertEquals("c", pool.connection(next));
        assertWaitIsOver(served);
        assertEquals(1, pool.stats()[0]);
    }

    @Test
    void aRouteThatTheEngineForgotUnheardIsMadeKnownAgain() {
        LeaseRef first = lease("a", null);
        long id = state.routes.route("a").id;
        assertTrue(pool.release(first, Engine.CLOSE, null));
        for (int i = 0; i < MORE_ROUTES_THAN_THE_ENGINE_KEEPS; i++) {
            assertTrue(pool.engine.addRoute(new Effects()) > 0);
        }
        assertEquals(id, state.routes.route("a").id);
        LeaseRef hit = ref(null);
        assertNull(pool.hit(hit, state.routes.route("a")));
        assertTrue(hit.isEnded());
        LeaseRef again = lease("a", null);
        assertNotEquals(id, state.routes.route("a").id);
        assertNull(state.routes.routeOf(id));
        assertSame(state.routes.route("a"), state.routes.routeOf(state.routes.route("a").id));
        assertTrue(pool.release(again, Engine.CLOSE, null));
    }

    @Test
    void aHitLeasesWhatIsIdleAndNothingElse() {
        LeaseRef vacancy = ref(null);
        RouteRef route = pool.intern("a");
        assertNull(pool.hit(vacancy, route));
        assertTrue(vacancy.isEnded());
        assertTrue(pool.releaseHit(opened("a", "c"), Engine.KEEP_FOREVER, false));
        LeaseRef hit = ref(null);
        assertEquals("c", pool.hit(hit, route));
        assertFalse(hit.isEnded());
        assertSame(hit, state.cells.get(Slots.of(hit.handle)).lease);
        assertEquals("a", hit.route());
        assertTrue(pool.release(hit, Engine.CLOSE, null));
        assertFalse(pool.release(hit, Engine.CLOSE, null));
        assertEquals(Collections.singletonList("c DISCARDED"), closed.all);
    }

    @Test
    void whatIsGivenBackIsBoundAsItWas() {
        StateRef joe = pool.state("joe");
        LeaseRef first = lease("a", joe);
        assertTrue(pool.opened(first, "c"));
        assertTrue(pool.release(first, Engine.KEEP_FOREVER, joe));
        StateRef jack = pool.state("jack");
        LeaseRef second = lease("a", joe);
        assertSame(joe, second.boundBefore());
        pool.giveBack(second);
        LeaseRef third = lease("a", joe);
        assertEquals("c", pool.connection(third), "kept, and joe's as before");
        assertTrue(pool.release(third, Engine.KEEP_FOREVER, jack));
        assertNull(pool.connection(lease("a", joe)), "jack's now, and closed to make room");
    }

    @Test
    void whatIsGivenBackBeforeItBeganIsBoundAsItWas() {
        StateRef joe = pool.state("joe");
        LeaseRef first = lease("a", joe);
        assertTrue(pool.opened(first, "joe's"));
        assertTrue(pool.release(first, Engine.KEEP_FOREVER, joe));
        pool.giveBack(notBegun(joe));
        assertNull(pool.connection(lease("a", pool.state("jack"))));
        assertEquals(Collections.singletonList("joe's EVICTED"), closed.all);
    }

    @Test
    void aVacancyThatIsGivenBackLeavesNothing() {
        pool.giveBack(lease("a", null));
        assertEquals(0, pool.stats()[0] + pool.stats()[2]);
        assertEquals(Collections.emptyList(), closed.all);
    }

    /** What has ended leaves its slot to the next one: the tables do not grow with use. */
    private void assertGivesItsSlotBack(LeaseRef lease) {
        int slot = Slots.of(lease.handle);
        assertTrue(pool.release(lease, Engine.CLOSE, null));
        assertEquals(slot, Slots.of(lease("a", null).handle));
    }

    @Test
    void theSlotOfWhatIsClosedIsUsedAgain() {
        assertGivesItsSlotBack(opened("a", "c"));
        assertEquals(Collections.singletonList("c DISCARDED"), closed.all);
    }

    /** Whoever leased it had no memory for it. */
    @Test
    void aSlotWithoutACellIsUsedAgain() {
        LeaseRef lease = opened("a", "c");
        state.cells.set(Slots.of(lease.handle), null);
        assertGivesItsSlotBack(lease);
        assertEquals(Collections.emptyList(), closed.all);
    }

    @Test
    void theSlotOfWhatIsLostIsUsedAgainAndItsEndIsTold() {
        List<String> told = new ArrayList<>();
        state.addCloseListener((route, cause, ageMillis, uses) -> told.add(route + " " + cause + " " + uses));
        LeaseRef lost = opened("a", "c");
        int slot = Slots.of(lost.handle);
        pool.releaseLeaked(lost, new Effects());
        assertEquals(Collections.singletonList("a LEAKED 1"), told);
        LeaseRef withoutCell = lease("a", null);
        assertEquals(slot, Slots.of(withoutCell.handle));
        state.cells.set(slot, null);
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            pool.releaseLeaked(withoutCell, new Effects());
            assertTrue(log.messages().toString().contains("a lease to a was garbage collected"), log.lines()::toString);
        }
        assertEquals(slot, Slots.of(lease("a", null).handle));
        assertEquals(1, told.size(), "there was no other connection");
    }

    @Test
    void whoWaitsForThePlaceOfWhatIsLostIsToldAtOnce() {
        LeaseRef lost = opened("a", "c");
        long ticket = pool.engine.reserveTicket();
        assertEquals(Engine.WAIT, pool.engine.lease(pool.intern("a").id, StateRef.NO_STATE, ticket, new Effects()));
        Effects effects = new Effects();
        pool.releaseLeaked(lost, effects);
        assertEquals(0, effects.count(), "they are carried out");
        assertTrue(Engine.isGrant(pool.engine.pollTicket(ticket)));
    }

    @Test
    void whatIsPutIntoAPoolAtRestHasItLookedAfter() {
        // The housekeeper is there.
        Lease<String> others = ConnectionPool.<String, String>builder((connection, cause) -> {}).build().tryLease("a");
        assertTrue(pool.kept.isResting);
        LeaseRef lease = opened("a", "c");
        assertFalse(pool.kept.isResting);
        others.close();
        // As the housekeeper says when it has seen nothing in it.
        pool.kept.isResting = true;
        assertTrue(pool.release(lease, Engine.KEEP_FOREVER, null));
        assertFalse(pool.kept.isResting);
    }

    @Test
    void whatIsFoundDeadInAPoolThatWasShutDownIsNobodysVacancy() throws Exception {
        LeaseRef lease = opened("a", "c");
        state.shutDown(true);
        Upkeep.shutdown(pool, true);
        try (Socket socket = new Socket()) {
            Attachment dead = new Attachment(FoundSocket.of(socket));
            dead.isProbed = true;
            state.cells.get(Slots.of(lease.handle)).attachment = dead;
        }
        assertThrows(PoolShutDownException.class, () -> pool.connection(lease));
    }

    /** Who has ended his wait just then is found by the engine's own answer to him. */
    @Test
    void anAnswerThatNobodyWaitsForAnyMoreIsNoFailure() {
        LeaseRef lease = opened("a", "c");
        long ticket = pool.engine.reserveTicket();
        assertEquals(Engine.WAIT, pool.engine.lease(pool.intern("a").id, StateRef.NO_STATE, ticket, new Effects()));
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            assertTrue(pool.release(lease, Engine.KEEP_FOREVER, null));
            assertEquals(Collections.emptyList(), log.lines());
        }
        assertTrue(Engine.isGrant(pool.engine.pollTicket(ticket)));
    }

    /** Who forgets a route says so first, and then takes it out. */
    @Test
    void aRouteThatIsJustBeingForgottenIsMadeKnownAnew() {
        RouteRef route = pool.intern("a");
        route.id = RouteRef.NONE;
        route.isGone = true;
        assertNotSame(route, pool.intern("a"));
    }

    @Test
    void aPoolHasNothingOnceWhatNobodyHoldsIsGivenBack() {
        LeaseRef lost = opened("a", "c");
        assertFalse(pool.hasNothing());
        assertFalse(pool.isShutDown());
        state.strays.add(lost);
        assertTrue(pool.hasNothing());
        LeaseRef emptied = opened("a", "d");
        assertEquals("d", pool.reopen(emptied), "its caller's to close");
        assertTrue(pool.release(emptied, Engine.CLOSE, null));
        assertTrue(pool.hasNothing());
    }

    @Test
    void whatHasStrayedBeforeItBeganIsGivenBack() {
        LeaseRef withoutCell = notBegun(null);
        withoutCell.stray = withoutCell.handle;
        pool.strayed(withoutCell);
        assertTrue(withoutCell.isEnded());
        assertTrue(pool.release(opened("a", "c"), Engine.CLOSE, null));
        LeaseRef inAnothersCell = notBegun(null);
        inAnothersCell.stray = inAnothersCell.handle;
        pool.strayed(inAnothersCell);
        assertTrue(inAnothersCell.isEnded());
        assertEquals(0, pool.stats()[0]);
    }

    @Test
    void whatTheCollectorHasEndedIsNotEndedAgain() {
        LeaseRef lost = opened("a", "c");
        pool.releaseLeaked(lost, new Effects());
        assertFalse(pool.release(lost, Engine.CLOSE, null));
    }

    @Test
    void whatFailsOfWhatACallBringsAboutIsLogged() {
        assertTrue(pool.release(opened("a", "c"), Engine.KEEP_FOREVER, null));
        Cell[] cells = state.cells.bySlot;
        state.cells.bySlot = null;
        try (LogCapture log = LogCapture.of(ConnectionPool.class)) {
            Upkeep.closeIdle(pool, 0);
            assertTrue(log.messages().toString().contains(Texts.EFFECT_FAILED), log.lines()::toString);
        } finally {
            state.cells.bySlot = cells;
        }
    }

    @Test
    void whoAttachesASocketAgainIsToldWhetherTheLeaseGoesOn() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Socket socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
            LeaseRef lease = opened("a", "c");
            Cell cell = state.cells.get(Slots.of(lease.handle));
            assertTrue(pool.attach(lease, socket, Watching.PROBE));
            Attachment first = cell.attachment;
            assertTrue(pool.attach(lease, socket, Watching.PROBE));
            assertTrue(pool.attach(lease, FoundSocket.of(socket), Watching.PROBE));
            assertSame(first, cell.attachment);
            assertFalse(pool.attach(ref(null), socket, Watching.PROBE), "one that has not begun has nothing of whose slot is the first");
            state.shutDown(true);
            Upkeep.shutdown(pool, true);
            cell.wasWatched = true;
            assertTrue(pool.attach(lease, socket, Watching.PROBE), "what its user may not know");
            assertNull(cell.attachment);
        }
    }

    @Test
    void whatEndedTakesNothingMore() {
        LeaseRef ended = opened("a", "c");
        assertTrue(pool.release(ended, Engine.KEEP_FOREVER, null));
        assertThrows(IllegalStateException.class, () -> pool.opened(ended, "d"));
        assertFalse(pool.replace(ended, Cause.DISCARDED));
        assertNull(pool.reopen(ended));
        pool.detach(ended);
        assertEquals(1, pool.stats()[2]);
        assertEquals(Collections.emptyList(), closed.all);
    }

    @Test
    void ofAPoolThatWasShutDownAtOnceLeasesEndOnce() {
        LeaseRef vacancy = lease("a", null);
        state.shutDown(true);
        Upkeep.shutdown(pool, true);
        assertFalse(pool.opened(vacancy, "late"));
        assertTrue(vacancy.isEnded());
        assertEquals(Collections.singletonList("late SHUT_DOWN"), closed.all);
        assertFalse(pool.release(vacancy, Engine.CLOSE, null));
        assertThrows(PoolShutDownException.class, () -> pool.tryLease(ref(null), "a", null));
        assertTrue(pool.isShutDown());
    }

    @Test
    void whatItsUserMayNotKnowOfAShutdownItMayEndAllTheSame() {
        LeaseRef lease = opened("a", "c");
        state.shutDown(true);
        Upkeep.shutdown(pool, true);
        assertEquals(Collections.singletonList("c SHUT_DOWN"), closed.all);
        assertNull(pool.reopen(lease), "it is closed already");
        assertFalse(pool.release(lease, Engine.CLOSE, null));
    }
}
