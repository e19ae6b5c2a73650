//! The disposer: closes connections whose close can block (a TLS goodbye, a socket that lingers) on a thread of its own, so
//! that neither a lease nor the housekeeper waits for them.
//!
//! One worker takes them from a queue in turn. A close that takes longer than [`BOUND`] has its socket shut down, which
//! ends whatever reads or writes on it, and another worker takes over the queue; so a close that hangs all the same delays
//! no other by more than that. Workers are started when there is something to close and end with the last pool, once
//! the queue is empty.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError, unbounded};
use parking_lot::Mutex;
use rustix::net::Shutdown;

use super::{Bell, IS_OURS};

/// How long a close may take before its socket is shut down.
pub(super) const BOUND: Duration = Duration::from_secs(1);

/// A connection to be closed: dropping it does.
pub trait Disposable: Send {
    /// Its socket, where that is known.
    fn socket(&self) -> Option<BorrowedFd<'_>>;
}

pub(super) struct Disposer {
    bell: Arc<Bell>,
    /// None once the last pool has left. Written by the housekeeper then.
    queue: Mutex<Option<Sender<Box<dyn Disposable>>>>,
    queued: Receiver<Box<dyn Disposable>>,
    workers: Mutex<Vec<Worker>>,
}

struct Worker {
    thread: JoinHandle<()>,
    desk: Arc<Desk>,
    /// It ends after the close that took it too long: another takes over.
    is_replaced: bool,
}

/// What is seen of a worker from outside.
#[derive(Default)]
struct Desk {
    /// Between two waits for something to close. Written by the worker.
    is_busy: AtomicBool,
    close: Mutex<Option<Close>>,
    /// The worker is to end. Written by the housekeeper.
    is_dismissed: AtomicBool,
    /// The worker has ended. Written by it.
    has_left: AtomicBool,
}

/// A close under way.
struct Close {
    since: Instant,
    /// A descriptor of our own: the connection's number may be somebody else's once it has closed that.
    socket: Option<OwnedFd>,
    /// The socket was shut down.
    is_late: bool,
}

impl Disposer {
    pub(super) fn new(bell: Arc<Bell>) -> Self {
        let (queue, queued) = unbounded();
        Disposer {
            bell,
            queue: Mutex::new(Some(queue)),
            queued,
            workers: Mutex::default(),
        }
    }

    /// Closes a connection soon; at once and here where no thread can be had for it.
    pub(super) fn dispose(&self, connection: Box<dyn Disposable>) {
        if self.has_worker() {
            if let Some(queue) = &*self.queue.lock() {
                queue.send(connection).expect("the receiver is kept");
            }
        }
    }

    /// Sees to it that somebody takes from the queue.
    fn has_worker(&self) -> bool {
        let mut workers = self.workers.lock();
        let works = |worker: &Worker| !worker.is_replaced && !worker.thread.is_finished();
        if workers.iter().any(works) {
            return true;
        }
        let desk = Arc::new(Desk::default());
        let (bell, queued, own) = (
            Arc::clone(&self.bell),
            self.queued.clone(),
            Arc::clone(&desk),
        );
        let started = thread::Builder::new()
            .name("leasehold-close".into())
            .spawn(move || {
                IS_OURS.set(true);
                work(&bell, &queued, &own);
            });
        match started {
            Ok(thread) => workers.push(Worker {
                thread,
                desk,
                is_replaced: false,
            }),
            Err(_) => return false,
        }
        true
    }

    /// Unblocks closes that take too long and has others take over; tells when to look again.
    pub(super) fn supervise(&self) -> Option<Duration> {
        let mut next: Option<Duration> = None;
        let mut look_in = |time: Duration| next = Some(next.map_or(time, |next| next.min(time)));
        let mut shut_down = Vec::new();
        let mut left = Vec::new();
        let mut workers = self.workers.lock();
        for worker in std::mem::take(&mut *workers) {
            if worker.desk.has_left.load(Ordering::Acquire) || worker.thread.is_finished() {
                left.push(worker.thread);
                continue;
            }
            workers.push(worker);
        }
        for worker in &mut *workers {
            match &mut *worker.desk.close.lock() {
                Some(close) => {
                    let age = close.since.elapsed();
                    if age < BOUND {
                        look_in(BOUND - age);
                    } else if !close.is_late {
                        close.is_late = true;
                        shut_down.push(
                            close
                                .socket
                                .as_ref()
                                .map(|socket| rustix::net::shutdown(socket, Shutdown::Both)),
                        );
                        worker.is_replaced = true;
                        worker.desk.is_dismissed.store(true, Ordering::Release);
                        look_in(BOUND);
                    } else if age < 2 * BOUND {
                        look_in(2 * BOUND - age);
                    }
                }
                None if worker.desk.is_busy.load(Ordering::Acquire) => look_in(BOUND),
                None => {}
            }
        }
        drop(workers);
        for outcome in shut_down {
            log::debug!(
                "a close takes longer than {BOUND:?}; its socket was shut down: {outcome:?}"
            );
        }
        for thread in left {
            let _ = thread.join();
        }
        if !self.queued.is_empty() && !self.has_worker() {
            look_in(BOUND);
        }
        next
    }

    /// Ends the workers once the queue is empty, and waits for them, but not for a close that hangs for good.
    pub(super) fn finish(&self) {
        drop(self.queue.lock().take());
        loop {
            let next = self.supervise();
            if self.queued.is_empty() && self.workers.lock().iter().all(Worker::is_given_up) {
                return;
            }
            self.bell.wait(&mut Vec::new(), Some(next.unwrap_or(BOUND)));
        }
    }
}

impl Worker {
    /// It hangs in a close that nothing ends.
    fn is_given_up(&self) -> bool {
        let close = self.desk.close.lock();
        close
            .as_ref()
            .is_some_and(|close| close.since.elapsed() >= 2 * BOUND)
    }
}

fn work(bell: &Bell, queued: &Receiver<Box<dyn Disposable>>, desk: &Desk) {
    while !desk.is_dismissed.load(Ordering::Acquire) {
        let connection = match queued.try_recv() {
            Ok(connection) => connection,
            Err(TryRecvError::Disconnected) => break,
            Err(TryRecvError::Empty) => {
                desk.is_busy.store(false, Ordering::Release);
                let Ok(connection) = queued.recv() else {
                    break;
                };
                connection
            }
        };
        let socket = connection
            .socket()
            .and_then(|socket| socket.try_clone_to_owned().ok());
        *desk.close.lock() = Some(Close {
            since: Instant::now(),
            socket,
            is_late: false,
        });
        if !desk.is_busy.swap(true, Ordering::AcqRel) {
            // From now on somebody has to look whether it hangs.
            bell.ring();
        }
        if catch_unwind(AssertUnwindSafe(|| drop(connection))).is_err() {
            log::error!("a connection panicked when it was closed");
        }
        // Outside the lock: the last descriptor of a socket that lingers blocks too.
        let socket = desk
            .close
            .lock()
            .as_mut()
            .and_then(|close| close.socket.take());
        drop(socket);
        *desk.close.lock() = None;
    }
    desk.has_left.store(true, Ordering::Release);
    bell.ring();
}
