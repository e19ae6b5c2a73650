//! How long something took, as a histogram: how many times lie in each of a fixed number of ranges, their sum, and the longest.
//!
//! The ranges are log-linear: below 16 microseconds each is one wide, and each power of two above is divided into 8 of the same width. So a
//! range is at most an eighth as wide as the times in it are long, from a microsecond to an hour, and the place of a time is found by a
//! shift. Quantiles are computed by who reads.
//!
//! A [`Histogram`] is plain data. A [`Recorder`] is what is written while others read: each number by itself, so that who reads
//! meanwhile may find a time in its range that is not in the sum yet.

use std::iter;
use std::time::Duration;

use super::counters::add_alone;
// Plain atomics even under a model checker: they order nothing.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many ranges there are. The last has no end.
pub const RANGES: usize = 240;

/// Into 2 to the power of how many parts each power of two is divided.
const PRECISION: u32 = 3;

/// The longest time that is told from longer ones, in microseconds: 71 minutes.
const LONGEST: u64 = u32::MAX as u64;

/// The range that a time is in.
#[inline(always)]
fn range_of(micros: u64) -> usize {
    let micros = micros.min(LONGEST);
    // As a number of the least whose powers of two are divided.
    let shift = (micros | 1 << PRECISION).ilog2() - PRECISION;
    ((shift as usize) << PRECISION) + (micros >> shift) as usize
}

/// The longest time that a range has, in microseconds; that of the last is [`u64::MAX`].
fn end_of(range: usize) -> u64 {
    if range + 1 >= RANGES {
        return u64::MAX;
    }
    let next = range as u64 + 1;
    let shift = (next >> PRECISION).saturating_sub(1);
    (next - (shift << PRECISION) << shift) - 1
}

/// How long something took, how often: counts of times by their length, their sum, and the longest. A copy, which does not change.
///
/// There are 240 ranges: 16 of a microsecond each, then 8 to each power of two, and what took longer than 71 minutes is in the last. So what
/// is read of a time is at most an eighth too long. The [sum](Self::sum) and the [longest](Self::max) are exact, as far as the times are.
///
/// ```
/// use std::time::Duration;
/// use leasehold::Pool;
///
/// let pool: Pool<&str, u32> = Pool::new();
/// for _ in 0..3 {
///     let _connection = pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(7)).unwrap();
/// }
/// let opening = pool.metrics().opening;
/// assert_eq!(opening.count(), 3);
/// assert!(opening.quantile(0.5) <= opening.max() && opening.max() <= opening.sum());
/// let slow: u64 = opening.ranges().filter(|range| range.up_to > Duration::from_secs(1)).map(|range| range.count).sum();
/// # let _ = slow;
/// # Ok::<(), leasehold::LeaseError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    /// By range; empty where nothing was recorded.
    counts: Vec<u64>,
    /// In microseconds.
    sum: u64,
    max: u64,
}

impl PartialEq for Histogram {
    fn eq(&self, other: &Self) -> bool {
        self.numbers() == other.numbers()
    }
}

impl Eq for Histogram {}

/// One of a histogram's ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistogramRange {
    /// The longest time that is in it; that of the last one is [`Duration::MAX`].
    pub up_to: Duration,
    /// How many times are.
    pub count: u64,
}

impl Histogram {
    /// How many times there are. O(ranges).
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long all were together.
    pub fn sum(&self) -> Duration {
        Duration::from_micros(self.sum)
    }

    /// The longest; zero where there is none.
    pub fn max(&self) -> Duration {
        Duration::from_micros(self.max)
    }

    /// How long at most the shortest `quantile` of all were: with 0.5 the median, with 0.99 what one in a hundred exceeds. At most an eighth
    /// more than it was, never less, and never more than the [longest](Self::max). Zero where there is none. What is no number from
    /// 0 to 1 means the next that is, NaN 0. O(ranges).
    pub fn quantile(&self, quantile: f64) -> Duration {
        Duration::from_micros(self.quantile_micros(quantile))
    }

    fn quantile_micros(&self, quantile: f64) -> u64 {
        let wanted = (quantile.clamp(0.0, 1.0) * self.count() as f64).ceil() as u64;
        let mut seen = 0;
        let reached = self.counts.iter().position(|count| {
            seen += count;
            *count > 0 && seen >= wanted
        });
        // None for none at all, or where the count is too large for the product to be exact.
        reached.map_or(self.max, |range| end_of(range).min(self.max))
    }

    /// All ranges, from the shortest times to the longest.
    pub fn ranges(&self) -> impl Iterator<Item = HistogramRange> {
        let counts = self.counts.iter().copied().chain(iter::repeat(0));
        counts
            .take(RANGES)
            .enumerate()
            .map(|(range, count)| HistogramRange {
                up_to: match end_of(range) {
                    u64::MAX => Duration::MAX,
                    micros => Duration::from_micros(micros),
                },
                count,
            })
    }

    /// As the bindings hand it over: the sum and the longest in microseconds, then the counts by range.
    #[doc(hidden)]
    pub fn numbers(&self) -> [u64; RANGES + 2] {
        let mut numbers = [0; RANGES + 2];
        numbers[0] = self.sum;
        numbers[1] = self.max;
        numbers[2..2 + self.counts.len()].copy_from_slice(&self.counts);
        numbers
    }

    /// Of what [`numbers`](Self::numbers) told.
    #[doc(hidden)]
    pub fn of_numbers(numbers: &[u64; RANGES + 2]) -> Self {
        Histogram {
            sum: numbers[0],
            max: numbers[1],
            counts: numbers[2..].to_vec(),
        }
    }

    /// The longest time of a range in microseconds, [`u64::MAX`] where it has no end.
    #[doc(hidden)]
    pub fn end_of_range(range: usize) -> u64 {
        end_of(range)
    }

