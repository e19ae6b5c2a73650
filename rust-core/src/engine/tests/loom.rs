//! Every interleaving, up to a bound on preemptions, of two or three calls on a small pool.
//!
//! Each scenario ends by releasing what is still leased: every waiter must be served by that, every connection
//! accounted for, and the pool's insides in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ::loom::model::Builder;

use super::super::coordinator::order::CALM;
use super::super::thread::pretend_thread;
use super::super::{
    Cause, Config, Handle, Hit, Keep, Refusal, RouteId, ShutdownMode, StateId, Ticket, Verdict,
};
use super::harness::{Left, Pool, thread};

/// `LOOM_MAX_PREEMPTIONS` sets the bound, else it is two.
fn explore(scenario: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound.get_or_insert(2);
    builder.max_branches = 100_000;
    let explored = Arc::new(AtomicU64::new(0));
    let counter = explored.clone();
    builder.check(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        scenario();
    });
    println!("{} interleavings", explored.load(Ordering::Relaxed));
}

type Act = Box<dyn FnOnce(&Pool) -> Left + Send>;

/// Does each act on a thread of its own, the last on this one, and finishes the pool with what they leave.
fn race(pool: Pool, route: RouteId, mut left: Vec<Left>, acts: Vec<Act>) {
    let pool = Arc::new(pool);
    left.extend(run(&pool, acts));
    pool.finish(route, left);
}

/// The same where nothing has to be closed: not even to serve a waiter that should have had what was there.
fn race_closing_nothing(pool: Pool, route: RouteId, acts: Vec<Act>) {
    let pool = Arc::new(pool);
    let left = run(&pool, acts);
    assert_eq!(pool.closed(), 0, "a connection was closed for nothing");
    pool.finish(route, left);
}

/// The same where the one connection there is has to be closed, whichever act comes first.
fn race_closing_one(pool: Pool, route: RouteId, acts: Vec<Act>) {
    let pool = Arc::new(pool);
    let left = run(&pool, acts);
    assert_eq!(pool.closed(), 1, "it is still there");
    pool.finish(route, left);
}

fn run(pool: &Arc<Pool>, mut acts: Vec<Act>) -> Vec<Left> {
    let last = acts.pop().expect("somebody does something");
    let threads: Vec<_> = (1..)
        .zip(acts)
        .map(|(number, act)| {
            let pool = pool.clone();
            thread::spawn(move || {
                pretend_thread(number);
                act(&pool)
            })
        })
        .collect();
    let mut left = vec![last(pool)];
    left.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
    left
}

fn act(act: impl FnOnce(&Pool) -> Left + Send + 'static) -> Act {
    Box::new(act)
}

// ----- every pair of calls -----

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Lease,
    Release,
    TimeOut,
    Drop,
    Lower,
    Raise,
    ShutDown,
    ShutDownNow,
}

/// A pool of two connections, one route, spread over two stripes. Where a ticket is to be ended, both are leased and
/// two requests wait; else one is idle, unless the two calls are to release both.
fn pair(first: Call, second: Call) {
    explore(move || {
        let pool = Pool::new(|config| {
            config.max_total = 2;
            config.max_per_route = 2;
        });
        let route = pool.add_route();
        pool.spread(route);
        let calls = [first, second];
        let mut leases = vec![pool.lease_now(route), pool.lease_now(route)];
        let mut tickets = Vec::new();
        if calls
            .iter()
            .any(|call| matches!(call, Call::TimeOut | Call::Drop))
        {
            tickets = vec![pool.wait(route), pool.wait(route)];
        } else if calls != [Call::Release; 2] {
            pool.release(leases.pop().unwrap());
        }
        let acts = calls.map(|call| prepare(call, route, &mut leases, &mut tickets));
        let left = leases.into_iter().map(Left::Lease);
        let left = left.chain(tickets.into_iter().map(Left::Ticket));
        race(pool, route, left.collect(), acts.into());
    });
}

fn prepare(call: Call, route: RouteId, leases: &mut Vec<Handle>, tickets: &mut Vec<Ticket>) -> Act {
    match call {
        Call::Lease => act(move |pool| pool.lease(route)),
        Call::Release => {
            let lease = leases.pop().expect("one is leased");
            act(move |pool| {
                pool.release(lease);
                Left::Nothing
            })
        }
        Call::TimeOut => {
            let ticket = tickets.remove(0);
            act(move |pool| pool.time_out(ticket))
        }
        Call::Drop => {
            let ticket = tickets.remove(0);
            act(move |pool| {
                pool.drop_ticket(ticket);
                Left::Nothing
            })
        }
        Call::Lower => set_limits(route, 1),
        Call::Raise => set_limits(route, 3),
        Call::ShutDown => shut_down(ShutdownMode::Graceful),
        Call::ShutDownNow => shut_down(ShutdownMode::Immediate),
    }
}

fn set_limits(route: RouteId, max: u32) -> Act {
    act(move |pool| {
        let _ = pool.with_effects(|fx| pool.engine.set_max_per_route(route, Some(max), fx));
        pool.with_effects(|fx| pool.engine.set_max_total(max, fx));
        Left::Nothing
    })
}

fn shut_down(mode: ShutdownMode) -> Act {
    act(move |pool| {
        pool.shut_down(mode);
        Left::Nothing
    })
}

macro_rules! pairs {
    ($($name:ident: $first:ident, $second:ident;)*) => {
        $(
            #[test]
            fn $name() {
                pair(Call::$first, Call::$second);
            }
        )*
    };
}

