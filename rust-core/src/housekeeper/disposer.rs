//! The disposer: closes connections whose close can block (a TLS goodbye, a socket that lingers) on a thread of its own, so
//! that neither a lease nor the housekeeper waits for them.
//!
//! One worker takes them from a queue in turn. A connection has [`BOUND`] from the moment it was given up. If it is not closed
//! by then its socket is shut down, which ends whatever reads or writes on it, and another worker takes over the queue. One
//! that has waited in the queue for so long gets no answer to its goodbye, and no more than [`GRACE`] to say it. So behind a close
//! that hangs others are late by little more than the bound, however many of them would hang too. What goes on hanging, because
//! its socket is not known, keeps its thread; of those there are at most [`MOST_WORKERS`], and then others wait.
//!
//! Workers are started when there is something to close and end with the last pool, once the queue is empty. Where no thread
//! can be had, whoever gives a connection up closes it, but for the housekeeper: that leaves it in the queue and tries again,
//! for as long as the bound, and then closes it all the same, its socket shut down before.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError, unbounded};

use super::bell::Bell;
use super::quiet;
use super::role::{Role, role, take_role};
use crate::fork::{is_process, process_number};
use crate::locks::Mutex;
use crate::panics::{survive, survive_logger};
use crate::socket::{self, do_not_linger, shut_down_reading};

/// How long after it was given up a connection may take to be closed before its socket is shut down.
pub(super) const BOUND: Duration = Duration::from_secs(1);

/// What every close may take, however late it is.
const GRACE: Duration = Duration::from_millis(10);

/// How many closes may hang at once.
const MOST_WORKERS: usize = 16;

/// A connection to be closed: dropping it does.
pub trait Disposable: Send {
    /// Its socket, where that is known.
    fn socket(&self) -> Option<BorrowedFd<'_>>;
}

pub(super) struct Disposer {
    // ----- each with locks of its own -----
    bell: Arc<Bell>,
    queued: Receiver<Queued>,

    // ----- under its own lock: written by the housekeeper -----
    /// None once the last pool has left.
    queue: Mutex<Option<Sender<Queued>>>,
    /// Since when something is queued that no thread can be had for.
    unattended: Mutex<Option<Instant>>,

    // ----- under its own lock: written by whoever gives a connection up, and by the housekeeper -----
    workers: Mutex<Vec<Worker>>,
}

/// A connection that was given up.
struct Queued {
    connection: Box<dyn Disposable>,
    since: Instant,
}

struct Worker {
    thread: quiet::Worker,
    desk: Arc<Desk>,
    /// It ends after the close that took it too long: another takes over.
    is_replaced: bool,
}

/// What is seen of a worker from outside.
#[derive(Default)]
struct Desk {
    // ----- under its own lock: written by the worker, and marked as late by the housekeeper -----
    close: Mutex<Option<Close>>,

    // ----- under no lock: written by the worker -----
    /// Between two waits for something to close.
    is_busy: AtomicBool,
    /// The worker has ended.
    has_left: AtomicBool,

    // ----- under no lock: written by the housekeeper -----
    /// The worker is to end.
    is_dismissed: AtomicBool,
}

