//! The engine behind [`Pool`](crate::Pool), in numbers: for this project's own bindings to other languages. **Not part of the crate's
//! API**: it is public because those bindings are crates of their own, and changes with them, in any version.
//!
//! An [`Engine`] decides which connection a caller gets, when one may be opened and when one must go. It knows no
//! connection and no key: a face keeps connections in places numbered by slot, and gives each distinct key a
//! [`RouteId`]. No call blocks, no call does I/O, and none calls out: what follows from a call is returned as its
//! outcome and its [`Effects`], which the caller carries out afterwards.
//!
//! ```
//! use leasehold::engine::{Config, Effects, Engine, Grant, Hit, Keep, Outcome, StateId};
//!
//! let engine = Engine::new(Config::default());
//! let mut effects = Effects::new();
//! let route = engine.add_route(&mut effects).unwrap();
//!
//! // Nothing is idle yet: the engine gives the right to open a connection.
//! let leased = engine.lease(route, StateId::NONE, None, &mut effects);
//! let Ok(Outcome::Granted(Grant::Open(handle))) = leased else { panic!() };
//! // … connect, and keep the connection under handle.slot() …
//! engine.opened(handle).unwrap();
//! assert_eq!(engine.release_hit(handle, Keep::For(5_000)), Ok(Hit::Kept));
//!
//! // The next lease is a hit, under a new handle for the same slot.
//! let again = engine.lease_hit(route, StateId::NONE).unwrap();
//! assert_eq!(again.slot(), handle.slot());
//! assert!(engine.release_hit(handle, Keep::Forever).is_err());
//! assert!(effects.is_empty());
//! ```
//!
//! # How it is built
//!
//! A pool's idle entries hang in a few [stripes](stripe), each with its lock; a hit takes one of them and touches no
//! count. Everything else, limits, [waiters], eviction, expiry, shutdown, is decided under one [coordinator].
//! Each [entry]'s word decides the races between those who would end its lease.
//!
//! Most atomics are read and written relaxed, because a lock or the entry's word orders those that must see each other. Where one
//! is read under no lock, it is said there why what was before will do.

mod clock;
mod config;
mod coordinator;
mod counters;
mod effects;
mod entry;
mod expiry;
mod flags;
mod id;
mod lease;
mod limits;
mod order;
mod outcome;
mod release;
mod route;
mod segments;
mod stats;
mod stripe;
mod sync;
mod thread;
mod ticket;
mod upkeep;
mod waiters;

#[cfg(test)]
mod tests;

use std::fmt;

pub use clock::{Clock, ManualClock};
pub use config::{Config, MAX_ENTRIES, Policy};
pub use counters::Counters;
pub use effects::{Cause, Effects, Victim};
pub use id::{Handle, RouteId, StateId, Ticket};
pub use outcome::{Answer, Grant, NotLeased, Outcome, Refusal};
pub use release::{Hit, Keep, Released, Verdict};
pub use segments::Segments;
pub use stats::{EntryInfo, Stats, Use};
pub use upkeep::ShutdownMode;

pub(crate) use sync::{Mutex, Padded};
pub(crate) use thread::thread_number;

use coordinator::Coordinator;
use counters::Tally;
use entry::{Entry, Status, Word};
use flags::Flags;
use route::{Route, SPREAD};
use stripe::{Guard, Stripe};
use sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use ticket::AnswerCell;

/// One pool. All methods may be called from any thread at any time.
pub struct Engine {
    tag: u32,
    clock: Clock,
    time_to_live: Option<u64>,
    fifo: bool,
    barging: bool,
    /// Which flags of a route keep a request from taking what is idle: a newcomer that may barge looks past waiters.
    flags_against_hits: u32,
    own_route_first: bool,
    max_waiters: u32,
    flags: Flags,
    stripes: Box<[Stripe]>,
    entries: Segments<Entry>,
    routes: Segments<Route>,
    answers: Segments<AnswerCell>,
    coordinator: Padded<Mutex<Coordinator>>,
    /// Some caller has found a stripe locked. Set by whoever does, cleared under the coordinator. Without either any answer is right.
    wide: AtomicBool,
    notes: Padded<Notes>,
}

/// What is written off the hit path. The numbers, for statistics, are written under the coordinator and read without it: nothing in the
/// engine relies on them.
#[derive(Debug)]
struct Notes {
    /// Some caller has found a stripe locked since somebody has last looked here. Set by whoever does, cleared under the coordinator.
    collided: AtomicBool,
    total: AtomicU32,
    pending: AtomicU32,
    max_total: AtomicU32,
    default_max: AtomicU32,
    tally: Tally,
}

impl Engine {
    /// An empty pool. Limits beyond [`MAX_ENTRIES`] mean that number.
    pub fn new(config: Config) -> Self {
        let max_total = config.max_total.min(MAX_ENTRIES);
        let default_max = config.max_per_route.min(MAX_ENTRIES);
        Engine {
            tag: id::next_tag(),
            time_to_live: config.time_to_live,
            fifo: config.policy == Policy::Fifo,
            barging: config.barging,
            flags_against_hits: if config.barging { !route::QUEUE } else { !0 },
            own_route_first: config.own_route_first,
            max_waiters: config.max_waiters,
            flags: Flags::default(),
            stripes: (0..config.stripe_count()).map(|_| Stripe::new()).collect(),
            entries: Segments::new(),
            routes: Segments::new(),
            answers: Segments::new(),
            coordinator: Padded(Mutex::new(Coordinator::new(max_total, default_max))),
            wide: AtomicBool::new(false),
            notes: Padded(Notes {
                collided: AtomicBool::new(false),
                total: AtomicU32::new(0),
                pending: AtomicU32::new(0),
                max_total: AtomicU32::new(max_total),
                default_max: AtomicU32::new(default_max),
                tally: Tally::default(),
            }),
            clock: config.clock,
        }
    }

