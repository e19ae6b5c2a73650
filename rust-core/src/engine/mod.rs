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
//! A pool's idle entries hang in a few [stripes](stripe), each with its lock; a [hit] takes one of them and touches no
//! count. Everything else, limits, waiters, eviction, expiry, shutdown, is decided in steps under one [coordinator], whose lock guards a
//! [ledger]. Each [entry]'s word decides the races between those who would end its lease; its [life] in between is its holder's.
//!
//! The files import downwards only: what a [pool] is made of knows no pool; hit and life know the pool; the coordinator's steps know both.
//!
//! What always holds is listed once, in `ARCHITECTURE.md` under "Invariants", and has numbers there: I1 to I13.
//!
//! Most atomics are read and written relaxed, because a lock or the entry's word orders those that must see each other. Where one
//! is read under no lock, "Race window:" says there why an older value will do.

mod clock;
mod config;
mod coordinator;
mod counters;
mod effects;
mod entry;
mod flags;
mod histogram;
mod hit;
mod id;
mod ledger;
mod life;
mod metrics;
mod outcome;
mod pool;
mod rearm;
mod route;
mod segments;
mod stats;
mod stripe;
pub(crate) mod sync;
mod thread;
mod timers;

#[cfg(test)]
mod tests;

pub use clock::{Clock, ManualClock};
pub use config::{Config, MAX_ENTRIES, Policy};
pub use coordinator::ShutdownMode;
pub use counters::Counters;
pub use effects::{Cause, Effects, Victim};
pub use histogram::{Histogram, HistogramRange, RANGES};
pub use id::{Handle, Numbered, RouteId, RouteSlot, Slot, StateId, Ticket, TicketSlot};
pub use metrics::Metrics;
pub use outcome::{
    Answer, GivenUp, Grant, Hit, Keep, NotLeased, Outcome, Refusal, Released, Verdict,
};
pub use pool::Engine;
pub use segments::Segments;
pub use stats::{EntryInfo, Stats, Use};

pub(crate) use sync::Padded;
pub(crate) use thread::thread_number;
