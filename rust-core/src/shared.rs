//! What a pool's clones, leases and requests share, and what the [face kit](crate::face) needs to carry out what the engine decides.

use std::hash::Hash;
use std::os::fd::{AsRawFd, RawFd};
use std::panic::Location;
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::Duration;

use crate::cells::{Cells, Origin, Place as Cell, UNWATCHED};
use crate::deadlines::Deadlines;
use crate::engine::{
    Effects, Engine, Handle, Hit, Keep, RouteId, StateId, Ticket, Verdict, Victim,
};
use crate::face::{self, Face, Holders, Waiters};
use crate::housekeeper::{Membership, Parting, Tended, is_housekeepers_thread, take_turn};
use crate::interner::Interner;
use crate::panics::{Panics, in_drop};
use crate::plan::{Looks, Plan, dispose};
use crate::situation::Situation;
use crate::state::States;
use crate::watch::Token;
use crate::watching::Watching;

/// What a pool's clones, leases and requests share.
pub(crate) struct Shared<K, C> {
    // ----- settings: as the pool was built -----
    pub(crate) name: Arc<str>,
    pub(crate) plan: Plan<C>,

    // ----- each with locks of its own -----
    pub(crate) engine: Engine,
    pub(crate) interner: Interner<K>,
    pub(crate) states: States,
    pub(crate) deadlines: Deadlines<Waker>,
    pub(crate) waiters: Waiters<Waker>,

    // ----- under no lock: written by who owns the entry (I11) -----
    pub(crate) cells: Cells<C>,
    /// Where leases were asked for.
    pub(crate) callers: Holders<Location<'static>>,

    // ----- set once: when the pool is built, or by the first request that has a deadline -----
    place: OnceLock<Place<C>>,
}

/// A pool's place with the housekeeper.
struct Place<C> {
    membership: Membership,
    /// Hands a connection to the disposer.
    dispose: fn(&Membership, C, &Plan<C>),
}

impl<K: Eq + Hash, C> Shared<K, C> {
    pub(crate) fn new(engine: Engine, plan: Plan<C>, name: Option<Arc<str>>) -> Self {
        Shared {
            name: name.unwrap_or_else(|| format!("pool-{}", engine.tag()).into()),
            callers: Holders::default(),
            engine,
            cells: Cells::new(),
            interner: Interner::new(),
            states: States::default(),
            waiters: Waiters::default(),
            deadlines: Deadlines::default(),
            plan,
            place: OnceLock::new(),
        }
    }
}

impl<K, C> Shared<K, C> {
    pub(crate) fn close_expired(&self) {
        self.with_effects(|engine, effects| engine.close_expired(effects));
    }

    pub(crate) fn close_idle(&self, millis: u64) {
        self.with_effects(|engine, effects| engine.close_idle(millis, effects));
    }

    /// Whether the housekeeper's thread runs, which is started where it does not.
    pub(crate) fn is_tended(&self) -> bool {
        self.place
            .get()
            .is_some_and(|place| place.membership.start())
    }

    /// Has the housekeeper look what is due.
    pub(crate) fn ring(&self) {
        if let Some(place) = self.place.get() {
            place.membership.ring();
        }
    }

    /// Keeps a connection that a lease holds, bound to `state`, whose use passes to the entry. Its socket was looked after.
    ///
    /// # Safety
    ///
    /// `place` is that of the live lease `handle`, which the caller gives up.
    #[inline(always)]
    pub(crate) unsafe fn keep_at(
        &self,
        place: Cell<'_, C>,
        handle: Handle,
        connection: C,
        keep: Keep,
        state: StateId,
    ) {
        // SAFETY: the caller's promise; nobody else has the handle.
        unsafe {
            place.owned(|kept| {
                kept.connection = Some(connection);
                kept.state = state;
            });
        }
        if state == StateId::NONE && self.engine.release_hit(handle, keep) == Ok(Hit::Kept) {
            return;
        }
        self.end(handle, Verdict::Keep(keep), state);
    }

    /// Closes a connection that a lease holds, bound to `state`, whose use passes to the entry.
    pub(crate) fn discard(&self, handle: Handle, connection: C, state: StateId) {
        self.put_back(handle, connection, state);
        self.end(handle, Verdict::Close, StateId::NONE);
    }

    /// Puts a connection back into its place, where it is found by whoever ends the lease, whatever panics.
    #[inline]
    pub(crate) fn put_back(&self, handle: Handle, connection: C, state: StateId) {
        // SAFETY: the caller gives its live lease up, and nobody else has its handle.
        unsafe {
            self.cells.place(handle.slot()).owned(|kept| {
                kept.connection = Some(connection);
                kept.state = state;
            });
        }
    }

