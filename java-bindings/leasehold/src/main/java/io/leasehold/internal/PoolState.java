package io.leasehold.internal;

import io.leasehold.Disposer;
import io.leasehold.LeakListener;
import io.leasehold.Watching;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * What Java knows of a pool: its connections by slot, its routes and states. It outlives the pool's own
 * objects, which it must not refer to, so that the housekeeper can put a collected pool's affairs in order.
 */
public final class PoolState {
    private static final String UNUSED_MILLIS = "io.leasehold.unusedMillis";

    /** What a pool is made with and keeps. */
    public static final class Constants {
        final boolean ownRouteFirst;
        final boolean fifo;
        final boolean barging;
        final int maxWaiters;
        final long timeToLive;
        final int stripes;
        final boolean manualClock;
        final Watching watching;
        final boolean evictExpired;
        final long evictIdle;
        /** After how many milliseconds without a lease begun or ended the pool's idle connections are closed; 0 for never. */
        final long unusedMillis;

        /**
         * Lists them.
         *
         * @param ownRouteFirst whether a released connection serves its own route's waiters first
         * @param fifo whether the least recently released connection goes first
         * @param barging whether a new request may go before those that wait
         * @param maxWaiters how many requests may wait
         * @param timeToLive milliseconds, 0 for no end
         * @param stripes how many idle lists, 0 for as many as fit the machine
         * @param manualClock whether time stands still until it is moved
         * @param watching how it learns that peers have closed
         * @param evictExpired whether the housekeeper closes what has expired
         * @param evictIdle milliseconds after which it closes what is idle, 0 for never
         */
        public Constants(boolean ownRouteFirst, boolean fifo, boolean barging, int maxWaiters,
                long timeToLive, int stripes, boolean manualClock, Watching watching, boolean evictExpired,
                long evictIdle) {
            this.ownRouteFirst = ownRouteFirst;
            this.fifo = fifo;
            this.barging = barging;
            this.maxWaiters = maxWaiters;
            this.timeToLive = timeToLive;
            this.stripes = stripes;
            this.manualClock = manualClock;
            this.watching = watching;
            this.evictExpired = evictExpired;
            this.evictIdle = evictIdle;
            unusedMillis = unusedMillis();
        }

        /** What the system property says, which is for all pools, as most are made by managers that their applications know nothing of. */
        private static long unusedMillis() {
            try {
                return Math.max(0, Long.getLong(UNUSED_MILLIS, TimeUnit.MINUTES.toMillis(5)));
            } catch (SecurityException e) {
                return TimeUnit.MINUTES.toMillis(5);
            }
        }

        boolean evicts() {
            return evictExpired || evictIdle > 0;
        }
    }

    /** The limits. */
    public final Limits limits;

    /** Who waits for the pool's end. */
    public final Termination termination = new Termination();

    /** The leases that nobody holds. */
    public final Strays strays = new Strays();

    final Constants constants;
    final Slots<Cell> cells = new Slots<>();
    final Slots<Waiter> waiters = new Slots<>();
    /** Those for which no thread waits, until they are told their answer. */
    final Set<HookedRequest> requests = ConcurrentHashMap.newKeySet();
    final States states = new States();
    final Disposal disposal;

    // The pool's share in the housekeeper, and the pool's engine under an object of the housekeeper's own. Written once, before the pool is
    // published.
    Housekeeper.Charge charge;
    NativePool ours;
    // Written by whoever shuts the pool down, under this object's monitor.
    private volatile boolean shutDown;
    private volatile boolean shutDownAtOnce;
    // Written by whoever has shut the engine down, too.
    private volatile boolean refuses;
    // A slot was given free that somebody waits for. Written by whoever gave it free, and by whoever serves, which one of them does.
    volatile boolean hasSlotToServe;
    // Whether the housekeeper need not look after the pool, or will not soon: who puts something into it resumes that. Written under the
    // housekeeper's monitor, by its thread and by who resumes.
    volatile boolean isResting = true;
    // By how much a manual clock was moved. Written by whoever moves it, one at a time.
    private volatile long movedMillis;
    // Written by the housekeeper only, when no other thread can use the pool any more.
    boolean collected;

    private final LeakListener<Object, Object> leakListener;
    private final ConcurrentHashMap<Object, RouteRef> routes = new ConcurrentHashMap<>();
    // By id and not by the id's slot, which a new route may have before the old one was forgotten here.
    private final ConcurrentHashMap<Long, RouteRef> routesById = new ConcurrentHashMap<>();

    /**
     * Makes the state of a pool that has no engine yet.
     *
     * @param disposer closes connections
     * @param leakListener is told of leaks; null for the log
     * @param constants the rest
     * @param maxTotal the limit in total
     * @param defaultMaxPerRoute the limit of routes that have none of their own
     */
    @SuppressWarnings("unchecked") // Given what came in through the pool's own typed methods.
    public PoolState(Disposer<?> disposer, LeakListener<?, ?> leakListener, Constants constants, int maxTotal,
            int defaultMaxPerRoute) {
        this.leakListener = (LeakListener<Object, Object>) leakListener;
        this.constants = constants;
        disposal = new Disposal(disposer, termination);
        limits = new Limits(this, maxTotal, defaultMaxPerRoute);
    }

