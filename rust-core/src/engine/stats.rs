//! Reading a pool's numbers, without any lock.
//!
//! Counts are mirrors that the coordinator keeps (I4) and lengths that the stripes keep. They are exact at rest. Whoever knows that a call
//! has returned, because something else has told, reads what it wrote.
//!
//! Race window: they are read one after the other while calls are under way. It is harmless because no number is negative, and the engine
//! decides nothing by them.

use super::counters::Counters;
use super::entry::{NEVER, Status};
use super::id::{Handle, RouteId, StateId};
use super::pool::Engine;
use super::sync::atomic::Ordering::Relaxed;

/// Numbers of connections and requests; exact at rest, never negative under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Stats {
    /// Connections leased or being opened.
    pub leased: u32,
    /// Requests that wait.
    pub pending: u32,
    /// Connections idle, expired ones included until they are noticed.
    pub available: u32,
    /// The limit.
    pub max: u32,
}

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
    /// For how many milliseconds it has been leased or, if that was later, given to be opened or opened; `None` if it is idle.
    pub leased_for: Option<u64>,
    /// In how many milliseconds it expires, 0 if it has; `None` if it does not.
    pub expires_in: Option<u64>,
}

impl Engine {
    /// The pool's numbers. O(stripes).
    pub fn stats(&self) -> Stats {
        let allocated = self.notes.total.load(Relaxed);
        let available = self.stripes.iter().map(|stripe| stripe.len()).sum();
        Stats {
            leased: allocated.saturating_sub(available),
            pending: self.notes.pending.load(Relaxed),
            available,
            max: self.max_total(),
        }
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
            let leased = entry.leased.load(Relaxed);
            infos.push(EntryInfo {
                handle: self.handle(slot, word),
                opening: word.opening(),
                route: entry.route(),
                state: entry.state(),
                used,
                idle_since: (updated != 0).then(|| now.saturating_sub(updated)),
                leased_for: (used != Use::Idle).then(|| now.saturating_sub(leased)),
                expires_in: (expiry != NEVER).then(|| expiry.saturating_sub(now)),
            });
        }
        infos
    }

    /// The oldest lease, rights to open among them, and its age in milliseconds: since it was leased or, if that was later, given to be
    /// opened or opened. `None` where there is none. O(entries), takes no lock.
    pub fn oldest_lease(&self) -> Option<(Handle, u64)> {
        let now = self.clock.now();
        let leased = self.entries.iter().filter_map(|(slot, entry)| {
            let word = entry.word();
            let is_leased = matches!(word.status(), Status::Opening | Status::Leased);
            let age = now.saturating_sub(entry.leased.load(Relaxed));
            is_leased.then(|| (self.handle(slot, word), age))
        });
        leased.max_by_key(|(_, age)| *age)
    }

    /// What the pool has closed since it was made, by cause. O(1), takes no lock.
    pub fn counters(&self) -> Counters {
        self.notes.tally.read()
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use std::sync::{Arc, mpsc};
    use std::thread;
    use std::time::Duration;

    use super::super::{Config, Effects};
    use super::*;

    #[test]
    fn numbers_are_read_while_the_coordinator_is_busy() {
        let engine = Arc::new(Engine::new(Config::default()));
        let route = engine.add_route(&mut Effects::new()).unwrap();
        let _busy = engine.coordinator.lock();
        let (reader, (done, is_done)) = (engine.clone(), mpsc::channel());
        thread::spawn(move || {
            reader.stats();
            reader.counters();
            reader.route_stats(route);
            reader.max_total();
            reader.default_max_per_route();
            done.send(()).unwrap();
        });
        let outcome = is_done.recv_timeout(Duration::from_secs(60));
        assert!(outcome.is_ok(), "a lock is waited for");
    }
}
