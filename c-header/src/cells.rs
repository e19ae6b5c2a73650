//! What the pool keeps of each connection: one cell for each of the engine's slots.
//!
//! Who holds a lease, or was handed a victim, owns its cell (I11).
//!
//! Race window: a C program may use one lease on two threads of which one ends it. It is harmless to the library because a cell is atomics,
//! each valid whatever the others are: such a program may mix its own pointers up, but no memory of ours.

use std::ffi::c_void;
use std::os::fd::RawFd;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, fence};

use leasehold::engine::StateId;

use crate::probe::lh_probe;

#[derive(Debug)]
pub(crate) struct Cell {
    // ----- under no lock: written by the owner, and by an immediate shutdown, which asks no owner -----
    /// The program's pointer, or `EMPTY` where there is no connection. Each change is one exchange, and whoever takes the pointer out is
    /// the one who disposes of it.
    data: AtomicPtr<c_void>,
    /// Whether the connection may have a socket, the kind of probe, the descriptor, and whether that is watched. Written while there is a
    /// connection, and until a moment after.
    word: AtomicU64,

    // ----- under no lock: written by the owner -----
    /// Who the connection is bound to; a use of the number of its own.
    state: AtomicU32,
}

/// Stands for no connection, as its address is ours and so no pointer of the program's. NULL may well be one.
static NO_CONNECTION: u8 = 0;
const EMPTY: *mut c_void = (&raw const NO_CONNECTION).cast_mut().cast();

impl Default for Cell {
    fn default() -> Self {
        Cell {
            data: AtomicPtr::new(EMPTY),
            word: AtomicU64::new(0),
            state: AtomicU32::default(),
        }
    }
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

/// There is no connection in the cell any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Emptied;

/// What was in a cell.
pub(crate) struct Kept {
    pub(crate) data: *mut c_void,
    pub(crate) socket: Option<Socket>,
}

impl Cell {
    /// Puts a connection into an empty cell. False if there is one.
    pub(crate) fn fill(&self, data: *mut c_void) -> bool {
        if self
            .data
            .compare_exchange(EMPTY, data, Relaxed, Relaxed)
            .is_err()
        {
            return false;
        }
        self.word.store(FILLED, Relaxed);
        true
    }

    /// Takes the connection out, if there is one.
    pub(crate) fn take(&self) -> Option<Kept> {
        // In this order: who finds the socket gone can see that the cell is empty.
        let data = self.data.swap(EMPTY, Relaxed);
        let word = self.word.swap(0, Release);
        (data != EMPTY).then(|| Kept {
            data,
            socket: socket_of(word),
        })
    }

    /// The program's pointer. `None` where an immediate shutdown has revoked the lease and taken the connection out.
    #[inline]
    pub(crate) fn data(&self) -> Option<*mut c_void> {
        let data = self.data.load(Relaxed);
        (data != EMPTY).then_some(data)
    }

    /// Replaces the program's pointer. False where the connection was taken out.
    pub(crate) fn set_data(&self, data: *mut c_void) -> bool {
        self.data
            .fetch_update(Relaxed, Relaxed, |before| (before != EMPTY).then_some(data))
            .is_ok()
    }

    #[inline]
    pub(crate) fn socket(&self) -> Option<Socket> {
        socket_of(self.word.load(Relaxed))
    }

    /// Whether the connection was taken out, for who has found no socket in a lease's cell. A connection may have none.
    pub(crate) fn is_emptied(&self) -> bool {
        fence(Acquire);
        self.data().is_none()
    }

    /// Sets the socket; returns the one before. Refused where the connection was taken out.
    pub(crate) fn set_socket(&self, socket: Socket) -> Result<Option<Socket>, Emptied> {
        self.word
            .fetch_update(Relaxed, Relaxed, |word| {
                (word & FILLED != 0).then(|| word_of(socket))
            })
            .map(socket_of)
            .map_err(|_| Emptied)
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
    use std::ptr::null_mut;
    use std::sync::Barrier;

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
        assert!(cell.set_socket(SOCKET) == Ok(None));
        let watched = Socket {
            descriptor: i32::MAX,
            probe: lh_probe::LH_PROBE_SILENT,
            is_watched: true,
        };
        assert!(cell.set_socket(watched) == Ok(Some(SOCKET)));
        assert!(cell.socket() == Some(watched));
        assert!(cell.take().is_some_and(|kept| kept.socket == Some(watched)));
        assert!(cell.socket().is_none());
    }

    #[test]
    fn a_watch_is_noted_of_the_socket_that_is_there_and_of_no_other() {
        let cell = filled();
        assert!(!cell.note_watch(SOCKET, true));
        cell.set_socket(SOCKET).unwrap();
        assert!(cell.note_watch(SOCKET, true));
        assert!(cell.socket().is_some_and(|socket| socket.is_watched));
        assert!(!cell.note_watch(SOCKET, true));
        cell.take();
        assert!(!cell.note_watch(SOCKET, true));
        assert!(cell.fill(null_mut()));
    }

    #[test]
    fn nothing_is_put_to_a_connection_that_was_taken_out() {
        let cell = filled();
        assert!(cell.set_data(&raw const cell as _));
        assert!(cell.take().is_some_and(|kept| !kept.data.is_null()));
        assert!(!cell.set_data(null_mut()));
        assert!(cell.set_socket(SOCKET) == Err(Emptied));
        assert!(cell.data().is_none() && cell.is_emptied());
        assert!(cell.fill(null_mut()));
        assert!(cell.data() == Some(null_mut()) && cell.socket().is_none());
    }

    #[test]
    fn a_connection_that_is_taken_out_while_it_is_put_in_has_its_data() {
        const ROUNDS: usize = 20_000;
        let cells: Vec<Cell> = (0..ROUNDS).map(|_| Cell::default()).collect();
        let begin = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                begin.wait();
                for cell in &cells {
                    assert!(cell.fill((&raw const *cell).cast_mut().cast()));
                }
            });
            begin.wait();
            for cell in &cells {
                let kept = loop {
                    if let Some(kept) = cell.take() {
                        break kept;
                    }
                    std::hint::spin_loop();
                };
                assert!(kept.data == (&raw const *cell).cast_mut().cast());
            }
        });
    }
}
