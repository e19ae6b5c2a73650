//! A hit: the lease that finds an idle connection, and the release that puts one back, from top to bottom. First the choice of the
//! stripe, then the lease, then the release.
//!
//! Each is one short critical section in one stripe and touches no count. What they may not decide they leave to the
//! [`coordinator`](super::coordinator), which keeps them off by flags that they read inside the stripe's lock.

use super::entry::{Entry, Status, Word};
use super::flags::MEASURED;
use super::id::{Handle, RouteId, Slot, StateId};
use super::outcome::{Hit, Keep, NotLeased};
use super::pool::Engine;
use super::route::{Route, SPREAD};
use super::stripe::{Guard, List, Stripe};
use super::sync::atomic::Ordering::Relaxed;
use super::thread::thread_number;

/// So many collisions between two looks cost less than the exact order is worth: each is a wait for one critical section. Callers who share
/// a pool on several processors come to so many where they lease some thousands of times in a second. Under loom the first is one too many,
/// so that it meets callers who keep apart.
pub(in crate::engine) const FEW_COLLISIONS: u32 = if cfg!(loom) { 0 } else { 100 };

/// Why a stripe has no hit.
enum Miss {
    /// Nothing of the route is idle there.
    Empty,
    /// Only the coordinator can tell what to do.
    Slow,
}

// ----- which stripe -----

impl Engine {
    /// The stripe that a call on `route` uses first: number 0 for all, until callers collide often, and again when they have not for a
    /// while.
    ///
    /// Every stripe is right: see the pool's `wide`. That of an uncontended pool needs no look at the route, so that the lock's address is
    /// known before the handle has led to it.
    #[inline]
    pub(super) fn stripe_of(&self, route: &Route) -> usize {
        if !self.wide.load(Relaxed) {
            return 0;
        }
        let index = match route.home.load(Relaxed) {
            SPREAD => thread_number() & self.stripe_mask(),
            home => home,
        };
        index as usize
    }

    /// Locks the stripe that a hit on `route` uses.
    ///
    /// Whether somebody holds it is asked before, in a read of its own: a `try_lock` would make the locked instruction
    /// wait for that read.
    ///
    /// Race window: somebody may take the lock between the two, and the collision is not noted. It is harmless because the caller waits
    /// for the lock all the same, and callers who go on colliding are noted the next time.
    #[inline(always)]
    fn lock_for_hit<'a>(&'a self, stripe: &'a Stripe, route: &Route) -> Guard<'a> {
        if stripe.is_locked() {
            self.note_collision(route);
        }
        stripe.lock(&self.entries)
    }

    /// Somebody else holds the stripe that a call on `route` uses first: if that happens often its callers keep apart from now on.
    ///
    /// Race window: of several that are noted at once some may not be counted. It is harmless because callers who go on colliding come to
    /// the same number a little later.
    #[cold]
    pub(super) fn note_collision(&self, route: &Route) {
        // Callers who collide often may do so all the time: nothing is written that need not be.
        let collisions = self.notes.collisions.load(Relaxed);
        if collisions <= FEW_COLLISIONS {
            self.notes.collisions.store(collisions + 1, Relaxed);
        }
        if collisions >= FEW_COLLISIONS {
            self.keep_apart(route);
        }
    }

    /// Hits read these lines, too.
    fn keep_apart(&self, route: &Route) {
        if !self.wide.load(Relaxed) {
            self.wide.store(true, Relaxed);
        }
        if route.home.load(Relaxed) != SPREAD {
            route.home.store(SPREAD, Relaxed);
        }
    }
}

// ----- the lease -----

impl Engine {
    /// Leases an idle connection if that takes no more than a glance: one short critical section in one stripe.
    ///
    /// `None` says nothing about the pool: ask [`lease`](Self::lease). O(1), never blocks, has no effects.
    #[inline]
    pub fn lease_hit(&self, route: RouteId, state: StateId) -> Option<Handle> {
        if state != StateId::NONE {
            return None;
        }
        let now = self.clock.now();
        let shared = self.routes.get(route.slot())?;
        let own = self.stripe_of(shared);
        match self.lease_hit_in(own, route, shared, now) {
            Ok(handle) => Some(handle),
            Err(Miss::Slow) => None,
            Err(Miss::Empty) => self.lease_hit_beside(own, route, shared, now),
        }
    }

    /// The hit path from the lock of one stripe to its end.
    #[inline(always)]
    fn lease_hit_in(
        &self,
        index: usize,
        route: RouteId,
        shared: &Route,
        now: u64,
    ) -> Result<Handle, Miss> {
        let stripe = &self.stripes[index];
        // Race window: the list may come into being, or the length below change, right after the look. It is harmless because whoever
        // finds nothing asks the coordinator, which looks everywhere under every stripe's lock.
        let list = stripe.list_of(route.slot()).ok_or(Miss::Empty)?;
        let mut guard = self.lock_for_hit(stripe, shared);
        // Inside the lock: see the coordinator's "flag, then sweep".
        if self.flags.keep_hits_off() || shared.flags.load(Relaxed) & self.flags_against_hits != 0 {
            return Err(Miss::Slow);
        }
        let slot = self.first_in(&guard, list).ok_or(Miss::Empty)?;
        let entry = guard.entry(slot);
        // A reclaimed slot may serve another route by now: what is handed out goes where it was asked to go.
        if entry.route() != route || entry.is_expired(now) {
            return Err(Miss::Slow);
        }
        let word = entry.idle_to_leased(entry.word(), now);
        guard.unlink(slot, entry, list);
        Ok(self.handle(slot, word))
    }

