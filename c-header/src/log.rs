//! The log callback: one for the whole library, a logger behind the `log` crate.

use std::cell::Cell;
use std::ffi::{CString, c_char, c_void};
use std::sync::Once;

use log::{LevelFilter, Log, Metadata, Record};
use parking_lot::RwLock;

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

/// Gets the library's messages: how grave (an lh_log_level), and one line of UTF-8 text, valid during the call only.
///
/// Called on whichever thread the message arises on, several at once, with no lock held. It must return normally. What the
/// library would log because of the callback's own calls is not logged.
pub type lh_log_callback =
    Option<unsafe extern "C" fn(context: *mut c_void, level: u32, message: *const c_char)>;

#[derive(Clone, Copy)]
struct Sink {
    callback: unsafe extern "C" fn(*mut c_void, u32, *const c_char),
    context: *mut c_void,
}

// SAFETY: the program gave the context for callbacks on any thread; here it is only passed on.
unsafe impl Send for Sink {}
// SAFETY: as above.
unsafe impl Sync for Sink {}

struct Logger {
    /// Written by lh_log_set.
    sink: RwLock<Option<Sink>>,
}

static LOGGER: Logger = Logger {
    sink: RwLock::new(None),
};

thread_local! {
    /// This thread is in the callback.
    static IS_LOGGING: Cell<bool> = const { Cell::new(false) };
}

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let Some(sink) = *self.sink.read() else {
            return;
        };
        if IS_LOGGING.replace(true) {
            return;
        }
        let mut text = record.args().to_string();
        text.retain(|character| character != '\0');
        if let Ok(text) = CString::new(text) {
            // SAFETY: the program gave the callback for calls like this one.
            unsafe { (sink.callback)(sink.context, record.level() as u32, text.as_ptr()) };
        }
        IS_LOGGING.set(false);
    }

    fn flush(&self) {}
}

/// Sets the callback that gets the library's messages up to `level` (an lh_log_level), in place of any before; NULL, or
/// LH_LOG_OFF, for none. A call to the callback before, under way on another thread, may still end after this function.
///
/// LH_INVALID_ARGUMENT: `level` is no lh_log_level. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lh_log_set(
    level: u32,
    callback: lh_log_callback,
    context: *mut c_void,
) -> lh_status {
    static INSTALL: Once = Once::new();
    answer(|| {
        let level = lh_log_level::try_from(level)?.into();
        INSTALL.call_once(|| {
            // A Rust program around this library may have a logger of its own; then that one gets the messages.
            let _ = log::set_logger(&LOGGER);
        });
        *LOGGER.sink.write() = callback.map(|callback| Sink { callback, context });
        log::set_max_level(if callback.is_some() {
            level
        } else {
            LevelFilter::Off
        });
        Ok(LH_OK)
    })
}
