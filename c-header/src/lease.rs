//! Leases: a connection to use, or the right to open one.

use std::ffi::c_void;
use std::sync::Arc;

use leasehold::engine::{Cause, Handle, Keep, NotLeased, RouteId, StateId};

use crate::boundary::{Answer, Output, answer, bytes};
use crate::cells::{Emptied, Socket};
use crate::disposal::lh_cause;
use crate::handles::{lh_lease, lh_pool, lh_route};
use crate::options::{LH_FOREVER, LH_KEEP_AS_BEFORE, lh_lease_options};
use crate::pools::{Pool, with_pool};
use crate::probe::lh_probe;
use crate::serving::{LeaseOutput, Served, lease_now};
use crate::sized;
use crate::socket::checked;
use crate::state::{StateUse, state_of};
use crate::status::*;
use crate::waiting::wait_for_lease;

/// Leases an idle connection of a route or the right to open one, if that is possible now. O(1) for an idle connection.
///
/// `options` is read during the call only; NULL for the defaults. LH_OK: `lease` has a connection, whose data is written
/// to `data`. LH_VACANCY: there is none yet, and NULL is written to `data`. Open one and say lh_lease_opened_socket or lh_lease_opened.
/// Either way end the lease with lh_lease_release or lh_lease_close.
///
/// A connection with a socket is probed before it is handed out, where the pool's `watching` says so. One that the probe finds unusable
/// is disposed of. The next idle one, or the right to open one, takes its place.
///
/// LH_EXHAUSTED: the limits leave nothing; LH_SHUT_DOWN, LH_NULL_POINTER, LH_BAD_SIZE, LH_INVALID_ARGUMENT, LH_NO_POOL,
/// LH_NO_ROUTE, LH_TOO_MANY; LH_NO_MEMORY: for a copy of the options' state. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_pool_try_lease(
    pool: lh_pool,
    route: lh_route,
    options: *const lh_lease_options,
    lease: *mut lh_lease,
    data: *mut *mut c_void,
) -> lh_status {
    // SAFETY: the caller's promise.
    unsafe { lease_or(pool, route, options, lease, data, lease_now) }
}

/// Leases a connection of a route, and waits up to `timeout_ms` milliseconds of the machine's clock for one to come free. LH_FOREVER waits
/// for ever. Otherwise as lh_pool_try_lease.
///
/// Those who wait are served in the order in which they came, whatever their route. The thread sleeps meanwhile.
///
/// LH_TIMED_OUT, LH_QUEUE_FULL; LH_SHUT_DOWN, also when that happens while it waits; LH_IN_CALLBACK: it would have to wait
/// inside a callback; LH_NULL_POINTER, LH_BAD_SIZE, LH_INVALID_ARGUMENT, LH_NO_POOL, LH_NO_ROUTE, LH_TOO_MANY, LH_NO_MEMORY.
/// Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_pool_lease(
    pool: lh_pool,
    route: lh_route,
    options: *const lh_lease_options,
    timeout_ms: u64,
    lease: *mut lh_lease,
    data: *mut *mut c_void,
) -> lh_status {
    // SAFETY: the caller's promise.
    unsafe {
        lease_or(pool, route, options, lease, data, |pool, route, state| {
            wait_for_lease(pool, route, state, timeout_ms)
        })
    }
}

/// Leases in the common way, or else as `otherwise` does, which gets the options' state.
///
/// # Safety
///
/// As for lh_pool_try_lease.
#[inline(always)]
unsafe fn lease_or(
    pool: lh_pool,
    route: lh_route,
    options: *const lh_lease_options,
    lease: *mut lh_lease,
    data: *mut *mut c_void,
    otherwise: impl FnOnce(&Arc<Pool>, RouteId, &StateUse<'_>) -> Result<Served, lh_status>,
) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let output = unsafe { LeaseOutput::new(lease, data)? };
        with_pool(pool, |pool| {
            let route = route.to_id();
            // SAFETY: the caller's promise.
            let served = match unsafe { lease_hit(pool, route, options) } {
                Some(served) => served?,
                None => {
                    // SAFETY: as above.
                    let state = unsafe { state_of(pool, &sized::read(options)?)? };
                    otherwise(pool, route, &state)?
                }
            };
            output.write(served)
        })
    })
}

