//! Suspending a pool: whoever asks waits, whatever is idle or could be opened, until the pool is resumed. All else goes on.
//!
//! The order of steps is "flag, then sweep", as everywhere. A hit reads the flag inside its stripe's lock. Its section came either before
//! the sweep's, and then its lease was taken before `suspend` returned, or after it, and then it sees the flag: what was stored before the
//! sweep gave the lock free is seen by all who take it later. So from the return on no lease is a hit, on whatever thread, and even if
//! nothing has told that thread of the return.
//!
//! Race window: between the flag and the sweep of its stripe a hit may succeed still. It is harmless because its lease is one of those
//! that were out when the pool was suspended.
//!
//! The flag is lowered last, so that while those who have waited are served nothing is leased or becomes idle but by this step. Who comes
//! for the coordinator meanwhile finds them served, and the flags of their routes as they must be.

use std::collections::BTreeSet;

use super::step::Step;
use crate::engine::Engine;
use crate::engine::effects::{Cause, Effects};
use crate::engine::flags::SUSPENDED;
use crate::engine::id::RouteSlot;

impl Engine {
    /// From now on nobody is given a connection or the right to open one: whoever asks waits, and is ended by its time, its owner or a
    /// shutdown as ever; who may not wait is refused as where nothing is free. What is leased is used and released as ever and then
    /// becomes idle, a right to open that is out may be used, and what is idle expires and is closed as ever. Does nothing where the pool
    /// is suspended already. O(stripes).
    ///
    /// When it has returned no request that begins is served, nor one that waits, until [`resume`](Self::resume) is called.
    pub fn suspend(&self, effects: &mut Effects) {
        self.step(effects, |step| step.suspend());
    }

    /// Ends what [`suspend`](Self::suspend) began, however often that was called: those who wait are served in the order of their arrival,
    /// as far as the limits allow. Does nothing where the pool is not suspended. O(routes + stripes · served).
    pub fn resume(&self, effects: &mut Effects) {
        self.step(effects, |step| step.resume());
    }

    /// The pool is suspended. O(1), takes no lock.
    ///
    /// Race window: while it is suspended or resumed either answer may come. It is harmless because the engine decides nothing by it.
    pub fn is_suspended(&self) -> bool {
        self.flags.is_raised(SUSPENDED)
    }
}

impl Step<'_> {
    fn suspend(&mut self) {
        self.c.is_suspended = true;
        self.engine.flags.raise(SUSPENDED);
        for index in 0..self.engine.stripes.len() {
            drop(self.engine.lock_stripe(index));
        }
        // Nobody is kept waiting by the total limit any more.
        self.settle();
    }

    fn resume(&mut self) {
        if !self.c.is_suspended {
            return;
        }
        self.c.is_suspended = false;
        if self.engine.own_route_first {
            self.serve_by_arrival(|step, route| {
                step.give_idle(route);
            });
        }
        self.serve_by_arrival(Self::give_idle_or_place);
        self.settle();
        self.serve_standby();
        // Removing what had expired may have let waiters in.
        self.settle();
        self.engine.flags.lower(SUSPENDED);
    }

    /// Has the heads of all queues served, in the order of their arrival; after each that was, the next of its route is a head.
    fn serve_by_arrival(&mut self, serve: impl Fn(&mut Self, RouteSlot)) {
        let arrival = |step: &Self, route| {
            let head = step.c.routes[route].queue.head?;
            Some((step.c.tickets.sequence(head), route))
        };
        let routes = self.c.routes.slots();
        let mut heads: BTreeSet<_> = routes.filter_map(|route| arrival(self, route)).collect();
        while let Some(first) = heads.pop_first() {
            let route = first.1;
            serve(self, route);
            heads.extend(arrival(self, route).filter(|next| *next != first));
        }
    }

    /// Gives the head of a route's queue what is idle on its route or else the right to open, for which something else may have to go.
    fn give_idle_or_place(&mut self, route: RouteSlot) {
        let head = self.c.routes[route].queue.head;
        self.serve_head(route);
        let is_eligible = self.c.routes[route].eligible.is_some();
        if self.c.routes[route].queue.head != head || !is_eligible {
            return;
        }
        if self.c.total >= self.c.max_total {
            self.evict_oldest(Cause::Evicted);
        }
        if self.c.has_room(route) {
            self.grant_opening(route);
        }
    }
}
