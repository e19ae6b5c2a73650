//! A fork is a new process: what the loaded library shares between pools is made anew in the child.
//!
//! A forked child has a copy of all memory and of one thread. A lock that another thread of the parent held is locked for ever
//! there, and what it guarded is half changed. So nothing that all pools share is taken over: the child's own pools find a
//! new one in its place, and the pools that it has inherited are none of its.
//!
//! The one thing that has to be right at whatever moment the fork comes is the number of the process, one atomic, which the child
//! moves on before `fork` returns there. Nothing is done in the parent, and no lock is taken.

use std::ptr::null_mut;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicPtr, AtomicU32};

/// Which process this is among those that came from one another by forks: 1 for the one that loaded the library. 0 as long as
/// nobody asks for a fork to be noticed. Written by who is the first to ask, and by a forked child before it does anything else.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// The number of this process, never 0. From the first call on it is another one in every child. Takes no lock.
#[inline]
pub fn process_number() -> u32 {
    match PROCESS.load(Relaxed) {
        0 => attend(),
        number => number,
    }
}

/// Whether this process has that number.
#[inline]
pub fn is_process(number: u32) -> bool {
    PROCESS.load(Relaxed) == number
}

/// Has forks noticed.
///
/// Race window: two threads that come here at once have them noticed twice. It is harmless because a child that moves its number on twice
/// has a number of its own all the same.
#[cold]
fn attend() -> u32 {
    // SAFETY: the handler touches one atomic.
    if unsafe { in_each_child(on_fork) } {
        let _ = PROCESS.compare_exchange(0, 1, Relaxed, Relaxed);
    }
    PROCESS.load(Relaxed).max(1)
}

/// Has `handler` called in every child, on its one thread, before it does anything else; no longer when the library is unloaded.
/// False for want of memory: the next call may try again.
///
/// # Safety
///
/// The handler takes no lock, and touches nothing that threads which are not there may have been changing.
pub unsafe fn in_each_child(handler: unsafe extern "C" fn()) -> bool {
    // SAFETY: the caller's promise.
    unsafe { libc::pthread_atfork(None, None, Some(handler)) == 0 }
}

unsafe extern "C" fn on_fork() {
    let next = PROCESS.load(Relaxed).wrapping_add(1).max(1);
    PROCESS.store(next, Relaxed);
}

/// What there is one of in each process. A child does not see its parent's.
#[derive(Debug)]
pub struct PerProcess<T: 'static> {
    /// Of the process that loaded the library.
    first: T,
    /// Of the child that this is, and behind it what it has inherited, which is never freed: threads that are not there may have
    /// been at it. Written by the first in the child to ask.
    own: AtomicPtr<Own<T>>,
}

#[derive(Debug)]
struct Own<T> {
    process: u32,
    value: T,
    /// Never read: it keeps leak checkers quiet.
    _inherited: *mut Own<T>,
}

// SAFETY: the values are shared, as one in a static would be.
unsafe impl<T: Send + Sync> Sync for PerProcess<T> {}

impl<T: Default> PerProcess<T> {
    /// Begins with `first` where there was no fork.
    pub const fn new(first: T) -> Self {
        PerProcess {
            first,
            own: AtomicPtr::new(null_mut()),
        }
    }

    /// This process's own.
    #[inline]
    pub fn get(&'static self) -> &'static T {
        match process_number() {
            1 => &self.first,
            process => self.of_child(process),
        }
    }

    #[cold]
    fn of_child(&'static self, process: u32) -> &'static T {
        loop {
            let seen = self.own.load(Acquire);
            // SAFETY: what was put there is never freed.
            if let Some(own) = unsafe { seen.as_ref() }.filter(|own| own.process == process) {
                return &own.value;
            }
            let own = Box::into_raw(Box::new(Own {
                process,
                value: T::default(),
                _inherited: seen,
            }));
            if self
                .own
                .compare_exchange(seen, own, AcqRel, Acquire)
                .is_err()
            {
                // SAFETY: made here, and given to nobody.
                drop(unsafe { Box::from_raw(own) });
            }
        }
    }
}
