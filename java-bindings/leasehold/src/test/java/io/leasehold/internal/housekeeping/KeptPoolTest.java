package io.leasehold.internal.housekeeping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.ConnectionPool;
import io.leasehold.Ours;
import io.leasehold.internal.natives.Effects;
import io.leasehold.internal.natives.Engine;
import io.leasehold.testsupport.Eventually;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * When a pool needs the housekeeper, and what is left of it. Inside the monitor, which keeps the housekeeper itself from looking after the
 * pools of these tests; what moment it is they say themselves.
 */
class KeptPoolTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final int[] NUMBERS = new int[Engine.STATS];
    private static final int[] EVENTS = {1, 2, 3};

    /** Notes what is asked of it. */
    private static final class Noting implements Chores {
        final List<String> asked = new ArrayList<>();
        boolean isAnyOverdue;
        boolean isInNeed;
        RuntimeException failure;

        List<String> take() {
            List<String> taken = new ArrayList<>(asked);
            asked.clear();
            return taken;
        }

        @Override
        public boolean lookAfterRequests(Effects effects) {
            return isAnyOverdue;
        }

        @Override
        public boolean lookAfterConnections(Effects effects, int[] numbers) {
            assertSame(NUMBERS, numbers);
            return isInNeed;
        }

        @Override
        public void willTellNumbers() {
            asked.add("will tell");
        }

        @Override
        public void tellNumbers() {
            asked.add("tell");
        }

        @Override
        public void noteClosed(int[] events, int from, int to, Effects effects) {
            assertSame(EVENTS, events);
            asked.add("note " + from + " to " + to);
        }

        @Override
        public void carryOut(Effects effects) {
            asked.add("carry out");
        }

        @Override
        public void endLeases(Effects effects) {
            asked.add("end leases");
        }

        @Override
        public void end(Effects effects) {
            asked.add("end");
            if (failure != null) {
                throw failure;
            }
        }
    }

    private final Effects effects = new Effects();
    private final Noting chores = new Noting();
    // What would be collected otherwise, and the housekeeper end what is left of its pool.
    private final List<Engine> held = new ArrayList<>();

    @BeforeAll
    static void prepareTheHousekeeper() {
        ConnectionPool.<String, String>builder((connection, cause) -> {}).build().tryLease("a").discard();
    }

    private KeptPool take(Chores chores, boolean evicts) {
        Engine engine = Engine.create(Ours.LOOKUP, 1, 1, 1, 0, false, false, false, false, 1, true);
        held.add(engine);
        return KeptPool.take(engine, engine.forHousekeeper(), chores, evicts);
    }

    private boolean look(KeptPool pool, long now) {
        return pool.look(now, effects, NUMBERS);
    }

    private void assertNeeded(boolean isNeeded, KeptPool pool, int neededBefore) {
        assertEquals(isNeeded, KeptPool.active().contains(pool));
        assertEquals(neededBefore + (isNeeded ? 1 : 0), HousekeeperThread.needs);
    }

    @Test
    void aPoolThatHasHadNothingForASecondIsAtRestUntilItIsUsed() {
        synchronized (HousekeeperThread.class) {
            int before = HousekeeperThread.needs;
            KeptPool pool = take(chores, false);
            assertNeeded(false, pool, before);
            for (int round = 0; round < 2; round++) {
                assertTrue(pool.isResting);
                pool.resume();
                pool.resume();
                assertFalse(pool.isResting);
                assertNeeded(true, pool, before);
                assertTrue(HousekeeperThread.isThere());
                assertEquals(Arrays.asList("will tell", "will tell"), chores.take());
                chores.isInNeed = true;
                look(pool, 0);
                look(pool, 5 * SECOND);
                assertFalse(pool.isResting);
                chores.isInNeed = false;
                look(pool, 6 * SECOND);
                assertTrue(pool.isResting, "who puts something into it now says so");
                assertNeeded(true, pool, before);
                look(pool, 7 * SECOND - 1);
                assertNeeded(true, pool, before);
                chores.isInNeed = true;
                look(pool, 7 * SECOND);
                assertFalse(pool.isResting);
                chores.isInNeed = false;
                look(pool, 8 * SECOND);
                look(pool, 9 * SECOND - 1);
                assertNeeded(true, pool, before);
                assertEquals(Collections.emptyList(), chores.take());
                look(pool, 9 * SECOND);
                assertNeeded(false, pool, before);
                assertEquals(Collections.singletonList("tell"), chores.take());
            }
            pool.collected(effects);
        }
    }

    /** As one does whose resumption was cut off before it counted: it is looked after already. */
    @Test
    void whatIsInNeedAndHasNotCountedCounts() {
        synchronized (HousekeeperThread.class) {
            int before = HousekeeperThread.needs;
            KeptPool pool = take(chores, false);
            chores.isInNeed = true;
            look(pool, 0);
            look(pool, 1);
            assertEquals(before + 1, HousekeeperThread.needs);
            assertFalse(pool.isResting);
            pool.collected(effects);
            assertEquals(before, HousekeeperThread.needs);
        }
    }

    @Test
    void aPoolMayHaveSomethingExpireForAsLongAsItIsNotAtRest() {
        synchronized (HousekeeperThread.class) {
            // Those of other tests.
            int others = KeptPool.evicting;
            KeptPool.evicting = 0;
            for (boolean evicts : new boolean[] {false, true}) {
                KeptPool pool = take(chores, evicts);
                assertEquals(evicts, pool.evicts());
                assertFalse(KeptPool.mayExpire());
                pool.resume();
                pool.resume();
                assertEquals(evicts ? 1 : 0, KeptPool.evicting);
                assertEquals(evicts, KeptPool.mayExpire());
                look(pool, 0);
                look(pool, SECOND);
                assertFalse(KeptPool.mayExpire());
                pool.collected(effects);
                assertEquals(0, KeptPool.evicting);
            }
            KeptPool.evicting = others;
        }
    }

    @Test
    void aLookSaysWhetherARequestIsToBeLookedAfterSoon() {
        synchronized (HousekeeperThread.class) {
            KeptPool pool = take(chores, false);
            pool.resume();
            assertFalse(look(pool, 0));
            chores.isAnyOverdue = true;
            assertTrue(look(pool, 0));
            pool.collected(effects);
            assertFalse(look(pool, 0));
        }
    }

    @Test
    void eachPoolHasANumberThatNoOtherHasAndThatATokenHasRoomFor() {
        synchronized (HousekeeperThread.class) {
            int last = KeptPool.lastNumber;
            List<KeptPool> pools = new ArrayList<>();
            KeptPool.lastNumber = KeptPool.MOST_NUMBER - 1;
            pools.add(take(chores, false));
            assertEquals(KeptPool.MOST_NUMBER, pools.get(0).number());
            pools.add(take(chores, false));
            int second = pools.get(1).number();
            assertTrue(second > 0 && second < KeptPool.MOST_NUMBER);
            // As if the numbers had gone round.
            KeptPool.lastNumber = second - 1;
            pools.add(take(chores, false));
            assertNotEquals(second, pools.get(2).number());
            for (KeptPool pool : pools) {
                assertSame(pool, KeptPool.of(pool.number()));
                pool.collected(effects);
                assertNull(KeptPool.of(pool.number()));
            }
            KeptPool.lastNumber = last;
        }
    }

    @Test
    void whatIsLeftOfACollectedPoolIsEndedOnce() {
        synchronized (HousekeeperThread.class) {
            int before = HousekeeperThread.needs;
            KeptPool pool = take(chores, false);
            pool.resume();
            chores.take();
            chores.failure = new IllegalStateException("of the test's own making");
            assertFalse(pool.isFreed());
            assertSame(chores.failure, assertThrows(IllegalStateException.class, () -> pool.collected(effects)));
            assertTrue(pool.isFreed());
            assertNeeded(false, pool, before);
            pool.collected(effects);
            look(pool, 0);
            pool.noteClosed(EVENTS, 0, 3, new LinkedList<>(), effects);
            assertEquals(Arrays.asList("end leases", "tell", "end"), chores.take());
        }
    }

    /** By the last use of a pool, which nothing leads to any more when it comes to say that the thread is needed. */
    @Test
    void nobodyIsNeededForAPoolThatIsGone() {
        synchronized (HousekeeperThread.class) {
            int before = HousekeeperThread.needs;
            KeptPool pool = take(chores, true);
            int evicting = KeptPool.evicting;
            pool.collected(effects);
            pool.resume();
            assertNeeded(false, pool, before);
            assertEquals(evicting, KeptPool.evicting);
        }
    }

    /** Has no memory. */
    private static final class Full extends LinkedList<Parting> {
        private static final long serialVersionUID = 1;

        @Override
        public boolean add(Parting added) {
            throw new OutOfMemoryError("of the test's own making");
        }
    }

    @Test
    void whatComesOfPeersClosesIsCarriedOutLaterUnlessThereIsNoMemoryForThat() {
        synchronized (HousekeeperThread.class) {
            KeptPool pool = take(chores, false);
            Queue<Parting> partings = new LinkedList<>();
            pool.noteClosed(EVENTS, 0, 3, partings, effects);
            assertEquals(Collections.singletonList("note 0 to 3"), chores.take());
            assertEquals(1, partings.size());
            partings.remove().carryOut();
            assertEquals(Collections.singletonList("carry out"), chores.take());
            pool.noteClosed(EVENTS, 0, 3, new Full(), effects);
            assertEquals(Arrays.asList("note 0 to 3", "carry out"), chores.take());
            pool.collected(effects);
        }
    }

    /** Else what a pool in a static field knows would keep its application. */
    @Test
    void whatIsDoneForAPoolIsKnownOnlyWhileThePoolIsNotAtRest() throws Exception {
        WeakReference<Chores> known;
        KeptPool pool;
        synchronized (HousekeeperThread.class) {
            Noting noting = new Noting();
            pool = take(noting, false);
            pool.resume();
            known = new WeakReference<>(noting);
            noting = null;
            System.gc();
            assertFalse(look(pool, 0));
            assertEquals(Arrays.asList("will tell"), ((Noting) known.get()).take());
            look(pool, SECOND);
        }
        Eventually.awaitAfterCollection("it is forgotten", () -> known.get() == null);
        synchronized (HousekeeperThread.class) {
            assertFalse(look(pool, 2 * SECOND));
            pool.noteClosed(EVENTS, 0, 3, new LinkedList<>(), effects);
            // By a last use, before the pool is found to be gone.
            pool.resume();
            pool.collected(effects);
            assertTrue(pool.isFreed());
        }
    }
}
