//! What the engine's calls answer: what a request was given, or why not.

use std::fmt;

use super::effects::Cause;
use super::id::Handle;

/// What a request was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// A connection, leased under this handle.
    Idle(Handle),
    /// The right to open a connection: say [`opened`](super::Engine::opened), or release it to give the right back.
    Open(Handle),
}

/// What a lease request led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was served at once.
    Granted(Grant),
    /// The ticket is in the queue and will be woken.
    Wait,
}

/// What a waiter finds when it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing yet: the ticket will be woken.
    Pending,
    /// With barging only: something came free; ask again with the same ticket, which keeps its place in the queue.
    AskAgain,
    /// It was served, and the ticket is dead.
    Granted(Grant),
}

/// Why a request gives up its wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// It has waited as long as it may.
    TimedOut,
    /// Its owner does not want it any more.
    Cancelled,
}

/// Why a request was not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing may be had now; a request with a ticket could wait.
    WouldBlock,
    /// As many requests wait as the pool allows.
    QueueFull,
    /// More than a million routes are in use at once.
    TooManyRoutes,
    /// The pool was shut down.
    ShutDown,
    /// The route was reclaimed, or belongs to another pool: intern its key again.
    StaleRoute,
    /// The ticket was answered and taken, cancelled, or belongs to another pool.
    StaleTicket,
    /// The handle is no right to open of this pool (any more).
    StaleHandle,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::WouldBlock => "no connection can be had without waiting",
            Refusal::QueueFull => "as many requests wait for a connection as the pool allows",
            Refusal::TooManyRoutes => "more than a million routes are in use at once",
            Refusal::ShutDown => "the pool was shut down",
            Refusal::StaleRoute => "the route is not known to this pool (any more)",
            Refusal::StaleTicket => "the ticket is not known to this pool (any more)",
            Refusal::StaleHandle => "the handle is no right to open of this pool (any more)",
        })
    }
}

impl std::error::Error for Refusal {}

/// The handle is stale, was released before, or belongs to another pool. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLeased;

impl fmt::Display for NotLeased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the handle does not stand for a lease of this pool (any more)")
    }
}

impl std::error::Error for NotLeased {}

/// How long a connection may be kept for reuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// This many milliseconds from now on, at most its time to live.
    For(u64),
    /// Until its time to live.
    Forever,
    /// As said by the last [`update_expiry`](super::Engine::update_expiry), in this lease or an earlier one.
    AsBefore,
}

/// What is to become of a connection whose lease ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be used again.
    Keep(Keep),
    /// It was looked at, not used: it is kept as before, and where it becomes idle it is idle since it was last used.
    Unused,
    /// It is to be closed.
    Close,
    /// Its lease was lost without having been ended: it is to be closed, and is counted.
    Lost,
}

/// What became of a lease that was released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// The pool keeps the connection, or a waiter has it already. It is not the caller's any more.
    Kept,
    /// The caller owns the victim: takes the connection out of its place, says [`ack`](super::Engine::ack), closes it.
    Close(Cause),
}

/// What [`release_hit`](super::Engine::release_hit) did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// The connection is idle.
    Kept,
    /// Nothing: the coordinator has to see this release. Call [`release`](super::Engine::release).
    Slow,
}
