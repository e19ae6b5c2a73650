//! What the pool keeps of each connection: one cell for each of the engine's slots.
//!
//! Who holds a lease, or was handed a victim, owns its cell; every change of owner goes through the engine, which orders
//! what the owner before did with the cell ahead of what the next one does. A C program may break that, by using one lease
//! on two threads of which one ends it. So a cell is atomics, each valid whatever else is: such a program may mix its own
//! pointers up, but no memory of ours.

use std::ffi::c_void;
use std::os::fd::RawFd;
use std::ptr::null_mut;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, fence};

use leasehold::engine::StateId;

use crate::probe::lh_probe;

#[derive(Debug, Default)]
pub(crate) struct Cell {
    /// The program's pointer. Written by the owner.
    data: AtomicPtr<c_void>,
    /// Whether there is a connection, the kind of probe, the socket's descriptor, and whether that is watched. Written by the
    /// owner.
    word: AtomicU64,
    /// Who the connection is bound to; a use of the number of its own. Written by the owner.
    state: AtomicU32,
}

const FILLED: u64 = 1 << 32;
const PROBE_SHIFT: u32 = 33;
const SOCKET: u64 = 1 << 35;
const WATCHED: u64 = 1 << 36;

/// A connection's socket, as far as the program told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Socket {
    pub(crate) descriptor: RawFd,
    pub(crate) probe: lh_probe,
    /// It is, or is just about to be.
    pub(crate) is_watched: bool,
}

/// What was in a cell.
pub(crate) struct Kept {
    pub(crate) data: *mut c_void,
    pub(crate) socket: Option<Socket>,
}

impl Cell {
    /// Puts a connection into an empty cell. False if there is one.
    pub(crate) fn fill(&self, data: *mut c_void) -> bool {
        if self
            .word
            .compare_exchange(0, FILLED, Relaxed, Relaxed)
            .is_err()
        {
            return false;
        }
        self.data.store(data, Relaxed);
        true
    }

    /// Takes the connection out, if there is one.
    pub(crate) fn take(&self) -> Option<Kept> {
        // In this order: who finds the data gone can see that the cell is empty.
        let word = self.word.swap(0, Relaxed);
        let data = self.data.swap(null_mut(), Release);
        (word & FILLED != 0).then(|| Kept {
            data,
            socket: socket_of(word),
        })
    }

    #[inline]
    pub(crate) fn data(&self) -> *mut c_void {
        self.data.load(Relaxed)
    }

    /// Whether the connection was taken out, for who has found no data, or no socket, in a lease's cell: an immediate shutdown has
    /// revoked the lease then. A connection may have neither.
    #[inline]
    pub(crate) fn is_emptied(&self) -> bool {
        fence(Acquire);
        self.word.load(Relaxed) & FILLED == 0
    }

    pub(crate) fn set_data(&self, data: *mut c_void) {
        self.data.store(data, Relaxed);
    }

    #[inline]
    pub(crate) fn socket(&self) -> Option<Socket> {
        socket_of(self.word.load(Relaxed))
    }

    /// Sets the socket; returns the one before.
    pub(crate) fn set_socket(&self, socket: Socket) -> Option<Socket> {
        socket_of(self.word.swap(word_of(socket), Relaxed))
    }

    /// Notes whether a socket is watched, if it is still the connection's.
    pub(crate) fn note_watch(&self, socket: Socket, is_watched: bool) -> bool {
        let noted = Socket {
            is_watched,
            ..socket
        };
        self.word
            .compare_exchange(word_of(socket), word_of(noted), Relaxed, Relaxed)
            .is_ok()
    }

    #[inline]
    pub(crate) fn state(&self) -> StateId {
        StateId(self.state.load(Relaxed))
    }

    /// Binds the connection to another state; returns the one before.
    pub(crate) fn replace_state(&self, state: StateId) -> StateId {
        StateId(self.state.swap(state.0, Relaxed))
    }
}

fn word_of(socket: Socket) -> u64 {
    let watched = if socket.is_watched { WATCHED } else { 0 };
    let kind = (socket.probe as u64) << PROBE_SHIFT;
    FILLED | SOCKET | watched | kind | u64::from(socket.descriptor as u32)
}

#[inline]
fn socket_of(word: u64) -> Option<Socket> {
    let probe = match word >> PROBE_SHIFT & 0b11 {
        0 => lh_probe::LH_PROBE_OFF,
        1 => lh_probe::LH_PROBE_SILENT,
        _ => lh_probe::LH_PROBE_OPEN,
    };
    (word & SOCKET != 0).then_some(Socket {
        descriptor: word as u32 as RawFd,
        probe,
        is_watched: word & WATCHED != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOCKET: Socket = Socket {
        descriptor: 7,
        probe: lh_probe::LH_PROBE_OPEN,
        is_watched: false,
    };

    fn filled() -> Cell {
        let cell = Cell::default();
        assert!(cell.fill(null_mut()));
        cell
    }

    #[test]
    fn a_connection_is_put_in_and_taken_out_once() {
        let cell = filled();
        assert!(!cell.fill(null_mut()));
        assert!(cell.take().is_some_and(|kept| kept.socket.is_none()));
        assert!(cell.take().is_none());
        assert!(cell.fill(null_mut()));
    }

    #[test]
    fn a_socket_comes_back_as_it_was_set() {
        let cell = filled();
        assert!(cell.set_socket(SOCKET).is_none());
        let watched = Socket {
            descriptor: i32::MAX,
            probe: lh_probe::LH_PROBE_SILENT,
            is_watched: true,
        };
        assert!(cell.set_socket(watched) == Some(SOCKET));
        assert!(cell.socket() == Some(watched));
        assert!(cell.take().is_some_and(|kept| kept.socket == Some(watched)));
        assert!(cell.socket().is_none());
    }

    #[test]
    fn a_watch_is_noted_of_the_socket_that_is_there_and_of_no_other() {
        let cell = filled();
        assert!(!cell.note_watch(SOCKET, true));
        cell.set_socket(SOCKET);
        assert!(cell.note_watch(SOCKET, true));
        assert!(cell.socket().is_some_and(|socket| socket.is_watched));
        assert!(!cell.note_watch(SOCKET, true));
        cell.take();
        assert!(!cell.note_watch(SOCKET, true));
        assert!(cell.fill(null_mut()));
    }
}
