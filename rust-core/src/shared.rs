//! What a pool's clones, leases and requests share, and the carrying out of what the engine decides.

use std::any::Any;
use std::hash::Hash;
use std::os::fd::{AsRawFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::thread;
use std::time::Duration;

use crate::cells::{Cells, Kept, UNWATCHED};
use crate::deadlines::Deadlines;
use crate::engine::{
    Effects, Engine, Handle, Hit, Keep, Released, Segments, StateId, Ticket, Verdict, Victim,
};
use crate::housekeeper::{Membership, Tended, is_housekeepers_thread, take_turn};
use crate::interner::Interner;
use crate::locks::Mutex;
use crate::plan::{Plan, dispose};
use crate::state::States;
use crate::watching::Watching;

/// What a pool's clones, leases and requests share.
pub(crate) struct Shared<K, C> {
    pub(crate) engine: Engine,
    pub(crate) cells: Cells<C>,
    pub(crate) interner: Interner<K>,
    pub(crate) states: States,
    /// How to wake the owner of a ticket, by the ticket's slot. Written by the owner; taken by whoever wakes it, or by the owner when
    /// it waits no longer.
    wakers: Segments<Mutex<Option<(Ticket, Waker)>>>,
    pub(crate) deadlines: Deadlines<Waker>,
    pub(crate) plan: Plan<C>,
    /// Set when the pool is built, or by the first request that has a deadline.
    place: OnceLock<Place<C>>,
}

/// A pool's place with the housekeeper.
struct Place<C> {
    membership: Membership,
    /// Hands a connection to the disposer.
    dispose: fn(&Membership, C, &Plan<C>),
}

impl<K: Eq + Hash, C> Shared<K, C> {
    pub(crate) fn new(engine: Engine, plan: Plan<C>) -> Self {
        Shared {
            engine,
            cells: Cells::new(),
            interner: Interner::new(),
            states: States::default(),
            wakers: Segments::new(),
            deadlines: Deadlines::default(),
            plan,
            place: OnceLock::new(),
        }
    }

    pub(crate) fn close_expired(&self) {
        self.with_effects(|engine, effects| engine.close_expired(effects));
    }

    pub(crate) fn close_idle(&self, millis: u64) {
        self.with_effects(|engine, effects| engine.close_idle(millis, effects));
    }

    /// Has the housekeeper look what is due.
    pub(crate) fn ring(&self) {
        if let Some(place) = self.place.get() {
            place.membership.ring();
        }
    }

    /// Calls the engine and carries out what follows from it, also where `call` closes a connection whose drop panics.
    pub(crate) fn with_effects<T>(&self, call: impl FnOnce(&Engine, &mut Effects) -> T) -> T {
        let mut pending = Pending {
            shared: self,
            effects: Effects::new(),
        };
        call(&self.engine, &mut pending.effects)
    }

    /// Takes a victim's connection, if a lease does not hold it, and gives its slot free.
    fn take_victim(&self, slot: u32) -> Option<C> {
        // SAFETY: the engine has handed this victim to us alone, and it is acknowledged below.
        let kept = unsafe { self.cells.owned(slot) };
        let connection = kept.connection.take();
        self.states.release(std::mem::take(&mut kept.state));
        self.engine.ack(slot);
        connection
    }

    /// Gives back a connection that a lease holds, bound to `state`, whose use passes to the entry.
    pub(crate) fn release(&self, handle: Handle, connection: C, keep: Keep, state: StateId) {
        // SAFETY: the caller gives its live lease up, and nobody else has its handle.
        let kept = unsafe { self.cells.owned(handle.slot()) };
        self.note_socket(handle, &connection, kept);
        kept.connection = Some(connection);
        kept.state = state;
        if state == StateId::NONE && self.engine.release_hit(handle, keep) == Ok(Hit::Kept) {
            return;
        }
        self.end(handle, Verdict::Keep(keep), state);
    }

    /// Notes for how long a connection that a lease holds was promised to be kept.
    pub(crate) fn update_expiry(&self, handle: Handle, connection: &C, keep: Keep) {
        // SAFETY: the caller holds the live lease, and nobody else has its handle.
        let kept = unsafe { self.cells.owned(handle.slot()) };
        // First, since what was promised for another connection before it is forgotten.
        self.note_socket(handle, connection, kept);
        // Refused after a shutdown, where there is no expiry to note: the connection closes at its release.
        let _ = self.engine.update_expiry(handle, keep);
    }

    /// Sees to it that a leased connection is watched by the socket that it has now.
    #[inline]
    fn note_socket(&self, handle: Handle, connection: &C, kept: &mut Kept<C>) {
        if let Some(socket) = self.plan.to_watch(connection) {
            if socket.as_raw_fd() != kept.socket {
                kept.socket = self.watch_anew(handle, connection, kept.socket);
            }
        }
    }

    /// A connection was opened, and is leased by `handle`.
    pub(crate) fn admit(&self, handle: Handle, connection: &C) {
        self.plan.set_up(connection);
        if self.plan.to_watch(connection).is_none() {
            return;
        }
        // SAFETY: the caller holds the live lease, and nobody else has its handle.
        let kept = unsafe { self.cells.owned(handle.slot()) };
        kept.socket = self.watch_anew(handle, connection, UNWATCHED);
    }

    /// Watches a leased connection that is not watched yet, or not by the socket that it has now. Returns the descriptor's
    /// number where that succeeds.
    #[cold]
    fn watch_anew(&self, handle: Handle, connection: &C, before: RawFd) -> RawFd {
        // The lease's holder has put another connection in its place: an event of the one before concerns nobody any more.
        let is_another = before != UNWATCHED;
        if is_another && self.engine.renew(handle).is_err() {
            return UNWATCHED;
        }
        let (Some(place), Some(socket)) = (self.place.get(), self.plan.to_watch(connection)) else {
            return UNWATCHED;
        };
        // None where the pool was shut down meanwhile: the release closes.
        let opening = self.engine.opening(handle).ok();
        let is_watched = |opening| place.membership.watch(socket, handle.slot(), opening);
        match opening.is_some_and(is_watched) {
            true => socket.as_raw_fd(),
            false => UNWATCHED,
        }
    }

    /// Whether the peer of a connection just leased has closed it, as far as the pool is to ask.
    #[inline]
    pub(crate) fn is_dead(&self, handle: Handle, connection: &C) -> bool {
        let is_asked = match self.plan.watching {
            Watching::Off => false,
            Watching::Probe | Watching::Both => true,
            // SAFETY: the lease was just made, and nobody else has its handle.
            Watching::Watch => unsafe { self.cells.owned(handle.slot()) }.socket == UNWATCHED,
        };
        is_asked && self.plan.finds_dead(connection)
    }

    /// The look at a connection that was just leased has found out that its peer had closed it.
    pub(crate) fn note_stale(&self, handle: Handle) {
        self.engine.note_stale();
        log::debug!(
            "pool {}: connection {} was leased stale: its peer had closed it unnoticed",
            self.engine.tag(),
            handle.slot()
        );
    }

    fn log_closing(&self, victim: Victim) {
        log::debug!(
            "pool {}: connection {} is closed: {}",
            self.engine.tag(),
            victim.slot,
            victim.cause
        );
    }

    /// Ends a lease or a right to open under the coordinator. What it leaves to be closed lies in its cell.
    pub(crate) fn end(&self, handle: Handle, verdict: Verdict, state: StateId) {
        self.with_effects(|engine, effects| {
            if let Ok(Released::Close(cause)) = engine.release(handle, verdict, state, effects) {
                let slot = handle.slot();
                // Closed before those who now may open in its place are woken.
                if let Some(connection) = self.take_victim(slot) {
                    self.log_closing(Victim { slot, cause });
                    self.close(connection);
                }
            }
        });
    }
}

impl<K, C> Shared<K, C> {
    /// Says whom to wake when a ticket is answered.
    pub(crate) fn publish(&self, ticket: Ticket, waker: &Waker) {
        // Cloned before and dropped after the lock is held: both are the executor's code.
        let waker = Some((ticket, waker.clone()));
        let before = std::mem::replace(&mut *self.wakers.grow_to(ticket.slot()).lock(), waker);
        drop(before);
    }

    /// Takes what was published for a ticket, if it is still there. The ticket may have ended, and its slot be another's.
    pub(crate) fn take_waker(&self, ticket: Ticket) -> Option<Waker> {
        let mut published = self.wakers.get(ticket.slot())?.lock();
        let (_, waker) = published.take_if(|(owner, _)| *owner == ticket)?;
        Some(waker)
    }

    /// A connection leaves the pool, to be closed or for its user's own ends.
    pub(crate) fn unwatch(&self, connection: &C) {
        if let (Some(place), Some(socket)) = (self.place.get(), self.plan.to_watch(connection)) {
            place.membership.unwatch(socket);
        }
    }

    /// Closes a connection: on this thread, or the disposer's where that was asked for and on the housekeeper's thread, which a
    /// close must not hold up. Its user's code runs: with no lock held.
    pub(crate) fn close(&self, connection: C) {
        self.unwatch(&connection);
        let is_aside = self.plan.closes_aside || is_housekeepers_thread();
        match self.place.get().filter(|_| is_aside) {
            Some(place) => (place.dispose)(&place.membership, connection, &self.plan),
            None => drop(connection),
        }
    }
}

impl<K, C> Drop for Shared<K, C> {
    /// What is idle is closed as any other.
    fn drop(&mut self) {
        let idle: Vec<C> = self.cells.drain().collect();
        let mut panics = Panics::default();
        for connection in idle {
            panics.catch(|| self.close(connection));
        }
        panics.resume();
    }
}

impl<K, C> Shared<K, C>
where
    K: Eq + Hash + Send + Sync + 'static,
    C: Send + 'static,
{
    /// Puts the pool into the housekeeper's care, unless it is there.
    pub(crate) fn join_housekeeper(self: &Arc<Self>) {
        if self.place.get().is_some() {
            return;
        }
        let place = self.place.get_or_init(|| {
            let pool: Arc<dyn Tended> = Arc::clone(self) as _;
            Place {
                membership: Membership::join(&pool, self.engine.clock()),
                dispose,
            }
        });
        place.membership.start();
    }
}

impl<K, C> Tended for Shared<K, C>
where
    K: Eq + Hash + Send + Sync,
    C: Send,
{
    fn peer_closed(self: Arc<Self>, slot: u32, opening: u16) {
        self.with_effects(|engine, effects| engine.peer_closed(slot, opening, effects));
    }

    fn tend(self: Arc<Self>) -> Option<Duration> {
        let wake = |due: Vec<Waker>| {
            let mut panics = Panics::default();
            due.into_iter()
                .for_each(|waker| panics.catch(|| waker.wake()));
            panics.resume();
        };
        take_turn(&self.engine, &self.deadlines, wake, || {
            self.with_effects(|engine, effects| self.plan.eviction.run(engine, effects))
        })
    }
}

/// Effects that are carried out when it is dropped, whatever panics: a close, a waker or a key costs no other anything.
struct Pending<'a, K: Eq + Hash, C> {
    shared: &'a Shared<K, C>,
    effects: Effects,
}

