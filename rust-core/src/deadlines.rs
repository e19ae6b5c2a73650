//! The deadlines of a pool's asynchronous requests: whom to tell when a moment has come, a waker or whatever a face needs
//! for that.
//!
//! Race window: a request may be answered, and its deadline cleared, while it is being told. It is harmless because who is told looks at
//! the clock or at the request itself, and so may be told too often or too early.

use std::collections::BTreeMap;
use std::fmt;

use crate::locks::Mutex;

/// The moment, in the engine's milliseconds, and a number that tells requests of one moment apart.
pub type Deadline = (u64, u64);

/// Deadlines, and for each one whom to tell.
pub struct Deadlines<T> {
    waiting: Mutex<Waiting<T>>,
}

struct Waiting<T> {
    // ----- written under the lock by who waits, and by the housekeeper -----
    by_deadline: BTreeMap<Deadline, T>,
    last_number: u64,
}

impl<T> Default for Deadlines<T> {
    fn default() -> Self {
        Deadlines {
            waiting: Mutex::new(Waiting {
                by_deadline: BTreeMap::new(),
                last_number: 0,
            }),
        }
    }
}

impl<T> Deadlines<T> {
    /// A new deadline at `moment`, of which nobody is told yet. O(1).
    pub fn reserve(&self, moment: u64) -> Deadline {
        let mut waiting = self.waiting.lock();
        waiting.last_number += 1;
        (moment, waiting.last_number)
    }

    /// Has somebody told when the deadline has come, instead of whom it was before. True if it is now the earliest of all
    /// and was not there before: the housekeeper is to be rung. O(log n).
    pub fn set(&self, deadline: Deadline, whom: T) -> bool {
        let mut waiting = self.waiting.lock();
        let before = waiting.by_deadline.insert(deadline, whom);
        let first = waiting.by_deadline.first_key_value();
        let is_first = first.is_some_and(|(first, _)| *first == deadline);
        // What is dropped may be a program's code, which no lock is held for.
        drop(waiting);
        before.is_none() && is_first
    }

    /// Nobody waits for the deadline any more. O(log n).
    pub fn clear(&self, deadline: Deadline) {
        let whom = self.waiting.lock().by_deadline.remove(&deadline);
        drop(whom);
    }

    /// Those to tell now, each once, in order; and the next moment.
    pub fn take_due(&self, now: u64) -> (Vec<T>, Option<u64>) {
        let mut waiting = self.waiting.lock();
        let later = waiting.by_deadline.split_off(&(now.saturating_add(1), 0));
        let due = std::mem::replace(&mut waiting.by_deadline, later);
        let next = waiting.by_deadline.keys().next().map(|(moment, _)| *moment);
        drop(waiting);
        (due.into_values().collect(), next)
    }
}

impl<T> fmt::Debug for Deadlines<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadlines").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn those_whose_moment_has_come_are_told_once() {
        let deadlines = Deadlines::default();
        let [late, early, cleared, same] = [20, 10, 5, 10].map(|moment| deadlines.reserve(moment));
        assert!(deadlines.set(late, "late"));
        assert!(deadlines.set(early, "replaced"));
        assert!(!deadlines.set(early, "early"));
        assert!(deadlines.set(cleared, "cleared"));
        assert!(!deadlines.set(same, "same"));
        deadlines.clear(cleared);
        assert_eq!(deadlines.take_due(9), (vec![], Some(10)));
        assert_eq!(deadlines.take_due(10), (vec!["early", "same"], Some(20)));
        assert_eq!(deadlines.take_due(u64::MAX), (vec!["late"], None));
    }
}
