//! A step: one call's work under the coordinator, and what every step is made of: leasing, removing and pushing an entry.

use crate::engine::Engine;
use crate::engine::effects::{Cause, Effects, Victim};
use crate::engine::entry::{Entry, NEVER, Word};
use crate::engine::flags::{MEASURED, OVER_TOTAL, SHUT};
use crate::engine::id::{Handle, RouteSlot, Slot, StateId};
use crate::engine::ledger::{Ledger, Queue, Sums};
use crate::engine::route::Route;
use crate::engine::stripe::{Guard, Stamp};
use crate::engine::sync::MutexGuard;
use crate::engine::sync::atomic::Ordering::Relaxed;

/// One call's work under the coordinator.
pub(in crate::engine) struct Step<'a> {
    pub(super) engine: &'a Engine,
    pub(super) c: MutexGuard<'a, Ledger>,
    pub(super) effects: &'a mut Effects,
    pub(super) now: u64,
    /// The work was done to its end. That the thread unwinds says nothing: it may do so with a lease on its stack, which this
    /// step gives back.
    is_done: bool,
}

impl Engine {
    /// Does one call's work under the coordinator.
    pub(in crate::engine) fn step<T>(
        &self,
        effects: &mut Effects,
        work: impl FnOnce(&mut Step<'_>) -> T,
    ) -> T {
        let coordinator = self.coordinator.lock();
        let mut step = Step {
            engine: self,
            c: coordinator,
            effects,
            // After the lock, for which the call may have waited.
            now: self.clock.now(),
            is_done: false,
        };
        step.look_after_order();
        let outcome = work(&mut step);
        step.is_done = true;
        outcome
    }
}

impl Engine {
    /// A victim's connection was taken out of its place: the slot may be used again (I10). O(1).
    ///
    /// True where all slots were taken by victims and somebody waits for one: call [`serve`](Self::serve) then. Does nothing where
    /// `slot` holds no victim.
    #[must_use = "somebody may wait for the slot"]
    pub fn ack(&self, slot: Slot) -> bool {
        let Some(entry) = self.entries.get(slot) else {
            return false;
        };
        let mut coordinator = self.coordinator.lock();
        entry.victim_to_free() && coordinator.free_slot(slot)
    }

    /// Serves those who could not be served for want of a slot: see [`ack`](Self::ack). O(served).
    pub fn serve(&self, effects: &mut Effects) {
        self.step(effects, |step| step.settle());
    }
}

#[cfg(test)]
impl Engine {
    /// What an error of ours would do.
    pub(crate) fn panic_in_a_step(&self, effects: &mut Effects) {
        self.step(effects, |_| {
            std::panic::resume_unwind(Box::new("on purpose"));
        });
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            self.break_down();
        }
    }
}

impl<'a> Step<'a> {
    /// A panic in the middle of a step leaves counts and lists in doubt. The pool serves nobody any more: whoever waits is told so,
    /// and what was granted before is its owner's. Looks at nothing that may be in doubt, and cannot panic.
    #[cold]
    fn break_down(&mut self) {
        self.engine.flags.raise(SHUT);
        let (tag, answers) = (self.engine.tag, &self.engine.answers);
        let refused = self.c.tickets.refuse_all(tag, answers);
        self.effects.wakes.extend(refused);
        for (_, record) in self.c.routes.iter_mut() {
            record.queue = Queue::default();
            record.standby = Queue::default();
            record.eligible = None;
        }
        self.c.eligible.clear();
        for (_, route) in self.engine.routes.iter() {
            route.pending.store(0, Relaxed);
        }
        self.engine.notes.pending.store(0, Relaxed);
    }

