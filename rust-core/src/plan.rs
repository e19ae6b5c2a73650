//! What a pool was made to do with its connections beside lending them: how their sockets are set up, asked and watched, and how
//! they are closed.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};

use crate::housekeeper::{Disposable, Eviction, Membership};
use crate::socket::{Liveness, TcpKeepAlive, probe};
use crate::watching::Watching;

/// A pool's settings for its connections.
pub(crate) struct Plan<C> {
    pub(crate) watching: Watching,
    /// How to get at a connection's descriptor. None: nothing can be done with its socket.
    pub(crate) descriptor: Option<for<'a> fn(&'a C) -> BorrowedFd<'a>>,
    /// Whether a connection with bytes to read may be used.
    pub(crate) usable_when_readable: fn(&C) -> bool,
    pub(crate) keep_alive: Option<TcpKeepAlive>,
    /// No thread of the program's closes a connection: the disposer does.
    pub(crate) closes_aside: bool,
    pub(crate) eviction: Eviction,
    /// Who drops the last pool waits for the library's threads.
    pub(crate) waits_at_end: bool,
}

impl<C> Plan<C> {
    pub(crate) fn new() -> Self {
        Plan {
            watching: Watching::Off,
            descriptor: None,
            usable_when_readable: |_| false,
            keep_alive: None,
            closes_aside: false,
            eviction: Eviction::default(),
            waits_at_end: true,
        }
    }

    /// A connection was opened: sets its socket up.
    pub(crate) fn set_up(&self, connection: &C) {
        if let (Some(descriptor), Some(keep_alive)) = (self.descriptor, self.keep_alive) {
            if let Err(error) = keep_alive.set_on(descriptor(connection)) {
                log::debug!("TCP keep-alive is not set on a connection: {error}");
            }
        }
    }

    /// Whether the peer has closed a connection just leased, or has made it unusable.
    #[inline]
    pub(crate) fn finds_dead(&self, connection: &C) -> bool {
        let Some(descriptor) = self.descriptor else {
            return false;
        };
        match probe(descriptor(connection)) {
            Liveness::Alive | Liveness::Unknown => false,
            Liveness::Readable => !(self.usable_when_readable)(connection),
            Liveness::Closed | Liveness::Unconnected => true,
        }
    }

    /// The connection's descriptor, if it is to be watched.
    #[inline]
    pub(crate) fn to_watch<'a>(&self, connection: &'a C) -> Option<BorrowedFd<'a>> {
        let descriptor = self.descriptor?;
        self.watching.watches().then(|| descriptor(connection))
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
            .field("closes_aside", &self.closes_aside)
            .field("eviction", &self.eviction)
            .finish_non_exhaustive()
    }
}

/// The descriptor of a connection that has one.
pub(crate) fn descriptor_of<C: AsFd>(connection: &C) -> BorrowedFd<'_> {
    connection.as_fd()
}

/// Hands a connection to the disposer.
pub(crate) fn dispose<C: Send + 'static>(membership: &Membership, connection: C, plan: &Plan<C>) {
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

    // Who looks whether it hangs. Where there is nobody it is closed all the same.
    let _ = membership.start();
    membership.dispose(Box::new(Outgoing {
        connection,
        descriptor: plan.descriptor,
    }));
}
