//! What stands behind a lease's functions: what the program gets for the engine's decisions, and what becomes of a connection
//! when its lease ends or its probe finds it dead.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

use leasehold::engine::{
    Cause, Grant, Handle, Hit, Keep, NotLeased, Outcome, RouteId, StateId, Verdict,
};

use crate::boundary::{Answer, Output};
use crate::cells::{Cell, Socket};
use crate::disposal::{Disposal, lh_cause};
use crate::handles::lh_lease;
use crate::pools::Pool;
use crate::probe::lh_probe;
use crate::state::StateUse;
use crate::status::*;

/// A request that was served.
pub(crate) struct Served {
    pub(crate) status: lh_status,
    pub(crate) handle: Handle,
    pub(crate) data: *mut c_void,
}

impl Pool {
    fn cell_of(&self, handle: Handle) -> Result<&Cell, lh_status> {
        self.cells.get(handle.slot()).ok_or(LH_NO_LEASE)
    }

    /// The cell of a leased connection.
    pub(crate) fn connection_of(&self, handle: Handle) -> Result<&Cell, lh_status> {
        if self.engine.opening(handle).is_err() {
            self.engine.route_of(handle)?;
            return Err(LH_NO_CONNECTION);
        }
        self.cell_of(handle)
    }

    /// The cell of a right to open a connection.
    pub(crate) fn vacancy_of(&self, handle: Handle) -> Result<&Cell, lh_status> {
        self.engine.route_of(handle)?;
        if self.engine.opening(handle).is_ok() {
            return Err(LH_HAS_CONNECTION);
        }
        Ok(self.cells.grow_to(handle.slot()))
    }

    /// What the program gets for a decision of the engine.
    pub(crate) fn serve(
        self: &Arc<Self>,
        route: RouteId,
        grant: Grant,
    ) -> Result<Served, lh_status> {
        match grant {
            Grant::Idle(handle) => self.serve_usable(route, handle),
            Grant::Open(handle) => Ok(vacancy(handle)),
        }
    }

    /// The connection of a lease just made, if it is usable; else another idle one; else the right to open one.
    #[inline]
    pub(crate) fn serve_usable(
        self: &Arc<Self>,
        route: RouteId,
        handle: Handle,
    ) -> Result<Served, lh_status> {
        let cell = self.cell_of(handle)?;
        if !self.finds_usable(handle, cell) {
            return self.replace_dead(route, handle);
        }
        self.served(handle, cell)
    }

    /// What the program gets for a leased connection, unless that was revoked meanwhile.
    #[inline]
    fn served(&self, handle: Handle, cell: &Cell) -> Result<Served, lh_status> {
        let data = cell.data().ok_or(LH_SHUT_DOWN)?;
        Ok(Served {
            status: LH_OK,
            handle,
            data,
        })
    }

    /// Whether a connection may be used, as far as the pool is to ask.
    #[inline]
    fn finds_usable(self: &Arc<Self>, handle: Handle, cell: &Cell) -> bool {
        let Some(socket) = cell.socket() else {
            return true;
        };
        let is_missed = !socket.is_watched && self.is_to_watch(socket);
        if !is_missed && !self.watching.probes() {
            return true;
        }
        let is_usable = socket.probe.finds_usable(socket.descriptor);
        if is_missed && is_usable {
            self.watch_leased(handle, cell, socket);
        }
        is_usable
    }

    fn is_to_watch(&self, socket: Socket) -> bool {
        self.watching.watches() && socket.probe != lh_probe::LH_PROBE_OFF
    }

    /// Has the socket of a leased connection watched, if it is to be. Where that cannot be done it is tried again at the next
    /// lease.
    #[cold]
    pub(crate) fn watch_leased(self: &Arc<Self>, handle: Handle, cell: &Cell, socket: Socket) {
        if !self.is_to_watch(socket) {
            return;
        }
        let Ok(opening) = self.engine.opening(handle) else {
            return;
        };
        // Noted first: whoever disposes of it from now on unwatches it.
        if cell.note_watch(socket, true) && !self.watch(socket.descriptor, handle.slot(), opening) {
            let noted = Socket {
                is_watched: true,
                ..socket
            };
            cell.note_watch(noted, false);
        }
    }

