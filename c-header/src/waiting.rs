//! Waiting: a thread sleeps until its ticket is answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use leasehold::engine::{Answer, GivenUp, Grant, Outcome, RouteId, Ticket};

use crate::delivery::may_not_wait;
use crate::options::LH_FOREVER;
use crate::pools::Pool;
use crate::serving::{Served, lease_now};
use crate::state::StateUse;
use crate::status::*;
use crate::waiters::{Signal, Waiter};

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
    let deadline = deadline_of(timeout_ms);
    let ticket = pool.engine.reserve_ticket().map_err(|_| LH_TOO_MANY)?;
    let signal = Arc::new(Signal::default());
    pool.waiters
        .publish(ticket, Waiter::Thread(Arc::clone(&signal)));
    let grant = sleep_until_granted(pool, route, state, ticket, &signal, deadline);
    pool.waiters.retract(ticket);
    pool.serve(route, grant?)
}

/// When a wait that begins now is over; `None` for never.
pub(crate) fn deadline_of(timeout_ms: u64) -> Option<Instant> {
    match timeout_ms {
        LH_FOREVER => None,
        // Nobody lives to see a deadline that the clock cannot tell.
        millis => Instant::now().checked_add(Duration::from_millis(millis)),
    }
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
                let grant = pool.with_effects(|engine, effects| {
                    engine.cancel(ticket, GivenUp::TimedOut, effects)
                });
                return grant.ok_or(LH_TIMED_OUT);
            }
        }
    }
}
