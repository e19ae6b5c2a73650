//! Requests for a connection: at once, blocking, or as a future; the last two are one mechanism.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::deadlines::Deadline;
use crate::engine::{Answer, Grant, Handle, Outcome, Refusal, RouteId, StateId, Ticket};
use crate::error::LeaseError;
use crate::lease::{Connection, Lease, Vacancy};
use crate::shared::millis;
use crate::shares::{Share, Shares};
use crate::state::State;

/// A request for a connection that has not been made yet.
#[must_use = "a request does nothing until it is made"]
pub struct Request<'a, K, C> {
    shared: &'a Shares<K, C>,
    target: Target<'a, K>,
    state: Option<&'a State>,
}

enum Target<'a, K> {
    Key(&'a K),
    Held(RouteId),
}

impl<'a, K: Eq + Hash + Clone, C> Request<'a, K, C> {
    pub(crate) fn of_key(shared: &'a Shares<K, C>, key: &'a K) -> Self {
        Request {
            shared,
            target: Target::Key(key),
            state: None,
        }
    }

    pub(crate) fn of_route(shared: &'a Shares<K, C>, route: RouteId) -> Self {
        Request {
            shared,
            target: Target::Held(route),
            state: None,
        }
    }

    /// Asks for a connection bound to `state`, or bound to nobody; without this, only for one bound to nobody.
    ///
    /// Connections bound to others are never given; where the route is full of them the oldest makes room.
    ///
    /// ```
    /// use leasehold::{Lease, Pool, State};
    ///
    /// let pool: Pool<&str, u32> = Pool::new();
    /// let alice = State::new("alice");
    /// let Lease::Vacancy(vacancy) = pool.request(&"a").bound_to(&alice).try_lease()? else { panic!() };
    /// let mut connection = vacancy.fill(7);
    /// connection.bind(Some(&alice)); // she has authenticated on it
    /// connection.keep();
    ///
    /// assert!(matches!(pool.try_lease(&"a")?, Lease::Vacancy(_)));
    /// assert!(matches!(pool.request(&"a").bound_to(&alice).try_lease()?, Lease::Connection(_)));
    /// # Ok::<(), leasehold::LeaseError>(())
    /// ```
    pub fn bound_to(mut self, state: &'a State) -> Self {
        self.state = Some(state);
        self
    }

    /// See [`Pool::try_lease`](crate::Pool::try_lease).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_lease(self) -> Result<Lease<K, C>, LeaseError> {
        if let Some(lease) = self.lease_hit() {
            return lease;
        }
        self.into_waiting().try_lease()
    }

    /// See [`Pool::lease`](crate::Pool::lease).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn lease(self, timeout: Duration) -> Result<Lease<K, C>, LeaseError> {
        if let Some(lease) = self.lease_hit() {
            return lease;
        }
        // Nobody lives to see a deadline that the clock cannot tell.
        let deadline = Instant::now().checked_add(timeout);
        let mut waiting = self.into_waiting();
        parked(|waker| match waiting.poll(waker) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => {
                match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                    Some(Duration::ZERO) => Some(waiting.time_out()),
                    Some(left) => {
                        thread::park_timeout(left);
                        None
                    }
                    None => {
                        thread::park();
                        None
                    }
                }
            }
        })
    }

    /// See [`Pool::lease_async`](crate::Pool::lease_async). Nothing happens before the future is polled.
    pub fn lease_async(self) -> LeaseFuture<K, C> {
        LeaseFuture {
            waiting: self.into_waiting(),
            deadline: None,
        }
    }

    /// The common case, without anything that the others need: an idle connection bound to nobody.
    fn lease_hit(&self) -> Option<Result<Lease<K, C>, LeaseError>> {
        if self.state.is_some() {
            return None;
        }
        let route = match self.target {
            Target::Key(key) => self.shared.interner.find(key)?,
            Target::Held(route) => route,
        };
        let handle = self.shared.engine.lease_hit(route, StateId::NONE)?;
        Some(usable(self.shared.of_this_thread(), handle))
    }

    fn into_waiting(self) -> Waiting<K, C> {
        Waiting {
            state: self
                .state
                .map_or(StateId::NONE, |state| self.shared.states.acquire(state)),
            shared: Arc::clone(self.shared.of_this_thread()),
            goal: match self.target {
                Target::Key(key) => Goal::Key(Arc::new(key.clone())),
                Target::Held(route) => Goal::Held(route),
            },
            ticket: None,
        }
    }
}

