//! The housekeeper: one thread for all pools of the loaded library that need one. It waits for a peer's close and for the
//! next moment at which something is due, at once.
//!
//! It is started by the first pool that joins and ended with the last; whoever drops that one waits for its end, unless
//! that is not wanted or it is dropped on a thread of the housekeeper's or the disposer's, which then ends by itself. Where no thread
//! can be had it is tried again by each call that needs one. Pools are held weakly: what keeps one alive for a moment is a call under
//! way. No lock is held while a pool is called or a line is logged, and what panics there ends nothing but that call: the pool is
//! called again soon.
//!
//! Of what peers have closed all that is known is noted in the engines before anything is done about any of it, and what comes to be
//! known meanwhile before the next few are dealt with: to note it takes a fraction of a microsecond, to part with a connection
//! much longer, and what is noted is not leased any more.
//!
//! The library's threads block every signal: the program's handlers run on threads of its own.
//!
//! A child process after a fork has a copy of all this without its threads, and shares the watch with its parent: the first
//! pool that joins there gets a housekeeper of the child's own. Those inherited leave the parent's alone; it does nothing for
//! them any more.

mod bell;
mod disposer;
mod eviction;
mod quiet;
mod role;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

pub use disposer::Disposable;
pub use eviction::{Eviction, take_turn};
pub use role::{is_housekeepers_thread, is_own_thread};

use crate::engine::{Clock, Slot};
use crate::fork::{PerProcess, process_number};
use crate::locks::{Condvar, Mutex};
use crate::panics::survive;
use crate::watch::Token;
use bell::Bell;
use disposer::Disposer;
use quiet::Worker;
use role::{Role, take_role};

/// How long the last pool's end waits for closes that are under way. In tests of this crate's own for longer than any of them waits: there
/// an end that waits is told from one that does not by what it waits for.
const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 3_600 } else { 3 });

/// When to come back to a pool where something panicked.
const SOON: Duration = Duration::from_millis(100);

/// A pool as the housekeeper sees it. It is called on the housekeeper's thread, with no lock held.
pub trait Tended: Send + Sync {
    /// The peers of these have closed them. Notes it in the engine, no more, and answers with what is then to be done.
    fn peers_closed(self: Arc<Self>, closed: &[Token]) -> Parting;

    /// Does what is due, and tells when to come again; `None`: not before [`Membership::ring`] is called.
    fn tend(self: Arc<Self>) -> Option<Duration>;
}

/// What is to be done with connections that their peers have closed. Called once, on the housekeeper's thread.
pub type Parting = Box<dyn FnOnce()>;

/// How many connections a [`Parting`] is about, at most.
const FEW: usize = 16;

/// A pool's place with the housekeeper. Dropped, the pool has left it.
///
/// When the last pool leaves, the thread has ended and every connection given to [`dispose`](Self::dispose) is closed
/// when the call returns; closes that take longer than three seconds go on without it. Not so where `waits_at_end` was false.
pub struct Membership {
    housekeeper: Arc<Housekeeper>,
    number: u32,
    waits_at_end: bool,
}

impl Membership {
    /// Puts a pool into the housekeeper's care, which also looks at it whenever its clock is moved on by hand. Nothing is done
    /// for it before [`start`](Self::start). `waits_at_end`: who drops it, and with it the last, waits for the threads' end.
    pub fn join(pool: &Arc<dyn Tended>, clock: &Clock, waits_at_end: bool) -> Self {
        let mut current = CURRENT.get().lock();
        let housekeeper = Arc::clone(current.get_or_insert_with(|| Arc::new(Housekeeper::new())));
        let number = housekeeper.pools.lock().add(Arc::downgrade(pool));
        drop(current);
        // Kept until there is a thread to see it.
        housekeeper.ring(number);
        let advanced = Arc::downgrade(&housekeeper);
        clock.on_advance(move || {
            if let Some(housekeeper) = advanced.upgrade() {
                housekeeper.ring(number);
            }
        });
        Membership {
            housekeeper,
            number,
            waits_at_end,
        }
    }

