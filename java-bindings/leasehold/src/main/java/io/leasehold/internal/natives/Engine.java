package io.leasehold.internal.natives;

import java.lang.invoke.MethodHandles;

/**
 * A pool of the native engine: its address, the calls on it and what they answer.
 *
 * <p>The engine's memory is freed once this object is unreachable, so every native that uses it is an instance method: the call itself
 * keeps this object reachable until it returns. Natives take and return numbers only, and arrays of them, and never wait. Every call that
 * has effects writes them into {@link Effects}; it is made only where there is stack enough to carry them out.
 *
 * <p>The natives believe the address that they are given, as to look it up would cost a hit more than all else it does. So it is this
 * object's secret, and only a class of {@code io.leasehold} itself is given such an object: an application that finds this class can call
 * nothing of it. All other numbers may be any; the engine looks at them.
 */
public final class Engine {
    /** Instead of milliseconds: keep a connection until its time to live ends. */
    public static final long KEEP_FOREVER = 0;
    /** Instead of milliseconds: keep a connection until the expiry it had. */
    public static final long KEEP_AS_BEFORE = -1;
    /** Instead of milliseconds: do not keep the connection. */
    public static final long CLOSE = -2;
    /** As {@link #CLOSE}, of a lease that was collected without having been ended. */
    public static final long LOST = -3;
    /** What a native answers that has done what it was asked to; of {@link #releaseHit}: the pool keeps the connection. */
    public static final int DONE = 0;

    // Answers of the natives, in step with answer.rs. A positive answer is the handle of an idle connection; one below
    // OPEN_LIMIT the complement of a handle that is the right to open.
    /** The request was queued. */
    public static final long WAIT = -1;
    /** Nothing can be had now. */
    public static final long WOULD_BLOCK = -2;
    /** As many requests wait as may. */
    public static final long QUEUE_FULL = -3;
    /** The pool was shut down. */
    public static final long SHUT_DOWN = -4;
    /** The engine does not know the route's id any more. */
    public static final long STALE_ROUTE = -5;
    /** The ticket has no answer yet. */
    public static final long PENDING = -6;
    /** The request is to be asked again with its ticket. */
    public static final long RETRY = -7;
    /** The handle is of no lease that goes on. */
    public static final long NOT_LEASED = -8;
    /** There was nothing, or it had ended before. */
    public static final long NOTHING = -9;
    /** More routes are in use than there is room for. */
    public static final long TOO_MANY_ROUTES = -11;
    private static final long OPEN_LIMIT = -(1L << 52);
    /** What the end of a lease answers from here on is the cause for which its connection has to go. */
    public static final int CLOSED = 1;

    /** How many numbers {@link #stats} and {@link #routeStats} write: leased, pending, available. */
    public static final int STATS = 3;

    /** How many numbers {@link #entries} says of each entry. */
    public static final int ENTRY_WORDS = 4;

    /** The one package whose classes may make engines. Its jar is sealed, so that all of them are ours. */
    private static final String OURS = "io.leasehold.";


    // ----- written once, before anybody else sees this object -----
    private long address;
    // The housekeeper's object, in which there is none.
    private final Engine own;

    private Engine(Engine own) {
        this.own = own;
    }

    /**
     * Makes a pool in the engine. The native library must be there.
     *
     * @param maker who makes it, a class of ours by its own word
     * @param maxPerRoute the limit of each route
     * @param maxTotal the limit in total
     * @param maxWaiters how many requests may wait
     * @param timeToLive milliseconds, 0 for no end
     * @param fifo whether the least recently released connection goes first
     * @param barging whether a new request may go before those that wait
     * @param ownRouteFirst whether a released connection serves its own route's waiters first
     * @param connectsLater whether {@link #recordOpening} says how long openings take, and {@link #opened} does not
     * @param stripes how many idle lists, 0 for as many as fit the machine
     * @param manualClock whether time stands still until it is moved
     * @return the engine, whose memory is freed by {@link #free} alone
     */
    public static Engine create(MethodHandles.Lookup maker, int maxPerRoute, int maxTotal, int maxWaiters, long timeToLive, boolean fifo,
            boolean barging, boolean ownRouteFirst, boolean connectsLater, int stripes, boolean manualClock) {
        if (!isOurs(maker)) {
            throw new IllegalArgumentException("only the pool itself makes engines, not " + maker);
        }
        // Both made first: once there is memory to free, nothing may fail.
        Engine own = new Engine(null);
        Engine made = new Engine(own);
        made.address = create(maxPerRoute, maxTotal, maxWaiters, timeToLive, fifo, barging, ownRouteFirst, connectsLater, stripes,
                manualClock);
        own.address = made.address;
        if (made.address == 0) {
            throw new IllegalStateException("the native library could not make a pool: out of memory?");
        }
        return made;
    }