    /// Keeps the place of the dead connection until another one is found: a request that was served is not sent back to
    /// the queue.
    #[cold]
    fn replace_dead(self: &Arc<Self>, route: RouteId, dead: Handle) -> Result<Served, lh_status> {
        self.note_stale(dead);
        // Those bound to a state are few; for them the engine is not asked again.
        while let Some(next) = self.engine.lease_hit(route, StateId::NONE) {
            let cell = self.cell_of(next)?;
            let is_usable = self.finds_usable(next, cell);
            if !is_usable {
                self.note_stale(next);
            }
            let served = self.served(next, cell);
            // An immediate shutdown may have been faster in closing it.
            let _ = self.close(if is_usable { dead } else { next }, Cause::PeerClosed);
            if is_usable {
                return served;
            }
        }
        // Lost only to an immediate shutdown.
        self.reopen(dead, lh_cause::LH_CAUSE_PEER_CLOSED)
            .map_err(|NotLeased| LH_SHUT_DOWN)?;
        Ok(vacancy(dead))
    }

    fn note_stale(&self, handle: Handle) {
        self.engine.note_stale(handle);
        log::debug!(
            "{}: connection {} was leased stale: its peer had closed it unnoticed",
            self.name,
            handle.slot()
        );
    }

    /// Disposes of a lease's connection; the lease becomes the right to open another in its place.
    pub(crate) fn reopen(
        self: &Arc<Self>,
        handle: Handle,
        cause: lh_cause,
    ) -> Result<(), NotLeased> {
        self.engine.reopen(handle)?;
        if let Some(connection) = self.take_connection(handle.slot()) {
            self.dispose(Disposal::new(connection, cause));
        }
        Ok(())
    }

    /// Gives a connection back unused.
    pub(crate) fn give_back(self: &Arc<Self>, grant: Grant) {
        // Lost only to a shutdown, which had the same in mind.
        match grant {
            Grant::Idle(handle) => drop(self.keep(handle, Keep::AsBefore)),
            Grant::Open(handle) => drop(self.close(handle, Cause::Requested)),
        }
    }

    /// Ends a lease and keeps its connection.
    #[inline]
    pub(crate) fn keep(self: &Arc<Self>, handle: Handle, keep: Keep) -> Result<(), lh_status> {
        let cell = self.cells.get(handle.slot());
        let state = cell.map_or(StateId::NONE, Cell::state);
        if state == StateId::NONE && self.engine.release_hit(handle, keep)? == Hit::Kept {
            return Ok(());
        }
        self.connection_of(handle)?;
        Ok(self.end(handle, Verdict::Keep(keep), state, None)?)
    }

    pub(crate) fn close(self: &Arc<Self>, handle: Handle, cause: Cause) -> Result<(), NotLeased> {
        self.end(handle, Verdict::Close, StateId::NONE, Some(cause))
    }
}

fn vacancy(handle: Handle) -> Served {
    Served {
        status: LH_VACANCY,
        handle,
        data: null_mut(),
    }
}

/// Leases a connection or the right to open one, if that is possible now.
pub(crate) fn lease_now(
    pool: &Arc<Pool>,
    route: RouteId,
    state: &StateUse<'_>,
) -> Result<Served, lh_status> {
    let outcome =
        pool.with_effects(|engine, effects| engine.lease(route, state.id(), None, effects))?;
    match outcome {
        Outcome::Granted(grant) => pool.serve(route, grant),
        Outcome::Wait => Err(LH_EXHAUSTED),
    }
}

/// Where a lease is written to.
pub(crate) struct LeaseOutput {
    lease: Output<lh_lease>,
    data: Output<*mut c_void>,
}

impl LeaseOutput {
    /// # Safety
    ///
    /// As for [`Output::new`].
    #[inline]
    pub(crate) unsafe fn new(
        lease: *mut lh_lease,
        data: *mut *mut c_void,
    ) -> Result<Self, lh_status> {
        // SAFETY: the caller's promise.
        unsafe {
            Ok(LeaseOutput {
                lease: Output::new(lease)?,
                data: Output::new(data)?,
            })
        }
    }

    #[inline]
    pub(crate) fn write(self, served: Served) -> Answer {
        self.lease.write(served.handle.into());
        self.data.write(served.data);
        Ok(served.status)
    }
}
