//! A pool's numbers, and the list of its connections.

use std::ffi::{c_char, c_void};
use std::mem::size_of;
use std::ptr::null;
use std::time::Duration;

use leasehold::engine::{Counters, Metrics, Stats, Use};
use leasehold::face::describe;

use crate::boundary::{Buffer, Output, answer};
use crate::delivery::in_entry_callback;
use crate::handles::{lh_lease, lh_pool, lh_route};
use crate::options::LH_FOREVER;
use crate::pools::with_pool;
use crate::sized::{Growing, SizedOutput};
use crate::status::*;

/// Numbers of connections and requests, of a pool or of a route. They are exact when no call is under way, and plausible otherwise.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lh_stats {
    /// Connections leased or being opened.
    pub leased: u32,
    /// Leases and requests that wait.
    pub pending: u32,
    /// Connections idle, expired ones included until they are noticed.
    pub available: u32,
    /// The limit: of a pool the one in total; of a route its own or, where it has none, the default. LH_UNLIMITED reads as 524,288.
    pub max: u32,
}

// SAFETY: numbers, all of which the first version has.
unsafe impl Growing for lh_stats {
    const FIRST_SIZE: usize = 16;
}

impl From<Stats> for lh_stats {
    fn from(stats: Stats) -> lh_stats {
        lh_stats {
            leased: stats.leased,
            pending: stats.pending,
            available: stats.available,
            max: stats.max,
        }
    }
}

/// How many connections a pool has disposed of since it was made, by reason. What a lease asked for and what the shutdown of the pool
/// brought about is not counted. Numbers only grow.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct lh_counters {
    /// The peer had closed it, and the watch told.
    pub closed_by_peer: u64,
    /// The peer had closed it, or sent what nobody asked for, and only the probe at the lease found out.
    pub stale: u64,
    /// Its keep-alive time or its time to live was over.
    pub expired: u64,
    /// It was idle for too long.
    pub idle: u64,
    /// It made room for a connection to another route or for another state.
    pub evicted: u64,
    /// A limit was lowered below what was there.
    pub over_limit: u64,
    /// Its route was cleared.
    pub cleared: u64,
}

// SAFETY: numbers, all of which the first version has.
unsafe impl Growing for lh_counters {
    const FIRST_SIZE: usize = 56;
}

impl From<Counters> for lh_counters {
    fn from(counters: Counters) -> lh_counters {
        lh_counters {
            closed_by_peer: counters.closed_by_peer,
            stale: counters.stale,
            expired: counters.expired,
            idle: counters.idle,
            evicted: counters.evicted,
            over_limit: counters.over_limit,
            cleared: counters.cleared,
        }
    }
}

/// What has become of the requests and connections of a pool since it was made, or of a route since it was opened. Numbers only grow; they
/// are exact when no call is under way. `hits`, `handed_over` and `openings` together are the requests that were served.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct lh_metrics {
    /// Requests that were served with a connection that lay idle.
    pub hits: u64,
    /// Requests that were served with a connection that another had just released: they waited for it.
    pub handed_over: u64,
    /// Requests that were served with a vacancy.
    pub openings: u64,
    /// Requests that had to wait, however that ended.
    pub waited: u64,
    /// Of those that waited: whose time was up first.
    pub timed_out: u64,
    /// Of those that waited: that were cancelled first.
    pub cancelled: u64,
    /// Requests that were refused because as many waited as the pool allows, and those that the pool's shutdown found waiting.
    pub refused: u64,
    /// Connections that were opened, those in the place of one that was found dead included.
    pub opened: u64,
    /// Vacancies that were given back without a connection.
    pub unopened: u64,
    /// Releases by which the pool, or a request that waited, got the connection.
    pub kept: u64,
    /// Connections that were closed because their lease asked for it.
    pub closed_by_lease: u64,
    /// Connections that were closed because the pool was shut down.
    pub closed_by_shutdown: u64,
    /// Connections that the pool has closed of its own accord, by reason, and those found stale: as in lh_counters.
    pub closed_by_peer: u64,
    /// As in lh_counters.
    pub stale: u64,
    /// As in lh_counters.
    pub expired: u64,
    /// As in lh_counters.
    pub idle: u64,
    /// As in lh_counters.
    pub evicted: u64,
    /// As in lh_counters.
    pub over_limit: u64,
    /// As in lh_counters.
    pub cleared: u64,
}

