//! Routes: what the hit path reads of one without the coordinator. What that keeps of it is in its [ledger](super::ledger).

use super::id::RouteId;
use super::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// Requests of this route wait.
pub(super) const QUEUE: u32 = 1;
/// More entries than its limit allows.
pub(super) const OVER: u32 = 2;
/// Being cleared.
pub(super) const CLEARING: u32 = 4;
/// Some entry of it is or was bound to a state: finding the right one takes a look into every stripe.
pub(super) const STATEFUL: u32 = 8;

/// In place of a home stripe: callers have collided, each uses its thread's.
pub(super) const SPREAD: u32 = u32::MAX;

/// The half of a route that every lease and release reads.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Route {
    /// The whole id that lives in this slot, 0 for none. Written under the coordinator.
    id: AtomicU64,
    /// `QUEUE`, `OVER`, `CLEARING`, `STATEFUL`: what keeps leases or releases from being hits. Written under the
    /// coordinator, read inside a stripe's lock: "flag, then sweep".
    pub(super) flags: AtomicU32,
    /// The stripe that holds its idle entries, or `SPREAD`. Written at interning, and by whoever finds a stripe locked.
    pub(super) home: AtomicU32,
    /// Mirrors for statistics. Written under the coordinator.
    pub(super) allocated: AtomicU32,
    pub(super) pending: AtomicU32,
    pub(super) max: AtomicU32,
}

impl Route {
    /// Without the coordinator: whether it was a moment ago.
    #[inline]
    pub(super) fn is(&self, id: RouteId) -> bool {
        self.id.load(Relaxed) == id.to_u64()
    }

    /// Without the coordinator: what it was a moment ago.
    pub(super) fn id(&self) -> Option<RouteId> {
        match self.id.load(Relaxed) {
            0 => None,
            id => Some(RouteId::from_u64(id)),
        }
    }

    /// The slot becomes `id`'s.
    pub(super) fn assign(&self, id: RouteId, home: u32) {
        self.flags.store(0, Relaxed);
        self.home.store(home, Relaxed);
        self.allocated.store(0, Relaxed);
        self.pending.store(0, Relaxed);
        self.id.store(id.to_u64(), Relaxed);
    }

    /// The slot is nobody's.
    pub(super) fn retire(&self) {
        self.id.store(0, Relaxed);
    }
}
