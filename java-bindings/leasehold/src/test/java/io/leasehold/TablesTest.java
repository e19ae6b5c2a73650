package io.leasehold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.leasehold.internal.natives.Engine;
import io.leasehold.testsupport.Eventually;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a pool has by number: the cells and waiters of slots, the ids of states, and whether a cell was used. */
class TablesTest {
    private static final int LAST_SLOT = (1 << 20) - 1;

    @Test
    void whatIsSetIsFoundInItsOwnPlaceAndNowhereElse() {
        Slots<Integer> slots = new Slots<>();
        assertEquals(8, slots.size());
        assertNull(slots.get(LAST_SLOT));
        slots.remove(LAST_SLOT, 1);
        assertEquals(8, slots.size());
        for (int slot = 0; slot < 200; slot++) {
            slots.set(slot, slot);
            assertTrue(slots.size() > slot);
        }
        for (int slot = 0; slot < 200; slot++) {
            assertEquals(slot, slots.get(slot));
        }
        assertNull(slots.get(200));
        Integer other = 1_000_000;
        slots.remove(7, other);
        assertEquals(7, slots.get(7));
        for (int slot : new int[] {7, 8, 100}) {
            slots.remove(slot, slots.get(slot));
            assertNull(slots.get(slot));
        }
        assertEquals(9, slots.get(9));
        assertEquals(99, slots.get(99));
    }

    @Test
    void aCellStaysInItsPlaceWhileTheTableGrows() {
        Cells cells = new Cells();
        assertNull(cells.get(0));
        assertNull(cells.get(LAST_SLOT));
        Map<Integer, Cell> put = new HashMap<>();
        for (int slot : new int[] {0, 7, 8, 3, 9, 100, LAST_SLOT, 1000}) {
            Cell cell = new Cell();
            put.put(slot, cell);
            cells.set(slot, cell);
            put.forEach((place, there) -> assertSame(there, cells.get(place)));
        }
        assertNull(cells.get(1));
        assertNull(cells.get(LAST_SLOT - 1));
        assertEquals(LAST_SLOT + 1, cells.size());
    }

    @Test
    void everySlotOfTheEnginesHasAPlace() {
        Slots<String> slots = new Slots<>();
        for (int slot = 1; slot <= LAST_SLOT; slot = slot * 2 + 1) {
            slots.set(slot, "s" + slot);
        }
        for (int slot = 1; slot <= LAST_SLOT; slot = slot * 2 + 1) {
            assertEquals("s" + slot, slots.get(slot));
        }
        assertTrue(slots.size() > LAST_SLOT);
        assertEquals(LAST_SLOT, Slots.of((long) LAST_SLOT << 32 | 5));
        assertEquals(6, Slots.of(3L << 52 | 6L << 32 | 1));
    }

    /** Has something happen when it is hashed for the n-th time. */
    private static final class State {
        private final Runnable event;
        private int left;

        State(int left, Runnable event) {
            this.left = left;
            this.event = event;
        }

        @Override
        public int hashCode() {
            if (--left == 0) {
                event.run();
            }
            return 1;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof State;
        }
    }

    @Test
    void equalStatesHaveOneIdAndOthersHaveOthers() {
        States states = new States();
        StateRef joe = states.intern("joe");
        assertSame(joe, states.intern(new String("joe")));
        StateRef jack = states.intern("jack");
        assertNotEquals(joe.id, jack.id);
        assertNotEquals(StateRef.NO_STATE, joe.id);
        assertEquals(StateRef.NO_STATE, StateRef.idOf(null));
        assertEquals(jack.id, StateRef.idOf(jack));
    }

    @Test
    void ofTwoThatComeAtOnceOneIdIsTakenAndNoneIsLost() {
        for (int moment = 1; moment <= 2; moment++) {
            States states = new States();
            StateRef[] first = new StateRef[1];
            StateRef second = states.intern(new State(moment, () -> first[0] = states.intern(new State(0, null))));
            assertSame(first[0], second);
            Set<Integer> ids = new HashSet<>();
            ids.add(second.id);
            ids.add(states.intern("other").id);
            assertEquals(new HashSet<>(Arrays.asList(1, 2)), ids, "moment " + moment);
        }
    }

    @Test
    void theIdOfAStateThatNobodyHoldsIsTakenAgainAndItIsForgotten() throws Exception {
        // Whose lease keeps the housekeeper there.
        PoolState state = new PoolState(new PoolName(PoolName.POOL, null), (Disposer<Object>) (connection, cause) -> {}, null,
                new PoolState.Constants(true, false, false, false, 10, 0, 0, true, Watching.OFF, false, 0, null, null), 5, 5);
        NativePool pool = PoolChores.newPool(state);
        LeaseRef lease = pool.ref(this, null);
        assertTrue(pool.tryLease(lease, "a", null));
        States states = new States();
        assertEquals(1, states.intern("dropped").id);
        List<StateRef> held = new ArrayList<>();
        Eventually.awaitAfterCollection("its id is another's", () -> {
            held.add(states.intern("held" + held.size()));
            return held.get(held.size() - 1).id == 1;
        });
        assertNotEquals(1, states.intern("dropped").id);
        Set<Integer> ids = new HashSet<>();
        held.forEach(ref -> assertTrue(ids.add(ref.id)));
        assertTrue(pool.release(lease, Engine.CLOSE, null));
        Upkeep.shutdown(pool, true);
    }

    @Test
    void aCellWasUsedIfALeaseBeganOrEndedThere() {
        Cell cell = new Cell();
        assertFalse(cell.wasUsed());
        for (int i = 0; i < 100; i++) {
            cell.lease = new LeaseRef(new Object(), null, null);
            cell.lease.handle = 1;
            assertTrue(cell.wasUsed());
            assertFalse(cell.wasUsed());
            cell.lease.handle = LeaseRef.ENDED;
            assertTrue(cell.wasUsed());
            assertFalse(cell.wasUsed());
        }
    }

    @Test
    void ofStraysTheLastIsTakenOffTheListAndNoOther() {
        Strays strays = new Strays();
        LeaseRef first = new LeaseRef(this, null, null);
        LeaseRef second = new LeaseRef(this, null, null);
        assertNull(strays.last);
        strays.add(first);
        strays.add(second);
        strays.remove(first);
        assertSame(second, strays.last);
        strays.remove(second);
        assertSame(first, strays.last);
        strays.remove(first);
        assertNull(strays.last);
    }
}
