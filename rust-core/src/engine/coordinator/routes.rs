//! How a route comes and goes, and what follows from its queue, its count and its limit.

use super::step::Step;
use crate::engine::Engine;
use crate::engine::effects::Effects;
use crate::engine::id::{Numbered, RouteId, RouteSlot};
use crate::engine::ledger::{RouteRecord, Sums};
use crate::engine::outcome::Refusal;
use crate::engine::route::{CLEARING, OVER, QUEUE, STANDBY, STATEFUL};
use crate::engine::sync::atomic::Ordering::Relaxed;

/// How many routes without entries or waiters are left in peace before one is reclaimed for each new one.
pub(in crate::engine) const IDLE_ROUTES: usize = 64;

impl Engine {
    /// A new route. The caller keeps the key it stands for.
    ///
    /// Routes without entries, waiters and limits of their own are reclaimed a while later, as other routes come:
    /// their ids come back as retired, or a call answers [`Refusal::StaleRoute`]. Ask for a new one then.
    /// Refused where more than a million routes are alive at once. O(1), amortised.
    pub fn add_route(&self, effects: &mut Effects) -> Result<RouteId, Refusal> {
        self.step(effects, |step| step.add_route())
            .ok_or(Refusal::TooManyRoutes)
    }

    /// Keeps a route from being reclaimed until [`let_go_of_route`](Self::let_go_of_route) is called as often.
    /// [`Refusal::StaleRoute`] where it was reclaimed before, or is another pool's. O(1).
    pub fn hold_route(&self, id: RouteId) -> Result<(), Refusal> {
        self.change_holders(id, 1)
    }

    /// Undoes one [`hold_route`](Self::hold_route). [`Refusal::StaleRoute`] where nobody holds the route. O(1).
    pub fn let_go_of_route(&self, id: RouteId) -> Result<(), Refusal> {
        self.change_holders(id, -1)
    }

    fn change_holders(&self, id: RouteId, change: i32) -> Result<(), Refusal> {
        let mut effects = Effects::new();
        self.step(&mut effects, |step| {
            let route = step.find_route(id).ok_or(Refusal::StaleRoute)?;
            let holders = &mut step.c.routes[route].holders;
            *holders = holders
                .checked_add_signed(change)
                .ok_or(Refusal::StaleRoute)?;
            step.note_if_reclaimable(route);
            Ok(())
        })
    }
}

impl Step<'_> {
    /// The slot of a route that is alive.
    pub(super) fn find_route(&self, id: RouteId) -> Option<RouteSlot> {
        let route = self.engine.routes.get(id.slot())?;
        route.is(id).then_some(id.slot())
    }

    /// A new route; for each, one that has long been without entries and waiters is reclaimed.
    pub(super) fn add_route(&mut self) -> Option<RouteId> {
        while self.c.reclaimable.len() > IDLE_ROUTES {
            self.reclaim_oldest_route();
        }
        let slot = match self.c.free_routes.pop() {
            Some(slot) => slot,
            None => self.c.routes.add(RouteRecord::default())?,
        };
        let record = &mut self.c.routes[slot];
        record.generation = record.generation.wrapping_add(1);
        record.stateful = false;
        record.sums = Sums::default();
        let id = RouteId::new(self.engine.tag, slot, record.generation);
        let home = if self.engine.wide.load(Relaxed) {
            slot.number() & self.engine.stripe_mask()
        } else {
            0
        };
        self.engine.routes.grow_to(slot).assign(id, home);
        self.mirror_max(slot);
        self.note_if_reclaimable(slot);
        Some(id)
    }

    fn reclaim_oldest_route(&mut self) {
        let Some(slot) = self.c.reclaimable.pop_front() else {
            return;
        };
        self.c.routes[slot].reclaimable = false;
        if self.is_reclaimable(slot) {
            let route = self.route(slot);
            self.effects.retired.extend(route.id());
            route.retire();
            self.c.free_routes.push(slot);
        }
    }

    /// I5: no other is reclaimed.
    fn is_reclaimable(&self, slot: RouteSlot) -> bool {
        let record = &self.c.routes[slot];
        record.allocated == 0
            && record.queue.head.is_none()
            && record.standby.head.is_none()
            && record.limit.is_none()
            && record.holders == 0
    }

    pub(super) fn note_if_reclaimable(&mut self, slot: RouteSlot) {
        if self.is_reclaimable(slot) && !self.c.routes[slot].reclaimable {
            self.c.routes[slot].reclaimable = true;
            self.c.reclaimable.push_back(slot);
        }
    }

    pub(super) fn mirror_max(&mut self, route: RouteSlot) {
        self.route(route).max.store(self.c.max_of(route), Relaxed);
    }

    /// Recomputes what follows from a route's queue, count and limit.
    pub(super) fn reindex(&mut self, slot: RouteSlot) {
        let max = self.c.max_of(slot);
        let record = &self.c.routes[slot];
        let wanted = match record.queue.head {
            Some(head) if record.allocated < max => Some(self.c.tickets.sequence(head)),
            _ => None,
        };
        let mut flags = 0;
        if record.queue.head.is_some() {
            flags |= QUEUE;
        }
        if record.allocated > max {
            flags |= OVER;
        }
        if record.clearing {
            flags |= CLEARING;
        }
        if record.stateful {
            flags |= STATEFUL;
        }
        if record.standby.head.is_some() {
            flags |= STANDBY;
        }
        let (allocated, before) = (record.allocated, record.eligible);
        let pending = record.queue.waiting;

        let route = self.route(slot);
        route.flags.store(flags, Relaxed);
        route.allocated.store(allocated, Relaxed);
        route.pending.store(pending, Relaxed);
        if wanted != before {
            if let Some(sequence) = before {
                self.c.eligible.remove(&(sequence, slot));
            }
            if let Some(sequence) = wanted {
                self.c.eligible.insert((sequence, slot));
            }
            self.c.routes[slot].eligible = wanted;
        }
        let (total, waiting) = (self.c.total, self.c.tickets.waiting());
        self.engine.notes.total.store(total, Relaxed);
        self.engine.notes.pending.store(waiting, Relaxed);
    }
}