/// The common case: the defaults, and something is idle.
///
/// # Safety
///
/// As for lh_pool_try_lease.
#[inline]
unsafe fn lease_hit(
    pool: &Arc<Pool>,
    route: RouteId,
    options: *const lh_lease_options,
) -> Option<Result<Served, lh_status>> {
    if !options.is_null() {
        return None;
    }
    let handle = pool.engine.lease_hit(route, StateId::NONE)?;
    Some(pool.serve_usable(route, handle))
}

/// Gives a lease that is the right to open a connection what was opened. The connection's time to live begins.
///
/// `data` is the program's own pointer, NULL allowed. Leases of this connection and the disposal callback get it. Where the connection
/// has a socket, lh_lease_opened_socket tells the pool of it as well.
///
/// From LH_OK on the connection is the pool's to dispose of: the disposal callback gets it, exactly once. After any error
/// it is still the program's. LH_SHUT_DOWN: the pool was shut down meanwhile. The lease has ended, and the connection may be
/// used once and then closed. LH_HAS_CONNECTION, LH_NO_POOL, LH_NO_LEASE. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_lease_opened(pool: lh_pool, lease: lh_lease, data: *mut c_void) -> lh_status {
    answer(|| with_pool(pool, |pool| open(pool, lease.to_handle(), data)))
}

/// Gives a lease that is the right to open a connection what was opened, and tells the pool the connection's socket: lh_lease_opened and
/// lh_lease_set_socket in one. From then on the pool finds out when the peer closes it.
///
/// `data` is as for lh_lease_opened, and so is whose the connection is after which status. `socket` and `probe` are as for
/// lh_lease_set_socket. A socket that cannot be watched now does not fail the call: the connection is probed, and its watch tried again,
/// when it is leased next. Two or three system calls.
///
/// LH_INVALID_ARGUMENT: `socket` is negative, or `probe` is no lh_probe; LH_SHUT_DOWN, LH_HAS_CONNECTION, LH_NO_POOL, LH_NO_LEASE: as for
/// lh_lease_opened. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_lease_opened_socket(
    pool: lh_pool,
    lease: lh_lease,
    data: *mut c_void,
    socket: i32,
    probe: u32,
) -> lh_status {
    answer(|| {
        let socket = socket_of(socket, probe)?;
        with_pool(pool, |pool| {
            let handle = lease.to_handle();
            let status = open(pool, handle, data)?;
            // Lost only to an immediate shutdown, which has disposed of the connection: it must not be the program's to close, too.
            let _ = set_socket(pool, handle, socket);
            Ok(status)
        })
    })
}

/// Says who holds a lease: `tag` is the program's own, which is only passed on. It is in the lease's lh_entry and in what lh_pool_describe
/// says, for as long as the lease goes on, or until another is set. NULL, as it is before: nobody knows.
///
/// A lease's holder alone may say it. Takes no lock.
///
/// LH_NO_POOL, LH_NO_LEASE. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_lease_set_tag(
    pool: lh_pool,
    lease: lh_lease,
    tag: *const c_void,
) -> lh_status {
    answer(|| {
        with_pool(pool, |pool| {
            let handle = lease.to_handle();
            pool.engine.route_of(handle)?;
            // Race window: another thread may have ended the lease since, as the program must not have it, and the next one be noted there. That
            // one may then be told with this tag, or without one. It is harmless because a tag is only passed on.
            pool.tags.note(handle, tag);
            Ok(LH_OK)
        })
    })
}

/// Makes a right to open a lease of what was opened.
fn open(pool: &Arc<Pool>, handle: Handle, data: *mut c_void) -> Answer {
    // Before the engine is told: from then on an immediate shutdown may dispose of it.
    let cell = pool.vacancy_of(handle)?;
    if !cell.fill(data) {
        return Err(LH_HAS_CONNECTION);
    }
    if pool.engine.opened(handle).is_ok() {
        return Ok(LH_OK);
    }
    if cell.take().is_none() {
        // An immediate shutdown was faster and has disposed of it: it must not be the program's to close, too.
        return Ok(LH_OK);
    }
    match pool.close(handle, Cause::ShutDown) {
        Ok(()) => Err(LH_SHUT_DOWN),
        // Somebody else has ended the lease.
        Err(NotLeased) => Err(LH_NO_LEASE),
    }
}

