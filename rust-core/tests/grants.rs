//! What was granted is never lost, whatever of its callers' code panics, hangs or calls back while that comes to them.

#![cfg(not(any(loom, shuttle)))]

mod common;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use leasehold::{Connection, Lease, LeaseError, Pool};

use common::{LONG, eventually};

/// A connection whose drop is what the test makes of it.
struct Wire(Option<Box<dyn FnOnce() + Send>>);

impl Wire {
    fn plain() -> Result<Self, LeaseError> {
        Ok(Wire(None))
    }

    fn whose_drop(does: impl FnOnce() + Send + 'static) -> Result<Self, LeaseError> {
        Ok(Wire(Some(Box::new(does))))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let Some(does) = self.0.take() {
            does();
        }
    }
}

fn fail() {
    resume_unwind(Box::new("on purpose"));
}

fn of_one() -> Pool<&'static str, Wire> {
    Pool::builder().max_total(1).build()
}

#[test]
fn a_place_that_a_panicking_close_has_made_goes_to_nobody_less() -> Result<(), LeaseError> {
    let pool = of_one();
    Connection::keep(
        pool.try_lease(&"a")?
            .or_connect(|| Wire::whose_drop(fail))?,
    );
    let failed = catch_unwind(AssertUnwindSafe(|| pool.try_lease(&"b")));
    assert!(failed.is_err());
    assert_eq!((pool.stats().leased, pool.stats().available), (0, 0));
    Connection::keep(pool.try_lease(&"b")?.or_connect(Wire::plain)?);
    Ok(())
}

/// Runs once the test lets it.
fn gate(open: Receiver<()>) -> impl FnOnce() + Send {
    move || {
        open.recv_timeout(LONG)
            .expect("who waits is told before anything closes")
    }
}

#[test]
fn who_waits_is_told_before_what_makes_room_is_closed() -> Result<(), LeaseError> {
    let (open, opened) = channel();
    let pool = of_one();
    let held = pool
        .try_lease(&"a")?
        .or_connect(|| Wire::whose_drop(gate(opened)))?;
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            // Longer than the gate: a grant that nobody tells of is found when the time is over.
            let lease = pool.lease(&"b", 2 * LONG)?.or_connect(Wire::plain)?;
            // Only now the close comes to its end, which was before it in the program's text.
            open.send(()).unwrap();
            Connection::keep(lease);
            Ok(())
        });
        eventually("it waits", || pool.stats().pending == 1);
        Connection::close(held);
        waiter.join().unwrap()
    })
}

#[test]
fn who_waits_is_told_before_an_idle_connection_is_closed_for_another() -> Result<(), LeaseError> {
    let (open, opened) = channel();
    let pool: Pool<&str, Wire> = Pool::builder().max_total(2).build();
    let held = pool.try_lease(&"a")?.or_connect(Wire::plain)?;
    let idle = pool
        .try_lease(&"b")?
        .or_connect(|| Wire::whose_drop(gate(opened)))?;
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            // Longer than the gate, as above.
            Connection::keep(pool.lease(&"c", 2 * LONG)?.or_connect(Wire::plain)?);
            open.send(()).unwrap();
            Ok(())
        });
        eventually("it waits", || pool.stats().pending == 1);
        // It goes as soon as it is idle, for who waits.
        Connection::keep(idle);
        Connection::keep(held);
        waiter.join().unwrap()
    })
}

#[test]
fn a_thread_that_ends_may_lease_and_wait_in_the_drop_of_what_is_its_own() {
    struct AtEnd(Option<(Pool<&'static str, Wire>, Sender<bool>)>);

    impl Drop for AtEnd {
        fn drop(&mut self) {
            let Some((pool, told)) = self.0.take() else {
                return;
            };
            let lease = pool.lease(&"a", LONG);
            told.send(lease.is_ok()).unwrap();
        }
    }

    thread_local! {
        static FIRST: RefCell<AtEnd> = const { RefCell::new(AtEnd(None)) };
        static LAST: RefCell<AtEnd> = const { RefCell::new(AtEnd(None)) };
    }

    let pool = of_one();
    let held = pool.try_lease(&"a").unwrap();
    let (told, hears) = channel();
    let (waiting, is_ending) = (pool.clone(), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            // Used before and after what the pool keeps for a thread that waits: one of them is dropped after that.
            FIRST.with_borrow_mut(|first| first.0 = Some((waiting.clone(), told.clone())));
            assert!(waiting.lease(&"a", Duration::from_millis(1)).is_err());
            LAST.with_borrow_mut(|last| last.0 = Some((waiting.clone(), told.clone())));
            is_ending.wait();
        });
        is_ending.wait();
        eventually("it waits at its end", || pool.stats().pending == 1);
        drop(held);
        for _ in 0..2 {
            assert_eq!(hears.recv_timeout(LONG), Ok(true));
        }
    });
}

