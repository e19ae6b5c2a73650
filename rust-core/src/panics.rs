//! Panics of code that is not ours: each step is taken whatever became of the one before, and no panic is lost.
//!
//! The first one goes on to whoever made the call, unless that thread unwinds already, which would end the process. What cannot go
//! on is logged at error.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

/// A panic, as `catch_unwind` tells of it.
pub(crate) type Payload = Box<dyn Any + Send>;

/// What panicked among several steps, each of which is taken all the same.
#[must_use = "a panic is to go on, or to be logged"]
#[derive(Debug, Default)]
pub(crate) struct Panics {
    first: Option<Payload>,
}

impl Panics {
    /// None so far.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Takes a step. `None` where it panicked.
    pub(crate) fn catch<T>(&mut self, step: impl FnOnce() -> T) -> Option<T> {
        // Unwind safety: a step is a call of code that answers for itself, and what we do for it is undone by who owns it.
        match catch_unwind(AssertUnwindSafe(step)) {
            Ok(outcome) => Some(outcome),
            Err(panic) => {
                self.note(panic);
                None
            }
        }
    }

    fn note(&mut self, panic: Payload) {
        match self.first {
            None => self.first = Some(panic),
            Some(_) => report(panic),
        }
    }

    /// Goes on with the first panic, if there was one and the thread does not unwind already.
    pub(crate) fn resume(self) {
        match self.first {
            Some(panic) if thread::panicking() => report(panic),
            Some(panic) => resume_unwind(panic),
            None => {}
        }
    }

    /// Goes on with the first panic, also on a thread that unwinds: where a caller waits for an answer that nobody has.
    pub(crate) fn propagate(self) -> ! {
        match self.first {
            Some(panic) => resume_unwind(panic),
            None => unreachable!("something panicked"),
        }
    }
}

/// Does what a drop has to do: its panic goes on only where that ends nothing but the call.
pub(crate) fn in_drop(work: impl FnOnce(&mut Panics)) {
    let mut panics = Panics::new();
    work(&mut panics);
    panics.resume();
}

/// Takes a step of a thread that is to live on. Its panic ends here, and is logged as `what` has happened; `None` then.
pub(crate) fn survive<T>(what: &str, step: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(outcome) => Some(outcome),
        Err(panic) => {
            log_as(what, panic);
            None
        }
    }
}

/// Logs on a thread that is to live on: the logger's own panic ends here. The panic's hook has told of it.
pub(crate) fn survive_logger(log: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(log)) {
        discard(panic);
    }
}

/// Logs a panic that cannot go on.
#[cold]
pub(crate) fn report(panic: Payload) {
    log_as("panic that goes no further", panic);
}

fn log_as(what: &str, panic: Payload) {
    survive_logger(|| crate::logging::error!("{what}: {}", message_of(&*panic)));
    discard(panic);
}

/// Drops what a panic has brought, whose drop may panic in its turn, with what is better not dropped either.
fn discard(panic: Payload) {
    mem::forget(catch_unwind(AssertUnwindSafe(|| drop(panic))));
}

/// What a panic says.
pub fn message_of(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("of unknown cause")
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    /// Panics without a line of the hook's.
    fn fail(payload: impl Any + Send) {
        resume_unwind(Box::new(payload));
    }

    #[test]
    fn every_step_is_taken_and_the_first_panic_goes_on() {
        let mut panics = Panics::new();
        assert_eq!(panics.catch(|| 7), Some(7));
        assert_eq!(panics.catch(|| fail("first")), None);
        assert_eq!(panics.catch(|| fail("second")), None);
        assert_eq!(panics.catch(|| 8), Some(8));
        let told = catch_unwind(AssertUnwindSafe(|| panics.resume())).unwrap_err();
        assert_eq!(message_of(&*told), "first");
    }

    #[test]
    fn on_a_thread_that_unwinds_no_panic_goes_on() {
        struct Dropped;

        impl Drop for Dropped {
            fn drop(&mut self) {
                in_drop(|panics| {
                    panics.catch(|| fail(String::from("in the drop")));
                });
            }
        }

        let told = catch_unwind(|| {
            let _dropped = Dropped;
            fail("outside");
        });
        assert_eq!(message_of(&*told.unwrap_err()), "outside");
        let told = catch_unwind(|| drop(Dropped)).unwrap_err();
        assert_eq!(message_of(&*told), "in the drop");
    }

    #[test]
    fn a_panic_whose_own_drop_panics_ends_where_it_is_reported() {
        struct Bomb;

        impl Drop for Bomb {
            fn drop(&mut self) {
                fail(Bomb);
            }
        }

        let mut panics = Panics::new();
        panics.catch(|| fail(1));
        panics.catch(|| fail(Bomb));
        let told = catch_unwind(AssertUnwindSafe(|| panics.resume())).unwrap_err();
        assert_eq!(told.downcast_ref(), Some(&1));
        assert_eq!(message_of(&*told), "of unknown cause");
    }
}