// SAFETY: numbers, all of which the first version has.
unsafe impl Growing for lh_metrics {
    const FIRST_SIZE: usize = 152;
}

impl From<Metrics> for lh_metrics {
    fn from(metrics: Metrics) -> lh_metrics {
        lh_metrics {
            hits: metrics.hits,
            handed_over: metrics.handed_over,
            openings: metrics.openings,
            waited: metrics.waited,
            timed_out: metrics.timed_out,
            cancelled: metrics.cancelled,
            refused: metrics.refused,
            opened: metrics.opened,
            unopened: metrics.unopened,
            kept: metrics.kept,
            closed_by_lease: metrics.closed_by_lease,
            closed_by_shutdown: metrics.closed_by_shutdown,
            closed_by_peer: metrics.closed.closed_by_peer,
            stale: metrics.closed.stale,
            expired: metrics.closed.expired,
            idle: metrics.closed.idle,
            evicted: metrics.closed.evicted,
            over_limit: metrics.closed.over_limit,
            cleared: metrics.closed.cleared,
        }
    }
}

/// What a connection is doing.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum lh_use {
    /// Leased, and not opened yet.
    LH_USE_OPENING = 0,
    /// Leased.
    LH_USE_LEASED = 1,
    /// Idle.
    LH_USE_IDLE = 2,
}

/// One connection of a pool as it was when it was looked at.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lh_entry {
    /// The size of this struct as the library knows it. A member that lies beyond is not there.
    pub size: usize,
    /// What it goes to. Valid as a handle as long as the program holds the route.
    pub route: lh_route,
    /// The lease that it is in or, if it is idle, was last in.
    pub lease: lh_lease,
    /// The name of the route, `route_length` bytes, valid during the call only.
    pub route_name: *const c_char,
    /// How many bytes the name has.
    pub route_length: usize,
    /// For how many milliseconds it has been idle; 0 if it is not.
    pub idle_ms: u64,
    /// In how many milliseconds it expires, 0 if it has; LH_FOREVER if it does not.
    pub expires_in_ms: u64,
    /// What it is doing.
    pub used: lh_use,
    /// 0.
    pub reserved: u32,
    /// For how many milliseconds it has been leased or, if that was later, granted as a vacancy or opened; 0 if it is idle.
    pub leased_ms: u64,
    /// What lh_lease_set_tag has said of its lease; NULL if nothing, or if it is idle.
    pub tag: *const c_void,
}

/// Gets one connection of a pool. Answers 0 to see the next one, anything else to stop.
///
/// Called with no lock held, on the thread that called lh_pool_each_entry. It may call the pool's functions, but not wait. It must return
/// normally.
pub type lh_entry_callback =
    Option<unsafe extern "C" fn(context: *mut c_void, entry: *const lh_entry) -> i32>;

/// Writes the pool's numbers. `size` is sizeof(lh_stats). Takes no lock.
///
/// A program whose lh_stats has members that the library does not know finds 0 in them.
///
/// LH_NULL_POINTER; LH_BAD_SIZE: no version of the struct has that `size`; LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_pool_stats(
    pool: lh_pool,
    stats: *mut lh_stats,
    size: usize,
) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let output = unsafe { SizedOutput::new(stats, size)? };
        with_pool(pool, |pool| {
            output.write(pool.engine.stats().into());
            Ok(LH_OK)
        })
    })
}

/// Writes what the pool has disposed of. `size` is sizeof(lh_counters). Takes no lock.
///
/// A program whose lh_counters has members that the library does not know finds 0 in them.
///
/// LH_NULL_POINTER; LH_BAD_SIZE: no version of the struct has that `size`; LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_pool_counters(
    pool: lh_pool,
    counters: *mut lh_counters,
    size: usize,
) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let output = unsafe { SizedOutput::new(counters, size)? };
        with_pool(pool, |pool| {
            output.write(pool.engine.counters().into());
            Ok(LH_OK)
        })
    })
}

/// Writes what has become of the pool's requests and connections. `size` is sizeof(lh_metrics). O(connections); nobody waits, opens or
/// closes meanwhile, but leases and releases of idle connections go on.
///
/// A program whose lh_metrics has members that the library does not know finds 0 in them.
///
/// LH_NULL_POINTER; LH_BAD_SIZE: no version of the struct has that `size`; LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_pool_metrics(
    pool: lh_pool,
    metrics: *mut lh_metrics,
    size: usize,
) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let output = unsafe { SizedOutput::new(metrics, size)? };
        with_pool(pool, |pool| {
            output.write(pool.engine.metrics().into());
            Ok(LH_OK)
        })
    })
}

