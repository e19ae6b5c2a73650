package io.leasehold;

/**
 * Where, by which thread, and when a lease was taken, in a pool that {@linkplain ConnectionPool#setLeaseStacks notes} that. It is never
 * thrown: it is a {@link Throwable} so that a logger prints it.
 *
 * <p>It has the thread's name and not the thread, and refers to neither the lease nor its connection nor its pool.
 */
public final class LeaseStack extends Throwable {
    private static final long serialVersionUID = 1L;

    /** Its name. */
    private final String thread;

    // ----- written by the thread that has the lease, before this is in its entry's cell -----
    /** The lease's handle, by which it is known whether that lease goes on still. */
    transient long handle;
    /** When it began, in the pool's time. */
    transient long since;

    // ----- the housekeeper's thread's own -----
    transient boolean isWarnedOf;

    /** Of the present thread, as it asks for the lease. */
    LeaseStack() {
        this(Thread.currentThread().getName());
    }

    private LeaseStack(String thread) {
        super("leased by thread \"" + thread + "\"");
        this.thread = thread;
    }

    /**
     * Which thread asked for the lease.
     *
     * @return its name then
     */
    public String thread() {
        return thread;
    }
}