pairs! {
    pair_lease_lease: Lease, Lease;
    pair_lease_release: Lease, Release;
    pair_lease_time_out: Lease, TimeOut;
    pair_lease_drop: Lease, Drop;
    pair_lease_lower: Lease, Lower;
    pair_lease_raise: Lease, Raise;
    pair_lease_shut_down: Lease, ShutDown;
    pair_lease_shut_down_now: Lease, ShutDownNow;
    pair_release_release: Release, Release;
    pair_release_time_out: Release, TimeOut;
    pair_release_drop: Release, Drop;
    pair_release_lower: Release, Lower;
    pair_release_raise: Release, Raise;
    pair_release_shut_down: Release, ShutDown;
    pair_release_shut_down_now: Release, ShutDownNow;
    pair_time_out_time_out: TimeOut, TimeOut;
    pair_time_out_drop: TimeOut, Drop;
    pair_time_out_lower: TimeOut, Lower;
    pair_time_out_raise: TimeOut, Raise;
    pair_time_out_shut_down: TimeOut, ShutDown;
    pair_time_out_shut_down_now: TimeOut, ShutDownNow;
    pair_drop_drop: Drop, Drop;
    pair_drop_lower: Drop, Lower;
    pair_drop_raise: Drop, Raise;
    pair_drop_shut_down: Drop, ShutDown;
    pair_drop_shut_down_now: Drop, ShutDownNow;
    pair_lower_lower: Lower, Lower;
    pair_lower_raise: Lower, Raise;
    pair_lower_shut_down: Lower, ShutDown;
    pair_lower_shut_down_now: Lower, ShutDownNow;
    pair_raise_raise: Raise, Raise;
    pair_raise_shut_down: Raise, ShutDown;
    pair_raise_shut_down_now: Raise, ShutDownNow;
    pair_shut_down_shut_down: ShutDown, ShutDown;
    pair_shut_down_shut_down_now: ShutDown, ShutDownNow;
    pair_shut_down_now_shut_down_now: ShutDownNow, ShutDownNow;
}

// ----- what a waiter rests on: flag, then sweep -----

fn tight(change: impl FnOnce(&mut Config)) -> Pool {
    Pool::new(|config| {
        config.max_total = 1;
        config.max_per_route = 1;
        change(config);
    })
}

fn lease(route: RouteId) -> Act {
    act(move |pool| pool.lease(route))
}

fn release(lease: Handle) -> Act {
    act(move |pool| {
        pool.release(lease);
        Left::Nothing
    })
}

#[test]
fn a_request_waits_or_finds_what_is_released() {
    explore(|| {
        let pool = tight(|_| {});
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        race_closing_nothing(pool, route, vec![release(leased), lease(route)]);
    });
}

#[test]
fn a_request_on_another_stripe_waits_or_finds_what_is_released() {
    explore(|| {
        let pool = tight(|_| {});
        let route = pool.add_route();
        pool.spread(route);
        let leased = pool.lease_now(route);
        race_closing_nothing(pool, route, vec![release(leased), lease(route)]);
    });
}

#[test]
fn two_releases_on_two_stripes_serve_a_request() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 2);
        let route = pool.add_route();
        pool.spread(route);
        let first = pool.lease_now(route);
        let second = pool.lease_now(route);
        let acts = vec![release(first), release(second), lease(route)];
        race_closing_nothing(pool, route, acts);
    });
}

#[test]
fn two_requests_and_a_release() {
    explore(|| {
        let pool = tight(|_| {});
        let route = pool.add_route();
        pool.spread(route);
        let leased = pool.lease_now(route);
        race_closing_nothing(
            pool,
            route,
            vec![lease(route), release(leased), lease(route)],
        );
    });
}

/// The route becomes contended while somebody starts to wait: a stripe that was not in use comes into use.
#[test]
fn a_route_that_spreads_loses_nobody() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 2);
        let route = pool.add_route();
        let first = pool.lease_now(route);
        let second = pool.lease_now(route);
        let acts = vec![
            act(move |pool| {
                pool.spread(route);
                pool.release(first);
                Left::Nothing
            }),
            release(second),
            lease(route),
        ];
        race_closing_nothing(pool, route, acts);
    });
}

#[test]
fn the_total_is_waited_for_beside_another_routes_release() {
    explore(|| {
        let pool = Pool::new(|config| config.max_total = 1);
        let busy = pool.add_route();
        let wanted = pool.add_route();
        pool.spread(busy);
        let leased = pool.lease_now(busy);
        race(pool, wanted, vec![], vec![release(leased), lease(wanted)]);
    });
}

#[test]
fn the_total_is_waited_for_while_another_route_takes_turns() {
    explore(|| {
        let pool = Pool::new(|config| config.max_total = 1);
        let busy = pool.add_route();
        let wanted = pool.add_route();
        pool.spread(busy);
        let leased = pool.lease_now(busy);
        let acts = vec![
            act(move |pool| {
                pool.release(leased);
                pool.lease(busy)
            }),
            lease(wanted),
        ];
        race(pool, wanted, vec![], acts);
    });
}

/// Whoever waited only for the total is blocked by its own route once somebody else opens there, and the other way
/// round once something of it closes.
#[test]
fn a_waiter_is_starved_by_the_total_only_after_its_route_gets_room() {
    explore(|| {
        let pool = Pool::new(|config| {
            config.max_total = 2;
            config.max_per_route = 1;
        });
        let (busy, other) = (pool.add_route(), pool.add_route());
        let leased = pool.lease_now(busy);
        let beside = pool.lease_now(other);
        let waiter = pool.wait(busy);
        let acts = vec![
            release(beside),
            act(move |pool| {
                let _ = pool.with_effects(|fx| pool.engine.set_max_per_route(busy, Some(2), fx));
                Left::Nothing
            }),
        ];
        let left = vec![Left::Lease(leased), Left::Ticket(waiter)];
        race(pool, busy, left, acts);
    });
}

