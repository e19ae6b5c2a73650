package io.leasehold;

import io.leasehold.internal.housekeeping.Housekeeper;
import io.leasehold.internal.jfr.FlightEvents;
import io.leasehold.internal.log.Log;
import io.leasehold.internal.log.Texts;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Predicate;

/**
 * What Java knows of a pool: its connections by slot, its routes and states. It outlives the pool's own
 * objects, which it must not refer to, so that the housekeeper can put a collected pool's affairs in order.
 */
final class PoolState {
    private static final String UNUSED_MILLIS = "io.leasehold.unusedMillis";
    private static final String JMX = "io.leasehold.jmx";
    private static final String LEASE_STACKS = "io.leasehold.leaseStacks";
    private static final String LEAK_DETECTION_MILLIS = "io.leasehold.leakDetectionMillis";

    @SuppressWarnings({"unchecked", "rawtypes"}) // There is none in it.
    private static final CloseListener<Object>[] NO_LISTENERS = new CloseListener[0];

    /** What a pool is made with and keeps. */
    static final class Constants {
        final boolean ownRouteFirst;
        final boolean connectsLater;
        final boolean fifo;
        final boolean barging;
        final int maxWaiters;
        final long timeToLive;
        final int stripes;
        final boolean manualClock;
        final Watching watching;
        final boolean evictExpired;
        final long evictIdle;
        /** Tells of an idle connection whether somebody else has closed it; null for nobody to ask. */
        final Predicate<Object> isClosed;
        /** What leased connections may need; null for nothing. */
        final Help help;
        /** After how many milliseconds without a lease begun or ended the pool's idle connections are closed; 0 for never. */
        final long unusedMillis;

        /**
         * Lists them.
         *
         * @param ownRouteFirst whether a released connection serves its own route's waiters first
         * @param connectsLater whether connections are connected inside their leases, and the pool is told how long that took
         * @param fifo whether the least recently released connection goes first
         * @param barging whether a new request may go before those that wait
         * @param maxWaiters how many requests may wait
         * @param timeToLive milliseconds, 0 for no end
         * @param stripes how many idle lists, 0 for as many as fit the machine
         * @param manualClock whether time stands still until it is moved
         * @param watching how it learns that peers have closed
         * @param evictExpired whether the housekeeper closes what has expired
         * @param evictIdle milliseconds after which it closes what is idle, 0 for never
         * @param isClosed whether somebody else has closed an idle connection, which it closes then; null for nobody to ask
         * @param help what leased connections may need; null for nothing
         */
        Constants(boolean ownRouteFirst, boolean connectsLater, boolean fifo, boolean barging, int maxWaiters,
                long timeToLive, int stripes, boolean manualClock, Watching watching, boolean evictExpired,
                long evictIdle, Predicate<?> isClosed, Help help) {
            this.ownRouteFirst = ownRouteFirst;
            this.connectsLater = connectsLater;
            this.fifo = fifo;
            this.barging = barging;
            this.maxWaiters = maxWaiters;
            this.timeToLive = timeToLive;
            this.stripes = stripes;
            this.manualClock = manualClock;
            this.watching = watching;
            this.evictExpired = evictExpired;
            this.evictIdle = evictIdle;
            this.isClosed = cast(isClosed);
            this.help = help;
            unusedMillis = unusedMillis();
        }

        @SuppressWarnings("unchecked") // It is asked about the connections of its own pool alone.
        private static Predicate<Object> cast(Predicate<?> isClosed) {
            return (Predicate<Object>) isClosed;
        }

        /** What the system property says, which is for all pools, as most are made by managers that their applications know nothing of. */
        private static long unusedMillis() {
            return millisProperty(UNUSED_MILLIS, TimeUnit.MINUTES.toMillis(5));
        }

        boolean evicts() {
            return evictExpired || evictIdle > 0 || isClosed != null || help != null;
        }
    }

    final PoolName name;

    /** The limits. */
    final Limits limits;

    /** Who waits for the pool's end. */
    final Termination termination = new Termination();

