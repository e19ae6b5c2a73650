//! A lock for what many threads read at once and few ever write.
//!
//! Whoever reads a `RwLock` writes to its one word, twice, so that readers on several processors hinder each other as much as
//! writers would. Here there are several locks, each on cache lines of its own: a thread reads under the one that its number
//! picks, and whoever writes takes them all, always in the same order. That is exclusive, since every reader holds one of them.
//!
//! crossbeam's lock of this name has each thread leave word when it ends, which would keep the C library mapped after it was unloaded.

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::engine::{Padded, thread_number};
use crate::locks::{RwLock, RwLockReadGuard, RwLockWriteGuard};

// Under a model checker one: its threads have small stacks, over which a new pool passes.
const LOCKS: usize = if cfg!(loom) { 1 } else { 8 };

thread_local! {
    /// How many such locks the thread reads under.
    static READING: Cell<usize> = const { Cell::new(0) };
}

/// Whether the calling thread reads under such a lock: it may not write then, as it would wait for itself, or for another that waits
/// for it.
pub(crate) fn is_reading() -> bool {
    READING.get() > 0
}

pub(crate) struct ShardedLock<T> {
    locks: [Padded<RwLock<()>>; LOCKS],
    /// Written by whoever holds all locks.
    value: UnsafeCell<T>,
}

// SAFETY: as of a `RwLock`: several threads at once have references to the value, and one at a time a mutable one.
unsafe impl<T: Send + Sync> Sync for ShardedLock<T> {}

impl<T> ShardedLock<T> {
    pub(crate) const fn new(value: T) -> Self {
        ShardedLock {
            locks: [const { Padded(RwLock::new(())) }; LOCKS],
            value: UnsafeCell::new(value),
        }
    }

    /// A thread that reads already may read again.
    #[inline]
    pub(crate) fn read(&self) -> ReadGuard<'_, T> {
        READING.set(READING.get() + 1);
        let lock = &self.locks[thread_number() as usize % LOCKS].0;
        ReadGuard {
            _held: lock.read_recursive(),
            lock: self,
        }
    }

    pub(crate) fn write(&self) -> WriteGuard<'_, T> {
        WriteGuard {
            _held: std::array::from_fn(|i| self.locks[i].0.write()),
            lock: self,
        }
    }
}

impl<T> fmt::Debug for ShardedLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShardedLock").finish_non_exhaustive()
    }
}

pub(crate) struct ReadGuard<'a, T> {
    _held: RwLockReadGuard<'a, ()>,
    // Not the value: a reference to that must not outlive the lock, not even while the guard is dropped.
    lock: &'a ShardedLock<T>,
}

impl<T> Drop for ReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        READING.set(READING.get() - 1);
    }
}

impl<T> Deref for ReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: one lock is held for as long as the guard lives, and who writes holds all of them.
        unsafe { &*self.lock.value.get() }
    }
}

pub(crate) struct WriteGuard<'a, T> {
    _held: [RwLockWriteGuard<'a, ()>; LOCKS],
    lock: &'a ShardedLock<T>,
}

impl<T> Deref for WriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: all locks are held for as long as the guard lives.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for WriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and every other reference is behind one of the locks or this guard.
        unsafe { &mut *self.lock.value.get() }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::thread;

    #[test]
    fn several_threads_read_at_once_and_one_twice() {
        let lock = ShardedLock::new(7);
        // More than there are locks, so that some share one.
        let together = Barrier::new(2 * LOCKS);
        thread::scope(|threads| {
            for _ in 0..2 * LOCKS {
                threads.spawn(|| {
                    let (value, again) = (lock.read(), lock.read());
                    together.wait();
                    assert_eq!((*value, *again), (7, 7));
                });
            }
        });
    }

    #[test]
    fn nobody_reads_what_is_half_written() {
        let lock = ShardedLock::new((0u64, 0u64));
        thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    for _ in 0..10_000 {
                        let value = lock.read();
                        assert_eq!(value.0, value.1);
                    }
                });
            }
            for _ in 0..2 {
                threads.spawn(|| {
                    for _ in 0..1_000 {
                        let mut value = lock.write();
                        value.0 += 1;
                        value.1 += 1;
                    }
                });
            }
        });
        assert_eq!(*lock.read(), (2_000, 2_000));
    }
}
