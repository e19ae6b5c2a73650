//! What the library logs through the `log` crate, kept until Java's housekeeper comes for it: a line can arise on any
//! thread, and calling a Java logger there would cost the lease that it arises from more than the lease itself.
//!
//! Kept is what a Java logger wants, at most [`MOST`] lines; of those beyond it their number.

use crate::env::{new_string, with_env};
use jni::EnvUnowned;
use jni::objects::{JClass, JString};
use jni::sys::jint;
use log::{Level, LevelFilter, Log, Metadata, Record};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Once;

/// How many lines wait at most.
const MOST: usize = 1000;

#[derive(Default)]
struct Lines {
    waiting: VecDeque<(Level, String)>,
    /// How many found no room since the last one that did.
    lost: u64,
}

impl Lines {
    fn push(&mut self, level: Level, line: String) {
        if self.waiting.len() < MOST {
            self.waiting.push_back((level, line));
        } else {
            self.lost += 1;
        }
    }

    fn pop(&mut self) -> Option<(Level, String)> {
        self.waiting.pop_front().or_else(|| {
            let lost = std::mem::take(&mut self.lost);
            (lost > 0).then(|| {
                (
                    Level::Warn,
                    format!("{lost} lines were not kept, as too many came at once"),
                )
            })
        })
    }
}

struct Keeper {
    /// Written by whoever logs and by the housekeeper.
    lines: Mutex<Option<Lines>>,
}

static KEEPER: Keeper = Keeper {
    lines: Mutex::new(None),
};

impl Log for Keeper {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // Made before the lock is taken.
        let line = record.args().to_string();
        self.lines
            .lock()
            .get_or_insert_default()
            .push(record.level(), line);
    }

    fn flush(&self) {}
}

/// How grave a line has to be to be kept: 0 for none, 1 for warnings and errors, 2 for all that is meant for people who look
/// for something.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_EngineLog_keep<'local>(
    _env: EnvUnowned<'local>,
    _class: JClass<'local>,
    level: jint,
) {
    static INSTALL: Once = Once::new();
    // Nothing in it can fail for good: the library has no other logger.
    INSTALL.call_once(|| drop(log::set_logger(&KEEPER)));
    log::set_max_level(match level {
        0 => LevelFilter::Off,
        1 => LevelFilter::Warn,
        _ => LevelFilter::Debug,
    });
}

/// The next line, after one character that says how grave it is: `!` for warnings and errors, `.` for others. Null if
/// there is none.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_EngineLog_next<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> JString<'local> {
    with_env(&mut env, JString::default(), |env| {
        let next = KEEPER.lines.lock().as_mut().and_then(Lines::pop);
        match next {
            Some((level, line)) => {
                let mark = if level <= Level::Warn { '!' } else { '.' };
                new_string(env, &format!("{mark}{line}"))
            }
            None => Ok(JString::default()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_in_order_and_those_without_room_are_counted() {
        let mut lines = Lines::default();
        for i in 0..MOST + 3 {
            lines.push(Level::Debug, i.to_string());
        }
        for i in 0..MOST {
            assert_eq!(lines.pop(), Some((Level::Debug, i.to_string())));
        }
        let (level, text) = lines.pop().unwrap();
        assert_eq!(level, Level::Warn);
        assert!(text.starts_with("3 lines"), "{text}");
        assert_eq!(lines.pop(), None);
    }
}
