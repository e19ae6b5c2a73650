//! Leases: a connection to use, or the right to open one.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::cells::Origin;
use crate::engine::{Grant, Handle, Keep, RouteId, StateId, Verdict};
use crate::error::LeaseError;
use crate::panics::in_drop;
use crate::reuse::Reuse;
use crate::shared::millis;
use crate::shares::Share;
use crate::state::State;

/// What a lease yields.
#[derive(Debug)]
#[must_use = "dropping a lease closes its connection or gives the right to open one back"]
pub enum Lease<K, C> {
    /// A connection that was idle.
    Connection(Connection<K, C>),
    /// The right to open a connection.
    Vacancy(Vacancy<K, C>),
}

impl<K, C> Lease<K, C> {
    /// What the engine has granted to `caller`, in hands that give it back whatever happens next.
    #[inline]
    pub(crate) fn of_grant(
        shared: &Arc<Share<K, C>>,
        grant: Grant,
        caller: &'static Location<'static>,
    ) -> Self {
        match grant {
            Grant::Idle(handle) => Lease::Connection(Connection::take(shared, handle, caller)),
            Grant::Open(handle) => {
                shared.note_caller(handle, caller);
                Lease::Vacancy(Vacancy::new(shared, handle))
            }
        }
    }

    /// The same with a connection that is dead replaced by what there is instead.
    #[inline]
    pub(crate) fn usable(self) -> Result<Self, LeaseError> {
        match self {
            Lease::Connection(connection) => connection.usable(),
            vacancy => Ok(vacancy),
        }
    }

    /// Gives back what was not used: a connection stays as long as was promised before.
    pub(crate) fn give_back(self) {
        match self {
            Lease::Connection(connection) => Connection::keep_as_promised(connection),
            Lease::Vacancy(vacancy) => drop(vacancy),
        }
    }

    /// The idle connection, or else one that `connect` opens. An error of `connect` gives the right to open back and is
    /// returned as it is.
    ///
    /// ```
    /// use std::net::TcpStream;
    /// use leasehold::Pool;
    ///
    /// let pool: Pool<(&str, u16), TcpStream> = Pool::new();
    /// let key = ("127.0.0.1", 1); // nobody listens there
    /// let error = pool.try_lease(&key)?.or_connect(|| TcpStream::connect(key)).unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    /// assert_eq!(pool.stats().leased, 0);
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn or_connect<E>(
        self,
        connect: impl FnOnce() -> Result<C, E>,
    ) -> Result<Connection<K, C>, E> {
        match self {
            Lease::Connection(connection) => {
                // Before the connection is on its way out, where what this drops could lose it.
                drop(connect);
                Ok(connection)
            }
            Lease::Vacancy(vacancy) => Ok(vacancy.fill(connect()?)),
        }
    }
}

/// A leased connection. Say what is to become of it: dropped without a word, it is closed.
///
/// It is the connection itself to whoever uses it. What is the guard's own are functions, `Connection::keep(guard)`, and no methods:
/// so nothing hides a method of the connection's.
#[must_use = "dropping it closes the connection: say `Connection::keep` to reuse it"]
pub struct Connection<K, C> {
    /// Taken out only by what ends the lease.
    connection: Option<C>,
    hold: Hold<K, C>,
}

/// The right to open a connection: [`fill`](Self::fill) it. Dropped, it goes to whoever waits.
#[must_use = "dropping it gives the right to open a connection back"]
pub struct Vacancy<K, C> {
    hold: Hold<K, C>,
}

/// What keeps an entry the lease's own. Dropped, it ends the lease; nothing is kept then.
struct Hold<K, C> {
    shared: Arc<Share<K, C>>,
    handle: Handle,
    /// Who the connection is bound to; a use of the number of its own.
    state: StateId,
    is_ended: bool,
}

