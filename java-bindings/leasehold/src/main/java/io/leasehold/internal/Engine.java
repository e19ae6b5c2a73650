package io.leasehold.internal;

/**
 * A pool of the native engine: its address, the calls on it and what they answer.
 *
 * <p>The engine's memory is freed once this object is unreachable, so every native that uses it is an instance method:
 * the call itself keeps this object reachable until it returns. Natives take and return numbers only, and arrays of them, and never
 * wait. Every call that has effects writes them into an array of {@link Effects}; it is made only where there is stack enough to carry
 * them out.
 */
public abstract class Engine {
    /** Instead of milliseconds: keep a connection until its time to live ends. */
    public static final long KEEP_FOREVER = 0;
    /** Instead of milliseconds: keep a connection until the expiry it had. */
    public static final long KEEP_AS_BEFORE = -1;
    /** Instead of milliseconds: do not keep the connection. */
    public static final long CLOSE = -2;
    /** What a native answers that has done what it was asked to; of {@link #releaseHit}: the pool keeps the connection. */
    public static final int DONE = 0;

    // Answers of the natives, in step with answer.rs. A positive answer is the handle of an idle connection; one below
    // OPEN_LIMIT the complement of a handle that is the right to open.
    static final long WAIT = -1;
    static final long WOULD_BLOCK = -2;
    static final long QUEUE_FULL = -3;
    static final long SHUT_DOWN = -4;
    static final long STALE_ROUTE = -5;
    static final long PENDING = -6;
    static final long RETRY = -7;
    static final long NOT_LEASED = -8;
    static final long NOTHING = -9;
    static final long TOO_MANY_ROUTES = -11;
    static final long OPEN_LIMIT = -(1L << 52);
    // What the end of a lease answers from here on is the cause for which its connection has to go.
    static final int CLOSED = 1;

    /** The engine's address. */
    final long address;

    Engine(long address) {
        this.address = address;
    }

    /** Makes a pool in the engine; the address is for the constructor. */
    static long create(PoolState.Constants constants, int maxPerRoute, int maxTotal) {
        NativeLibrary.require();
        long address = create(maxPerRoute, maxTotal, constants.maxWaiters, constants.timeToLive, constants.fifo, constants.barging,
                constants.ownRouteFirst, constants.stripes, constants.manualClock);
        if (address == 0) {
            throw new IllegalStateException("the native library could not make a pool: out of memory?");
        }
        return address;
    }

    /** Whether an answer is a lease, of an idle connection or to open one. */
    static boolean isGrant(long answer) {
        return answer > 0 || answer < OPEN_LIMIT;
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
    native void reserveStackForHook();

    // The natives believe the address that they are given, as to look it up would cost a hit more than all else it does. So none of them
    // is within reach of an application.

    native long leaseHit(long address, long route);

    native int releaseHit(long address, long handle, long keep);

    private static native long create(int maxPerRoute, int maxTotal, int maxWaiters, long timeToLive, boolean fifo,
            boolean barging, boolean ownRouteFirst, int stripes, boolean manualClock);

    /** Gives a pool's memory back. No call may be under way or come later. */
    static native void free(long address);

    native long addRoute(long address, long[] effects);

    native long lease(long address, long route, int state, long ticket, long[] effects);

    native long reserveTicket(long address);

    native long pollTicket(long address, long ticket);

    native long cancel(long address, long ticket, long[] effects);

    native long opened(long address, long handle);

    native long reopen(long address, long handle);

    native long renew(long address, long handle);

    native void noteStale(long address);

    native void counters(long address, long[] numbers);

    native int watch(long address, long handle, int number, int descriptor);

    native int release(long address, long handle, long keep, int state, long[] effects);

    native void restOfEffects(long address, long rest, long[] effects);

    native boolean ack(long address, int slot);

    native void serve(long address, long[] effects);

    native void closeExpired(long address, long[] effects);

    native void closeIdle(long address, long millis, long[] effects);

    native void clearRoute(long address, long route, long[] effects);

    native void peersClosed(long address, int[] events, int from, int to, long[] effects);

    native void clearConnection(long address, int slot, int opening, long[] effects);

    native void setMaxTotal(long address, int max, long[] effects);

    native void setDefaultMaxPerRoute(long address, int max, long[] effects);

    native void setMaxPerRoute(long address, long route, int max, long[] effects);

    native void shutdown(long address, boolean immediate, long[] effects);

    native void stats(long address, int[] numbers);

    native void routeStats(long address, long route, int[] numbers);

    native long[] entries(long address, boolean idle);

    native void advanceClock(long address, long millis);
}
