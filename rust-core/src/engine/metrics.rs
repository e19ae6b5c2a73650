//! What has become of a pool's requests and connections since it was made: kept in sums under the coordinator, and in the entries.
//!
//! What happens at each lease is counted in the entry alone, by who leases it: nothing shared is written for it. When an entry goes, its
//! counts are folded into the sums of its route and of the pool, under the coordinator. Who reads takes the coordinator, so that nothing is
//! folded meanwhile, and adds the entries that are there.
//!
//! A connection that a hit makes idle is not counted either. It is counted as kept all the same: each time that it was idle either is not
//! over, or has ended with a hit, or has ended without one, and that was seen by the coordinator.

use super::counters::Counters;
use super::effects::Cause;
use super::entry::{Entry, Status};
use super::histogram::Histogram;
use super::id::{Handle, RouteId, Slot};
use super::ledger::Sums;
use super::outcome::Refusal;
use super::pool::Engine;
use super::sync::atomic::Ordering::Relaxed;
use super::timers::Timers;

/// What has become of a pool's or a route's requests and connections. Numbers only grow, those of a route as long as it lives; they are
/// exact at rest. Times are measured for pools alone: a route's histograms are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Requests that were served with a connection that lay idle.
    pub hits: u64,
    /// Requests that were served with a connection that another had just released: they waited for it.
    pub handed_over: u64,
    /// Requests that were served with the right to open a connection.
    pub openings: u64,
    /// Requests that had to wait, however that ended.
    pub waited: u64,
    /// Of those that waited: whose time was up first.
    pub timed_out: u64,
    /// Of those that waited: that were taken back first.
    pub cancelled: u64,
    /// Requests that were refused because as many waited as the pool allows, and those that the pool's shutdown found waiting.
    pub refused: u64,
    /// Connections that were opened, those in the place of one that was found dead included.
    pub opened: u64,
    /// Rights to open that came to nothing: the opening failed, or was given up.
    pub unopened: u64,
    /// Releases by which the pool, or a request that waited, got the connection.
    pub kept: u64,
    /// Connections that were closed because their lease asked for it.
    pub closed_by_lease: u64,
    /// Connections that were closed because the pool was shut down.
    pub closed_by_shutdown: u64,
    /// Connections that the pool has closed of its own accord, by cause, and those that only the look at the lease found dead.
    pub closed: Counters,
    /// How long requests waited that wait no more, however that ended: from when they were queued to when they were answered or gave up.
    /// That a thread was woken is not in it. To the microsecond.
    pub waiting: Histogram,
    /// How long connections took to be opened: from when a request was given the right to, or a dead connection was found in its place, to
    /// when the connection was handed to the pool. An opening that came to nothing is not in it. To the microsecond.
    pub opening: Histogram,
    /// How long connections were held whose leases have ended, each since it was leased or, if that was later, opened. Where
    /// [asked for](crate::Pool::measure_held) alone. By the system's coarse clock: each is off by a tick of it at most, which is 1 to 10
    /// milliseconds, so that a lease that is shorter is told as 0 or a tick long. The mean of many is right where they do not begin in step
    /// with that clock.
    pub held: Histogram,
    /// Leases that were lost without having been ended, where a face can tell. This crate's ends with its guard.
    #[doc(hidden)]
    pub leaked: u64,
}

impl Metrics {
    /// All requests that were served: [`hits`](Self::hits), [`handed_over`](Self::handed_over) and [`openings`](Self::openings). One that
    /// stands by while it opens counts again for a connection that it gets instead.
    pub fn leases(&self) -> u64 {
        self.hits + self.handed_over + self.openings
    }
}