#[test]
fn a_request_bound_to_a_state_waits_or_finds_what_is_released() {
    explore(|| {
        let pool = tight(|_| {});
        let route = pool.add_route();
        pool.spread(route);
        let leased = pool.lease_now(route);
        let acts = vec![
            act(move |pool| {
                pool.release_bound(leased, StateId(1));
                Left::Nothing
            }),
            act(move |pool| match pool.lease_for(route, StateId(2)) {
                Left::Lease(handle) => {
                    let entries = pool.engine.entries();
                    let entry = entries.iter().find(|entry| entry.handle == handle);
                    assert_eq!(entry.map(|entry| entry.state), Some(StateId::NONE));
                    Left::Lease(handle)
                }
                left => left,
            }),
        ];
        race(pool, route, vec![], acts);
    });
}

#[test]
fn a_hit_is_never_bound_to_a_state() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 1);
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let acts = vec![
            act(move |pool| {
                pool.release_bound(leased, StateId(1));
                Left::Nothing
            }),
            act(move |pool| {
                assert!(pool.lease_hit(route).is_none());
                Left::Nothing
            }),
        ];
        race(pool, route, vec![], acts);
    });
}

/// Somebody who looks at the numbers to see whether others wait must not be told of one who only looked in.
#[test]
fn who_does_not_wait_is_never_counted_among_the_waiters() {
    explore(|| {
        let pool = tight(|config| config.max_waiters = 0);
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let turned_away = |ticket: bool, refusal| {
            act(move |pool: &Pool| {
                let ticket = ticket.then(|| pool.engine.reserve_ticket().unwrap());
                let outcome =
                    pool.with_effects(|fx| pool.engine.lease(route, StateId::NONE, ticket, fx));
                assert_eq!(outcome, Err(refusal));
                Left::Nothing
            })
        };
        let look = act(move |pool| {
            assert_eq!(pool.engine.stats().pending, 0);
            assert_eq!(pool.engine.route_stats(route).unwrap().pending, 0);
            Left::Nothing
        });
        let acts = vec![
            turned_away(false, Refusal::WouldBlock),
            turned_away(true, Refusal::QueueFull),
            look,
        ];
        race(pool, route, vec![Left::Lease(leased)], acts);
    });
}

/// There is room for it, but the victims that nobody has acknowledged yet take up every slot.
#[test]
fn a_request_that_waits_for_a_slot_is_served_by_whoever_gives_one_free() {
    explore(|| {
        let pool = Pool::new(|config| config.max_total = 2);
        pool.engine.coordinator.lock().slots = 1;
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let discard = act(move |pool| {
            pool.discard(leased);
            Left::Nothing
        });
        race(pool, route, vec![], vec![discard, lease(route)]);
    });
}

/// What is released goes where it fits, and its place is another's: not before it was acknowledged.
#[test]
fn the_place_of_what_does_not_fit_is_given_on_once_it_has_a_slot() {
    explore(|| {
        let pool = tight(|_| {});
        pool.engine.coordinator.lock().slots = 1;
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let bound = act(move |pool| {
            pool.release_bound(leased, StateId(1));
            Left::Nothing
        });
        race(pool, route, vec![], vec![bound, lease(route)]);
    });
}

// ----- standing by -----

fn stand_by(route: RouteId) -> Act {
    act(move |pool| pool.stand_by(route))
}

/// A pool with room, whose callers use a stripe each.
fn roomy() -> (Pool, RouteId) {
    let pool = Pool::new(|_| {});
    let route = pool.add_route();
    pool.spread(route);
    (pool, route)
}

#[test]
fn who_stands_by_gets_or_finds_what_is_released() {
    explore(|| {
        let (pool, route) = roomy();
        let leased = pool.lease_now(route);
        race_closing_nothing(pool, route, vec![release(leased), stand_by(route)]);
    });
}

#[test]
fn two_releases_serve_two_who_stand_by() {
    explore(|| {
        let (pool, route) = roomy();
        let (first, second) = (pool.lease_now(route), pool.lease_now(route));
        let standing = pool.stand_by(route);
        let acts = vec![release(first), release(second), stand_by(route)];
        let pool = Arc::new(pool);
        let mut left = run(&pool, acts);
        left.push(standing);
        assert_eq!(pool.closed(), 0, "a connection was closed for nothing");
        pool.finish(route, left);
    });
}

/// Nothing idle is kept from who leases, and who has waited for a place comes before who stands by.
#[test]
fn what_is_released_serves_who_leases_and_who_stands_by() {
    explore(|| {
        let pool = tight(|_| {});
        let route = pool.add_route();
        pool.spread(route);
        let leased = pool.lease_now(route);
        let acts = vec![lease(route), release(leased), stand_by(route)];
        race_closing_nothing(pool, route, acts);
    });
}

#[test]
fn who_stands_by_no_longer_loses_nothing() {
    explore(|| {
        let (pool, route) = roomy();
        let leased = pool.lease_now(route);
        let Left::Ticket(standing) = pool.stand_by(route) else {
            panic!("nothing is idle yet");
        };
        let drop_ticket = act(move |pool| {
            pool.drop_ticket(standing);
            Left::Nothing
        });
        race_closing_nothing(pool, route, vec![release(leased), drop_ticket]);
    });
}

#[test]
fn who_stands_by_is_told_of_a_shutdown() {
    for mode in [ShutdownMode::Graceful, ShutdownMode::Immediate] {
        explore(move || {
            let (pool, route) = roomy();
            let leased = pool.lease_now(route);
            race(
                pool,
                route,
                vec![],
                vec![release(leased), stand_by(route), shut_down(mode)],
            );
        });
    }
}

