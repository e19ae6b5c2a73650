//! Waiting: how a ticket comes to its answer, in the pool's one order of arrival.
//!
//! A route's waiters stand in its queue, the routes whose head waits for the total only in the coordinator's set of those
//! eligible. Only the coordinator looks on behalf of waiters: one that looked for itself could take what was meant for one who
//! has waited longer.

use super::step::Step;
use crate::engine::Engine;
use crate::engine::effects::{Cause, Effects};
use crate::engine::flags::STARVED;
use crate::engine::id::{RouteSlot, StateId, Ticket, TicketSlot};
use crate::engine::ledger::is_awaited;
use crate::engine::outcome::{Answer, GivenUp, Grant, Refusal};

impl Engine {
    /// A ticket for a request that is about to wait. Give it to [`lease`](Self::lease),
    /// to [`stand_by`](Self::stand_by) or to [`cancel`](Self::cancel).
    ///
    /// [`Refusal::QueueFull`] where more than a million tickets are alive; what a pool allows is looked at only when the ticket is
    /// to wait. O(1), amortised.
    pub fn reserve_ticket(&self) -> Result<Ticket, Refusal> {
        let mut c = self.coordinator.lock();
        let reserved = c.tickets.reserve(self.tag, &self.answers);
        if reserved.is_none() {
            c.sums.refused += 1;
        }
        reserved.ok_or(Refusal::QueueFull)
    }

    /// The answer to a waiting ticket. A grant or a refusal ends the ticket.
    ///
    /// [`Refusal::ShutDown`] where that ended the wait; [`Refusal::StaleTicket`] where the ticket had ended before. A read of one
    /// atomic as long as there is no answer, else O(1). What the granter did before is visible to the taker.
    #[inline]
    pub fn poll_ticket(&self, ticket: Ticket) -> Result<Answer, Refusal> {
        if ticket.tag() == self.tag && is_awaited(&self.answers, ticket) {
            return Ok(Answer::Pending);
        }
        self.take_answer(ticket)
    }

    #[cold]
    fn take_answer(&self, ticket: Ticket) -> Result<Answer, Refusal> {
        let mut c = self.coordinator.lock();
        let slot = c
            .tickets
            .find(self.tag, ticket)
            .ok_or(Refusal::StaleTicket)?;
        c.tickets.take_answer(slot, &self.answers)
    }

    /// Ends a ticket whose owner does not want to wait any longer, and says why. That is counted where the ticket was waiting still.
    ///
    /// A grant that had already been made is returned: use it, or give it back by [`release`](Self::release).
    /// A ticket that is not alive any more is no error, nor is a wait that a shutdown has ended. O(stripes + served).
    pub fn cancel(&self, ticket: Ticket, why: GivenUp, effects: &mut Effects) -> Option<Grant> {
        self.step(effects, |step| step.cancel(ticket, why))
    }
}

