//! One pooled connection's record, and the word in which every race about it is decided.
//!
//! The word packs the lease's generation, the opening's generation, the status, the stripe of an idle entry and a few
//! marks. While the entry is leased or opened, every change is one read-modify-write of the whole, so of two releases, or of
//! a release and a peer's close, exactly one comes first and the other sees it; a mark (`DEAD`, `CLEARED`, `NOTIFY`) may then be
//! set by anybody (I9). While it is idle, only the holder of its stripe's lock changes the word, so the one who leases it may just
//! store, and no idle entry is ever dead (I7). The other fields stand in the record under a heading that says who writes them.

use super::effects::Cause;
use super::id::{Numbered, RouteId, Slot, StateId};
use super::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// "Until the limit": no expiry.
pub(super) const NEVER: u64 = u64::MAX;
/// No place in the expiry heap.
pub(super) const NIL: u32 = u32::MAX;

/// What an entry is at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Status {
    /// Its slot is unused.
    Free,
    /// Somebody holds the right to open it.
    Opening,
    Leased,
    /// It hangs in the lists of the stripe that the word names.
    Idle,
    /// Removed; its slot waits for the face to take the connection out.
    Victim,
}

const STATUS: u64 = 0b111;
const DEAD: u64 = 1 << 3;
const NOTIFY: u64 = 1 << 4;
const CLEARED: u64 = 1 << 5;
const STRIPE_SHIFT: u32 = 8;
const STRIPE: u64 = 0xf << STRIPE_SHIFT;
const OPENING_SHIFT: u32 = 16;
const OPENING: u64 = 0xffff << OPENING_SHIFT;
const LEASE_SHIFT: u32 = 32;

/// A mark on an entry that somebody leases or opens: its release closes it.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum Mark {
    /// Its peer has closed it.
    Dead = DEAD,
    /// It, or its route, was cleared.
    Cleared = CLEARED,
}

impl Mark {
    pub(super) fn cause(self) -> Cause {
        match self {
            Mark::Dead => Cause::PeerClosed,
            Mark::Cleared => Cause::Cleared,
        }
    }
}

/// A value of an entry's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(u64);

impl Word {
    #[inline]
    pub(super) fn status(self) -> Status {
        match self.0 & STATUS {
            0 => Status::Free,
            1 => Status::Opening,
            2 => Status::Leased,
            3 => Status::Idle,
            _ => Status::Victim,
        }
    }

    /// The generation of the lease: what a handle must carry.
    #[inline]
    pub(super) fn lease(self) -> u32 {
        (self.0 >> LEASE_SHIFT) as u32
    }

    /// The generation of the opening: what an event of the watch must carry.
    #[inline]
    pub(super) fn opening(self) -> u16 {
        (self.0 >> OPENING_SHIFT) as u16
    }

    #[inline]
    pub(super) fn stripe(self) -> usize {
        ((self.0 & STRIPE) >> STRIPE_SHIFT) as usize
    }

    /// The peer has closed, or it was cleared: fit for nothing but closing.
    #[inline]
    pub(super) fn is_dead(self) -> bool {
        self.0 & (DEAD | CLEARED) != 0
    }

    pub(super) fn cause_of_death(self) -> Option<Cause> {
        let is_set = |mark: &Mark| self.0 & *mark as u64 != 0;
        let mark = [Mark::Dead, Mark::Cleared].into_iter().find(is_set)?;
        Some(mark.cause())
    }

    /// A clean-up has taken it off the expiry heap while it was leased or opened, or an earlier release found it leased again: who makes
    /// it idle puts it back.
    #[inline]
    pub(super) fn is_notify(self) -> bool {
        self.0 & NOTIFY != 0
    }

    #[inline]
    fn with_status(self, status: Status) -> Word {
        Word(self.0 & !(STATUS | STRIPE) | status as u64)
    }

    #[inline]
    fn with_next_lease(self) -> Word {
        Word(self.0.wrapping_add(1 << LEASE_SHIFT))
    }

