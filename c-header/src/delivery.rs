//! Carrying out what follows from the engine's decisions: callbacks and wake-ups, with no lock held.
//!
//! Threads that sleep are woken at once. Callbacks may call back into the pool, and what such a call brings about may need callbacks
//! again. Those wait until the callback has returned: callbacks never nest, and a chain of requests, each served by what the one
//! before released, needs no more stack than a single one. To answer a request is to ask the engine again, and what follows from that
//! is delivered, too: such a circle of calls grows by the queue and not by the stack.
//!
//! A request is taken out of its place, under the place's lock, together with its answer, before the ticket, and so the
//! place, can be another's. The lock is held while the engine is asked, never the other way round, and never while a callback
//! runs.
//!
//! In which order, and what becomes of panics, is the [kit](leasehold::face)'s to say. A connection whose close may take its time
//! goes to the disposer, which delivers it on a thread of its own.

use std::cell::Cell as ThreadCell;
use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;

use leasehold::engine::{
    Answer, Cause, Effects, Engine, GivenUp, Grant, Handle, NotLeased, Outcome, RouteId, StateId,
    Ticket, Verdict, Victim,
};
use leasehold::face::{
    self, Disposable, Face, Work, is_housekeepers_thread, is_own_thread, is_process, process_number,
};

use crate::boundary::report;
use crate::care::Call;
use crate::disposal::{Disposal, lh_cause};
use crate::handles::{lh_lease, lh_pool};
use crate::log::is_logging;
use crate::pools::Pool;
use crate::probe::borrow;
use crate::status::*;
use crate::waiters::{Request, Waiter};

/// What is left to be done for a pool.
pub(crate) enum Delivery {
    /// After a call of the engine.
    Work(Work<Disposal>),
    /// On the thread that has it.
    Disposal(Disposal),
    /// Requests whose deadline has come.
    Overdue(Vec<Ticket>),
}

/// What a thread has still to deliver.
type Queue = VecDeque<(Arc<Pool>, Delivery)>;

thread_local! {
    /// What this thread has still to deliver, while it is delivering: a queue on the stack of `deliver`, and the process in which
    /// it does.
    static UNDER_WAY: ThreadCell<(u32, *mut Queue)> = const { ThreadCell::new((0, null_mut())) };
}

/// The queue of this thread while it is delivering. A child that was forked in a callback is not: what its own pools bring about is
/// no part of what its parent has under way.
fn under_way() -> Option<NonNull<Queue>> {
    let (process, queue) = UNDER_WAY.get();
    NonNull::new(queue).filter(|_| is_process(process))
}

/// The calling thread is in a callback.
pub(crate) fn is_in_callback() -> bool {
    under_way().is_some()
}

thread_local! {
    /// The process in which this thread is in a callback that gets entries, or 0. A child that was forked in it is not.
    static LOOKING: ThreadCell<u32> = const { ThreadCell::new(0) };
}

/// Makes a call of a callback that gets entries.
pub(crate) fn in_entry_callback<T>(call: impl FnOnce() -> T) -> T {
    let before = LOOKING.replace(process_number());
    let answer = call();
    LOOKING.set(before);
    answer
}

/// The calling thread is in a callback of whatever kind, or one of the library's: what it would wait for may be its own to do.
pub(crate) fn may_not_wait() -> bool {
    is_in_callback() || is_logging() || LOOKING.get() == process_number() || is_own_thread()
}

/// A pool as the kit sees it.
struct Courier<'a> {
    pool: &'a Arc<Pool>,
    /// Why connections had to go.
    cause_of: fn(Cause) -> lh_cause,
}

