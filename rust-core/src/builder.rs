//! What a pool is made with.

use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::{Clock, Config, Engine, Policy, Profile};
use crate::pool::Pool;
use crate::shared::{Shared, millis};

/// What a pool is made with; see [`Pool::builder`].
///
/// ```
/// use std::time::Duration;
/// use leasehold::Pool;
///
/// let pool: Pool<String, std::net::TcpStream> = Pool::builder()
///     .max_total(200)
///     .max_per_route(32)
///     .time_to_live(Duration::from_secs(600))
///     .build();
/// assert_eq!(pool.stats().max, 200);
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct Builder<K, C> {
    config: Config,
    makes: PhantomData<fn() -> Pool<K, C>>,
}

impl<K: Eq + Hash + Clone, C> Builder<K, C> {
    pub(crate) fn new() -> Self {
        Builder {
            config: Config::default(),
            makes: PhantomData,
        }
    }

    /// Takes over the limits and the order of waiting of an Apache HttpClient generation.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.config.max_total = profile.max_total;
        self.config.max_per_route = profile.max_per_route;
        self.config.own_route_first = profile.own_route_first;
        self
    }

    /// Most connections in total: leased, idle and being opened. Unlimited by default. With 0 every lease waits.
    pub fn max_total(mut self, max: u32) -> Self {
        self.config.max_total = max;
        self
    }

    /// Most connections of one route. Unlimited by default. With 0 every lease waits.
    pub fn max_per_route(mut self, max: u32) -> Self {
        self.config.max_per_route = max;
        self
    }

    /// Most requests that may wait at once; one more is refused with `QueueFull`. Unlimited by default.
    pub fn max_waiters(mut self, max: u32) -> Self {
        self.config.max_waiters = max;
        self
    }

    /// Closes connections this long after they were opened, however busy they are, so that a change of DNS or of the
    /// servers behind a name is noticed. Milliseconds count, at least one. Never by default.
    pub fn time_to_live(mut self, age: Duration) -> Self {
        self.config.time_to_live = Some(millis(age).max(1));
        self
    }

    /// Which idle connection of a route goes first. The most recently released by default.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.config.policy = policy;
        self
    }

    /// Lets a newcomer take a released connection before those who wait. Off by default: requests are served in the
    /// order in which they came. With more threads than connections and very short leases, barging gives a multiple
    /// of the throughput and takes the bound off the waiting time.
    pub fn barging(mut self, allowed: bool) -> Self {
        self.config.barging = allowed;
        self
    }

    /// Where time comes from; a [`ManualClock`](crate::engine::ManualClock) lets tests pass hours in no time.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.config.clock = clock;
        self
    }

    /// The pool. No thread is started and no connection opened.
    pub fn build(self) -> Pool<K, C> {
        Pool::from_shared(Arc::new(Shared::new(Engine::new(self.config))))
    }
}

impl<K, C> Clone for Builder<K, C> {
    fn clone(&self) -> Self {
        Builder {
            config: self.config.clone(),
            makes: PhantomData,
        }
    }
}

impl<K, C> fmt::Debug for Builder<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("config", &self.config)
            .finish()
    }
}