    /// Another connection, that no event of the one before it concerns.
    fn with_next_opening(self) -> Word {
        let next = self.0.wrapping_add(1 << OPENING_SHIFT) & OPENING;
        Word(self.0 & !(OPENING | DEAD) | next)
    }

    fn without(self, marks: u64) -> Word {
        Word(self.0 & !marks)
    }
}

/// One pooled connection's record. Slots are reused, records never move.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Entry {
    // ----- decides every race: see above for who changes it -----
    word: AtomicU64,

    // ----- written by whoever makes it idle, under its stripe's lock -----
    /// When it last became idle, 0 if it never did.
    pub(super) updated: AtomicU64,
    /// Its place among all idle entries of its stripe, and among those of its route. Neighbours that come or go write there, too.
    pub(super) by_stripe: Links,
    pub(super) by_route: Links,

    // ----- written by the owner: who opens it, leases it, or makes it idle -----
    /// When it was leased or, since then, given to be opened or opened.
    pub(super) leased: AtomicU64,
    /// When it was last given to be opened, in microseconds of the exact clock.
    pub(super) given: AtomicU64,
    /// First moment at which it may not be handed out any more.
    pub(super) expiry: AtomicU64,
    /// The hard limit since its opening.
    pub(super) end_of_life: AtomicU64,
    /// Who it is bound to.
    state: AtomicU32,

    /// How many connections were opened in it, and found dead by the look at a lease.
    pub(super) opened: AtomicU64,
    pub(super) stale: AtomicU64,

    // ----- written by whoever leases it, under its stripe's lock -----
    /// How often it was leased while it lay idle.
    pub(super) hits: AtomicU64,
    /// The lease that was last made for a look at it alone, which is no hit.
    looked_at: AtomicU32,

    // ----- written under the coordinator -----
    /// How often it went straight from one lease to the next.
    pub(super) passed_on: AtomicU32,
    /// Where it goes to: a whole `RouteId`. Written while the slot is nobody's.
    route: AtomicU64,
    /// Its key in the expiry heap, `NEVER` when it is not there.
    pub(super) armed: AtomicU64,
    /// Its place in the expiry heap.
    pub(super) heap_place: AtomicU32,
}

/// Its neighbours in a list.
#[derive(Debug, Default)]
pub(super) struct Links {
    pub(super) newer: Link,
    pub(super) older: Link,
}

/// An entry in a list, or none. Written by whoever holds the list's lock.
#[derive(Debug)]
pub(super) struct Link(AtomicU32);

/// The number of no slot.
const NONE: u32 = u32::MAX;

impl Default for Link {
    fn default() -> Self {
        Link(AtomicU32::new(NONE))
    }
}

impl Link {
    #[inline(always)]
    pub(super) fn get(&self) -> Option<Slot> {
        match self.0.load(Ordering::Relaxed) {
            NONE => None,
            slot => Some(Slot::of(slot)),
        }
    }

    #[inline(always)]
    pub(super) fn set(&self, slot: Option<Slot>) {
        self.0
            .store(slot.map_or(NONE, Slot::number), Ordering::Relaxed);
    }
}

impl Default for Entry {
    fn default() -> Self {
        Entry {
            word: AtomicU64::new(Status::Free as u64),
            updated: AtomicU64::new(0),
            leased: AtomicU64::new(0),
            given: AtomicU64::new(0),
            expiry: AtomicU64::new(NEVER),
            end_of_life: AtomicU64::new(NEVER),
            route: AtomicU64::new(0),
            state: AtomicU32::new(0),
            opened: AtomicU64::new(0),
            stale: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            looked_at: AtomicU32::new(0),
            passed_on: AtomicU32::new(0),
            by_stripe: Links::default(),
            by_route: Links::default(),
            armed: AtomicU64::new(NEVER),
            heap_place: AtomicU32::new(NIL),
        }
    }
}

impl Entry {
    #[inline]
    pub(super) fn word(&self) -> Word {
        Word(self.word.load(Ordering::Acquire))
    }

