//! A pool that sees ever new hosts keeps nothing of those it has done with.

#![cfg(not(any(loom, shuttle)))]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use leasehold::{Connection, Lease, Pool};

/// How many hosts are seen: all that is promised where `./dev model` runs this, optimized.
const HOSTS: u64 = if cfg!(debug_assertions) {
    100_000
} else {
    10_000_000
};

/// A key that is counted while anything holds a copy of it.
#[derive(PartialEq, Eq, Hash)]
struct Host(u64, Counted);

struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Counted(count.clone())
    }
}

impl Clone for Host {
    fn clone(&self) -> Self {
        Host(self.0, Counted::new(&self.1.0))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl PartialEq for Counted {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Counted {}

impl std::hash::Hash for Counted {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

#[test]
fn hosts_seen_once_leave_nothing_behind() {
    let copies = Arc::new(AtomicUsize::new(0));
    let pool: Pool<Host, u64> = Pool::builder().max_total(8).build();
    let mut most = 0;
    for number in 0..HOSTS {
        let host = Host(number, Counted::new(&copies));
        let Lease::Vacancy(vacancy) = pool.try_lease(&host).unwrap() else {
            panic!("nobody has been there yet");
        };
        let connection = vacancy.fill(number);
        // One in three closes, the others are evicted in their time.
        if number % 3 == 0 {
            Connection::close(connection);
        } else {
            Connection::keep(connection);
        }
        drop(host);
        most = most.max(copies.load(Ordering::Relaxed));
    }
    assert!(most < 200, "{most} hosts were remembered at once");
    assert!(pool.entries().len() <= 8);
    drop(pool);
    assert_eq!(copies.load(Ordering::Relaxed), 0);
}

/// What is set for a host outlives everything else that is known of it.
#[test]
fn limits_of_a_host_stay() {
    let pool: Pool<u64, u64> = Pool::builder().build();
    pool.set_max_of(&7, Some(1)).unwrap();
    for number in 1000..3000 {
        drop(pool.try_lease(&number).unwrap());
    }
    assert_eq!(pool.stats_of(&7).max, 1);
    let held = pool.try_lease(&7).unwrap();
    assert!(pool.try_lease(&7).is_err());
    drop(held);
}