    /** The leases that nobody holds. */
    final Strays strays = new Strays();

    final Constants constants;
    final Routes routes = new Routes();
    final Cells cells = new Cells();
    final Slots<Waiter> waiters = new Slots<>();
    /** Those for which no thread waits, until they are told their answer. */
    final Set<Waiter> requests = ConcurrentHashMap.newKeySet();
    final States states = new States();
    final Disposal disposal;

    // ----- written by whoever shuts the pool down, under this object's monitor; read by anybody -----
    // Race window: while a shutdown is under way either answer may come. It is harmless because whoever is told "no" is refused by the
    // engine, or has a lease that its release ends as it does any other.
    private volatile boolean shutDown;
    private volatile boolean shutDownAtOnce;

    // ----- written by whoever has shut the engine down, too -----
    private volatile boolean refuses;

    // ----- written by whoever gave a slot free that somebody waits for, and by whoever serves -----
    volatile boolean hasSlotToServe;

    // ----- written by who moves a manual clock, inside that clock's monitor -----
    private volatile long movedMillis;

    // ----- written by who sets it; both at the beginning by the system properties -----
    private volatile boolean wantsStacks = booleanProperty(LEASE_STACKS);
    /** After how many milliseconds a lease that goes on is warned of; 0 for never. */
    private volatile long leakMillis = millisProperty(LEAK_DETECTION_MILLIS, 0);

    // ----- written inside this object's monitor, by who sets one of those -----
    /**
     * Whether it is noted where leases are taken.
     *
     * <p>Race window: a lease that begins while this changes may be noted or not. It is harmless because who lists leases looks whether it
     * was.
     */
    volatile boolean notesStacks = wantsStacks || leakMillis > 0;

    // ----- written inside this object's monitor, by who adds or removes one; what is in it does not change -----
    private volatile CloseListener<Object>[] closeListeners = NO_LISTENERS;

    // ----- written by who sets it -----
    /** Told how many leases there were, and how many of a new connection, and with nulls that it will be; null for nobody. */
    volatile BiConsumer<Long, Long> numbersListener;

    // ----- the housekeeper's thread's own, written when no other thread can use the pool any more -----
    boolean collected;

    private final LeakListener<Object, Object> leakListener;

    /**
     * Makes the state of a pool that has no engine yet.
     *
     * @param name what the pool is called
     * @param disposer closes connections
     * @param leakListener is told of leaks; null for the log
     * @param constants the rest
     * @param maxTotal the limit in total
     * @param defaultMaxPerRoute the limit of routes that have none of their own
     */
    @SuppressWarnings("unchecked") // Given what came in through the pool's own typed methods.
    PoolState(PoolName name, Disposer<?> disposer, LeakListener<?, ?> leakListener, Constants constants, int maxTotal,
            int defaultMaxPerRoute) {
        this.name = name;
        this.leakListener = (LeakListener<Object, Object>) leakListener;
        this.constants = constants;
        disposal = new Disposal(name, disposer, termination);
        limits = new Limits(routes, maxTotal, defaultMaxPerRoute);
    }

    /** Whether each pool is shown as a bean. */
    static boolean isShownByJmx() {
        return booleanProperty(JMX);
    }

    private static boolean booleanProperty(String property) {
        try {
            return Boolean.getBoolean(property);
        } catch (SecurityException e) {
            return false;
        }
    }

    private static long millisProperty(String property, long otherwise) {
        try {
            return Math.max(0, Long.getLong(property, otherwise));
        } catch (SecurityException e) {
            return otherwise;
        }
    }

    /** Says whether it is noted where leases are taken, though nobody is warned of those that go on for long. */
    synchronized void setLeaseStacks(boolean wanted) {
        wantsStacks = wanted;
        notesStacks = wanted || leakMillis > 0;
    }

    /** Says after how many milliseconds a lease that goes on is warned of; 0 for never. */
    synchronized void setLeakMillis(long millis) {
        leakMillis = millis;
        notesStacks = wantsStacks || millis > 0;
    }

