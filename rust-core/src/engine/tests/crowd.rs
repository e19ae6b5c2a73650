//! A crowd of threads on a small pool: everything that can be done to it, at random and at once.
//!
//! Under shuttle a few threads run under many random schedules; else there are more threads than processors, for a
//! while. At the end nothing may be lost, leased twice or beyond a limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::super::thread::pretend_thread;
use super::super::{Config, Keep, RouteId, ShutdownMode, StateId};
use super::audit::audit_counts;
use super::harness::{Left, Pool, thread};

/// What is done to a pool, by how many.
#[derive(Clone, Copy)]
struct Crowd {
    threads: u32,
    /// How many things each thread does.
    turns: u32,
    routes: usize,
    max_total: u32,
    max_per_route: u32,
    barging: bool,
    /// Limits change on the way.
    changes_limits: bool,
    /// The pool is suspended and resumed on the way.
    suspends: bool,
    /// Somebody shuts the pool down before the others are done.
    shuts_down: bool,
}

const CROWD: Crowd = Crowd {
    threads: 4,
    turns: 4,
    routes: 2,
    max_total: 2,
    max_per_route: 2,
    barging: false,
    changes_limits: false,
    suspends: false,
    shuts_down: false,
};

#[cfg(shuttle)]
fn random() -> u64 {
    use shuttle::rand::{RngCore, thread_rng};
    thread_rng().next_u64()
}

#[cfg(not(shuttle))]
fn random() -> u64 {
    use std::cell::Cell;
    use std::collections::hash_map::RandomState;
    use std::hash::{BuildHasher, Hasher};
    // Schedules differ from run to run anyway.
    thread_local! {
        static STATE: Cell<u64> = Cell::new(RandomState::new().build_hasher().finish() | 1);
    }
    STATE.with(|state| {
        let mut x = state.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        state.set(x);
        x
    })
}

fn below(bound: u64) -> u64 {
    random() % bound
}