    /// The number that all ids of this pool carry; never 0.
    pub fn tag(&self) -> u32 {
        self.tag
    }

    /// Where the pool's time comes from.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The pool's time: milliseconds since a fixed moment in the past.
    pub fn now(&self) -> u64 {
        self.clock.now()
    }

    /// A victim's connection was taken out of its place: the slot may be used again. O(1).
    ///
    /// True where all slots were taken by victims and somebody waits for one: call [`serve`](Self::serve) then. Does nothing where
    /// `slot` holds no victim.
    #[must_use = "somebody may wait for the slot"]
    pub fn ack(&self, slot: u32) -> bool {
        let Some(entry) = self.entries.get(slot) else {
            return false;
        };
        let mut coordinator = self.coordinator.lock();
        entry.victim_to_free() && coordinator.free_slot(slot)
    }

    /// Serves those who could not be served for want of a slot: see [`ack`](Self::ack). O(served).
    pub fn serve(&self, effects: &mut Effects) {
        self.step(effects, |step| step.settle());
    }

    /// Which opening of its slot the leased connection is: what [`peer_closed`](Self::peer_closed) wants to know. Numbers of one slot
    /// come round after 65,536 openings. Refused where the handle does not stand for a leased connection. O(1), takes no lock.
    pub fn opening(&self, handle: Handle) -> Result<u16, NotLeased> {
        let word = self.entry_of(handle).ok_or(NotLeased)?.word();
        if word.lease() == handle.generation() && word.status() == Status::Leased {
            Ok(word.opening())
        } else {
            Err(NotLeased)
        }
    }

    /// What the leased or opening entry goes to. Refused where the handle's lease has ended. O(1), takes no lock.
    pub fn route_of(&self, handle: Handle) -> Result<RouteId, NotLeased> {
        let entry = self.entry_of(handle).ok_or(NotLeased)?;
        // Good if the handle turns out to be alive: then it was made after this was written, and by now it is here.
        let route = entry.route();
        let word = entry.word();
        if word.lease() == handle.generation()
            && matches!(word.status(), Status::Leased | Status::Opening)
        {
            Ok(route)
        } else {
            Err(NotLeased)
        }
    }

    #[inline]
    fn handle(&self, slot: u32, word: Word) -> Handle {
        Handle::new(self.tag, slot, word.lease())
    }

    #[inline]
    fn entry_of(&self, handle: Handle) -> Option<&Entry> {
        if handle.tag() != self.tag {
            return None;
        }
        self.entries.get(handle.slot())
    }

    #[inline]
    fn lock_stripe(&self, index: usize) -> Guard<'_> {
        self.stripes[index].lock(&self.entries)
    }

    #[inline]
    fn stripe_mask(&self) -> u32 {
        self.stripes.len() as u32 - 1
    }

    /// The stripe that a call on `route` uses first: number 0 for all, until callers collide, and again when they have not for a while.
    ///
    /// Any answer is right. That of an uncontended pool needs no look at the route, so that the lock's address is known
    /// before the handle has led to it.
    #[inline]
    fn stripe_of(&self, route: &Route) -> usize {
        if !self.wide.load(Relaxed) {
            return 0;
        }
        let index = match route.home.load(Relaxed) {
            SPREAD => thread_number() & self.stripe_mask(),
            home => home,
        };
        index as usize
    }

    /// Locks the stripe that a hit on `route` uses.
    ///
    /// Whether somebody holds it is asked before, in a read of its own: a `try_lock` would make the locked instruction
    /// wait for that read. A collision missed between the two is noted next time.
    #[inline(always)]
    fn lock_for_hit<'a>(&'a self, stripe: &'a Stripe, route: &Route) -> Guard<'a> {
        if stripe.is_locked() {
            self.note_collision(route);
        }
        stripe.lock(&self.entries)
    }

    /// Somebody else holds the stripe that a call on `route` uses first: from now on its callers keep apart.
    #[cold]
    fn note_collision(&self, route: &Route) {
        // Hits read these lines, and callers who have collided once may do so often: nothing is written that is there.
        if !self.wide.load(Relaxed) {
            self.wide.store(true, Relaxed);
        }
        if route.home.load(Relaxed) != SPREAD {
            route.home.store(SPREAD, Relaxed);
        }
        self.notes.collided.store(true, Relaxed);
    }

    /// All that is idle hangs in stripe 0, and what becomes idle joins it.
    fn is_narrow(&self) -> bool {
        !self.wide.load(Relaxed) && self.stripes[1..].iter().all(|stripe| stripe.len() == 0)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("tag", &self.tag)
            .field("stats", &self.stats())
            .field("is_shut_down", &self.is_shut_down())
            .finish_non_exhaustive()
    }
}
