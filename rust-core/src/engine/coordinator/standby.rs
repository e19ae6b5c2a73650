//! Standing by: a request that has the right to open already, and takes a connection of its route that is released before its own is open.
//!
//! It needs no place, so no limit concerns it and it stands in no order with those who wait for one: they come first, and only what would
//! become idle goes to who stands by. It is not counted among those who wait.
//!
//! The order of steps is "flag, then sweep", as everywhere: the ticket is put into its queue first, which keeps releases of the route from
//! being hits; then every stripe is looked through. A release came either before the look, which then finds what it has made idle, or sees
//! the flag, and hands over.

use super::step::Step;
use crate::engine::Engine;
use crate::engine::effects::Effects;
use crate::engine::entry::Word;
use crate::engine::id::{Handle, RouteId, RouteSlot, Slot, StateId, Ticket, TicketSlot};
use crate::engine::outcome::{Grant, Outcome, Refusal};

impl Engine {
    /// Leases what is idle of a route and bound to nobody, or has the ticket stand by for what is released.
    ///
    /// Never gives the right to open, nor has anything evicted; who waits for a place comes first. The ticket is used as in
    /// [`lease`](Self::lease), and only [`Outcome::Wait`] leaves it alive. O(stripes + expired connections removed).
    pub fn stand_by(
        &self,
        route: RouteId,
        ticket: Ticket,
        effects: &mut Effects,
    ) -> Result<Outcome, Refusal> {
        self.step(effects, |step| {
            step.by_ticket(ticket, |step, slot| step.stand_by(route, slot))
        })
    }
}

impl Step<'_> {
    /// Serves the request now, or leaves it standing by.
    fn stand_by(&mut self, route: RouteId, ticket: TicketSlot) -> Result<Outcome, Refusal> {
        if self.is_shut() {
            // It would have been answered if it stood by already.
            return Err(Refusal::ShutDown);
        }
        let route = self.find_route(route).ok_or(Refusal::StaleRoute)?;
        // Else it was told to ask again.
        if !self.c.tickets.is_queued(ticket) {
            let c = &mut *self.c;
            let standby = &mut c.routes[route].standby;
            c.tickets.stand_by(ticket, route, standby);
            self.reindex(route);
        }
        let found = self.sweep_for_standby(route);
        if found.is_some() {
            self.unlink(ticket);
        }
        // Removing what had expired may have let waiters in.
        self.settle();
        Ok(found.map_or(Outcome::Wait, |handle| {
            Outcome::Granted(Grant::Idle(handle))
        }))
    }

    /// What is idle of a route and of use to who stands by. What is idle beside somebody who waits is bound to others or, with barging, for
    /// him to come for; what is idle of a pool that is suspended is for nobody.
    fn sweep_for_standby(&mut self, route: RouteSlot) -> Option<Handle> {
        if self.c.is_suspended || self.c.routes[route].queue.head.is_some() {
            return None;
        }
        self.sweep(route, StateId::NONE)
    }

    /// Gives who stands by what has become idle meanwhile, the first of each route first.
    pub(super) fn serve_standby(&mut self) {
        for route in self.c.routes.slots() {
            while let Some(first) = self.c.routes[route].standby.head {
                let Some(handle) = self.sweep_for_standby(route) else {
                    break;
                };
                self.answer(first, Ok(Grant::Idle(handle)));
            }
        }
    }

    /// Gives a claimed entry to whoever has stood by longest. False where nobody does, or it is of no use to them.
    pub(super) fn hand_to_standby(&mut self, slot: Slot, claimed: Word) -> bool {
        let entry = self.entry(slot);
        let first = self.c.routes[entry.route().slot()].standby.head;
        let Some(ticket) =
            first.filter(|_| entry.state() == StateId::NONE && !entry.is_expired(self.now))
        else {
            return false;
        };
        self.pass_on(slot, claimed, ticket);
        true
    }
}