    /// Ends a lease or a right to open under the coordinator. What it leaves to be closed lies in its place.
    pub(crate) fn end(&self, handle: Handle, verdict: Verdict, state: StateId) {
        // The engine knows every lease of ours: its holder alone ends it.
        let _ = face::end(self, handle, verdict, state, None);
    }

    /// Notes for how long a connection that a lease holds was promised to be kept.
    pub(crate) fn update_expiry(&self, handle: Handle, connection: &C, keep: Keep) {
        // First, since what was promised for another connection before it is forgotten.
        self.note_socket(handle, connection);
        // Refused after a shutdown, where there is no expiry to note: the connection closes at its release.
        let _ = self.engine.update_expiry(handle, keep);
    }

    /// Sees to it that a leased connection is watched by the socket that it has now.
    #[inline]
    pub(crate) fn note_socket(&self, handle: Handle, connection: &C) {
        // SAFETY: the caller holds the live lease.
        unsafe { self.note_socket_at(self.cells.place(handle.slot()), handle, connection) };
    }

    /// As above, where the connection's place was looked for.
    ///
    /// # Safety
    ///
    /// `place` is that of the live lease `handle`, which the caller holds.
    #[inline(always)]
    pub(crate) unsafe fn note_socket_at(&self, place: Cell<'_, C>, handle: Handle, connection: &C) {
        if let Some(socket) = self.plan.number_to_watch(connection) {
            // SAFETY: the caller's promise; nobody else has the handle.
            let before = unsafe { place.owned(|kept| kept.socket) };
            if socket != before {
                let socket = self.watch_anew(handle, connection, before);
                // SAFETY: as above.
                unsafe { place.owned(|kept| kept.socket = socket) };
            }
        }
    }

    /// A connection was opened, and is leased by `handle`.
    pub(crate) fn admit(&self, handle: Handle, connection: &C) {
        let origin = Origin {
            moment: self.engine.now(),
            lease: handle,
        };
        let place = self.cells.place(handle.slot());
        // SAFETY: the caller holds the live lease, and nobody else has its handle.
        unsafe { place.owned(|kept| kept.origin = origin) };
        self.plan.set_up(connection);
        if self.plan.eviction.is_wanted() {
            // Tried again for each connection that is to be evicted one day. A failure was logged.
            let _ = self.is_tended();
        }
        if self.plan.to_watch(connection).is_none() {
            return;
        }
        let socket = self.watch_anew(handle, connection, UNWATCHED);
        // SAFETY: the caller holds the live lease, and nobody else has its handle.
        unsafe { place.owned(|kept| kept.socket = socket) };
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

    /// Whether a connection just leased is of no use any more, as far as the pool is to ask.
    #[inline(always)]
    pub(crate) fn is_dead(&self, handle: Handle, connection: &C) -> bool {
        let is_asked = match self.plan.looks {
            Looks::Nowhere => false,
            Looks::Everywhere => true,
            Looks::WhereUnwatched => !self.is_watched(handle),
        };
        is_asked && self.finds_dead(handle, connection)
    }

    /// Asks a connection just leased.
    fn finds_dead(&self, handle: Handle, connection: &C) -> bool {
        let plan = &self.plan;
        let is_probed = plan.probes(plan.watching == Watching::Watch && self.is_watched(handle));
        (is_probed && plan.finds_dead(connection)) || plan.refuses(connection)
    }

    fn is_watched(&self, handle: Handle) -> bool {
        // SAFETY: the lease was just made, and nobody else has its handle.
        let socket = unsafe { self.cells.place(handle.slot()).owned(|kept| kept.socket) };
        socket != UNWATCHED
    }

    /// Closes what is idle of a route beyond what may be.
    pub(crate) fn close_surplus(&self, route: RouteId) {
        let Some(max) = self.plan.max_idle_per_route else {
            return;
        };
        // A look first, which takes no lock.
        // Race window: another connection may become idle after it. It is harmless because whoever keeps that one looks afterwards.
        let stats = self.engine.route_stats(route);
        if stats.is_some_and(|stats| stats.available > max) {
            self.with_effects(|engine, effects| engine.close_idle_beyond(route, max, effects));
        }
    }

    /// The look at a connection that was just leased has found out that its peer had closed it.
    pub(crate) fn note_stale(&self, handle: Handle) {
        self.engine.note_stale(handle);
        crate::logging::debug!(
            "{}: connection {} was leased stale: only a look at it has found that it is of no use any more",
            self.name,
            handle.slot()
        );
    }

    /// Notes where a lease was asked for that the caller has.
    #[inline(always)]
    pub(crate) fn note_caller(&self, handle: Handle, caller: &'static Location<'static>) {
        if self.plan.notes_callers {
            self.callers.note(handle, caller);
        }
    }

    /// Where a lease was asked for, as far as that is noted.
    pub(crate) fn caller_of(&self, lease: Handle) -> Option<&'static Location<'static>> {
        // SAFETY: null, or what `note_caller` has noted, which lives for ever.
        unsafe { self.callers.of(lease).as_ref() }
    }

    /// What the pool looks like to who has asked for a route in vain. O(connections).
    pub(crate) fn situation(&self, route: Option<RouteId>) -> Situation {
        let oldest = self.engine.oldest_lease();
        let stats = route.and_then(|route| self.engine.route_stats(route));
        Situation {
            name: Arc::clone(&self.name),
            is_suspended: self.engine.is_suspended(),
            pool: self.engine.stats(),
            route: stats.unwrap_or_default(),
            oldest: oldest.map(|(_, age)| Duration::from_millis(age)),
            holder: oldest.and_then(|(lease, _)| self.caller_of(lease)),
        }
    }

    /// Calls the engine and carries out what follows from it; see [`face::with_effects`].
    pub(crate) fn with_effects<T>(&self, call: impl FnOnce(&Engine, &mut Effects) -> T) -> T {
        face::with_effects(self, call)
    }

    fn log_closing(&self, victim: Victim) {
        crate::logging::debug!(
            "{}: connection {} is closed: {}",
            self.name,
            victim.slot,
            victim.cause
        );
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
        let mut panics = Panics::new();
        // The system ends the watch itself where the descriptor is not known: when the connection is closed.
        panics.catch(|| self.unwatch(&connection));
        panics.catch(|| {
            let is_aside = self.plan.closes_aside || is_housekeepers_thread();
            match self.place.get().filter(|_| is_aside) {
                Some(place) => (place.dispose)(&place.membership, connection, &self.plan),
                None => drop(connection),
            }
        });
        panics.resume();
    }
}

impl<K, C> Face for Shared<K, C> {
    type Closing = (Victim, C);

