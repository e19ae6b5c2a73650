//! The two natives of a hit: numbers in, a number out, one short lock of the engine's in between.

use crate::answer;
use crate::pool::pool;
use jni::sys::{JNIEnv, jint, jlong, jobject};
use leasehold::engine::{Handle, Hit, Keep, RouteId, StateId};
use std::panic::catch_unwind;

/// Instead of milliseconds, as in `Engine.java`.
const KEEP_FOREVER: jlong = 0;
const KEEP_AS_BEFORE: jlong = -1;

#[inline]
pub(crate) fn keep_of(millis: jlong) -> Keep {
    match millis {
        KEEP_FOREVER => Keep::Forever,
        KEEP_AS_BEFORE => Keep::AsBefore,
        millis => Keep::For(millis as u64),
    }
}

/// A positive number is a lease; anything else says to ask the long way.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_leaseHit(
    _env: *mut JNIEnv,
    _this: jobject,
    address: jlong,
    route: jlong,
) -> jlong {
    catch_unwind(|| {
        // SAFETY: see the crate's page.
        let engine = &unsafe { pool(address) }.engine;
        engine
            .lease_hit(RouteId::from_u64(route as u64), StateId::NONE)
            .map_or(answer::NOTHING, |handle| handle.to_u64() as jlong)
    })
    .unwrap_or(answer::NOTHING)
}

/// Zero is done; anything else says to ask the long way, which also finds out what is wrong.
#[unsafe(no_mangle)]
extern "system" fn Java_io_leasehold_internal_Engine_releaseHit(
    _env: *mut JNIEnv,
    _this: jobject,
    address: jlong,
    handle: jlong,
    keep: jlong,
) -> jint {
    catch_unwind(|| {
        // SAFETY: see the crate's page.
        let engine = &unsafe { pool(address) }.engine;
        match engine.release_hit(Handle::from_u64(handle as u64), keep_of(keep)) {
            Ok(Hit::Kept) => answer::DONE as jint,
            Ok(Hit::Slow) | Err(_) => answer::NOT_LEASED as jint,
        }
    })
    .unwrap_or(answer::NOT_LEASED as jint)
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
    route.to_u64() as jlong
}