fn gather(crowd: Crowd) {
    let pool = Arc::new(Pool::new(|config: &mut Config| {
        config.stripes = Some(4);
        config.max_total = crowd.max_total;
        config.max_per_route = crowd.max_per_route;
        config.barging = crowd.barging;
    }));
    let routes: Vec<RouteId> = (0..crowd.routes).map(|_| pool.add_route()).collect();
    for route in &routes {
        pool.spread(*route);
    }
    let working = Arc::new(AtomicU32::new(crowd.threads));
    let threads: Vec<_> = (0..crowd.threads)
        .map(|number| {
            let (pool, routes, working) = (pool.clone(), routes.clone(), working.clone());
            thread::spawn(move || {
                pretend_thread(number);
                for turn in 0..crowd.turns {
                    if crowd.shuts_down && number == 0 && turn == crowd.turns / 2 {
                        pool.shut_down(if below(2) == 0 {
                            ShutdownMode::Graceful
                        } else {
                            ShutdownMode::Immediate
                        });
                    }
                    take_a_turn(&pool, &routes, crowd);
                }
                working.fetch_sub(1, Ordering::Relaxed);
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(working.load(Ordering::Relaxed), 0);
    pool.finish(routes[0], Vec::new());
}

fn take_a_turn(pool: &Pool, routes: &[RouteId], crowd: Crowd) {
    let route = routes[below(routes.len() as u64) as usize];
    match below(18) {
        0 if crowd.changes_limits => {
            // Never nothing: a waiter could not be served any more.
            let max = 1 + below(u64::from(crowd.max_total) + 1) as u32;
            pool.with_effects(|fx| pool.engine.set_max_total(max, fx));
        }
        1 if crowd.changes_limits => {
            let max = (below(2) == 0).then(|| 1 + below(u64::from(crowd.max_per_route) + 1) as u32);
            let _ = pool.with_effects(|fx| pool.engine.set_max_per_route(route, max, fx));
        }
        2 => {
            let _ = pool.with_effects(|fx| pool.engine.clear_route(route, fx));
        }
        3 => pool.with_effects(|fx| pool.engine.close_expired(fx)),
        4 => pool.with_effects(|fx| pool.engine.close_idle(below(20), fx)),
        5 => pool.clock.advance(below(20)),
        6 | 7 => give_up(pool, route),
        9 => pool.look_at_what_is_idle(),
        10 if crowd.suspends => {
            pool.suspend();
            thread::yield_now();
            pool.resume();
        }
        8 => pool.with_effects(|fx| pool.engine.close_idle_beyond(route, below(3) as u32, fx)),
        _ => {
            if let Some(handle) = pool.wait_for(route) {
                use_lease(pool, handle, crowd);
            }
        }
    }
    let limits = (!crowd.changes_limits).then_some((crowd.max_total, crowd.max_per_route));
    audit_counts(&pool.engine, limits);
}

/// Waits for a moment and no longer; a grant that came is used or given back.
fn give_up(pool: &Pool, route: RouteId) {
    let state = StateId(below(2) as u32);
    match pool.lease_for(route, state) {
        Left::Lease(handle) => pool.release(handle),
        Left::Ticket(ticket) if below(2) == 0 => {
            thread::yield_now();
            pool.drop_ticket(ticket);
        }
        Left::Ticket(ticket) => {
            thread::yield_now();
            if let Left::Lease(handle) = pool.time_out(ticket) {
                pool.release(handle);
            }
        }
        Left::Nothing => {}
    }
}

fn use_lease(pool: &Pool, handle: super::super::Handle, crowd: Crowd) {
    if below(4) == 0 {
        thread::yield_now();
    }
    match below(12) {
        0 => pool.discard(handle),
        1 => pool.release_for(handle, Keep::For(below(10))),
        2 => pool.release_bound(handle, StateId(1)),
        3 => {
            // Found dead, and opened anew.
            let is_open = pool.engine.reopen(handle).is_ok() && pool.open(handle);
            if is_open {
                pool.release(handle);
            } else {
                assert!(crowd.shuts_down, "{handle:?} was lost");
            }
        }
        4 => {
            if let Ok(opening) = pool.engine.opening(handle) {
                pool.with_effects(|fx| pool.engine.peer_closed(handle.slot(), opening, fx));
            }
            pool.release(handle);
        }
        _ => pool.release(handle),
    }
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
    a_crowd_on_one_route: Crowd { routes: 1, ..CROWD };
    a_crowd_on_two_routes: CROWD;
    a_crowd_on_a_full_total: Crowd { routes: 3, max_total: 2, max_per_route: 1, ..CROWD };
    a_crowd_while_limits_change: Crowd { changes_limits: true, ..CROWD };
    a_crowd_that_overtakes: Crowd { barging: true, ..CROWD };
    a_crowd_that_overtakes_while_limits_change: Crowd { barging: true, changes_limits: true, ..CROWD };
    a_crowd_that_is_suspended: Crowd { suspends: true, changes_limits: true, ..CROWD };
    a_crowd_that_overtakes_and_is_suspended: Crowd { barging: true, suspends: true, ..CROWD };
    a_crowd_during_a_shutdown: Crowd { shuts_down: true, ..CROWD };
    a_crowd_that_is_suspended_during_a_shutdown: Crowd { suspends: true, shuts_down: true, ..CROWD };
    a_crowd_that_overtakes_during_a_shutdown: Crowd { barging: true, shuts_down: true, ..CROWD };
}

/// `SHUTTLE_ITERATIONS` schedules of each kind, else a thousand.
#[cfg(shuttle)]
fn run(crowd: Crowd) {
    let iterations = std::env::var("SHUTTLE_ITERATIONS");
    let iterations = iterations.map_or(1000, |text| text.parse().expect("a number"));
    shuttle::check_random(move || gather(crowd), iterations);
    shuttle::check_pct(move || gather(crowd), iterations, 3);
}

/// Once with many more threads than processors; `LEASEHOLD_CROWD_TURNS` says how long.
#[cfg(not(shuttle))]
fn run(crowd: Crowd) {
    let turns = std::env::var("LEASEHOLD_CROWD_TURNS");
    let default = if cfg!(debug_assertions) {
        2_000
    } else {
        20_000
    };
    let turns = turns.map_or(default, |text| text.parse().expect("a number"));
    gather(Crowd {
        threads: 10,
        turns,
        max_total: crowd.max_total + 1,
        ..crowd
    });
}
