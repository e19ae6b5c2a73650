//! One of a pool's few idle lists: a lock, the order of release of everything idle under it, and each route's part.
//!
//! Links live in the entries, list heads in a growing array, all of them relaxed atomics that only the holder of the
//! lock writes: a [`Guard`] is the only way to them, so no unsafe code is needed and statistics may read the lengths
//! at any time. A stripe's `updated` stamps never go back, whatever order the releasers read the clock in.

use super::entry::{Entry, NIL};
use super::segments::Segments;
use super::sync::atomic::{AtomicU32, Ordering::Relaxed};
use super::sync::{Mutex, MutexGuard};

#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Stripe {
    order: Mutex<Order>,
    /// Idle entries under this stripe. Written under the lock.
    len: AtomicU32,
    /// By the route's slot. Written under the lock.
    routes: Segments<RouteList>,
}

/// Every idle entry of the stripe, by release.
#[derive(Debug)]
struct Order {
    newest: u32,
    oldest: u32,
    last_stamp: u64,
}

/// The idle entries of one route in one stripe, by release.
#[derive(Debug)]
struct RouteList {
    newest: AtomicU32,
    oldest: AtomicU32,
    len: AtomicU32,
}

impl Default for RouteList {
    fn default() -> Self {
        RouteList {
            newest: AtomicU32::new(NIL),
            oldest: AtomicU32::new(NIL),
            len: AtomicU32::new(0),
        }
    }
}

impl Stripe {
    pub(super) fn new() -> Self {
        Stripe {
            order: Mutex::new(Order {
                newest: NIL,
                oldest: NIL,
                last_stamp: 0,
            }),
            len: AtomicU32::new(0),
            routes: Segments::new(),
        }
    }

    /// How many are idle here: exact at rest.
    pub(super) fn len(&self) -> u32 {
        self.len.load(Relaxed)
    }

    /// How many of a route are idle here: exact at rest.
    #[inline]
    pub(super) fn len_of(&self, route: u32) -> u32 {
        self.routes
            .get(route)
            .map_or(0, |list| list.len.load(Relaxed))
    }

    #[inline]
    pub(super) fn lock<'a>(&'a self, entries: &'a Segments<Entry>) -> Guard<'a> {
        Guard {
            order: self.order.lock(),
            stripe: self,
            entries,
        }
    }

    #[inline]
    pub(super) fn try_lock<'a>(&'a self, entries: &'a Segments<Entry>) -> Option<Guard<'a>> {
        Some(Guard {
            order: self.order.try_lock()?,
            stripe: self,
            entries,
        })
    }
}

/// A locked stripe.
pub(super) struct Guard<'a> {
    order: MutexGuard<'a, Order>,
    stripe: &'a Stripe,
    entries: &'a Segments<Entry>,
}

