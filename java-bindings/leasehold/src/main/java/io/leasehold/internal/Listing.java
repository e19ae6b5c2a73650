package io.leasehold.internal;

/** What an enumeration has seen. */
public final class Listing {
    private Listing() {}

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