fn socket_of(descriptor: i32, probe: u32) -> Result<Socket, lh_status> {
    Ok(Socket {
        probe: lh_probe::try_from(probe)?,
        descriptor: checked(descriptor)?,
        is_watched: false,
    })
}

fn set_socket(pool: &Arc<Pool>, handle: Handle, socket: Socket) -> Answer {
    let cell = pool.connection_of(handle)?;
    let before = cell.set_socket(socket).map_err(|Emptied| LH_NO_LEASE)?;
    if let Some(before) = before.filter(|before| before.is_watched) {
        pool.unwatch(before.descriptor);
    }
    pool.watch_leased(handle, cell, socket);
    Ok(LH_OK)
}

/// Tells the pool the socket of a lease's connection. The pool then finds out when the peer closes it, by the means that its
/// `watching` says. An idle connection is disposed of at once, with LH_CAUSE_PEER_CLOSED, on a thread of the library's own; a leased
/// one when its lease ends. The first socket that is watched starts that thread.
///
/// `socket` is a file descriptor, which must stay open until the disposal callback has got the connection. `probe` is an
/// lh_probe: LH_PROBE_SILENT for plain connections, LH_PROBE_OPEN for TLS. Say it once for a connection, and again when the
/// probe is to be another one. To put another connection in this one's place, say lh_lease_replace. The pool never reads from, writes to
/// or closes a socket. It may shut one down whose disposal on a thread of the library's own hangs. Two or three system calls.
///
/// A socket cannot be watched that is not connected yet, or where the system's limits are reached, in descriptors or threads. Its
/// connection is probed, and the watch tried again, when it is leased next.
///
/// LH_INVALID_ARGUMENT: a negative `socket`, or `probe` is no lh_probe; LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE.
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_lease_set_socket(
    pool: lh_pool,
    lease: lh_lease,
    socket: i32,
    probe: u32,
) -> lh_status {
    answer(|| {
        let socket = socket_of(socket, probe)?;
        with_pool(pool, |pool| set_socket(pool, lease.to_handle(), socket))
    })
}

/// Replaces the data of a lease's connection.
///
/// From LH_OK on the disposal callback will get the new data, and what was there before is the program's again. After any error the
/// new data is still the program's. LH_NO_LEASE may mean that an immediate shutdown was faster: the callback then gets what was there
/// before, if it has not got it already.
///
/// LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_lease_set_data(
    pool: lh_pool,
    lease: lh_lease,
    data: *mut c_void,
) -> lh_status {
    answer(|| {
        with_pool(pool, |pool| {
            let cell = pool.connection_of(lease.to_handle())?;
            if !cell.set_data(data) {
                // An immediate shutdown was faster.
                return Err(LH_NO_LEASE);
            }
            Ok(LH_OK)
        })
    })
}

/// Writes the data of a lease's connection.
///
/// LH_NULL_POINTER, LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_lease_data(
    pool: lh_pool,
    lease: lh_lease,
    data: *mut *mut c_void,
) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let output = unsafe { Output::new(data)? };
        with_pool(pool, |pool| {
            let cell = pool.connection_of(lease.to_handle())?;
            output.write(cell.data().ok_or(LH_NO_LEASE)?);
            Ok(LH_OK)
        })
    })
}

/// Writes the socket of a lease's connection, -1 if it was given none.
///
/// LH_NULL_POINTER, LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_lease_socket(
    pool: lh_pool,
    lease: lh_lease,
    socket: *mut i32,
) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let output = unsafe { Output::new(socket)? };
        with_pool(pool, |pool| {
            let cell = pool.connection_of(lease.to_handle())?;
            let socket = cell.socket();
            if socket.is_none() && cell.is_emptied() {
                return Err(LH_NO_LEASE);
            }
            output.write(socket.map_or(-1, |socket| socket.descriptor));
            Ok(LH_OK)
        })
    })
}

