//! Opening a connection where one that is released meanwhile is as welcome, rule by rule.

#![cfg(not(any(loom, shuttle)))]

mod common;

use std::cell::RefCell;
use std::future::{Future, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use common::{LONG, wait};
use leasehold::{Connected, Connecting, Connection, Lease, LeaseError, Pool, State};

type Numbers = Pool<&'static str, u32>;

/// A server, which answers when it is told to.
#[derive(Clone, Default)]
struct Server(Rc<RefCell<Told>>);

#[derive(Default)]
struct Told {
    answer: Option<Result<u32, &'static str>>,
    waker: Option<Waker>,
}

impl Server {
    fn connect(&self) -> impl Future<Output = Result<u32, &'static str>> + use<> {
        let told = Rc::clone(&self.0);
        poll_fn(move |context| {
            let mut told = told.borrow_mut();
            told.waker = Some(context.waker().clone());
            told.answer.take().map_or(Poll::Pending, Poll::Ready)
        })
    }

    fn answer(&self, answer: Result<u32, &'static str>) {
        self.0.borrow_mut().answer = Some(answer);
        if let Some(waker) = self.0.borrow_mut().waker.take() {
            waker.wake();
        }
    }
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn outcome<F: Future + Unpin>(future: &mut F) -> F::Output {
    match poll(future) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("nothing has come"),
    }
}

fn leased(pool: &Numbers, number: u32) -> Connection<&'static str, u32> {
    let lease = pool.try_lease(&"a").unwrap();
    lease.or_connect(|| Ok::<_, ()>(number)).unwrap()
}

/// A future that has begun to connect.
fn connecting<'a, F, E>(
    pool: &Numbers,
    connect: impl FnOnce() -> F + 'a,
) -> Connecting<&'static str, u32, F>
where
    F: Future<Output = Result<u32, E>>,
    E: std::fmt::Debug,
{
    let mut connecting = pool.try_lease(&"a").unwrap().or_connect_async(connect);
    assert!(poll(&mut connecting).is_pending());
    connecting
}

/// Leased, idle, waiting.
fn numbers(pool: &Numbers) -> (u32, u32, u32) {
    let stats = pool.stats();
    (stats.leased, stats.available, stats.pending)
}

#[test]
fn an_idle_connection_is_there_at_once() {
    let pool = Numbers::new();
    Connection::keep(leased(&pool, 1));
    let lease = pool.try_lease(&"a").unwrap();
    let mut future = lease.or_connect_async(|| ready(Err::<u32, _>("not asked")));
    let Connected {
        connection,
        unfinished,
    } = outcome(&mut future).unwrap();
    assert_eq!((*connection, unfinished.is_none()), (1, true));
}

#[test]
fn an_idle_connection_whose_future_is_dropped_is_closed_as_with_its_lease() {
    let pool = Numbers::new();
    Connection::keep(leased(&pool, 1));
    let lease = pool.try_lease(&"a").unwrap();
    drop(lease.or_connect_async(|| ready(Ok::<_, ()>(2))));
    assert_eq!(numbers(&pool), (0, 0, 0));
}

#[test]
fn what_is_opened_first_is_used() {
    let (pool, server) = (Numbers::new(), Server::default());
    let busy = leased(&pool, 1);
    let mut future = connecting(&pool, || server.connect());
    server.answer(Ok(2));
    let Connected {
        connection,
        unfinished,
    } = outcome(&mut future).unwrap();
    assert_eq!((*connection, unfinished.is_none()), (2, true));
    // Nobody stands by any more.
    Connection::keep(busy);
    assert_eq!(numbers(&pool), (1, 1, 0));
}

