package io.leasehold;

import io.leasehold.internal.natives.Engine;
import java.util.ArrayList;
import java.util.List;

/** Finds the leases that go on: the engine says which entries are leased, and Java where that was noted. */
final class HeldLeases {
    private HeldLeases() {}

    /**
     * Lists the leases that go on. Weakly consistent: one that ends or begins meanwhile may be listed or not.
     *
     * @param state what Java knows of their pool
     * @param engine its engine
     * @return what was seen, in no order
     */
    static List<HeldLease> of(PoolState state, Engine engine) {
        long[] seen = engine.entries(false);
        List<HeldLease> held = new ArrayList<>(seen.length / Engine.ENTRY_WORDS);
        for (int i = 0; i < seen.length; i += Engine.ENTRY_WORDS) {
            Cell cell = state.cells.get((int) seen[i]);
            RouteRef route = state.routes.routeOf(seen[i + 2]);
            if (route != null) {
                LeaseStack stack = cell == null ? null : cell.stackOf(cell.lease);
                held.add(new HeldLease(route.route, seen[i + 3], cell == null || cell.connection == null, stack));
            }
        }
        return held;
    }
}
