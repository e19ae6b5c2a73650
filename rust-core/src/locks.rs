//! Locks that outlive a fork: Mutex, RwLock and Condvar in parking_lot's shapes, whose whole state is the word that is locked.
//!
//! parking_lot itself keeps one table for the process of all threads that wait, itself under locks. A forked child inherits it as it was
//! at that moment, naming threads that are not there, on stacks that are soon somebody else's, behind locks that nobody
//! opens any more: the child's own pools, whose threads would wait in that table, hang or crash. A word that the kernel waits on
//! has nothing of the kind, so what a child makes is as new as it looks. What it inherits may be locked for ever, which is for
//! [`PerProcess`](crate::fork::PerProcess) to deal with.
//!
//! A lock that is taken is not handed over: who asks first when it is free has it, as long as spinning for a moment or a
//! wake-up by the kernel brings it there. No order of waiting depends on these locks.

#[cfg(not(any(target_os = "linux", target_os = "android")))]
use parking_lot as locks;

#[cfg(any(target_os = "linux", target_os = "android"))]
use futex as locks;

pub use locks::{Condvar, Mutex, MutexGuard, RwLock};
pub(crate) use locks::{RwLockReadGuard, RwLockWriteGuard};

#[cfg(any(target_os = "linux", target_os = "android"))]
mod futex {
    use std::hint::spin_loop;
    use std::sync::atomic::AtomicU32;
    use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
    use std::time::{Duration, Instant};

    use rustix::thread::futex;
    use rustix::time::Timespec;

    /// A lock that one thread at a time holds.
    pub type Mutex<T> = lock_api::Mutex<RawMutex, T>;
    /// The right of who holds it.
    pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;
    /// A lock that one writer or several readers hold.
    pub type RwLock<T> = lock_api::RwLock<RawRwLock, T>;
    /// The right of a reader.
    pub(crate) type RwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLock, T>;
    /// The right of the writer.
    pub(crate) type RwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLock, T>;

    /// Sleeps while `word` is `value`, until it is woken, the time is over, or for no reason.
    fn sleep(word: &AtomicU32, value: u32, timeout: Option<Duration>) {
        // One that the kernel cannot tell is none.
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        // Whoever calls looks why it came back.
        let _ = futex::wait(word, futex::Flags::PRIVATE, value, timeout.as_ref());
    }

    #[cold]
    fn wake(word: &AtomicU32, most: u32) {
        // Nothing that can fail: the word is there.
        let _ = futex::wake(word, futex::Flags::PRIVATE, most);
    }

    /// All that can be woken at once: the kernel takes the number as one with a sign.
    const ALL: u32 = i32::MAX as u32;

    /// Waits a little, longer each time: first in place, for a holder that runs, then for one that wants this processor. False
    /// when that has been tried often enough.
    fn spin(turn: &mut u32) -> bool {
        match *turn {
            0..3 => (0..2 << *turn).for_each(|_| spin_loop()),
            3..10 => std::thread::yield_now(),
            _ => return false,
        }
        *turn += 1;
        true
    }

    const FREE: u32 = 0;
    const HELD: u32 = 1;
    /// Held, and somebody may sleep.
    const AWAITED: u32 = 2;

    /// One word: free, held, or held and awaited. Written by who takes it, who waits for it and who lets it go.
    #[derive(Debug)]
    pub struct RawMutex(AtomicU32);

    impl RawMutex {
        #[cold]
        fn wait(&self) {
            let mut turn = 0;
            while self.0.load(Relaxed) != AWAITED && spin(&mut turn) {
                if self.try_take(HELD) {
                    return;
                }
            }
            // Taken as awaited: others may sleep, of which this thread knows nothing.
            while self.0.swap(AWAITED, Acquire) != FREE {
                sleep(&self.0, AWAITED, None);
            }
        }

        #[inline]
        fn try_take(&self, value: u32) -> bool {
            let taken = self.0.compare_exchange(FREE, value, Acquire, Relaxed);
            taken.is_ok()
        }
    }

    // SAFETY: who brings the word from free to another value holds the lock, and only the holder brings it back.
    unsafe impl lock_api::RawMutex for RawMutex {
        #[allow(clippy::declare_interior_mutable_const)]
        const INIT: Self = RawMutex(AtomicU32::new(FREE));

        type GuardMarker = lock_api::GuardNoSend;

        #[inline]
        fn lock(&self) {
            if !self.try_take(HELD) {
                self.wait();
            }
        }

