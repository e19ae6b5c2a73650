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

/// A request of it stands by for what is released. Keeps releases from being hits, and no lease: what is idle is of no use to who
/// stands by.
pub(super) const STANDBY: u32 = 16;

/// In place of a home stripe: callers collide often, each uses its thread's.
pub(super) const SPREAD: u32 = u32::MAX;

/// The half of a route that every lease and release reads.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Route {
    // ----- written under the coordinator -----
    /// The whole id that lives in this slot, 0 for none.
    id: AtomicU64,
    /// `QUEUE`, `OVER`, `CLEARING`, `STATEFUL`, `STANDBY`: what keeps leases or releases from being hits. Read inside a stripe's lock: "flag, then
    /// sweep".
    pub(super) flags: AtomicU32,

    // ----- written under the coordinator when the route is made, and by whoever finds a stripe locked, under no lock -----
    /// The stripe that holds its idle entries, or `SPREAD`.
    ///
    /// Race window: a caller may read either value while it changes. It is harmless because every stripe is right, as for the pool's mark
    /// `wide`.
    pub(super) home: AtomicU32,

    // ----- written under the coordinator, for statistics -----
    // Race window: they are read without it, one after the other. It is harmless because nothing in the engine relies on them.
    pub(super) allocated: AtomicU32,
    pub(super) pending: AtomicU32,
    pub(super) max: AtomicU32,
}

impl Route {
    /// Whether that id lives here.
    ///
    /// Race window: without the coordinator it may have been reclaimed since. It is harmless because a hit compares the entry's own route
    /// with what was asked for, and all else asks again under the coordinator.
    #[inline]
    pub(super) fn is(&self, id: RouteId) -> bool {
        self.id.load(Relaxed) == id.to_u64()
    }

    /// The id that lives here. Without the coordinator it is one that lived here a moment ago, see [`is`](Self::is).
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
