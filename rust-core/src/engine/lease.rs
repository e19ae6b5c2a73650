//! Leasing: the hit path, straight from top to bottom, and what happens when it finds nothing.

use super::Engine;
use super::coordinator::Step;
use super::effects::Effects;
use super::entry::{NEVER, Status};
use super::id::{Handle, RouteId, StateId, Ticket};
use super::outcome::{Answer, Grant, NotLeased, Outcome, Refusal};
use super::release::Keep;
use super::route::Route;
use super::stripe::{Guard, List};
use super::sync::atomic::Ordering::Relaxed;

/// Why a stripe has no hit.
enum Miss {
    /// Nothing of the route is idle there.
    Empty,
    /// Only the coordinator can tell what to do.
    Slow,
}

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
        // Absence is a hint that is good enough here, as are the lengths below: whoever finds nothing asks the coordinator, which
        // looks everywhere.
        let list = stripe.list_of(route.slot()).ok_or(Miss::Empty)?;
        let mut guard = self.lock_for_hit(stripe, shared);
        // Inside the lock: see the coordinator's "flag, then sweep".
        if self.flags.raised() != 0 || shared.flags.load(Relaxed) & self.flags_against_hits != 0 {
            return Err(Miss::Slow);
        }
        let slot = self.first_in(&guard, list).ok_or(Miss::Empty)?;
        let entry = guard.entry(slot);
        // A reclaimed slot may serve another route by now: what is handed out goes where it was asked to go.
        if entry.route() != route || entry.is_expired(now) {
            return Err(Miss::Slow);
        }
        let word = entry.idle_to_leased(entry.word());
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

    /// Leases one idle entry, named by the handle that [`entries`](Self::entries) has told of it, for a look at it; to be released as
    /// [`Unused`](super::Verdict::Unused) where it is left. `None` where it is not idle any more, or was leased since. O(1).
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
        let leased = entry.idle_to_leased(word);
        Some(self.handle(handle.slot(), leased))
    }

    /// Leases a connection, gives the right to open one, or, with a ticket, queues the request.
    ///
    /// Without a ticket a request that cannot be served at once is refused with [`Refusal::WouldBlock`]. With a ticket
    /// from [`reserve_ticket`](Self::reserve_ticket) it waits in the pool's order of arrival; the caller must have
    /// published how to wake the ticket's owner before. Only [`Outcome::Wait`] leaves the ticket alive.
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
            Some(ticket) => step.lease_by_ticket(route, state, ticket),
        })
    }

    /// The right to open has been used: the handle now stands for a leased connection, whose time to live begins.
    ///
    /// [`Refusal::ShutDown`] where the pool was shut down meanwhile: close the connection and release the handle to be closed.
    /// [`Refusal::StaleHandle`] where the handle is no right to open of this pool; nothing was changed then. O(1), takes no lock.
    pub fn opened(&self, handle: Handle) -> Result<(), Refusal> {
        let entry = self.entry_of(handle).ok_or(Refusal::StaleHandle)?;
        // Only a hint, which may be late: a shutdown that it misses finds the entry leased, or has marked it, below.
        if self.is_shut_down() {
            return Err(Refusal::ShutDown);
        }
        let end_of_life = match self.time_to_live {
            Some(millis) => self.clock.now().saturating_add(millis),
            None => NEVER,
        };
        let word = entry.word();
        if word.lease() != handle.generation() || word.status() != Status::Opening {
            return Err(Refusal::StaleHandle);
        }
        entry.end_of_life.store(end_of_life, Relaxed);
        entry.expiry.store(end_of_life, Relaxed);
        let leased = entry
            .opening_to_leased(handle.generation())
            .ok_or(Refusal::StaleHandle)?;
        // An immediate shutdown that came between has marked what it found being opened. Who sees the mark in the word sees the flag,
        // which was set before it.
        if leased.is_dead() && self.is_shut_down() {
            return Err(Refusal::ShutDown);
        }
        Ok(())
    }

    /// A leased connection turned out to be unusable and its owner wants to open another in its place.
    ///
    /// The handle becomes the right to open: same entry, same count, same place in every limit. No event or mark of the connection
    /// before concerns the next. Refused where the handle does not stand for a leased connection. O(1), takes no lock.
    pub fn reopen(&self, handle: Handle) -> Result<(), NotLeased> {
        self.entry_of(handle)
            .and_then(|entry| entry.leased_to_opening(handle.generation()))
            .map(|_| ())
            .ok_or(NotLeased)
    }

    /// Another connection has taken the place of a leased one, in the same entry: no event of the one before concerns it. A clear
    /// does, since it may have come after the exchange. What was promised for the one before is forgotten; its time to live goes
    /// on.
    ///
    /// [`NotLeased`] where the handle does not stand for a leased connection; nothing was changed then. O(1), takes no lock.
    pub fn renew(&self, handle: Handle) -> Result<(), NotLeased> {
        let entry = self.entry_of(handle).ok_or(NotLeased)?;
        entry.renew_leased(handle.generation()).ok_or(NotLeased)?;
        // Written by whoever opened it, from whom the lease came down to here.
        let end_of_life = entry.end_of_life.load(Relaxed);
        entry.expiry.store(end_of_life, Relaxed);
        Ok(())
    }

    /// Notes until when a leased connection may be kept; a release with [`Keep::AsBefore`] leaves it so.
    ///
    /// Saturating; never beyond its time to live. [`NotLeased`] where the handle does not stand for a leased connection. O(1), takes
    /// no lock.
    pub fn update_expiry(&self, handle: Handle, keep: Keep) -> Result<(), NotLeased> {
        let entry = self.entry_of(handle).ok_or(NotLeased)?;
        let word = entry.word();
        if word.lease() != handle.generation() || word.status() != Status::Leased {
            return Err(NotLeased);
        }
        self.note_expiry(entry, keep, self.clock.now());
        Ok(())
    }

    /// The idle entry of a list that is to be handed out first.
    #[inline]
    pub(super) fn first_in(&self, stripe: &Guard<'_>, list: &List) -> Option<u32> {
        if self.fifo {
            stripe.oldest_in(list)
        } else {
            stripe.newest_in(list)
        }
    }

    /// The one after `slot`.
    pub(super) fn next_of(&self, stripe: &Guard<'_>, slot: u32, list: &List) -> Option<u32> {
        if self.fifo {
            stripe.newer_than(slot, list)
        } else {
            stripe.older_than(slot)
        }
    }
}

