//! Structs of options. Each begins with its size, so that later versions of the library can add members at the end: a
//! program built with a header of any version works with a library of any version. Beside them the numbers that stand for no number.

use std::ffi::c_void;
use std::mem::{offset_of, size_of};
use std::ptr::null;

use leasehold::Watching;
use leasehold::engine::Policy;

use crate::boundary::{Output, answer, from_number};
use crate::disposal::lh_dispose_callback;
use crate::handles::lh_clock;
use crate::status::*;

/// For ever: as a timeout, or as the time to keep a connection.
pub const LH_FOREVER: u64 = u64::MAX;

/// As the time to keep a connection: until what lh_lease_update_expiry said last, in this lease or an earlier one.
pub const LH_KEEP_AS_BEFORE: u64 = u64::MAX - 1;

/// No limit, as a limit. The most connections that a pool can have are 524,288; larger limits mean that number.
pub const LH_UNLIMITED: u32 = u32::MAX;

/// Which idle connection of a route is handed out first.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum lh_policy {
    /// The most recently released: few connections do the work and the others age out. Exactly so as long as no two threads meet
    /// at the pool's idle list. From then on each thread takes what it has released last itself, or else what others have, until
    /// nobody has met for ten to twenty seconds and a call opens, closes, waits or cleans up.
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

/// How a pool finds out that the peer of an idle connection has closed it, for connections that lh_lease_set_socket gave a
/// socket.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum lh_watching {
    /// Not at all: whoever uses the connection finds out.
    LH_WATCHING_OFF = 0,
    /// One look at the socket when the connection is leased: a system call of half a microsecond.
    LH_WATCHING_PROBE = 1,
    /// The system tells the library's thread, which has it disposed of at once; no system call at a lease. A connection may be
    /// handed out until that thread has run after its peer's close: mostly a fraction of a millisecond, but as long as other threads
    /// keep it from its processor. Of many that close at once each is noted before the first of them is disposed of. One that the
    /// system does not watch is probed.
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
    /// Most connections in total: leased, idle and being opened. With 0 every lease waits. LH_UNLIMITED by default.
    pub max_total: u32,
    /// Most connections of one route. With 0 every lease waits. LH_UNLIMITED by default.
    pub max_per_route: u32,
    /// Most leases and requests that may wait at once; one more is refused. LH_UNLIMITED by default.
    pub max_waiters: u32,
    /// An lh_policy. LH_POLICY_LIFO by default.
    pub policy: u32,
    /// Not 0: a newcomer may take a released connection before those who wait. More throughput where leases are very
    /// short, no order, and no bound on the waiting time. 0 by default: served in the order of arrival.
    pub barging: u32,
    /// Milliseconds after its opening at which a connection is closed, however busy it is. 0, the default, is never.
    pub time_to_live_ms: u64,
    /// Gets every connection that the pool gives up. NULL, the default: nothing needs to be done.
    pub dispose: lh_dispose_callback,
    /// Passed to `dispose` as it is.
    pub dispose_context: *mut c_void,
    /// Where time comes from: a clock that a test moves, or id 0, the default, for the machine's monotonic clock.
    pub clock: lh_clock,
    /// Disposes of connections that have been idle for this many milliseconds or longer, within a second. 0, the default, is
    /// never: lh_pool_close_idle is there for when it is asked for.
    pub evict_idle_ms: u64,
    /// Not 0: disposes of idle connections whose keep-alive time or time to live is over, within a second. 0 by default: a
    /// lease meets those of its own route.
    pub evict_expired: u32,
    /// An lh_watching. LH_WATCHING_BOTH by default.
    pub watching: u32,
    /// Not 0: `dispose` is called on a thread of the library's own also for what calls of the program bring about, for
    /// connections whose close may take its time, as a TLS goodbye or a socket that lingers may: no lease waits for it. A
    /// connection may then be opened in place of one whose disposal is still to come. 0, the default, and where the system has no
    /// thread to give: those calls dispose of it themselves. See lh_dispose_callback.
    pub dispose_apart: u32,
}

// SAFETY: the members up to `clock` are as old as the struct.
unsafe impl Options for lh_pool_options {
    const FIRST_SIZE: usize = offset_of!(Self, evict_idle_ms);
}

