//! Why a lease could not be had. Errors of connecting are the caller's own and never mixed with these.

use std::fmt;

use crate::engine::Refusal;
use crate::situation::Situation;

/// Why a lease could not be had.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LeaseError {
    /// Nothing came free in time, or the pool was [suspended](crate::Pool::suspend) meanwhile. Raise a limit or the timeout, or look for
    /// leases that are held too long: the message says what the pool looked like, which takes O(connections) to find out.
    Timeout(Box<Situation>),
    /// Nothing is free, or the pool is [suspended](crate::Pool::suspend), and the request was not to wait.
    Exhausted,
    /// As many requests wait as [`Builder::max_waiters`](crate::Builder::max_waiters) allows. Come back later, or raise it.
    QueueFull,
    /// More than a million routes are in use at once: each has connections, requests that wait, a limit of its own or a
    /// [`Route`](crate::Route) that is held.
    TooManyRoutes,
    /// The pool was shut down.
    ShutDown,
    /// The request would have to wait for a limited time, and the system has no thread for the housekeeper, which would tell when
    /// that is over. Come back later, or wait without a deadline.
    NoThread,
}

impl LeaseError {
    pub(crate) fn of(refusal: Refusal) -> Self {
        match refusal {
            Refusal::WouldBlock => LeaseError::Exhausted,
            Refusal::QueueFull => LeaseError::QueueFull,
            Refusal::TooManyRoutes => LeaseError::TooManyRoutes,
            Refusal::ShutDown => LeaseError::ShutDown,
            // The route of a key is interned again when it is stale.
            Refusal::StaleRoute | Refusal::StaleTicket | Refusal::StaleHandle => {
                unreachable!("tickets, handles and held routes are used by their owners alone")
            }
        }
    }
}

impl fmt::Display for LeaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LeaseError::Timeout(situation) => {
                return write!(f, "timed out waiting for a connection from the pool {situation}");
            }
            LeaseError::Exhausted => {
                "every connection that the pool's limits allow is in use, or the pool is suspended"
            }
            LeaseError::QueueFull => "as many requests wait for a connection as the pool allows",
            LeaseError::TooManyRoutes => {
                "more than a million routes are in use: close what is idle, or let go of held routes"
            }
            LeaseError::ShutDown => "the connection pool was shut down",
            LeaseError::NoThread => "the system has no thread to tell when the request has timed out",
        })
    }
}

impl std::error::Error for LeaseError {}
