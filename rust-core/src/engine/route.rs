//! A route's two halves: what the hit path reads without the coordinator, and what the coordinator keeps.

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

/// The half that every lease and release reads.
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
    #[inline]
    pub(super) fn is(&self, id: RouteId) -> bool {
        self.id.load(Relaxed) == id.to_u64()
    }

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

/// The half under the coordinator.
#[derive(Debug, Default)]
pub(super) struct RouteRecord {
    pub(super) generation: u32,
    /// Entries of it: leased, idle and being opened.
    pub(super) allocated: u32,
    /// Its own limit, where one was set. Such a route is never reclaimed.
    pub(super) limit: Option<u32>,
    /// Its waiters, linked through the tickets' records.
    pub(super) queue: Queue,
    /// Its key in the set of routes that wait for the total only.
    pub(super) eligible: Option<u64>,
    /// How many hold its id and rely on it. Such a route is never reclaimed.
    pub(super) holders: u32,
    /// It stands in the list of routes to reclaim.
    pub(super) reclaimable: bool,
    pub(super) clearing: bool,
    pub(super) stateful: bool,
}

/// First come, first served.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Queue {
    pub(super) head: Option<u32>,
    pub(super) tail: Option<u32>,
    /// How many of them wait; the one that this step has put there is not counted yet.
    pub(super) waiting: u32,
}
