//! Pools: made, limited, cleaned and ended.

use std::sync::Arc;

use leasehold::engine::{Effects, Engine, ShutdownMode};

use crate::boundary::{Output, answer, from_number};
use crate::delivery::may_not_wait;
use crate::disposal::lh_cause;
use crate::handles::lh_pool;
use crate::options::lh_pool_options;
use crate::pools::{self, Pool, with_pool};
use crate::sized;
use crate::status::*;
use crate::waiting::deadline_of;

/// How to shut a pool down.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum lh_shutdown {
    /// What is leased stays usable, and is disposed of when its lease ends.
    LH_SHUTDOWN_GRACEFUL = 0,
    /// What is leased is disposed of at once, with LH_CAUSE_REVOKED.
    LH_SHUTDOWN_IMMEDIATE = 1,
}

from_number!(lh_shutdown: LH_SHUTDOWN_GRACEFUL, LH_SHUTDOWN_IMMEDIATE);

impl Pool {
    fn shutdown(self: &Arc<Self>, mode: lh_shutdown) {
        self.with_effects(|engine, effects| engine.shutdown(ShutdownMode::Graceful, effects));
        if mode == lh_shutdown::LH_SHUTDOWN_IMMEDIATE {
            // Nothing is idle any more: whatever goes now was leased.
            self.with_effects_as(
                |_| lh_cause::LH_CAUSE_REVOKED,
                |engine, effects| engine.shutdown(ShutdownMode::Immediate, effects),
            );
        }
    }
}

/// Makes a pool. No connection is opened. Destroy it with lh_pool_destroy.
///
/// The library has one thread of its own for all pools. The first pool that needs it starts it: for its first socket that is
/// watched, its first request with a timeout, its first disposal with `dispose_apart`, or at once for evict_expired and evict_idle_ms.
/// It ends with the last of those pools. Where the system has no thread to give, a line at error says so. What takes the thread is
/// refused then, or done without it, as the text of the function in question says. Each call that needs the thread tries again.
///
/// `options` is what the pool is made with, read during the call only; NULL for the defaults.
///
/// LH_NULL_POINTER; LH_BAD_SIZE: `options` was not filled by lh_pool_options_init; LH_INVALID_ARGUMENT: an option means nothing, or is of
/// a later version of the library, or the name is not UTF-8; LH_NO_MEMORY: for a copy of the name; LH_NO_CLOCK; LH_NO_THREAD: the pool is to evict, and there is no thread for that; LH_TOO_MANY: 1,024
/// pools are there. Thread-safe. O(pools).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_pool_create(
    options: *const lh_pool_options,
    pool: *mut lh_pool,
) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let (output, options) = unsafe { (Output::new(pool)?, sized::read(options)?) };
        // SAFETY: the caller's promise.
        let made = unsafe { pools::add(&options)? };
        let is_served = |pool: &Arc<Pool>| !pool.eviction.is_wanted() || pool.is_tended();
        if !pools::find(made).is_some_and(|pool| is_served(&pool)) {
            pools::remove(made);
            return Err(LH_NO_THREAD);
        }
        if let Some(pool) = pools::find(made) {
            log::info!("{} made", pool.name);
        }
        output.write(made);
        Ok(LH_OK)
    })
}