impl Guard<'_> {
    #[inline]
    fn entry(&self, slot: u32) -> &Entry {
        self.entries.get(slot).expect("a linked slot exists")
    }

    /// The route's most recently released entry here.
    #[inline]
    pub(super) fn newest_of(&self, route: u32) -> Option<u32> {
        present(self.stripe.routes.get(route)?.newest.load(Relaxed))
    }

    /// The route's least recently released entry here.
    #[inline]
    pub(super) fn oldest_of(&self, route: u32) -> Option<u32> {
        present(self.stripe.routes.get(route)?.oldest.load(Relaxed))
    }

    /// The one of the same route released just before `slot` was.
    pub(super) fn older_of_route(&self, slot: u32) -> Option<u32> {
        present(self.entry(slot).route_older.load(Relaxed))
    }

    /// The one of the same route released just after `slot` was.
    pub(super) fn newer_of_route(&self, slot: u32) -> Option<u32> {
        present(self.entry(slot).route_newer.load(Relaxed))
    }

    /// The least recently released entry of all here.
    pub(super) fn oldest(&self) -> Option<u32> {
        present(self.order.oldest)
    }

    /// Links `slot`, just made idle at `now`, as the most recently released.
    #[inline]
    pub(super) fn link(&mut self, slot: u32, now: u64) {
        let entry = self.entry(slot);
        let route = entry.route().slot();
        let list = self.stripe.routes.grow_to(route);

        let next = list.newest.load(Relaxed);
        entry.route_newer.store(NIL, Relaxed);
        entry.route_older.store(next, Relaxed);
        match present(next) {
            Some(next) => self.entry(next).route_newer.store(slot, Relaxed),
            None => list.oldest.store(slot, Relaxed),
        }
        list.newest.store(slot, Relaxed);
        add(&list.len, 1);

        let next = self.order.newest;
        entry.lru_newer.store(NIL, Relaxed);
        entry.lru_older.store(next, Relaxed);
        let stamp = now.max(self.order.last_stamp);
        entry.updated.store(stamp, Relaxed);
        match present(next) {
            Some(next) => self.entry(next).lru_newer.store(slot, Relaxed),
            None => self.order.oldest = slot,
        }
        self.order.newest = slot;
        self.order.last_stamp = stamp;
        add(&self.stripe.len, 1);
    }

    /// Takes `slot`, idle in this stripe, out of its lists.
    #[inline]
    pub(super) fn unlink(&mut self, slot: u32) {
        let entry = self.entry(slot);
        let list = self
            .stripe
            .routes
            .get(entry.route().slot())
            .expect("a linked entry's route has a list");

        let (newer, older) = (
            entry.route_newer.load(Relaxed),
            entry.route_older.load(Relaxed),
        );
        match present(newer) {
            Some(newer) => self.entry(newer).route_older.store(older, Relaxed),
            None => list.newest.store(older, Relaxed),
        }
        match present(older) {
            Some(older) => self.entry(older).route_newer.store(newer, Relaxed),
            None => list.oldest.store(newer, Relaxed),
        }
        add(&list.len, -1);

        let (newer, older) = (entry.lru_newer.load(Relaxed), entry.lru_older.load(Relaxed));
        match present(newer) {
            Some(newer) => self.entry(newer).lru_older.store(older, Relaxed),
            None => self.order.newest = older,
        }
        match present(older) {
            Some(older) => self.entry(older).lru_newer.store(newer, Relaxed),
            None => self.order.oldest = newer,
        }
        add(&self.stripe.len, -1);
    }
}

/// One writer at a time, by the lock: a load and a store, not a locked addition.
#[inline]
fn add(len: &AtomicU32, delta: i32) {
    len.store(len.load(Relaxed).wrapping_add_signed(delta), Relaxed);
}

#[inline]
fn present(slot: u32) -> Option<u32> {
    (slot != NIL).then_some(slot)
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::super::id::RouteId;
    use super::*;

    fn entries(routes: &[u32]) -> Segments<Entry> {
        let entries: Segments<Entry> = Segments::new();
        for (slot, route) in routes.iter().enumerate() {
            entries
                .grow_to(slot as u32)
                .free_to_opening(RouteId::new(1, *route, 1));
        }
        entries
    }

    fn newest_first(guard: &Guard<'_>, route: u32) -> Vec<u32> {
        std::iter::successors(guard.newest_of(route), |slot| guard.older_of_route(*slot)).collect()
    }

    fn oldest_first(guard: &Guard<'_>, route: u32) -> Vec<u32> {
        std::iter::successors(guard.oldest_of(route), |slot| guard.newer_of_route(*slot)).collect()
    }

    #[test]
    fn each_route_is_ordered_by_release_and_so_is_the_whole() {
        let entries = entries(&[0, 0, 9, 0]);
        let stripe = Stripe::new();
        let mut guard = stripe.lock(&entries);
        for slot in [2, 0, 1, 3] {
            guard.link(slot, u64::from(slot));
        }
        assert_eq!(newest_first(&guard, 0), [3, 1, 0]);
        assert_eq!(oldest_first(&guard, 0), [0, 1, 3]);
        assert_eq!(newest_first(&guard, 9), [2]);
        assert_eq!(guard.oldest(), Some(2));

        guard.unlink(1);
        guard.unlink(2);
        assert_eq!(newest_first(&guard, 0), [3, 0]);
        assert_eq!(guard.newest_of(9), None);
        assert_eq!(guard.oldest(), Some(0));
        drop(guard);
        assert_eq!(
            (stripe.len(), stripe.len_of(0), stripe.len_of(9)),
            (2, 2, 0)
        );
    }

    #[test]
    fn stamps_never_go_back() {
        let entries = entries(&[0, 0]);
        let stripe = Stripe::new();
        let mut guard = stripe.lock(&entries);
        guard.link(0, 50);
        guard.link(1, 40);
        assert_eq!(entries.get(1).unwrap().updated.load(Relaxed), 50);
    }
}