    pub(super) fn entry(&self, slot: Slot) -> &'a Entry {
        self.engine
            .entries
            .get(slot)
            .expect("the slot was allocated")
    }

    pub(super) fn route(&self, slot: RouteSlot) -> &'a Route {
        self.engine
            .routes
            .get(slot)
            .expect("the route was interned")
    }

    pub(super) fn is_shut(&self) -> bool {
        self.engine.flags.is_raised(SHUT)
    }

    /// Counts a new entry of `route` and gives the right to open it.
    pub(super) fn open(&mut self, route: RouteSlot) -> Handle {
        let slot = self.c.take_slot();
        let id = self.route(route).id().expect("the route is alive");
        let entry = self.engine.entries.grow_to(slot);
        self.engine.note_given(entry, self.now);
        let word = entry.free_to_opening(id);
        self.c.total += 1;
        self.c.routes[route].allocated += 1;
        self.count(route, |sums| sums.openings += 1);
        self.reindex(route);
        self.engine.handle(slot, word)
    }

    /// Counts in the sums of a route and of the pool.
    pub(super) fn count(&mut self, route: RouteSlot, add: impl Fn(&mut Sums)) {
        add(&mut self.c.sums);
        add(&mut self.c.routes[route].sums);
    }

    /// Measures how long a connection was held whose lease ends, which the caller has claimed. A look at it alone is no use of it.
    pub(super) fn measure_held(&mut self, entry: &Entry, was_looked_at: bool) {
        if self.engine.flags.is_raised(MEASURED) && !was_looked_at {
            self.c.held.record(entry.micros_held(self.now));
        }
    }

    /// Takes an entry that has become a victim out of all counts: why its connection goes, if it has one, and whether nobody has used that
    /// since it became idle.
    pub(super) fn uncount(&mut self, slot: Slot, cause: Option<Cause>, was_idle: bool) {
        let entry = self.entry(slot);
        let route = entry.route().slot();
        self.count(route, |sums| sums.fold(entry, cause, was_idle));
        if let Some(cause) = cause {
            self.engine.notes.tally.count(cause);
        }
        self.arm(slot, NEVER);
        self.c.total -= 1;
        self.c.routes[route].allocated -= 1;
        self.reindex(route);
        if self.c.total <= self.c.max_total {
            self.engine.flags.lower(OVER_TOTAL);
        }
        self.note_if_reclaimable(route);
    }

    /// Removes an idle entry for good. The caller holds the lock of its stripe, by `stripe`.
    pub(super) fn retire_idle(&mut self, stripe: &mut Guard<'_>, slot: Slot, cause: Cause) {
        let entry = self.entry(slot);
        let list = stripe.list_of(entry.route().slot());
        stripe.unlink(slot, entry, list);
        let won = entry.to_victim(entry.word());
        debug_assert!(
            won,
            "only the holder of its stripe's lock takes an idle entry"
        );
        self.uncount(slot, Some(cause), true);
        self.effects.victims.push(Victim { slot, cause });
    }

    pub(super) fn arm(&mut self, slot: Slot, key: u64) {
        let entries = &self.engine.entries;
        self.c.heap.arm(entries, slot, key);
    }

    /// Makes an entry that the caller has claimed idle: as the most recently released of its route, or in its place from before. Its word
    /// where a mark forbids that.
    pub(super) fn push(&mut self, slot: Slot, lease: u32, stamp: Stamp) -> Result<(), Word> {
        let entry = self.entry(slot);
        let stripe_index = self.engine.stripe_of(self.route(entry.route().slot()));
        let mut stripe = self.engine.lock_stripe(stripe_index);
        entry.leased_to_idle(lease, stripe_index)?;
        let list = self.engine.stripes[stripe_index].grow_to_list_of(entry.route().slot());
        match stamp {
            Stamp::Anew => stripe.link(slot, entry, list, self.now),
            Stamp::AsBefore => stripe.link_in_order(slot, entry, list),
        }
        drop(stripe);
        self.engine.rearm(&mut self.c, slot);
        Ok(())
    }

    /// Looks through all stripes for an idle entry of `route` that fits `state`, removing what has expired on the
    /// way, and leases what it finds.
    pub(super) fn sweep(&mut self, route: RouteSlot, state: StateId) -> Option<Handle> {
        let found = self.sweep_for(route, state);
        if found.is_none() && state != StateId::NONE {
            return self.sweep_for(route, StateId::NONE);
        }
        found
    }

    fn sweep_for(&mut self, route: RouteSlot, state: StateId) -> Option<Handle> {
        for index in 0..self.engine.stripes.len() {
            let mut stripe = self.engine.lock_stripe(index);
            let Some(list) = self.engine.stripes[index].list_of(route) else {
                continue;
            };
            let mut next = self.engine.first_in(&stripe, list);
            while let Some(slot) = next {
                next = self.engine.next_of(&stripe, slot, list);
                let entry = self.entry(slot);
                if entry.is_expired(self.now) {
                    self.retire_idle(&mut stripe, slot, Cause::Expired);
                } else if entry.state() == state {
                    let word = entry.idle_to_leased(entry.word(), self.now);
                    stripe.unlink(slot, entry, list);
                    return Some(self.engine.handle(slot, word));
                }
            }
        }
        None
    }

    /// Removes the least recently released idle entry of the pool. The caller has set one of the pool's flags, so nothing becomes idle
    /// meanwhile. A stripe's oldest entry therefore is the same when the stripe is locked for the second time, or was leased.
    pub(super) fn evict_oldest(&mut self, cause: Cause) -> bool {
        self.evict_oldest_by(|stripe| stripe.oldest(), cause)
    }

    /// The same for one route, whose flag is set.
    pub(super) fn evict_oldest_of(&mut self, route: RouteSlot, cause: Cause) -> bool {
        self.evict_oldest_by(|stripe| stripe.oldest_of(route), cause)
    }

    fn evict_oldest_by(&mut self, tail: impl Fn(&Guard<'_>) -> Option<Slot>, cause: Cause) -> bool {
        let mut oldest: Option<(u64, usize)> = None;
        for index in 0..self.engine.stripes.len() {
            let stripe = self.engine.lock_stripe(index);
            if let Some(slot) = tail(&stripe) {
                let updated = self.entry(slot).updated.load(Relaxed);
                if oldest.is_none_or(|(least, _)| updated < least) {
                    oldest = Some((updated, index));
                }
            }
        }
        let Some((_, index)) = oldest else {
            return false;
        };
        let mut stripe = self.engine.lock_stripe(index);
        let Some(slot) = tail(&stripe) else {
            return false;
        };
        self.retire_idle(&mut stripe, slot, cause);
        true
    }
}
