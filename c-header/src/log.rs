//! The log callback: one for the whole library, a logger behind the `log` crate.
//!
//! It is found and changed without a lock: a forked child goes on with its parent's, whatever that was about at the fork.
//!
//! Race window: a thread may have found the callback before while another sets a new one, and calls that still. It is harmless because what
//! was set once is never freed, and lh_log_set says so to the program.

use std::cell::Cell;
use std::ffi::{CString, c_char, c_void};
use std::ptr::null_mut;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};

use leasehold::face::process_number;
use log::{LevelFilter, Log, Metadata, Record};

use crate::boundary::{answer, from_number};
use crate::status::*;

/// How grave a message is. A callback gets those of its level and all graver ones.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum lh_log_level {
    /// Nothing.
    LH_LOG_OFF = 0,
    /// A defect of the library.
    LH_LOG_ERROR = 1,
    /// Something that the program should not do.
    LH_LOG_WARN = 2,
    /// Pools made and ended.
    LH_LOG_INFO = 3,
    /// Connections disposed of.
    LH_LOG_DEBUG = 4,
    /// Everything.
    LH_LOG_TRACE = 5,
}

from_number!(
    lh_log_level: LH_LOG_OFF,
    LH_LOG_ERROR,
    LH_LOG_WARN,
    LH_LOG_INFO,
    LH_LOG_DEBUG,
    LH_LOG_TRACE
);

impl From<lh_log_level> for LevelFilter {
    fn from(level: lh_log_level) -> LevelFilter {
        match level {
            lh_log_level::LH_LOG_OFF => LevelFilter::Off,
            lh_log_level::LH_LOG_ERROR => LevelFilter::Error,
            lh_log_level::LH_LOG_WARN => LevelFilter::Warn,
            lh_log_level::LH_LOG_INFO => LevelFilter::Info,
            lh_log_level::LH_LOG_DEBUG => LevelFilter::Debug,
            lh_log_level::LH_LOG_TRACE => LevelFilter::Trace,
        }
    }
}

/// Gets the library's messages: how grave one is (an lh_log_level), and a line of UTF-8 text, valid during the call only.
///
/// Called on whichever thread the message arises on, on several at once, with no lock held. It may call any function, but not wait. It must
/// return normally. What the library would log because of the callback's own calls is not logged.
pub type lh_log_callback =
    Option<unsafe extern "C" fn(context: *mut c_void, level: u32, message: *const c_char)>;

/// A callback that was set once. It stays, since a thread may be about to call it; one that is set again is the same one again.
struct Sink {
    callback: unsafe extern "C" fn(*mut c_void, u32, *const c_char),
    context: *mut c_void,
    /// The one that was first set before it.
    before: *const Sink,
}

struct Logger {
    // ----- under no lock: written by lh_log_set -----
    /// What gets messages, or none.
    sink: AtomicPtr<Sink>,
    /// The one that was first set last.
    last: AtomicPtr<Sink>,
}

static LOGGER: Logger = Logger {
    sink: AtomicPtr::new(null_mut()),
    last: AtomicPtr::new(null_mut()),
};

impl Logger {
    /// The sink with this callback and context: the one that is there, else a new one.
    fn sink_of(
        &self,
        callback: unsafe extern "C" fn(*mut c_void, u32, *const c_char),
        context: *mut c_void,
    ) -> *mut Sink {
        loop {
            let last = self.last.load(Acquire);
            let mut known = last;
            // SAFETY: sinks are never freed.
            while let Some(sink) = unsafe { known.as_ref() } {
                if std::ptr::fn_addr_eq(sink.callback, callback) && sink.context == context {
                    return known;
                }
                known = sink.before.cast_mut();
            }
            let made = Box::into_raw(Box::new(Sink {
                callback,
                context,
                before: last,
            }));
            if self
                .last
                .compare_exchange(last, made, AcqRel, Acquire)
                .is_ok()
            {
                return made;
            }
            // SAFETY: made here, and given to nobody.
            drop(unsafe { Box::from_raw(made) });
        }
    }
}

thread_local! {
    /// The process in which this thread is in the callback, or 0. A child that was forked in it is not.
    static LOGGING: Cell<u32> = const { Cell::new(0) };
}

/// The calling thread is in the log callback.
pub(crate) fn is_logging() -> bool {
    LOGGING.get() == process_number()
}

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // SAFETY: sinks are never freed, and a whole one was put there.
        let Some(sink) = (unsafe { self.sink.load(Acquire).as_ref() }) else {
            return;
        };
        if is_logging() {
            return;
        }
        LOGGING.set(process_number());
        let mut text = record.args().to_string();
        text.retain(|character| character != '\0');
        if let Ok(text) = CString::new(text) {
            // SAFETY: the program gave the callback for calls like this one.
            unsafe { (sink.callback)(sink.context, record.level() as u32, text.as_ptr()) };
        }
        LOGGING.set(0);
    }

    fn flush(&self) {}
}

/// Sets the callback that gets the library's messages up to `level` (an lh_log_level), in place of any before. NULL, or
/// LH_LOG_OFF, means none. The callback before may still be running on another thread when this returns.
///
/// LH_INVALID_ARGUMENT: `level` is no lh_log_level. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_log_set(
    level: u32,
    callback: lh_log_callback,
    context: *mut c_void,
) -> lh_status {
    answer(|| {
        let level = lh_log_level::try_from(level)?.into();
        // Done before, or a Rust program around this library has a logger of its own, which then gets the messages.
        let _ = log::set_logger(&LOGGER);
        let sink = callback.map_or(null_mut(), |callback| LOGGER.sink_of(callback, context));
        LOGGER.sink.store(sink, Release);
        log::set_max_level(if callback.is_some() {
            level
        } else {
            LevelFilter::Off
        });
        Ok(LH_OK)
    })
}