/// Ends a pool: shuts it down immediately (see lh_pool_shutdown) and forgets its handle and those of its routes, leases
/// and requests.
///
/// When it returns, the disposal callback has had every connection, those still leased with LH_CAUSE_REVOKED, and every
/// request's callback was called with LH_SHUT_DOWN. Excepted is what calls of other threads of the program have under way. No callback
/// of the pool's comes from a thread of the library's own any more.
///
/// What it waits for, and how long:
///
/// - The callbacks that it makes itself, on this thread, one after the other: as long as they take.
/// - Callbacks of this pool on threads of the library's own, those that are under way and those that are due: as long as they take. So
///   hold no lock that one of them takes. A disposal there that hangs has its socket shut down after a second, if the pool was given it.
/// - The end of the library's own threads, where this is the last pool that needs them: three seconds at most, should a callback of
///   another pool hang there.
///
/// It does not wait for leases, nor for calls of other threads. Those end with LH_SHUT_DOWN, also where they wait, and later ones with
/// LH_NO_POOL. To let leases end, say lh_pool_drain before. A thread that must not wait, an event loop's, says lh_pool_shutdown and leaves
/// this call to another.
///
/// LH_NO_POOL; LH_IN_CALLBACK: it was called in a callback, whatever pool that serves. Shut the pool down there, and destroy it later.
/// Thread-safe. O(connections + waiters).
#[unsafe(no_mangle)]
pub extern "C" fn lh_pool_destroy(pool: lh_pool) -> lh_status {
    answer(|| {
        if may_not_wait() {
            pools::find(pool).ok_or(LH_NO_POOL)?;
            return Err(LH_IN_CALLBACK);
        }
        let pool = pools::remove(pool).ok_or(LH_NO_POOL)?;
        let leased = pool.engine.stats().leased;
        if leased > 0 {
            log::warn!("{} destroyed with {leased} leased", pool.name);
        } else {
            log::info!("{} destroyed", pool.name);
        }
        pool.shutdown(lh_shutdown::LH_SHUTDOWN_IMMEDIATE);
        // Rights to open are not revoked by that, and who waits for them is not to wait on.
        pool.drain.look();
        pool.care.leave();
        pools::forget_recent();
        Ok(LH_OK)
    })
}

/// Shuts a pool down. Leases and requests that wait end with LH_SHUT_DOWN, as do all later ones. Idle connections are disposed of. It
/// waits for nothing but the callbacks that it makes itself.
///
/// `mode` is an lh_shutdown. Gracefully: leases go on, and their connections are disposed of when they end. Immediately: connections that
/// are leased are disposed of at once, with LH_CAUSE_REVOKED, although another thread may be using them. Their leases are dead then, and
/// ending one is LH_NO_LEASE. A program that does this with leases in use had better have its disposal callback call shutdown(2) on the
/// socket, and leave closing and freeing to the lease's thread. May be called again. O(connections + waiters).
///
/// LH_NO_POOL, LH_INVALID_ARGUMENT: `mode` is no lh_shutdown. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_pool_shutdown(pool: lh_pool, mode: u32) -> lh_status {
    answer(|| {
        let mode = lh_shutdown::try_from(mode)?;
        with_pool(pool, |pool| {
            pool.shutdown(mode);
            Ok(LH_OK)
        })
    })
}

/// Shuts a pool down gracefully (see lh_pool_shutdown), and waits until every lease has ended, or until `timeout_ms` milliseconds of the
/// machine's clock are over. Writes to `left` how many leases have not ended, those that are rights to open a connection among them.
///
/// Those that are left go on, and lh_pool_destroy revokes them. LH_FOREVER waits for the last of them, 0 for none. A lease that has ended
/// is not waited for any more, although the disposal callback may still be busy with its connection, on the thread that ended it or on one
/// of the library's own. The thread sleeps meanwhile. May be called again, and on several threads at once. O(connections + waiters).
///
/// LH_NULL_POINTER; LH_IN_CALLBACK: it was called in a callback, and has done nothing; LH_NO_POOL: also where another thread destroys the
/// pool meanwhile. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_pool_drain(
    pool: lh_pool,
    timeout_ms: u64,
    left: *mut u32,
) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let output = unsafe { Output::new(left)? };
        with_pool(pool, |pool| {
            if may_not_wait() {
                return Err(LH_IN_CALLBACK);
            }
            pool.shutdown(lh_shutdown::LH_SHUTDOWN_GRACEFUL);
            let leased = || pool.engine.stats().leased;
            pool.drain.wait(deadline_of(timeout_ms), || {
                leased() > 0 && !pool.is_destroyed()
            });
            if pool.is_destroyed() {
                return Err(LH_NO_POOL);
            }
            output.write(leased());
            Ok(LH_OK)
        })
    })
}

