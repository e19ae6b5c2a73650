//! Who waits: threads and requests whose answer is a callback, each in a place by its ticket's slot.
//!
//! Who waits is published there before the ticket is queued (I13), so a grant that comes at once finds whom to tell. A request with
//! a callback is answered by whoever takes it out of its place: the thread that the engine told to wake it, the one that
//! finds it overdue, or the one that cancels it.

use std::ffi::c_void;
use std::sync::Arc;
use std::time::Instant;

use leasehold::engine::{RouteId, StateId, Ticket};
use leasehold::face::{self, Condvar, Deadline, Mutex, Published};

use crate::handles::{lh_lease, lh_pool};
use crate::status::lh_status;

/// How to tell the owner of each ticket.
#[derive(Default)]
pub(crate) struct Waiters(face::Waiters<Waiter>);

pub(crate) enum Waiter {
    Thread(Arc<Signal>),
    Callback(Request),
}

/// What a sleeping thread waits for.
#[derive(Default)]
pub(crate) struct Signal {
    is_given: Mutex<bool>,
    given: Condvar,
}

#[derive(Clone, Copy)]
pub(crate) struct Request {
    pub(crate) callback:
        unsafe extern "C" fn(*mut c_void, lh_pool, lh_status, lh_lease, *mut c_void),
    pub(crate) context: *mut c_void,
    pub(crate) route: RouteId,
    /// A use of the number of its own.
    pub(crate) state: StateId,
    pub(crate) deadline: Option<Deadline>,
}

// SAFETY: the program gave the context for a callback on any thread; here it is only passed on.
unsafe impl Send for Request {}

impl Waiters {
    pub(crate) fn publish(&self, ticket: Ticket, waiter: Waiter) {
        drop(self.0.publish(ticket, waiter));
    }

    /// What was published for a ticket, under its place's lock, while it is there.
    pub(crate) fn published(&self, ticket: Ticket) -> Option<Published<'_, Waiter>> {
        self.0.published(ticket)
    }

    /// Wakes the thread that sleeps for a ticket. False where none does.
    pub(crate) fn wake_thread(&self, ticket: Ticket) -> bool {
        let Some(published) = self.published(ticket) else {
            return false;
        };
        let Waiter::Thread(signal) = published.waiter() else {
            return false;
        };
        let signal = Arc::clone(signal);
        drop(published);
        signal.give();
        true
    }

    /// Takes back what was published for a ticket, if it is still there.
    pub(crate) fn retract(&self, ticket: Ticket) {
        drop(self.0.take(ticket));
    }

    /// Takes a request whose answer would be a callback out of its place.
    pub(crate) fn take_request(&self, ticket: Ticket) -> Option<Request> {
        let published = self.published(ticket)?;
        let Waiter::Callback(request) = *published.waiter() else {
            return None;
        };
        drop(published.take());
        Some(request)
    }
}

impl Signal {
    pub(crate) fn give(&self) {
        *self.is_given.lock() = true;
        self.given.notify_one();
    }

    /// False if the deadline came first.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> bool {
        let mut is_given = self.is_given.lock();
        let is_to_wait = |is_given: &mut bool| !*is_given;
        match deadline {
            None => self.given.wait_while(&mut is_given, is_to_wait),
            Some(deadline) => {
                self.given
                    .wait_while_until(&mut is_given, is_to_wait, deadline);
            }
        }
        std::mem::take(&mut is_given)
    }
}

#[cfg(test)]
mod tests {
    use std::ptr::null_mut;

    use super::*;

    unsafe extern "C" fn ignore(
        _: *mut c_void,
        _: lh_pool,
        _: lh_status,
        _: lh_lease,
        _: *mut c_void,
    ) {
    }

    fn request() -> Waiter {
        Waiter::Callback(Request {
            callback: ignore,
            context: null_mut(),
            route: RouteId::from_u64(1),
            state: StateId::NONE,
            deadline: None,
        })
    }

    #[test]
    fn a_request_is_taken_once_and_by_its_own_ticket() {
        let waiters = Waiters::default();
        let ticket = Ticket::from_u64(7 << 32 | 1);
        let of_that_slot = Ticket::from_u64(7 << 32 | 2);
        assert_eq!(ticket.slot(), of_that_slot.slot());
        assert!(waiters.take_request(ticket).is_none());
        waiters.publish(ticket, request());
        waiters.retract(of_that_slot);
        assert!(waiters.take_request(of_that_slot).is_none());
        assert!(!waiters.wake_thread(ticket));
        assert!(waiters.take_request(ticket).is_some());
        assert!(waiters.take_request(ticket).is_none());
    }

    #[test]
    fn a_thread_is_no_request_to_be_taken() {
        let waiters = Waiters::default();
        let ticket = Ticket::from_u64(7 << 32 | 1);
        let signal = Arc::new(Signal::default());
        assert!(!waiters.wake_thread(ticket));
        waiters.publish(ticket, Waiter::Thread(Arc::clone(&signal)));
        assert!(waiters.take_request(ticket).is_none());
        assert!(waiters.wake_thread(ticket));
        assert!(signal.wait(Some(Instant::now())));
        waiters.retract(ticket);
        assert!(waiters.published(ticket).is_none());
    }

    #[test]
    fn a_signal_is_kept_for_one_wait() {
        let signal = Signal::default();
        let over = Some(Instant::now());
        assert!(!signal.wait(over));
        signal.give();
        assert!(signal.wait(over));
        assert!(!signal.wait(over));
    }
}