    /// Good for whoever holds the entry's lease, the lock of the stripe in which it is idle, or the coordinator: each was taken after
    /// it was written.
    ///
    /// Race window: anybody else may read what the slot's entry was before. It is harmless because a caller with a handle looks at the
    /// word afterwards, which tells whether the handle is alive, and a listing shows each entry as it was at some moment.
    #[inline]
    pub(super) fn route(&self) -> RouteId {
        RouteId::from_u64(self.route.load(Ordering::Relaxed))
    }

    /// As good as the [`route`](Self::route).
    #[inline]
    pub(super) fn state(&self) -> StateId {
        StateId(self.state.load(Ordering::Relaxed))
    }

    #[inline]
    pub(super) fn set_state(&self, state: StateId) {
        self.state.store(state.0, Ordering::Relaxed);
    }

    /// Asked by whoever holds the entry: see [`route`](Self::route).
    #[inline]
    pub(super) fn is_expired(&self, now: u64) -> bool {
        now >= self.expiry.load(Ordering::Relaxed)
    }

    /// For how many microseconds it is held, by the coarse clock, which reads `now`. Asked by whoever holds its lease, or did until now.
    #[inline(always)]
    pub(super) fn micros_held(&self, now: u64) -> u64 {
        // Who leased it may have read the clock after who releases it did.
        let millis = now.saturating_sub(self.leased.load(Ordering::Relaxed));
        millis.saturating_mul(1000)
    }

    /// Free → opening, for `route`. The caller holds the coordinator, the slot is nobody's.
    pub(super) fn free_to_opening(&self, route: RouteId) -> Word {
        self.route.store(route.to_u64(), Ordering::Relaxed);
        self.state.store(StateId::NONE.0, Ordering::Relaxed);
        self.updated.store(0, Ordering::Relaxed);
        self.expiry.store(NEVER, Ordering::Relaxed);
        for count in [&self.hits, &self.opened, &self.stale] {
            count.store(0, Ordering::Relaxed);
        }
        self.passed_on.store(0, Ordering::Relaxed);
        self.update(|word| {
            (word.status() == Status::Free).then(|| {
                word.with_next_lease()
                    .with_next_opening()
                    .without(CLEARED | NOTIFY)
                    .with_status(Status::Opening)
            })
        })
        .expect("a slot off the free list is free")
    }

    /// Opening → leased: the lease that held the right to open holds the connection.
    pub(super) fn opening_to_leased(&self, lease: u32) -> Option<Word> {
        self.update(|word| {
            (word.lease() == lease && word.status() == Status::Opening)
                .then(|| word.with_status(Status::Leased))
        })
    }

    /// Leased → opening: the lease goes on, its connection is replaced. `NOTIFY` is about the entry and stays: who set it has
    /// taken that off the expiry heap, or is about to.
    pub(super) fn leased_to_opening(&self, lease: u32) -> Option<Word> {
        self.update(|word| {
            (word.lease() == lease && word.status() == Status::Leased).then(|| {
                word.with_next_opening()
                    .without(CLEARED)
                    .with_status(Status::Opening)
            })
        })
    }

    /// Leased → leased: the lease goes on with another connection. `NOTIFY` stays as above, and `CLEARED` because that other
    /// connection may have been there when the mark was set.
    pub(super) fn renew_leased(&self, lease: u32) -> Option<Word> {
        self.update(|word| {
            (word.lease() == lease && word.status() == Status::Leased)
                .then(|| word.with_next_opening())
        })
    }

    /// Idle → leased. The caller holds the lock of the stripe in which it is idle, and unlinks it; `word` is what it
    /// read under that lock, without which nobody changes it. Returns the new word.
    #[inline]
    pub(super) fn idle_to_leased(&self, word: Word, now: u64) -> Word {
        let hits = self.hits.load(Ordering::Relaxed);
        self.hits.store(hits + 1, Ordering::Relaxed);
        self.take_idle(word, now)
    }

    /// The same for a look at it alone: its release as unused makes it idle as if nothing had been.
    pub(super) fn idle_to_looked_at(&self, word: Word, now: u64) -> Word {
        let leased = self.take_idle(word, now);
        self.looked_at.store(leased.lease(), Ordering::Relaxed);
        leased
    }

