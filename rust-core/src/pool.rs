//! The pool as its users see it.

use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::{Counters, EntryInfo, Metrics, ShutdownMode, Stats, Use};
use crate::error::LeaseError;
use crate::lease::{Connection, Lease};
use crate::request::{LeaseFuture, Request};
use crate::route::Route;
use crate::shared::millis;
use crate::shares::Shares;

/// A pool of connections of type `C` to routes of type `K`.
///
/// Clones are the same pool. Every method may be called from any thread at any time, also by what the pool calls: a connection's
/// drop, a waker, a logger, a key's `Hash`, `Clone` and `Drop`. A key's `Eq` and `Borrow` may do so with keys that the pool knows;
/// their call with a new one panics. When the last clone and the last lease are gone, what is idle is dropped. With the last
/// pool of the process that needs the housekeeper whoever drops it then waits for its threads, three seconds at most, which would
/// stall an executor: [`wait_at_end`](crate::Builder::wait_at_end) is for pools that are used in tasks.
pub struct Pool<K, C> {
    pub(crate) shared: Arc<Shares<K, C>>,
}

impl<K: Eq + Hash + Clone, C> Pool<K, C> {
    pub(crate) fn from_shared(shared: Arc<Shares<K, C>>) -> Self {
        Pool { shared }
    }

    /// A request for a connection to `key`, to say more about than the three shorthands below can.
    #[track_caller]
    pub fn request<'a>(&'a self, key: &'a K) -> Request<'a, K, C> {
        Request::of_key(&self.shared, key)
    }

    /// The pool's name: what it was [given](crate::Builder::name), or else `pool-` and a number.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Leases an idle connection or the right to open one, if that is possible now. O(1) for an idle connection.
    ///
    /// # Errors
    ///
    /// [`Exhausted`](LeaseError::Exhausted) where the limits leave nothing or the pool is [suspended](Self::suspend),
    /// [`ShutDown`](LeaseError::ShutDown), [`TooManyRoutes`](LeaseError::TooManyRoutes).
    ///
    /// ```
    /// use leasehold::{Connection, Lease, LeaseError, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::builder().max_total(1).build();
    /// let Lease::Vacancy(vacancy) = pool.try_lease(&"a")? else { panic!("nothing is idle yet") };
    /// assert_eq!(pool.try_lease(&"b").unwrap_err(), LeaseError::Exhausted);
    /// Connection::keep(vacancy.fill(7));
    /// // The idle connection to "a" makes room for one to "b".
    /// assert!(matches!(pool.try_lease(&"b")?, Lease::Vacancy(_)));
    /// # Ok::<(), LeaseError>(())
    /// ```
    #[track_caller]
    pub fn try_lease(&self, key: &K) -> Result<Lease<K, C>, LeaseError> {
        self.request(key).try_lease()
    }

    /// Leases a connection, waiting up to `timeout` for one to come free; [`Duration::MAX`] waits for ever.
    ///
    /// Requests are served in the order in which they came, whatever their route. The thread is parked meanwhile. O(1) for an
    /// idle connection. An idle one whose peer has closed is not leased, as far as the pool [watches](crate::Builder::watch).
    ///
    /// # Errors
    ///
    /// [`Timeout`](LeaseError::Timeout), [`ShutDown`](LeaseError::ShutDown), also when that happens while it waits,
    /// [`QueueFull`](LeaseError::QueueFull), [`TooManyRoutes`](LeaseError::TooManyRoutes).
    ///
    /// ```
    /// use std::time::Duration;
    /// use leasehold::{Connection, LeaseError, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::builder().max_total(1).build();
    /// let open = || Ok::<_, LeaseError>(7); // here a client would connect
    /// let connection = pool.lease(&"a", Duration::from_secs(3))?.or_connect(open)?;
    /// // Somebody else would have to wait, and does so for a millisecond.
    /// let error = pool.lease(&"a", Duration::from_millis(1)).unwrap_err();
    /// assert!(matches!(error, LeaseError::Timeout(_)), "{error}");
    /// Connection::keep(connection);
    /// assert_eq!(*pool.lease(&"a", Duration::MAX)?.or_connect(open)?, 7);
    /// # Ok::<(), LeaseError>(())
    /// ```
    #[track_caller]
    pub fn lease(&self, key: &K, timeout: Duration) -> Result<Lease<K, C>, LeaseError> {
        self.request(key).lease(timeout)
    }