impl<K, C> Request<'_, K, C>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    C: Send + 'static,
{
    /// As [`lease_async`](Self::lease_async), but for `timeout` at most, to the millisecond, counted from this call. The
    /// housekeeper wakes the future then: one thread for all pools of the process that need it.
    ///
    /// # Errors
    ///
    /// As there, and [`Timeout`](LeaseError::Timeout) where nothing came free in time.
    pub fn lease_async_within(self, timeout: Duration) -> LeaseFuture<K, C> {
        let shared = self.shared;
        shared.join_housekeeper();
        // A part of a millisecond counts as one more.
        let millis = millis(timeout.saturating_add(Duration::from_nanos(999_999)));
        let moment = shared.engine.now().saturating_add(millis);
        LeaseFuture {
            waiting: self.into_waiting(),
            deadline: Some(shared.deadlines.reserve(moment)),
        }
    }
}

impl<K, C> fmt::Debug for Request<'_, K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// The future of a lease; see [`Pool::lease_async`](crate::Pool::lease_async). Dropping it loses nothing.
#[must_use = "futures do nothing unless polled"]
pub struct LeaseFuture<K: Eq + Hash, C> {
    waiting: Waiting<K, C>,
    deadline: Option<Deadline>,
}

impl<K: Eq + Hash, C> Unpin for LeaseFuture<K, C> {}

impl<K: Eq + Hash, C> Future for LeaseFuture<K, C> {
    type Output = Result<Lease<K, C>, LeaseError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let outcome = this.waiting.poll(context.waker());
        let Some(deadline) = this.deadline else {
            return outcome;
        };
        let shared = &this.waiting.shared;
        let is_over = shared.engine.now() >= deadline.0;
        if outcome.is_pending() && !is_over {
            if shared.deadlines.set(deadline, context.waker().clone()) {
                shared.ring();
            }
            return Poll::Pending;
        }
        shared.deadlines.clear(deadline);
        this.deadline = None;
        if outcome.is_pending() {
            return Poll::Ready(this.waiting.time_out());
        }
        outcome
    }
}

impl<K: Eq + Hash, C> Drop for LeaseFuture<K, C> {
    fn drop(&mut self) {
        if let Some(deadline) = self.deadline {
            self.waiting.shared.deadlines.clear(deadline);
        }
    }
}

impl<K: Eq + Hash, C> fmt::Debug for LeaseFuture<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseFuture")
            .field("ticket", &self.waiting.ticket)
            .finish_non_exhaustive()
    }
}

/// The connection of a lease just made; if it turns out dead, what there is instead.
#[inline]
fn usable<K: Eq + Hash, C>(
    shared: &Arc<Share<K, C>>,
    handle: Handle,
) -> Result<Lease<K, C>, LeaseError> {
    let connection = Connection::take(shared, handle);
    if connection.is_dead() {
        return connection.replace_dead();
    }
    Ok(Lease::Connection(connection))
}

/// What a request that may have to wait asks for.
enum Goal<K> {
    Key(Arc<K>),
    Held(RouteId),
}

/// A request that may have to wait.
struct Waiting<K: Eq + Hash, C> {
    shared: Arc<Share<K, C>>,
    goal: Goal<K>,
    state: StateId,
    /// Its place in the queue, once it has one.
    ticket: Option<Ticket>,
}

impl<K: Eq + Hash, C> Waiting<K, C> {
    fn try_lease(&mut self) -> Result<Lease<K, C>, LeaseError> {
        match self.ask(None).map_err(LeaseError::of)? {
            Outcome::Granted(grant) => self.accept(grant),
            Outcome::Wait => Err(LeaseError::Exhausted),
        }
    }

    fn poll(&mut self, waker: &Waker) -> Poll<Result<Lease<K, C>, LeaseError>> {
        let Some(ticket) = self.ticket else {
            match self.try_lease() {
                Err(LeaseError::Exhausted) => {}
                outcome => return Poll::Ready(outcome),
            }
            let ticket = self.shared.engine.reserve_ticket();
            let ticket = ticket.map_err(LeaseError::of)?;
            // Published before the ticket is queued: a grant that comes at once finds whom to wake.
            self.shared.publish(ticket, waker);
            self.ticket = Some(ticket);
            return self.enqueue(waker);
        };
        // Published before the answer is looked for: one that comes after the look wakes this waker.
        self.shared.publish(ticket, waker);
        let outcome = match self.shared.engine.poll_ticket(ticket) {
            Ok(Answer::Pending) => return Poll::Pending,
            Ok(Answer::AskAgain) => return self.enqueue(waker),
            Ok(Answer::Granted(grant)) => self.accept(grant),
            Err(refusal) => Err(LeaseError::of(refusal)),
        };
        self.take_ticket();
        Poll::Ready(outcome)
    }