    /// Whether this lease was made for a look at it alone.
    pub(super) fn is_looked_at(&self, lease: u32) -> bool {
        self.looked_at.load(Ordering::Relaxed) == lease
    }

    /// Whether the lease that the caller has claimed was.
    pub(super) fn was_looked_at(&self, claimed: Word) -> bool {
        self.is_looked_at(claimed.lease().wrapping_sub(1))
    }

    #[inline(always)]
    fn take_idle(&self, word: Word, now: u64) -> Word {
        self.leased.store(now, Ordering::Relaxed);
        let leased = word.with_next_lease().with_status(Status::Leased);
        self.word.store(leased.0, Ordering::Release);
        leased
    }

    /// Idle → idle in `stripe`. The caller holds the coordinator and the lock of the stripe in which it is idle, and has unlinked it.
    pub(super) fn idle_in(&self, stripe: usize) {
        let idle = self.word().with_status(Status::Idle).0 | (stripe as u64) << STRIPE_SHIFT;
        self.word.store(idle, Ordering::Release);
    }

    /// Leased → idle in `stripe`, if `lease` still holds it and it is not dead. The caller holds that stripe's lock.
    /// Clears `NOTIFY`; the word before tells whether it was set.
    #[inline]
    pub(super) fn leased_to_idle(&self, lease: u32, stripe: usize) -> Result<Word, Word> {
        let mut word = self.word();
        loop {
            if word.lease() != lease || word.status() != Status::Leased || word.is_dead() {
                return Err(word);
            }
            let idle = word.with_status(Status::Idle).0 & !NOTIFY | (stripe as u64) << STRIPE_SHIFT;
            match self
                .word
                .compare_exchange_weak(word.0, idle, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return Ok(word),
                Err(seen) => word = Word(seen),
            }
        }
    }

    /// Leased or opening → the same under the next generation: the handle is dead, the caller alone owns the entry.
    pub(super) fn claim(&self, lease: u32) -> Option<Word> {
        self.update(|word| {
            (word.lease() == lease && matches!(word.status(), Status::Leased | Status::Opening))
                .then(|| word.with_next_lease())
        })
    }

    /// Idle, leased or opening → victim. The caller owns it: by its stripe's lock, by having claimed it, or, at an
    /// immediate shutdown, by winning this very step against the lease's own end.
    pub(super) fn to_victim(&self, seen: Word) -> bool {
        self.update(|word| {
            (word.lease() == seen.lease() && word.status() == seen.status())
                .then(|| word.with_next_lease().with_status(Status::Victim))
        })
        .is_some()
    }

    /// Victim → free: the face has taken the connection out. False if it was not a victim.
    pub(super) fn victim_to_free(&self) -> bool {
        self.update(|word| {
            (word.status() == Status::Victim).then(|| word.with_status(Status::Free))
        })
        .is_some()
    }

    /// Marks an entry that somebody leases or opens, as long as the opening is the one meant. False if it is another, or nobody
    /// does.
    pub(super) fn mark(&self, opening: u16, mark: Mark) -> bool {
        self.update(|word| {
            (word.opening() == opening && matches!(word.status(), Status::Leased | Status::Opening))
                .then_some(Word(word.0 | mark as u64))
        })
        .is_some()
    }

    /// Marks an entry that somebody leases or opens as cleared. Returns what it is now; `None` if nobody does.
    pub(super) fn mark_cleared(&self) -> Option<Word> {
        self.update(|word| {
            matches!(word.status(), Status::Leased | Status::Opening)
                .then_some(Word(word.0 | CLEARED))
        })
    }

    /// Marks an entry that somebody leases or opens so that its release puts it back on the expiry heap. False if nobody does.
    pub(super) fn mark_notify(&self) -> bool {
        self.update(|word| {
            matches!(word.status(), Status::Leased | Status::Opening)
                .then_some(Word(word.0 | NOTIFY))
        })
        .is_some()
    }

