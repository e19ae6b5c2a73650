//! A number for each thread: what keeps callers that run at once on stripes of their own.
//!
//! Threads of the operating system are counted, so a language's lighter ones share their carrier's number. A model
//! checker runs all threads of a scenario on one of the system's: there each is number 0 until the scenario says
//! otherwise, which also makes a run repeatable.

use std::cell::Cell;

#[cfg(loom)]
use loom::thread_local;
#[cfg(all(shuttle, not(loom)))]
use shuttle::thread_local;

thread_local! {
    static NUMBER: Cell<u32> = Cell::new(first_number());
}

/// The calling thread's number, the same at every call.
#[inline]
pub(crate) fn thread_number() -> u32 {
    NUMBER.with(Cell::get)
}

#[cfg(not(any(loom, shuttle)))]
fn first_number() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    // Written by each thread once; it orders nothing.
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[cfg(any(loom, shuttle))]
fn first_number() -> u32 {
    0
}

/// Makes the calling thread count as number `number` from now on.
#[cfg(test)]
pub(super) fn pretend_thread(number: u32) {
    NUMBER.with(|own| own.set(number));
}
