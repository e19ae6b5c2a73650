//! Structs of options. Each begins with its size, so that later versions of the library can add members at the end: a
//! program built with a header of any version works with a library of any version.

use std::ffi::c_void;
use std::mem::size_of;
use std::ptr::null;

use crate::boundary::{Output, answer};
use crate::clock::lh_clock;
use crate::pool::lh_dispose_callback;
use crate::status::*;

/// No limit, as a limit. The most connections that a pool can have are 524,288; larger limits mean that number.
pub const LH_UNLIMITED: u32 = u32::MAX;

/// Which idle connection of a route is handed out first.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum lh_policy {
    /// The most recently released: few connections do the work and the others age out.
    LH_POLICY_LIFO = 0,
    /// The least recently released: all connections are used in turn.
    LH_POLICY_FIFO = 1,
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
}

impl Default for lh_lease_options {
    fn default() -> Self {
        lh_lease_options {
            size: size_of::<Self>(),
            state: null(),
            state_length: 0,
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

/// # Safety
///
/// `options` is NULL or `size` bytes at it may be written to. `T` is `repr(C)` and begins with its size.
unsafe fn init<T: Default>(options: *mut T, size: usize) -> Result<lh_status, lh_status> {
    // SAFETY: the caller's promise.
    let output = unsafe { Output::new(options)? };
    if size < size_of::<T>() {
        return Err(LH_BAD_SIZE);
    }
    output.write(T::default());
    // SAFETY: the bytes after what this version knows, up to `size`, and the size member itself, are the caller's.
    unsafe {
        options
            .cast::<u8>()
            .add(size_of::<T>())
            .write_bytes(0, size - size_of::<T>());
        options.cast::<usize>().write(size);
    }
    Ok(LH_OK)
}

/// The options at `options`, the defaults for NULL. Members that this version does not know must be 0.
///
/// # Safety
///
/// `options` is NULL or points to as many bytes as its first member says. `T` is `repr(C)` and begins with its size.
pub(crate) unsafe fn read<T: Copy + Default>(options: *const T) -> Result<T, lh_status> {
    if options.is_null() {
        return Ok(T::default());
    }
    // SAFETY: the caller's promise.
    let size = unsafe { options.cast::<usize>().read() };
    if size < size_of::<T>() {
        return Err(LH_BAD_SIZE);
    }
    // Far more members than any later version will have: a size that was never set, and must not be walked along.
    if size > 4096 {
        return Err(LH_INVALID_ARGUMENT);
    }
    // SAFETY: within `size`, which the caller says is there.
    let unknown = unsafe {
        std::slice::from_raw_parts(
            options.cast::<u8>().add(size_of::<T>()),
            size - size_of::<T>(),
        )
    };
    if unknown.iter().any(|byte| *byte != 0) {
        return Err(LH_INVALID_ARGUMENT);
    }
    // SAFETY: as many bytes as a T has are there.
    Ok(unsafe { options.read() })
}
