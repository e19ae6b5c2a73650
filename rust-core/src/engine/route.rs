//! Routes: what the hit path reads of one without the coordinator, what the coordinator keeps of it, and how it comes and goes.

use super::Engine;
use super::coordinator::Step;
use super::effects::Effects;
use super::id::RouteId;
use super::outcome::Refusal;
use super::segments::CAPACITY;
use super::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// Requests of this route wait.
pub(super) const QUEUE: u32 = 1;
/// More entries than its limit allows.
pub(super) const OVER: u32 = 2;
/// Being cleared.
pub(super) const CLEARING: u32 = 4;
/// Some entry of it is or was bound to a state: finding the right one takes a look into every stripe.
pub(super) const STATEFUL: u32 = 8;

/// How many routes without entries or waiters are left in peace before one is reclaimed for each new one.
pub(super) const IDLE_ROUTES: usize = 64;

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
            let holders = &mut step.c.routes[route as usize].holders;
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
    pub(super) fn find_route(&self, id: RouteId) -> Option<u32> {
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
            None if self.c.routes.len() < CAPACITY as usize => {
                self.c.routes.push(RouteRecord::default());
                self.c.routes.len() as u32 - 1
            }
            None => return None,
        };
        let record = &mut self.c.routes[slot as usize];
        record.generation = record.generation.wrapping_add(1);
        record.stateful = false;
        let id = RouteId::new(self.engine.tag, slot, record.generation);
        let home = if self.engine.wide.load(Relaxed) {
            slot & self.engine.stripe_mask()
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
        self.c.routes[slot as usize].reclaimable = false;
        if self.is_reclaimable(slot) {
            let route = self.route(slot);
            self.effects.retired.extend(route.id());
            route.retire();
            self.c.free_routes.push(slot);
        }
    }

    fn is_reclaimable(&self, slot: u32) -> bool {
        let record = &self.c.routes[slot as usize];
        record.allocated == 0
            && record.queue.head.is_none()
            && record.limit.is_none()
            && record.holders == 0
    }

    pub(super) fn note_if_reclaimable(&mut self, slot: u32) {
        if self.is_reclaimable(slot) && !self.c.routes[slot as usize].reclaimable {
            self.c.routes[slot as usize].reclaimable = true;
            self.c.reclaimable.push_back(slot);
        }
    }

    pub(super) fn mirror_max(&mut self, route: u32) {
        self.route(route).max.store(self.c.max_of(route), Relaxed);
    }

    /// Recomputes what follows from a route's queue, count and limit.
    pub(super) fn reindex(&mut self, slot: u32) {
        let max = self.c.max_of(slot);
        let record = &self.c.routes[slot as usize];
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
            self.c.routes[slot as usize].eligible = wanted;
        }
        let (total, waiting) = (self.c.total, self.c.tickets.waiting());
        self.engine.notes.total.store(total, Relaxed);
        self.engine.notes.pending.store(waiting, Relaxed);
    }
}