    /// Adds a time, in microseconds.
    pub(super) fn record(&mut self, micros: u64) {
        self.counts_mut()[range_of(micros)] += 1;
        self.sum = self.sum.saturating_add(micros);
        self.max = self.max.max(micros);
    }

    /// Adds all that was recorded elsewhere.
    pub(super) fn add(&mut self, recorder: &Recorder) {
        let counts = self.counts_mut();
        for (count, recorded) in iter::zip(counts, &recorder.counts) {
            *count += recorded.load(Relaxed);
        }
        self.sum = self.sum.saturating_add(recorder.sum.load(Relaxed));
        self.max = self.max.max(recorder.max.load(Relaxed));
    }

    fn counts_mut(&mut self) -> &mut [u64] {
        if self.counts.is_empty() {
            self.counts = vec![0; RANGES];
        }
        &mut self.counts
    }
}

/// A histogram that is written while it is read. Numbers only grow.
#[derive(Debug)]
pub(super) struct Recorder {
    // ----- written by whoever has something to record: under a lock of theirs, or each number by itself -----
    counts: [AtomicU64; RANGES],
    sum: AtomicU64,
    max: AtomicU64,
}

impl Default for Recorder {
    fn default() -> Self {
        Recorder {
            counts: [const { AtomicU64::new(0) }; RANGES],
            sum: AtomicU64::new(0),
            max: AtomicU64::new(0),
        }
    }
}

impl Recorder {
    /// Adds a time, in microseconds. Any number of threads may do so at once.
    pub(super) fn record(&self, micros: u64) {
        self.counts[range_of(micros)].fetch_add(1, Relaxed);
        self.sum.fetch_add(micros, Relaxed);
        self.max.fetch_max(micros, Relaxed);
    }

    /// The same where a lock keeps all others off that do: without locked instructions.
    #[inline(always)]
    pub(super) fn record_alone(&self, micros: u64) {
        add_alone(&self.counts[range_of(micros)], 1);
        add_alone(&self.sum, micros);
        if micros > self.max.load(Relaxed) {
            self.max.store(micros, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        times.iter().for_each(|micros| histogram.record(*micros));
        histogram
    }

    #[test]
    fn each_time_is_in_one_range_which_is_at_most_an_eighth_as_wide() {
        let mut begin = 0;
        for range in 0..RANGES - 1 {
            let end = end_of(range);
            assert_eq!((range_of(begin), range_of(end)), (range, range));
            assert!(end - begin <= begin / 8, "{begin} to {end}");
            begin = end + 1;
        }
        assert_eq!(
            (range_of(begin), end_of(RANGES - 1)),
            (RANGES - 1, u64::MAX)
        );
        assert_eq!(range_of(u64::MAX), RANGES - 1);
        assert!(begin > 3_600_000_000, "an hour is told from more");
    }

    #[test]
    fn a_quantile_is_never_too_short_and_at_most_an_eighth_too_long() {
        let times: Vec<u64> = (1..=1000).map(|time| time * time).collect();
        let histogram = of(&times);
        for (place, time) in times.iter().enumerate() {
            let told = histogram.quantile_micros((place + 1) as f64 / 1000.0);
            assert!(
                told >= *time && told <= time + time / 8,
                "{told} for {time}"
            );
        }
        assert_eq!(histogram.quantile_micros(1.0), 1_000_000);
    }

    #[test]
    fn a_quantile_that_is_none_means_the_next_that_is() {
        let histogram = of(&[3, 5]);
        for (quantile, micros) in [(-1.0, 3), (f64::NAN, 3), (0.0, 3), (2.0, 5)] {
            assert_eq!(histogram.quantile_micros(quantile), micros, "{quantile}");
        }
        assert_eq!(Histogram::default().quantile(0.5), Duration::ZERO);
        assert_eq!(Histogram::default().quantile(f64::NAN), Duration::ZERO);
    }

    #[test]
    fn counts_and_sum_are_exact_and_so_is_the_longest() {
        let histogram = of(&[0, 7, 1_000_003, 1_000_003]);
        assert_eq!(histogram.count(), 4);
        assert_eq!(histogram.sum(), Duration::from_micros(2_000_013));
        assert_eq!(histogram.max(), Duration::from_micros(1_000_003));
        assert_eq!(histogram.ranges().count(), RANGES);
        let ranges = histogram.ranges().filter(|range| range.count > 0);
        assert_eq!(
            ranges.map(|range| range.count).collect::<Vec<_>>(),
            [1, 1, 2]
        );
    }

    #[test]
    fn what_is_beyond_all_ranges_is_in_the_last() {
        let histogram = of(&[u64::MAX, u64::MAX]);
        let last = histogram.ranges().last().unwrap();
        assert_eq!((last.up_to, last.count), (Duration::MAX, 2));
        assert_eq!(histogram.quantile_micros(0.5), u64::MAX);
        assert_eq!(histogram.sum(), Duration::from_micros(u64::MAX));
    }

    #[test]
    fn what_was_recorded_alone_or_by_many_is_the_same() {
        let (alone, many, times) = (Recorder::default(), Recorder::default(), [0, 9, 17, 5]);
        for micros in times {
            alone.record_alone(micros);
            many.record(micros);
        }
        let mut read = [Histogram::default(), Histogram::default()];
        read[0].add(&alone);
        read[1].add(&many);
        assert_eq!(read[0], read[1]);
        assert_eq!(read[0], of(&times));
    }

    #[test]
    fn its_numbers_are_all_there_is() {
        let histogram = of(&[1, 100, 100_000]);
        assert_eq!(Histogram::of_numbers(&histogram.numbers()), histogram);
    }
}
