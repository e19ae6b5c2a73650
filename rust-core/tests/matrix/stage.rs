//! A pool in the middle of its work, on which one call is made, and what must hold afterwards.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use leasehold::socket::TcpKeepAlive;
use leasehold::{
    Clock, Connection, Lease, LeaseError, LeaseFuture, ManualClock, Pool, Route, State, Vacancy,
    Watching,
};

use crate::common::eventually;
use crate::faults::{self, Key, Wire, key};

pub(crate) type Pooled = Pool<Key, Wire>;

pub(crate) const MAX_TOTAL: u32 = 5;
const MAX_PER_ROUTE: u32 = 3;

/// How the pool was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settings {
    Plain,
    /// Leases ask their connections; some of those have bytes on them, some are dead.
    Probed,
    /// The housekeeper watches and evicts, the disposer closes.
    Kept,
    /// Leases ask the program, closures tell descriptors, and no more than one of a route may be idle.
    Judged,
}

impl Settings {
    pub(crate) const ALL: [Settings; 4] = [
        Settings::Plain,
        Settings::Probed,
        Settings::Kept,
        Settings::Judged,
    ];
}

/// What the pool is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// As full as it may be, with idle connections, and nobody waits.
    Idle,
    /// Everything is leased, and three wait.
    Crowded,
}

impl Load {
    pub(crate) const ALL: [Load; 2] = [Load::Idle, Load::Crowded];
}

pub(crate) struct Stage {
    pub(crate) settings: Settings,
    pub(crate) clock: ManualClock,
    /// Taken by who drops the last reference.
    pub(crate) pool: Option<Pooled>,
    /// A lease of key 1.
    pub(crate) held: Option<Connection<Key, Wire>>,
    /// A right to open one of key 3.
    pub(crate) vacancy: Option<Vacancy<Key, Wire>>,
    /// Key 1's.
    pub(crate) route: Option<Route<Key, Wire>>,
    /// Of keys 1, 2 for a state, and 4.
    pub(crate) waiters: Vec<Pin<Box<LeaseFuture<Key, Wire>>>>,
    /// What else is leased.
    pub(crate) leases: Vec<Lease<Key, Wire>>,
    /// The numbers of those that are idle.
    idle: Vec<usize>,
}

pub(crate) fn keep_alive() -> TcpKeepAlive {
    TcpKeepAlive::new(Duration::from_secs(60), Duration::from_secs(10), 3).unwrap()
}

pub(crate) fn alice() -> State {
    State::new("alice")
}

pub(crate) fn pool_with(settings: Settings, clock: &ManualClock) -> Pooled {
    let builder = Pool::builder()
        .clock(Clock::manual(clock))
        .max_total(MAX_TOTAL)
        .max_per_route(MAX_PER_ROUTE);
    match settings {
        Settings::Plain => builder.build(),
        Settings::Probed => builder
            .watch(Watching::Probe)
            .usable_when_readable(faults::usable_when_readable)
            .tcp_keep_alive(keep_alive())
            .build(),
        Settings::Kept => builder
            .watch(Watching::Both)
            .usable_when_readable(faults::usable_when_readable)
            .evict_expired(true)
            .evict_idle(Duration::from_secs(1_000))
            .close_aside(true)
            .build(),
        Settings::Judged => builder
            .watch_by(Watching::Probe, faults::descriptor)
            .is_usable(faults::is_usable)
            .max_idle_per_route(1)
            .build(),
    }
}

fn fill(lease: Lease<Key, Wire>) -> Connection<Key, Wire> {
    lease.or_connect(|| Ok::<_, ()>(Wire::open())).unwrap()
}

impl Stage {
    pub(crate) fn new(settings: Settings, load: Load) -> Stage {
        let clock = ManualClock::new();
        let pool = pool_with(settings, &clock);
        let lease = |number| fill(pool.try_lease(&key(number)).unwrap());
        let held = lease(1);
        let Ok(Lease::Vacancy(vacancy)) = pool.try_lease(&key(3)) else {
            panic!("nothing of it is idle");
        };
        let others = [lease(1), lease(2), lease(2)];
        let (mut leases, mut waiters, mut idle) = (Vec::new(), Vec::new(), Vec::new());
        match load {
            Load::Idle => {
                if settings == Settings::Probed {
                    faults::send_from_peer(others[0].number());
                }
                idle.extend(others.iter().map(|other| other.number()));
                for other in others {
                    Connection::keep_for(other, Duration::from_secs(100));
                }
                if settings == Settings::Probed {
                    idle[1..].iter().for_each(|dead| faults::shut_peer(*dead));
                }
            }
            Load::Crowded => {
                leases.extend(others.map(Lease::Connection));
                let alice = alice();
                waiters = vec![
                    Box::pin(pool.lease_async(&key(1))),
                    Box::pin(pool.request(&key(2)).bound_to(&alice).lease_async()),
                    Box::pin(pool.lease_async(&key(4))),
                ];
                let waker = faults::waker();
                for waiter in &mut waiters {
                    assert!(poll(waiter, &waker).is_pending());
                }
            }
        }
        Stage {
            settings,
            clock,
            route: Some(pool.route(&key(1)).unwrap()),
            pool: Some(pool),
            held: Some(held),
            vacancy: Some(vacancy),
            waiters,
            leases,
            idle,
        }
    }

    /// The peers of what is idle close it.
    pub(crate) fn close_idle_peers(&self) {
        self.idle
            .iter()
            .for_each(|number| faults::shut_peer(*number));
    }

    /// How many connections there are but for those that were idle at first.
    pub(crate) fn wires_but_idle(&self, before: usize) -> usize {
        before - self.idle.len()
    }