    /// Sees to it that the housekeeper's thread runs, which calls [`Tended::tend`] soon after the pool has joined. To be called after
    /// [`join`](Self::join) and by whoever is about to promise what takes the thread, with no lock held, since it may log. O(1),
    /// takes no lock where the thread runs.
    ///
    /// False where no thread can be had, of which a line at error tells, once: nothing can be promised then, and the next call tries
    /// again.
    pub fn start(&self) -> bool {
        let housekeeper = &self.housekeeper;
        if !housekeeper.is_of_this_process() {
            return false;
        }
        if housekeeper.runs.load(Ordering::Acquire) {
            return true;
        }
        let started = housekeeper.start();
        if let Err(error) = &started {
            let level = match housekeeper.has_told.swap(true, Ordering::Relaxed) {
                false => crate::logging::Level::Error,
                true => crate::logging::Level::Debug,
            };
            crate::logging::log!(level, "no thread for the housekeeper of the pools: {error}");
        }
        started.is_ok()
    }

    /// Has the pool told when the peer of this opening closes its connection, also where it has done so already. False where
    /// only a probe can tell: no thread can be had for that, or see [`Watch::add`]. To be tried again later.
    pub fn watch(&self, socket: BorrowedFd<'_>, slot: Slot, opening: u16) -> bool {
        let token = Token::new(self.number, slot, opening);
        self.start() && self.housekeeper.bell.watch.add(socket, token)
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
            self.housekeeper.end(self.waits_at_end);
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

struct Housekeeper {
    // ----- as it was made -----
    /// The process that made it.
    process: u32,

    // ----- each with locks of its own -----
    bell: Arc<Bell>,
    disposer: Disposer,

    // ----- under its own lock: written by pools that join, ring or leave, and by the thread -----
    pools: Mutex<Pools>,

    // ----- under its own lock: written by who starts the thread and by who leaves last -----
    thread: Mutex<Option<Running>>,
    /// The thread was started; it ends with the last pool. Written under the lock of `thread`, read without it.
    ///
    /// Race window: whoever reads that it was not started may come too late to start it. It is harmless because it then looks again under
    /// the lock.
    runs: AtomicBool,

    // ----- under no lock -----
    /// The last pool has left. Set by it, once.
    is_over: AtomicBool,
    /// It was said that there is no thread to be had. Written by the first to say so.
    has_told: AtomicBool,
}

struct Running {
    handle: Worker,
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
        let bell = Arc::new(Bell::default());
        Housekeeper {
            process: process_number(),
            disposer: Disposer::new(Arc::clone(&bell)),
            bell,
            pools: Mutex::default(),
            is_over: AtomicBool::new(false),
            thread: Mutex::new(None),
            runs: AtomicBool::new(false),
            has_told: AtomicBool::new(false),
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
        if !self.runs.load(Ordering::Relaxed) {
            let housekeeper = Arc::clone(self);
            let done = Arc::new(Done::default());
            let told = Arc::clone(&done);
            let handle = quiet::start("leasehold", move || {
                take_role(Role::Housekeeper);
                housekeeper.run();
                told.tell();
            })?;
            *thread = Some(Running { handle, done });
            self.runs.store(true, Ordering::Release);
        }
        Ok(())
    }

    fn run(&self) {
        let mut closed = Vec::new();
        let mut partings = VecDeque::new();
        let mut due: Option<Instant> = None;
        // A child that was forked in a callback, and returned from it, must not take its parent's events.
        while !self.is_over.load(Ordering::Acquire) && self.is_of_this_process() {
            let timeout = match partings.is_empty() {
                true => due.map(|due| due.saturating_duration_since(Instant::now())),
                false => Some(Duration::ZERO),
            };
            self.bell.wait(&mut closed, timeout);
            self.note_closed(&mut closed, &mut partings);
            if let Some(parting) = partings.pop_front() {
                guarded(parting);
            }
            let is_due = due.is_some_and(|due| due <= Instant::now());
            if self.bell.is_rung.swap(false, Ordering::AcqRel) || is_due {
                due = self.tend();
            }
        }
        if self.is_of_this_process() {
            for parting in partings {
                guarded(parting);
            }
            self.disposer.finish();
        }
    }

    /// Has the pools note what was closed, and adds what they have to do then.
    fn note_closed(&self, closed: &mut Vec<Token>, partings: &mut VecDeque<Parting>) {
        // What one pool has to do is together, in the order in which it came to be known.
        closed.sort_by_key(|token| token.pool());
        for of_one in closed.chunk_by(|one, next| one.pool() == next.pool()) {
            let pool = self.pools.lock().find(of_one[0].pool());
            let Some(pool) = pool.and_then(|pool| pool.upgrade()) else {
                continue;
            };
            for few in of_one.chunks(FEW) {
                let pool = Arc::clone(&pool);
                partings.extend(guarded(|| pool.peers_closed(few)));
            }
        }
        closed.clear();
    }

    /// Does what is due in the pools, and tells when to look again.
    fn tend(&self) -> Option<Instant> {
        let due = self.pools.lock().take_due(Instant::now());
        for (number, pool) in due {
            let Some(pool) = pool.upgrade() else {
                continue;
            };
            let next = guarded(|| pool.tend()).unwrap_or(Some(SOON));
            if let Some(moment) = next.and_then(|next| Instant::now().checked_add(next)) {
                self.pools.lock().set_due(number, moment);
            }
        }
        let looked_at = self.disposer.supervise();
        let next = self.pools.lock().next_due();
        next.into_iter().chain(looked_at).min()
    }

    /// Ends the thread, once what is to be closed is closed, and waits for that, if `waits`.
    fn end(&self, waits: bool) {
        self.is_over.store(true, Ordering::Release);
        self.bell.ring();
        let Some(Running { handle, done }) = self.thread.lock().take() else {
            return;
        };
        if waits && !is_own_thread() && done.wait(PATIENCE) {
            handle.join();
        }
    }
}

/// Calls a pool. A panic of what it calls, a waker or a key's drop, ends here: `None`.
fn guarded<T>(action: impl FnOnce() -> T) -> Option<T> {
    survive(
        "a waker or a key panicked when the housekeeper called it",
        action,
    )
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crate::Pool;
    use crossbeam_channel::{Receiver, Sender, unbounded};
    use std::sync::{MutexGuard, PoisonError};
    use std::thread;

    const LONG: Duration = Duration::from_secs(60);

    /// For one test at a time, as pools share the housekeeper, and one test is about the last.
    fn alone() -> MutexGuard<'static, ()> {
        static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
        TURN.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pool that tells when it is tended. The first time it panics.
    struct Telling {
        tended: Sender<()>,
        has_panicked: AtomicBool,
    }

    impl Tended for Telling {
        fn peers_closed(self: Arc<Self>, _: &[Token]) -> Parting {
            Box::new(|| {})
        }

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
        let membership = Membership::join(&pool, &Clock::monotonic(), true);
        assert!(membership.start());
        (pool, membership, turns)
    }

    /// A pool with which the housekeeper's thread is busy until the test lets it go.
    struct Busy {
        tended: Sender<()>,
        gate: Receiver<()>,
    }

    impl Tended for Busy {
        fn peers_closed(self: Arc<Self>, _: &[Token]) -> Parting {
            Box::new(|| {})
        }

        fn tend(self: Arc<Self>) -> Option<Duration> {
            self.tended.send(()).unwrap();
            let _ = self.gate.recv();
            None
        }
    }

    #[test]
    fn the_end_of_the_last_pool_does_not_wait_where_that_is_not_wanted() {
        let _alone = alone();
        let ((tended, turns), (open, gate)) = (unbounded(), unbounded());
        let busy: Arc<dyn Tended> = Arc::new(Busy { tended, gate });
        let membership = Membership::join(&busy, &Clock::monotonic(), true);
        assert!(membership.start());
        turns.recv_timeout(LONG).unwrap();
        let last: Pool<&str, u32> = Pool::builder().close_aside(true).wait_at_end(false).build();
        drop(membership);
        let (ended, ends) = unbounded();
        thread::spawn(move || {
            drop(last);
            ended.send(()).unwrap();
        });
        // The thread that a wait would be for is busy until after this.
        assert_eq!(ends.recv_timeout(LONG), Ok(()));
        drop(open);
    }

    #[test]
    fn a_pool_is_tended_once_it_has_joined_though_that_panics_and_when_it_rings_and_no_other_is() {
        let _alone = alone();
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