impl<K, C> Hold<K, C> {
    fn new(shared: &Arc<Share<K, C>>, handle: Handle, state: StateId) -> Self {
        Hold {
            shared: Arc::clone(shared),
            handle,
            state,
            is_ended: false,
        }
    }

    /// The same hold for another guard; this one has no say any more.
    fn pass_on(&mut self) -> Self {
        self.is_ended = true;
        Hold::new(&self.shared, self.handle, std::mem::take(&mut self.state))
    }
}

impl<K, C> Drop for Hold<K, C> {
    fn drop(&mut self) {
        if !self.is_ended {
            self.shared.states.release(self.state);
            in_drop(|panics| {
                panics.catch(|| self.shared.end(self.handle, Verdict::Close, StateId::NONE));
            });
        }
    }
}

impl<K, C> Connection<K, C> {
    /// Takes the connection of a lease just made for `caller` out of its cell.
    pub(crate) fn take(
        shared: &Arc<Share<K, C>>,
        handle: Handle,
        caller: &'static Location<'static>,
    ) -> Self {
        shared.note_caller(handle, caller);
        // SAFETY: the lease was just made, and nobody else has its handle.
        let (connection, state) = unsafe {
            shared
                .cells
                .place(handle.slot())
                .owned(|kept| (kept.connection.take(), std::mem::take(&mut kept.state)))
        };
        let connection = connection.expect("an idle entry's cell holds its connection");
        Connection {
            connection: Some(connection),
            hold: Hold::new(shared, handle, state),
        }
    }

    /// Ends the lease as an HTTP response's headers say; see [`Reuse::of_http1`].
    pub fn release(guard: Self, reuse: Reuse) {
        match reuse {
            Reuse::Close => Self::close(guard),
            Reuse::KeepFor(duration) => Self::keep_for(guard, duration),
            Reuse::Keep => Self::keep(guard),
        }
    }

    /// Keeps it for the next lease, for as long as it lasts, whatever [`update_expiry`](Self::update_expiry) has noted: for that
    /// there is [`keep_as_promised`](Self::keep_as_promised). O(1) where nobody waits.
    ///
    /// It goes to the request that has waited longest, else it becomes idle. It is closed where the pool is shut down or over a
    /// limit, its peer has closed it, its time to live is over, or a request of another route needs its place.
    ///
    /// ```
    /// use leasehold::{Connection, Lease, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::new();
    /// Connection::keep(pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(7)).unwrap());
    /// assert!(matches!(pool.try_lease(&"a")?, Lease::Connection(again) if *again == 7));
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn keep(guard: Self) {
        guard.end(Keep::Forever);
    }

    /// Keeps it for the next lease, as [`keep`](Self::keep), but no longer than `duration`, to the millisecond, from now on.
    ///
    /// ```
    /// use std::time::Duration;
    /// use leasehold::{Clock, Connection, ManualClock};
    /// use leasehold::{Lease, Pool};
    ///
    /// let clock = ManualClock::new();
    /// let pool: Pool<&str, u32> = Pool::builder().clock(Clock::manual(&clock)).build();
    /// Connection::keep_for(pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(7)).unwrap(), Duration::from_secs(5));
    /// clock.advance(5_000);
    /// assert!(matches!(pool.try_lease(&"a")?, Lease::Vacancy(_)));
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn keep_for(guard: Self, duration: Duration) {
        guard.end(Keep::For(millis(duration)));
    }

    /// Closes it. The same as dropping it, said aloud.
    pub fn close(guard: Self) {
        drop(guard);
    }

