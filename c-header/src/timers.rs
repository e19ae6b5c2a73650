//! How long things took in a pool, as histograms.

use leasehold::engine::{Histogram, RANGES};

use crate::boundary::{Output, answer, from_number};
use crate::handles::lh_pool;
use crate::pools::with_pool;
use crate::sized::{self, Growing, SizedOutput};
use crate::status::*;

/// How many ranges a histogram has.
pub const LH_HISTOGRAM_RANGES: usize = 240;

const _: () = assert!(LH_HISTOGRAM_RANGES == RANGES);

/// What is measured of a pool.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum lh_timer {
    /// How long leases and requests waited that wait no more, however that ended: from when they were queued to when they were answered or
    /// gave up. That a thread was woken is not in it. To the microsecond; always measured.
    LH_TIMER_WAITING = 0,
    /// How long connections took to be opened: from when a vacancy was granted, or a dead connection found in its place, to
    /// lh_lease_opened or lh_lease_opened_socket. A vacancy that came to nothing is not in it. To the microsecond; always measured.
    LH_TIMER_OPENING = 1,
    /// How long connections were leased whose leases have ended, each since it was leased or, if that was later, opened. Measured where
    /// lh_pool_measure_held has asked for it, by the system's coarse clock: each is off by a tick of it at most, which is 1 to 10
    /// milliseconds, so that a lease that is shorter is told as 0 or a tick long.
    LH_TIMER_HELD = 2,
}

from_number!(lh_timer: LH_TIMER_WAITING, LH_TIMER_OPENING, LH_TIMER_HELD);

/// How long something took, how often. Times are in microseconds here. A copy, which does not change; numbers of later ones are never less.
///
/// There are 240 ranges, from the shortest times to the longest: 16 of a microsecond each, then 8 to each power of two, and what took
/// longer than 71 minutes is in the last. lh_histogram_range_end_us says where one ends.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lh_histogram {
    /// How many times there are.
    pub count: u64,
    /// How long all were together.
    pub sum_us: u64,
    /// The longest; 0 where there is none.
    pub max_us: u64,
    /// How many are in each range.
    pub ranges: [u64; LH_HISTOGRAM_RANGES],
}

// SAFETY: numbers, all of which the first version has.
unsafe impl Growing for lh_histogram {
    const FIRST_SIZE: usize = 1944;
}

impl From<Histogram> for lh_histogram {
    fn from(histogram: Histogram) -> lh_histogram {
        let [sum_us, max_us, ranges @ ..] = histogram.numbers();
        lh_histogram {
            count: histogram.count(),
            sum_us,
            max_us,
            ranges,
        }
    }
}

impl From<lh_histogram> for Histogram {
    fn from(histogram: lh_histogram) -> Histogram {
        let mut numbers = [0; RANGES + 2];
        numbers[0] = histogram.sum_us;
        numbers[1] = histogram.max_us;
        numbers[2..].copy_from_slice(&histogram.ranges);
        Histogram::of_numbers(&numbers)
    }
}

/// Writes how long something took in the pool. `timer` is an lh_timer, `size` is sizeof(lh_histogram). O(connections); nobody waits, opens
/// or closes meanwhile, but leases and releases of idle connections go on.
///
/// A program whose lh_histogram has members that the library does not know finds 0 in them.
///
/// LH_NULL_POINTER; LH_BAD_SIZE: no version of the struct has that `size`; LH_INVALID_ARGUMENT: `timer` is no lh_timer; LH_NO_POOL.
/// Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_pool_histogram(
    pool: lh_pool,
    timer: u32,
    histogram: *mut lh_histogram,
    size: usize,
) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let output = unsafe { SizedOutput::new(histogram, size)? };
        let timer = lh_timer::try_from(timer)?;
        with_pool(pool, |pool| {
            let metrics = pool.engine.metrics();
            let histogram = match timer {
                lh_timer::LH_TIMER_WAITING => metrics.waiting,
                lh_timer::LH_TIMER_OPENING => metrics.opening,
                lh_timer::LH_TIMER_HELD => metrics.held,
            };
            output.write(histogram.into());
            Ok(LH_OK)
        })
    })
}

/// Has it measured from now on how long connections are leased, for LH_TIMER_HELD, if `wanted` is not 0, or else no more; what was measured
/// stays. Off by default: it costs each lease and release of an idle connection some 30 instructions, and the pool 2 kilobytes for each of
/// its up to 16 idle lists.
///
/// LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_pool_measure_held(pool: lh_pool, wanted: u32) -> lh_status {
    answer(|| {
        with_pool(pool, |pool| {
            pool.engine.measure_held(wanted != 0);
            Ok(LH_OK)
        })
    })
}

/// Writes how long at most the shortest `quantile` of all times were, in microseconds: with 0.5 the median, with 0.99 what one in a hundred
/// exceeds. At most an eighth more than it was, never less, and never more than the longest. 0 where there is none. What is no number
/// from 0 to 1 means the next that is, NaN 0. `size` is sizeof(lh_histogram). O(ranges).
///
/// LH_NULL_POINTER; LH_BAD_SIZE: no version of the struct has that `size`, or it has numbers that the library does not know. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_histogram_quantile_us(
    histogram: *const lh_histogram,
    size: usize,
    quantile: f64,
    us: *mut u64,
) -> lh_status {
    answer(|| {
        // SAFETY: the caller's promise.
        let (output, histogram) =
            unsafe { (Output::new(us)?, sized::read_numbers(histogram, size)?) };
        let histogram = Histogram::from(histogram);
        output.write(histogram.quantile(quantile).as_micros() as u64);
        Ok(LH_OK)
    })
}

/// The longest time that is in a range, in microseconds; UINT64_MAX for the last, which has no end, and for what is no range.
///
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_histogram_range_end_us(range: u32) -> u64 {
    Histogram::end_of_range(range as usize)
}
