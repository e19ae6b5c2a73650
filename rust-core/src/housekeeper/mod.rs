//! The housekeeper: one thread for all pools of the loaded library that need one. It waits for a peer's close and for the
//! next moment at which something is due, at once.
//!
//! It is started by the first pool that joins and ended with the last; whoever drops that one waits for its end, unless
//! it is dropped on a thread of the housekeeper's or the disposer's, which then ends by itself. Pools are held weakly: what
//! keeps one alive for a moment is a call under way. No lock is held while a pool is called or a line is logged, and what panics there
//! ends nothing but that call: the pool is called again soon.
//!
//! A child process after a fork has a copy of all this without its threads, and shares the watch with its parent: the first
//! pool that joins there gets a housekeeper of the child's own. Those inherited leave the parent's alone; it does nothing for
//! them any more.

mod disposer;
mod eviction;

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::os::fd::BorrowedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub use disposer::Disposable;
pub use eviction::{Eviction, take_turn};

use crate::engine::Clock;
use crate::fork::{PerProcess, process_number};
use crate::locks::{Condvar, Mutex};
use crate::watch::{Token, Watch};
use disposer::{BOUND, Disposer};

/// How long the last pool's end waits for closes that are under way.
const PATIENCE: Duration = Duration::from_secs(3);

/// When to come back to a pool where something panicked.
const SOON: Duration = Duration::from_millis(100);

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
    /// Puts a pool into the housekeeper's care, which also looks at it whenever its clock is moved on by hand. Nothing is done
    /// for it before [`start`](Self::start).
    pub fn join(pool: &Arc<dyn Tended>, clock: &Clock) -> Self {
        let mut current = CURRENT.get().lock();
        let housekeeper = Arc::clone(current.get_or_insert_with(|| Arc::new(Housekeeper::new())));
        let number = housekeeper.pools.lock().add(Arc::downgrade(pool));
        drop(current);
        let advanced = Arc::downgrade(&housekeeper);
        clock.on_advance(move || {
            if let Some(housekeeper) = advanced.upgrade() {
                housekeeper.ring(number);
            }
        });
        Membership {
            housekeeper,
            number,
        }
    }

    /// Starts the housekeeper's thread unless it runs, and has [`Tended::tend`] called soon. To be called once after
    /// [`join`](Self::join), with no lock held, since it may log.
    ///
    /// Where no thread can be had, a line at error says so, and nothing is done for the pool until another one joins.
    pub fn start(&self) {
        if let Err(error) = self.housekeeper.start() {
            log::error!("no thread for the housekeeper of the pools: {error}");
        }
        self.ring();
    }

    /// Has the pool told when the peer of this opening closes its connection, also where it has done so already. False where
    /// only a probe can tell; see [`Watch::add`].
    pub fn watch(&self, socket: BorrowedFd<'_>, slot: u32, opening: u16) -> bool {
        let token = Token::new(self.number, slot, opening);
        self.housekeeper.is_of_this_process() && self.housekeeper.bell.watch.add(socket, token)
    }

    /// To be called before a watched socket is closed or given away; see [`Watch::remove`].
    pub fn unwatch(&self, socket: BorrowedFd<'_>) {
        if self.housekeeper.is_of_this_process() {
            self.housekeeper.bell.watch.remove(socket);
        }
    }

    /// Something is due earlier than [`Tended::tend`] last told. O(1), one system call.
    pub fn ring(&self) {
        self.housekeeper.ring(self.number);
    }

    /// Has a connection closed on a thread where that may take its time. One whose socket is known is closed within a second:
    /// if by itself it is not, its socket is shut down, which ends a read or a write that hangs.
    pub fn dispose(&self, connection: Box<dyn Disposable>) {
        if self.housekeeper.is_of_this_process() {
            self.housekeeper.disposer.dispose(connection);
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        if !self.housekeeper.is_of_this_process() {
            return;
        }
        let mut current = CURRENT.get().lock();
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
static CURRENT: PerProcess<Mutex<Option<Arc<Housekeeper>>>> = PerProcess::new(Mutex::new(None));

thread_local! {
    /// What this thread is, and in which process. Written by it.
    static ROLE: Cell<(u32, Role)> = const { Cell::new((0, Role::Stranger)) };
}

/// What the calling thread is. A child forked on one of the library's threads has but a stranger.
fn role() -> Role {
    match ROLE.get() {
        (process, role) if process == process_number() => role,
        _ => Role::Stranger,
    }
}

/// The calling thread is one of the library's from now on.
fn take_role(role: Role) {
    ROLE.set((process_number(), role));
}

/// What a thread is here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// One of the program's.
    Stranger,
    Housekeeper,
    /// A worker of the disposer's.
    Disposer,
}

/// Whether the calling thread is the housekeeper's, which serves all pools: what may take its time, a close above all, is for
/// the disposer.
pub fn is_housekeepers_thread() -> bool {
    role() == Role::Housekeeper
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
    watch: Watch,
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
            note(|| log::error!("idle connections are not watched any more: {error}"));
            thread::sleep(timeout.unwrap_or(BOUND).min(BOUND));
        }
    }
}

