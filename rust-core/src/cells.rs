//! Where connections lie while no lease holds them: one cell for each of the engine's slots.
//!
//! A cell needs no lock, because the engine has already decided whose it is (I11). Owners change in a read-modify-write of the entry's
//! word, under a stripe's lock or under the coordinator's. Each of these orders what the owner before did with the cell ahead of what
//! the next one does.

use std::fmt;
use std::os::fd::RawFd;

use crate::engine::sync::UnsafeCell;
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

// SAFETY: a cell is only touched through its `Place`, whose caller owns it alone; so connections move from thread to
// thread, which `C: Send` allows, and are never shared between them.
unsafe impl<C: Send> Sync for Cell<C> {}

impl<C> Cells<C> {
    pub(crate) fn new() -> Self {
        Cells {
            cells: Segments::new(),
        }
    }

    /// Where the cell of `slot` is, for its owner, who looks for it once.
    #[inline]
    pub(crate) fn place(&self, slot: Slot) -> Place<'_, C> {
        Place(self.cells.grow_to(slot))
    }

    /// Takes out every connection that is there.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = C> {
        self.cells.iter().filter_map(|(_, cell)| {
            // SAFETY: the cells are borrowed by us alone, and each is looked at once.
            cell.0.with_mut(|kept| unsafe { (*kept).connection.take() })
        })
    }
}

/// Where one cell is.
pub(crate) struct Place<'a, C>(&'a Cell<C>);

impl<C> Clone for Place<'_, C> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Place<'_, C> {}

impl<C> Place<'_, C> {
    /// Uses what lies in the cell, for its owner. No code of a program's may run in `work`.
    ///
    /// # Safety
    ///
    /// The caller owns the entry of the cell's slot: it holds the handle of a live lease or right to open and gives it to nobody
    /// meanwhile, or was handed the slot as a victim and has not acknowledged it yet. It uses the cell nowhere else in `work`.
    #[inline(always)]
    pub(crate) unsafe fn owned<R>(self, work: impl FnOnce(&mut Kept<C>) -> R) -> R {
        // SAFETY: the caller is the only owner, see above.
        self.0.0.with_mut(|kept| work(unsafe { &mut *kept }))
    }

    /// How the connection came into the pool, for whoever borrows its lease.
    ///
    /// # Safety
    ///
    /// The caller borrows the guard of a live lease of the cell's slot, which others may do at the same time.
    pub(crate) unsafe fn origin(self) -> Origin {
        // SAFETY: it is written only by who has that guard to itself, so nobody does now; what others may write meanwhile are other
        // fields, which are not looked at.
        self.0.0.with(|kept| unsafe { (*kept).origin })
    }
}

impl<C> fmt::Debug for Cells<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cells").finish_non_exhaustive()
    }
}
