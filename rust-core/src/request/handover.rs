//! Every interleaving of a hand-over from one thread to another through the whole Rust face: the engine, the kit, the places of
//! connections and the wakers, under loom.
//!
//! A connection here has something in it that loom watches, and that whoever leases it writes to. So loom notices a place that two use at
//! once, a connection that two hold, and one whose last user's writes its next user does not see. Whoever waits parks in the checker's
//! own way: nobody wakes it but by its waker, so one that is not woken is a deadlock, which the checker reports.

use std::future::{Future, Pending, pending};
use std::mem::ManuallyDrop;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::atomic::{AtomicU32, Ordering::Relaxed};
use loom::thread::{self, Thread};

use super::{LeaseFuture, Waiting};
use crate::{Clock, Connecting, Connection, Lease, LeaseError, ManualClock, Policy};

type Pool = crate::Pool<u32, Socket>;
type Leased = Connection<u32, Socket>;

const KEY: u32 = 7;

/// What is leased.
struct Socket {
    uses: UnsafeCell<u32>,
    /// How many of the pool's were closed.
    closed: Arc<AtomicU32>,
}

impl Socket {
    fn new(closed: &Arc<AtomicU32>) -> Self {
        Socket {
            uses: UnsafeCell::new(0),
            closed: Arc::clone(closed),
        }
    }

    fn use_it(&self) {
        // SAFETY: who leases it has it alone. That is what is checked.
        self.uses.with_mut(|uses| unsafe { *uses += 1 });
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.use_it();
        self.closed.fetch_add(1, Relaxed);
    }
}

/// A pool of few connections, and how many it has closed.
#[derive(Clone)]
struct Scene {
    pool: Pool,
    closed: Arc<AtomicU32>,
}

impl Scene {
    /// A pool of one connection, which is leased.
    fn new() -> (Self, Leased) {
        Self::of(1)
    }

    /// A pool of as many, with one of them leased.
    fn of(max_total: u32) -> (Self, Leased) {
        let scene = Scene {
            // One idle list, so that there are no more interleavings than are of interest here.
            pool: Pool::builder()
                .max_total(max_total)
                .policy(Policy::Fifo)
                .clock(Clock::manual(&ManualClock::new()))
                .build(),
            closed: Arc::new(AtomicU32::new(0)),
        };
        // Idle once before: a checker knows nothing of the `OnceLock` by which the list of idle ones is made.
        Connection::keep(scene.lease_now());
        let leased = scene.lease_now();
        (scene, leased)
    }

    fn lease_now(&self) -> Leased {
        self.filled(self.pool.try_lease(&KEY).expect("nobody else leases"))
    }

    /// The connection of a lease, which is opened if it is a vacancy, and used.
    fn filled(&self, lease: Lease<u32, Socket>) -> Leased {
        let connection = match lease {
            Lease::Connection(connection) => connection,
            Lease::Vacancy(vacancy) => vacancy.fill(Socket::new(&self.closed)),
        };
        connection.use_it();
        connection
    }

    /// A request that waits: its future was polled once, with a waker that wakes nobody, as it then went to another task.
    fn waiting(&self) -> LeaseFuture<u32, Socket> {
        let mut future = self.pool.lease_async(&KEY);
        assert!(poll(&mut future, Waker::noop()).is_pending());
        future
    }

    fn closed(&self) -> u32 {
        self.closed.load(Relaxed)
    }

    /// Nobody holds or waits for anything, and one connection is idle.
    fn assert_at_rest(&self) {
        let stats = self.pool.stats();
        let numbers = (stats.leased, stats.pending, stats.available);
        assert_eq!(numbers, (0, 0, 1));
        assert_eq!(self.closed(), 0, "a connection was closed for nothing");
    }
}

/// Where a scenario fails nothing of it is dropped: that would ask the checker again, which has given up, and end the process.
impl Drop for Scene {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::mem::forget(self.pool.clone());
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(waker))
}

/// Parks until the request is answered.
fn wait_for<F: Future + Unpin>(future: F) -> F::Output {
    // Dropped only where it was answered, as above.
    let mut future = ManuallyDrop::new(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        if let Poll::Ready(outcome) = poll(&mut *future, &waker) {
            drop(ManuallyDrop::into_inner(future));
            return outcome;
        }
        thread::park();
    }
}

/// What the future does when its deadline has come, of which the housekeeper would tell it.
fn time_out(mut future: LeaseFuture<u32, Socket>) -> Result<Lease<u32, Socket>, LeaseError> {
    Waiting::time_out(&mut future.waiting)
}

/// Does `act` on a thread of its own and `beside` on this one.
fn race<T>(
    scene: &Scene,
    act: impl FnOnce(&Scene) + Send + 'static,
    beside: impl FnOnce(&Scene) -> T,
) -> T {
    let other = scene.clone();
    let thread = thread::spawn(move || act(&other));
    let outcome = beside(scene);
    thread.join().unwrap();
    outcome
}

