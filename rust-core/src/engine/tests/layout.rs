//! Where a pool's fields lie in memory: a step under the coordinator takes no cache line from those who lease and release meanwhile.

use std::collections::BTreeSet;

use super::super::{Config, Engine};

/// As short as a line is on any processor that is served.
const LINE: usize = 64;

fn lines<T>(field: &T) -> BTreeSet<usize> {
    let first = std::ptr::from_ref(field) as usize;
    (first / LINE..=(first + size_of::<T>() - 1) / LINE).collect()
}

#[test]
fn what_a_step_writes_lies_on_no_line_that_a_hit_reads() {
    let engine = Engine::new(Config::default());
    let read = [
        lines(&engine.tag),
        lines(&engine.clock),
        lines(&engine.fifo),
        lines(&engine.flags_against_hits),
        lines(&engine.flags),
        lines(&engine.stripes),
        lines(&engine.entries),
        lines(&engine.routes),
        lines(&engine.wide),
    ];
    let written = [lines(&engine.coordinator.0), lines(&engine.notes.0)];
    let read: BTreeSet<usize> = read.into_iter().flatten().collect();
    let written: BTreeSet<usize> = written.into_iter().flatten().collect();
    let shared: Vec<&usize> = read.intersection(&written).collect();
    assert!(shared.is_empty(), "{shared:?}");
}
