//! What a pool's clones, leases and requests share, and the carrying out of what the engine decides.

use std::hash::Hash;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use parking_lot::Mutex;

use crate::cells::Cells;
use crate::deadlines::Deadlines;
use crate::engine::{
    Effects, Engine, Handle, Hit, Keep, Refusal, Released, RouteId, Segments, StateId, Ticket,
    Verdict, Victim,
};
use crate::housekeeper::{Eviction, Membership, Tended, pause};
use crate::interner::Interner;
use crate::sockets::{Plan, Sockets, UNWATCHED};
use crate::state::States;

/// What a pool's clones, leases and requests share.
pub(crate) struct Shared<K, C> {
    pub(crate) engine: Engine,
    pub(crate) cells: Cells<C>,
    pub(crate) interner: Interner<K>,
    pub(crate) states: States,
    /// How to wake the owner of a ticket, by the ticket's slot. Written by the owner, taken by whoever wakes it.
    pub(crate) wakers: Segments<Mutex<Option<Waker>>>,
    pub(crate) deadlines: Deadlines<Waker>,
    pub(crate) sockets: Sockets<C>,
    pub(crate) eviction: Eviction,
}

impl<K: Eq + Hash, C> Shared<K, C> {
    pub(crate) fn new(engine: Engine, plan: Plan<C>, eviction: Eviction) -> Self {
        Shared {
            engine,
            cells: Cells::new(),
            interner: Interner::new(),
            states: States::default(),
            wakers: Segments::new(),
            deadlines: Deadlines::default(),
            sockets: Sockets::new(plan),
            eviction,
        }
    }

    /// The route of a key, a new one where it has none or its route is `stale`.
    pub(crate) fn intern(&self, key: &Arc<K>, stale: Option<RouteId>) -> Result<RouteId, Refusal> {
        self.with_effects(|engine, effects| self.interner.intern(engine, key, stale, effects))
    }

    pub(crate) fn close_expired(&self) {
        self.with_effects(|engine, effects| engine.close_expired(effects));
    }

    pub(crate) fn close_idle(&self, millis: u64) {
        self.with_effects(|engine, effects| engine.close_idle(millis, effects));
    }

    /// Has the housekeeper look what is due.
    pub(crate) fn ring(&self) {
        if let Some(membership) = self.sockets.membership.get() {
            membership.ring();
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
        if let Some(socket) = self.sockets.to_watch(&connection) {
            if socket.as_raw_fd() != kept.socket {
                kept.socket = self.watch_anew(handle, &connection);
            }
        }
        kept.connection = Some(connection);
        kept.state = state;
        if state == StateId::NONE && self.engine.release_hit(handle, keep) == Ok(Hit::Kept) {
            return;
        }
        self.end(handle, Verdict::Keep(keep), state);
    }

    /// A connection was opened, and is leased by `handle`.
    pub(crate) fn admit(&self, handle: Handle, connection: &C) {
        self.sockets.set_up(connection);
        if self.sockets.to_watch(connection).is_none() {
            return;
        }
        // None where the pool was shut down meanwhile: the release closes.
        if let Ok(opening) = self.engine.opening(handle) {
            // SAFETY: the caller holds the live lease, and nobody else has its handle.
            let kept = unsafe { self.cells.owned(handle.slot()) };
            kept.socket = self.sockets.watch(connection, handle.slot(), opening);
        }
    }

    /// The lease's holder has put another connection in place of the one that is watched.
    #[cold]
    fn watch_anew(&self, handle: Handle, connection: &C) -> RawFd {
        let is_anew = self.engine.reopen(handle).is_ok() && self.engine.opened(handle).is_ok();
        match self.engine.opening(handle) {
            Ok(opening) if is_anew => self.sockets.watch(connection, handle.slot(), opening),
            _ => UNWATCHED,
        }
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
                    self.sockets.close(connection);
                }
            }
        });
    }
}

impl<K, C> Drop for Shared<K, C> {
    /// What is idle is closed as any other.
    fn drop(&mut self) {
        for connection in self.cells.drain() {
            self.sockets.close(connection);
        }
    }
}

impl<K, C> Shared<K, C>
where
    K: Eq + Hash + Send + Sync + 'static,
    C: Send + 'static,
{
    /// Puts the pool into the housekeeper's care, unless it is there.
    pub(crate) fn join_housekeeper(self: &Arc<Self>) -> &Membership {
        self.sockets.membership.get_or_init(|| {
            let pool = Arc::downgrade(self);
            let advanced = pool.clone();
            self.engine.clock().on_advance(move || {
                if let Some(shared) = advanced.upgrade() {
                    shared.ring();
                }
            });
            Membership::join(pool)
        })
    }
}

impl<K: Eq + Hash + Send + Sync, C: Send> Tended for Shared<K, C> {
    fn peer_closed(self: Arc<Self>, slot: u32, opening: u16) {
        self.with_effects(|engine, effects| engine.peer_closed(slot, opening, effects));
    }

    fn tend(self: Arc<Self>) -> Option<Duration> {
        let to_evict = self.with_effects(|engine, effects| self.eviction.run(engine, effects));
        let now = self.engine.now();
        let (due, next) = self.deadlines.take_due(now);
        due.into_iter().for_each(Waker::wake);
        let deadline = next.map(|moment| moment.saturating_sub(now));
        pause(self.engine.clock(), to_evict, deadline)
    }
}

/// Effects that are carried out when it is dropped.
struct Pending<'a, K: Eq + Hash, C> {
    shared: &'a Shared<K, C>,
    effects: Effects,
}

impl<K: Eq + Hash, C> Drop for Pending<'_, K, C> {
    fn drop(&mut self) {
        if self.effects.is_empty() {
            return;
        }
        let effects = std::mem::take(&mut self.effects);
        // Woken last, so that whoever may open a connection in a victim's place opens it after that one was closed;
        // but woken all the same if a connection's drop panics.
        let _wakes = Wakes {
            wakers: &self.shared.wakers,
            tickets: effects.wakes,
        };
        for route in effects.retired {
            self.shared.interner.forget(route);
        }
        let shared = self.shared;
        let take = |victim: Victim| {
            shared.log_closing(victim);
            shared.take_victim(victim.slot)
        };
        // Taken out first, all of them: the slots are free even if a close panics.
        let victims: Vec<C> = effects.victims.into_iter().filter_map(take).collect();
        for connection in victims {
            shared.sockets.close(connection);
        }
    }
}

/// Wakes the owners of tickets when it is dropped.
struct Wakes<'a> {
    wakers: &'a Segments<Mutex<Option<Waker>>>,
    tickets: Vec<Ticket>,
}

impl Drop for Wakes<'_> {
    fn drop(&mut self) {
        for ticket in self.tickets.drain(..) {
            let waker = self
                .wakers
                .get(ticket.slot())
                .and_then(|waker| waker.lock().take());
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

/// A duration in the engine's unit, for ever if it is longer than that can tell.
pub(crate) fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