    /// Leases a connection as soon as one comes free. Works on any executor, needs none of its parts.
    ///
    /// Dropping the future takes the request out of the queue; what it had been granted unseen goes to the next.
    /// For a deadline drop the future, say by the executor's own `timeout`, or see
    /// [`Request::lease_async_within`].
    ///
    /// # Errors
    ///
    /// [`ShutDown`](LeaseError::ShutDown), [`QueueFull`](LeaseError::QueueFull), [`TooManyRoutes`](LeaseError::TooManyRoutes).
    ///
    /// ```
    /// # use std::{future::Future, pin::pin, sync::Arc, task::{Context, Poll, Wake, Waker}};
    /// # struct Noop; impl Wake for Noop { fn wake(self: Arc<Self>) {} }
    /// use leasehold::{Connection, Lease, Pool};
    ///
    /// async fn fetch(pool: &Pool<&'static str, u32>) -> Result<u32, leasehold::LeaseError> {
    ///     let connection = match pool.lease_async(&"a").await? {
    ///         Lease::Connection(connection) => connection,
    ///         Lease::Vacancy(vacancy) => vacancy.fill(7), // here a client would connect
    ///     };
    ///     let answer = *connection;
    ///     Connection::keep(connection);
    ///     Ok(answer)
    /// }
    /// # let pool = Pool::new();
    /// # let waker = Waker::from(Arc::new(Noop));
    /// # assert_eq!(pin!(fetch(&pool)).poll(&mut Context::from_waker(&waker)), Poll::Ready(Ok(7)));
    /// ```
    #[track_caller]
    pub fn lease_async(&self, key: &K) -> LeaseFuture<K, C> {
        self.request(key).lease_async()
    }

    /// A route to lease from again and again: leases by it look no key up. O(1). Works after a shutdown, too.
    ///
    /// # Errors
    ///
    /// [`TooManyRoutes`](LeaseError::TooManyRoutes).
    ///
    /// ```
    /// use leasehold::{Connection, Pool};
    ///
    /// let pool: Pool<String, u32> = Pool::new();
    /// let route = pool.route(&"example.org:443".to_owned())?;
    /// Connection::keep(route.try_lease()?.or_connect(|| Ok::<_, ()>(7)).unwrap());
    /// assert_eq!(pool.stats_of("example.org:443").available, 1);
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn route(&self, key: &K) -> Result<Route<K, C>, LeaseError> {
        Route::hold(&self.shared, key)
    }

    /// Closes every idle connection whose keep-alive or time to live is over. O(closed · log n).
    ///
    /// A lease meets and closes those of its own route by itself; call this now and then where routes fall out of use, or have
    /// the pool [evict](crate::Builder::evict_expired) them.
    ///
    /// ```
    /// use std::time::Duration;
    /// use leasehold::{Clock, Connection, ManualClock};
    /// use leasehold::Pool;
    ///
    /// let clock = ManualClock::new();
    /// let pool: Pool<&str, u32> = Pool::builder().clock(Clock::manual(&clock)).build();
    /// Connection::keep_for(pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(7)).unwrap(), Duration::from_secs(5));
    /// clock.advance(5_000);
    /// pool.close_expired();
    /// assert_eq!((pool.stats().available, pool.counters().expired), (0, 1));
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn close_expired(&self) {
        self.shared.close_expired();
    }

