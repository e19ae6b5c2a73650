//! Pools: what one is made of, and where it is found by its handle.

use std::cell::Cell as ThreadCell;
use std::ffi::{CStr, c_void};
use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use leasehold::Watching;
use leasehold::engine::{Clock, Config, Engine, Segments, Slot, StateId, Ticket};
use leasehold::face::{
    Deadlines, Eviction, Holders, Interner, Membership, PerProcess, States, Tended, in_each_child,
};

use crate::care::Care;
use crate::cells::{Cell, Kept};
use crate::clock::find_clock;
use crate::disposal::lh_dispose_callback;
use crate::drain::Drain;
use crate::handles::lh_pool;
use crate::options::{lh_policy, lh_pool_options, lh_watching};
use crate::probe::borrow;
use crate::status::*;
use crate::table::Table;
use crate::waiters::Waiters;

/// What is behind an lh_pool.
pub(crate) struct Pool {
    // ----- settings: as the pool was made -----
    pub(crate) id: u64,
    pub(crate) name: Box<str>,
    pub(crate) eviction: Eviction,
    pub(crate) watching: Watching,
    pub(crate) disposes_apart: bool,
    pub(crate) dispose: lh_dispose_callback,
    pub(crate) dispose_context: *mut c_void,

    // ----- each with locks of its own -----
    pub(crate) engine: Engine,
    pub(crate) waiters: Waiters,
    pub(crate) routes: Interner<Box<[u8]>>,
    pub(crate) states: States,
    pub(crate) deadlines: Deadlines<Ticket>,
    pub(crate) care: Arc<Care>,
    pub(crate) drain: Drain,

    // ----- under no lock: written by who owns the entry (I11) -----
    /// What is kept of each connection, by its entry's slot.
    pub(crate) cells: Segments<Slot, Cell>,
    /// What the program has said of leases.
    pub(crate) tags: Holders<c_void>,

    // ----- under no lock: written by `remove` -----
    /// Race window: a call may find the pool that its thread used last just before another destroys it. It is harmless because the call's
    /// own reference keeps the memory, and what the engine grants then is closed when it is released.
    is_destroyed: AtomicBool,
}

// SAFETY: the contexts and the connections' data are the program's, given for use on any thread; here they are only
// passed on. Everything else is Send.
unsafe impl Send for Pool {}
// SAFETY: as above.
unsafe impl Sync for Pool {}

impl Pool {
    fn new(
        id: u64,
        others: &mut dyn Iterator<Item = &Pool>,
        options: &lh_pool_options,
        watching: Watching,
        config: Config,
        name: Option<Box<str>>,
    ) -> Pool {
        let taken: Vec<u32> = others.map(|pool| pool.engine.tag()).collect();
        // Tags come round after 2047 pools. No two that are alive share one, so a foreign handle is always noticed.
        let mut engine = Engine::new(config.clone());
        while taken.contains(&engine.tag()) {
            engine = Engine::new(config.clone());
        }
        Pool {
            id,
            name: name.unwrap_or_else(|| format!("pool-{}", engine.tag()).into()),
            is_destroyed: AtomicBool::new(false),
            tags: Holders::default(),
            engine,
            cells: Segments::new(),
            waiters: Waiters::default(),
            routes: Interner::new(),
            states: States::default(),
            deadlines: Deadlines::default(),
            care: Arc::default(),
            eviction: Eviction {
                expired: options.evict_expired != 0,
                idle: (options.evict_idle_ms != 0).then_some(options.evict_idle_ms),
            },
            drain: Drain::default(),
            watching,
            disposes_apart: options.dispose_apart != 0,
            dispose: options.dispose,
            dispose_context: options.dispose_context,
        }
    }

    /// No call finds the pool any more.
    pub(crate) fn is_destroyed(&self) -> bool {
        self.is_destroyed.load(Relaxed)
    }

    /// The pool's place with the housekeeper, which it takes with the first call. `None` when it has left.
    pub(crate) fn membership(self: &Arc<Self>) -> Option<Arc<Membership>> {
        self.care.membership(|| {
            let pool: Arc<dyn Tended> = Arc::clone(self) as _;
            Membership::join(&pool, self.engine.clock(), true)
        })
    }

    /// Whether the housekeeper's thread runs for the pool, which is started where it does not. May log, and so call the program.
    pub(crate) fn is_tended(self: &Arc<Self>) -> bool {
        self.membership()
            .is_some_and(|membership| membership.start())
    }

    /// Has the pool told when the peer of this opening closes it. False where only a probe can tell.
    pub(crate) fn watch(self: &Arc<Self>, socket: RawFd, slot: Slot, opening: u16) -> bool {
        self.membership()
            .is_some_and(|membership| membership.watch(borrow(socket), slot, opening))
    }

    /// Before the program gets a watched socket back, and closes it.
    pub(crate) fn unwatch(self: &Arc<Self>, socket: RawFd) {
        if let Some(membership) = self.membership() {
            membership.unwatch(borrow(socket));
        }
    }

