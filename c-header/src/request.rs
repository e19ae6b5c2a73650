//! Requests: leases whose answer, if they have to wait, is a callback.

use std::ffi::c_void;
use std::sync::Arc;

use leasehold::engine::{GivenUp, Grant, Outcome, Ticket};
use leasehold::face::Deadline;

use crate::boundary::{Output, answer};
use crate::handles::{lh_lease, lh_pool, lh_request, lh_route};
use crate::options::{LH_FOREVER, lh_lease_options};
use crate::pools::{Pool, with_pool};
use crate::serving::LeaseOutput;
use crate::sized;
use crate::state::state_of;
use crate::status::*;
use crate::waiters::{Request, Waiter};

/// Gets the answer to a request that had to wait, exactly once.
///
/// `status`, `lease` and `data` are what lh_pool_try_lease would have answered and written: LH_OK, LH_VACANCY, or the error
/// LH_SHUT_DOWN or LH_TIMED_OUT. After an error there is no lease.
///
/// It is called on the thread whose call served the request, say lh_lease_release, before that call returns. It is called on a thread of
/// the library's own for LH_TIMED_OUT, and where something that was disposed of there has made room. No lock is held. What holds for the
/// disposal callback holds for this one: it may call the pool's functions, but not wait; callbacks never nest; it must return normally.
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
    /// Has a queued request time out, unless it is answered or cancelled before. False where there is no thread to tell.
    fn limit(self: &Arc<Self>, ticket: Ticket, deadline: Deadline) -> bool {
        if !self.is_tended() {
            return false;
        }
        let is_first = self.deadlines.set(deadline, ticket);
        // Whoever took it out of its place before the deadline was set has left that to us.
        if self.waiters.published(ticket).is_none() {
            self.deadlines.clear(deadline);
        } else if is_first {
            if let Some(membership) = self.membership() {
                membership.ring();
            }
        }
        true
    }

    /// Takes a request back that nobody would time out: what it was granted meanwhile, if that has not gone to its callback.
    fn take_back(self: &Arc<Self>, ticket: Ticket) -> Option<Result<Grant, lh_status>> {
        let asked = self.waiters.take_request(ticket)?;
        // Nobody else can take the answer now.
        asked.let_go(self);
        let grant =
            self.with_effects(|engine, effects| engine.cancel(ticket, GivenUp::Cancelled, effects));
        Some(grant.ok_or(LH_NO_THREAD))
    }
}

/// Leases a connection of a route: at once where that is possible, as lh_pool_try_lease, else as soon as one comes free,
/// by a callback.
///
/// LH_OK, LH_VACANCY: `lease` and `data` were written, `callback` is not called. LH_PENDING: only `request` was written, and
/// `callback` is called once, unless lh_request_cancel succeeds. That may be on another thread, and before this function has returned.
/// A request waits for the options' timeout_ms at most. Hold the route until then.
///
/// The callback may come on any thread that uses the pool and on the library's own. That of an event loop is to wake the loop. O(1) where
/// something is idle or nobody waits.
///
/// LH_QUEUE_FULL, LH_SHUT_DOWN, LH_NULL_POINTER, LH_BAD_SIZE, LH_INVALID_ARGUMENT, LH_NO_POOL, LH_NO_ROUTE, LH_TOO_MANY,
/// LH_NO_MEMORY; LH_NO_THREAD: it would have to wait, with a timeout, and there is no thread to tell when that is over. Thread-safe.
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
                let options = sized::read(options)?;
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
                    let is_kept = |deadline| pool.limit(ticket, deadline);
                    if !asked.deadline.is_none_or(is_kept) {
                        if let Some(grant) = pool.take_back(ticket) {
                            return output.write(pool.serve(route, grant?)?);
                        }
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

/// Takes a request back. After LH_OK its callback is not called. A connection that it had been granted already goes to the next one.
///
/// LH_NO_REQUEST: it is too late, as its callback was called or is being called; LH_NO_POOL. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn lh_request_cancel(pool: lh_pool, request: lh_request) -> lh_status {
    answer(|| {
        with_pool(pool, |pool| {
            let ticket = request.to_ticket();
            let asked = pool.waiters.take_request(ticket).ok_or(LH_NO_REQUEST)?;
            // Nobody else can take the answer now.
            asked.let_go(pool);
            if let Some(grant) = pool
                .with_effects(|engine, effects| engine.cancel(ticket, GivenUp::Cancelled, effects))
            {
                pool.give_back(grant);
            }
            Ok(LH_OK)
        })
    })
}
