//! The way back to one idle list, once callers do not collide often any more.
//!
//! Until callers collide often everything idle hangs in stripe 0, and is handed out in exact order. From then on the pool is wide: each
//! caller uses its thread's stripe. Whether callers would still collide in one stripe is not seen while each has its own, so it is tried:
//! once in a while a step looks how many collisions were noted since the last look, and if they were few, it makes the pool narrow again.
//! Callers who collide often make it wide again in less than a millisecond.
//!
//! The order of steps: `wide` first, so that callers go to stripe 0; then the flag, then the sweep, so that from the sweep on nothing
//! becomes idle or is leased until the flag is lowered, and what was idle can be put into stripe 0 one by one in the order of its
//! release.
//!
//! Race window: a caller that read `wide` before, and locks its stripe only when the flag is down again, leaves an entry in another
//! stripe. It is harmless because a lease that finds nothing in stripe 0 looks in the others as ever, and the next look brings the entry
//! home.

use super::step::Step;
use crate::engine::flags::REORDERING;
use crate::engine::hit::FEW_COLLISIONS;
use crate::engine::id::Slot;
use crate::engine::stripe::Stripe;
use crate::engine::sync::atomic::Ordering::Relaxed;

/// Milliseconds between two looks.
pub(in crate::engine) const CALM: u64 = 10_000;

/// With more entries idle than this a pool stays wide: who comes meanwhile waits for them to be put in order.
const MOST: u32 = 4096;

impl Step<'_> {
    /// Makes a pool narrow whose callers do not collide often any more. Every step begins with it.
    #[inline]
    pub(super) fn look_after_order(&mut self) {
        if self.now >= self.c.next_look {
            self.c.next_look = self.now.saturating_add(CALM);
            self.look_for_collisions();
        }
    }

    #[cold]
    fn look_for_collisions(&mut self) {
        let collisions = &self.engine.notes.collisions;
        let were_few = collisions.load(Relaxed) <= FEW_COLLISIONS;
        // Race window: a collision that is noted between the two may be forgotten, or one from before be counted again. It is harmless
        // because it is one of many, and because a pool that is narrow or wide for too long costs time or order alone.
        collisions.store(0, Relaxed);
        if were_few && !self.engine.is_narrow() {
            self.make_narrow();
        }
    }

    fn make_narrow(&mut self) {
        let engine = self.engine;
        if engine.stripes.iter().map(Stripe::len).sum::<u32>() > MOST {
            return;
        }
        engine.wide.store(false, Relaxed);
        engine.flags.raise(REORDERING);
        let mut idle = Vec::new();
        for index in 0..engine.stripes.len() {
            let stripe = engine.lock_stripe(index);
            idle.extend(stripe.by_release().map(|slot| (slot, index)));
        }
        idle.sort_by_key(|(slot, _)| self.entry(*slot).updated.load(Relaxed));
        for (slot, from) in idle {
            self.bring_home(slot, from);
        }
        engine.flags.lower(REORDERING);
    }

    /// Makes an entry that is idle in some stripe the most recently released of stripe 0, with its stamp as it is.
    fn bring_home(&mut self, slot: Slot, from: usize) {
        let (engine, entry) = (self.engine, self.entry(slot));
        let route = entry.route().slot();
        let mut stripe = engine.lock_stripe(from);
        let list = stripe.list_of(route);
        stripe.unlink(slot, entry, list);
        // In no list, but still idle: who could find it so holds the coordinator.
        entry.idle_in(0);
        drop(stripe);
        let list = engine.stripes[0].grow_to_list_of(route);
        engine.lock_stripe(0).link_again(slot, entry, list);
    }
}
