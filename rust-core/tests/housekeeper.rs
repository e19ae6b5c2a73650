//! The housekeeper: when it has a thread, what it evicts and whom it times out. One test at a time, because its thread is
//! the process's.

#![cfg(not(any(loom, shuttle)))]

mod common;

use std::fs;
use std::future::Future;
use std::net::TcpStream;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use leasehold::{Builder, Clock, Connection, LeaseError, ManualClock, Pool, Watching};

use common::{LONG, eventually, wait};

fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    // Those of the test before may still be ending. A pool that came first would keep them.
    eventually("no thread is left of before", || threads() == 0);
    turn
}

/// How many threads of ours the process has. The last pool's end waits for them, unless the housekeeper was at work on that
/// very pool: then they end by themselves.
fn threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("comm")));
    names
        .filter(|name| {
            name.as_ref()
                .is_ok_and(|name| name.starts_with("leasehold"))
        })
        .count()
}

fn open<C: Send + 'static>(pool: &Pool<&'static str, C>, new: C) -> Connection<&'static str, C> {
    let lease = pool.try_lease(&"a").unwrap();
    lease.or_connect(|| Ok::<_, ()>(new)).unwrap()
}

fn pool_on(
    clock: &ManualClock,
    settings: impl FnOnce(Builder<&'static str, u32>) -> Builder<&'static str, u32>,
) -> Pool<&'static str, u32> {
    settings(Pool::builder().clock(Clock::manual(clock))).build()
}

#[test]
fn a_pool_that_needs_no_thread_has_none() {
    let _alone = alone();
    let pool: Pool<&str, TcpStream> = Pool::builder().watch(Watching::Probe).build();
    let plain: Pool<&str, u32> = Pool::new();
    Connection::keep(open(&plain, 1));
    let _future = pool.lease_async(&"a");
    // One of the test before may still be ending; none of these pools has one.
    eventually("no thread is there", || threads() == 0);
}

#[test]
fn all_pools_share_one_thread_which_is_gone_with_the_last() {
    let _alone = alone();
    let pools: Vec<Pool<&str, TcpStream>> = (0..10)
        .map(|_| Pool::builder().watch(Watching::Watch).build())
        .collect();
    eventually("it has its name", || threads() == 1);
    drop(pools);
    eventually("no thread is left", || threads() == 0);
}

#[test]
fn the_disposers_thread_is_gone_with_the_last_pool() {
    let _alone = alone();
    let pool: Pool<&str, u32> = Pool::builder().close_aside(true).build();
    Connection::close(open(&pool, 1));
    eventually("both have their names", || threads() == 2);
    drop(pool);
    eventually("no thread is left", || threads() == 0);
}

/// A connection that keeps a pool, and says when that was dropped with it.
struct Owner {
    pool: Option<Pool<&'static str, TcpStream>>,
    dropped: mpsc::Sender<()>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        drop(self.pool.take());
        self.dropped.send(()).unwrap();
    }
}

#[test]
fn a_pool_may_be_dropped_on_a_thread_of_the_librarys_own() {
    let _alone = alone();
    let clock = ManualClock::new();
    let (dropped, drops) = mpsc::channel();
    let outer: Pool<&str, Owner> = Pool::builder()
        .clock(Clock::manual(&clock))
        .evict_expired(true)
        .build();
    let inner = Pool::builder().watch(Watching::Watch).build();
    let owner = Owner {
        pool: Some(inner),
        dropped,
    };
    Connection::keep_for(open(&outer, owner), Duration::from_millis(1));
    clock.advance(1);
    drops.recv_timeout(LONG).unwrap();
    drop(outer);
    eventually("no thread is left", || threads() == 0);
}

#[test]
fn expired_and_long_idle_connections_stay_unless_asked_otherwise() {
    let _alone = alone();
    let clock = ManualClock::new();
    let asked = pool_on(&clock, |settings| settings.evict_expired(true));
    let not_asked = pool_on(&clock, |settings| settings.close_aside(true));
    for pool in [&asked, &not_asked] {
        Connection::keep_for(open(pool, 1), Duration::from_secs(5));
    }
    clock.advance(4_999);
    assert_eq!(asked.stats().available, 1);
    clock.advance(1);
    eventually("it is evicted", || asked.stats().available == 0);
    eventually("it is counted", || asked.counters().expired == 1);
    assert_eq!(not_asked.stats().available, 1);
}

#[test]
fn long_idle_connections_are_evicted_where_asked() {
    let _alone = alone();
    let clock = ManualClock::new();
    let pool = pool_on(&clock, |settings| {
        settings.evict_idle(Duration::from_secs(60))
    });
    let (first, second) = (open(&pool, 1), open(&pool, 2));
    Connection::keep(first);
    clock.advance(30_000);
    Connection::keep(second);
    clock.advance(30_000);
    eventually("the first is evicted", || pool.stats().available == 1);
    eventually("it is counted", || pool.counters().idle == 1);
    clock.advance(30_000);
    eventually("the second is evicted", || pool.stats().available == 0);
}

#[test]
fn eviction_needs_no_lease_on_the_real_clock() {
    let _alone = alone();
    let pool: Pool<&str, u32> = Pool::builder().evict_expired(true).build();
    Connection::keep_for(open(&pool, 1), Duration::from_millis(1));
    eventually("it is evicted", || pool.counters().expired == 1);
}

