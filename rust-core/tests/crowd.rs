//! A crowd on a `Pool`: leases, timeouts, dropped futures, changing limits and shutdown at once, on keys that come and
//! go. Nothing may be lost, leased twice, or left open.
//!
//! With real threads, many turns; built with `--cfg shuttle`, few under many random schedules.

#![cfg(not(loom))]

#[cfg(not(shuttle))]
mod common;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use leasehold::{Connection, Lease, LeaseError, Pool, State};

#[cfg(shuttle)]
use shuttle::{future::block_on, thread};
#[cfg(not(shuttle))]
use {
    common::{LONG, wait},
    std::thread,
};

/// A connection that notices when two use it, and that is counted while it is open.
struct Wire {
    is_used: AtomicBool,
    open: Arc<AtomicIsize>,
}

impl Wire {
    fn new(open: &Arc<AtomicIsize>) -> Self {
        open.fetch_add(1, Ordering::SeqCst);
        Wire {
            is_used: AtomicBool::new(false),
            open: open.clone(),
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

type Wires = Pool<u64, Wire>;

#[derive(Clone, Copy)]
struct Crowd {
    threads: u64,
    turns: u64,
    keys: u64,
    max_total: u32,
    barging: bool,
    changes_limits: bool,
    shuts_down: bool,
}

const CROWD: Crowd = Crowd {
    threads: 3,
    turns: 4,
    keys: 2,
    max_total: 2,
    barging: false,
    changes_limits: false,
    shuts_down: false,
};

fn gather(crowd: Crowd) {
    let pool: Wires = Pool::builder()
        .max_total(crowd.max_total)
        .max_per_route(2)
        .barging(crowd.barging)
        .build();
    let open = Arc::new(AtomicIsize::new(0));
    let threads: Vec<_> = (0..crowd.threads)
        .map(|number| {
            let (pool, open) = (pool.clone(), open.clone());
            thread::spawn(move || {
                for turn in 0..crowd.turns {
                    if crowd.shuts_down && number == 0 && turn == crowd.turns / 2 {
                        pool.shutdown();
                    }
                    take_a_turn(&pool, &open, crowd);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let stats = pool.stats();
    assert_eq!((stats.leased, stats.pending), (0, 0));
    assert_eq!(open.load(Ordering::SeqCst), stats.available as isize);
    assert!(stats.available <= stats.max);
    drop(pool);
    assert_eq!(open.load(Ordering::SeqCst), 0);
}

fn take_a_turn(pool: &Wires, open: &Arc<AtomicIsize>, crowd: Crowd) {
    let key = below(crowd.keys);
    let state = State::new("alice");
    match below(16) {
        0 if crowd.changes_limits => pool.set_max_total(1 + below(4) as u32),
        1 if crowd.changes_limits => pool.set_max_per_route(1 + below(3) as u32),
        2 => pool.clear(&key),
        3 => pool.close_idle(Duration::ZERO),
        4 => pool.close_expired(),
        5 | 6 => give_up(pool, open, key),
        7 => finish(pool.try_lease(&key), open, crowd),
        8 => finish(
            wait_for(pool.request(&key).bound_to(&state).lease_async()),
            open,
            crowd,
        ),
        9..12 => finish(wait_for(pool.lease_async(&key)), open, crowd),
        _ => finish(lease(pool, &key), open, crowd),
    }
}

/// Looks at a request's future once and drops it: whatever it was granted goes to somebody else.
fn give_up(pool: &Wires, open: &Arc<AtomicIsize>, key: u64) {
    let mut future = pin!(pool.lease_async(&key));
    let mut context = Context::from_waker(Waker::noop());
    if let Poll::Ready(Ok(lease)) = future.as_mut().poll(&mut context) {
        Connection::keep(fill(lease, open));
        return;
    }
    thread::yield_now();
}

fn fill(lease: Lease<u64, Wire>, open: &Arc<AtomicIsize>) -> Connection<u64, Wire> {
    match lease {
        Lease::Connection(connection) => connection,
        Lease::Vacancy(vacancy) => vacancy.fill(Wire::new(open)),
    }
}

fn finish(outcome: Result<Lease<u64, Wire>, LeaseError>, open: &Arc<AtomicIsize>, crowd: Crowd) {
    let lease = match outcome {
        Ok(lease) => lease,
        Err(LeaseError::ShutDown) if crowd.shuts_down => return,
        Err(LeaseError::Exhausted) => return,
        Err(other) => panic!("{other}"),
    };
    if below(8) == 0 {
        // Connecting fails, say.
        drop(lease);
        return;
    }
    let mut connection = fill(lease, open);
    let was_used = connection.is_used.swap(true, Ordering::SeqCst);
    assert!(!was_used, "a connection is leased twice");
    if below(4) == 0 {
        thread::yield_now();
    }
    connection.is_used.store(false, Ordering::SeqCst);
    match below(8) {
        0 => Connection::close(connection),
        1 => Connection::keep_for(connection, Duration::from_millis(below(3))),
        2 => {
            Connection::bind(&mut connection, Some(&State::new("alice")));
            Connection::keep(connection);
        }
        _ => Connection::keep(connection),
    }
}

#[cfg(shuttle)]
fn wait_for<T>(future: impl Future<Output = T>) -> T {
    block_on(future)
}

/// Blocking leases park a real thread, which shuttle could not wake.
#[cfg(shuttle)]
fn lease(pool: &Wires, key: &u64) -> Result<Lease<u64, Wire>, LeaseError> {
    wait_for(pool.lease_async(key))
}

#[cfg(shuttle)]
fn below(bound: u64) -> u64 {
    use shuttle::rand::{RngCore, thread_rng};
    thread_rng().next_u64() % bound
}

#[cfg(shuttle)]
fn run(crowd: Crowd) {
    let iterations = std::env::var("SHUTTLE_ITERATIONS");
    let iterations = iterations.map_or(1000, |text| text.parse().expect("a number"));
    shuttle::check_random(move || gather(crowd), iterations);
    shuttle::check_pct(move || gather(crowd), iterations, 3);
}

#[cfg(not(shuttle))]
fn wait_for<T>(future: impl Future<Output = T>) -> T {
    wait(pin!(future))
}

#[cfg(not(shuttle))]
fn lease(pool: &Wires, key: &u64) -> Result<Lease<u64, Wire>, LeaseError> {
    if below(4) > 0 {
        return pool.lease(key, LONG);
    }
    match pool.lease(key, Duration::from_micros(below(50))) {
        Err(LeaseError::Timeout(_)) => Err(LeaseError::Exhausted),
        outcome => outcome,
    }
}

#[cfg(not(shuttle))]
fn below(bound: u64) -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    // Schedules differ from run to run anyway.
    RandomState::new().build_hasher().finish() % bound
}

#[cfg(not(shuttle))]
fn run(crowd: Crowd) {
    gather(Crowd {
        threads: 8,
        turns: if cfg!(debug_assertions) {
            2_000
        } else {
            20_000
        },
        max_total: crowd.max_total + 1,
        ..crowd
    });
}

macro_rules! crowds {
    ($($name:ident: $crowd:expr;)*) => {
        $(
            #[test]
            fn $name() {
                run($crowd);
            }
        )*
    };
}

crowds! {
    a_crowd_on_one_key: Crowd { keys: 1, ..CROWD };
    a_crowd_on_a_full_total: Crowd { keys: 4, ..CROWD };
    a_crowd_on_keys_that_come_and_go: Crowd { keys: 1000, ..CROWD };
    a_crowd_while_limits_change: Crowd { changes_limits: true, ..CROWD };
    a_crowd_that_overtakes: Crowd { barging: true, changes_limits: true, ..CROWD };
    a_crowd_during_a_shutdown: Crowd { shuts_down: true, ..CROWD };
}