    /// Takes the connection out of the slot of its owner, who is to dispose of it.
    pub(crate) fn take_connection(self: &Arc<Self>, slot: Slot) -> Option<Kept> {
        let cell = self.cells.grow_to(slot);
        let connection = cell.take();
        self.states.release(cell.replace_state(StateId::NONE));
        let socket = connection.as_ref().and_then(|kept| kept.socket);
        if let Some(socket) = socket.filter(|socket| socket.is_watched) {
            self.unwatch(socket.descriptor);
        }
        connection
    }
}

static POOLS: PerProcess<Table<Pool>> = PerProcess::new(Table::new());

thread_local! {
    /// The pool that this thread has used last: finding it again touches nothing that threads share. It may be a
    /// destroyed one, whose memory is free when the thread uses another pool or ends.
    static RECENT: ThreadCell<Option<Arc<Pool>>> = const { ThreadCell::new(None) };
}

/// Makes a pool, which is found from now on.
///
/// # Safety
///
/// The options' name is NULL or a string.
pub(crate) unsafe fn add(options: &lh_pool_options) -> Result<lh_pool, lh_status> {
    let config = config_of(options)?;
    let watching = lh_watching::try_from(options.watching)?.into();
    // SAFETY: the caller's promise.
    let name = unsafe { name_of(options)? };
    attend_to_forks();
    let id = POOLS
        .get()
        .insert(|id, others| Pool::new(id, others, options, watching, config, name))
        .ok_or(LH_TOO_MANY)?;
    Ok(lh_pool { id })
}

fn config_of(options: &lh_pool_options) -> Result<Config, lh_status> {
    Ok(Config {
        max_total: options.max_total,
        max_per_route: options.default_max_per_route,
        max_waiters: options.max_waiters,
        policy: lh_policy::try_from(options.policy)?.into(),
        barging: options.barging != 0,
        time_to_live: (options.time_to_live_ms != 0).then_some(options.time_to_live_ms),
        clock: match options.clock.id {
            0 => Clock::monotonic(),
            _ => Clock::manual(&find_clock(options.clock)?),
        },
        ..Config::default()
    })
}

/// # Safety
///
/// As for [`add`].
unsafe fn name_of(options: &lh_pool_options) -> Result<Option<Box<str>>, lh_status> {
    if options.name.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let name = unsafe { CStr::from_ptr(options.name) };
    let name = name.to_str().map_err(|_| LH_INVALID_ARGUMENT)?;
    let mut copy = String::new();
    copy.try_reserve_exact(name.len())
        .map_err(|_| LH_NO_MEMORY)?;
    copy.push_str(name);
    Ok(Some(copy.into_boxed_str()))
}

/// Has the child of a fork forget the pool that its thread used last as its parent's. Nothing is asked for that at each call.
fn attend_to_forks() {
    // Written by the first threads to make a pool.
    // Race window: two of them may both have forks noticed. It is harmless because what is forgotten twice is forgotten.
    static IS_DONE: AtomicBool = AtomicBool::new(false);
    if !IS_DONE.load(Relaxed) {
        // SAFETY: the handler touches what belongs to the one thread that there is.
        IS_DONE.store(unsafe { in_each_child(forget_inherited) }, Relaxed);
    }
}

unsafe extern "C" fn forget_inherited() {
    // Never dropped: what it holds is as the parent's threads had it at the fork.
    std::mem::forget(RECENT.try_with(ThreadCell::take));
}

/// Takes a pool out of the table: no call finds it any more.
pub(crate) fn remove(pool: lh_pool) -> Option<Arc<Pool>> {
    let pool = POOLS.get().remove(pool.id)?;
    pool.is_destroyed.store(true, Relaxed);
    Some(pool)
}

pub(crate) fn find(pool: lh_pool) -> Option<Arc<Pool>> {
    POOLS.get().get(pool.id)
}

/// Runs `body` with the pool that has a handle. It lives as long as `body` runs, whoever destroys it.
#[inline]
pub(crate) fn with_pool<T>(
    pool: lh_pool,
    body: impl FnOnce(&Arc<Pool>) -> Result<T, lh_status>,
) -> Result<T, lh_status> {
    // Taken, not borrowed, so a callback may come here again. Fails while the thread ends: then the table serves.
    let recent = RECENT.try_with(ThreadCell::take).ok().flatten();
    let pool = match recent {
        Some(recent) if recent.id == pool.id && !recent.is_destroyed() => recent,
        _ => find(pool).ok_or(LH_NO_POOL)?,
    };
    let outcome = body(&pool);
    let _ = RECENT.try_with(|recent| recent.set(Some(pool)));
    outcome
}

/// Lets go of the pool that this thread has used last.
pub(crate) fn forget_recent() {
    let _ = RECENT.try_with(ThreadCell::take);
}
