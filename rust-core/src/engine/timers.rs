//! How long requests wait, connections take to be opened, and are held: where that is measured, and who may switch it.
//!
//! Waiting and opening are slow by themselves, so they are always measured, by the exact clock. A wait is noted under the coordinator: its
//! beginning in the ticket, its end in the ledger. An opening begins with the right to open, which is noted in the entry, and is recorded by
//! whoever has opened, under no lock. Where connections are only connected later, inside their leases, nobody but who connects them knows
//! how long that took, and says so.
//!
//! How long a connection is held is measured where that is asked for, by the coarse stamps that each lease leaves in its entry anyway. A
//! release that is a hit records it in its stripe, under the lock that it holds: nothing that others write is written for it. Any other is
//! recorded under the coordinator. That it is asked for is a flag of the pool's, which a release looks at anyway: without it a
//! release is as long as it would be if nothing could be measured.
//!
//! The order of steps: the stripes' recorders are made first, then the flag is raised.

use std::time::Duration;

use super::entry::Entry;
use super::flags::MEASURED;
use super::histogram::Histogram;
use super::ledger::Ledger;
use super::pool::Engine;
use super::sync::atomic::Ordering::Relaxed;

/// What a pool has measured.
#[derive(Debug, Default)]
pub(super) struct Timers {
    pub(super) waiting: Histogram,
    pub(super) opening: Histogram,
    pub(super) held: Histogram,
}

impl Engine {
    /// Has it measured how long connections are held, or no more. What was measured stays. O(stripes).
    ///
    /// Race window: a release under way may still be measured, or not yet. It is harmless because its lease has its stamp in any case.
    pub fn measure_held(&self, wanted: bool) {
        let _coordinator = self.coordinator.lock();
        if wanted {
            for stripe in &self.stripes {
                stripe.prepare_to_measure();
            }
            self.flags.raise(MEASURED);
        } else {
            self.flags.lower(MEASURED);
        }
    }

    /// Whether it is measured how long connections are held. O(1), takes no lock.
    pub fn measures_held(&self) -> bool {
        self.flags.is_raised(MEASURED)
    }

    /// The right to open an entry is given. The caller owns it.
    pub(super) fn note_given(&self, entry: &Entry, now: u64) {
        entry.leased.store(now, Relaxed);
        entry.given.store(self.clock.micros(), Relaxed);
    }

    /// An entry is opened. The caller owns it.
    pub(super) fn note_opened(&self, entry: &Entry, now: u64) {
        entry.leased.store(now, Relaxed);
        if !self.connects_later {
            let given = entry.given.load(Relaxed);
            self.record_micros(self.clock.micros().saturating_sub(given));
        }
    }

