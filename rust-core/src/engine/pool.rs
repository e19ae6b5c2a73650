//! A pool: its settings, its tables and its locks, and how each is found by a handle. What is done with them is in
//! [`hit`](super::hit), [`life`](super::life) and [`coordinator`](super::coordinator).

use std::fmt;
use std::sync::OnceLock;

use super::clock::Clock;
use super::config::{Config, MAX_ENTRIES, Policy};
use super::counters::Tally;
use super::entry::{Entry, Status, Word};
use super::flags::Flags;
use super::histogram::Recorder;
use super::id::{self, Handle, RouteId, RouteSlot, Slot, TicketSlot};
use super::ledger::{AnswerCell, Ledger};
use super::outcome::NotLeased;
use super::route::{self, Route};
use super::segments::Segments;
use super::stripe::{Guard, Stripe};
use super::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use super::sync::{Mutex, Padded};

/// One pool. All methods may be called from any thread at any time.
pub struct Engine {
    // ----- settings: as they were made -----
    pub(super) tag: u32,
    pub(super) clock: Clock,
    pub(super) time_to_live: Option<u64>,
    pub(super) fifo: bool,
    pub(super) barging: bool,
    /// Which flags of a route keep a request from taking what is idle: a newcomer that may barge looks past waiters.
    pub(super) flags_against_hits: u32,
    pub(super) own_route_first: bool,
    pub(super) connects_later: bool,
    pub(super) max_waiters: u32,

    // ----- what hits read and write: each says for itself who writes it, under which lock -----
    pub(super) flags: Flags,
    pub(super) stripes: Box<[Stripe]>,
    pub(super) entries: Segments<Slot, Entry>,
    pub(super) routes: Segments<RouteSlot, Route>,

    // ----- written under the coordinator, which is this lock -----
    pub(super) coordinator: Padded<Mutex<Ledger>>,
    /// Read by waiters without it.
    pub(super) answers: Segments<TicketSlot, AnswerCell>,

    // ----- set by whoever finds a stripe locked, under no lock; cleared under the coordinator -----
    /// Callers have collided often, and keep apart.
    ///
    /// Race window: a caller may read either value while it changes. It is harmless because every stripe is right: a lease that finds
    /// nothing in one looks in the others, and a sweep locks them all.
    pub(super) wide: AtomicBool,

    // ----- as each field says -----
    pub(super) notes: Padded<Notes>,
}

/// What is written off the hit path.
#[derive(Debug)]
pub(super) struct Notes {
    // ----- written by whoever finds a stripe locked, under no lock, and under the coordinator -----
    /// How often callers have found a stripe locked since somebody has last looked here, up to one more than are few.
    pub(super) collisions: AtomicU32,

    // ----- written under the coordinator, for statistics -----
    // Race window: they are read without it, one after the other. It is harmless because nothing in the engine relies on them.
    pub(super) total: AtomicU32,
    pub(super) pending: AtomicU32,
    pub(super) max_total: AtomicU32,
    pub(super) default_max: AtomicU32,
    pub(super) tally: Tally,

    // ----- made by the first who opens a connection; written by all who do, under no lock -----
    /// How long they took. They order nothing by it.
    pub(super) opening: OnceLock<Box<Recorder>>,
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
            flags_against_hits: match config.barging {
                true => !(route::QUEUE | route::STANDBY),
                false => !route::STANDBY,
            },
            own_route_first: config.own_route_first,
            connects_later: config.connects_later,
            max_waiters: config.max_waiters,
            flags: Flags::default(),
            stripes: (0..config.stripe_count()).map(|_| Stripe::new()).collect(),
            entries: Segments::new(),
            routes: Segments::new(),
            answers: Segments::new(),
            coordinator: Padded(Mutex::new(Ledger::new(max_total, default_max))),
            wide: AtomicBool::new(false),
            notes: Padded(Notes {
                collisions: AtomicU32::new(0),
                total: AtomicU32::new(0),
                pending: AtomicU32::new(0),
                max_total: AtomicU32::new(max_total),
                default_max: AtomicU32::new(default_max),
                tally: Tally::default(),
                opening: OnceLock::new(),
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
        // Race window: the slot may be another entry's by now. It is harmless because the word, read afterwards, then tells that the
        // handle is dead. If it is alive, this was written before the handle was made.
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
    pub(super) fn handle(&self, slot: Slot, word: Word) -> Handle {
        Handle::new(self.tag, slot, word.lease())
    }

    #[inline]
    pub(super) fn entry_of(&self, handle: Handle) -> Option<&Entry> {
        if handle.tag() != self.tag {
            return None;
        }
        self.entries.get(handle.slot())
    }

    #[inline]
    pub(super) fn lock_stripe(&self, index: usize) -> Guard<'_> {
        self.stripes[index].lock(&self.entries)
    }

    #[inline]
    pub(super) fn stripe_mask(&self) -> u32 {
        self.stripes.len() as u32 - 1
    }

    /// All that is idle hangs in stripe 0, and what becomes idle joins it.
    pub(super) fn is_narrow(&self) -> bool {
        !self.wide.load(Relaxed) && self.stripes[1..].iter().all(|stripe| stripe.len() == 0)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("tag", &self.tag)
            .field("stats", &self.stats())
            .field("is_suspended", &self.is_suspended())
            .field("is_shut_down", &self.is_shut_down())
            .finish_non_exhaustive()
    }
}
