//! The watch of a system that has none: it reports nothing, and the probe does the work.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::{IdleWatch, Token};

/// Watches nothing; it can be waited on and woken like any other.
#[derive(Debug, Default)]
pub struct NoWatch {
    /// Somebody has called `wake` since the last wait. Written under the lock by both.
    woken: Mutex<bool>,
    changed: Condvar,
}

impl IdleWatch for NoWatch {
    fn add(&self, _socket: BorrowedFd<'_>, _token: Token) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, _socket: BorrowedFd<'_>) {}

    fn wait(&self, closed: &mut Vec<Token>, timeout: Option<Duration>) -> io::Result<()> {
        closed.clear();
        let mut woken = self.woken.lock();
        let is_asleep = |woken: &mut bool| !*woken;
        match timeout {
            Some(timeout) => {
                self.changed.wait_while_for(&mut woken, is_asleep, timeout);
            }
            None => self.changed.wait_while(&mut woken, is_asleep),
        }
        *woken = false;
        Ok(())
    }

    fn wake(&self) {
        *self.woken.lock() = true;
        self.changed.notify_one();
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn a_wake_ends_the_wait_after_it_and_no_other() {
        let watch = NoWatch::default();
        let mut closed = vec![Token::new(1, 1, 1)];
        watch.wake();
        watch.wait(&mut closed, None).unwrap();
        assert_eq!(closed, []);
        watch
            .wait(&mut closed, Some(Duration::from_millis(1)))
            .unwrap();
        assert!(!*watch.woken.lock());
    }

    #[test]
    fn a_wake_ends_the_wait_under_way() {
        let watch = NoWatch::default();
        std::thread::scope(|threads| {
            let waiter = threads.spawn(|| watch.wait(&mut Vec::new(), None));
            watch.wake();
            waiter.join().unwrap().unwrap();
        });
    }
}
