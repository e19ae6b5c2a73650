//! What a pool is made with.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::clock::Clock;
use super::segments::CAPACITY;

/// The most connections a pool can hold: 524,288; a larger limit means this one. As many slots again are there for
/// victims that wait to be closed.
pub const MAX_ENTRIES: u32 = CAPACITY / 2;

/// Which idle connection of a route is handed out first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// The most recently released: few connections do the work and the others age out.
    ///
    /// Exactly so as long as threads do not meet at the pool's idle list more than a hundred times in ten seconds, as they do from some
    /// thousands of leases in a second on. Then each has a list of its own: it takes what it has released last itself, and where it has
    /// nothing, what lies in the others' lists, before a connection is opened. The oldest of all is still the first to make room or to be
    /// closed for being idle. When they have met less often for ten to twenty seconds, the next call that is more than the lease or release
    /// of an idle connection (one that opens, closes or waits, or the housekeeper's clean-up) brings all into one list again, in the order
    /// of their release; more than 4,096 idle connections stay where they are.
    #[default]
    Lifo,
    /// The least recently released: all connections are used in turn. The pool then keeps one idle list, not several.
    Fifo,
}

/// What a pool is made with. Limits can be changed later, the rest stays.
#[derive(Clone, Debug)]
pub struct Config {
    /// Most connections of one route: leased, idle and being opened.
    pub max_per_route: u32,
    /// Most connections in total.
    pub max_total: u32,
    /// Most requests that may wait at once; one more is refused.
    pub max_waiters: u32,
    /// Hard limit on a connection's age in milliseconds, counted from its opening. `None` is no limit.
    pub time_to_live: Option<u64>,
    /// Which idle connection goes first.
    pub policy: Policy,
    /// Lets a newcomer take a released connection before those who wait: more throughput, no order.
    pub barging: bool,
    /// A released connection, or the place of one that closes, serves its own route's first waiter even if one of another route has
    /// waited longer: what HttpClient 3.1 does.
    pub own_route_first: bool,
    /// Connections are connected after they were [`opened`](super::Engine::opened), inside their leases, and how long that takes is told by
    /// [`record_opening`](super::Engine::record_opening): nothing else is in [`Metrics::opening`](super::Metrics::opening).
    pub connects_later: bool,
    /// How many idle lists, a power of two up to 16; `None` lets the number of processors decide.
    /// Ignored under [`Policy::Fifo`], which needs one.
    pub stripes: Option<u32>,
    /// Where time comes from.
    pub clock: Clock,
}

impl Config {
    pub(super) fn stripe_count(&self) -> usize {
        if self.policy == Policy::Fifo {
            return 1;
        }
        match self.stripes {
            Some(stripes) => stripes.next_power_of_two().clamp(1, 16) as usize,
            None => (processors() * 2).next_power_of_two().clamp(8, 16),
        }
    }
}

/// Asked once: the answer takes a dozen system calls, and some programs make a pool for every request.
fn processors() -> usize {
    // 0 before the first answer. Written by whoever asks first. It is under no lock, which a fork might find held.
    // Race window: several may ask at once. It is harmless because they get the same answer.
    static PROCESSORS: AtomicUsize = AtomicUsize::new(0);
    match PROCESSORS.load(Relaxed) {
        0 => {
            let count = std::thread::available_parallelism().map_or(2, |count| count.get());
            PROCESSORS.store(count, Relaxed);
            count
        }
        count => count,
    }
}

impl Default for Config {
    /// No limits, one order of arrival for all routes.
    fn default() -> Self {
        Config {
            max_per_route: MAX_ENTRIES,
            max_total: MAX_ENTRIES,
            max_waiters: u32::MAX,
            time_to_live: None,
            policy: Policy::Lifo,
            barging: false,
            own_route_first: false,
            connects_later: false,
            stripes: None,
            clock: Clock::monotonic(),
        }
    }
}
