//! Reading a pool's numbers, without any lock.
//!
//! Counts are mirrors that the coordinator keeps and lengths that the stripes keep, read one after the other: exact
//! at rest, plausible under way.

use super::Engine;
use super::counters::Counters;
use super::entry::{NEVER, Status};
use super::id::{Handle, RouteId, StateId};
use super::outcome::Stats;
use super::sync::atomic::Ordering::Relaxed;

/// What an entry is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Somebody opens it.
    Opening,
    /// Leased.
    Leased,
    /// Idle.
    Idle,
}

/// One entry as it was when it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryInfo {
    /// Its slot, and the lease it is in or, when idle, was last in.
    pub handle: Handle,
    /// Which opening of its slot it is: what [`peer_closed`](super::Engine::peer_closed) wants to know.
    pub opening: u16,
    /// What it goes to.
    pub route: RouteId,
    /// Who it is bound to.
    pub state: StateId,
    /// What it is doing.
    pub used: Use,
    /// How many milliseconds ago it last became idle; `None` if it never was.
    pub idle_since: Option<u64>,
    /// In how many milliseconds it expires, 0 if it has; `None` if it does not.
    pub expires_in: Option<u64>,
}

impl Engine {
    /// The pool's numbers. O(stripes).
    pub fn stats(&self) -> Stats {
        let allocated = self.total.load(Relaxed);
        let available = self.stripes.iter().map(|stripe| stripe.len()).sum();
        Stats {
            leased: allocated.saturating_sub(available),
            pending: self.pending.load(Relaxed),
            available,
            max: self.max_total(),
        }
    }

    /// What the pool has closed since it was made, by cause. O(1).
    pub fn counters(&self) -> Counters {
        self.tally.read()
    }

    /// Counts a connection whose peer had closed it unnoticed: a face has leased it, and its look at the socket found out.
    /// The lease goes on; it is to be opened anew or to be closed. O(1), takes no lock.
    pub fn note_stale(&self, handle: Handle) {
        self.tally.count_stale();
        log::debug!(
            "pool {}: connection {} was leased stale: its peer had closed it unnoticed",
            self.tag,
            handle.slot()
        );
    }

    /// One route's numbers; `None` if the route is not alive. O(stripes).
    pub fn route_stats(&self, id: RouteId) -> Option<Stats> {
        let route = self.routes.get(id.slot()).filter(|route| route.is(id))?;
        let allocated = route.allocated.load(Relaxed);
        let available = self
            .stripes
            .iter()
            .map(|stripe| stripe.len_of(id.slot()))
            .sum();
        Some(Stats {
            leased: allocated.saturating_sub(available),
            pending: route.pending.load(Relaxed),
            available,
            max: route.max.load(Relaxed),
        })
    }

    /// The routes that are alive, in no order: those with entries or waiters, with a limit of their own, or not
    /// reclaimed yet. O(routes).
    pub fn routes(&self) -> Vec<RouteId> {
        self.routes
            .iter()
            .filter_map(|(_, route)| route.id())
            .collect()
    }

    /// Every entry, in order of slot. An entry that moves meanwhile is listed once, as it was when it was looked at.
    /// O(entries).
    pub fn entries(&self) -> Vec<EntryInfo> {
        let now = self.clock.now();
        let mut infos = Vec::new();
        for (slot, entry) in self.entries.iter() {
            let word = entry.word();
            let used = match word.status() {
                Status::Opening => Use::Opening,
                Status::Leased => Use::Leased,
                Status::Idle => Use::Idle,
                Status::Free | Status::Victim => continue,
            };
            let (updated, expiry) = (entry.updated.load(Relaxed), entry.expiry.load(Relaxed));
            infos.push(EntryInfo {
                handle: self.handle(slot, word),
                opening: word.opening(),
                route: entry.route(),
                state: entry.state(),
                used,
                idle_since: (updated != 0).then(|| now.saturating_sub(updated)),
                expires_in: (expiry != NEVER).then(|| expiry.saturating_sub(now)),
            });
        }
        infos
    }
}