impl Metrics {
    fn of(sums: &Sums, timers: Timers) -> Metrics {
        let closed = |cause: Cause| sums.closed[cause as usize];
        Metrics {
            hits: sums.hits,
            handed_over: sums.handed_over,
            openings: sums.openings,
            waited: sums.waited,
            timed_out: sums.timed_out,
            cancelled: sums.cancelled,
            refused: sums.refused,
            opened: sums.opened,
            unopened: sums.unopened,
            kept: sums.passed_on + sums.hits + sums.taken_unused,
            closed_by_lease: closed(Cause::Requested),
            closed_by_shutdown: closed(Cause::ShutDown),
            closed: Counters {
                closed_by_peer: closed(Cause::PeerClosed),
                stale: sums.stale,
                expired: closed(Cause::Expired),
                idle: closed(Cause::Idle),
                evicted: closed(Cause::Evicted),
                over_limit: closed(Cause::OverLimit),
                cleared: closed(Cause::Cleared),
            },
            waiting: timers.waiting,
            opening: timers.opening,
            held: timers.held,
            leaked: sums.leaked,
        }
    }
}

impl Engine {
    /// What has become of the pool's requests and connections. O(entries); holds the coordinator, so nobody waits, opens or closes
    /// meanwhile, but hits go on.
    pub fn metrics(&self) -> Metrics {
        let coordinator = self.coordinator.lock();
        let mut sums = coordinator.sums.clone();
        for (_, entry) in self.entries.iter() {
            self.add_to(&mut sums, entry, |_| true);
        }
        Metrics::of(&sums, self.timers(&coordinator))
    }

    /// The same of one route since it came to be known: one that was out of use for long begins anew.
    /// [`Refusal::StaleRoute`] where it was reclaimed, or is another pool's. As [`metrics`](Self::metrics).
    pub fn route_metrics(&self, id: RouteId) -> Result<Metrics, Refusal> {
        let coordinator = self.coordinator.lock();
        let route = self.routes.get(id.slot()).filter(|route| route.is(id));
        route.ok_or(Refusal::StaleRoute)?;
        let mut sums = coordinator.routes[id.slot()].sums.clone();
        for (_, entry) in self.entries.iter() {
            self.add_to(&mut sums, entry, |route| route == id);
        }
        Ok(Metrics::of(&sums, Timers::default()))
    }

    /// Adds what an entry has counted that is there. The caller holds the coordinator, so it stays there.
    fn add_to(&self, sums: &mut Sums, entry: &Entry, is_wanted: impl Fn(RouteId) -> bool) {
        loop {
            let word = entry.word();
            match word.status() {
                Status::Free | Status::Victim => return,
                _ if !is_wanted(entry.route()) => return,
                Status::Idle => {
                    // It counts as kept as long as it is idle, and as a hit from the moment at which it is not.
                    let _stripe = self.lock_stripe(word.stripe());
                    if entry.word() == word {
                        return sums.add(entry, true);
                    }
                }
                // Its hits were written before its word, and are so again only after it was idle.
                Status::Leased | Status::Opening => {
                    return sums.add(entry, entry.is_looked_at(word.lease()));
                }
            }
        }
    }

    /// How often the slot's entry has gone to a request that found a connection in it, since a request was given the right to open one.
    /// For whoever holds its lease, or has been handed it as a victim and has not [acknowledged](Self::ack) it yet: the counts are nobody
    /// else's meanwhile. 0 for a slot that the pool does not have. O(1), takes no lock.
    pub fn uses(&self, slot: Slot) -> u64 {
        self.entries.get(slot).map_or(0, |entry| {
            entry.hits.load(Relaxed) + u64::from(entry.passed_on.load(Relaxed))
        })
    }

    /// Counts a connection of no use to whoever has leased it: a face's look at it has found that out. The lease goes on; the connection is
    /// to be opened anew or to be closed. Does nothing where the handle is another pool's. O(1), takes no lock.
    pub fn note_stale(&self, handle: Handle) {
        self.notes.tally.count_stale();
        if let Some(entry) = self.entry_of(handle) {
            // Race window: a lease that is ended on another thread meanwhile may have this counted for the next, or not at all. It is
            // harmless because nothing follows from the number.
            entry.stale.store(entry.stale.load(Relaxed) + 1, Relaxed);
        }
    }
}
