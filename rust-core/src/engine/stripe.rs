//! One of a pool's few idle lists: a lock, the order of release of everything idle under it, and each route's part.
//!
//! Links live in the entries, list heads in a growing array, all of them relaxed atomics that only the holder of the
//! lock writes: a [`Guard`] is the only way to them, so no unsafe code is needed and statistics may read the lengths
//! at any time. A stripe's `updated` stamps never go back, whatever order the releasers read the clock in.

use std::sync::OnceLock;

use super::entry::{Entry, Link, Links};
use super::histogram::Recorder;
use super::id::{RouteSlot, Slot};
use super::segments::Segments;
use super::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use super::sync::{Mutex, MutexGuard};

#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Stripe {
    lock: Mutex<()>,

    // ----- written under the lock -----
    /// Every idle entry of the stripe.
    all: List,
    /// The latest of all stamps.
    last_stamp: AtomicU64,

    // ----- grown by whoever needs a list first, under no lock; the lists are written under the lock -----
    /// By the route's slot; made at the stripe's first use.
    routes: OnceLock<Segments<RouteSlot, List>>,

    // ----- made under the coordinator; written under the lock -----
    /// How long connections were held that hits have released here.
    held: OnceLock<Box<Recorder>>,
}

/// Idle entries by release (I6), linked through the entries. Touched only through the [`Guard`], but for its length.
///
/// Nearly everything is taken from the newest end, and that costs no look at a neighbour. For that two links are not kept up to date: the
/// newest entry's link to a newer one, and the oldest end of a list that is empty.
#[derive(Debug, Default)]
pub(super) struct List {
    // ----- written under the stripe's lock -----
    newest: Link,
    oldest: Link,
    len: AtomicU32,
}

impl List {
    #[inline]
    pub(super) fn len(&self) -> u32 {
        self.len.load(Relaxed)
    }

    #[inline]
    fn newest(&self) -> Option<Slot> {
        self.newest.get()
    }

    #[inline]
    fn oldest(&self) -> Option<Slot> {
        self.newest().and_then(|_| self.oldest.get())
    }

    /// One writer at a time, by the lock: a load and a store, not a locked addition.
    #[inline]
    fn add(&self, delta: i32) {
        self.len
            .store(self.len().wrapping_add_signed(delta), Relaxed);
    }
}

impl Stripe {
    pub(super) fn new() -> Self {
        Stripe {
            lock: Mutex::new(()),
            all: List::default(),
            last_stamp: AtomicU64::new(0),
            routes: OnceLock::new(),
            held: OnceLock::new(),
        }
    }

    /// How many are idle here: exact at rest.
    ///
    /// Race window: without the lock it is the number of a moment ago. It is harmless because nothing is decided by it: whoever must find
    /// an entry takes the lock.
    pub(super) fn len(&self) -> u32 {
        self.all.len()
    }

    /// How many of a route are idle here: exact at rest. As good as [`len`](Self::len).
    pub(super) fn len_of(&self, route: RouteSlot) -> u32 {
        self.list_of(route).map_or(0, List::len)
    }

    /// A route's list, if it ever had an idle entry here.
    #[inline]
    pub(super) fn list_of(&self, route: RouteSlot) -> Option<&List> {
        self.routes.get()?.get(route)
    }

    /// A route's list.
    #[inline]
    pub(super) fn grow_to_list_of(&self, route: RouteSlot) -> &List {
        self.routes.get_or_init(Segments::new).grow_to(route)
    }

    /// From now on [`record_held`](Guard::record_held) records.
    pub(super) fn prepare_to_measure(&self) {
        self.held.get_or_init(Default::default);
    }

    /// How long connections were held that were released here, if that was ever measured.
    pub(super) fn held(&self) -> Option<&Recorder> {
        self.held.get().map(|held| &**held)
    }

    #[inline]
    pub(super) fn lock<'a>(&'a self, entries: &'a Segments<Slot, Entry>) -> Guard<'a> {
        Guard {
            _lock: self.lock.lock(),
            stripe: self,
            entries,
        }
    }

    #[inline]
    pub(super) fn is_locked(&self) -> bool {
        self.lock.is_locked()
    }
}

/// When an entry that becomes idle is said to have been released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    /// Now.
    Anew,
    /// When it was before: nobody has used it since.
    AsBefore,
}

/// A locked stripe.
pub(super) struct Guard<'a> {
    _lock: MutexGuard<'a, ()>,
    stripe: &'a Stripe,
    entries: &'a Segments<Slot, Entry>,
}