#[test]
fn what_is_released_first_is_used_and_the_rest_is_the_callers() {
    let (pool, server) = (Numbers::new(), Server::default());
    let busy = leased(&pool, 1);
    let wakes = Arc::new(Count::default());
    let mut future = pool
        .try_lease(&"a")
        .unwrap()
        .or_connect_async(|| server.connect());
    let waker = Waker::from(Arc::clone(&wakes));
    assert!(
        Pin::new(&mut future)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    Connection::keep(busy);
    assert_eq!(wakes.0.load(Ordering::SeqCst), 1, "it is told");
    let Connected {
        connection,
        unfinished,
    } = outcome(&mut future).unwrap();
    assert_eq!(*connection, 1);

    let mut unfinished = unfinished.expect("the server has not answered yet");
    assert!(poll(&mut unfinished).is_pending());
    assert_eq!(numbers(&pool), (2, 0, 0), "it keeps its place");
    server.answer(Ok(2));
    Connection::keep(outcome(&mut unfinished).unwrap());
    assert_eq!(numbers(&pool), (1, 1, 0));
    drop(connection);
    assert_eq!(numbers(&pool), (0, 1, 0));
}

#[test]
fn what_is_not_finished_is_given_back_when_it_is_dropped() {
    let (pool, server) = (Numbers::new(), Server::default());
    pool.set_max_total(2);
    let busy = leased(&pool, 1);
    let mut future = connecting(&pool, || server.connect());
    Connection::keep(busy);
    let Connected {
        connection,
        unfinished,
    } = outcome(&mut future).unwrap();
    let mut waiting = pool.lease_async(&"b");
    assert!(poll(&mut waiting).is_pending(), "all places are taken");
    drop(unfinished);
    assert!(matches!(outcome(&mut waiting), Ok(Lease::Vacancy(_))));
    drop(connection);
}

#[test]
fn who_waits_for_the_total_has_the_place_of_what_is_released() {
    let (pool, server) = (Numbers::new(), Server::default());
    pool.set_max_total(2);
    let busy = leased(&pool, 1);
    let mut future = connecting(&pool, || server.connect());
    let mut waiting = pool.lease_async(&"b");
    assert!(poll(&mut waiting).is_pending());
    Connection::keep(busy);
    assert!(matches!(outcome(&mut waiting), Ok(Lease::Vacancy(_))));
    assert!(poll(&mut future).is_pending());
}

#[test]
fn who_waits_comes_before_who_opens() {
    let (pool, server) = (Numbers::new(), Server::default());
    pool.set_max_per_route(2);
    let busy = leased(&pool, 1);
    let mut future = connecting(&pool, || server.connect());
    let mut waiting = pool.lease_async(&"a");
    assert!(poll(&mut waiting).is_pending());
    Connection::keep(busy);
    let Lease::Connection(connection) = outcome(&mut waiting).unwrap() else {
        panic!("it has waited for it");
    };
    assert!(poll(&mut future).is_pending());
    Connection::keep(connection);
    assert_eq!(*outcome(&mut future).unwrap().connection, 1);
}

#[test]
fn what_is_released_goes_to_who_has_stood_by_longest() {
    let (pool, server) = (Numbers::new(), Server::default());
    pool.set_max_per_route(9);
    let (one, two) = (leased(&pool, 1), leased(&pool, 2));
    let mut first = connecting(&pool, || server.connect());
    let mut second = connecting(&pool, || server.connect());
    let third = connecting(&pool, || server.connect());
    drop(third);
    Connection::keep(one);
    Connection::keep(two);
    assert_eq!(*outcome(&mut second).unwrap().connection, 2);
    assert_eq!(*outcome(&mut first).unwrap().connection, 1);
}

#[test]
fn what_is_released_as_it_is_opened_stays() {
    let (pool, server) = (Numbers::new(), Server::default());
    let mut busy = Some(leased(&pool, 1));
    // In the very look that finds the server's answer.
    let mut future = pool.try_lease(&"a").unwrap().or_connect_async(|| {
        let mut answer = Box::pin(server.connect());
        poll_fn(move |context| {
            let answer = answer.as_mut().poll(context);
            if answer.is_ready() {
                Connection::keep(busy.take().expect("once"));
            }
            answer
        })
    });
    assert!(poll(&mut future).is_pending());
    server.answer(Ok(2));
    let connected = outcome(&mut future).unwrap();
    assert_eq!(*connected.connection, 2);
    assert_eq!(numbers(&pool), (1, 1, 0));
}

#[test]
fn an_error_gives_the_place_back() {
    let (pool, server) = (Numbers::new(), Server::default());
    let mut future = connecting(&pool, || server.connect());
    server.answer(Err("refused"));
    assert_eq!(outcome(&mut future).unwrap_err(), "refused");
    assert_eq!(numbers(&pool), (0, 0, 0));
}

#[test]
fn what_was_released_before_an_error_is_used() {
    let pool = Numbers::new();
    let mut busy = Some(leased(&pool, 1));
    let mut future = pool.try_lease(&"a").unwrap().or_connect_async(|| {
        poll_fn(move |_| {
            Connection::keep(busy.take().expect("once"));
            Poll::Ready(Err::<u32, _>("refused"))
        })
    });
    let Connected {
        connection,
        unfinished,
    } = outcome(&mut future).unwrap();
    assert_eq!((*connection, unfinished.is_none()), (1, true));
    assert_eq!(numbers(&pool), (1, 0, 0));
}

#[test]
fn what_is_dead_is_not_taken() {
    let server = Server::default();
    let pool: Numbers = Pool::builder()
        .max_per_route(3)
        .is_usable(|number| *number != 1)
        .build();
    let (dead, alive) = (leased(&pool, 1), leased(&pool, 2));
    let mut future = connecting(&pool, || server.connect());
    Connection::keep(dead);
    assert!(poll(&mut future).is_pending());
    assert_eq!(numbers(&pool), (2, 0, 0), "its place is free");
    Connection::keep(alive);
    assert_eq!(*outcome(&mut future).unwrap().connection, 2);
}

#[test]
fn what_was_released_dead_before_an_error_is_not_used() {
    let pool: Numbers = Pool::builder()
        .max_per_route(3)
        .is_usable(|number| *number != 1)
        .build();
    let mut busy = Some(leased(&pool, 1));
    let mut future = pool.try_lease(&"a").unwrap().or_connect_async(|| {
        poll_fn(move |_| {
            Connection::keep(busy.take().expect("once"));
            Poll::Ready(Err::<u32, _>("refused"))
        })
    });
    assert_eq!(outcome(&mut future).unwrap_err(), "refused");
    assert_eq!(numbers(&pool), (0, 0, 0));
}

/// What is being opened, and does something when it is dropped.
struct Begun<D: FnMut() + Unpin> {
    answer: Option<Result<u32, &'static str>>,
    at_drop: D,
}

impl<D: FnMut() + Unpin> Future for Begun<D> {
    type Output = Result<u32, &'static str>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        self.answer.take().map_or(Poll::Pending, Poll::Ready)
    }
}

