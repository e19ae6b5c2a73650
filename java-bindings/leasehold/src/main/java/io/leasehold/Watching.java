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
     * The operating system tells the pool's thread when a peer closes, and the connection is disposed of at once, not only at the next
     * lease. Leases cost nothing for it. A connection may be leased until that thread has run after its peer's close: mostly a fraction of
     * a millisecond, but as long as other threads keep it from its processor. Of many that close at once each is noted, up to four
     * thousand at a time, before the first of them is disposed of. One that the system does not watch is probed.
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
