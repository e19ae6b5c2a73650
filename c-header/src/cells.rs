//! What the pool keeps of each connection: one cell for each of the engine's slots.
//!
//! Who holds a lease, or was handed a victim, owns its cell; every change of owner goes through the engine, which orders
//! what the owner before did with the cell ahead of what the next one does. A C program may break that, by using one lease
//! on two threads of which one ends it. So a cell is atomics, each valid whatever else is: such a program may mix its own
//! pointers up, but no memory of ours.

use std::ffi::c_void;
use std::os::fd::RawFd;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering::Relaxed};

use leasehold::engine::StateId;

use crate::probe::Probe;

#[derive(Debug, Default)]
pub(crate) struct Cell {
    /// The program's pointer. Written by the owner.
    data: AtomicPtr<c_void>,
    /// Whether there is a connection, the kind of probe, and the socket's descriptor, which may be watched. Written by the
    /// owner.
    word: AtomicU64,
    /// Who the connection is bound to; a use of the number of its own. Written by the owner.
    state: AtomicU32,
}

const FILLED: u64 = 1 << 32;
const PROBE_SHIFT: u32 = 33;
const SOCKET: u64 = 1 << 35;
const WATCHED: u64 = 1 << 36;

/// What was in a cell.
pub(crate) struct Kept {
    pub(crate) data: *mut c_void,
    pub(crate) socket: Option<RawFd>,
    pub(crate) is_watched: bool,
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
        let data = self.data.swap(null_mut(), Relaxed);
        let word = self.word.swap(0, Relaxed);
        (word & FILLED != 0).then(|| Kept {
            data,
            socket: socket_of(word),
            is_watched: word & WATCHED != 0,
        })
    }

    #[inline]
    pub(crate) fn data(&self) -> *mut c_void {
        self.data.load(Relaxed)
    }

    pub(crate) fn set_data(&self, data: *mut c_void) {
        self.data.store(data, Relaxed);
    }

    /// The socket and how to look at it.
    #[inline]
    pub(crate) fn socket(&self) -> Option<(RawFd, Probe)> {
        let word = self.word.load(Relaxed);
        let socket = socket_of(word)?;
        let probe = match word >> PROBE_SHIFT & 0b11 {
            0 => Probe::Off,
            1 => Probe::Silent,
            _ => Probe::Open,
        };
        Some((socket, probe))
    }

    /// Sets the socket; returns the one that was watched before.
    pub(crate) fn set_socket(
        &self,
        socket: RawFd,
        probe: Probe,
        is_watched: bool,
    ) -> Option<RawFd> {
        let watched = if is_watched { WATCHED } else { 0 };
        let kind = (probe as u64) << PROBE_SHIFT;
        let word = FILLED | SOCKET | watched | kind | u64::from(socket as u32);
        let before = self.word.swap(word, Relaxed);
        socket_of(before).filter(|_| before & WATCHED != 0)
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

#[inline]
fn socket_of(word: u64) -> Option<RawFd> {
    (word & SOCKET != 0).then_some(word as u32 as RawFd)
}
