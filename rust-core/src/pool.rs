//! The pool, and what all its leases share.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use parking_lot::Mutex;

use crate::builder::{Builder, millis};
use crate::cells::Cells;
use crate::engine::{
    Effects, Engine, EntryInfo, Handle, Hit, Keep, Refusal, Released, RouteId, Segments,
    ShutdownMode, StateId, Stats, Ticket, Use, Verdict, Victim,
};
use crate::error::LeaseError;
use crate::interner::Interner;
use crate::lease::Lease;
use crate::request::{LeaseFuture, Request};
use crate::route::Route;
use crate::state::States;

/// A pool of connections of type `C` to routes of type `K`.
///
/// Clones are the same pool. Every method may be called from any thread at any time. When the last clone and the last
/// lease are gone, what is idle is dropped.
pub struct Pool<K, C> {
    shared: Arc<Shared<K, C>>,
}

/// What a pool's clones, leases and requests share.
pub(crate) struct Shared<K, C> {
    pub(crate) engine: Engine,
    pub(crate) cells: Cells<C>,
    pub(crate) interner: Interner<K>,
    pub(crate) states: States,
    /// How to wake the owner of a ticket, by the ticket's slot. Written by the owner, taken by whoever wakes it.
    pub(crate) wakers: Segments<Mutex<Option<Waker>>>,
}

impl<K: Eq + Hash + Clone, C> Pool<K, C> {
    /// A pool without limits. See [`builder`](Self::builder) for any other.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Settings of a pool to be made.
    pub fn builder() -> Builder<K, C> {
        Builder::new()
    }

    pub(crate) fn from_shared(shared: Arc<Shared<K, C>>) -> Self {
        Pool { shared }
    }

    /// A request for a connection to `key`, to say more about than the three shorthands below can.
    pub fn request<'a>(&'a self, key: &'a K) -> Request<'a, K, C> {
        Request::of_key(&self.shared, key)
    }

    /// Leases an idle connection or the right to open one, if that is possible now. O(1) for an idle connection.
    ///
    /// # Errors
    ///
    /// [`Exhausted`](LeaseError::Exhausted) where the limits leave nothing, [`ShutDown`](LeaseError::ShutDown).
    ///
    /// ```
    /// use leasehold::{Lease, LeaseError, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::builder().max_total(1).build();
    /// let Lease::Vacancy(vacancy) = pool.try_lease(&"a")? else { panic!("nothing is idle yet") };
    /// assert_eq!(pool.try_lease(&"b").unwrap_err(), LeaseError::Exhausted);
    /// vacancy.fill(7).keep();
    /// // The idle connection to "a" makes room for one to "b".
    /// assert!(matches!(pool.try_lease(&"b")?, Lease::Vacancy(_)));
    /// # Ok::<(), LeaseError>(())
    /// ```
    pub fn try_lease(&self, key: &K) -> Result<Lease<K, C>, LeaseError> {
        self.request(key).try_lease()
    }

    /// Leases a connection, waiting up to `timeout` for one to come free; [`Duration::MAX`] waits for ever.
    ///
    /// Requests are served in the order in which they came, whatever their route. The thread is parked meanwhile.
    ///
    /// # Errors
    ///
    /// [`Timeout`](LeaseError::Timeout), [`ShutDown`](LeaseError::ShutDown), also when that happens while it waits,
    /// [`QueueFull`](LeaseError::QueueFull).
    pub fn lease(&self, key: &K, timeout: Duration) -> Result<Lease<K, C>, LeaseError> {
        self.request(key).lease(timeout)
    }

    /// Leases a connection as soon as one comes free. Works on any executor, needs none of its parts.
    ///
    /// Dropping the future takes the request out of the queue; what it had been granted unseen goes to the next.
    /// The pool has no timer: whoever wants a deadline drops the future, say by the executor's own `timeout`.
    ///
    /// # Errors
    ///
    /// [`ShutDown`](LeaseError::ShutDown), [`QueueFull`](LeaseError::QueueFull).
    ///
    /// ```
    /// # use std::{future::Future, pin::pin, sync::Arc, task::{Context, Poll, Wake, Waker}};
    /// # struct Noop; impl Wake for Noop { fn wake(self: Arc<Self>) {} }
    /// use leasehold::{Lease, Pool};
    ///
    /// async fn fetch(pool: &Pool<&'static str, u32>) -> Result<u32, leasehold::LeaseError> {
    ///     let connection = match pool.lease_async(&"a").await? {
    ///         Lease::Connection(connection) => connection,
    ///         Lease::Vacancy(vacancy) => vacancy.fill(7), // here a client would connect
    ///     };
    ///     let answer = *connection;
    ///     connection.keep();
    ///     Ok(answer)
    /// }
    /// # let pool = Pool::new();
    /// # let waker = Waker::from(Arc::new(Noop));
    /// # assert_eq!(pin!(fetch(&pool)).poll(&mut Context::from_waker(&waker)), Poll::Ready(Ok(7)));
    /// ```
    pub fn lease_async(&self, key: &K) -> LeaseFuture<K, C> {
        self.request(key).lease_async()
    }

