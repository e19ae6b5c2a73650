//! The Rust face, rule by rule: what a user of `Pool` may rely on.

#![cfg(not(any(loom, shuttle)))]

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use leasehold::{
    Builder, Clock, Connection, Lease, LeaseError, ManualClock, Policy, Pool, Reuse, State, Stats,
    Use,
};

const LONG: Duration = Duration::from_secs(60);

/// The numbers of a pool with nothing in it.
fn nothing_of(max: u32) -> Stats {
    let mut stats = Stats::default();
    stats.max = max;
    stats
}

/// A connection that tells when it is closed.
#[derive(Debug)]
struct Wire {
    number: usize,
    closed: Arc<Mutex<Vec<usize>>>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.closed.lock().unwrap().push(self.number);
    }
}

type Settings = Builder<&'static str, Wire>;

/// A pool, what it opened and what was closed.
struct Scene {
    pool: Pool<&'static str, Wire>,
    opened: AtomicUsize,
    closed: Arc<Mutex<Vec<usize>>>,
    clock: ManualClock,
}

impl Scene {
    fn new(settings: impl FnOnce(Settings) -> Settings) -> Self {
        let clock = ManualClock::new();
        Scene {
            pool: settings(Pool::builder().clock(Clock::manual(&clock))).build(),
            opened: AtomicUsize::new(0),
            closed: Arc::default(),
            clock,
        }
    }

    fn open(&self) -> Wire {
        Wire {
            number: self.opened.fetch_add(1, Ordering::Relaxed),
            closed: Arc::clone(&self.closed),
        }
    }