impl<K: Eq + Hash, C> Drop for Pending<'_, K, C> {
    fn drop(&mut self) {
        if self.effects.is_empty() {
            return;
        }
        let shared = self.shared;
        let effects = std::mem::take(&mut self.effects);
        let mut panics = Panics::default();
        // Taken out first, all of them, so that the slots are free.
        let take = |victim: Victim| Some((victim, shared.take_victim(victim.slot)?));
        let victims: Vec<(Victim, C)> = effects.victims.into_iter().filter_map(take).collect();
        for (victim, connection) in victims {
            panics.catch(|| shared.log_closing(victim));
            panics.catch(|| shared.close(connection));
        }
        for route in effects.retired {
            panics.catch(|| shared.interner.forget(route));
        }
        // Last, so that whoever may open a connection in a victim's place opens it after that one was closed.
        for ticket in effects.wakes {
            if let Some(waker) = shared.take_waker(ticket) {
                panics.catch(|| waker.wake());
            }
        }
        panics.resume();
    }
}

/// What panicked among several steps of users' code, each of which is taken all the same.
#[derive(Default)]
struct Panics {
    first: Option<Box<dyn Any + Send>>,
}

impl Panics {
    fn catch(&mut self, step: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(step)) {
            self.first.get_or_insert(panic);
        }
    }

    /// Goes on with the first panic, unless the thread unwinds already.
    fn resume(self) {
        if let Some(panic) = self.first.filter(|_| !thread::panicking()) {
            resume_unwind(panic);
        }
    }
}

/// A duration in the engine's unit, for ever if it is longer than that can tell.
pub(crate) fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
