//! The housekeeper: one thread for all pools of the loaded library that need one. It waits for a peer's close and for the
//! next moment at which something is due, at once.
//!
//! It is started by the first pool that joins and ended with the last; whoever drops that one waits for its end, unless
//! it is dropped on a thread of the housekeeper's or the disposer's, which then ends by itself. Pools are held weakly: what
//! keeps one alive for a moment is a call under way. No lock is held while a pool is called.
//!
//! A child process after a fork has a copy of all this without its threads, and shares the watch with its parent: the first
//! pool that joins there gets a housekeeper of the child's own.

mod disposer;
mod eviction;

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::os::fd::BorrowedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

pub use disposer::Disposable;
pub use eviction::{Eviction, pause};

use crate::watch::{IdleWatch, Token, idle_watch};
use disposer::{BOUND, Disposer};

/// How long the last pool's end waits for closes that are under way.
const PATIENCE: Duration = Duration::from_secs(3);

/// A pool as the housekeeper sees it. It is called on the housekeeper's thread, with no lock held.
pub trait Tended: Send + Sync {
    /// The peer of the connection opened as number `opening` in `slot` has closed it.
    fn peer_closed(self: Arc<Self>, slot: u32, opening: u16);

    /// Does what is due, and tells when to come again; `None`: not before [`Membership::ring`] is called.
    fn tend(self: Arc<Self>) -> Option<Duration>;
}

/// A pool's place with the housekeeper. Dropped, the pool has left it.
///
/// When the last pool leaves, the thread has ended and every connection given to [`dispose`](Self::dispose) is closed
/// when the call returns; closes that take longer than three seconds go on without it.
pub struct Membership {
    housekeeper: Arc<Housekeeper>,
    number: u32,
}

impl Membership {
    /// Puts a pool into the housekeeper's care; the first one starts its thread. [`Tended::tend`] is called soon.
    ///
    /// Where no thread can be had, a line at error says so, and nothing is done for the pool until another one joins.
    pub fn join(pool: Weak<dyn Tended>) -> Self {
        let mut current = CURRENT.lock();
        if let Some(parents) = current.take_if(|housekeeper| !housekeeper.is_of_this_process()) {
            // Never dropped: the threads whose handles it has are not there.
            std::mem::forget(parents);
        }
        let housekeeper = Arc::clone(current.get_or_insert_with(|| Arc::new(Housekeeper::new())));
        let number = housekeeper.pools.lock().add(pool);
        let started = housekeeper.start();
        drop(current);
        if let Err(error) = started {
            log::error!("no thread for the housekeeper of the pools: {error}");
        }
        housekeeper.bell.ring();
        Membership {
            housekeeper,
            number,
        }
    }

    /// Has the pool told when the peer of this opening closes its connection, also where it has done so already.
    ///
    /// What cannot be watched is logged at debug, and the probe alone tells. O(1), one system call.
    pub fn watch(&self, socket: BorrowedFd<'_>, slot: u32, opening: u16) {
        let token = Token::new(self.number, slot, opening);
        if let Err(error) = self.housekeeper.bell.watch.add(socket, token) {
            log::debug!("connection {slot} is not watched: {error}");
        }
    }

    /// To be called before a watched socket is closed or given away; see [`IdleWatch::remove`].
    pub fn unwatch(&self, socket: BorrowedFd<'_>) {
        self.housekeeper.bell.watch.remove(socket);
    }

    /// Something is due earlier than [`Tended::tend`] last told. O(1), one system call.
    pub fn ring(&self) {
        self.housekeeper.bell.ring();
    }

    /// Has a connection closed on a thread where that may take its time. One whose socket is known and whose close takes
    /// longer than a second has it shut down, which ends a read or a write that hangs.
    pub fn dispose(&self, connection: Box<dyn Disposable>) {
        self.housekeeper.disposer.dispose(connection);
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        if !self.housekeeper.is_of_this_process() {
            return;
        }
        let mut current = CURRENT.lock();
        if self.housekeeper.pools.lock().remove(self.number) {
            // One that joins from now on gets a housekeeper of its own.
            *current = None;
            drop(current);
            self.housekeeper.end();
        }
    }
}

impl fmt::Debug for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Membership").field(&self.number).finish()
    }
}

/// The housekeeper, while there is a pool that needs it. Written by who joins first or leaves last.
static CURRENT: Mutex<Option<Arc<Housekeeper>>> = Mutex::new(None);