impl<D: FnMut() + Unpin> Drop for Begun<D> {
    fn drop(&mut self) {
        (self.at_drop)();
    }
}

#[test]
fn nobody_stands_by_while_what_was_begun_is_dropped() {
    for answer in [None, Some(Ok(2)), Some(Err("refused"))] {
        let pool = Numbers::new();
        pool.set_max_per_route(4);
        let mut busy = Some(leased(&pool, 1));
        let is_there = RefCell::new(None);
        let at_drop = || {
            Connection::keep(busy.take().expect("once"));
            *is_there.borrow_mut() = Some(numbers(&pool).1);
        };
        let lease = pool.try_lease(&"a").unwrap();
        let mut future = lease.or_connect_async(|| Begun { answer, at_drop });
        drop(poll(&mut future));
        drop(future);
        assert_eq!(*is_there.borrow(), Some(1), "{answer:?}");
    }
}

#[test]
fn what_was_begun_is_dropped_before_its_place_is_anothers() {
    for answer in [None, Some(Err("refused"))] {
        let pool = Numbers::new();
        pool.set_max_total(1);
        let told = Arc::new(Count::default());
        let told_before = RefCell::new(None);
        let at_drop = || *told_before.borrow_mut() = Some(told.0.load(Ordering::SeqCst));
        let lease = pool.try_lease(&"a").unwrap();
        let mut future = lease.or_connect_async(|| Begun { answer, at_drop });
        let mut waiting = pool.lease_async(&"b");
        let waker = Waker::from(Arc::clone(&told));
        let mut context = Context::from_waker(&waker);
        assert!(Pin::new(&mut waiting).poll(&mut context).is_pending());
        drop(poll(&mut future));
        drop(future);
        assert_eq!(*told_before.borrow(), Some(0), "{answer:?}");
        assert_eq!(told.0.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn what_is_not_finished_panics_where_it_is_polled_after_it_was_ready() {
    let (pool, server) = (Numbers::new(), Server::default());
    let busy = leased(&pool, 1);
    let mut future = connecting(&pool, || server.connect());
    Connection::keep(busy);
    let mut unfinished = outcome(&mut future).unwrap().unfinished.unwrap();
    server.answer(Ok(2));
    assert!(outcome(&mut unfinished).is_ok());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(poll(&mut unfinished)))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(poll(&mut future)))).is_err());
}

#[test]
fn a_panic_of_the_look_at_what_is_released_lets_opening_go_on() {
    let server = Server::default();
    let is_failing = Arc::new(AtomicUsize::new(1));
    let asked = Arc::clone(&is_failing);
    let pool: Numbers = Pool::builder()
        .max_per_route(3)
        .is_usable(move |_| match asked.swap(0, Ordering::SeqCst) {
            0 => true,
            _ => resume_unwind(Box::new(())),
        })
        .build();
    let busy = leased(&pool, 1);
    let mut future = connecting(&pool, || server.connect());
    Connection::keep(busy);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(poll(&mut future)))).is_err());
    assert_eq!(numbers(&pool), (1, 0, 0));
    server.answer(Ok(2));
    assert_eq!(*outcome(&mut future).unwrap().connection, 2);
}

