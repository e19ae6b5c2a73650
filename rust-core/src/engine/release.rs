//! Ending a lease: the hit path, and what the coordinator decides when somebody waits or a limit is exceeded.

use super::Engine;
use super::coordinator::Step;
use super::effects::{Cause, Effects};
use super::entry::{Entry, Status, Word};
use super::flags::OVER_TOTAL;
use super::id::{Handle, StateId};
use super::outcome::{Grant, NotLeased};
use super::route::OVER;
use super::stripe::Stamp;
use super::sync::atomic::Ordering::Relaxed;

/// How long a connection may be kept for reuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// This many milliseconds from now on, at most its time to live.
    For(u64),
    /// Until its time to live.
    Forever,
    /// As said by the last [`update_expiry`](super::Engine::update_expiry), in this lease or an earlier one.
    AsBefore,
}

/// What is to become of a connection whose lease ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be used again.
    Keep(Keep),
    /// It was looked at, not used: it is kept as before, and where it becomes idle it is idle since it was last used.
    Unused,
    /// It is to be closed.
    Close,
}

/// What became of a lease that was released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// The pool keeps the connection, or a waiter has it already. It is not the caller's any more.
    Kept,
    /// The caller owns the victim: takes the connection out of its place, says [`ack`](super::Engine::ack), closes it.
    Close(Cause),
}

/// What [`release_hit`](super::Engine::release_hit) did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// The connection is idle.
    Kept,
    /// Nothing: the coordinator has to see this release. Call [`release`](super::Engine::release).
    Slow,
}

impl Engine {
    /// Makes a leased connection without a state idle, if nobody waits for it: one short critical section in one stripe.
    ///
    /// The connection must lie in its place before the call: the next lease may have it before the call returns.
    /// [`Hit::Slow`] means that nothing was done yet: call [`release`](Self::release). O(1), never blocks, has no
    /// effects. A connection that gets an expiry for the first time, or a nearer one than before, costs O(log n) more.
    // Long enough not to be inlined by itself, though a call saves and restores six registers.
    #[inline(always)]
    pub fn release_hit(&self, handle: Handle, keep: Keep) -> Result<Hit, NotLeased> {
        let now = self.clock.now();
        let entry = self.entry_of(handle).ok_or(NotLeased)?;
        let slot = handle.slot();
        // Good if the handle turns out to be alive: see `route_of`. Else nothing comes of it.
        let route_slot = entry.route().slot();
        let route = self.routes.get(route_slot).ok_or(NotLeased)?;
        let index = self.stripe_of(route);
        let stripe = &self.stripes[index];
        let list = stripe.grow_to_list_of(route_slot);
        let mut guard = self.lock_for_hit(stripe, route);
        // Inside the lock, before the push: see the coordinator's "flag, then sweep". A route without the stateful flag
        // has only entries without a state.
        if self.flags.raised() != 0 || route.flags.load(Relaxed) != 0 {
            return Ok(Hit::Slow);
        }
        // One step decides between two releases of the same lease; only the winner writes the fields.
        let before = match entry.leased_to_idle(handle.generation(), index) {
            Ok(before) => before,
            Err(word) if is_held(word, handle) => return Ok(Hit::Slow),
            Err(_) => return Err(NotLeased),
        };
        self.note_expiry(entry, keep, now);
        guard.link(slot, entry, list, now);
        // The key is the coordinator's, and this may be an older one. A key only gets later in two ways: while the entry is idle, under
        // the lock of its stripe, which has been taken here or by whoever leased it from there; or by a clean-up that found it leased
        // and has left a mark (see `rearm`). Of a key that has got earlier nothing is lost.
        let is_armed_too_late = entry.expiry.load(Relaxed) < entry.armed.load(Relaxed);
        drop(guard);
        if before.is_notify() || is_armed_too_late {
            self.rearm(&mut self.coordinator.lock(), slot);
        }
        Ok(Hit::Kept)
    }

    /// Ends a lease, or gives a right to open back. The handle is dead then.
    ///
    /// A connection that is kept goes to the first waiter it can serve, else it becomes idle, bound to `state`; it must
    /// lie in its place before the call. Where the answer is [`Released::Close`] the caller closes it: it was asked to,
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
            Ok(step.release(handle.slot(), word, verdict, state))
        })
    }

    /// Writes until when a connection may be kept. The caller owns the entry.
    #[inline]
    pub(super) fn note_expiry(&self, entry: &Entry, keep: Keep, now: u64) {
        let promised = match keep {
            Keep::For(millis) => now.saturating_add(millis),
            Keep::Forever => u64::MAX,
            Keep::AsBefore => return,
        };
        let expiry = promised.min(entry.end_of_life.load(Relaxed));
        entry.expiry.store(expiry, Relaxed);
    }
}

/// Whether the handle is alive, though it cannot become idle without the coordinator.
fn is_held(word: Word, handle: Handle) -> bool {
    word.lease() == handle.generation() && matches!(word.status(), Status::Leased | Status::Opening)
}

impl Step<'_> {
    /// Decides what becomes of an entry that the caller has claimed.
    fn release(&mut self, slot: u32, claimed: Word, verdict: Verdict, state: StateId) -> Released {
        let entry = self.entry(slot);
        let route = entry.route().slot();
        let (keep, stays) = match verdict {
            Verdict::Keep(keep) if claimed.status() == Status::Leased => (keep, Stamp::Anew),
            Verdict::Unused if claimed.status() == Status::Leased => {
                (Keep::AsBefore, Stamp::AsBefore)
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
            self.c.routes[route as usize].stateful = true;
            self.reindex(route);
        }
        entry.set_state(state);
        self.engine.note_expiry(entry, keep, self.now);

        let own = self.c.routes[route as usize].queue.head;
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
            (_, None) => self.make_idle(slot, claimed, stays),
        }
    }

    /// Gives a claimed entry, or its place, to its route's first waiter.
    fn hand_over(&mut self, slot: u32, claimed: Word, waiter: u32) -> Released {
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
                let handle = self.engine.handle(slot, claimed);
                self.answer(waiter, Ok(Grant::Idle(handle)));
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

    fn make_idle(&mut self, slot: u32, claimed: Word, stamp: Stamp) -> Released {
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
    fn close(&mut self, slot: u32, claimed: Word, cause: Cause) -> Released {
        let route = self.entry(slot).route().slot();
        self.remove(slot, claimed, cause);
        let is_own_first =
            self.engine.own_route_first && self.c.routes[route as usize].queue.head.is_some();
        if is_own_first && self.c.has_room(route) {
            self.grant_opening(route);
        }
        self.settle();
        Released::Close(cause)
    }

    fn remove(&mut self, slot: u32, claimed: Word, cause: Cause) {
        let won = self.entry(slot).to_victim(claimed);
        debug_assert!(won, "a claimed entry is its claimer's");
        self.uncount(slot, cause);
    }
}
