//! Threads that no signal is delivered to: a program's handlers run on its own threads, which alone expect to be interrupted.

use std::io;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::thread::{Builder, JoinHandle};

/// A thread of the library's own.
pub(super) type Worker = JoinHandle<()>;

/// Starts a thread that blocks every signal.
pub(super) fn start(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<Worker> {
    // It begins with the mask of whoever starts it, so that there is no moment at which it has another.
    let _blocked = Blocked::all();
    Builder::new().name(name.into()).spawn(work)
}

/// Every signal is blocked on the calling thread. Dropped there, those are that were.
struct Blocked {
    before: libc::sigset_t,
}

impl Blocked {
    fn all() -> Self {
        let mut every = MaybeUninit::uninit();
        let mut before = MaybeUninit::uninit();
        // SAFETY: the one set is filled before it is read, and the other is written to; neither call can fail with these arguments.
        unsafe {
            libc::sigfillset(every.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, every.as_ptr(), before.as_mut_ptr());
            Blocked {
                before: before.assume_init(),
            }
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: a set that the system wrote.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, null_mut()) };
    }
}
