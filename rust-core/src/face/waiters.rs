//! Who waits, and how to tell them: one place for each slot of a ticket.
//!
//! How to tell a ticket's owner is published before the ticket is queued, so a grant that comes at once finds whom to tell; and anew before
//! the owner looks for the answer, so one that comes after the look does, too (I13). Whoever tells takes it out of its place, and so tells
//! once.
//!
//! Race window: a ticket may have ended, and its slot be another's, while somebody is about to tell its owner. It is harmless because what
//! is published stands beside the ticket that it is for, and is nobody else's.

use std::fmt;

use crate::engine::sync::{Mutex, MutexGuard};
use crate::engine::{Segments, Ticket, TicketSlot};

/// What was published last for a ticket of the place's slot, until it is taken out.
type Place<W> = Option<(Ticket, W)>;

/// How to tell the owner of each ticket.
pub struct Waiters<W> {
    // ----- each under its own lock: written by the ticket's owner, and by whoever tells it -----
    places: Segments<TicketSlot, Mutex<Place<W>>>,
}

impl<W> Default for Waiters<W> {
    fn default() -> Self {
        Waiters {
            places: Segments::new(),
        }
    }
}

impl<W> Waiters<W> {
    /// Says how to tell a ticket's owner. How it was before, or what is left of another ticket of the slot, is the caller's to drop,
    /// which may be a program's code.
    #[must_use = "dropping it may be a program's code: where nothing can be lost"]
    pub fn publish(&self, ticket: Ticket, waiter: W) -> Option<W> {
        let mut place = self.places.grow_to(ticket.slot()).lock();
        let before = place.replace((ticket, waiter));
        Some(before?.1)
    }

    /// What was published for a ticket, if it is still there, under its place's lock.
    pub fn published(&self, ticket: Ticket) -> Option<Published<'_, W>> {
        let place = self.places.get(ticket.slot())?.lock();
        let is_its = matches!(&*place, Some((published, _)) if *published == ticket);
        is_its.then_some(Published(place))
    }

    /// Takes what was published for a ticket out of its place, if it is still there.
    pub fn take(&self, ticket: Ticket) -> Option<W> {
        Some(self.published(ticket)?.take())
    }
}

impl<W> fmt::Debug for Waiters<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiters").finish_non_exhaustive()
    }
}

/// What was published for a ticket. Nobody else takes it out or replaces it as long as this is there.
pub struct Published<'a, W>(MutexGuard<'a, Place<W>>);

impl<W> Published<'_, W> {
    /// How to tell the ticket's owner.
    pub fn waiter(&self) -> &W {
        let (_, waiter) = self.0.as_ref().expect("it was there under this lock");
        waiter
    }

    /// Takes it out of its place, and gives up the lock.
    pub fn take(mut self) -> W {
        let (_, waiter) = self.0.take().expect("it was there under this lock");
        waiter
    }
}

impl<W> fmt::Debug for Published<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_taken_once_and_for_its_own_ticket() {
        let waiters = Waiters::default();
        let ticket = Ticket::from_u64(7 << 32 | 1);
        let of_that_slot = Ticket::from_u64(7 << 32 | 2);
        assert_eq!(ticket.slot(), of_that_slot.slot());
        assert_eq!(waiters.take(ticket), None);
        assert_eq!(waiters.publish(ticket, "first"), None);
        assert_eq!(waiters.publish(ticket, "again"), Some("first"));
        assert_eq!(waiters.take(of_that_slot), None);
        assert_eq!(waiters.take(ticket), Some("again"));
        assert_eq!(waiters.take(ticket), None);
    }
}
