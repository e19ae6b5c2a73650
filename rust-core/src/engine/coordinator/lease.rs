//! Leasing where no hit was to be had: what is idle, else the right to open, else a place in the queue.

use super::step::Step;
use crate::engine::Engine;
use crate::engine::effects::Effects;
use crate::engine::entry::Status;
use crate::engine::id::{Handle, RouteId, RouteSlot, StateId, Ticket, TicketSlot};
use crate::engine::outcome::{Answer, Grant, Outcome, Refusal};

impl Engine {
    /// Leases one idle entry, named by the handle that [`entries`](Self::entries) has told of it, for a look at it; to be released as
    /// [`Unused`](crate::engine::Verdict::Unused) where it is left. `None` where it is not idle any more, or was leased since. O(1).
    pub fn lease_entry(&self, handle: Handle) -> Option<Handle> {
        let entry = self.entry_of(handle)?;
        // A sweep relies on it that nobody takes what is idle but by a hit, which looks at the sweep's flag.
        let _coordinator = self.coordinator.lock();
        let word = entry.word();
        if word.status() != Status::Idle || word.lease() != handle.generation() {
            return None;
        }
        let mut stripe = self.lock_stripe(word.stripe());
        if entry.word() != word {
            return None;
        }
        let list = stripe.list_of(entry.route().slot());
        stripe.unlink(handle.slot(), entry, list);
        let leased = entry.idle_to_looked_at(word, self.clock.now());
        Some(self.handle(handle.slot(), leased))
    }

    /// Leases a connection, gives the right to open one, or, with a ticket, queues the request.
    ///
    /// Without a ticket a request that cannot be served at once is refused with [`Refusal::WouldBlock`]. With a ticket
    /// from [`reserve_ticket`](Self::reserve_ticket) it waits in the pool's order of arrival; the caller must have
    /// published how to wake the ticket's owner before. Only [`Outcome::Wait`] leaves the ticket alive. Of a pool that is suspended
    /// nothing can be had at once.
    ///
    /// Idle connections of the route that turn out expired, and one that has to make room, come back as victims.
    /// O(stripes + connections removed).
    pub fn lease(
        &self,
        route: RouteId,
        state: StateId,
        ticket: Option<Ticket>,
        effects: &mut Effects,
    ) -> Result<Outcome, Refusal> {
        self.step(effects, |step| match ticket {
            None => step.lease(route, state, None),
            Some(ticket) => {
                step.by_ticket(ticket, |step, slot| step.lease(route, state, Some(slot)))
            }
        })
    }
}

impl Step<'_> {
    /// Serves a request by `ask` now, or leaves it queued under its ticket, which lives on only then.
    pub(super) fn by_ticket(
        &mut self,
        ticket: Ticket,
        ask: impl FnOnce(&mut Self, TicketSlot) -> Result<Outcome, Refusal>,
    ) -> Result<Outcome, Refusal> {
        let tag = self.engine.tag;
        let slot = self.c.tickets.find(tag, ticket);
        let slot = slot.ok_or(Refusal::StaleTicket)?;
        // It may have been told to ask again, and been answered before it did.
        if let Some(outcome) = self.take_outcome(slot) {
            return outcome;
        }
        let outcome = ask(self, slot);
        let is_alive = self.c.tickets.find(tag, ticket).is_some();
        if outcome != Ok(Outcome::Wait) && is_alive {
            self.c.tickets.free(slot, &self.engine.answers);
        }
        outcome
    }

    /// Serves the request now, or leaves it queued if it has a ticket.
    fn lease(
        &mut self,
        route: RouteId,
        state: StateId,
        ticket: Option<TicketSlot>,
    ) -> Result<Outcome, Refusal> {
        if self.is_shut() {
            if let Some(ticket) = ticket.filter(|ticket| self.c.tickets.is_queued(*ticket)) {
                self.unlink(ticket);
            }
            return Err(Refusal::ShutDown);
        }
        if let Some(ticket) = ticket.filter(|ticket| self.c.tickets.is_queued(*ticket)) {
            return self.lease_again(ticket);
        }
        let route = self.find_route(route).ok_or(Refusal::StaleRoute)?;
        let is_first = self.c.routes[route].queue.head.is_none() || self.engine.barging;
        if is_first && !self.c.is_suspended {
            if let Some(grant) = self.lease_at_once(route, state) {
                return Ok(Outcome::Granted(grant));
            }
        }
        let may_wait = ticket.is_some() && self.c.tickets.waiting() < self.engine.max_waiters;
        let slot = match ticket {
            Some(ticket) => ticket,
            None => match self.reserve() {
                Some(ticket) => ticket.slot(),
                None => return Err(self.refuse(route)),
            },
        };
        // Only in the queue may a request have something evicted for it: it then has a place among the others.
        self.enqueue(slot, route, state);
        if self.c.tickets.is_queued(slot) {
            if may_wait {
                self.wait(slot);
                return Ok(Outcome::Wait);
            }
            self.unlink(slot);
            self.settle();
            if ticket.is_some() {
                return Err(self.refuse(route));
            }
            self.c.tickets.free(slot, &self.engine.answers);
            return Err(Refusal::WouldBlock);
        }
        self.take_outcome(slot)
            .expect("a ticket out of its queue was granted something")
    }

    /// As many wait as may.
    fn refuse(&mut self, route: RouteSlot) -> Refusal {
        self.count(route, |sums| sums.refused += 1);
        Refusal::QueueFull
    }

    /// Serves a queued request that asks once more, or leaves it queued. Only the head of a queue was told to.
    fn lease_again(&mut self, ticket: TicketSlot) -> Result<Outcome, Refusal> {
        let route = self.c.tickets.route(ticket);
        if self.c.routes[route].queue.head == Some(ticket) {
            self.serve_head(route);
            self.settle();
        }
        self.take_outcome(ticket).unwrap_or(Ok(Outcome::Wait))
    }

    /// A ticket's answer, where there is one: it is the caller's own, so nobody has to be woken for it.
    fn take_outcome(&mut self, ticket: TicketSlot) -> Option<Result<Outcome, Refusal>> {
        let id = self.c.tickets.id(self.engine.tag, ticket);
        let outcome = match self.c.tickets.take_answer(ticket, &self.engine.answers) {
            Ok(Answer::Pending) => return None,
            Ok(Answer::AskAgain) => None,
            Ok(Answer::Granted(grant)) => Some(Ok(Outcome::Granted(grant))),
            Err(refusal) => Some(Err(refusal)),
        };
        self.effects.wakes.retain(|wake| *wake != id);
        outcome
    }

    /// What is idle on the route, or else the right to open, where the limits leave room.
    fn lease_at_once(&mut self, route: RouteSlot, state: StateId) -> Option<Grant> {
        let found = self.sweep(route, state);
        // Removing what had expired may have let earlier waiters in.
        self.settle();
        if let Some(handle) = found {
            return Some(Grant::Idle(handle));
        }
        self.c
            .has_room(route)
            .then(|| Grant::Open(self.open(route)))
    }
}
