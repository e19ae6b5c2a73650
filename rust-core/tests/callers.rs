//! Who holds what: where leases were asked for is in the listing, and what a pool looks like in the message of who has waited in vain.

use std::future::Future;
use std::panic::Location;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use leasehold::{
    Builder, Clock, Connection, Lease, LeaseError, ManualClock, Pool, State, Use, Vacancy,
};

type Numbers = Pool<&'static str, u32>;

fn pool(build: impl FnOnce(Builder<&'static str, u32>) -> Builder<&'static str, u32>) -> Numbers {
    build(Pool::builder().note_callers(true)).build()
}

/// The line of each connection's lease, by slot.
fn lines(pool: &Numbers) -> Vec<Option<u32>> {
    let entries = pool.entries().into_iter();
    entries
        .map(|entry| entry.leased_at.map(Location::line))
        .collect()
}

fn vacancy(lease: Result<Lease<&'static str, u32>, LeaseError>) -> Vacancy<&'static str, u32> {
    match lease {
        Ok(Lease::Vacancy(vacancy)) => vacancy,
        other => panic!("{other:?}"),
    }
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn every_way_to_ask_is_told_by_its_own_line() {
    let pool = pool(|pool| pool);
    let route = pool.route(&"a").unwrap();
    let state = State::new("alice");
    let (minute, mut asked) = (Duration::from_secs(60), Vec::new());
    let leases = [
        (pool.try_lease(&"a"), line!()),
        (pool.lease(&"a", minute), line!()),
        (ready(pool.lease_async(&"a")), line!()),
        (pool.request(&"a").bound_to(&state).try_lease(), line!()),
        (route.try_lease(), line!()),
        (route.lease(minute), line!()),
        (ready(route.lease_async()), line!()),
        (route.request().try_lease(), line!()),
        (
            ready(pool.request(&"a").lease_async_within(minute)),
            line!() - 1,
        ),
    ];
    let leases = leases.map(|(lease, line)| {
        asked.push(Some(line));
        vacancy(lease)
    });
    assert_eq!(lines(&pool), asked);
    let file = pool.entries()[0].leased_at.map(Location::file);
    assert_eq!(file, Some(file!()));
    drop(leases);
}

#[test]
fn a_hit_is_told_by_its_own_line_and_what_is_idle_by_none() {
    let pool = pool(|pool| pool);
    Connection::keep(vacancy(pool.try_lease(&"a")).fill(7));
    assert_eq!(lines(&pool), [None]);
    let (lease, line) = (pool.try_lease(&"a"), line!());
    assert_eq!(lines(&pool), [Some(line)]);
    drop(lease);
}

#[test]
fn a_lease_that_was_waited_for_is_told_by_the_line_of_who_waits() {
    let pool = pool(|pool| pool.max_total(1));
    let first = vacancy(pool.try_lease(&"a")).fill(7);
    let (mut waiting, line) = (pin!(pool.lease_async(&"a")), line!());
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    Connection::keep(first);
    let Poll::Ready(lease) = waiting.poll(&mut context) else {
        panic!("it was released");
    };
    assert_eq!(lines(&pool), [Some(line)]);
    drop(lease);
}

#[test]
fn what_took_the_place_of_a_dead_connection_is_told_by_the_line_of_its_lease() {
    let pool = pool(|pool| pool.is_usable(|number| *number != 7));
    Connection::keep(vacancy(pool.try_lease(&"a")).fill(7));
    let (lease, line) = (pool.try_lease(&"a"), line!());
    let vacancy = vacancy(lease);
    assert_eq!(lines(&pool), [Some(line)]);
    drop(vacancy);
}

#[test]
fn what_is_released_for_who_opens_is_told_by_the_line_of_that_lease() {
    let pool = pool(|pool| pool);
    let busy = vacancy(pool.try_lease(&"a")).fill(7);
    let (lease, line) = (pool.try_lease(&"a"), line!());
    let opening = lease.unwrap();
    let opening = opening.or_connect_async(std::future::pending::<Result<u32, ()>>);
    let mut opening = pin!(opening);
    let mut context = Context::from_waker(Waker::noop());
    assert!(opening.as_mut().poll(&mut context).is_pending());
    Connection::keep(busy);
    let Poll::Ready(Ok(connected)) = opening.as_mut().poll(&mut context) else {
        panic!("one was released");
    };
    assert_eq!(lines(&pool), [Some(line), Some(line)]);
    drop(connected);
}

#[test]
fn who_passes_his_caller_on_is_passed_over() {
    #[track_caller]
    fn mine(pool: &Numbers) -> Vacancy<&'static str, u32> {
        vacancy(pool.try_lease(&"a"))
    }
    let pool = pool(|pool| pool);
    let (lease, line) = (mine(&pool), line!());
    assert_eq!(lines(&pool), [Some(line)]);
    drop(lease);
}

#[test]
fn nobody_is_told_where_that_was_not_asked_for() {
    let pool = pool(|pool| pool.note_callers(false));
    let lease = pool.try_lease(&"a");
    assert_eq!(lines(&pool), [None]);
    drop(lease);
}

#[test]
fn who_has_waited_in_vain_is_told_what_the_pool_looks_like() {
    let clock = ManualClock::new();
    let pool = pool(|pool| {
        let pool = pool.clock(Clock::manual(&clock)).name("backend");
        pool.max_total(3).max_per_route(2)
    });
    let oldest = (vacancy(pool.try_lease(&"a")).fill(7), line!());
    clock.advance(2_500);
    let others = [pool.try_lease(&"a"), pool.try_lease(&"b")];
    Connection::keep(vacancy(others.into_iter().nth(1).unwrap()).fill(8));
    let second = pool.try_lease(&"a");
    let error = pool.lease(&"a", Duration::ZERO).unwrap_err();
    let words = format!(
        "timed out waiting for a connection from the pool backend: 2 of 3 leased, 1 idle, 0 waiting; to this route 2 of 2 leased, \
         0 idle, 0 waiting; the oldest lease is 2.500 s old, held by {}:{}:",
        file!(),
        oldest.1
    );
    assert!(error.to_string().starts_with(&words), "{error}");
    let LeaseError::Timeout(situation) = error else {
        panic!("{error}");
    };
    assert_eq!(situation.oldest, Some(Duration::from_millis(2_500)));
    assert_eq!(situation.holder.map(Location::line), Some(oldest.1));
    drop((oldest, second));
}

#[test]
fn who_times_out_in_a_task_is_told_the_same() {
    let clock = ManualClock::new();
    let pool = pool(|pool| pool.clock(Clock::manual(&clock)).max_total(1));
    let held = vacancy(pool.try_lease(&"a"));
    let mut waiting = pin!(
        pool.request(&"a")
            .lease_async_within(Duration::from_secs(1))
    );
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    clock.advance(1_000);
    let Poll::Ready(Err(LeaseError::Timeout(situation))) = waiting.poll(&mut context) else {
        panic!("its time is over");
    };
    assert_eq!((situation.pool.leased, situation.pool.max), (1, 1));
    assert_eq!(situation.oldest, Some(Duration::from_secs(1)));
    drop(held);
}

#[test]
fn a_listing_says_for_how_long_each_is_leased() {
    let clock = ManualClock::new();
    let pool = pool(|pool| pool.clock(Clock::manual(&clock)));
    let first = vacancy(pool.try_lease(&"a"));
    clock.advance(1_000);
    let first = first.fill(7);
    clock.advance(30);
    let told = |pool: &Numbers| {
        let entry = pool.entries().pop().unwrap();
        (entry.used, entry.leased_for, entry.idle_for)
    };
    let (thirty, ten) = (Duration::from_millis(30), Duration::from_millis(10));
    assert_eq!(told(&pool), (Use::Leased, Some(thirty), None));
    Connection::keep(first);
    clock.advance(10);
    assert_eq!(told(&pool), (Use::Idle, None, Some(ten)));
}

#[test]
fn pools_without_a_name_have_different_ones() {
    let pools = [Numbers::new(), Numbers::new()];
    assert_ne!(pools[0].name(), pools[1].name());
    assert!(pools[0].name().starts_with("pool-"));
    assert_eq!(pool(|pool| pool.name("backend")).name(), "backend");
}
