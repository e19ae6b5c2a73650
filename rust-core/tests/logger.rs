//! A logger that panics on the library's own threads costs them nothing. A binary of its own, because the logger is the process's.

#![cfg(not(any(loom, shuttle)))]

mod common;

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use leasehold::{Clock, Connection, ManualClock, Pool};

use common::eventually;

struct Logger;

static PANICS: AtomicU32 = AtomicU32::new(0);

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        // The system's name: the standard library knows none of a thread that is not its own.
        if fs::read_to_string("/proc/thread-self/comm")
            .is_ok_and(|name| name.starts_with("leasehold"))
        {
            PANICS.fetch_add(1, Ordering::Relaxed);
            panic!("no room on the disk for: {}", record.args());
        }
    }

    fn flush(&self) {}
}

/// A connection whose close panics, which is logged where it is closed.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("close failed, on purpose");
    }
}

#[test]
fn a_logger_that_panics_ends_neither_the_housekeeper_nor_the_disposer() {
    log::set_logger(&Logger).unwrap();
    log::set_max_level(log::LevelFilter::Debug);
    let clock = ManualClock::new();
    let pool: Pool<u32, Bomb> = Pool::builder()
        .clock(Clock::manual(&clock))
        .evict_expired(true)
        .build();
    for round in 1..=3 {
        let lease = pool.try_lease(&0).unwrap();
        Connection::keep_for(
            lease.or_connect(|| Ok::<_, ()>(Bomb)).unwrap(),
            Duration::from_millis(1),
        );
        clock.advance(1);
        eventually("it is evicted", || pool.counters().expired == round);
        // That it is evicted, that this panicked, and that its close did.
        eventually("all three lines are tried", || {
            u64::from(PANICS.load(Ordering::Relaxed)) >= 3 * round
        });
    }
}
