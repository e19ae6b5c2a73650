//! What a pool's clones, leases and requests share, and the carrying out of what the engine decides.

use std::hash::Hash;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use parking_lot::Mutex;

use crate::cells::Cells;
use crate::engine::{
    Effects, Engine, Handle, Hit, Keep, Refusal, Released, RouteId, Segments, StateId, Ticket,
    Verdict, Victim,
};
use crate::interner::Interner;
use crate::state::States;

/// What a pool's clones, leases and requests share.
pub(crate) struct Shared<K, C> {
    pub(crate) engine: Engine,
    pub(crate) cells: Cells<C>,
    pub(crate) interner: Interner<K>,
    pub(crate) states: States,
    /// How to wake the owner of a ticket, by the ticket's slot. Written by the owner, taken by whoever wakes it.
    pub(crate) wakers: Segments<Mutex<Option<Waker>>>,
}

impl<K: Eq + Hash, C> Shared<K, C> {
    pub(crate) fn new(engine: Engine) -> Self {
        Shared {
            engine,
            cells: Cells::new(),
            interner: Interner::new(),
            states: States::default(),
            wakers: Segments::new(),
        }
    }

    /// The route of a key, a new one where it has none or its route is `stale`.
    pub(crate) fn intern(&self, key: &Arc<K>, stale: Option<RouteId>) -> Result<RouteId, Refusal> {
        self.with_effects(|engine, effects| self.interner.intern(engine, key, stale, effects))
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
        kept.connection = Some(connection);
        kept.state = state;
        if state == StateId::NONE && self.engine.release_hit(handle, keep) == Ok(Hit::Kept) {
            return;
        }
        self.end(handle, Verdict::Keep(keep), state);
    }

    /// Ends a lease or a right to open under the coordinator. What it leaves to be closed lies in its cell.
    pub(crate) fn end(&self, handle: Handle, verdict: Verdict, state: StateId) {
        self.with_effects(|engine, effects| {
            if let Ok(Released::Close(_)) = engine.release(handle, verdict, state, effects) {
                // Closed before those who now may open in its place are woken.
                drop(self.take_victim(handle.slot()));
            }
        });
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
        let take = |victim: Victim| self.shared.take_victim(victim.slot);
        let victims: Vec<C> = effects.victims.into_iter().filter_map(take).collect();
        drop(victims);
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
