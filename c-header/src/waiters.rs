//! Who waits: threads and requests whose answer is a callback, each in a place by its ticket's slot.
//!
//! Who waits is published there before the ticket is queued (I13), so a grant that comes at once finds whom to tell. A request with
//! a callback is answered by whoever takes it out of its place: the thread that the engine told to wake it, the one that
//! finds it overdue, or the one that cancels it.

use std::ffi::c_void;
use std::sync::Arc;
use std::time::Instant;

use leasehold::engine::{RouteId, Segments, StateId, Ticket, TicketSlot};
use leasehold::face::{Condvar, Deadline, Mutex, MutexGuard};

use crate::handles::{lh_lease, lh_pool};
use crate::status::lh_status;

/// How to tell the owner of each ticket.
pub(crate) struct Waiters(Segments<TicketSlot, Mutex<Place>>);

/// What was published last for a ticket of the place's slot, until it is taken out.
type Place = Option<(Ticket, Waiter)>;

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
    pub(crate) fn new() -> Self {
        Waiters(Segments::new())
    }

    pub(crate) fn publish(&self, ticket: Ticket, waiter: Waiter) {
        *self.0.grow_to(ticket.slot()).lock() = Some((ticket, waiter));
    }

    /// A ticket's place, locked, while what was published for it is there.
    pub(crate) fn place_of(&self, ticket: Ticket) -> Option<MutexGuard<'_, Place>> {
        let place = self.0.get(ticket.slot())?.lock();
        let is_its = matches!(&*place, Some((published, _)) if *published == ticket);
        is_its.then_some(place)
    }

    /// Wakes the thread that sleeps for a ticket. False where none does.
    pub(crate) fn wake_thread(&self, ticket: Ticket) -> bool {
        let signal = match self.place_of(ticket).as_deref() {
            Some(Some((_, Waiter::Thread(signal)))) => Arc::clone(signal),
            _ => return false,
        };
        signal.give();
        true
    }

    /// Takes back what was published for a ticket, if it is still there.
    pub(crate) fn retract(&self, ticket: Ticket) {
        if let Some(mut place) = self.place_of(ticket) {
            *place = None;
        }
    }

    /// Takes a request whose answer would be a callback out of its place.
    pub(crate) fn take_request(&self, ticket: Ticket) -> Option<Request> {
        let mut place = self.place_of(ticket)?;
        match &*place {
            Some((_, Waiter::Callback(request))) => {
                let request = *request;
                *place = None;
                Some(request)
            }
            _ => None,
        }
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
        let waiters = Waiters::new();
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
        let waiters = Waiters::new();
        let ticket = Ticket::from_u64(7 << 32 | 1);
        let signal = Arc::new(Signal::default());
        assert!(!waiters.wake_thread(ticket));
        waiters.publish(ticket, Waiter::Thread(Arc::clone(&signal)));
        assert!(waiters.take_request(ticket).is_none());
        assert!(waiters.wake_thread(ticket));
        assert!(signal.wait(Some(Instant::now())));
        waiters.retract(ticket);
        assert!(waiters.place_of(ticket).is_none());
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
