//! A pool's place with the housekeeper, and the count of what threads of the library's own have under way for the pool.
//!
//! A pool joins the housekeeper when it first needs it and leaves it when it is destroyed. Whoever destroys it may free what
//! its callbacks use, so what those threads have under way for it is counted, from before the engine is asked until the
//! callbacks have returned, and the end of the pool waits for the count to be zero. In a callback no pool is destroyed: it might
//! wait for itself.

use std::sync::Arc;

use leasehold::face::{Condvar, Membership, Mutex};

#[derive(Default)]
pub(crate) struct Care {
    // ----- under its own lock: written by the first call that needs the housekeeper, and by lh_pool_destroy -----
    place: Mutex<Place>,

    // ----- under its own lock: written by those who begin and end a call -----
    /// Calls of the library's own threads that may lead to a callback, and what may be on its way to one.
    under_way: Mutex<usize>,
    nothing_under_way: Condvar,
}

#[derive(Default)]
enum Place {
    #[default]
    NotYet,
    Joined(Arc<Membership>),
    Left,
}

impl Care {
    /// The place with the housekeeper, which the first call takes by `join`. `None` when it was left.
    pub(crate) fn membership(&self, join: impl FnOnce() -> Membership) -> Option<Arc<Membership>> {
        let mut place = self.place.lock();
        if matches!(*place, Place::NotYet) {
            *place = Place::Joined(Arc::new(join()));
        }
        match &*place {
            Place::Joined(membership) => Some(Arc::clone(membership)),
            _ => None,
        }
    }

    /// Leaves the housekeeper, with a pool that was shut down. No callback comes from a thread of the library's own when this
    /// has returned.
    pub(crate) fn leave(&self) {
        let place = std::mem::replace(&mut *self.place.lock(), Place::Left);
        let mut under_way = self.under_way.lock();
        let is_any = |count: &mut usize| *count > 0;
        self.nothing_under_way.wait_while(&mut under_way, is_any);
        drop(under_way);
        drop(place);
    }
}

/// A call of a thread of the library's own, or what may be on its way to one.
pub(crate) struct Call(Arc<Care>);

impl Call {
    pub(crate) fn begin(care: &Arc<Care>) -> Self {
        *care.under_way.lock() += 1;
        Call(Arc::clone(care))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut under_way = self.0.under_way.lock();
        *under_way -= 1;
        if *under_way == 0 {
            self.0.nothing_under_way.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::thread;

    use super::*;

    #[test]
    fn who_has_left_does_not_join() {
        let care = Care::default();
        care.leave();
        assert!(care.membership(|| unreachable!("joined")).is_none());
    }

    #[test]
    fn who_leaves_waits_for_what_is_under_way() {
        let care = Arc::default();
        let call = Call::begin(&care);
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                is_over.store(true, Relaxed);
                drop(call);
            });
            care.leave();
            assert!(is_over.load(Relaxed));
        });
    }
}
