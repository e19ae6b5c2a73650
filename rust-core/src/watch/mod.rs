//! The watch: learning at once that the peer of an idle connection has closed it, at no cost while it does not.
//!
//! A connection is registered once, when its descriptor is known, and unregistered before it is closed here. What the
//! watch reports is a [`Token`]: the pool, the slot and the opening, never the descriptor, whose number may be another
//! connection's by then. So an event that comes late names an opening that is over, and
//! [`peer_closed`](crate::engine::Engine::peer_closed) passes over it.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod epoll;
mod nothing;

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

pub use nothing::NoWatch;

/// A set of sockets of which it is told when a peer closes. Every method may be called from any thread; one thread at a
/// time may [`wait`](Self::wait).
pub trait IdleWatch: Send + Sync + fmt::Debug {
    /// Watches a socket, from now on or, where it is watched already, under this token instead. One whose peer has closed
    /// already is reported too. O(1), one system call.
    ///
    /// # Errors
    ///
    /// Those of the system: the descriptor is none that can be watched, or too many are. It is then not watched, and
    /// the probe alone tells.
    fn add(&self, socket: BorrowedFd<'_>, token: Token) -> io::Result<()>;

    /// Watches a socket no longer; one that is not watched is none's concern. To be called by whoever is about to close
    /// the socket, before: afterwards the number may be another's. An event may be under way. O(1), one system call.
    fn remove(&self, socket: BorrowedFd<'_>);

    /// Waits until a peer has closed, [`wake`](Self::wake) was called or `timeout` is over, and puts the tokens of the
    /// sockets concerned in place of what `closed` held, each once for its registration. Without a timeout it waits as
    /// long as it takes.
    ///
    /// # Errors
    ///
    /// None while the set is whole; whoever waits may only give up.
    fn wait(&self, closed: &mut Vec<Token>, timeout: Option<Duration>) -> io::Result<()>;

    /// Ends the wait that is under way or, where there is none, the next one. O(1), never blocks.
    fn wake(&self);
}

/// The system's watch, or one that reports nothing where the system has none or refuses it.
pub fn idle_watch() -> Box<dyn IdleWatch> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    match epoll::Epoll::new() {
        Ok(epoll) => return Box::new(epoll),
        Err(error) => log::warn!(
            "idle connections are not watched, only probed: no epoll to be had ({error})"
        ),
    }
    Box::new(NoWatch::default())
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
