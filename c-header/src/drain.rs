//! Waiting until the leases of a pool that was shut down have ended.
//!
//! Whoever waits looks at the pool's numbers under the lock here. Whoever has ended a lease takes the lock after the engine has counted
//! that. So it comes before that look, which then sees it, or after the wait has begun, which it then ends.

use std::time::Instant;

use leasehold::face::{Condvar, Mutex};

#[derive(Default)]
pub(crate) struct Drain {
    /// Guards nothing of its own: it orders the looks at the numbers with the ends of leases.
    lock: Mutex<()>,
    changed: Condvar,
}

impl Drain {
    /// Waits as long as there is something to wait for, and no longer than until the deadline.
    pub(crate) fn wait(&self, deadline: Option<Instant>, is_to_wait: impl Fn() -> bool) {
        let mut guard = self.lock.lock();
        let is_to_wait = |(): &mut ()| is_to_wait();
        match deadline {
            None => self.changed.wait_while(&mut guard, is_to_wait),
            Some(deadline) => {
                self.changed
                    .wait_while_until(&mut guard, is_to_wait, deadline);
            }
        }
    }

    /// Has those who wait look again.
    pub(crate) fn look(&self) {
        drop(self.lock.lock());
        self.changed.notify_all();
    }
}