// ----- waiters that give up -----

#[test]
fn a_waiter_that_gives_up_hands_its_grant_on() {
    explore(|| {
        let pool = tight(|_| {});
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let first = pool.wait(route);
        let second = pool.wait(route);
        let acts = vec![
            release(leased),
            act(move |pool| {
                pool.drop_ticket(first);
                Left::Nothing
            }),
        ];
        race(pool, route, vec![Left::Ticket(second)], acts);
    });
}

/// The first waiter of its route waited for the total; once it gives up, nobody is starved any more.
#[test]
fn a_starved_waiter_that_gives_up_lets_hits_go_on() {
    explore(|| {
        let pool = Pool::new(|config| config.max_total = 1);
        let (busy, other) = (pool.add_route(), pool.add_route());
        let leased = pool.lease_now(busy);
        let starved = pool.wait(other);
        let acts = vec![
            release(leased),
            act(move |pool| {
                pool.drop_ticket(starved);
                Left::Nothing
            }),
        ];
        race(pool, busy, vec![], acts);
    });
}

#[test]
fn a_grant_that_came_before_the_timeout_is_used() {
    explore(|| {
        let pool = tight(|_| {});
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let waiter = pool.wait(route);
        let acts = vec![release(leased), act(move |pool| pool.time_out(waiter))];
        race_closing_nothing(pool, route, acts);
    });
}

// ----- leases that end more than once -----

#[test]
fn a_lease_released_twice_ends_once() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 1);
        let route = pool.add_route();
        pool.spread(route);
        let leased = pool.lease_now(route);
        let hit = move |pool: &Pool| {
            u32::from(pool.engine.release_hit(leased, Keep::Forever) == Ok(Hit::Kept))
        };
        end_twice(pool, route, hit, hit);
    });
}

#[test]
fn a_lease_released_in_two_ways_ends_once() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 1);
        let route = pool.add_route();
        pool.spread(route);
        let leased = pool.lease_now(route);
        let hit = move |pool: &Pool| {
            u32::from(pool.engine.release_hit(leased, Keep::Forever) == Ok(Hit::Kept))
        };
        let slow = move |pool: &Pool| {
            let verdict = Verdict::Keep(Keep::Forever);
            let release = |fx: &mut _| pool.engine.release(leased, verdict, StateId::NONE, fx);
            u32::from(pool.with_effects(release).is_ok())
        };
        end_twice(pool, route, hit, slow);
    });
}

/// A second release must not end the lease that came after the first, either.
#[test]
fn a_lease_released_twice_is_leased_once() {
    explore(|| {
        let pool = Arc::new(Pool::new(|config| config.max_per_route = 1));
        let route = pool.add_route();
        pool.spread(route);
        let leased = pool.lease_now(route);
        let other = pool.clone();
        let again = thread::spawn(move || {
            pretend_thread(1);
            other.engine.release_hit(leased, Keep::Forever)
        });
        let released = pool.engine.release_hit(leased, Keep::Forever);
        let first = pool.engine.lease_hit(route, StateId::NONE);
        let second = pool.engine.lease_hit(route, StateId::NONE);
        let again = again.join().unwrap();
        assert!(first.is_none() || second.is_none(), "it is leased twice");
        assert!([released, again].contains(&Ok(Hit::Kept)));
        assert_ne!(released, again);
    });
}

/// Both end the same lease; one of them must succeed.
fn end_twice(
    pool: Pool,
    route: RouteId,
    first: impl Fn(&Pool) -> u32 + Send + 'static,
    second: impl Fn(&Pool) -> u32 + Send + 'static,
) {
    let pool = Arc::new(pool);
    let other = pool.clone();
    let thread = thread::spawn(move || {
        pretend_thread(1);
        first(&other)
    });
    let ended = second(&pool) + thread.join().unwrap();
    assert_eq!(ended, 1, "the lease ended {ended} times");
    assert!(pool.engine.lease_hit(route, StateId::NONE).is_some());
    assert!(
        pool.engine.lease_hit(route, StateId::NONE).is_none(),
        "it is idle twice"
    );
}

// ----- limits -----

#[test]
fn a_lowered_limit_of_a_route_lets_no_surplus_become_idle() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 2);
        let route = pool.add_route();
        pool.spread(route);
        let (first, second) = (pool.lease_now(route), pool.lease_now(route));
        let acts = vec![
            release(first),
            release(second),
            act(move |pool| {
                let _ = pool.with_effects(|fx| pool.engine.set_max_per_route(route, Some(1), fx));
                Left::Nothing
            }),
        ];
        race(pool, route, vec![], acts);
    });
}

#[test]
fn a_lowered_limit_in_total_lets_no_surplus_become_idle() {
    explore(|| {
        let pool = Pool::new(|config| config.max_total = 2);
        let route = pool.add_route();
        pool.spread(route);
        let (first, second) = (pool.lease_now(route), pool.lease_now(route));
        let acts = vec![
            release(first),
            release(second),
            act(move |pool| {
                pool.with_effects(|fx| pool.engine.set_max_total(1, fx));
                Left::Nothing
            }),
        ];
        race(pool, route, vec![], acts);
    });
}

// ----- a peer that closes -----

fn peer_closes(pool: &Pool, leased: Handle) -> Act {
    let opening = pool.engine.opening(leased).expect("it is leased");
    act(move |pool| {
        pool.with_effects(|fx| pool.engine.peer_closed(leased.slot(), opening, fx));
        Left::Nothing
    })
}

#[test]
fn a_connection_that_its_peer_closed_does_not_stay_idle() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 1);
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let acts = vec![release(leased), peer_closes(&pool, leased)];
        race_closing_one(pool, route, acts);
    });
}

