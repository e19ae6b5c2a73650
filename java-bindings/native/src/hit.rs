//! The natives of a hit: numbers in, a number out, one short lock of the engine's in between.

use crate::answer;
use crate::clock::last_tick;
use crate::numbers;
use crate::pool::pool;
use jni::sys::{JNIEnv, jint, jlong, jobject};
use leasehold::engine::{Hit, Keep, StateId, Verdict};
use std::panic::{UnwindSafe, catch_unwind};

/// Instead of milliseconds, as in `Engine.java`.
const KEEP_FOREVER: jlong = 0;
const KEEP_AS_BEFORE: jlong = -1;
const CLOSE: jlong = -2;
const LOST: jlong = -3;

/// Whatever else is no answer to the question for how long is none to keep a connection by either.
#[inline]
pub(crate) fn verdict_of(keep: jlong) -> Verdict {
    match keep {
        1.. => Verdict::Keep(Keep::For(keep as u64)),
        KEEP_FOREVER => Verdict::Keep(Keep::Forever),
        KEEP_AS_BEFORE => Verdict::Keep(Keep::AsBefore),
        LOST => Verdict::Lost,
        _ => Verdict::Close,
    }
}

/// A positive number is a lease; anything else says to ask the long way.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_leaseHit(
    _env: *mut JNIEnv,
    _this: jobject,
    address: jlong,
    route: jlong,
) -> jlong {
    catch_unwind(|| {
        // SAFETY: see the crate's page.
        let engine = &unsafe { pool(address) }.engine;
        engine
            .lease_hit(numbers::route_id(route), StateId::NONE)
            .map_or(answer::NOTHING, numbers::of_handle)
    })
    .unwrap_or(answer::NOTHING)
}

/// Zero is done; anything else says to ask the long way, which also finds out what is wrong.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_releaseHit(
    _env: *mut JNIEnv,
    _this: jobject,
    address: jlong,
    handle: jlong,
    keep: jlong,
) -> jint {
    release_hit(address, handle, || keep)
}

/// The same, of a connection that is kept until a moment of the wall clock has passed. One that has passed says to ask the long way, too.
///
/// The wall clock and the engine's are both read at their last tick, which they have at the same moment.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_natives_Engine_releaseHitUntil(
    _env: *mut JNIEnv,
    _this: jobject,
    address: jlong,
    handle: jlong,
    until: jlong,
) -> jint {
    release_hit(address, handle, || {
        match until.saturating_sub(last_tick()) {
            left @ 0.. => left.saturating_add(1),
            _ => CLOSE,
        }
    })
}

#[inline(always)]
fn release_hit(address: jlong, handle: jlong, keep: impl FnOnce() -> jlong + UnwindSafe) -> jint {
    catch_unwind(|| {
        // SAFETY: see the crate's page.
        let engine = &unsafe { pool(address) }.engine;
        let Verdict::Keep(keep) = verdict_of(keep()) else {
            return answer::NOT_LEASED as jint;
        };
        match engine.release_hit(numbers::handle(handle), keep) {
            Ok(Hit::Kept) => answer::DONE as jint,
            Ok(Hit::Slow) | Err(_) => answer::NOT_LEASED as jint,
        }
    })
    .unwrap_or(answer::NOT_LEASED as jint)
}

/// A pool as `create` makes it, which needs a JVM.
#[cfg(feature = "counted")]
#[unsafe(no_mangle)]
extern "system" fn leasehold_counted_pool() -> jlong {
    crate::pool::add(leasehold::engine::Config::default(), None)
}

/// A route of the pool with one idle connection: all that a hit needs, for who counts its instructions without a JVM.
#[cfg(feature = "counted")]
#[unsafe(no_mangle)]
extern "system" fn leasehold_counted_route(address: jlong) -> jlong {
    use leasehold::engine::{Effects, Grant, Outcome};
    // SAFETY: see the crate's page.
    let engine = &unsafe { pool(address) }.engine;
    let mut effects = Effects::new();
    let route = engine.add_route(&mut effects).expect("room for a route");
    let leased = engine.lease(route, StateId::NONE, None, &mut effects);
    let Ok(Outcome::Granted(Grant::Open(handle))) = leased else {
        panic!("nothing is idle, and there are no limits");
    };
    engine.opened(handle).expect("the pool is open");
    let released = engine.release_hit(handle, Keep::Forever);
    assert_eq!(released, Ok(Hit::Kept));
    numbers::of_route(route)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::Pool;
    use leasehold::engine::{Config, Effects, Engine, Grant, Outcome};
    use std::ptr::null_mut;

    #[test]
    fn a_release_that_is_to_close_is_no_hit() {
        type Release = extern "system" fn(*mut JNIEnv, jobject, jlong, jlong, jlong) -> jint;
        let hit: Release = Java_io_leasehold_internal_natives_Engine_releaseHit;
        let until: Release = Java_io_leasehold_internal_natives_Engine_releaseHitUntil;
        for (release, close) in [
            (hit, CLOSE),
            (hit, -3),
            (hit, jlong::MIN),
            (until, last_tick() - 1),
            (until, 0),
            (until, jlong::MIN),
        ] {
            let pool = Pool {
                engine: Engine::new(Config::default()),
                clock: None,
            };
            let mut effects = Effects::new();
            let route = pool.engine.add_route(&mut effects).unwrap();
            let leased = pool.engine.lease(route, StateId::NONE, None, &mut effects);
            let Ok(Outcome::Granted(Grant::Open(handle))) = leased else {
                panic!("there are no limits");
            };
            pool.engine.opened(handle).unwrap();
            let answer = release(
                null_mut(),
                null_mut(),
                (&raw const pool) as jlong,
                numbers::of_handle(handle),
                close,
            );
            assert_eq!(answer, answer::NOT_LEASED as jint, "{close}");
            assert_eq!(pool.engine.stats().available, 0);
        }
    }
}