    /// Drops all but the pool itself.
    pub(crate) fn leave_the_pool_alone(&mut self) {
        self.let_go();
        self.waiters.clear();
        self.route = None;
    }

    pub(crate) fn pool(&self) -> &Pooled {
        self.pool.as_ref().expect("the call was on another")
    }

    pub(crate) fn held(&mut self) -> Connection<Key, Wire> {
        self.held.take().expect("it is held once")
    }

    pub(crate) fn vacancy(&mut self) -> Vacancy<Key, Wire> {
        self.vacancy.take().expect("it is held once")
    }

    /// A connection of the key that there is the right to open one of. One that is idle makes room.
    pub(crate) fn opened_beside_the_vacancy(&self) -> Connection<Key, Wire> {
        fill(self.pool().try_lease(&key(3)).unwrap())
    }

    /// Keeps a lease beyond the call.
    pub(crate) fn hold(&mut self, lease: Result<Lease<Key, Wire>, LeaseError>) {
        self.leases.extend(lease);
    }

    /// Keeps a future beyond the call, polled once.
    pub(crate) fn ask(&mut self, mut future: LeaseFuture<Key, Wire>) {
        match Pin::new(&mut future).poll(&mut Context::from_waker(&faults::waker())) {
            Poll::Ready(outcome) => self.hold(outcome),
            Poll::Pending => self.waiters.push(Box::pin(future)),
        }
    }

    /// Drops whatever was left by the call, but what waits.
    fn let_go(&mut self) {
        self.held = None;
        self.vacancy = None;
        self.leases.clear();
    }

    /// What must hold of a pool after a call, whatever failed in it.
    pub(crate) fn check(mut self) {
        let pool = self.pool.take();
        if let Some(pool) = &pool {
            pool.resume();
            pool.set_max_total(MAX_TOTAL);
            pool.set_max_per_route(MAX_PER_ROUTE);
            for number in [1, 2] {
                pool.set_max_of(&key(number), None).unwrap();
            }
        }
        self.let_go();
        // Everybody who waits is answered, one after the other.
        let mut waiters = std::mem::take(&mut self.waiters);
        while !waiters.is_empty() {
            let before = waiters.len();
            waiters.retain_mut(|waiter| poll(waiter, Waker::noop()).is_pending());
            assert!(
                waiters.len() < before,
                "nobody answers {waiters:?} of {pool:?}"
            );
        }
        self.route = None;
        let Some(pool) = pool else {
            return;
        };
        let stats = pool.stats();
        assert_eq!((stats.leased, stats.pending), (0, 0), "{pool:?}");
        let entries = pool.entries();
        assert_eq!(entries.len(), stats.available as usize, "{pool:?}");
        drop(entries);
        if pool.is_shut_down() {
            assert_eq!(stats.available, 0);
            assert_eq!(pool.try_lease(&key(1)).unwrap_err(), LeaseError::ShutDown);
            return;
        }
        // Its full limit, by keys that are known and by new ones.
        let mut leased = Vec::new();
        for number in 1.. {
            match pool.try_lease(&key(number)) {
                Ok(lease) => leased.push(lease),
                Err(error) => {
                    assert_eq!(error, LeaseError::Exhausted);
                    break;
                }
            }
        }
        assert_eq!(leased.len(), MAX_TOTAL as usize, "{pool:?}");
        drop(leased);
        Connection::keep(fill(pool.try_lease(&key(1)).unwrap()));
        assert_eq!((pool.stats().leased, pool.stats().available), (0, 1));
    }
}

pub(crate) fn poll(
    future: &mut Pin<Box<LeaseFuture<Key, Wire>>>,
    waker: &Waker,
) -> Poll<Result<Lease<Key, Wire>, LeaseError>> {
    future.as_mut().poll(&mut Context::from_waker(waker))
}

/// Another pool of the process, whose connections the housekeeper and the disposer close, too.
pub(crate) struct Bystander {
    clock: ManualClock,
    pool: Pooled,
}

impl Bystander {
    pub(crate) fn new() -> Bystander {
        let clock = ManualClock::new();
        let pool = pool_with(Settings::Kept, &clock);
        Bystander { clock, pool }
    }

    pub(crate) fn pool(&self) -> &Pooled {
        &self.pool
    }

    /// It leases.
    pub(crate) fn check(&self) {
        Connection::keep(fill(self.pool.try_lease(&key(1)).unwrap()));
        assert_eq!(
            (self.pool.stats().leased, self.pool.stats().available),
            (0, 1)
        );
    }

    /// The threads that it shares with all pools do their work.
    pub(crate) fn check_threads(&self) {
        let before = self.pool.counters();
        let connection = fill(self.pool.try_lease(&key(2)).unwrap());
        let number = connection.number();
        Connection::keep(connection);
        faults::shut_peer(number);
        eventually("a peer's close is seen", || {
            self.pool.counters().closed_by_peer > before.closed_by_peer
        });
        eventually("and it is dropped", || !faults::is_open(number));
        let known = key(1);
        let request = self.pool.request(&known);
        self.pool.set_max_total(0);
        let mut future = Box::pin(request.lease_async_within(Duration::from_secs(1)));
        assert!(poll(&mut future, Waker::noop()).is_pending());
        self.clock.advance(1_000);
        let Poll::Ready(outcome) = poll(&mut future, Waker::noop()) else {
            panic!("its time is up");
        };
        assert!(matches!(outcome, Err(LeaseError::Timeout(_))));
        self.pool.set_max_total(MAX_TOTAL);
    }
}
