//! Everything that must hold of a pool's insides whenever no call is under way.

use std::collections::HashMap;

use super::super::Engine;
use super::super::entry::{NEVER, NIL, Status};
use super::super::flags::{OVER_TOTAL, SHUT, STARVED, SUSPENDED};
use super::super::id::{RouteSlot, Slot, StateId};
use super::super::route::{OVER, QUEUE, STANDBY};
use super::super::sync::atomic::Ordering::Relaxed;

/// Panics where one of the invariants I1 to I8 of `ARCHITECTURE.md` is broken, in the order in which it is convenient to look.
pub(super) fn audit(engine: &Engine) {
    let idle = audit_lists(engine);
    let c = engine.coordinator.lock();

    let mut allocated: HashMap<RouteSlot, u32> = HashMap::new();
    for (slot, entry) in engine.entries.iter() {
        let word = entry.word();
        let is_counted = matches!(
            word.status(),
            Status::Opening | Status::Leased | Status::Idle
        );
        if is_counted {
            let route = entry.route();
            let shared = engine.routes.get(route.slot()).expect("its route exists");
            assert!(
                shared.is(route),
                "I5: slot {slot} goes to a route that is gone"
            );
            *allocated.entry(route.slot()).or_default() += 1;
        }
        if word.status() == Status::Idle {
            assert!(
                idle.contains_key(&slot),
                "I6: slot {slot} is idle in no list"
            );
            assert!(!word.is_dead(), "I7: slot {slot} is idle and dead");
            let (expiry, armed) = (entry.expiry.load(Relaxed), entry.armed.load(Relaxed));
            assert!(
                armed <= expiry,
                "I8: slot {slot} expires at {expiry}, looked at no earlier than {armed}"
            );
        }
        let is_armed = entry.armed.load(Relaxed) != NEVER;
        assert_eq!(is_armed, entry.heap_place.load(Relaxed) != NIL);
        assert!(
            is_counted || !is_armed,
            "I8: slot {slot} is armed, but gone"
        );
    }
    // I4
    let total: u32 = allocated.values().sum();
    assert_eq!(c.total, total, "the count of all entries");
    assert_eq!(engine.notes.total.load(Relaxed), total, "its mirror");
    assert_eq!(engine.notes.pending.load(Relaxed), c.tickets.waiting());
    assert_eq!(engine.notes.max_total.load(Relaxed), c.max_total);
    assert_eq!(engine.notes.default_max.load(Relaxed), c.default_max);

    let flags = engine.flags.raised();
    assert_eq!(flags & SUSPENDED != 0, c.is_suspended);
    let mut waiting = 0;
    let mut is_anybody_eligible = false;
    for slot in c.routes.slots() {
        let record = &c.routes[slot];
        let route = engine
            .routes
            .get(slot)
            .expect("a route's record has a route");
        let count = allocated.get(&slot).copied().unwrap_or(0);
        let max = c.max_of(slot);
        assert_eq!(record.allocated, count, "entries of route {slot}");
        assert_eq!(route.allocated.load(Relaxed), count);
        assert_eq!(route.pending.load(Relaxed), record.queue.waiting);
        assert_eq!(route.max.load(Relaxed), max);
        waiting += record.queue.waiting;
        assert_eq!(record.queue.head.is_some(), record.queue.waiting > 0);

        let is_eligible = record.queue.head.is_some() && count < max;
        is_anybody_eligible |= is_eligible;
        assert_eq!(record.eligible.is_some(), is_eligible);

        // I5
        let is_needed = count > 0
            || record.queue.head.is_some()
            || record.standby.head.is_some()
            || record.limit.is_some()
            || record.holders > 0;
        assert!(!is_needed || route.id().is_some(), "route {slot} is gone");

        // I1
        let flags = route.flags.load(Relaxed);
        assert_eq!(flags & QUEUE != 0, record.queue.head.is_some());
        assert_eq!(flags & OVER != 0, count > max);
        assert_eq!(flags & STANDBY != 0, record.standby.head.is_some());
        if record.standby.head.is_some() && !engine.barging && !c.is_suspended {
            let now = engine.clock.now();
            let is_usable = |slot: &Slot| {
                let entry = engine.entries.get(*slot).expect("it is idle");
                entry.state() == StateId::NONE && !entry.is_expired(now)
            };
            let mut idle = idle.iter().filter(|(_, route)| **route == slot);
            assert!(
                !idle.any(|(slot, _)| is_usable(slot)),
                "somebody stands by beside what is idle of route {slot}"
            );
        }
        let is_owed = record.queue.head.is_some() && !engine.barging && !c.is_suspended;
        if count > max || is_owed {
            let idle = idle.values().filter(|route| **route == slot).count();
            assert_eq!(idle, 0, "route {slot} has waiters or is over its limit");
        }
    }
    assert_eq!(c.tickets.waiting(), waiting);

    // I2
    let is_anybody_starved = is_anybody_eligible && !c.lacks_only_a_slot() && !c.is_suspended;
    if flags & SHUT == 0 {
        let is_starved = flags & STARVED != 0;
        assert_eq!(is_starved, is_anybody_starved, "STARVED, and somebody is");
    }
    if is_anybody_starved {
        assert!(total >= c.max_total, "somebody waits beside a free place");
        assert!(engine.barging || idle.is_empty(), "or beside idle entries");
    }
    // I3
    assert_eq!(flags & OVER_TOTAL != 0, total > c.max_total);
    if flags & (OVER_TOTAL | SHUT) != 0 {
        assert!(idle.is_empty(), "idle entries over the total, or shut down");
    }
    if flags & SHUT != 0 {
        assert_eq!(waiting, 0, "a pool that is shut down has waiters");
    }
}