    /** A class can have others look up what is private to it, and nobody else's lookup says that it is of that class. */
    private static boolean isOurs(MethodHandles.Lookup maker) {
        String named = maker.lookupClass().getName();
        return (maker.lookupModes() & MethodHandles.Lookup.PRIVATE) != 0
                && maker.lookupClass().getClassLoader() == Engine.class.getClassLoader()
                && named.startsWith(OURS) && named.indexOf('.', OURS.length()) < 0;
    }

    /**
     * The same engine under another object, for the housekeeper, who alone frees the memory and so needs no reference to this one.
     *
     * @return the other object
     */
    public Engine forHousekeeper() {
        return own;
    }

    /** Gives the memory back, through the housekeeper's object. No call may be under way or come later. */
    public void free() {
        if (own != null) {
            throw new IllegalStateException("only the housekeeper frees a pool, once nobody can use it");
        }
        free(address);
    }

    /**
     * Whether an answer is a lease, of an idle connection or to open one.
     *
     * @param answer the answer
     * @return true if it is
     */
    public static boolean isGrant(long answer) {
        return answer > 0 || answer < OPEN_LIMIT;
    }

    /**
     * The handle of a lease.
     *
     * @param grant an answer that is one
     * @return the handle
     */
    public static long handle(long grant) {
        return grant < 0 ? ~grant : grant;
    }

    /**
     * Does nothing, but is not empty: a call of an empty method from native code the JVM leaves out. Those natives after which there is
     * something to do call it from as far down the stack as that may lead, before they do anything: if it overflows there, nothing has
     * happened, and otherwise it does not overflow afterwards. See {@code stack.rs}.
     */
    @SuppressWarnings("unused")
    private boolean hasStack() {
        return true;
    }

    /** Does nothing where there is stack enough for a hook; otherwise it overflows here. */
    public void needStackForHook() {
        reserveStackForHook();
    }

    private native void reserveStackForHook();

    /** An idle connection of a route, by one short lock. */
    public long leaseHit(long route) {
        return leaseHit(address, route);
    }

    private native long leaseHit(long address, long route);

    /** Ends a lease whose connection is kept and for which nobody waits, by one short lock. */
    public int releaseHit(long handle, long keep) {
        return releaseHit(address, handle, keep);
    }

    private native int releaseHit(long address, long handle, long keep);

    /** As {@link #releaseHit}, of a connection that is kept until a moment of the wall clock has passed, in milliseconds since 1970. */
    public int releaseHitUntil(long handle, long until) {
        return releaseHitUntil(address, handle, until);
    }

    private native int releaseHitUntil(long address, long handle, long until);

    /** Makes a route known: its id. */
    public long addRoute(Effects effects) {
        return addRoute(address, effects.numbers);
    }

    private native long addRoute(long address, long[] effects);

    /** Leases the long way; with a ticket, 0 for none, it is queued where nothing is to be had. */
    public long lease(long route, int state, long ticket, Effects effects) {
        return lease(address, route, state, ticket, effects.numbers);
    }

    private native long lease(long address, long route, int state, long ticket, long[] effects);

    /** A ticket that waits for nothing yet. */
    public long reserveTicket() {
        return reserveTicket(address);
    }

    private native long reserveTicket(long address);

    /** The answer of a ticket. */
    public long pollTicket(long ticket) {
        return pollTicket(address, ticket);
    }

    private native long pollTicket(long address, long ticket);

    /** Ends a ticket, whose time is up or which is not wanted any more: the grant that came first, or {@link #NOTHING}. */
    public long cancel(long ticket, boolean timedOut, Effects effects) {
        return cancel(address, ticket, timedOut, effects.numbers);
    }

    private native long cancel(long address, long ticket, boolean timedOut, long[] effects);

    /** A vacancy's connection was opened. */
    public long opened(long handle) {
        return opened(address, handle);
    }

    private native long opened(long address, long handle);

    /** A lease is a vacancy again. */
    public long reopen(long handle) {
        return reopen(address, handle);
    }

    private native long reopen(long address, long handle);

    /** A lease's connection counts as newly opened, so that events about its former socket come to nothing. */
    public long renew(long handle) {
        return renew(address, handle);
    }

    private native long renew(long address, long handle);

    /** Counts a connection that was found dead at its lease. */
    public void noteStale(long handle) {
        noteStale(address, handle);
    }

    private native void noteStale(long address, long handle);

    /** Watches a leased connection's socket as one of the pool of this number. */
    public int watch(long handle, int number, int descriptor) {
        return watch(address, handle, number, descriptor);
    }

    private native int watch(long address, long handle, int number, int descriptor);

    /** Ends a lease the long way. */
    public int release(long handle, long keep, int state, Effects effects) {
        return release(address, handle, keep, state, effects.numbers);
    }

    private native int release(long address, long handle, long keep, int state, long[] effects);

    /**
     * How often a slot's entry has gone to a request that found a connection in it, since a request was given the right to open one. To be
     * asked by who has its lease, or before it is {@linkplain #ack acknowledged} as a victim.
     */
    public long uses(int slot) {
        return uses(address, slot);
    }

    private native long uses(long address, int slot);

