package io.leasehold.internal.natives;

/**
 * What a call on the engine brings about: threads to wake, connections to dispose of, routes to forget, in this order. Made before the
 * call, in which nothing can fail any more, and good for one call after another. In step with {@code effects.rs}.
 *
 * <p>Used by one thread at a time. What it refers to in native memory it alone knows, and asks for once, whoever else uses it.
 */
public final class Effects {
    // The layout: what asks for the rest (0: there is none), how many follow, and then pairs of what is to be done and with what. A number
    // of a cause stands for a victim.
    private static final int REST = 0;
    private static final int COUNT = 1;
    private static final int FIRST = 2;
    private static final int WAKE = -1;
    private static final int LENGTH = FIRST + 2 * 15;

    // ----- written by the natives, on the thread that uses this -----
    final long[] numbers = new long[LENGTH];

    // Read by nobody: see the constructor.
    @SuppressWarnings("unused")
    private final Object origin;

    /** None yet. */
    public Effects() {
        this(null);
    }

    /**
     * None yet.
     *
     * @param origin what the collector is to leave where it is for as long as this is used; may be null
     */
    public Effects(Object origin) {
        this.origin = origin;
    }

    /**
     * How many there are before {@link #hasMore} is to be asked.
     *
     * @return how many
     */
    public int count() {
        return (int) numbers[COUNT];
    }

    /**
     * Whether an effect is that somebody is to be woken.
     *
     * @param index which effect
     * @return true if {@link #which} is a ticket
     */
    public boolean isWake(int index) {
        return numbers[FIRST + 2 * index] == WAKE;
    }

    /**
     * Whether an effect is that a connection is to be disposed of.
     *
     * @param index which effect
     * @return true if {@link #which} is its slot; if this is no wake either, that is a route's id
     */
    public boolean isVictim(int index) {
        return numbers[FIRST + 2 * index] >= 0;
    }

    /**
     * Why a connection is to be disposed of.
     *
     * @param index which effect
     * @return the engine's number of the cause
     */
    public int cause(int index) {
        return (int) numbers[FIRST + 2 * index];
    }

    /**
     * Whom an effect is about.
     *
     * @param index which effect
     * @return a ticket, a slot or a route's id
     */
    public long which(int index) {
        return numbers[FIRST + 2 * index + 1];
    }

    /**
     * All that were told are done: whether there are more.
     *
     * @return false if this is ready for the next call
     */
    public boolean hasMore() {
        numbers[COUNT] = 0;
        if (numbers[REST] == 0) {
            return false;
        }
        long rest;
        synchronized (this) {
            rest = numbers[REST];
            numbers[REST] = 0;
        }
        if (rest != 0) {
            rest(rest, numbers);
        }
        return true;
    }

    /** Writes the next ones. The address is freed, or becomes another one. */
    private static native void rest(long address, long[] numbers);
}
