//! What a pool is made with.

use std::fmt;
use std::hash::Hash;
#[cfg(feature = "watch")]
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use crate::engine::{Clock, Config, Engine, Policy};
use crate::plan::Plan;
#[cfg(feature = "watch")]
use crate::plan::{Descriptor, descriptor_of};
use crate::pool::Pool;
use crate::shared::{Shared, millis};
use crate::shares::Shares;
#[cfg(feature = "watch")]
use crate::{socket::TcpKeepAlive, watching::Watching};

/// What a pool is made with; see [`Pool::builder`].
///
/// ```
/// use std::time::Duration;
/// use leasehold::{Pool, Watching};
///
/// let pool: Pool<String, std::net::TcpStream> = Pool::builder()
///     .max_total(200)
///     .max_per_route(32)
///     .time_to_live(Duration::from_secs(600))
///     .watch(Watching::Both)
///     .build();
/// assert_eq!(pool.stats().max, 200);
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct Builder<K, C> {
    config: Config,
    plan: Plan<C>,
    name: Option<Arc<str>>,
    /// Puts the pool into the housekeeper's care; set by the methods that know that it can be sent there.
    join: Option<fn(&Arc<Shared<K, C>>)>,
}

impl<K: Eq + Hash + Clone, C> Pool<K, C> {
    /// A pool without limits. See [`builder`](Self::builder) for any other. Starts no thread.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Settings of a pool to be made.
    pub fn builder() -> Builder<K, C> {
        Builder::new()
    }
}

impl<K: Eq + Hash + Clone, C> Default for Pool<K, C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Eq + Hash + Clone, C> Builder<K, C> {
    fn new() -> Self {
        Builder {
            config: Config::default(),
            plan: Plan::new(),
            name: None,
            join: None,
        }
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

    /// Most idle connections of one route, beside those that are leased. Unlimited by default. One more that is kept has the least
    /// recently released of them closed, in the same call, and is [counted](crate::Counters) as over a limit; threads that release at once
    /// may meanwhile leave more. With 0 a connection that nobody waits for closes when it is kept.
    ///
    /// ```
    /// use leasehold::{Connection, Pool};
    ///
    /// let pool: Pool<&str, u32> = Pool::builder().max_idle_per_route(1).build();
    /// let leases = [1, 2].map(|number| pool.try_lease(&"a").unwrap().or_connect(|| Ok::<_, ()>(number)).unwrap());
    /// leases.into_iter().for_each(Connection::keep);
    /// assert_eq!((pool.stats().available, pool.counters().over_limit), (1, 1));
    /// ```
    pub fn max_idle_per_route(mut self, max: u32) -> Self {
        self.plan.max_idle_per_route = Some(max);
        self
    }

    /// Asks the program whether a connection may be used, at every lease of one that was leased before; `false` has it closed, and another
    /// leased in its place or its place given as a vacancy, as for one that the probe finds [closed](Self::watch). It is
    /// [counted](crate::Counters) as stale. For connections that know it themselves, as hyper's senders do, or that have no descriptor.
    ///
    /// Called with no lock held, on the thread that leases or polls, after the probe if there is one; it holds that lease up alone.
    ///
    /// ```
    /// use leasehold::{Connection, Lease, Pool};
    ///
    /// struct Sender { is_open: bool }
    ///
    /// let pool: Pool<&str, Sender> = Pool::builder().is_usable(|sender: &Sender| sender.is_open).build();
    /// let lease = pool.try_lease(&"a")?;
    /// let mut sender = lease.or_connect(|| Ok::<_, ()>(Sender { is_open: true })).unwrap();
    /// sender.is_open = false;
    /// Connection::keep(sender);
    /// assert!(matches!(pool.try_lease(&"a")?, Lease::Vacancy(_)));
    /// assert_eq!(pool.counters().stale, 1);
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn is_usable(mut self, is_usable: impl Fn(&C) -> bool + Send + Sync + 'static) -> Self {
        self.plan.is_usable = Some(Arc::new(is_usable));
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

    /// The pool's name, for log lines, errors and whoever shows the numbers of several pools. By default `pool-` and a number that no other
    /// pool of the process has.
    ///
    /// ```
    /// use leasehold::Pool;
    ///
    /// let pool: Pool<&str, u32> = Pool::builder().name("backend").build();
    /// assert_eq!(pool.name(), "backend");
    /// ```
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Has the pool note where in the program each lease is asked for: for [`Pool::entries`], and for the message of who waits in vain.
    /// Functions of the program's that lease for others pass their caller on where they are `#[track_caller]` themselves. Off by default:
    /// it costs a lease some 30 instructions, and the pool 16 bytes for each connection.
    ///
    /// ```
    /// use std::time::Duration;
    /// use leasehold::Pool;
    ///
    /// let pool: Pool<&str, u32> = Pool::builder().name("backend").max_total(1).note_callers(true).build();
    /// let lease = pool.try_lease(&"a")?; // here it stays
    /// let error = pool.lease(&"a", Duration::from_millis(1)).unwrap_err().to_string();
    /// assert!(error.contains("backend: 1 of 1 leased, 0 idle, 0 waiting; to this route 1 of"), "{error}");
    /// assert!(error.contains(&format!(", held by {}:", file!())), "{error}");
    /// # drop(lease);
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn note_callers(mut self, wanted: bool) -> Self {
        self.plan.notes_callers = wanted;
        self
    }

    /// Where time comes from; a [`ManualClock`](crate::ManualClock) lets tests pass hours in no time.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.config.clock = clock;
        self
    }

    /// The pool. No connection is opened; a thread is started only where something was asked for that needs one, see
    /// [`watch`](Self::watch), [`evict_expired`](Self::evict_expired), [`evict_idle`](Self::evict_idle),
    /// [`close_aside`](Self::close_aside).
    pub fn build(mut self) -> Pool<K, C> {
        self.plan.settle();
        let engine = Engine::new(self.config);
        let needs_housekeeper = self.plan.watching.watches()
            || self.plan.closes_aside
            || self.plan.eviction.is_wanted();
        let shared = Shares::new(Shared::new(engine, self.plan, self.name));
        if let Some(join) = self.join.filter(|_| needs_housekeeper) {
            join(&shared);
        }
        Pool::from_shared(shared)
    }
}

/// What the housekeeper does: one thread for all pools of the process that ask for it, started by the first and ended
/// with the last of them.
impl<K, C> Builder<K, C>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    C: Send + 'static,
{
    /// Closes idle connections whose keep-alive or time to live is over, within a second. Off by default: a lease meets and
    /// closes those of its own route. Where the system has no thread to give, a line at error says so, that is tried again with each
    /// connection that is opened, and until then only a lease closes what has expired.
    pub fn evict_expired(mut self, wanted: bool) -> Self {
        self.plan.eviction.expired = wanted;
        self.join = Some(join);
        self
    }