    /** A victim was taken out of its place: whether the slot is to be {@linkplain #serve served}. */
    public boolean ack(int slot) {
        return ack(address, slot);
    }

    private native boolean ack(long address, int slot);

    /** Serves who waits for a slot that was given free. */
    public void serve(Effects effects) {
        serve(address, effects.numbers);
    }

    private native void serve(long address, long[] effects);

    /** Removes idle connections that have expired. */
    public void closeExpired(Effects effects) {
        closeExpired(address, effects.numbers);
    }

    private native void closeExpired(long address, long[] effects);

    /** Removes connections that were idle for so long. */
    public void closeIdle(long millis, Effects effects) {
        closeIdle(address, millis, effects.numbers);
    }

    private native void closeIdle(long address, long millis, long[] effects);

    /** Removes a route's connections, the leased ones when they are released. */
    public void clearRoute(long route, Effects effects) {
        clearRoute(address, route, effects.numbers);
    }

    private native void clearRoute(long address, long route, long[] effects);

    /** Notes the events of this pool that stand in an array from one number to another. */
    public void peersClosed(int[] events, int from, int to, Effects effects) {
        peersClosed(address, events, from, to, effects.numbers);
    }

    private native void peersClosed(long address, int[] events, int from, int to, long[] effects);

    /** Removes one connection, when it is released if it is leased. */
    public void clearConnection(int slot, int opening, Effects effects) {
        clearConnection(address, slot, opening, effects.numbers);
    }

    private native void clearConnection(long address, int slot, int opening, long[] effects);

    /** Changes the limit in total. */
    public void setMaxTotal(int max, Effects effects) {
        setMaxTotal(address, max, effects.numbers);
    }

    private native void setMaxTotal(long address, int max, long[] effects);

    /** Changes the limit of routes that have none of their own. */
    public void setDefaultMaxPerRoute(int max, Effects effects) {
        setDefaultMaxPerRoute(address, max, effects.numbers);
    }

    private native void setDefaultMaxPerRoute(long address, int max, long[] effects);

    /** Changes a route's own limit; a negative one is none. */
    public void setMaxPerRoute(long route, int max, Effects effects) {
        setMaxPerRoute(address, route, max, effects.numbers);
    }

    private native void setMaxPerRoute(long address, long route, int max, long[] effects);

    /** Gives nobody anything from now on, or serves those who have waited. */
    public void setSuspended(boolean wanted, Effects effects) {
        setSuspended(address, wanted, effects.numbers);
    }

    private native void setSuspended(long address, boolean wanted, long[] effects);

    /** Refuses all requests from now on, and ends leases, too, if that is to be immediate. */
    public void shutdown(boolean immediate, Effects effects) {
        shutdown(address, immediate, effects.numbers);
    }

    private native void shutdown(long address, boolean immediate, long[] effects);

    /** Writes the pool's {@link #STATS numbers}. */
    public void stats(int[] numbers) {
        stats(address, numbers);
    }

    private native void stats(long address, int[] numbers);

    /** Writes a route's {@link #STATS numbers}; leaves them as they are for one that is not known. */
    public void routeStats(long route, int[] numbers) {
        routeStats(address, route, numbers);
    }

    private native void routeStats(long address, long route, int[] numbers);

    /** Writes what the pool has closed of its own accord, in the order of {@code Counters.java}. */
    public void counters(long[] numbers) {
        counters(address, numbers);
    }

    private native void counters(long address, long[] numbers);

    /** Writes what has become of requests and connections, and how long that took, in the order of {@code Metrics.java}. */
    public void metrics(long[] numbers) {
        metrics(address, numbers);
    }

    private native void metrics(long address, long[] numbers);

    /** Has it measured how long connections are held, or no more. */
    public void measureHeld(boolean wanted) {
        measureHeld(address, wanted);
    }

    private native void measureHeld(long address, boolean wanted);

    /** A connection was connected, which took so many nanoseconds. */
    public void recordOpening(long nanos) {
        recordOpening(address, nanos);
    }

    private native void recordOpening(long address, long nanos);

    /** Writes the counts of a route; leaves the numbers as they are for one that is not known. */
    public void routeMetrics(long route, long[] numbers) {
        routeMetrics(address, route, numbers);
    }

    private native void routeMetrics(long address, long route, long[] numbers);

    /** Slot, opening, route and milliseconds since its lease, -1 for none, of each entry that is idle, or of each that is leased or being opened. */
    public long[] entries(boolean idle) {
        return entries(address, idle);
    }

    private native long[] entries(long address, boolean idle);

    /** Moves a manual clock on. */
    public void advanceClock(long millis) {
        advanceClock(address, millis);
    }

    private native void advanceClock(long address, long millis);

    private static native long create(int maxPerRoute, int maxTotal, int maxWaiters, long timeToLive, boolean fifo,
            boolean barging, boolean ownRouteFirst, boolean connectsLater, int stripes, boolean manualClock);

    private static native void free(long address);
}