/// What holds even while calls are under way: counts are right, and limits that did not change are kept.
#[cfg(not(loom))]
pub(super) fn audit_counts(engine: &Engine, limits: Option<(u32, u32)>) {
    let c = engine.coordinator.lock();
    let mut allocated: HashMap<RouteSlot, u32> = HashMap::new();
    for (_, entry) in engine.entries.iter() {
        if !matches!(entry.word().status(), Status::Free | Status::Victim) {
            *allocated.entry(entry.route().slot()).or_default() += 1;
        }
    }
    let total: u32 = allocated.values().sum();
    assert_eq!(c.total, total, "the count of all entries");
    for slot in c.routes.slots() {
        let record = &c.routes[slot];
        let count = allocated.get(&slot).copied().unwrap_or(0);
        assert_eq!(record.allocated, count, "entries of route {slot}");
        if let Some((_, max_per_route)) = limits {
            assert!(count <= max_per_route, "{count} entries of route {slot}");
        }
    }
    if let Some((max_total, _)) = limits {
        assert!(total <= max_total, "{total} entries");
    }
}

/// The idle entries by slot, with their routes. I6, and that each list is whole in both directions.
fn audit_lists(engine: &Engine) -> HashMap<Slot, RouteSlot> {
    let mut idle = HashMap::new();
    for index in 0..engine.stripes.len() {
        let guard = engine.lock_stripe(index);
        let mut of_route: HashMap<RouteSlot, Vec<Slot>> = HashMap::new();
        let (mut before, mut stamp, mut len) = (None, 0, 0);
        for slot in guard.by_release() {
            let entry = engine.entries.get(slot).expect("a linked slot exists");
            let word = entry.word();
            assert_eq!(word.status(), Status::Idle, "slot {slot} is listed");
            assert_eq!(word.stripe(), index, "slot {slot} is listed elsewhere");
            assert_eq!(entry.by_stripe.older.get(), before);
            assert!(entry.updated.load(Relaxed) >= stamp, "stamps went back");
            stamp = entry.updated.load(Relaxed);
            of_route.entry(entry.route().slot()).or_default().push(slot);
            assert!(idle.insert(slot, entry.route().slot()).is_none());
            len += 1;
            before = Some(slot);
        }
        assert_eq!(engine.stripes[index].len(), len);
        for (route, slots) in &of_route {
            let list = guard.list_of(*route);
            let newer = |slot: &Slot| guard.newer_than(*slot, list);
            let listed: Vec<Slot> = std::iter::successors(guard.oldest_of(*route), newer).collect();
            assert_eq!(&listed, slots, "route {route} in stripe {index}");
            let older = |slot: &Slot| guard.older_than(*slot);
            let mut back: Vec<Slot> = std::iter::successors(slots.last().copied(), older).collect();
            back.reverse();
            assert_eq!(&back, slots, "route {route} in stripe {index}, backwards");
            assert_eq!(engine.stripes[index].len_of(*route), slots.len() as u32);
        }
    }
    idle
}