thread_local! {
    /// The thread is the housekeeper's or the disposer's, whose end nobody waits for there.
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

struct Housekeeper {
    /// The process that made it.
    process: u32,
    bell: Arc<Bell>,
    pools: Mutex<Pools>,
    /// The last pool has left. Set by it, once.
    is_over: AtomicBool,
    /// Written by who joins and by who leaves last.
    thread: Mutex<Option<Running>>,
    disposer: Disposer,
}

struct Running {
    handle: JoinHandle<()>,
    done: Arc<Done>,
}

/// That the thread has done its work. No channel, which would leave something behind in the thread that waits: a C program's
/// main thread, say, of which nothing else is known to Rust.
#[derive(Default)]
struct Done {
    /// Written by the thread.
    is_done: Mutex<bool>,
    changed: Condvar,
}

impl Done {
    fn tell(&self) {
        *self.is_done.lock() = true;
        self.changed.notify_one();
    }

    /// False where that takes longer than `timeout`.
    fn wait(&self, timeout: Duration) -> bool {
        let mut is_done = self.is_done.lock();
        let is_busy = |is_done: &mut bool| !*is_done;
        self.changed.wait_while_for(&mut is_done, is_busy, timeout);
        *is_done
    }
}

/// What the housekeeper waits on.
struct Bell {
    watch: Box<dyn IdleWatch>,
    /// Something is due earlier than the loop knows. Set by anybody, taken by the loop.
    is_rung: AtomicBool,
}

impl Bell {
    fn ring(&self) {
        // Set before the wake, and looked at after the wait that it ends.
        self.is_rung.store(true, Ordering::Release);
        self.watch.wake();
    }

    fn wait(&self, closed: &mut Vec<Token>, timeout: Option<Duration>) {
        if let Err(error) = self.watch.wait(closed, timeout) {
            // The descriptors are gone, closed by somebody to whom they do not belong: only the clock is left.
            log::error!("idle connections are not watched any more: {error}");
            thread::sleep(timeout.unwrap_or(BOUND).min(BOUND));
        }
    }
}

#[derive(Default)]
struct Pools {
    by_number: HashMap<u32, Weak<dyn Tended>>,
    last: u32,
}

impl Pools {
    fn add(&mut self, pool: Weak<dyn Tended>) -> u32 {
        loop {
            self.last = (self.last + 1) % (Token::MAX_POOL + 1);
            if !self.by_number.contains_key(&self.last) {
                break;
            }
        }
        self.by_number.insert(self.last, pool);
        self.last
    }

    /// Whether it was the last.
    fn remove(&mut self, number: u32) -> bool {
        self.by_number.remove(&number);
        self.by_number.is_empty()
    }
}

impl Housekeeper {
    fn new() -> Self {
        let bell = Arc::new(Bell {
            watch: idle_watch(),
            is_rung: AtomicBool::new(false),
        });
        Housekeeper {
            process: process::id(),
            disposer: Disposer::new(Arc::clone(&bell)),
            bell,
            pools: Mutex::default(),
            is_over: AtomicBool::new(false),
            thread: Mutex::new(None),
        }
    }

    fn is_of_this_process(&self) -> bool {
        self.process == process::id()
    }

    /// Starts the thread unless it runs.
    fn start(self: &Arc<Self>) -> std::io::Result<()> {
        let mut thread = self.thread.lock();
        if thread.is_none() {
            let housekeeper = Arc::clone(self);
            let done = Arc::new(Done::default());
            let told = Arc::clone(&done);
            let handle = thread::Builder::new()
                .name("leasehold".into())
                .spawn(move || {
                    IS_OURS.set(true);
                    housekeeper.run();
                    told.tell();
                })?;
            *thread = Some(Running { handle, done });
        }
        Ok(())
    }

    fn run(&self) {
        let mut closed = Vec::new();
        let mut due: Option<Instant> = None;
        while !self.is_over.load(Ordering::Acquire) {
            let timeout = due.map(|due| due.saturating_duration_since(Instant::now()));
            self.bell.wait(&mut closed, timeout);
            for token in closed.drain(..) {
                let pool = self.pools.lock().by_number.get(&token.pool()).cloned();
                call(pool, |pool| pool.peer_closed(token.slot(), token.opening()));
            }
            let is_due = due.is_some_and(|due| due <= Instant::now());
            if self.bell.is_rung.swap(false, Ordering::AcqRel) || is_due {
                due = self.tend().map(|next| Instant::now() + next);
            }
        }
        self.disposer.finish();
    }

    /// Does what is due in every pool, and tells when to look again.
    fn tend(&self) -> Option<Duration> {
        let pools: Vec<_> = self.pools.lock().by_number.values().cloned().collect();
        let due = pools
            .into_iter()
            .filter_map(|pool| call(Some(pool), |pool| pool.tend())?);
        due.chain(self.disposer.supervise()).min()
    }

    /// Ends the thread, once what is to be closed is closed, and waits for that.
    fn end(&self) {
        self.is_over.store(true, Ordering::Release);
        self.bell.ring();
        let Some(Running { handle, done }) = self.thread.lock().take() else {
            return;
        };
        if !IS_OURS.get() && done.wait(PATIENCE) {
            let _ = handle.join();
        }
    }
}

/// Calls a pool that is still there. A panic of what it calls, a connection's drop or a waker, ends here.
fn call<T>(pool: Option<Weak<dyn Tended>>, action: impl FnOnce(Arc<dyn Tended>) -> T) -> Option<T> {
    let pool = pool?.upgrade()?;
    let outcome = catch_unwind(AssertUnwindSafe(move || action(pool)));
    if outcome.is_err() {
        log::error!("a connection panicked when it was closed, or a waker when it was called");
    }
    outcome.ok()
}
