//! The watch: learning at once that the peer of an idle connection has closed it, at no cost while it does not.
//!
//! A connection is registered once, when its descriptor is known, and unregistered before it is closed here. What the
//! watch reports is a [`Token`]: the pool, the slot and the opening, never the descriptor, whose number may be another
//! connection's by then. So an event that comes late names an opening that is over, and
//! [`peer_closed`](crate::engine::Engine::peer_closed) passes over it.
//!
//! The system's set of sockets is made for the first of them. Where the system refuses it, for want of descriptors above all,
//! nothing is watched, and whoever waits sleeps; every later socket asks for it again.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod epoll;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod nothing;
mod sleep;

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::locks::RwLock;
use crate::socket::{Liveness, probe};
#[cfg(any(target_os = "linux", target_os = "android"))]
use epoll::Epoll as Set;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use nothing::Nothing as Set;
use sleep::Sleep;

/// A set of sockets of which it is told when a peer closes. Every method may be called from any thread; one thread at a
/// time may [`wait`](Self::wait).
#[derive(Debug)]
pub struct Watch {
    /// The system's set. Written by whoever has the first socket that it takes, and by [`close`](Self::close).
    set: RwLock<Option<Arc<Set>>>,
    /// What is waited on while there is no set.
    sleep: Sleep,
    /// It was said that sockets are not watched. Written by the first to say so.
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
                false => log::Level::Warn,
                true => log::Level::Debug,
            };
            log::log!(
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

const REGISTRATION_BITS: u32 = 28;
const SLOT_BITS: u32 = 20;
const OPENING_BITS: u32 = 16;

/// What a registration is known by: a number that stands for the pool among those that share the watch, the slot of
/// the entry and the number of its opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token(u64);

impl Token {
    /// The largest number that a pool can have here; the least is 0.
    pub const MAX_POOL: u32 = (1 << REGISTRATION_BITS) - 2;

    /// The token of one opening. Of `pool` and `slot` the bits that a token has room for count.
    pub fn new(pool: u32, slot: u32, opening: u16) -> Self {
        let pool = u64::from(pool) & ((1 << REGISTRATION_BITS) - 1);
        let slot = u64::from(slot) & ((1 << SLOT_BITS) - 1);
        Token(pool << (SLOT_BITS + OPENING_BITS) | slot << OPENING_BITS | u64::from(opening))
    }

    /// The number that stands for the pool.
    pub fn pool(self) -> u32 {
        (self.0 >> (SLOT_BITS + OPENING_BITS)) as u32
    }

    /// The slot of the entry.
    pub fn slot(self) -> u32 {
        (self.0 >> OPENING_BITS) as u32 & ((1 << SLOT_BITS) - 1)
    }

    /// Which opening of the slot it is; see [`Engine::opening`](crate::engine::Engine::opening).
    pub fn opening(self) -> u16 {
        self.0 as u16
    }

    /// The token as a number, for bindings to other languages.
    pub fn to_u64(self) -> u64 {
        self.0
    }

    /// The token that [`to_u64`](Self::to_u64) gave.
    pub fn from_u64(number: u64) -> Self {
        Token(number)
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_token_come_back() {
        let token = Token::new(Token::MAX_POOL, (1 << SLOT_BITS) - 1, u16::MAX);
        assert_eq!(Token::from_u64(token.to_u64()), token);
        assert_eq!(token.pool(), Token::MAX_POOL);
        assert_eq!(token.slot(), (1 << SLOT_BITS) - 1);
        assert_eq!(token.opening(), u16::MAX);
        let token = Token::new(0, 7, 0);
        assert_eq!((token.pool(), token.slot(), token.opening()), (0, 7, 0));
    }
}