#[test]
fn an_asynchronous_lease_times_out_at_its_deadline() {
    let _alone = alone();
    let clock = ManualClock::new();
    let pool = pool_on(&clock, |settings| settings.max_total(1));
    let leased = open(&pool, 1);
    let mut future = pin!(
        pool.request(&"a")
            .lease_async_within(Duration::from_millis(500))
    );
    let mut context = Context::from_waker(Waker::noop());
    clock.advance(499);
    assert!(future.as_mut().poll(&mut context).is_pending());
    thread::scope(|threads| {
        let waiter = threads.spawn(|| wait(future));
        clock.advance(1);
        assert!(matches!(
            waiter.join().unwrap(),
            Err(LeaseError::Timeout(_))
        ));
    });
    assert_eq!(pool.stats().pending, 0);
    Connection::keep(leased);
    assert_eq!(pool.stats().available, 1);
}

#[test]
fn a_grant_before_the_deadline_is_used_and_a_dropped_future_loses_none() {
    let _alone = alone();
    let clock = ManualClock::new();
    let pool = pool_on(&clock, |settings| settings.max_total(1));
    let leased = open(&pool, 1);
    let request = || {
        pool.request(&"a")
            .lease_async_within(Duration::from_millis(500))
    };
    let mut context = Context::from_waker(Waker::noop());
    let mut first = Box::pin(request());
    let mut second = pin!(request());
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(second.as_mut().poll(&mut context).is_pending());
    Connection::keep(leased);
    drop(first);
    clock.advance(500);
    assert!(wait(second).is_ok());
}

#[test]
fn an_asynchronous_lease_times_out_on_the_real_clock() {
    let _alone = alone();
    let pool: Pool<&str, u32> = Pool::builder().max_total(1).build();
    let _leased = open(&pool, 1);
    let future = pool
        .request(&"a")
        .lease_async_within(Duration::from_millis(20));
    assert!(matches!(wait(pin!(future)), Err(LeaseError::Timeout(_))));
}

/// A connection whose close panics.
#[derive(Debug)]
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("close failed, on purpose");
    }
}

#[test]
fn closes_that_panic_end_neither_eviction_nor_deadlines() {
    let _alone = alone();
    let clock = ManualClock::new();
    let pool: Pool<&str, Bomb> = Pool::builder()
        .clock(Clock::manual(&clock))
        .evict_expired(true)
        .max_total(2)
        .build();
    for round in 1..=3 {
        // Two in one batch.
        let both = [open(&pool, Bomb), open(&pool, Bomb)];
        for connection in both {
            Connection::keep_for(connection, Duration::from_millis(1));
        }
        clock.advance(1);
        eventually("they are evicted", || pool.counters().expired == 2 * round);
    }
    let leases = [(); 2].map(|()| pool.try_lease(&"a").unwrap());
    let request = pool
        .request(&"a")
        .lease_async_within(Duration::from_millis(1));
    let mut request = pin!(request);
    let mut context = Context::from_waker(Waker::noop());
    assert!(request.as_mut().poll(&mut context).is_pending());
    clock.advance(1);
    assert!(matches!(wait(request), Err(LeaseError::Timeout(_))));
    drop(leases);
}

#[test]
fn a_waker_that_panics_costs_the_others_of_its_moment_nothing() {
    struct Panicking;

    impl Wake for Panicking {
        fn wake(self: Arc<Self>) {
            panic!("wake failed, on purpose");
        }
    }

    struct Telling(mpsc::Sender<()>);

    impl Wake for Telling {
        fn wake(self: Arc<Self>) {
            self.0.send(()).unwrap();
        }
    }

    let _alone = alone();
    let clock = ManualClock::new();
    let pool = pool_on(&clock, |settings| settings.max_total(1).evict_expired(true));
    let leased = open(&pool, 1);
    let (told, tells) = mpsc::channel();
    let wakers = [
        Waker::from(Arc::new(Panicking)),
        Waker::from(Arc::new(Telling(told.clone()))),
        Waker::from(Arc::new(Panicking)),
        Waker::from(Arc::new(Telling(told))),
    ];
    let requests: Vec<_> = wakers
        .iter()
        .map(|waker| {
            let request = pool
                .request(&"a")
                .lease_async_within(Duration::from_millis(1));
            let mut request = Box::pin(request);
            assert!(
                request
                    .as_mut()
                    .poll(&mut Context::from_waker(waker))
                    .is_pending()
            );
            request
        })
        .collect();
    clock.advance(1);
    for _ in 0..2 {
        tells.recv_timeout(LONG).unwrap();
    }
    drop(requests);
    Connection::keep_for(leased, Duration::from_millis(1));
    clock.advance(1);
    eventually("what expires later is evicted", || {
        pool.counters().expired == 1
    });
}

/// A connection whose close waits until the test lets it go.
struct Stubborn(mpsc::Receiver<()>);

impl Drop for Stubborn {
    fn drop(&mut self) {
        let _ = self.0.recv();
    }
}

#[test]
fn what_the_housekeeper_evicts_is_closed_beside_it() {
    let _alone = alone();
    let clock = ManualClock::new();
    let stubborn: Pool<&str, Stubborn> = Pool::builder()
        .clock(Clock::manual(&clock))
        .evict_expired(true)
        .build();
    let (gate, held) = mpsc::channel();
    Connection::keep_for(open(&stubborn, Stubborn(held)), Duration::from_millis(1));
    clock.advance(1);
    eventually("its close hangs", || threads() == 2);
    let pool = pool_on(&clock, |settings| settings.evict_expired(true));
    Connection::keep_for(open(&pool, 1), Duration::from_millis(1));
    clock.advance(1);
    eventually("another pool's is evicted", || pool.counters().expired == 1);
    drop(gate);
}