/// Binds a lease's connection to a state, `length` bytes, copied during the call. The state is who the connection is authenticated as, say
/// an NTLM user or a client certificate. Once released, the connection goes only to leases whose options ask for an equal state. NULL
/// and 0 bind it to nobody again: it is for any lease. O(length).
///
/// LH_NULL_POINTER; LH_INVALID_ARGUMENT: `length` is more than any object has; LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE,
/// LH_NO_MEMORY. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_lease_bind(
    pool: lh_pool,
    lease: lh_lease,
    state: *const c_void,
    length: usize,
) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let state = unsafe { bytes(state, length)? };
        with_pool(pool, |pool| {
            let cell = pool.connection_of(lease.to_handle())?;
            // The use of the state's number passes to the connection.
            let before = cell.replace_state(StateUse::of(pool, state)?.into_id());
            pool.states.release(before);
            Ok(LH_OK)
        })
    })
}

/// Notes for how many milliseconds from now on the server keeps a lease's connection. lh_lease_release with
/// LH_KEEP_AS_BEFORE then keeps it for that long. LH_FOREVER: for as long as it lasts. It is never kept beyond its time to live. O(1).
///
/// LH_INVALID_ARGUMENT: `keep_ms` is LH_KEEP_AS_BEFORE; LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_lease_update_expiry(
    pool: lh_pool,
    lease: lh_lease,
    keep_ms: u64,
) -> lh_status {
    answer(|| {
        let keep = match keep_of(keep_ms) {
            Keep::AsBefore => return Err(LH_INVALID_ARGUMENT),
            keep => keep,
        };
        with_pool(pool, |pool| {
            let handle = lease.to_handle();
            pool.connection_of(handle)?;
            pool.engine.update_expiry(handle, keep)?;
            Ok(LH_OK)
        })
    })
}

/// Disposes of a lease's connection, say because it turned out to be dead, with LH_CAUSE_REQUESTED. The lease becomes the right to open
/// another one, which keeps the place in every limit.
///
/// LH_VACANCY: open a connection and say lh_lease_opened_socket or lh_lease_opened. LH_NO_CONNECTION, LH_NO_POOL, LH_NO_LEASE. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_lease_replace(pool: lh_pool, lease: lh_lease) -> lh_status {
    answer(|| {
        with_pool(pool, |pool| {
            let handle = lease.to_handle();
            pool.connection_of(handle)?;
            pool.reopen(handle, lh_cause::LH_CAUSE_REQUESTED)?;
            Ok(LH_VACANCY)
        })
    })
}

/// Ends a lease and keeps its connection for the next one, for up to `keep_ms` milliseconds from now on: what
/// lh_http1_keep_alive wrote. LH_FOREVER keeps it for as long as it lasts, LH_KEEP_AS_BEFORE for what lh_lease_update_expiry
/// said last. 0 closes it, as lh_lease_close does.
///
/// The connection goes to the one who has waited longest, or becomes idle where nobody waits. It is disposed of (see
/// lh_dispose_callback) where the pool is shut down or over a limit, its peer has closed it, its route was cleared, its time
/// to live is over, or a request for another route or state needs its place. O(1) where nobody waits.
///
/// LH_NO_CONNECTION: the lease is a right to open one, and goes on; LH_NO_POOL; LH_NO_LEASE: it was ended before. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_lease_release(pool: lh_pool, lease: lh_lease, keep_ms: u64) -> lh_status {
    answer(|| {
        with_pool(pool, |pool| {
            let handle = lease.to_handle();
            if keep_ms == 0 {
                pool.connection_of(handle)?;
                pool.close(handle, Cause::Requested)?;
            } else {
                pool.keep(handle, keep_of(keep_ms))?;
            }
            Ok(LH_OK)
        })
    })
}

/// Ends a lease and has its connection disposed of, with LH_CAUSE_REQUESTED; see lh_dispose_callback. A right to open one is given
/// back: the next request may open a connection in its place. O(1) where nobody waits.
///
/// LH_NO_POOL; LH_NO_LEASE: it was ended before. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_lease_close(pool: lh_pool, lease: lh_lease) -> lh_status {
    answer(|| {
        with_pool(pool, |pool| {
            pool.close(lease.to_handle(), Cause::Requested)?;
            Ok(LH_OK)
        })
    })
}

#[inline]
fn keep_of(keep_ms: u64) -> Keep {
    match keep_ms {
        LH_FOREVER => Keep::Forever,
        LH_KEEP_AS_BEFORE => Keep::AsBefore,
        millis => Keep::For(millis),
    }
}
