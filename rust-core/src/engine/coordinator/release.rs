//! Ending a lease: what the coordinator decides when somebody waits, a limit is exceeded or the connection is to be closed.

use super::step::Step;
use crate::engine::Engine;
use crate::engine::effects::{Cause, Effects};
use crate::engine::entry::{Status, Word};
use crate::engine::flags::OVER_TOTAL;
use crate::engine::id::{Handle, Slot, StateId, TicketSlot};
use crate::engine::outcome::{Grant, Keep, NotLeased, Released, Verdict};
use crate::engine::route::OVER;
use crate::engine::stripe::Stamp;
use crate::engine::sync::atomic::Ordering::Relaxed;

impl Engine {
    /// Ends a lease, or gives a right to open back. The handle is dead then.
    ///
    /// A connection that is kept goes to the first waiter it can serve, else, or as long as the pool is suspended, it becomes idle, bound
    /// to `state`; it must lie in its place before the call. Where the answer is [`Released::Close`] the caller closes it: it was asked to,
    /// or the pool is shut down or over a limit, or a waiter of another route needs its place. O(stripes).
    pub fn release(
        &self,
        handle: Handle,
        verdict: Verdict,
        state: StateId,
        effects: &mut Effects,
    ) -> Result<Released, NotLeased> {
        let entry = self.entry_of(handle).ok_or(NotLeased)?;
        self.step(effects, |step| {
            let word = entry.claim(handle.generation()).ok_or(NotLeased)?;
            if word.status() == Status::Leased {
                step.measure_held(entry, entry.was_looked_at(word));
            }
            Ok(step.release(handle.slot(), word, verdict, state))
        })
    }
}

impl Step<'_> {
    /// Decides what becomes of an entry that the caller has claimed.
    fn release(&mut self, slot: Slot, claimed: Word, verdict: Verdict, state: StateId) -> Released {
        let entry = self.entry(slot);
        let route = entry.route().slot();
        let (keep, stays) = match verdict {
            Verdict::Keep(keep) if claimed.status() == Status::Leased => (keep, Stamp::Anew),
            Verdict::Unused if claimed.status() == Status::Leased => {
                (Keep::AsBefore, Stamp::AsBefore)
            }
            Verdict::Lost => {
                self.count(route, |sums| sums.leaked += 1);
                return self.close(slot, claimed, Cause::Requested);
            }
            _ => return self.close(slot, claimed, Cause::Requested),
        };
        if let Some(cause) = claimed.cause_of_death() {
            return self.close(slot, claimed, cause);
        }
        if self.is_shut() {
            return self.close(slot, claimed, Cause::ShutDown);
        }
        let is_over = self.engine.flags.is_raised(OVER_TOTAL)
            || self.route(route).flags.load(Relaxed) & OVER != 0;
        if is_over {
            return self.close(slot, claimed, Cause::OverLimit);
        }
        if state != StateId::NONE {
            self.c.routes[route].stateful = true;
            self.reindex(route);
        }
        entry.set_state(state);
        self.engine.note_expiry(entry, keep, self.now);

        if self.c.is_suspended {
            return self.make_idle(slot, claimed, stays);
        }
        let own = self.c.routes[route].queue.head;
        let other = self.first_eligible_beside(route);
        match (own, other) {
            (Some(own), other)
                if self.engine.own_route_first
                    || other.is_none_or(|other| self.c.tickets.sequence(own) < other) =>
            {
                self.hand_over(slot, claimed, own)
            }
            // The place that this one leaves is the other's: settling gives it the right to open.
            (_, Some(_)) => self.close(slot, claimed, Cause::Evicted),
            (_, None) => {
                if self.hand_to_standby(slot, claimed) {
                    Released::Kept
                } else {
                    self.make_idle(slot, claimed, stays)
                }
            }
        }
    }

    /// Gives a claimed entry, or its place, to its route's first waiter.
    fn hand_over(&mut self, slot: Slot, claimed: Word, waiter: TicketSlot) -> Released {
        let entry = self.entry(slot);
        let wanted = self.c.tickets.state(waiter);
        let fits = entry.state() == wanted || entry.state() == StateId::NONE;
        let cause = match (fits, entry.is_expired(self.now)) {
            (true, false) if self.engine.barging => {
                let released = self.make_idle(slot, claimed, Stamp::Anew);
                self.nudge_head(entry.route().slot());
                return released;
            }
            (true, false) => {
                self.pass_on(slot, claimed, waiter);
                self.settle();
                return Released::Kept;
            }
            (false, _) => Cause::Evicted,
            (true, true) => Cause::Expired,
        };
        let route = entry.route().slot();
        self.remove(slot, claimed, cause);
        // For want of a slot it may have to wait until this one is acknowledged.
        if self.c.has_room(route) {
            self.grant_opening(route);
        }
        self.settle();
        Released::Close(cause)
    }

    /// Gives a claimed entry to who waits for one, or stands by.
    pub(super) fn pass_on(&mut self, slot: Slot, claimed: Word, to: TicketSlot) {
        let entry = self.entry(slot);
        let was_used = !entry.was_looked_at(claimed);
        let passed_on = entry.passed_on.load(Relaxed).wrapping_add(1);
        entry.passed_on.store(passed_on, Relaxed);
        self.count(entry.route().slot(), |sums| {
            sums.handed_over += 1;
            sums.passed_on += u64::from(was_used);
            sums.taken_unused += u64::from(!was_used);
        });
        entry.leased.store(self.now, Relaxed);
        let handle = self.engine.handle(slot, claimed);
        self.answer(to, Ok(Grant::Idle(handle)));
    }

    fn make_idle(&mut self, slot: Slot, claimed: Word, stamp: Stamp) -> Released {
        match self.push(slot, claimed.lease(), stamp) {
            Ok(()) => Released::Kept,
            // Since it was claimed.
            Err(marked) => {
                let cause = marked.cause_of_death().expect("it was marked");
                self.close(slot, claimed, cause)
            }
        }
    }

    /// Hands a claimed entry to the caller as a victim. Its place is its own route's first where that one goes first, as that of a
    /// kept one would be; else it is that of whoever has waited longest.
    fn close(&mut self, slot: Slot, claimed: Word, cause: Cause) -> Released {
        let route = self.entry(slot).route().slot();
        self.remove(slot, claimed, cause);
        let is_own_first = self.engine.own_route_first && self.c.routes[route].queue.head.is_some();
        if is_own_first && !self.c.is_suspended && self.c.has_room(route) {
            self.grant_opening(route);
        }
        self.settle();
        Released::Close(cause)
    }

    fn remove(&mut self, slot: Slot, claimed: Word, cause: Cause) {
        let won = self.entry(slot).to_victim(claimed);
        debug_assert!(won, "a claimed entry is its claimer's");
        let cause = (claimed.status() == Status::Leased).then_some(cause);
        let was_idle = self.entry(slot).was_looked_at(claimed);
        self.uncount(slot, cause, was_idle);
    }
}