impl Default for lh_pool_options {
    fn default() -> Self {
        lh_pool_options {
            size: size_of::<Self>(),
            max_total: LH_UNLIMITED,
            max_per_route: LH_UNLIMITED,
            max_waiters: LH_UNLIMITED,
            policy: lh_policy::LH_POLICY_LIFO as u32,
            barging: 0,
            time_to_live_ms: 0,
            dispose: None,
            dispose_context: std::ptr::null_mut(),
            clock: lh_clock { id: 0 },
            evict_idle_ms: 0,
            evict_expired: 0,
            watching: lh_watching::LH_WATCHING_BOTH as u32,
            dispose_apart: 0,
        }
    }
}

/// What a lease is to be like. Fill it with lh_lease_options_init, then change what you want otherwise.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lh_lease_options {
    /// The size of this struct as the program knows it. Set by lh_lease_options_init.
    pub size: usize,
    /// Who the connection may be bound to, `state_length` bytes: the lease gets a connection bound to this state by
    /// lh_lease_bind, or one bound to nobody, and no other. NULL, the default: only one bound to nobody.
    pub state: *const c_void,
    /// How many bytes `state` points to.
    pub state_length: usize,
    /// How many milliseconds of the pool's clock a request by lh_pool_request may wait; its callback gets LH_TIMED_OUT then.
    /// LH_FOREVER by default. Other leases do not look at it.
    pub timeout_ms: u64,
}

// SAFETY: the members up to `state_length` are as old as the struct.
unsafe impl Options for lh_lease_options {
    const FIRST_SIZE: usize = offset_of!(Self, timeout_ms);
}

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
/// LH_NULL_POINTER, LH_BAD_SIZE: `size` is smaller than any version of the struct. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_pool_options_init(
    options: *mut lh_pool_options,
    size: usize,
) -> lh_status {
    // SAFETY: the caller's promise.
    answer(|| unsafe { init(options, size) })
}

/// Fills a struct of options with the defaults. `size` is sizeof(lh_lease_options).
///
/// LH_NULL_POINTER, LH_BAD_SIZE: `size` is smaller than any version of the struct. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_lease_options_init(
    options: *mut lh_lease_options,
    size: usize,
) -> lh_status {
    // SAFETY: the caller's promise.
    answer(|| unsafe { init(options, size) })
}

/// A struct of options.
///
/// # Safety
///
/// The type is `repr(C)`, begins with its size as an `usize`, and holds nothing that is not valid whatever its bytes are
/// but pointers that the program answers for. `FIRST_SIZE` is where a member ends.
pub(crate) unsafe trait Options: Copy + Default {
    /// The size of the struct's first version.
    const FIRST_SIZE: usize;
}

/// # Safety
///
/// `options` is NULL or `size` bytes at it may be written to.
unsafe fn init<T: Options>(options: *mut T, size: usize) -> Result<lh_status, lh_status> {
    // SAFETY: the caller's promise, for as many bytes as are written below.
    unsafe { Output::new(options)? };
    if size < T::FIRST_SIZE {
        return Err(LH_BAD_SIZE);
    }
    let (bytes, defaults) = (options.cast::<u8>(), T::default());
    // SAFETY: all `size` bytes are the caller's; those after what this version knows become 0.
    unsafe {
        bytes.write_bytes(0, size);
        bytes.copy_from_nonoverlapping((&raw const defaults).cast(), size.min(size_of::<T>()));
        options.cast::<usize>().write(size);
    }
    Ok(LH_OK)
}

/// The options at `options`, the defaults for NULL and for members that the program's version does not know. Members that
/// this version does not know must be 0.
///
/// # Safety
///
/// `options` is NULL or points to as many bytes as its first member says.
pub(crate) unsafe fn read<T: Options>(options: *const T) -> Result<T, lh_status> {
    let mut known = T::default();
    if options.is_null() {
        return Ok(known);
    }
    // SAFETY: the caller's promise.
    let size = unsafe { options.cast::<usize>().read() };
    if size < T::FIRST_SIZE {
        return Err(LH_BAD_SIZE);
    }
    // Far more members than any later version will have: a size that was never set, and must not be walked along.
    if size > 4096 {
        return Err(LH_INVALID_ARGUMENT);
    }
    let bytes = options.cast::<u8>();
    let unknown = size.saturating_sub(size_of::<T>());
    // SAFETY: within `size`, which the caller says is there.
    let unknown = unsafe { std::slice::from_raw_parts(bytes.add(size - unknown), unknown) };
    if unknown.iter().any(|byte| *byte != 0) {
        return Err(LH_INVALID_ARGUMENT);
    }
    // SAFETY: as many bytes are there as are copied, and a T has room for them.
    unsafe {
        bytes.copy_to_nonoverlapping((&raw mut known).cast(), size.min(size_of::<T>()));
    }
    Ok(known)
}
