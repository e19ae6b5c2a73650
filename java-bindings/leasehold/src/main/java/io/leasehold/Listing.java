package io.leasehold;

import io.leasehold.internal.natives.Engine;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/** Enumerates connections: the engine says which entries there are, and Java what is in their cells. */
final class Listing {
    private Listing() {}

    /**
     * Lists the connections that are idle, or those that are leased.
     *
     * @param pool their pool
     * @param idle which
     * @return what was seen
     */
    static List<Item> of(NativePool pool, boolean idle) {
        long[] seen = pool.engine.entries(idle);
        List<Item> items = new ArrayList<>(seen.length / Engine.ENTRY_WORDS);
        for (int i = 0; i < seen.length; i += Engine.ENTRY_WORDS) {
            int slot = (int) seen[i];
            Cell cell = pool.state.cells.get(slot);
            Object connection = cell == null ? null : cell.connection;
            RouteRef route = pool.state.routes.routeOf(seen[i + 2]);
            if (connection != null && route != null) {
                items.add(new Item(slot, (int) seen[i + 1], route.route, connection));
            }
        }
        // Race window: what was in a cell may be of an entry that came after the one that the engine has named. It is harmless because of
        // what follows: where the opening is there still, it was there in between; whatever has gone is left out.
        Set<Long> openings = openings(pool);
        // Not by a function: on the housekeeper's thread there may be no class loader left to make it.
        for (Iterator<Item> left = items.iterator(); left.hasNext(); ) {
            Item item = left.next();
            if (!openings.contains(opening(item.slot, item.opening))) {
                left.remove();
            }
        }
        return items;
    }

    /** The openings in which entries are now, idle or leased. */
    private static Set<Long> openings(NativePool pool) {
        Set<Long> openings = new HashSet<>();
        for (boolean idle : new boolean[] {true, false}) {
            long[] seen = pool.engine.entries(idle);
            for (int i = 0; i < seen.length; i += Engine.ENTRY_WORDS) {
                openings.add(opening((int) seen[i], (int) seen[i + 1]));
            }
        }
        return openings;
    }

    private static long opening(int slot, int opening) {
        return (long) slot << 32 | opening;
    }

    /** One connection as it was seen. */
    static final class Item {
        final int slot;
        final int opening;
        private final Object route;
        private final Object connection;

        Item(int slot, int opening, Object route, Object connection) {
            this.slot = slot;
            this.opening = opening;
            this.route = route;
            this.connection = connection;
        }

        /**
         * The route.
         *
         * @return what the pool's user calls it
         */
        Object route() {
            return route;
        }

        /**
         * The connection.
         *
         * @return the connection, never null
         */
        Object connection() {
            return connection;
        }
    }
}
