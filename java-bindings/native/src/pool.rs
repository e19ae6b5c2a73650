//! Pools as Java knows them: by address.

use crate::env::This;
use crate::stack;
use jni::EnvUnowned;
use jni::objects::JClass;
use jni::sys::{jboolean, jint, jlong};
use leasehold::engine::{Clock, Config, Engine, ManualClock, Policy};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub(crate) struct Pool {
    pub(crate) engine: Engine,
    /// Only where Java asked for one.
    pub(crate) clock: Option<ManualClock>,
}

/// The pools that were not freed. Written by `create` and `free`.
static ADDRESSES: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());

/// The pool at an address.
///
/// # Safety
/// `address` came from `create`, and `free` is not called before the reference is gone: see the crate's page.
#[inline]
pub(crate) unsafe fn pool<'a>(address: jlong) -> &'a Pool {
    // SAFETY: the caller's promise.
    unsafe { &*(address as *const Pool) }
}

/// Makes a pool, and returns its address.
pub(crate) fn add(config: Config, clock: Option<ManualClock>) -> jlong {
    let engine = Engine::new(config);
    let address = Box::into_raw(Box::new(Pool { engine, clock })) as usize;
    ADDRESSES.lock().insert(address);
    address as jlong
}

/// Frees what Java did not come to free.
pub(crate) fn free_all() {
    let addresses = std::mem::take(&mut *ADDRESSES.lock());
    for address in addresses {
        // SAFETY: it was in the set, so nobody has freed it; the library is being unloaded, so nobody uses it.
        drop(unsafe { Box::from_raw(address as *mut Pool) });
    }
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_create<'local>(
    mut env: EnvUnowned<'local>,
    class: JClass<'local>,
    max_per_route: jint,
    max_total: jint,
    max_waiters: jint,
    time_to_live: jlong,
    fifo: jboolean,
    barging: jboolean,
    own_route_first: jboolean,
    connects_later: jboolean,
    stripes: jint,
    manual_clock: jboolean,
) -> jlong {
    stack::prepare(&mut env, &class);
    catch_unwind(|| {
        let clock = manual_clock.then(ManualClock::new);
        let config = Config {
            max_per_route: max_per_route as u32,
            max_total: max_total as u32,
            max_waiters: max_waiters as u32,
            time_to_live: (time_to_live > 0).then_some(time_to_live as u64),
            policy: if fifo { Policy::Fifo } else { Policy::Lifo },
            barging,
            own_route_first,
            connects_later,
            stripes: (stripes > 0).then_some(stripes as u32),
            clock: clock.as_ref().map_or_else(Clock::monotonic, Clock::manual),
        };
        add(config, clock)
    })
    .unwrap_or(0)
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_free<'local>(
    _env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
) {
    let mut addresses = ADDRESSES.lock();
    if addresses.remove(&(address as usize)) {
        drop(addresses);
        // SAFETY: it was in the set, so nobody has freed it, and Java says that nobody uses it any more.
        let pool = unsafe { Box::from_raw(address as *mut Pool) };
        let _ = catch_unwind(AssertUnwindSafe(|| drop(pool)));
    }
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_advanceClock<'local>(
    _env: EnvUnowned<'local>,
    _this: This<'local>,
    address: jlong,
    millis: jlong,
) {
    // SAFETY: see the crate's page.
    if let Some(clock) = &unsafe { pool(address) }.clock {
        clock.advance(millis as u64);
    }
}
