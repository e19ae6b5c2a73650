//! Panics on a thread that has work with the engine: those of others cost it nothing, one of its own ends it for everybody, aloud.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

use super::super::*;
use super::audit::audit;

fn engine(max_total: u32) -> Engine {
    Engine::new(Config {
        max_total,
        ..Config::default()
    })
}

fn opened(engine: &Engine, route: RouteId) -> Handle {
    let mut effects = Effects::new();
    let leased = engine.lease(route, StateId::NONE, None, &mut effects);
    let Ok(Outcome::Granted(Grant::Open(handle))) = leased else {
        panic!("{leased:?}");
    };
    engine.opened(handle).unwrap();
    assert!(effects.is_empty());
    handle
}

fn waiting(engine: &Engine, route: RouteId) -> Ticket {
    let ticket = engine.reserve_ticket().unwrap();
    let mut effects = Effects::new();
    let outcome = engine.lease(route, StateId::NONE, Some(ticket), &mut effects);
    assert_eq!(outcome, Ok(Outcome::Wait));
    ticket
}

/// A panic on purpose, in a payload that no hook prints a line about.
fn fail() -> ! {
    panic_any("on purpose")
}

#[test]
fn a_step_on_a_thread_that_unwinds_already_is_as_good_as_any() {
    struct Held<'a>(&'a Engine, Handle);

    impl Drop for Held<'_> {
        fn drop(&mut self) {
            let mut effects = Effects::new();
            let released = self
                .0
                .release(self.1, Verdict::Close, StateId::NONE, &mut effects);
            assert_eq!(released, Ok(Released::Close(Cause::Requested)));
            assert!(!self.0.ack(self.1.slot()));
        }
    }

    let engine = engine(1);
    let route = engine.add_route(&mut Effects::new()).unwrap();
    for _ in 0..3 {
        let held = Held(&engine, opened(&engine, route));
        let exchange = || {
            let _held = held;
            fail();
        };
        assert!(catch_unwind(AssertUnwindSafe(exchange)).is_err());
        assert!(!engine.is_shut_down());
        audit(&engine);
    }
}

#[test]
fn a_panic_inside_a_step_refuses_all_who_wait_and_all_who_come() {
    let engine = engine(2);
    let mut effects = Effects::new();
    let [a, b] = [(); 2].map(|()| engine.add_route(&mut effects).unwrap());
    let held = opened(&engine, a);
    opened(&engine, b);
    let waiters = [
        waiting(&engine, a),
        waiting(&engine, b),
        waiting(&engine, a),
    ];
    let reserved = engine.reserve_ticket().unwrap();

    let mut effects = Effects::new();
    let broken = catch_unwind(AssertUnwindSafe(|| {
        engine.step(&mut effects, |step| {
            // What was granted before it is granted.
            step.answer(waiters[0].slot(), Ok(Grant::Open(held)));
            fail();
        });
    }));
    assert!(broken.is_err());
    assert_eq!(effects.wakes, waiters);
    assert_eq!(
        engine.poll_ticket(waiters[0]),
        Ok(Answer::Granted(Grant::Open(held)))
    );
    for waiter in &waiters[1..] {
        assert_eq!(engine.poll_ticket(*waiter), Err(Refusal::ShutDown));
    }
    assert_eq!(engine.stats().pending, 0);
    for ticket in [None, Some(reserved)] {
        let late = engine.lease(a, StateId::NONE, ticket, &mut effects);
        assert_eq!(late, Err(Refusal::ShutDown));
    }
    assert!(engine.is_shut_down());
}