        #[inline]
        fn try_lock(&self) -> bool {
            self.try_take(HELD)
        }

        #[inline]
        unsafe fn unlock(&self) {
            if self.0.swap(FREE, Release) == AWAITED {
                wake(&self.0, 1);
            }
        }

        #[inline]
        fn is_locked(&self) -> bool {
            self.0.load(Relaxed) != FREE
        }
    }

    /// How many read; all of these bits: one writes.
    const READERS: u32 = (1 << 31) - 1;
    const WRITER: u32 = READERS;
    /// Somebody may sleep.
    const SLEEPER: u32 = 1 << 31;

    /// One word: who holds it, and whether somebody sleeps. A reader waits for no writer that waits, so who reads may read again.
    #[derive(Debug)]
    pub struct RawRwLock(AtomicU32);

    impl RawRwLock {
        #[cold]
        fn wait(&self, take: impl Fn(&Self) -> bool) {
            let mut turn = 0;
            while spin(&mut turn) {
                if take(self) {
                    return;
                }
            }
            loop {
                let seen = self.0.fetch_or(SLEEPER, Relaxed) | SLEEPER;
                // After the mark: who lets go from now on wakes.
                if take(self) {
                    return;
                }
                sleep(&self.0, seen, None);
            }
        }
    }

    // SAFETY: a writer comes only where nobody holds it, a reader only where no writer does, each by one step on the word.
    unsafe impl lock_api::RawRwLock for RawRwLock {
        #[allow(clippy::declare_interior_mutable_const)]
        const INIT: Self = RawRwLock(AtomicU32::new(0));

        type GuardMarker = lock_api::GuardNoSend;

        #[inline]
        fn lock_shared(&self) {
            if !self.try_lock_shared() {
                self.wait(<Self as lock_api::RawRwLock>::try_lock_shared);
            }
        }

        #[inline]
        fn try_lock_shared(&self) -> bool {
            let mut seen = self.0.load(Relaxed);
            // One less than a writer is as many as can be told.
            while seen & READERS < READERS - 1 {
                match self
                    .0
                    .compare_exchange_weak(seen, seen + 1, Acquire, Relaxed)
                {
                    Ok(_) => return true,
                    Err(now) => seen = now,
                }
            }
            false
        }

        #[inline]
        unsafe fn unlock_shared(&self) {
            if self.0.fetch_sub(1, Release) == SLEEPER | 1 {
                self.wake_all();
            }
        }

        #[inline]
        fn lock_exclusive(&self) {
            if !self.try_lock_exclusive() {
                self.wait(<Self as lock_api::RawRwLock>::try_lock_exclusive);
            }
        }

        #[inline]
        fn try_lock_exclusive(&self) -> bool {
            let seen = self.0.load(Relaxed);
            seen & READERS == 0
                && self
                    .0
                    .compare_exchange(seen, seen | WRITER, Acquire, Relaxed)
                    .is_ok()
        }

        #[inline]
        unsafe fn unlock_exclusive(&self) {
            if self.0.swap(0, Release) & SLEEPER != 0 {
                wake(&self.0, ALL);
            }
        }

        #[inline]
        fn is_locked(&self) -> bool {
            self.0.load(Relaxed) & READERS != 0
        }
    }

    // SAFETY: as above; a reader never waits for a writer that waits.
    unsafe impl lock_api::RawRwLockRecursive for RawRwLock {
        #[inline]
        fn lock_shared_recursive(&self) {
            lock_api::RawRwLock::lock_shared(self);
        }

        #[inline]
        fn try_lock_shared_recursive(&self) -> bool {
            lock_api::RawRwLock::try_lock_shared(self)
        }
    }

    impl RawRwLock {
        #[cold]
        fn wake_all(&self) {
            // Whoever finds it taken again, by a reader that came meanwhile, marks it anew before it sleeps.
            self.0.fetch_and(!SLEEPER, Relaxed);
            wake(&self.0, ALL);
        }
    }

    /// Has threads sleep until another tells them that something has changed.
    #[derive(Debug)]
    pub struct Condvar {
        /// How often somebody told. Written by who does.
        told: AtomicU32,
    }

    impl Condvar {
        /// One that nobody waits on.
        pub const fn new() -> Self {
            Condvar {
                told: AtomicU32::new(0),
            }
        }

        /// Wakes one that sleeps.
        pub fn notify_one(&self) {
            self.told.fetch_add(1, Relaxed);
            wake(&self.told, 1);
        }

