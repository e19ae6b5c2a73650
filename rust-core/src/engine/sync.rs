//! The locks and atomics that decide a race: the real ones, or those of a model checker.
//!
//! Built with `--cfg loom` every interleaving of a small scenario is explored; with `--cfg shuttle` random schedules of
//! large ones are. Nothing else in the engine but its thread numbers knows which of the three it runs on. What decides none is the
//! standard library's in each: the clock, counters, numbers given out in turn, and the `OnceLock`s by which arrays grow.
//!
//! The face kit and the Rust face stand on the same seam with what is handed from one thread to another: the places of connections, and
//! who waits.

#[cfg(not(any(loom, shuttle)))]
mod backend {
    pub(crate) use crate::locks::{Mutex, MutexGuard};
    pub(crate) use std::sync::atomic;

    pub(crate) use super::unchecked::UnsafeCell;
}

#[cfg(any(loom, shuttle))]
mod backend {
    #[cfg(loom)]
    use loom::sync as checker;
    #[cfg(all(shuttle, not(loom)))]
    use shuttle::sync as checker;

    #[cfg(not(loom))]
    pub(crate) use super::unchecked::UnsafeCell;
    pub(crate) use checker::MutexGuard;
    pub(crate) use checker::atomic;
    #[cfg(loom)]
    pub(crate) use loom::cell::UnsafeCell;

    /// The checker's mutex behind the real one's signatures: a panic under the lock does not poison it, as there.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(checker::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Mutex(checker::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
        }

        pub(crate) fn is_locked(&self) -> bool {
            self.0.try_lock().is_err()
        }
    }
}

#[cfg(not(loom))]
mod unchecked {
    /// The standard library's behind the checker's signatures: closures, so that a checker sees how long the value is used.
    #[derive(Debug)]
    pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(crate) const fn new(value: T) -> Self {
            UnsafeCell(std::cell::UnsafeCell::new(value))
        }

        #[inline(always)]
        pub(crate) fn with<R>(&self, look: impl FnOnce(*const T) -> R) -> R {
            look(self.0.get())
        }

        #[inline(always)]
        pub(crate) fn with_mut<R>(&self, work: impl FnOnce(*mut T) -> R) -> R {
            work(self.0.get())
        }
    }
}

pub(crate) use backend::*;

/// Keeps what it holds on cache lines of its own, so that writes beside it do not slow its readers.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Padded<T>(pub(crate) T);

impl<T> std::ops::Deref for Padded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
