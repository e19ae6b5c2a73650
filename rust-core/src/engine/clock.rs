//! Time as the engine sees it: milliseconds that never go back, read once a call.
//!
//! The real clock is the kernel's coarse monotonic one: a few nanoseconds a read, a tick of up to 4 ms, which is
//! finer than any keep-alive promise. Tests and simulations drive a manual one.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::locks::Mutex;

/// Where a pool's time comes from.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    Monotonic,
    Manual(ManualClock),
}

impl Clock {
    /// The machine's monotonic clock. It does not count time the machine was suspended.
    pub fn monotonic() -> Self {
        Clock(Source::Monotonic)
    }

    /// A clock that stands still until it is advanced.
    pub fn manual(clock: &ManualClock) -> Self {
        Clock(Source::Manual(clock.clone()))
    }

    /// Milliseconds since a fixed moment in the past.
    #[inline]
    pub(super) fn now(&self) -> u64 {
        match &self.0 {
            Source::Monotonic => monotonic_millis(),
            Source::Manual(clock) => clock.shared.now.load(Ordering::Relaxed),
        }
    }

    /// Microseconds since a fixed moment in the past, as exact as the system can tell. Not of the same moment as [`now`](Self::now), and
    /// several times as dear: for slow paths alone.
    pub(super) fn micros(&self) -> u64 {
        match &self.0 {
            Source::Monotonic => monotonic_micros(),
            Source::Manual(_) => self.now().saturating_mul(1000),
        }
    }

    /// In how much real time `millis` will have passed; `None` where only a test can tell.
    #[doc(hidden)]
    pub fn real_time(&self, millis: u64) -> Option<Duration> {
        match &self.0 {
            Source::Monotonic => Some(Duration::from_millis(millis)),
            Source::Manual(_) => None,
        }
    }

    /// Has `listener` called whenever the time is moved on by hand. For ever: it is to hold weakly what it works on.
    #[doc(hidden)]
    pub fn on_advance(&self, listener: impl Fn() + Send + Sync + 'static) {
        if let Source::Manual(clock) = &self.0 {
            clock.shared.listeners.lock().push(Arc::new(listener));
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[inline]
fn monotonic_millis() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::MonotonicCoarse);
    time.tv_sec as u64 * 1000 + time.tv_nsec as u64 / 1_000_000
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn monotonic_micros() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1000
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn monotonic_millis() -> u64 {
    monotonic_micros() / 1000
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn monotonic_micros() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    ORIGIN.get_or_init(Instant::now).elapsed().as_micros() as u64
}

/// A clock for tests: clones share one time, and only [`advance`](Self::advance) moves it.
///
/// ```
/// use leasehold::{Clock, ManualClock, Pool};
///
/// let clock = ManualClock::new();
/// let pool: Pool<&str, u32> = Pool::builder().clock(Clock::manual(&clock)).build();
/// clock.advance(60_000); // a minute has passed for that pool
/// # let _ = pool;
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock {
    shared: Arc<Hands>,
}

struct Hands {
    // ----- written by whoever holds a clone, under no lock: it orders nothing else -----
    now: AtomicU64,

    // ----- under its own lock -----
    /// Added to by pools that join the housekeeper.
    listeners: Mutex<Vec<Arc<dyn Fn() + Send + Sync>>>,
}

impl fmt::Debug for Hands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hands").field(&self.now).finish()
    }
}

impl ManualClock {
    /// A clock that reads one million milliseconds, so that a test can look a while into the past.
    pub fn new() -> Self {
        ManualClock {
            shared: Arc::new(Hands {
                now: AtomicU64::new(1_000_000),
                listeners: Mutex::default(),
            }),
        }
    }

    /// Moves the time on by `millis` for every pool on this clock, and has the housekeeper look what is due now.
    pub fn advance(&self, millis: u64) {
        self.shared.now.fetch_add(millis, Ordering::Relaxed);
        // Called without the lock.
        let listeners = self.shared.listeners.lock().clone();
        for listener in listeners {
            listener();
        }
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monotonic_clock_does_not_go_back() {
        let clock = Clock::monotonic();
        let mut last = (clock.now(), clock.micros());
        for _ in 0..100_000 {
            let now = (clock.now(), clock.micros());
            assert!(now.0 >= last.0 && now.1 >= last.1);
            last = now;
        }
    }
}