    /// Closes connections that have been idle for `age` or longer, within a second. Never by default.
    pub fn evict_idle(mut self, age: Duration) -> Self {
        self.plan.eviction.idle = Some(millis(age));
        self.join = Some(join);
        self
    }

    /// Drops connections on a thread that does nothing else also where a call of the program's brings that about. For
    /// connections whose drop can block, as a TLS goodbye or a socket that lingers may: no lease waits for it then, while without
    /// this the one does whose call made room by it. What the [watch](Self::watch) and eviction find is dropped there in any
    /// case. Off by default.
    ///
    /// Connections are dropped one after the other, none is lost. One that is not dropped within a second is overtaken; where
    /// its descriptor is known, see [`watch`](Self::watch), its socket is shut down, which ends what reads or writes on it, and
    /// does not linger. Of drops that nothing ends 16 may hang, then others wait. The end of the last pool waits for drops
    /// under way, three seconds at most, unless told [not to](Self::wait_at_end). Where the system has no thread to give, they are
    /// dropped as without this.
    pub fn close_aside(mut self, wanted: bool) -> Self {
        self.plan.closes_aside = wanted;
        self.join = Some(join);
        self
    }

    /// Whether the end of this pool, where it is the last that the housekeeper serves, waits until its threads have ended, by default
    /// it does: for closes under way and for those that are queued, three seconds at most. The pool ends where the last of its clones,
    /// leases and requests is dropped. If that may be in a task, such a wait stalls the executor's thread: say `false`. Then nobody
    /// waits; closes go on, and the threads end by themselves after the last one, or where `main` returns before that.
    pub fn wait_at_end(mut self, wanted: bool) -> Self {
        self.plan.waits_at_end = wanted;
        self
    }
}

/// What is done with sockets, for connections whose type does not say that they have one.
#[cfg(feature = "watch")]
impl<K, C> Builder<K, C>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    C: Send + 'static,
{
    /// As [`watch`](Self::watch), for connections whose type does not say their descriptor: `descriptor` does, or says that one has
    /// none, which is then neither watched nor probed. It must be the connection's own, and open as long as the connection is. It is
    /// asked at every lease that is probed, at every end of a lease that is watched, and before a close; with no lock held.
    ///
    /// ```
    /// use std::net::TcpStream;
    /// use std::os::fd::AsFd;
    /// use leasehold::{Pool, Watching};
    ///
    /// struct Framed { stream: TcpStream }
    ///
    /// let pool: Pool<String, Framed> =
    ///     Pool::builder().watch_by(Watching::Both, |framed: &Framed| Some(framed.stream.as_fd())).build();
    /// # drop(pool);
    /// ```
    pub fn watch_by(
        mut self,
        watching: Watching,
        descriptor: impl Fn(&C) -> Option<BorrowedFd<'_>> + Send + Sync + 'static,
    ) -> Self {
        self.plan.watching = watching;
        self.plan.descriptor = Descriptor::By(Arc::new(descriptor));
        self.join = Some(join);
        self
    }

