//! One of a pool's few idle lists: a lock, the order of release of everything idle under it, and each route's part.
//!
//! Links live in the entries, list heads in a growing array, all of them relaxed atomics that only the holder of the
//! lock writes: a [`Guard`] is the only way to them, so no unsafe code is needed and statistics may read the lengths
//! at any time. A stripe's `updated` stamps never go back, whatever order the releasers read the clock in.

use std::sync::OnceLock;

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
    /// By the route's slot; made at the stripe's first use. Written under the lock.
    routes: OnceLock<Segments<RouteList>>,
}

/// Every idle entry of the stripe, by release.
#[derive(Debug)]
struct Order {
    newest: u32,
    oldest: u32,
    last_stamp: u64,
}

/// The idle entries of one route in one stripe, by release. Touched only through the [`Guard`], but for its length.
#[derive(Debug)]
pub(super) struct RouteList {
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

impl RouteList {
    #[inline]
    pub(super) fn len(&self) -> u32 {
        self.len.load(Relaxed)
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
            routes: OnceLock::new(),
        }
    }

    /// How many are idle here: exact at rest.
    pub(super) fn len(&self) -> u32 {
        self.len.load(Relaxed)
    }

    /// How many of a route are idle here: exact at rest.
    pub(super) fn len_of(&self, route: u32) -> u32 {
        self.list_of(route).map_or(0, RouteList::len)
    }

    /// A route's list, if it ever had an idle entry here.
    #[inline]
    pub(super) fn list_of(&self, route: u32) -> Option<&RouteList> {
        self.routes.get()?.get(route)
    }

    /// A route's list.
    #[inline]
    pub(super) fn grow_to_list_of(&self, route: u32) -> &RouteList {
        self.routes.get_or_init(Segments::new).grow_to(route)
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

impl<'a> Guard<'a> {
    #[inline]
    fn entry(&self, slot: u32) -> &'a Entry {
        self.entries.get(slot).expect("a linked slot exists")
    }

    /// The list of a route that has an idle entry here.
    pub(super) fn list_of(&self, route: u32) -> &'a RouteList {
        self.stripe
            .list_of(route)
            .expect("a route with an idle entry has a list")
    }

    /// The most recently released entry of a list of this stripe.
    #[inline]
    pub(super) fn newest_in(&self, list: &RouteList) -> Option<u32> {
        present(list.newest.load(Relaxed))
    }

    /// The least recently released entry of a list of this stripe.
    #[inline]
    pub(super) fn oldest_in(&self, list: &RouteList) -> Option<u32> {
        present(list.oldest.load(Relaxed))
    }

    /// The least recently released entry of a route here.
    pub(super) fn oldest_of(&self, route: u32) -> Option<u32> {
        self.oldest_in(self.stripe.list_of(route)?)
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

    /// Links `slot`, just made idle at `now`, as the most recently released of `list`, its route's in this stripe.
    #[inline(always)]
    pub(super) fn link(&mut self, slot: u32, entry: &Entry, list: &RouteList, now: u64) {
        let of_route = list.newest.load(Relaxed);
        let of_all = self.order.newest;
        entry.route_newer.store(NIL, Relaxed);
        entry.route_older.store(of_route, Relaxed);
        entry.lru_newer.store(NIL, Relaxed);
        entry.lru_older.store(of_all, Relaxed);
        let stamp = now.max(self.order.last_stamp);
        entry.updated.store(stamp, Relaxed);
        self.order.last_stamp = stamp;

        match present(of_route) {
            Some(next) => {
                let next_entry = self.entry(next);
                next_entry.route_newer.store(slot, Relaxed);
                // Mostly the two lists have the same neighbour: one look-up serves both.
                if of_all == of_route {
                    next_entry.lru_newer.store(slot, Relaxed);
                }
            }
            None => list.oldest.store(slot, Relaxed),
        }
        match present(of_all) {
            Some(next) if of_all != of_route => self.entry(next).lru_newer.store(slot, Relaxed),
            Some(_) => {}
            None => self.order.oldest = slot,
        }
        list.newest.store(slot, Relaxed);
        self.order.newest = slot;
        add(&list.len, 1);
        add(&self.stripe.len, 1);
    }

    /// Takes `slot`, idle in this stripe, out of `list`, its route's, and out of the order of all.
    #[inline(always)]
    pub(super) fn unlink(&mut self, entry: &Entry, list: &RouteList) {
        let of_route = (
            entry.route_newer.load(Relaxed),
            entry.route_older.load(Relaxed),
        );
        let of_all = (entry.lru_newer.load(Relaxed), entry.lru_older.load(Relaxed));

        match present(of_route.0) {
            Some(newer) => self.entry(newer).route_older.store(of_route.1, Relaxed),
            None => list.newest.store(of_route.1, Relaxed),
        }
        match present(of_all.0) {
            Some(newer) => self.entry(newer).lru_older.store(of_all.1, Relaxed),
            None => self.order.newest = of_all.1,
        }
        match present(of_route.1) {
            Some(older) => {
                let older_entry = self.entry(older);
                older_entry.route_newer.store(of_route.0, Relaxed);
                if of_all.1 == of_route.1 {
                    older_entry.lru_newer.store(of_all.0, Relaxed);
                }
            }
            None => list.oldest.store(of_route.0, Relaxed),
        }
        match present(of_all.1) {
            Some(older) if of_all.1 != of_route.1 => {
                self.entry(older).lru_newer.store(of_all.0, Relaxed);
            }
            Some(_) => {}
            None => self.order.oldest = of_all.0,
        }
        add(&list.len, -1);
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

    fn link(guard: &mut Guard<'_>, slot: u32, now: u64) {
        let entry = guard.entries.get(slot).unwrap();
        let list = guard.stripe.grow_to_list_of(entry.route().slot());
        guard.link(slot, entry, list, now);
    }

    fn newest_first(guard: &Guard<'_>, route: u32) -> Vec<u32> {
        let newest = guard
            .stripe
            .list_of(route)
            .and_then(|list| guard.newest_in(list));
        std::iter::successors(newest, |slot| guard.older_of_route(*slot)).collect()
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
            link(&mut guard, slot, u64::from(slot));
        }
        assert_eq!(newest_first(&guard, 0), [3, 1, 0]);
        assert_eq!(oldest_first(&guard, 0), [0, 1, 3]);
        assert_eq!(newest_first(&guard, 9), [2]);
        assert_eq!(guard.oldest(), Some(2));

        for slot in [1, 2] {
            let entry = entries.get(slot).unwrap();
            guard.unlink(entry, stripe.list_of(entry.route().slot()).unwrap());
        }
        assert_eq!(newest_first(&guard, 0), [3, 0]);
        assert_eq!(newest_first(&guard, 9), []);
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
        link(&mut guard, 0, 50);
        link(&mut guard, 1, 40);
        assert_eq!(entries.get(1).unwrap().updated.load(Relaxed), 50);
    }
}
