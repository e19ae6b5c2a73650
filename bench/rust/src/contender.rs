//! Who is measured: each leases, keeps for a while and releases, on one of several routes.

use std::hint::black_box;
use std::time::Duration;

use leasehold::engine::{
    Config, Effects, Engine, Grant, Handle, Hit, Keep, Outcome, RouteId, StateId, Verdict,
};
use leasehold::{Connection, Pool, Route};
use parking_lot::Mutex;

/// One pool, filled with an entry for each thread on each route.
pub(crate) trait Contender: Sync {
    fn new(threads: usize, routes: usize) -> Self
    where
        Self: Sized;

    /// Leases from a route, says for how long the entry may be kept, and releases it.
    fn cycle(&self, route: usize);
}

/// The engine as the faces call it: the hit path first, the coordinator where that finds nothing.
pub(crate) struct BareEngine {
    engine: Engine,
    routes: Vec<RouteId>,
}

/// The same where it is measured how long connections are held.
pub(crate) struct MeasuredEngine(BareEngine);

impl BareEngine {
    #[cold]
    fn lease_slowly(&self, route: RouteId) -> Handle {
        match self
            .engine
            .lease(route, StateId::NONE, None, &mut Effects::new())
        {
            Ok(Outcome::Granted(Grant::Idle(handle))) => handle,
            Ok(Outcome::Granted(Grant::Open(handle))) => {
                self.engine.opened(handle).expect("the pool is open");
                handle
            }
            other => panic!("there are no limits, and yet: {other:?}"),
        }
    }

    #[inline]
    fn release(&self, handle: Handle) {
        if self.engine.release_hit(handle, KEEP) != Ok(Hit::Kept) {
            self.release_slowly(handle);
        }
    }

    #[cold]
    fn release_slowly(&self, handle: Handle) {
        self.engine
            .release(
                handle,
                Verdict::Keep(KEEP),
                StateId::NONE,
                &mut Effects::new(),
            )
            .expect("a live lease");
    }
}

impl Contender for BareEngine {
    fn new(threads: usize, routes: usize) -> Self {
        let engine = Engine::new(Config::default());
        let mut effects = Effects::new();
        let routes = (0..routes)
            .map(|_| engine.add_route(&mut effects).expect("room for a route"))
            .collect();
        let contender = BareEngine { engine, routes };
        for &route in &contender.routes {
            let leased: Vec<Handle> = (0..threads)
                .map(|_| contender.lease_slowly(route))
                .collect();
            for handle in leased {
                contender.release(handle);
            }
        }
        contender
    }

    #[inline]
    fn cycle(&self, route: usize) {
        let route = self.routes[route];
        let handle = match self.engine.lease_hit(route, StateId::NONE) {
            Some(handle) => handle,
            None => self.lease_slowly(route),
        };
        self.release(black_box(handle));
    }
}

impl Contender for MeasuredEngine {
    fn new(threads: usize, routes: usize) -> Self {
        let contender = BareEngine::new(threads, routes);
        contender.engine.measure_held(true);
        MeasuredEngine(contender)
    }

    #[inline]
    fn cycle(&self, route: usize) {
        self.0.cycle(route);
    }
}

/// The Rust face, asked by key.
pub(crate) struct PoolByKey {
    pool: Pool<String, u64>,
    keys: Vec<String>,
}

impl Contender for PoolByKey {
    fn new(threads: usize, routes: usize) -> Self {
        let pool = Pool::new();
        let keys: Vec<String> = (0..routes).map(key).collect();
        for key in &keys {
            fill(&pool, key, threads);
        }
        PoolByKey { pool, keys }
    }

    #[inline]
    fn cycle(&self, route: usize) {
        let lease = self
            .pool
            .lease(&self.keys[route], TIMEOUT)
            .expect("no limits");
        keep(lease);
    }
}

/// The Rust face, asked by routes that are held.
pub(crate) struct PoolByRoute {
    routes: Vec<Route<String, u64>>,
}

impl Contender for PoolByRoute {
    fn new(threads: usize, routes: usize) -> Self {
        let pool = Pool::new();
        let hold = |number| {
            fill(&pool, &key(number), threads);
            pool.route(&key(number)).expect("room for a route")
        };
        PoolByRoute {
            routes: (0..routes).map(hold).collect(),
        }
    }

    #[inline]
    fn cycle(&self, route: usize) {
        let lease = self.routes[route].lease(TIMEOUT).expect("no limits");
        keep(lease);
    }
}

/// What a pool can hardly be cheaper than: one lock and one list for each route, no limits, no expiry, no waiting.
pub(crate) struct BareList {
    routes: Vec<Line<Mutex<Vec<u64>>>>,
}

/// On a cache line of its own, so that neighbours do not slow each other down.
#[repr(align(128))]
struct Line<T>(T);

impl Contender for BareList {
    fn new(threads: usize, routes: usize) -> Self {
        let filled = |_| Line(Mutex::new((0..threads as u64).collect()));
        BareList {
            routes: (0..routes).map(filled).collect(),
        }
    }

    #[inline]
    fn cycle(&self, route: usize) {
        let list = &self.routes[route].0;
        let entry = list.lock().pop().expect("an entry for each thread");
        list.lock().push(black_box(entry));
    }
}

const KEEP: Keep = Keep::For(30_000);
pub(crate) const KEPT_FOR: Duration = Duration::from_secs(30);
pub(crate) const TIMEOUT: Duration = Duration::from_secs(1);

pub(crate) fn key(route: usize) -> String {
    format!("http://host{route}.example.com:80")
}

fn fill(pool: &Pool<String, u64>, key: &String, connections: usize) {
    let leases: Vec<_> = (0..connections)
        .map(|_| pool.try_lease(key).expect("no limits"))
        .collect();
    leases.into_iter().for_each(keep);
}

#[inline]
fn keep(lease: leasehold::Lease<String, u64>) {
    let Ok(connection) = lease.or_connect(|| Ok::<_, std::convert::Infallible>(7));
    black_box(*connection);
    Connection::keep_for(connection, KEPT_FOR);
}
