//! Pools: made, limited, cleaned and ended.

use std::cell::Cell as ThreadCell;
use std::ffi::c_void;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use leasehold::Watching;
use leasehold::engine::{Clock, Config, Effects, Engine, Segments, ShutdownMode, StateId, Ticket};
use leasehold::face::{Deadlines, Eviction, Interner, Membership, States, Tended};

use crate::boundary::{Output, answer, from_number};
use crate::care::Care;
use crate::cells::{Cell, Kept};
use crate::clock::find_clock;
use crate::delivery::is_in_callback;
use crate::disposal::{lh_cause, lh_dispose_callback};
use crate::handles::lh_pool;
use crate::options::{self, lh_policy, lh_pool_options, lh_watching};
use crate::probe::borrow;
use crate::status::*;
use crate::table::Table;
use crate::waiters::Waiters;

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

/// What is behind an lh_pool.
pub(crate) struct Pool {
    pub(crate) id: u64,
    /// Written by lh_pool_destroy.
    is_destroyed: AtomicBool,
    pub(crate) engine: Engine,
    /// What is kept of each connection, by its entry's slot.
    pub(crate) cells: Segments<Cell>,
    pub(crate) waiters: Waiters,
    pub(crate) routes: Interner<Box<[u8]>>,
    pub(crate) states: States,
    pub(crate) deadlines: Deadlines<Ticket>,
    pub(crate) care: Arc<Care>,
    pub(crate) eviction: Eviction,
    pub(crate) watching: Watching,
    pub(crate) disposes_apart: bool,
    pub(crate) dispose: lh_dispose_callback,
    pub(crate) dispose_context: *mut c_void,
}

// SAFETY: the contexts and the connections' data are the program's, given for use on any thread; here they are only
// passed on. Everything else is Send.
unsafe impl Send for Pool {}
// SAFETY: as above.
unsafe impl Sync for Pool {}

static POOLS: Table<Pool> = Table::new();

thread_local! {
    /// The pool that this thread has used last: finding it again touches nothing that threads share. It may be a
    /// destroyed one, whose memory is free when the thread uses another pool or ends.
    static RECENT: ThreadCell<Option<Arc<Pool>>> = const { ThreadCell::new(None) };
}

/// Runs `body` with the pool that has a handle. It lives as long as `body` runs, whoever destroys it.
#[inline]
pub(crate) fn with_pool<T>(
    pool: lh_pool,
    body: impl FnOnce(&Arc<Pool>) -> Result<T, lh_status>,
) -> Result<T, lh_status> {
    // Taken, not borrowed, so a callback may come here again. Fails while the thread ends: then the table serves.
    let recent = RECENT.try_with(ThreadCell::take).ok().flatten();
    let pool = match recent {
        Some(recent) if recent.id == pool.id && !recent.is_destroyed.load(Relaxed) => recent,
        _ => POOLS.get(pool.id).ok_or(LH_NO_POOL)?,
    };
    let outcome = body(&pool);
    let _ = RECENT.try_with(|recent| recent.set(Some(pool)));
    outcome
}

impl Pool {
    fn new(
        id: u64,
        others: &mut dyn Iterator<Item = &Pool>,
        options: &lh_pool_options,
        watching: Watching,
        config: Config,
    ) -> Pool {
        let taken: Vec<u32> = others.map(|pool| pool.engine.tag()).collect();
        // Tags come round after 2047 pools. No two that are alive share one, so a foreign handle is always noticed.
        let mut engine = Engine::new(config.clone());
        while taken.contains(&engine.tag()) {
            engine = Engine::new(config.clone());
        }
        Pool {
            id,
            is_destroyed: AtomicBool::new(false),
            engine,
            cells: Segments::new(),
            waiters: Waiters::new(),
            routes: Interner::new(),
            states: States::default(),
            deadlines: Deadlines::default(),
            care: Arc::default(),
            eviction: Eviction {
                expired: options.evict_expired != 0,
                idle: (options.evict_idle_ms != 0).then_some(options.evict_idle_ms),
            },
            watching,
            disposes_apart: options.dispose_apart != 0,
            dispose: options.dispose,
            dispose_context: options.dispose_context,
        }
    }

    /// The pool's place with the housekeeper, which it takes with the first call. `None` when it has left.
    pub(crate) fn membership(self: &Arc<Self>) -> Option<Arc<Membership>> {
        self.care.membership(|| {
            let pool: Arc<dyn Tended> = Arc::clone(self) as _;
            Membership::join(&pool, self.engine.clock())
        })
    }

    /// Has the pool told when the peer of this opening closes it. False where only a probe can tell.
    pub(crate) fn watch(self: &Arc<Self>, socket: RawFd, slot: u32, opening: u16) -> bool {
        self.membership()
            .is_some_and(|membership| membership.watch(borrow(socket), slot, opening))
    }