    /// A route to lease from again and again: leases by it look no key up.
    ///
    /// # Errors
    ///
    /// [`QueueFull`](LeaseError::QueueFull) where more than a million routes are in use.
    pub fn route(&self, key: &K) -> Result<Route<K, C>, LeaseError> {
        Route::hold(&self.shared, key)
    }

    /// Closes every idle connection whose keep-alive or time to live is over. O(closed · log n).
    ///
    /// A lease meets and closes those of its own route by itself; call this now and then where routes fall out of use.
    pub fn close_expired(&self) {
        self.shared
            .with_effects(|engine, effects| engine.close_expired(effects));
    }

    /// Closes every connection that has been idle for `age` or longer, with zero all that are idle. O(closed).
    pub fn close_idle(&self, age: Duration) {
        self.shared
            .with_effects(|engine, effects| engine.close_idle(millis(age), effects));
    }

    /// Closes every idle connection to `key`; leased ones close at their release. O(entries).
    pub fn clear(&self, key: &K) {
        if let Some(route) = self.shared.interner.find(key) {
            // A route that was reclaimed meanwhile has nothing to clear.
            let _ = self
                .shared
                .with_effects(|engine, effects| engine.clear_route(route, effects));
        }
    }

    /// Changes the limit in total. Raised, it serves waiters at once; lowered, it closes idle connections at once,
    /// least recently released first, and leased ones at their release.
    pub fn set_max_total(&self, max: u32) {
        self.shared
            .with_effects(|engine, effects| engine.set_max_total(max, effects));
    }

    /// Changes the limit of every route that has none of its own, in the same way. O(routes).
    pub fn set_max_per_route(&self, max: u32) {
        self.shared
            .with_effects(|engine, effects| engine.set_default_max_per_route(max, effects));
    }

    /// Gives a route a limit of its own, kept until it is taken back with `None`, in the same way.
    ///
    /// # Errors
    ///
    /// [`QueueFull`](LeaseError::QueueFull) where more than a million routes are in use.
    pub fn set_max_of(&self, key: &K, max: Option<u32>) -> Result<(), LeaseError> {
        let key = Arc::new(key.clone());
        let mut stale = None;
        loop {
            let route = self.shared.intern(&key, stale)?;
            match self
                .shared
                .with_effects(|engine, effects| engine.set_max_per_route(route, max, effects))
            {
                Err(Refusal::StaleRoute) => stale = Some(route),
                outcome => return Ok(outcome?),
            }
        }
    }

    /// Ends the pool: whoever waits gets [`ShutDown`](LeaseError::ShutDown), idle connections are closed, leased ones
    /// close at their release, later leases are refused. May be called again.
    pub fn shutdown(&self) {
        self.shared
            .with_effects(|engine, effects| engine.shutdown(ShutdownMode::Graceful, effects));
    }

    /// The pool was shut down.
    pub fn is_shut_down(&self) -> bool {
        self.shared.engine.is_shut_down()
    }

    /// The pool's numbers: exact at rest. Takes no lock.
    pub fn stats(&self) -> Stats {
        self.shared.engine.stats()
    }

    /// The numbers of one route: zeros, but for the limit, where nothing of it is there.
    pub fn stats_of(&self, key: &K) -> Stats {
        let route = self.shared.interner.find(key);
        route
            .and_then(|route| self.shared.engine.route_stats(route))
            .unwrap_or(Stats {
                max: self.shared.engine.default_max_per_route(),
                ..Stats::default()
            })
    }

    /// What every connection of the pool is doing, each once, as it was when it was looked at. O(entries).
    pub fn entries(&self) -> Vec<Entry<K>> {
        let describe = |info: EntryInfo| {
            Some(Entry {
                key: self.shared.interner.key_of(info.route)?,
                used: info.used,
                idle_for: info
                    .idle_since
                    .filter(|_| info.used == Use::Idle)
                    .map(Duration::from_millis),
                expires_in: info.expires_in.map(Duration::from_millis),
            })
        };
        self.shared
            .engine
            .entries()
            .into_iter()
            .filter_map(describe)
            .collect()
    }
}

/// One connection of a pool as it was when it was looked at.
#[derive(Clone, Debug)]
pub struct Entry<K> {
    /// What it goes to.
    pub key: Arc<K>,
    /// What it is doing.
    pub used: Use,
    /// For how long it has been idle, if it is.
    pub idle_for: Option<Duration>,
    /// When it expires, zero if it has; `None` if it does not.
    pub expires_in: Option<Duration>,
}

impl<K, C> Clone for Pool<K, C> {
    fn clone(&self) -> Self {
        Pool {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<K: Eq + Hash + Clone, C> Default for Pool<K, C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, C> fmt::Debug for Pool<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("engine", &self.shared.engine)
            .finish_non_exhaustive()
    }
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