impl Face for Courier<'_> {
    type Closing = Disposal;

    fn engine(&self) -> &Engine {
        &self.pool.engine
    }

    unsafe fn take(&self, victim: Victim) -> Option<Disposal> {
        let connection = self.pool.take_connection(victim.slot)?;
        Some(Disposal::new(connection, (self.cause_of)(victim.cause)))
    }

    fn wake(&self, ticket: Ticket) {
        attend(self.pool, ticket);
    }

    fn close(&self, disposal: Disposal) {
        if let Some(disposal) = self.pool.dispose_apart(disposal) {
            disposal.call(self.pool);
        }
    }

    fn forget(&self, route: RouteId) {
        self.pool.routes.forget(route);
    }

    fn deliver(&self, mut work: Work<Disposal>) {
        // Every end of a lease comes here once the pool is shut down, as there is a victim: first, as a callback may hang.
        if self.pool.engine.is_shut_down() {
            self.pool.drain.look();
        }
        work.wakes
            .retain(|ticket| !self.pool.waiters.wake_thread(*ticket));
        if !work.is_empty() {
            self.pool.deliver(Delivery::Work(work));
        }
    }
}

impl Pool {
    fn courier<'a>(self: &'a Arc<Self>) -> Courier<'a> {
        Courier {
            pool: self,
            cause_of: lh_cause::from,
        }
    }

    /// Calls the engine and carries out what follows from it.
    pub(crate) fn with_effects<T>(
        self: &Arc<Self>,
        call: impl FnOnce(&Engine, &mut Effects) -> T,
    ) -> T {
        face::with_effects(&self.courier(), call)
    }

    /// The same, with another idea of why connections had to go.
    pub(crate) fn with_effects_as<T>(
        self: &Arc<Self>,
        cause_of: fn(Cause) -> lh_cause,
        call: impl FnOnce(&Engine, &mut Effects) -> T,
    ) -> T {
        let pool = self;
        face::with_effects(&Courier { pool, cause_of }, call)
    }

    /// Ends a lease under the coordinator. `cause` is why, where the engine cannot know.
    pub(crate) fn end(
        self: &Arc<Self>,
        handle: Handle,
        verdict: Verdict,
        state: StateId,
        cause: Option<Cause>,
    ) -> Result<(), NotLeased> {
        face::end(&self.courier(), handle, verdict, state, cause)
    }

    /// Has a connection disposed of by the next callback, or apart.
    pub(crate) fn dispose(self: &Arc<Self>, disposal: Disposal) {
        if let Some(disposal) = self.dispose_apart(disposal) {
            self.deliver(Delivery::Disposal(disposal));
        }
    }

    /// Has a connection disposed of on the disposer's thread, where that is wanted, and on the housekeeper's thread, which a
    /// close must not hold up. Otherwise, or where the pool has left the housekeeper, gives it back.
    fn dispose_apart(self: &Arc<Self>, disposal: Disposal) -> Option<Disposal> {
        if !self.disposes_apart && !is_housekeepers_thread() {
            return Some(disposal);
        }
        // Logs where that cannot be done: before there is a call that the end of the pool waits for.
        let _ = self.is_tended();
        // Before the look at the place: the end of the pool, which gives that up, either is seen here or sees this.
        let call = Call::begin(&self.care);
        let Some(membership) = self.membership() else {
            return Some(disposal);
        };
        membership.dispose(Box::new(Parting {
            disposal: Some(disposal),
            _call: call,
            pool: Arc::clone(self),
        }));
        None
    }

    /// Calls the callbacks that are due. In a callback, leaves that to when it has returned.
    pub(crate) fn deliver(self: &Arc<Self>, delivery: Delivery) {
        let delivery = (Arc::clone(self), delivery);
        if let Some(mut queue) = under_way() {
            // SAFETY: it lies on this thread's stack, below us; `deliver` there is in a callback now and holds no
            // reference to it.
            unsafe { queue.as_mut() }.push_back(delivery);
            return;
        }
        let mut queue = Queue::from([delivery]);
        let queue = &raw mut queue;
        let (before, process) = (UNDER_WAY.get(), process_number());
        UNDER_WAY.set((process, queue));
        // SAFETY: alive, and the reference ends before the callbacks, which may push, begin.
        while let Some((pool, delivery)) = unsafe { (*queue).pop_front() } {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| delivery.carry_out(&pool))) {
                report(panic);
            }
            if !is_process(process) {
                // A child that was forked in a callback has returned from it. The rest is its parent's to deliver.
                // SAFETY: as above.
                std::mem::forget(unsafe { std::mem::take(&mut *queue) });
            }
        }
        UNDER_WAY.set(before);
    }
}