    /// Says which connections the probe lets pass although there is something to read on them. On a TLS connection that may
    /// be a session ticket: ask the connection itself. None by default, which is right for plain ones.
    pub fn usable_when_readable(
        mut self,
        is_usable: impl Fn(&C) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.plan.usable_when_readable = Some(Arc::new(is_usable));
        self
    }
}

/// What is done with sockets, for connections that have one.
#[cfg(feature = "watch")]
impl<K, C> Builder<K, C>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    C: AsFd + Send + 'static,
{
    /// How the pool finds out that the peer of an idle connection has closed it. [`Watching::Both`] is what a client
    /// wants; without this call nothing is found out.
    ///
    /// A connection that the watch tells of is closed at once, on a thread that does nothing else. One that the probe finds
    /// closed at its lease, or with bytes on it that nobody asked for, is closed and another idle one is leased in its place, or
    /// else its place is given as a vacancy. Both are [counted](Pool::counters).
    ///
    /// A connection is watched from [`fill`](crate::Vacancy::fill) on. One that cannot be watched then, because it is not
    /// connected yet or because the system's limits are reached, in descriptors or threads, is probed at its leases instead, and
    /// its watch is tried again whenever it is kept or its expiry is updated.
    ///
    /// A connection put in place of another through the guard is noticed by its descriptor when it is kept or its expiry is
    /// updated, and watched in its turn. What was promised for the one before is forgotten then; that the route was cleared since
    /// the lease began is not, and closes it. Not so where the descriptor's number stays the same, as when a connection reconnects
    /// in place: what the peer did to the one before then closes the new one, or nobody watches it.
    /// [`Connection::replace`](crate::Connection::replace) is for that.
    ///
    /// After a fork a child is not to lease from the pools it has inherited, whose connections are its parent's too and which no
    /// thread serves there. It may drop them, which takes nothing from the parent's, and make its own.
    ///
    /// ```
    /// use std::net::{SocketAddr, TcpListener, TcpStream};
    /// use leasehold::{Connection, Pool, Watching};
    ///
    /// let server = TcpListener::bind("127.0.0.1:0")?;
    /// let address = server.local_addr()?;
    /// let pool: Pool<SocketAddr, TcpStream> = Pool::builder().watch(Watching::Both).build();
    /// Connection::keep(pool.try_lease(&address)?.or_connect(|| TcpStream::connect(address))?);
    /// assert_eq!(pool.stats().available, 1);
    ///
    /// drop(server.accept()?); // the server closes, and nobody leases or cleans up
    /// while pool.counters().closed_by_peer == 0 {
    ///     std::thread::yield_now();
    /// }
    /// assert_eq!(pool.stats().available, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn watch(mut self, watching: Watching) -> Self {
        self.plan.watching = watching;
        self.plan.descriptor = descriptor_of();
        self.join = Some(join);
        self
    }

    /// Sets TCP keep-alive on every connection, for peers that vanish without a word. Where it cannot be set, on a socket
    /// of another kind, a line at debug says so. For connections without `AsFd` there is
    /// [`TcpKeepAlive::set_on`](crate::socket::TcpKeepAlive::set_on), to be called where they are opened.
    pub fn tcp_keep_alive(mut self, keep_alive: TcpKeepAlive) -> Self {
        self.plan.keep_alive = Some(keep_alive);
        if let Descriptor::Unknown = self.plan.descriptor {
            self.plan.descriptor = descriptor_of();
        }
        self
    }
}

fn join<K, C>(shared: &Arc<Shared<K, C>>)
where
    K: Eq + Hash + Send + Sync + 'static,
    C: Send + 'static,
{
    shared.join_housekeeper();
}

impl<K, C> Clone for Builder<K, C> {
    fn clone(&self) -> Self {
        Builder {
            config: self.config.clone(),
            plan: self.plan.clone(),
            name: self.name.clone(),
            join: self.join,
        }
    }
}

impl<K, C> fmt::Debug for Builder<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("config", &self.config)
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}
