//! What the threads of the library wait on: the watch, and a ring for what is due earlier.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::panics::survive_logger;
use crate::watch::{Token, Watch};

/// How many closes are noted, at most, before the next few are dealt with: what takes some milliseconds.
const MANY: usize = 16_384;

/// How long it sleeps, at most, where the system's set of sockets is gone.
const BLIND: Duration = Duration::from_secs(1);

/// What the housekeeper waits on.
#[derive(Default)]
pub(super) struct Bell {
    // ----- with locks of its own -----
    pub(super) watch: Watch,

    // ----- under no lock: set by anybody, taken by the loop -----
    /// Something is due earlier than the loop knows.
    pub(super) is_rung: AtomicBool,
}

impl Bell {
    pub(super) fn ring(&self) {
        // Set before the wake, and looked at after the wait that it ends.
        self.is_rung.store(true, Ordering::Release);
        self.watch.wake();
    }

    pub(super) fn wait(&self, closed: &mut Vec<Token>, timeout: Option<Duration>) {
        if let Err(error) = self.watch.wait(closed, MANY, timeout) {
            // The descriptors are gone, closed by somebody to whom they do not belong: only the clock is left.
            survive_logger(|| {
                crate::logging::error!("idle connections are not watched any more: {error}")
            });
            thread::sleep(timeout.unwrap_or(BLIND).min(BLIND));
        }
    }
}
