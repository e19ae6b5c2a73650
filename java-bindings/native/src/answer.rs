//! What a native answers, as one number; in step with the constants of `Engine.java`.
//!
//! Positive is the handle of an idle connection, or another id. Below [`OPEN_LIMIT`] is the complement of a handle that
//! is the right to open: handles carry their pool's tag, which is never 0, in the bits from there on. What lies between
//! are the codes below.

use crate::numbers;
use jni::sys::jlong;
use leasehold::engine::{Grant, Outcome, Refusal};

pub(crate) const DONE: jlong = 0;
pub(crate) const WAIT: jlong = -1;
const WOULD_BLOCK: jlong = -2;
const QUEUE_FULL: jlong = -3;
const SHUT_DOWN: jlong = -4;
const STALE_ROUTE: jlong = -5;
pub(crate) const PENDING: jlong = -6;
pub(crate) const RETRY: jlong = -7;
pub(crate) const NOT_LEASED: jlong = -8;
pub(crate) const NOTHING: jlong = -9;
const TOO_MANY_ROUTES: jlong = -11;
/// What no caller can bring about, so that there is a mistake on this side of it.
pub(crate) const BROKEN: jlong = -10;

pub(crate) fn of_outcome(outcome: Result<Outcome, Refusal>) -> jlong {
    match outcome {
        Ok(Outcome::Granted(grant)) => of_grant(grant),
        Ok(Outcome::Wait) => WAIT,
        Err(refusal) => of_refusal(refusal),
    }
}

pub(crate) fn of_grant(grant: Grant) -> jlong {
    match grant {
        Grant::Idle(handle) => numbers::of_handle(handle),
        Grant::Open(handle) => !numbers::of_handle(handle),
    }
}

pub(crate) fn of_refusal(refusal: Refusal) -> jlong {
    match refusal {
        Refusal::WouldBlock => WOULD_BLOCK,
        Refusal::QueueFull => QUEUE_FULL,
        Refusal::TooManyRoutes => TOO_MANY_ROUTES,
        Refusal::ShutDown => SHUT_DOWN,
        Refusal::StaleRoute => STALE_ROUTE,
        Refusal::StaleHandle => NOT_LEASED,
        Refusal::StaleTicket => BROKEN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leasehold::engine::{Config, Effects, Engine, Keep, StateId};

    /// As in `Engine.java`.
    const OPEN_LIMIT: jlong = -(1 << 52);

    #[test]
    fn handles_and_codes_cannot_be_mistaken_for_each_other() {
        for _ in 0..5000 {
            let engine = Engine::new(Config::default());
            let mut effects = Effects::new();
            let route = engine.add_route(&mut effects).unwrap();
            let outcome = engine.lease(route, StateId::NONE, None, &mut effects);
            let Ok(Outcome::Granted(Grant::Open(handle))) = outcome else {
                panic!("nothing is idle yet");
            };
            assert!(of_outcome(outcome) < OPEN_LIMIT);
            assert_eq!(!of_outcome(outcome), numbers::of_handle(handle));
            engine.opened(handle).unwrap();
            engine.release_hit(handle, Keep::Forever).unwrap();
            assert!(of_outcome(engine.lease(route, StateId::NONE, None, &mut effects)) > 0);
        }
        const { assert!(OPEN_LIMIT < TOO_MANY_ROUTES) };
    }
}