    /// Notes for how long the server has promised to keep it, counted from now on;
    /// [`keep_as_promised`](Self::keep_as_promised) then leaves it so. Never beyond its time to live. O(1), takes no lock. Where a
    /// connection was put in place of another through the guard, first what was promised for that one is forgotten, and this one
    /// watched, as [`Builder::watch`](crate::Builder::watch) says.
    ///
    /// [`keep`](Self::keep) and [`keep_for`](Self::keep_for) say anew for how long and pass over what was noted here.
    ///
    /// ```
    /// use std::time::Duration;
    /// use leasehold::{Connection, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::new();
    /// let mut connection = pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(7)).unwrap();
    /// Connection::update_expiry(&mut connection, Duration::from_secs(5)); // the response said so
    /// Connection::keep_as_promised(connection);
    /// assert!(pool.entries()[0].expires_in.is_some());
    ///
    /// Connection::keep(pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(7)).unwrap());
    /// assert!(pool.entries()[0].expires_in.is_none());
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn update_expiry(guard: &mut Self, duration: Duration) {
        let keep = Keep::For(millis(duration));
        let hold = &guard.hold;
        hold.shared.update_expiry(hold.handle, guard, keep);
    }

    /// Keeps it for the next lease, as [`keep`](Self::keep), until what [`update_expiry`](Self::update_expiry) last noted, in
    /// this lease or an earlier one; for as long as it lasts where it never did.
    pub fn keep_as_promised(guard: Self) {
        guard.end(Keep::AsBefore);
    }

    /// Binds it to `state`, or to nobody, from its release on: it then goes only to requests for an equal state; see
    /// [`Request::bound_to`](crate::Request::bound_to), which has an example. O(1).
    pub fn bind(guard: &mut Self, state: Option<&State>) {
        let states = &guard.hold.shared.states;
        let state = state.map_or(StateId::NONE, |state| states.acquire(state));
        states.release(std::mem::replace(&mut guard.hold.state, state));
    }

    /// Takes the connection out, say because it turned out to be dead, and goes on with the right to open another in
    /// its place: same count, same place in every limit. The one that is filled in is new to the pool: bound to nobody, at the
    /// beginning of its time to live, its socket watched.
    ///
    /// A connection that can reconnect by itself is to do so between this call and [`fill`](Vacancy::fill). Behind the guard its new
    /// socket may get the old one's number, which tells the pool nothing, and be taken for it; see
    /// [`Builder::watch`](crate::Builder::watch).
    ///
    /// # Errors
    ///
    /// [`ShutDown`](LeaseError::ShutDown) for a connection that was filled in after the pool was shut down; it is closed then. One
    /// that was leased before is replaced all the same.
    ///
    /// ```
    /// use leasehold::{Connection, Lease, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::builder().max_total(1).build();
    /// let connection = pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(1)).unwrap();
    /// let (dead, vacancy) = Connection::replace(connection)?;
    /// assert_eq!((dead, pool.stats().leased), (1, 1));
    /// Connection::keep(vacancy.fill(2));
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn replace(mut guard: Self) -> Result<(C, Vacancy<K, C>), LeaseError> {
        let shared = &guard.hold.shared;
        // First: it asks the connection, which may panic, and is then closed.
        shared.unwatch(&guard);
        if shared.engine.reopen(guard.hold.handle).is_err() {
            return Err(LeaseError::ShutDown);
        }
        shared.states.release(std::mem::take(&mut guard.hold.state));
        let connection = guard.connection.take().expect(ENDED);
        let hold = guard.hold.pass_on();
        Ok((connection, Vacancy { hold }))
    }

    /// Takes the connection out for good, say for another protocol after an upgrade: it is the caller's, and the pool knows of it no
    /// more. Its place is free, and goes to whoever waits. O(1) where nobody does.
    ///
    /// ```
    /// use leasehold::{Connection, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::new();
    /// let connection = pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(7)).unwrap();
    /// assert_eq!(Connection::into_inner(connection), 7);
    /// assert_eq!((pool.stats().leased, pool.stats().available), (0, 0));
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn into_inner(mut guard: Self) -> C {
        // It asks the connection, which may panic, and is then closed.
        guard.hold.shared.unwatch(&guard);
        let connection = guard.connection.take().expect(ENDED);
        // Its hold ends the lease, and finds nothing to close. Not by the end of the scope, where a waker's panic would leak what is
        // returned.
        drop(guard);
        connection
    }

