//! How to wait for a wake alone, as long as there is no set of sockets to wait on.

use std::time::Duration;

use crate::locks::{Condvar, Mutex};

/// A sleep that a wake ends.
#[derive(Debug)]
pub(super) struct Sleep {
    /// Somebody has called `wake` since the last wait. Written under the lock by both.
    is_woken: Mutex<bool>,
    changed: Condvar,
}

impl Sleep {
    pub(super) const fn new() -> Self {
        Sleep {
            is_woken: Mutex::new(false),
            changed: Condvar::new(),
        }
    }

    /// Sleeps until it is woken or the time is over.
    pub(super) fn wait(&self, timeout: Option<Duration>) {
        let mut is_woken = self.is_woken.lock();
        let is_asleep = |is_woken: &mut bool| !*is_woken;
        match timeout {
            Some(timeout) => {
                self.changed
                    .wait_while_for(&mut is_woken, is_asleep, timeout);
            }
            None => self.changed.wait_while(&mut is_woken, is_asleep),
        }
        *is_woken = false;
    }

    /// Ends the wait under way or, where there is none, the next one.
    pub(super) fn wake(&self) {
        *self.is_woken.lock() = true;
        self.changed.notify_one();
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn a_wake_ends_the_wait_after_it_and_no_other() {
        let sleep = Sleep::new();
        sleep.wake();
        sleep.wait(None);
        sleep.wait(Some(Duration::from_millis(1)));
        assert!(!*sleep.is_woken.lock());
    }

    #[test]
    fn a_wake_ends_the_wait_under_way() {
        let sleep = Sleep::new();
        std::thread::scope(|threads| {
            let sleeper = threads.spawn(|| sleep.wait(None));
            sleep.wake();
            sleeper.join().unwrap();
        });
    }
}
