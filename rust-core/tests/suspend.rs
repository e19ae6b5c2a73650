//! A pool that is suspended and resumed, rule by rule.

#![cfg(not(any(loom, shuttle)))]

mod common;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use common::{LONG, eventually, wait};
use leasehold::{
    Builder, Clock, Connected, Connection, Lease, LeaseError, LeaseFuture, ManualClock, Pool,
};

type Numbers = Pool<&'static str, u32>;
type Asking = Pin<Box<LeaseFuture<&'static str, u32>>>;

fn pool(
    settings: impl FnOnce(Builder<&'static str, u32>) -> Builder<&'static str, u32>,
) -> Numbers {
    settings(Pool::builder()).build()
}

fn lease(pool: &Numbers, key: &'static str) -> Connection<&'static str, u32> {
    let lease = pool.try_lease(&key).unwrap();
    lease.or_connect(|| Ok::<_, ()>(7)).unwrap()
}

/// One of each key is idle.
fn keep(pool: &Numbers, keys: &[&'static str]) {
    let leases: Vec<_> = keys.iter().map(|key| lease(pool, key)).collect();
    leases.into_iter().for_each(Connection::keep);
}

fn poll<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

/// A request that waits.
fn ask(pool: &Numbers, key: &'static str) -> Asking {
    let mut asking = Box::pin(pool.lease_async(&key));
    assert!(poll(&mut asking).is_pending(), "nobody is served");
    asking
}

/// What a request that waited has got.
fn served(asking: &mut Asking) -> Lease<&'static str, u32> {
    match poll(asking) {
        Poll::Ready(Ok(lease)) => lease,
        other => panic!("it was not served: {other:?}"),
    }
}

fn is_vacancy(lease: &Lease<&'static str, u32>) -> bool {
    matches!(lease, Lease::Vacancy(_))
}

#[test]
fn who_asks_waits_though_a_connection_is_idle_or_could_be_opened() {
    let pool = pool(|pool| pool.name("backend"));
    keep(&pool, &["a"]);
    assert!(!pool.is_suspended());
    pool.suspend();
    assert!(pool.is_suspended());
    for key in ["a", "b"] {
        assert_eq!(pool.try_lease(&key).unwrap_err(), LeaseError::Exhausted);
        let error = pool.lease(&key, Duration::ZERO).unwrap_err();
        let words = "timed out waiting for a connection from the pool backend, suspended: 0 of ";
        assert!(error.to_string().starts_with(words), "{error}");
        let LeaseError::Timeout(situation) = error else {
            panic!("{error}");
        };
        assert!(situation.is_suspended);
    }
    let (mut idle, mut new) = (ask(&pool, "a"), ask(&pool, "b"));
    assert_eq!((pool.stats().pending, pool.metrics().timed_out), (2, 2));
    pool.resume();
    assert!(!pool.is_suspended());
    assert!(!is_vacancy(&served(&mut idle)));
    assert!(is_vacancy(&served(&mut new)));
}

#[test]
fn a_thread_that_waits_is_served_when_the_pool_is_resumed() {
    let pool = pool(|pool| pool);
    keep(&pool, &["a"]);
    pool.suspend();
    let (other, (told, is_told)) = (pool.clone(), mpsc::channel());
    let waiter = thread::spawn(move || {
        let lease = other.lease(&"a", LONG).unwrap();
        told.send(is_vacancy(&lease)).unwrap();
    });
    eventually("it waits", || pool.stats().pending == 1);
    pool.resume();
    assert!(!is_told.recv_timeout(LONG).unwrap());
    waiter.join().unwrap();
}

#[test]
fn what_is_released_meanwhile_becomes_idle_and_goes_to_who_waits_when_the_pool_is_resumed() {
    let pool = pool(|pool| pool.max_total(1));
    let leased = lease(&pool, "a");
    let mut before = ask(&pool, "a");
    pool.suspend();
    let mut after = ask(&pool, "a");
    Connection::keep(leased);
    assert_eq!(pool.stats().available, 1);
    assert!(poll(&mut before).is_pending() && poll(&mut after).is_pending());
    pool.resume();
    assert!(poll(&mut after).is_pending());
    drop(served(&mut before));
    assert!(
        is_vacancy(&served(&mut after)),
        "what was dropped is closed"
    );
}

/// Who came first has the place, though the one idle connection would do for who came second.
#[test]
fn those_who_wait_are_served_in_the_order_of_their_arrival_whatever_their_route() {
    let pool = pool(|pool| pool.max_total(1));
    keep(&pool, &["b"]);
    pool.suspend();
    let (mut first, mut second) = (ask(&pool, "a"), ask(&pool, "b"));
    pool.resume();
    assert!(poll(&mut second).is_pending());
    assert!(is_vacancy(&served(&mut first)));
    assert_eq!(pool.counters().evicted, 1);
    assert!(is_vacancy(&served(&mut second)));
}

/// Nothing is opened or closed where each could have what is there.
#[test]
fn each_is_given_what_is_idle_of_its_route_before_room_is_made() {
    let pool = pool(|pool| pool.max_total(3).max_per_route(2));
    keep(&pool, &["a", "b", "a"]);
    pool.suspend();
    let mut asking = ["b", "a", "a"].map(|key| ask(&pool, key));
    let mut blocked = ask(&pool, "a");
    pool.resume();
    let leases = asking.each_mut().map(served);
    assert!(!leases.iter().any(is_vacancy));
    assert_eq!((pool.counters().evicted, pool.metrics().openings), (0, 3));
    assert!(poll(&mut blocked).is_pending(), "its route is full");
}

#[test]
fn a_pool_is_suspended_once_and_resumed_once_however_often_that_is_said() {
    let pool = pool(|pool| pool);
    pool.resume();
    pool.suspend();
    pool.suspend();
    let mut asking = ask(&pool, "a");
    pool.resume();
    drop(served(&mut asking));
    pool.resume();
    assert!(pool.try_lease(&"a").is_ok());
}

#[test]
fn who_waits_gives_up_as_ever_and_is_counted() {
    let clock = ManualClock::new();
    let pool = pool(|pool| pool.clock(Clock::manual(&clock)).max_waiters(2));
    pool.suspend();
    let cancelled = ask(&pool, "a");
    let limited = pool
        .request(&"a")
        .lease_async_within(Duration::from_secs(1));
    let mut limited = Box::pin(limited);
    assert!(poll(&mut limited).is_pending());
    let too_many = pool.lease(&"a", LONG).unwrap_err();
    assert_eq!(too_many, LeaseError::QueueFull);
    drop(cancelled);
    clock.advance(1_000);
    assert!(matches!(
        poll(&mut limited),
        Poll::Ready(Err(LeaseError::Timeout(_)))
    ));
    let metrics = pool.metrics();
    let counts = (metrics.timed_out, metrics.cancelled, metrics.refused);
    assert_eq!((counts, pool.stats().pending), ((1, 1, 1), 0));
    pool.resume();
    assert_eq!((pool.stats().leased, metrics.openings), (0, 0));
}

#[test]
fn a_shutdown_tells_who_waits_and_a_resumption_brings_nothing_back() {
    let pool = pool(|pool| pool);
    let leased = lease(&pool, "a");
    keep(&pool, &["a"]);
    pool.suspend();
    let mut asking = ask(&pool, "a");
    pool.shutdown();
    assert!(matches!(
        poll(&mut asking),
        Poll::Ready(Err(LeaseError::ShutDown))
    ));
    assert_eq!(pool.stats().available, 0);
    pool.resume();
    assert_eq!(pool.try_lease(&"a").unwrap_err(), LeaseError::ShutDown);
    Connection::keep(leased);
    assert_eq!(pool.stats().available, 0);
}

#[test]
fn what_is_idle_is_closed_as_ever_and_limits_may_be_changed() {
    let clock = ManualClock::new();
    let pool = pool(|pool| pool.clock(Clock::manual(&clock)).max_per_route(2));
    let expiring = lease(&pool, "a");
    keep(&pool, &["b", "c"]);
    pool.suspend();
    Connection::keep_for(expiring, Duration::from_secs(1));
    let mut asking = ["a", "a", "a"].map(|key| ask(&pool, key));
    clock.advance(1_000);
    pool.close_expired();
    pool.clear(&"b");
    pool.set_max_total(0);
    let counters = pool.counters();
    assert_eq!(
        (counters.expired, counters.cleared, counters.over_limit),
        (1, 1, 1)
    );
    pool.set_max_total(10);
    pool.set_max_per_route(9);
    assert!(asking.iter_mut().all(|asking| poll(asking).is_pending()));
    pool.set_max_per_route(2);
    pool.resume();
    let mut leases = asking
        .each_mut()
        .map(|asking| poll(asking).map(Result::unwrap));
    assert!(leases[2].is_pending(), "its route is full");
    assert!(leases[..2].iter_mut().all(|lease| lease.is_ready()));
}

/// A bound connection that is of no use to who waits makes room for him, as it would have if he had come later.
#[test]
fn what_is_bound_to_another_makes_room_when_the_pool_is_resumed() {
    let pool = pool(|pool| pool.max_per_route(1));
    let mut bound = lease(&pool, "a");
    Connection::bind(&mut bound, Some(&leasehold::State::new("alice")));
    pool.suspend();
    Connection::keep(bound);
    let mut asking = ask(&pool, "a");
    pool.resume();
    assert!(is_vacancy(&served(&mut asking)));
    assert_eq!(pool.counters().evicted, 1);
}

#[test]
fn a_vacancy_that_is_out_may_be_filled_and_given_back() {
    let pool = pool(|pool| pool.max_total(2));
    let Lease::Vacancy(filled) = pool.try_lease(&"a").unwrap() else {
        panic!("nothing is idle");
    };
    let given_back = pool.try_lease(&"a").unwrap();
    pool.suspend();
    let mut asking = [ask(&pool, "a"), ask(&pool, "b")];
    drop(given_back);
    Connection::keep(filled.fill(7));
    assert_eq!((pool.stats().leased, pool.stats().available), (0, 1));
    assert!(asking.iter_mut().all(|asking| poll(asking).is_pending()));
    pool.resume();
    let leases = asking.each_mut().map(served);
    assert_eq!(leases.map(|lease| is_vacancy(&lease)), [false, true]);
}

/// Who opens a connection goes on with that alone, until the pool is resumed.
#[test]
fn who_stands_by_gets_what_became_idle_when_the_pool_is_resumed() {
    let pool = pool(|pool| pool);
    let leased = lease(&pool, "a");
    let vacancy = pool.try_lease(&"a").unwrap();
    let never = || poll_fn(|_| Poll::<Result<u32, ()>>::Pending);
    let mut connecting = pin!(vacancy.or_connect_async(never));
    let mut look = || {
        connecting
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
    };
    assert!(look().is_pending());
    pool.suspend();
    Connection::keep(leased);
    assert!(look().is_pending() && pool.stats().available == 1);
    pool.resume();
    let Poll::Ready(Ok(connected)) = look() else {
        panic!("it was given what is idle");
    };
    drop(connected);
    assert_eq!(pool.metrics().openings, 2);
}

#[test]
fn who_opens_a_connection_of_a_suspended_pool_has_it() {
    let pool = pool(|pool| pool);
    let vacancy = pool.try_lease(&"a").unwrap();
    pool.suspend();
    let open = || std::future::ready(Ok::<_, ()>(9));
    let connected: Connected<_, _, _> = wait(pin!(vacancy.or_connect_async(open))).unwrap();
    assert_eq!(*connected.connection, 9);
    Connection::keep(connected.connection);
    assert_eq!(pool.stats().available, 1);
}

#[test]
fn who_barges_waits_as_others_do() {
    let pool = pool(|pool| pool.max_total(1).barging(true));
    let leased = lease(&pool, "a");
    let mut waiting = ask(&pool, "a");
    pool.suspend();
    Connection::keep(leased);
    assert_eq!(pool.try_lease(&"a").unwrap_err(), LeaseError::Exhausted);
    assert!(poll(&mut waiting).is_pending());
    pool.resume();
    assert!(!is_vacancy(&served(&mut waiting)));
}