    /// How long ago the connection was [filled in](Vacancy::fill), to a few milliseconds. O(1), takes no lock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use leasehold::{Clock, Connection, ManualClock, Pool};
    ///
    /// let clock = ManualClock::new();
    /// let pool: Pool<&str, u32> = Pool::builder().clock(Clock::manual(&clock)).build();
    /// let connection = pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(7)).unwrap();
    /// clock.advance(5_000);
    /// assert_eq!(Connection::age(&connection), Duration::from_secs(5));
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn age(guard: &Self) -> Duration {
        let now = guard.hold.shared.engine.now();
        Duration::from_millis(now.saturating_sub(guard.origin().moment))
    }

    /// Whether the connection was leased before this lease, and so may be stale in spite of every look at it: a server may close while a
    /// request travels. A request that fails on such a one before any of its answer has come is worth another try on a fresh one, see
    /// [`replace`](Self::replace). O(1), takes no lock.
    ///
    /// ```
    /// use leasehold::{Connection, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::new();
    /// let connection = pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(7)).unwrap();
    /// assert!(!Connection::is_reused(&connection));
    /// Connection::keep(connection);
    /// let connection = pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(8)).unwrap();
    /// assert!(Connection::is_reused(&connection));
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn is_reused(guard: &Self) -> bool {
        guard.origin().lease != guard.hold.handle
    }

    fn origin(&self) -> Origin {
        // SAFETY: the guard of a live lease is borrowed, and what writes there needs it for itself.
        unsafe {
            let cells = &self.hold.shared.cells;
            cells.place(self.hold.handle.slot()).origin()
        }
    }

    /// The lease of it, or where it is dead of what there is instead.
    #[inline]
    pub(crate) fn usable(self) -> Result<Lease<K, C>, LeaseError> {
        if self.is_dead() {
            self.replace_dead()
        } else {
            Ok(Lease::Connection(self))
        }
    }

    /// Whether its peer has closed it, as far as the pool is to ask.
    // A hit of a pool that asks nothing is to be a look at one word.
    #[inline(always)]
    fn is_dead(&self) -> bool {
        self.hold.shared.is_dead(self.hold.handle, self)
    }

    /// The lease of a connection that is dead: another idle one instead of it or, in its place, the right to open one.
    ///
    /// The place is kept until another one is found: a request that was served is not sent back to the queue.
    #[cold]
    fn replace_dead(self) -> Result<Lease<K, C>, LeaseError> {
        let shared = Arc::clone(&self.hold.shared);
        shared.note_stale(self.hold.handle);
        let route = shared.engine.route_of(self.hold.handle);
        let next = || {
            // Those bound to a state are few; for them the engine is not asked again.
            let handle = shared.engine.lease_hit(route.ok()?, StateId::NONE)?;
            // Where nothing is noted nobody reads who.
            let caller = shared.caller_of(self.hold.handle);
            let caller = caller.unwrap_or_else(|| Location::caller());
            Some(Connection::take(&shared, handle, caller))
        };
        while let Some(next) = next() {
            if !next.is_dead() {
                drop(self);
                return Ok(Lease::Connection(next));
            }
            shared.note_stale(next.hold.handle);
        }
        let (dead, vacancy) = Self::replace(self)?;
        shared.close(dead);
        Ok(Lease::Vacancy(vacancy))
    }

    fn end(mut self, keep: Keep) {
        if self.hold.shared.plan.max_idle_per_route.is_some() {
            self.end_among_few(keep);
        } else {
            self.put_back(keep);
        }
    }

    /// The end of a lease in a pool that limits how many are idle.
    // Apart, so that nothing of it is in the other way.
    #[inline(never)]
    fn end_among_few(&mut self, keep: Keep) {
        let route = self.hold.shared.engine.route_of(self.hold.handle);
        self.put_back(keep);
        if let Ok(route) = route {
            self.hold.shared.close_surplus(route);
        }
    }