    /// Before the program gets a watched socket back, and closes it.
    pub(crate) fn unwatch(self: &Arc<Self>, socket: RawFd) {
        if let Some(membership) = self.membership() {
            membership.unwatch(borrow(socket));
        }
    }

    /// Takes a victim's connection and gives its slot free. `None` if it was still to be opened.
    pub(crate) fn take_victim(self: &Arc<Self>, slot: u32) -> Option<Kept> {
        let connection = self.take_connection(slot);
        self.engine.ack(slot);
        connection
    }

    /// Takes the connection out of the slot of its owner, who is to dispose of it.
    pub(crate) fn take_connection(self: &Arc<Self>, slot: u32) -> Option<Kept> {
        let cell = self.cells.grow_to(slot);
        let connection = cell.take();
        self.states.release(cell.replace_state(StateId::NONE));
        let socket = connection.as_ref().and_then(|kept| kept.socket);
        if let Some(socket) = socket.filter(|socket| socket.is_watched) {
            self.unwatch(socket.descriptor);
        }
        connection
    }

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

fn config_of(options: &lh_pool_options) -> Result<Config, lh_status> {
    Ok(Config {
        max_total: options.max_total,
        max_per_route: options.max_per_route,
        max_waiters: options.max_waiters,
        policy: lh_policy::try_from(options.policy)?.into(),
        barging: options.barging != 0,
        time_to_live: (options.time_to_live_ms != 0).then_some(options.time_to_live_ms),
        clock: match options.clock.id {
            0 => Clock::monotonic(),
            _ => Clock::manual(&find_clock(options.clock)?),
        },
        ..Config::default()
    })
}

/// Makes a pool. No connection is opened. Destroy it with lh_pool_destroy.
///
/// A thread of the library's own, one for all pools, is started by the first of them that needs it: for its first socket
/// that is watched, its first request with a timeout, its first disposal with `dispose_apart`, or at once for evict_expired
/// and evict_idle_ms. It ends with the last of those pools.
///
/// `options` is what it is made with, read during the call only; NULL for the defaults.
///
/// LH_NULL_POINTER, LH_BAD_SIZE, LH_INVALID_ARGUMENT: an option means nothing, or is of a later version; LH_NO_CLOCK,
/// LH_TOO_MANY: 1,024 pools are there. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_pool_create(
    options: *const lh_pool_options,
    pool: *mut lh_pool,
) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let (output, options) = unsafe { (Output::new(pool)?, options::read(options)?) };
        let config = config_of(&options)?;
        let watching = lh_watching::try_from(options.watching)?.into();
        let id = POOLS
            .insert(|id, others| Pool::new(id, others, &options, watching, config))
            .ok_or(LH_TOO_MANY)?;
        log::info!("pool {id:#x} made");
        if let Some(pool) = POOLS.get(id).filter(|pool| pool.eviction.is_wanted()) {
            pool.membership();
        }
        output.write(lh_pool { id });
        Ok(LH_OK)
    })
}

/// Ends a pool: shuts it down immediately (see lh_pool_shutdown) and forgets its handle and those of its routes, leases
/// and requests.
///
/// When it returns, the disposal callback has had every connection, those still leased with LH_CAUSE_REVOKED, and every
/// request's callback was called with LH_SHUT_DOWN, except by calls under way on other threads of the program. No callback
/// of the pool's comes from a thread of the library's own any more, and with the last pool that needed them those threads
/// have ended: it waits for callbacks under way on them, so hold no lock that one of them takes. Called in a callback, it
/// waits for no other; with that last pool, on a thread of the program's own, it then waits for the end of the library's
/// threads for three seconds at most.
///
/// To end a pool without revoking anything, shut it down gracefully and wait until its lh_stats say that nothing is leased.
/// Calls of other threads may be under way, also waiting ones: they end with LH_SHUT_DOWN, later ones with LH_NO_POOL.
///
/// LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_pool_destroy(pool: lh_pool) -> lh_status {
    answer(|| {
        let pool = POOLS.remove(pool.id).ok_or(LH_NO_POOL)?;
        pool.is_destroyed.store(true, Relaxed);
        let leased = pool.engine.stats().leased;
        if leased > 0 {
            log::warn!("pool {:#x} destroyed with {leased} leased", pool.id);
        } else {
            log::info!("pool {:#x} destroyed", pool.id);
        }
        pool.shutdown(lh_shutdown::LH_SHUTDOWN_IMMEDIATE);
        pool.care.leave(is_in_callback());
        // This thread need not remember it.
        let _ = RECENT.try_with(ThreadCell::take);
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