/// A close under way.
struct Close {
    /// When it has taken too long.
    bound: Instant,
    /// A descriptor of our own: the connection's number may be somebody else's once it has closed that.
    socket: Option<OwnedFd>,
    /// It has taken too long, and its socket was shut down.
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
            unattended: Mutex::default(),
        }
    }

    /// Closes a connection soon; at once and here where no thread can be had for it, but not on the housekeeper's.
    pub(super) fn dispose(&self, connection: Box<dyn Disposable>) {
        // Race window: the worker that is there may be dismissed before it takes this one. It is harmless because the housekeeper, which
        // dismisses it, looks again a second later whether anything is queued.
        let is_attended = self.has_worker();
        if !is_attended && role() != Role::Housekeeper {
            return;
        }
        if let Some(queue) = &*self.queue.lock() {
            let since = Instant::now();
            queue
                .send(Queued { connection, since })
                .expect("the receiver is kept");
        }
        if !is_attended {
            // So that it looks again.
            self.bell.ring();
        }
    }

    /// Sees to it that somebody takes from the queue, now or when one of many that hang comes free.
    fn has_worker(&self) -> bool {
        let mut workers = self.workers.lock();
        let works = |worker: &Worker| !worker.is_replaced && !worker.thread.is_finished();
        if workers.iter().any(works) || workers.len() >= MOST_WORKERS {
            return true;
        }
        let desk = Arc::new(Desk::default());
        let (bell, queued, own) = (
            Arc::clone(&self.bell),
            self.queued.clone(),
            Arc::clone(&desk),
        );
        let started = quiet::start("leasehold-close", move || {
            take_role(Role::Disposer);
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
    pub(super) fn supervise(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut next: Option<Instant> = None;
        let mut look_in =
            |moment: Instant| next = Some(next.map_or(moment, |next| next.min(moment)));
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
                    if now < close.bound {
                        look_in(close.bound);
                    } else if !close.is_late {
                        close.is_late = true;
                        shut_down.push(
                            close
                                .socket
                                .as_ref()
                                .map(|socket| socket::shut_down(socket.as_fd())),
                        );
                        worker.is_replaced = true;
                        worker.desk.is_dismissed.store(true, Ordering::Release);
                        look_in(now + BOUND);
                    } else if !close.is_given_up(now) {
                        look_in(close.bound + BOUND);
                    }
                }
                None if worker.desk.is_busy.load(Ordering::Acquire) => look_in(now + GRACE),
                None => {}
            }
        }
        let is_full =
            workers.len() >= MOST_WORKERS && workers.iter().all(|worker| worker.is_replaced);
        drop(workers);
        let is_news = !shut_down.is_empty();
        for outcome in shut_down {
            survive_logger(|| match outcome {
                Some(outcome) => crate::logging::debug!(
                    "a connection is not closed after {BOUND:?}; its socket was shut down: {outcome:?}"
                ),
                None => crate::logging::debug!(
                    "a connection is not closed after {BOUND:?}; no socket of it is known that could be shut down"
                ),
            });
        }
        if is_full && is_news {
            survive_logger(|| {
                crate::logging::warn!(
                    "{MOST_WORKERS} closes hang; other connections are closed when one of them ends"
                );
            });
        }
        for thread in left {
            thread.join();
        }
        if self.queued.is_empty() || self.has_worker() {
            *self.unattended.lock() = None;
            return next;
        }
        let since = *self.unattended.lock().get_or_insert(now);
        if now < since + BOUND {
            look_in(now + GRACE);
        } else {
            self.close_here();
        }
        next
    }

    /// Closes what is queued and has nobody else to close it.
    fn close_here(&self) {
        while let Ok(queued) = self.queued.try_recv() {
            if let Some(socket) = queued.connection.socket() {
                let _ = socket::shut_down(socket);
            }
            drop_guarded(|| drop(queued));
        }
    }

    /// Ends the workers once the queue is empty, and waits for them, but not for closes that hang for good, nor for what waits behind
    /// those: it is closed where the last of them ends.
    pub(super) fn finish(&self) {
        drop(self.queue.lock().take());
        loop {
            let next = self.supervise();
            if self.workers.lock().iter().all(Worker::is_given_up) {
                if self.workers.lock().is_empty() {
                    self.close_here();
                }
                return;
            }
            let left = next.map(|next| next.saturating_duration_since(Instant::now()));
            self.bell.wait(&mut Vec::new(), Some(left.unwrap_or(BOUND)));
        }
    }
}

impl Worker {
    /// It hangs in a close that nothing ends.
    fn is_given_up(&self) -> bool {
        let close = self.desk.close.lock();
        let now = Instant::now();
        close.as_ref().is_some_and(|close| close.is_given_up(now))
    }
}

impl Close {
    /// It goes on although its socket was shut down long ago.
    fn is_given_up(&self, now: Instant) -> bool {
        self.is_late && now >= self.bound + BOUND
    }
}