    /// The same in the other stripes, one after the other.
    #[cold]
    #[inline(never)]
    fn lease_hit_beside(
        &self,
        own: usize,
        route: RouteId,
        shared: &Route,
        now: u64,
    ) -> Option<Handle> {
        for turn in 1..self.stripes.len() {
            let index = (own + turn) & self.stripe_mask() as usize;
            if self.stripes[index].len_of(route.slot()) == 0 {
                continue;
            }
            match self.lease_hit_in(index, route, shared, now) {
                Ok(handle) => return Some(handle),
                Err(Miss::Slow) => return None,
                Err(Miss::Empty) => {}
            }
        }
        None
    }

    /// The idle entry of a list that is to be handed out first.
    #[inline]
    pub(super) fn first_in(&self, stripe: &Guard<'_>, list: &List) -> Option<Slot> {
        if self.fifo {
            stripe.oldest_in(list)
        } else {
            stripe.newest_in(list)
        }
    }

    /// The one after `slot`.
    pub(super) fn next_of(&self, stripe: &Guard<'_>, slot: Slot, list: &List) -> Option<Slot> {
        if self.fifo {
            stripe.newer_than(slot, list)
        } else {
            stripe.older_than(slot)
        }
    }
}

// ----- the release -----

impl Engine {
    /// Makes a leased connection without a state idle, if nobody waits for it: one short critical section in one stripe.
    ///
    /// The connection must lie in its place before the call: the next lease may have it before the call returns.
    /// [`Hit::Slow`] means that nothing was done yet: call [`release`](Self::release). O(1), never blocks, has no
    /// effects. A connection that gets an expiry for the first time, or a nearer one than before, costs O(log n) more.
    // Long enough not to be inlined by itself, though a call saves and restores six registers.
    #[inline(always)]
    pub fn release_hit(&self, handle: Handle, keep: Keep) -> Result<Hit, NotLeased> {
        let now = self.clock.now();
        let entry = self.entry_of(handle).ok_or(NotLeased)?;
        // Race window: as in `route_of`. It is harmless because a handle that is dead fails below, in the step that makes the entry idle.
        let route_slot = entry.route().slot();
        let route = self.routes.get(route_slot).ok_or(NotLeased)?;
        let index = self.stripe_of(route);
        let stripe = &self.stripes[index];
        let list = stripe.grow_to_list_of(route_slot);
        let guard = self.lock_for_hit(stripe, route);
        // Inside the lock, before the push: see the coordinator's "flag, then sweep". A route without the stateful flag
        // has only entries without a state.
        if route.flags.load(Relaxed) != 0 {
            return Ok(Hit::Slow);
        }
        // Twice the same code, so that who measures nothing is not asked for it.
        match self.flags.raised() {
            0 => self.make_idle_in::<false>(guard, index, list, handle, entry, keep, now),
            MEASURED => self.make_idle_in::<true>(guard, index, list, handle, entry, keep, now),
            _ => Ok(Hit::Slow),
        }
    }

    /// The hit path from the flags to its end.
    #[expect(clippy::too_many_arguments, reason = "it is a part of the one above")]
    #[inline(always)]
    fn make_idle_in<const IS_MEASURED: bool>(
        &self,
        mut guard: Guard<'_>,
        index: usize,
        list: &List,
        handle: Handle,
        entry: &Entry,
        keep: Keep,
        now: u64,
    ) -> Result<Hit, NotLeased> {
        let slot = handle.slot();
        // One step decides between two releases of the same lease; only the winner writes the fields.
        let before = match entry.leased_to_idle(handle.generation(), index) {
            Ok(before) => before,
            Err(word) if is_held(word, handle) => return Ok(Hit::Slow),
            Err(_) => return Err(NotLeased),
        };
        if IS_MEASURED {
            guard.record_held(entry.micros_held(now));
        }
        self.note_expiry(entry, keep, now);
        guard.link(slot, entry, list, now);
        // Race window: the key is the coordinator's, and this may read one from before. It is harmless (I8). Where the key has got earlier
        // since, the entry is looked after once too often. A key gets later in two ways alone: while the entry is idle, under the lock of
        // its stripe, which has been taken here or by whoever leased it from there, and so is seen; or by a clean-up that found the entry
        // leased, and that has left a mark (see `rearm`).
        let is_armed_too_late = entry.expiry.load(Relaxed) < entry.armed.load(Relaxed);
        drop(guard);
        if before.is_notify() || is_armed_too_late {
            self.rearm(&mut self.coordinator.lock(), slot);
        }
        Ok(Hit::Kept)
    }
}

/// Whether the handle is alive, though it cannot become idle without the coordinator.
fn is_held(word: Word, handle: Handle) -> bool {
    word.lease() == handle.generation() && matches!(word.status(), Status::Leased | Status::Opening)
}
