//! Where connections lie while no lease holds them: one cell for each of the engine's slots.
//!
//! A cell needs no lock, because the engine has already decided whose it is (I11). Owners change in a read-modify-write of the entry's
//! word, under a stripe's lock or under the coordinator's. Each of these orders what the owner before did with the cell ahead of what
//! the next one does.

use std::cell::UnsafeCell;
use std::fmt;
use std::os::fd::RawFd;

use crate::engine::{Handle, Segments, Slot, StateId};

/// The number of no descriptor.
pub(crate) const UNWATCHED: RawFd = -1;

/// The cells of one pool.
pub(crate) struct Cells<C> {
    cells: Segments<Slot, Cell<C>>,
}

/// On a cache line of its own, as its neighbours are other threads' at the same time.
#[repr(align(64))]
struct Cell<C>(UnsafeCell<Kept<C>>);

/// What lies in a cell.
pub(crate) struct Kept<C> {
    /// The connection, unless a lease holds it.
    pub(crate) connection: Option<C>,
    /// Who it is bound to, in a lease too.
    pub(crate) state: StateId,
    /// The descriptor by which it is watched, in a lease too; `UNWATCHED` where it is not, wanted or not.
    pub(crate) socket: RawFd,
    /// How the connection came to be here, in a lease too.
    pub(crate) origin: Origin,
}

/// How a connection came into a pool.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    /// When, in the engine's milliseconds.
    pub(crate) moment: u64,
    /// The lease that has opened it.
    pub(crate) lease: Handle,
}

impl<C> Default for Cell<C> {
    fn default() -> Self {
        Cell(UnsafeCell::new(Kept {
            connection: None,
            state: StateId::NONE,
            socket: UNWATCHED,
            origin: Origin {
                moment: 0,
                lease: Handle::from_u64(0),
            },
        }))
    }
}

// SAFETY: a cell is only touched through `Cells::owned`, whose caller owns it alone; so connections move from thread to
// thread, which `C: Send` allows, and are never shared between them.
unsafe impl<C: Send> Sync for Cell<C> {}

impl<C> Cells<C> {
    pub(crate) fn new() -> Self {
        Cells {
            cells: Segments::new(),
        }
    }

    /// The cell of `slot`, for its owner.
    ///
    /// # Safety
    ///
    /// The caller owns the entry in `slot`: it holds the handle of a live lease or right to open and gives it to
    /// nobody meanwhile, or was handed the slot as a victim and has not acknowledged it yet. It keeps no other
    /// reference from an earlier call.
    #[allow(clippy::mut_from_ref)] // the whole point, and what the caller promises
    pub(crate) unsafe fn owned(&self, slot: Slot) -> &mut Kept<C> {
        // SAFETY: the caller is the only owner, see above.
        unsafe { &mut *self.place(slot) }
    }

    /// Where the cell of `slot` is, for its owner, who looks for it once and lends it to nobody while a program's code runs.
    #[inline]
    pub(crate) fn place(&self, slot: Slot) -> *mut Kept<C> {
        self.cells.grow_to(slot).0.get()
    }

    /// How the connection of `slot` came into the pool, for whoever borrows its lease.
    ///
    /// # Safety
    ///
    /// The caller borrows the guard of a live lease of `slot`, which others may do at the same time.
    pub(crate) unsafe fn origin(&self, slot: Slot) -> Origin {
        let kept = self.cells.grow_to(slot).0.get();
        // SAFETY: it is written only by who has that guard to itself, so nobody does now; what others may write meanwhile are other
        // fields, which are not looked at.
        unsafe { (*kept).origin }
    }

    /// Takes out every connection that is there.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = C> {
        self.cells.iter().filter_map(|(_, cell)| {
            // SAFETY: the cells are borrowed by us alone, and each is looked at once.
            unsafe { &mut *cell.0.get() }.connection.take()
        })
    }
}

impl<C> fmt::Debug for Cells<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cells").finish_non_exhaustive()
    }
}