impl<'a> Guard<'a> {
    #[inline]
    pub(super) fn entry(&self, slot: Slot) -> &'a Entry {
        self.entries.get(slot).expect("a linked slot exists")
    }

    /// The list of a route that has an idle entry here.
    pub(super) fn list_of(&self, route: RouteSlot) -> &'a List {
        self.stripe
            .list_of(route)
            .expect("a route with an idle entry has a list")
    }

    /// The most recently released entry of a list of this stripe.
    #[inline]
    pub(super) fn newest_in(&self, list: &List) -> Option<Slot> {
        list.newest()
    }

    /// The least recently released entry of a list of this stripe.
    #[inline]
    pub(super) fn oldest_in(&self, list: &List) -> Option<Slot> {
        list.oldest()
    }

    /// The least recently released entry of a route here.
    pub(super) fn oldest_of(&self, route: RouteSlot) -> Option<Slot> {
        self.stripe.list_of(route)?.oldest()
    }

    /// The one in a route's list released just before `slot` was.
    pub(super) fn older_than(&self, slot: Slot) -> Option<Slot> {
        self.entry(slot).by_route.older.get()
    }

    /// The one in a route's list released just after `slot` was.
    pub(super) fn newer_than(&self, slot: Slot, list: &List) -> Option<Slot> {
        if list.newest() == Some(slot) {
            return None;
        }
        self.entry(slot).by_route.newer.get()
    }

    /// The least recently released entry of all here.
    pub(super) fn oldest(&self) -> Option<Slot> {
        self.stripe.all.oldest()
    }

    /// All here, the least recently released first.
    pub(super) fn by_release(&self) -> impl Iterator<Item = Slot> {
        let newest = self.stripe.all.newest();
        std::iter::successors(self.oldest(), move |slot| {
            if newest == Some(*slot) {
                return None;
            }
            self.entry(*slot).by_stripe.newer.get()
        })
    }

    /// Records for how many microseconds a connection was held that is released here.
    #[inline(always)]
    pub(super) fn record_held(&mut self, micros: u64) {
        if let Some(held) = self.stripe.held() {
            held.record_alone(micros);
        }
    }

    /// Links `slot`, just made idle at `now`, as the most recently released of `list`, its route's in this stripe.
    #[inline(always)]
    pub(super) fn link(&mut self, slot: Slot, entry: &Entry, list: &List, now: u64) {
        let stamp = now.max(self.stripe.last_stamp.load(Relaxed));
        self.stripe.last_stamp.store(stamp, Relaxed);
        entry.updated.store(stamp, Relaxed);
        self.link_newest(slot, entry, list);
    }

    /// The same for one that was released before and keeps its stamp. Whoever puts a stripe in order does it to all that are there, the
    /// least recently released first.
    pub(super) fn link_again(&mut self, slot: Slot, entry: &Entry, list: &List) {
        let stamp = entry.updated.load(Relaxed);
        let last = &self.stripe.last_stamp;
        last.store(stamp.max(last.load(Relaxed)), Relaxed);
        self.link_newest(slot, entry, list);
    }

    /// Links `slot` with its stamp from before among those of the same age, looking from the newest on. O(those that are newer).
    pub(super) fn link_in_order(&mut self, slot: Slot, entry: &Entry, list: &List) {
        self.link_between(list, slot, entry, |entry| &entry.by_route);
        self.link_between(&self.stripe.all, slot, entry, |entry| &entry.by_stripe);
    }

    fn link_between(
        &self,
        list: &List,
        slot: Slot,
        entry: &Entry,
        links: impl Fn(&Entry) -> &Links,
    ) {
        let stamp = entry.updated.load(Relaxed);
        let is_newer = |other: &Slot| self.entry(*other).updated.load(Relaxed) > stamp;
        let older_than = |other: Slot| links(self.entry(other)).older.get();
        let newest = list.newest();
        let Some(newer) = std::iter::successors(newest, |other| older_than(*other))
            .take_while(is_newer)
            .last()
        else {
            return self.link_in(list, slot, entry, links);
        };
        let older = older_than(newer);
        links(entry).newer.set(Some(newer));
        links(entry).older.set(older);
        links(self.entry(newer)).older.set(Some(slot));
        match older {
            Some(older) => links(self.entry(older)).newer.set(Some(slot)),
            None => list.oldest.set(Some(slot)),
        }
        list.add(1);
    }

    #[inline(always)]
    fn link_newest(&self, slot: Slot, entry: &Entry, list: &List) {
        self.link_in(list, slot, entry, |entry| &entry.by_route);
        self.link_in(&self.stripe.all, slot, entry, |entry| &entry.by_stripe);
    }

    /// Takes `slot`, idle in this stripe, out of `list`, its route's, and out of the order of all.
    #[inline(always)]
    pub(super) fn unlink(&mut self, slot: Slot, entry: &Entry, list: &List) {
        self.unlink_in(list, slot, entry, |entry| &entry.by_route);
        self.unlink_in(&self.stripe.all, slot, entry, |entry| &entry.by_stripe);
    }

    #[inline(always)]
    fn link_in(&self, list: &List, slot: Slot, entry: &Entry, links: impl Fn(&Entry) -> &Links) {
        let newest = list.newest();
        links(entry).older.set(newest);
        match newest {
            Some(older) => links(self.entry(older)).newer.set(Some(slot)),
            None => list.oldest.set(Some(slot)),
        }
        list.newest.set(Some(slot));
        list.add(1);
    }

    #[inline(always)]
    fn unlink_in(&self, list: &List, slot: Slot, entry: &Entry, links: impl Fn(&Entry) -> &Links) {
        let older = links(entry).older.get();
        if list.newest() == Some(slot) {
            list.newest.set(older);
        } else {
            let newer = links(entry).newer.get();
            let newer_one = newer.expect("what is not the newest has a newer one");
            links(self.entry(newer_one)).older.set(older);
            match older {
                Some(older) => links(self.entry(older)).newer.set(newer),
                None => list.oldest.set(newer),
            }
        }
        list.add(-1);
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::super::id::{Numbered, RouteId};
    use super::*;

    fn entries(routes: &[u32]) -> Segments<Slot, Entry> {
        let entries: Segments<Slot, Entry> = Segments::new();
        for (slot, route) in routes.iter().enumerate() {
            entries
                .grow_to(Slot::of(slot as u32))
                .free_to_opening(RouteId::new(1, RouteSlot::of(*route), 1));
        }
        entries
    }

    fn link(guard: &mut Guard<'_>, slot: u32, now: u64) {
        let slot = Slot::of(slot);
        let entry = guard.entries.get(slot).unwrap();
        let list = guard.stripe.grow_to_list_of(entry.route().slot());
        guard.link(slot, entry, list, now);
    }

    fn newest_first(guard: &Guard<'_>, route: u32) -> Vec<u32> {
        let list = guard.stripe.list_of(RouteSlot::of(route));
        let newest = list.and_then(|list| list.newest());
        let slots = std::iter::successors(newest, |slot| guard.older_than(*slot));
        slots.map(Slot::number).collect()
    }

    fn oldest_first(guard: &Guard<'_>, route: u32) -> Vec<u32> {
        let list = guard.list_of(RouteSlot::of(route));
        let slots = std::iter::successors(list.oldest(), |slot| guard.newer_than(*slot, list));
        slots.map(Slot::number).collect()
    }

    fn by_release(guard: &Guard<'_>) -> Vec<u32> {
        guard.by_release().map(Slot::number).collect()
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
        assert_eq!(guard.oldest(), Some(Slot::of(2)));

        for slot in [1, 2].map(Slot::of) {
            let entry = entries.get(slot).unwrap();
            guard.unlink(slot, entry, stripe.list_of(entry.route().slot()).unwrap());
        }
        assert_eq!(newest_first(&guard, 0), [3, 0]);
        assert_eq!(newest_first(&guard, 9), []);
        assert_eq!(guard.oldest(), Some(Slot::of(0)));
        drop(guard);
        let lens = [0, 9].map(|route| stripe.len_of(RouteSlot::of(route)));
        assert_eq!((stripe.len(), lens), (2, [2, 0]));
    }

    #[test]
    fn what_was_not_used_comes_back_to_its_place() {
        let entries = entries(&[0, 0, 9, 0]);
        let stripe = Stripe::new();
        let mut guard = stripe.lock(&entries);
        for slot in 0..4 {
            link(&mut guard, slot, u64::from(slot));
        }
        for slot in [0, 1, 2, 3, 0].map(Slot::of) {
            let entry = entries.get(slot).unwrap();
            let list = stripe.list_of(entry.route().slot()).unwrap();
            guard.unlink(slot, entry, list);
            guard.link_in_order(slot, entry, list);
            assert_eq!(newest_first(&guard, 0), [3, 1, 0]);
            assert_eq!(oldest_first(&guard, 0), [0, 1, 3]);
            assert_eq!(by_release(&guard), [0, 1, 2, 3]);
        }
        assert_eq!((stripe.len(), stripe.len_of(RouteSlot::of(0))), (4, 3));
    }

    #[test]
    fn stamps_never_go_back() {
        let entries = entries(&[0, 0]);
        let stripe = Stripe::new();
        let mut guard = stripe.lock(&entries);
        link(&mut guard, 0, 50);
        link(&mut guard, 1, 40);
        assert_eq!(entries.get(Slot::of(1)).unwrap().updated.load(Relaxed), 50);
    }
}