#[test]
fn what_is_bound_to_somebody_is_not_taken() {
    let (pool, server) = (Numbers::new(), Server::default());
    let mut busy = leased(&pool, 1);
    Connection::bind(&mut busy, Some(&State::new("alice")));
    let mut future = connecting(&pool, || server.connect());
    Connection::keep(busy);
    assert!(poll(&mut future).is_pending());
    assert_eq!(numbers(&pool), (1, 1, 0));
}

#[test]
fn in_a_barging_pool_what_its_waiter_has_left_is_taken() {
    let server = Server::default();
    let pool: Numbers = Pool::builder().max_per_route(2).barging(true).build();
    let busy = leased(&pool, 1);
    let mut future = connecting(&pool, || server.connect());
    let mut waiting = pool.lease_async(&"a");
    assert!(poll(&mut waiting).is_pending());
    Connection::keep(busy);
    // It was told to come for it.
    drop(waiting);
    assert_eq!(*outcome(&mut future).unwrap().connection, 1);
}

#[test]
fn in_a_barging_pool_a_waiter_who_was_told_comes_first() {
    let server = Server::default();
    let pool: Numbers = Pool::builder().max_per_route(2).barging(true).build();
    let busy = leased(&pool, 1);
    let lease = pool.try_lease(&"a").unwrap();
    let mut waiting = pool.lease_async(&"a");
    assert!(poll(&mut waiting).is_pending());
    Connection::keep(busy);
    let mut future = lease.or_connect_async(|| server.connect());
    assert!(poll(&mut future).is_pending());
    assert!(matches!(outcome(&mut waiting), Ok(Lease::Connection(_))));
}

#[test]
fn a_shutdown_lets_what_is_being_opened_be_used() {
    let (pool, server) = (Numbers::new(), Server::default());
    let mut future = connecting(&pool, || server.connect());
    pool.shutdown();
    assert!(poll(&mut future).is_pending());
    server.answer(Ok(2));
    let connected = outcome(&mut future).unwrap();
    assert_eq!(*connected.connection, 2);
    Connection::keep(connected.connection);
    assert_eq!(numbers(&pool), (0, 0, 0));
}

#[test]
fn a_future_dropped_gives_back_its_place_and_what_was_granted() {
    let (pool, server) = (Numbers::new(), Server::default());
    let busy = leased(&pool, 1);
    let future = connecting(&pool, || server.connect());
    Connection::keep(busy);
    assert_eq!(numbers(&pool), (2, 0, 0));
    drop(future);
    assert_eq!(numbers(&pool), (0, 1, 0));
    assert!(matches!(
        pool.lease(&"a", Duration::ZERO),
        Ok(Lease::Connection(_))
    ));
}

#[test]
fn a_panic_of_what_connects_costs_nothing() {
    let pool = Numbers::new();
    pool.set_max_total(2);
    let busy = leased(&pool, 1);
    let mut future = pool
        .try_lease(&"a")
        .unwrap()
        .or_connect_async(|| poll_fn(|_| -> Poll<Result<u32, ()>> { resume_unwind(Box::new(())) }));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(poll(&mut future)))).is_err());
    drop(future);
    let begun = || -> std::future::Ready<Result<u32, ()>> { resume_unwind(Box::new(())) };
    let lease = pool.try_lease(&"a").unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(lease.or_connect_async(begun)))).is_err());
    Connection::keep(busy);
    assert_eq!(numbers(&pool), (0, 1, 0));
}

/// One thread gives back what others, who open for ever, stand by for: each release is answered, and none is lost.
#[test]
fn on_threads_each_gets_what_another_releases() {
    const THREADS: u32 = 4;
    const ROUNDS: u32 = 2_000;
    let pool = Numbers::new();
    pool.set_max_total(2 * THREADS);
    pool.set_max_per_route(2 * THREADS);
    Connection::keep(leased(&pool, 1));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let pool = &pool;
            scope.spawn(move || {
                for _ in 0..ROUNDS {
                    let lease = pool.lease(&"a", LONG).unwrap();
                    let mut future =
                        lease.or_connect_async(std::future::pending::<Result<u32, ()>>);
                    let connected = wait(Pin::new(&mut future)).unwrap();
                    thread::yield_now();
                    Connection::keep(connected.connection);
                }
            });
        }
    });
    assert_eq!(numbers(&pool), (0, 1, 0));
}

#[test]
fn its_futures_may_go_to_other_threads() {
    fn is_send<T: Send>(_: &T) {}
    let pool = Numbers::new();
    let future = pool
        .try_lease(&"a")
        .unwrap()
        .or_connect_async(|| ready(Ok::<_, LeaseError>(1)));
    is_send(&future);
}