struct Faulty;

impl Wake for Faulty {
    fn wake(self: Arc<Self>) {
        fail();
    }
}

#[test]
fn a_waker_that_panics_costs_neither_the_next_one_nor_what_was_granted() -> Result<(), LeaseError> {
    let pool = of_one();
    let held = pool.try_lease(&"a")?.or_connect(Wire::plain)?;
    let faulty = Waker::from(Arc::new(Faulty));
    let mut first = Box::pin(pool.lease_async(&"a"));
    let polled = first.as_mut().poll(&mut Context::from_waker(&faulty));
    assert!(polled.is_pending());
    let mut second = Box::pin(pool.lease_async(&"a"));
    let mut context = Context::from_waker(Waker::noop());
    assert!(second.as_mut().poll(&mut context).is_pending());

    let released = catch_unwind(AssertUnwindSafe(|| Connection::keep(held)));
    assert!(released.is_err(), "whose call woke it is told");
    assert_eq!((pool.stats().leased, pool.stats().pending), (1, 1));
    // Nobody polls the first one again.
    drop(first);
    let Poll::Ready(served) = second.as_mut().poll(&mut context) else {
        panic!("what the first one was granted is the second one's");
    };
    assert!(matches!(served?, Lease::Connection(_)));
    Ok(())
}

/// Tells when it wakes somebody.
struct Telling(Sender<()>);

impl Wake for Telling {
    fn wake(self: Arc<Self>) {
        self.0.send(()).unwrap();
    }
}

#[test]
fn a_waker_that_panics_keeps_nobody_from_being_told_whom_the_same_call_has_served() {
    let pool = of_one();
    let held = pool.try_lease(&"a").unwrap();
    let (told, hears) = channel();
    let wakers = [
        Waker::from(Arc::new(Faulty)),
        Waker::from(Arc::new(Telling(told))),
    ];
    let mut requests = [pool.lease_async(&"a"), pool.lease_async(&"a")].map(Box::pin);
    for (request, waker) in requests.iter_mut().zip(&wakers) {
        let polled = request.as_mut().poll(&mut Context::from_waker(waker));
        assert!(polled.is_pending());
    }
    let raised = catch_unwind(AssertUnwindSafe(|| pool.set_max_total(3)));
    assert!(raised.is_err(), "whose call woke it is told");
    assert_eq!(hears.recv_timeout(LONG), Ok(()));
    drop(held);
}

/// Fails when the last of it is dropped.
struct Last;