#[derive(Default)]
struct Pools {
    by_number: HashMap<u32, Charge>,
    last: u32,
}

/// A pool in the housekeeper's care.
struct Charge {
    pool: Weak<dyn Tended>,
    /// When it is to be tended next.
    due: Option<Instant>,
}

impl Pools {
    fn add(&mut self, pool: Weak<dyn Tended>) -> u32 {
        loop {
            self.last = (self.last + 1) % (Token::MAX_POOL + 1);
            if !self.by_number.contains_key(&self.last) {
                break;
            }
        }
        self.by_number.insert(self.last, Charge { pool, due: None });
        self.last
    }

    /// Whether it was the last.
    fn remove(&mut self, number: u32) -> bool {
        self.by_number.remove(&number);
        self.by_number.is_empty()
    }

    fn find(&self, number: u32) -> Option<Weak<dyn Tended>> {
        let charge = self.by_number.get(&number)?;
        Some(Weak::clone(&charge.pool))
    }

    /// A pool is to be tended at `moment`, if not earlier.
    fn set_due(&mut self, number: u32, moment: Instant) {
        if let Some(charge) = self.by_number.get_mut(&number) {
            charge.due = Some(charge.due.map_or(moment, |due| due.min(moment)));
        }
    }

    /// Those to tend now. Whoever does says when they are due again.
    fn take_due(&mut self, now: Instant) -> Vec<(u32, Weak<dyn Tended>)> {
        let due = self.by_number.iter_mut().filter_map(|(number, charge)| {
            charge.due.take_if(|due| *due <= now)?;
            Some((*number, Weak::clone(&charge.pool)))
        });
        due.collect()
    }

    fn next_due(&self) -> Option<Instant> {
        self.by_number
            .values()
            .filter_map(|charge| charge.due)
            .min()
    }
}

impl Housekeeper {
    fn new() -> Self {
        let bell = Arc::new(Bell {
            watch: Watch::new(),
            is_rung: AtomicBool::new(false),
        });
        Housekeeper {
            process: process_number(),
            disposer: Disposer::new(Arc::clone(&bell)),
            bell,
            pools: Mutex::default(),
            is_over: AtomicBool::new(false),
            thread: Mutex::new(None),
        }
    }

    fn is_of_this_process(&self) -> bool {
        self.process == process_number()
    }

    /// Has a pool tended soon.
    fn ring(&self, number: u32) {
        if self.is_of_this_process() {
            self.pools.lock().set_due(number, Instant::now());
            self.bell.ring();
        }
    }

