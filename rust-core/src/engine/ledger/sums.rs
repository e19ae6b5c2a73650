//! The sums of a pool and of a route: of what the coordinator sees, and of what was counted in entries that are gone.

use crate::engine::effects::Cause;
use crate::engine::entry::Entry;
use crate::engine::sync::atomic::Ordering::Relaxed;

/// The sums of a pool or of a route, for entries that are gone and for what the coordinator sees.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Sums {
    pub(in crate::engine) hits: u64,
    pub(in crate::engine) handed_over: u64,
    pub(in crate::engine) openings: u64,
    pub(in crate::engine) waited: u64,
    pub(in crate::engine) timed_out: u64,
    pub(in crate::engine) cancelled: u64,
    pub(in crate::engine) refused: u64,
    pub(in crate::engine) opened: u64,
    pub(in crate::engine) unopened: u64,
    pub(in crate::engine) stale: u64,
    pub(in crate::engine) leaked: u64,
    /// Connections that went from one who released them to one who waited.
    pub(in crate::engine) passed_on: u64,
    /// Connections that were idle and went otherwise than by a hit.
    pub(in crate::engine) taken_unused: u64,
    /// By the number of the cause.
    pub(in crate::engine) closed: [u64; 8],
}

impl Sums {
    /// Adds what an entry has counted, and whether its connection is idle, or was when it went.
    pub(in crate::engine) fn add(&mut self, entry: &Entry, is_idle: bool) {
        self.hits += entry.hits.load(Relaxed);
        self.opened += entry.opened.load(Relaxed);
        self.stale += entry.stale.load(Relaxed);
        self.taken_unused += u64::from(is_idle);
    }

    /// Takes over what an entry has counted that goes: why its connection does, `None` where none was opened, and whether nobody has used
    /// that since it became idle. The caller holds the coordinator, and the entry is nobody else's.
    pub(in crate::engine) fn fold(&mut self, entry: &Entry, cause: Option<Cause>, was_idle: bool) {
        self.add(entry, was_idle);
        match cause {
            Some(cause) => self.closed[cause as usize] += 1,
            None => self.unopened += 1,
        }
    }
}