/// Writes the same of a route, as long as the program holds it. `size` is sizeof(lh_metrics). O(connections of the pool).
///
/// A program whose lh_metrics has members that the library does not know finds 0 in them.
///
/// LH_NULL_POINTER; LH_BAD_SIZE: no version of the struct has that `size`; LH_NO_POOL; LH_NO_ROUTE. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_route_metrics(
    pool: lh_pool,
    route: lh_route,
    metrics: *mut lh_metrics,
    size: usize,
) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let output = unsafe { SizedOutput::new(metrics, size)? };
        with_pool(pool, |pool| {
            let metrics = pool.engine.route_metrics(route.to_id());
            output.write(metrics.map_err(|_| LH_NO_ROUTE)?.into());
            Ok(LH_OK)
        })
    })
}

/// Calls `callback` for every connection of the pool, each once, as it was when this function looked at it. O(connections).
///
/// LH_NULL_POINTER: `callback` is NULL; LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_pool_each_entry(
    pool: lh_pool,
    callback: lh_entry_callback,
    context: *mut c_void,
) -> lh_status {
    answer(|| {
        let callback = callback.ok_or(LH_NULL_POINTER)?;
        with_pool(pool, |pool| {
            for info in pool.engine.entries() {
                let Some(name) = pool.routes.key_of(info.route) else {
                    continue;
                };
                let entry = lh_entry {
                    size: size_of::<lh_entry>(),
                    route: info.route.into(),
                    lease: info.handle.into(),
                    route_name: name.as_ptr().cast(),
                    route_length: name.len(),
                    idle_ms: info
                        .idle_since
                        .filter(|_| info.used == Use::Idle)
                        .unwrap_or(0),
                    expires_in_ms: info.expires_in.unwrap_or(LH_FOREVER),
                    used: match info.used {
                        Use::Opening => lh_use::LH_USE_OPENING,
                        Use::Leased => lh_use::LH_USE_LEASED,
                        Use::Idle => lh_use::LH_USE_IDLE,
                    },
                    reserved: 0,
                    leased_ms: info.leased_for.unwrap_or(0),
                    tag: match info.used {
                        Use::Idle => null(),
                        _ => pool.tags.of(info.handle),
                    },
                };
                // SAFETY: the caller's promise; the entry and the name live until it returns.
                let answer = in_entry_callback(|| unsafe { callback(context, &raw const entry) });
                if answer != 0 {
                    break;
                }
            }
            Ok(LH_OK)
        })
    })
}

/// Says in words what the pool looks like to who asks for `route`, say for a log line after LH_TIMED_OUT: its name, whether it is
/// suspended, how many are leased, idle and waiting, of how many, in the pool and of the route, how old the oldest lease is, and its tag,
/// if it has one.
///
/// Copies the text into `buffer`, up to `capacity` bytes, without a terminating NUL, and writes to `length` how many it has, which may be
/// more. NULL and 0 ask for the length only. The words may change with any version. O(connections), takes no lock.
///
/// LH_NULL_POINTER: `length`, or `buffer` with a capacity other than 0; LH_NO_POOL, LH_NO_ROUTE. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_pool_describe(
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
            let engine = &pool.engine;
            let of_route = engine.route_stats(route.to_id()).ok_or(LH_NO_ROUTE)?;
            let oldest = engine.oldest_lease();
            let tag = oldest.map_or(null(), |(lease, _)| pool.tags.of(lease));
            let tag = (!tag.is_null()).then(|| format!("tag {tag:p}"));
            let age = oldest.map(|(_, age)| Duration::from_millis(age));
            let holder = tag.as_ref().map(|tag| tag as &dyn std::fmt::Display);
            let mut text = String::new();
            // A string takes all that is written to it.
            let (suspended, of_pool) = (engine.is_suspended(), engine.stats());
            let _ = describe(
                &mut text, &pool.name, suspended, of_pool, of_route, age, holder,
            );
            buffer.write(text.as_bytes());
            output.write(text.len());
            Ok(LH_OK)
        })
    })
}