    fn engine(&self) -> &Engine {
        &self.engine
    }

    unsafe fn take(&self, victim: Victim) -> Option<(Victim, C)> {
        // SAFETY: the caller was handed this victim alone, and has not acknowledged it.
        let (connection, state) = unsafe {
            self.cells
                .place(victim.slot)
                .owned(|kept| (kept.connection.take(), std::mem::take(&mut kept.state)))
        };
        self.states.release(state);
        Some((victim, connection?))
    }

    fn wake(&self, ticket: Ticket) {
        if let Some(waker) = self.waiters.take(ticket) {
            waker.wake();
        }
    }

    fn close(&self, (victim, connection): (Victim, C)) {
        let mut panics = Panics::new();
        panics.catch(|| self.log_closing(victim));
        panics.catch(|| self.close(connection));
        panics.resume();
    }

    fn forget(&self, route: RouteId) {
        self.interner.forget(route);
    }
}

impl<K, C> Drop for Shared<K, C> {
    /// What is idle is closed as any other.
    fn drop(&mut self) {
        let idle: Vec<C> = self.cells.drain().collect();
        in_drop(|panics| {
            for connection in idle {
                panics.catch(|| self.close(connection));
            }
        });
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
                membership: Membership::join(&pool, self.engine.clock(), self.plan.waits_at_end),
                dispose,
            }
        });
        place.membership.start();
    }
}

impl<K, C> Tended for Shared<K, C>
where
    K: Eq + Hash + Send + Sync + 'static,
    C: Send + 'static,
{
    fn peers_closed(self: Arc<Self>, closed: &[Token]) -> Parting {
        let (mut noted, mut panics) = (Effects::new(), Panics::new());
        for token in closed {
            let (slot, opening) = (token.slot(), token.opening());
            panics.catch(|| self.engine.peer_closed(slot, opening, &mut noted));
        }
        // Also where the engine has panicked: it has refused all who wait.
        Box::new(move || {
            self.with_effects(|_, effects| *effects = noted);
            panics.resume();
        })
    }

    fn tend(self: Arc<Self>) -> Option<Duration> {
        let wake = |due: Vec<Waker>| {
            let mut panics = Panics::new();
            for waker in due {
                panics.catch(|| waker.wake());
            }
            panics.resume();
        };
        take_turn(&self.engine, &self.deadlines, wake, || {
            self.with_effects(|engine, effects| self.plan.eviction.run(engine, effects))
        })
    }
}

/// A duration in the engine's unit, for ever if it is longer than that can tell.
pub(crate) fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