    long leakMillis() {
        return leakMillis;
    }

    boolean wantsStacks() {
        return wantsStacks;
    }

    /**
     * Warns, once for each, of leases that go on for longer than is set. On the housekeeper's thread; takes time in proportion to the
     * cells.
     *
     * @return whether one may have to be warned of later
     */
    boolean warnOfHeld() {
        long most = leakMillis;
        if (most == 0) {
            return false;
        }
        boolean isAny = false;
        long now = millis();
        int size = cells.size();
        for (int slot = 0; slot < size; slot++) {
            Cell cell = cells.get(slot);
            LeaseRef seen = cell == null ? null : cell.lease;
            LeaseStack stack = cell == null ? null : cell.stackOf(seen);
            if (stack != null && !stack.isWarnedOf) {
                if (now - stack.since >= most) {
                    stack.isWarnedOf = true;
                    Log.warnOf(name, Texts.HELD, seen.route, Texts.HELD_END, stack);
                } else {
                    isAny = true;
                }
            }
        }
        return isAny;
    }

    /**
     * Whether the pool was shut down.
     *
     * @return true if it was
     */
    boolean isShutDown() {
        return shutDown;
    }

    /**
     * From now on no engine is made.
     *
     * @param atOnce whether leases end, too
     */
    synchronized void shutDown(boolean atOnce) {
        shutDownAtOnce |= atOnce;
        shutDown = true;
    }

    /** No engine is made, and if there is one it begins no lease. */
    void refusesFromNowOn() {
        refuses = true;
        termination.tell();
    }

    /**
     * Whether no lease will begin any more.
     *
     * @return true if so
     */
    boolean refuses() {
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

    /** Tells that a lease's connection was opened. Outside every lock; never throws but for want of stack. */
    void tellOpened(LeaseRef lease) {
        FlightEvents.opened(name, lease.route);
    }

    /**
     * Tells that a connection has gone. Outside every lock; never throws but for want of stack.
     *
     * @param last its last lease
     * @param cause why
     * @param openedAt when it was opened, in the pool's time
     * @param uses how many leases had it
     */
    void tellClosed(LeaseRef last, Cause cause, long openedAt, long uses) {
        long age = millis() - openedAt;
        FlightEvents.closed(name, last.route, cause, age, uses);
        for (CloseListener<Object> each : closeListeners) {
            try {
                each.closed(last.route(), cause, age, uses);
            } catch (Throwable e) {
                Log.warnOf(name, Texts.CLOSE_LISTENER_FAILED, e);
            }
        }
    }

    /** Has a listener told of each connection that goes from now on. */
    @SuppressWarnings("unchecked") // It is given the pool's own routes.
    synchronized void addCloseListener(CloseListener<?> listener) {
        CloseListener<Object>[] all = Arrays.copyOf(closeListeners, closeListeners.length + 1);
        all[closeListeners.length] = (CloseListener<Object>) listener;
        closeListeners = all;
    }

    /** Has it told no more; false if it was not. */
    synchronized boolean removeCloseListener(CloseListener<?> listener) {
        List<CloseListener<Object>> all = new ArrayList<>(Arrays.asList(closeListeners));
        boolean isRemoved = all.removeIf(each -> each == listener);
        closeListeners = all.toArray(NO_LISTENERS);
        return isRemoved;
    }

    /** Tells of a leak, and where the lease was taken, if that is known; never throws. */
    void tellLeak(RouteRef ref, Object connection, LeaseStack stack) {
        FlightEvents.leaked(name, ref, stack);
        Object route = ref.route;
        if (leakListener == null || stack != null) {
            Log.warnOf(name, Texts.LEAK, ref, Texts.LEAK_END, stack);
        }
        if (leakListener == null) {
            return;
        }
        try {
            leakListener.leaked(route, connection, stack);
        } catch (Throwable e) {
            Log.warnOf(name, Texts.LISTENER_FAILED, e);
        }
    }
}
