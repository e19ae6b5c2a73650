//! What a call of the engine asks its caller to do once no lock is held.

use std::fmt;

use super::id::{RouteId, Slot, Ticket};

/// What a call brought about and its caller carries out: victims to dispose of, owners of tickets to wake, retired routes to
/// forget. Victims are taken out of their places first, which frees these; then who waits is woken; only then is anything closed,
/// which may hang.
///
/// One collection can be filled by several calls before it is carried out. Dropping it undone leaks the victims'
/// slots and leaves the woken asleep, hence `must_use`.
#[derive(Debug, Default)]
#[must_use = "victims are to be closed and waiters to be woken"]
pub struct Effects {
    /// Entries that the engine has removed. Take each one's connection out of its place, say
    /// [`ack`](super::Engine::ack), close the connection.
    pub victims: Vec<Victim>,
    /// Tickets that have an answer now.
    pub wakes: Vec<Ticket>,
    /// Routes that were reclaimed; the ids are dead.
    pub retired: Vec<RouteId>,
}

impl Effects {
    /// Nothing to do yet. Allocates nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.victims.is_empty() && self.wakes.is_empty() && self.retired.is_empty()
    }
}

/// An entry that the engine has removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Victim {
    /// Where its connection is kept. It stays taken until [`ack`](super::Engine::ack).
    pub slot: Slot,
    /// Why it had to go.
    pub cause: Cause,
}

/// Why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cause {
    /// Whoever had leased it asked for that.
    Requested = 0,
    /// Its keep-alive promise or its time to live was over.
    Expired = 1,
    /// It was idle for longer than `close_idle` allowed.
    Idle = 2,
    /// It made room for a connection to another route or for another state.
    Evicted = 3,
    /// A limit was lowered below what was there, or more were idle than may be.
    OverLimit = 4,
    /// The peer had closed it.
    PeerClosed = 5,
    /// It, or its route, was cleared.
    Cleared = 6,
    /// The pool was shut down.
    ShutDown = 7,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cause::Requested => "its lease asked for that",
            Cause::Expired => "its keep-alive or its time to live was over",
            Cause::Idle => "it was idle for too long",
            Cause::Evicted => "it made room for another",
            Cause::OverLimit => "it was one more than a limit allows",
            Cause::PeerClosed => "its peer had closed it",
            Cause::Cleared => "it or its route was cleared",
            Cause::ShutDown => "the pool was shut down",
        })
    }
}