    /// A connection was connected, which took so long: for pools that were made to be [told so](super::Config::connects_later). In
    /// others it is one more. O(1), takes no lock.
    pub fn record_opening(&self, took: Duration) {
        self.record_micros(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    fn record_micros(&self, took: u64) {
        self.notes
            .opening
            .get_or_init(Default::default)
            .record(took);
    }

    /// What was measured so far. The caller holds the coordinator.
    pub(super) fn timers(&self, ledger: &Ledger) -> Timers {
        let mut timers = Timers {
            waiting: ledger.waiting.clone(),
            held: ledger.held.clone(),
            opening: Histogram::default(),
        };
        if let Some(opening) = self.notes.opening.get() {
            timers.opening.add(opening);
        }
        for held in self.stripes.iter().filter_map(|stripe| stripe.held()) {
            timers.held.add(held);
        }
        timers
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use std::time::Duration;

    use super::super::{
        Clock, Config, Effects, Grant, Handle, Hit, Keep, ManualClock, Metrics, Outcome, StateId,
        Verdict,
    };
    use super::*;

    struct Stage {
        engine: Engine,
        clock: ManualClock,
    }

    impl Stage {
        fn new() -> Stage {
            Stage::with(Config::default())
        }

        fn with(config: Config) -> Stage {
            let clock = ManualClock::new();
            let engine = Engine::new(Config {
                clock: Clock::manual(&clock),
                ..config
            });
            Stage { engine, clock }
        }

        /// Leases from a new route, and opens.
        fn open(&self, after: u64) -> Handle {
            let mut effects = Effects::new();
            let route = self.engine.add_route(&mut effects).unwrap();
            let leased = self.engine.lease(route, StateId::NONE, None, &mut effects);
            let Ok(Outcome::Granted(Grant::Open(handle))) = leased else {
                panic!("there are no limits");
            };
            self.clock.advance(after);
            self.engine.opened(handle).unwrap();
            handle
        }

        fn metrics(&self) -> Metrics {
            self.engine.metrics()
        }
    }

    #[test]
    fn an_opening_is_measured_from_the_right_to_open_to_the_open_connection() {
        let stage = Stage::new();
        let handle = stage.open(30);
        stage.clock.advance(1_000);
        stage.engine.reopen(handle).unwrap();
        stage.clock.advance(5);
        stage.engine.opened(handle).unwrap();
        let opening = stage.metrics().opening;
        assert_eq!(
            (opening.count(), opening.sum()),
            (2, Duration::from_millis(35))
        );
        assert_eq!(opening.max(), Duration::from_millis(30));
    }

    #[test]
    fn what_is_connected_later_is_measured_by_whoever_connects_alone() {
        let stage = Stage::with(Config {
            connects_later: true,
            ..Config::default()
        });
        let handle = stage.open(30);
        stage.engine.reopen(handle).unwrap();
        stage.clock.advance(5);
        stage.engine.opened(handle).unwrap();
        assert_eq!(stage.metrics().opening.count(), 0);
        assert_eq!(stage.metrics().opened, 2);
        stage.engine.record_opening(Duration::from_micros(1_500));
        stage.engine.record_opening(Duration::MAX);
        let opening = stage.metrics().opening;
        assert_eq!(opening.count(), 2);
        assert_eq!(opening.quantile(0.5), Duration::from_micros(1_535));
        assert_eq!(opening.max(), Duration::from_micros(u64::MAX));
    }

    #[test]
    fn what_is_held_is_measured_from_when_that_was_asked_for_to_when_it_no_longer_is() {
        let stage = Stage::new();
        let engine = &stage.engine;
        let [before, during, after] = [stage.open(3), stage.open(0), stage.open(0)];
        stage.clock.advance(10);
        assert_eq!(engine.release_hit(before, Keep::Forever), Ok(Hit::Kept));
        assert_eq!(stage.metrics().held.count(), 0);
        engine.measure_held(true);
        assert!(engine.measures_held());
        stage.clock.advance(10);
        assert_eq!(engine.release_hit(during, Keep::Forever), Ok(Hit::Kept));
        let held = stage.metrics().held;
        assert_eq!((held.count(), held.sum()), (1, Duration::from_millis(20)));
        engine.measure_held(false);
        assert_eq!(engine.release_hit(after, Keep::Forever), Ok(Hit::Kept));
        assert_eq!(stage.metrics().held, held);
    }

    #[test]
    fn what_the_coordinator_ends_is_held_as_what_a_hit_ends() {
        let stage = Stage::new();
        stage.engine.measure_held(true);
        let handle = stage.open(100);
        stage.clock.advance(7);
        let mut effects = Effects::new();
        let released = stage
            .engine
            .release(handle, Verdict::Close, StateId::NONE, &mut effects);
        assert!(released.is_ok());
        let held = stage.metrics().held;
        assert_eq!((held.count(), held.sum()), (1, Duration::from_millis(7)));
    }

    #[test]
    fn a_clock_that_a_thread_has_read_before_another_leased_measures_nothing_below_zero() {
        let stage = Stage::new();
        stage.engine.measure_held(true);
        let handle = stage.open(0);
        let entry = stage.engine.entry_of(handle).unwrap();
        entry.leased.store(stage.engine.now() + 4, Relaxed);
        assert_eq!(
            stage.engine.release_hit(handle, Keep::Forever),
            Ok(Hit::Kept)
        );
        let held = stage.metrics().held;
        assert_eq!((held.count(), held.sum()), (1, Duration::ZERO));
    }
}
