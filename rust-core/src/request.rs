//! Requests for a connection: at once, blocking, or as a future; the last two are one mechanism.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::deadlines::Deadline;
use crate::engine::{Answer, GivenUp, Outcome, RouteId, StateId, Ticket};
use crate::error::LeaseError;
use crate::held::HeldRoute;
use crate::lease::{Connection, Lease, Vacancy};
use crate::panics::{Panics, in_drop};
use crate::shared::millis;
use crate::shares::{Share, Shares};
use crate::state::State;

#[cfg(all(test, loom))]
mod handover;

/// A request for a connection that has not been made yet.
#[must_use = "a request does nothing until it is made"]
pub struct Request<'a, K, C> {
    shared: &'a Shares<K, C>,
    target: Target<'a, K, C>,
    state: Option<&'a State>,
    /// Who asks.
    caller: &'static Location<'static>,
}

enum Target<'a, K, C> {
    Key(&'a K),
    Held(RouteId, &'a Arc<HeldRoute<K, C>>),
}

impl<'a, K: Eq + Hash + Clone, C> Request<'a, K, C> {
    #[track_caller]
    pub(crate) fn of_key(shared: &'a Shares<K, C>, key: &'a K) -> Self {
        Request {
            shared,
            target: Target::Key(key),
            state: None,
            caller: Location::caller(),
        }
    }

    #[track_caller]
    pub(crate) fn of_route(
        shared: &'a Shares<K, C>,
        route: RouteId,
        held: &'a Arc<HeldRoute<K, C>>,
    ) -> Self {
        Request {
            shared,
            target: Target::Held(route, held),
            state: None,
            caller: Location::caller(),
        }
    }

    /// Asks for a connection bound to `state`, or bound to nobody; without this, only for one bound to nobody.
    ///
    /// Connections bound to others are never given; where the route is full of them the oldest makes room.
    ///
    /// ```
    /// use leasehold::{Connection, Lease, Pool, State};
    ///
    /// let pool: Pool<&str, u32> = Pool::new();
    /// let alice = State::new("alice");
    /// let Lease::Vacancy(vacancy) = pool.request(&"a").bound_to(&alice).try_lease()? else { panic!() };
    /// let mut connection = vacancy.fill(7);
    /// Connection::bind(&mut connection, Some(&alice)); // she has authenticated on it
    /// Connection::keep(connection);
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
        let mut waiting = self.into_waiting();
        let outcome = waiting.try_lease();
        drop(waiting);
        outcome
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
        // A deadline that is too far away for the clock is none.
        let deadline = Instant::now().checked_add(timeout);
        let mut waiting = self.into_waiting();
        let outcome = parked(|waker| match waiting.poll(waker) {
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
        });
        drop(waiting);
        outcome
    }

    /// See [`Pool::lease_async`](crate::Pool::lease_async). Nothing happens before the future is polled.
    pub fn lease_async(self) -> LeaseFuture<K, C> {
        LeaseFuture {
            waiting: self.into_waiting(),
            deadline: None,
        }
    }

    /// The common case, without anything that the others need: an idle connection bound to nobody.
    // As a call of its own it would move the answer once more.
    #[inline(always)]
    fn lease_hit(&self) -> Option<Result<Lease<K, C>, LeaseError>> {
        if self.state.is_some() {
            return None;
        }
        let route = match self.target {
            Target::Key(key) => self.shared.interner.find(key)?,
            Target::Held(route, _) => route,
        };
        let handle = self.shared.engine.lease_hit(route, StateId::NONE)?;
        let shared = self.shared.of_this_thread();
        Some(Connection::take(shared, handle, self.caller).usable())
    }

    fn into_waiting(self) -> Waiting<K, C> {
        // The key's clone is its user's code: before anything is taken.
        let goal = match self.target {
            Target::Key(key) => Goal::Key(Arc::new(key.clone())),
            Target::Held(_, held) => Goal::Held(Arc::clone(held)),
        };
        Waiting {
            shared: Arc::clone(self.shared.of_this_thread()),
            goal: Some(goal),
            state: self
                .state
                .map_or(StateId::NONE, |state| self.shared.states.acquire(state)),
            caller: self.caller,
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
    /// As there, [`Timeout`](LeaseError::Timeout) where nothing came free in time, and [`NoThread`](LeaseError::NoThread) where it would
    /// have to wait and the system has no thread to tell when the time is over.
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
pub struct LeaseFuture<K, C> {
    waiting: Waiting<K, C>,
    deadline: Option<Deadline>,
}

impl<K, C> Unpin for LeaseFuture<K, C> {}

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
        if outcome.is_pending() && !is_over && !shared.is_tended() {
            // Nobody would tell when the time is over. Asked again, it may be told.
            shared.deadlines.clear(deadline);
            this.deadline = None;
            let left = this.waiting.leave(GivenUp::Cancelled);
            return Poll::Ready(left.unwrap_or(Err(LeaseError::NoThread)));
        }
        if outcome.is_pending() && !is_over {
            if shared.deadlines.set(deadline, context.waker().clone()) {
                shared.ring();
            }
            return Poll::Pending;
        }
        this.deadline = None;
        shared.deadlines.clear(deadline);
        if outcome.is_pending() {
            return Poll::Ready(this.waiting.time_out());
        }
        outcome
    }
}

impl<K, C> Drop for LeaseFuture<K, C> {
    fn drop(&mut self) {
        in_drop(|panics| {
            if let Some(deadline) = self.deadline {
                panics.catch(|| self.waiting.shared.deadlines.clear(deadline));
            }
        });
    }
}

impl<K, C> fmt::Debug for LeaseFuture<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseFuture")
            .field("ticket", &self.waiting.ticket)
            .finish_non_exhaustive()
    }
}