/// The same where the release needs the coordinator: it looks at the mark twice.
#[test]
fn a_connection_bound_to_a_state_that_its_peer_closed_does_not_stay_idle() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 1);
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let bound = act(move |pool| {
            pool.release_bound(leased, StateId(1));
            Left::Nothing
        });
        let acts = vec![bound, peer_closes(&pool, leased)];
        race_closing_one(pool, route, acts);
    });
}

/// Whoever leases it meanwhile just stores what it is then: nobody else may write that word.
#[test]
fn a_connection_leased_while_its_peer_closes_does_not_stay_idle() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 1);
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let closing = peer_closes(&pool, leased);
        pool.release(leased);
        let used = act(move |pool| {
            if let Some(handle) = pool.lease_hit(route) {
                pool.release(handle);
            }
            Left::Nothing
        });
        race_closing_one(pool, route, vec![used, closing]);
    });
}

#[test]
fn a_connection_that_its_peer_closes_is_leased_or_removed() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 1);
        let route = pool.add_route();
        pool.spread(route);
        let leased = pool.lease_now(route);
        let closing = peer_closes(&pool, leased);
        pool.release(leased);
        let acts = vec![closing, lease(route)];
        race(pool, route, vec![], acts);
    });
}

#[test]
fn a_peer_that_closes_between_a_release_and_a_lease() {
    explore(|| {
        let pool = tight(|_| {});
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let closing = peer_closes(&pool, leased);
        let acts = vec![closing, release(leased), lease(route)];
        race(pool, route, vec![], acts);
    });
}

/// The same where it is the application that wants it closed, which the release then tells.
#[test]
fn a_connection_bound_to_a_state_that_is_cleared_does_not_stay_idle() {
    explore(|| {
        let pool = Arc::new(Pool::new(|config| config.max_per_route = 1));
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let opening = pool.engine.opening(leased).expect("it is leased");
        let bound = act(move |pool| {
            pool.release_bound(leased, StateId(1));
            Left::Nothing
        });
        let clearing = act(move |pool| {
            pool.with_effects(|fx| pool.engine.clear_connection(leased.slot(), opening, fx));
            Left::Nothing
        });
        let left = run(&pool, vec![bound, clearing]);
        assert_eq!(pool.engine.counters().cleared, 1);
        pool.finish(route, left);
    });
}

/// The event is of the connection before: the one opened in its place stays.
#[test]
fn an_event_of_the_connection_before_is_ignored() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 1);
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let closing = peer_closes(&pool, leased);
        let reopen = act(move |pool| {
            pool.engine.reopen(leased).expect("it is leased");
            pool.engine.opened(leased).expect("it was reopened");
            let opening = pool.engine.opening(leased).expect("it is leased");
            pool.release(leased);
            assert_eq!(
                pool.closed(),
                0,
                "opening {opening} is closed for the one before"
            );
            Left::Nothing
        });
        race(pool, route, vec![], vec![closing, reopen]);
    });
}

// ----- expiry -----

/// Whatever the clean-up and the release saw of each other, the next clean-up finds the entry.
#[test]
fn an_entry_released_during_a_clean_up_is_found_by_the_next() {
    explore(|| clean_up_beside(|_, _| {}, |_, _| {}));
}

/// The same where the lease goes on with another connection meanwhile: what the clean-up has noted is about the entry.
#[test]
fn an_entry_whose_connection_was_replaced_during_a_clean_up_is_found_by_the_next() {
    explore(|| clean_up_beside(|_, _| {}, renew));
    explore(|| clean_up_beside(|_, _| {}, reopen_and_open));
    explore(|| clean_up_beside(reopen, open));
}

fn renew(pool: &Pool, leased: Handle) {
    pool.engine.renew(leased).expect("it is leased");
}

fn reopen(pool: &Pool, leased: Handle) {
    pool.engine.reopen(leased).expect("it is leased");
}

fn open(pool: &Pool, leased: Handle) {
    pool.engine.opened(leased).expect("it was reopened");
}

fn reopen_and_open(pool: &Pool, leased: Handle) {
    reopen(pool, leased);
    open(pool, leased);
}

/// A clean-up meets an entry that is leased and has been in the heap since an earlier lease. Its holder has done something to it
/// before, and does something and releases it meanwhile.
fn clean_up_beside(
    before: impl FnOnce(&Pool, Handle),
    meanwhile: impl FnOnce(&Pool, Handle) + Send + 'static,
) {
    let pool = Pool::new(|config| config.max_per_route = 1);
    let route = pool.add_route();
    let leased = pool.lease_now(route);
    pool.release_for(leased, Keep::For(10));
    let leased = pool.lease_hit(route).expect("it is idle");
    before(&pool, leased);
    pool.clock.advance(20);
    let pool = Arc::new(pool);
    let other = pool.clone();
    let releasing = thread::spawn(move || {
        pretend_thread(1);
        meanwhile(&other, leased);
        other.release_for(leased, Keep::For(5));
    });
    // Whoever leases it before its release has put it back on the heap, and leaves the promise as it is.
    let other = pool.clone();
    let passing = thread::spawn(move || {
        pretend_thread(1);
        if let Some(leased) = other.lease_hit(route) {
            other.release_for(leased, Keep::AsBefore);
        }
    });
    assert_eq!(pool.causes(|fx| pool.engine.close_expired(fx)), []);
    releasing.join().unwrap();
    passing.join().unwrap();
    pool.clock.advance(5);
    let causes = pool.causes(|fx| pool.engine.close_expired(fx));
    assert_eq!(causes, [Cause::Expired]);
    pool.finish(route, vec![]);
}