/// `LOOM_MAX_PREEMPTIONS` sets the bound, else it is two.
fn explore(scenario: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound.get_or_insert(2);
    builder.max_branches = 100_000;
    builder.check(scenario);
}

#[test]
fn a_request_gets_what_is_given_back_beside_it() {
    explore(|| {
        let (scene, leased) = Scene::new();
        let lease = race(
            &scene,
            |_| Connection::keep(leased),
            |scene| wait_for(scene.pool.lease_async(&KEY)).unwrap(),
        );
        Connection::keep(scene.filled(lease));
        scene.assert_at_rest();
    });
}

#[test]
fn a_waiter_gets_what_is_given_back_beside_its_look() {
    explore(|| {
        let (scene, leased) = Scene::new();
        let future = scene.waiting();
        let lease = race(
            &scene,
            |_| Connection::keep(leased),
            |_| wait_for(future).unwrap(),
        );
        Connection::keep(scene.filled(lease));
        scene.assert_at_rest();
    });
}

#[test]
fn what_is_granted_to_a_dropped_request_goes_to_the_next() {
    explore(|| {
        let (scene, leased) = Scene::new();
        let (first, second) = (scene.waiting(), scene.waiting());
        race(&scene, |_| Connection::keep(leased), |_| drop(first));
        let lease = wait_for(second).unwrap();
        Connection::keep(scene.filled(lease));
        scene.assert_at_rest();
    });
}

#[test]
fn a_grant_that_came_before_the_timeout_is_used_and_no_other_is_lost() {
    explore(|| {
        let (scene, leased) = Scene::new();
        let future = scene.waiting();
        let outcome = race(&scene, |_| Connection::keep(leased), |_| time_out(future));
        match outcome {
            Ok(lease) => Connection::keep(scene.filled(lease)),
            Err(error) => assert!(matches!(error, LeaseError::Timeout(_))),
        }
        scene.assert_at_rest();
    });
}

#[test]
fn a_waiter_is_granted_or_told_of_the_shutdown_beside_it() {
    explore(|| {
        let (scene, leased) = Scene::new();
        let future = scene.waiting();
        let other = scene.clone();
        let shut_down = thread::spawn(move || other.pool.shutdown());
        let outcome = race(&scene, |_| Connection::keep(leased), |_| wait_for(future));
        shut_down.join().unwrap();
        match outcome {
            // Granted before: it is closed at its release.
            Ok(lease) => Connection::keep(scene.filled(lease)),
            Err(error) => assert_eq!(error, LeaseError::ShutDown),
        }
        assert_eq!(scene.closed(), 1, "the one connection is closed once");
        assert_eq!(scene.pool.stats().leased, 0);
    });
}

/// Whoever closes takes the connection out of its place before the next may put one there.
#[test]
fn a_place_is_the_next_ones_when_what_lay_there_was_taken_out() {
    explore(|| {
        let (scene, leased) = Scene::new();
        let next = race(
            &scene,
            |_| Connection::close(leased),
            |scene| {
                let lease = scene.pool.try_lease(&KEY);
                lease.map(|lease| scene.filled(lease))
            },
        );
        match next {
            Ok(connection) => Connection::keep(connection),
            Err(error) => assert_eq!(error, LeaseError::Exhausted),
        }
        assert_eq!(scene.closed(), 1);
    });
}

/// No waiter: the place alone is handed over, by a release and a lease that find each other in one idle list.
#[test]
fn a_hit_finds_in_its_place_what_was_put_there_beside_it() {
    explore(|| {
        let (scene, leased) = Scene::new();
        let lease = race(
            &scene,
            |_| Connection::keep(leased),
            |scene| scene.pool.try_lease(&KEY),
        );
        match lease {
            Ok(lease) => Connection::keep(scene.filled(lease)),
            Err(error) => assert_eq!(error, LeaseError::Exhausted),
        }
        scene.assert_at_rest();
    });
}

impl Scene {
    /// Somebody who opens a connection for ever.
    fn connecting(&self) -> Connecting<u32, Socket, Pending<Result<Socket, ()>>> {
        let lease = self.pool.try_lease(&KEY).expect("nobody else leases");
        lease.or_connect_async(pending)
    }
}

#[test]
fn who_opens_gets_what_is_given_back_beside_it() {
    explore(|| {
        let (scene, leased) = Scene::of(2);
        let connecting = scene.connecting();
        let connected = race(
            &scene,
            |_| Connection::keep(leased),
            |_| wait_for(connecting).unwrap(),
        );
        connected.connection.use_it();
        Connection::keep(connected.connection);
        drop(connected.unfinished);
        scene.assert_at_rest();
    });
}

#[test]
fn what_is_given_back_beside_who_opens_no_more_stays() {
    explore(|| {
        let (scene, leased) = Scene::of(2);
        let mut connecting = scene.connecting();
        assert!(poll(&mut connecting, Waker::noop()).is_pending());
        race(&scene, |_| Connection::keep(leased), |_| drop(connecting));
        scene.assert_at_rest();
    });
}
