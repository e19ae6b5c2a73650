//! What threads of the library's own do for a pool: the housekeeper, which is told of peers' closes and knows when something
//! is due, and the disposer, which closes what may take its time.
//!
//! A pool joins the housekeeper when it first needs it and leaves it when it is destroyed. Whoever destroys it may free what
//! its callbacks use, so what those threads have under way for it is counted, from before the engine is asked until the
//! callbacks have returned, and the end of the pool waits for the count to be zero. Not so a callback that destroys its
//! own pool: it would wait for itself.

use std::os::fd::{BorrowedFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use leasehold::face::{Disposable, Membership, Tended, is_housekeepers_thread, take_turn};
use parking_lot::{Condvar, Mutex};

use crate::delivery::{Delivery, is_in_callback};
use crate::disposal::Disposal;
use crate::pool::Pool;
use crate::probe::borrow;

/// A pool's place with the housekeeper, and what that has under way for it.
#[derive(Default)]
pub(crate) struct Care {
    /// Written by the first call that needs the housekeeper, and by lh_pool_destroy.
    place: Mutex<Place>,
    /// Calls of the library's own threads that may lead to a callback, and what may be on its way to one. Written by those who
    /// begin and end one.
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

impl Pool {
    /// The pool's place with the housekeeper, which it takes with the first call. `None` when it has left.
    pub(crate) fn membership(self: &Arc<Self>) -> Option<Arc<Membership>> {
        let mut place = self.care.place.lock();
        let is_new = matches!(*place, Place::NotYet);
        if is_new {
            let pool: Arc<dyn Tended> = Arc::clone(self) as _;
            let membership = Membership::join(&pool, self.engine.clock());
            *place = Place::Joined(Arc::new(membership));
        }
        let membership = match &*place {
            Place::Joined(membership) => Arc::clone(membership),
            _ => return None,
        };
        // Logs, and so calls the program.
        drop(place);
        if is_new {
            membership.start();
        }
        Some(membership)
    }

    /// Has the pool told when the peer of this opening closes it. False where only a probe can tell.
    pub(crate) fn watch(self: &Arc<Self>, socket: RawFd, slot: u32, opening: u16) -> bool {
        self.membership()
            .is_some_and(|membership| membership.watch(borrow(socket), slot, opening))
    }

    /// Before the program gets a watched socket back, and closes it.
    pub(crate) fn unwatch(self: &Arc<Self>, socket: RawFd) {
        if let Some(membership) = self.membership() {
            membership.unwatch(borrow(socket));
        }
    }

    /// Has a connection disposed of on the disposer's thread, where that is wanted, and on the housekeeper's thread, which a
    /// close must not hold up. Otherwise, or where the pool has left the housekeeper, gives it back.
    pub(crate) fn dispose_apart(self: &Arc<Self>, disposal: Disposal) -> Option<Disposal> {
        if !self.disposes_apart && !is_housekeepers_thread() {
            return Some(disposal);
        }
        // Before the look at the place: the end of the pool, which gives that up, either is seen here or sees this.
        let call = Call::begin(self);
        let Some(membership) = self.membership() else {
            return Some(disposal);
        };
        membership.dispose(Box::new(Parting {
            disposal: Some(disposal),
            call,
        }));
        None
    }

    /// The end of the housekeeper's work for a pool that was shut down. No callback comes from a thread of the library's own
    /// when this has returned, but where it is called in one.
    pub(crate) fn leave(&self) {
        let place = std::mem::replace(&mut *self.care.place.lock(), Place::Left);
        if !is_in_callback() {
            let mut under_way = self.care.under_way.lock();
            let is_any = |count: &mut usize| *count > 0;
            self.care
                .nothing_under_way
                .wait_while(&mut under_way, is_any);
        }
        drop(place);
    }
}

impl Tended for Pool {
    fn peer_closed(self: Arc<Self>, slot: u32, opening: u16) {
        let _call = Call::begin(&self);
        self.with_effects(|engine, effects| engine.peer_closed(slot, opening, effects));
    }

    fn tend(self: Arc<Self>) -> Option<Duration> {
        let _call = Call::begin(&self);
        let tell = |overdue| self.deliver(Delivery::of_overdue(overdue));
        take_turn(&self.engine, &self.deadlines, tell, || {
            self.with_effects(|engine, effects| self.eviction.run(engine, effects))
        })
    }
}

/// A call of a thread of the library's own.
struct Call(Arc<Pool>);

impl Call {
    fn begin(pool: &Arc<Pool>) -> Self {
        *pool.care.under_way.lock() += 1;
        Call(Arc::clone(pool))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut under_way = self.0.care.under_way.lock();
        *under_way -= 1;
        if *under_way == 0 {
            self.0.care.nothing_under_way.notify_all();
        }
    }
}

/// A connection on its way to the disposer, which drops it.
struct Parting {
    /// Taken when it is dropped.
    disposal: Option<Disposal>,
    // Dropped last: the callback has returned then.
    call: Call,
}

impl Disposable for Parting {
    fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.disposal.as_ref()?.socket.map(borrow)
    }
}

impl Drop for Parting {
    fn drop(&mut self) {
        self.call
            .0
            .deliver(Delivery::of_disposal(self.disposal.take()));
    }
}
