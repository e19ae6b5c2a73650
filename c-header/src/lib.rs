//! The C ABI of the Leasehold connection pool.
//!
//! C programs read `include/leasehold.h`. `leasehold.h.in` has its order and the text between; each declaration is made by cbindgen from
//! this crate. So the comments here are the ones there, and are written for readers who know C and not Rust.
//!
//! Every function's body runs in [`boundary`], which turns a panic into a status. Whatever a caller names by a number, one
//! of the [`handles`], is looked up before it is used: pools in a [`table`], routes, leases and requests by the engine, which
//! knows its generations. Callbacks run in [`delivery`], outside every lock and never one inside another; what threads of
//! the library's own do for a pool is in [`housekeeping`].
//!
//! From the bottom up, each layer on those before it:
//!
//! - the border: [`status`], [`boundary`], [`handles`], [`table`], and [`sized`] for structs that may grow;
//! - a connection, and what is done with it at last: [`probe`], [`cells`], [`disposal`];
//! - a pool: [`options`] to make it with, [`clock`], [`waiters`], [`drain`] and [`care`] as parts of it, and itself in [`pools`];
//! - what is done for a pool: [`state`], [`delivery`], [`serving`], [`waiting`], [`housekeeping`];
//! - the functions on what a handle names: [`stats`], [`timers`], [`route`], [`request`], [`lease`], [`pool`]. Those on a clock and those to
//!   fill options are with their types; [`http`], [`log`], [`socket`] and [`version`] need no pool.

// The names are C's.
#![allow(non_camel_case_types)]
// What a caller owes is the same for every function and stands at the top of the header (leasehold.h.in).
#![allow(clippy::missing_safety_doc)]

mod boundary;
mod care;
mod cells;
mod clock;
mod delivery;
mod disposal;
mod drain;
#[cfg(feature = "faults")]
mod faults;
mod handles;
mod housekeeping;
mod http;
mod lease;
mod log;
mod options;
mod pool;
mod pools;
mod probe;
mod request;
mod route;
mod serving;
mod sized;
mod socket;
mod state;
mod stats;
mod status;
mod table;
mod timers;
mod version;
mod waiters;
mod waiting;

pub use clock::*;
pub use disposal::{lh_cause, lh_dispose_callback};
#[cfg(feature = "faults")]
pub use faults::*;
pub use handles::*;
pub use http::*;
pub use lease::*;
pub use log::*;
pub use options::*;
pub use pool::*;
pub use probe::lh_probe;
pub use request::*;
pub use route::*;
pub use socket::lh_socket_set_keep_alive;
pub use stats::*;
pub use status::*;
pub use timers::*;
pub use version::*;
