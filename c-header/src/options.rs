//! Structs of options, and the numbers that stand for no number.

use std::ffi::{c_char, c_void};
use std::mem::{offset_of, size_of};
use std::ptr::null;

use leasehold::Watching;
use leasehold::engine::Policy;

use crate::boundary::{answer, from_number};
use crate::disposal::lh_dispose_callback;
use crate::handles::lh_clock;
use crate::sized::{Growing, Options, fill};
use crate::status::*;

/// For ever: as a timeout, or as the time to keep a connection.
pub const LH_FOREVER: u64 = u64::MAX;

/// As the time to keep a connection: for what lh_lease_update_expiry said last, in this lease or an earlier one.
pub const LH_KEEP_AS_BEFORE: u64 = u64::MAX - 1;

/// No limit, as a limit. A pool can have 524,288 connections at most. A larger limit means that number.
pub const LH_UNLIMITED: u32 = u32::MAX;

/// Which idle connection of a route is handed out first.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum lh_policy {
    /// The most recently released: few connections do the work and the others age out. That is exact as long as threads do not use
    /// the pool's idle list at the same moment more than a hundred times in ten seconds, as they do from some thousands of leases in a
    /// second on. The pool then keeps several lists: each thread takes first what it has released last itself, and after that what
    /// others have. The pool goes back to one list when threads have met less often for ten to twenty seconds.
    LH_POLICY_LIFO = 0,
    /// The least recently released: all connections are used in turn.
    LH_POLICY_FIFO = 1,
}

from_number!(lh_policy: LH_POLICY_LIFO, LH_POLICY_FIFO);

impl From<lh_policy> for Policy {
    fn from(policy: lh_policy) -> Policy {
        match policy {
            lh_policy::LH_POLICY_LIFO => Policy::Lifo,
            lh_policy::LH_POLICY_FIFO => Policy::Fifo,
        }
    }
}

/// How a pool finds out that the peer of an idle connection has closed it. It needs to know the connection's socket for that: see
/// lh_lease_opened_socket.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum lh_watching {
    /// Not at all: whoever uses the connection finds out.
    LH_WATCHING_OFF = 0,
    /// One look at the socket when the connection is leased: a system call of half a microsecond.
    LH_WATCHING_PROBE = 1,
    /// The system tells the library's thread, which has the connection disposed of at once. A lease makes no system call. Until that
    /// thread has run after the peer's close, the connection may still be handed out: mostly that is a fraction of a millisecond, but it
    /// lasts as long as other threads keep the library's from a processor. When many close at once, all are noted before the first of them
    /// is disposed of. One that the system does not watch is probed.
    LH_WATCHING_WATCH = 2,
    /// Both: nothing stays open that its peer has closed, and nothing is handed out whose peer's close has arrived.
    LH_WATCHING_BOTH = 3,
}

from_number!(lh_watching: LH_WATCHING_OFF, LH_WATCHING_PROBE, LH_WATCHING_WATCH, LH_WATCHING_BOTH);

impl From<lh_watching> for Watching {
    fn from(watching: lh_watching) -> Watching {
        match watching {
            lh_watching::LH_WATCHING_OFF => Watching::Off,
            lh_watching::LH_WATCHING_PROBE => Watching::Probe,
            lh_watching::LH_WATCHING_WATCH => Watching::Watch,
            lh_watching::LH_WATCHING_BOTH => Watching::Both,
        }
    }
}

