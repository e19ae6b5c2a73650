//! What a pool was made to do with its connections beside lending them: how their sockets are set up, asked and watched, and how
//! they are closed.

use std::fmt;
#[cfg(feature = "watch")]
use std::os::fd::AsFd;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;

use crate::housekeeper::{Disposable, Eviction, Membership};
use crate::socket::{Liveness, TcpKeepAlive, probe};
use crate::watching::Watching;

/// What a program says of a connection.
pub(crate) type Judge<C> = Arc<dyn Fn(&C) -> bool + Send + Sync>;

/// How to get at a connection's descriptor.
#[cfg_attr(not(feature = "watch"), allow(dead_code))] // Nothing is done with sockets then.
pub(crate) enum Descriptor<C> {
    /// Nobody says it: nothing can be done with its socket.
    Unknown,
    /// Its type says it, by a call that costs a hit next to nothing.
    OfType(for<'a> fn(&'a C) -> BorrowedFd<'a>),
    /// The program says it.
    By(Arc<dyn Fn(&C) -> Option<BorrowedFd<'_>> + Send + Sync>),
}

impl<C> Descriptor<C> {
    #[inline]
    fn of<'a>(&self, connection: &'a C) -> Option<BorrowedFd<'a>> {
        match self {
            Descriptor::Unknown => None,
            Descriptor::OfType(descriptor) => Some(descriptor(connection)),
            Descriptor::By(descriptor) => descriptor(connection),
        }
    }
}

impl<C> Clone for Descriptor<C> {
    fn clone(&self) -> Self {
        match self {
            Descriptor::Unknown => Descriptor::Unknown,
            Descriptor::OfType(descriptor) => Descriptor::OfType(*descriptor),
            Descriptor::By(descriptor) => Descriptor::By(Arc::clone(descriptor)),
        }
    }
}

/// Where there is a look at a connection that was just leased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looks {
    Nowhere,
    /// At those that the system does not watch.
    WhereUnwatched,
    Everywhere,
}

/// A pool's settings for its connections.
pub(crate) struct Plan<C> {
    pub(crate) watching: Watching,
    pub(crate) descriptor: Descriptor<C>,
    /// Which connections with bytes to read may be used. None: none may.
    pub(crate) usable_when_readable: Option<Judge<C>>,
    /// Which connections may be used at all. None: all may.
    pub(crate) is_usable: Option<Judge<C>>,
    pub(crate) keep_alive: Option<TcpKeepAlive>,
    /// Most idle connections of one route.
    pub(crate) max_idle_per_route: Option<u32>,
    /// No thread of the program's closes a connection: the disposer does.
    pub(crate) closes_aside: bool,
    /// Where leases are asked for is noted.
    pub(crate) notes_callers: bool,
    pub(crate) eviction: Eviction,
    /// Who drops the last pool waits for the library's threads.
    pub(crate) waits_at_end: bool,
    /// Follows from the others, see [`settle`](Self::settle); a hit looks at this alone.
    pub(crate) looks: Looks,
}

impl<C> Plan<C> {
    pub(crate) fn new() -> Self {
        Plan {
            watching: Watching::Off,
            descriptor: Descriptor::Unknown,
            usable_when_readable: None,
            is_usable: None,
            keep_alive: None,
            max_idle_per_route: None,
            closes_aside: false,
            notes_callers: false,
            eviction: Eviction::default(),
            waits_at_end: true,
            looks: Looks::Nowhere,
        }
    }

    /// Nothing is changed from here on.
    pub(crate) fn settle(&mut self) {
        self.looks = match self.watching {
            _ if self.is_usable.is_some() => Looks::Everywhere,
            Watching::Off => Looks::Nowhere,
            Watching::Probe | Watching::Both => Looks::Everywhere,
            Watching::Watch => Looks::WhereUnwatched,
        };
    }

