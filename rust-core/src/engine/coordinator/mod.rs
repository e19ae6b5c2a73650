//! The coordinator: limits, counts, the queue of waiters and the expiry heap of one pool, under one lock.
//!
//! A call that needs it makes one [`Step`], during which the pool's invariants may be off; at its end they hold:
//!
//! - Q1: a route with waiters, or over its limit, has its flag set and nothing idle;
//! - Q2: if a waiter could be served but for the total limit, the total is full, `STARVED` is set and nothing is idle
//!   anywhere; or else every slot is taken, and whoever acknowledges a victim serves it;
//! - Q3: a pool over its total limit, or shut down, has nothing idle.
//!
//! They rest on "flag, then sweep": the flag is stored first, then every stripe concerned is locked once. A releaser
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
mod step;
mod upkeep;
mod waiters;

pub use upkeep::ShutdownMode;
