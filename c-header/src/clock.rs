//! Clocks that tests drive.

use leasehold::engine::ManualClock;
use leasehold::face::PerProcess;

use crate::boundary::{Output, answer};
use crate::handles::lh_clock;
use crate::status::*;
use crate::table::Table;

static CLOCKS: PerProcess<Table<ManualClock>> = PerProcess::new(Table::new());

pub(crate) fn find_clock(clock: lh_clock) -> Result<ManualClock, lh_status> {
    CLOCKS
        .get()
        .get(clock.id)
        .map(|clock| ManualClock::clone(&clock))
        .ok_or(LH_NO_CLOCK)
}

/// Makes a clock for the `clock` member of lh_pool_options. Destroy it with lh_clock_destroy.
///
/// LH_NULL_POINTER, LH_TOO_MANY: 1,024 clocks are there. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_clock_create(clock: *mut lh_clock) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let output = unsafe { Output::new(clock)? };
        let id = CLOCKS
            .get()
            .insert(|_, _| ManualClock::new())
            .ok_or(LH_TOO_MANY)?;
        output.write(lh_clock { id });
        Ok(LH_OK)
    })
}

/// Moves a clock on by `ms` milliseconds, for all pools that are on it. Soon after, the library's own thread answers requests
/// that have timed out and, where the pool is to evict, disposes of connections that have expired. Other pools' expired connections go when
/// a lease or lh_pool_close_expired comes across them. lh_pool_lease and lh_pool_drain wait by the machine's clock.
///
/// LH_NO_CLOCK. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_clock_advance(clock: lh_clock, ms: u64) -> lh_status {
    answer(|| {
        find_clock(clock)?.advance(ms);
        Ok(LH_OK)
    })
}

/// Destroys a clock. For pools that are still on it time stands still from then on.
///
/// LH_NO_CLOCK. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_clock_destroy(clock: lh_clock) -> lh_status {
    answer(|| {
        let removed = CLOCKS.get().remove(clock.id);
        removed.map(|_| LH_OK).ok_or(LH_NO_CLOCK)
    })
}