impl Delivery {
    fn carry_out(self, pool: &Arc<Pool>) {
        match self {
            Delivery::Work(work) => work.carry_out(&pool.courier()),
            Delivery::Disposal(disposal) => disposal.call(pool),
            Delivery::Overdue(overdue) => {
                for ticket in overdue {
                    time_out(pool, ticket);
                }
            }
        }
    }
}

/// Calls the callback of a request that the engine has answered.
fn attend(pool: &Arc<Pool>, ticket: Ticket) {
    let Some(published) = pool.waiters.published(ticket) else {
        return;
    };
    let Waiter::Callback(request) = *published.waiter() else {
        return;
    };
    let grant = match pool.engine.poll_ticket(ticket) {
        // Another answer will come, and whoever makes it comes here.
        Ok(Answer::Pending) => return,
        // What follows is delivered later, when the place is not locked any more.
        Ok(Answer::AskAgain) => match pool.with_effects(|engine, effects| {
            engine.lease(request.route, request.state, Some(ticket), effects)
        }) {
            Ok(Outcome::Wait) => return,
            Ok(Outcome::Granted(grant)) => Ok(grant),
            Err(refusal) => Err(refusal.into()),
        },
        Ok(Answer::Granted(grant)) => Ok(grant),
        Err(refusal) => Err(refusal.into()),
    };
    drop(published.take());
    request.finish(pool, grant);
}

/// Answers a request that has waited long enough, unless it was answered or cancelled.
fn time_out(pool: &Arc<Pool>, ticket: Ticket) {
    let Some(request) = pool.waiters.take_request(ticket) else {
        return;
    };
    // Nobody else can take the answer now. One that came at the last moment is used.
    let grant =
        pool.with_effects(|engine, effects| engine.cancel(ticket, GivenUp::TimedOut, effects));
    request.finish(pool, grant.ok_or(LH_TIMED_OUT));
}

impl Request {
    fn finish(self, pool: &Arc<Pool>, grant: Result<Grant, lh_status>) {
        self.let_go(pool);
        let served = grant.and_then(|grant| pool.serve(self.route, grant));
        let (status, lease, data) = match served {
            Ok(served) => (served.status, served.handle.into(), served.data),
            Err(status) => (status, lh_lease { id: 0 }, null_mut()),
        };
        let pool = lh_pool { id: pool.id };
        // SAFETY: the program gave the callback and its context for this.
        unsafe { (self.callback)(self.context, pool, status, lease, data) };
    }

    /// It was answered or cancelled.
    pub(crate) fn let_go(&self, pool: &Pool) {
        pool.states.release(self.state);
        if let Some(deadline) = self.deadline {
            pool.deadlines.clear(deadline);
        }
    }
}

impl Disposal {
    fn call(self, pool: &Pool) {
        log::debug!("disposing of a connection: {}", self.cause.describe());
        if let Some(dispose) = pool.dispose {
            // SAFETY: the program gave the callback and its context for this; the data is a connection that the program gave,
            // which the pool has no more.
            unsafe { dispose(pool.dispose_context, self.data, self.cause) };
        }
    }
}

/// A connection on its way to the disposer, which drops it.
struct Parting {
    /// Taken when it is dropped.
    disposal: Option<Disposal>,
    /// Dropped when the callback has returned.
    _call: Call,
    pool: Arc<Pool>,
}

impl Disposable for Parting {
    fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.disposal.as_ref()?.socket.map(borrow)
    }
}

impl Drop for Parting {
    fn drop(&mut self) {
        if let Some(disposal) = self.disposal.take() {
            self.pool.deliver(Delivery::Disposal(disposal));
        }
    }
}
