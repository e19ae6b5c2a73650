//! The library's own threads. No signal is delivered to them: a program's handlers run on its own threads, which alone expect to be
//! interrupted.
//!
//! They are the system's threads and not the standard library's. Those take a lock of the process when they begin and when they end, for
//! what is said of a stack that has overflowed; a child that is forked meanwhile has it locked for ever, and no thread of its own would
//! begin. So they have no name but the system's.

use std::ffi::{CString, c_void};
use std::io;
use std::mem::{self, MaybeUninit};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// As much as the standard library gives a thread.
const STACK: usize = 2 << 20;

/// A thread of the library's own. Dropped, it goes on by itself.
pub(super) struct Worker {
    /// Until it is joined.
    thread: Option<libc::pthread_t>,
    is_finished: Arc<AtomicBool>,
}

/// What a thread begins with.
struct Start {
    name: CString,
    work: Box<dyn FnOnce() + Send>,
    is_finished: Arc<AtomicBool>,
}

/// Starts a thread that blocks every signal. What panics in it has been reported by the panic hook, and ends the thread alone.
pub(super) fn start(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<Worker> {
    let is_finished = Arc::new(AtomicBool::new(false));
    let start = Box::new(Start {
        name: CString::new(name)?,
        work: Box::new(work),
        is_finished: Arc::clone(&is_finished),
    });
    // It begins with the mask of whoever starts it, so that there is no moment at which it has another.
    let _blocked = Blocked::all();
    let start = Box::into_raw(start);
    let mut thread = MaybeUninit::uninit();
    // SAFETY: the attributes are made before they are used, and ended once. The thread gets what it begins with for itself.
    let error = unsafe {
        let mut attributes = MaybeUninit::uninit();
        let mut error = libc::pthread_attr_init(attributes.as_mut_ptr());
        if error == 0 {
            libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), STACK);
            error = libc::pthread_create(
                thread.as_mut_ptr(),
                attributes.as_ptr(),
                run,
                start.cast::<c_void>(),
            );
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
        }
        error
    };
    if error != 0 {
        // SAFETY: no thread has begun, so it is this one's still.
        drop(unsafe { Box::from_raw(start) });
        return Err(io::Error::from_raw_os_error(error));
    }
    Ok(Worker {
        // SAFETY: written by the call, which has succeeded.
        thread: Some(unsafe { thread.assume_init() }),
        is_finished,
    })
}

extern "C" fn run(start: *mut c_void) -> *mut c_void {
    // SAFETY: it comes from `start`, for this thread alone.
    let start = *unsafe { Box::from_raw(start.cast::<Start>()) };
    set_name(&start.name);
    if let Err(panic) = catch_unwind(AssertUnwindSafe(start.work)) {
        // Its drop may panic, too, and there is nobody to hear of that.
        mem::forget(panic);
    }
    start.is_finished.store(true, Ordering::Release);
    null_mut()
}

/// Names the calling thread. A name that cannot be had is none.
fn set_name(name: &CString) {
    // SAFETY: the name is a string that ends.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    unsafe {
        libc::pthread_setname_np(libc::pthread_self(), name.as_ptr());
    }
    // SAFETY: the name is a string that ends.
    #[cfg(target_vendor = "apple")]
    unsafe {
        libc::pthread_setname_np(name.as_ptr());
    }
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    let _ = name;
}

impl Worker {
    /// Whether what it does has ended. Never waits.
    pub(super) fn is_finished(&self) -> bool {
        self.is_finished.load(Ordering::Acquire)
    }

    /// Waits until it has ended.
    pub(super) fn join(mut self) {
        if let Some(thread) = self.thread.take() {
            // SAFETY: neither joined nor detached before, nor afterwards, as it is taken away.
            unsafe { libc::pthread_join(thread, null_mut()) };
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // SAFETY: neither joined nor detached before.
            unsafe { libc::pthread_detach(thread) };
        }
    }
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