/// What a pool is made with. Fill it with lh_pool_options_init, then change what you want otherwise.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lh_pool_options {
    /// The size of this struct as the program knows it. Set by lh_pool_options_init.
    pub size: usize,
    /// Most connections of all routes together: leased, idle and being opened. With 0 every lease waits. LH_UNLIMITED by default.
    pub max_total: u32,
    /// Most connections of a route that has no limit of its own by lh_route_set_max. With 0 every lease waits. LH_UNLIMITED by default.
    pub default_max_per_route: u32,
    /// Most leases and requests that may wait at once; one more is refused. LH_UNLIMITED by default.
    pub max_waiters: u32,
    /// An lh_policy. LH_POLICY_LIFO by default.
    pub policy: u32,
    /// Not 0: a newcomer may take a released connection before those who wait. That gives more throughput where leases are very
    /// short, but no order, and no bound on the waiting time. 0 by default: requests are served in the order of arrival.
    pub barging: u32,
    /// An lh_watching. LH_WATCHING_BOTH by default.
    pub watching: u32,
    /// Milliseconds after its opening at which a connection is closed, however busy it is. 0, the default, is never.
    pub time_to_live_ms: u64,
    /// Gets every connection that the pool gives up. NULL, the default: nothing needs to be done.
    pub dispose: lh_dispose_callback,
    /// Passed to `dispose` as it is.
    pub dispose_context: *mut c_void,
    /// Where time comes from: a clock that a test moves, or id 0, the default, for the machine's monotonic clock.
    pub clock: lh_clock,
    /// Disposes of connections that have been idle for this many milliseconds or longer, within a second. 0, the default, is
    /// never: then lh_pool_close_idle does it when it is called.
    pub evict_idle_ms: u64,
    /// Not 0: disposes of idle connections whose keep-alive time or time to live is over, within a second. 0 by default: a
    /// lease disposes of those of its own route that it comes across, and lh_pool_close_expired of all.
    pub evict_expired: u32,
    /// Not 0: `dispose` is called on a thread of the library's own also for what calls of the program bring about. That is for
    /// connections whose close may take its time, as a TLS goodbye may: no call waits for it. A connection may then be opened in place of
    /// one whose disposal is still to come. 0 by default: those calls dispose of it themselves. They also do so where the system has no
    /// thread to give. See lh_dispose_callback.
    pub dispose_apart: u32,
    /// The pool's name, for log lines and lh_pool_describe; a string, which is copied. NULL, the default: `pool-` and a number that no other
    /// pool of the process has.
    pub name: *const c_char,
}

// SAFETY: the members up to `clock` are as old as the struct.
unsafe impl Growing for lh_pool_options {
    const FIRST_SIZE: usize = offset_of!(Self, evict_idle_ms);
}

// SAFETY: it begins with its size.
unsafe impl Options for lh_pool_options {}

impl Default for lh_pool_options {
    fn default() -> Self {
        lh_pool_options {
            size: size_of::<Self>(),
            max_total: LH_UNLIMITED,
            default_max_per_route: LH_UNLIMITED,
            max_waiters: LH_UNLIMITED,
            policy: lh_policy::LH_POLICY_LIFO as u32,
            barging: 0,
            watching: lh_watching::LH_WATCHING_BOTH as u32,
            time_to_live_ms: 0,
            dispose: None,
            dispose_context: std::ptr::null_mut(),
            clock: lh_clock { id: 0 },
            evict_idle_ms: 0,
            evict_expired: 0,
            dispose_apart: 0,
            name: null(),
        }
    }
}

/// What a lease is to be like. Fill it with lh_lease_options_init, then change what you want otherwise.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lh_lease_options {
    /// The size of this struct as the program knows it. Set by lh_lease_options_init.
    pub size: usize,
    /// Who the connection may be bound to, `state_length` bytes. The lease gets a connection that lh_lease_bind has bound to this state,
    /// or one that is bound to nobody, and no other. NULL, the default: only one that is bound to nobody.
    pub state: *const c_void,
    /// How many bytes `state` points to.
    pub state_length: usize,
    /// How many milliseconds of the pool's clock a request by lh_pool_request may wait; its callback gets LH_TIMED_OUT then.
    /// LH_FOREVER by default. lh_pool_lease and lh_pool_try_lease do not look at it.
    pub timeout_ms: u64,
}

// SAFETY: the members up to `state_length` are as old as the struct.
unsafe impl Growing for lh_lease_options {
    const FIRST_SIZE: usize = offset_of!(Self, timeout_ms);
}

// SAFETY: it begins with its size.
unsafe impl Options for lh_lease_options {}

impl Default for lh_lease_options {
    fn default() -> Self {
        lh_lease_options {
            size: size_of::<Self>(),
            state: null(),
            state_length: 0,
            timeout_ms: LH_FOREVER,
        }
    }
}

/// Fills a struct of options with the defaults. `size` is sizeof(lh_pool_options).
///
/// LH_NULL_POINTER; LH_BAD_SIZE: no version of the struct has that `size`. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_pool_options_init(
    options: *mut lh_pool_options,
    size: usize,
) -> lh_status {
    // SAFETY: the caller's promise.
    answer(|| unsafe { fill(options, size) })
}

/// Fills a struct of options with the defaults. `size` is sizeof(lh_lease_options).
///
/// LH_NULL_POINTER; LH_BAD_SIZE: no version of the struct has that `size`. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_lease_options_init(
    options: *mut lh_lease_options,
    size: usize,
) -> lh_status {
    // SAFETY: the caller's promise.
    answer(|| unsafe { fill(options, size) })
}
