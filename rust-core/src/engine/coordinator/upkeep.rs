//! Closing what nobody leased: expired and long-idle entries, those whose peer has closed, a whole route, a whole pool.
//!
//! What has expired or was idle for long costs what it closes, in short batches, between which the coordinator is free for others.
//! Clearing a route and ending the pool are one hold of it each, in which every entry is looked at once.

use super::step::Step;
use crate::engine::Engine;
use crate::engine::effects::{Cause, Effects, Victim};
use crate::engine::entry::{Mark, NEVER, Status};
use crate::engine::flags::SHUT;
use crate::engine::id::{RouteId, RouteSlot, Slot};
use crate::engine::outcome::Refusal;
use crate::engine::sync::atomic::Ordering::Relaxed;

/// How to shut a pool down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShutdownMode {
    /// What is leased stays usable and closes at its release.
    Graceful,
    /// What is leased is handed out as victims too.
    Immediate,
}

/// How many entries one hold of the coordinator may look at.
const BATCH: usize = 64;

impl Engine {
    /// Removes every idle entry that has expired. O(expired · log n).
    pub fn close_expired(&self, effects: &mut Effects) {
        while self.step(effects, |step| step.close_expired_batch()) {}
    }

    /// Removes every entry that has been idle for `millis` or longer; with 0, every idle entry. O(removed).
    pub fn close_idle(&self, millis: u64, effects: &mut Effects) {
        // Fixed at the start, so that a connection which is released while this runs stays.
        let Some(cutoff) = self.clock.now().checked_sub(millis) else {
            return;
        };
        // Stripe 0 last: what is put in order between two steps goes there.
        for index in (0..self.stripes.len()).rev() {
            while self.step(effects, |step| step.close_idle_batch(index, cutoff)) {}
        }
    }

    /// In how many milliseconds a connection may expire that has not yet, with 0 at once; `None` where none will. A bound:
    /// [`close_expired`](Self::close_expired) may find nothing then. One that is released later may expire earlier. O(1).
    pub fn next_expiry(&self) -> Option<u64> {
        let first = self.coordinator.lock().heap.first()?;
        Some(first.0.saturating_sub(self.clock.now()))
    }

    /// For how many milliseconds the least recently released of all idle connections has been idle; `None` where none is.
    /// O(stripes).
    pub fn longest_idle(&self) -> Option<u64> {
        // So that nothing is on its way from one stripe to another.
        let _coordinator = self.coordinator.lock();
        let since = (0..self.stripes.len()).filter_map(|index| {
            let stripe = self.lock_stripe(index);
            let oldest = stripe.entry(stripe.oldest()?);
            Some(oldest.updated.load(Relaxed))
        });
        Some(self.clock.now().saturating_sub(since.min()?))
    }

    /// Removes every idle entry of a route; what is leased or being opened of it closes at its release.
    /// [`Refusal::StaleRoute`] where the route was reclaimed, or is another pool's. O(idle of it + entries).
    pub fn clear_route(&self, route: RouteId, effects: &mut Effects) -> Result<(), Refusal> {
        self.step(effects, |step| {
            let route = step.find_route(route).ok_or(Refusal::StaleRoute)?;
            step.clear_route(route);
            Ok(())
        })
    }

    /// Removes idle entries of a route, the least recently released first, until no more than `max` are idle. Nothing is done where the
    /// route was reclaimed, or is another pool's. O(stripes · removed).
    pub fn close_idle_beyond(&self, route: RouteId, max: u32, effects: &mut Effects) {
        self.step(effects, |step| {
            if let Some(route) = step.find_route(route) {
                step.close_idle_beyond(route, max);
            }
        });
    }

    /// The peer of the connection opened as number `opening` in `slot` has closed it.
    ///
    /// An idle one is removed; a leased one closes at its release. An event of an earlier opening is ignored.
    /// `opening` is what [`opening`](Self::opening) told when the connection was opened. Does nothing where the slot is free.
    /// O(1) for a leased one, which takes no lock; O(log n) for an idle one.
    pub fn peer_closed(&self, slot: Slot, opening: u16, effects: &mut Effects) {
        self.close_opening(slot, opening, Mark::Dead, effects);
    }

    /// The connection opened as number `opening` in `slot` is not wanted any more, though it may be alive.
    ///
    /// An idle one is removed, with [`Cause::Cleared`]; a leased one closes at its release. `opening` is as for
    /// [`peer_closed`](Self::peer_closed), as is what it costs.
    pub fn clear_connection(&self, slot: Slot, opening: u16, effects: &mut Effects) {
        self.close_opening(slot, opening, Mark::Cleared, effects);
    }

    fn close_opening(&self, slot: Slot, opening: u16, mark: Mark, effects: &mut Effects) {
        let Some(entry) = self.entries.get(slot) else {
            return;
        };
        // A leased one is marked in its word, against which its release then loses. An idle one is removed under its stripe's lock, under
        // which it stays idle.
        //
        // Race window: between the two looks a leased one may become idle, or an idle one be leased. It is harmless because the loop looks
        // again until it has met the one or the other, or the opening is over.
        while !entry.mark(opening, mark) {
            let seen = entry.word();
            if seen.opening() != opening || matches!(seen.status(), Status::Free | Status::Victim) {
                return;
            }
            if seen.status() != Status::Idle {
                continue;
            }
            let is_removed = self.step(effects, |step| {
                let mut stripe = self.lock_stripe(seen.stripe());
                let is_as_seen = entry.word() == seen;
                if is_as_seen {
                    step.retire_idle(&mut stripe, slot, mark.cause());
                    drop(stripe);
                    step.settle();
                }
                is_as_seen
            });
            if is_removed {
                return;
            }
        }
    }

