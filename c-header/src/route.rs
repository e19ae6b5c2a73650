//! Routes: what connections go to.

use std::ffi::{CStr, c_char, c_void};
use std::sync::Arc;

use leasehold::engine::{Effects, RouteId};

use crate::boundary::{Answer, Buffer, Output, answer, bytes};
use crate::handles::{lh_pool, lh_route};
use crate::pools::{Pool, with_pool};
use crate::sized::SizedOutput;
use crate::stats::lh_stats;
use crate::status::*;

/// Makes a route of a string, say `https://example.org:443`, copied during the call. Equal strings are the same route.
///
/// The route is held until lh_route_free is called as often as it was made, or the pool ends. O(1).
///
/// LH_NULL_POINTER, LH_NO_POOL, LH_TOO_MANY: more than a million routes are there; LH_NO_MEMORY: for the copy. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_route_of_name(
    pool: lh_pool,
    name: *const c_char,
    route: *mut lh_route,
) -> lh_status {
    answer(|| {
        if name.is_null() {
            return Err(LH_NULL_POINTER);
        }
        // SAFETY: the caller's promise.
        let (name, output) = unsafe { (CStr::from_ptr(name).to_bytes(), Output::new(route)?) };
        make_route(pool, name, output)
    })
}

/// Makes a route of any bytes, `length` of them, text or not. None of them is special. Otherwise as lh_route_of_name.
///
/// LH_NULL_POINTER, LH_INVALID_ARGUMENT: `length` is more than any object has; LH_NO_POOL, LH_TOO_MANY, LH_NO_MEMORY.
/// Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_route_of_bytes(
    pool: lh_pool,
    name: *const c_void,
    length: usize,
    route: *mut lh_route,
) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let (name, output) = unsafe { (bytes(name, length)?, Output::new(route)?) };
        make_route(pool, name.ok_or(LH_NULL_POINTER)?, output)
    })
}

fn make_route(pool: lh_pool, name: &[u8], output: Output<lh_route>) -> Answer {
    with_pool(pool, |pool| {
        output.write(hold_route(pool, name)?.into());
        Ok(LH_OK)
    })
}

fn hold_route(pool: &Arc<Pool>, name: &[u8]) -> Result<RouteId, lh_status> {
    let name = Arc::new(copy_of(name)?);
    let route = pool.with_effects(|engine, effects| {
        let hold = |route, _: &mut Effects| engine.hold_route(route).map(|()| route);
        pool.routes.with_route(engine, &name, effects, hold)
    })?;
    Ok(route)
}

fn copy_of(name: &[u8]) -> Result<Box<[u8]>, lh_status> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(name.len())
        .map_err(|_| LH_NO_MEMORY)?;
    copy.extend_from_slice(name);
    Ok(copy.into_boxed_slice())
}

/// Lets go of a route, once. When that was done as often as it was made, the handle may be refused at any time. Connections and waiting
/// requests of the route are not touched. The pool forgets the route some time after the last of them. O(1).
///
/// LH_NO_POOL, LH_NO_ROUTE: nobody holds it. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_route_free(pool: lh_pool, route: lh_route) -> lh_status {
    answer(|| {
        with_pool(pool, |pool| {
            pool.engine.let_go_of_route(route.to_id())?;
            Ok(LH_OK)
        })
    })
}

/// Copies the bytes that a route was made of into `buffer`, up to `capacity` of them, without a terminating NUL, and
/// writes to `length` how many there are, which may be more. NULL and 0 ask for the length only.
///
/// LH_NULL_POINTER: `length`, or `buffer` with a capacity other than 0; LH_NO_POOL, LH_NO_ROUTE. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_route_name(
    pool: lh_pool,
    route: lh_route,
    buffer: *mut c_void,
    capacity: usize,
    length: *mut usize,
) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let (output, buffer) = unsafe { (Output::new(length)?, Buffer::new(buffer, capacity)?) };
        with_pool(pool, |pool| {
            let name = pool.routes.key_of(route.to_id()).ok_or(LH_NO_ROUTE)?;
            buffer.write(&name);
            output.write(name.len());
            Ok(LH_OK)
        })
    })
}

/// Gives a route a limit of its own, in place of the pool's default. LH_UNLIMITED is one, too. What a raised and a lowered limit do is
/// said at lh_pool_set_max_total. The pool does not forget a route that has a limit of its own.
///
/// LH_NO_POOL, LH_NO_ROUTE. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_route_set_max(pool: lh_pool, route: lh_route, max: u32) -> lh_status {
    set_max(pool, route, Some(max))
}

/// Takes a route's own limit back: the pool's default holds again.
///
/// LH_NO_POOL, LH_NO_ROUTE. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_route_unset_max(pool: lh_pool, route: lh_route) -> lh_status {
    set_max(pool, route, None)
}

fn set_max(pool: lh_pool, route: lh_route, max: Option<u32>) -> lh_status {
    answer(|| {
        with_pool(pool, |pool| {
            pool.with_effects(|engine, effects| {
                engine.set_max_per_route(route.to_id(), max, effects)
            })?;
            Ok(LH_OK)
        })
    })
}

/// Disposes of every idle connection of a route, with LH_CAUSE_CLEARED. Leased ones are disposed of when their leases end.
/// O(connections of the pool).
///
/// LH_NO_POOL, LH_NO_ROUTE. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_route_clear(pool: lh_pool, route: lh_route) -> lh_status {
    answer(|| {
        with_pool(pool, |pool| {
            pool.with_effects(|engine, effects| engine.clear_route(route.to_id(), effects))?;
            Ok(LH_OK)
        })
    })
}

/// Writes the numbers of one route. `size` is sizeof(lh_stats), as for lh_pool_stats. Takes no lock.
///
/// LH_NULL_POINTER; LH_BAD_SIZE: no version of the struct has that `size`; LH_NO_POOL, LH_NO_ROUTE. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_route_stats(
    pool: lh_pool,
    route: lh_route,
    stats: *mut lh_stats,
    size: usize,
) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let output = unsafe { SizedOutput::new(stats, size)? };
        with_pool(pool, |pool| {
            let stats = pool.engine.route_stats(route.to_id()).ok_or(LH_NO_ROUTE)?;
            output.write(stats.into());
            Ok(LH_OK)
        })
    })
}