impl Wake for Last {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Last {
    fn drop(&mut self) {
        fail();
    }
}

thread_local! {
    static AT_WAKE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// Does something at once when it wakes, as an executor may on another thread.
struct AtOnce;

impl Wake for AtOnce {
    fn wake(self: Arc<Self>) {
        if let Some(does) = AT_WAKE.take() {
            does();
        }
    }
}

/// A ticket that was answered may be another's by the time at which its future is polled once more.
#[test]
fn a_future_whose_look_has_panicked_takes_no_wake_up_of_a_strangers() -> Result<(), LeaseError> {
    let pool = of_one();
    let held = pool.try_lease(&"a")?.or_connect(Wire::plain)?;
    let told_first = Waker::from(Arc::new(AtOnce));
    let mut earlier = Box::pin(pool.lease_async(&"b"));
    let mut context = Context::from_waker(&told_first);
    assert!(earlier.as_mut().poll(&mut context).is_pending());
    let mut future = Box::pin(pool.lease_async(&"c"));
    {
        let waker = Waker::from(Arc::new(Last));
        let mut context = Context::from_waker(&waker);
        assert!(future.as_mut().poll(&mut context).is_pending());
    }
    let (polled, polls) = channel();
    AT_WAKE.set(Some(Box::new(move || {
        let mut context = Context::from_waker(Waker::noop());
        let look = catch_unwind(AssertUnwindSafe(|| {
            drop(future.as_mut().poll(&mut context))
        }));
        polled.send((future, look.is_err())).unwrap();
    })));
    // Both are granted. The earlier one is told before the other, which is polled in between, with another waker.
    pool.set_max_total(3);
    let (mut future, has_panicked) = polls.try_recv().unwrap();
    assert!(has_panicked, "its first waker was dropped");

    pool.set_max_total(1);
    let (tell, told) = channel();
    let mut stranger = Box::pin(pool.lease_async(&"z"));
    let waker = Waker::from(Arc::new(Telling(tell)));
    let mut context = Context::from_waker(&waker);
    assert!(stranger.as_mut().poll(&mut context).is_pending());
    let again = catch_unwind(AssertUnwindSafe(|| {
        drop(
            future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop())),
        )
    }));
    assert!(again.is_err(), "it was answered");
    drop((held, earlier, future));
    assert!(told.try_recv().is_ok(), "the stranger is told");
    assert!(stranger.as_mut().poll(&mut context).is_ready());
    Ok(())
}

thread_local! {
    /// How often the keys of this thread are asked for anything before one fails.
    static ASKED_BEFORE_A_FAILURE: Cell<u32> = const { Cell::new(u32::MAX) };
}

/// A key that may fail whoever hashes, compares or drops it.
struct Brittle(u32);

impl Brittle {
    fn be_asked() {
        let left = ASKED_BEFORE_A_FAILURE.get();
        ASKED_BEFORE_A_FAILURE.set(left.wrapping_sub(1));
        if left == 0 && !thread::panicking() {
            fail();
        }
    }
}

impl Hash for Brittle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Self::be_asked();
        self.0.hash(state);
    }
}

impl PartialEq for Brittle {
    fn eq(&self, other: &Self) -> bool {
        Self::be_asked();
        self.0 == other.0
    }
}

impl Eq for Brittle {}

impl Clone for Brittle {
    fn clone(&self) -> Self {
        Self::be_asked();
        Brittle(self.0)
    }
}

impl Drop for Brittle {
    fn drop(&mut self) {
        Self::be_asked();
    }
}

#[test]
fn keys_that_panic_on_many_threads_at_once_cost_no_place() -> Result<(), LeaseError> {
    let pool: Pool<Brittle, Wire> = Pool::builder().max_total(8).build();
    let failures = AtomicU32::new(0);
    thread::scope(|scope| {
        for number in 0..4 {
            let (pool, failures) = (&pool, &failures);
            scope.spawn(move || {
                for turn in 0..2_000 {
                    // Three routes for eight places, so that leases wait and idle connections make room.
                    let key = ManuallyDrop::new(Brittle((turn + number) % 3));
                    ASKED_BEFORE_A_FAILURE.set(turn % 7);
                    let outcome = catch_unwind(AssertUnwindSafe(|| {
                        let lease = pool.lease(&key, LONG)?;
                        Connection::keep(lease.or_connect(Wire::plain)?);
                        Ok::<_, LeaseError>(())
                    }));
                    ASKED_BEFORE_A_FAILURE.set(u32::MAX);
                    match outcome {
                        Ok(served) => served.expect("nothing but a key fails"),
                        Err(_) => _ = failures.fetch_add(1, Relaxed),
                    }
                }
            });
        }
    });
    assert!(failures.into_inner() > 100, "keys have failed");
    assert_eq!(pool.stats().leased, 0);
    let all: Vec<_> = (0..8)
        .map(|_| pool.try_lease(&Brittle(9)))
        .collect::<Result<_, _>>()?;
    assert_eq!((all.len(), pool.stats().leased), (8, 8));
    Ok(())
}