    /// Closes every connection that has been idle for `age` or longer, to the millisecond, with zero all that are idle.
    /// O(closed).
    ///
    /// ```
    /// use std::time::Duration;
    /// use leasehold::{Connection, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::new();
    /// Connection::keep(pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(7)).unwrap());
    /// pool.close_idle(Duration::from_secs(60));
    /// assert_eq!(pool.stats().available, 1);
    /// pool.close_idle(Duration::ZERO);
    /// assert_eq!((pool.stats().available, pool.counters().idle), (0, 1));
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn close_idle(&self, age: Duration) {
        self.shared.close_idle(millis(age));
    }

    /// Closes every idle connection to `key`; leased ones close at their release. What is opened from now on stays. The key
    /// may be any borrowed form of the pool's. O(entries).
    ///
    /// ```
    /// use leasehold::{Connection, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::new();
    /// let leases = ["a", "a", "b"].map(|key| pool.try_lease(&key));
    /// let [idle, leased, other] = leases.map(|lease| lease.unwrap().or_connect(|| Ok::<_, ()>(7)).unwrap());
    /// Connection::keep(idle);
    /// Connection::keep(other);
    /// pool.clear(&"a"); // its name has another address now
    /// Connection::keep(leased);
    /// assert_eq!((pool.stats().available, pool.counters().cleared), (1, 2));
    /// ```
    pub fn clear<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(route) = self.shared.interner.find(key) {
            // A route that was reclaimed meanwhile has nothing to clear.
            let _ = self
                .shared
                .with_effects(|engine, effects| engine.clear_route(route, effects));
        }
    }

    /// Closes every idle connection for which `is_kept` says `false`. O(entries).
    ///
    /// Each is looked at with no lock held, and taken by nobody meanwhile: a request that comes just then may wait for it, or open another.
    /// One that stays is idle since it was last used, as if nobody had looked. What becomes idle while this runs may be passed over. Where
    /// `is_kept` panics that one is closed, and the others are left as they are.
    ///
    /// ```
    /// use leasehold::{Connection, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::new();
    /// for connection in [1, 2, 3].map(|number| pool.try_lease(&"a").unwrap().or_connect(|| Ok::<_, ()>(number)).unwrap()) {
    ///     Connection::keep(connection);
    /// }
    /// pool.retain(|key, number| *key == "a" && *number != 2);
    /// assert_eq!(pool.stats().available, 2);
    /// ```
    #[track_caller]
    pub fn retain(&self, mut is_kept: impl FnMut(&K, &C) -> bool) {
        let (engine, caller) = (&self.shared.engine, Location::caller());
        let idle = engine.entries().into_iter();
        for info in idle.filter(|info| info.used == Use::Idle) {
            let Some(handle) = engine.lease_entry(info.handle) else {
                continue;
            };
            let shared = self.shared.of_this_thread();
            let connection = Connection::take(shared, handle, caller);
            let key = self.shared.interner.key_of(info.route);
            // Its key is known as long as the route has an entry.
            if key.is_none_or(|key| is_kept(&key, &connection)) {
                connection.leave();
            } else {
                Connection::close(connection);
            }
        }
    }

    /// Changes the limit in total. Raised, it serves waiters at once; lowered, it closes idle connections at once,
    /// least recently released first, and leased ones at their release. With 0 every lease waits. O(closed + served).
    ///
    /// ```
    /// use leasehold::{Connection, LeaseError, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::new();
    /// Connection::keep(pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(7)).unwrap());
    /// pool.set_max_total(0);
    /// assert_eq!(pool.stats().available, 0);
    /// assert_eq!(pool.try_lease(&"a").unwrap_err(), LeaseError::Exhausted);
    /// # Ok::<(), LeaseError>(())
    /// ```
    pub fn set_max_total(&self, max: u32) {
        self.shared
            .with_effects(|engine, effects| engine.set_max_total(max, effects));
    }

    /// Changes the limit of every route that has none of its own, in the same way. O(routes).
    ///
    /// ```
    /// use leasehold::{LeaseError, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::new();
    /// pool.set_max_per_route(1);
    /// let _a = pool.try_lease(&"a")?;
    /// assert_eq!(pool.try_lease(&"a").unwrap_err(), LeaseError::Exhausted);
    /// assert!(pool.try_lease(&"b").is_ok());
    /// # Ok::<(), LeaseError>(())
    /// ```
    pub fn set_max_per_route(&self, max: u32) {
        self.shared
            .with_effects(|engine, effects| engine.set_default_max_per_route(max, effects));
    }

    /// Gives a route a limit of its own, kept until it is taken back with `None`, in the same way. The pool remembers the key as
    /// long. O(closed + served).
    ///
    /// # Errors
    ///
    /// [`TooManyRoutes`](LeaseError::TooManyRoutes).
    ///
    /// ```
    /// use leasehold::Pool;
    ///
    /// let pool: Pool<&str, u32> = Pool::builder().max_per_route(2).build();
    /// pool.set_max_of(&"a", Some(50))?;
    /// assert_eq!([pool.stats_of(&"a").max, pool.stats_of(&"b").max], [50, 2]);
    /// pool.set_max_of(&"a", None)?;
    /// assert_eq!(pool.stats_of(&"a").max, 2);
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn set_max_of(&self, key: &K, max: Option<u32>) -> Result<(), LeaseError> {
        let key = Arc::new(key.clone());
        let shared = &self.shared;
        let outcome = shared.with_effects(|engine, effects| {
            let set = |route, effects: &mut _| engine.set_max_per_route(route, max, effects);
            shared.interner.with_route(engine, &key, effects, set)
        });
        outcome.map_err(LeaseError::of)
    }

    /// Lets nobody have a connection from now on: whoever asks waits until the pool is [resumed](Self::resume), as long as he would wait
    /// for one to come free, and [`try_lease`](Self::try_lease) answers as if nothing were free. So a server can be moved or its
    /// certificates changed without a request failing. Does nothing where the pool is suspended already. O(idle lists), of which there are
    /// at most 16.
    ///
    /// What is leased is used on and comes back as ever, and a [vacancy](crate::Vacancy) that is out may be filled; whoever
    /// [opens](Lease::or_connect_async) one goes on with that alone. What is idle stays watched, expires and is closed as ever, limits may
    /// be changed and the pool shut down, which whoever waits is told.
    ///
    /// From the return on no request is served that begins then, on whatever thread, and none that waits. One that has begun may be: its
    /// connection is one of those that are leased. If that turns out dead it may be given another that is idle, or the right to open one.
    ///
    /// ```
    /// use std::time::Duration;
    /// use leasehold::{Connection, LeaseError, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::new();
    /// let leased = pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(7)).unwrap();
    /// pool.suspend();
    /// Connection::keep(leased);
    /// assert_eq!(pool.try_lease(&"a").unwrap_err(), LeaseError::Exhausted);
    /// assert!(pool.lease(&"a", Duration::from_millis(1)).is_err());
    /// pool.close_idle(Duration::ZERO); // nothing that was opened before is used again
    /// pool.resume();
    /// assert!(pool.try_lease(&"a").is_ok());
    /// # Ok::<(), LeaseError>(())
    /// ```
    pub fn suspend(&self) {
        self.shared
            .with_effects(|engine, effects| engine.suspend(effects));
    }

    /// Ends what [`suspend`](Self::suspend) began, however often that was called. Those who wait are served in the order of their arrival,
    /// as far as the limits allow, before anybody who comes now. Does nothing where the pool is not suspended. O(routes + served).
    pub fn resume(&self) {
        self.shared
            .with_effects(|engine, effects| engine.resume(effects));
    }

    /// Whether the pool is [suspended](Self::suspend); a shutdown leaves that as it is. Takes no lock.
    pub fn is_suspended(&self) -> bool {
        self.shared.engine.is_suspended()
    }

    /// Ends the pool: whoever waits gets [`ShutDown`](LeaseError::ShutDown), idle connections are closed, leased ones
    /// close at their release, later leases are refused. May be called again. O(idle + waiters).
    ///
    /// What is leased is its holder's: nothing takes it away before its release.
    ///
    /// ```
    /// use leasehold::{Connection, LeaseError, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::new();
    /// let leased = pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(7)).unwrap();
    /// pool.shutdown();
    /// assert_eq!(pool.try_lease(&"a").unwrap_err(), LeaseError::ShutDown);
    /// assert_eq!(*leased, 7);
    /// Connection::keep(leased); // closes it
    /// assert_eq!((pool.stats().leased, pool.stats().available), (0, 0));
    /// # Ok::<(), LeaseError>(())
    /// ```
    pub fn shutdown(&self) {
        self.shared
            .with_effects(|engine, effects| engine.shutdown(ShutdownMode::Graceful, effects));
    }

    /// Whether the pool was shut down. Takes no lock.
    pub fn is_shut_down(&self) -> bool {
        self.shared.engine.is_shut_down()
    }

    /// The pool's numbers: exact at rest. Takes no lock. O(routes that have been in use at once), a few nanoseconds each.
    ///
    /// ```
    /// use leasehold::{Connection, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::builder().max_total(20).build();
    /// let _leased = pool.try_lease(&"a")?;
    /// Connection::keep(pool.try_lease(&"b")?.or_connect(|| Ok::<_, ()>(7)).unwrap());
    /// let stats = pool.stats();
    /// assert_eq!((stats.leased, stats.available, stats.pending, stats.max), (1, 1, 0, 20));
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn stats(&self) -> Stats {
        self.shared.engine.stats()
    }

    /// What the pool has closed of its own accord since it was made, by cause; a close that a lease or a shutdown asks for is
    /// not among them. Numbers only grow. Takes no lock. O(1).
    ///
    /// ```
    /// use leasehold::{Connection, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::builder().max_total(1).build();
    /// Connection::keep(pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(7)).unwrap());
    /// let _b = pool.try_lease(&"b")?; // takes the place of the idle one
    /// assert_eq!(pool.counters().evicted, 1);
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn counters(&self) -> Counters {
        self.shared.engine.counters()
    }

    /// What has become of the pool's requests and connections since it was made. Numbers only grow; they are exact when no call is under way.
    /// Holds the pool's lock, so that nobody waits, opens or closes meanwhile; leases and releases of idle connections go on. O(entries).
    ///
    /// ```
    /// use leasehold::{Connection, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::new();
    /// for _ in 0..10 {
    ///     Connection::keep(pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(7)).unwrap());
    /// }
    /// let metrics = pool.metrics();
    /// assert_eq!((metrics.leases(), metrics.hits, metrics.opened, metrics.kept), (10, 9, 1, 10));
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn metrics(&self) -> Metrics {
        self.shared.engine.metrics()
    }

    /// Has it measured from now on how long connections are held, for [`Metrics::held`], or no more; what was measured stays. Off by default:
    /// it costs each lease and release of an idle connection some 30 instructions, and the pool some 2 kilobytes for each idle list.
    /// Also on a pool that was shut down. O(1).
    ///
    /// ```
    /// use std::time::Duration;
    /// use leasehold::{Clock, Connection, ManualClock, Pool};
    ///
    /// let clock = ManualClock::new();
    /// let pool: Pool<&str, u32> = Pool::builder().clock(Clock::manual(&clock)).build();
    /// pool.measure_held(true);
    /// for seconds in 1..=100 {
    ///     let connection = pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(7)).unwrap();
    ///     clock.advance(seconds * 1000);
    ///     Connection::keep(connection);
    /// }
    /// let held = pool.metrics().held;
    /// assert_eq!((held.count(), held.sum(), held.max()), (100, Duration::from_secs(5050), Duration::from_secs(100)));
    /// let median = held.quantile(0.5).as_secs();
    /// assert!((50..57).contains(&median), "at most an eighth too long");
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn measure_held(&self, wanted: bool) {
        self.shared.engine.measure_held(wanted);
    }

    /// The same of one route, since the pool came to know it, without times: zeros where it does not, and one that was out of use for long begins anew. The
    /// key may be any borrowed form of the pool's. O(entries).
    ///
    /// ```
    /// use leasehold::Pool;
    ///
    /// let pool: Pool<String, u32> = Pool::new();
    /// let vacancy = pool.try_lease(&"a".to_string())?;
    /// assert_eq!((pool.metrics_of("a").openings, pool.metrics_of("b").openings), (1, 0));
    /// drop(vacancy);
    /// assert_eq!(pool.metrics_of("a").unopened, 1);
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn metrics_of<Q>(&self, key: &Q) -> Metrics
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let route = self.shared.interner.find(key);
        route
            .and_then(|route| self.shared.engine.route_metrics(route).ok())
            .unwrap_or_default()
    }

    /// The numbers of one route: zeros, but for the limit, where nothing of it is there. The key may be any borrowed form of the pool's,
    /// as a `&str` is of a `String`. O(1).
    ///
    /// ```
    /// use leasehold::Pool;
    ///
    /// let pool: Pool<&str, u32> = Pool::builder().max_per_route(2).build();
    /// let _leased = pool.try_lease(&"a")?;
    /// assert_eq!((pool.stats_of(&"a").leased, pool.stats_of(&"b").leased), (1, 0));
    /// assert_eq!(pool.stats_of(&"b").max, 2);
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn stats_of<Q>(&self, key: &Q) -> Stats
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let route = self.shared.interner.find(key);
        route
            .and_then(|route| self.shared.engine.route_stats(route))
            .unwrap_or(Stats {
                max: self.shared.engine.default_max_per_route(),
                ..Stats::default()
            })
    }

    /// What every connection of the pool is doing, each once, as it was when it was looked at. O(entries).
    ///
    /// ```
    /// use std::time::Duration;
    /// use leasehold::{Connection, Pool, Use};
    ///
    /// let pool: Pool<&str, u32> = Pool::new();
    /// Connection::keep_for(pool.try_lease(&"a")?.or_connect(|| Ok::<_, ()>(7)).unwrap(), Duration::from_secs(5));
    /// let entries = pool.entries();
    /// assert_eq!((*entries[0].key, entries[0].used), ("a", Use::Idle));
    /// assert!(entries[0].expires_in.is_some_and(|left| left <= Duration::from_secs(5)));
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
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
                leased_for: info.leased_for.map(Duration::from_millis),
                leased_at: (info.used != Use::Idle)
                    .then(|| self.shared.caller_of(info.handle))
                    .flatten(),
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
#[non_exhaustive]
pub struct Entry<K> {
    /// What it goes to.
    pub key: Arc<K>,
    /// What it is doing.
    pub used: Use,
    /// For how long it has been idle, if it is.
    pub idle_for: Option<Duration>,
    /// When it expires, zero if it has; `None` if it does not.
    pub expires_in: Option<Duration>,
    /// For how long it has been leased or, if that was later, given to be opened or opened; `None` if it is idle.
    pub leased_for: Option<Duration>,
    /// Where in the program its lease was asked for, in a pool that [notes](crate::Builder::note_callers) it; `None` if it is idle.
    pub leased_at: Option<&'static Location<'static>>,
}

impl<K, C> Clone for Pool<K, C> {
    fn clone(&self) -> Self {
        Pool {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<K, C> fmt::Debug for Pool<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("engine", &self.shared.engine)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread;

    #[test]
    fn a_panic_inside_the_engine_refuses_a_thread_that_waits_for_ever() {
        let pool: Pool<&str, u32> = Pool::builder().max_total(1).build();
        let held = pool.try_lease(&"a").unwrap();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| pool.lease(&"a", Duration::MAX).map(drop));
            while pool.stats().pending == 0 {
                thread::yield_now();
            }
            let broken = || {
                pool.shared
                    .with_effects(|engine, effects| engine.panic_in_a_step(effects));
            };
            assert!(catch_unwind(AssertUnwindSafe(broken)).is_err());
            assert_eq!(waiter.join().unwrap(), Err(LeaseError::ShutDown));
        });
        assert_eq!(pool.try_lease(&"a").unwrap_err(), LeaseError::ShutDown);
        drop(held);
    }
}