/// What a request that may have to wait asks for.
enum Goal<K, C> {
    Key(Arc<K>),
    Held(Arc<HeldRoute<K, C>>),
    /// A connection that is released, and no right to open one: whoever asks has that, and so holds the route.
    Released(RouteId),
}

/// A request that may have to wait.
///
/// What is granted is a [`Lease`] from the engine's answer on, in the same call: it gives itself back where a waker, a key or a
/// connection's close panics before it is its user's.
pub(crate) struct Waiting<K, C> {
    shared: Arc<Share<K, C>>,
    /// Taken when it is dropped.
    goal: Option<Goal<K, C>>,
    state: StateId,
    /// Who asks.
    caller: &'static Location<'static>,
    /// Its place in the queue, once it has one.
    ticket: Option<Ticket>,
}

impl<K: Eq + Hash, C> Waiting<K, C> {
    fn try_lease(&mut self) -> Result<Lease<K, C>, LeaseError> {
        match self.ask()? {
            Some(lease) => lease.usable(),
            None => Err(LeaseError::Exhausted),
        }
    }

    pub(crate) fn poll(&mut self, waker: &Waker) -> Poll<Result<Lease<K, C>, LeaseError>> {
        let mut before = None;
        let outcome = self.advance(waker, &mut before);
        if outcome.is_ready() {
            self.end(before);
        }
        outcome.map(|outcome| outcome.and_then(Lease::usable))
    }

    /// `before` gets the waker that `waker` replaces, to be dropped when nothing can be lost any more.
    fn advance(
        &mut self,
        waker: &Waker,
        before: &mut Option<Waker>,
    ) -> Poll<Result<Lease<K, C>, LeaseError>> {
        if self.ticket.is_none() {
            match self.ask() {
                Ok(Some(lease)) => return Poll::Ready(Ok(lease)),
                Ok(None) | Err(LeaseError::Exhausted) => {}
                Err(refusal) => return Poll::Ready(Err(refusal)),
            }
        }
        // Wakers are the executor's code. One is cloned before anything is taken.
        let waker = waker.clone();
        let Some(ticket) = self.ticket else {
            let ticket = self.shared.engine.reserve_ticket();
            let ticket = ticket.map_err(LeaseError::of)?;
            self.ticket = Some(ticket);
            // Published before the ticket is queued: a grant that comes at once finds whom to wake.
            *before = self.shared.waiters.publish(ticket, waker);
            return self.enqueue();
        };
        // Published before the answer is looked for: one that comes after the look wakes this waker.
        *before = self.shared.waiters.publish(ticket, waker);
        match self.shared.engine.poll_ticket(ticket) {
            Ok(Answer::Pending) => Poll::Pending,
            Ok(Answer::AskAgain) => self.enqueue(),
            Ok(Answer::Granted(grant)) => {
                let lease = Lease::of_grant(&self.shared, grant, self.caller);
                Poll::Ready(Ok(lease))
            }
            Err(refusal) => Poll::Ready(Err(LeaseError::of(refusal))),
        }
    }

    /// Queues the ticket, or asks again with it.
    fn enqueue(&mut self) -> Poll<Result<Lease<K, C>, LeaseError>> {
        let mut panics = Panics::new();
        match panics.catch(|| self.ask()) {
            Some(Ok(None)) => Poll::Pending,
            Some(Ok(Some(lease))) => Poll::Ready(Ok(lease)),
            Some(Err(refusal)) => Poll::Ready(Err(refusal)),
            None => {
                // Nobody knows whether it is queued: polled once more it asks anew.
                panics.catch(|| drop(self.give_up(GivenUp::Cancelled)));
                panics.propagate();
            }
        }
    }

