package io.leasehold.internal;

import java.util.ArrayList;
import java.util.List;

/** Enumerates connections: the engine says which entries there are, and Java what is in their cells. */
public final class Listing {
    private Listing() {}

    /**
     * Lists the connections that are idle, or those that are leased.
     *
     * @param pool their pool
     * @param idle which
     * @return what was seen
     */
    public static List<Item> of(NativePool pool, boolean idle) {
        long[] seen = pool.entries(pool.address, idle);
        List<Item> items = new ArrayList<>(seen.length / 3);
        for (int i = 0; i < seen.length; i += 3) {
            int slot = (int) seen[i];
            Cell cell = pool.state.cells.get(slot);
            Object connection = cell == null ? null : cell.connection;
            RouteRef route = pool.state.routeOf(seen[i + 2]);
            // Whatever has gone since the engine was asked is left out.
            if (connection != null && route != null) {
                items.add(new Item(slot, (int) seen[i + 1], route.route, connection));
            }
        }
        return items;
    }

    /** One connection as it was seen. */
    public static final class Item {
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
        public Object route() {
            return route;
        }

        /**
         * The connection.
         *
         * @return the connection, never null
         */
        public Object connection() {
            return connection;
        }
    }
}