/// A shorter promise than the one before moves the entry's place in the heap.
#[test]
fn a_shorter_promise_counts_whoever_leases_meanwhile() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 1);
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        pool.release_for(leased, Keep::For(1000));
        let leased = pool.lease_hit(route).expect("it is idle");
        let pool = Arc::new(pool);
        let other = pool.clone();
        let releasing = thread::spawn(move || {
            pretend_thread(1);
            other.release_for(leased, Keep::For(5));
        });
        if let Some(leased) = pool.lease_hit(route) {
            pool.release_for(leased, Keep::AsBefore);
        }
        releasing.join().unwrap();
        pool.clock.advance(5);
        let causes = pool.causes(|fx| pool.engine.close_expired(fx));
        assert_eq!(causes, [Cause::Expired]);
        pool.finish(route, vec![]);
    });
}

/// It may have waited for the coordinator for long: what has expired meanwhile is not handed out.
#[test]
fn a_call_goes_by_the_time_at_which_its_turn_comes() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 1);
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        pool.release_for(leased, Keep::For(10));
        let pool = Arc::new(pool);
        let other = pool.clone();
        let leasing = thread::spawn(move || {
            let ticket = other.engine.reserve_ticket().expect("there is room");
            other.ask(route, StateId::NONE, ticket)
        });
        let turn = pool.engine.coordinator.lock();
        let is_idle = pool.engine.stats().available == 1;
        pool.clock.advance(10);
        drop(turn);
        let left = leasing.join().unwrap();
        assert_eq!(pool.closed() == 1, is_idle, "it had expired by then");
        pool.finish(route, vec![left]);
    });
}

#[test]
fn a_clean_up_beside_a_lease() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 1);
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        pool.release_for(leased, Keep::For(10));
        pool.clock.advance(10);
        let clean_up = act(|pool| {
            pool.with_effects(|fx| pool.engine.close_expired(fx));
            pool.with_effects(|fx| pool.engine.close_idle(0, fx));
            Left::Nothing
        });
        race(pool, route, vec![], vec![clean_up, lease(route)]);
    });
}

#[test]
fn closing_idle_ones_beside_a_lease_and_a_release() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 2);
        let route = pool.add_route();
        pool.spread(route);
        let (first, second) = (pool.lease_now(route), pool.lease_now(route));
        pool.release(first);
        let close_idle = act(|pool| {
            pool.with_effects(|fx| pool.engine.close_idle(0, fx));
            Left::Nothing
        });
        let acts = vec![release(second), close_idle, lease(route)];
        race(pool, route, vec![], acts);
    });
}

// ----- the way back to one list -----

/// Two calls that the pool is made narrow beside. Whatever they do, and whatever they knew of it, the next look finds everything where
/// it belongs, in the order of its release.
fn make_narrow_beside(first: impl FnOnce(&Pool, RouteId, Handle) -> Left + Send + 'static) {
    let pool = Pool::new(|config| config.max_per_route = 3);
    let route = pool.add_route();
    pool.spread(route);
    let leases = [0, 1, 2].map(|_| pool.lease_now(route));
    for (thread, lease) in (0..).zip(&leases[1..]) {
        pretend_thread(thread);
        pool.clock.advance(1);
        pool.release(*lease);
    }
    pretend_thread(0);
    // The collision is noted: from now on it is calm.
    look(&pool);
    pool.clock.advance(CALM);
    let pool = Arc::new(pool);
    let leased = leases[0];
    let acts = vec![
        act(move |pool| first(pool, route, leased)),
        act(|pool| {
            pool.with_effects(|fx| pool.engine.close_expired(fx));
            Left::Nothing
        }),
    ];
    let mut left = run(&pool, acts);
    left.retain(|left| !matches!(left, Left::Nothing));
    // Looks are taken for collisions with sweeps, too.
    for _ in 0..2 {
        look(&pool);
    }
    assert!(pool.engine.is_narrow(), "{:?}", pool.engine);
    pool.finish(route, left);
}

fn look(pool: &Pool) {
    pool.clock.advance(CALM);
    pool.with_effects(|fx| pool.engine.close_expired(fx));
}

#[test]
fn a_pool_becomes_narrow_beside_a_release() {
    explore(|| {
        make_narrow_beside(|pool, _, leased| {
            pool.release(leased);
            Left::Nothing
        });
    });
}

#[test]
fn a_pool_becomes_narrow_beside_a_lease() {
    explore(|| {
        make_narrow_beside(|pool, route, leased| {
            pool.discard(leased);
            pool.lease(route)
        });
    });
}

#[test]
fn a_pool_becomes_narrow_beside_a_lease_and_its_release() {
    explore(|| {
        make_narrow_beside(|pool, route, leased| {
            if let Some(handle) = pool.lease_hit(route) {
                pool.clock.advance(1);
                pool.release(handle);
            }
            Left::Lease(leased)
        });
    });
}

/// An entry that is on its way from a stripe still to be looked into to one that was.
#[test]
fn closing_all_idle_ones_closes_what_is_put_in_order_meanwhile() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 1);
        let route = pool.add_route();
        pool.spread(route);
        let leased = pool.lease_now(route);
        pretend_thread(1);
        pool.release(leased);
        pretend_thread(0);
        look(&pool);
        let acts = vec![
            act(|pool| {
                look(pool);
                Left::Nothing
            }),
            act(|pool| {
                pool.with_effects(|fx| pool.engine.close_idle(0, fx));
                Left::Nothing
            }),
        ];
        race_closing_one(pool, route, acts);
    });
}

// ----- a route that is cleared -----

fn clear(route: RouteId) -> Act {
    act(move |pool| {
        let _ = pool.with_effects(|fx| pool.engine.clear_route(route, fx));
        Left::Nothing
    })
}

