//! Waiting: a thread sleeps until its ticket is answered, and a request's callback is called once its ticket is.
//!
//! A request is taken out of its place, under the place's lock, together with its answer, before the ticket, and so the
//! place, can be another's. The lock is held while the engine is asked, never the other way round, and never while a callback
//! runs.
//!
//! What follows when the engine is asked here is delivered, and to deliver may be to answer a request: so the files from
//! [`delivery`](crate::delivery) up to here call in a circle, whose stack the queue there keeps from growing.

use std::ptr::null_mut;
use std::sync::Arc;
use std::time::{Duration, Instant};

use leasehold::engine::{Answer, Grant, Outcome, RouteId, Ticket};

use crate::delivery::may_not_wait;
use crate::handles::{lh_lease, lh_pool};
use crate::options::LH_FOREVER;
use crate::pools::Pool;
use crate::serving::{Served, lease_now};
use crate::state::StateUse;
use crate::status::*;
use crate::waiters::{Request, Signal, Waiter};

/// Leases a connection, putting the thread to sleep until there is one.
pub(crate) fn wait_for_lease(
    pool: &Arc<Pool>,
    route: RouteId,
    state: &StateUse<'_>,
    timeout_ms: u64,
) -> Result<Served, lh_status> {
    if may_not_wait() {
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

/// Calls the callback of a request that the engine has answered. Called while delivering.
pub(crate) fn attend(pool: &Arc<Pool>, ticket: Ticket) {
    let Some(mut place) = pool.waiters.place_of(ticket) else {
        return;
    };
    let Some((_, Waiter::Callback(request))) = *place else {
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
    *place = None;
    drop(place);
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
    pub(crate) fn let_go(&self, pool: &Pool) {
        pool.states.release(self.state);
        if let Some(deadline) = self.deadline {
            pool.deadlines.clear(deadline);
        }
    }
}