    fn fill(&self, lease: Lease<&'static str, Wire>) -> Connection<&'static str, Wire> {
        lease.or_connect(|| Ok::<_, ()>(self.open())).unwrap()
    }

    fn lease(&self, key: &'static str) -> Connection<&'static str, Wire> {
        self.fill(self.pool.try_lease(&key).unwrap())
    }

    fn closed(&self) -> Vec<usize> {
        self.closed.lock().unwrap().clone()
    }

    /// Runs `call` on another thread and comes back once it waits.
    fn waiting<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> thread::JoinHandle<T> {
        let before = self.pool.stats().pending;
        let thread = thread::spawn(call);
        while self.pool.stats().pending == before {
            thread::yield_now();
        }
        thread
    }
}

struct CountingWaker(AtomicUsize);

impl CountingWaker {
    fn new() -> Arc<Self> {
        Arc::new(CountingWaker(AtomicUsize::new(0)))
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for CountingWaker {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

#[test]
fn a_kept_connection_is_leased_again() {
    let scene = Scene::new(|pool| pool);
    Connection::keep(scene.lease("a"));
    assert_eq!(scene.lease("a").number, 0);
    assert_eq!(scene.lease("b").number, 1);
}

#[test]
fn a_connection_dropped_without_a_word_is_closed() {
    let scene = Scene::new(|pool| pool);
    drop(scene.lease("a"));
    assert_eq!(scene.closed(), [0]);
    assert_eq!(scene.pool.stats().available, 0);
}

#[test]
fn a_panic_in_an_exchange_closes_its_connection() {
    let scene = Scene::new(|pool| pool);
    let exchange = || {
        let _connection = scene.lease("a");
        panic!("half an answer");
    };
    assert!(catch_unwind(AssertUnwindSafe(exchange)).is_err());
    assert_eq!(scene.closed(), [0]);
    assert_eq!(scene.pool.stats().leased, 0);
}

#[test]
fn a_panic_costs_the_connection_in_use_and_nothing_else() {
    let scene = Scene::new(|pool| pool.max_total(2));
    let route = scene.pool.route(&"a").unwrap();
    for turn in 0..1_000 {
        let panicking = || {
            let _held = scene.pool.route(&"held").unwrap();
            let _leased = scene.fill(route.try_lease().unwrap());
            let _vacancy = scene.pool.try_lease(&"b").unwrap();
            let mut future = scene.pool.lease_async(&"c");
            assert!(poll(&mut future, Waker::noop()).is_pending());
            resume_unwind(Box::new("the handler failed"));
        };
        if turn % 10 == 0 {
            assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
        }
        let connection = scene.fill(route.try_lease().unwrap());
        let failed = scene.pool.try_lease(&"b").unwrap();
        let connecting =
            || failed.or_connect(|| -> Result<Wire, ()> { resume_unwind(Box::new(0)) });
        assert!(catch_unwind(AssertUnwindSafe(connecting)).is_err());
        Connection::keep(connection);
        assert!(!scene.pool.is_shut_down());
    }
    let stats = scene.pool.stats();
    assert_eq!((stats.leased, stats.available, stats.pending), (0, 1, 0));
    assert_eq!(scene.closed().len(), 100);
}

#[test]
fn an_unused_vacancy_gives_its_place_back() {
    let scene = Scene::new(|pool| pool.max_total(1));
    let vacancy = scene.pool.try_lease(&"a").unwrap();
    assert_eq!(
        scene.pool.try_lease(&"b").unwrap_err(),
        LeaseError::Exhausted
    );
    drop(vacancy);
    drop(scene.lease("b"));
    assert_eq!(scene.pool.stats().leased, 0);
}

#[test]
fn an_error_of_connecting_is_the_callers_own_and_loses_nothing() {
    let scene = Scene::new(|pool| pool.max_total(1));
    let lease = scene.pool.try_lease(&"a").unwrap();
    assert_eq!(lease.or_connect(|| Err("refused")).unwrap_err(), "refused");
    assert_eq!(scene.pool.stats().leased, 0);
}

#[test]
fn idle_connections_go_newest_first_or_in_turn() {
    for (policy, order) in [(Policy::Lifo, [1, 0]), (Policy::Fifo, [0, 1])] {
        let scene = Scene::new(|pool| pool.policy(policy));
        let (first, second) = (scene.lease("a"), scene.lease("a"));
        Connection::keep(first);
        Connection::keep(second);
        let leased = [scene.lease("a"), scene.lease("a")];
        assert_eq!([leased[0].number, leased[1].number], order);
    }
}

#[test]
fn an_expired_connection_is_closed_and_not_leased() {
    let scene = Scene::new(|pool| pool);
    Connection::release(scene.lease("a"), Reuse::KeepFor(Duration::from_secs(5)));
    scene.clock.advance(4_999);
    Connection::keep_for(scene.lease("a"), Duration::from_secs(5));
    scene.clock.advance(5_000);
    let fresh = scene.lease("a");
    assert_eq!(fresh.number, 1);
    assert_eq!(scene.closed(), [0]);
}

#[test]
fn the_time_to_live_ends_even_a_busy_connection() {
    let scene = Scene::new(|pool| pool.time_to_live(Duration::from_secs(10)));
    Connection::keep(scene.lease("a"));
    for _ in 0..3 {
        scene.clock.advance(3_000);
        Connection::keep_for(scene.lease("a"), LONG);
    }
    scene.clock.advance(1_000);
    assert_eq!(scene.lease("a").number, 1);
}

#[test]
fn a_promise_noted_in_a_lease_outlives_it() {
    let scene = Scene::new(|pool| pool);
    let mut connection = scene.lease("a");
    Connection::update_expiry(&mut connection, Duration::from_secs(5));
    Connection::keep_as_promised(connection);
    scene.clock.advance(3_000);
    Connection::keep_as_promised(scene.lease("a"));
    scene.clock.advance(2_000);
    assert_eq!(scene.lease("a").number, 1);
}

#[test]
fn housekeeping_closes_what_is_due_and_nothing_else() {
    let scene = Scene::new(|pool| pool);
    let connections: Vec<_> = (0..3).map(|_| scene.lease("a")).collect();
    for (connection, seconds) in connections.into_iter().zip([1, 2, 3]) {
        Connection::keep_for(connection, Duration::from_secs(seconds));
    }
    scene.clock.advance(2_000);
    scene.pool.close_expired();
    assert_eq!(scene.closed(), [0, 1]);
    scene.pool.close_idle(Duration::from_millis(2_001));
    assert_eq!(scene.pool.stats().available, 1);
    scene.pool.close_idle(Duration::from_secs(2));
    assert_eq!(scene.closed(), [0, 1, 2]);
}

#[test]
fn clearing_a_route_closes_idle_connections_now_and_leased_ones_at_their_release() {
    let scene = Scene::new(|pool| pool);
    let (idle, leased, other) = (scene.lease("a"), scene.lease("a"), scene.lease("b"));
    Connection::keep(idle);
    Connection::keep(other);
    scene.pool.clear(&"a");
    assert_eq!(scene.closed(), [0]);
    Connection::keep(leased);
    assert_eq!(scene.closed(), [0, 1]);
    scene.pool.clear(&"never seen");
    assert_eq!(scene.pool.stats().available, 1);
}

#[test]
fn an_idle_connection_of_another_route_makes_room() {
    let scene = Scene::new(|pool| pool.max_total(2));
    let (a, b) = (scene.lease("a"), scene.lease("b"));
    Connection::keep(b);
    Connection::keep(a);
    let c = scene.lease("c");
    assert_eq!(c.number, 2);
    assert_eq!(scene.closed(), [1], "the least recently released goes");
}

#[test]
fn a_route_has_its_own_limit() {
    let scene = Scene::new(|pool| pool.max_per_route(1));
    scene.pool.set_max_of(&"a", Some(2)).unwrap();
    let _leases = (scene.lease("a"), scene.lease("a"), scene.lease("b"));
    assert_eq!(
        scene.pool.try_lease(&"a").unwrap_err(),
        LeaseError::Exhausted
    );
    assert_eq!(
        scene.pool.try_lease(&"b").unwrap_err(),
        LeaseError::Exhausted
    );
    let of = |key| {
        let stats = scene.pool.stats_of(&key);
        (stats.leased, stats.available, stats.max)
    };
    assert_eq!(
        (of("a"), of("b"), of("c")),
        ((2, 0, 2), (1, 0, 1), (0, 0, 1))
    );
}

#[test]
fn a_lowered_limit_closes_surplus_and_a_raised_one_serves_waiters() {
    let scene = Scene::new(|pool| pool);
    let leases: Vec<_> = (0..3).map(|_| scene.lease("a")).collect();
    leases.into_iter().for_each(Connection::keep);
    scene.pool.set_max_total(1);
    assert_eq!(scene.closed(), [0, 1]);

    let held = scene.lease("a");
    let pool = scene.pool.clone();
    let waiter = scene.waiting(move || pool.lease(&"a", LONG).map(drop));
    scene.pool.set_max_total(2);
    assert_eq!(waiter.join().unwrap(), Ok(()));
    Connection::keep(held);
}

#[test]
fn a_released_connection_goes_to_who_has_waited_longest() {
    let scene = Arc::new(Scene::new(|pool| pool.max_total(1)));
    let held = scene.lease("a");
    let (served, order) = mpsc::channel();
    let waiters: Vec<_> = (0..4)
        .map(|number| {
            let (inner, served) = (Arc::clone(&scene), served.clone());
            scene.waiting(move || {
                let connection = inner.fill(inner.pool.lease(&"a", LONG).unwrap());
                served.send(number).unwrap();
                Connection::keep(connection);
            })
        })
        .collect();
    Connection::keep(held);
    waiters
        .into_iter()
        .for_each(|waiter| waiter.join().unwrap());
    assert_eq!(order.try_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(scene.opened.load(Ordering::Relaxed), 1);
}

#[test]
fn a_lease_that_is_not_served_in_time_fails_and_leaves_the_queue() {
    let scene = Scene::new(|pool| pool.max_total(1));
    let held = scene.lease("a");
    for timeout in [Duration::from_millis(1), Duration::ZERO] {
        let outcome = scene.pool.lease(&"a", timeout);
        assert!(matches!(outcome, Err(LeaseError::Timeout(_))));
    }
    assert_eq!(scene.pool.stats().pending, 0);
    Connection::keep(held);
    assert_eq!(scene.pool.stats().available, 1);
}

#[test]
fn one_waiter_too_many_is_refused() {
    let scene = Scene::new(|pool| pool.max_total(1).max_waiters(1));
    let held = scene.lease("a");
    let pool = scene.pool.clone();
    let waiter = scene.waiting(move || pool.lease(&"a", LONG).map(drop));
    assert_eq!(
        scene.pool.lease(&"a", LONG).unwrap_err(),
        LeaseError::QueueFull
    );
    drop(held);
    assert_eq!(waiter.join().unwrap(), Ok(()));
}

#[test]
fn shutdown_tells_waiters_closes_what_is_idle_and_later_what_is_leased() {
    let scene = Scene::new(|pool| pool.max_per_route(1));
    let (idle, leased) = (scene.lease("idle"), scene.lease("leased"));
    Connection::keep(idle);
    let pool = scene.pool.clone();
    let waiter = scene.waiting(move || pool.lease(&"leased", LONG).map(drop));
    scene.pool.shutdown();
    scene.pool.shutdown();
    assert!(scene.pool.is_shut_down());
    assert_eq!(waiter.join().unwrap(), Err(LeaseError::ShutDown));
    assert_eq!(scene.closed(), [0]);
    assert_eq!(
        scene.pool.try_lease(&"new").unwrap_err(),
        LeaseError::ShutDown
    );
    Connection::keep(leased);
    assert_eq!(scene.closed(), [0, 1]);
    assert_eq!(scene.pool.stats().leased, 0);
}

#[test]
fn a_vacancy_filled_after_the_shutdown_can_be_used_and_closes() {
    let scene = Scene::new(|pool| pool);
    let vacancy = scene.pool.try_lease(&"a").unwrap();
    scene.pool.shutdown();
    let connection = scene.fill(vacancy);
    assert_eq!(connection.number, 0);
    Connection::keep(connection);
    assert_eq!(scene.closed(), [0]);
    assert_eq!(scene.pool.stats().leased, 0);
}

#[test]
fn a_dead_connection_is_replaced_in_place() {
    let scene = Scene::new(|pool| pool.max_total(1));
    let (dead, vacancy) = Connection::replace(scene.lease("a")).unwrap();
    drop(dead);
    assert_eq!(scene.pool.stats().leased, 1);
    Connection::keep(vacancy.fill(scene.open()));
    assert_eq!(scene.lease("a").number, 1);
}

#[test]
fn after_a_shutdown_a_connection_is_replaced_that_was_leased_before_and_no_other() {
    let scene = Scene::new(|pool| pool);
    let leased = scene.lease("a");
    let vacancy = scene.pool.try_lease(&"a").unwrap();
    scene.pool.shutdown();
    assert!(Connection::replace(leased).is_ok());
    assert_eq!(
        Connection::replace(scene.fill(vacancy)).unwrap_err(),
        LeaseError::ShutDown
    );
    assert_eq!(scene.closed(), [0, 1]);
    assert_eq!(scene.pool.stats().leased, 0);
}

#[test]
fn a_connection_bound_to_somebody_is_never_given_to_others() {
    let scene = Scene::new(|pool| pool.max_per_route(2));
    let (alice, bob) = (State::new("alice"), State::new("bob"));
    let lease = |state| {
        scene.fill(
            scene
                .pool
                .request(&"a")
                .bound_to(state)
                .try_lease()
                .unwrap(),
        )
    };

    let mut hers = lease(&alice);
    Connection::bind(&mut hers, Some(&alice));
    Connection::keep(hers);
    let hers = lease(&alice);
    assert_eq!(hers.number, 0);
    Connection::keep(hers);

    let his = lease(&bob);
    assert_eq!(
        his.number, 1,
        "hers is not his, though he is bound to nobody yet"
    );
    let nobodys = scene.lease("a");
    assert_eq!(nobodys.number, 2, "hers made room");
    assert_eq!(scene.closed(), [0]);
    Connection::keep(his);
    assert_eq!(lease(&alice).number, 1, "bound to nobody, fit for anybody");
}

#[test]
fn a_future_is_woken_and_yields_what_came_free() {
    let scene = Scene::new(|pool| pool.max_total(1));
    let held = scene.lease("a");
    let counter = CountingWaker::new();
    let waker = Waker::from(Arc::clone(&counter));
    let mut future = scene.pool.lease_async(&"a");
    assert!(poll(&mut future, &waker).is_pending());
    assert!(poll(&mut future, &waker).is_pending());
    Connection::keep(held);
    assert_eq!(counter.count(), 1);
    let Poll::Ready(Ok(Lease::Connection(connection))) = poll(&mut future, &waker) else {
        panic!("it was woken for something");
    };
    assert_eq!(connection.number, 0);
}

#[test]
fn only_the_last_waker_of_a_future_is_woken() {
    let scene = Scene::new(|pool| pool.max_total(1));
    let held = scene.lease("a");
    let counters = [CountingWaker::new(), CountingWaker::new()];
    let mut future = scene.pool.lease_async(&"a");
    for counter in &counters {
        assert!(poll(&mut future, &Waker::from(Arc::clone(counter))).is_pending());
    }
    Connection::keep(held);
    assert_eq!(counters.map(|counter| counter.count()), [0, 1]);
}

#[test]
fn a_request_that_waits_no_longer_leaves_no_waker_in_the_pool() {
    let scene = Scene::new(|pool| pool.max_total(1));
    let held = scene.lease("a");
    let counter = CountingWaker::new();
    let waker = Waker::from(Arc::clone(&counter));
    let before = Arc::strong_count(&counter);

    let mut served = scene.pool.lease_async(&"a");
    assert!(poll(&mut served, &waker).is_pending());
    assert!(Arc::strong_count(&counter) > before);
    Connection::keep(held);
    let Poll::Ready(Ok(held)) = poll(&mut served, &waker) else {
        panic!("it was served");
    };
    assert_eq!(Arc::strong_count(&counter), before);

    let mut late = scene.pool.request(&"a").lease_async_within(Duration::ZERO);
    let Poll::Ready(outcome) = poll(&mut late, &waker) else {
        panic!("its time is over");
    };
    assert!(matches!(outcome, Err(LeaseError::Timeout(_))));
    assert_eq!(Arc::strong_count(&counter), before);
    drop(held);
}

#[test]
fn a_future_dropped_after_it_was_granted_passes_the_grant_on() {
    let scene = Scene::new(|pool| pool.max_total(1));
    let held = scene.lease("a");
    let mut first = scene.pool.lease_async(&"a");
    let mut second = scene.pool.lease_async(&"b");
    assert!(poll(&mut first, Waker::noop()).is_pending());
    assert!(poll(&mut second, Waker::noop()).is_pending());
    Connection::keep(held);
    drop(first);
    let Poll::Ready(Ok(Lease::Vacancy(_))) = poll(&mut second, Waker::noop()) else {
        panic!("it was next");
    };
    assert_eq!(
        scene.closed(),
        [0],
        "the connection to a made room for one to b"
    );
}

#[test]
fn a_grant_given_back_unused_keeps_its_expiry_and_its_owner() {
    let scene = Scene::new(|pool| pool.max_total(1));
    let alice = State::new("alice");
    let mut held = scene.lease("a");
    Connection::bind(&mut held, Some(&alice));
    let mut future = scene.pool.request(&"a").bound_to(&alice).lease_async();
    assert!(poll(&mut future, Waker::noop()).is_pending());
    Connection::keep_for(held, Duration::from_secs(5));
    scene.clock.advance(3_000);
    drop(future);
    assert_eq!(
        scene.pool.entries()[0].expires_in,
        Some(Duration::from_secs(2))
    );
    let hers = scene.pool.request(&"a").bound_to(&alice).try_lease();
    assert!(matches!(hers, Ok(Lease::Connection(_))));
}

#[test]
fn a_future_that_was_never_polled_leaves_nothing() {
    let scene = Scene::new(|pool| pool.max_total(7));
    drop(scene.pool.lease_async(&"a"));
    assert_eq!(scene.pool.stats(), nothing_of(7));
}

#[test]
fn a_connection_whose_drop_panics_costs_nobody_else_anything() {
    struct Grumpy;

    impl Drop for Grumpy {
        fn drop(&mut self) {
            panic!("close failed");
        }
    }

    let pool: Pool<&str, Grumpy> = Pool::builder().max_total(1).build();
    let held = pool
        .try_lease(&"a")
        .unwrap()
        .or_connect(|| Ok::<_, ()>(Grumpy))
        .unwrap();
    let mut waiter = pool.lease_async(&"b");
    let counter = CountingWaker::new();
    assert!(poll(&mut waiter, &Waker::from(Arc::clone(&counter))).is_pending());
    // Room for b is made by closing the connection to a, which panics.
    assert!(catch_unwind(AssertUnwindSafe(|| Connection::keep(held))).is_err());
    assert_eq!(counter.count(), 1);
    assert!(matches!(
        poll(&mut waiter, Waker::noop()),
        Poll::Ready(Ok(Lease::Vacancy(_)))
    ));
}

#[test]
fn a_held_route_outlives_ten_thousand_others() {
    let pool: Pool<usize, ()> = Pool::new();
    let route = pool.route(&0).unwrap();
    for host in 1..10_000 {
        drop(
            pool.try_lease(&host)
                .unwrap()
                .or_connect(|| Ok::<_, ()>(()))
                .unwrap(),
        );
    }
    Connection::keep(
        route
            .try_lease()
            .unwrap()
            .or_connect(|| Ok::<_, ()>(()))
            .unwrap(),
    );
    assert!(matches!(pool.try_lease(&0), Ok(Lease::Connection(_))));
}

#[test]
fn the_listing_shows_each_connection_once() {
    let scene = Scene::new(|pool| pool);
    let _leased = scene.lease("a");
    Connection::keep_for(scene.lease("b"), Duration::from_secs(5));
    let _opening = scene.pool.try_lease(&"c").unwrap();
    scene.clock.advance(2_000);
    let mut listed: Vec<_> = scene
        .pool
        .entries()
        .into_iter()
        .map(|entry| (*entry.key, entry.used, entry.idle_for, entry.expires_in))
        .collect();
    listed.sort_by_key(|entry| entry.0);
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(
        listed,
        [
            ("a", Use::Leased, None, None),
            ("b", Use::Idle, seconds(2), seconds(3)),
            ("c", Use::Opening, None, None),
        ]
    );
}

#[test]
fn the_last_clone_closes_what_is_idle() {
    let scene = Scene::new(|pool| pool);
    Connection::keep(scene.lease("a"));
    let closed = Arc::clone(&scene.closed);
    drop(scene);
    assert_eq!(*closed.lock().unwrap(), [0]);
}

#[test]
fn many_threads_share_few_connections_and_lose_none() {
    const THREADS: usize = 8;
    const ROUNDS: usize = 2_000;
    let scene = Scene::new(|pool| pool.max_total(3).max_per_route(2));
    scene.pool.measure_held(true);
    let in_use = AtomicUsize::new(0);
    let start = Barrier::new(THREADS);
    thread::scope(|threads| {
        for number in 0..THREADS {
            let (scene, in_use, start) = (&scene, &in_use, &start);
            threads.spawn(move || {
                start.wait();
                for round in 0..ROUNDS {
                    let key = ["a", "b", "c"][(number + round) % 3];
                    let connection = scene.fill(scene.pool.lease(&key, LONG).unwrap());
                    assert!(in_use.fetch_add(1, Ordering::SeqCst) < 3);
                    in_use.fetch_sub(1, Ordering::SeqCst);
                    if round % 7 == 0 {
                        Connection::close(connection);
                    } else {
                        Connection::keep(connection);
                    }
                }
            });
        }
    });
    let stats = scene.pool.stats();
    assert_eq!((stats.leased, stats.pending), (0, 0));
    let open = scene.opened.load(Ordering::SeqCst) - scene.closed().len();
    assert_eq!(open, stats.available as usize);
    let metrics = scene.pool.metrics();
    let counts = [metrics.waiting, metrics.opening, metrics.held].map(|times| times.count());
    let all = (THREADS * ROUNDS) as u64;
    assert_eq!(counts, [metrics.waited, metrics.opened, all]);
}

#[test]
fn a_future_holds_its_route() {
    let pool: Pool<u32, u32> = Pool::builder().max_total(1).build();
    let busy = pool.try_lease(&0).unwrap();
    let route = pool.route(&0).unwrap();
    let (unpolled, mut polled) = (route.clone().lease_async(), Box::pin(route.lease_async()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(polled.as_mut().poll(&mut context).is_pending());
    drop(route);
    drop(busy);
    // Other routes come, and every one that nobody needs is reclaimed.
    for key in 1..1_000 {
        drop(pool.route(&key).unwrap());
    }
    let Poll::Ready(Ok(Lease::Vacancy(vacancy))) = polled.as_mut().poll(&mut context) else {
        panic!("its route was reclaimed");
    };
    Connection::close(vacancy.fill(7));
    for key in 1..1_000 {
        drop(pool.route(&key).unwrap());
    }
    let outcome = pin!(unpolled).poll(&mut context);
    assert!(matches!(outcome, Poll::Ready(Ok(Lease::Vacancy(_)))));
}

#[test]
fn no_more_are_idle_of_a_route_than_may_be_and_the_oldest_go() {
    let scene = Scene::new(|settings| settings.max_idle_per_route(2));
    let leased = [(); 4].map(|()| scene.lease("a"));
    let other = scene.lease("b");
    Connection::keep(other);
    for connection in leased {
        Connection::keep(connection);
    }
    assert_eq!(scene.closed(), [0, 1]);
    let idle = ["a", "b"].map(|key| scene.pool.stats_of(&key).available);
    assert_eq!((idle, scene.pool.counters().over_limit), ([2, 1], 2));
    // Of those that go on the most recently released is the first.
    assert_eq!(scene.lease("a").number, 3);
}

#[test]
fn with_no_idle_ones_allowed_only_who_waits_gets_what_is_kept() {
    let scene = Scene::new(|settings| settings.max_idle_per_route(0).max_total(1));
    let held = scene.lease("a");
    let pool = scene.pool.clone();
    let waiter = scene.waiting(move || pool.lease(&"a", LONG));
    Connection::keep(held);
    let Ok(Lease::Connection(connection)) = waiter.join().unwrap() else {
        panic!("it waited for this one");
    };
    assert!(scene.closed().is_empty());
    Connection::keep(connection);
    assert_eq!((scene.closed(), scene.pool.stats().available), (vec![0], 0));
}

#[test]
fn however_many_threads_release_at_once_no_more_are_idle_afterwards_than_may_be() {
    let scene = Scene::new(|settings| settings.max_idle_per_route(3));
    for _ in 0..50 {
        let leased: Vec<_> = (0..8).map(|_| scene.lease("a")).collect();
        let start = Barrier::new(leased.len());
        thread::scope(|threads| {
            for connection in leased {
                threads.spawn(|| {
                    start.wait();
                    Connection::keep(connection);
                });
            }
        });
        assert_eq!(scene.pool.stats().available, 3);
    }
}

#[test]
fn a_connection_that_the_program_finds_unusable_is_not_leased() {
    let refused: Arc<Mutex<Vec<usize>>> = Arc::default();
    let asked = Arc::clone(&refused);
    let scene = Scene::new(|settings| {
        settings.is_usable(move |wire| !asked.lock().unwrap().contains(&wire.number))
    });
    for connection in [(); 3].map(|()| scene.lease("a")) {
        Connection::keep(connection);
    }
    refused.lock().unwrap().extend([1, 2]);
    let usable = scene.lease("a");
    assert_eq!((usable.number, scene.closed()), (0, vec![1, 2]));
    assert_eq!(scene.pool.counters().stale, 2);
    refused.lock().unwrap().push(0);
    Connection::keep(usable);
    let lease = scene.pool.try_lease(&"a").unwrap();
    assert!(matches!(lease, Lease::Vacancy(_)));
    assert_eq!(
        (scene.closed(), scene.pool.stats().leased),
        (vec![1, 2, 0], 1)
    );
}

#[test]
fn what_is_not_retained_is_closed_and_the_rest_is_idle_as_if_nobody_had_looked() {
    let scene = Scene::new(|settings| settings);
    for connection in [(); 4].map(|()| scene.lease("a")) {
        Connection::keep_for(connection, Duration::from_secs(100));
        scene.clock.advance(1_000);
    }
    let leased = scene.lease("a");
    let mut seen = Vec::new();
    scene.pool.retain(|key, wire| {
        seen.push((*key, wire.number));
        wire.number != 1
    });
    seen.sort_unstable();
    assert_eq!(seen, [("a", 0), ("a", 1), ("a", 2)]);
    assert_eq!(scene.closed(), [1]);
    let mut entries: Vec<_> = scene
        .pool
        .entries()
        .into_iter()
        .map(|entry| (entry.idle_for, entry.expires_in))
        .collect();
    entries.sort_unstable();
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let wanted = [
        (None, seconds(99)),
        (seconds(2), seconds(98)),
        (seconds(4), seconds(96)),
    ];
    assert_eq!(entries, wanted);
    // The order of their release is the old one, too.
    scene.pool.close_idle(Duration::from_secs(4));
    assert_eq!((scene.closed(), scene.lease("a").number), (vec![1, 0], 2));
    drop(leased);
}

#[test]
fn who_waits_gets_what_is_looked_at() {
    let scene = Scene::new(|settings| settings.max_total(1));
    Connection::keep(scene.lease("a"));
    let mut waiter = None;
    scene.pool.retain(|_, _| {
        let pool = scene.pool.clone();
        waiter = Some(scene.waiting(move || pool.lease(&"a", LONG)));
        true
    });
    let served = waiter.unwrap().join().unwrap().unwrap();
    assert!(matches!(&served, Lease::Connection(connection) if connection.number == 0));
    assert!(scene.closed().is_empty());
}

#[test]
fn a_connection_that_is_taken_out_is_its_takers_and_its_place_is_free() {
    let scene = Scene::new(|settings| settings.max_total(1));
    let held = scene.lease("a");
    let pool = scene.pool.clone();
    let waiter = scene.waiting(move || pool.lease(&"b", LONG).map(drop));
    let wire = Connection::into_inner(held);
    waiter.join().unwrap().unwrap();
    assert_eq!((scene.pool.stats().leased, scene.closed()), (0, vec![]));
    drop(wire);
    assert_eq!(scene.closed(), [0]);
}

#[test]
fn a_guard_knows_how_old_its_connection_is_and_whether_it_was_leased_before() {
    let scene = Scene::new(|settings| settings.max_total(1));
    let first = scene.lease("a");
    scene.clock.advance(3_000);
    assert!(!Connection::is_reused(&first));
    let pool = scene.pool.clone();
    let waiter = scene.waiting(move || {
        let lease = pool.lease(&"a", LONG).unwrap();
        lease.or_connect(|| Err("handed over")).unwrap()
    });
    Connection::keep(first);
    let handed_over = waiter.join().unwrap();
    assert!(Connection::is_reused(&handed_over));
    assert_eq!(Connection::age(&handed_over), Duration::from_secs(3));
    let (_, vacancy) = Connection::replace(handed_over).unwrap();
    let replaced = vacancy.fill(scene.open());
    assert!(!Connection::is_reused(&replaced));
    assert_eq!(Connection::age(&replaced), Duration::ZERO);
}

#[test]
fn of_several_closes_that_panic_at_once_one_is_told_and_all_are_made() {
    struct Bomb(Arc<AtomicUsize>);

    impl Drop for Bomb {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
            panic!("close failed, on purpose");
        }
    }

    let closed = Arc::default();
    let pool: Pool<u32, Bomb> = Pool::new();
    let open = |()| {
        let lease = pool.try_lease(&0).unwrap();
        lease
            .or_connect(|| Ok::<_, ()>(Bomb(Arc::clone(&closed))))
            .unwrap()
    };
    for connection in [(); 3].map(open) {
        Connection::keep(connection);
    }
    let close = AssertUnwindSafe(|| pool.close_idle(Duration::ZERO));
    assert!(catch_unwind(close).is_err());
    assert_eq!(closed.load(Ordering::Relaxed), 3);
    assert_eq!(pool.stats(), nothing_of(pool.stats().max));
}

/// A connection with methods of the names that the guard's functions have.
#[derive(Debug)]
struct Namesake(u32);

impl Namesake {
    fn keep(&self) -> u32 {
        self.0
    }

    fn close(&mut self) {
        self.0 = 0;
    }

    fn age(&self) -> u32 {
        self.0 + 1
    }
}

#[test]
fn the_guard_hides_no_method_of_the_connections() {
    let pool: Pool<&str, Namesake> = Pool::new();
    let lease = pool.try_lease(&"a").unwrap();
    let mut connection = lease.or_connect(|| Ok::<_, ()>(Namesake(7))).unwrap();
    assert_eq!((connection.keep(), connection.age()), (7, 8));
    connection.close();
    assert_eq!(connection.0, 0);
    Connection::keep(connection);
    assert_eq!(pool.stats().available, 1);
}