fn work(bell: &Bell, queue: &Receiver<Queued>, desk: &Desk) {
    let process = process_number();
    // A child that was forked in a close has nothing more to close.
    while !desk.is_dismissed.load(Ordering::Acquire) && is_process(process) {
        let queued = match queue.try_recv() {
            Ok(queued) => queued,
            Err(TryRecvError::Disconnected) => break,
            Err(TryRecvError::Empty) => {
                desk.is_busy.store(false, Ordering::Release);
                let Ok(queued) = queue.recv() else {
                    break;
                };
                queued
            }
        };
        drop_guarded(|| close(queued, bell, desk));
        let close = desk.close.lock().take();
        if let Some(socket) = close.and_then(|close| close.socket) {
            // It is the last descriptor, so that a socket which is to linger would do so here.
            do_not_linger(socket.as_fd());
        }
    }
    desk.has_left.store(true, Ordering::Release);
    bell.ring();
}

/// Closes a connection, whose panic ends here.
fn drop_guarded(close: impl FnOnce()) {
    survive("a connection panicked when it was closed", close);
}

fn close(queued: Queued, bell: &Bell, desk: &Desk) {
    let Queued { connection, since } = queued;
    let socket = connection.socket();
    let now = Instant::now();
    let is_late = now >= since + BOUND;
    if let Some(socket) = socket.filter(|_| is_late) {
        let _ = shut_down_reading(socket);
    }
    *desk.close.lock() = Some(Close {
        bound: (since + BOUND).max(now + GRACE),
        socket: socket.and_then(|socket| socket.try_clone_to_owned().ok()),
        is_late: false,
    });
    if !desk.is_busy.swap(true, Ordering::AcqRel) {
        // From now on somebody has to look whether it hangs.
        bell.ring();
    }
    drop(connection);
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crate::watch::Watch;
    use crossbeam_channel::bounded;
    use std::thread;

    /// A disposer that the test supervises.
    fn disposer() -> Disposer {
        Disposer::new(Arc::new(Bell {
            watch: Watch::new(),
            is_rung: AtomicBool::new(false),
        }))
    }

    /// A connection without a socket, whose drop is what the test makes of it.
    struct Connection<F: FnMut() + Send>(F);

    impl<F: FnMut() + Send> Disposable for Connection<F> {
        fn socket(&self) -> Option<BorrowedFd<'_>> {
            None
        }
    }

    impl<F: FnMut() + Send> Drop for Connection<F> {
        fn drop(&mut self) {
            (self.0)();
        }
    }

    #[test]
    fn closes_that_nothing_ends_take_so_many_threads_and_no_more() {
        let disposer = disposer();
        let (gate, held) = bounded::<()>(0);
        let (closed, closes) = unbounded();
        for _ in 0..2 * MOST_WORKERS {
            let (held, closed) = (held.clone(), closed.clone());
            disposer.dispose(Box::new(Connection(move || {
                let _ = held.recv();
                closed.send(()).unwrap();
            })));
        }
        let hanging = || {
            let workers = disposer.workers.lock();
            assert!(workers.len() <= MOST_WORKERS);
            workers.iter().filter(|worker| worker.is_replaced).count()
        };
        while hanging() < MOST_WORKERS {
            disposer.supervise();
            thread::yield_now();
        }
        assert_eq!(disposer.queued.len(), MOST_WORKERS);
        // They come free, and those that have waited are closed, too.
        drop(gate);
        disposer.finish();
        assert_eq!(closes.len(), 2 * MOST_WORKERS);
        assert!(disposer.workers.lock().is_empty());
    }

    #[test]
    fn a_close_that_panics_costs_no_other() {
        let disposer = disposer();
        let (closed, closes) = unbounded();
        for turn in 0..10 {
            let closed = closed.clone();
            disposer.dispose(Box::new(Connection(move || match turn % 2 {
                0 => panic!("close failed, on purpose"),
                _ => closed.send(()).unwrap(),
            })));
        }
        disposer.finish();
        assert_eq!(closes.len(), 5);
    }

    #[test]
    fn what_was_given_up_before_the_end_is_closed_at_the_end() {
        let disposer = disposer();
        let (closed, closes) = unbounded();
        for _ in 0..1_000 {
            let closed = closed.clone();
            disposer.dispose(Box::new(Connection(move || closed.send(()).unwrap())));
        }
        disposer.finish();
        assert_eq!(closes.len(), 1_000);
    }
}
