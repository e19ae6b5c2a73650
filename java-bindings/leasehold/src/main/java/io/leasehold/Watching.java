package io.leasehold;

/**
 * How a pool learns that the peers of its connections have closed them, as far as it was told their sockets: see {@link
 * Lease#attach}.
 */
public enum Watching {
    /** Not at all: whoever leases a connection asks by other means, or finds out by using it. */
    OFF,
    /** It asks at each lease, with a system call that does not wait: half a microsecond. */
    PROBE,
    /**
     * The operating system tells when a peer closes, and the connection is disposed of at once, not only at the next
     * lease. Leases cost nothing for it. A lease that comes within a fraction of a millisecond of the peer's close may
     * still have the connection.
     */
    WATCH,
    /** Both, which is the default: nothing that was closed before the lease is leased. */
    BOTH;

    /**
     * Whether connections are asked at the lease.
     *
     * @return true for {@link #PROBE} and {@link #BOTH}
     */
    public boolean probes() {
        return this == PROBE || this == BOTH;
    }

    /**
     * Whether the operating system is asked to tell when a peer closes.
     *
     * @return true for {@link #WATCH} and {@link #BOTH}
     */
    public boolean watches() {
        return this == WATCH || this == BOTH;
    }
}