#[test]
fn nothing_of_a_cleared_route_stays() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 1);
        let route = pool.add_route();
        pool.spread(route);
        let leased = pool.lease_now(route);
        let acts = vec![release(leased), clear(route)];
        race_closing_one(pool, route, acts);
    });
}

#[test]
fn nothing_of_a_cleared_route_stays_when_it_was_being_opened() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 1);
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        pool.engine.reopen(leased).expect("it is leased");
        let opening = act(move |pool| {
            pool.engine.opened(leased).expect("nothing hinders it");
            pool.release(leased);
            Left::Nothing
        });
        race_closing_one(pool, route, vec![opening, clear(route)]);
    });
}

#[test]
fn what_is_idle_is_looked_at_beside_a_lease_and_what_closes_it() {
    for closes in [0, 1, 2] {
        explore(move || {
            let pool = tight(|_| {});
            let route = pool.add_route();
            pool.spread(route);
            let leased = pool.lease_now(route);
            pool.release(leased);
            let look = act(|pool| {
                pool.look_at_what_is_idle();
                Left::Nothing
            });
            let close = match closes {
                0 => act(|pool| {
                    pool.with_effects(|fx| pool.engine.close_idle(0, fx));
                    Left::Nothing
                }),
                1 => clear(route),
                _ => shut_down(ShutdownMode::Graceful),
            };
            race(pool, route, vec![], vec![lease(route), look, close]);
        });
    }
}

#[test]
fn what_is_idle_beyond_what_may_be_is_closed_beside_a_release_and_a_lease() {
    explore(|| {
        let pool = Pool::new(|config| config.max_per_route = 2);
        let route = pool.add_route();
        pool.spread(route);
        let (first, second) = (pool.lease_now(route), pool.lease_now(route));
        pool.release(first);
        let beyond = act(move |pool| {
            pool.with_effects(|fx| pool.engine.close_idle_beyond(route, 1, fx));
            Left::Nothing
        });
        race(
            pool,
            route,
            vec![],
            vec![release(second), lease(route), beyond],
        );
    });
}

#[test]
fn a_route_is_cleared_beside_a_lease() {
    explore(|| {
        let pool = tight(|_| {});
        let route = pool.add_route();
        pool.spread(route);
        let leased = pool.lease_now(route);
        pool.release(leased);
        race(pool, route, vec![], vec![lease(route), clear(route)]);
    });
}

// ----- shutdown -----

#[test]
fn nothing_becomes_idle_after_a_shutdown() {
    for mode in [ShutdownMode::Graceful, ShutdownMode::Immediate] {
        explore(move || {
            let pool = Pool::new(|config| config.max_per_route = 2);
            let route = pool.add_route();
            pool.spread(route);
            let (first, second) = (pool.lease_now(route), pool.lease_now(route));
            let acts = vec![release(first), release(second), shut_down(mode)];
            race(pool, route, vec![], acts);
        });
    }
}

/// The connection is in one hand: the opener's, who is told of the shutdown, or the shutdown's.
#[test]
fn what_is_opened_during_an_immediate_shutdown_does_not_stay_usable() {
    explore(|| {
        let pool = Pool::new(|_| {});
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        pool.engine.reopen(leased).expect("it is leased");
        let opening = act(move |pool| {
            pool.open(leased);
            Left::Nothing
        });
        let acts = vec![opening, shut_down(ShutdownMode::Immediate)];
        race_closing_one(pool, route, acts);
    });
}

#[test]
fn what_is_reopened_during_an_immediate_shutdown_does_not_stay_usable() {
    explore(|| {
        let pool = Pool::new(|_| {});
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let reopening = act(move |pool| {
            if pool.engine.reopen(leased).is_ok() {
                pool.open(leased);
            }
            Left::Nothing
        });
        let acts = vec![reopening, shut_down(ShutdownMode::Immediate)];
        race_closing_one(pool, route, acts);
    });
}

#[test]
fn every_waiter_is_told_of_a_shutdown() {
    explore(|| {
        let pool = tight(|_| {});
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let acts = vec![
            release(leased),
            lease(route),
            shut_down(ShutdownMode::Graceful),
        ];
        race(pool, route, vec![], acts);
    });
}

// ----- suspended -----

fn suspend() -> Act {
    act(|pool| {
        pool.suspend();
        Left::Nothing
    })
}

fn resume() -> Act {
    act(|pool| {
        pool.resume();
        Left::Nothing
    })
}

/// One that is idle, in the other thread's stripe; and whether the pool was suspended, which nothing tells but this.
fn suspended_beside(call: fn(&Pool, RouteId) -> Left) {
    explore(move || {
        let pool = tight(|_| {});
        let route = pool.add_route();
        pool.spread(route);
        let leased = pool.lease_now(route);
        pretend_thread(1);
        pool.release(leased);
        pretend_thread(0);
        // No atomic of the checker's: it shows what has happened, and orders nothing.
        let is_suspended = Arc::new(AtomicBool::new(false));
        let seen = is_suspended.clone();
        let asks = act(move |pool| {
            let is_late = seen.load(Ordering::SeqCst);
            let left = call(pool, route);
            assert!(!is_late || !matches!(left, Left::Lease(_)), "{left:?}");
            left
        });
        let suspends = act(move |pool| {
            pool.suspend();
            is_suspended.store(true, Ordering::SeqCst);
            Left::Nothing
        });
        let pool = Arc::new(pool);
        let left = run(&pool, vec![asks, suspends]);
        pool.resume();
        assert_eq!(pool.closed(), 0, "a connection was closed for nothing");
        pool.finish(route, left);
    });
}

