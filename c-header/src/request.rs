//! Requests that wait: a thread's, and those whose answer is a callback.
//!
//! A request with a callback is taken out of its place in [`Waiters`](crate::waiters) under the place's lock together with
//! its answer, before the ticket, and so the place, can be another's. The lock is held while the engine is asked, never the
//! other way round, and never while a callback runs.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::time::{Duration, Instant};

use leasehold::engine::{Answer, Grant, Outcome, RouteId, Ticket};
use leasehold::face::Deadline;

use crate::boundary::{Output, answer};
use crate::delivery::is_in_callback;
use crate::handles::{lh_lease, lh_pool, lh_request, lh_route};
use crate::options::{self, LH_FOREVER, lh_lease_options};
use crate::pools::{Pool, with_pool};
use crate::serving::{LeaseOutput, Served, lease_now};
use crate::state::{StateUse, state_of};
use crate::status::*;
use crate::waiters::{Request, Signal, Waiter};

/// Gets the answer to a request that had to wait, exactly once.
///
/// `status`, `lease` and `data` are what lh_pool_try_lease would have answered and written: LH_OK, LH_VACANCY, or the error
/// LH_SHUT_DOWN or LH_TIMED_OUT, in which case there is no lease. Called on the thread whose call served the request, say
/// lh_lease_release, before that call returns, or on a thread of the library's own: always for LH_TIMED_OUT, and where what
/// that thread disposed of made room. No lock is held. What holds for the disposal callback holds for this one: it may call the
/// pool's functions, but not wait; callbacks never nest; it must return normally.
pub type lh_lease_callback = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        pool: lh_pool,
        status: lh_status,
        lease: lh_lease,
        data: *mut c_void,
    ),
>;

impl Pool {
    /// Has a queued request time out, unless it is answered or cancelled before.
    fn limit(self: &Arc<Self>, ticket: Ticket, deadline: Deadline) {
        let is_first = self.deadlines.set(deadline, ticket);
        // Whoever took it out of its place before the deadline was set has left that to us.
        if self.waiters.place_of(ticket).is_none() {
            self.deadlines.clear(deadline);
        } else if is_first {
            if let Some(membership) = self.membership() {
                membership.ring();
            }
        }
    }
}

/// Leases a connection, putting the thread to sleep until there is one.
pub(crate) fn wait_for_lease(
    pool: &Arc<Pool>,
    route: RouteId,
    state: &StateUse<'_>,
    timeout_ms: u64,
) -> Result<Served, lh_status> {
    if is_in_callback() {
        return lease_now(pool, route, state).map_err(|status| match status {
            LH_EXHAUSTED => LH_IN_CALLBACK,
            other => other,
        });
    }
    let deadline = match timeout_ms {
        LH_FOREVER => None,
        // Nobody lives to see a deadline that the clock cannot tell.
        millis => Instant::now().checked_add(Duration::from_millis(millis)),
    };
    let ticket = pool.engine.reserve_ticket().map_err(|_| LH_TOO_MANY)?;
    let signal = Arc::new(Signal::default());
    pool.waiters
        .publish(ticket, Waiter::Thread(Arc::clone(&signal)));
    let grant = sleep_until_granted(pool, route, state, ticket, &signal, deadline);
    pool.waiters.retract(ticket);
    pool.serve(route, grant?)
}

fn sleep_until_granted(
    pool: &Arc<Pool>,
    route: RouteId,
    state: &StateUse<'_>,
    ticket: Ticket,
    signal: &Signal,
    deadline: Option<Instant>,
) -> Result<Grant, lh_status> {
    let ask = || {
        pool.with_effects(|engine, effects| engine.lease(route, state.id(), Some(ticket), effects))
    };
    let mut outcome = ask()?;
    loop {
        if let Outcome::Granted(grant) = outcome {
            return Ok(grant);
        }
        match pool.engine.poll_ticket(ticket)? {
            Answer::Granted(grant) => return Ok(grant),
            Answer::AskAgain => outcome = ask()?,
            Answer::Pending if signal.wait(deadline) => {}
            Answer::Pending => {
                // What came at the last moment is used.
                let grant = pool.with_effects(|engine, effects| engine.cancel(ticket, effects));
                return grant.ok_or(LH_TIMED_OUT);
            }
        }
    }
}

