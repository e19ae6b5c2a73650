//! Why a lease could not be had. Errors of connecting are the caller's own and never mixed with these.

use std::fmt;

use crate::engine::Refusal;

/// Why a lease could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LeaseError {
    /// Nothing came free in time. Raise a limit or the timeout, or look for leases that are held too long.
    Timeout,
    /// Nothing is free and the request was not to wait.
    Exhausted,
    /// As many requests wait as [`Builder::max_waiters`](crate::Builder::max_waiters) allows, or more than a million
    /// routes are in use at once.
    QueueFull,
    /// The pool was shut down.
    ShutDown,
}

impl fmt::Display for LeaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LeaseError::Timeout => "timed out waiting for a connection from the pool",
            LeaseError::Exhausted => "every connection that the pool's limits allow is in use",
            LeaseError::QueueFull => "as many requests wait for a connection as the pool allows",
            LeaseError::ShutDown => "the connection pool was shut down",
        })
    }
}

impl std::error::Error for LeaseError {}

impl From<Refusal> for LeaseError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::WouldBlock => LeaseError::Exhausted,
            Refusal::ShutDown => LeaseError::ShutDown,
            // A route is interned again when it is stale, and a face gives no ticket or handle away: what is left is
            // that one of the engine's tables is full.
            Refusal::QueueFull
            | Refusal::StaleRoute
            | Refusal::StaleTicket
            | Refusal::StaleHandle => LeaseError::QueueFull,
        }
    }
}
