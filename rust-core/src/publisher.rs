//! A pool's numbers for the `metrics` crate, which hands them to whatever recorder the program has installed.
//!
//! That crate takes a histogram's times one by one. So who publishes remembers what was published, and hands over what has come since, each
//! time as the end of the range that it is in.

use std::fmt;
use std::sync::{Arc, Weak};

use metrics::{
    Label, SharedString, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

use crate::engine::Histogram;
use crate::pool::Pool;
use crate::shares::Shares;

/// Hands a pool's numbers to the recorder of the `metrics` crate, whenever it is told to; made by [`Pool::publisher`].
///
/// It does not keep the pool alive.
pub struct Publisher<K, C> {
    shared: Weak<Shares<K, C>>,
    name: SharedString,
    /// What was handed over: waiting, opening and held.
    published: [Histogram; 3],
}

const LEASED: &str = "leasehold.pool.leased";
const IDLE: &str = "leasehold.pool.idle";
const PENDING: &str = "leasehold.pool.pending";
const MAX: &str = "leasehold.pool.max";
const REQUESTS: &str = "leasehold.pool.requests";
const WAITED: &str = "leasehold.pool.waited";
const OPENED: &str = "leasehold.pool.opened";
const UNOPENED: &str = "leasehold.pool.unopened";
const KEPT: &str = "leasehold.pool.kept";
const CLOSED: &str = "leasehold.pool.closed";
const TIMERS: [(&str, &str); 3] = [
    (
        "leasehold.pool.waiting",
        "How long requests waited that wait no more",
    ),
    (
        "leasehold.pool.opening",
        "How long connections took to be opened",
    ),
    (
        "leasehold.pool.held",
        "How long connections were held whose leases have ended, where that is measured",
    ),
];

impl<K, C> Pool<K, C> {
    /// What hands the pool's numbers to the recorder that the program has installed with the `metrics` crate, whenever it is told to. Only
    /// with the feature `metrics`. One to a pool is enough: each hands over all times since the pool was made.
    ///
    /// | metric | labels beside `pool`, the [name](crate::Pool::name) | |
    /// | --- | --- | --- |
    /// | `leasehold.pool.leased`, `.idle`, `.pending`, `.max` | | gauges: [`Stats`](crate::Stats) |
    /// | `leasehold.pool.requests` | `result`: `hit`, `handed_over`, `opening`, `timed_out`, `cancelled`, `refused` | counter |
    /// | `leasehold.pool.waited`, `.opened`, `.unopened`, `.kept` | | counters: [`Metrics`](crate::Metrics) |
    /// | `leasehold.pool.closed` | `cause`: `lease`, `shutdown`, `peer`, `stale`, `expired`, `idle`, `evicted`, `over_limit`, `cleared` | counter |
    /// | `leasehold.pool.waiting`, `.opening`, `.held` | | histograms, in seconds: at most an eighth too long |
    ///
    /// ```
    /// use leasehold::Pool;
    ///
    /// let pool: Pool<&str, u32> = Pool::builder().name("backend").build();
    /// let mut publisher = pool.publisher();
    /// // On a timer of the program's, say every ten seconds.
    /// assert!(publisher.publish());
    /// drop(pool);
    /// assert!(!publisher.publish());
    /// ```
    pub fn publisher(&self) -> Publisher<K, C> {
        Publisher {
            shared: Arc::downgrade(&self.shared),
            name: SharedString::from(self.shared.name.to_string()),
            published: Default::default(),
        }
    }
}

impl<K, C> Publisher<K, C> {
    /// Hands over the numbers as they are now: to the recorder that the calling thread has at the moment, or nobody. False where the pool is
    /// gone. Takes what [`Pool::metrics`](crate::Pool::metrics) takes, and some twenty look-ups of the recorder's.
    pub fn publish(&mut self) -> bool {
        let Some(shared) = self.shared.upgrade() else {
            return false;
        };
        let (stats, numbers) = (shared.engine.stats(), shared.engine.metrics());
        // What it drops may be the last of the pool: before the recorder is called.
        drop(shared);
        describe();
        for (name, number) in [
            (LEASED, stats.leased),
            (IDLE, stats.available),
            (PENDING, stats.pending),
            (MAX, stats.max),
        ] {
            gauge!(name, self.labels(None)).set(f64::from(number));
        }
        for (name, number) in [
            (WAITED, numbers.waited),
            (OPENED, numbers.opened),
            (UNOPENED, numbers.unopened),
            (KEPT, numbers.kept),
        ] {
            counter!(name, self.labels(None)).absolute(number);
        }
        for (result, number) in [
            ("hit", numbers.hits),
            ("handed_over", numbers.handed_over),
            ("opening", numbers.openings),
            ("timed_out", numbers.timed_out),
            ("cancelled", numbers.cancelled),
            ("refused", numbers.refused),
        ] {
            counter!(REQUESTS, self.labels(Some(("result", result)))).absolute(number);
        }
        for (cause, number) in [
            ("lease", numbers.closed_by_lease),
            ("shutdown", numbers.closed_by_shutdown),
            ("peer", numbers.closed.closed_by_peer),
            ("stale", numbers.closed.stale),
            ("expired", numbers.closed.expired),
            ("idle", numbers.closed.idle),
            ("evicted", numbers.closed.evicted),
            ("over_limit", numbers.closed.over_limit),
            ("cleared", numbers.closed.cleared),
        ] {
            counter!(CLOSED, self.labels(Some(("cause", cause)))).absolute(number);
        }
        let times = [numbers.waiting, numbers.opening, numbers.held];
        for (timer, times) in times.into_iter().enumerate() {
            let recorder = histogram!(TIMERS[timer].0, self.labels(None));
            let before = std::mem::replace(&mut self.published[timer], times);
            let times = &self.published[timer];
            for (now, before) in times.ranges().zip(before.ranges()) {
                let end = now.up_to.min(times.max());
                let more = now.count - before.count;
                if more > 0 {
                    recorder.record_many(end, usize::try_from(more).unwrap_or(usize::MAX));
                }
            }
        }
        true
    }

    fn labels(&self, other: Option<(&'static str, &'static str)>) -> Vec<Label> {
        let own = Label::new("pool", self.name.clone());
        let other = other.map(|(key, value)| Label::from_static_parts(key, value));
        [own].into_iter().chain(other).collect()
    }
}

/// Says what each is. A recorder that knows it already has it said again.
fn describe() {
    describe_gauge!(LEASED, Unit::Count, "Connections leased or being opened");
    describe_gauge!(IDLE, Unit::Count, "Connections idle");
    describe_gauge!(PENDING, Unit::Count, "Requests that wait");
    describe_gauge!(MAX, Unit::Count, "Most connections in total");
    describe_counter!(REQUESTS, Unit::Count, "Requests, by what they led to");
    describe_counter!(WAITED, Unit::Count, "Requests that had to wait");
    describe_counter!(OPENED, Unit::Count, "Connections that were opened");
    describe_counter!(UNOPENED, Unit::Count, "Rights to open that came to nothing");
    describe_counter!(
        KEPT,
        Unit::Count,
        "Releases by which the pool, or a request that waited, got the connection"
    );
    describe_counter!(
        CLOSED,
        Unit::Count,
        "Connections that were closed, by cause; those found dead at their lease are stale"
    );
    for (name, what) in TIMERS {
        describe_histogram!(name, Unit::Seconds, what);
    }
}

impl<K, C> fmt::Debug for Publisher<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