/// Tells the owner of a ticket that the engine has answered it. Called while delivering.
pub(crate) fn attend(pool: &Arc<Pool>, ticket: Ticket) {
    let Some(mut waiting) = pool.waiters.place_of(ticket) else {
        return;
    };
    let request = match &*waiting {
        Some((_, Waiter::Thread(signal))) => {
            let signal = Arc::clone(signal);
            drop(waiting);
            return signal.give();
        }
        Some((_, Waiter::Callback(request))) => *request,
        None => return,
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
    *waiting = None;
    drop(waiting);
    request.finish(pool, grant);
}

/// Answers a request that has waited long enough, unless it was answered or cancelled. Called while delivering.
pub(crate) fn time_out(pool: &Arc<Pool>, ticket: Ticket) {
    let Some(request) = pool.waiters.take_request(ticket) else {
        return;
    };
    // Nobody else can take the answer now. One that came at the last moment is used.
    let grant = pool.with_effects(|engine, effects| engine.cancel(ticket, effects));
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
    fn let_go(&self, pool: &Pool) {
        pool.states.release(self.state);
        if let Some(deadline) = self.deadline {
            pool.deadlines.clear(deadline);
        }
    }
}

/// Leases a connection of a route: at once where that is possible, as lh_pool_try_lease, else as soon as one comes free,
/// by a callback.
///
/// LH_OK, LH_VACANCY: `lease` and `data` were written, `callback` is not called. LH_PENDING: only `request` was written, and
/// `callback` is called once, unless lh_request_cancel succeeds, maybe on another thread before this function has returned.
/// A request waits for the options' timeout_ms at most. Hold the route until then. An event loop leases by this without ever waiting;
/// let its callback wake the loop, since it may come on any thread that uses the pool and on the library's own.
///
/// LH_QUEUE_FULL, LH_SHUT_DOWN, LH_NULL_POINTER, LH_BAD_SIZE, LH_INVALID_ARGUMENT, LH_NO_POOL, LH_NO_ROUTE, LH_TOO_MANY.
/// Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_pool_request(
    pool: lh_pool,
    route: lh_route,
    options: *const lh_lease_options,
    callback: lh_lease_callback,
    context: *mut c_void,
    request: *mut lh_request,
    lease: *mut lh_lease,
    data: *mut *mut c_void,
) -> lh_status {
    answer(|| {
        let callback = callback.ok_or(LH_NULL_POINTER)?;
        // SAFETY: the caller's promise.
        let (request, output) = unsafe { (Output::new(request)?, LeaseOutput::new(lease, data)?) };
        with_pool(pool, |pool| {
            let route = route.to_id();
            // SAFETY: the caller's promise.
            let (options, state) = unsafe {
                let options = options::read(options)?;
                (options, state_of(pool, &options)?)
            };
            let ticket = pool.engine.reserve_ticket().map_err(|_| LH_TOO_MANY)?;
            let asked = Request {
                callback,
                context,
                route,
                state: state.id(),
                deadline: (options.timeout_ms != LH_FOREVER).then(|| {
                    let now = pool.engine.now();
                    pool.deadlines
                        .reserve(now.saturating_add(options.timeout_ms))
                }),
            };
            pool.waiters.publish(ticket, Waiter::Callback(asked));
            let outcome = pool.with_effects(|engine, effects| {
                engine.lease(route, asked.state, Some(ticket), effects)
            });
            match outcome {
                Ok(Outcome::Wait) => {
                    // The request's own from now on.
                    state.into_id();
                    if let Some(deadline) = asked.deadline {
                        pool.limit(ticket, deadline);
                    }
                    request.write(ticket.into());
                    Ok(LH_PENDING)
                }
                Ok(Outcome::Granted(grant)) => {
                    pool.waiters.retract(ticket);
                    output.write(pool.serve(route, grant)?)
                }
                Err(refusal) => {
                    pool.waiters.retract(ticket);
                    Err(refusal.into())
                }
            }
        })
    })
}

/// Takes a request back. After LH_OK its callback is not called; what it had been granted unseen goes to the next.
///
/// LH_NO_REQUEST: too late, its callback was called or is being called; LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_request_cancel(pool: lh_pool, request: lh_request) -> lh_status {
    answer(|| {
        with_pool(pool, |pool| {
            let ticket = request.to_ticket();
            let asked = pool.waiters.take_request(ticket).ok_or(LH_NO_REQUEST)?;
            // Nobody else can take the answer now.
            asked.let_go(pool);
            if let Some(grant) = pool.with_effects(|engine, effects| engine.cancel(ticket, effects))
            {
                pool.give_back(grant);
            }
            Ok(LH_OK)
        })
    })
}