    /// Starts the thread unless it runs.
    fn start(self: &Arc<Self>) -> std::io::Result<()> {
        let mut thread = self.thread.lock();
        let runs = |running: &Running| !running.handle.is_finished();
        if !thread.as_ref().is_some_and(runs) {
            let housekeeper = Arc::clone(self);
            let done = Arc::new(Done::default());
            let told = Arc::clone(&done);
            let handle = thread::Builder::new()
                .name("leasehold".into())
                .spawn(move || {
                    take_role(Role::Housekeeper);
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
        // A child that was forked in a callback, and returned from it, must not take its parent's events.
        while !self.is_over.load(Ordering::Acquire) && self.is_of_this_process() {
            let timeout = due.map(|due| due.saturating_duration_since(Instant::now()));
            self.bell.wait(&mut closed, timeout);
            for token in closed.drain(..) {
                let pool = self.pools.lock().find(token.pool());
                call(pool, |pool| pool.peer_closed(token.slot(), token.opening()));
            }
            let is_due = due.is_some_and(|due| due <= Instant::now());
            if self.bell.is_rung.swap(false, Ordering::AcqRel) || is_due {
                due = self.tend();
            }
        }
        if self.is_of_this_process() {
            self.disposer.finish();
        }
    }

    /// Does what is due in the pools, and tells when to look again.
    fn tend(&self) -> Option<Instant> {
        let due = self.pools.lock().take_due(Instant::now());
        for (number, pool) in due {
            let next = match call(Some(pool), |pool| pool.tend()) {
                Called::Answered(next) => next,
                Called::Panicked => Some(SOON),
                Called::Gone => None,
            };
            if let Some(moment) = next.and_then(|next| Instant::now().checked_add(next)) {
                self.pools.lock().set_due(number, moment);
            }
        }
        let looked_at = self.disposer.supervise();
        let next = self.pools.lock().next_due();
        next.into_iter().chain(looked_at).min()
    }

    /// Ends the thread, once what is to be closed is closed, and waits for that.
    fn end(&self) {
        self.is_over.store(true, Ordering::Release);
        self.bell.ring();
        let Some(Running { handle, done }) = self.thread.lock().take() else {
            return;
        };
        if role() == Role::Stranger && done.wait(PATIENCE) {
            let _ = handle.join();
        }
    }
}

/// What became of a call of a pool.
enum Called<T> {
    Answered(T),
    Panicked,
    /// There is no such pool any more.
    Gone,
}

/// Calls a pool that is still there. A panic of what it calls, a waker or a key's drop, ends here.
fn call<T>(pool: Option<Weak<dyn Tended>>, action: impl FnOnce(Arc<dyn Tended>) -> T) -> Called<T> {
    let Some(pool) = pool.and_then(|pool| pool.upgrade()) else {
        return Called::Gone;
    };
    match catch_unwind(AssertUnwindSafe(move || action(pool))) {
        Ok(answer) => Called::Answered(answer),
        Err(_) => {
            note(|| log::error!("a waker or a key panicked when the housekeeper called it"));
            Called::Panicked
        }
    }
}

/// Logs on a thread that is to live on: a logger may panic.
fn note(log: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(log));
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crossbeam_channel::{Receiver, Sender, unbounded};

    const LONG: Duration = Duration::from_secs(60);

    /// A pool that tells when it is tended. The first time it panics.
    struct Telling {
        tended: Sender<()>,
        has_panicked: AtomicBool,
    }

    impl Tended for Telling {
        fn peer_closed(self: Arc<Self>, _: u32, _: u16) {}

        fn tend(self: Arc<Self>) -> Option<Duration> {
            if !self.has_panicked.swap(true, Ordering::Relaxed) {
                panic!("it could not be tended, on purpose");
            }
            self.tended.send(()).unwrap();
            None
        }
    }

    fn joined() -> (Arc<dyn Tended>, Membership, Receiver<()>) {
        let (tended, turns) = unbounded();
        let pool: Arc<dyn Tended> = Arc::new(Telling {
            tended,
            has_panicked: AtomicBool::new(false),
        });
        let membership = Membership::join(&pool, &Clock::monotonic());
        membership.start();
        (pool, membership, turns)
    }

    #[test]
    fn a_pool_is_tended_once_it_has_joined_though_that_panics_and_when_it_rings_and_no_other_is() {
        let [(_one, ringing, rung), (_other, _silent, unrung)] = [joined(), joined()];
        for turns in [&rung, &unrung] {
            turns.recv_timeout(LONG).unwrap();
        }
        for _ in 0..10 {
            ringing.ring();
            rung.recv_timeout(LONG).unwrap();
        }
        assert!(unrung.is_empty());
    }

    #[test]
    fn a_pool_that_rings_while_it_is_tended_is_due_at_once_all_the_same() {
        let mut pools = Pools::default();
        let pool: Weak<dyn Tended> = Weak::<Telling>::new();
        let [number, other] = [pools.add(Weak::clone(&pool)), pools.add(pool)];
        let now = Instant::now();
        let numbers = |due: Vec<(u32, Weak<dyn Tended>)>| -> Vec<u32> {
            due.into_iter().map(|(number, _)| number).collect()
        };
        pools.set_due(number, now);
        pools.set_due(other, now + LONG);
        assert_eq!(numbers(pools.take_due(now)), [number]);
        // The ring, and then what tending it has answered.
        pools.set_due(number, now);
        pools.set_due(number, now + LONG);
        assert_eq!(pools.next_due(), Some(now));
        assert_eq!(numbers(pools.take_due(now)), [number]);
        assert_eq!(pools.next_due(), Some(now + LONG));
        assert!(!pools.remove(number));
        assert!(pools.remove(other));
    }
}