    /// Ends the pool: every waiter is told, every idle entry removed, and what is leased closes at its release or,
    /// with [`ShutdownMode::Immediate`], is removed too. Every later request is refused. May be called again.
    /// O(entries + waiters).
    pub fn shutdown(&self, mode: ShutdownMode, effects: &mut Effects) {
        self.step(effects, |step| step.shutdown(mode));
    }

    /// The pool was shut down.
    ///
    /// Race window: while a shutdown is under way either answer may come. It is harmless because whoever is told "no" finds out in the
    /// next step under the coordinator.
    pub fn is_shut_down(&self) -> bool {
        self.flags.is_raised(SHUT)
    }
}

impl Step<'_> {
    /// False when nothing more has expired.
    fn close_expired_batch(&mut self) -> bool {
        for _ in 0..BATCH {
            match self.c.heap.first() {
                Some((key, slot)) if key <= self.now => self.close_if_expired(slot),
                _ => {
                    self.settle();
                    return false;
                }
            }
        }
        self.settle();
        true
    }

    /// Removes the entry at the heap's top if it has expired, else moves it to where it belongs.
    fn close_if_expired(&mut self, slot: Slot) {
        let entry = self.entry(slot);
        let word = entry.word();
        match word.status() {
            Status::Idle => {
                let mut stripe = self.engine.lock_stripe(word.stripe());
                if entry.word() != word {
                    // Leased or marked meanwhile: the next turn sees it as it is.
                } else if entry.is_expired(self.now) {
                    self.retire_idle(&mut stripe, slot, Cause::Expired);
                } else {
                    let expiry = entry.expiry.load(Relaxed);
                    self.arm(slot, expiry);
                }
            }
            // Its release puts it back. A release that came first has made it idle: the next turn sees that.
            Status::Leased | Status::Opening => {
                if entry.mark_notify() {
                    self.arm(slot, NEVER);
                }
            }
            _ => self.arm(slot, NEVER),
        }
    }

    /// False when the stripe has nothing more that has been idle since `cutoff`.
    fn close_idle_batch(&mut self, index: usize, cutoff: u64) -> bool {
        let mut stripe = self.engine.lock_stripe(index);
        let mut removed = 0;
        while removed < BATCH {
            match stripe.oldest() {
                Some(slot) if self.entry(slot).updated.load(Relaxed) <= cutoff => {
                    self.retire_idle(&mut stripe, slot, Cause::Idle);
                    removed += 1;
                }
                _ => break,
            }
        }
        drop(stripe);
        // A stripe that had nothing is passed over: settling might evict for a waiter what is due in the next stripe, and so give it another
        // cause. After the last stripe it is done in any case.
        if removed > 0 || index == 0 {
            self.settle();
        }
        removed == BATCH
    }

    /// From here on nothing of a route that is idle is leased but by the coordinator, and once each stripe was locked nothing becomes idle.
    fn begin_clearing(&mut self, route: RouteSlot) {
        self.c.routes[route].clearing = true;
        self.reindex(route);
    }

    fn end_clearing(&mut self, route: RouteSlot) {
        self.c.routes[route].clearing = false;
        self.reindex(route);
        self.note_if_reclaimable(route);
        self.settle();
    }

    fn close_idle_beyond(&mut self, route: RouteSlot, max: u32) {
        self.begin_clearing(route);
        let stripes = &self.engine.stripes;
        let idle_in = |index: usize| {
            // For who has read the flag before it was set.
            drop(self.engine.lock_stripe(index));
            stripes[index].len_of(route)
        };
        let idle: u32 = (0..stripes.len()).map(idle_in).sum();
        for _ in max..idle {
            self.evict_oldest_of(route, Cause::OverLimit);
        }
        self.end_clearing(route);
    }

    fn clear_route(&mut self, route: RouteSlot) {
        self.begin_clearing(route);
        while self.evict_oldest_of(route, Cause::Cleared) {}
        let id = self.route(route).id();
        for (_, entry) in self.engine.entries.iter() {
            if Some(entry.route()) == id {
                entry.mark_cleared();
            }
        }
        self.end_clearing(route);
    }

    fn shutdown(&mut self, mode: ShutdownMode) {
        self.engine.flags.raise(SHUT);
        while self.evict_oldest(Cause::ShutDown) {}
        for route in self.c.routes.slots() {
            while let Some(waiter) = self.first_of(route) {
                if !self.c.tickets.stands_by(waiter) {
                    self.count(route, |sums| sums.refused += 1);
                }
                self.answer(waiter, Err(Refusal::ShutDown));
            }
        }
        if mode == ShutdownMode::Immediate {
            self.take_all_leased();
        }
    }

    /// Nothing can become idle any more, so a leased entry is ended by this step or by its release, whichever changes
    /// its word first. One that is being opened gets a mark, so that its opener is told even if it looked for the
    /// shutdown before.
    fn take_all_leased(&mut self) {
        for (slot, entry) in self.engine.entries.iter() {
            while let Some(word) = entry.mark_cleared() {
                if word.status() == Status::Opening {
                    break;
                }
                // Lost only to a `reopen`, which forgets the mark.
                if entry.to_victim(word) {
                    let was_idle = entry.is_looked_at(word.lease());
                    self.measure_held(entry, was_idle);
                    self.uncount(slot, Some(Cause::ShutDown), was_idle);
                    self.effects.victims.push(Victim {
                        slot,
                        cause: Cause::ShutDown,
                    });
                    break;
                }
            }
        }
    }
}