    /// One read-modify-write by `step`, or none where it answers `None`. Returns the new word.
    fn update(&self, step: impl Fn(Word) -> Option<Word>) -> Option<Word> {
        let mut word = self.word();
        loop {
            let next = step(word)?;
            match self.word.compare_exchange_weak(
                word.0,
                next.0,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some(next),
                Err(seen) => word = Word(seen),
            }
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    fn opened() -> (Entry, u32) {
        let entry = Entry::default();
        let lease = entry.free_to_opening(RouteId::from_u64(1)).lease();
        assert!(entry.opening_to_leased(lease).is_some());
        (entry, lease)
    }

    #[test]
    fn a_lease_ends_once() {
        let (entry, lease) = opened();
        assert!(entry.leased_to_idle(lease, 3).is_ok());
        assert!(entry.leased_to_idle(lease, 3).is_err());
        assert!(entry.claim(lease).is_none());
        assert_eq!(entry.word().stripe(), 3);
    }

    #[test]
    fn an_idle_entry_is_leased_under_a_new_generation() {
        let (entry, lease) = opened();
        entry.leased_to_idle(lease, 15).unwrap();
        let word = entry.idle_to_leased(entry.word(), 7);
        assert_eq!((word.status(), word.lease()), (Status::Leased, lease + 1));
        assert!(word == entry.word());
        assert_eq!(word.stripe(), 0);
    }

    #[test]
    fn a_dead_entry_never_becomes_idle() {
        let (entry, lease) = opened();
        assert!(entry.mark(entry.word().opening(), Mark::Dead));
        assert!(entry.leased_to_idle(lease, 0).is_err());
        assert!(entry.claim(lease).unwrap().is_dead());
    }

    #[test]
    fn an_idle_entry_is_not_marked() {
        let (entry, lease) = opened();
        entry.leased_to_idle(lease, 0).unwrap();
        assert!(!entry.mark(entry.word().opening(), Mark::Dead));
        assert!(!entry.word().is_dead());
    }

    #[test]
    fn an_event_of_an_earlier_opening_is_ignored() {
        let (entry, lease) = opened();
        let opening = entry.word().opening();
        entry.leased_to_opening(lease).unwrap();
        entry.opening_to_leased(lease).unwrap();
        assert!(!entry.mark(opening, Mark::Dead));
        assert!(entry.leased_to_idle(lease, 0).is_ok());
    }

    #[test]
    fn another_connection_in_a_lease_is_beyond_the_reach_of_what_concerned_the_one_before() {
        let (entry, lease) = opened();
        let opening = entry.word().opening();
        assert!(entry.mark(opening, Mark::Dead));
        assert!(entry.renew_leased(lease).is_some());
        assert!(!entry.mark(opening, Mark::Dead));
        entry.leased_to_idle(lease, 0).unwrap();
        assert!(entry.renew_leased(lease).is_none());
    }

    #[test]
    fn another_connection_in_a_lease_is_cleared_with_it_and_a_reopened_one_is_not() {
        let (entry, lease) = opened();
        assert!(entry.mark_cleared().is_some());
        assert!(entry.renew_leased(lease).unwrap().is_dead());
        assert!(!entry.leased_to_opening(lease).unwrap().is_dead());
    }

    #[test]
    fn generations_wrap() {
        let entry = Entry::default();
        entry
            .word
            .store(u64::MAX << LEASE_SHIFT | OPENING, Ordering::Relaxed);
        let word = entry.free_to_opening(RouteId::from_u64(1));
        assert_eq!((word.lease(), word.opening()), (0, 0));
        assert_eq!(word.status(), Status::Opening);
    }

    #[test]
    fn a_victims_slot_is_reused_only_after_it_was_freed() {
        let (entry, lease) = opened();
        let claimed = entry.claim(lease).unwrap();
        assert!(entry.to_victim(claimed));
        assert!(!entry.mark(claimed.opening(), Mark::Dead));
        assert!(entry.victim_to_free());
        assert!(!entry.victim_to_free());
    }
}