    /// Queues the ticket, or asks again with it.
    fn enqueue(&mut self, waker: &Waker) -> Poll<Result<Lease<K, C>, LeaseError>> {
        let outcome = match self.ask(Some(waker)) {
            Ok(Outcome::Wait) => return Poll::Pending,
            Ok(Outcome::Granted(grant)) => self.accept(grant),
            Err(refusal) => Err(LeaseError::of(refusal)),
        };
        self.take_ticket();
        Poll::Ready(outcome)
    }

    /// Asks the engine, with the ticket if there is one.
    fn ask(&mut self, waker: Option<&Waker>) -> Result<Outcome, Refusal> {
        let Waiting {
            shared,
            goal,
            state,
            ticket,
        } = self;
        shared.with_effects(|engine, effects| match goal {
            Goal::Held(route) => engine.lease(*route, *state, *ticket, effects),
            Goal::Key(key) => {
                let mut is_again = false;
                let interner = &shared.interner;
                interner.with_route(engine, key, effects, |route, effects| {
                    if std::mem::replace(&mut is_again, true) {
                        // The refusal of the route before has ended the ticket.
                        if let (Some(before), Some(waker)) = (ticket.take(), waker) {
                            drop(shared.take_waker(before));
                            let next = engine.reserve_ticket()?;
                            shared.publish(next, waker);
                            *ticket = Some(next);
                        }
                    }
                    engine.lease(route, *state, *ticket, effects)
                })
            }
        })
    }

    /// The ticket has ended, or is about to: nobody is to be woken for it any more.
    fn take_ticket(&mut self) -> Option<Ticket> {
        let ticket = self.ticket.take()?;
        drop(self.shared.take_waker(ticket));
        Some(ticket)
    }

    fn accept(&self, grant: Grant) -> Result<Lease<K, C>, LeaseError> {
        match grant {
            Grant::Idle(handle) => usable(&self.shared, handle),
            Grant::Open(handle) => Ok(self.vacancy(handle)),
        }
    }

    fn vacancy(&self, handle: Handle) -> Lease<K, C> {
        Lease::Vacancy(Vacancy::new(&self.shared, handle))
    }

    /// Leaves the queue because it has waited long enough. What had been granted meanwhile is used.
    fn time_out(&mut self) -> Result<Lease<K, C>, LeaseError> {
        match self.give_up() {
            Some(grant) => self.accept(grant),
            None => Err(LeaseError::Timeout),
        }
    }

    /// Leaves the queue. What had been granted meanwhile is not lost but returned.
    fn give_up(&mut self) -> Option<Grant> {
        let ticket = self.take_ticket()?;
        self.shared
            .with_effects(|engine, effects| engine.cancel(ticket, effects))
    }
}

impl<K: Eq + Hash, C> Drop for Waiting<K, C> {
    fn drop(&mut self) {
        match self.give_up() {
            // Nobody has used it: its expiry stays what it was.
            Some(Grant::Idle(handle)) => Connection::take(&self.shared, handle).keep_as_promised(),
            Some(Grant::Open(handle)) => drop(self.vacancy(handle)),
            None => {}
        }
        self.shared.states.release(self.state);
    }
}

/// Runs `step` with a waker of this thread until it has an outcome; `step` parks.
fn parked<T>(mut step: impl FnMut(&Waker) -> Option<T>) -> T {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }

        fn wake_by_ref(self: &Arc<Self>) {
            self.0.unpark();
        }
    }

    thread_local! {
        static WAKER: RefCell<Option<Waker>> = const { RefCell::new(None) };
    }
    let waker = WAKER.with_borrow_mut(|waker| {
        waker
            .get_or_insert_with(|| Waker::from(Arc::new(Unpark(thread::current()))))
            .clone()
    });
    loop {
        if let Some(outcome) = step(&waker) {
            return outcome;
        }
    }
}
