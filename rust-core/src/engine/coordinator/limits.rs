//! Changing limits while the pool runs. A lowered limit closes surplus idle entries at once and leased ones at their
//! release; a raised one serves waiters at once.

use super::step::Step;
use crate::engine::Engine;
use crate::engine::config::MAX_ENTRIES;
use crate::engine::effects::{Cause, Effects};
use crate::engine::flags::OVER_TOTAL;
use crate::engine::id::{RouteId, RouteSlot};
use crate::engine::outcome::Refusal;
use crate::engine::sync::atomic::Ordering::Relaxed;

impl Engine {
    /// Sets the limit in total, at most [`MAX_ENTRIES`]; 0 lets every request wait. O(removed + served).
    pub fn set_max_total(&self, max: u32, effects: &mut Effects) {
        self.step(effects, |step| {
            step.c.max_total = max.min(MAX_ENTRIES);
            self.notes.max_total.store(step.c.max_total, Relaxed);
            step.close_surplus();
        });
    }

    /// Sets the limit of every route that has none of its own. O(routes + removed + served).
    pub fn set_default_max_per_route(&self, max: u32, effects: &mut Effects) {
        self.step(effects, |step| {
            step.c.default_max = max.min(MAX_ENTRIES);
            self.notes.default_max.store(step.c.default_max, Relaxed);
            for route in step.c.routes.slots() {
                if step.c.routes[route].limit.is_none() {
                    step.close_surplus_of(route);
                }
            }
            step.settle();
        });
    }

    /// Sets a route's own limit, or with `None` lets the default hold again. A route with a limit of its own is never
    /// reclaimed. [`Refusal::StaleRoute`] where it was reclaimed before, or is another pool's. O(removed + served).
    pub fn set_max_per_route(
        &self,
        route: RouteId,
        max: Option<u32>,
        effects: &mut Effects,
    ) -> Result<(), Refusal> {
        self.step(effects, |step| {
            let route = step.find_route(route).ok_or(Refusal::StaleRoute)?;
            step.c.routes[route].limit = max.map(|max| max.min(MAX_ENTRIES));
            step.close_surplus_of(route);
            step.note_if_reclaimable(route);
            step.settle();
            Ok(())
        })
    }

    /// The limit in total. O(1), takes no lock.
    pub fn max_total(&self) -> u32 {
        self.notes.max_total.load(Relaxed)
    }

    /// The limit of every route that has none of its own. O(1), takes no lock.
    pub fn default_max_per_route(&self) -> u32 {
        self.notes.default_max.load(Relaxed)
    }
}

impl Step<'_> {
    /// The flag first, then the sweep: see the coordinator.
    fn close_surplus(&mut self) {
        if self.c.total > self.c.max_total {
            self.engine.flags.raise(OVER_TOTAL);
            while self.c.total > self.c.max_total && self.evict_oldest(Cause::OverLimit) {}
        } else {
            self.engine.flags.lower(OVER_TOTAL);
        }
        self.settle();
    }

    fn close_surplus_of(&mut self, route: RouteSlot) {
        self.mirror_max(route);
        self.reindex(route);
        while self.c.routes[route].allocated > self.c.max_of(route)
            && self.evict_oldest_of(route, Cause::OverLimit)
        {}
    }
}
