//! The watch: learning at once that the peer of an idle connection has closed it, at no cost while it does not.
//!
//! A connection is registered once, when its descriptor is known, and unregistered before it is closed here. What the
//! watch reports is a [`Token`]: the pool, the slot and the opening, never the descriptor, whose number may be another
//! connection's by then.
//!
//! Race window: an event may be under way when its socket is removed. It is harmless because it names an opening that is over, and
//! [`peer_closed`](crate::engine::Engine::peer_closed) passes over it.
//!
//! The system's set of sockets is made for the first of them. Where the system refuses it, for want of descriptors above all,
//! nothing is watched, and whoever waits sleeps; every later socket asks for it again.

#[cfg(all(feature = "watch", any(target_os = "linux", target_os = "android")))]
mod epoll;
#[cfg(not(all(feature = "watch", any(target_os = "linux", target_os = "android"))))]
mod nothing;
mod sleep;
mod token;

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::locks::RwLock;
use crate::socket::{Liveness, probe};
#[cfg(all(feature = "watch", any(target_os = "linux", target_os = "android")))]
use epoll::Epoll as Set;
#[cfg(not(all(feature = "watch", any(target_os = "linux", target_os = "android"))))]
use nothing::Nothing as Set;
use sleep::Sleep;

pub use token::Token;

/// A set of sockets of which it is told when a peer closes. Every method may be called from any thread; one thread at a
/// time may [`wait`](Self::wait).
#[derive(Debug)]
pub struct Watch {
    // ----- under its own lock: written by whoever has the first socket, and by `close` -----
    /// The system's set.
    set: RwLock<Option<Arc<Set>>>,

    // ----- with a lock of its own -----
    /// What is waited on while there is no set.
    sleep: Sleep,

    // ----- under no lock: written by the first to say so -----
    /// It was said that sockets are not watched.
    has_warned: AtomicBool,
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

impl Watch {
    /// A watch of nothing yet. Takes no descriptor.
    pub const fn new() -> Self {
        Watch {
            set: RwLock::new(None),
            sleep: Sleep::new(),
            has_warned: AtomicBool::new(false),
        }
    }

    /// Watches a socket, from now on or, where it is watched already, under this token instead. One whose peer has closed
    /// already is reported too. O(1), two system calls.
    ///
    /// False where it is not watched, so that only a probe can tell: it is not connected yet or was closed meanwhile, or it is
    /// none that can be watched, or the system's limits are reached. The last two are logged, once at warn and then at debug. To
    /// be tried again later.
    pub fn add(&self, socket: BorrowedFd<'_>, token: Token) -> bool {
        // It would be reported as hung up at once.
        if probe(socket) == Liveness::Unconnected {
            return false;
        }
        let Err(error) = self.set().and_then(|set| set.add(socket, token)) else {
            return true;
        };
        // Closed by its user since it was asked: nobody leases it, so there is nothing to say.
        if probe(socket) != Liveness::Unconnected {
            let level = match self.has_warned.swap(true, Ordering::Relaxed) {
                false => crate::logging::Level::Warn,
                true => crate::logging::Level::Debug,
            };
            crate::logging::log!(
                level,
                "an idle connection is not watched, only probed: {error}"
            );
        }
        false
    }

    /// Watches a socket no longer; one that is not watched is none's concern. To be called by whoever is about to close
    /// the socket, before: afterwards the number may be another's. An event may be under way. O(1), one system call.
    pub fn remove(&self, socket: BorrowedFd<'_>) {
        if let Some(set) = &*self.set.read() {
            set.remove(socket);
        }
    }

    /// Waits until a peer has closed, [`wake`](Self::wake) was called or `timeout` is over, and puts the tokens of the
    /// sockets concerned, of all that are known by then but `most` of them at most, in place of what `closed` held, each once for
    /// its registration. Without a timeout it waits as long as it takes. It may end earlier for no reason.
    ///
    /// # Errors
    ///
    /// None while the set is whole; whoever waits may only give up.
    pub fn wait(
        &self,
        closed: &mut Vec<Token>,
        most: usize,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        closed.clear();
        let set = self.set.read().clone();
        match set {
            Some(set) => set.wait(closed, most, timeout),
            None => {
                self.sleep.wait(timeout);
                Ok(())
            }
        }
    }

    /// Ends the wait that is under way or, where there is none, the next one. O(1), never blocks.
    pub fn wake(&self) {
        // Under the lock: whoever makes the set afterwards passes the wake on.
        match &*self.set.read() {
            Some(set) => set.wake(),
            None => self.sleep.wake(),
        }
    }

    /// Gives the set back to the system. Nobody waits on it any more.
    pub fn close(&self) {
        *self.set.write() = None;
    }

    /// The system's set, made now if there is none.
    fn set(&self) -> io::Result<Arc<Set>> {
        if let Some(set) = &*self.set.read() {
            return Ok(Arc::clone(set));
        }
        let mut kept = self.set.write();
        if let Some(set) = &*kept {
            return Ok(Arc::clone(set));
        }
        let set = Arc::new(Set::new()?);
        *kept = Some(Arc::clone(&set));
        drop(kept);
        // Whoever sleeps is to wait on the set; and whoever comes to wait there must not miss a wake that the sleep got.
        self.sleep.wake();
        set.wake();
        Ok(set)
    }
}