impl Step<'_> {
    fn cancel(&mut self, ticket: Ticket, why: GivenUp) -> Option<Grant> {
        let answers = &self.engine.answers;
        let slot = self.c.tickets.find(self.engine.tag, ticket)?;
        if self.c.tickets.is_queued(slot) {
            if !self.c.tickets.stands_by(slot) {
                let route = self.c.tickets.route(slot);
                self.count(route, |sums| match why {
                    GivenUp::TimedOut => sums.timed_out += 1,
                    GivenUp::Cancelled => sums.cancelled += 1,
                });
            }
            self.unlink(slot);
            self.c.tickets.free(slot, answers);
            self.settle();
            return None;
        }
        match self.c.tickets.take_answer(slot, answers) {
            Ok(Answer::Granted(grant)) => Some(grant),
            Err(_) => None,
            // It was never queued.
            Ok(_) => {
                self.c.tickets.free(slot, answers);
                None
            }
        }
    }

    /// Puts a reserved ticket at the end of its route's queue and serves whoever can be served.
    pub(super) fn enqueue(&mut self, ticket: TicketSlot, route: RouteSlot, state: StateId) {
        let c = &mut *self.c;
        let queue = &mut c.routes[route].queue;
        c.tickets.enqueue(ticket, route, state, queue);
        let is_head = queue.head == Some(ticket);
        self.reindex(route);
        if is_head {
            self.serve_head(route);
        }
        self.settle();
    }

    /// Leaves a ticket in its queue beyond this step.
    pub(super) fn wait(&mut self, ticket: TicketSlot) {
        let c = &mut *self.c;
        let route = c.tickets.route(ticket);
        let now = self.engine.clock.micros();
        c.tickets.wait(ticket, &mut c.routes[route].queue, now);
        self.count(route, |sums| sums.waited += 1);
        self.reindex(route);
    }

    /// Gives the queue's head what is idle on its route; where only connections bound to others are, and the route is
    /// full, the oldest of those makes room. The flag is set.
    pub(super) fn serve_head(&mut self, route: RouteSlot) {
        if self.c.is_suspended || self.c.routes[route].queue.head.is_none() {
            return;
        }
        if !self.give_idle(route) && self.c.routes[route].allocated >= self.c.max_of(route) {
            self.evict_oldest_of(route, Cause::Evicted);
        }
    }

    /// Gives the queue's head what is idle on its route. False where nothing is, or nobody waits.
    pub(super) fn give_idle(&mut self, route: RouteSlot) -> bool {
        let Some(head) = self.c.routes[route].queue.head else {
            return false;
        };
        let found = self.sweep(route, self.c.tickets.state(head));
        if let Some(handle) = found {
            self.answer(head, Ok(Grant::Idle(handle)));
        }
        found.is_some()
    }

    /// Takes a ticket out of its queue and answers it.
    pub(in crate::engine) fn answer(&mut self, ticket: TicketSlot, answer: Result<Grant, Refusal>) {
        self.unlink(ticket);
        self.c.tickets.answer(ticket, answer, &self.engine.answers);
        self.wake(ticket);
    }

    fn wake(&mut self, ticket: TicketSlot) {
        let id = self.c.tickets.id(self.engine.tag, ticket);
        self.effects.wakes.push(id);
    }

    /// Takes a ticket out of its queue.
    pub(super) fn unlink(&mut self, ticket: TicketSlot) {
        let c = &mut *self.c;
        let route = c.tickets.route(ticket);
        let stands_by = c.tickets.stands_by(ticket);
        let record = &mut c.routes[route];
        let queue = match stands_by {
            true => &mut record.standby,
            false => &mut record.queue,
        };
        let was_head = queue.head == Some(ticket);
        if let Some(since) = c.tickets.unlink(ticket, queue) {
            let waited = self.engine.clock.micros().saturating_sub(since);
            c.waiting.record(waited);
        }
        self.reindex(route);
        self.note_if_reclaimable(route);
        if was_head && self.engine.barging {
            // Something may lie idle for the head that leaves. The next one is told to look.
            self.nudge_head(route);
        }
    }

    /// Tells the head of a route's queue to ask again, or where nobody waits who stands by. For barging only.
    pub(super) fn nudge_head(&mut self, route: RouteSlot) {
        if let Some(head) = self.first_of(route) {
            self.c.tickets.nudge(head, &self.engine.answers);
            self.wake(head);
        }
    }

    /// Who comes first of those whom a route owes an answer.
    pub(super) fn first_of(&self, route: RouteSlot) -> Option<TicketSlot> {
        let record = &self.c.routes[route];
        record.queue.head.or(record.standby.head)
    }

    /// Gives the right to open to those who have waited longest, as long as the total limit leaves room or an idle
    /// connection of another route can make it.
    pub(super) fn settle(&mut self) {
        let flags = &self.engine.flags;
        loop {
            let first = self.c.eligible.first().filter(|_| !self.c.is_suspended);
            let Some(&(_, route)) = first else {
                flags.lower(STARVED);
                return;
            };
            if self.c.has_room_in_total() {
                self.grant_opening(route);
                continue;
            }
            // A connection that closes makes room at once, but its slot is free only when it is acknowledged. Then `ack` tells.
            if self.c.lacks_only_a_slot() {
                flags.lower(STARVED);
                return;
            }
            let was_starved = flags.is_raised(STARVED);
            flags.raise(STARVED);
            // With barging a released connection may lie idle for a waiter that was told to come for it.
            if was_starved && !self.engine.barging {
                return;
            }
            if !self.evict_oldest(Cause::Evicted) {
                return;
            }
            flags.lower(STARVED);
        }
    }

    /// Gives the head of a route's queue the right to open.
    pub(super) fn grant_opening(&mut self, route: RouteSlot) {
        let head = self.c.routes[route].queue.head.expect("somebody waits");
        let handle = self.open(route);
        self.answer(head, Ok(Grant::Open(handle)));
    }

    /// The first waiter of another route than `route` that could be served but for the total limit.
    pub(super) fn first_eligible_beside(&self, route: RouteSlot) -> Option<u64> {
        self.c
            .eligible
            .iter()
            .find(|(_, other)| *other != route)
            .map(|(sequence, _)| *sequence)
    }

    /// Reserves a ticket, for the caller of a step or for the step itself.
    pub(super) fn reserve(&mut self) -> Option<Ticket> {
        self.c
            .tickets
            .reserve(self.engine.tag, &self.engine.answers)
    }
}
