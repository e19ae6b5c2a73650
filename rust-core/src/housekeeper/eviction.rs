//! What a pool closes without being asked each time, and when to look what is due.

use std::time::Duration;

use crate::deadlines::Deadlines;
use crate::engine::{Clock, Effects, Engine};

/// How often to look for what is to be evicted, at least: a hit tells the housekeeper nothing.
const LOOK: u64 = 1_000;
/// And at most: the clock is coarse, and who is due now may be so only at its next tick.
const BREATH: u64 = 10;

/// Which idle connections go although nobody leases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Eviction {
    /// Those whose keep-alive or time to live is over.
    pub expired: bool,
    /// Those that have been idle for this many milliseconds or longer.
    pub idle: Option<u64>,
}

impl Eviction {
    /// Whether any do.
    pub fn is_wanted(self) -> bool {
        self.expired || self.idle.is_some()
    }

    /// Removes those, and tells in how many milliseconds to look again; `None`: never.
    pub fn run(self, engine: &Engine, effects: &mut Effects) -> Option<u64> {
        let mut next = None;
        if self.expired {
            engine.close_expired(effects);
            next = engine.next_expiry();
        }
        if let Some(age) = self.idle {
            engine.close_idle(age, effects);
            let left = engine.longest_idle().map(|idle| age.saturating_sub(idle));
            next = earlier(next, left);
        }
        self.is_wanted().then(|| next.unwrap_or(LOOK).min(LOOK))
    }
}

/// The housekeeper's turn with a pool: tells those whose deadline has come, evicts, and answers in how much real time to
/// come back; `None`: not before the pool's time is moved on by hand, or there is something earlier.
pub fn take_turn<T>(
    engine: &Engine,
    deadlines: &Deadlines<T>,
    tell: impl FnOnce(Vec<T>),
    evict: impl FnOnce() -> Option<u64>,
) -> Option<Duration> {
    let now = engine.now();
    let (overdue, next) = deadlines.take_due(now);
    // Before anything is closed, so that they are told whatever becomes of that.
    tell(overdue);
    let deadline = next.map(|moment| moment.saturating_sub(now));
    pause(engine.clock(), evict(), deadline)
}

/// In how much real time the earlier of two times has come on this clock.
fn pause(clock: &Clock, one: Option<u64>, other: Option<u64>) -> Option<Duration> {
    clock.real_time(earlier(one, other)?.max(BREATH))
}

fn earlier(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crate::engine::{Config, Grant, Keep, ManualClock, Outcome, StateId};

    fn idle(engine: &Engine, keep: Keep) {
        let mut effects = Effects::new();
        let route = engine.add_route(&mut effects).unwrap();
        let leased = engine.lease(route, StateId::NONE, None, &mut effects);
        let Ok(Outcome::Granted(Grant::Open(handle))) = leased else {
            panic!("nothing is idle on a new route");
        };
        engine.opened(handle).unwrap();
        engine.release_hit(handle, keep).unwrap();
        assert!(effects.is_empty());
    }

    #[test]
    fn what_is_due_goes_and_the_next_look_is_when_more_is() {
        let clock = ManualClock::new();
        let engine = Engine::new(Config {
            clock: Clock::manual(&clock),
            ..Config::default()
        });
        let both = Eviction {
            expired: true,
            idle: Some(700),
        };
        let run = |eviction: Eviction| {
            let mut effects = Effects::new();
            let next = eviction.run(&engine, &mut effects);
            (effects.victims.len(), next)
        };
        assert_eq!(run(both), (0, Some(LOOK)));
        idle(&engine, Keep::For(500));
        idle(&engine, Keep::Forever);
        assert_eq!(run(both), (0, Some(500)));
        assert_eq!(run(Eviction::default()), (0, None));
        clock.advance(500);
        assert_eq!(run(both), (1, Some(200)));
        clock.advance(200);
        assert_eq!(run(both), (1, Some(LOOK)));
    }

    #[test]
    fn the_pause_ends_at_the_earlier_time_but_is_never_none_at_all() {
        let clock = Clock::monotonic();
        let millis = Duration::from_millis;
        assert_eq!(pause(&clock, Some(70), Some(50)), Some(millis(50)));
        assert_eq!(pause(&clock, None, Some(0)), Some(millis(BREATH)));
        assert_eq!(pause(&clock, None, None), None);
        assert_eq!(
            pause(&Clock::manual(&ManualClock::new()), Some(1), None),
            None
        );
    }
}