#[test]
fn nothing_is_leased_by_a_hit_once_a_pool_is_suspended() {
    suspended_beside(|pool, route| pool.lease_hit(route).map_or(Left::Nothing, Left::Lease));
}

#[test]
fn nothing_is_leased_once_a_pool_is_suspended() {
    suspended_beside(Pool::lease);
}

#[test]
fn a_release_beside_a_suspension_serves_who_waits_at_once_or_later() {
    explore(|| {
        let pool = tight(|_| {});
        let route = pool.add_route();
        pool.spread(route);
        let leased = pool.lease_now(route);
        let waiter = pool.wait(route);
        let pool = Arc::new(pool);
        let mut left = run(&pool, vec![release(leased), suspend()]);
        pool.resume();
        left.push(Left::Ticket(waiter));
        pool.finish(route, left);
    });
}

/// Who waits gets what is released, whether that becomes idle before the pool is resumed or is handed over after.
#[test]
fn a_release_beside_a_resumption_serves_who_waits() {
    explore(|| {
        let pool = tight(|_| {});
        let route = pool.add_route();
        pool.spread(route);
        let leased = pool.lease_now(route);
        pool.suspend();
        let waiter = pool.wait(route);
        let pool = Arc::new(pool);
        let mut left = run(&pool, vec![release(leased), resume()]);
        assert_eq!(pool.closed(), 0, "a connection was closed for nothing");
        left.push(pool.poll(route, waiter));
        assert!(matches!(left.last(), Some(Left::Lease(_))), "{left:?}");
        pool.finish(route, left);
    });
}

#[test]
fn a_lease_and_a_release_beside_a_resumption() {
    explore(|| {
        let pool = tight(|_| {});
        let route = pool.add_route();
        pool.spread(route);
        let leased = pool.lease_now(route);
        pool.suspend();
        race_closing_nothing(pool, route, vec![lease(route), release(leased), resume()]);
    });
}

#[test]
fn who_stands_by_beside_a_resumption_gets_what_is_idle() {
    explore(|| {
        let (pool, route) = roomy();
        let leased = pool.lease_now(route);
        pool.suspend();
        race_closing_nothing(
            pool,
            route,
            vec![release(leased), stand_by(route), resume()],
        );
    });
}

#[test]
fn every_waiter_of_a_suspended_pool_is_told_of_a_shutdown() {
    explore(|| {
        let pool = tight(|_| {});
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        pool.suspend();
        let acts = vec![lease(route), shut_down(ShutdownMode::Graceful), resume()];
        race(pool, route, vec![Left::Lease(leased)], acts);
    });
}

#[test]
fn a_thread_that_sleeps_is_woken_by_a_resumption() {
    explore(|| {
        let pool = tight(|_| {});
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        pool.suspend();
        let waiting = act(move |pool| match pool.wait_for(route) {
            Some(handle) => Left::Lease(handle),
            None => panic!("nobody shuts it down"),
        });
        race_closing_nothing(pool, route, vec![waiting, release(leased), resume()]);
    });
}

// ----- waiting as a thread does -----

/// A model checker takes a waiter that sleeps for ever for a deadlock.
#[test]
fn a_waiter_that_sleeps_is_woken() {
    explore(|| {
        let pool = tight(|_| {});
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let waiting = act(move |pool| match pool.wait_for(route) {
            Some(handle) => Left::Lease(handle),
            None => panic!("nobody shuts it down"),
        });
        race_closing_nothing(pool, route, vec![waiting, release(leased)]);
    });
}

/// Two sleep, one lease goes from hand to hand.
#[test]
fn waiters_that_sleep_are_woken_one_after_the_other() {
    explore(|| {
        let pool = tight(|_| {});
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let take_a_turn = || {
            act(move |pool| {
                let handle = pool.wait_for(route).expect("nobody shuts it down");
                pool.release(handle);
                Left::Nothing
            })
        };
        let acts = vec![take_a_turn(), take_a_turn(), release(leased)];
        race_closing_nothing(pool, route, acts);
    });
}

// ----- barging -----

#[test]
fn a_waiter_that_was_overtaken_is_told_again() {
    explore(|| {
        let pool = tight(|config| config.barging = true);
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let waiter = pool.wait(route);
        let newcomer = act(move |pool| match pool.lease_hit(route) {
            Some(handle) => Left::Lease(handle),
            None => Left::Nothing,
        });
        let acts = vec![
            release(leased),
            newcomer,
            act(move |pool| pool.poll(route, waiter)),
        ];
        race(pool, route, vec![], acts);
    });
}

#[test]
fn what_an_overtaken_waiter_was_told_of_is_passed_on_when_it_gives_up() {
    explore(|| {
        let pool = tight(|config| config.barging = true);
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let (first, second) = (pool.wait(route), pool.wait(route));
        let acts = vec![
            release(leased),
            act(move |pool| pool.time_out(first)),
            act(move |pool| pool.poll(route, second)),
        ];
        race(pool, route, vec![], acts);
    });
}

/// It was told to ask again, and is granted the right to open before it does.
#[test]
fn a_waiter_told_to_ask_again_loses_no_grant_that_comes_before_it_asks() {
    explore(|| {
        let pool = Pool::new(|config| {
            config.max_total = 2;
            config.max_per_route = 1;
            config.barging = true;
        });
        let route = pool.add_route();
        let leased = pool.lease_now(route);
        let waiter = pool.wait(route);
        let raise = act(move |pool| {
            let _ = pool.with_effects(|fx| pool.engine.set_max_per_route(route, Some(2), fx));
            Left::Nothing
        });
        let acts = vec![
            release(leased),
            raise,
            act(move |pool| pool.poll(route, waiter)),
        ];
        race(pool, route, vec![], acts);
    });
}
