//! The coordinator: limits, counts, the queue of waiters and the expiry heap of one pool, under one lock.
//!
//! A call that needs it makes one [`Step`]. In the middle of a step the invariants I1 to I5 may be off. At its end they hold.
//!
//! I1 to I3 rest on "flag, then sweep": the flag is stored first, then every stripe concerned is locked once. A releaser
//! reads the flag inside its stripe's lock, before it pushes. Its section came either before the sweep's, which then
//! sees the entry, or after, and then it sees the flag and comes to the coordinator. So a sweep may skip no stripe,
//! neither by a length nor because it is locked.
//!
//! Lock order: the coordinator, then one stripe at a time; never a stripe first, never two stripes.

mod lease;
mod limits;
pub(super) mod order;
mod release;
pub(super) mod routes;
mod standby;
mod step;
mod suspend;
mod upkeep;
mod waiters;

pub use upkeep::ShutdownMode;