    /// A connection was opened: sets its socket up.
    pub(crate) fn set_up(&self, connection: &C) {
        let Some(keep_alive) = self.keep_alive else {
            return;
        };
        if let Some(socket) = self.socket_of(connection) {
            if let Err(error) = keep_alive.set_on(socket) {
                crate::logging::debug!("TCP keep-alive is not set on a connection: {error}");
            }
        }
    }

    /// Whether a connection just leased is to be asked by its socket.
    pub(crate) fn probes(&self, is_watched: bool) -> bool {
        match self.watching {
            Watching::Off => false,
            Watching::Probe | Watching::Both => true,
            Watching::Watch => !is_watched,
        }
    }

    /// Whether the peer has closed a connection just leased, or has made it unusable.
    #[inline]
    pub(crate) fn finds_dead(&self, connection: &C) -> bool {
        let Some(socket) = self.socket_of(connection) else {
            return false;
        };
        match probe(socket) {
            Liveness::Alive | Liveness::Unknown => false,
            Liveness::Readable => !says_yes(&self.usable_when_readable, connection, false),
            Liveness::Closed | Liveness::Unconnected => true,
        }
    }

    /// Whether the program itself says that a connection just leased is of no use any more.
    pub(crate) fn refuses(&self, connection: &C) -> bool {
        !says_yes(&self.is_usable, connection, true)
    }

    /// The connection's descriptor, if it is to be watched.
    #[inline]
    pub(crate) fn to_watch<'a>(&self, connection: &'a C) -> Option<BorrowedFd<'a>> {
        if !self.watching.watches() {
            return None;
        }
        self.socket_of(connection)
    }

    /// The number of that descriptor.
    #[inline]
    pub(crate) fn number_to_watch(&self, connection: &C) -> Option<RawFd> {
        if !self.watching.watches() {
            return None;
        }
        // Each for itself, so that who has a type that says it need not ask whether it did.
        match &self.descriptor {
            Descriptor::Unknown => None,
            Descriptor::OfType(descriptor) => Some(descriptor(connection).as_raw_fd()),
            Descriptor::By(descriptor) => descriptor(connection).map(|socket| socket.as_raw_fd()),
        }
    }

    #[inline]
    fn socket_of<'a>(&self, connection: &'a C) -> Option<BorrowedFd<'a>> {
        self.descriptor.of(connection)
    }
}

/// What a judge says, where there is one.
fn says_yes<C>(judge: &Option<Judge<C>>, connection: &C, otherwise: bool) -> bool {
    judge.as_ref().map_or(otherwise, |judge| judge(connection))
}

impl<C> Clone for Plan<C> {
    fn clone(&self) -> Self {
        Plan {
            descriptor: self.descriptor.clone(),
            usable_when_readable: self.usable_when_readable.clone(),
            is_usable: self.is_usable.clone(),
            ..*self
        }
    }
}

impl<C> fmt::Debug for Plan<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("watching", &self.watching)
            .field("keep_alive", &self.keep_alive)
            .field("max_idle_per_route", &self.max_idle_per_route)
            .field("closes_aside", &self.closes_aside)
            .field("eviction", &self.eviction)
            .finish_non_exhaustive()
    }
}

/// How to get at the descriptor of connections whose type says it.
#[cfg(feature = "watch")]
pub(crate) fn descriptor_of<C: AsFd>() -> Descriptor<C> {
    Descriptor::OfType(C::as_fd)
}

/// Hands a connection to the disposer.
pub(crate) fn dispose<C: Send + 'static>(membership: &Membership, connection: C, plan: &Plan<C>) {
    struct Outgoing<C> {
        connection: C,
        descriptor: Descriptor<C>,
    }

    impl<C: Send> Disposable for Outgoing<C> {
        fn socket(&self) -> Option<BorrowedFd<'_>> {
            self.descriptor.of(&self.connection)
        }
    }

    // Who looks whether it hangs. Where there is nobody it is closed all the same.
    let _ = membership.start();
    membership.dispose(Box::new(Outgoing {
        connection,
        descriptor: plan.descriptor.clone(),
    }));
}
