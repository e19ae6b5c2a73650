//! Pools: made, limited, cleaned and ended.

use std::sync::Arc;

use leasehold::engine::{Effects, Engine, ShutdownMode};

use crate::boundary::{Output, answer, from_number};
use crate::delivery::may_not_wait;
use crate::disposal::lh_cause;
use crate::handles::lh_pool;
use crate::options::{self, lh_pool_options};
use crate::pools::{self, Pool, with_pool};
use crate::status::*;

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
/// A thread of the library's own, one for all pools, is started by the first of them that needs it: for its first socket
/// that is watched, its first request with a timeout, its first disposal with `dispose_apart`, or at once for evict_expired
/// and evict_idle_ms. It ends with the last of those pools. Where the system has no thread to give, a line at error says so; what
/// takes one is refused then or done as the function in question says, and each call that needs the thread tries again.
///
/// `options` is what it is made with, read during the call only; NULL for the defaults.
///
/// LH_NULL_POINTER, LH_BAD_SIZE, LH_INVALID_ARGUMENT: an option means nothing, or is of a later version; LH_NO_CLOCK,
/// LH_NO_THREAD: it is to evict, and there is no thread for that; LH_TOO_MANY: 1,024 pools are there. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_pool_create(
    options: *const lh_pool_options,
    pool: *mut lh_pool,
) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let (output, options) = unsafe { (Output::new(pool)?, options::read(options)?) };
        let made = pools::add(&options)?;
        let is_served = |pool: &Arc<Pool>| !pool.eviction.is_wanted() || pool.is_tended();
        if !pools::find(made).is_some_and(|pool| is_served(&pool)) {
            pools::remove(made);
            return Err(LH_NO_THREAD);
        }
        log::info!("pool {:#x} made", made.id);
        output.write(made);
        Ok(LH_OK)
    })
}

/// Ends a pool: shuts it down immediately (see lh_pool_shutdown) and forgets its handle and those of its routes, leases
/// and requests.
///
/// When it returns, the disposal callback has had every connection, those still leased with LH_CAUSE_REVOKED, and every
/// request's callback was called with LH_SHUT_DOWN, except by calls under way on other threads of the program. No callback
/// of the pool's comes from a thread of the library's own any more, and with the last pool that needed them those threads
/// have ended: it waits for callbacks under way on them, so hold no lock that one of them takes. A callback of another pool
/// that hangs holds it up for three seconds at most. On a thread that must not wait, an event loop's, shut the pool down, which waits
/// for nothing, and leave this call to another.
///
/// To end a pool without revoking anything, shut it down gracefully and wait until its lh_stats say that nothing is leased.
/// Calls of other threads may be under way, also waiting ones: they end with LH_SHUT_DOWN, later ones with LH_NO_POOL.
///
/// LH_NO_POOL; LH_IN_CALLBACK: it was called in a callback, whatever pool that serves. Shut it down there, and destroy it later.
/// Thread-safe.
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
            log::warn!("pool {:#x} destroyed with {leased} leased", pool.id);
        } else {
            log::info!("pool {:#x} destroyed", pool.id);
        }
        pool.shutdown(lh_shutdown::LH_SHUTDOWN_IMMEDIATE);
        pool.care.leave();
        pools::forget_recent();
        Ok(LH_OK)
    })
}

/// Shuts a pool down: leases and requests that wait end with LH_SHUT_DOWN, as do all later ones; idle connections are
/// disposed of.
///
/// `mode` is an lh_shutdown. Gracefully: leases go on, and their connections are disposed of when they end. Immediately:
/// their connections are disposed of at once, on this thread, with LH_CAUSE_REVOKED, although another thread may be using
/// them; the leases are dead then, and ending one is LH_NO_LEASE. A callback that is to survive that had better call
/// shutdown(2) on the socket and leave closing and freeing to the lease's thread. May be called again. O(entries + waiters).
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

/// Changes the limit in total. Raised, it serves who waits at once; lowered, it disposes of idle connections at once,
/// least recently released first, and of leased ones when their leases end.
///
/// LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_pool_set_max_total(pool: lh_pool, max: u32) -> lh_status {
    change(pool, |engine, effects| engine.set_max_total(max, effects))
}

/// Changes the limit of every route that has none of its own, in the same way. O(routes).
///
/// LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_pool_set_max_per_route(pool: lh_pool, max: u32) -> lh_status {
    change(pool, |engine, effects| {
        engine.set_default_max_per_route(max, effects);
    })
}

/// Writes the limit of every route that has none of its own. What is beyond 524,288 reads as that.
///
/// LH_NULL_POINTER, LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_pool_max_per_route(pool: lh_pool, max: *mut u32) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let output = unsafe { Output::new(max)? };
        with_pool(pool, |pool| {
            output.write(pool.engine.default_max_per_route());
            Ok(LH_OK)
        })
    })
}

/// Disposes of every idle connection whose keep-alive time or time to live is over. O(closed · log n).
///
/// A lease meets those of its own route by itself; call this now and then where routes fall out of use.
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

fn change(pool: lh_pool, call: impl FnOnce(&Engine, &mut Effects)) -> lh_status {
    answer(|| {
        with_pool(pool, |pool| {
            pool.with_effects(call);
            Ok(LH_OK)
        })
    })
}