        /// Wakes all that sleep.
        pub fn notify_all(&self) {
            self.told.fetch_add(1, Relaxed);
            wake(&self.told, ALL);
        }

        /// Sleeps with the lock let go until it is told, the time is over or for no reason.
        fn sleep<T>(&self, guard: &mut MutexGuard<'_, T>, timeout: Option<Duration>) {
            // Read with the lock held: who tells after it was let go changes it, and nobody falls asleep then.
            let told = self.told.load(Relaxed);
            lock_api::MutexGuard::unlocked(guard, || sleep(&self.told, told, timeout));
        }

        /// Sleeps for as long as `is_to_wait` says so.
        pub fn wait_while<T>(
            &self,
            guard: &mut MutexGuard<'_, T>,
            mut is_to_wait: impl FnMut(&mut T) -> bool,
        ) {
            while is_to_wait(guard) {
                self.sleep(guard, None);
            }
        }

        /// Sleeps for as long as `is_to_wait` says so, until `deadline` at most.
        pub fn wait_while_until<T>(
            &self,
            guard: &mut MutexGuard<'_, T>,
            mut is_to_wait: impl FnMut(&mut T) -> bool,
            deadline: Instant,
        ) {
            while is_to_wait(guard) {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return;
                }
                self.sleep(guard, Some(left));
            }
        }

        /// Sleeps for as long as `is_to_wait` says so, for `timeout` at most.
        pub fn wait_while_for<T>(
            &self,
            guard: &mut MutexGuard<'_, T>,
            is_to_wait: impl FnMut(&mut T) -> bool,
            timeout: Duration,
        ) {
            match Instant::now().checked_add(timeout) {
                Some(deadline) => self.wait_while_until(guard, is_to_wait, deadline),
                // Nobody lives to see it.
                None => self.wait_while(guard, is_to_wait),
            }
        }
    }

    impl Default for Condvar {
        fn default() -> Self {
            Self::new()
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    const THREADS: usize = 8;
    const TURNS: usize = 20_000;

    #[test]
    fn one_at_a_time_holds_a_mutex() {
        let lock = Mutex::new((0, 0));
        thread::scope(|threads| {
            for _ in 0..THREADS {
                threads.spawn(|| {
                    for turn in 0..TURNS {
                        let mut held = lock.lock();
                        assert_eq!(held.0, held.1);
                        held.0 += 1;
                        if turn % 1_000 == 0 {
                            // Long enough for the others to fall asleep.
                            thread::yield_now();
                        }
                        held.1 += 1;
                    }
                });
            }
        });
        assert_eq!(*lock.lock(), (THREADS * TURNS, THREADS * TURNS));
        assert!(!lock.is_locked());
        let held = lock.lock();
        assert!(lock.is_locked() && lock.try_lock().is_none());
        drop(held);
        assert!(lock.try_lock().is_some());
    }

    #[test]
    fn readers_share_a_lock_and_a_writer_has_it_alone() {
        let lock = RwLock::new((0, 0));
        thread::scope(|threads| {
            for _ in 0..THREADS {
                threads.spawn(|| {
                    for _ in 0..TURNS {
                        let (one, other) = (lock.read_recursive(), lock.read_recursive());
                        assert_eq!((one.0, one.1), (other.1, other.0));
                    }
                });
                threads.spawn(|| {
                    for turn in 0..TURNS / 10 {
                        let mut held = lock.write();
                        held.0 += 1;
                        if turn % 100 == 0 {
                            thread::yield_now();
                        }
                        held.1 += 1;
                    }
                });
            }
        });
        let written = THREADS * TURNS / 10;
        assert_eq!(*lock.read(), (written, written));
        assert!(!lock.is_locked());
    }

    #[test]
    fn a_condition_that_comes_true_ends_the_wait_and_so_does_its_time() {
        let (ball, passed) = (Mutex::new(0), Condvar::new());
        thread::scope(|threads| {
            for player in 0..2 {
                let (ball, passed) = (&ball, &passed);
                threads.spawn(move || {
                    for turn in 0..1_000 {
                        let mut held = ball.lock();
                        passed.wait_while(&mut held, |ball| *ball != 2 * turn + player);
                        *held += 1;
                        passed.notify_one();
                    }
                });
            }
        });
        let mut held = ball.lock();
        assert_eq!(*held, 2_000);
        passed.wait_while_for(&mut held, |_| true, Duration::from_millis(1));
        passed.wait_while_for(&mut held, |_| false, Duration::MAX);
    }
}
