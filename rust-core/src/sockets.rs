//! What a pool does with its connections' sockets: watched and set up when a connection comes, asked when it is leased,
//! unwatched before it is closed. And how it is closed: where it is, or on the disposer's thread.
//!
//! Whether a connection still has the socket that is watched is seen by its descriptor, which is noted when it is watched and
//! compared when it is kept: a user may have put another connection in its place through the guard. Then the slot
//! gets a new opening, so that an event of the socket before concerns nobody, and the new one is watched. Unwatching asks
//! the connection itself for its descriptor, so it never concerns a stranger that got an old number.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::OnceLock;

use crate::housekeeper::{Disposable, Membership};
use crate::socket::{Liveness, TcpKeepAlive, probe};

/// How a pool finds out that the peer of an idle connection has closed it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watching {
    /// Not at all: whoever uses the connection finds out.
    Off,
    /// One look at its socket when it is leased, a system call of 0.4 µs.
    Probe,
    /// The housekeeper is told by the system, and closes it at once; no system call at a lease. A connection that is leased
    /// within a fraction of a millisecond of its peer's close may be handed out.
    Watch,
    /// Both: nothing stays open that its peer has closed, and nothing is handed out whose peer's close has arrived.
    #[default]
    Both,
}

impl Watching {
    /// Whether sockets are asked when their connections are leased.
    pub fn probes(self) -> bool {
        matches!(self, Watching::Probe | Watching::Both)
    }

    /// Whether the housekeeper is told of their peers' closes.
    pub fn watches(self) -> bool {
        matches!(self, Watching::Watch | Watching::Both)
    }
}

/// The number of no descriptor.
pub(crate) const UNWATCHED: RawFd = -1;

/// A pool's settings for sockets and closing, and its place with the housekeeper.
pub(crate) struct Sockets<C> {
    pub(crate) plan: Plan<C>,
    /// Set when the pool is built, or by the first request that has a deadline.
    pub(crate) membership: OnceLock<Membership>,
}

/// The settings.
pub(crate) struct Plan<C> {
    pub(crate) watching: Watching,
    /// How to get at a connection's descriptor. None: nothing can be done with its socket.
    pub(crate) descriptor: Option<for<'a> fn(&'a C) -> BorrowedFd<'a>>,
    /// Whether a connection with bytes to read may be used.
    pub(crate) usable_when_readable: fn(&C) -> bool,
    pub(crate) keep_alive: Option<TcpKeepAlive>,
    /// Hands a connection to the disposer. None: it is closed where it is.
    pub(crate) aside: Option<fn(&Membership, C, &Plan<C>)>,
}

impl<C> Plan<C> {
    pub(crate) fn new() -> Self {
        Plan {
            watching: Watching::Off,
            descriptor: None,
            usable_when_readable: |_| false,
            keep_alive: None,
            aside: None,
        }
    }
}

impl<C> Clone for Plan<C> {
    fn clone(&self) -> Self {
        Plan { ..*self }
    }
}

impl<C> fmt::Debug for Plan<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("watching", &self.watching)
            .field("keep_alive", &self.keep_alive)
            .field("closes_aside", &self.aside.is_some())
            .finish_non_exhaustive()
    }
}

impl<C> Sockets<C> {
    pub(crate) fn new(plan: Plan<C>) -> Self {
        Sockets {
            plan,
            membership: OnceLock::new(),
        }
    }

    /// A connection was opened: sets its socket up.
    pub(crate) fn set_up(&self, connection: &C) {
        if let (Some(descriptor), Some(keep_alive)) = (self.plan.descriptor, self.plan.keep_alive) {
            if let Err(error) = keep_alive.set_on(descriptor(connection)) {
                log::debug!("TCP keep-alive is not set on a connection: {error}");
            }
        }
    }

    /// Whether the peer has closed a connection just leased, or has made it unusable.
    #[inline]
    pub(crate) fn is_dead(&self, connection: &C) -> bool {
        let Some(descriptor) = self.plan.descriptor else {
            return false;
        };
        if !self.plan.watching.probes() {
            return false;
        }
        match probe(descriptor(connection)) {
            Liveness::Alive | Liveness::Unknown => false,
            Liveness::Readable => !(self.plan.usable_when_readable)(connection),
            Liveness::Closed | Liveness::Unconnected => true,
        }
    }

    /// The connection's descriptor, if it is to be watched.
    #[inline]
    pub(crate) fn to_watch<'a>(&self, connection: &'a C) -> Option<BorrowedFd<'a>> {
        let descriptor = self.plan.descriptor?;
        self.plan.watching.watches().then(|| descriptor(connection))
    }

    /// Watches a connection as the one opened as number `opening` in `slot`. Returns its descriptor's number.
    pub(crate) fn watch(&self, connection: &C, slot: u32, opening: u16) -> RawFd {
        match (self.membership.get(), self.to_watch(connection)) {
            (Some(membership), Some(socket)) => {
                membership.watch(socket, slot, opening);
                socket.as_raw_fd()
            }
            _ => UNWATCHED,
        }
    }

    /// A connection leaves the pool, to be closed or for its user's own ends.
    pub(crate) fn unwatch(&self, connection: &C) {
        if let (Some(membership), Some(socket)) = (self.membership.get(), self.to_watch(connection))
        {
            membership.unwatch(socket);
        }
    }

    /// Closes a connection, here or aside. Its user's code runs: with no lock held.
    pub(crate) fn close(&self, connection: C) {
        self.unwatch(&connection);
        match (self.plan.aside, self.membership.get()) {
            (Some(aside), Some(membership)) => aside(membership, connection, &self.plan),
            _ => drop(connection),
        }
    }
}

impl<C> fmt::Debug for Sockets<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sockets")
            .field("plan", &self.plan)
            .field("membership", &self.membership)
            .finish()
    }
}

/// The descriptor of a connection that has one.
pub(crate) fn descriptor_of<C: AsFd>(connection: &C) -> BorrowedFd<'_> {
    connection.as_fd()
}

/// Hands a connection to the disposer.
pub(crate) fn close_aside<C: Send + 'static>(
    membership: &Membership,
    connection: C,
    plan: &Plan<C>,
) {
    struct Outgoing<C> {
        connection: C,
        descriptor: Option<for<'a> fn(&'a C) -> BorrowedFd<'a>>,
    }

    impl<C: Send> Disposable for Outgoing<C> {
        fn socket(&self) -> Option<BorrowedFd<'_>> {
            self.descriptor
                .map(|descriptor| descriptor(&self.connection))
        }
    }

    membership.dispose(Box::new(Outgoing {
        connection,
        descriptor: plan.descriptor,
    }));
}