    #[inline(always)]
    fn put_back(&mut self, keep: Keep) {
        // A hit looks for it once.
        let place = self.hold.shared.cells.place(self.hold.handle.slot());
        // It asks the connection, which may panic, and is then closed: nothing was given up yet.
        // SAFETY: the place is our lease's, which is live.
        unsafe {
            self.hold
                .shared
                .note_socket_at(place, self.hold.handle, self)
        };
        let connection = self.connection.take().expect(ENDED);
        self.hold.is_ended = true;
        let hold = &self.hold;
        // SAFETY: as above, and the lease ends here.
        unsafe {
            hold.shared
                .keep_at(place, hold.handle, connection, keep, hold.state);
        }
    }

    /// Ends a lease that was made for a look at the connection alone: it is idle again as it was before.
    pub(crate) fn leave(mut self) {
        let connection = self.connection.take().expect(ENDED);
        self.hold.is_ended = true;
        let hold = &self.hold;
        hold.shared.put_back(hold.handle, connection, hold.state);
        hold.shared.end(hold.handle, Verdict::Unused, hold.state);
    }
}

impl<K, C> Drop for Connection<K, C> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.hold.is_ended = true;
            let hold = &self.hold;
            in_drop(|panics| {
                panics.catch(|| hold.shared.discard(hold.handle, connection, hold.state));
            });
        }
    }
}

const ENDED: &str = "a guard has its connection until the lease ends";

impl<K, C> Deref for Connection<K, C> {
    type Target = C;

    #[inline]
    fn deref(&self) -> &C {
        self.connection.as_ref().expect(ENDED)
    }
}

impl<K, C> DerefMut for Connection<K, C> {
    #[inline]
    fn deref_mut(&mut self) -> &mut C {
        self.connection.as_mut().expect(ENDED)
    }
}

impl<K, C: fmt::Debug> fmt::Debug for Connection<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&**self).finish()
    }
}

impl<K, C> Vacancy<K, C> {
    pub(crate) fn new(shared: &Arc<Share<K, C>>, handle: Handle) -> Self {
        Vacancy {
            hold: Hold::new(shared, handle, StateId::NONE),
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Share<K, C>> {
        &self.hold.shared
    }

    /// Where it was asked for, as far as that is noted.
    pub(crate) fn caller(&self) -> Option<&'static Location<'static>> {
        self.hold.shared.caller_of(self.hold.handle)
    }

    /// Where a connection is to go to.
    pub(crate) fn route(&self) -> RouteId {
        let route = self.hold.shared.engine.route_of(self.hold.handle);
        route.expect("nobody else ends what is being opened")
    }

    /// The right has been used: `connection` is leased from now on. Its time to live starts here.
    ///
    /// Where the pool was shut down meanwhile the connection can be used, and closes at its release. O(1).
    ///
    /// Its socket is set up and watched as the pool was [asked to](crate::Builder::watch), so it had better be connected.
    ///
    /// ```
    /// use leasehold::{Connection, Lease, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::new();
    /// let Lease::Vacancy(vacancy) = pool.try_lease(&"a")? else { panic!("nothing is idle yet") };
    /// let connection = vacancy.fill(7); // here a client would connect
    /// assert_eq!((*connection, pool.stats().leased), (7, 1));
    /// Connection::keep(connection);
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn fill(self, connection: C) -> Connection<K, C> {
        // Refused only by a shutdown; the release that follows then closes.
        let _ = self.hold.shared.engine.opened(self.hold.handle);
        // A lease at once: what asks the connection from here on may panic.
        let connection = Connection {
            connection: Some(connection),
            hold: self.hold,
        };
        let hold = &connection.hold;
        hold.shared.admit(hold.handle, &connection);
        connection
    }
}

impl<K, C> fmt::Debug for Vacancy<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vacancy")
    }
}
