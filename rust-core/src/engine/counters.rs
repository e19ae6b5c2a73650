//! What a pool has closed of its own accord since it was made, by cause.

use super::effects::Cause;
// Plain atomics even under a model checker: they order nothing.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many connections a pool has closed since it was made, other than because their lease asked for it or the pool was
/// shut down. Numbers only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// The peer had closed it, and the pool was told: by the watch, or by whoever probes idle ones.
    pub closed_by_peer: u64,
    /// The peer had closed it, or it was of no use for another reason, and only the look at the lease found out.
    pub stale: u64,
    /// Its keep-alive promise or its time to live was over.
    pub expired: u64,
    /// It was idle for too long.
    pub idle: u64,
    /// It made room for a connection to another route or for another state.
    pub evicted: u64,
    /// A limit was lowered below what was there, or more were idle than may be.
    pub over_limit: u64,
    /// It, or its route, was cleared.
    pub cleared: u64,
}

/// Adds where a lock keeps all others off that do: a load and a store, not a locked addition.
#[inline(always)]
pub(super) fn add_alone(number: &AtomicU64, more: u64) {
    number.store(number.load(Relaxed) + more, Relaxed);
}

/// The counters as the engine keeps them.
#[derive(Debug, Default)]
pub(super) struct Tally {
    // ----- written under the coordinator -----
    /// By the number of the cause.
    ///
    /// Race window: they are read without it, one after the other. It is harmless because nothing follows from two together.
    closed: [AtomicU64; 8],

    // ----- written by whoever finds a stale connection, under no lock -----
    stale: AtomicU64,
}

impl Tally {
    /// An entry was removed. The caller holds the coordinator, so nobody else adds meanwhile.
    pub(super) fn count(&self, cause: Cause) {
        add_alone(&self.closed[cause as usize], 1);
    }

    pub(super) fn count_stale(&self) {
        self.stale.fetch_add(1, Relaxed);
    }

    pub(super) fn read(&self) -> Counters {
        let closed = |cause: Cause| self.closed[cause as usize].load(Relaxed);
        Counters {
            closed_by_peer: closed(Cause::PeerClosed),
            stale: self.stale.load(Relaxed),
            expired: closed(Cause::Expired),
            idle: closed(Cause::Idle),
            evicted: closed(Cause::Evicted),
            over_limit: closed(Cause::OverLimit),
            cleared: closed(Cause::Cleared),
        }
    }
}