/// LH_SHUT_DOWN where the pool was shut down, else LH_OK. Takes no lock.
///
/// LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_pool_check(pool: lh_pool) -> lh_status {
    answer(|| {
        with_pool(pool, |pool| match pool.engine.is_shut_down() {
            true => Err(LH_SHUT_DOWN),
            false => Ok(LH_OK),
        })
    })
}

/// Changes the limit of all routes together. A raised limit serves those who wait at once. A lowered one disposes of idle connections at
/// once, least recently released first, and of leased ones when their leases end, with LH_CAUSE_OVER_LIMIT. O(what it serves or disposes
/// of).
///
/// LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_pool_set_max_total(pool: lh_pool, max: u32) -> lh_status {
    change(pool, |engine, effects| engine.set_max_total(max, effects))
}

/// Changes the limit of each route that has none of its own by lh_route_set_max. What a raised and a lowered limit do is said at
/// lh_pool_set_max_total. O(routes).
///
/// LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_pool_set_default_max_per_route(pool: lh_pool, max: u32) -> lh_status {
    change(pool, |engine, effects| {
        engine.set_default_max_per_route(max, effects);
    })
}

/// Writes the limit of each route that has none of its own. LH_UNLIMITED reads as 524,288. That in total is in lh_pool_stats.
///
/// LH_NULL_POINTER, LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_pool_default_max_per_route(pool: lh_pool, max: *mut u32) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let output = unsafe { Output::new(max)? };
        with_pool(pool, |pool| {
            output.write(pool.engine.default_max_per_route());
            Ok(LH_OK)
        })
    })
}

/// Disposes of every idle connection whose keep-alive time or time to live is over. O(closed · log(connections)).
///
/// A lease disposes of those of its own route that it comes across. Call this now and then where routes fall out of use.
///
/// LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_pool_close_expired(pool: lh_pool) -> lh_status {
    change(pool, |engine, effects| engine.close_expired(effects))
}

/// Disposes of every connection that has been idle for `ms` milliseconds or longer; with 0, of all that are idle.
/// O(closed).
///
/// LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_pool_close_idle(pool: lh_pool, ms: u64) -> lh_status {
    change(pool, |engine, effects| engine.close_idle(ms, effects))
}

/// Lets nobody have a connection from now on: leases and requests wait until lh_pool_resume, as long as they would for one to come free,
/// and lh_pool_try_lease is LH_EXHAUSTED. So a server can be moved or its certificates changed without a request failing. Does nothing
/// where the pool is suspended already.
///
/// Leases go on and end as ever, and a right to open a connection that is out may be used. What is idle is watched and disposed of as
/// ever, and so it is by all functions of this header; limits may be changed, and the pool shut down, which all who wait are told. From the
/// return on no call is served that begins then, on whatever thread, and none that waits. One that has begun may be.
///
/// LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_pool_suspend(pool: lh_pool) -> lh_status {
    change(pool, |engine, effects| engine.suspend(effects))
}

/// Ends what lh_pool_suspend began, however often that was called. Those who wait are served in the order of their arrival, as far as the
/// limits allow, before anybody who comes now. Does nothing where the pool is not suspended. O(routes + served).
///
/// LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_pool_resume(pool: lh_pool) -> lh_status {
    change(pool, |engine, effects| engine.resume(effects))
}

/// Writes 1 where the pool is suspended, else 0; a shutdown leaves that as it is. Takes no lock.
///
/// LH_NULL_POINTER, LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_pool_is_suspended(pool: lh_pool, suspended: *mut u32) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let output = unsafe { Output::new(suspended)? };
        with_pool(pool, |pool| {
            output.write(u32::from(pool.engine.is_suspended()));
            Ok(LH_OK)
        })
    })
}

fn change(pool: lh_pool, call: impl FnOnce(&Engine, &mut Effects)) -> lh_status {
    answer(|| {
        with_pool(pool, |pool| {
            pool.with_effects(call);
            Ok(LH_OK)
        })
    })
}