    /// Leaves the queue because the time is over. What had been granted meanwhile is used.
    fn time_out(&mut self) -> Result<Lease<K, C>, LeaseError> {
        if let Some(lease) = self.leave(GivenUp::TimedOut) {
            return lease;
        }
        let route = match &self.goal {
            Some(Goal::Key(key)) => self.shared.interner.find(&**key),
            Some(Goal::Held(held)) => Some(held.id),
            Some(Goal::Released(route)) => Some(*route),
            None => None,
        };
        let situation = self.shared.situation(route);
        Err(LeaseError::Timeout(Box::new(situation)))
    }

    /// Asks the engine, with the ticket if there is one. `None` where it is to wait, or could only be served by waiting.
    fn ask(&mut self) -> Result<Option<Lease<K, C>>, LeaseError> {
        let Waiting {
            shared,
            goal,
            state,
            ticket,
            caller,
        } = self;
        let own = |outcome| match outcome {
            Outcome::Granted(grant) => Some(Lease::of_grant(shared, grant, caller)),
            Outcome::Wait => None,
        };
        let mut before = None;
        let outcome = shared.with_effects(|engine, effects| match goal {
            Some(Goal::Held(route)) => engine.lease(route.id, *state, *ticket, effects).map(own),
            // Nothing is looked for before there is somebody to tell.
            Some(Goal::Released(route)) => match ticket {
                Some(ticket) => engine.stand_by(*route, *ticket, effects).map(own),
                None => Ok(None),
            },
            Some(Goal::Key(key)) => {
                let mut is_again = false;
                let interner = &shared.interner;
                interner.with_route(engine, key, effects, |route, effects| {
                    if std::mem::replace(&mut is_again, true) {
                        // The refusal of the route before has ended the ticket.
                        if let Some(ended) = ticket.take() {
                            let waker = shared.waiters.take(ended);
                            let next = engine.reserve_ticket()?;
                            *ticket = Some(next);
                            before = waker.and_then(|waker| shared.waiters.publish(next, waker));
                        }
                    }
                    engine.lease(route, *state, *ticket, effects).map(own)
                })
            }
            None => panic!("a lease's future was polled after it was ready, or had panicked"),
        });
        drop(before);
        outcome.map_err(LeaseError::of)
    }
}

impl<K, C> Waiting<K, C> {
    /// A request for what is released of the route of a vacancy, whose holder keeps that meanwhile.
    pub(crate) fn standing_by(vacancy: &Vacancy<K, C>) -> Self {
        Waiting {
            shared: Arc::clone(vacancy.shared()),
            goal: Some(Goal::Released(vacancy.route())),
            state: StateId::NONE,
            // Who has the vacancy.
            caller: vacancy.caller().unwrap_or_else(|| Location::caller()),
            ticket: None,
        }
    }

    /// The request was answered: nobody is to be woken for it any more, and its key is not needed. Its ticket, which may be another's by
    /// now, is forgotten before anything of a caller's is dropped.
    fn end(&mut self, before: Option<Waker>) {
        let ticket = self.ticket.take();
        let waker = ticket.and_then(|ticket| self.shared.waiters.take(ticket));
        let mut panics = Panics::new();
        panics.catch(|| drop(before));
        panics.catch(|| drop(waker));
        panics.catch(|| drop(self.goal.take()));
        panics.resume();
    }

    /// Leaves the queue, say because it has waited long enough. What had been granted meanwhile is used.
    fn leave(&mut self, why: GivenUp) -> Option<Result<Lease<K, C>, LeaseError>> {
        let granted = self.give_up(why)?;
        Some(granted.usable())
    }

    /// Leaves the queue. What had been granted meanwhile is not lost but returned.
    pub(crate) fn give_up(&mut self, why: GivenUp) -> Option<Lease<K, C>> {
        let ticket = self.ticket.take()?;
        let shared = &self.shared;
        let waker = shared.waiters.take(ticket);
        let mut panics = Panics::new();
        let lease = panics.catch(|| {
            shared.with_effects(|engine, effects| {
                let granted = engine.cancel(ticket, why, effects);
                granted.map(|grant| Lease::of_grant(shared, grant, self.caller))
            })
        });
        panics.catch(|| drop(waker));
        panics.resume();
        lease.flatten()
    }
}

impl<K, C> Drop for Waiting<K, C> {
    fn drop(&mut self) {
        in_drop(|panics| {
            panics.catch(|| self.give_up(GivenUp::Cancelled).map(Lease::give_back));
            panics.catch(|| drop(self.goal.take()));
            self.shared.states.release(self.state);
        });
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
    let new = || Waker::from(Arc::new(Unpark(thread::current())));
    let kept = WAKER.try_with(|kept| kept.borrow_mut().get_or_insert_with(new).clone());
    // A thread that ends, and leases in the drop of something of its own, has lost its waker already.
    let waker = kept.unwrap_or_else(|_| new());
    loop {
        if let Some(outcome) = step(&waker) {
            return outcome;
        }
    }
}