impl Step<'_> {
    /// Serves the request now, or leaves it queued under its ticket, which lives on only then.
    fn lease_by_ticket(
        &mut self,
        route: RouteId,
        state: StateId,
        ticket: Ticket,
    ) -> Result<Outcome, Refusal> {
        let tag = self.engine.tag;
        let slot = self.c.tickets.find(tag, ticket);
        let slot = slot.ok_or(Refusal::StaleTicket)?;
        // It may have been told to ask again, and been answered before it did.
        if let Some(outcome) = self.take_outcome(slot) {
            return outcome;
        }
        let outcome = self.lease(route, state, Some(slot));
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
        ticket: Option<u32>,
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
        if self.c.routes[route as usize].queue.head.is_none() || self.engine.barging {
            if let Some(grant) = self.lease_at_once(route, state) {
                return Ok(Outcome::Granted(grant));
            }
        }
        let may_wait = ticket.is_some() && self.c.tickets.waiting() < self.engine.max_waiters;
        let slot = match ticket {
            Some(ticket) => ticket,
            None => self.reserve().ok_or(Refusal::QueueFull)?.slot(),
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
                return Err(Refusal::QueueFull);
            }
            self.c.tickets.free(slot, &self.engine.answers);
            return Err(Refusal::WouldBlock);
        }
        self.take_outcome(slot)
            .expect("a ticket out of its queue was granted something")
    }

    /// Serves a queued request that asks once more, or leaves it queued. Only the head of a queue was told to.
    fn lease_again(&mut self, ticket: u32) -> Result<Outcome, Refusal> {
        let route = self.c.tickets.route(ticket);
        if self.c.routes[route as usize].queue.head == Some(ticket) {
            self.serve_head(route);
            self.settle();
        }
        self.take_outcome(ticket).unwrap_or(Ok(Outcome::Wait))
    }

    /// A ticket's answer, where there is one: it is the caller's own, so nobody has to be woken for it.
    fn take_outcome(&mut self, ticket: u32) -> Option<Result<Outcome, Refusal>> {
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
    fn lease_at_once(&mut self, route: u32, state: StateId) -> Option<Grant> {
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