    /**
     * Whether the pool was shut down.
     *
     * @return true if it was
     */
    public boolean isShutDown() {
        return shutDown;
    }

    /**
     * From now on no engine is made.
     *
     * @param atOnce whether leases end, too
     */
    public synchronized void shutDown(boolean atOnce) {
        shutDownAtOnce |= atOnce;
        shutDown = true;
    }

    /** No engine is made, and if there is one it begins no lease. */
    public void refusesFromNowOn() {
        refuses = true;
        termination.tell();
    }

    /**
     * Whether no lease will begin any more.
     *
     * @return true if so
     */
    public boolean refuses() {
        return refuses;
    }

    boolean isShutDownAtOnce() {
        return shutDownAtOnce;
    }

    /** The pool's time, counted from whenever. */
    long millis() {
        return constants.manualClock ? movedMillis : TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    }

    void clockMoved(long millis) {
        movedMillis += millis;
        Housekeeper.timeMoved();
    }

    /** Has the housekeeper look after the pool, into which something was just put. */
    void resume() {
        charge.resume(this);
    }

    /** Whether any lease has begun or ended since this was asked last. On the housekeeper's thread; takes time in proportion to the cells. */
    boolean wasUsed() {
        boolean wasUsed = false;
        int size = cells.size();
        for (int slot = 0; slot < size; slot++) {
            Cell cell = cells.get(slot);
            wasUsed |= cell != null && cell.wasUsed();
        }
        return wasUsed;
    }

    /**
     * What is known of a route.
     *
     * @param route the route
     * @return null if nothing is
     */
    public RouteRef route(Object route) {
        return routes.get(route);
    }

    /** What is known of a route, from now on if nothing was. */
    RouteRef routeFor(Object route) {
        RouteRef known = routes.get(route);
        if (known != null) {
            return known;
        }
        RouteRef made = new RouteRef(this, route);
        RouteRef first = routes.putIfAbsent(route, made);
        return first != null ? first : made;
    }

    /**
     * The routes that have an id.
     *
     * @return a copy
     */
    public Set<Object> knownRoutes() {
        Set<Object> known = new HashSet<>();
        for (RouteRef route : routes.values()) {
            if (route.id != RouteRef.NONE) {
                known.add(route.route);
            }
        }
        return known;
    }

    /**
     * Makes a route known to the engine, with its limit in force, unless it is.
     *
     * @param effects for what making it known brings about
     * @return anything but a positive number if the engine refuses
     */
    long makeKnown(RouteRef route, NativePool pool, long[] effects) {
        long[] none = Effects.array();
        synchronized (route) {
            if (route.isGone || route.id != RouteRef.NONE) {
                return 1;
            }
            long id = pool.addRoute(pool.address, effects);
            if (id > 0) {
                routesById.put(id, route);
                if (route.ownLimit != null) {
                    // Nothing comes of it: the route has no connections, and nobody waits.
                    pool.setMaxPerRoute(pool.address, id, route.ownLimit, none);
                }
                route.id = id;
            }
            return id;
        }
    }

    /** The engine does not know a route under this id any more; it may know it under a new one already. */
    void forget(RouteRef route, long id) {
        synchronized (route) {
            if (route.id == id) {
                route.id = RouteRef.NONE;
                route.isGone = route.ownLimit == null;
            }
        }
        routesById.remove(id);
        removeIfGone(route);
    }

    /** Lets another object stand for a route of which nothing is known any more. */
    void removeIfGone(RouteRef route) {
        boolean isGone;
        synchronized (route) {
            isGone = route.isGone;
        }
        if (isGone) {
            routes.remove(route.route, route);
        }
    }

    /** The route with an id, or null. */
    RouteRef routeOf(long id) {
        return routesById.get(id);
    }

    /** The engine does not know this id any more. */
    void forget(long id) {
        RouteRef route = routesById.get(id);
        if (route != null) {
            forget(route, id);
        }
    }

    /** Puts a lease's affairs in order that was collected without having been ended. On the housekeeper's thread. */
    void leaked(LeaseRef lease, long[] effects) {
        if (!charge.isFreed()) {
            ours.releaseLeaked(lease, effects);
        }
    }

    /** Ends the leases of a collected pool: they are unreachable too, though they may come up in the queue only later. As {@link #leaked}. */
    void endLeases(long[] effects) {
        for (Listing.Item item : Listing.of(ours, false)) {
            LeaseRef lease = cells.get(item.slot).lease;
            if (!lease.isEnded()) {
                leaked(lease, effects);
            }
        }
    }

    /** Closes what a collected pool has left. On the housekeeper's thread. */
    void poolCollected(long[] effects) {
        collected = true;
        shutDown(true);
        ours.upkeep.shutdownCollected(effects);
    }

    /** Tells of a leak; never throws. */
    void tellLeak(Object route, Object connection) {
        if (leakListener == null) {
            Log.warn(Texts.LEAK, route, Texts.LEAK_END, null);
            return;
        }
        try {
            leakListener.leaked(route, connection);
        } catch (Throwable e) {
            Log.warn(Texts.LISTENER_FAILED, e);
        }
    }
}
