package io.leasehold;

/** Why a pool disposes of a connection. */
public enum Cause {
    // In the order of the engine's own causes, whose numbers the native library hands over; what follows is Java's.
    /**
     * Its lease ended with {@link Lease#discard()} or {@link Lease#close()}, or its holder had it {@linkplain Lease#replace() replaced}.
     */
    DISCARDED,
    /** Its keep-alive promise or its time to live was over. */
    EXPIRED,
    /** It was idle for longer than {@link ConnectionPool#closeIdle} allowed. */
    IDLE,
    /** It made room for a connection to another route or of another state. */
    EVICTED,
    /** A limit was lowered. */
    OVER_LIMIT,
    /** Its peer had closed it. */
    PEER_CLOSED,
    /** Its route was cleared, or the predicate of {@link ConnectionPool#closeIdleIf} found it unfit. */
    CLEARED,
    /** The pool was shut down. */
    SHUT_DOWN,
    /** Its lease was garbage collected without having been ended. */
    LEAKED,
    /** The pool was garbage collected. */
    POOL_COLLECTED
}
