//! The deadlines of a pool's asynchronous requests: which wakers to call when a moment has come.
//!
//! A future that is woken looks at the clock itself, so a call too many or too early does no harm, and its request ends
//! in its own poll.

use std::collections::BTreeMap;
use std::fmt;
use std::task::Waker;

use parking_lot::Mutex;

/// The moment, in the engine's milliseconds, and a number that tells requests of one moment apart.
pub(crate) type Deadline = (u64, u64);

#[derive(Default)]
pub(crate) struct Deadlines {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    wakers: BTreeMap<Deadline, Waker>,
    last_number: u64,
}

impl Deadlines {
    /// A new deadline at `moment`, of which nobody is told yet.
    pub(crate) fn reserve(&self, moment: u64) -> Deadline {
        let mut waiting = self.waiting.lock();
        waiting.last_number += 1;
        (moment, waiting.last_number)
    }

    /// Has `waker` called when the deadline has come. True if it is now the earliest of all and was not there before.
    pub(crate) fn set(&self, deadline: Deadline, waker: &Waker) -> bool {
        // Cloned before and dropped after the lock is held: both are the executor's code.
        let waker = waker.clone();
        let mut waiting = self.waiting.lock();
        let before = waiting.wakers.insert(deadline, waker);
        let is_first = waiting
            .wakers
            .first_key_value()
            .is_some_and(|(first, _)| *first == deadline);
        drop(waiting);
        before.is_none() && is_first
    }

    /// Nobody waits for the deadline any more.
    pub(crate) fn clear(&self, deadline: Deadline) {
        let waker = self.waiting.lock().wakers.remove(&deadline);
        drop(waker);
    }

    /// Calls those whose deadline has come at `now`; tells the next moment.
    pub(crate) fn wake_due(&self, now: u64) -> Option<u64> {
        let mut waiting = self.waiting.lock();
        let later = waiting.wakers.split_off(&(now.saturating_add(1), 0));
        let due = std::mem::replace(&mut waiting.wakers, later);
        let next = waiting.wakers.keys().next().map(|(moment, _)| *moment);
        drop(waiting);
        for waker in due.into_values() {
            waker.wake();
        }
        next
    }
}

impl fmt::Debug for Deadlines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadlines").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn those_whose_moment_has_come_are_woken_once() {
        let deadlines = Deadlines::default();
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let [late, early, cleared, same] = [20, 10, 5, 10].map(|moment| deadlines.reserve(moment));
        assert!(deadlines.set(late, &waker));
        assert!(deadlines.set(early, &waker));
        assert!(!deadlines.set(early, &waker));
        assert!(deadlines.set(cleared, &waker));
        assert!(!deadlines.set(same, &waker));
        deadlines.clear(cleared);
        assert_eq!(deadlines.wake_due(9), Some(10));
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        assert_eq!(deadlines.wake_due(10), Some(20));
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        assert_eq!(deadlines.wake_due(u64::MAX), None);
        assert_eq!(count.0.load(Ordering::Relaxed), 3);
    }
}
