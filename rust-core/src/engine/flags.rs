//! The pool's flags: what sends every hit of the pool to the coordinator, or has its release measured.
//!
//! Each lease and release reads them, inside its stripe's lock: "flag, then sweep". So they lie on cache lines of their own, and a step
//! that changes nothing does not write them: a write would take the line from every processor that leases.

use super::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A waiter could be served but for the total limit.
pub(super) const STARVED: u32 = 1;
/// More entries than the total limit allows.
pub(super) const OVER_TOTAL: u32 = 2;
/// Shut down.
pub(super) const SHUT: u32 = 4;
/// What is idle is being put in order.
pub(super) const REORDERING: u32 = 8;
/// How long connections are held is measured: the one flag that sends nothing to the coordinator.
pub(super) const MEASURED: u32 = 16;
/// Suspended, or still being resumed.
pub(super) const SUSPENDED: u32 = 32;

#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Flags {
    // ----- written under the coordinator: a load and a store do, as there is one writer at a time -----
    raised: AtomicU32,
    /// How often they were written.
    #[cfg(test)]
    writes: std::sync::atomic::AtomicU32,
}

impl Flags {
    /// All that are raised.
    #[inline]
    pub(super) fn raised(&self) -> u32 {
        self.raised.load(Relaxed)
    }

    /// Whether one is that sends hits to the coordinator.
    #[inline]
    pub(super) fn keep_hits_off(&self) -> bool {
        self.raised() & !MEASURED != 0
    }

    #[inline]
    pub(super) fn is_raised(&self, flag: u32) -> bool {
        self.raised() & flag != 0
    }

    /// The caller holds the coordinator.
    pub(super) fn raise(&self, flag: u32) {
        self.change_to(self.raised() | flag);
    }

    /// The caller holds the coordinator.
    pub(super) fn lower(&self, flag: u32) {
        self.change_to(self.raised() & !flag);
    }

    fn change_to(&self, raised: u32) {
        if raised == self.raised() {
            return;
        }
        self.raised.store(raised, Relaxed);
        #[cfg(test)]
        self.writes.fetch_add(1, Relaxed);
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::super::{Config, Effects, Engine, Grant, Outcome, StateId, Verdict};
    use super::*;

    #[test]
    fn a_step_that_changes_no_flag_writes_none() {
        let engine = Engine::new(Config::default());
        let mut effects = Effects::new();
        let route = engine.add_route(&mut effects).unwrap();
        let leased = engine.lease(route, StateId::NONE, None, &mut effects);
        let Ok(Outcome::Granted(Grant::Open(handle))) = leased else {
            panic!("there are no limits");
        };
        engine
            .release(handle, Verdict::Close, StateId::NONE, &mut effects)
            .unwrap();
        engine.close_expired(&mut effects);
        engine.set_max_total(10, &mut effects);
        assert_eq!(engine.flags.writes.load(Relaxed), 0);
    }
}
